//! `[axi]`, where other OMMs and applications connect, and `[link]`, the way to the central.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use axi::account::Proof;
use machine::secret::Secret;

use super::accounts;
use super::reader::{At, Section};
use super::server::host_and_maybe_port;
use super::site::Role;
use omm::link::neighbour::Fingerprint;

/// AXI over TLS (spec 8, axi 1).
pub const PORT: u16 = 12_622;
/// AXI without TLS, only where it is asked for (spec 8, axi 1).
pub const PORT_PLAIN: u16 = 12_621;

/// Whether this build can listen for static RSA: rustls has no such key exchange.
const HAS_STATIC_RSA: bool = cfg!(feature = "openssl");

/// Whether a central's SARI waits for the administrator (M-2.3.1.1-a).
const SARI: &[(&str, bool)] = &[("auto", false), ("generate", true)];

/// Where other OMMs and applications connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axi {
    /// Where to listen for TLS.
    pub listen: Option<SocketAddr>,
    /// Where to listen without TLS (AMB-17: only when it is written down).
    pub listen_plain: Option<SocketAddr>,
    /// Where to listen for TLS with static RSA key exchange, which it takes a build with OpenSSL for (axi 1.1).
    pub listen_static_rsa: Option<SocketAddr>,
    /// The files with the certificate that is shown and with its key (PEM); without them the OMM makes its own.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The account that a remote logs in with.
    pub user: String,
    /// Its password, or a hash of it.
    pub password: Proof,
    /// Whether the SARI waits for `homing sari generate`; otherwise a central has that of its PARK from the start.
    pub generate_sari: bool,
    /// The password of the built-in account `root`, which cannot log in without.
    pub root_password: Option<Proof>,
}

/// The way to the central (M-2.3.1.2-b).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `host:port` of the central.
    pub omm1: String,
    /// `host:port` of the central's second OMM.
    pub omm2: Option<String>,
    /// The account at the central.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Whom to believe to be the central; `None` is plain TCP.
    pub tls: Option<Belief>,
    /// Whether roams are told to other remotes directly when the central is gone (B-4).
    pub direct: bool,
}

/// Whom a remote believes to be its central.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belief {
    /// Whoever has a certificate for the name or address dialled that leads to an authority of the system.
    System,
    /// The same with the authorities in this file (PEM).
    Authorities(PathBuf),
    /// Whoever has the key of the certificate with this fingerprint.
    Pinned(Fingerprint),
    /// Anybody: protects from listeners, not from impostors.
    Anybody,
}

/// Reads `[axi]`.
pub(super) fn axi(top: &Section<'_, '_>, base: &Path) -> Option<Option<Axi>> {
    if !top.has("axi") {
        return Some(None);
    }
    let section = top.need_table("axi")?;
    let address = |key, example| section.parsed(key, example, str::parse::<SocketAddr>);
    let listen = address("listen", "address:port, such as \"0.0.0.0:12622\"");
    let listen_plain = address("listen_plain", "address:port, such as \"127.0.0.1:12621\"");
    let static_rsa = address("listen_static_rsa", "address:port, such as \"0.0.0.0:12623\"");
    if let Some(asked) = static_rsa.as_ref().filter(|_| !HAS_STATIC_RSA) {
        let what = "`listen_static_rsa` needs OpenSSL, which this homing was built without";
        let hint = Some("cargo build --release --features openssl, with libssl-dev installed".into());
        section.reader.fault(
            asked.span.clone(),
            what,
            asked.value.to_string(),
            "no `listen_static_rsa`",
            hint,
        );
    }
    let user = section.need_text("user", "the account that remotes log in with");
    let password = accounts::proof(&section, "password", "password_hash");
    if password.is_none() && !section.has("password") && !section.has("password_hash") {
        section.need_text("password", "its password, or `password_hash`");
    }
    let root_password = accounts::proof(&section, "root_password", "root_password_hash");
    let secure = section.flag("tls").is_none_or(|flag| flag.value);
    let generate_sari = section.word("sari", SARI).is_some_and(|generate| generate.value);
    let certificate = section.text("certificate", "a file with a certificate (PEM)");
    let key = section.text("key", "the file with the certificate's key (PEM)");
    let certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            if !secure {
                let (what, expected) = ("a certificate without TLS is shown to nobody", "no tls = false");
                section.reader.fault(certificate.span, what, "tls = false", expected, None);
            }
            Some((base.join(certificate.value), base.join(key.value)))
        }
        (None, None) => None,
        (Some(lonely), None) | (None, Some(lonely)) => {
            let what = "`certificate` and `key` of [axi] need each other";
            let hint = Some("without both the OMM makes a certificate of its own".into());
            section.reader.fault(lonely.span, what, format!("{:?}", lonely.value), "both or none", hint);
            None
        }
    };
    if let (false, Some(plain)) = (secure, &listen_plain) {
        let what = "`listen` is plain already";
        section.reader.fault(plain.span.clone(), what, "tls = false", "`listen_plain` or tls = false", None);
    }
    section.finish();
    let port = if secure { PORT } else { PORT_PLAIN };
    let listen =
        listen.map_or_else(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), |listen| listen.value);
    let plain = listen_plain.map(|plain| plain.value);
    let (listen, listen_plain) = if secure { (Some(listen), plain) } else { (None, Some(listen)) };
    let (user, password) = (user?.value, password?);
    Some(Some(Axi {
        listen,
        listen_plain,
        listen_static_rsa: static_rsa.map(|at| at.value),
        certificate,
        user,
        password,
        generate_sari,
        root_password,
    }))
}

/// Reads `[link]`, which remotes have and centrals do not.
pub(super) fn link(top: &Section<'_, '_>, role: Option<&At<Role>>, base: &Path) -> Option<Option<Link>> {
    if role.is_some_and(|role| role.value == Role::Central) {
        if top.has("link") {
            let span = top.span_of("link");
            let what = "a central dials nobody: remotes connect to it (M-2.2.9-a)";
            top.reader.fault(span, what, "[link]", "no [link]", Some("write role = \"remote\"?".into()));
        }
        return Some(None);
    }
    if !top.has("link") && role.is_none() {
        return Some(None);
    }
    let section = top.need_table("link")?;
    let secure = section.flag("tls").is_none_or(|flag| flag.value);
    let tls = belief(&section, base, secure);
    let port = if tls.is_some() { PORT } else { PORT_PLAIN };
    let place = "host or host:port of the central, such as \"central.example:12622\"";
    let read = |text: &str| host_and_maybe_port(text, port);
    let omm1 = section.need_parsed("omm1", place, read);
    let omm2 = section.parsed("omm2", place, read);
    let user = section.need_text("user", "the account at the central");
    let password = section.need_text("password", "its password");
    let direct = section.flag("direct").is_none_or(|flag| flag.value);
    section.finish();
    let (omm1, omm2) = (omm1?.value, omm2.map(|omm2| omm2.value));
    let (user, password) = (user?.value, Secret::new(password?.value));
    Some(Some(Link { omm1, omm2, user, password, tls, direct }))
}

/// Whom to believe; `None` is no TLS.
pub(super) fn belief(section: &Section<'_, '_>, base: &Path, secure: bool) -> Option<Belief> {
    let ca = section.text("ca", "a file with the authority of the server's certificate (PEM)");
    let fingerprint = section.parsed(
        "fingerprint",
        "the SHA-256 of the server's certificate; `homing check` at a central prints its own",
        str::parse::<Fingerprint>,
    );
    let anybody = section.flag("verify").filter(|verify| !verify.value);
    let mut told = [
        ca.as_ref().map(|ca| ca.span.clone()),
        fingerprint.as_ref().map(|fingerprint| fingerprint.span.clone()),
        anybody.as_ref().map(|verify| verify.span.clone()),
    ]
    .into_iter()
    .flatten();
    if let (Some(first), false) = (told.next(), secure) {
        let what = "whom to believe is a question of TLS";
        section.reader.fault(first, what, "a connection without TLS", "one with TLS", None);
    } else if let Some(second) = told.next() {
        let what = "a server is believed in one way";
        section.reader.fault(second, what, "", "one of `ca`, `fingerprint`, verify = false", None);
    }
    if !secure {
        return None;
    }
    Some(match (ca, fingerprint, anybody) {
        (Some(ca), _, _) => Belief::Authorities(base.join(ca.value)),
        (None, Some(fingerprint), _) => Belief::Pinned(fingerprint.value),
        (None, None, Some(_)) => Belief::Anybody,
        (None, None, None) => Belief::System,
    })
}
