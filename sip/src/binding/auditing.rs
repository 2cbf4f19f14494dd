//! An audit: does the registrar still list what it granted? One that restarts faster than a probe notices has forgotten
//! its table, and over UDP nothing says so (ours; the query is RFC 3261 10.2.3).
//!
//! ```text
//!   Audit --> query --> listed: kept
//!                  \--> not listed: registers again at once --> query --> listed: it was forgotten
//!                                                                    \--> not listed: its lists say nothing
//! ```
//!
//! - The second look is the proof: there are registrars that answer a query without any contact, and they are
//!   indistinguishable from one that forgot, until one has registered anew.
//! - A contact of a sibling in the place of ours is no loss but a roam that we have not heard of, or a registrar that
//!   keeps a single contact (SM-3): the list is reported, and nothing is taken back.
//! - Only the target at which the user is registered is asked, and for no longer than the fail-over timer runs. One that sends
//!   elsewhere (3xx) is not asked.

use machine::time::Moment;

use super::answer::{self, Keeps};
use super::flight::Errand;
use super::{Binding, Effect, State, Timer};
use crate::message::Message;
use crate::report::{Audited, Evidence, Listed, Report};

/// Which look at the list an audit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Whether we are listed, though nothing happened.
    First,
    /// Whether we are, now that we have registered again.
    Second,
}

impl Binding {
    /// The health asks this user whether it is still listed. Whoever is not registered cannot tell.
    pub(super) fn audit(&mut self) {
        if self.is_settled() {
            self.wants.audit.get_or_insert(Look::First);
        }
    }

    /// The server has forgotten its users: what it granted is not worth waiting for.
    pub(super) fn restore(&mut self) {
        if self.state == State::Registered && self.stored {
            self.wants.lost = true;
            self.grown = 0;
            // With the link down the owner may object, as before any refresh.
            if self.cautious {
                self.wants.guard = true;
            } else {
                self.wants.due = true;
            }
        }
    }

    /// What an answer to the query of an audit says.
    pub(super) fn audited(
        &mut self,
        now: Moment,
        errand: &Errand,
        message: &Message,
        listed: &[Listed],
        out: &mut Vec<Effect>,
    ) {
        let (Some(look), Some(wish)) = (errand.audit, self.wish.clone()) else { return };
        let is_alive = self.held.is_some_and(|held| held > now);
        if !self.is_settled() || !is_alive {
            return;
        }
        match (answer::keeps(message, &wish, &self.ours, &self.account, &self.timing), look) {
            (Keeps::Ours, Look::First) => out.push(Effect::Evidence(Evidence::Audited(Audited::Kept))),
            (Keeps::Ours, Look::Second) => out.push(Effect::Evidence(Evidence::Audited(Audited::Forgot))),
            (Keeps::Nobody, Look::First) => {
                out.push(Effect::Unlisted);
                (self.wants.due, self.wants.lost) = (true, true);
                self.wants.audit = Some(Look::Second);
                self.grown = 0;
            }
            (Keeps::Nobody, Look::Second) => out.push(Effect::Evidence(Evidence::Audited(Audited::Reticent))),
            (Keeps::Sibling, Look::First | Look::Second) if errand.prove => {
                out.push(Effect::Report(Report::Listed(listed.to_vec())));
            }
            (Keeps::Sibling | Keeps::Unread, Look::First | Look::Second) => {}
        }
    }

    /// It is registered at its present target, as far as it knows.
    fn is_settled(&self) -> bool {
        let is_on_the_move = self.timers.at(Timer::Flow).is_some() || self.moved.is_some();
        self.state == State::Registered && self.stored && !is_on_the_move
    }

    /// What happened to a flow or a target concerns more than the audit that is in flight there: it gives way.
    pub(super) fn drop_audit(&mut self) {
        if self.flight.as_ref().is_some_and(|flight| flight.errand.is_audit()) {
            self.abandon();
        }
    }
}
