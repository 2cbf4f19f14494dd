//! The header fields that homing knows, long and short forms alike.

use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident $long:literal $($short:literal)?;)*) => {
        /// A header field by its name. Field names have no case (RFC 3261 7.3.1), a short form is the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Name {
            $(#[doc = concat!("`", $long, "`")] $name,)*
            /// Any other field; [`crate::message::Message::other`] finds it by its text.
            Other,
        }

        impl Name {
            /// Every name that is known.
            pub const ALL: &[Name] = &[$(Name::$name),*];

            /// The long form, spelled as in its RFC; empty for [`Name::Other`].
            pub const fn as_str(self) -> &'static str {
                match self { $(Name::$name => $long,)* Name::Other => "" }
            }

            /// The name with this short form, in lower case.
            fn short(letter: u8) -> Name {
                match letter { $($($short => Name::$name,)?)* _ => Name::Other }
            }
        }
    };
}

names! {
    Via "Via" b'v';
    From "From" b'f';
    To "To" b't';
    CallId "Call-ID" b'i';
    CSeq "CSeq";
    Contact "Contact" b'm';
    MaxForwards "Max-Forwards";
    Expires "Expires";
    MinExpires "Min-Expires";
    ContentLength "Content-Length" b'l';
    ContentType "Content-Type" b'c';
    ContentEncoding "Content-Encoding" b'e';
    ContentDisposition "Content-Disposition";
    ContentLanguage "Content-Language";
    MimeVersion "MIME-Version";
    Accept "Accept";
    AcceptEncoding "Accept-Encoding";
    AcceptLanguage "Accept-Language";
    Allow "Allow";
    AllowEvents "Allow-Events" b'u';
    Authorization "Authorization";
    ProxyAuthorization "Proxy-Authorization";
    WwwAuthenticate "WWW-Authenticate";
    ProxyAuthenticate "Proxy-Authenticate";
    AuthenticationInfo "Authentication-Info";
    Date "Date";
    ErrorInfo "Error-Info";
    Event "Event" b'o';
    FlowTimer "Flow-Timer";
    InReplyTo "In-Reply-To";
    Organization "Organization";
    Path "Path";
    Priority "Priority";
    ProxyRequire "Proxy-Require";
    Reason "Reason";
    RecordRoute "Record-Route";
    ReferTo "Refer-To" b'r';
    ReferredBy "Referred-By" b'b';
    Replaces "Replaces";
    ReplyTo "Reply-To";
    Require "Require";
    RetryAfter "Retry-After";
    Route "Route";
    Server "Server";
    ServiceRoute "Service-Route";
    SessionExpires "Session-Expires" b'x';
    MinSe "Min-SE";
    SubscriptionState "Subscription-State";
    Subject "Subject" b's';
    Supported "Supported" b'k';
    Timestamp "Timestamp";
    Unsupported "Unsupported";
    UserAgent "User-Agent";
    Warning "Warning";
}

/// For each length, where in [`SORTED`] the names of that length begin; the last entry closes the table.
const STARTS: [u8; LENGTHS + 1] = starts();
const SORTED: [Name; Name::ALL.len()] = sorted();
const LENGTHS: usize = 24;

const fn starts() -> [u8; LENGTHS + 1] {
    let mut table = [0; LENGTHS + 1];
    let mut length = 0;
    while length <= LENGTHS {
        let mut at = 0;
        while at < Name::ALL.len() {
            table[length] += (Name::ALL[at].as_str().len() < length) as u8;
            at += 1;
        }
        length += 1;
    }
    table
}

const fn sorted() -> [Name; Name::ALL.len()] {
    let mut table = [Name::Other; Name::ALL.len()];
    let (mut filled, mut length) = (0, 0);
    while length < LENGTHS {
        let mut at = 0;
        while at < Name::ALL.len() {
            if Name::ALL[at].as_str().len() == length {
                table[filled] = Name::ALL[at];
                filled += 1;
            }
            at += 1;
        }
        length += 1;
    }
    table
}

impl Name {
    /// The name that these bytes spell.
    pub fn of(text: &[u8]) -> Name {
        if let [letter] = text {
            return Name::short(letter.to_ascii_lowercase());
        }
        let (Some(&low), Some(&high)) = (STARTS.get(text.len()), STARTS.get(text.len() + 1)) else {
            return Name::Other;
        };
        let same_length = SORTED.get(usize::from(low)..usize::from(high)).unwrap_or(&[]);
        // Nearly all names come spelled as in their RFC: that is found without looking at case.
        let exactly = |name: &Name| name.as_str().as_bytes() == text;
        let spelled = |name: &Name| name.as_str().as_bytes().eq_ignore_ascii_case(text);
        let mut names = same_length.iter().copied();
        names.clone().find(exactly).or_else(|| names.find(spelled)).unwrap_or(Name::Other)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_by_its_text_in_any_case() {
        for &name in Name::ALL {
            assert!(name.as_str().len() < LENGTHS);
            assert_eq!(Name::of(name.as_str().to_uppercase().as_bytes()), name);
            assert_eq!(Name::of(name.as_str().to_lowercase().as_bytes()), name);
        }
        assert_eq!(Name::of(b""), Name::Other);
        assert_eq!(Name::of(b"Vja"), Name::Other);
        assert_eq!(Name::of(&[b'x'; 300]), Name::Other);
    }

    #[test]
    fn short_forms_are_the_same_names() {
        let shorts = [(b'V', Name::Via), (b'f', Name::From), (b't', Name::To), (b'i', Name::CallId)];
        let more = [
            (b'm', Name::Contact),
            (b'l', Name::ContentLength),
            (b'c', Name::ContentType),
            (b'q', Name::Other),
        ];
        for (letter, name) in shorts.into_iter().chain(more) {
            assert_eq!(Name::of(&[letter]), name);
        }
    }
}
