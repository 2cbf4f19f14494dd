//! How one user's roaming is to be handled: what an administrator may set, and the times of spec 8.

use std::time::Duration;

use crate::stamp::OmmId;
use crate::watchdog::Class;

/// What the registrar's contact list may decide (B-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Evidence {
    /// Nothing, except after a restart.
    #[default]
    Off,
    /// A sibling's contact with a newer epoch is as good as its claim.
    Yield,
    /// As `Yield`; besides, a sibling's contact with an older epoch is removed for it.
    Evict,
}

/// The settings of one user at one OMM. Shared by all users that have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The only OMM at which the handset may be, when it is not subscribed to the SARI (M-2.1.4-b).
    pub pari_only: Option<OmmId>,
    /// The handset's class; `None` for one that need not report (AMB-20).
    pub watchdog: Option<Class>,
    /// What the registrar's contact list may decide.
    pub evidence: Evidence,
    /// This OMM is the only one of its system: nobody else can have registered a user meanwhile, so a restart asks no
    /// registrar before it registers (ours; it halves the time to the first call after an outage).
    pub alone: bool,
    /// How long a handset that said goodbye keeps its registration (20 s bridge a reboot).
    pub detach_hold: Duration,
    /// For how long the announcement of a claim waits for the first answer to its REGISTER, so that the former owner does
    /// not remove its registration before ours stands. Long enough for one loss on each of the two round trips of a
    /// challenged REGISTER (RFC 3261 T1), and no longer: a silent registrar must not hide the phone's new place. Ours;
    /// zero announces at once (M-2.1.4.1-b).
    pub announce: Duration,
    /// When to renew although the former owner has not confirmed (M-2.1.4.2-b, AMB-3).
    pub confirm: Duration,
    /// When to renew once more, counted from the claim (AMB-3).
    pub confirm_again: Duration,
    /// When to confirm `unknown` although the removal has no final answer (AMB-3).
    pub removal: Duration,
    /// The least time between two renewals (B-6).
    pub renew_gap: Duration,
}

impl Default for Policy {
    /// The defaults of spec 8.
    fn default() -> Policy {
        Policy {
            pari_only: None,
            watchdog: None,
            evidence: Evidence::Off,
            alone: false,
            detach_hold: Duration::ZERO,
            announce: Duration::from_secs(2),
            confirm: Duration::from_secs(15),
            confirm_again: Duration::from_secs(45),
            removal: Duration::from_secs(8),
            renew_gap: Duration::from_secs(2),
        }
    }
}
