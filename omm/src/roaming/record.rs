//! What the store keeps of one user at one OMM: all that a restart needs (B-1).

use std::time::Duration;

use machine::time::Wall;

use crate::claim::{Claim, Phase};
use crate::ids::{Ipei, Number};
use crate::stamp::{OmmId, Stamp};

/// The newest claim that this OMM knows of, and what it still owes on its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose record.
    pub user: Number,
    /// The handset of the newest claim.
    pub device: Ipei,
    /// The newest claim's epoch.
    pub epoch: Stamp,
    /// Who made it.
    pub owner: OmmId,
    /// The owner before that.
    pub former: Option<OmmId>,
    /// The OMM whose claim everybody who was asked has confirmed, lately (`ommIdAck`).
    pub acked: Option<OmmId>,
    /// Whether the handset is with the owner.
    pub phase: Phase,
    /// The last proof of presence that this OMM knows of, by its own calendar.
    pub last_locreg: Wall,
    /// Who has yet to confirm, when the owner is this OMM.
    pub awaited: Vec<Awaited>,
    /// What stands of this OMM's own registration.
    pub contact: Contact,
}

/// An OMM that has yet to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Who.
    pub from: OmmId,
    /// A confirmation of this epoch or a later one will do.
    pub epoch: Stamp,
}

/// What stands of an OMM's own registration of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// Nothing.
    Nothing,
    /// It stands, or the line tries to make it stand.
    Standing,
    /// It is being removed, and the removal has no final answer.
    Leaving,
    /// The removal was refused or is long overdue; the line keeps trying until the registration would have ended.
    Doubtful,
}

impl Record {
    /// The claim of this record, for the star's table; `wall` is the calendar time now.
    pub fn claim(&self, wall: Wall) -> Claim {
        Claim {
            user: self.user.clone(),
            device: self.device,
            epoch: self.epoch,
            owner: self.owner,
            former: self.former,
            phase: self.phase,
            age: self.age(wall),
        }
    }

    /// Time since the last proof of presence, by the calendar.
    pub fn age(&self, wall: Wall) -> Duration {
        wall.since(self.last_locreg)
    }
}
