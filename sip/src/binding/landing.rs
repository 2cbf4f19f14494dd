//! What an answer, or its absence, makes of the errand and of the binding (the answer rows of SM-3).

use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

use super::answer::{self, Book, Verdict};
use super::flight::{Errand, Flight, Orphan};
use super::request::METHOD;
use super::turn::Life;
use super::{Binding, Effect, Kind, State, Timer, plan};
use crate::digest;
use crate::digest::client::{Answer, Scope};
use crate::grant::Grant;
use crate::message::Message;
use crate::name::Name;
use crate::overload::Feedback;
use crate::report::{Audited, Evidence, Failure, Removal, Report};
use crate::target::Target;
use crate::transaction::client::Heard;

/// Challenges of one errand that are answered. Ours: a registrar and a proxy on the way, each with a nonce that ran out,
/// need four; whoever invents a new realm each time gets no more than this.
const ROUNDS_MAX: u8 = 6;
/// The lifetime that no registrar may call too brief (S-07).
const HOUR: Duration = Duration::from_secs(3600);

impl Binding {
    /// Finds the transaction of an answer. Duplicates and strangers are counted and dropped.
    pub(super) fn hear(&mut self, now: Moment, message: &Message, out: &mut Vec<Effect>) {
        if self.overhear(now, message, out) {
            return;
        }
        let (Some(code), Ok(cseq), Ok(via)) = (message.code(), message.cseq(), message.via()) else {
            self.dropped = self.dropped.saturating_add(1);
            return;
        };
        let branch = via.branch().unwrap_or_default();
        let load = Feedback::read(&via).filter(|_| self.local.overload);
        if let Some(mut flight) = self.flight.take_if(|flight| flight.cseq == cseq.number) {
            let heard = flight.client.hear(now, branch, cseq.method, code);
            if heard != Heard::Foreign {
                out.extend(load.map(|load| Effect::Evidence(Evidence::Load(load))));
            }
            match heard {
                Heard::Final => return self.landed(now, *flight, message, code, out),
                Heard::Provisional => {
                    // Somebody is at work: Timer F alone decides now (S-20: "without any response").
                    self.timers.stop(Timer::Failover);
                    self.flight = Some(flight);
                    return;
                }
                Heard::Repeated | Heard::Foreign => self.flight = Some(flight),
            }
        }
        let orphan = self.orphans.iter().position(|orphan| orphan.cseq == cseq.number);
        let heard = orphan.and_then(|at| Some((at, self.orphans.get_mut(at)?)));
        match heard.map(|(at, orphan)| (at, orphan.client.hear(now, branch, cseq.method, code))) {
            Some((at, Heard::Final)) => {
                let orphan = self.orphans.remove(at);
                self.late(now, orphan, message, code, out);
            }
            Some((_, Heard::Provisional)) => {}
            Some((_, Heard::Repeated | Heard::Foreign)) | None => {
                self.dropped = self.dropped.saturating_add(1)
            }
        }
    }

    /// A final answer to the REGISTER in flight.
    fn landed(&mut self, now: Moment, flight: Flight, message: &Message, code: u16, out: &mut Vec<Effect>) {
        if !flight.errand.is_routine() {
            out.push(Effect::Answered { code });
        }
        self.timers.stop(Timer::Failover);
        let (mut errand, from) = (flight.errand, flight.to);
        errand.retry_after = errand.retry_after.max(answer::user_pause(message, code));
        let verdict = answer::judge(message, code, from.transport, self.server.way.secure);
        if verdict != Verdict::Success && !self.is_wanted(&errand) {
            // What is not wanted any more needs no second try: a removal, say, begins at once.
            return out.push(Effect::Evidence(Evidence::Alive));
        }
        match verdict {
            Verdict::Success => self.succeeded(now, errand, from, message, out),
            Verdict::Challenge => self.challenged(now, errand, from, message, code, out),
            Verdict::Brief(least) => match self.longer(&errand, least) {
                Some(longer) => {
                    errand.lengthened = true;
                    errand.expires = longer;
                    self.asked = u32::try_from(longer.as_secs()).unwrap_or(self.asked);
                    self.attempt(now, errand, out);
                }
                None => self.refused(now, errand, code, out),
            },
            Verdict::Moved(_) if errand.is_audit() => {
                // What is listed elsewhere, this server does not say.
                out.extend([
                    Effect::Evidence(Evidence::Audited(Audited::Reticent)),
                    Effect::Evidence(Evidence::Alive),
                ]);
            }
            Verdict::Moved(places) => self.moved(now, errand, places, code, out),
            Verdict::Unsupported(named) => {
                let offered = self.offer();
                let named = named.common(offered);
                let lacks = if named.is_empty() { offered } else { named };
                if lacks.is_empty() {
                    return self.refused(now, errand, code, out);
                }
                // Each round offers less, so it ends.
                self.lacks = self.lacks.with(lacks);
                out.push(Effect::Evidence(Evidence::Lacks(lacks)));
                self.attempt(now, errand, out);
            }
            // Whether we are listed is not worth a second try.
            Verdict::Busy(rest) if rest.is_zero() && !errand.again && !errand.is_audit() => {
                self.retry_afresh(now, errand, out)
            }
            Verdict::Busy(rest) => {
                errand.retry_after = errand.retry_after.max(Some(rest));
                self.elsewhere(now, errand, (Failure::Refused(code), Evidence::Overloaded(rest)), out);
            }
            Verdict::Elsewhere { broken, unknown } => {
                if unknown && errand.contact.is_some() {
                    self.hold_on(now + errand.expires);
                }
                let evidence = if broken { Evidence::Broken(code) } else { Evidence::Alive };
                self.elsewhere(now, errand, (Failure::Refused(code), evidence), out);
            }
            Verdict::NoRegistrar => {
                self.elsewhere(now, errand, (Failure::Refused(code), Evidence::Unfit(code)), out);
            }
            Verdict::Final => self.refused(now, errand, code, out),
        }
    }

    /// What to ask for after a 423: its Min-Expires when that can be believed, once an errand (S-07). A registrar that
    /// names none, or one that is no more than what it refused, must take an hour (RFC 3261 10.3: it may only refuse
    /// what is shorter).
    fn longer(&self, errand: &Errand, least: Option<Duration>) -> Option<Duration> {
        let longer = least.filter(|least| *least > errand.expires).unwrap_or(HOUR);
        let is_sound = longer > errand.expires && longer <= self.timing.expires_max;
        (is_sound && !errand.lengthened && errand.contact.is_some()).then_some(longer)
    }

    /// 401 or 407: again where it came `from`, whatever the DNS says meanwhile, CSeq + 1, unless the credentials were just
    /// rejected (S-26, S-27).
    fn challenged(
        &mut self,
        now: Moment,
        mut errand: Errand,
        from: Target,
        message: &Message,
        code: u16,
        out: &mut Vec<Effect>,
    ) {
        let uri = errand.uri(&self.account).to_owned();
        let request = digest::Request { method: METHOD, uri: &uri, body: b"" };
        let registrar = message.headers(Name::WwwAuthenticate).map(|value| (Scope::Registrar, value));
        let proxy = message.headers(Name::ProxyAuthenticate).map(|value| (Scope::Proxy, value));
        match self.credentials.answer(registrar.chain(proxy), &request) {
            Answer::Lines(lines) if errand.rounds < ROUNDS_MAX => {
                errand.rounds += 1;
                self.transmit(now, errand, from, &lines, out);
            }
            Answer::Lines(_) | Answer::Rejected | Answer::Unsupported => self.refused(now, errand, code, out),
        }
    }

    /// An authoritative answer: no other server is asked (SM-3).
    fn refused(&mut self, now: Moment, errand: Errand, code: u16, out: &mut Vec<Effect>) {
        self.credentials.forget();
        if errand.audit.is_some() {
            out.push(Effect::Evidence(Evidence::Audited(Audited::Reticent)));
        }
        out.push(Effect::Evidence(Evidence::Alive));
        self.failed(now, errand, Failure::Rejected(code), out);
    }

    fn succeeded(
        &mut self,
        now: Moment,
        errand: Errand,
        from: Target,
        message: &Message,
        out: &mut Vec<Effect>,
    ) {
        self.credentials.accepted();
        if errand.rounds > 0 {
            // A clone is as small as what it holds: this stays for hours, ten thousand times (M-2.2.1-d).
            self.credentials = self.credentials.clone();
        }
        if let Some(info) = message.header(Name::AuthenticationInfo) {
            self.credentials.learn(Scope::Registrar, info);
        }
        let book = self.read(message, errand.contact.as_ref(), errand.expires);
        if errand.kind == Kind::Query {
            self.audited(now, &errand, message, &book.listed, out);
        }
        match errand.detours.first() {
            // A query for the health moves nobody: the user stays registered where it was.
            None if errand.prove => {}
            None => self.favour(&errand),
            Some(detour) if detour.lasting && self.moved.as_deref() != Some(detour) => {
                self.moved = Some(Box::new(detour.clone()));
            }
            Some(_) => {}
        }
        match errand.kind {
            Kind::Query => {
                out.push(Effect::Evidence(Evidence::Alive));
                if !errand.prove {
                    self.remember(now, &book.listed);
                    out.push(Effect::Report(Report::Listed(book.listed)));
                }
                if errand.guard && self.state == State::Registered {
                    self.timers.set(Timer::Objection, now + self.timing.objection);
                }
            }
            Kind::Remove => {
                out.push(Effect::Evidence(Evidence::Alive));
                let outcome = if book.still.is_empty() { Removal::Removed } else { Removal::Failed(200) };
                self.removal_ends(now, outcome, out);
            }
            Kind::Initial | Kind::Renew | Kind::Refresh | Kind::Evict => {
                match (book.granted.filter(|granted| !granted.is_zero()), errand.contact.clone()) {
                    (Some(granted), Some(contact)) => {
                        self.carry(now, &errand, from);
                        let is_its = errand.detours.is_empty() && self.has_choice();
                        let settled = self.current().filter(|at| is_its && errand.at == Some(*at));
                        out.extend(settled.map(|target| Effect::Evidence(Evidence::Settled(target))));
                        out.push(Effect::Evidence(Evidence::Alive));
                        self.store(now, contact, granted, book, out);
                    }
                    (None, _) | (_, None) => {
                        self.elsewhere(now, errand, (Failure::NotStored, Evidence::Alive), out);
                    }
                }
            }
        }
    }

    fn read(&self, message: &Message, contact: Option<&Arc<str>>, expires: Duration) -> Book {
        let asked = contact.map(|contact| (&**contact, expires));
        answer::read(message, asked, &self.ours, &self.account, &self.timing)
    }

    /// The registrar lists our contact.
    fn store(
        &mut self,
        now: Moment,
        contact: Arc<str>,
        granted: Duration,
        book: Book,
        out: &mut Vec<Effect>,
    ) {
        // A newer epoch came in while this one was on its way.
        self.wants.renew |= self.wish.as_ref().is_some_and(|wish| *wish != contact);
        self.ours = book.still;
        self.own(contact);
        self.ours.shrink_to_fit();
        self.held = None;
        self.hold_on(now + granted);
        if self.is_leaving() {
            return;
        }
        if !std::mem::replace(&mut self.stored, true) {
            self.grown = 0;
        }
        (self.failures, self.refusals) = (0, 0);
        self.alarmed = Vec::new();
        self.state = State::Registered;
        // A temporary GRUU dies with the life that granted it, unless it is refreshed by half of it (RFC 5627 4.2).
        let is_brief = book.grant.as_ref().is_some_and(|grant| grant.temporary.is_some());
        let life = if is_brief { Life::Brief } else { Life::Granted };
        self.granted(book.grant, out);
        self.plan_refresh(now, granted, life, out);
        out.push(Effect::Report(Report::Registered { granted, listed: book.listed }));
    }

    /// Remembers what is granted beside the lifetime, and tells the line when that is news.
    pub(super) fn granted(&mut self, grant: Option<Grant>, out: &mut Vec<Effect>) {
        if self.grant.as_deref() != grant.as_ref() {
            self.grant = grant.map(Arc::new);
            out.push(Effect::Report(Report::Granted(self.grant.clone())));
        }
    }

    /// The errand has failed for good.
    pub(super) fn failed(&mut self, now: Moment, errand: Errand, failure: Failure, out: &mut Vec<Effect>) {
        match errand.kind {
            Kind::Remove => self.removal_ends(now, outcome_of(failure), out),
            // A query of a registered user is news only when it succeeds; its server hears of the failure anyway.
            Kind::Query if !errand.guard => {
                if self.is_leaving() && !errand.prove {
                    out.push(Effect::Report(Report::Failed(failure)));
                }
            }
            Kind::Query | Kind::Initial | Kind::Renew | Kind::Refresh | Kind::Evict => {
                if !self.is_leaving() {
                    self.wait(now, &errand, failure, out);
                }
            }
        }
    }

    /// Not registered, or not renewed: waits for the next try.
    fn wait(&mut self, now: Moment, errand: &Errand, failure: Failure, out: &mut Vec<Effect>) {
        if self.held.is_none() {
            self.ours.clear();
        }
        out.push(Effect::Report(Report::Failed(failure)));
        let wait = match failure {
            Failure::Rejected(code) => {
                self.alarm(code, out);
                // A refusal ends what was granted with the registration (RFC 3608 5).
                self.granted(None, out);
                self.refusals = self.refusals.saturating_add(1);
                self.state = State::Rejected;
                plan::rejected(self.refusals.into(), errand.retry_after, &self.timing)
            }
            Failure::Silent
            | Failure::Unsent
            | Failure::Refused(_)
            | Failure::NotStored
            | Failure::Lapsed => {
                self.failures = self.failures.saturating_add(1);
                self.state = State::Backoff;
                let failures = self.failures.into();
                let (timing, chance) = (&self.timing, &mut self.chance);
                plan::back_off(failures, self.sheltered, errand.retry_after, timing, chance)
            }
        };
        self.timers.set(Timer::Again, now + wait);
        // A renewal that came in meanwhile does not wait (M-2.1.4.1-e, R-3).
        if self.wants.renew || !self.wants.evict.is_empty() {
            self.state = State::Trying;
            self.timers.stop(Timer::Again);
        }
    }

    /// The removal is over, for now or for good.
    pub(super) fn removal_ends(&mut self, now: Moment, outcome: Removal, out: &mut Vec<Effect>) {
        let clean = matches!(outcome, Removal::Removed | Removal::Nothing);
        if clean {
            self.ours.clear();
            self.held = None;
            self.timers.stop(Timer::Lapse);
            self.granted(None, out);
        }
        match self.state {
            State::Removing => {
                out.push(Effect::Report(Report::Removed(outcome)));
                if self.wish.is_some() {
                    self.state = State::Trying;
                } else if self.held.is_some() {
                    self.state = State::Cleanup;
                    self.refusals = 1;
                    self.timers.set(Timer::Again, now + plan::cleanup(1, &self.timing));
                } else {
                    self.ours.clear();
                    self.state = State::Idle;
                }
            }
            State::Cleanup if clean => {
                self.state = State::Idle;
                self.timers.stop(Timer::Again);
                out.push(Effect::Report(Report::Removed(Removal::Removed)));
            }
            State::Cleanup => {
                self.refusals = self.refusals.saturating_add(1);
                self.timers.set(Timer::Again, now + plan::cleanup(self.refusals.into(), &self.timing));
            }
            // The user came back meanwhile; what is left goes with the next REGISTER.
            State::Idle
            | State::Trying
            | State::Registered
            | State::Backoff
            | State::Rejected
            | State::Resting => {}
        }
    }

    /// A final answer to a transaction that was given up (G-7).
    fn late(&mut self, now: Moment, orphan: Orphan, message: &Message, code: u16, out: &mut Vec<Effect>) {
        out.push(Effect::Answered { code });
        if code >= 500 || code == 408 {
            return;
        }
        out.push(Effect::Evidence(Evidence::Alive));
        if code >= 300 {
            return;
        }
        if orphan.kind == Kind::Remove && self.state == State::Cleanup {
            return self.removal_ends(now, Removal::Removed, out);
        }
        let book = self.read(message, orphan.contact.as_ref(), orphan.expires);
        let granted = book.granted.filter(|granted| !granted.is_zero());
        if let (Some(granted), Some(contact)) = (granted, orphan.contact) {
            self.stored_late(now, contact, granted, book, out);
        }
    }

    /// The registrar stored a contact with a REGISTER that had been given up.
    fn stored_late(
        &mut self,
        now: Moment,
        contact: Arc<str>,
        granted: Duration,
        book: Book,
        out: &mut Vec<Effect>,
    ) {
        match self.state {
            State::Trying | State::Backoff | State::Rejected if self.wish.as_ref() == Some(&contact) => {
                self.store(now, contact, granted, book, out);
            }
            State::Idle | State::Cleanup => {
                // A second binding that nobody wants: remove it (SM-3, orphan).
                self.own(contact);
                self.hold_on(now + granted);
                self.state = State::Cleanup;
                self.refusals = 0;
                self.wants.due = true;
            }
            State::Trying
            | State::Registered
            | State::Backoff
            | State::Rejected
            | State::Resting
            | State::Removing => {
                self.own(contact);
                self.hold_on(now + granted);
            }
        }
    }
}

fn outcome_of(failure: Failure) -> Removal {
    match failure {
        Failure::Rejected(404) => Removal::Nothing,
        Failure::Rejected(code) | Failure::Refused(code) => Removal::Failed(code),
        Failure::NotStored => Removal::Failed(200),
        Failure::Silent | Failure::Unsent | Failure::Lapsed => Removal::Unknown,
    }
}
