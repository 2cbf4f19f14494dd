//! All targets of a server asked at once: the tier is down when none of them answers (spec 3.4), and however many there are,
//! that is known within the time of one probe (ours; M-2.2.5-d).

use std::time::Duration;

use machine::time::Moment;

use super::{Effect, Health, State, Timer};
use crate::report::Evidence;
use crate::server::TARGETS_MAX;
use crate::target::Target;

/// What a round has brought so far.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Those that did not do what they were asked.
    absent: Vec<Target>,
    /// Somebody has answered.
    answered: bool,
    /// The shortest time for which one of them asked to be left alone.
    rest: Option<Duration>,
}

impl Health {
    /// Asks every target but those that have just failed.
    pub(super) fn ask_all(&mut self, now: Moment, absent: Vec<Target>, out: &mut Vec<Effect>) {
        if self.asks_users() {
            return self.canvass(now, out);
        }
        self.by_user = false;
        self.probe.end();
        let turn = self.turn % self.server.targets.len().max(1);
        let all: Vec<Target> = self.server.targets.iter().take(TARGETS_MAX).copied().collect();
        let (before, first) = all.split_at(turn.min(all.len()));
        let asked: Vec<Target> =
            first.iter().chain(before).copied().filter(|target| !absent.contains(target)).collect();
        let asked: Vec<Target> =
            asked.into_iter().filter(|target| !self.shunned.wants_rest(now, *target)).collect();
        self.round = Some(Round { absent, ..Round::default() });
        for to in &asked {
            self.send(now, *to, all.len() > 1, out);
        }
        self.timers.set(Timer::Reply, now + self.timing.probe_reply);
        if asked.is_empty() {
            self.conclude(now, out);
        }
    }

    /// The target whose turn it was has failed: the others decide whether the server has.
    pub(super) fn ask_others(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.ask_all(now, self.probed_target().into_iter().collect(), out);
    }

    /// One of them has answered, or cannot be sent to.
    pub(super) fn count(&mut self, now: Moment, target: Target, evidence: Evidence, out: &mut Vec<Effect>) {
        let Some(round) = &mut self.round else { return self.count_one(now, target, evidence, out) };
        match evidence {
            Evidence::Alive => {
                (self.heard, round.answered) = (now, true);
                self.posts.heard(now, target);
                self.turn = self.server.targets.iter().position(|at| *at == target).unwrap_or(self.turn);
                self.answered_again(now, target, out);
            }
            Evidence::Overloaded(rest) if !rest.is_zero() => {
                round.rest = Some(round.rest.map_or(rest, |known| known.min(rest)));
                if self.server.targets.len() > 1 {
                    self.leave_alone(now, target, rest, out);
                }
            }
            Evidence::Silent
            | Evidence::Overloaded(_)
            | Evidence::Unreachable
            | Evidence::Broken(_)
            | Evidence::Unfit(_)
            | Evidence::Lacks(_)
            | Evidence::Load(_)
            | Evidence::Settled(_)
            | Evidence::Audited(_)
            | Evidence::Passed(..) => round.absent.push(target),
        }
        if self.probe.is_over() {
            self.conclude(now, out);
        }
    }

    /// The one that was asked has answered, or cannot be sent to.
    fn count_one(&mut self, now: Moment, target: Target, evidence: Evidence, out: &mut Vec<Effect>) {
        let rest = match evidence {
            Evidence::Overloaded(rest) if !rest.is_zero() && self.server.targets.len() > 1 => rest,
            Evidence::Alive
            | Evidence::Silent
            | Evidence::Overloaded(_)
            | Evidence::Unreachable
            | Evidence::Broken(_)
            | Evidence::Unfit(_)
            | Evidence::Lacks(_)
            | Evidence::Load(_)
            | Evidence::Settled(_)
            | Evidence::Audited(_)
            | Evidence::Passed(..) => return self.probed(now, evidence, out),
        };
        self.leave_alone(now, target, rest, out);
        if self.is_wanted_by_all(now) {
            return self.probed(now, evidence, out);
        }
        self.timers.stop(Timer::Reply);
        self.turn = self.turn.wrapping_add(1);
        match self.state {
            State::Up => self.rest(now),
            State::Suspect { .. } => self.ask_all(now, vec![target], out),
            State::Recovering => self.timers.set(Timer::Probe, now + self.timing.probe_recovering),
            State::Probing | State::Down | State::Draining => self.probed(now, evidence, out),
        }
    }

    /// Whether the targets are being asked, so that no user need decide for all of them.
    pub(super) fn is_settling(&self) -> bool {
        self.round.is_some() && self.server.targets.len() > 1
    }

    /// The time is over: whoever has not answered is silent. False when no round is under way.
    pub(super) fn times_out(&mut self, now: Moment, out: &mut Vec<Effect>) -> bool {
        let Some(round) = &mut self.round else { return false };
        round.absent.append(&mut self.probe.end());
        self.conclude(now, out);
        true
    }

    /// A user was answered meanwhile. That ends the suspicion only where there is one target: of several, it was another
    /// one perhaps.
    pub(super) fn user_was_answered(&mut self, now: Moment, out: &mut Vec<Effect>) {
        match &mut self.round {
            Some(round) if self.server.targets.len() > 1 => round.answered = true,
            Some(_) | None => self.up(now, out),
        }
    }

    fn conclude(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let Some(Round { absent, answered, rest }) = self.round.take() else { return };
        self.timers.stop(Timer::Reply);
        absent.iter().for_each(|target| self.posts.left(*target));
        if !answered {
            return match rest {
                Some(rest) => self.drain(now, rest, out),
                None => self.down(now, out),
            };
        }
        for target in absent {
            out.push(Effect::Absent(target));
            self.doubt(now, target, out);
        }
        match self.state {
            State::Suspect { .. } => self.up(now, out),
            State::Recovering => self.timers.set(Timer::Probe, now + self.timing.probe_recovering),
            State::Up | State::Down | State::Probing | State::Draining => {}
        }
    }
}
