//! What is known of one attribute of a record: its type, its default, who may write it (axi 2.2, 4.1, 4.2).
//!
//! A value has one spelling here, the one that real clients accept: bools are `0` and `1`, numbers are decimal, words
//! are exact. What a client writes is brought into that spelling or refused; nothing else is ever sent.

use std::borrow::Cow;

use crate::error::{ErrCode, Refused};

/// The longest cipher text of a secret, in characters: RSA with 4096 bits in Base64. Ours.
pub const CIPHER_MAX: u32 = 684;

/// One attribute of a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it can hold.
    pub kind: Kind,
    /// What it holds when nobody has set it; never written on the wire, unless it is shown [`Show::Always`].
    pub default: &'static str,
    /// Who may set it.
    pub access: Access,
    /// Whether its default is written.
    pub show: Show,
}

/// What an attribute can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number within these bounds, both included. Also seconds since 1970 UTC.
    Number(i64, i64),
    /// `0` or `1`.
    Bool,
    /// A text of at most so many characters.
    Text(u32),
    /// Hexadecimal digits, at most so many.
    Hex(u32),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text that is encrypted with the OMM's public key, or plain when the request says so; at most so many
    /// characters when plain.
    Secret(u32),
}

/// Who may set an attribute. What somebody may not set is skipped in a request, not refused: clients send back whole
/// records that they were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The key of the record: it says which one is meant.
    Key,
    /// Whoever may write the configuration.
    Write,
    /// Only sessions with `UserDeviceSyncClient` (axi 6).
    Sync,
    /// Nobody.
    Read,
}

/// When an attribute is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// In every record, because clients read it without asking whether it is there.
    Always,
    /// When it differs from its default (axi 4.3: a response has to stay below 16 kB).
    Set,
    /// As [`Show::Set`], in sessions with `UserDeviceSyncClient` only: the key of a subscription, which such a client
    /// carries to another OMM (axi 4.2: "encrypted UAK").
    Synced,
    /// Never: a secret leaves the OMM by no response. The vendor sends it encrypted with the OMM's own public key,
    /// which nobody but the OMM could read. Ours.
    Never,
}

impl Attribute {
    /// An attribute that whoever may write the configuration may set.
    pub(crate) const fn open(name: &'static str, kind: Kind, default: &'static str) -> Attribute {
        Attribute { name, kind, default, access: Access::Write, show: Show::Set }
    }

    /// An attribute that nobody may set.
    pub(crate) const fn told(name: &'static str, kind: Kind, default: &'static str) -> Attribute {
        Attribute { access: Access::Read, ..Attribute::open(name, kind, default) }
    }

    /// An attribute that only sync clients may set.
    pub(crate) const fn synced(name: &'static str, kind: Kind, default: &'static str) -> Attribute {
        Attribute { access: Access::Sync, ..Attribute::open(name, kind, default) }
    }

    /// An attribute that is never told.
    pub(crate) const fn secret(name: &'static str, max: u32) -> Attribute {
        Attribute { show: Show::Never, ..Attribute::open(name, Kind::Secret(max), "") }
    }

    /// The key of a record.
    pub(crate) const fn key(name: &'static str) -> Attribute {
        Attribute { access: Access::Key, show: Show::Always, ..Attribute::open(name, NUMBER, "0") }
    }

    /// The same attribute, written always.
    pub(crate) const fn always(self) -> Attribute {
        Attribute { show: Show::Always, ..self }
    }

    /// Brings what a client wrote into our spelling.
    ///
    /// # Errors
    /// `ETooLong` with the limit, `EInval`, or `EInvalidChars`; `bad` names the attribute. The value is not quoted.
    pub fn check<'v>(&self, value: &'v str, plain: bool) -> Result<Cow<'v, str>, Refused> {
        match self.kind {
            Kind::Bool => match value {
                "0" | "false" | "False" => Ok("0".into()),
                "1" | "true" | "True" => Ok("1".into()),
                _ => Err(self.invalid("expected 0, 1, true or false")),
            },
            Kind::Number(min, max) => match value.parse::<i64>() {
                Ok(number) if (min..=max).contains(&number) => Ok(number.to_string().into()),
                _ => Err(self.invalid(format!("expected a number between {min} and {max}"))),
            },
            Kind::Text(max) => self.short(value, max),
            Kind::Secret(max) => self.short(value, if plain { max } else { CIPHER_MAX }),
            Kind::Hex(max) => {
                let value = self.short(value, max)?;
                match value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    true => Ok(value.to_ascii_uppercase().into()),
                    false => {
                        Err(Refused { bad: Some(self.name.into()), ..Refused::new(ErrCode::InvalidChars) })
                    }
                }
            }
            Kind::Word(words) => match words.contains(&value) {
                true => Ok(value.into()),
                false => Err(self.invalid(format!("expected {}", words.join(", ")))),
            },
        }
    }

    fn short<'v>(&self, value: &'v str, max: u32) -> Result<Cow<'v, str>, Refused> {
        match value.chars().nth(max as usize) {
            None => Ok(value.into()),
            Some(_) => Err(Refused {
                bad: Some(self.name.into()),
                max_len: Some(max),
                ..Refused::new(ErrCode::TooLong)
            }),
        }
    }

    fn invalid(&self, why: impl Into<String>) -> Refused {
        Refused { bad: Some(self.name.into()), info: Some(why.into()), ..Refused::new(ErrCode::Inval) }
    }
}

/// A number that is not negative.
pub(crate) const NUMBER: Kind = Kind::Number(0, i64::MAX);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, value: &str) -> Result<String, (Option<u32>, String)> {
        let attribute = Attribute::open("x", kind, "");
        attribute.check(value, true).map(Cow::into_owned).map_err(|bad| (bad.max_len, bad.code.to_string()))
    }

    #[test]
    fn what_clients_write_is_brought_into_one_spelling() {
        for (value, expected) in [("True", "1"), ("false", "0"), ("0", "0"), ("1", "1")] {
            assert_eq!(check(Kind::Bool, value), Ok(expected.into()), "{value}");
        }
        assert_eq!(check(NUMBER, "007"), Ok("7".into()));
        assert_eq!(check(Kind::Hex(4), "aF01"), Ok("AF01".into()));
        assert_eq!(check(Kind::Word(&["Off", "All"]), "All"), Ok("All".into()));
    }

    #[test]
    fn anything_else_is_refused_by_the_code_that_says_why() {
        let invalid = |code: &str| Err((None, code.to_owned()));
        assert_eq!(check(Kind::Bool, "yes"), invalid("EInval"));
        for number in ["", "x", "-1", "None", "99999999999999999999"] {
            assert_eq!(check(NUMBER, number), invalid("EInval"), "{number}");
        }
        assert_eq!(check(Kind::Word(&["Off", "All"]), "all"), invalid("EInval"));
        assert_eq!(check(Kind::Hex(4), "12G4"), invalid("EInvalidChars"));
        assert_eq!(check(Kind::Text(3), "größe"), Err((Some(3), "ETooLong".into())));
        assert_eq!(check(Kind::Text(5), "größe"), Ok("größe".into()), "characters count, not bytes");
    }

    #[test]
    fn a_cipher_text_may_be_longer_than_what_it_hides() {
        let pin = Attribute::secret("pin", 8);
        let cipher = "x".repeat(344);
        assert!(pin.check(&cipher, false).is_ok());
        assert_eq!(pin.check(&cipher, true).unwrap_err().max_len, Some(8));
    }
}
