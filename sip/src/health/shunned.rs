//! Which targets of a server are passed over for a while, so that what one user has learned of a target no other has to.
//!
//! - One that answers 503 with Retry-After is left alone for that long (S-21). When all of them want that, the server does.
//! - One that fails two users within a minute, cannot be reached, or is silent to a probe while another target answers, is
//!   asked behind the others for 30 s, and twice as long each time it does so again, up to 300 s (ours: SM-3H for one target).
//!   An answer ends that.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::time::Moment;

use super::{Effect, Health, State};
use crate::report::{Fault, Rest};
use crate::server::TARGETS_MAX;
use crate::target::Target;

/// What is known against one target.
#[derive(Clone, Copy, Debug)]
struct Shun {
    /// When it failed last.
    failed: Moment,
    /// Until when it is passed over, and why.
    until: Option<(Moment, Rest)>,
    /// How often in a row it was doubted.
    times: u32,
}

/// All that something is known against; no more than a server has.
#[derive(Debug, Default)]
pub(super) struct Shunned(BTreeMap<Target, Shun>);

impl Shunned {
    /// The server has these targets and no others now.
    pub(super) fn keep(&mut self, targets: &[Target]) {
        self.0.retain(|target, _| targets.contains(target));
    }

    /// It has failed now; whether it had within the last `window`.
    fn failed(&mut self, now: Moment, target: Target, window: Duration) -> bool {
        let known = self.0.insert(target, Shun { failed: now, until: None, times: 0 });
        if let (Some(known), Some(shun)) = (known, self.0.get_mut(&target)) {
            (shun.until, shun.times) = (known.until, known.times);
        }
        known.is_some_and(|known| now.since(known.failed) <= window)
    }

    pub(super) fn wants_rest(&self, now: Moment, target: Target) -> bool {
        let until = self.0.get(&target).and_then(|shun| shun.until);
        until.is_some_and(|(until, rest)| rest == Rest::Wanted && until > now)
    }

    /// Until when all of `targets` want to be left alone; `None` when one of them does not.
    pub(super) fn all_until(&self, now: Moment, targets: &[Target]) -> Option<Moment> {
        let wanted = |target: &Target| match self.0.get(target)?.until? {
            (until, Rest::Wanted) if until > now => Some(until),
            (_, Rest::Wanted | Rest::Doubted) => None,
        };
        targets.iter().take(TARGETS_MAX).map(wanted).try_fold(None, |soonest: Option<Moment>, until| {
            let until = until?;
            Some(Some(soonest.map_or(until, |soonest| soonest.min(until))))
        })?
    }
}

impl Health {
    /// Whether every target wants to be left alone; the only one of a server speaks for itself.
    pub(super) fn is_wanted_by_all(&self, now: Moment) -> bool {
        let targets = &self.server.targets;
        targets.len() < 2 || self.shunned.all_until(now, targets).is_some()
    }

    /// How long the server is left alone when the one that was asked last wants `rest`: until the first may be asked again.
    pub(super) fn shortest(&self, now: Moment, rest: Duration) -> Duration {
        let soonest = self.shunned.all_until(now, &self.server.targets);
        soonest.map_or(rest, |soonest| soonest.since(now).min(rest))
    }

    /// A user has turned to another target.
    pub(super) fn passed(&mut self, now: Moment, target: Target, fault: Fault, out: &mut Vec<Effect>) {
        if !self.server.targets.contains(&target) {
            return;
        }
        let again = self.shunned.failed(now, target, self.timing.suspect_window);
        match fault {
            Fault::Overloaded(rest) if !rest.is_zero() => self.leave_alone(now, target, rest, out),
            Fault::Unreachable => self.doubt(now, target, out),
            Fault::Silent | Fault::Broken(_) | Fault::Overloaded(_) if again => self.doubt(now, target, out),
            Fault::Silent | Fault::Broken(_) | Fault::Overloaded(_) => {}
        }
        // Whether it is silent to all is settled at once, where its silence means something.
        if fault == Fault::Silent && self.state == State::Up && self.talkative {
            self.state = State::Suspect { since: now };
            self.ask_all(now, Vec::new(), out);
        }
    }

    /// It has asked to be left alone.
    pub(super) fn leave_alone(&mut self, now: Moment, target: Target, rest: Duration, out: &mut Vec<Effect>) {
        self.posts.left(target);
        self.shun(now, target, rest.min(self.timing.retry_after_max), Rest::Wanted, out);
    }

    /// It does not serve, and others do.
    pub(super) fn doubt(&mut self, now: Moment, target: Target, out: &mut Vec<Effect>) {
        let known = self.shunned.0.get(&target).copied();
        if known.and_then(|known| known.until).is_some_and(|(until, _)| until > now) {
            return;
        }
        let times = known.map_or(0, |known| known.times);
        let factor = 2_u32.saturating_pow(times);
        let pause = self.timing.probe_first.saturating_mul(factor).min(self.timing.probe_max);
        self.shun(now, target, pause, Rest::Doubted, out);
        if let Some(shun) = self.shunned.0.get_mut(&target) {
            shun.times = times.saturating_add(1);
        }
    }

    fn shun(&mut self, now: Moment, target: Target, time: Duration, rest: Rest, out: &mut Vec<Effect>) {
        let shun = self.shunned.0.entry(target).or_insert(Shun { failed: now, until: None, times: 0 });
        // Many users hear the same: only a longer time is news.
        if shun.until.is_some_and(|(until, known)| known == rest && until >= now + time) {
            return;
        }
        shun.until = Some((now + time, rest));
        out.push(Effect::Rests { target, time, rest });
    }

    /// It has answered. Whoever wanted to be left alone still does.
    pub(super) fn answered_again(&mut self, now: Moment, target: Target, out: &mut Vec<Effect>) {
        match self.shunned.0.get(&target).and_then(|shun| shun.until) {
            Some((until, Rest::Wanted)) if until > now => {}
            Some((until, Rest::Doubted)) if until > now => {
                self.shunned.0.remove(&target);
                out.push(Effect::Rests { target, time: Duration::ZERO, rest: Rest::Doubted });
            }
            Some((_, Rest::Wanted | Rest::Doubted)) | None => _ = self.shunned.0.remove(&target),
        }
    }
}
