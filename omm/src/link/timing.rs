//! The times of the sync link (spec section 8), so that a scenario can `set` them.

use std::time::Duration;

/// The durations of both ends of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a connection may take to stand (`t_connect`).
    pub connect: Duration,
    /// How long the other side may take to introduce itself (`t_open`).
    pub open: Duration,
    /// How often the other side is pinged.
    pub ping: Duration,
    /// Silence after which the connection is believed dead (`t_dead`).
    pub dead: Duration,
    /// How long a held link waits before it is tried again (`t_held`).
    pub held: Duration,
    /// First back-off; doubles (shape of RFC 5626 4.5).
    pub backoff_first: Duration,
    /// Longest back-off.
    pub backoff_max: Duration,
    /// In step for so long, the back-off starts small again.
    pub steady: Duration,
    /// A synchronisation should take no longer (M-2.2.8-e).
    pub sync: Duration,
    /// Clock difference at which the operator is warned (M-2.2.10-a).
    pub skew_warn: Duration,
    /// Clock difference at which the link is held; `None` never holds it.
    pub skew_stop: Option<Duration>,
}

impl Timing {
    /// Clocks that differ by more make later edits lose (SM-7): a link is not worth that.
    pub const SKEW_STOP: Duration = Duration::from_secs(30);
}

impl Default for Timing {
    /// The defaults of spec section 8. Clocks that differ too much only warn until records are merged by their stamps:
    /// roams are arbitrated by presence, not by clocks (B-9).
    fn default() -> Timing {
        let seconds = Duration::from_secs;
        Timing {
            connect: seconds(10),
            open: seconds(10),
            ping: seconds(30),
            dead: seconds(90),
            held: seconds(60),
            backoff_first: seconds(1),
            backoff_max: seconds(60),
            steady: seconds(60),
            sync: seconds(300),
            skew_warn: seconds(2),
            skew_stop: None,
        }
    }
}
