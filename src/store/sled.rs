//! The store on sled 0.34, the default. The only file of homing that knows sled.
//!
//! `flush()` of sled 0.34 is not enough: it uses `sync_file_range`, and in simulated power cuts acknowledged writes
//! were lost. So a commit is: one atomic batch, `flush()`, then an fsync of the log file; only then is it told.
//! A power cut can also leave a snapshot file empty, and sled then refuses to open (spacejam/sled#1533); the log
//! holds everything a snapshot does, so bad snapshots are set aside and the log is read from its beginning.
//! And sled takes a log of which it can read nothing for a new one: so the first commit leaves a mark, and a store with the
//! mark and without a record is refused.

use std::fs::{self, File};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use actors::store::{Pair, Store, StoreFault, Write};

use super::in_use;

/// Page cache of sled in bytes; ours: 10,000 users of 3 kB fit.
const CACHE: u64 = 64 * 1024 * 1024;

/// A sled database.
pub(super) struct SledStore {
    shared: Arc<Shared>,
}

struct Shared {
    /// Where sled keeps its files.
    path: PathBuf,
    /// `None` after a failed commit: sled stays broken after an I/O error until it is opened again.
    open: Mutex<Option<Open>>,
}

struct Open {
    db: sled::Db,
    log: File,
    /// The mark is there: somebody was told that a record is safe.
    marked: bool,
}

/// In sled's folder: something was acknowledged once.
const MARK: &str = "acknowledged";

impl SledStore {
    /// Opens the database in the folder `path`, making it when it is not there.
    ///
    /// # Errors
    /// The folder cannot be written, somebody else has the store open, or its log is damaged.
    pub(super) fn open(path: PathBuf) -> Result<SledStore, StoreFault> {
        let open = Open::new(&path)?;
        Ok(SledStore { shared: Arc::new(Shared { path, open: Mutex::new(Some(open)) }) })
    }
}

/// Beside sled's folder: snapshots that could not be read.
const ASIDE: &str = "set-aside";

impl Store for SledStore {
    fn commit(&self, batch: Vec<Write>) -> Pin<Box<dyn Future<Output = Result<(), StoreFault>>>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            // The disk may take its time; the actors' thread must not.
            let done = tokio::task::spawn_blocking(move || shared.commit(batch));
            done.await.unwrap_or_else(|error| Err(StoreFault(format!("the commit fell over: {error}"))))
        })
    }

    fn load(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreFault> {
        self.shared.with(|open| {
            let pair =
                |item: sled::Result<(sled::IVec, sled::IVec)>| item.map(|(k, v)| (k.to_vec(), v.to_vec()));
            open.db.scan_prefix(prefix).map(pair).collect()
        })
    }
}

impl Shared {
    fn commit(&self, batch: Vec<Write>) -> Result<(), StoreFault> {
        let mut sled_batch = sled::Batch::default();
        for write in batch {
            match write {
                Write::Put(key, value) => sled_batch.insert(key, value),
                Write::Delete(key) => sled_batch.remove(key),
            }
        }
        self.with(|open| {
            open.db.apply_batch(sled_batch)?;
            open.db.flush()?;
            open.log.sync_all()?;
            if !open.marked {
                mark(&self.path)?;
                open.marked = true;
            }
            Ok(())
        })
    }

    /// Does `act` with the open database; after an error it is closed, so that the next try opens it anew.
    fn with<T>(&self, act: impl FnOnce(&mut Open) -> sled::Result<T>) -> Result<T, StoreFault> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match slot.take() {
            Some(open) => open,
            None => Open::new(&self.path)?,
        };
        let result = act(&mut open).map_err(|error| fault(&self.path, &error))?;
        *slot = Some(open);
        Ok(result)
    }
}

impl Open {
    fn new(path: &Path) -> Result<Open, StoreFault> {
        let marked = path.join(MARK).exists();
        let db = match try_open(path) {
            Ok(db) if marked && !db.was_recovered() => {
                return Err(StoreFault(format!(
                    "nothing can be read from the store in {}, which held records once: restore a backup, or move the \
                     folder away to begin anew",
                    path.display()
                )));
            }
            Ok(db) => db,
            Err(error) if is_locked(&error) => return Err(in_use(path)),
            Err(error) => {
                if set_aside(path)? == 0 {
                    return Err(fault(path, &error));
                }
                tracing::warn!(store = %path.display(), %error, "set bad snapshots aside; reading the whole log");
                try_open(path).map_err(|error| fault(path, &error))?
            }
        };
        let io = |error| StoreFault(format!("cannot sync the store in {}: {error}", path.display()));
        let log = File::open(path.join("db")).map_err(io)?;
        // A new log file must be found again after a power cut.
        File::open(path).and_then(|dir| dir.sync_all()).map_err(io)?;
        Ok(Open { db, log, marked })
    }
}

/// Leaves the mark, so that a power cut does not take it away.
fn mark(path: &Path) -> sled::Result<()> {
    File::create(path.join(MARK)).and_then(|mark| mark.sync_all())?;
    Ok(File::open(path).and_then(|dir| dir.sync_all())?)
}

/// sled answers some damage with a panic; that is no reason for the service to fall.
fn try_open(path: &Path) -> sled::Result<sled::Db> {
    // No flusher thread: every commit flushes.
    let config = sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
    catch_unwind(AssertUnwindSafe(|| config.open())).unwrap_or_else(|_| {
        Err(sled::Error::ReportableBug("sled fell over while it opened its files".into()))
    })
}

/// sled 0.34 has no error of its own for this.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().contains("could not acquire lock"))
}

/// Moves every `snap.*` beside the store; says how many there were.
fn set_aside(path: &Path) -> Result<usize, StoreFault> {
    let io = |error| StoreFault(format!("cannot set bad snapshots of {} aside: {error}", path.display()));
    let Ok(files) = fs::read_dir(path) else { return Ok(0) };
    let aside = path.with_file_name(ASIDE);
    let mut moved = 0;
    for file in files {
        let name = file.map_err(io)?.file_name();
        if name.to_string_lossy().starts_with("snap.") {
            fs::create_dir_all(&aside).map_err(io)?;
            fs::rename(path.join(&name), aside.join(&name)).map_err(io)?;
            moved += 1;
        }
    }
    Ok(moved)
}

fn fault(path: &Path, error: &sled::Error) -> StoreFault {
    let advice = match error {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => {
            "; its files are damaged: restore a backup, or move the folder away to begin anew"
        }
        sled::Error::CollectionNotFound(_) | sled::Error::Unsupported(_) | sled::Error::Io(_) => "",
    };
    StoreFault(format!("the store in {} failed: {error}{advice}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::{Engine, conformance, open};
    use super::*;

    #[test]
    fn a_store_of_which_nothing_can_be_read_is_no_new_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("store/db");
        let spoil = || {
            let length = fs::metadata(&log).expect("a log").len();
            fs::read_dir(dir.path().join("store"))
                .expect("a folder")
                .filter_map(|file| Some(file.ok()?.path()))
                .filter(|file| {
                    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."))
                })
                .for_each(|file| fs::remove_file(file).expect("a snapshot"));
            fs::write(&log, vec![0; usize::try_from(length).expect("a length")]).expect("zeros");
        };
        // Nobody was told anything yet: a power cut in the first second of a new site.
        drop(open(Engine::Sled, dir.path(), "test").expect("a store"));
        spoil();
        let store = open(Engine::Sled, dir.path(), "test").expect("a store that begins anew");
        conformance::commit(&*store, &[("a", Some("1"))]).expect("a commit");
        drop(store);
        spoil();
        let Err(fault) = open(Engine::Sled, dir.path(), "test") else {
            panic!("everything is lost, and nobody says so")
        };
        assert!(fault.to_string().contains("which held records once"), "{fault}");
    }

    #[test]
    fn an_empty_snapshot_is_set_aside_and_nothing_is_lost() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = open(Engine::Sled, dir.path(), "test").expect("a store");
        conformance::commit(&*store, &[("a", Some("1")), ("b", Some("1"))]).expect("a commit");
        drop(store);
        fs::write(dir.path().join("store/snap.FFFFFFFFFFFFFFFF"), "").expect("a bad snapshot");
        let store = conformance::reopen(Engine::Sled, dir.path());
        assert_eq!(conformance::pairs(&*store), ["a=1", "b=1"]);
        assert!(dir.path().join("set-aside/snap.FFFFFFFFFFFFFFFF").exists());
    }
}
