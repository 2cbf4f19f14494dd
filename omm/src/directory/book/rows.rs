//! Who has which row, and which are free.

use std::collections::{BTreeMap, BTreeSet};

use super::{Book, Kind};
use crate::directory::key::Id;
use crate::directory::record::{Group, Record};
use crate::stamp::Stamp;

impl<K: Kind> Book<K> {
    /// The row under which it is shown.
    pub(in crate::directory) fn row(&self, id: Id) -> u32 {
        let own = || self.records.get(&id).and_then(Record::asked).unwrap_or_default();
        self.given.get(&id).copied().unwrap_or_else(own)
    }

    /// The row that it asks for from `stamp` on, because it is shown there; `None` when it asks for that already.
    pub(in crate::directory) fn settled_row(&self, id: Id, stamp: Stamp) -> Option<Group<u32>> {
        let asked = self.records.get(&id)?.row.as_ref()?;
        let value = self.row(id);
        (value != asked.value).then(|| Group { stamp: stamp.above(asked.stamp), value })
    }

    /// The smallest row that nobody has, asks for or asked for.
    pub(in crate::directory) fn free_row(&mut self) -> u32 {
        while self.asked.contains_key(&self.low) || self.given_rows.contains(&self.low) {
            self.low += 1;
        }
        // A row that is only given may be free again one day; then it is found again by `assign`.
        self.low
    }

    /// Who has which row: the earliest of those who ask for it. The others get the next that nobody asks for.
    pub(super) fn assign(&mut self, rows: BTreeSet<u32>, dirty: &mut BTreeSet<Id>) {
        for row in rows {
            self.rowless.retain(|(asked, _)| *asked != row);
            let all = self.by_row.remove(&row).unwrap_or_default();
            dirty.extend(&all);
            self.rowless.extend(all.iter().skip(1).map(|id| (row, *id)));
            if !all.is_empty() {
                self.by_row.insert(row, all);
            }
        }
        let asked_changed = std::mem::take(&mut self.asked_changed);
        if self.given.is_empty() && self.rowless.is_empty() || !asked_changed && !self.rowless_changed() {
            return;
        }
        let mut given = BTreeMap::new();
        let mut next = 0;
        for (row, id) in &self.rowless {
            next = next.max(*row) + 1;
            while self.asked.contains_key(&next) {
                next += 1;
            }
            given.insert(*id, next);
        }
        let moved = |id: &&Id| given.get(id) != self.given.get(id);
        dirty.extend(given.keys().chain(self.given.keys()).filter(moved));
        // What is given no more may be free now.
        self.low = self.given_rows.first().map_or(self.low, |first| self.low.min(*first));
        self.given_rows = given.values().copied().collect();
        self.given = given;
    }

    fn rowless_changed(&self) -> bool {
        self.rowless.len() != self.given.len()
            || self.rowless.iter().any(|(_, id)| !self.given.contains_key(id))
    }
}
