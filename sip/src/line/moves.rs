//! How a user moves between tiers, and how its registrations end.

use std::time::Duration;

use machine::time::Moment;

use super::{Effect, Line, Mode, State, Tier, Timer};
use crate::binding::Order;
use crate::report::{Failure, Listed, Removal, Report};
use crate::server::{Demands, Standing};
use crate::shaper::Rank;

impl Line {
    /// The tier to use: the lowest usable one that has not failed in this round, else the lowest recovering one, else
    /// one that an operator drains. In the serial mode the search begins behind the current tier.
    pub(super) fn best(&self) -> Option<u8> {
        let first = match (self.mode, &self.state) {
            (Mode::Serial, State::On { current, .. }) => usize::from(*current) + 1,
            (Mode::Serial, State::Off) | (Mode::TopDown | Mode::Parallel, _) => 0,
        };
        let find = |standing| {
            let turn = (0_u8..).zip(&self.tiers).cycle().skip(first).take(self.tiers.len());
            let mut fit = turn.filter(|(_, tier)| tier.standing == standing && !tier.failed);
            fit.next().map(|(index, _)| index)
        };
        find(Standing::Usable).or_else(|| find(Standing::Recovering)).or_else(|| find(Standing::Drilled))
    }

    pub(super) fn tier(&mut self, tier: u8) -> Option<&mut Tier> {
        self.tiers.get_mut(usize::from(tier))
    }

    pub(super) fn tell(&mut self, tier: u8, order: Order, out: &mut Vec<Effect>) {
        let cautious = self.cautious;
        let Some(entry) = self.tier(tier) else { return };
        if !entry.hired {
            (entry.hired, entry.haste) = (true, Rank::Roam);
            entry.sheltered = false;
            let demands = entry.demands;
            if cautious {
                out.push(Effect::Tell { tier, order: Order::Caution(true) });
            }
            if demands != Demands::default() {
                out.push(Effect::Tell { tier, order: Order::Heed(demands) });
            }
        }
        out.push(Effect::Tell { tier, order });
    }

    /// Passes on what is left of the time in which nobody sends to this server (S-21).
    pub(super) fn hold(&mut self, now: Moment, tier: u8, out: &mut Vec<Effect>) {
        let Some(until) = self.tier(tier).and_then(|entry| entry.drained) else { return };
        if until > now {
            self.tell(tier, Order::Hold(until.since(now)), out);
        }
    }

    /// A `Bind` is as urgent as was said, until it has succeeded.
    pub(super) fn hasten(&mut self) {
        self.haste = Some(std::mem::replace(&mut self.coming, Rank::Roam));
    }

    /// How urgent a step of this rank is for this user.
    fn urgency(&self, rank: Rank) -> Rank {
        match (rank, self.haste) {
            (Rank::Failback, _) => rank,
            (Rank::Roam | Rank::Renew | Rank::Refresh | Rank::StartUp, _) if self.vip => Rank::Roam,
            (Rank::Roam | Rank::Renew | Rank::Refresh | Rank::StartUp, haste) => haste.unwrap_or(rank),
        }
    }

    /// Tells the binding how urgent it is, where that is news.
    fn urge(&mut self, tier: u8, rank: Rank, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        let known = if entry.hired { entry.haste } else { Rank::Roam };
        if known != rank {
            self.tell(tier, Order::Haste(rank), out);
        }
        if let Some(entry) = self.tier(tier) {
            entry.haste = rank;
        }
    }

    /// Asks the registrar before anything is registered.
    pub(super) fn ask(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let tier = self.best().unwrap_or(0);
        let rank = if self.vip { Rank::Roam } else { self.coming };
        self.hold(now, tier, out);
        self.urge(tier, rank, out);
        self.tell(tier, Order::Query, out);
    }

    /// Registers at this tier.
    pub(super) fn engage(&mut self, now: Moment, tier: u8, rank: Rank, out: &mut Vec<Effect>) {
        let State::On { contact, .. } = &self.state else { return };
        let contact = contact.clone();
        self.hold(now, tier, out);
        self.urge(tier, self.urgency(rank), out);
        self.shelter(tier, out);
        self.tell(tier, Order::Register { contact }, out);
    }

    /// Tells the binding of this tier whether another one serves the user (S-28).
    pub(super) fn shelter(&mut self, tier: u8, out: &mut Vec<Effect>) {
        let sheltered = (0_u8..).zip(&self.tiers).any(|(other, entry)| other != tier && entry.bound);
        let Some(entry) = self.tier(tier) else { return };
        if (entry.hired && entry.sheltered) != sheltered {
            self.tell(tier, Order::Sheltered(sheltered), out);
            if let Some(entry) = self.tier(tier) {
                entry.sheltered = sheltered;
            }
        }
    }

    /// What the server of this tier demands of all its users.
    pub(super) fn demand(&mut self, tier: u8, demands: Demands, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        entry.demands = demands;
        if entry.hired {
            self.tell(tier, Order::Heed(demands), out);
        }
    }

    /// Tells the binding of this tier, if there is one.
    pub(super) fn tell_hired(&mut self, tier: u8, order: Order, out: &mut Vec<Effect>) {
        if self.tier(tier).is_some_and(|entry| entry.hired) {
            self.tell(tier, order, out);
        }
    }

    /// The server of this tier has forgotten its users: this one comes back in its turn, a VIP first.
    pub(super) fn restore(&mut self, tier: u8, out: &mut Vec<Effect>) {
        if self.tier(tier).is_some_and(|entry| entry.hired) {
            self.urge(tier, self.urgency(Rank::Refresh), out);
            self.tell(tier, Order::Restore, out);
        }
    }

    /// The user roams, or is a VIP: an overloaded server is asked all the same (RFC 7339 5.10.1). A start is no roam.
    pub(super) fn insist(&mut self, out: &mut Vec<Effect>) {
        let State::On { current, .. } = self.state else { return };
        if self.urgency(Rank::Refresh) != Rank::Roam {
            return;
        }
        if self.tier(current).is_some_and(|entry| entry.demands.shed > 0) {
            self.tell(current, Order::Urge, out);
        }
    }

    /// The current tier does not serve: goes on at `to`.
    fn fail_over(&mut self, now: Moment, to: u8, out: &mut Vec<Effect>) {
        let State::On { current, trial, .. } = &mut self.state else { return };
        let from = std::mem::replace(current, to);
        let on_trial = *trial == Some(to);
        *trial = trial.filter(|trial| *trial != to);
        self.leave(from, out);
        out.push(Effect::Failover { from, to });
        if !on_trial {
            self.engage(now, to, Rank::Refresh, out);
        }
        self.plan_return(now);
    }

    /// The tier rests: it keeps what it may hold, for a later removal.
    pub(super) fn leave(&mut self, tier: u8, out: &mut Vec<Effect>) {
        self.tell(tier, Order::Rest, out);
        if let Some(entry) = self.tier(tier) {
            (entry.bound, entry.failing) = (false, false);
        }
    }

    /// An earlier tier in good standing was left, so no news from its health will call the user back.
    fn plan_return(&mut self, now: Moment) {
        if self.mode == Mode::Serial {
            return;
        }
        let State::On { current, .. } = &self.state else { return };
        if self.tiers.iter().take(usize::from(*current)).any(|tier| tier.standing == Standing::Usable) {
            self.timers.set(Timer::Return, now + self.timing.failback_hold);
        }
    }

    /// Tries an earlier usable tier, once, when the user is idle (G-6: make before break).
    pub(super) fn try_home(&mut self, now: Moment, out: &mut Vec<Effect>) {
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
        self.engage(now, home, Rank::Failback, out);
    }

    pub(super) fn release(&mut self, out: &mut Vec<Effect>) {
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
            (entry.removing, entry.bound) = (true, false);
        }
    }

    /// Reports the worst outcome once every tier has answered.
    fn released(&mut self, out: &mut Vec<Effect>) {
        if self.tiers.iter().all(|tier| !tier.removing)
            && let Some(worst) = self.releasing.take()
        {
            out.push(Effect::Released(worst));
        }
    }

    /// A binding was lost with what it knew. What it had registered is still listed: the same contact is registered
    /// again where the user is served, and a removal that it owed has an unknown outcome (RFC 4321).
    pub(super) fn fallen(&mut self, now: Moment, tier: u8, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        let removing = entry.removing;
        (entry.hired, entry.bound, entry.failing) = (false, false, false);
        if removing {
            self.removed(tier, Removal::Unknown, out);
        }
        match &self.state {
            State::On { current, trial, .. }
                if *current == tier || *trial == Some(tier) || self.mode == Mode::Parallel =>
            {
                self.engage(now, tier, Rank::Refresh, out);
            }
            State::On { .. } | State::Off => {}
        }
    }

    pub(super) fn caution(&mut self, cautious: bool, out: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.cautious, cautious) == cautious {
            return;
        }
        for (tier, _) in (0_u8..).zip(&self.tiers).filter(|(_, entry)| entry.hired) {
            out.push(Effect::Tell { tier, order: Order::Caution(cautious) });
        }
    }

    pub(super) fn stands(&mut self, now: Moment, tier: u8, standing: Standing, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        entry.standing = standing;
        entry.drained = match standing {
            Standing::Draining(rest) => Some(now + rest),
            Standing::Usable | Standing::Recovering | Standing::Down | Standing::Drilled => None,
        };
        let hired = entry.hired;
        if hired && !standing.is_fit() {
            self.hold(now, tier, out);
        }
        match (standing, self.mode) {
            (_, Mode::Parallel) => self.parallel_stands(now, tier, standing, out),
            (Standing::Usable | Standing::Recovering, _) => self.returned(now, tier, standing, out),
            (Standing::Down | Standing::Draining(_) | Standing::Drilled, _) => self.gone(now, tier, out),
        }
    }

    /// The server of this tier may be used again.
    fn returned(&mut self, now: Moment, tier: u8, standing: Standing, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        entry.failed = false;
        let State::On { current, .. } = self.state else { return };
        let Some(Tier { bound, failing, standing: footing, .. }) = self.tier(current) else { return };
        // Whoever is registered at a server that is gone is as lost as one who could not register.
        let is_lost = !footing.is_fit() || (!*bound && *failing);
        if tier == current {
            if !*bound {
                self.tell(tier, Order::Retry, out);
            }
        } else if is_lost {
            self.fail_over(now, tier, out);
        } else if tier < current && standing == Standing::Usable && self.mode == Mode::TopDown {
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
        } else if *current == tier
            && let Some(next) = self.best().filter(|next| *next != tier)
        {
            self.fail_over(now, next, out);
        }
    }

    pub(super) fn reported(&mut self, now: Moment, tier: u8, report: Report, out: &mut Vec<Effect>) {
        if self.mode == Mode::Parallel && matches!(self.state, State::On { .. }) {
            return self.parallel_reported(tier, report, out);
        }
        match report {
            Report::Registered { granted, listed } => self.bound(tier, granted, listed, out),
            Report::Listed(listed) => out.push(Effect::Listed(listed)),
            Report::Granted(grant) => out.push(Effect::Granted { tier, grant }),
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
            (entry.bound, entry.failed, entry.failing) = (true, false, false);
        }
        self.haste = None;
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
        (entry.failed, entry.failing) = (true, true);
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
        self.leave(from, out);
        out.push(Effect::Failover { from, to });
        self.hold(now, to, out);
        self.shelter(to, out);
        self.tell(to, Order::Resume { contact }, out);
        self.timers.stop(Timer::Return);
    }

    pub(super) fn removed(&mut self, tier: u8, outcome: Removal, out: &mut Vec<Effect>) {
        let Some(entry) = self.tier(tier) else { return };
        let clean = matches!(outcome, Removal::Removed | Removal::Nothing);
        let ordered = std::mem::replace(&mut entry.removing, false);
        let late = std::mem::replace(&mut entry.leftover, !clean) && clean;
        if ordered && let Some(worst) = &mut self.releasing {
            *worst = outcome.max(*worst);
            return self.released(out);
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
        if let State::On { current, trial, .. } = self.state
            && (current == tier || trial == Some(tier))
        {
            return;
        }
        let Some(entry) = self.tier(tier) else { return };
        if entry.hired && !entry.removing {
            (entry.hired, entry.bound, entry.leftover) = (false, false, false);
            out.push(Effect::Retire { tier });
        }
    }
}
