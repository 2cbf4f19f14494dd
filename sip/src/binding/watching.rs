//! What the registrar tells of the user without being asked (RFC 3680), and what follows from it. It is evidence: a
//! binding works without it in every respect.

use std::time::Duration;

use machine::chance::Chance;
use machine::time::Moment;

use super::answer::same;
use super::{Binding, Effect, State, Timer, plan};
use crate::extension::Extensions;
use crate::message::Message;
use crate::report::{Evidence, Failure, Listed, Report};
use crate::subscription::reginfo::{Entry, Event, Reginfo};
use crate::subscription::{Outcome, Subscription};
use crate::target::Target;

impl Binding {
    /// Subscribes when the user is registered and the site wants it; lets go when he is to be so no longer.
    pub(super) fn tend_watch(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.watch.is_some() && self.is_leaving() {
            self.unwatch(out);
        }
        let is_wanted = self.account.options.reg_event && !self.lacks.has(Extensions::REG_EVENT);
        if !is_wanted || self.watch.is_some() || self.state != State::Registered {
            return;
        }
        let (Some(to), Some(contact)) = (self.place(), self.wish.clone()) else { return };
        // First the way out that was prescribed, then the one that the registrar wants (RFC 3608 6.1).
        let out_of_here = self.server.way.route.iter().map(|route| route.to_string());
        let service = self.grant.as_ref().map(|grant| grant.service_route.clone()).unwrap_or_default();
        let route = out_of_here.chain(service).collect();
        let chance = Chance::of(self.chance.next(), "reg");
        let (account, local) = (self.account.clone(), self.local.clone());
        let watch = Subscription::new(account, local, (to, route), contact, now, chance);
        out.push(Effect::Dialog { call_id: watch.call_id().into(), open: true });
        self.watch = Some(Box::new(watch));
        self.wake_watch(now, out);
    }

    fn unwatch(&mut self, out: &mut Vec<Effect>) {
        if let Some(watch) = self.watch.take() {
            // A NOTIFY that still comes gets 481, which ends the subscription over there (RFC 6665 4.1.3).
            out.push(Effect::Dialog { call_id: watch.call_id().into(), open: false });
        }
    }

    pub(super) fn wake_watch(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let outcome = self.watch.as_mut().and_then(|watch| watch.wake(now));
        self.watched(now, outcome, out);
    }

    /// Whether the message belongs to the subscription; if so, it is taken.
    pub(super) fn overhear(&mut self, now: Moment, message: &Message, out: &mut Vec<Effect>) -> bool {
        let is_its = |watch: &&mut Box<Subscription>| message.call_id() == Ok(watch.call_id());
        let Some(watch) = self.watch.as_mut().filter(is_its) else { return false };
        let outcome = watch.hear(now, message);
        self.watched(now, outcome, out);
        true
    }

    fn watched(&mut self, now: Moment, outcome: Option<Outcome>, out: &mut Vec<Effect>) {
        match outcome {
            None => {}
            Some(Outcome::Send { to, bytes, first }) => {
                out.push(Effect::Subscribe { server: self.server.name.clone(), to, bytes, first });
            }
            Some(Outcome::Refused) => {
                self.lacks = self.lacks.with(Extensions::REG_EVENT);
                out.push(Effect::Evidence(Evidence::Lacks(Extensions::REG_EVENT)));
                self.unwatch(out);
            }
            Some(Outcome::Told(document)) => self.told(now, &document, out),
        }
    }

    fn told(&mut self, now: Moment, document: &Reginfo, out: &mut Vec<Effect>) {
        let is_own = |entry: &Entry| self.ours.iter().any(|ours| same(ours, &entry.uri));
        let active = document.contacts.iter().filter(|entry| entry.active);
        let listed: Vec<Listed> = active
            .map(|entry| Listed {
                uri: entry.uri.clone(),
                expires: entry.expires.unwrap_or(self.account.expires),
                own: is_own(entry),
            })
            .collect();
        if !listed.is_empty() {
            out.push(Effect::Report(Report::Listed(listed)));
        }
        let wish = self.wish.clone();
        let own =
            document.contacts.iter().find(|entry| wish.as_deref().is_some_and(|wish| same(wish, &entry.uri)));
        // What is in flight has its own answer.
        let (State::Registered, None, Some(own)) = (self.state, &self.flight, own) else { return };
        match (own.event, own.active) {
            (Event::Shortened, true) | (Event::Deactivated, false) => self.act(now),
            (Event::Probation, false) => self.pause(now, own.retry_after, out),
            (Event::Rejected, false) => self.banned(now, out),
            // Somebody else removed it: the registrar is asked first, and the owner has time to object (SM-2).
            (Event::Expired | Event::Unregistered, false) => self.wants.guard = true,
            // A terminated contact that was bound anew, or an active one that is gone, is no word about ours.
            (
                Event::Registered
                | Event::Created
                | Event::Refreshed
                | Event::Shortened
                | Event::Expired
                | Event::Deactivated
                | Event::Probation
                | Event::Unregistered
                | Event::Rejected,
                _,
            ) => {}
        }
    }

    /// Refreshes at once, or a little later when that was done only just now.
    fn act(&mut self, now: Moment) {
        if self.watch.as_mut().is_some_and(|watch| watch.may_act(now)) {
            self.wants.due = true;
        } else {
            let soon = now + self.timing.refresh_floor;
            let known = self.timers.at(Timer::Again).unwrap_or(soon);
            self.timers.set(Timer::Again, known.min(soon));
        }
    }

    fn pause(&mut self, now: Moment, after: Option<Duration>, out: &mut Vec<Effect>) {
        self.stored = false;
        self.state = State::Backoff;
        let wait = after.unwrap_or(self.timing.backoff_base);
        self.timers
            .set(Timer::Again, now + wait.clamp(self.timing.refresh_floor, self.timing.retry_after_max));
        self.granted(None, out);
        out.push(Effect::Report(Report::Failed(Failure::Lapsed)));
    }

    /// The registrar took the user away and does not want him back: like a 403, and like that not for ever.
    fn banned(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.stored = false;
        self.refusals = self.refusals.saturating_add(1);
        self.state = State::Rejected;
        self.alarm(403, out);
        self.timers.set(Timer::Again, now + plan::rejected(self.refusals.into(), None, &self.timing));
        self.granted(None, out);
        out.push(Effect::Report(Report::Failed(Failure::Rejected(403))));
    }

    /// Where the last REGISTER succeeded.
    fn place(&self) -> Option<Target> {
        match &self.moved {
            Some(detour) => detour.target,
            None => self.server.targets.get(usize::from(self.target)).copied(),
        }
    }
}
