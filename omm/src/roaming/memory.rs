//! What a user's machine keeps in mind.

use machine::time::{Moment, Wall};

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
