//! The text of challenges and answers: `Digest name=value, name="quoted value", ...`.

use std::borrow::Cow;

use super::{Algorithm, Qop};

/// Most parameters read of one header; RFC 7616 knows eleven, the rest is room for extensions (ours).
const PARAMETERS_MAX: usize = 32;
/// Most that a header has without extensions (RFC 7616 3.4).
const PARAMETERS_USUAL: usize = 11;

/// The parameters of a `Digest` header value, in order, quotes and escapes removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Parameters<'a> {
    /// Reads a header value of scheme `Digest`. `None` for another scheme (never Basic, RFC 8760 2.6) or for text
    /// that does not parse.
    pub fn of_digest(value: &'a str) -> Option<Parameters<'a>> {
        let value = value.trim();
        let (scheme, rest) = value.split_once([' ', '\t', '\r', '\n'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        Parameters::read(rest)
    }

    /// Reads a bare parameter list, as in Authentication-Info.
    pub fn read(text: &'a str) -> Option<Parameters<'a>> {
        let mut all: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(PARAMETERS_USUAL);
        let mut rest = text.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        while !rest.is_empty() {
            if all.len() == PARAMETERS_MAX {
                return None;
            }
            let (name, after) = rest.split_once('=')?;
            let (value, after) = take_value(after.trim_start())?;
            let name = lower(name.trim());
            // A parameter that is given twice could be read differently by another reader: refuse it.
            if name.is_empty() || all.iter().any(|(known, _)| *known == name) {
                return None;
            }
            all.push((name, value));
            let after = after.trim_start();
            if !after.is_empty() && !after.starts_with(',') {
                return None;
            }
            rest = after.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        }
        Some(Parameters(all))
    }

    /// The value of `name` (lower case), if given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

/// A token or a quoted string off the front, and what follows it. Copied only where escapes have to go.
fn take_value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(',').unwrap_or(text.len()));
        return Some((Cow::Borrowed(value.trim_end()), rest));
    };
    let end = quoted.find(['"', '\\'])?;
    if quoted.as_bytes().get(end) == Some(&b'"') {
        return Some((Cow::Borrowed(quoted.get(..end)?), quoted.get(end + 1..)?));
    }
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((Cow::Owned(value), quoted.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            plain => value.push(plain),
        }
    }
    None
}

/// `text` as a quoted string, for a header that we write. Line ends, which would start a new header, are left out.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quote_into(&mut quoted, text);
    quoted
}

/// The same, appended to `quoted`.
pub fn quote_into(quoted: &mut String, text: &str) {
    quoted.push('"');
    if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | b'\0')) {
        for letter in text.chars() {
            match letter {
                '"' | '\\' => quoted.extend(['\\', letter]),
                '\r' | '\n' | '\0' => {}
                plain => quoted.push(plain),
            }
        }
    } else {
        quoted.push_str(text);
    }
    quoted.push('"');
}

/// A challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The protection space.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be returned unchanged.
    pub opaque: Option<String>,
    /// The algorithm, and whether the server named it (only then it is echoed).
    pub algorithm: Algorithm,
    /// Whether the header named the algorithm.
    pub named: bool,
    /// What to protect; `None` for a server that offers no qop (RFC 2069).
    pub qop: Option<Qop>,
    /// The nonce of the last answer was too old, its password was right.
    pub stale: bool,
}

impl Challenge {
    /// Reads a WWW-Authenticate or Proxy-Authenticate value. `None` when we cannot answer it: another scheme, an
    /// unknown algorithm, only unknown qop values, realm or nonce missing (RFC 8760 2.4: ignore it).
    pub fn read(value: &str) -> Option<Challenge> {
        let given = Parameters::of_digest(value)?;
        let named = given.get("algorithm");
        let qop = match given.get("qop") {
            None => None,
            // `auth` is enough for a REGISTER, whose meaning stands in its headers, and it costs less.
            Some(offer) => {
                let known: Vec<Qop> = offer.split(',').filter_map(|token| Qop::read(token.trim())).collect();
                Some(if known.contains(&Qop::Auth) { Qop::Auth } else { *known.first()? })
            }
        };
        Some(Challenge {
            realm: given.get("realm")?.to_owned(),
            nonce: given.get("nonce")?.to_owned(),
            opaque: given.get("opaque").map(str::to_owned),
            algorithm: match named {
                Some(token) => Algorithm::read(token)?,
                None => Algorithm::MD5,
            },
            named: named.is_some(),
            qop,
            stale: given.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escapes_commas_and_blanks_are_read() {
        let given =
            Parameters::of_digest("digest  realm=\"a \\\"b\\\", c\" ,nonce=xyz,, qop = \"auth, auth-int\"")
                .unwrap();
        assert_eq!(given.get("realm"), Some("a \"b\", c"));
        assert_eq!(given.get("nonce"), Some("xyz"));
        assert_eq!(given.get("qop"), Some("auth, auth-int"));
        assert_eq!(quote("a \"b\", c\r\nX: y"), "\"a \\\"b\\\", cX: y\"");
    }

    #[test]
    fn what_we_cannot_answer_is_no_challenge() {
        for value in [
            "Basic realm=\"x\"",
            "Digest",
            "Digest realm=\"x\"",
            "Digest realm=\"x\", nonce=\"unclosed",
            "Digest realm=\"x\", nonce=\"ends in a backslash\\",
            "Digest realm=\"x\", nonce=\"n\" junk",
            "Digest realm=\"x\", nonce=\"n\", nonce=\"m\"",
            "Digest realm=\"x\", nonce=\"n\", algorithm=SHA-1",
            "Digest realm=\"x\", nonce=\"n\", algorithm=sess",
            "Digest realm=\"x\", nonce=\"n\", qop=\"token\"",
            "Digest realm=\"x\", nonce=\"n\", qop=\"\"",
        ] {
            assert_eq!(Challenge::read(value), None, "{value}");
        }
    }

    #[test]
    fn the_defaults_are_md5_without_qop() {
        let challenge = Challenge::read("Digest realm=\"x\",nonce=\"n\"").unwrap();
        assert_eq!((challenge.algorithm, challenge.named, challenge.qop), (Algorithm::MD5, false, None));
        assert!(!challenge.stale);
    }

    #[test]
    fn auth_is_preferred_and_auth_int_taken_when_nothing_else_is_offered() {
        let qop = |offer: &str| {
            Challenge::read(&format!("Digest realm=\"x\", nonce=\"n\", algorithm=md5-SESS, qop={offer}"))
                .unwrap()
                .qop
        };
        assert_eq!(qop("\"auth-int,auth\""), Some(Qop::Auth));
        assert_eq!(qop("\"new, auth-int\""), Some(Qop::AuthInt));
        assert_eq!(qop("auth"), Some(Qop::Auth));
    }
}
