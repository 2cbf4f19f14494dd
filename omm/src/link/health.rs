//! What is shown of a link, and what the operator should know of it.

use std::fmt;
use std::time::Duration;

use machine::note::Note;

use crate::link::frame::{Mismatch, OpenError};

/// What is shown of a link (SM-1R, "Health shown").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not attached.
    Off,
    /// On the way.
    Connecting,
    /// The two do not go together; tried again by itself until that is cured.
    Held(Held),
    /// The download or the upload is going on.
    Synchronising,
    /// In step.
    InSync,
    /// It stood, and is gone.
    Lost,
}

/// Why a link is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Our own check failed.
    Here(Mismatch),
    /// The central refused.
    There(OpenError),
}

/// What the operator should know of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Held, and why. Once for each reason in a row.
    Held(Held),
    /// The clocks differ by so much.
    Clock {
        /// How far.
        offset: Duration,
        /// Whether it is the other side that is ahead.
        ahead: bool,
    },
    /// The first synchronisation takes longer than 5 minutes (M-2.2.8-e).
    Slow,
    /// The other side sent what has no place in the protocol at that point.
    Protocol,
}

impl Alarm {
    /// As the trace shows it.
    pub fn note(&self) -> Note {
        let note = |kind: &'static str| Note::new("alarm").text("kind", kind);
        match self {
            Alarm::Held(held) => note("link-held").text("reason", held),
            Alarm::Clock { offset, ahead } => note("clock")
                .number("offset", u64::try_from(offset.as_millis()).unwrap_or(u64::MAX))
                .text("peer", if *ahead { "ahead" } else { "behind" }),
            Alarm::Slow => note("sync-slow"),
            Alarm::Protocol => note("protocol"),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Here(mismatch) => mismatch.fmt(f),
            Held::There(error) => error.fmt(f),
        }
    }
}
