//! Users, handsets and who is with which (spec 6.2, 6.4, I1 to I3): records that merge, and what they show together.
//!
//! ```text
//!  edits here   ---> [records] <--- merge with those of other sites (SM-7)
//!                       |
//!                       v  a pure function
//!                    [what is shown]: numbers and IPEIs are unique, a user and a handset are one-to-one, ...
//!
//!            login(handset)                     attach(handset, Fixed)
//! Unbound ------------------> Dynamic(handset) -------------> Fixed(handset)
//!    ^   <------------------     |  ^ login elsewhere moves     |  login/logout refused
//!    |        logout             +--+                           |
//!    +----------------------------------------------------------+ detach (administrator)
//! ```
//!
//! - [`edit`]: what may be changed, and [`refusal`] why not. [`record`]: what is kept and synchronised.
//! - [`user`], [`device`], [`profile`], [`status`]: what is shown. [`key`]: by what they are known, [`login`] at phones.
//!
//! Every operation either does all it says or refuses and changes nothing. What a roam event is (spec 6.4: every
//! change of [`serve`]) is for the caller to see: the operations return what is shown differently.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::claim::{Claim, Phase};
use crate::directory::book::Book;
use crate::directory::device::Device;
use crate::directory::edit::Changed;
use crate::directory::key::{Id, Ppn, Uid};
use crate::directory::piece::Log;
use crate::directory::profile::{Profile, Text};
use crate::directory::record::Group;
use crate::directory::user::{Relation, User};
use crate::ids::park::Sari;
use crate::ids::{Ipei, Number};
use crate::platform::Platform;
use crate::stamp::OmmId;

mod book;
mod carried;
pub mod content;
pub mod device;
pub mod edit;
mod editing;
pub mod key;
pub mod login;
pub mod piece;
mod planting;
pub mod profile;
pub mod record;
pub mod refusal;
pub mod restore;
mod show;
pub mod status;
pub mod sync;
mod system;
pub mod tombstone;
pub mod user;
pub mod vector;

/// All users, handsets and profiles that one OMM knows.
#[derive(Clone)]
pub struct Directory {
    users: Book<show::Users>,
    devices: Book<show::Devices>,
    profiles: BTreeMap<u8, Group<Option<Arc<Text>>>>,
    sari: Option<Group<Sari>>,
    /// Users by the record of the handset they ask for.
    bonds: BTreeMap<Id, BTreeSet<Id>>,
    /// What each user asks for, as it stands in `bonds`.
    bonded: BTreeMap<Id, Id>,
    /// Who wants to be the check user.
    checks: BTreeSet<Id>,
    shown: Shown,
    log: Log,
    /// What changed since somebody was last told.
    changed: Changed,
    turns: u64,
}

/// What the records show together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    users: BTreeMap<Uid, Arc<User>>,
    devices: BTreeMap<Ppn, Arc<Device>>,
    numbers: BTreeMap<Number, Uid>,
    /// Users by the id that they log in with, where a site wants that.
    ids: BTreeMap<Number, BTreeSet<Uid>>,
    ipeis: BTreeMap<Ipei, Ppn>,
    uids: BTreeMap<Id, Uid>,
    ppns: BTreeMap<Id, Ppn>,
    profiles: BTreeMap<u8, Profile>,
}

impl Directory {
    /// An empty directory with the limits of this platform.
    pub fn new(platform: Platform) -> Directory {
        // "Phones" are handsets; a bound on users of the same size is ours, so that neither table is unbounded.
        Directory {
            users: Book::new(platform.phones_max()),
            devices: Book::new(platform.phones_max()),
            profiles: BTreeMap::new(),
            sari: None,
            bonds: BTreeMap::new(),
            bonded: BTreeMap::new(),
            checks: BTreeSet::new(),
            shown: Shown::default(),
            log: Log::default(),
            changed: Changed::default(),
            turns: 0,
        }
    }

    /// How often it was told something, be it news or not: whoever has seen it at so many turns need not look again.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// The user with this number. It may be served only when its status is active.
    pub fn user(&self, number: &Number) -> Option<&Arc<User>> {
        self.shown.users.get(self.shown.numbers.get(number)?)
    }

    /// The user in this row.
    pub fn user_at(&self, uid: Uid) -> Option<&Arc<User>> {
        self.shown.users.get(&uid)
    }

    /// The row of the user with this number.
    pub fn uid_of(&self, number: &Number) -> Option<Uid> {
        self.shown.numbers.get(number).copied()
    }

    /// The handset with this IPEI. Of several that ask for one IPEI it is the one that has it.
    pub fn device(&self, ipei: Ipei) -> Option<&Arc<Device>> {
        self.shown.devices.get(self.shown.ipeis.get(&ipei)?)
    }

    /// The handset in this row.
    pub fn device_at(&self, ppn: Ppn) -> Option<&Arc<Device>> {
        self.shown.devices.get(&ppn)
    }

    /// The user that is with this handset.
    pub fn user_of(&self, ipei: Ipei) -> Option<&Arc<User>> {
        self.user_at(self.device(ipei)?.uid?)
    }

    /// The handset that this user is with.
    pub fn device_of(&self, number: &Number) -> Option<&Arc<Device>> {
        self.device_at(self.user(number)?.ppn?)
    }

    /// All users, by number.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        // Every number stands for a user.
        self.shown.numbers.values().map(|uid| &self.shown.users[uid])
    }

    /// All users from this row on, by row.
    pub fn users_from(&self, uid: Uid) -> impl Iterator<Item = &Arc<User>> {
        self.shown.users.range((Bound::Included(uid), Bound::Unbounded)).map(|(_, user)| user)
    }

    /// All handsets, by row.
    pub fn devices(&self) -> impl ExactSizeIterator<Item = &Arc<Device>> {
        self.shown.devices.values()
    }

    /// All handsets from this row on, by row.
    pub fn devices_from(&self, ppn: Ppn) -> impl Iterator<Item = &Arc<Device>> {
        self.shown.devices.range((Bound::Included(ppn), Bound::Unbounded)).map(|(_, device)| device)
    }

    /// All profiles, by id.
    pub fn profiles(&self) -> impl ExactSizeIterator<Item = &Profile> {
        self.shown.profiles.values()
    }

    /// The profile with this id.
    pub fn profile(&self, id: u8) -> Option<&Profile> {
        self.shown.profiles.get(&id)
    }

    /// The SARI of the system, once it is known.
    pub fn sari(&self) -> Option<Sari> {
        self.sari.as_ref().map(|group| group.value)
    }

    /// Which handset a phone is to this directory that proves to be the user's and shows this IPEI: the one that a
    /// login on it leads to. A fixed user has only one; a handset that nobody knows or that may not be
    /// logged in on counts as the one that the user is with.
    pub fn handset(&self, number: &Number, shown: Option<Ipei>) -> Option<Ipei> {
        let user = self.user(number)?;
        let roams = |ipei: &Ipei| self.device(*ipei).is_some_and(|device| device.admin.pari_only.is_none());
        match user.relation {
            Relation::Fixed(own) => Some(own),
            Relation::Unbound | Relation::Dynamic(_) => shown.filter(roams).or(user.device()),
        }
    }

    /// Where this user is served, given the newest claim about it.
    pub fn serve(&self, number: &Number, newest: Option<&Claim>) -> Option<OmmId> {
        serve(self.user(number)?, newest)
    }
}

/// Where a user is served (spec 6.4): at the owner of the handset that the user is with, if the handset is there.
/// A claim about a handset that the user has left since serves nobody.
pub fn serve(user: &User, newest: Option<&Claim>) -> Option<OmmId> {
    let claim = newest?;
    (claim.phase == Phase::Here && user.device() == Some(claim.device)).then_some(claim.owner)
}

impl std::fmt::Debug for Directory {
    /// Only how much there is: it holds everybody's passwords, and thousands of records.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Directory({} users, {} devices)", self.shown.users.len(), self.shown.devices.len())
    }
}

#[cfg(test)]
mod tests;
