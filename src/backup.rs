//! A backup: all records of the directory in one file, stamps and deletions included, its secrets under a passphrase.
//!
//! ```text
//! {"homing-backup":1,"site":"hub","taken":1790000000000,"secrets":"sealed","salt":"..","nonce":".."}   first line
//! Base64 of ChaCha20-Poly1305 of the records, the first line as further data                          sealed
//! <user id=".." ../> <pp ../> <ppProfile ../> <sari ../>, one a line ([`axi::sync`])                  without secrets
//! ```
//!
//! The key is PBKDF2-HMAC-SHA256 of the passphrase: `ring` has it, so that it needs no further crate.

use std::num::NonZeroU32;

use axi::element::Element;
use axi::sync::{read_piece, write_piece};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use machine::secret::Secret;
use omm::directory::piece::Piece;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2;
use serde_json::{Value, json};

use crate::entropy;

/// The form that is written and read.
const VERSION: u64 = 1;
/// How often a guess has to be hashed: what OWASP recommends for PBKDF2-HMAC-SHA256 (2023).
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
const SALT_LEN: usize = 16;
const KEY_LEN: usize = 32;

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The site at which it was taken.
    pub site: String,
    /// When, in milliseconds since 1970.
    pub taken: u64,
    /// The records, each as an element of the link.
    pub records: Vec<String>,
}

/// The records as elements; the secrets of users and handsets only when asked for.
pub fn records(pieces: impl Iterator<Item = Piece>, secrets: bool) -> Vec<String> {
    let written = |piece: Piece| {
        let element = write_piece(&piece);
        let bare = |(name, _): &(&str, &str)| secrets || !is_secret(name);
        let mut kept = Element::new(element.name().to_owned());
        for (name, value) in element.attributes().filter(bare) {
            kept.set(name.to_owned(), value.to_owned());
        }
        kept.to_string()
    };
    pieces.map(written).collect()
}

fn is_secret(name: &str) -> bool {
    ["sipPw", "pin", "ac", "uak"].contains(&name) || name.starts_with("hmSecret-")
}

/// Reads what [`records`] writes.
///
/// # Errors
/// Which record is none, from 1.
pub fn pieces<'r>(records: impl Iterator<Item = &'r str>) -> Result<Vec<Piece>, String> {
    let read = |(place, record): (usize, &str)| {
        let told = |why: String| {
            format!("record {place} of the backup cannot be read: {why}; is it from a later version?")
        };
        let element = Element::read(record.as_bytes()).map_err(|bad| told(bad.to_string()))?;
        let piece = read_piece(&element).map_err(|bad| told(bad.why.to_string()))?;
        piece.ok_or_else(|| told(format!("<{}> is not known", element.name())))
    };
    (1..).zip(records).map(read).collect()
}

impl Backup {
    /// The file: sealed when there is a passphrase; without one `records` are to hold no secrets.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn write(&self, passphrase: Option<&Secret>) -> Result<String, String> {
        let mut head =
            json!({"homing-backup": VERSION, "site": self.site, "taken": self.taken, "secrets": "none"});
        let body = self.records.join("\n");
        let Some(passphrase) = passphrase else { return Ok(format!("{head}\n{body}\n")) };
        let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
        let chance = entropy::fill(&mut salt).and_then(|()| entropy::fill(&mut nonce));
        let key = chance.and_then(|()| key(passphrase, &salt)).ok_or("the system gives no random numbers")?;
        head["secrets"] = "sealed".into();
        head["salt"] = STANDARD.encode(salt).into();
        head["nonce"] = STANDARD.encode(nonce).into();
        let (head, mut body) = (head.to_string(), body.into_bytes());
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(head.as_bytes()),
            &mut body,
        )
        .map_err(|_| "the directory is too large to be sealed")?;
        Ok(format!("{head}\n{}\n", STANDARD.encode(body)))
    }

    /// Whether a passphrase is needed to read this file.
    pub fn is_sealed(text: &str) -> bool {
        head(text).is_ok_and(|(_, head, _)| head["secrets"] == "sealed")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A sentence that says what was read and what to do.
    pub fn read(text: &str, passphrase: Option<&Secret>) -> Result<Backup, String> {
        let (line, head, body) = head(text)?;
        let opened = match head["secrets"].as_str() {
            Some("none") => body.to_owned(),
            Some("sealed") => {
                let passphrase =
                    passphrase.ok_or("it is sealed: the passphrase is needed with which it was written")?;
                open(line, &head, body, passphrase)?
            }
            Some(_) | None => return Err("line 1: \"secrets\" is neither \"none\" nor \"sealed\"".into()),
        };
        let taken = head["taken"].as_u64().ok_or("line 1: \"taken\" is no number of milliseconds")?;
        let records = opened.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Ok(Backup { site: head["site"].as_str().unwrap_or_default().to_owned(), taken, records })
    }
}

fn head(text: &str) -> Result<(&str, Value, &str), String> {
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    let head: Value = serde_json::from_str(line).unwrap_or_default();
    match head["homing-backup"].as_u64() {
        Some(VERSION) => Ok((line, head, body)),
        Some(other) => Err(format!("line 1: version {other} of backups; this homing reads {VERSION}")),
        None => Err("line 1: expected {\"homing-backup\":1,..}; is this a file of `homing backup`?".into()),
    }
}

fn open(line: &str, head: &Value, body: &str, passphrase: &Secret) -> Result<String, String> {
    let bytes = |text: Option<&str>| STANDARD.decode(text.unwrap_or_default().trim()).ok();
    let opened = || {
        let nonce: [u8; NONCE_LEN] = bytes(head["nonce"].as_str())?.try_into().ok()?;
        let key = key(passphrase, &bytes(head["salt"].as_str())?)?;
        let mut body = bytes(Some(body))?;
        let clear = key
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(line.as_bytes()), &mut body)
            .ok()?;
        String::from_utf8(clear.to_vec()).ok()
    };
    opened().ok_or_else(|| "it does not open: the passphrase is another one, or the file is damaged".into())
}

fn key(passphrase: &Secret, salt: &[u8]) -> Option<LessSafeKey> {
    let mut bytes = [0; KEY_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, passphrase.reveal().as_bytes(), &mut bytes);
    UnboundKey::new(&CHACHA20_POLY1305, &bytes).ok().map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use omm::directory::Directory;
    use omm::directory::edit::{Edit, NewUser};
    use omm::ids::Number;
    use omm::platform::Platform;
    use omm::stamp::{OmmId, Stamp};

    use super::*;

    fn sample() -> Directory {
        let mut directory = Directory::new(Platform::Pc);
        for (ms, number) in [(1, "100"), (2, "101")] {
            let new = NewUser::new(Number::new(number).expect("a number"), Secret::new("geheim"));
            let stamp = Stamp { ms: 1 << 41 | ms, ctr: 0, omm: OmmId::new(7) };
            directory.edit(stamp, Edit::CreateUser(Box::new(new))).expect("a user");
        }
        let first = directory.users().next().expect("a user").uid;
        directory
            .edit(Stamp { ms: 1 << 42, ctr: 0, omm: OmmId::new(7) }, Edit::DeleteUser(first))
            .expect("gone");
        directory
    }

    fn backup(secrets: bool) -> Backup {
        Backup { site: "hub".into(), taken: 42, records: records(sample().pieces(), secrets) }
    }

    #[test]
    fn a_sealed_backup_is_read_with_its_passphrase_alone_and_nothing_of_it_without() {
        let (right, wrong) = (Secret::new("correct horse"), Secret::new("wrong"));
        let text = backup(true).write(Some(&right)).expect("a file");
        assert!(!text.contains("geheim") && !text.contains("<user") && Backup::is_sealed(&text));
        assert_eq!(Backup::read(&text, Some(&right)), Ok(backup(true)));
        assert!(Backup::read(&text, None).is_err_and(|why| why.contains("passphrase is needed")));
        assert!(Backup::read(&text, Some(&wrong)).is_err_and(|why| why.contains("does not open")));
        let older = text.replacen("\"taken\":42", "\"taken\":41", 1);
        assert!(Backup::read(&older, Some(&right)).is_err(), "the first line is sealed too");
        let Backup { records, .. } = Backup::read(&text, Some(&right)).expect("a backup");
        let pieces = pieces(records.iter().map(String::as_str)).expect("records");
        let mut other = Directory::new(Platform::Pc);
        other.merge(pieces);
        assert_eq!(other.digest(), sample().digest(), "stamps, secrets and deletions");
    }

    #[test]
    fn without_a_passphrase_there_are_no_secrets_in_it() {
        let text = backup(false).write(None).expect("a file");
        assert!(!text.contains("geheim") && text.contains("num=\"101\"") && !Backup::is_sealed(&text));
        assert_eq!(Backup::read(&text, None), Ok(backup(false)));
    }

    #[test]
    fn what_is_no_backup_says_so() {
        for (text, why) in [
            ("", "is this a file of"),
            ("<user/>", "is this a file of"),
            ("{\"homing-backup\":2}\n", "version 2 of backups"),
            ("{\"homing-backup\":1,\"secrets\":\"none\"}\n", "no number of milliseconds"),
        ] {
            assert!(Backup::read(text, None).is_err_and(|told| told.contains(why)), "{text}");
        }
        assert!(pieces(["<user/>"].into_iter()).is_err_and(|why| why.starts_with("record 1 ")));
    }
}
