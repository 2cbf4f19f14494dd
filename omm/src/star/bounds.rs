//! Where users are registered, by the OMM that registered them: what every OMM is told so that every OMM can show it
//! (B-10). Nothing else follows from it. It is not stored.
//!
//! ```text
//! owner --- Bound ---> central --- Bound ---> all others      when a registration changes its place
//! link up: both sides doubt what they heard over it; what is not said again by the end of the exchange is so no more
//! ```

use std::collections::BTreeMap;

use super::{CLAIMS_MAX, Effect, Role, Star};
use crate::claim::{Bound, Place, Word};
use crate::ids::Number;
use crate::stamp::OmmId;

/// All that is known, of everybody.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds(BTreeMap<(Number, OmmId), Known>);

#[derive(Clone, Copy, Debug)]
struct Known {
    at: Place,
    /// The link over which it came has been down since, and it was not said again yet.
    doubted: bool,
}

impl Bounds {
    /// Takes it in; whether that is news.
    fn keep(&mut self, bound: &Bound) -> bool {
        let has_room = self.0.len() < CLAIMS_MAX;
        let key = (bound.user.clone(), bound.by);
        let Some(at) = bound.at else { return self.0.remove(&key).is_some() };
        match self.0.get_mut(&key) {
            Some(known) => {
                known.doubted = false;
                std::mem::replace(&mut known.at, at) != at
            }
            None if has_room => self.0.insert(key, Known { at, doubted: false }).is_none(),
            None => false,
        }
    }

    fn doubt(&mut self, whose: impl Fn(OmmId) -> bool) {
        let theirs = self.0.iter_mut().filter(|((_, by), _)| whose(*by));
        theirs.for_each(|(_, known)| known.doubted = true);
    }

    /// What is doubted still, as words that take it back.
    fn disproved(&self, whose: impl Fn(OmmId) -> bool) -> Vec<Bound> {
        let theirs = self.0.iter().filter(|((_, by), known)| known.doubted && whose(*by));
        theirs.map(|((user, by), _)| Bound { user: user.clone(), by: *by, at: None }).collect()
    }

    pub(super) fn forget(&mut self, user: &Number) {
        let first = (user.clone(), OmmId { pari: 0, member: 0 });
        let its = self.0.range(first..).take_while(|((number, _), _)| number == user);
        let keys: Vec<_> = its.map(|(key, _)| key.clone()).collect();
        keys.iter().for_each(|key| _ = self.0.remove(key));
    }
}

impl Star {
    /// Where this user is registered, by the OMM that registered it.
    pub fn bounds(&self, user: &Number) -> impl Iterator<Item = (OmmId, Place)> {
        let first = (user.clone(), OmmId { pari: 0, member: 0 });
        let user = user.clone();
        let its = self.bounds.0.range(first..).take_while(move |((number, _), _)| *number == user);
        its.map(|((_, by), known)| (*by, known.at))
    }

    /// Whether what this OMM registered is told over the link with `peer`: everybody's but its own.
    fn behind(&self, peer: OmmId, by: OmmId) -> bool {
        match self.role {
            Role::Central => by == peer,
            Role::Remote => by != self.me,
        }
    }

    /// What was heard over this link may be so no more.
    pub(super) fn doubt(&mut self, peer: OmmId) {
        let (role, me) = (self.role, self.me);
        self.bounds.doubt(|by| match role {
            Role::Central => by == peer,
            Role::Remote => by != me,
        });
    }

    /// All that the other end of this link does not know by itself.
    pub(super) fn tell_bounds(&self, peer: OmmId, out: &mut Vec<Effect>) {
        let theirs = self.bounds.0.iter().filter(|((_, by), _)| !self.behind(peer, *by));
        out.extend(theirs.map(|((user, by), known)| {
            let bound = Bound { user: user.clone(), by: *by, at: Some(known.at) };
            Effect::Send { peer, word: Word::Bound(bound) }
        }));
    }

    /// The exchange over this link is over: what was not said again is so no more.
    pub(super) fn settle_bounds(&mut self, peer: OmmId, out: &mut Vec<Effect>) {
        let disproved = self.bounds.disproved(|by| self.behind(peer, by));
        disproved.into_iter().for_each(|bound| self.hear_bound(peer, bound, out));
    }

    /// It came over a link: only what is news goes on, and is shown.
    pub(super) fn hear_bound(&mut self, from: OmmId, bound: Bound, out: &mut Vec<Effect>) {
        if !self.behind(from, bound.by) || !self.bounds.keep(&bound) {
            return;
        }
        let user = bound.user.clone();
        self.hub_relay(&Word::Bound(bound), from, out);
        out.push(Effect::Shown(user));
    }

    /// A user was registered here, or elsewhere than before, or is not any more.
    pub(super) fn say_bound(&mut self, bound: Bound, out: &mut Vec<Effect>) {
        // What is said during the download goes with the upload.
        if self.bounds.keep(&bound) && (!self.downloading || bound.at.is_none()) {
            self.relay(&Word::Bound(bound), None, out);
        }
    }
}
