//! When a deletion may be forgotten at last (spec SM-7: 90 days old, and every OMM of the system has it).

use std::collections::BTreeSet;
use std::time::Duration;

use super::Directory;
use super::book::{Book, Kind};
use super::piece::{Log, Subject};
use crate::directory::edit::Changed;
use crate::directory::key::Id;
use crate::directory::record::Record;
use crate::directory::vector::Vector;
use crate::stamp::{ORIGIN, Stamp};

/// How long a deletion is kept at least (spec 8).
pub const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// What may be forgotten: said by the central, so that all forget the same.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Horizon {
    /// What every OMM of the system has.
    pub known: Vector,
    /// Deletions up to here, in milliseconds since 1970, are old enough.
    pub before: u64,
}

impl Horizon {
    /// Takes in a later one: a horizon never comes back.
    pub fn raise(&mut self, other: &Horizon) {
        self.known.raise_all(&other.known);
        self.before = self.before.max(other.before);
    }
}

impl Directory {
    /// Forgets the deleted records that lie behind the horizon; returns which.
    pub fn collect(&mut self, horizon: &Horizon) -> (BTreeSet<Subject>, Changed) {
        let mut gone = forget(&mut self.users, &mut self.log, Subject::User, horizon);
        gone.extend(forget(&mut self.devices, &mut self.log, Subject::Device, horizon));
        let changed = self.settle();
        (gone, changed)
    }

    /// Forgets these records without a trace, unless they hold anything later; returns which.
    pub fn drop_forgotten(&mut self, subjects: &[(Subject, Stamp)]) -> (BTreeSet<Subject>, Changed) {
        let mut gone = BTreeSet::new();
        for (subject, latest) in subjects {
            let Some(piece) = self.piece(*subject) else { continue };
            let stamps = piece.stamps();
            if stamps.last().is_some_and(|last| last > latest) {
                continue;
            }
            match subject {
                Subject::User(id) => self.users.forget(*id),
                Subject::Device(id) => self.devices.forget(*id),
                Subject::Sari | Subject::Profile(_) => continue,
            }
            self.log.turn(*subject, &stamps, &BTreeSet::new());
            gone.insert(*subject);
        }
        let changed = self.settle();
        (gone, changed)
    }

    /// How many deleted records are kept.
    pub fn tombstones(&self) -> usize {
        let users = self.users.records().values().filter(|record| record.deleted.is_some());
        let devices = self.devices.records().values().filter(|record| record.deleted.is_some());
        users.filter(|record| !record.is_alive()).count()
            + devices.filter(|record| !record.is_alive()).count()
    }
}

fn forget<K: Kind>(
    book: &mut Book<K>,
    log: &mut Log,
    subject: fn(Id) -> Subject,
    horizon: &Horizon,
) -> BTreeSet<Subject> {
    let old = |record: &Record<K::Admin, K::Second>| {
        record.merged.is_none() && record.deleted.is_some_and(|deleted| deleted.ms <= horizon.before)
    };
    let tops: Vec<Id> =
        book.records().values().filter(|record| old(record)).map(|record| record.id).collect();
    let mut gone = BTreeSet::new();
    for top in tops {
        let parts = book.parts(top);
        let is_dead = book.whole(top).is_some_and(|whole| !whole.is_alive());
        let is_behind = |id: &Id| {
            // A configuration file would create it again, so its deletion is never forgotten.
            id.0.omm != ORIGIN
                && book.records().get(id).is_some_and(|record| {
                    record
                        .stamps()
                        .into_iter()
                        .all(|stamp| stamp.omm == ORIGIN || horizon.known.covers(stamp))
                })
        };
        if !is_dead || !parts.iter().all(is_behind) {
            continue;
        }
        for id in parts {
            let stamps = book.records().get(&id).map(Record::stamps).unwrap_or_default();
            log.turn(subject(id), &stamps, &BTreeSet::new());
            book.forget(id);
            gone.insert(subject(id));
        }
    }
    gone
}
