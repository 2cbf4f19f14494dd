//! Who hears what (M-2.1.1-a, AMB-1).

use crate::claim::{Claim, Word};
use crate::ids::Number;
use crate::stamp::OmmId;

/// Which place in the star an OMM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The hub.
    Central,
    /// One of at most ten around it.
    Remote,
}

/// What can happen to the star at one OMM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The link with this OMM is open ([`crate::link`]).
    LinkUp(OmmId),
    /// It is gone.
    LinkDown(OmmId),
    /// A word came over a link.
    Heard {
        /// Over which one.
        from: OmmId,
        /// What.
        word: Word,
    },
    /// The other side has sent all that it had for us.
    Downloaded(OmmId),
    /// A user machine of this OMM has something to say.
    Say(Word),
    /// A claim out of the store, at the start of the process; nobody is told.
    Restored(Claim),
    /// The user was deleted.
    Forgotten(Number),
}

/// What the star wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this over the link.
    Send {
        /// Over which one.
        peer: OmmId,
        /// What.
        word: Word,
    },
    /// Give this to the user's machine here.
    Deliver(Word),
    /// Tell the other side that it has been sent all that we had.
    EndOfDownload {
        /// Over which link.
        peer: OmmId,
    },
    /// Both sides know each other's claims: tell the users [`crate::roaming::Input::LinkUp`].
    Joined {
        /// Over which link.
        peer: OmmId,
    },
}
