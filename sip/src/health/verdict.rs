//! What is made of the evidence: the states of SM-3H as they are entered, and the lines told.

use std::time::Duration;

use machine::time::Moment;

use super::{Effect, Health, State, Timer};
use crate::server::{Server, Standing};

impl Health {
    /// It knows no REGISTER (SM-3: "server misconfigured"): told once, until it answers a user otherwise.
    pub(super) fn misfit(&mut self, code: u16, out: &mut Vec<Effect>) {
        if !std::mem::replace(&mut self.unfit, true) {
            out.push(Effect::Unfit { server: self.server.name.clone(), code });
        }
    }

    pub(super) fn up(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.settle(State::Up);
        self.rest(now);
        self.audit_soon(now);
        self.misses = 0;
        self.tell(Standing::Usable, out);
    }

    pub(super) fn recover(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.settle(State::Recovering);
        self.misses = 0;
        self.timers.set(Timer::Stable, now + self.timing.failback_hold);
        self.timers.set(Timer::Probe, now + self.timing.probe_recovering);
        self.audit_soon(now);
        self.tell(Standing::Recovering, out);
    }

    pub(super) fn down(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let again = self.state == State::Probing;
        self.settle(State::Down);
        self.misses = if again { self.misses.saturating_add(1) } else { 0 };
        let factor = 2_u32.saturating_pow(self.misses);
        let pause = self.timing.probe_first.saturating_mul(factor).min(self.timing.probe_max);
        self.timers.set(Timer::Probe, now + pause);
        self.tell(Standing::Down, out);
    }

    pub(super) fn drain(&mut self, now: Moment, rest: Duration, out: &mut Vec<Effect>) {
        let until = now + rest.min(self.timing.retry_after_max);
        // Many users hear the same 503: only a longer time is news.
        let known = self.timers.at(Timer::Drained).filter(|_| self.state == State::Draining);
        if known.is_some_and(|known| until <= known) {
            return;
        }
        self.settle(State::Draining);
        self.timers.set(Timer::Drained, until);
        self.tell(Standing::Draining(until.since(now)), out);
    }

    /// Enters a state in which no probe is under way and no deadline is left from the former one.
    pub(super) fn settle(&mut self, state: State) {
        self.state = state;
        let kept = [Timer::Demands, Timer::Audit].map(|timer| (timer, self.timers.at(timer)));
        self.timers.clear();
        for (timer, at) in kept {
            if let Some(at) = at {
                self.timers.set(timer, at);
            }
        }
        self.probe.end();
        self.round = None;
        self.canvassing = false;
    }

    pub(super) fn tell(&mut self, standing: Standing, out: &mut Vec<Effect>) {
        self.own = standing;
        // Whoever is dead needs no draining.
        let is_drained = self.drill && standing.is_fit();
        let standing = if is_drained { Standing::Drilled } else { standing };
        if std::mem::replace(&mut self.standing, standing) != standing {
            let Server { name, tier, .. } = &*self.server;
            out.push(Effect::Standing { server: name.clone(), tier: *tier, standing });
        }
    }
}
