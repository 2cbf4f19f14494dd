//! One user at one OMM (spec SM-2).

use machine::time::Wall;

use crate::claim::{Outcome, Word};
use crate::ids::Ipei;
use crate::stamp::{OmmId, Stamp};
use crate::watchdog::Verdict;
use record::Record;

pub mod policy;
pub mod record;

/// A phone's request that waits for an answer: given by the actor, handed back in `Admit` or `Refuse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask(pub u64);

/// What can happen to a user at an OMM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A location registration or a login here.
    Located {
        /// The handset.
        device: Ipei,
        /// Who waits for the answer; `None` when it came by the location API.
        ask: Option<Ask>,
        /// Fresh.
        stamp: Stamp,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The phone said goodbye (power off).
    Detached {
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The user logged out here, was deleted, or its relation no longer leads here (spec 6.4).
    Withdrawn {
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The star brought a word about this user.
    Heard {
        /// What was said.
        word: Word,
        /// Fresh: minted after the word was heard.
        stamp: Stamp,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// A link is in step again ([`crate::star::Effect::Joined`]).
    LinkUp,
    /// The line's REGISTER succeeded (the first one or a renewal).
    Bound,
    /// The registrar refused or nobody answered; the line goes on trying by itself. After [`Effect::Query`]: the
    /// registrar could not be asked.
    Unbound,
    /// The line's removal ended. After `Unknown` or `Failed` a late `Removed` may follow.
    Released(Outcome),
    /// What the registrar lists for this user besides our own contact. The answer to [`Effect::Query`], empty or
    /// not; at other times only when there is something to see.
    Sighted {
        /// Contacts of sibling OMMs.
        sightings: Vec<Sighting>,
        /// Fresh.
        stamp: Stamp,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// A call of this user began or ended here (SM-4).
    Call {
        /// Whether a call is going on now.
        active: bool,
        /// The calendar time of this OMM.
        wall: Wall,
    },
}

/// A contact of a sibling OMM in the registrar's list (evidence, B-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whose contact.
    pub owner: OmmId,
    /// The epoch it carries.
    pub epoch: Stamp,
    /// The contact itself, to be handed back in [`Effect::Evict`].
    pub contact: String,
}

/// What a user at an OMM wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make this durable; no later effect may be performed before it is.
    Save(Record),
    /// Tell the phone yes.
    Admit(Ask),
    /// Tell the phone no.
    Refuse(Ask, Refusal),
    /// Register now; the contact carries this epoch (M-2.1.4.1-a). Also used when the epoch changes. Calls off a
    /// removal that is still going on.
    Bind {
        /// What the contact carries.
        epoch: Stamp,
    },
    /// One more REGISTER, at once, whatever the line's back-off says (M-2.1.4.1-e).
    Renew,
    /// Remove every registration of this user (M-2.1.4.1-c); answered by [`Input::Released`].
    Unbind,
    /// Ask the registrar what it lists, before anything is registered (after a restart); answered by
    /// [`Input::Sighted`] or [`Input::Unbound`].
    Query,
    /// Remove these sibling contacts together with the next own REGISTER.
    Evict(Vec<String>),
    /// Tell the other OMMs.
    Say(Word),
    /// What the watchdog found (user monitoring, SM-4).
    Watch(Verdict),
    /// Tell the operator.
    Alarm(Alarm),
}

/// Why a phone is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The handset may only be at another OMM (6.4, R-14).
    PariOnlyElsewhere,
    /// Nobody is known here by that name.
    Unknown,
    /// A newer location registration, here or elsewhere, overtook this one while it waited.
    Overtaken,
}

/// What the operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A handset that may only be at one OMM was seen at another.
    PariOnlySeen,
    /// This OMM's calendar runs ahead of ours (B-9, R-12).
    ClockAhead(OmmId),
    /// The handset roams so often that two radio coverages must overlap.
    Overlap,
    /// The handset was silent for too long; its registration is removed (M-2.1.4.3-b).
    WatchdogRemoval,
    /// The former owner has not confirmed: two OMMs may register the user (M-2.1.4.2-e).
    DoubleRegistration,
}
