//! One user's registration across the tiers of a site: which binding is the current one (SM-3, the tier choice).
//!
//! ```text
//!         Bind                        current fails / server down
//!   Off ---------> On(current) ------------------------------------> On(next tier), the old one rests
//!    ^              |     ^  |
//!    |              |     |  | earlier tier usable again, user idle
//!    |       Unbind |     |  v
//!    +--------------+     On(current) + trial(earlier)
//!                         |   success: earlier becomes current, the later one is removed, then one renewal (SM-3:
//!                         |            make before break)
//!                         +-- failure: the trial rests, nothing changed
//! ```
//!
//! - The lowest usable tier is chosen; then the lowest recovering one; when none is left, tier 0 all the same, so that
//!   total blacklisting cannot silence a user (SM-3, Queued).
//! - A binding that fails for reasons of its server moves the user on even before the server's health has a verdict;
//!   an authoritative 4xx moves nobody. When every tier failed, tier 0 goes on with its own back-off (S-28).
//! - A user who left a tier that never lost its good standing goes back to it after the failback hold (ours: nobody
//!   else would call the user back).
//! - A tier that was left on failure is not deregistered: the same contact stays valid there, and it will be needed
//!   again. `Unbind` removes at every tier at which something may be registered, and answers with the worst outcome.
//! - Loss of the link between the OMMs never changes a tier (AMB-29).

use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;
use machine::timers::{Name, Timers};

use crate::binding::Order;
use crate::report::{Failure, Listed, Removal, Report};
use crate::server::Standing;
use crate::timing::Timing;

/// Tiers of a site: primary, secondary, tertiary (M-2.1.3-a, spec section 0).
pub const TIERS_MAX: u8 = 3;

/// What can happen to a line.
#[derive(Clone, Debug)]
pub enum Input {
    /// Keep this contact registered, at the lowest usable tier.
    Bind {
        /// The full contact URI.
        contact: Arc<str>,
    },
    /// One more REGISTER at the current tier (M-2.1.4.1-e).
    Renew,
    /// Ask the registrar of the current tier what it lists.
    Query,
    /// Remove these sibling contacts together with the next own REGISTER.
    Evict(Vec<String>),
    /// Remove the registration at every tier at which it may exist.
    Unbind,
    /// The link to the other OMMs is down: ask before each refresh (SM-3).
    Caution(bool),
    /// The user is in a call: fail back later.
    Busy(bool),
    /// How the server of this tier stands (SM-3H).
    Server {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// What its health says.
        standing: Standing,
    },
    /// What the binding of this tier reports.
    Report {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// The report.
        report: Report,
    },
}

/// What a line wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand this to the binding of the tier; hire it on first use.
    Tell {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// What is asked of it.
        order: Order,
    },
    /// Registered (first time or again) at this tier.
    Bound {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// How long it lives.
        granted: Duration,
    },
    /// Not registered now, or not renewed; the line goes on by itself.
    Failed {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// Why.
        failure: Failure,
    },
    /// Everything was removed, or what could not be. A later `Removed` may follow.
    Released(Removal),
    /// What the registrar lists (after every success and every query).
    Listed(Vec<Listed>),
    /// The user moves to another tier because the one left does not serve (trace).
    Failover {
        /// The tier left.
        from: u8,
        /// The tier tried now.
        to: u8,
    },
    /// The user is back at an earlier tier (trace).
    Failback {
        /// The tier left.
        from: u8,
        /// The tier used now.
        to: u8,
    },
    /// The actor may drop the binding of this tier.
    Retire {
        /// 0 primary .. 2 tertiary.
        tier: u8,
    },
}

/// The deadlines of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to try an earlier tier again that was left without its server ever losing its good standing.
    Return,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Return => "return",
        }
    }
}

/// What the line knows of one tier.
#[derive(Clone, Debug)]
struct Tier {
    standing: Standing,
    /// Nobody sends to it before this moment.
    drained: Option<Moment>,
    /// Its last report was a success.
    bound: bool,
    /// A binding was hired and not yet dismissed.
    hired: bool,
    /// It failed in the present round of tries.
    failed: bool,
    /// A removal was ordered and its outcome has not come yet.
    removing: bool,
    /// The last removal left something behind; a late `Removed` may follow.
    leftover: bool,
}

/// Whether the user is to be registered, and where.
#[derive(Clone, Debug)]
enum State {
    /// Nothing is to be registered.
    Off,
    /// Registered or trying at `current`; `trial` is an earlier tier to which the user may go back.
    On { contact: Arc<str>, current: u8, trial: Option<u8> },
}

/// One user's registration at one site.
#[derive(Debug)]
pub struct Line {
    timing: Arc<Timing>,
    state: State,
    tiers: Vec<Tier>,
    /// The worst outcome so far of a removal at every tier that is under way.
    releasing: Option<Removal>,
    /// The tier left by a failback: one renewal follows its removal.
    dropping: Option<u8>,
    /// An earlier tier is worth a try as soon as the user is idle.
    homesick: bool,
    busy: bool,
    cautious: bool,
    timers: Timers<Timer>,
}

impl Line {
    /// A line with `tiers` servers (1..=3, more are not used), all of them usable until their health says otherwise.
    pub fn new(tiers: u8, timing: Arc<Timing>) -> Line {
        let tier = Tier {
            standing: Standing::Usable,
            drained: None,
            bound: false,
            hired: false,
            failed: false,
            removing: false,
            leftover: false,
        };
        Line {
            timing,
            state: State::Off,
            tiers: vec![tier; usize::from(tiers.clamp(1, TIERS_MAX))],
            releasing: None,
            dropping: None,
            homesick: false,
            busy: false,
            cautious: false,
            timers: Timers::default(),
        }
    }

    /// The tier at which the user is registered or tries to be.
    pub fn current(&self) -> Option<u8> {
        match &self.state {
            State::Off => None,
            State::On { current, .. } => Some(*current),
        }
    }
}

impl Machine for Line {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match (input, &self.state) {
            (Input::Bind { contact }, State::Off) => {
                self.timers.clear();
                self.tiers.iter_mut().for_each(|tier| tier.failed = false);
                let current = self.best().unwrap_or(0);
                self.state = State::On { contact, current, trial: None };
                self.engage(now, current, out);
            }
            (Input::Bind { contact: new }, State::On { current, trial, .. }) => {
                let (current, trial) = (*current, *trial);
                self.state = State::On { contact: new, current, trial };
                self.engage(now, current, out);
                if let Some(trial) = trial {
                    self.engage(now, trial, out);
                }
            }
            (Input::Renew, State::On { current, .. }) => self.tell(*current, Order::Renew, out),
            (Input::Query, State::On { current, .. }) => self.tell(*current, Order::Query, out),
            (Input::Query, State::Off) => {
                let tier = self.best().unwrap_or(0);
                self.hold(now, tier, out);
                self.tell(tier, Order::Query, out);
            }
            (Input::Evict(contacts), State::On { current, .. }) => {
                self.tell(*current, Order::Evict(contacts), out);
            }
            // Without an own registration there is nothing to renew, and no right to touch anybody else's.
            (Input::Renew | Input::Evict(_), State::Off) => {}
            (Input::Unbind, State::Off | State::On { .. }) => self.release(out),
            (Input::Caution(cautious), State::Off | State::On { .. }) => self.caution(cautious, out),
            (Input::Busy(busy), State::Off | State::On { .. }) => {
                self.busy = busy;
                self.try_home(now, out);
            }
            (Input::Server { tier, standing }, State::Off | State::On { .. }) => {
                self.stands(now, tier, standing, out);
            }
            (Input::Report { tier, report }, State::Off | State::On { .. }) => {
                self.reported(now, tier, report, out);
            }
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Return => {
                    self.homesick = true;
                    self.try_home(now, out);
                }
            }
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Failover { from, to } => {
                Some(Note::new("failover").number("from", *from).number("to", *to))
            }
            Effect::Failback { from, to } => {
                Some(Note::new("failback").number("from", *from).number("to", *to))
            }
            // The binding has told it already, and with more detail.
            Effect::Tell { .. }
            | Effect::Bound { .. }
            | Effect::Failed { .. }
            | Effect::Released(_)
            | Effect::Listed(_)
            | Effect::Retire { .. } => None,
        }
    }
}

impl Line {
    /// The tier to use: the lowest usable one that has not failed in this round, else the lowest recovering one.
    fn best(&self) -> Option<u8> {
        let find = |standing| {
            let mut tiers = (0_u8..).zip(&self.tiers);
            tiers.find(|(_, tier)| tier.standing == standing && !tier.failed).map(|(index, _)| index)
        };
        find(Standing::Usable).or_else(|| find(Standing::Recovering))
    }

    fn tier(&mut self, tier: u8) -> Option<&mut Tier> {
        self.tiers.get_mut(usize::from(tier))
    }

    fn tell(&mut self, tier: u8, order: Order, out: &mut Vec<Effect>) {
        let cautious = self.cautious;
        let Some(entry) = self.tier(tier) else { return };
        if !entry.hired {
            entry.hired = true;
            if cautious {
                out.push(Effect::Tell { tier, order: Order::Caution(true) });
            }
        }
        out.push(Effect::Tell { tier, order });
    }

    /// Passes on what is left of the time in which nobody sends to this server (S-21).
    fn hold(&mut self, now: Moment, tier: u8, out: &mut Vec<Effect>) {
        let Some(until) = self.tier(tier).and_then(|entry| entry.drained) else { return };
        if until > now {
            self.tell(tier, Order::Hold(until.since(now)), out);
        }
    }

    /// Registers at this tier.
    fn engage(&mut self, now: Moment, tier: u8, out: &mut Vec<Effect>) {
        let State::On { contact, .. } = &self.state else { return };
        let contact = contact.clone();
        self.hold(now, tier, out);
        self.tell(tier, Order::Register { contact }, out);
    }

    /// The current tier does not serve: goes on at `to`.
    fn fail_over(&mut self, now: Moment, to: u8, out: &mut Vec<Effect>) {
        let State::On { current, trial, .. } = &mut self.state else { return };
        let from = std::mem::replace(current, to);
        let on_trial = *trial == Some(to);
        *trial = trial.filter(|trial| *trial != to);
        self.tell(from, Order::Rest, out);
        out.push(Effect::Failover { from, to });
        if !on_trial {
            self.engage(now, to, out);
        }
        self.plan_return(now);
    }

    /// An earlier tier in good standing was left, so no news from its health will call the user back.
    fn plan_return(&mut self, now: Moment) {
        let State::On { current, .. } = &self.state else { return };
        if self.tiers.iter().take(usize::from(*current)).any(|tier| tier.standing == Standing::Usable) {
            self.timers.set(Timer::Return, now + self.timing.failback_hold);
        }
    }

    /// Tries an earlier usable tier, once, when the user is idle (G-6: make before break).
    fn try_home(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.busy || !self.homesick {
            return;
        }
        let State::On { current, trial: trial @ None, .. } = &mut self.state else { return };
        self.homesick = false;
        let earlier = (0_u8..).zip(&self.tiers).take(usize::from(*current));
        let mut usable = earlier.filter(|(_, tier)| tier.standing == Standing::Usable);
        let Some((home, _)) = usable.next() else { return };
        *trial = Some(home);
        self.timers.stop(Timer::Return);
        self.engage(now, home, out);
    }

    fn release(&mut self, out: &mut Vec<Effect>) {
        self.state = State::Off;
        self.timers.clear();
        (self.dropping, self.homesick) = (None, false);
        self.releasing = Some(Removal::Nothing);
        for tier in (0_u8..).take(self.tiers.len()) {
            if self.tier(tier).is_some_and(|entry| entry.hired) {
                self.remove(tier, out);
            }
        }
        self.released(out);
    }

    fn remove(&mut self, tier: u8, out: &mut Vec<Effect>) {
        self.tell(tier, Order::Remove, out);
        if let Some(entry) = self.tier(tier) {
            entry.removing = true;
        }
    }

    /// Reports the worst outcome once every tier has answered.
    fn released(&mut self, out: &mut Vec<Effect>) {
        if self.tiers.iter().all(|tier| !tier.removing) {
            if let Some(worst) = self.releasing.take() {
                out.push(Effect::Released(worst));
            }
        }
    }

    fn caution(&mut self, cautious: bool, out: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.cautious, cautious) == cautious {
            return;
        }
        for (tier, _) in (0_u8..).zip(&self.tiers).filter(|(_, entry)| entry.hired) {
            out.push(Effect::Tell { tier, order: Order::Caution(cautious) });
        }
    }

    fn stands(&mut self, now: Moment, tier: u8, standing: Standing, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        entry.standing = standing;
        entry.drained = match standing {
            Standing::Draining(rest) => Some(now + rest),
            Standing::Usable | Standing::Recovering | Standing::Down => None,
        };
        let hired = entry.hired;
        match standing {
            Standing::Usable | Standing::Recovering => self.returned(now, tier, standing, out),
            Standing::Down | Standing::Draining(_) => {
                if hired {
                    self.hold(now, tier, out);
                }
                self.gone(now, tier, out);
            }
        }
    }

    /// The server of this tier may be used again.
    fn returned(&mut self, now: Moment, tier: u8, standing: Standing, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        entry.failed = false;
        let State::On { current, .. } = self.state else { return };
        let suffering = self.tier(current).is_some_and(|entry| !entry.bound);
        if tier == current {
            if suffering {
                self.tell(tier, Order::Retry, out);
            }
        } else if suffering
            && self.tier(current).is_some_and(|entry| entry.failed || !entry.standing.is_fit())
        {
            self.fail_over(now, tier, out);
        } else if tier < current && standing == Standing::Usable {
            self.homesick = true;
            self.try_home(now, out);
        }
    }

    /// The server of this tier may not be used.
    fn gone(&mut self, now: Moment, tier: u8, out: &mut Vec<Effect>) {
        let State::On { current, trial, .. } = &mut self.state else { return };
        if *trial == Some(tier) {
            *trial = None;
            self.tell(tier, Order::Rest, out);
        } else if *current == tier {
            if let Some(next) = self.best() {
                self.fail_over(now, next, out);
            }
        }
    }

    fn reported(&mut self, now: Moment, tier: u8, report: Report, out: &mut Vec<Effect>) {
        match report {
            Report::Registered { granted, listed } => self.bound(tier, granted, listed, out),
            Report::Listed(listed) => out.push(Effect::Listed(listed)),
            Report::Failed(failure) => self.failed(now, tier, failure, out),
            Report::Removed(outcome) => self.removed(tier, outcome, out),
            Report::Done => self.done(tier, out),
        }
    }

    fn bound(&mut self, tier: u8, granted: Duration, listed: Vec<Listed>, out: &mut Vec<Effect>) {
        let State::On { current, trial, .. } = &mut self.state else { return };
        let from = *current;
        let home = *trial == Some(tier);
        if home {
            (*current, *trial) = (tier, None);
        } else if from != tier {
            // A late answer of a tier that rests: its binding remembers that it may be listed there.
            return;
        }
        if let Some(entry) = self.tier(tier) {
            (entry.bound, entry.failed) = (true, false);
        }
        if home {
            out.push(Effect::Failback { from, to: tier });
            self.dropping = Some(from);
            self.remove(from, out);
        }
        out.push(Effect::Bound { tier, granted });
        out.push(Effect::Listed(listed));
    }

    fn failed(&mut self, now: Moment, tier: u8, failure: Failure, out: &mut Vec<Effect>) {
        let State::On { current, trial, .. } = &mut self.state else {
            // The query of somebody who is not registered yet.
            return out.push(Effect::Failed { tier, failure });
        };
        if *trial == Some(tier) {
            *trial = None;
            self.tell(tier, Order::Rest, out);
            self.plan_return(now);
            return;
        }
        if *current != tier {
            return;
        }
        let on_trial = *trial;
        out.push(Effect::Failed { tier, failure });
        let Some(entry) = self.tier(tier) else { return };
        entry.bound = false;
        if !failure.server_side() {
            return;
        }
        entry.failed = true;
        match on_trial.or_else(|| self.best()) {
            Some(next) => self.fail_over(now, next, out),
            None => self.start_over(now, tier, out),
        }
    }

    /// Every tier failed in this round: back to the first, which waits for its own back-off (S-28).
    fn start_over(&mut self, now: Moment, from: u8, out: &mut Vec<Effect>) {
        let tried: Vec<bool> = self.tiers.iter().map(|tier| tier.failed).collect();
        self.tiers.iter_mut().for_each(|tier| tier.failed = false);
        let to = self.best().unwrap_or(0);
        if to == from {
            return;
        }
        if !tried.get(usize::from(to)).is_some_and(|tried| *tried) {
            return self.fail_over(now, to, out);
        }
        let State::On { current, contact, .. } = &mut self.state else { return };
        *current = to;
        let contact = contact.clone();
        self.tell(from, Order::Rest, out);
        out.push(Effect::Failover { from, to });
        self.hold(now, to, out);
        self.tell(to, Order::Resume { contact }, out);
        self.timers.stop(Timer::Return);
    }

    fn removed(&mut self, tier: u8, outcome: Removal, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        let clean = matches!(outcome, Removal::Removed | Removal::Nothing);
        let ordered = std::mem::replace(&mut entry.removing, false);
        let late = std::mem::replace(&mut entry.leftover, !clean) && clean;
        if ordered {
            if let Some(worst) = &mut self.releasing {
                *worst = outcome.max(*worst);
                return self.released(out);
            }
        }
        match self.state {
            // A removal of the same contact at another tier may have hit a location database that both share.
            State::On { current, .. } if current != tier && (late || self.dropping == Some(tier)) => {
                self.dropping = self.dropping.filter(|dropping| *dropping != tier);
                self.tell(current, Order::Renew, out);
            }
            State::Off if late => out.push(Effect::Released(Removal::Removed)),
            State::On { .. } | State::Off => {}
        }
    }

    fn done(&mut self, tier: u8, out: &mut Vec<Effect>) {
        if let State::On { current, trial, .. } = self.state {
            if current == tier || trial == Some(tier) {
                return;
            }
        }
        let Some(entry) = self.tier(tier) else { return };
        if entry.hired && !entry.removing {
            (entry.hired, entry.bound, entry.leftover) = (false, false, false);
            out.push(Effect::Retire { tier });
        }
    }
}

#[cfg(test)]
mod tests;
