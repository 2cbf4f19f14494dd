//! Who has to be asked about a user: where its phone is, and who may know what happened (B-11, B-16).

use std::collections::BTreeSet;

use machine::time::Moment;

use super::Star;
use crate::claim::Phase;
use crate::ids::Number;
use crate::stamp::OmmId;

impl Star {
    /// The OMM where the user's phone is, when that is another one.
    pub fn elsewhere(&self, now: Moment, user: &Number) -> Option<OmmId> {
        let claim = self.claim(now, user)?;
        (claim.phase == Phase::Here && claim.owner != self.me).then_some(claim.owner)
    }

    /// The other OMMs that may have had to do with the user: its owner and the former one, those that have it registered,
    /// and those at the other ends of links.
    pub fn witnesses(&self, now: Moment, user: &Number) -> BTreeSet<OmmId> {
        let parties = self.claim(now, user).into_iter().flat_map(|claim| [Some(claim.owner), claim.former]);
        let bound = self.bounds(user).map(|(by, _)| by);
        let mut all: BTreeSet<OmmId> = parties.flatten().chain(bound).chain(self.live()).collect();
        all.remove(&self.me);
        all
    }
}
