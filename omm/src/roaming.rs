//! CONTRACT of SM-2 (the helper who owns this file writes the story, the table and the machine).

use std::time::Duration;

use crate::claim::{Claim, Confirm, Outcome, Phase, Stale, Word};
use crate::ids::{Ipei, Number};
use crate::stamp::{OmmId, Stamp};
use machine::time::{Moment, Wall};

/// A phone's request that waits for an answer: given by the actor, handed back in `Admit` / `Refuse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask(pub u64);

pub enum Input {
    /// Location registration or login here (`None`: by the location API, nobody waits for an answer).
    Located { device: Ipei, ask: Option<Ask>, stamp: Stamp, wall: Wall },
    /// The phone said goodbye (power off).
    Detached { wall: Wall },
    /// The user logged out here, was deleted, or its relation no longer leads here (spec 6.4).
    Withdrawn { wall: Wall },
    /// The star brought a word about this user. `stamp` is fresh: minted after the word was heard.
    Heard { word: Word, stamp: Stamp, wall: Wall },
    /// The link to the central came up.
    LinkUp,
    /// The line's REGISTER succeeded (first time or after a renewal).
    Bound,
    /// The registrar refused or nobody answered; the line goes on trying by itself.
    Unbound,
    /// The line's removal ended. A second one may follow (`Removed` after `Unknown`): SM-2 "cleanup entry".
    Released(Outcome),
    /// What the registrar lists for this user besides our own contact.
    Sighted { sightings: Vec<Sighting>, stamp: Stamp, wall: Wall },
    /// A call of this user began or ended here (SM-4).
    Call { active: bool, wall: Wall },
}

/// A contact of a sibling OMM in the registrar's list (evidence, B-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting { pub owner: OmmId, pub epoch: Stamp, pub contact: String }

pub enum Effect {
    /// Make this durable; no later effect may be performed before it is.
    Save(Record),
    Admit(Ask),
    Refuse(Ask, Refusal),
    /// Register now; the contact carries this epoch (M-2.1.4.1-a). Also used when the epoch changes.
    Bind { epoch: Stamp },
    /// One more REGISTER (M-2.1.4.1-e).
    Renew,
    /// Remove every registration of this user (M-2.1.4.1-c).
    Unbind,
    /// Ask the registrar what it lists, before anything is registered (after a restart).
    Query,
    /// Remove these sibling contacts together with the next own REGISTER.
    Evict(Vec<String>),
    /// Tell the other OMMs.
    Say(Word),
    Alarm(Alarm),
}
pub enum Refusal { PariOnlyElsewhere, Unknown }
pub enum Alarm { PariOnlySeen, ClockAhead(OmmId), Overlap, WatchdogRemoval, DoubleRegistration }

/// What the store keeps of one user at one OMM.
pub struct Record { /* user, device, epoch, owner, acked: Option<OmmId> (ommIdAck), former, phase, last_locreg: Wall, ... */ }
