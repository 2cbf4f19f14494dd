//! A backup is put back: what each mode makes of its records (SM-7; M-2.3.5-a, -b, -d, -e; AMB-9).
//!
//! | here since the backup | `Merge` | `Authoritative` | `Mitel` |
//! |---|---|---|---|
//! | nothing | nothing | written anew | nothing |
//! | changed | stays as it is | as in the backup | stays as it is |
//! | deleted | stays deleted | comes back | comes back |
//! | created | stays | is deleted | stays |
//! | lost, nobody here knows it | comes back | comes back | comes back |
//!
//! What comes back against a deletion is stamped now, or the deletion would win at every other OMM. What is merged keeps
//! its stamps. Relations are restored with the rest; those of users who were logged in can be ended instead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Directory;
use super::book::{Book, Kind};
use super::editing::Subject;
use crate::directory::content::Content;
use crate::directory::device::Device;
use crate::directory::key::Id;
use crate::directory::piece::Piece;
use crate::directory::profile::PROFILES_MAX;
use crate::directory::record::{DeviceRecord, Group, Record, UserRecord};
use crate::directory::refusal::Refusal;
use crate::directory::tombstone::KEPT;
use crate::directory::user::{Bond, Relation, User};
use crate::stamp::Stamp;

/// How far ahead of now a stamp in a backup may be (spec SM-7: what is more than 30 s ahead is quarantined).
const AHEAD: Duration = Duration::from_secs(30);

/// What counts: the backup, or what is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Whichever was written later, deletions included.
    Merge,
    /// The backup: all is as it was then. At the central only.
    Authoritative,
    /// Whichever was written later, but a deletion does not count: as the vendor's OMM does it.
    Mitel,
}

/// A backup that is to be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// What is in it.
    pub pieces: Vec<Piece>,
    /// When it was taken, in milliseconds since 1970.
    pub taken: u64,
    /// What counts.
    pub mode: Mode,
    /// Whether who was logged in then is so again; otherwise all dynamic users are logged out (M-2.3.5-e).
    pub preserve_relations: bool,
}

/// Stamps, each later than the one before: pages of a synchronisation end between stamps, so that a thousand records
/// with one stamp could not be cut.
struct Mint(Stamp);

impl Mint {
    fn next(&mut self) -> Stamp {
        self.0 = self.0.above(self.0);
        self.0
    }
}

impl Directory {
    /// Puts a backup back, all or nothing.
    pub(super) fn restore(&mut self, stamp: Stamp, restore: Restore) -> Result<Subject, Refusal> {
        let Restore { pieces, taken, mode, preserve_relations } = restore;
        self.may_restore(stamp, &pieces, taken, mode)?;
        let mut backup = self.blank();
        backup.merge(pieces.iter().cloned());
        let mut mint = Mint(self.latest().map_or(stamp, |latest| stamp.above(latest)));
        let pieces = match mode {
            Mode::Merge => pieces,
            Mode::Authoritative => self.replaced(&backup, &mut mint),
            Mode::Mitel => self.revived(&backup, pieces, &mut mint),
        };
        // What changed is told by the edit as a whole.
        self.changed = self.merge(pieces);
        if !preserve_relations {
            let dynamic = |user: &&Arc<User>| matches!(user.relation, Relation::Dynamic(_));
            let users: Vec<Arc<User>> = self.users().filter(dynamic).cloned().collect();
            for user in users {
                self.relate(mint.next(), &user, None);
            }
        }
        Ok(Subject::default())
    }

    fn may_restore(&self, stamp: Stamp, pieces: &[Piece], taken: u64, mode: Mode) -> Result<(), Refusal> {
        let refuse = |expected| Err(Refusal::Invalid { field: "backup", expected });
        let sari = pieces.iter().find_map(|piece| match piece {
            Piece::Sari(group) => Some(group.value),
            Piece::Profile(..) | Piece::Device(_) | Piece::User(_) => None,
        });
        if let (Some(own), Some(other)) = (self.sari(), sari)
            && own != other
        {
            return Err(Refusal::SariSet(own));
        }
        let end = stamp.ms.saturating_add(millis(AHEAD));
        if pieces.iter().flat_map(Piece::stamps).any(|stamp| stamp.ms > end) {
            return refuse("no stamps of the future; look at the clock of this OMM");
        }
        // Ours: a deletion that is forgotten already could not keep a deleted user from coming back.
        if mode == Mode::Merge && stamp.ms.saturating_sub(taken) > millis(KEPT) {
            return refuse(
                "one that is at most 90 days old; an older one can only be restored as authoritative",
            );
        }
        Ok(())
    }

    /// An empty directory with the same limits.
    fn blank(&self) -> Directory {
        Directory {
            users: Book::new(self.users.limit()),
            devices: Book::new(self.devices.limit()),
            ..Directory::new(crate::platform::Platform::Pc)
        }
    }

    /// All that the backup shows, written now; and the end of all else.
    fn replaced(&self, backup: &Directory, mint: &mut Mint) -> Vec<Piece> {
        let mut places = BTreeMap::new();
        let mut pieces = Vec::new();
        pieces.extend(backup.sari.clone().map(Piece::Sari));
        for id in 1..=PROFILES_MAX {
            let value = backup.profile(id).map(|profile| profile.text.clone());
            if value.is_some() || self.profile(id).is_some() {
                pieces.push(Piece::Profile(id, Group { stamp: mint.next(), value }));
            }
        }
        for device in backup.devices() {
            let stamp = mint.next();
            let id = place(&self.devices, device.id, stamp);
            places.insert(device.id, id);
            pieces.push(Piece::Device(anew_device(device, id, stamp)));
        }
        let kept: BTreeSet<Id> = places.values().copied().collect();
        for gone in outside(&self.devices, &kept) {
            pieces
                .push(Piece::Device(DeviceRecord { deleted: Some(mint.next()), ..DeviceRecord::new(gone) }));
        }
        let mut kept = BTreeSet::new();
        for user in backup.users() {
            let stamp = mint.next();
            let id = place(&self.users, user.id, stamp);
            kept.insert(id);
            pieces.push(Piece::User(anew_user(user, id, stamp, backup, &places)));
        }
        for gone in outside(&self.users, &kept) {
            pieces.push(Piece::User(UserRecord { deleted: Some(mint.next()), ..UserRecord::new(gone) }));
        }
        pieces
    }

    /// What the backup has with its old stamps, and what is deleted or not known here with new ones.
    fn revived(&self, backup: &Directory, pieces: Vec<Piece>, mint: &mut Mint) -> Vec<Piece> {
        let mut revived: Vec<Piece> = pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Device(record) => record.is_alive().then(|| Piece::Device(undeleted(record))),
                Piece::User(record) => record.is_alive().then(|| Piece::User(undeleted(record))),
                Piece::Profile(_, Group { value: None, .. }) => None,
                Piece::Sari(_) | Piece::Profile(..) => Some(piece),
            })
            .collect();
        for device in backup.devices() {
            // Whoever has the IPEI by now is what it has become.
            if !is_alive(&self.devices, device.id) && self.device(device.ipei).is_none() {
                let id = place(&self.devices, device.id, mint.next());
                revived.push(Piece::Device(anew_device(device, id, mint.0)));
            }
        }
        for user in backup.users() {
            if !is_alive(&self.users, user.id) && self.user(&user.number).is_none() {
                let id = place(&self.users, user.id, mint.next());
                revived.push(Piece::User(anew_user(user, id, mint.0, backup, &BTreeMap::new())));
            }
        }
        revived
    }
}

/// The identity under which a record of the backup is written here: another one where it is a part of another record by
/// now, which cannot be undone.
fn place<K: Kind>(book: &Book<K>, id: Id, stamp: Stamp) -> Id {
    if book.root(id) == id { id } else { Id(stamp) }
}

/// The living records here that are neither kept nor a part of one that is.
fn outside<K: Kind>(book: &Book<K>, kept: &BTreeSet<Id>) -> Vec<Id> {
    let gone = |record: &&Record<K::Admin, K::Second>| {
        record.is_alive() && !kept.contains(&record.id) && !kept.contains(&book.root(record.id))
    };
    book.records().values().filter(gone).map(|record| record.id).collect()
}

fn is_alive<K: Kind>(book: &Book<K>, id: Id) -> bool {
    book.records().get(&id).is_some_and(Record::is_alive)
}

fn undeleted<A: Content, S: Content>(record: Record<A, S>) -> Record<A, S> {
    Record { deleted: None, ..record }
}

fn anew_device(device: &Device, id: Id, stamp: Stamp) -> DeviceRecord {
    let mut record = DeviceRecord::new(id);
    record.row = Some(Group { stamp, value: device.ppn.get() });
    record.admin = Some(Group { stamp, value: device.admin.clone() });
    record.second = Some(Group { stamp, value: device.subscription.clone() });
    record
}

fn anew_user(user: &User, id: Id, stamp: Stamp, backup: &Directory, places: &BTreeMap<Id, Id>) -> UserRecord {
    let device = user.ppn.and_then(|ppn| backup.device_at(ppn)).map(|device| device.id);
    let device = device.map(|device| places.get(&device).copied().unwrap_or(device));
    let bond = user.relation.kind().zip(device).map(|(kind, device)| Bond { kind, device });
    let mut record = UserRecord::new(id);
    record.row = Some(Group { stamp, value: user.uid.get() });
    record.admin = Some(Group { stamp, value: Arc::new(user.shown()) });
    record.second = Some(Group { stamp, value: bond });
    record
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
