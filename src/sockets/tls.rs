//! TLS for SIP: whom to believe, and what to show (RFC 5922, RFC 3261 26.3). What AXI needs besides is in `peer/tls`.
//!
//! A server's certificate must lead to a known authority, be in its time, and carry the domain that was asked for, not
//! the name where the DNS led: whoever can change an SRV record must not become the server. A SIP URI among its names
//! (`URI:sip:example.com`) counts alone; otherwise a DNS name does. Wildcards do not count (RFC 5922 7.2). The common
//! name is not looked at (ours: authorities have not issued such certificates for years).

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream as Outgoing;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{
    WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::server::TlsStream as Incoming;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use webpki::EndEntityCert;

pub mod term;

/// Where systems keep the authorities that their administrator believes: Debian, Fedora, SUSE, Alpine.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whom to believe.
#[derive(Clone)]
pub struct Trust(Arc<RootCertStore>);

/// What to show to those who connect.
#[derive(Clone)]
pub struct Badge(TlsAcceptor);

/// Why a file does not serve.
#[derive(Debug)]
pub struct Unfit(String);

impl Unfit {
    pub(crate) fn new(why: impl Into<String>) -> Unfit {
        Unfit(why.into())
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every certificate in a file (PEM); at least one.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Unfit> {
    let unfit = |error: &dyn fmt::Display| Unfit(format!("{}: {error}", file.display()));
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unfit(&error))?;
    let found: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| unfit(&error))?;
    if found.is_empty() { Err(unfit(&"there is no certificate in it")) } else { Ok(found) }
}

impl Trust {
    /// Believes the authorities in `file`; without one, those that the system believes.
    ///
    /// # Errors
    /// There is no such file, or no authority in it.
    pub fn read(file: Option<&Path>) -> Result<Trust, Unfit> {
        let usual = || BUNDLES.iter().map(PathBuf::from).find(|file| file.exists());
        let file = file.map(Path::to_path_buf).or_else(usual).ok_or_else(|| {
            Unfit(format!("none of {} is there; name your authority's file as [sip] ca", BUNDLES.join(", ")))
        })?;
        let mut roots = RootCertStore::empty();
        let (known, _) = roots.add_parsable_certificates(certificates(&file)?);
        if known == 0 {
            return Err(Unfit(format!("{}: no authority in it can be used", file.display())));
        }
        Ok(Trust(Arc::new(roots)))
    }

    /// A check by the rules of the web: an authority, the time, the name or address that was asked for.
    pub(crate) fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, Unfit> {
        WebPkiServerVerifier::builder_with_provider(self.0.clone(), provider)
            .build()
            .map_err(|error| Unfit(error.to_string()))
    }

    /// Speaks TLS on a connection that stands, with whoever proves to be all of `names`.
    ///
    /// # Errors
    /// The connection broke, or the other side is not who it should be.
    pub async fn greet(&self, stream: TcpStream, names: &[Arc<str>]) -> io::Result<Outgoing<TcpStream>> {
        let Some(first) = names.first() else { return Err(io::Error::other("nobody was asked for")) };
        let name = ServerName::try_from(first.to_string()).map_err(io::Error::other)?;
        let provider = Arc::new(ring::default_provider());
        let check =
            Arc::new(Check { roots: self.0.clone(), names: names.to_vec(), provider: provider.clone() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(check)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

impl Badge {
    /// The certificate, with whatever leads to its authority, and its key; both PEM.
    ///
    /// # Errors
    /// A file cannot be read, or they do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Badge, Unfit> {
        Ok(Badge(TlsAcceptor::from(Arc::new(server(certificate, key)?))))
    }

    /// The same for AXI: without session tickets, which leave a client family waiting for ever (axi 1.1).
    ///
    /// # Errors
    /// A file cannot be read, or they do not belong together.
    pub fn without_tickets(certificate: &Path, key: &Path) -> Result<Badge, Unfit> {
        let mut config = server(certificate, key)?;
        config.send_tls13_tickets = 0;
        Ok(Badge(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) async fn receive(&self, stream: TcpStream) -> io::Result<Incoming<TcpStream>> {
        self.0.accept(stream).await
    }
}

fn server(certificate: &Path, key: &Path) -> Result<ServerConfig, Unfit> {
    let chain = certificates(certificate)?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| Unfit(format!("{}: {error}", key.display())))?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| Unfit(format!("{}: {error}", certificate.display())))
}

/// Whether an error means that the other side is not who it should be, or does not speak TLS at all.
pub(crate) fn is_distrust(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Error>())
}

/// Checks a server's certificate as RFC 5922 wants it.
struct Check {
    roots: Arc<RootCertStore>,
    names: Vec<Arc<str>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("names", &self.names).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        for name in &self.names {
            if !is_for(end_entity, &parsed, name)? {
                return Err(Error::General(format!("its certificate is not for {name}")));
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether the certificate is one of the domain or address `name` (RFC 5922 7.1, 7.2).
fn is_for(der: &CertificateDer<'_>, parsed: &ParsedCertificate<'_>, name: &str) -> Result<bool, Error> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(verify_server_name(parsed, &ServerName::IpAddress(ip.into())).is_ok());
    }
    let certificate =
        EndEntityCert::try_from(der).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let mut domains = certificate.valid_uri_names().filter_map(sip_domain).peekable();
    let name = name.trim_end_matches('.');
    if domains.peek().is_some() {
        return Ok(domains.any(|domain| domain.eq_ignore_ascii_case(name)));
    }
    // A wildcard equals no name that anybody asks for.
    Ok(certificate.valid_dns_names().any(|domain| domain.eq_ignore_ascii_case(name)))
}

/// The domain of `sip:example.com`; a URI with a user names a user, not a domain (RFC 5922 7.1).
fn sip_domain(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_domain = scheme.eq_ignore_ascii_case("sip") && !rest.contains(['@', ':', ';', '?']);
    is_domain.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sip_uri_without_a_user_names_a_domain() {
        assert_eq!(sip_domain("sip:example.com"), Some("example.com"));
        assert_eq!(sip_domain("SIP:Example.com"), Some("Example.com"));
        for other in ["sip:anna@example.com", "https://example.com", "sip:example.com:5061", "example.com"] {
            assert_eq!(sip_domain(other), None, "{other}");
        }
    }

    #[test]
    fn a_file_that_does_not_serve_is_told_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").expect("a file");
        for file in [empty, folder.path().join("absent.pem")] {
            let why = Trust::read(Some(&file)).err().map(|unfit| unfit.to_string()).unwrap_or_default();
            assert!(why.starts_with(&file.display().to_string()), "{why}");
            assert!(Badge::read(&file, &file).is_err());
        }
    }
}
