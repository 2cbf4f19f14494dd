//! What is forgotten at last, and what waits until its time has come.

use std::collections::BTreeSet;

use machine::time::Moment;

use super::{Effect, Sync, Timer};
use crate::directory::piece::{Piece, Subject};
use crate::directory::sync::word::Word;
use crate::directory::tombstone::{Horizon, KEPT};
use crate::stamp::{OmmId, Stamp};

impl Sync {
    /// Of what a remote sends that was away for too long: what we once had and have no more was deleted, unless it was
    /// edited there since (SM-7). The remote is told; the others know.
    pub(super) fn bury(&self, from: OmmId, pieces: Vec<Piece>, out: &mut Vec<Effect>) -> Vec<Piece> {
        let directory = self.directory.borrow();
        let vector = &self.state.vector;
        let is_gone = |piece: &Piece| {
            let id = match piece.subject() {
                Subject::User(id) | Subject::Device(id) => id,
                Subject::Sari | Subject::Profile(_) => return false,
            };
            directory.piece(piece.subject()).is_none()
                && vector.covers(id.0)
                && piece.stamps().into_iter().all(|stamp| vector.covers(stamp))
        };
        let (gone, rest): (Vec<Piece>, Vec<Piece>) = pieces.into_iter().partition(is_gone);
        let latest = |piece: &Piece| Some((piece.subject(), piece.stamps().last().copied()?));
        let gone: Vec<(Subject, Stamp)> = gone.iter().filter_map(latest).collect();
        if !gone.is_empty() {
            out.push(Effect::Send { peer: from, word: Word::Forgotten(gone) });
        }
        rest
    }

    /// Forgets what lies behind the horizon.
    pub(super) fn forget(&mut self, horizon: &Horizon, out: &mut Vec<Effect>) {
        let before = self.state.horizon.clone();
        self.state.horizon.raise(horizon);
        let (gone, changed) = self.directory.borrow_mut().collect(&self.state.horizon);
        let count = u32::try_from(gone.len()).unwrap_or(u32::MAX);
        if before != self.state.horizon || !gone.is_empty() {
            self.save(&BTreeSet::new(), gone, out);
        }
        if count > 0 {
            out.push(Effect::Forgotten(count));
        }
        self.shows(changed, out);
    }

    /// The central: what does everybody have, and what of it is old enough to be forgotten?
    pub(super) fn collect(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let known =
            self.state.acked.values().fold(self.state.vector.clone(), |known, acked| known.meet(acked));
        let before = self.wall(now).back(KEPT).as_millis();
        let horizon = Horizon { known, before };
        if self.directory.borrow().tombstones() == 0 && self.state.horizon.before == 0 {
            return;
        }
        self.forget(&horizon, out);
        let live = self.links.iter().filter(|(_, link)| link.in_step).map(|(peer, _)| *peer);
        let word = Word::Horizon(self.state.horizon.clone());
        out.extend(live.map(|peer| Effect::Send { peer, word: word.clone() }));
    }

    pub(super) fn release(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let (pieces, known) = self.quarantine.release(self.wall(now));
        out.extend(
            pieces.iter().filter_map(|piece| piece.stamps().last().copied()).max().map(Effect::Observe),
        );
        let (fresh, changed) = self.learn(pieces);
        if self.state.vector.raise_all(&known) || !fresh.is_empty() {
            self.save(&fresh, BTreeSet::new(), out);
        }
        self.tell(&fresh, changed, None, out);
        self.arm();
    }

    pub(super) fn arm(&mut self) {
        match self.quarantine.until() {
            Some(until) => {
                let (then, wall) = self.time;
                self.timers.set(Timer::Release, then + until.since(wall));
            }
            None => self.timers.stop(Timer::Release),
        }
    }
}
