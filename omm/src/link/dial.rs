//! The remote's end of the link (spec SM-1R).

use std::sync::Arc;
use std::time::Duration;

use machine::time::Wall;

use crate::claim::Word;
use crate::link::frame::{Frame, Mismatch, OpenError};
use crate::stamp::OmmId;

/// What can happen to the remote's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The operator attaches this OMM to the system, or the process starts with it attached.
    Start,
    /// The operator detaches it. Data and SARI stay.
    Stop,
    /// The connection asked for by [`Effect::Connect`] stands.
    Connected {
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// It could not be made, or it broke.
    Closed,
    /// A frame came.
    Received {
        /// What it says.
        frame: Frame,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The star wants this sent ([`crate::star::Effect::Send`]).
    Say(Word),
    /// The star has uploaded all that it had ([`crate::star::Effect::EndOfDownload`]).
    Uploaded,
}

/// What the remote's end wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Connect to this `host:port`; answered by `Connected` or `Closed`. Calls off an earlier attempt.
    Connect {
        /// Where to.
        address: Arc<str>,
    },
    /// Send this over the connection.
    Send(Frame),
    /// Close the connection; nothing of it is reported any more.
    Close,
    /// The central took us in; its download follows ([`crate::star::Input::LinkUp`]).
    Up(OmmId),
    /// The download is complete ([`crate::star::Input::Downloaded`]).
    Downloaded(OmmId),
    /// The link of an `Up` is gone ([`crate::star::Input::LinkDown`]).
    Down(OmmId),
    /// A word from the central ([`crate::star::Input::Heard`]).
    Deliver {
        /// The central.
        from: OmmId,
        /// What it said.
        word: Word,
    },
    /// What to show of this link from now on.
    Health(Health),
    /// Tell the operator.
    Alarm(Alarm),
}

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
