//! From when to when a certificate counts, and what it is known by.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use machine::time::Wall;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of this certificate (DER).
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        let digest = ring::digest::digest(&ring::digest::SHA256, certificate.as_ref());
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, of)| *byte = *of);
        Fingerprint(bytes)
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

/// When a certificate begins and ceases to count; `None` when it is none.
///
/// webpki tells no dates, but its refusal of a wrong time names the right one, and it looks at the time first.
pub(crate) fn term(certificate: &CertificateDer<'_>) -> Option<(Wall, Wall)> {
    let parsed = EndEntityCert::try_from(certificate).ok()?;
    let refusal = |seconds| {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        parsed.verify_for_usage(&[], &[], &[], time, KeyUsage::server_auth(), None, None).err()
    };
    let wall = |time: UnixTime| Wall::from_millis(time.as_secs().saturating_mul(1000));
    let from = match refusal(0) {
        Some(Error::CertNotValidYet { not_before, .. }) => wall(not_before),
        _ => Wall::default(),
    };
    match refusal(u64::MAX / 1000) {
        Some(Error::CertExpired { not_after, .. }) => Some((from, wall(not_after))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::pem::PemObject;

    use super::*;

    fn certificate(name: &str) -> CertificateDer<'static> {
        let file = format!("{}/src/sockets/certificates/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        CertificateDer::from_pem_file(file).expect("a certificate")
    }

    #[test]
    fn the_term_of_a_certificate_is_read_whatever_else_is_wrong_with_it() {
        let seconds = |wall: Wall| wall.as_millis() / 1000;
        let (from, to) = term(&certificate("expired")).expect("a term");
        // 2020-01-01 and 2020-01-02, 00:00 UTC, as certificates/make.sh has it.
        assert_eq!((seconds(from), seconds(to)), (1_577_836_800, 1_577_923_200));
        for name in ["good", "self", "ca"] {
            let (from, to) = term(&certificate(name)).expect("a term");
            assert_eq!((seconds(to) - seconds(from)) / 86_400, 36_500, "{name}");
        }
        assert_eq!(term(&CertificateDer::from(vec![0x30, 0])), None);
    }

    #[test]
    fn a_fingerprint_is_read_as_openssl_prints_it() {
        let good = Fingerprint::of(&certificate("good"));
        assert_ne!(good, Fingerprint::of(&certificate("self")));
        let printed = good.to_string();
        assert_eq!(printed.len(), 32 * 3 - 1);
        assert_eq!(printed.parse(), Ok(good));
        assert_eq!(printed.replace(':', "").to_lowercase().parse(), Ok(good));
        assert_eq!(
            "AB:CD".parse::<Fingerprint>(),
            Err("it has 4 hexadecimal digits, a SHA-256 has 64".into())
        );
        assert!("xy".parse::<Fingerprint>().is_err());
    }
}
