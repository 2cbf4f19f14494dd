//! Durable memory: which engine keeps it, and who has it open.
//!
//! Two engines stand behind [`actors::store::Store`] and pass the same conformance tests: [`sled`], the default, which
//! is frozen at 0.34, and [`redb`], to which it can be changed by one line of the configuration, for a site that
//! starts with an empty folder. Before either stands [`seal`]: what may hold a password is not in clear on the disk.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use actors::store::{Store, StoreFault};

#[cfg(test)]
mod conformance;
mod redb;
mod seal;
mod sled;

#[cfg(test)]
use redb::RedbStore as Bare;

/// Who keeps the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// A log and snapshots, in the folder `store`.
    #[default]
    Sled,
    /// Copy-on-write trees, in the file `store.redb`.
    Redb,
}

/// What the configuration calls them.
pub const ENGINES: &[(&str, Engine)] = &[("sled", Engine::Sled), ("redb", Engine::Redb)];

/// In the data folder: who has the store open. Only for people; the lock itself is the engine's.
const OWNER: &str = "owner";

impl Engine {
    /// Its file or folder within the data folder.
    fn place(self) -> &'static str {
        match self {
            Engine::Sled => "store",
            Engine::Redb => "store.redb",
        }
    }

    /// What the configuration calls it.
    pub fn word(self) -> &'static str {
        match self {
            Engine::Sled => "sled",
            Engine::Redb => "redb",
        }
    }
}

/// Opens the store in the folder `dir`, making it when it is not there. `owner` is told to whoever tries to open the
/// same folder meanwhile.
///
/// # Errors
/// The folder cannot be written, holds the data of the other engine, somebody else has the store open, or its files
/// are damaged.
pub fn open(engine: Engine, dir: &Path, owner: &str) -> Result<Rc<dyn Store>, StoreFault> {
    fs::create_dir_all(dir).map_err(|error| StoreFault(format!("cannot make {}: {error}", dir.display())))?;
    let path = dir.join(engine.place());
    // An OMM that forgot a claim would do harm: nobody begins anew beside what he knew.
    let other = ENGINES.iter().find(|(_, other)| *other != engine && dir.join(other.place()).exists());
    if let (Some((word, other)), false) = (other, path.exists()) {
        return Err(StoreFault(format!(
            "{} holds a store of {word}, and the configuration says `store = \"{}\"`: say `store = \"{word}\"`, or move {} away \
             to begin anew",
            dir.display(),
            engine.word(),
            dir.join(other.place()).display(),
        )));
    }
    let store: Rc<dyn Store> = match engine {
        Engine::Sled => Rc::new(sled::SledStore::open(path)?),
        Engine::Redb => Rc::new(redb::RedbStore::open(path)?),
    };
    let store = Rc::new(seal::Sealed::open(store, dir)?);
    let note = format!("process {} ({owner})", std::process::id());
    if let Err(error) = fs::write(dir.join(OWNER), note) {
        tracing::warn!(%error, "cannot write who has the store open");
    }
    Ok(store)
}

/// The fault of whoever comes second.
fn in_use(path: &Path) -> StoreFault {
    let owner = path.parent().and_then(|dir| fs::read_to_string(dir.join(OWNER)).ok());
    let owner = owner.unwrap_or_else(|| "another process".into());
    StoreFault(format!("the store in {} is in use by {owner}", path.display()))
}
