//! What is kept and synchronised: records made of registers that only grow (spec SM-7).
//!
//! ```text
//! record = id (the stamp of its creation), row, deleted?, merged into?, admin?, second?
//!
//! merge(a, b)   = the later of each                       commutative, associative, idempotent (I10)
//! alive         = admin is later than deleted             so only an administrator's later edit revives (I7)
//! ```
//!
//! What lies before the deletion is wiped, except the relation, which holds no secret and returns with a record that
//! is edited later than it was deleted: the whole record is revived, but the handset has to subscribe anew.

use std::sync::Arc;

use crate::directory::content::Content;
use crate::directory::device::{self, Subscription};
use crate::directory::key::Id;
use crate::directory::user::{self, Bond};
use crate::stamp::Stamp;

/// Something that was written at once, and when. Of two the later counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<T> {
    /// When, and by whom.
    pub stamp: Stamp,
    /// What.
    pub value: T,
}

/// One record: of a user or of a handset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<A, S> {
    /// When it was created.
    pub id: Id,
    /// The row asked for at its creation, or under which it was shown when it was edited later.
    pub row: Option<Group<u32>>,
    /// When it was last deleted.
    pub deleted: Option<Stamp>,
    /// The earlier record of the same natural key of which this is a part since.
    pub merged: Option<Group<Id>>,
    /// What the administrator wrote.
    pub admin: Option<Group<Arc<A>>>,
    /// The other group: a user's relation, a handset's subscription.
    pub second: Option<Group<S>>,
}

/// The record of a user.
pub type UserRecord = Record<user::Admin, Option<Bond>>;
/// The record of a handset.
pub type DeviceRecord = Record<device::Admin, Arc<Subscription>>;

impl<T: Content> Group<T> {
    /// Whether `self` wins against `other`. Equal stamps with different contents come only from peers that know whole
    /// seconds; there the higher digest wins, so that all decide the same (spec 6.1).
    fn beats(&self, other: &Group<T>) -> bool {
        self.stamp > other.stamp
            || self.stamp == other.stamp
                && self.value != other.value
                && self.value.digest() > other.value.digest()
    }
}

/// Takes the later of both; whether that changed anything.
pub(super) fn raise<T: Content>(own: &mut Option<Group<T>>, other: Option<Group<T>>) -> bool {
    match (&*own, other) {
        (_, None) => false,
        (Some(held), Some(other)) if !other.beats(held) => false,
        (_, Some(other)) => {
            *own = Some(other);
            true
        }
    }
}

impl<A: Content, S: Content> Record<A, S> {
    /// A record of which nothing is known but that it was created.
    pub fn new(id: Id) -> Record<A, S> {
        Record { id, row: None, deleted: None, merged: None, admin: None, second: None }
    }

    /// The row it asks for.
    pub fn asked(&self) -> Option<u32> {
        self.row.as_ref().map(|group| group.value)
    }

    /// Whether it is there.
    pub fn is_alive(&self) -> bool {
        let is_later = |admin: &Group<_>| self.deleted.is_none_or(|deleted| admin.stamp > deleted);
        // Without its row it has not come completely yet.
        self.row.is_some() && self.admin.as_ref().is_some_and(is_later)
    }

    /// Takes in what another OMM knows of the same record; whether that changed anything.
    pub fn merge(&mut self, other: Record<A, S>) -> bool {
        let before = self.deleted;
        self.deleted = self.deleted.max(other.deleted);
        let mut changed = self.deleted != before;
        let (admin, second) = (other.sifted_admin(self.deleted), other.sifted_second(self.deleted));
        changed |= raise(&mut self.row, other.row);
        changed |= raise(&mut self.merged, other.merged);
        changed |= raise(&mut self.admin, admin);
        changed |= raise(&mut self.second, second);
        self.sift();
        changed
    }

    /// Takes in the groups of another record that is a part of this one, all but its identity.
    pub fn absorb(&mut self, other: &Record<A, S>) {
        let other = Record { id: self.id, row: None, merged: None, ..other.clone() };
        self.merge(other);
    }

    fn sifted_admin(&self, deleted: Option<Stamp>) -> Option<Group<Arc<A>>> {
        self.admin.clone().filter(|admin| deleted.is_none_or(|deleted| admin.stamp > deleted))
    }

    fn sifted_second(&self, deleted: Option<Stamp>) -> Option<Group<S>> {
        let outlives = |second: &Group<S>| S::OUTLIVES || deleted.is_none_or(|at| second.stamp > at);
        self.second.clone().filter(outlives)
    }

    /// Wipes what lies before the deletion. It depends on stamps alone, so that it may be done at any time.
    fn sift(&mut self) {
        (self.admin, self.second) = (self.sifted_admin(self.deleted), self.sifted_second(self.deleted));
    }

    /// The latest stamp in it.
    pub fn latest(&self) -> Stamp {
        self.stamps().last().map_or(self.id.0, |last| self.id.0.max(*last))
    }
}
