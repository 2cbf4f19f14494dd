//! What a binding does when the flow under it breaks, when its server is found elsewhere, and when a request is too
//! large for a datagram (RFC 5626 4.4, RFC 3263, RFC 3261 18.1.1).

use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

use super::flight::Errand;
use super::{Binding, Effect, State, Timer};
use crate::report::{Evidence, Failure};
use crate::server::Server;
use crate::target::{Target, Transport};

/// The largest request that goes as a datagram when the path's MTU is unknown (RFC 3261 18.1.1), bytes.
pub(super) const DATAGRAM_MAX: usize = 1300;
/// Within which time all users of a broken flow register again; ours: at once, but not in one breath.
const FLOW_SPREAD: Duration = Duration::from_secs(1);
/// The same when their server moved away: nothing is broken yet. Ours.
const MOVE_SPREAD: Duration = Duration::from_secs(30);

impl Binding {
    /// A flow that stood is gone. What was in flight on it is sent once more, over a new flow: a registrar that was
    /// started anew, or a NAT that forgot, is no server that failed. The registration gets a new flow, too (G-9).
    pub(super) fn flow_lost(&mut self, now: Moment, flow: Target, out: &mut Vec<Effect>) {
        self.drop_audit();
        if flow.transport.is_reliable() && self.flight.as_ref().is_some_and(|flight| flight.to == flow) {
            let Some(mut errand) = self.abandon() else { return };
            if errand.contact.is_some() {
                // It may have been carried out all the same (RFC 4321).
                self.hold_on(now + errand.expires);
            }
            if std::mem::replace(&mut errand.reflown, true) {
                return self.elsewhere(now, errand, (Failure::Unsent, Evidence::Unreachable), out);
            }
            return self.attempt(now, errand, out);
        }
        if self.state == State::Registered && self.carrier() == Some(flow) {
            self.register_within(now, FLOW_SPREAD);
        }
    }

    /// The DNS names other targets. Whoever is registered at one that is still named stays there.
    pub(super) fn resolved(&mut self, now: Moment, server: Arc<Server>) {
        let (current, known) = (self.current(), self.server.targets.clone());
        self.server = server;
        let is_other = self.respell();
        let stays = current.and_then(|current| self.place_of(current));
        self.target = stays.and_then(|place| u8::try_from(place).ok()).unwrap_or(0);
        match self.state {
            State::Registered if (stays.is_none() || is_other) && !self.targets().is_empty() => {
                self.register_within(now, MOVE_SPREAD);
            }
            State::Backoff if self.targets().iter().any(|target| !known.contains(target)) => {
                self.state = State::Trying;
                self.timers.stop(Timer::Again);
            }
            State::Registered
            | State::Backoff
            | State::Idle
            | State::Trying
            | State::Rejected
            | State::Resting
            | State::Removing
            | State::Cleanup => {}
        }
    }

    /// Where a request of this size goes when it was meant for `to`: over TCP when it is too large for a datagram and
    /// the transport was our choice (RFC 3261 18.1.1), to the place that the DNS names for TCP when it does.
    pub(super) fn widened(&self, to: Target, size: usize) -> Option<Target> {
        let is_free = self.server.way.free && !self.narrow;
        if size <= DATAGRAM_MAX || to.transport != Transport::Udp || !is_free {
            return None;
        }
        let named = self
            .server
            .targets
            .iter()
            .find(|target| target.transport == Transport::Tcp && target.addr.ip() == to.addr.ip());
        Some(named.copied().unwrap_or(Target::new(Transport::Tcp, to.addr)))
    }

    /// Whether `errand` went over TCP for its size only and TCP was refused: then it is sent as a datagram after all.
    pub(super) fn narrowed(&mut self, errand: &Errand, to: Target) -> bool {
        let meant = errand.target();
        let is_wide = to.transport == Transport::Tcp
            && meant
                .is_some_and(|meant| meant.transport == Transport::Udp && meant.addr.ip() == to.addr.ip());
        self.narrow |= is_wide;
        is_wide
    }

    /// This target does not answer, says the server's health: whoever is registered there turns to the best of the others
    /// (RFC 2782: the lowest priority that can be reached). What is in flight to it finds out by itself.
    pub(super) fn absent(&mut self, now: Moment, target: Target) {
        if self.current() != Some(target) || self.targets().len() < 2 {
            return;
        }
        self.target = u8::from(self.target == 0);
        self.drop_audit();
        if self.state == State::Registered && self.flight.is_none() {
            self.register_within(now, FLOW_SPREAD);
        }
    }

    fn register_within(&mut self, now: Moment, spread: Duration) {
        let pause = self.chance.between(Duration::ZERO, spread);
        self.timers.set(Timer::Flow, now + pause);
    }

    /// The target of the list at which the user is registered.
    pub(super) fn current(&self) -> Option<Target> {
        self.targets().get(usize::from(self.target)).copied()
    }

    /// The target whose flow carries the registration.
    pub(super) fn carrier(&self) -> Option<Target> {
        self.aside.as_deref().copied().or_else(|| self.current())
    }

    /// A target of the list has done what the errand wanted: it is asked first from now on.
    pub(super) fn favour(&mut self, errand: &Errand) {
        let place = errand.at.and_then(|at| self.place_of(at));
        self.target = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0);
    }

    /// The registration is carried by `to` from now on. Of a target that the DNS names no more it is moved away.
    pub(super) fn carry(&mut self, now: Moment, errand: &Errand, to: Target) {
        // Whatever broke or moved meanwhile, this is a new one.
        self.timers.stop(Timer::Flow);
        let is_gone = errand.detours.is_empty() && errand.at != self.current();
        if is_gone && !self.targets().is_empty() && !self.is_leaving() {
            self.register_within(now, MOVE_SPREAD);
        }
        self.aside = Some(to).filter(|to| self.current() != Some(*to)).map(Box::new);
    }

    /// The server has several targets.
    pub(super) fn has_choice(&self) -> bool {
        self.targets().len() > 1
    }

    fn place_of(&self, target: Target) -> Option<usize> {
        self.targets().iter().position(|listed| *listed == target)
    }
}
