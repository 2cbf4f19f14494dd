//! Claims: what can be said about the world, true or false at any moment.

use std::fmt;
use std::time::Duration;

use super::Name;
use super::action::Ends;

/// Something that is true or false at any moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// `U [not] registered [at S] [via P]` and `all users [at S] registered [via P]`
    Registered { whose: Whose, at: Option<Name>, via: Option<Name>, holds: bool },
    /// `U bound N times at P`
    Bound { user: Name, times: u64, server: Name },
    /// `roam of U confirmed|unconfirmed`
    Roam { user: Name, confirmed: bool },
    /// `U owned by S at all sites`
    Owned { user: Name, by: Name },
    /// `sync S complete`
    Synced { site: Name },
    /// `link A-B up|down|held R`
    Link { link: Ends, state: LinkState },
    /// `registers at P <= N [per D]`
    Registers { server: Name, op: Op, count: u64, per: Option<Duration> },
    /// `duplicate registrations <= N`
    Duplicates { op: Op, count: u64 },
}

/// One user or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This user.
    User(Name),
    /// Every user with a phone that is switched on (of those whose phone is at the claim's site, if it names one).
    All,
}

/// How a sync link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// In use.
    Up,
    /// Lost, or never made.
    Down,
    /// Refused for this reason (SM-1R `Held`): version, platform, pli, park, sari, auth, forbidden, clock.
    Held(Name),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Exactly,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Op {
    /// Whether `left op right` holds.
    pub fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Op::Below => left < right,
            Op::AtMost => left <= right,
            Op::Exactly => left == right,
            Op::AtLeast => left >= right,
            Op::Above => left > right,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Op::Below => "<",
            Op::AtMost => "<=",
            Op::Exactly => "=",
            Op::AtLeast => ">=",
            Op::Above => ">",
        })
    }
}
