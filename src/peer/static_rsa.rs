//! TLS for clients that know static RSA key exchange alone, through OpenSSL (feature `openssl`).
//!
//! One client family offers the suite `AES256-GCM-SHA384` and nothing else (axi 1.1), and rustls has no key exchange
//! without forward secrecy. So such clients get a listener of their own, where they are asked for by `listen_static_rsa`:
//! TLS 1.2, no session tickets, and the two suites with an authenticated cipher; those in CBC mode with this key exchange
//! have been broken too often. It needs an RSA certificate: the site's, if it is one, or one of the OMM's own making. Whoever
//! learns its key one day can read what was recorded before, so the key is made for this listener alone.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod, SslOptions, SslSessionCacheMode, SslVersion};
use openssl::x509::extension::{ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::badge::{addresses, files, names, write};
use crate::config::site::Site;
use crate::sockets::tls::Unfit;

/// Suites of TLS 1.2 with static RSA key exchange and an authenticated cipher (RFC 5288 3); the first is what the client
/// family offers (axi 1.1).
const SUITES: &str = "AES256-GCM-SHA384:AES128-GCM-SHA256";
/// Beside the store: the certificate and the key of this OMM's own making.
const OWN: (&str, &str) = ("axi-rsa.pem", "axi-rsa.key");
/// Bits of a key of its own making; what OpenSSL takes for safe today (its security level 2 refuses 1024).
const BITS: u32 = 2048;
/// Whoever does not look at certificates does not look at their dates; the same as those of the other one.
const TERM: (&str, &str) = ("20250101000000Z", "20550101000000Z");
/// X.509 version 3, as its encoding counts.
const V3: i32 = 2;
/// Bits of a serial number: positive in 16 bytes (RFC 5280 4.1.2.2).
const SERIAL_BITS: i32 = 127;

/// What to show to those who connect.
#[derive(Clone)]
pub struct RsaBadge(SslAcceptor);

impl RsaBadge {
    /// The site's certificate if its key is RSA; otherwise one of the OMM's own making, made when it is not there.
    ///
    /// # Errors
    /// A file cannot be read or written, or certificate and key do not belong together.
    pub fn of(site: &Site) -> Result<(RsaBadge, PathBuf), Unfit> {
        let (certificate, key, own) = files(site);
        if !own && is_rsa(&certificate)? {
            return Ok((RsaBadge::read(&certificate, &key)?, certificate));
        }
        let (certificate, key) = (site.data_dir.join(OWN.0), site.data_dir.join(OWN.1));
        if !certificate.exists() {
            make(site, &certificate, &key).map_err(|why| unfit(&certificate, &why))?;
        }
        Ok((RsaBadge::read(&certificate, &key)?, certificate))
    }

    /// The certificate, with whatever leads to its authority, and its key; both PEM.
    ///
    /// # Errors
    /// A file cannot be read, or they do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<RsaBadge, Unfit> {
        let told = |file: &Path| {
            let file = file.to_owned();
            move |why: ErrorStack| unfit(&file, &why)
        };
        let mut acceptor =
            SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).map_err(told(certificate))?;
        acceptor.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(told(certificate))?;
        acceptor.set_max_proto_version(Some(SslVersion::TLS1_2)).map_err(told(certificate))?;
        acceptor.set_cipher_list(SUITES).map_err(told(certificate))?;
        // A ticket in the wrong moment leaves clients waiting for ever (axi 1.1), and a session kept is memory.
        acceptor.set_options(
            SslOptions::NO_TICKET | SslOptions::NO_RENEGOTIATION | SslOptions::CIPHER_SERVER_PREFERENCE,
        );
        acceptor.set_session_cache_mode(SslSessionCacheMode::OFF);
        acceptor.set_certificate_chain_file(certificate).map_err(told(certificate))?;
        acceptor.set_private_key_file(key, SslFiletype::PEM).map_err(told(key))?;
        acceptor.check_private_key().map_err(told(certificate))?;
        Ok(RsaBadge(acceptor.build()))
    }

    pub(super) async fn receive(&self, stream: TcpStream) -> io::Result<SslStream<TcpStream>> {
        let mut stream = SslStream::new(Ssl::new(self.0.context())?, stream)?;
        Pin::new(&mut stream).accept().await.map_err(io::Error::other)?;
        Ok(stream)
    }
}

fn unfit(file: &Path, why: &dyn Display) -> Unfit {
    Unfit::new(format!("{}: {why}", file.display()))
}

/// Whether the first certificate in the file (PEM) is about an RSA key.
fn is_rsa(file: &Path) -> Result<bool, Unfit> {
    let text = fs::read(file).map_err(|why| unfit(file, &why))?;
    let first = X509::from_pem(&text).map_err(|why| unfit(file, &why))?;
    first.public_key().map(|key| key.id() == Id::RSA).map_err(|why| unfit(file, &why))
}

/// Makes the key first: a certificate is only there together with its key.
fn make(site: &Site, certificate: &Path, key: &Path) -> io::Result<()> {
    let pair = PKey::from_rsa(Rsa::generate(BITS)?)?;
    let made = certify(site, &pair)?;
    fs::create_dir_all(&site.data_dir)?;
    write(key, &pair.private_key_to_pem_pkcs8()?)?;
    write(certificate, &made.to_pem()?)
}

/// A certificate by which the key vouches for itself.
fn certify(site: &Site, pair: &PKey<Private>) -> Result<X509, ErrorStack> {
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_text("CN", &format!("homing {}", site.name))?;
    let subject = subject.build();
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    let mut made = X509Builder::new()?;
    made.set_version(V3)?;
    made.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    made.set_subject_name(&subject)?;
    made.set_issuer_name(&subject)?;
    made.set_not_before(Asn1Time::from_str(TERM.0)?.as_ref())?;
    made.set_not_after(Asn1Time::from_str(TERM.1)?.as_ref())?;
    made.set_pubkey(pair)?;
    // What static RSA asks of the key: the client encrypts to it (RFC 5246 7.4.2).
    made.append_extension(KeyUsage::new().digital_signature().key_encipherment().build()?)?;
    made.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let mut also = SubjectAlternativeName::new();
    names(site).iter().for_each(|name| _ = also.dns(name));
    addresses(site).iter().for_each(|address| _ = also.ip(&address.to_string()));
    let also = also.build(&made.x509v3_context(None, None))?;
    made.append_extension(also)?;
    made.sign(pair, MessageDigest::sha256())?;
    Ok(made.build())
}
