//! The location watchdog of one handset at its owner (spec SM-4).

use std::time::Duration;

/// How often a class of handsets proves its presence, and what follows from silence (AMB-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Silence after which the handset is overdue: a warning, nothing more.
    pub overdue: Duration,
    /// Silence after which the handset is believed to be gone (M-2.1.4.3-b).
    pub stop: Duration,
    /// Whether the end of a call counts as a proof of presence.
    pub activity_counts: bool,
}

/// What the silence of a handset leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// User monitoring is to warn.
    Overdue,
    /// The registration is to end.
    Expired,
}
