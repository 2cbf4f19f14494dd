//! Whether a server still knows its users: each half minute another one of them looks (ours).
//!
//! ```text
//!   audit --> kept                                  nothing
//!         --> forgot --> another user, at once --> kept      one user was removed, by whomever: nothing more
//!                                              --> forgot    the server has lost its table: all register again
//! ```
//!
//! - A server is asked while it is in use and may be asked: not while it is down, wants to be left alone or is overloaded.
//! - One that was silent and answers again may have been started anew: it is asked at once.
//! - An audit takes no server down: there may be registrars that take no queries. One that is not answered is a reason for
//!   a probe.
//! - A user who was forgotten has registered again by itself before this hears of it ([`crate::binding`]); so the only
//!   user of a server needs nothing more.

use std::time::Duration;

use machine::time::Moment;

use super::{Effect, Health, State, Timer};

/// The least time between two audits out of the row. Ours: a server that falters all the time is not asked all the time.
const AUDIT_REST: Duration = Duration::from_secs(5);
/// The least time between two renewals of all users of a server. Ours: whatever a registrar does, its users' usual
/// refreshes are the greater load.
const RESTORE_REST: Duration = Duration::from_secs(5 * 60);
/// For how long a server is not asked whose lists say nothing. Ours: it may be another one by then.
const RETICENT_REST: Duration = Duration::from_secs(3600);

/// What audits have shown of a server.
#[derive(Debug, Default)]
pub(super) struct Audits {
    /// When a user was asked last.
    asked: Option<Moment>,
    /// It has listed a user in answer to a query.
    lists: bool,
    /// It has forgotten a user, and no second one was heard yet.
    doubt: bool,
    /// When all users were told to register again.
    restored: Option<Moment>,
}

impl Health {
    /// A user has heard of the server: from now on it is asked now and then.
    pub(super) fn expect_audits(&mut self, now: Moment) {
        if !self.timing.audit.is_zero() && self.timers.at(Timer::Audit).is_none() {
            self.timers.set(Timer::Audit, now + self.timing.audit);
        }
    }

    /// The server answers again.
    pub(super) fn audit_soon(&mut self, now: Moment) {
        if !self.timing.audit.is_zero() {
            let next = self.audits.asked.map_or(now, |asked| now.max(asked + AUDIT_REST));
            self.timers.set(Timer::Audit, next);
        }
    }

    /// Has one user look, if the server may be asked.
    pub(super) fn audit(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.timers.set(Timer::Audit, now + self.timing.audit);
        let may_be_asked = match self.state {
            State::Up | State::Recovering => self.demands.shed == 0,
            State::Suspect { .. } | State::Down | State::Probing | State::Draining => false,
        };
        if may_be_asked {
            self.audits.asked = Some(now);
            out.push(Effect::Audit { tier: self.server.tier });
        }
    }

    /// A user is listed.
    pub(super) fn kept(&mut self) {
        (self.audits.lists, self.audits.doubt) = (true, false);
    }

    /// A user was not listed, and is again.
    pub(super) fn forgot(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.audits.lists = true;
        if !std::mem::replace(&mut self.audits.doubt, true) {
            return self.audit(now, out);
        }
        let is_fresh = self.audits.restored.is_some_and(|at| now.since(at) < RESTORE_REST);
        // While it is, each audit finds the doubt again.
        if !is_fresh {
            (self.audits.doubt, self.audits.restored) = (false, Some(now));
            let (server, tier) = (self.server.name.clone(), self.server.tier);
            out.push(Effect::Restore { server, tier });
        }
    }

    /// A user who looked was not answered, or with a 5xx. That may be so with queries only: a probe decides, and where the
    /// server has never listed anybody it is asked no more for a while.
    pub(super) fn unanswered(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.reticent(now);
        let is_probed = self.timers.at(Timer::Reply).is_some();
        if self.state == State::Up && !is_probed {
            self.ask(now, out);
        }
    }

    /// The lists of the server say nothing.
    pub(super) fn reticent(&mut self, now: Moment) {
        // One that has listed somebody before has only lost its table once more.
        if !self.audits.lists {
            self.timers.set(Timer::Audit, now + RETICENT_REST);
        }
    }
}
