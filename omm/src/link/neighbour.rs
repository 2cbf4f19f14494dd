//! Where an OMM can be called by another one when the central is gone (B-4, SM-2 "Central-less path").
//!
//! A remote tells its own door when it opens its link; the central keeps it on the roster and hands every remote the
//! doors of all others.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::stamp::OmmId;

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The digest itself.
    pub const fn new(digest: [u8; 32]) -> Fingerprint {
        Fingerprint(digest)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, byte)| {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")
        })
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// 64 hexadecimal digits, with colons between the pairs or without.
    fn from_str(text: &str) -> Result<Fingerprint, String> {
        let digits: Vec<u32> = match text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect() {
            Some(digits) => digits,
            None => return Err("it is not made of hexadecimal digits".into()),
        };
        if digits.len() != 64 {
            return Err(format!("it has {} hexadecimal digits, a SHA-256 has 64", digits.len()));
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = pair.iter().fold(0, |high, digit| high * 16 + digit) as u8;
        }
        Ok(Fingerprint(bytes))
    }
}

/// Where an OMM takes AXI connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// `host:port`.
    pub address: Arc<str>,
    /// The certificate that it shows there; `None` where it does not speak TLS.
    pub fingerprint: Option<Fingerprint>,
}

/// Another remote of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Who.
    pub omm: OmmId,
    /// Where.
    pub door: Door,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_openssl_prints_it() {
        let print = Fingerprint::new(std::array::from_fn(|index| (index * 7) as u8));
        let printed = print.to_string();
        assert_eq!(printed.len(), 32 * 3 - 1);
        assert_eq!(printed.parse(), Ok(print));
        assert_eq!(printed.replace(':', "").to_lowercase().parse(), Ok(print));
        assert_eq!(
            "AB:CD".parse::<Fingerprint>(),
            Err("it has 4 hexadecimal digits, a SHA-256 has 64".into())
        );
        assert!("xy".parse::<Fingerprint>().is_err());
    }
}
