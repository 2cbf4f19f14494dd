//! TLS for AXI (M-2.2.9-a, AMB-17): whom a remote believes to be its central.
//!
//! Three ways, in the order in which they should be wished for: an authority and the name that was dialled; the
//! fingerprint of one certificate, which is what a self-made certificate needs; or, if it is written down, anybody.
//! Whoever is believed has to prove by the handshake that it has the certificate's key, also where anybody will do.

use std::fmt;
use std::io;
use std::sync::Arc;

use omm::link::neighbour::Fingerprint;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::config::link::Belief;
use crate::sockets::tls::term::fingerprint;
use crate::sockets::tls::{Trust, Unfit};

/// Greets a central.
#[derive(Clone)]
pub struct Greeter(Arc<ClientConfig>);

impl Greeter {
    /// One that believes as the site's file says.
    ///
    /// # Errors
    /// The file with the authorities cannot be used.
    pub fn new(belief: &Belief) -> Result<Greeter, Unfit> {
        let provider = Arc::new(ring::default_provider());
        let trust = match belief {
            Belief::System => Some(Trust::read(None)?),
            Belief::Authorities(file) => Some(Trust::read(Some(file))?),
            Belief::Pinned(_) | Belief::Anybody => None,
        };
        let chain = trust.map(|trust| trust.verifier(provider.clone())).transpose()?;
        let pinned = match belief {
            Belief::Pinned(fingerprint) => Some(*fingerprint),
            Belief::System | Belief::Authorities(_) | Belief::Anybody => None,
        };
        let check = Arc::new(Check { chain, pinned, provider: provider.clone() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Unfit::new(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(check)
            .with_no_client_auth();
        Ok(Greeter(Arc::new(config)))
    }

    /// Speaks TLS on a connection that stands, with whoever is believed to be `host`.
    ///
    /// # Errors
    /// The connection broke, or the other side is not who it should be.
    pub(super) async fn greet(&self, stream: TcpStream, host: &str) -> io::Result<TlsStream<TcpStream>> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        TlsConnector::from(self.0.clone()).connect(name, stream).await
    }
}

/// Checks what the central shows.
struct Check {
    /// An authority has to vouch for it.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// It has to be this very certificate; its dates do not matter then.
    pinned: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("pinned", &self.pinned).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = fingerprint(end_entity);
        if let Some(chain) = &self.chain {
            let checked = chain.verify_server_cert(end_entity, intermediates, name, ocsp, now);
            return checked.map_err(|why| Error::General(format!("{why}; its fingerprint is {shown}")));
        }
        match self.pinned {
            Some(pinned) if pinned != shown => {
                Err(Error::General(format!("it shows another certificate, with the fingerprint {shown}")))
            }
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
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
