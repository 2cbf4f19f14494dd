//! What is said past a central that is gone, by the direct channels of two remotes (B-4, SM-2 "Central-less path").
//!
//! A claim goes to the former owner that has yet to confirm it, a confirmation to the owner that waits for it, a stale to
//! whoever sent the late claim; everything is idempotent by epoch, so the central may carry the same later.

use std::collections::{BTreeMap, BTreeSet};

use machine::time::Moment;

use super::{CLAIMS_MAX, Effect, News, Role, Star};
use crate::claim::{Claim, Confirm, Phase, Word};
use crate::ids::Number;
use crate::stamp::OmmId;

/// Who is spoken with directly, and what is to be said there.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    up: BTreeSet<OmmId>,
    /// Former owners that have yet to confirm, and whom.
    asked: BTreeSet<(OmmId, Number)>,
    /// The last confirmation for each user that no way led to the owner for. Gone when the link comes up: the users'
    /// machines repeat then what matters.
    unsaid: BTreeMap<Number, Confirm>,
}

impl Beside {
    pub(super) fn forget(&mut self, user: &Number) {
        self.asked.retain(|(_, asked)| asked != user);
        self.unsaid.remove(user);
    }

    fn is_asked(&self, peer: OmmId) -> bool {
        self.asked.iter().any(|(of, _)| *of == peer)
    }
}

impl Star {
    /// Whether the central can be spoken with.
    fn is_linked(&self) -> bool {
        self.role == Role::Central || !self.live.is_empty()
    }

    /// A word of ours that somebody in particular has to hear.
    pub(super) fn say_beside(&mut self, word: &Word, out: &mut Vec<Effect>) {
        if self.role == Role::Central {
            return;
        }
        match word {
            Word::Claim(claim) => self.ask_beside(claim, out),
            Word::Confirm(confirm) => {
                let owner = self.claims.get(&confirm.user).map(|held| held.owner);
                let Some(owner) = owner.filter(|owner| *owner != self.me) else { return };
                if self.beside.up.contains(&owner) {
                    out.push(Effect::SendBeside { peer: owner, word: word.clone() });
                } else if !self.is_linked() && self.beside.unsaid.len() < CLAIMS_MAX {
                    self.beside.unsaid.insert(confirm.user.clone(), confirm.clone());
                    out.push(Effect::Wanted(owner));
                }
            }
            Word::Stale(stale) => {
                if self.beside.up.contains(&stale.to) {
                    out.push(Effect::SendBeside { peer: stale.to, word: word.clone() });
                }
            }
            Word::Bound(_) => {}
        }
    }

    fn ask_beside(&mut self, claim: &Claim, out: &mut Vec<Effect>) {
        let former = claim.former.filter(|_| claim.phase == Phase::Here);
        let Some(former) = former else { return self.beside.forget(&claim.user) };
        if self.beside.asked.len() < CLAIMS_MAX {
            self.beside.asked.insert((former, claim.user.clone()));
        }
        if self.beside.up.contains(&former) {
            let word = Word::Claim(claim.clone());
            out.push(Effect::SendBeside { peer: former, word });
        } else if !self.is_linked() {
            out.push(Effect::Wanted(former));
        }
    }

    /// A channel stands: what its other end has to hear.
    pub(super) fn beside_up(&mut self, now: Moment, peer: OmmId, out: &mut Vec<Effect>) {
        self.beside.up.insert(peer);
        self.drop_answered();
        let asked = self.beside.asked.iter().filter(|(of, _)| *of == peer);
        out.extend(asked.filter_map(|(_, user)| {
            let claim = self.claims.get(user)?.claim(user, now);
            let word = Word::Claim(Claim { former: Some(peer), ..claim });
            Some(Effect::SendBeside { peer, word })
        }));
        let claims = &self.claims;
        self.beside.unsaid.retain(|user, confirm| {
            let is_theirs = claims.get(user).is_some_and(|held| held.owner == peer);
            if is_theirs {
                out.push(Effect::SendBeside { peer, word: Word::Confirm(confirm.clone()) });
            }
            !is_theirs
        });
    }

    /// A channel is over; is there still something to be said?
    pub(super) fn beside_down(&mut self, peer: OmmId, out: &mut Vec<Effect>) {
        self.beside.up.remove(&peer);
        self.drop_answered();
        if !self.is_linked() && self.beside.is_asked(peer) {
            out.push(Effect::Wanted(peer));
        }
    }

    /// The link to the central is gone: who has yet to confirm?
    pub(super) fn look_beside(&mut self, out: &mut Vec<Effect>) {
        if self.is_linked() {
            return;
        }
        self.drop_answered();
        let peers: BTreeSet<OmmId> = self.beside.asked.iter().map(|(peer, _)| *peer).collect();
        out.extend(peers.into_iter().filter(|peer| !self.beside.up.contains(peer)).map(Effect::Wanted));
    }

    /// The link is there again, and says everything.
    pub(super) fn leave_beside(&mut self) {
        self.beside.unsaid.clear();
    }

    /// Somebody has confirmed, over whichever way.
    pub(super) fn confirmed_beside(&mut self, confirm: &Confirm) {
        let is_ours = self.claims.get(&confirm.user).is_some_and(|held| held.epoch <= confirm.epoch);
        if is_ours {
            self.beside.asked.remove(&(confirm.from, confirm.user.clone()));
        }
    }

    /// A word came over a channel. Its other end speaks for itself alone.
    pub(super) fn heard_beside(&mut self, now: Moment, from: OmmId, word: Word, out: &mut Vec<Effect>) {
        match &word {
            Word::Claim(claim) if claim.owner == from => match self.keep(now, claim) {
                News::Newer | News::Again => out.push(Effect::Deliver(word)),
                News::Contradicts(owner) if owner == self.me => out.push(Effect::Deliver(word)),
                News::Contradicts(_) | News::Old => {}
            },
            Word::Confirm(confirm) if confirm.from == from => {
                self.confirmed_beside(confirm);
                out.push(Effect::Deliver(word));
            }
            Word::Stale(stale) if stale.to == self.me => out.push(Effect::Deliver(word)),
            Word::Claim(_) | Word::Confirm(_) | Word::Stale(_) | Word::Bound(_) => {}
        }
    }

    /// Nobody has to confirm what is not claimed here any more.
    fn drop_answered(&mut self) {
        let (me, claims) = (self.me, &self.claims);
        self.beside.asked.retain(|(_, user)| {
            claims.get(user).is_some_and(|held| held.owner == me && held.phase == Phase::Here)
        });
    }
}
