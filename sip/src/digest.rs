//! Digest access authentication as SIP uses it (RFC 7616, RFC 8760, RFC 3261 section 22).
//!
//! - [`challenge`]: what a server asks for and what a client answers, as text.
//! - [`client`]: one user's credentials: which challenge to answer, when a rejection is final (S-27).
//! - [`server`]: nonces, replay counting, and the check of an answer.
//!
//! This file holds the arithmetic: three hash functions, each plain or with a session key.

pub mod challenge;
pub mod client;
pub mod server;

use std::fmt;

use machine::secret::Secret;
use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};

/// A hash function of the IANA registry "Hash Algorithms for HTTP Digest Authentication".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Hash {
    /// MD5: broken, but the only one that old peers know.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256, written `SHA-512-256`.
    Sha512To256,
}

/// A value of the `algorithm` parameter that we can compute.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// The `-sess` variant: A1 also covers nonce and cnonce.
    pub session: bool,
}

impl Algorithm {
    /// Plain MD5, which is also meant when no algorithm is named (RFC 7616 3.3).
    pub const MD5: Algorithm = Algorithm { hash: Hash::Md5, session: false };
    /// Plain SHA-256.
    pub const SHA_256: Algorithm = Algorithm { hash: Hash::Sha256, session: false };
    /// Plain SHA-512/256.
    pub const SHA_512_256: Algorithm = Algorithm { hash: Hash::Sha512To256, session: false };

    /// Reads the token, ignoring case; `None` for one that we do not know, which is then ignored (RFC 8760 2.4).
    pub fn read(token: &str) -> Option<Algorithm> {
        const SESSION: &str = "-sess";
        let cut = token.len().saturating_sub(SESSION.len());
        let (name, session) = match (token.get(..cut), token.get(cut..)) {
            (Some(name), Some(tail)) if tail.eq_ignore_ascii_case(SESSION) => (name, true),
            _ => (token, false),
        };
        let hash = [Hash::Md5, Hash::Sha256, Hash::Sha512To256];
        let hash = hash.into_iter().find(|hash| hash.token().eq_ignore_ascii_case(name))?;
        Some(Algorithm { hash, session })
    }
}

impl fmt::Display for Algorithm {
    /// The token as it goes onto the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.token())?;
        if self.session { f.write_str("-sess") } else { Ok(()) }
    }
}

impl Hash {
    fn token(self) -> &'static str {
        match self {
            Hash::Md5 => "MD5",
            Hash::Sha256 => "SHA-256",
            Hash::Sha512To256 => "SHA-512-256",
        }
    }

    /// The hash of the parts joined with `:`, in lower-case hexadecimal.
    pub fn hex(self, parts: &[&[u8]]) -> String {
        match self {
            Hash::Md5 => hex_of::<Md5>(parts),
            Hash::Sha256 => hex_of::<Sha256>(parts),
            Hash::Sha512To256 => hex_of::<Sha512_256>(parts),
        }
    }
}

fn hex_of<D: Digest>(parts: &[&[u8]]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hash = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    let sum = hash.finalize();
    let mut text = String::with_capacity(sum.len() * 2);
    for byte in sum.iter() {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Quality of protection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Qop {
    /// The request line is protected.
    Auth,
    /// The request line and the body are protected.
    AuthInt,
}

impl Qop {
    /// The token as it goes onto the wire.
    pub fn token(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }

    /// Reads one token, ignoring case.
    pub fn read(token: &str) -> Option<Qop> {
        [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| qop.token().eq_ignore_ascii_case(token))
    }
}

/// The parts of a request that a digest covers.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, as in the request line.
    pub method: &'a str,
    /// The Request-URI (RFC 8760 2.6, bullet 3).
    pub uri: &'a str,
    /// The body, empty when there is none.
    pub body: &'a [u8],
}

/// H(A1): what stands for the password (RFC 7616 3.4.2). As secret as the password itself.
pub fn key(
    algorithm: Algorithm,
    (username, realm, password): (&str, &str, &Secret),
    nonce: &str,
    cnonce: &str,
) -> Secret {
    let parts: [&[u8]; 3] = [username.as_bytes(), realm.as_bytes(), password.reveal().as_bytes()];
    let base = algorithm.hash.hex(&parts);
    if !algorithm.session {
        return Secret::new(base);
    }
    Secret::new(algorithm.hash.hex(&[base.as_bytes(), nonce.as_bytes(), cnonce.as_bytes()]))
}

/// The `response` value (RFC 7616 3.4.1). `turn` is qop, nc as eight digits and cnonce; `None` computes the form
/// without qop that RFC 2069 peers still use.
pub fn response(
    hash: Hash,
    key: &Secret,
    nonce: &str,
    turn: Option<(Qop, &str, &str)>,
    request: &Request<'_>,
) -> String {
    let (method, uri) = (request.method.as_bytes(), request.uri.as_bytes());
    let key = key.reveal().as_bytes();
    let Some((qop, nc, cnonce)) = turn else {
        let what = hash.hex(&[method, uri]);
        return hash.hex(&[key, nonce.as_bytes(), what.as_bytes()]);
    };
    let what = match qop {
        Qop::Auth => hash.hex(&[method, uri]),
        Qop::AuthInt => {
            let body = hash.hex(&[request.body]);
            hash.hex(&[method, uri, body.as_bytes()])
        }
    };
    let parts = [nonce, nc, cnonce, qop.token(), &what].map(str::as_bytes);
    let [nonce, nc, cnonce, qop, what] = parts;
    hash.hex(&[key, nonce, nc, cnonce, qop, what])
}

#[cfg(test)]
mod tests;
