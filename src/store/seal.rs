//! Secrets at rest: what the store keeps of users, handsets and settings is sealed, by a key in a file beside it.
//!
//! ```text
//! commit: record/.. -> [F5 'S' 1 | nonce 12 | ChaCha20-Poly1305(value, key name as further data)] -> engine
//! load:   F5 ..     -> opened;  anything else -> as it is, written by an older version
//! ```
//!
//! Whoever gets hold of a disk, a copy of the data folder without the key, or a damaged file that is sent to somebody for
//! help, reads no passwords. Whoever may read the key file reads them: the OMM has to, without a person at its start.
//! A value cannot be moved to another key of the store, because its key is a part of what is sealed.

use std::fs::{self, OpenOptions};
use std::future::{Future, ready};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;

use actors::store::{Pair, Store, StoreFault, Write};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::entropy;

/// The key, in the data folder: 64 hexadecimal digits, for its owner alone.
const FILE: &str = "store.key";
/// What is sealed: whatever may hold a password.
const SEALED: &[&[u8]] = &[b"record/", b"axi/"];
/// How a sealed value begins; the last byte is the version. No value that is text begins so: F5 is in no UTF-8.
const MARK: [u8; 3] = [0xf5, b'S', 1];
/// Bytes of the key.
const KEY_LEN: usize = 32;

/// A store behind which another one keeps everything, sealed.
pub(super) struct Sealed {
    inner: Rc<dyn Store>,
    key: LessSafeKey,
    file: PathBuf,
}

impl Sealed {
    /// The store with the key of this data folder, which is made when there is none and nothing was ever sealed.
    pub(super) fn open(inner: Rc<dyn Store>, dir: &Path) -> Result<Sealed, StoreFault> {
        let file = dir.join(FILE);
        let bytes = match read(&file)? {
            Some(bytes) => bytes,
            None if anything_sealed(inner.as_ref())? => {
                return Err(StoreFault(format!(
                    "{} is missing, with which users and passwords in the store are sealed: put it back from where the data \
                     folder was copied, or begin anew with `homing reinitialise`",
                    file.display()
                )));
            }
            None => make(&file)?,
        };
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes)
            .map_err(|_| StoreFault(format!("{} holds no key", file.display())))?;
        Ok(Sealed { inner, key: LessSafeKey::new(key), file })
    }

    fn seal(&self, key: &[u8], mut value: Vec<u8>) -> Result<Vec<u8>, StoreFault> {
        let mut nonce = [0; NONCE_LEN];
        // 96 bits of chance: among 2^32 values two nonces meet with a chance of 2^-33.
        entropy::fill(&mut nonce).ok_or_else(|| StoreFault("the system gives no random numbers".into()))?;
        let sealed = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(sealed, Aad::from(key), &mut value)
            .map_err(|_| StoreFault("a value is too long to be sealed".into()))?;
        Ok([&MARK[..], &nonce[..], &value[..]].concat())
    }

    fn open_value(&self, key: &[u8], mut value: Vec<u8>) -> Result<Vec<u8>, StoreFault> {
        if !value.starts_with(&MARK) {
            return Ok(value);
        }
        let opened = value.get_mut(MARK.len()..).and_then(|rest| {
            let (nonce, sealed) = rest.split_first_chunk_mut::<NONCE_LEN>()?;
            let nonce = Nonce::assume_unique_for_key(*nonce);
            Some(self.key.open_in_place(nonce, Aad::from(key), sealed).ok()?.to_vec())
        });
        opened.ok_or_else(|| {
            StoreFault(format!(
                "the value of {} was not sealed with the key in {}, or is damaged: put the right key or a copy of the data \
                 folder back",
                String::from_utf8_lossy(key),
                self.file.display()
            ))
        })
    }
}

impl Store for Sealed {
    fn commit(&self, batch: Vec<Write>) -> Pin<Box<dyn Future<Output = Result<(), StoreFault>>>> {
        let sealed = |write| match write {
            Write::Put(key, value) if is_secret(&key) => {
                let value = self.seal(&key, value)?;
                Ok(Write::Put(key, value))
            }
            Write::Put(..) | Write::Delete(_) => Ok(write),
        };
        match batch.into_iter().map(sealed).collect() {
            Ok(batch) => self.inner.commit(batch),
            Err(fault) => Box::pin(ready(Err(fault))),
        }
    }

    fn load(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreFault> {
        let opened = |(key, value): Pair| {
            let value = self.open_value(&key, value)?;
            Ok((key, value))
        };
        self.inner.load(prefix)?.into_iter().map(opened).collect()
    }
}

fn is_secret(key: &[u8]) -> bool {
    SEALED.iter().any(|prefix| key.starts_with(prefix))
}

fn anything_sealed(store: &dyn Store) -> Result<bool, StoreFault> {
    for prefix in SEALED {
        if store.load(prefix)?.iter().any(|(_, value)| value.starts_with(&MARK)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The key in the file; `None` when there is no file.
fn read(file: &Path) -> Result<Option<[u8; KEY_LEN]>, StoreFault> {
    let told = |why: &str| StoreFault(format!("{}: {why}", file.display()));
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(&error.to_string())),
    };
    let mode = fs::metadata(file).map_or(0, |known| known.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(file = %file.display(), "others may read the key of the store; say `chmod 600`");
    }
    let expected = || told("expected 64 hexadecimal digits; put the right file back");
    let (text, mut bytes) = (text.trim(), [0; KEY_LEN]);
    if text.len() != 2 * KEY_LEN || !text.is_ascii() {
        return Err(expected());
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        let digits = text.get(2 * place..2 * place + 2).ok_or_else(expected)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| expected())?;
    }
    Ok(Some(bytes))
}

/// Makes a key. It is on the disk before anything is sealed with it.
fn make(file: &Path) -> Result<[u8; KEY_LEN], StoreFault> {
    let mut bytes = [0; KEY_LEN];
    entropy::fill(&mut bytes).ok_or_else(|| StoreFault("the system gives no random numbers".into()))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // A crash leaves a whole file or none.
    let fresh = file.with_extension("key.new");
    let write = || {
        let mut made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        made.write_all(format!("{text}\n").as_bytes())?;
        made.sync_all()?;
        fs::rename(&fresh, file)?;
        file.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    write().map_err(|error: io::Error| StoreFault(format!("cannot write {}: {error}", file.display())))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{commit, pairs, reopen};
    use crate::store::{ENGINES, Engine, open};

    const PASSWORD: &str = "hunter2-geheim";

    /// An engine with nothing before it.
    fn engine(path: PathBuf) -> Result<super::super::Bare, StoreFault> {
        super::super::Bare::open(path)
    }

    fn each(test: impl Fn(Engine, &Path)) {
        for (_, engine) in ENGINES {
            let dir = tempfile::tempdir().expect("a folder");
            test(*engine, dir.path());
        }
    }

    /// Every file below, one after another.
    fn files(dir: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            bytes.extend(if path.is_dir() { files(&path) } else { fs::read(&path).expect("a file") });
        }
        bytes
    }

    fn holds(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[test]
    fn no_password_can_be_read_in_the_data_folder_and_the_store_still_knows_it() {
        each(|engine, dir| {
            let store = open(engine, dir, "test").expect("a store");
            let written = [
                ("axi/settings", Some(PASSWORD)),
                ("record/user/1", Some(PASSWORD)),
                ("roam/100", Some("no secret, for people to read")),
            ];
            commit(&*store, &written).expect("a commit");
            drop(store);
            let store = reopen(engine, dir);
            let expected = written.map(|(key, value)| format!("{key}={}", value.expect("a value")));
            assert_eq!(pairs(&*store), expected);
            let bytes = files(dir);
            assert!(!holds(&bytes, PASSWORD), "{engine:?}");
            assert!(holds(&bytes, "no secret, for people to read"), "the test looks at the right files");
        });
    }

    #[test]
    fn what_an_older_version_wrote_is_read_and_sealed_when_it_is_written_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let bare = engine(dir.path().join("store.redb")).expect("a store");
        commit(&bare, &[("record/user/1", Some("{\"old\":1}"))]).expect("a commit");
        drop(bare);
        let store = open(Engine::Redb, dir.path(), "test").expect("a store");
        assert_eq!(pairs(&*store), ["record/user/1={\"old\":1}"]);
        commit(&*store, &[("record/user/1", Some("{\"new\":1}"))]).expect("a commit");
        assert_eq!(pairs(&*store), ["record/user/1={\"new\":1}"]);
    }

    #[test]
    fn without_its_key_or_with_another_one_a_store_is_not_opened_and_no_new_key_is_made() {
        each(|engine, dir| {
            let store = open(engine, dir, "test").expect("a store");
            commit(&*store, &[("record/user/1", Some(PASSWORD))]).expect("a commit");
            drop(store);
            let key = fs::read_to_string(dir.join(FILE)).expect("a key");
            let fault = |what: &str| {
                let mut tries = (0..100_000).map(|_| {
                    std::thread::yield_now();
                    open(engine, dir, "test").and_then(|store| store.load(b"")).expect_err(what).0
                });
                tries.find(|fault| !fault.contains("in use")).expect("an answer")
            };
            fs::remove_file(dir.join(FILE)).expect("removed");
            let told = fault("no key");
            assert!(told.contains("store.key is missing"), "{told}");
            assert!(!dir.join(FILE).exists());
            fs::write(dir.join(FILE), key.chars().rev().collect::<String>()).expect("another key");
            let told = fault("another key");
            assert!(told.contains("record/user/1 was not sealed with the key"), "{told}");
            fs::write(dir.join(FILE), "x").expect("no key");
            let told = fault("nonsense");
            assert!(told.contains("expected 64 hexadecimal digits"), "{told}");
            fs::write(dir.join(FILE), key).expect("the key");
            assert_eq!(pairs(&*reopen(engine, dir)), [format!("record/user/1={PASSWORD}")]);
        });
    }

    #[test]
    fn a_sealed_value_opens_only_under_its_own_key_of_the_store_and_undamaged() {
        let dir = tempfile::tempdir().expect("a folder");
        let inner = Rc::new(engine(dir.path().join("store.redb")).expect("a store"));
        let store = Sealed::open(inner, dir.path()).expect("a key");
        let value = store.seal(b"record/a", b"x".to_vec()).expect("sealed");
        assert_ne!(
            Ok(&value),
            store.seal(b"record/a", b"x".to_vec()).as_ref(),
            "each with a nonce of its own"
        );
        assert_eq!(store.open_value(b"record/a", value.clone()), Ok(b"x".to_vec()));
        assert!(store.open_value(b"record/b", value.clone()).is_err());
        for place in MARK.len()..value.len() {
            let mut damaged = value.clone();
            damaged[place] ^= 1;
            assert!(store.open_value(b"record/a", damaged).is_err(), "byte {place}");
            assert!(store.open_value(b"record/a", value[..place].to_vec()).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn the_key_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        drop(open(Engine::Redb, dir.path(), "test").expect("a store"));
        let mode = fs::metadata(dir.path().join(FILE)).expect("a key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
