//! What can be wrong, by whose fault it is.
//!
//! - [`Malformed`]: their bytes are no AXI message; nothing can be answered, the link is closed.
//! - [`Complaint`]: their message is one, but an attribute is missing or wrong; it names the answer to give.
//! - [`Refused`]: they did not do what we asked, with their code.
//! - [`Fault`]: any of these.
//!
//! None of them quotes a value that may be a secret.

use std::fmt;

use crate::element::Element;
use crate::seq::Seq;
use crate::words::{Kept, vocabulary};

/// Their bytes are no AXI message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A message longer than the limit, in bytes.
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// More bytes than anybody took out.
    Flooded {
        /// The longest message.
        limit: usize,
    },
    /// Too many empty messages in a row.
    Empties {
        /// The limit.
        limit: u32,
    },
    /// The stream or the message ended too early.
    Truncated {
        /// So many bytes were read.
        read: usize,
    },
    /// No UTF-8 from this byte on.
    Utf8 {
        /// The offset.
        at: usize,
    },
    /// A character that XML does not know, raw or as a reference.
    Character,
    /// Something that AXI messages do not hold: a declaration, a DTD, a comment, CDATA.
    Forbidden(&'static str),
    /// An entity that is none of the five of XML. Nothing is ever expanded.
    Entity,
    /// Not well-formed near this byte.
    Xml {
        /// The offset.
        at: usize,
    },
    /// An element or attribute name that is none.
    Name,
    /// The same attribute twice.
    Duplicate {
        /// Its name.
        attribute: String,
    },
    /// Elements nested too deeply.
    Deep {
        /// The limit.
        limit: usize,
    },
    /// Too many elements.
    Elements {
        /// The limit.
        limit: usize,
    },
    /// Too many attributes.
    Attributes {
        /// The limit.
        limit: usize,
    },
    /// No element at all, or text around it, or a second one.
    NotOneElement,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::TooLong { limit } => write!(f, "a message is longer than {limit} bytes"),
            Malformed::Flooded { limit } => write!(f, "more than twice {limit} bytes wait to be read"),
            Malformed::Empties { limit } => write!(f, "more than {limit} empty messages in a row"),
            Malformed::Truncated { read } => write!(f, "it ends after {read} bytes, inside a message"),
            Malformed::Utf8 { at } => write!(f, "no UTF-8 at byte {at}"),
            Malformed::Character => write!(f, "a character that XML does not allow"),
            Malformed::Forbidden(what) => write!(f, "{what} does not belong into an AXI message"),
            Malformed::Entity => write!(f, "an entity that is not one of XML's five"),
            Malformed::Xml { at } => write!(f, "XML is not well-formed near byte {at}"),
            Malformed::Name => {
                write!(f, "a name holds other characters than letters, digits, `_`, `-`, `.`, `:`")
            }
            Malformed::Duplicate { attribute } => write!(f, "attribute {attribute} stands twice"),
            Malformed::Deep { limit } => write!(f, "elements are nested deeper than {limit}"),
            Malformed::Elements { limit } => write!(f, "more than {limit} elements"),
            Malformed::Attributes { limit } => write!(f, "more than {limit} attributes"),
            Malformed::NotOneElement => write!(f, "expected exactly one element and nothing around it"),
        }
    }
}

impl std::error::Error for Malformed {}

vocabulary! {
    /// Why a request failed (axi 2.1). An unknown code hangs a real client, so no other can be written.
    ErrCode {
        /// Paging area full.
        AreaFull = "EAreaFull",
        /// Bad user or password.
        Auth = "EAuth",
        /// The regulatory domain must be set first.
        DectRegDomainInvalid = "EDectRegDomainInvalid",
        /// Encryption is not allowed.
        EncryptNotAllowed = "EEncryptNotAllowed",
        /// A unique attribute is used already.
        Exist = "EExist",
        /// Could not be fulfilled.
        Failed = "EFailed",
        /// Not permitted on that instance.
        Forbidden = "EForbidden",
        /// Another transaction is running.
        InProgress = "EInProgress",
        /// Invalid data, or a limit exceeded.
        Inval = "EInval",
        /// Invalid characters.
        InvalidChars = "EInvalidChars",
        /// No licence.
        License = "ELicense",
        /// A bad licence file.
        LicenseFile = "ELicenseFile",
        /// The licence is for another installation.
        LicenseWrongInstallId = "ELicenseWrongInstallId",
        /// A mandatory field is missing.
        Missing = "EMissing",
        /// No record for that key; also the end of a list.
        NoEnt = "ENoEnt",
        /// The table is full.
        NoMem = "ENoMem",
        /// No permission.
        Perm = "EPerm",
        /// The password is empty.
        PwEmpty = "EPwEmpty",
        /// The password is the old one.
        PwUnchanged = "EPwUnchanged",
        /// The password resembles the host name.
        PwSimilarToHost = "EPwSimilarToHost",
        /// The password resembles the user name.
        PwSimilarToName = "EPwSimilarToName",
        /// The password repeats too many characters.
        PwTooManySimilarChars = "EPwTooManySimilarChars",
        /// The password is too short.
        PwTooShort = "EPwTooShort",
        /// The password resembles the old one.
        PwTooSimilar = "EPwTooSimilar",
        /// The password is too weak.
        PwTooWeak = "EPwTooWeak",
        /// A text is too long.
        TooLong = "ETooLong",
        /// The regulatory domain of the WLAN must be set first.
        WlanRegDomainInvalid = "EWlanRegDomainInvalid",
    }
}

/// They did not do what we asked (axi 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why, as a code.
    pub code: Kept<ErrCode>,
    /// Why, in English.
    pub info: Option<String>,
    /// The attribute or element that was wrong.
    pub bad: Option<String>,
    /// How long the bad text may be, in characters.
    pub max_len: Option<u32>,
    /// `SubscribeResp`: the event type that was wrong.
    pub event_type: Option<Box<String>>,
}

impl Refused {
    /// A refusal with nothing but a code.
    pub fn new(code: ErrCode) -> Refused {
        Refused { code: Kept::Known(code), info: None, bad: None, max_len: None, event_type: None }
    }

    /// The refusal in a response; `None` when the response reports success.
    pub fn read(response: &Element<'_>) -> Option<Refused> {
        Some(Refused {
            code: Kept::read(response.get("errCode")?),
            info: response.get("info").map(str::to_owned),
            bad: response.get("bad").map(str::to_owned),
            max_len: response.get("maxLen").and_then(|text| text.parse().ok()),
            event_type: response.get("eventType").map(|text| Box::new(text.to_owned())),
        })
    }

    /// Writes the refusal into a response. A code that is not in the vocabulary becomes `EFailed`.
    pub fn write(&self, response: &mut Element<'_>) {
        let code = match &self.code {
            Kept::Known(code) => *code,
            Kept::Other(_) => ErrCode::Failed,
        };
        response.set("errCode", code.as_str());
        for (name, value) in [("info", &self.info), ("bad", &self.bad)] {
            if let Some(value) = value {
                response.set(name, value.clone());
            }
        }
        if let Some(max_len) = self.max_len {
            response.set("maxLen", max_len.to_string());
        }
        if let Some(event_type) = &self.event_type {
            response.set("eventType", event_type.to_string());
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(bad) = &self.bad {
            write!(f, " at {bad}")?;
        }
        if let Some(info) = &self.info {
            write!(f, ": {info}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// A message of theirs that cannot be understood: what to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The name of the message.
    pub message: Box<str>,
    /// Its cookie, if it carried one.
    pub seq: Option<Seq>,
    /// What is wrong with it.
    pub why: Refused,
}

impl Complaint {
    /// `<XResp seq errCode info bad/>`.
    pub fn answer(&self) -> Element<'static> {
        let mut response = Element::new(format!("{}Resp", self.message));
        if let Some(seq) = &self.seq {
            response.set("seq", seq.to_string());
        }
        self.why.write(&mut response);
        response
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.why)
    }
}

impl std::error::Error for Complaint {}

/// Whatever can be wrong with one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no message. The link is to be closed.
    Malformed(Malformed),
    /// It cannot be understood. [`Complaint::answer`] is the answer to a request.
    Complaint(Complaint),
    /// It refuses what we asked.
    Refused(Refused),
    /// It has no place here; what it is.
    Unsupported(String),
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Fault {
        Fault::Malformed(malformed)
    }
}

impl From<Complaint> for Fault {
    fn from(complaint: Complaint) -> Fault {
        Fault::Complaint(complaint)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Malformed(malformed) => malformed.fmt(f),
            Fault::Complaint(complaint) => complaint.fmt(f),
            Fault::Refused(refused) => write!(f, "refused: {refused}"),
            Fault::Unsupported(what) => write!(f, "not supported here: {what}"),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::NotAWord;

    #[test]
    fn there_are_27_codes_and_each_reads_what_it_prints() {
        assert_eq!(ErrCode::ALL.len(), 27);
        for code in ErrCode::ALL {
            assert_eq!(code.to_string().parse(), Ok(*code));
        }
        assert_eq!("eauth".parse::<ErrCode>(), Err(NotAWord), "case counts");
    }

    #[test]
    fn an_unknown_code_is_kept_and_never_written() {
        let response = Element::read(br#"<PingResp errCode="EBrandNew" maxLen="7" bad="x"/>"#).unwrap();
        let refused = Refused::read(&response).unwrap();
        assert_eq!(refused.code, Kept::Other("EBrandNew".into()));
        let mut answer = Element::new("PingResp");
        refused.write(&mut answer);
        assert_eq!(answer.to_string(), r#"<PingResp errCode="EFailed" bad="x" maxLen="7"/>"#);
    }

    #[test]
    fn a_complaint_is_answered_with_the_cookie_if_there_was_one() {
        let mut complaint = Complaint { message: "Foo".into(), seq: None, why: Refused::new(ErrCode::Inval) };
        assert_eq!(complaint.answer().to_string(), r#"<FooResp errCode="EInval"/>"#);
        complaint.seq = Some(Seq::read("0").unwrap());
        complaint.why.info = Some("no <such> message".into());
        assert_eq!(
            complaint.answer().to_string(),
            r#"<FooResp seq="0" errCode="EInval" info="no &lt;such&gt; message"/>"#
        );
    }
}
