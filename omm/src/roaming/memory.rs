//! What a user's machine keeps in mind.

use machine::time::{Moment, Wall};
use machine::timers;

use super::Ask;
use crate::claim::{Outcome, Phase};
use crate::ids::Ipei;
use crate::presence::Presence;
use crate::stamp::{OmmId, Stamp};

/// The newest claim known; its age is kept apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) device: Ipei,
    pub(super) epoch: Stamp,
    pub(super) owner: OmmId,
    pub(super) former: Option<OmmId>,
    pub(super) phase: Phase,
}

/// A claim that has to wait: for our removal to end, or because the handset flaps.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) device: Ipei,
    pub(super) ask: Option<Ask>,
    pub(super) epoch: Stamp,
    /// Who is to be named as former owner, and whether it has to confirm.
    pub(super) former: Option<(OmmId, Phase)>,
    pub(super) presence: Presence,
    pub(super) located: Wall,
}

/// The last confirmation said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) outcome: Outcome,
    pub(super) at: Moment,
}

/// Why a user's machine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// When to announce a claim although its REGISTER has no answer.
    Announce,
    /// When to renew although nobody has confirmed.
    Confirm,
    /// When to renew once more.
    ConfirmAgain,
    /// When to ask once more who has not confirmed.
    Ask,
    /// When to confirm although the removal has no final answer.
    Removal,
    /// When the next renewal may follow the last.
    Renew,
    /// When to believe the phone's goodbye.
    Detach,
    /// When a handset that flaps may be claimed.
    Claim,
    /// When to go on although the registrar has not answered.
    Query,
}

impl timers::Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Announce => "announce",
            Timer::Confirm => "confirm",
            Timer::ConfirmAgain => "confirm-again",
            Timer::Ask => "ask",
            Timer::Removal => "removal",
            Timer::Renew => "renew",
            Timer::Detach => "detach",
            Timer::Claim => "claim",
            Timer::Query => "query",
        }
    }
}
