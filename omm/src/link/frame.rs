//! What the two ends of a link say to each other. `axi` spells it on the wire.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;
use machine::time::Wall;

use crate::claim::Word;
use crate::directory::sync;
use crate::errand::Errand;
use crate::ids::park::{Pli, Sari};
use crate::link::neighbour::{Door, Neighbour};
use crate::platform::Platform;
use crate::stamp::OmmId;

/// One frame on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The remote introduces itself; the first frame of a link.
    Open(Box<Open>),
    /// The central's answer: who it is, or why not.
    OpenResult(Result<Facts, OpenError>),
    /// "Are you there, and what time is it?"
    Ping {
        /// Comes back in the answer.
        seq: u32,
    },
    /// The answer to a ping.
    Pong {
        /// Which one is answered.
        seq: u32,
        /// The calendar time of the one that answers.
        wall: Wall,
    },
    /// A word about a roam.
    Word(Word),
    /// A word about the directory.
    Directory(Box<sync::word::Word>),
    /// A question about a phone at another OMM, or its answer (B-11).
    Errand(Box<Errand>),
    /// The other remotes, and where they can be called: from the central, at first and whenever that changes (B-4).
    Neighbours(Vec<Neighbour>),
    /// All that the sender had has been sent: first the central's download, then the remote's upload (M-2.2.8-a).
    EndOfDownload,
}

/// The remote's introduction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The account on the central.
    pub user: Arc<str>,
    /// Its password.
    pub password: Secret,
    /// Who the remote is.
    pub facts: Facts,
    /// Where other remotes can call it; `None` where they cannot.
    pub door: Option<Door>,
    /// What it wants.
    pub purpose: Purpose,
}

/// What somebody wants who introduces itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// The link of a remote with its central.
    #[default]
    Link,
    /// To know whether it would be let in (B-13): nobody gets on the roster by it, and no link gives way.
    Trial,
    /// A direct claim channel between two remotes (B-4).
    Direct,
}

/// What both ends tell of themselves and check of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// PARI and member.
    pub omm: OmmId,
    /// How often the active member of the pair has changed (SM-6); 0 for an OMM that stands alone.
    pub term: u32,
    /// The version of the protocol; must be equal on both sides (M-2.2.2-b).
    pub protocol: u32,
    /// The kind of OMM; must be equal on both sides (M-2.1.1-d).
    pub platform: Platform,
    /// The length of the PARK; must be equal on both sides.
    pub pli: Pli,
    /// The system's shared identity; the central must have one, and a remote must have none or the same.
    pub sari: Option<Sari>,
    /// The calendar time of the speaker.
    pub wall: Wall,
}

/// Why a central refuses a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Wrong user or password (`EAuth`).
    Auth,
    /// Too many bad logins from there; try again later (`EAuth`).
    Delayed(Duration),
    /// Ten other remotes are on the roster (`EForbidden`, "remote limit 10").
    Full,
    /// The central has no SARI (`EMissing`, "generate SARI first").
    NoSari,
    /// This is the inactive member of a pair: the other one serves (`EForbidden`).
    Inactive,
    /// The same OMM is connected already, by the member with a higher term (`EForbidden`).
    Outranked,
    /// It is no remote of this system, as far as the one that it calls knows (`EForbidden`).
    Stranger,
    /// The two do not go together.
    Mismatch(Mismatch),
}

/// What two OMMs of one system may not differ in, or may not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// `protocolVersion` differs (M-2.2.2-b).
    Protocol,
    /// The platform differs (M-2.1.1-d).
    Platform,
    /// The PLI differs.
    Pli,
    /// Both have the same PARK.
    DuplicatePark,
    /// Both have a SARI, and they differ (AMB-11).
    Sari,
    /// Their clocks differ by more than the stop limit.
    Clock,
}

impl Facts {
    /// What keeps the two OMMs from being one system, in the order in which SM-1R checks it. Clocks are left to pings.
    pub fn mismatch(&self, theirs: &Facts) -> Option<Mismatch> {
        let foreign = self.sari.is_some() && theirs.sari.is_some() && self.sari != theirs.sari;
        [
            (self.protocol != theirs.protocol, Mismatch::Protocol),
            (self.platform != theirs.platform, Mismatch::Platform),
            (self.pli != theirs.pli, Mismatch::Pli),
            (self.omm.pari == theirs.omm.pari, Mismatch::DuplicatePark),
            (foreign, Mismatch::Sari),
        ]
        .into_iter()
        .find_map(|(differs, mismatch)| differs.then_some(mismatch))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mismatch::Protocol => "protocol version",
            Mismatch::Platform => "platform",
            Mismatch::Pli => "PLI",
            Mismatch::DuplicatePark => "duplicate PARK",
            Mismatch::Sari => "foreign SARI",
            Mismatch::Clock => "clock",
        })
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Auth => f.write_str("wrong user or password"),
            OpenError::Delayed(wait) => write!(f, "too many bad logins, wait {} s", wait.as_secs()),
            OpenError::Full => f.write_str("remote limit 10"),
            OpenError::NoSari => f.write_str("the central has no SARI"),
            OpenError::Inactive => f.write_str("the inactive member of a pair"),
            OpenError::Outranked => f.write_str("the other member of this pair is connected"),
            OpenError::Stranger => f.write_str("not a remote of this system"),
            OpenError::Mismatch(mismatch) => mismatch.fmt(f),
        }
    }
}
