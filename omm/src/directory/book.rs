//! All records of one kind, and what follows from them together (spec SM-7): which are one, who has the natural key
//! that several ask for, who has which row, who is beyond the limit.
//!
//! All of it is a pure function of the records. It is not computed anew for every change, but for those who can be
//! affected: the records of a key, of a row. The tests compare it with a book that learns all records at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::content::Content;
use crate::directory::key::Id;
use crate::directory::record::Record;
use crate::directory::status::Status;
use crate::stamp::Stamp;

mod rows;

/// A kind of record.
pub(super) trait Kind {
    /// What the administrator may set.
    type Admin: Content;
    /// The other group.
    type Second: Content;
    /// By what people know it.
    type Key: Ord + Clone;

    /// The key that is asked for.
    fn key(admin: &Self::Admin) -> Self::Key;
    /// Whether it was ever another one.
    fn is_renumbered(admin: &Self::Admin) -> bool;
}

pub(super) type Of<K> = Record<<K as Kind>::Admin, <K as Kind>::Second>;

/// What a living record asks for, with all that were merged into it.
#[derive(Clone, PartialEq, Eq)]
struct Wish<Key> {
    key: Key,
    renumbered: bool,
    edited: Stamp,
}

/// What a record gets of the key it asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// The key.
    Holder,
    /// Nothing: another one has it.
    Loser,
    /// It is a part of this earlier record, which was created with the same key.
    Part(Id),
}

/// All records of one kind.
#[derive(Clone)]
pub(super) struct Book<K: Kind> {
    limit: usize,
    records: BTreeMap<Id, Of<K>>,
    /// Those whose `merged` names the record, directly.
    absorbed: BTreeMap<Id, BTreeSet<Id>>,
    /// Records that changed since all was settled.
    touched: BTreeSet<Id>,
    wishes: BTreeMap<Id, Wish<K::Key>>,
    by_key: BTreeMap<K::Key, BTreeSet<Id>>,
    seats: BTreeMap<Id, Seat>,
    /// How many of the seats are parts of others: hardly ever any, and then much need not be looked for.
    joined: usize,
    /// Who asks for a row; only those that have a seat of their own.
    by_row: BTreeMap<u32, BTreeSet<Id>>,
    /// Who stands for itself, and the row it asks for.
    stands: BTreeMap<Id, u32>,
    /// Who did not get the row it asks for.
    rowless: BTreeSet<(u32, Id)>,
    /// The rows that are given to those.
    given: BTreeMap<Id, u32>,
    given_rows: BTreeSet<u32>,
    /// How many records ask for a row, dead ones included: their rows are not given to others.
    asked: BTreeMap<u32, usize>,
    /// Since all was settled.
    asked_changed: bool,
    /// No row below is free.
    low: u32,
    /// Those beyond the limit.
    over: BTreeSet<Id>,
}

impl<K: Kind> Book<K> {
    pub(super) fn new(limit: usize) -> Book<K> {
        Book {
            limit,
            records: BTreeMap::new(),
            absorbed: BTreeMap::new(),
            touched: BTreeSet::new(),
            wishes: BTreeMap::new(),
            by_key: BTreeMap::new(),
            seats: BTreeMap::new(),
            joined: 0,
            by_row: BTreeMap::new(),
            stands: BTreeMap::new(),
            rowless: BTreeSet::new(),
            given: BTreeMap::new(),
            given_rows: BTreeSet::new(),
            asked: BTreeMap::new(),
            asked_changed: false,
            low: 1,
            over: BTreeSet::new(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn records(&self) -> &BTreeMap<Id, Of<K>> {
        &self.records
    }

    /// How many are alive, the parts of others not counted.
    pub(super) fn living(&self) -> usize {
        self.stands.len()
    }

    /// Takes in what is known of a record; whether that is news. [`Book::settle`] has to follow.
    pub(super) fn merge(&mut self, record: Of<K>) -> bool {
        let id = record.id;
        // Records merge into earlier ones only: whoever says otherwise is not one of ours.
        let record = Record { merged: record.merged.filter(|merged| merged.value < id), ..record };
        let (before, changed) = match self.records.get_mut(&id) {
            Some(held) => {
                let before = (held.asked(), held.merged.as_ref().map(|merged| merged.value));
                (before, held.merge(record))
            }
            None => {
                let mut fresh = Record::new(id);
                fresh.merge(record);
                self.records.insert(id, fresh);
                // Its parts may have come before it.
                self.touched.extend(self.absorbed.get(&id).into_iter().flatten());
                ((None, None), true)
            }
        };
        if changed {
            self.follow(id, before);
        }
        changed
    }

    /// Keeps the indices of what is not settled but simply so.
    fn follow(&mut self, id: Id, (former_row, former): (Option<u32>, Option<Id>)) {
        let Some(record) = self.records.get(&id) else { return };
        let (row, merged) = (record.asked(), record.merged.as_ref().map(|merged| merged.value));
        if former_row != row {
            if let Some(row) = row {
                *self.asked.entry(row).or_default() += 1;
                self.asked_changed = true;
            }
            former_row.into_iter().for_each(|row| self.unask(row));
        }
        if former != merged {
            if let Some(parts) = former.and_then(|former| self.absorbed.get_mut(&former)) {
                parts.remove(&id);
            }
            self.touched.extend(former);
            if let Some(into) = merged {
                self.absorbed.entry(into).or_default().insert(id);
            }
        }
        self.touched.insert(id);
    }

    fn unask(&mut self, row: u32) {
        if let Some(count) = self.asked.get_mut(&row) {
            *count -= 1;
            if *count == 0 {
                self.asked.remove(&row);
                self.asked_changed = true;
                self.low = self.low.min(row).max(1);
            }
        }
    }

    /// Forgets a record for good; only dead ones that nobody can bring back (SM-7, tombstone removal).
    pub(super) fn forget(&mut self, id: Id) {
        let Some(record) = self.records.remove(&id) else { return };
        record.asked().into_iter().for_each(|row| self.unask(row));
        if let Some(parts) = record.merged.and_then(|merged| self.absorbed.get_mut(&merged.value)) {
            parts.remove(&id);
        }
        self.touched.insert(id);
    }

    /// The record into which this one was merged at last, by what was written.
    fn top(&self, id: Id) -> Id {
        let mut top = id;
        if self.absorbed.is_empty() {
            return top;
        }
        while let Some(into) = self.records.get(&top).and_then(|record| record.merged.as_ref()) {
            if !self.records.contains_key(&into.value) {
                break;
            }
            top = into.value;
        }
        top
    }

    /// The record that stands for this one.
    pub(super) fn root(&self, id: Id) -> Id {
        let top = self.top(id);
        if self.joined == 0 {
            return top;
        }
        match self.seats.get(&top) {
            Some(Seat::Part(root)) => *root,
            Some(Seat::Holder | Seat::Loser) | None => top,
        }
    }

    /// The record and all that were merged into it, by what was written.
    fn family(&self, top: Id, out: &mut Vec<Id>) {
        out.push(top);
        if self.absorbed.is_empty() {
            return;
        }
        for part in self.absorbed.get(&top).into_iter().flatten() {
            if self.records.contains_key(part) {
                self.family(*part, out);
            }
        }
    }

    /// All records that this one stands for, itself first.
    pub(super) fn parts(&self, root: Id) -> Vec<Id> {
        let mut all = Vec::new();
        self.family(root, &mut all);
        if self.joined == 0 {
            return all;
        }
        if let (Some(Seat::Holder | Seat::Loser), Some(wish)) =
            (self.seats.get(&root), self.wishes.get(&root))
        {
            for other in self.by_key.get(&wish.key).into_iter().flatten() {
                if self.seats.get(other) == Some(&Seat::Part(root)) {
                    self.family(*other, &mut all);
                }
            }
        }
        all
    }

    /// The record with all its parts taken together; `None` when it is unknown.
    pub(super) fn whole(&self, root: Id) -> Option<Of<K>> {
        self.united(&self.parts(root))
    }

    fn united(&self, parts: &[Id]) -> Option<Of<K>> {
        let (first, rest) = parts.split_first()?;
        let mut whole = self.records.get(first)?.clone();
        for part in rest.iter().filter_map(|id| self.records.get(id)) {
            whole.absorb(part);
        }
        Some(whole)
    }

    /// Whether this stands for itself and is alive.
    pub(super) fn is_shown(&self, id: Id) -> bool {
        matches!(self.seats.get(&id), Some(Seat::Holder | Seat::Loser))
    }

    /// Whether it has the key it asks for.
    pub(super) fn has_key(&self, id: Id) -> bool {
        self.seats.get(&id) == Some(&Seat::Holder)
    }

    pub(super) fn status(&self, id: Id) -> Status {
        match self.seats.get(&id) {
            Some(Seat::Loser) => Status::Conflict,
            Some(Seat::Holder | Seat::Part(_)) | None if self.over.contains(&id) => Status::OverLimit,
            Some(Seat::Holder | Seat::Part(_)) | None => Status::Active,
        }
    }

    /// Brings up to date what follows from the records; returns those who may be shown differently.
    pub(super) fn settle(&mut self) -> BTreeSet<Id> {
        let touched = std::mem::take(&mut self.touched);
        let mut dirty = BTreeSet::new();
        if touched.is_empty() {
            return dirty;
        }
        let mut tops = BTreeSet::new();
        for id in touched {
            // A record that is part of another since stands for itself no longer.
            tops.insert(id);
            tops.insert(self.top(id));
        }
        let (mut keys, mut rows) = (BTreeSet::new(), BTreeSet::new());
        for top in tops {
            dirty.insert(top);
            self.wish(top, &mut keys);
            if !self.wishes.contains_key(&top) {
                self.take_seat(top, None, &mut rows);
            }
        }
        for key in keys {
            self.seat(&key, &mut rows, &mut dirty);
        }
        self.assign(rows, &mut dirty);
        self.bound(&mut dirty);
        dirty
    }

    /// What this record asks for now, if it stands for itself.
    fn wish(&mut self, top: Id, keys: &mut BTreeSet<K::Key>) {
        let whole = if self.top(top) == top {
            let mut parts = Vec::new();
            self.family(top, &mut parts);
            self.united(&parts)
        } else {
            None
        };
        let wish = whole.filter(Record::is_alive).and_then(|whole| whole.admin).map(|admin| Wish {
            key: K::key(&admin.value),
            renumbered: K::is_renumbered(&admin.value),
            edited: admin.stamp,
        });
        let before = self.wishes.get(&top).cloned();
        if let Some(Wish { key, .. }) = &before {
            if let Some(all) = self.by_key.get_mut(key) {
                all.remove(&top);
            }
            keys.insert(key.clone());
        }
        match wish {
            Some(wish) => {
                self.by_key.entry(wish.key.clone()).or_default().insert(top);
                keys.insert(wish.key.clone());
                self.wishes.insert(top, wish);
            }
            None => {
                self.wishes.remove(&top);
            }
        }
    }

    /// Who gets the key, of all who ask for it; those who no longer ask lose their seat.
    fn seat(&mut self, key: &K::Key, rows: &mut BTreeSet<u32>, dirty: &mut BTreeSet<Id>) {
        let all = self.by_key.remove(key).unwrap_or_default();
        let born = |id: &&Id| self.wishes.get(id).is_some_and(|wish| !wish.renumbered);
        let first = all.iter().find(born).copied();
        let edited = |id: &Id| {
            let own = self.wishes.get(id).map(|wish| wish.edited);
            if Some(*id) != first {
                return own;
            }
            // All that were created with this key are one, and were edited when the last of them was.
            all.iter().filter(born).filter_map(|part| self.wishes.get(part)).map(|wish| wish.edited).max()
        };
        let contenders = all.iter().filter(|id| Some(**id) == first || !born(id));
        let holder = contenders.max_by_key(|id| (edited(id), std::cmp::Reverse(**id))).copied();
        let seats: Vec<(Id, Seat)> = all
            .iter()
            .map(|id| match first {
                _ if Some(*id) == holder => (*id, Seat::Holder),
                Some(first) if *id != first && born(&id) => (*id, Seat::Part(first)),
                Some(_) | None => (*id, Seat::Loser),
            })
            .collect();
        for (id, seat) in seats {
            dirty.insert(id);
            if let Seat::Part(root) = seat {
                dirty.insert(root);
            }
            self.take_seat(id, Some(seat), rows);
        }
        if !all.is_empty() {
            self.by_key.insert(key.clone(), all);
        }
    }

    fn take_seat(&mut self, id: Id, seat: Option<Seat>, rows: &mut BTreeSet<u32>) {
        let before = match seat {
            Some(seat) => self.seats.insert(id, seat),
            None => self.seats.remove(&id),
        };
        let is_part = |seat: Option<Seat>| usize::from(matches!(seat, Some(Seat::Part(_))));
        self.joined = self.joined + is_part(seat) - is_part(before);
        let stands = matches!(seat, Some(Seat::Holder | Seat::Loser));
        let row = self.records.get(&id).map(|record| record.asked().unwrap_or_default()).filter(|_| stands);
        let before = match row {
            Some(row) => self.stands.insert(id, row),
            None => self.stands.remove(&id),
        };
        if before == row {
            return;
        }
        if let Some(all) = before.and_then(|row| self.by_row.get_mut(&row)) {
            all.remove(&id);
        }
        if let Some(row) = row {
            self.by_row.entry(row).or_default().insert(id);
        }
        rows.extend(before);
        rows.extend(row);
    }

    /// The newest beyond the limit are not active (M-2.2.1, SM-7).
    fn bound(&mut self, dirty: &mut BTreeSet<Id>) {
        if self.stands.len() <= self.limit && self.over.is_empty() {
            return;
        }
        let over: BTreeSet<Id> = self.stands.keys().skip(self.limit).copied().collect();
        dirty.extend(over.symmetric_difference(&self.over));
        self.over = over;
    }
}
