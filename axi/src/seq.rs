//! The cookie that matches a response with its request (axi 2).
//!
//! A response carries `seq` if and only if the request did, and then verbatim; `0` is legal and the first that two
//! client families send. Events never carry it.

use std::fmt;
use std::sync::Arc;

/// The longest cookie: a 64-bit integer with its sign. Ours.
const SEQ_LEN_MAX: usize = 20;

/// A cookie, as it was written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(Arc<str>);

impl Seq {
    /// The cookie for the `count`th request of a client.
    pub fn of(count: u64) -> Seq {
        Seq(count.to_string().into())
    }

    /// Reads an integer without changing how it is written; `None` when it is none.
    pub fn read(text: &str) -> Option<Seq> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (integer && text.len() <= SEQ_LEN_MAX).then(|| Seq(text.into()))
    }

    /// The cookie as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_an_integer_and_stays_as_it_was_written() {
        for text in ["0", "1", "007", "-3", "18446744073709551615"] {
            assert_eq!(Seq::read(text).unwrap().as_str(), text);
        }
        for text in ["", "-", "a", "1 ", "None", "123456789012345678901"] {
            assert_eq!(Seq::read(text), None);
        }
    }
}
