//! What one neighbour is yet to be told: the comparison of the tables page by page, then what is new.
//!
//! ```text
//! Waiting -- it said what it has --> Comparing -- last page --> Live
//!                                        ^                       |
//!                                        +--- too much is new ---+
//! ```
//!
//! Of what is new only the places are kept, and a record that changes twice is sent once: memory is bounded by
//! [`NEWS_MAX`] places and [`WINDOW`] pages, however slow the neighbour.

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::Directory;
use crate::directory::piece::{Lacking, Piece, Slot};
use crate::directory::sync::word::{End, PAGE, Page, WINDOW};
use crate::directory::vector::Vector;
use crate::stamp::Stamp;

/// How many new things may wait for a neighbour; with one more the tables are compared again (SM-1C).
pub(super) const NEWS_MAX: usize = 10_000;

/// What one neighbour is yet to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    /// What it has for sure: it said so, or acknowledged it.
    pub(super) known: Vector,
    /// What it has, if nothing is lost on the way.
    told: Vector,
    comparing: Option<Comparing>,
    is_live: bool,
    news: BTreeSet<Slot>,
    /// There was too much new.
    overflown: bool,
    flight: BTreeMap<u32, Vector>,
    number: u32,
}

#[derive(Clone, Debug)]
struct Comparing {
    after: Option<Stamp>,
    lacking: Lacking,
    /// What we had when it began: what came later is news.
    start: Vector,
    total: usize,
    sent: usize,
    end: End,
}

impl Outbox {
    /// The neighbour claims to have this.
    pub(super) fn hears(&mut self, known: &Vector) {
        self.known.raise_all(known);
        self.told.raise_all(known);
    }

    /// Compares the tables: it is to be sent all that it lacks.
    pub(super) fn compare(&mut self, directory: &Directory, own: &Vector, lacking: Lacking, end: End) {
        let total = directory.count(&lacking);
        self.comparing = Some(Comparing { after: None, lacking, start: own.clone(), total, sent: 0, end });
    }

    /// These places are new.
    pub(super) fn add(&mut self, news: &BTreeSet<Slot>) {
        self.news.extend(news);
        if self.news.len() > NEWS_MAX {
            self.news.clear();
            self.overflown = true;
        }
    }

    /// A page arrived and is on the neighbour's disk; or all of it but what lies in the future.
    pub(super) fn acknowledged(&mut self, number: u32, whole: bool) {
        if let Some(upto) = self.flight.remove(&number)
            && whole
        {
            self.known.raise_all(&upto);
        }
    }

    /// Whether the neighbour has been told everything, and has it.
    pub(super) fn is_done(&self) -> bool {
        self.is_live
            && self.flight.is_empty()
            && self.comparing.is_none()
            && self.news.is_empty()
            && !self.overflown
    }

    /// The next page that may be sent; `None` when nothing is left, or the window is full.
    pub(super) fn next(&mut self, directory: &Directory, own: &Vector) -> Option<Page> {
        if self.flight.len() >= WINDOW {
            return None;
        }
        let page = match self.comparing.take() {
            Some(comparing) => self.compared(directory, comparing),
            None if !self.is_live => return None,
            None if self.overflown => {
                self.overflown = false;
                let lacking = Lacking { vector: self.known.clone(), origin: true };
                self.compare(directory, own, lacking, End { vector: own.clone(), ..End::default() });
                return self.next(directory, own);
            }
            None => self.latest(directory, own)?,
        };
        self.number = self.number.wrapping_add(1);
        self.told.raise_all(&page.upto);
        if page.is_to_be_kept() {
            self.flight.insert(self.number, page.upto.clone());
        }
        Some(Page { number: self.number, ..page })
    }

    fn compared(&mut self, directory: &Directory, mut comparing: Comparing) -> Page {
        let (pieces, reached) = directory.delta(comparing.after, &comparing.lacking, PAGE);
        comparing.sent += pieces.iter().map(|piece| piece.stamps().len()).sum::<usize>();
        match reached {
            Some(reached) => {
                let upto = comparing.start.up_to(reached).beyond(&self.told);
                let percent = (comparing.sent * 100 / comparing.total.max(1)).min(99);
                comparing.after = Some(reached);
                self.comparing = Some(comparing);
                Page { pieces, upto, percent: u8::try_from(percent).ok(), ..Page::default() }
            }
            None => {
                self.is_live = true;
                let upto = comparing.start.beyond(&self.told);
                Page { pieces, upto, percent: Some(100), end: Some(comparing.end), ..Page::default() }
            }
        }
    }

    fn latest(&mut self, directory: &Directory, own: &Vector) -> Option<Page> {
        let mut pieces: Vec<Piece> = Vec::new();
        while pieces.is_empty() && !self.news.is_empty() {
            let some: BTreeSet<Slot> = std::iter::from_fn(|| self.news.pop_first()).take(PAGE).collect();
            // What was written anew since has a place of its own.
            pieces = directory.pieces_of(&some);
        }
        // All that came before has been sent when nothing is left.
        let upto = if self.news.is_empty() { own.beyond(&self.told) } else { Vector::default() };
        let is_idle = self.flight.is_empty();
        (!pieces.is_empty() || is_idle && !upto.is_empty()).then(|| Page { pieces, upto, ..Page::default() })
    }
}
