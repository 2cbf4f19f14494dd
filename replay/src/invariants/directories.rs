//! What must be so of every site's directory at every look: I1 to I4 and I7, and at the end, of all together, I6.
//!
//! A site is looked at when its directory may have changed, at most once a minute of virtual time and after each verb. A
//! [`Look`] is plain data, so that a test can show a directory that no directory of ours would ever be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;
use omm::directory::Directory;
use omm::directory::content::{Content, Digest};
use omm::directory::device::Device;
use omm::directory::key::Uid;
use omm::directory::piece::{Piece, Subject};
use omm::directory::record::Record;
use omm::directory::status::Status;
use omm::directory::user::User;
use omm::ids::Number;
use omm::ids::park::Sari;
use omm::stamp::{OmmId, Stamp};

use super::{Breaches, Finding};

/// When a deletion is on the disk at the latest. Ours: a virtual disk takes milliseconds, a slow one of a script seconds.
const DURABLE: Duration = Duration::from_secs(10);

/// What a site's directory holds and shows.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Everybody who is shown, by row.
    pub users: Vec<Arc<User>>,
    /// Every handset that is shown, by row.
    pub devices: Vec<Arc<Device>>,
    /// What was written of each record.
    pub records: Vec<(Subject, Written)>,
    /// The SARI on its disk.
    pub sari: Option<Sari>,
    /// Only in the last look of a run.
    pub last: Option<Last>,
}

/// What is looked at when a run is over.
#[derive(Clone, Debug)]
pub struct Last {
    /// Of all records.
    pub digest: Digest,
    /// Whom the OMM believes to own a user, or to have owned it last.
    pub owners: BTreeMap<Number, OmmId>,
}

/// What was written of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// When it was deleted.
    pub deleted: Option<Stamp>,
    /// When an administrator wrote what makes it alive; `None` when it is not.
    pub alive: Option<Stamp>,
}

impl Look {
    /// Looks at a directory, and at a SARI.
    pub fn at(directory: &Directory, sari: Option<Sari>) -> Look {
        let first = Uid::new(1);
        Look {
            users: first.into_iter().flat_map(|first| directory.users_from(first)).cloned().collect(),
            devices: directory.devices().cloned().collect(),
            records: directory
                .pieces()
                .filter_map(|piece| Some((piece.subject(), written(&piece)?)))
                .collect(),
            sari,
            last: None,
        }
    }
}

fn written(piece: &Piece) -> Option<Written> {
    fn of<A: Content, S: Content>(record: &Record<A, S>) -> Written {
        let admin = record.admin.as_ref().filter(|_| record.is_alive());
        Written { deleted: record.deleted, alive: admin.map(|admin| admin.stamp) }
    }
    match piece {
        Piece::Sari(_) => None,
        Piece::Profile(_, group) if group.value.is_none() => {
            Some(Written { deleted: Some(group.stamp), alive: None })
        }
        Piece::Profile(_, group) => Some(Written { deleted: None, alive: Some(group.stamp) }),
        Piece::Device(record) => Some(of(record)),
        Piece::User(record) => Some(of(record)),
    }
}

/// What is remembered of a site.
#[derive(Debug, Default)]
struct Site {
    /// The latest deletion of each record, and when it was seen first.
    graves: BTreeMap<Subject, (Stamp, Moment)>,
    sari: Option<Sari>,
    last: Option<Last>,
}

/// The directories of a run.
#[derive(Debug, Default)]
pub struct Directories {
    sites: BTreeMap<usize, Site>,
    names: Vec<Arc<str>>,
    looks: u64,
    twice: Breaches,
    bonds: Breaches,
    checks: Breaches,
    saris: Breaches,
    risen: Breaches,
}

impl Directories {
    /// Nobody has looked yet.
    pub(super) fn new(names: Vec<Arc<str>>) -> Directories {
        Directories { names, ..Directories::default() }
    }

    /// A site begins or ends: what it had not made durable may be gone. When it is `wiped`, so is everything else.
    pub(super) fn turn(&mut self, now: Moment, site: usize, wiped: bool) {
        let Some(known) = self.sites.get_mut(&site) else { return };
        if wiped {
            *known = Site::default();
        }
        known.graves.retain(|_, (_, since)| now.since(*since) >= DURABLE);
        known.last = None;
    }

    /// Looks at a site.
    pub(super) fn look(&mut self, now: Moment, at: usize, look: &Look) {
        self.looks += 1;
        let name = self.names.get(at).cloned().unwrap_or_default();
        self.keys(now, &name, look);
        self.relations(now, &name, look);
        let checks: Vec<&str> =
            look.users.iter().filter(|user| user.check_user).map(|user| user.number.as_str()).collect();
        if checks.len() > 1 {
            self.checks.add(now, || format!("at {name} they are {}", checks.join(" and ")));
        }
        let site = self.sites.entry(at).or_default();
        match (site.sari, look.sari) {
            (Some(before), after) if after != Some(before) => {
                let after = after.map_or("none".to_owned(), |after| after.to_string());
                self.saris.add(now, || format!("at {name} it was {before} and is {after}"));
            }
            (Some(_), _) => {}
            (None, after) => site.sari = after,
        }
        for (subject, Written { deleted, alive }) in &look.records {
            if let (Some((grave, _)), Some(alive)) = (site.graves.get(subject), alive)
                && alive <= grave
            {
                self.risen.add(now, || {
                    format!("at {name} {} was deleted at {grave} and is there as of {alive}", tell(*subject))
                });
            }
            if let Some(deleted) = deleted
                && site.graves.get(subject).is_none_or(|(grave, _)| grave < deleted)
            {
                site.graves.insert(*subject, (*deleted, now));
            }
        }
        site.last.clone_from(&look.last);
    }

    /// I1.
    fn keys(&mut self, now: Moment, name: &str, look: &Look) {
        let mut numbers = BTreeSet::new();
        for user in look.users.iter().filter(|user| !numbers.insert(&user.number)) {
            self.twice.add(now, || format!("at {name} two users have the number {}", user.number));
        }
        let mut ipeis = BTreeSet::new();
        let holders = look.devices.iter().filter(|device| device.status != Status::Conflict);
        for device in holders.filter(|device| !ipeis.insert(device.ipei)) {
            self.twice.add(now, || format!("at {name} two handsets have the IPEI {}", device.ipei));
        }
    }

    /// I2.
    fn relations(&mut self, now: Moment, name: &str, look: &Look) {
        let devices: BTreeMap<_, _> = look.devices.iter().map(|device| (device.ppn, device)).collect();
        let users: BTreeMap<_, _> = look.users.iter().map(|user| (user.uid, user)).collect();
        for user in &look.users {
            let device = user.ppn.and_then(|ppn| devices.get(&ppn));
            let is_mutual = device.is_some_and(|device| device.uid == Some(user.uid));
            if user.ppn.is_some() && !is_mutual {
                self.bonds.add(now, || {
                    format!("at {name} {} has a handset that another one has, or nobody", user.number)
                });
            }
        }
        for device in look.devices.iter().filter(|device| device.uid.is_some()) {
            let user = device.uid.and_then(|uid| users.get(&uid));
            if user.is_none_or(|user| user.ppn != Some(device.ppn)) {
                self.bonds.add(now, || format!("at {name} the user of {} is with another one", device.ipei));
            }
        }
    }

    /// I6, of those that were looked at last of all: whose directory is another one than that of the first.
    pub(super) fn differing(&self) -> Vec<String> {
        let mut digests = self.sites.iter().filter_map(|(at, site)| Some((*at, site.last.as_ref()?.digest)));
        let name = |at: usize| self.names.get(at).cloned().unwrap_or_default();
        let Some((first, digest)) = digests.next() else { return Vec::new() };
        digests
            .filter(|(_, other)| *other != digest)
            .map(|(at, _)| format!("{} and {} have different directories", name(first), name(at)))
            .collect()
    }

    /// Whom each site believes to own this user at last, in the order of the sites; `None` when nobody asked them.
    pub(super) fn owners(&self, user: &str) -> Option<Vec<(usize, OmmId)>> {
        let number = Number::new(user).ok()?;
        let asked = self.sites.iter().filter_map(|(at, site)| Some((*at, site.last.as_ref()?)));
        let told: Vec<_> = asked.map(|(at, last)| (at, last.owners.get(&number).copied())).collect();
        (!told.is_empty()).then(|| told.into_iter().filter_map(|(at, owner)| Some((at, owner?))).collect())
    }

    /// What came of it; nothing when nobody ever looked, as over a trace of a former run.
    pub(super) fn findings(self) -> Vec<Finding> {
        if self.looks == 0 {
            return Vec::new();
        }
        let finding = |id, says, breaches: Breaches| Finding { id, says, outcome: breaches.outcome() };
        vec![
            finding("I1", "no two users have one number, no two handsets one IPEI", self.twice),
            finding("I2", "a handset has one user, and a user one handset", self.bonds),
            finding("I3", "there is one check user at most", self.checks),
            finding("I4", "a SARI never changes", self.saris),
            finding("I7", "what was deleted stays so unless an administrator writes it later", self.risen),
        ]
    }
}

fn tell(subject: Subject) -> String {
    match subject {
        Subject::Sari => "the SARI".to_owned(),
        Subject::Profile(id) => format!("profile {id}"),
        Subject::Device(id) => format!("the handset created at {id}"),
        Subject::User(id) => format!("the user created at {id}"),
    }
}
