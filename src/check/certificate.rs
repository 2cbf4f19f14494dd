//! The certificates that this OMM shows: whether they can be used, and for how long.

use std::time::Duration;

use machine::time::Wall;

use super::{Finding, Verdict};
use crate::config::site::Site;
use crate::peer::badge::{self, Shown};

/// Days before its end at which a certificate is worth a warning; ours.
const SOON: Duration = Duration::from_secs(30 * 86_400);

/// What there is to say of the certificates, SIP's first.
pub(super) fn check(site: &Site, now: Wall) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(secure) = &site.sip.listen_tls {
        let read = badge::read(&secure.certificate, &secure.key, false);
        findings.push(finding("sip certificate", read, now));
    }
    if site.axi.as_ref().is_some_and(|axi| axi.listen.is_some()) {
        let (certificate, key, own) = badge::files(site);
        findings.push(if own && !certificate.exists() {
            let text = format!("one of its own will be made when it first starts: {}", certificate.display());
            Finding::new("axi certificate", Verdict::Pass, text)
        } else {
            finding("axi certificate", badge::read(&certificate, &key, own), now)
        });
    }
    findings
}

fn finding(what: &str, read: Result<Shown, crate::sockets::tls::Unfit>, now: Wall) -> Finding {
    let shown = match read {
        Ok(shown) => shown,
        Err(unfit) => return Finding::new(what, Verdict::Fail, unfit.to_string()),
    };
    let (file, fingerprint) = (shown.file.display(), shown.fingerprint);
    let Some(until) = shown.until else {
        return Finding::new(what, Verdict::Fail, format!("{file}: when it ends cannot be read"));
    };
    let date =
        humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + Duration::from_millis(until.as_millis()));
    if until <= now {
        return Finding::new(what, Verdict::Fail, format!("{file} ended at {date}"))
            .hint("put a new one there and restart");
    }
    let left = until.since(now);
    let text = format!("{file} counts until {date}, fingerprint {fingerprint}");
    if left < SOON {
        return Finding::new(what, Verdict::Warn, format!("{text}: {} days left", left.as_secs() / 86_400))
            .hint("put a new one there in time and restart");
    }
    Finding::new(what, Verdict::Pass, text)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn of(name: &str, now: u64) -> Finding {
        let file = |end: &str| {
            PathBuf::from(format!("{}/src/sockets/certificates/{name}.{end}", env!("CARGO_MANIFEST_DIR")))
        };
        finding("it", badge::read(&file("pem"), &file("key"), false), Wall::from_millis(now * 1000))
    }

    #[test]
    fn a_certificate_is_warned_of_before_its_end_and_fails_after_it() {
        // It counts on the first day of 2020.
        let end = 1_577_923_200;
        assert_eq!(of("expired", end - 40 * 86_400).verdict, Verdict::Pass);
        let soon = of("expired", end - 3 * 86_400 - 1);
        assert_eq!(soon.verdict, Verdict::Warn);
        assert!(soon.text.ends_with("3 days left"), "{}", soon.text);
        let over = of("expired", end);
        assert_eq!(over.verdict, Verdict::Fail);
        assert!(over.text.ends_with("ended at 2020-01-02T00:00:00Z"), "{}", over.text);
        assert_eq!(of("absent", end).verdict, Verdict::Fail);
    }
}
