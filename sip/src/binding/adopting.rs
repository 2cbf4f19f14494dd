//! A registration of a former life of the process that the registrar still lists: it is taken over as it is.
//!
//! After a restart the registrar is asked before anything is registered (SM-2). Where its list holds the very contact that
//! is to be registered, nothing needs to be sent now: ten thousand users would otherwise register again at once, and
//! nobody is to refresh before half of what is left of the life has passed (facts: restart storms).

use machine::time::Moment;

use super::{Binding, Effect, State, answer, plan};
use crate::report::{Listed, Report};

impl Binding {
    /// Remembers what a query has found of ours.
    pub(super) fn remember(&mut self, now: Moment, listed: &[Listed]) {
        let own = listed.iter().filter(|listed| listed.own).max_by_key(|listed| listed.expires);
        self.found = own.map(|own| (own.uri.as_str().into(), now + own.expires));
    }

    /// Takes over what was found, when it is what is wanted now and lives for long enough to be refreshed in time.
    pub(super) fn adopt(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.state != State::Trying || self.flight.is_some() {
            return;
        }
        let Some(wish) = self.wish.clone() else { return };
        let Some((found, until)) = self.found.take() else { return };
        let left = until.since(now);
        // A contact of an older epoch must be replaced, and what the next REGISTER carries besides cannot wait.
        let others = !self.wants.evict.is_empty() || self.ours.iter().any(|ours| *ours != wish);
        if left < plan::SHORT || others || !answer::same(&wish, &found) {
            return;
        }
        self.own(wish);
        self.held = None;
        self.hold_on(until);
        (self.failures, self.refusals, self.stored, self.grown) = (0, 0, true, 0);
        self.state = State::Registered;
        self.plan_refresh(now, left, false, out);
        out.push(Effect::Report(Report::Registered { granted: left, listed: Vec::new() }));
    }
}
