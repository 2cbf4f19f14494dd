//! From when to when a certificate counts, and what it is known by.

use std::time::Duration;

use machine::time::Wall;
use omm::link::neighbour::Fingerprint;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

/// What this certificate (DER) is known by.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate.as_ref());
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, of)| *byte = *of);
    Fingerprint::new(bytes)
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
    fn a_certificate_is_known_by_its_sha_256() {
        // openssl x509 -in good.pem -noout -fingerprint -sha256
        let good = fingerprint(&certificate("good"));
        assert_eq!(
            good.to_string(),
            "C3:28:98:9E:EE:E7:67:17:D2:E7:BB:BE:E6:57:B0:72:69:40:FE:16:69:CF:D2:80:4E:D0:C4:0D:79:C9:D2:5D"
        );
        assert_ne!(good, fingerprint(&certificate("self")));
    }
}
