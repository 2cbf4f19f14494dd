//! Which target of the server comes next, and which are passed over for a while because of what they did to others.

use std::time::Duration;

use machine::time::Moment;

use super::Binding;
use super::flight::Errand;
use crate::report::Rest;
use crate::server::TARGETS_MAX;
use crate::target::Target;

/// A target that is passed over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting {
    at: Target,
    until: Moment,
    rest: Rest,
}

impl Binding {
    /// The server's health says which target is to rest, and for how long; for no time when it need not any more.
    pub(super) fn rests(&mut self, now: Moment, at: Target, time: Duration, rest: Rest) {
        let list = self.server.targets.get(..TARGETS_MAX).unwrap_or(&self.server.targets);
        self.resting.retain(|known| known.at != at && known.until > now && list.contains(&known.at));
        if !time.is_zero() && list.contains(&at) {
            self.resting.push(Resting { at, until: now + time, rest });
        }
        self.resting.shrink_to_fit();
    }

    /// The target to ask next: behind the present one of those that were not asked yet, and of these one that has not
    /// failed others lately. One that wants to be left alone is asked only when there is no other at all: nobody is silenced
    /// (SM-3, Queued).
    pub(super) fn next_target(&self, now: Moment, errand: &Errand) -> Option<Target> {
        let place = |at: Target| self.targets().iter().position(|listed| *listed == at);
        let first = match errand.at {
            Some(at) => place(at).map_or(0, |place| place + 1),
            None => self.target.into(),
        };
        let list = self.targets();
        let turn = list.iter().copied().cycle().skip(first).take(list.len());
        let open: Vec<Target> = turn.filter(|at| !errand.asked.contains(at)).collect();
        let rest_of = |at: &Target| {
            let known = self.resting.iter().find(|resting| resting.at == *at && resting.until > now);
            known.map(|resting| resting.rest)
        };
        let awake = open.iter().find(|at| rest_of(at).is_none());
        let doubtful = || open.iter().find(|at| rest_of(at) == Some(Rest::Doubted));
        let lone = || open.first().filter(|_| errand.asked.is_empty());
        awake.or_else(doubtful).or_else(lone).copied()
    }

    /// Whether there is another place to turn to, when the present one fails.
    pub(super) fn has_more(&self, now: Moment, errand: &Errand) -> bool {
        // Whether we are listed somewhere else is not asked.
        !errand.is_audit() && (errand.detours.len() > 1 || self.next_target(now, errand).is_some())
    }

    /// Turns to the next place; false when there is none left.
    pub(super) fn advance(&self, now: Moment, errand: &mut Errand) -> bool {
        if errand.is_audit() {
            return false;
        }
        if errand.next_detour() {
            return true;
        }
        errand.at = self.next_target(now, errand);
        errand.at.is_some()
    }
}
