//! What becomes of what the other side has, and of its pages.

use std::collections::BTreeSet;

use machine::time::Wall;

use super::{Effect, Sync, member_one};
use crate::directory::content::Digest;
use crate::directory::edit::Changed;
use crate::directory::piece::{Lacking, Piece, Slot};
use crate::directory::sync::alarm::Alarm;
use crate::directory::sync::word::{End, Have, ORIGINS_MAX, Page, Word};
use crate::stamp::OmmId;
use crate::star::Role;

impl Sync {
    /// The remote says what it has: it is to be sent what it lacks.
    pub(super) fn have(&mut self, from: OmmId, have: &Have, out: &mut Vec<Effect>) {
        let Some(link) = self.links.get_mut(&from) else { return };
        let is_behind = !have.vector.covers_all(&self.state.horizon.known);
        // Until something was forgotten, whoever has nothing lacks no deletion.
        link.full = self.state.horizon.before > 0 && is_behind;
        link.outbox.hears(&have.vector);
        let origin = self.state.origins.is_subset(&have.origins);
        let end = End {
            vector: self.state.vector.clone(),
            origins: self.state.origins.clone(),
            horizon: Some(self.state.horizon.clone()),
            full: link.full,
        };
        let lacking = Lacking { vector: have.vector.clone(), origin };
        link.outbox.compare(&self.directory.borrow(), &self.state.vector, lacking, end);
        self.state.acked.insert(member_one(from), have.vector.clone());
        self.pump(out);
    }

    pub(super) fn page(&mut self, from: OmmId, page: Page, wall: Wall, out: &mut Vec<Effect>) {
        let Some(full) = self.links.get(&from).map(|link| link.full) else { return };
        let is_to_be_kept = page.is_to_be_kept();
        let pieces = if full { self.bury(from, page.pieces, out) } else { page.pieces };
        let count = pieces.len();
        let pieces = self.quarantine.sift(wall, pieces);
        let whole = pieces.len() == count;
        if !whole {
            out.push(Effect::Alarm(Alarm::Quarantined { from, waiting: self.quarantine.len() }));
        }
        let latest = pieces.iter().filter_map(|piece| piece.stamps().last().copied()).max();
        out.extend(latest.map(Effect::Observe));
        let sure = self.quarantine.cap(&page.upto);
        let (fresh, changed) = self.learn(pieces);
        let mut news = self.state.vector.raise_all(&sure);
        if let Some(end) = &page.end {
            news |= self.learn_origins(&end.origins);
            news |= !std::mem::replace(&mut self.state.joined, true);
            let own = self.directory.borrow().latest_of(self.me);
            news |= own.is_some_and(|own| self.state.vector.raise(self.me, own));
        }
        if let Some(link) = self.links.get_mut(&from) {
            link.outbox.hears(&page.upto);
            self.state.acked.insert(member_one(from), link.outbox.known.clone());
        }
        // Whoever wrote it has it on a disk, and sends it again until we acknowledge it: the others need not wait for ours.
        self.spread(&fresh, Some(from), out);
        if news || !fresh.is_empty() {
            self.save(&fresh, BTreeSet::new(), out);
        }
        if is_to_be_kept {
            out.push(Effect::Send { peer: from, word: Word::Ack { number: page.number, whole } });
        }
        out.extend(page.percent.map(|percent| Effect::Progress { peer: from, percent }));
        if let Some(end) = page.end {
            self.ended(from, end, out);
        }
        self.shows(changed, out);
        self.pump(out);
        self.arm();
    }

    pub(super) fn learn(&mut self, pieces: Vec<Piece>) -> (BTreeSet<Slot>, Changed) {
        let mut directory = self.directory.borrow_mut();
        let changed = directory.merge(pieces);
        (directory.take_fresh(), changed)
    }

    fn learn_origins(&mut self, origins: &BTreeSet<Digest>) -> bool {
        let before = self.state.origins.len();
        let room = ORIGINS_MAX.saturating_sub(before);
        let new: Vec<Digest> = origins.difference(&self.state.origins).take(room).copied().collect();
        self.state.origins.extend(new);
        self.state.origins.len() > before
    }

    /// The neighbour has sent all that it had.
    fn ended(&mut self, from: OmmId, end: End, out: &mut Vec<Effect>) {
        let Some(link) = self.links.get_mut(&from) else { return };
        let again = std::mem::replace(&mut link.complete, true);
        link.full = false;
        match self.role {
            Role::Remote if !again => {
                let mut vector = end.vector;
                if self.own.is_none_or(|own| vector.of(self.me).is_some_and(|claimed| claimed > own)) {
                    // It knows more of us than we do: our disk was lost. What we wrote since may lie below that.
                    vector.forget(self.me);
                }
                // So nothing needs to be said of what both have, and nothing to be acknowledged.
                link.outbox.hears(&vector);
                let origin = self.state.origins.is_subset(&end.origins);
                let lacking = if end.full { Lacking::default() } else { Lacking { vector, origin } };
                let (vector, origins) = (self.state.vector.clone(), self.state.origins.clone());
                let own = End { vector, origins, ..End::default() };
                link.outbox.compare(&self.directory.borrow(), &self.state.vector, lacking, own);
                if let Some(horizon) = end.horizon {
                    self.forget(&horizon, out);
                }
            }
            Role::Remote | Role::Central => {}
        }
    }
}
