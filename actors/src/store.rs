//! The door to durable memory: one of the two traits of the house.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// One change of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets `key` to `value`.
    Put(Vec<u8>, Vec<u8>),
    /// Removes `key`; nothing happens when it is not there.
    Delete(Vec<u8>),
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A set of keys and values that survives a crash and a power cut.
pub trait Store {
    /// Applies `batch` as one change. When the future answers `Ok` the batch is on the disk, not only on its way;
    /// only then may anybody be told of it. One call is under way at a time.
    fn commit(&self, batch: Vec<Write>) -> Pin<Box<dyn Future<Output = Result<(), StoreFault>>>>;

    /// Everything durable whose key begins with `prefix`, in the order of the keys. Called at the start, and when an
    /// actor that fell over is hired again.
    fn load(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreFault>;
}

/// Why the store could not do it, in words that an operator can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFault(pub String);

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreFault {}
