//! The store of a virtual OMM: a map that survives its process, because the world owns it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actors::store::{Store, StoreFault, Write};

/// What is on the disk of one site. In no order; whoever loads gets it sorted.
pub type Disk = Rc<RefCell<HashMap<Vec<u8>, Vec<u8>>>>;

/// The disk as one process of the site sees it. When the process dies, what it had not flushed is lost.
pub struct Memory {
    disk: Disk,
    alive: Rc<Cell<bool>>,
    latency: Duration,
}

impl Memory {
    /// A process' view of `disk`: commits take `latency` and reach the disk only while `alive`.
    pub fn new(disk: Disk, alive: Rc<Cell<bool>>, latency: Duration) -> Memory {
        Memory { disk, alive, latency }
    }
}

impl Store for Memory {
    fn commit(&self, batch: Vec<Write>) -> Pin<Box<dyn Future<Output = Result<(), StoreFault>>>> {
        let (disk, alive, latency) = (self.disk.clone(), self.alive.clone(), self.latency);
        Box::pin(async move {
            if !latency.is_zero() {
                pause(latency).await;
            }
            if !alive.get() {
                // The process is dead: nobody hears this answer.
                return Err(StoreFault("the process died before the flush".to_owned()));
            }
            let mut disk = disk.borrow_mut();
            for write in batch {
                match write {
                    Write::Put(key, value) => disk.insert(key, value),
                    Write::Delete(key) => disk.remove(&key),
                };
            }
            Ok(())
        })
    }

    fn load(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreFault> {
        let disk = self.disk.borrow();
        let found = disk.iter().filter(|(key, _)| key.starts_with(prefix));
        let mut found: Vec<_> = found.map(|(key, value)| (key.clone(), value.clone())).collect();
        found.sort();
        Ok(found)
    }
}

/// Virtual time passes.
#[expect(clippy::disallowed_methods, reason = "a virtual disk takes virtual time; no real time passes")]
async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}
