//! Who has what was written about a user: to be shown (spec SM-7 `acked_by`).

use std::collections::{BTreeMap, BTreeSet};

use super::Sync;
use crate::directory::piece::Subject;
use crate::directory::user::User;
use crate::directory::vector::Vector;
use crate::stamp::{ORIGIN, OmmId, Stamp};
use crate::star::Role;

impl Sync {
    /// Of every neighbour whether it has acknowledged all that was written about this user. The central knows it of
    /// every remote that was ever here and was not taken off the list, a remote of its central while the link is open.
    /// What a file says everybody has.
    pub fn having(&self, user: &User) -> BTreeMap<OmmId, bool> {
        let piece = self.directory.borrow().piece(Subject::User(user.id));
        let mut stamps: BTreeSet<Stamp> = piece.map(|piece| piece.stamps()).unwrap_or_default();
        // Those of another record may count, when two sites created one user (SM-7).
        stamps.insert(user.changed());
        stamps.retain(|stamp| stamp.omm != ORIGIN);
        let known: BTreeMap<OmmId, &Vector> = match self.role {
            Role::Central => self.state.acked.iter().map(|(omm, known)| (*omm, known)).collect(),
            Role::Remote => self.links.iter().map(|(omm, link)| (*omm, &link.outbox.known)).collect(),
        };
        let has = |(omm, known): (OmmId, &Vector)| {
            // An OMM knows what it wrote itself.
            (omm, stamps.iter().all(|stamp| stamp.omm == omm || known.covers(*stamp)))
        };
        known.into_iter().map(has).collect()
    }
}
