//! What OMMs say to each other about a roam (spec SM-2).
//!
//! All of it travels over the star unchanged and in order (AMB-1). Each message is idempotent by its epoch.

use std::time::Duration;

use crate::ids::{Ipei, Number};
use crate::stamp::{OmmId, Stamp};

/// "The phone of this user is with me": the Roaming group of one user, as its owner last wrote it (M-2.1.4.1-b).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose phone it is.
    pub user: Number,
    /// The handset the user is logged in on.
    pub device: Ipei,
    /// The totally ordered stamp of this roam; the newest wins.
    pub epoch: Stamp,
    /// The OMM that claims.
    pub owner: OmmId,
    /// The owner that the claimer knew before; it is the one asked to confirm (AMB-4).
    pub former: Option<OmmId>,
    /// Whether the phone is with the owner now.
    pub phase: Phase,
    /// Time since the phone's last proof of presence at the owner, by monotonic clocks; every relay adds the time
    /// it held the message. It arbitrates between wrong wall clocks (B-9).
    pub age: Duration,
}

/// Whether the owner still sees the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The phone proved its presence within the watchdog's time.
    Here,
    /// The phone detached, logged out or ran into the watchdog; the owner serves nobody and need not confirm.
    Gone,
}

/// "My registration is gone" (M-2.1.4.1-d), or what else became of it (AMB-2, B-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// Whose roam this confirms.
    pub user: Number,
    /// The epoch of the claim that is confirmed; it covers older ones.
    pub epoch: Stamp,
    /// The former owner that speaks.
    pub from: OmmId,
    /// What became of the former owner's registration.
    pub outcome: Outcome,
}

/// What became of a registration that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The registrar answered 2xx to the removal and no longer lists the contact.
    Removed,
    /// There was nothing to remove.
    None,
    /// The registrar refused the removal.
    Failed,
    /// Nobody knows: the removal timed out (RFC 4321: the two sides may disagree).
    Unknown,
}

/// "You are late: I know a newer claim" (B-9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Who sent the late claim and is to hear this.
    pub to: OmmId,
    /// The claim that the speaker stands by. Its `age` is the presence age at the speaker.
    pub claim: Claim,
}

/// Everything that OMMs say to each other about roams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// See [`Claim`].
    Claim(Claim),
    /// See [`Confirm`].
    Confirm(Confirm),
    /// See [`Stale`].
    Stale(Stale),
}

impl Word {
    /// The user it is about.
    pub fn user(&self) -> &Number {
        match self {
            Word::Claim(claim) => &claim.user,
            Word::Confirm(confirm) => &confirm.user,
            Word::Stale(stale) => &stale.claim.user,
        }
    }
}
