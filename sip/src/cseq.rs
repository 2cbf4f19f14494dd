//! `CSeq`: which request of a series this is (RFC 3261 8.1.1.5, 20.16).

use crate::grammar;
use crate::malformed::Malformed;

/// One more than the largest number of a request (RFC 3261 8.1.1.5).
pub const NUMBER_END: u32 = 1 << 31;

/// A view of the CSeq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cseq<'a> {
    /// The number, below [`NUMBER_END`].
    pub number: u32,
    /// The method; methods have case.
    pub method: &'a str,
}

impl<'a> Cseq<'a> {
    /// Reads `1*DIGIT LWS method`.
    pub fn parse(text: &'a str) -> Result<Cseq<'a>, Malformed> {
        let end = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = (text.get(..end).unwrap_or(""), text.get(end..).unwrap_or(""));
        let method = grammar::trim(rest);
        if digits.is_empty() || method.len() == rest.len() || !grammar::is_token(method) {
            return Err(Malformed::Syntax("CSeq"));
        }
        let number =
            digits.parse().ok().filter(|&number| number < NUMBER_END).ok_or(Malformed::Range("CSeq"))?;
        Ok(Cseq { number, method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cseq_is_a_number_and_a_method() {
        assert_eq!(Cseq::parse("0009\r\n  INVITE"), Ok(Cseq { number: 9, method: "INVITE" }));
        assert_eq!(Cseq::parse("2147483648 INVITE"), Err(Malformed::Range("CSeq")));
        for bad in ["", "INVITE", "1", "1INVITE", "-1 INVITE", "1 IN VITE", "1 "] {
            assert_eq!(Cseq::parse(bad), Err(Malformed::Syntax("CSeq")), "{bad}");
        }
    }
}
