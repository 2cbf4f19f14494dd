//! The key pair of the AXI server: clients encrypt passwords with it (axi 3: RSA, PKCS#1 v1.5, Base64).
//!
//! The vendor uses it because its passwords may travel in the clear; here they travel in TLS as well, or over a plain
//! listener that somebody has asked for. The pair is made anew at every start and is kept nowhere: clients ask for the
//! public key in every session, and nothing that is kept is encrypted with it.
//!
//! The crate `rsa` decrypts in a time that depends on the key (RUSTSEC-2023-0071, "Marvin"; no release without it).
//! Whoever could use that has to be logged in with the right to write the configuration, sends one request at a time,
//! and would win what it may set anyway: passwords in messages of others, if it could record those behind their TLS.

use std::sync::Arc;

use ::actors::doors::{TellKey, Unseal};
use actix::prelude::*;
use axi::open::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use machine::secret::Secret;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use tokio::task::spawn_blocking;

use crate::entropy;

/// Bits of the key. The vendor's has 512, because its secrets are also in responses, four of them in each of 20 records
/// (axi 3, 4.3); ours are not. "Any size works with the clients (2048 tested)".
const BITS: usize = 2048;

/// The actor that holds the private key.
#[derive(Default)]
pub struct Vault {
    /// `None` until somebody asks for it, and when the system gives no random numbers.
    key: Option<Arc<RsaPrivateKey>>,
}

impl Actor for Vault {
    type Context = Context<Self>;
}

impl Vault {
    /// The key, made when it is asked for first. Whoever asks meanwhile waits: it takes about a second.
    fn key(&self) -> ResponseActFuture<Vault, Option<Arc<RsaPrivateKey>>> {
        if let Some(key) = self.key.clone() {
            return Box::pin(actix::fut::ready(Some(key)));
        }
        let made = spawn_blocking(|| RsaPrivateKey::new(&mut Entropy, BITS));
        Box::pin(made.into_actor(self).map(|made, vault, _| {
            match made {
                Ok(Ok(key)) => vault.key = Some(Arc::new(key)),
                Ok(Err(_)) | Err(_) => tracing::error!("no key could be made; AXI clients cannot log in"),
            }
            vault.key.clone()
        }))
    }
}

impl Handler<TellKey> for Vault {
    type Result = AtomicResponse<Vault, Option<PublicKey>>;

    fn handle(&mut self, _: TellKey, _: &mut Context<Self>) -> Self::Result {
        AtomicResponse::new(Box::pin(self.key().map(|key, _, _| {
            let key = key?;
            let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
            Some(PublicKey { modulus: hex(key.n().to_bytes_be()), exponent: hex(key.e().to_bytes_be()) })
        })))
    }
}

impl Handler<Unseal> for Vault {
    type Result = ResponseFuture<Vec<Option<Secret>>>;

    /// Without a key nobody was told one, so that nothing can be encrypted with it.
    fn handle(&mut self, Unseal(texts): Unseal, _: &mut Context<Self>) -> Self::Result {
        let key = self.key.clone();
        Box::pin(async move {
            let count = texts.len();
            let opened = spawn_blocking(move || {
                texts.iter().map(|text| open(key.as_deref()?, text)).collect::<Vec<_>>()
            });
            opened.await.unwrap_or_else(|_| vec![None; count])
        })
    }
}

/// What is in a cipher text; `None` when it was not made with our public key, or holds no UTF-8.
fn open(key: &RsaPrivateKey, text: &str) -> Option<Secret> {
    let cipher = STANDARD.decode(text).ok()?;
    let clear = key.decrypt_blinded(&mut Entropy, Pkcs1v15Encrypt, &cipher).ok()?;
    String::from_utf8(clear).ok().map(Secret::new)
}

/// Random numbers of the operating system, as the crate wants them.
struct Entropy;

impl CryptoRng for Entropy {}

impl RngCore for Entropy {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Ends the thread when the system has none to give: nothing that is not random may become a key. The service asks
    /// for some before it starts, and the thread is one of [`spawn_blocking`], whose caller hears of it.
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        assert!(entropy::fill(bytes).is_some(), "the system gives no random numbers");
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rsa::RsaPublicKey;

    use super::*;

    /// Smaller than the real one, so that the test is quick.
    fn key() -> RsaPrivateKey {
        RsaPrivateKey::new(&mut Entropy, 512).expect("a key")
    }

    fn seal(key: &RsaPrivateKey, clear: &[u8]) -> String {
        let public = RsaPublicKey::from(key);
        STANDARD.encode(public.encrypt(&mut Entropy, Pkcs1v15Encrypt, clear).expect("a cipher text"))
    }

    #[test]
    fn what_a_client_encrypts_is_opened_and_what_it_does_not_is_refused() {
        let (key, other) = (key(), key());
        let opened = open(&key, &seal(&key, "geheim ü".as_bytes())).expect("a secret");
        assert_eq!(opened.reveal(), "geheim ü");
        for text in ["", "geheim", "AAAA", &seal(&other, b"geheim"), &seal(&key, &[0xff, 0xfe])] {
            assert_eq!(open(&key, text), None, "{text}");
        }
    }

    #[test]
    fn the_public_key_has_an_even_number_of_upper_case_digits() {
        System::new().block_on(async {
            let vault = Vault { key: Some(Arc::new(key())) }.start();
            let told = vault.send(TellKey).await.expect("a vault").expect("a key");
            assert_eq!((told.modulus.len() % 2, told.exponent.as_str()), (0, "010001"));
            assert!(told.modulus.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)));
        });
    }
}
