//! What this OMM shows to those who connect by TLS: the site's own certificate, or one that it makes once for itself.
//!
//! A certificate of its own making leads to no authority: a remote pins its fingerprint, which `homing check` prints at
//! the central, and applications either pin it or do not look. It outlives restarts, so a pin stays good.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use machine::time::Wall;
use omm::link::neighbour::{Door, Fingerprint};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey, date_time_ymd,
};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use sip::host::Host;

use crate::config::site::Site;
use crate::sockets::tls::term::{fingerprint, term};
use crate::sockets::tls::{Badge, Unfit, certificates};

/// Beside the store: the certificate and the key of this OMM's own making.
const OWN: (&str, &str) = ("axi.pem", "axi.key");
/// Nobody but the owner reads a key.
const SECRET_MODE: u32 = 0o600;
/// Days of a certificate that soon counts no more; ours.
pub const SOON: u64 = 30;

/// What is shown, and what there is to say about it.
pub struct Shown {
    /// For the listener.
    pub badge: Badge,
    /// The file.
    pub file: PathBuf,
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Until when it counts.
    pub until: Option<Wall>,
    /// Whether this OMM made it for itself.
    pub own: bool,
}

/// Where the certificate and its key are, and whether they are of this OMM's own making.
pub fn files(site: &Site) -> (PathBuf, PathBuf, bool) {
    match site.axi.as_ref().and_then(|axi| axi.certificate.as_ref()) {
        Some((certificate, key)) => (certificate.clone(), key.clone(), false),
        None => (site.data_dir.join(OWN.0), site.data_dir.join(OWN.1), true),
    }
}

/// Reads what is to be shown; makes it first when it is to be of this OMM's own making and is not there.
///
/// # Errors
/// A file cannot be read or written, or certificate and key do not belong together.
pub fn show(site: &Site) -> Result<Shown, Unfit> {
    let (certificate, key, own) = files(site);
    if own && !certificate.exists() {
        make(site, &certificate, &key)
            .map_err(|error| Unfit::new(format!("{} cannot be made: {error}", certificate.display())))?;
    }
    read(&certificate, &key, own)
}

/// Reads what is to be shown and makes nothing.
///
/// # Errors
/// A file cannot be read, or certificate and key do not belong together.
pub fn read(certificate: &Path, key: &Path, own: bool) -> Result<Shown, Unfit> {
    let chain = certificates(certificate)?;
    let first = chain.first().ok_or_else(|| Unfit::new(format!("{}: it is empty", certificate.display())))?;
    Ok(Shown {
        badge: Badge::without_tickets(certificate, key)?,
        file: certificate.to_path_buf(),
        fingerprint: fingerprint(first),
        until: term(first).map(|(_, until)| until),
        own,
    })
}

/// Where other OMMs can call this one: by TLS if it listens for that. A listener on all addresses is reached where SIP
/// servers reach this OMM. `None` where nobody listens.
///
/// # Errors
/// What would be shown there cannot be read or made.
pub fn door(site: &Site) -> Result<Option<Door>, Unfit> {
    let Some(axi) = &site.axi else { return Ok(None) };
    let Some(at) = axi.listen.or(axi.listen_plain) else { return Ok(None) };
    let host = if at.ip().is_unspecified() { contact_host(site).to_owned() } else { host(at) };
    let fingerprint = axi.listen.map(|_| show(site)).transpose()?.map(|shown| shown.fingerprint);
    Ok(Some(Door { address: format!("{host}:{}", at.port()).into(), fingerprint }))
}

/// As it stands in front of a port.
fn host(at: SocketAddr) -> String {
    if at.is_ipv6() { format!("[{}]", at.ip()) } else { at.ip().to_string() }
}

/// The host at which SIP servers reach this OMM.
fn contact_host(site: &Site) -> &str {
    let contact = site.sip.contact.as_str();
    match Host::parse_with_port(contact) {
        Ok((_, Some(_))) => contact.rsplit_once(':').map_or(contact, |(host, _)| host),
        Ok((_, None)) | Err(_) => contact,
    }
}

/// ring's key, for rcgen.
struct OwnKey(EcdsaKeyPair);

impl PublicKeyData for OwnKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for OwnKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signed = self.0.sign(&SystemRandom::new(), message);
        signed.map(|signature| signature.as_ref().to_vec()).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// Makes the key first: a certificate is only there together with its key.
fn make(site: &Site, certificate: &Path, key: &Path) -> io::Result<()> {
    let chance = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &chance)
        .map_err(|_| io::Error::other("no key could be drawn"))?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &chance)
        .map_err(|_| io::Error::other("the key drawn cannot be used"))?;
    let mut serial = [0; 16];
    chance.fill(&mut serial).map_err(|_| io::Error::other("no random numbers"))?;
    let mut params = CertificateParams::new(names(site)).map_err(io::Error::other)?;
    params.subject_alt_names.extend(addresses(site).into_iter().map(SanType::IpAddress));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("homing {}", site.name));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    // Whoever pins it does not look at its dates: one that ran out would only break links one day. Ours.
    (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2055, 1, 1));
    let made = params.self_signed(&OwnKey(pair)).map_err(io::Error::other)?;
    fs::create_dir_all(&site.data_dir)?;
    write(key, pem::encode(&pem::Pem::new("PRIVATE KEY", pkcs8.as_ref())).as_bytes())?;
    write(certificate, made.pem().as_bytes())
}

/// A whole file or none, readable by its owner alone.
pub(super) fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let draft = file.with_extension("new");
    let mut open = OpenOptions::new();
    open.write(true).create(true).truncate(true).mode(SECRET_MODE);
    let mut to = open.open(&draft)?;
    to.write_all(text)?;
    to.sync_all()?;
    fs::rename(&draft, file)
}

/// The names by which applications may ask for this OMM.
pub(super) fn names(site: &Site) -> Vec<String> {
    vec![site.name.clone(), "localhost".into()]
}

/// The addresses by which they may.
pub(super) fn addresses(site: &Site) -> Vec<std::net::IpAddr> {
    let own = site.axi.as_ref().and_then(|axi| axi.listen).map(|listen| listen.ip());
    let contact = contact_host(site).trim_matches(['[', ']']).parse().ok();
    let mut found = vec![std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()];
    for address in own.into_iter().chain(contact) {
        if !address.is_unspecified() && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}
