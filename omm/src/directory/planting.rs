//! What a configuration file or a script says that every site has: records that are the same wherever the same is said,
//! and older than any edit, so that an edit or a deletion of an earlier life stands.

use std::collections::BTreeSet;

use super::Directory;
use super::edit::{Done, NewDevice, NewUser};
use super::editing::NEEDED;
use super::key::{Id, Ppn, Uid};
use super::refusal::Refusal;
use crate::stamp::Stamp;

impl Directory {
    /// Creates a user of the file.
    ///
    /// # Errors
    /// As [`Directory::edit`].
    pub fn plant_user(&mut self, new: NewUser) -> Result<Done, Refusal> {
        let uid = self.sow_user(new)?;
        Ok(Done { uid: Some(uid), ppn: None, changed: self.settle() })
    }

    /// Creates a handset of the file.
    ///
    /// # Errors
    /// As [`Directory::edit`].
    pub fn plant_device(&mut self, new: NewDevice) -> Result<Done, Refusal> {
        let ppn = self.sow_device(new)?;
        Ok(Done { uid: None, ppn: Some(ppn), changed: self.settle() })
    }

    /// Creates all handsets of the file, and tells their rows in the same order. What follows from them is settled
    /// once, which for ten thousand is several times as fast as one by one.
    ///
    /// # Errors
    /// As [`Directory::edit`]; those before the one that is refused are there.
    pub fn plant_devices(&mut self, all: impl IntoIterator<Item = NewDevice>) -> Result<Vec<Ppn>, Refusal> {
        let mut sown = BTreeSet::new();
        let mut rows = Vec::new();
        for new in all {
            // What was sown already is not shown yet; where that matters it is settled first.
            let again = new.fields.ipei.is_some_and(|ipei| !sown.insert(ipei)) || new.ppn.is_some();
            if again || self.devices.living() + sown.len() > self.devices.limit() {
                self.settle();
            }
            match self.sow_device(new) {
                Ok(ppn) => rows.push(ppn),
                Err(refusal) => {
                    self.settle();
                    return Err(refusal);
                }
            }
        }
        self.settle();
        Ok(rows)
    }

    /// Creates all users of the file; their handsets are there already.
    ///
    /// # Errors
    /// As [`Directory::edit`]; those before the one that is refused are there.
    pub fn plant_users(&mut self, all: impl IntoIterator<Item = NewUser>) -> Result<(), Refusal> {
        let (mut numbers, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for new in all {
            let again = new.fields.number.as_ref().is_some_and(|number| !numbers.insert(number.clone()));
            let shared = new.relation.is_some_and(|(_, ppn)| !taken.insert(ppn));
            let full = self.users.living() + numbers.len() > self.users.limit();
            if again || shared || full || new.uid.is_some() {
                self.settle();
            }
            if let Err(refusal) = self.sow_user(new) {
                self.settle();
                return Err(refusal);
            }
        }
        self.settle();
        Ok(())
    }

    /// The record, not settled yet.
    fn sow_user(&mut self, new: NewUser) -> Result<Uid, Refusal> {
        let needed = Refusal::Invalid { field: "num", expected: NEEDED };
        let number = new.fields.number.as_ref().ok_or_else(|| needed.clone())?;
        let origin = Stamp::origin(number.as_str().as_bytes());
        self.create_user(Id(origin), origin, new)?.uid.ok_or(needed)
    }

    fn sow_device(&mut self, new: NewDevice) -> Result<Ppn, Refusal> {
        let needed = Refusal::Invalid { field: "ipei", expected: NEEDED };
        let ipei = new.fields.ipei.ok_or_else(|| needed.clone())?;
        let origin = Stamp::origin(&ipei.bits().to_be_bytes());
        self.create_device(Id(origin), origin, new)?.ppn.ok_or(needed)
    }
}
