//! A disk that takes its time, fails, falls over, and counts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use ::actors::store::{Pair, Store, StoreFault, Write};

use super::{BANG, pass};

/// What the next commits do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Good,
    /// Every commit fails.
    Full,
    /// A commit panics.
    Bomb,
}

#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) durable: std::rc::Rc<RefCell<BTreeMap<Vec<u8>, Vec<u8>>>>,
    /// The batches that became durable, in order.
    pub(crate) batches: std::rc::Rc<RefCell<Vec<Vec<Write>>>>,
    pub(crate) latency: Cell<Duration>,
    pub(crate) mood: std::rc::Rc<Cell<Mood>>,
    /// Commits that were asked for.
    pub(crate) asked: Cell<usize>,
}

impl Store for Disk {
    fn commit(&self, batch: Vec<Write>) -> Pin<Box<dyn Future<Output = Result<(), StoreFault>>>> {
        self.asked.set(self.asked.get() + 1);
        if self.mood.get() == Mood::Bomb {
            self.mood.set(Mood::Good);
            std::panic::panic_any(BANG);
        }
        let (durable, batches, mood) = (self.durable.clone(), self.batches.clone(), self.mood.clone());
        let latency = self.latency.get();
        Box::pin(async move {
            if !latency.is_zero() {
                pass(latency).await;
            }
            if mood.get() == Mood::Full {
                return Err(StoreFault("no room on the disk".to_owned()));
            }
            batches.borrow_mut().push(batch.clone());
            for write in batch {
                match write {
                    Write::Put(key, value) => durable.borrow_mut().insert(key, value),
                    Write::Delete(key) => durable.borrow_mut().remove(&key),
                };
            }
            Ok(())
        })
    }

    fn load(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreFault> {
        let durable = self.durable.borrow();
        let found = durable.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
