//! What is sent next, to which target, and when to stop waiting for its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use machine::chance::Chance;
use machine::time::Moment;

use super::flight::{Errand, Flight};
use super::redirect::Detour;
use super::request::{Form, METHOD};
use super::{Binding, Effect, Kind, ORPHANS_MAX, OURS_MAX, Register, State, Timer};
use crate::digest;
use crate::digest::client::Line;
use crate::extension::Extensions;
use crate::report::{Evidence, Failure, Fault, Removal, Report};
use crate::server::TARGETS_MAX;
use crate::target::{Target, Transport};
use crate::transaction::client::{Client, Due};
use crate::via::MAGIC_COOKIE;

impl Binding {
    /// Sends what is due, if nothing is in flight (S-02) and the server is not to be left alone (S-21).
    pub(super) fn proceed(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.flight.is_some() || self.is_seeking() {
            return;
        }
        self.end_exchange(out);
        if self.state == State::Removing && self.ours.is_empty() {
            self.removal_ends(now, Removal::Nothing, out);
        }
        let kind = self.next_kind();
        match kind.filter(|_| self.timers.at(Timer::Hold).is_none()) {
            Some(kind) if self.sheds(now, kind) => self.step_aside(out),
            Some(kind) if self.may_send(kind, out) => {
                self.let_through = false;
                let errand = self.errand(kind);
                self.attempt(now, errand, out);
                if self.flight.is_none() && self.seeking.is_none() {
                    self.step_aside(out);
                }
            }
            Some(_) => {}
            None => {
                self.step_aside(out);
                if kind.is_none() {
                    self.retire(out);
                }
            }
        }
    }

    fn next_kind(&self) -> Option<Kind> {
        let wants = &self.wants;
        let is_new = self.wish.as_ref().is_some_and(|wish| !self.ours.contains(wish));
        let register = |or: Option<Kind>| match (wants.evict.is_empty(), wants.renew) {
            (false, _) => Some(Kind::Evict),
            (true, true) if is_new => Some(Kind::Initial),
            (true, true) => Some(Kind::Renew),
            (true, false) => or,
        };
        let query = (wants.query || wants.guard || wants.prove).then_some(Kind::Query);
        let audit = wants.audit.map(|_| Kind::Query);
        match self.state {
            State::Trying => register(Some(Kind::Initial)),
            State::Registered => register(wants.due.then_some(Kind::Refresh)).or(query).or(audit),
            State::Removing => Some(Kind::Remove),
            State::Cleanup => wants.due.then_some(Kind::Remove).or(query),
            State::Idle | State::Resting | State::Backoff | State::Rejected => query,
        }
    }

    fn errand(&mut self, kind: Kind) -> Errand {
        let (mut contact, mut expires, mut remove) = (None, Duration::ZERO, Vec::new());
        let (mut guard, mut prove, mut audit) = (false, false, None);
        match kind {
            Kind::Initial | Kind::Renew | Kind::Refresh | Kind::Evict => {
                contact = self.wish.clone();
                expires = Duration::from_secs(self.asked.into());
                remove = self.ours.iter().filter(|ours| Some(*ours) != contact.as_ref()).cloned().collect();
                remove.append(&mut self.wants.evict);
                remove.retain(|evicted| Some(evicted) != contact.as_ref());
                (self.wants.renew, self.wants.due, self.wants.guard) = (false, false, false);
                (self.urgent, self.wants.lost) = (false, false);
                self.timers.stop(Timer::Objection);
                self.timers.stop(Timer::Flow);
                contact.iter().cloned().for_each(|contact| self.own(contact));
            }
            Kind::Remove => {
                remove = self.ours.clone();
                self.wants.due = false;
            }
            Kind::Query => {
                guard = std::mem::take(&mut self.wants.guard);
                let asked = std::mem::take(&mut self.wants.query);
                audit = self.wants.audit.take_if(|_| self.state == State::Registered);
                prove = (std::mem::take(&mut self.wants.prove) || audit.is_some()) && !asked && !guard;
            }
        }
        let detours: Vec<Detour> = self.moved.as_deref().cloned().into_iter().collect();
        let visited = detours.iter().filter_map(|detour| detour.target).collect();
        let recalled = !detours.is_empty();
        Errand {
            kind,
            contact,
            expires,
            remove,
            guard,
            prove,
            audit,
            detours,
            visited,
            recalled,
            ..Errand::default()
        }
    }

    /// A request that answers no challenge, to the errand's present target, once that is known.
    pub(super) fn attempt(&mut self, now: Moment, mut errand: Errand, out: &mut Vec<Effect>) {
        if let Some(named) = errand.detours.first().filter(|detour| detour.target.is_none()) {
            let place = named.place.clone();
            return self.seek(now, errand, place, out);
        }
        let uri = errand.uri(&self.account).to_owned();
        let request = digest::Request { method: METHOD, uri: &uri, body: b"" };
        // A place that a redirection names gets no digest before it has asked for one itself.
        let is_stranger = errand.detours.first().is_some_and(|detour| self.moved.as_deref() != Some(detour));
        let lines = if is_stranger { Vec::new() } else { self.credentials.preempt(&request) };
        if errand.detours.is_empty() && errand.at.is_none() {
            // Whether we are listed is asked where we are registered, and nowhere else.
            errand.at = match errand.is_audit() {
                true => self.targets().get(usize::from(self.target)).copied(),
                false => self.next_target(now, &errand),
            };
        }
        match errand.target() {
            Some(to) => self.transmit(now, errand, to, &lines, out),
            None => self.failed(now, errand, Failure::Unsent, out),
        }
    }

    /// What is offered to this server: all that the account wants, without what the server does not understand.
    pub(super) fn offer(&self) -> Extensions {
        self.account.extensions().without(self.lacks)
    }

    /// A new transaction: new branch, CSeq + 1.
    pub(super) fn transmit(
        &mut self,
        now: Moment,
        mut errand: Errand,
        mut to: Target,
        lines: &[Line],
        out: &mut Vec<Effect>,
    ) {
        errand.ask();
        self.use_slot(out);
        self.cseq += 1;
        let branch = format!("{MAGIC_COOKIE}{}", self.token(&errand));
        let keep = errand.contact.as_deref().map(|contact| (contact, errand.expires));
        let mut form = Form {
            account: &self.account,
            local: &self.local,
            uri: errand.uri(&self.account),
            // Where a redirection leads lies beside the way that was prescribed (ours).
            route: self.server.way.route.as_deref().filter(|_| errand.detours.is_empty()),
            transport: to.transport,
            branch: &branch,
            call_id: &self.call_id,
            tag: self.tag,
            cseq: self.cseq,
            keep,
            remove: errand.remove.iter().map(|contact| &**contact).collect(),
            offer: self.offer(),
            credentials: lines,
        };
        let mut bytes = form.write();
        if let Some(wide) = self.widened(to, bytes.len()) {
            (to, form.transport) = (wide, wide.transport);
            bytes = form.write();
        }
        let register = self.register(&errand, to);
        if let Some(detour) = errand.detours.first().filter(|_| to.transport == Transport::Tls) {
            out.push(Effect::Named { to, domain: detour.place.host.clone() });
        }
        out.push(Effect::Send { to, bytes: bytes.clone(), first: true, register });
        if self.server.spare || errand.is_audit() || self.has_more(now, &errand) {
            self.timers.set(Timer::Failover, now + self.timing.failover);
        }
        let client = Client::start(now, branch, METHOD, to.transport.is_reliable());
        self.flight = Some(Box::new(Flight { errand, client, cseq: self.cseq, to, bytes }));
    }

    /// The targets of the server that are used.
    pub(super) fn targets(&self) -> &[Target] {
        self.server.targets.get(..TARGETS_MAX).unwrap_or(&self.server.targets)
    }

    fn register(&self, errand: &Errand, to: Target) -> Register {
        let contact = match errand.kind {
            Kind::Remove => errand.remove.last(),
            Kind::Initial | Kind::Renew | Kind::Refresh | Kind::Evict | Kind::Query => {
                errand.contact.as_ref()
            }
        };
        Register {
            server: self.server.name.clone(),
            tier: self.server.tier,
            target: self.has_choice().then_some(to),
            kind: errand.kind,
            contact: contact.cloned(),
            expires: errand.expires,
            routine: errand.is_routine(),
        }
    }

    /// What makes a branch its own. That of an audit is not drawn: no audit moves what is drawn for refreshes.
    fn token(&mut self, errand: &Errand) -> String {
        match errand.audit {
            Some(_) => Chance::of(self.cseq.into(), &self.call_id).hex(16),
            None => self.chance.hex(16),
        }
    }

    /// The present target failed: on to the next one, with a new branch (S-20), or the errand has failed.
    pub(super) fn elsewhere(
        &mut self,
        now: Moment,
        mut errand: Errand,
        (failure, evidence): (Failure, Evidence),
        out: &mut Vec<Effect>,
    ) {
        if !self.is_wanted(&errand) {
            return;
        }
        let is_held = self.timers.at(Timer::Hold).is_some();
        let place = errand.at.filter(|_| errand.detours.is_empty() && self.has_choice());
        if errand.recalled && errand.detours.first() == self.moved.as_deref() {
            // What a 301 named does not serve any more: the server itself is asked again, and may name another place.
            self.moved = None;
        }
        let goes_on = !is_held && self.advance(now, &mut errand);
        // When it was the last one, the server is told of; that this one wants rest is to be known all the same.
        let is_told = |fault: &Fault| goes_on || matches!(fault, Fault::Overloaded(_));
        let told = evidence.fault().filter(|fault| !errand.is_audit() && is_told(fault));
        out.extend(place.zip(told).map(|(at, fault)| Effect::Evidence(Evidence::Passed(at, fault))));
        if goes_on {
            self.tell_shaper(evidence, out);
            return self.attempt(now, errand, out);
        }
        out.push(Effect::Evidence(errand.told(evidence)));
        self.failed(now, errand, failure, out);
    }

    /// Whether the errand still serves what the binding is to do now.
    pub(super) fn is_wanted(&self, errand: &Errand) -> bool {
        match errand.kind {
            Kind::Query => true,
            Kind::Remove => matches!(self.state, State::Removing | State::Cleanup),
            Kind::Initial | Kind::Renew | Kind::Refresh | Kind::Evict => {
                self.wish.is_some() && !self.is_leaving()
            }
        }
    }

    pub(super) fn is_leaving(&self) -> bool {
        match self.state {
            State::Removing | State::Cleanup | State::Resting | State::Idle => true,
            State::Trying | State::Registered | State::Backoff | State::Rejected => false,
        }
    }

    /// Four seconds of silence, and somebody else could answer.
    pub(super) fn give_up(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if let Some(errand) = self.abandon() {
            self.silent(now, errand, out);
        }
    }

    /// The transaction stops sending and goes on listening.
    pub(super) fn abandon(&mut self) -> Option<Errand> {
        let flight = self.flight.take()?;
        self.timers.stop(Timer::Failover);
        let (errand, orphan) = flight.abandon();
        if self.orphans.len() == ORPHANS_MAX {
            self.orphans.remove(0);
        }
        self.orphans.push(orphan);
        Some(errand)
    }

    /// Nobody answered: the registrar may have stored what we sent (RFC 4321).
    fn silent(&mut self, now: Moment, errand: Errand, out: &mut Vec<Effect>) {
        if errand.contact.is_some() {
            self.hold_on(now + errand.expires);
        }
        if self.has_more(now, &errand) {
            out.extend(errand.target().map(Effect::Silence));
        }
        self.elsewhere(now, errand, (Failure::Silent, Evidence::Silent), out);
    }

    /// The transport could not send, or a stream broke.
    pub(super) fn unsent(&mut self, now: Moment, addr: SocketAddr, out: &mut Vec<Effect>) {
        match self.flight.take() {
            Some(flight) if flight.to.addr == addr => {
                self.timers.stop(Timer::Failover);
                if self.narrowed(&flight.errand, flight.to) {
                    return self.attempt(now, flight.errand, out);
                }
                self.elsewhere(now, flight.errand, (Failure::Unsent, Evidence::Unreachable), out);
            }
            Some(flight) => self.flight = Some(flight),
            None => {
                let carrier = self.carrier();
                let is_flow = carrier.is_some_and(|to| to.addr == addr && to.transport.is_reliable());
                // The flow of a registration is gone: register again with the same reg-id (spec 3.5, G-9).
                self.wants.due |= is_flow && self.state == State::Registered;
            }
        }
    }

    /// The copies that are due, and the ends of those that were never answered.
    pub(super) fn resend(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.orphans.retain_mut(|orphan| orphan.client.wake(now).is_none());
        let Some(mut flight) = self.flight.take() else { return };
        match flight.client.wake(now) {
            Some(Due::Resend) => {
                let (to, bytes) = (flight.to, flight.bytes.clone());
                let register = self.register(&flight.errand, to);
                out.push(Effect::Send { to, bytes, first: false, register });
                self.flight = Some(flight);
            }
            Some(Due::TimedOut) => {
                self.timers.stop(Timer::Failover);
                self.silent(now, flight.errand, out);
            }
            Some(Due::Over) | None => self.flight = Some(flight),
        }
    }

    /// This contact of ours may be listed from now on. The newest stands last.
    pub(super) fn own(&mut self, contact: Arc<str>) {
        self.ours.retain(|ours| *ours != contact);
        if self.ours.len() == OURS_MAX {
            self.ours.remove(0);
        }
        self.ours.push(contact);
    }

    /// What we own may be listed at least until then.
    pub(super) fn hold_on(&mut self, until: Moment) {
        let until = self.held.map_or(until, |held| held.max(until));
        self.held = Some(until);
        self.timers.set(Timer::Lapse, until);
    }

    /// Timer `Again`.
    pub(super) fn again(&mut self) {
        match self.state {
            State::Registered if self.cautious => self.wants.guard = true,
            State::Registered | State::Cleanup => self.wants.due = true,
            State::Backoff | State::Rejected => self.state = State::Trying,
            // While resting only the time counts: see `Order::Resume`.
            State::Resting | State::Idle | State::Trying | State::Removing => {}
        }
    }

    /// Timer `Lapse`: the registrar cannot list us any more.
    pub(super) fn lapse(&mut self, out: &mut Vec<Effect>) {
        self.held = None;
        if self.flight.is_none() {
            self.ours.clear();
        }
        if std::mem::take(&mut self.stored) {
            self.granted(None, out);
            out.push(Effect::Report(Report::Failed(Failure::Lapsed)));
        }
        if self.state == State::Cleanup {
            self.state = State::Idle;
            self.timers.stop(Timer::Again);
            self.abandon();
        }
    }

    /// Tells the line, once, when nothing is left to do.
    fn retire(&mut self, out: &mut Vec<Effect>) {
        let is_settled = self.held.is_none() && self.timers.at(Timer::Again).is_none();
        if self.state == State::Resting && is_settled {
            self.state = State::Idle;
        }
        let is_idle = self.state == State::Idle && self.held.is_none() && self.orphans.is_empty();
        if is_idle && !std::mem::replace(&mut self.retired, true) {
            out.push(Effect::Report(Report::Done));
        }
    }
}
