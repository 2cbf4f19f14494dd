//! The `[sip]` table: where this OMM listens, what it calls itself, whom it believes.

use std::net::SocketAddr;
use std::path::Path;

use omm::directory::login::Variant;
use sip::digest::Algorithm;

use super::reader::Section;
use super::shaping;
use super::site::{Secure, Sip};

/// SHA-256 before MD5 (RFC 8760 2.3).
const BOTH: &[Algorithm] = &[Algorithm::SHA_256, Algorithm::MD5];
/// The default: common phones and test tools give up on a challenge that offers SHA-256 first, as RFC 8760 wants it
/// (seen with SIPp 3.6, baresip 1.0 and sipsak).
const MD5: &[Algorithm] = &[Algorithm::MD5];
const DIGESTS: &[(&str, &[Algorithm])] = &[("both", BOTH), ("md5", MD5), ("sha-256", &[Algorithm::SHA_256])];

const LOGINS: &[(&str, Variant)] = &[("number", Variant::Number), ("id", Variant::Id)];

pub(super) fn read(section: Section<'_, '_>, base: &Path) -> Option<Sip> {
    let place = "address:port, such as \"192.0.2.7:5060\"";
    let listen_tcp = section.parsed("listen_tcp", place, str::parse::<SocketAddr>);
    let listen_tls = secure(&section, base);
    let ca = section.text("ca", "a file of certificates").map(|file| base.join(file.value));
    let listen = section.need_parsed("listen", place, str::parse::<SocketAddr>);
    let other = section.parsed("listen_other", place, str::parse::<SocketAddr>);
    if let (Some(listen), Some(other)) = (&listen, &other)
        && listen.value.is_ipv6() == other.value.is_ipv6()
    {
        let what = "`listen_other` is an address of the same family as `listen`";
        let expected = if listen.value.is_ipv6() { "an IPv4 address" } else { "an IPv6 address" };
        section.reader.fault(other.span.clone(), what, other.value.to_string(), expected, None);
    }
    let contact = section.parsed("contact", "host or host:port that others reach this OMM at", |text| {
        sip::host::Host::parse_with_port(text).map(|_| text.to_string()).map_err(|_| "it is no host")
    });
    let domain =
        section.need_parsed("domain", "the SIP domain of the users, such as \"example.com\"", |text| {
            sip::host::Host::parse(text).map(|_| text.to_string()).map_err(|_| "it is no host")
        });
    if let Some(listen) = &listen
        && listen.value.ip().is_unspecified()
        && !section.has("contact")
    {
        let what = "`contact` is missing in [sip], and `listen` names no address that others could reach";
        let hint = Some("add contact = \"the host that others reach this OMM at\"".into());
        section.reader.fault(listen.span.clone(), what, listen.value.to_string(), "`contact` as well", hint);
    }
    let digest = section.word("digest", DIGESTS);
    let login = section.word("login", LOGINS).map_or_else(Variant::default, |login| login.value);
    let shape = shaping::read(&section);
    section.finish();
    let listen = listen?.value;
    let contact = contact.map_or_else(|| listen.ip().to_string(), |contact| contact.value);
    let contact = match sip::host::Host::parse_with_port(&contact) {
        Ok((_, Some(_))) => contact,
        Ok((_, None)) => format!("{contact}:{}", listen.port()),
        // An IPv6 address without its brackets can only be our own `listen`.
        Err(_) => listen.to_string(),
    };
    let digest = digest.map_or(MD5, |digest| digest.value).to_vec();
    let listen_tcp = listen_tcp.map(|found| found.value);
    let listen_other = other.map(|found| found.value);
    Some(Sip {
        listen,
        listen_other,
        listen_tcp,
        listen_tls,
        ca,
        contact,
        domain: domain?.value,
        digest,
        login,
        shape,
    })
}

/// A TLS listener; its certificate and key go with it, and with nothing else.
fn secure(section: &Section<'_, '_>, base: &Path) -> Option<Secure> {
    let place = "address:port, such as \"192.0.2.7:5061\"";
    let listen = section.parsed("listen_tls", place, str::parse::<SocketAddr>);
    let file = |key| match &listen {
        Some(_) => section.need_text(key, "a file in PEM").map(|file| base.join(file.value)),
        None => section.text(key, "a file in PEM").map(|file| base.join(file.value)),
    };
    let (certificate, key) = (file("certificate"), file("key"));
    Some(Secure { listen: listen?.value, certificate: certificate?, key: key? })
}
