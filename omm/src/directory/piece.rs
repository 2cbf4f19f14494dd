//! What travels between OMMs and lies in the store: records or parts of them. And which of it somebody lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::Directory;
use super::book::{Book, Kind, Of};
use crate::directory::content::Content;
use crate::directory::content::{Digest, Ink};
use crate::directory::edit::Changed;
use crate::directory::key::Id;
use crate::directory::profile::{PROFILES_MAX, Text};
use crate::directory::record::{DeviceRecord, Group, Record, UserRecord};
use crate::directory::vector::Vector;
use crate::ids::park::Sari;
use crate::stamp::{ORIGIN, OmmId, Stamp};

/// What a piece is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The SARI.
    Sari,
    /// A profile.
    Profile(u8),
    /// A handset. Before the users, who are with handsets.
    Device(Id),
    /// A user.
    User(Id),
}

/// One thing that was written: when, and about what. Of one record several groups may carry the same stamp.
pub type Slot = (Stamp, Subject);

/// A record, or some groups of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The SARI.
    Sari(Group<Sari>),
    /// A profile; `None` when it was deleted.
    Profile(u8, Group<Option<Arc<Text>>>),
    /// A handset.
    Device(DeviceRecord),
    /// A user.
    User(UserRecord),
}

impl Piece {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Piece::Sari(_) => Subject::Sari,
            Piece::Profile(id, _) => Subject::Profile(*id),
            Piece::Device(record) => Subject::Device(record.id),
            Piece::User(record) => Subject::User(record.id),
        }
    }

    /// All stamps in it.
    pub fn stamps(&self) -> BTreeSet<Stamp> {
        match self {
            Piece::Sari(group) => BTreeSet::from([group.stamp]),
            Piece::Profile(_, group) => BTreeSet::from([group.stamp]),
            Piece::Device(record) => record.stamps(),
            Piece::User(record) => record.stamps(),
        }
    }

    /// Only the groups whose stamp is wanted.
    fn sifted(self, wanted: impl Fn(Stamp) -> bool) -> Piece {
        match self {
            Piece::Sari(_) | Piece::Profile(..) => self,
            Piece::Device(record) => Piece::Device(record.sifted(wanted)),
            Piece::User(record) => Piece::User(record.sifted(wanted)),
        }
    }
}

impl<A: Content, S: Content> Record<A, S> {
    /// All stamps of its groups.
    pub fn stamps(&self) -> BTreeSet<Stamp> {
        let stamps = [
            self.row.as_ref().map(|group| group.stamp),
            self.deleted,
            self.merged.as_ref().map(|group| group.stamp),
            self.admin.as_ref().map(|group| group.stamp),
            self.second.as_ref().map(|group| group.stamp),
        ];
        stamps.into_iter().flatten().collect()
    }

    /// The stamps of the groups that are other ones in `before`.
    fn differing(&self, before: &Record<A, S>) -> impl Iterator<Item = Stamp> {
        let stamps = [
            self.row.as_ref().filter(|_| self.row != before.row).map(|group| group.stamp),
            self.deleted.filter(|_| self.deleted != before.deleted),
            self.merged.as_ref().filter(|_| self.merged != before.merged).map(|group| group.stamp),
            self.admin.as_ref().filter(|_| self.admin != before.admin).map(|group| group.stamp),
            self.second.as_ref().filter(|_| self.second != before.second).map(|group| group.stamp),
        ];
        stamps.into_iter().flatten()
    }

    fn sifted(self, wanted: impl Fn(Stamp) -> bool) -> Record<A, S> {
        Record {
            id: self.id,
            row: self.row.filter(|group| wanted(group.stamp)),
            deleted: self.deleted.filter(|stamp| wanted(*stamp)),
            merged: self.merged.filter(|group| wanted(group.stamp)),
            admin: self.admin.filter(|group| wanted(group.stamp)),
            second: self.second.filter(|group| wanted(group.stamp)),
        }
    }
}

/// When everything was written, in order: the deltas are read from here.
#[derive(Clone, Default)]
pub(super) struct Log {
    slots: BTreeSet<Slot>,
    /// Those that came since somebody last asked.
    fresh: BTreeSet<Slot>,
}

impl Log {
    /// Of this subject there were these stamps, and now there are those.
    pub(super) fn turn(&mut self, subject: Subject, before: &BTreeSet<Stamp>, now: &BTreeSet<Stamp>) {
        for stamp in before.difference(now) {
            self.slots.remove(&(*stamp, subject));
            self.fresh.remove(&(*stamp, subject));
        }
        for stamp in now.difference(before) {
            self.slots.insert((*stamp, subject));
            self.fresh.insert((*stamp, subject));
        }
    }
}

/// Takes a record in and keeps the log; whether that is news.
fn put<K: Kind>(book: &mut Book<K>, log: &mut Log, subject: fn(Id) -> Subject, record: Of<K>) -> bool {
    let id = record.id;
    let before = book.records().get(&id).cloned().unwrap_or_else(|| Record::new(id));
    let changed = book.merge(record);
    if let Some(now) = book.records().get(&id).filter(|_| changed) {
        log.turn(subject(id), &before.stamps(), &now.stamps());
        // Of groups that share a stamp one may have come before the other, or have had another content.
        log.fresh.extend(now.differing(&before).map(|stamp| (stamp, subject(id))));
    }
    changed
}

impl Directory {
    pub(super) fn put_user(&mut self, record: UserRecord) -> bool {
        put(&mut self.users, &mut self.log, Subject::User, record)
    }

    pub(super) fn put_device(&mut self, record: DeviceRecord) -> bool {
        put(&mut self.devices, &mut self.log, Subject::Device, record)
    }

    pub(super) fn put_profile(&mut self, id: u8, group: Group<Option<Arc<Text>>>) -> bool {
        let before = self.profiles.get(&id).map(|held| held.stamp).into_iter().collect();
        let changed = self.merge_profile(id, group);
        let now = self.profiles.get(&id).map(|held| held.stamp).into_iter().collect();
        self.log.turn(Subject::Profile(id), &before, &now);
        changed
    }

    pub(super) fn put_sari(&mut self, group: Group<Sari>) -> bool {
        if self.sari.is_some() {
            return false; // Once and for all (I4).
        }
        self.log.turn(Subject::Sari, &BTreeSet::new(), &BTreeSet::from([group.stamp]));
        self.sari = Some(group);
        self.changed.sari = true;
        true
    }

    /// Takes in what another OMM or the store knows; returns what is shown differently.
    pub fn merge(&mut self, pieces: impl IntoIterator<Item = Piece>) -> Changed {
        for piece in pieces {
            match piece {
                Piece::Sari(group) => self.put_sari(group),
                Piece::Profile(id, group) => (1..=PROFILES_MAX).contains(&id) && self.put_profile(id, group),
                Piece::Device(record) => self.put_device(record),
                Piece::User(record) => self.put_user(record),
            };
        }
        self.settle()
    }

    /// Takes in what the store kept of an earlier life. What the file says today counts, not what it said then.
    pub fn merge_stored(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        let devices = self.devices.records().keys().map(|id| Subject::Device(*id));
        let users = self.users.records().keys().map(|id| Subject::User(*id));
        let planted: BTreeSet<Subject> = devices.chain(users).collect();
        let sift = |piece: Piece| {
            if planted.contains(&piece.subject()) { piece.sifted(|stamp| stamp.omm != ORIGIN) } else { piece }
        };
        self.merge(pieces.into_iter().map(sift));
    }

    /// What was written or learned since this was last asked, in the order of the stamps: to be stored, and to be told
    /// to others.
    pub fn take_fresh(&mut self) -> BTreeSet<Slot> {
        std::mem::take(&mut self.log.fresh)
    }

    /// All that is known of a subject; `None` when nothing is.
    pub fn piece(&self, subject: Subject) -> Option<Piece> {
        match subject {
            Subject::Sari => self.sari.clone().map(Piece::Sari),
            Subject::Profile(id) => self.profiles.get(&id).cloned().map(|group| Piece::Profile(id, group)),
            Subject::Device(id) => self.devices.records().get(&id).cloned().map(Piece::Device),
            Subject::User(id) => self.users.records().get(&id).cloned().map(Piece::User),
        }
    }

    /// Everything that is known, one piece a record, in the order of [`Subject`].
    pub fn pieces(&self) -> impl Iterator<Item = Piece> {
        let sari = self.sari.clone().map(Piece::Sari).into_iter();
        let profiles = self.profiles.iter().map(|(id, group)| Piece::Profile(*id, group.clone()));
        let devices = self.devices.records().values().cloned().map(Piece::Device);
        let users = self.users.records().values().cloned().map(Piece::User);
        sari.chain(profiles).chain(devices).chain(users)
    }

    /// The groups that stand in these slots still, one piece a subject.
    pub fn pieces_of(&self, slots: &BTreeSet<Slot>) -> Vec<Piece> {
        let mut wanted: BTreeMap<Subject, BTreeSet<Stamp>> = BTreeMap::new();
        for (stamp, subject) in slots {
            if self.log.slots.contains(&(*stamp, *subject)) {
                wanted.entry(*subject).or_default().insert(*stamp);
            }
        }
        let sift = |(subject, stamps): (Subject, BTreeSet<Stamp>)| {
            Some(self.piece(subject)?.sifted(|stamp| stamps.contains(&stamp)))
        };
        wanted.into_iter().filter_map(sift).collect()
    }

    /// The next of what somebody lacks who has `known`, in the order of the stamps, all that lies behind `after`:
    /// about `most` pieces, and the stamp up to which that is all; `None` when nothing is left behind these.
    ///
    /// A record is sent once, with all its groups that are lacked, where the first of them stands.
    pub fn delta(&self, after: Option<Stamp>, known: &Lacking, most: usize) -> (Vec<Piece>, Option<Stamp>) {
        let from = after.map_or(Bound::Unbounded, |stamp| Bound::Excluded((stamp, Subject::User(Id(LAST)))));
        let mut pieces = Vec::new();
        let mut reached = None;
        for (stamp, subject) in self.log.slots.range((from, Bound::Unbounded)) {
            if pieces.len() >= most && reached != Some(*stamp) {
                return (pieces, reached);
            }
            if known.lacks(*stamp)
                && let Some(piece) = self.piece(*subject)
                && piece.stamps().into_iter().find(|stamp| known.lacks(*stamp)) == Some(*stamp)
            {
                pieces.push(piece.sifted(|stamp| known.lacks(stamp)));
            }
            reached = Some(*stamp);
        }
        (pieces, None)
    }

    /// How many slots somebody lacks who has `known`.
    pub fn count(&self, known: &Lacking) -> usize {
        self.log.slots.iter().filter(|(stamp, _)| known.lacks(*stamp)).count()
    }

    /// The latest stamp that anybody wrote; a clock has to be above it.
    pub fn latest(&self) -> Option<Stamp> {
        self.log.slots.last().map(|(stamp, _)| *stamp)
    }

    /// The latest stamp that this OMM wrote.
    pub fn latest_of(&self, omm: OmmId) -> Option<Stamp> {
        self.log.slots.iter().rev().map(|(stamp, _)| *stamp).find(|stamp| stamp.omm == omm)
    }

    /// The digest of all records: equal at two OMMs that know the same (I6).
    pub fn digest(&self) -> Digest {
        let mut ink = Ink::default();
        for piece in self.pieces() {
            piece.write(&mut ink);
        }
        ink.dry()
    }
}

/// Later than any subject of its stamp.
const LAST: Stamp = Stamp { ms: u64::MAX, ctr: u16::MAX, omm: OmmId { pari: u32::MAX, member: u8::MAX } };

/// What somebody has, and so what he lacks.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Lacking {
    /// What he has of what OMMs wrote.
    pub vector: Vector,
    /// Whether he has what was written at the origin.
    pub origin: bool,
}

impl Lacking {
    /// Whether he lacks what was written with this stamp.
    pub fn lacks(&self, stamp: Stamp) -> bool {
        if stamp.omm == ORIGIN { !self.origin } else { !self.vector.covers(stamp) }
    }
}

impl Piece {
    fn write(&self, ink: &mut Ink) {
        match self {
            Piece::Sari(group) => {
                ink.number(0);
                ink.stamp(group.stamp);
                ink.text(&group.value.to_string());
            }
            Piece::Profile(id, group) => {
                ink.number(u64::from(*id));
                ink.stamp(group.stamp);
                ink.digest(&group.value.digest());
            }
            Piece::Device(record) => record.write(ink),
            Piece::User(record) => record.write(ink),
        }
    }
}

impl<A: Content, S: Content> Record<A, S> {
    /// Writes the whole record.
    fn write(&self, ink: &mut Ink) {
        fn group<T: Content>(ink: &mut Ink, group: &Group<T>) {
            ink.stamp(group.stamp);
            group.value.write(ink);
        }
        ink.stamp(self.id.0);
        ink.maybe(self.row.as_ref(), |ink, row| {
            ink.stamp(row.stamp);
            ink.number(u64::from(row.value));
        });
        ink.maybe(self.deleted.as_ref(), |ink, stamp| ink.stamp(*stamp));
        ink.maybe(self.merged.as_ref(), group);
        ink.maybe(self.admin.as_ref(), group);
        ink.maybe(self.second.as_ref(), group);
    }
}
