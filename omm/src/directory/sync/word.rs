//! What two OMMs say to each other about the directory. `axi` spells it on the wire.

use std::collections::BTreeSet;

use crate::directory::content::Digest;
use crate::directory::piece::{Piece, Subject};
use crate::directory::tombstone::Horizon;
use crate::directory::vector::Vector;
use crate::stamp::Stamp;

/// How many records go into one page (spec 8; axi `Limits.records`).
pub const PAGE: usize = 20;

/// How many pages may be under way, each unacknowledged (spec 8).
pub const WINDOW: usize = 8;

/// How many files' contents an OMM remembers to have: a system has eleven sites, and files change. Ours.
pub const ORIGINS_MAX: usize = 64;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// "This is what I have": the remote's first word on a link, right behind its introduction.
    Have(Have),
    /// "This you may lack."
    Page(Box<Page>),
    /// "It is on my disk."
    Ack {
        /// Which page.
        number: u32,
        /// Whether all of it: something with a stamp of the future waits until its time has come.
        whole: bool,
    },
    /// The central: "forget what lies behind this".
    Horizon(Horizon),
    /// The central: "these were deleted so long ago that I have forgotten it: forget them too, unless they were edited
    /// later than this".
    Forgotten(Vec<(Subject, Stamp)>),
}

/// What an OMM has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Have {
    /// Of what OMMs wrote.
    pub vector: Vector,
    /// Of what files say: the digest of each whose content it has.
    pub origins: BTreeSet<Digest>,
}

/// Some records, or parts of them, and what whoever has them has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Page {
    /// Counted by the sender, for the acknowledgement.
    pub number: u32,
    /// About [`PAGE`] records.
    pub pieces: Vec<Piece>,
    /// With this page all that these writers wrote up to these stamps has been sent. An interrupted transfer goes on
    /// from here.
    pub upto: Vector,
    /// How much of the transfer is done, in percent; only while tables are compared.
    pub percent: Option<u8>,
    /// The comparison of the tables ends with this page.
    pub end: Option<End>,
}

impl Page {
    /// Whether there is anything in it that has to reach a disk. A page that only ends a comparison in which nothing was
    /// lacked is not acknowledged: a link that comes back to an unchanged directory costs one round trip less.
    pub fn is_to_be_kept(&self) -> bool {
        !self.pieces.is_empty() || !self.upto.is_empty()
    }
}

/// The end of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct End {
    /// All that the sender has.
    pub vector: Vector,
    /// The files whose contents have been sent, or need not be.
    pub origins: BTreeSet<Digest>,
    /// What may be forgotten; only the central says so.
    pub horizon: Option<Horizon>,
    /// "You were away for so long that I have forgotten deletions which you lack: send me all you have" (SM-7).
    pub full: bool,
}
