//! A registration of a former life of the process that the registrar still lists: it is taken over as it is.
//!
//! After a restart the registrar is asked before anything is registered (SM-2). Where its list holds the very contact that
//! is to be registered, nothing needs to be sent now: ten thousand users would otherwise register again at once, and
//! nobody is to refresh before half of what is left of the life has passed (facts: restart storms).
//!
//! Only the list of that question counts, and only for a moment: a registrar may have lost its table since, and whoever
//! believed an old list would be registered nowhere.

use std::time::Duration;

use machine::time::Moment;

use super::turn::Life;
use super::{Binding, Effect, State, answer, plan};
use crate::report::{Listed, Report};

/// How long a list is believed. Ours: Timer F, the longest that the way from the list to the order can take.
const FRESH: Duration = Duration::from_secs(32);

/// Our contact in a registrar's list.
#[derive(Debug)]
pub(super) struct Found {
    contact: Box<str>,
    until: Moment,
    seen: Moment,
}

impl Binding {
    /// Remembers what the question of a restart has found of ours: nothing was registered in this life.
    pub(super) fn remember(&mut self, now: Moment, listed: &[Listed]) {
        // One that an earlier life spelled for another transport has to be removed as it is listed.
        let is_inherited = !self.ours.is_empty();
        for listed in listed.iter().filter(|listed| listed.own && is_inherited) {
            if !self.ours.iter().any(|ours| answer::same(ours, &listed.uri)) {
                self.own(listed.uri.as_str().into());
            }
        }
        let own = listed.iter().filter(|listed| listed.own).max_by_key(|listed| listed.expires);
        self.found = own.filter(|_| self.state == State::Idle).map(|own| {
            let (contact, until) = (own.uri.as_str().into(), now + own.expires);
            Box::new(Found { contact, until, seen: now })
        });
    }

    /// Takes over what was found, when it is what is wanted now and lives for long enough to be refreshed in time.
    pub(super) fn adopt(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.state != State::Trying || self.flight.is_some() || self.seeking.is_some() {
            return;
        }
        let Some(wish) = self.wish.clone() else { return };
        let Some(Found { contact, until, seen }) = self.found.take().map(|found| *found) else { return };
        let left = until.since(now);
        // A contact of an older epoch must be replaced, and what the next REGISTER carries besides cannot wait.
        let others = !self.wants.evict.is_empty() || self.ours.iter().any(|ours| *ours != wish);
        let is_stale = now.since(seen) > FRESH;
        if is_stale || left < plan::SHORT || others || !answer::same(&wish, &contact) {
            return;
        }
        self.own(wish);
        self.held = None;
        self.hold_on(until);
        (self.failures, self.refusals, self.stored, self.grown) = (0, 0, true, 0);
        self.state = State::Registered;
        self.plan_refresh(now, left, Life::Adopted, out);
        out.push(Effect::Report(Report::Registered { granted: left, listed: Vec::new() }));
    }
}
