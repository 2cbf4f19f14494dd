//! The store on redb 4. The only file of homing that knows redb.
//!
//! A commit of redb is durable when it returns: it writes new pages beside the old ones, syncs, and then switches over.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use actors::store::{Pair, Store, StoreFault, Write};
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition, TableError};

use super::in_use;

/// All keys and values.
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("homing");

/// A redb database.
pub(super) struct RedbStore {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    db: Database,
}

impl RedbStore {
    /// Opens the database in the file `path`, making it when it is not there.
    ///
    /// # Errors
    /// The file cannot be written, somebody else has it open, or it is damaged.
    pub(super) fn open(path: PathBuf) -> Result<RedbStore, StoreFault> {
        match Database::create(&path) {
            Ok(db) => Ok(RedbStore { shared: Arc::new(Shared { path, db }) }),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(in_use(&path)),
            Err(error) => Err(StoreFault(format!("the store in {} failed: {error}", path.display()))),
        }
    }

    #[cfg(test)]
    fn on(backend: impl redb::StorageBackend) -> RedbStore {
        let db = Database::builder().create_with_backend(backend).expect("a database");
        RedbStore { shared: Arc::new(Shared { path: "memory".into(), db }) }
    }
}

impl Store for RedbStore {
    fn commit(&self, batch: Vec<Write>) -> Pin<Box<dyn Future<Output = Result<(), StoreFault>>>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            // The disk may take its time; the actors' thread must not.
            let done = tokio::task::spawn_blocking(move || {
                shared.commit(&batch).map_err(|error| shared.fault(&error))
            });
            done.await.unwrap_or_else(|error| Err(StoreFault(format!("the commit fell over: {error}"))))
        })
    }

    fn load(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreFault> {
        self.shared.load(prefix).map_err(|error| self.shared.fault(&error))
    }
}

impl Shared {
    fn commit(&self, batch: &[Write]) -> Result<(), redb::Error> {
        let change = self.db.begin_write()?;
        {
            let mut table = change.open_table(TABLE)?;
            for write in batch {
                match write {
                    Write::Put(key, value) => _ = table.insert(key.as_slice(), value.as_slice())?,
                    Write::Delete(key) => _ = table.remove(key.as_slice())?,
                }
            }
        }
        change.commit()?;
        Ok(())
    }

    fn load(&self, prefix: &[u8]) -> Result<Vec<Pair>, redb::Error> {
        let table = match self.db.begin_read()?.open_table(TABLE) {
            Ok(table) => table,
            // Nothing has been written yet.
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut found = Vec::new();
        for item in table.range(prefix..)? {
            let (key, value) = item?;
            if !key.value().starts_with(prefix) {
                break;
            }
            found.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(found)
    }

    fn fault(&self, error: &redb::Error) -> StoreFault {
        StoreFault(format!("the store in {} failed: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use machine::chance::Chance;
    use redb::StorageBackend;

    use super::super::conformance;
    use super::*;

    /// A disk on which a write counts after the next sync only, and whose power fails at one of its writes.
    #[derive(Clone, Debug)]
    struct Plate(Arc<Mutex<Bytes>>);

    #[derive(Debug)]
    struct Bytes {
        chance: Chance,
        now: Vec<u8>,
        synced: Vec<u8>,
        /// Where and what was written since.
        loose: Vec<(usize, Vec<u8>)>,
        /// Writes until the power fails.
        writes_left: u64,
        /// The commits that were acknowledged, and how many of them when the power failed.
        acknowledged: u64,
        left: Option<(u64, Vec<u8>)>,
    }

    impl Plate {
        fn new(chance: Chance, now: Vec<u8>, writes_left: u64) -> Plate {
            let synced = now.clone();
            let (loose, acknowledged, left) = (Vec::new(), 0, None);
            Plate(Arc::new(Mutex::new(Bytes { chance, now, synced, loose, writes_left, acknowledged, left })))
        }

        fn bytes(&self) -> MutexGuard<'_, Bytes> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Bytes {
        /// What is on the disk after the power cut: of what was not synced each block of 512 bytes is there or not.
        fn cut(&mut self) {
            let mut left = self.synced.clone();
            left.resize(self.now.len().max(left.len()), 0);
            for (at, data) in &self.loose {
                for (number, block) in data.chunks(512).enumerate() {
                    let from = at + number * 512;
                    if self.chance.below(2) == 0 && from + block.len() <= left.len() {
                        left[from..from + block.len()].copy_from_slice(block);
                    }
                }
            }
            self.left = Some((self.acknowledged, left));
        }
    }

    impl StorageBackend for Plate {
        fn len(&self) -> Result<u64, io::Error> {
            Ok(self.bytes().now.len() as u64)
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
            let (bytes, from) = (self.bytes(), offset as usize);
            let there = bytes.now.get(from..from + out.len());
            out.copy_from_slice(there.ok_or_else(|| io::Error::other("beyond the end"))?);
            Ok(())
        }

        fn set_len(&self, len: u64) -> Result<(), io::Error> {
            self.bytes().now.resize(len as usize, 0);
            Ok(())
        }

        fn sync_data(&self) -> Result<(), io::Error> {
            let mut bytes = self.bytes();
            bytes.synced = bytes.now.clone();
            bytes.loose.clear();
            Ok(())
        }

        fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
            let (mut bytes, from) = (self.bytes(), offset as usize);
            bytes.now[from..from + data.len()].copy_from_slice(data);
            bytes.loose.push((from, data.to_vec()));
            bytes.writes_left = bytes.writes_left.saturating_sub(1);
            if bytes.writes_left == 0 && bytes.left.is_none() {
                bytes.cut();
            }
            Ok(())
        }
    }

    /// Fifty keys that all hold the number of the commit.
    fn round(number: u64) -> Vec<(String, Option<String>)> {
        (0..50).map(|key| (format!("k{key:02}"), Some(number.to_string()))).collect()
    }

    fn lines(number: u64) -> Vec<String> {
        if number == 0 { Vec::new() } else { (0..50).map(|key| format!("k{key:02}={number}")).collect() }
    }

    #[test]
    fn a_power_cut_takes_nothing_that_was_acknowledged_and_leaves_nothing_torn() {
        let mut in_the_middle = 0;
        for seed in 0..60 {
            let mut chance = Chance::of(seed, "power cut");
            let birth = Plate::new(Chance::of(seed, "birth"), Vec::new(), u64::MAX);
            conformance::commit(&RedbStore::on(birth.clone()), &round(0)[..0]).expect("a commit");
            let formatted = birth.bytes().now.clone();
            let plate = Plate::new(Chance::of(seed, "disk"), formatted, 1 + chance.below(60));
            let store = RedbStore::on(plate.clone());
            let mut number = 0;
            while plate.bytes().left.is_none() {
                number += 1;
                conformance::commit(&store, &round(number)).expect("a commit");
                plate.bytes().acknowledged = number;
            }
            let (acknowledged, left) = plate.bytes().left.take().expect("a power cut");
            let after = Plate::new(Chance::of(seed, "after"), left, u64::MAX);
            let found = conformance::pairs(&RedbStore::on(after));
            let is_old = found == lines(acknowledged);
            in_the_middle += usize::from(acknowledged > 0);
            assert!(is_old || found == lines(acknowledged + 1), "seed {seed}, {acknowledged}: {found:?}");
        }
        assert!(in_the_middle > 20, "only {in_the_middle} power cuts came after a commit");
    }
}
