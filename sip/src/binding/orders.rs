//! What the line asks for, state by state (SM-3).

use std::sync::Arc;

use machine::time::Moment;

use super::auditing::Look;
use super::{Binding, EVICTIONS_MAX, Order, State, Timer};
use crate::report::Leftover;
use crate::server::Account;
use crate::uri::Uri;

/// What waits behind the REGISTER in flight.
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub(super) renew: bool,
    pub(super) query: bool,
    pub(super) prove: bool,
    /// The timer of the present state ran out: refresh, or try the removal again.
    pub(super) due: bool,
    /// A query comes before the refresh.
    pub(super) guard: bool,
    /// A query that looks whether we are listed.
    pub(super) audit: Option<Look>,
    /// The registrar has forgotten us, so that the refresh is as urgent as a first registration.
    pub(super) lost: bool,
    pub(super) evict: Vec<Arc<str>>,
}

impl Binding {
    pub(super) fn obey(&mut self, now: Moment, order: Order) {
        use State::{Backoff, Cleanup, Idle, Registered, Rejected, Removing, Resting, Trying};
        // To be told how things stand is no work.
        let is_news = matches!(
            order,
            Order::Caution(_)
                | Order::Heed(_)
                | Order::Urge
                | Order::Sheltered(_)
                | Order::Audit
                | Order::Restore
        );
        self.retired &= is_news;
        match (self.spelled_in(order), self.state) {
            (Order::Register { contact }, Idle | Trying | Backoff | Rejected | Resting) => {
                self.wish = Some(contact);
                self.try_now();
            }
            (Order::Register { contact } | Order::Resume { contact }, Registered) => {
                self.wants.renew |= self.wish.as_ref() != Some(&contact);
                self.wish = Some(contact);
            }
            // The removal that is under way ends first (SM-2: "new claim after the removal's final answer").
            (Order::Register { contact } | Order::Resume { contact }, Removing) => self.wish = Some(contact),
            (Order::Register { contact } | Order::Resume { contact }, Cleanup) => {
                self.wish = Some(contact);
                self.try_now();
            }
            (Order::Resume { contact }, Idle | Resting) => {
                self.wish = Some(contact);
                match self.timers.at(Timer::Again) {
                    Some(_) => self.state = Backoff,
                    None => self.try_now(),
                }
            }
            (Order::Resume { contact }, Trying | Backoff | Rejected) => self.wish = Some(contact),
            (Order::Renew, Trying | Registered) => self.wants.renew = true,
            (Order::Renew, Backoff | Rejected) => {
                self.wants.renew = true;
                self.try_now();
            }
            (Order::Evict(contacts), Trying | Registered | Backoff | Rejected) => self.evict(contacts),
            // Without an own registration there is nothing to renew, and no right to touch anybody else's.
            (Order::Renew | Order::Evict(_), Idle | Resting | Removing | Cleanup) => {}
            (
                Order::Query,
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.wants.query = true,
            (Order::Remove, Idle | Trying | Registered | Backoff | Rejected | Resting) => {
                self.begin_removal();
            }
            (Order::Remove, Removing) => self.wish = None,
            (Order::Remove, Cleanup) => self.begin_removal(),
            (Order::Rest, Trying | Registered | Backoff | Rejected) => self.rest(now),
            (Order::Rest, Idle | Resting | Removing | Cleanup) => {}
            (Order::Retry, Backoff | Rejected) => {
                self.timers.stop(Timer::Hold);
                self.try_now();
            }
            (Order::Retry, Cleanup) => {
                self.timers.stop(Timer::Hold);
                self.wants.due = true;
            }
            (
                Order::Prove,
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.wants.prove = true,
            (
                Order::Audit,
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.audit(),
            (
                Order::Restore,
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.restore(),
            (
                Order::Heed(demands),
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.heed(demands),
            (Order::Urge, Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup) => {
                self.urgent = true;
            }
            (
                Order::Sheltered(sheltered),
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.sheltered = sheltered,
            (Order::Retry, Idle | Trying | Registered | Resting | Removing) => self.timers.stop(Timer::Hold),
            (
                Order::Hold(rest),
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => {
                self.timers.set(Timer::Hold, now + rest.min(self.timing.retry_after_max));
                if let Some(flight) = &mut self.flight {
                    flight.client.hush();
                }
            }
            (
                Order::Caution(cautious),
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.cautious = cautious,
            (
                Order::Haste(rank),
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.haste = rank,
            (
                Order::Inherit(leftover),
                Idle | Trying | Registered | Backoff | Rejected | Resting | Removing | Cleanup,
            ) => self.inherit(now, leftover),
        }
    }

    /// The order with our contacts as this server is told them.
    fn spelled_in(&self, order: Order) -> Order {
        match order {
            Order::Register { contact } => Order::Register { contact: self.spelled(contact) },
            Order::Resume { contact } => Order::Resume { contact: self.spelled(contact) },
            Order::Inherit(Leftover { contacts, remaining }) => {
                let contacts = contacts.into_iter().map(|contact| self.spelled(contact)).collect();
                Order::Inherit(Leftover { contacts, remaining })
            }
            Order::Renew
            | Order::Query
            | Order::Evict(_)
            | Order::Remove
            | Order::Rest
            | Order::Hold(_)
            | Order::Caution(_)
            | Order::Retry
            | Order::Haste(_)
            | Order::Prove
            | Order::Audit
            | Order::Restore
            | Order::Heed(_)
            | Order::Urge
            | Order::Sheltered(_) => order,
        }
    }

    /// The account changed: its credentials are worth a try at once (SM-3: "credential/config change").
    pub(super) fn change(&mut self, account: Arc<Account>) {
        self.credentials.change(account.username.clone(), account.password.clone());
        self.asked = u32::try_from(account.expires.as_secs()).unwrap_or(u32::MAX);
        self.account = account;
        if matches!(self.state, State::Backoff | State::Rejected) {
            self.try_now();
        }
    }

    /// Registering is due at once, whatever was waited for (but not before a hold is over, S-21).
    fn try_now(&mut self) {
        self.state = State::Trying;
        self.timers.stop(Timer::Again);
    }

    fn evict(&mut self, contacts: Vec<String>) {
        for contact in contacts {
            let known = self.wants.evict.iter().any(|known| **known == *contact);
            // What is no SIP URI is none of ours, a star least of all (S-03).
            let is_ours = Uri::parse(&contact).is_ok_and(|uri| uri.is_sip());
            if is_ours && !known && self.wants.evict.len() < EVICTIONS_MAX {
                self.wants.evict.push(Arc::from(contact));
            }
        }
        if matches!(self.state, State::Backoff | State::Rejected) {
            self.try_now();
        }
    }

    fn begin_removal(&mut self) {
        (self.wish, self.stored) = (None, false);
        self.state = State::Removing;
        self.want_no_registration();
        self.timers.stop(Timer::Again);
    }

    fn rest(&mut self, now: Moment) {
        // Only a back-off is kept, for `Resume`; a refresh time means nothing while resting.
        if !matches!(self.state, State::Backoff | State::Rejected) {
            self.timers.stop(Timer::Again);
        }
        (self.wish, self.stored) = (None, false);
        self.state = State::Resting;
        self.want_no_registration();
        // What is in flight may be stored all the same (RFC 4321).
        if let Some(errand) = self.abandon().filter(|errand| errand.contact.is_some()) {
            self.hold_on(now + errand.expires);
        }
    }

    fn want_no_registration(&mut self) {
        let Wants { query, prove, .. } = self.wants;
        self.wants = Wants { query, prove, ..Wants::default() };
        self.urgent = false;
        self.timers.stop(Timer::Objection);
        self.timers.stop(Timer::Shed);
    }

    fn inherit(&mut self, now: Moment, leftover: Leftover) {
        leftover.contacts.into_iter().for_each(|contact| self.own(contact));
        self.hold_on(now + leftover.remaining);
    }
}
