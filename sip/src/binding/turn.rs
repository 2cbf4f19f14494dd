//! Its place at the shaper: nobody starts an exchange with a server without a slot (SM-3: Queued).

use std::time::Duration;

use machine::time::Moment;

use super::plan::Window;
use super::{Binding, Effect, Kind, State, Timer, plan};
use crate::report::Evidence;
use crate::shaper::{Rank, Wish};

/// Where a binding stands at the shaper of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nobody shapes.
    Free,
    /// It wants nothing.
    Away,
    /// It waits.
    Queued(Rank),
    /// It has a slot.
    Slot {
        /// Something was sent.
        used: bool,
    },
}

/// Where the life of the present registration comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// An answer has granted it just now.
    Granted,
    /// The same, and it has to be refreshed by half of it.
    Brief,
    /// A restart has taken it over: this is what is left of it.
    Adopted,
}

impl Binding {
    /// The same binding, which from now on asks the shaper of its server before it sends.
    pub fn shaped(mut self) -> Binding {
        self.turn = Turn::Away;
        self
    }

    /// The shaper gave a slot; one that is not wanted any more is given back at once.
    pub(super) fn take_slot(&mut self, out: &mut Vec<Effect>) {
        match self.turn {
            Turn::Queued(_) => self.turn = Turn::Slot { used: false },
            Turn::Away => out.push(Effect::Shape(Wish::Leave)),
            Turn::Free | Turn::Slot { .. } => {}
        }
    }

    /// Whether an exchange of this kind may start now; asks for a slot when there is none.
    pub(super) fn may_send(&mut self, kind: Kind, out: &mut Vec<Effect>) -> bool {
        let rank = self.rank(kind);
        match self.turn {
            Turn::Free | Turn::Slot { .. } => return true,
            Turn::Queued(known) if known <= rank => return false,
            Turn::Queued(_) | Turn::Away => {}
        }
        self.turn = Turn::Queued(rank);
        out.push(Effect::Shape(Wish::Queue(rank)));
        false
    }

    fn rank(&self, kind: Kind) -> Rank {
        match (kind, self.state) {
            (Kind::Initial, _) => self.haste,
            (Kind::Refresh, _) if self.wants.lost => self.haste,
            (Kind::Renew | Kind::Evict, _) | (Kind::Remove, State::Removing) => Rank::Renew,
            (Kind::Query, State::Idle | State::Resting | State::Trying) => self.haste,
            (Kind::Refresh | Kind::Query, _) => Rank::Refresh,
            // What is left over somewhere hurts nobody for a while.
            (Kind::Remove, _) => Rank::Failback,
        }
    }

    /// A transaction is sent with the slot.
    pub(super) fn use_slot(&mut self, out: &mut Vec<Effect>) {
        match &mut self.turn {
            Turn::Slot { used: true } => out.push(Effect::Shape(Wish::Again)),
            Turn::Slot { used } => *used = true,
            Turn::Free | Turn::Away | Turn::Queued(_) => {}
        }
    }

    /// The exchange goes on elsewhere, after a target of the server has failed.
    pub(super) fn tell_shaper(&self, evidence: Evidence, out: &mut Vec<Effect>) {
        if self.turn == (Turn::Slot { used: true }) && evidence.is_failure() {
            out.push(Effect::Shape(Wish::Told(evidence)));
        }
    }

    /// Nothing is in flight: the slot of the exchange that was is given back, with what became known of the server.
    pub(super) fn end_exchange(&mut self, out: &mut Vec<Effect>) {
        if self.turn == (Turn::Slot { used: true }) {
            self.turn = Turn::Away;
            let told = |effect: &Effect| match effect {
                Effect::Evidence(evidence) => Some(*evidence),
                Effect::Send { .. }
                | Effect::Answered { .. }
                | Effect::Unlisted
                | Effect::Report(_)
                | Effect::Subscribe { .. }
                | Effect::Dialog { .. }
                | Effect::Alarm(_)
                | Effect::Seek(_)
                | Effect::Check
                | Effect::Silence(_)
                | Effect::Named { .. }
                | Effect::Shape(_) => None,
            };
            // A server that asks for less has answered too; that it asks is what counts.
            let is_load = |evidence: &Evidence| matches!(evidence, Evidence::Load(load) if load.share > 0);
            let asked = out.iter().filter_map(told).find(is_load);
            let evidence = asked.or_else(|| out.iter().rev().find_map(told));
            out.push(Effect::Shape(Wish::Over(evidence)));
        }
    }

    /// When the present registration is to be refreshed, at the latest by its own draw; asks the shaper for a better
    /// time.
    pub(super) fn plan_refresh(&mut self, now: Moment, left: Duration, life: Life, out: &mut Vec<Effect>) {
        let is_shaped = self.turn != Turn::Free;
        let is_young = is_shaped && self.grown < plan::WIDE;
        let (from, to) = match life {
            Life::Brief => {
                let half = (left / 2).max(self.timing.refresh_floor);
                (half, half)
            }
            Life::Granted if is_young => plan::refresh(left, Window::Wide, &self.timing),
            Life::Adopted if is_young => plan::refresh(left, Window::Adopted, &self.timing),
            Life::Granted | Life::Adopted => plan::refresh(left, Window::Usual, &self.timing),
        };
        self.grown = self.grown.saturating_add(1).min(plan::WIDE);
        self.timers.set(Timer::Again, now + self.chance.between(from, to));
        if is_shaped && from < to {
            out.push(Effect::Shape(Wish::Book { from, to }));
        }
    }

    /// The time that the shaper has found. It is late for whoever has moved on meanwhile.
    pub(super) fn booked(&mut self, now: Moment, at: Duration) {
        let is_waiting = self.state == State::Registered && self.timers.at(Timer::Again).is_some();
        if is_waiting {
            self.timers.set(Timer::Again, now + at);
        }
    }

    /// It wants nothing more: its place or its slot is free for others.
    pub(super) fn step_aside(&mut self, out: &mut Vec<Effect>) {
        self.end_exchange(out);
        if let Turn::Queued(_) | Turn::Slot { .. } = self.turn {
            self.turn = Turn::Away;
            out.push(Effect::Shape(Wish::Leave));
        }
    }
}
