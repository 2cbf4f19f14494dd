//! What was written in the future waits until that is now (spec SM-7): a stamp of tomorrow would win until tomorrow.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::time::Wall;

use crate::directory::piece::Piece;
use crate::directory::vector::Vector;
use crate::stamp::{OmmId, Stamp};

/// How far ahead of our clock a stamp may be (spec 8, skew stop).
pub const AHEAD: Duration = Duration::from_secs(30);

/// How many pieces wait at most; one more is dropped and comes with the next comparison. Ours.
pub const WAITING_MAX: usize = 1_000;

/// The waiting pieces.
#[derive(Clone, Debug, Default)]
pub struct Quarantine {
    waiting: Vec<Piece>,
    /// The earliest stamp of the future of each writer. What it wrote from there on does not count as known.
    held: BTreeMap<OmmId, Stamp>,
    /// What is known once all is released.
    promised: Vector,
}

impl Quarantine {
    /// Keeps back what lies in the future at `wall`; returns the rest.
    pub fn sift(&mut self, wall: Wall, pieces: Vec<Piece>) -> Vec<Piece> {
        let (late, fine): (Vec<Piece>, Vec<Piece>) = pieces
            .into_iter()
            .partition(|piece| piece.stamps().into_iter().any(|stamp| is_ahead(stamp, wall)));
        for piece in late {
            for stamp in piece.stamps() {
                let held = self.held.entry(stamp.omm).or_insert(stamp);
                *held = (*held).min(stamp);
            }
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push(piece);
            }
        }
        fine
    }

    /// The part of `upto` that may count as known; the rest is remembered.
    pub fn cap(&mut self, upto: &Vector) -> Vector {
        let mut sure = Vector::default();
        for (omm, stamp) in upto.iter() {
            match self.held.get(&omm) {
                Some(held) if *held <= stamp => {
                    self.promised.raise(omm, stamp);
                    sure.raise(omm, before(*held));
                }
                Some(_) | None => {
                    sure.raise(omm, stamp);
                }
            }
        }
        sure
    }

    /// What need not wait any longer, and what is known with it.
    pub fn release(&mut self, wall: Wall) -> (Vec<Piece>, Vector) {
        if self.waiting.iter().flat_map(Piece::stamps).any(|stamp| is_ahead(stamp, wall)) {
            let (late, fine) = std::mem::take(&mut self.waiting)
                .into_iter()
                .partition(|piece| piece.stamps().into_iter().any(|stamp| is_ahead(stamp, wall)));
            self.waiting = late;
            // Which stamps lie between is not known until all is there.
            return (fine, Vector::default());
        }
        self.held.clear();
        (std::mem::take(&mut self.waiting), std::mem::take(&mut self.promised))
    }

    /// When the first of them need not wait any longer.
    pub fn until(&self) -> Option<Wall> {
        let latest = |piece: &Piece| piece.stamps().last().map(|stamp| stamp.ms);
        let ms = self.waiting.iter().filter_map(latest).min()?;
        Some(Wall::from_millis(ms).back(AHEAD))
    }

    /// How many pieces wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

fn is_ahead(stamp: Stamp, wall: Wall) -> bool {
    u128::from(stamp.ms) > u128::from(wall.as_millis()) + AHEAD.as_millis()
}

/// The latest stamp of the same writer before this one. It goes over the wire, where a writer has to be one.
fn before(stamp: Stamp) -> Stamp {
    match (stamp.ctr.checked_sub(1), stamp.ms.checked_sub(1)) {
        (Some(ctr), _) => Stamp { ctr, ..stamp },
        (None, Some(ms)) => Stamp { ms, ctr: u16::MAX, ..stamp },
        (None, None) => Stamp { ms: 0, ctr: 0, omm: stamp.omm },
    }
}
