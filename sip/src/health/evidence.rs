//! What users learn and probes end with, state by state (the table of SM-3H).

use machine::time::Moment;

use super::{Effect, Health, State, Timer};
use crate::report::{Audited, Evidence};

impl Health {
    /// What a binding of any user learned.
    pub(super) fn weigh(&mut self, now: Moment, evidence: Evidence, out: &mut Vec<Effect>) {
        match evidence {
            Evidence::Alive => {
                (self.heard, self.unfit) = (now, false);
                self.expect_audits(now);
            }
            Evidence::Unfit(code) => {
                self.misfit(code, out);
                // Who knows no REGISTER is alive all the same; a 501 counts like any 5xx.
                let evidence = if code < 500 { Evidence::Alive } else { Evidence::Broken(code) };
                return self.judge(now, evidence, out);
            }
            Evidence::Lacks(lacks) => {
                self.demands.lacks = self.demands.lacks.with(lacks);
                return self.demand(now, out);
            }
            Evidence::Load(load) => return self.weigh_load(now, load, out),
            Evidence::Settled(target) => {
                self.answered_again(now, target, out);
                return self.posts.settled(now, target);
            }
            Evidence::Passed(target, fault) => return self.passed(now, target, fault, out),
            Evidence::Audited(Audited::Kept) => return self.kept(),
            Evidence::Audited(Audited::Forgot) => return self.forgot(now, out),
            Evidence::Audited(Audited::Reticent) => return self.reticent(now),
            Evidence::Audited(Audited::Unanswered) => return self.unanswered(now, out),
            Evidence::Silent | Evidence::Overloaded(_) | Evidence::Unreachable | Evidence::Broken(_) => {}
        }
        self.judge(now, evidence, out);
    }

    /// What it means for the server.
    fn judge(&mut self, now: Moment, evidence: Evidence, out: &mut Vec<Effect>) {
        if std::mem::take(&mut self.canvassing) {
            // Whoever speaks first speaks for all; the one who was asked may be held up.
            self.filtered |= evidence == Evidence::Alive && !self.talkative;
            return self.probed(now, evidence, out);
        }
        match (evidence, self.state) {
            (
                Evidence::Lacks(_)
                | Evidence::Load(_)
                | Evidence::Settled(_)
                | Evidence::Unfit(_)
                | Evidence::Passed(..)
                | Evidence::Audited(_),
                _,
            ) => {}
            (Evidence::Overloaded(rest), _) if !rest.is_zero() && self.is_wanted_by_all(now) => {
                self.drain(now, self.shortest(now, rest), out);
            }
            (_, State::Draining) => {}
            (Evidence::Alive, State::Up) => {
                if self.timers.at(Timer::Idle).is_none() {
                    self.rest(now);
                }
            }
            (Evidence::Alive, State::Recovering) => {}
            (Evidence::Alive, State::Suspect { .. }) => self.user_was_answered(now, out),
            (Evidence::Alive, State::Down | State::Probing) => self.recover(now, out),
            // The probe decides; users whose answer is late tell nothing new.
            (_, State::Down | State::Probing) => {}
            (Evidence::Unreachable, State::Up | State::Suspect { .. } | State::Recovering) => {
                self.down(now, out)
            }
            (Evidence::Silent, State::Up) => {
                self.state = State::Suspect { since: now };
                self.ask_all(now, Vec::new(), out);
            }
            (Evidence::Broken(_) | Evidence::Overloaded(_), State::Up) => {
                self.state = State::Suspect { since: now };
            }
            (Evidence::Silent, State::Suspect { .. }) if self.is_settling() => {}
            (Evidence::Silent | Evidence::Broken(_) | Evidence::Overloaded(_), State::Suspect { since }) => {
                if now.since(since) <= self.timing.suspect_window {
                    self.down(now, out);
                } else {
                    self.state = State::Suspect { since: now };
                }
            }
            (Evidence::Silent | Evidence::Broken(_) | Evidence::Overloaded(_), State::Recovering) => {
                self.down(now, out);
            }
        }
    }

    /// How a probe ended.
    pub(super) fn probed(&mut self, now: Moment, evidence: Evidence, out: &mut Vec<Effect>) {
        self.timers.stop(Timer::Reply);
        if evidence == Evidence::Alive {
            self.heard = now;
            if let Some(target) = self.probed_target().filter(|_| !self.by_user) {
                self.posts.heard(now, target);
            }
        }
        match (evidence, self.state) {
            (
                Evidence::Lacks(_)
                | Evidence::Load(_)
                | Evidence::Settled(_)
                | Evidence::Unfit(_)
                | Evidence::Passed(..)
                | Evidence::Audited(_),
                _,
            ) => {}
            (Evidence::Overloaded(rest), _) if !rest.is_zero() => {
                self.drain(now, self.shortest(now, rest), out);
            }
            (Evidence::Alive, State::Up) => self.rest(now),
            (Evidence::Unreachable, State::Up) => {
                self.state = State::Suspect { since: now };
                self.ask_others(now, out);
            }
            (Evidence::Silent | Evidence::Broken(_) | Evidence::Overloaded(_), State::Up)
                if self.talkative || self.filtered =>
            {
                self.weigh(now, evidence, out);
                // After a silence it is asked at once; after a 5xx to OPTIONS in a while, or idle users would stay.
                if evidence != Evidence::Silent {
                    self.timers.set(Timer::Probe, now + self.patience());
                }
            }
            // It has never answered OPTIONS, so its silence says little: a user decides.
            (Evidence::Silent | Evidence::Broken(_) | Evidence::Overloaded(_), State::Up) => {
                self.state = State::Suspect { since: now };
                self.canvass(now, out);
            }
            (Evidence::Alive, State::Suspect { .. }) => self.up(now, out),
            (Evidence::Alive, State::Probing | State::Down) => self.recover(now, out),
            (Evidence::Alive, State::Recovering) => {
                self.timers.set(Timer::Probe, now + self.timing.probe_recovering);
            }
            // A user asks wherever it is registered, and has asked every target by itself.
            (_, State::Suspect { .. } | State::Recovering) if self.by_user => self.down(now, out),
            (_, State::Suspect { .. } | State::Recovering) => self.ask_others(now, out),
            (_, State::Probing | State::Down) => {
                if !self.by_user {
                    self.turn = self.turn.wrapping_add(1);
                }
                self.down(now, out);
            }
            (_, State::Draining) => debug_assert!(false, "a probe ended while none was due"),
        }
    }
}
