//! The central's end of the link of one remote (spec SM-1C).

use machine::time::Wall;

use crate::claim::Word;
use crate::link::dial::Alarm;
use crate::link::frame::{Facts, Frame, Open, OpenError};
use crate::stamp::OmmId;

/// What can happen to the central's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A remote connected.
    Accepted,
    /// A frame came.
    Received {
        /// What it says.
        frame: Frame,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// What the roster says to [`Effect::Knock`]: our own facts, or why not.
    Answered(Result<Facts, OpenError>),
    /// The star wants this sent.
    Say(Word),
    /// The star has sent the whole download.
    Served,
    /// A newer connection of the same remote takes over; the remote was cut off without our noticing.
    Replaced,
    /// The connection broke.
    Closed,
}

/// What the central's end wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the roster ([`crate::link::roster`]); answered by [`Input::Answered`].
    Knock(Box<Open>),
    /// Send this over the connection.
    Send(Frame),
    /// Close the connection; nothing of it is reported any more.
    Close,
    /// The remote is in: tell the star, which sends the download.
    Up(OmmId),
    /// The remote's upload is complete: tell the star.
    Downloaded(OmmId),
    /// The link of an `Up` is gone: tell the star and the roster.
    Down(OmmId),
    /// A word from the remote.
    Deliver {
        /// The remote.
        from: OmmId,
        /// What it said.
        word: Word,
    },
    /// Tell the operator.
    Alarm(Alarm),
}
