//! `Contact`: where somebody can be reached, and for how long (RFC 3261 10, 20.10; RFC 5626 4.1).

use crate::address::NameAddr;
use crate::delta;
use crate::grammar;
use crate::malformed::Malformed;
use crate::uri::Uri;

/// What counts when the expiry of a contact cannot be read, in seconds (RFC 3261 20.10, spec S-07).
pub const EXPIRES_UNREADABLE_S: u32 = 3600;

/// All Contact values of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts<'a> {
    /// `Contact: *`
    Star,
    /// The values in order; empty when there is no Contact at all.
    List(Vec<Contact<'a>>),
}

impl<'a> Contacts<'a> {
    /// The values; none for a star.
    pub fn list(&self) -> &[Contact<'a>] {
        match self {
            Contacts::Star => &[],
            Contacts::List(list) => list,
        }
    }

    /// Reads the values of a message, one by one.
    pub(crate) fn read(values: impl Iterator<Item = &'a str>) -> Result<Contacts<'a>, Malformed> {
        let (mut list, mut star) = (Vec::new(), false);
        for value in values {
            if value == "*" {
                star = true;
            } else {
                list.push(Contact::parse(value)?);
            }
        }
        match (star, list.is_empty()) {
            (false, _) => Ok(Contacts::List(list)),
            (true, true) => Ok(Contacts::Star),
            (true, false) => Err(Malformed::Syntax("Contact")),
        }
    }
}

/// A view of one Contact value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact<'a> {
    /// Display name, URI and parameters.
    pub addr: NameAddr<'a>,
}

impl<'a> Contact<'a> {
    /// Reads one value that is not a star.
    pub fn parse(text: &'a str) -> Result<Contact<'a>, Malformed> {
        NameAddr::parse(text).map(|addr| Contact { addr })
    }

    /// The URI, read.
    pub fn uri(&self) -> Result<Uri<'a>, Malformed> {
        self.addr.uri()
    }

    /// The `expires` parameter in seconds: a number too large is the largest, anything else unreadable counts as
    /// [`EXPIRES_UNREADABLE_S`].
    pub fn expires(&self) -> Option<u32> {
        self.param("expires").map(|text| delta::seconds(text).unwrap_or(EXPIRES_UNREADABLE_S))
    }

    /// The preference in thousandths, 0 to 1000; 1000 when there is none (RFC 3261 20.10), 0 when it cannot be read.
    pub fn q(&self) -> u16 {
        self.param("q").map_or(1000, |text| thousandths(text).unwrap_or(0))
    }

    /// The `+sip.instance` without its quotes and angle brackets: `urn:uuid:...` (RFC 5626 4.1).
    pub fn instance(&self) -> Option<&'a str> {
        let text = grammar::trim(grammar::unquoted(self.param("+sip.instance")?));
        Some(text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text))
    }

    /// The `reg-id`, 1 to 2^31 - 1 (RFC 5626 4.2).
    pub fn reg_id(&self) -> Option<u32> {
        delta::seconds(self.param("reg-id")?).ok().filter(|id| (1..1 << 31).contains(id))
    }

    /// The header parameter of that name: none when absent, `Some("")` without a value.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.addr.param(name)
    }
}

/// `0.xxx` or `1.000`, at most three digits behind the point.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part = part
        .bytes()
        .chain(*b"000")
        .take(3)
        .fold(0, |sum, digit| sum * 10 + u16::from(digit.wrapping_sub(b'0')));
    match whole {
        "0" if is_digits => Some(part),
        "1" if is_digits && part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(text: &str) -> Contact<'_> {
        Contact::parse(text).expect("a contact")
    }

    #[test]
    fn parameters_of_a_registration_are_read() {
        let text = r#"<sip:a@h>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id=1;q=0.5;expires=60"#;
        let seen = contact(text);
        assert_eq!(seen.instance(), Some("urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF"));
        assert_eq!((seen.reg_id(), seen.q(), seen.expires()), (Some(1), 500, Some(60)));
    }

    #[test]
    fn odd_expiries_and_preferences_have_a_meaning() {
        let rows =
            [("60", Some(60)), ("-1", Some(3600)), ("x", Some(3600)), ("1000000000000", Some(u32::MAX))];
        for (text, seconds) in rows {
            assert_eq!(contact(&format!("<sip:a@h>;expires={text}")).expires(), seconds);
        }
        assert_eq!(contact("<sip:a@h>").expires(), None);
        for (text, q) in
            [("1", 1000), ("1.000", 1000), ("0.001", 1), ("0.7", 700), ("1.1", 0), ("0.1234", 0), ("x", 0)]
        {
            assert_eq!(contact(&format!("<sip:a@h>;q={text}")).q(), q, "{text}");
        }
        assert_eq!(contact("<sip:a@h>;reg-id=0").reg_id(), None);
    }

    #[test]
    fn a_star_stands_alone() {
        assert_eq!(Contacts::read(["*"].into_iter()), Ok(Contacts::Star));
        assert!(Contacts::read(["*", "<sip:a@h>"].into_iter()).is_err());
        assert_eq!(Contacts::read([].into_iter()), Ok(Contacts::List(Vec::new())));
    }
}
