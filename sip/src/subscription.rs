//! A subscription to what the registrar knows about one address of record (RFC 3680, RFC 6665).
//!
//! ```text
//!            2xx                     refresh at nine tenths
//!   Asking ------> Active <----------------------------------+
//!     | ^            |  NOTIFY: versions in order ---> documents
//!     | |            |  gap, "terminated": ask again
//!     | +------------+
//!     | 489, 405, 501: refused, and the server is remembered for it; anything else: asked again in half an hour
//!     v
//!   Refused
//! ```
//!
//! It is evidence only: a REGISTER never waits for it. The answer to a NOTIFY is the business of [`crate::uas`], which
//! knows the Call-ID as long as the subscription lives.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use machine::chance::Chance;
use machine::time::Moment;
use machine::timers::{Name as TimerName, Timers};

use crate::digest;
use crate::digest::client::{Answer, Credentials, Line, Scope};
use crate::draft::Draft;
use crate::message::Message;
use crate::name::Name;
use crate::server::{Account, Local};
use crate::target::Target;
use crate::transaction::client::{Client, Due, Heard};
use crate::via::MAGIC_COOKIE;
use reginfo::Reginfo;

pub mod reginfo;

const METHOD: &str = "SUBSCRIBE";
/// What is asked for: slightly more than an hour, as the package proposes (RFC 3680 4.3).
const EXPIRES_S: u32 = 3761;
/// When to ask again after a failure that says nothing about the package. Ours: evidence is not urgent.
const AGAIN: Duration = Duration::from_secs(30 * 60);
/// The least time between two SUBSCRIBEs, whatever the server grants or says. Ours.
const FLOOR: Duration = Duration::from_secs(30);
/// Challenges of one SUBSCRIBE that are answered. Ours, as with a REGISTER.
const ROUNDS_MAX: u8 = 4;

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Send this.
    Send {
        /// Where to.
        to: Target,
        /// The complete message.
        bytes: Bytes,
        /// False for a retransmission.
        first: bool,
    },
    /// A document that is the next in order.
    Told(Reginfo),
    /// The server does not know the package: never again.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to subscribe again.
    Again,
}

impl TimerName for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Again => "subscribe",
        }
    }
}

/// One subscription.
#[derive(Debug)]
pub struct Subscription {
    account: Arc<Account>,
    local: Arc<Local>,
    to: Target,
    /// The way that the registrar wants later requests to take (RFC 3608).
    route: Vec<String>,
    contact: Arc<str>,
    chance: Chance,
    credentials: Credentials,
    call_id: String,
    tag: String,
    /// The notifier's tag, and where it wants further requests of the dialog (RFC 6665 4.4).
    remote: Option<(String, String)>,
    cseq: u32,
    heard: Option<u32>,
    version: Option<u32>,
    rounds: u8,
    acted: Option<Moment>,
    flight: Option<(Client, Bytes)>,
    timers: Timers<Timer>,
}

impl Subscription {
    /// A subscription that asks at once, at the server that has just registered `contact`.
    pub fn new(
        account: Arc<Account>,
        local: Arc<Local>,
        (to, route): (Target, Vec<String>),
        contact: Arc<str>,
        now: Moment,
        mut chance: Chance,
    ) -> Subscription {
        let call_id = format!("{}@{}", chance.hex(24), local.host);
        let tag = chance.hex(10);
        let own = Chance::of(chance.next(), &account.aor);
        let credentials = Credentials::new(account.username.clone(), account.password.clone(), own)
            .only(account.options.realm.clone());
        let mut timers = Timers::default();
        timers.set(Timer::Again, now);
        Subscription {
            account,
            local,
            to,
            route,
            contact,
            chance,
            credentials,
            call_id,
            tag,
            remote: None,
            cseq: 0,
            heard: None,
            version: None,
            rounds: 0,
            acted: None,
            flight: None,
            timers,
        }
    }

    /// Whether what a document asks of us is done at once: once in a while, however often it is asked.
    pub fn may_act(&mut self, now: Moment) -> bool {
        let is_time = self.acted.is_none_or(|acted| now.since(acted) >= FLOOR);
        if is_time {
            self.acted = Some(now);
        }
        is_time
    }

    /// By which its answers and NOTIFYs find their way.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// When to wake it.
    pub fn deadline(&self) -> Option<(Moment, &'static str)> {
        let flight = self.flight.as_ref().and_then(|(client, _)| client.deadline());
        self.timers.next().into_iter().chain(flight).min_by_key(|(at, _)| *at)
    }

    /// What is due now.
    pub fn wake(&mut self, now: Moment) -> Option<Outcome> {
        if self.timers.due(now).is_some() {
            self.rounds = 0;
            return Some(self.ask(now, &[]));
        }
        let (client, bytes) = self.flight.as_mut()?;
        match client.wake(now)? {
            Due::Resend => Some(Outcome::Send { to: self.to, bytes: bytes.clone(), first: false }),
            Due::TimedOut => {
                self.flight = None;
                self.later(now, AGAIN);
                None
            }
            Due::Over => {
                self.flight = None;
                None
            }
        }
    }

    /// Takes a response to a SUBSCRIBE, or a NOTIFY.
    pub fn hear(&mut self, now: Moment, message: &Message) -> Option<Outcome> {
        match message.code() {
            Some(code) => self.answered(now, message, code),
            None if message.method() == Some("NOTIFY") => self.notified(now, message),
            None => None,
        }
    }

    fn ask(&mut self, now: Moment, lines: &[Line]) -> Outcome {
        self.cseq += 1;
        let branch = format!("{MAGIC_COOKIE}{}", self.chance.hex(16));
        let Account { aor, .. } = &*self.account;
        let (tag, uri) = match &self.remote {
            Some((tag, target)) => (format!(";tag={tag}"), target.as_str()),
            None => (String::new(), &**aor),
        };
        let mut draft = Draft::request(METHOD, uri)
            .print(Name::Via, self.local.via(self.to.transport, &branch))
            .line(Name::MaxForwards, "70")
            .print(Name::From, format_args!("<{aor}>;tag={}", self.tag))
            .print(Name::To, format_args!("<{aor}>{tag}"))
            .line(Name::CallId, &self.call_id)
            .print(Name::CSeq, format_args!("{} {METHOD}", self.cseq))
            .print(Name::Contact, format_args!("<{}>", self.contact))
            .line(Name::Event, "reg")
            .line(Name::Accept, "application/reginfo+xml")
            .print(Name::Expires, EXPIRES_S);
        for route in &self.route {
            draft = draft.line(Name::Route, route);
        }
        for line in lines {
            draft = draft.line(line.name(), &line.value);
        }
        let bytes = draft.line(Name::UserAgent, &self.local.agent).finish();
        let client = Client::start(now, branch, METHOD, self.to.transport.is_reliable());
        self.flight = Some((client, bytes.clone()));
        Outcome::Send { to: self.to, bytes, first: true }
    }

    fn answered(&mut self, now: Moment, message: &Message, code: u16) -> Option<Outcome> {
        let (cseq, via) = (message.cseq().ok()?, message.via().ok()?);
        let (client, _) = self.flight.as_mut().filter(|_| cseq.number == self.cseq)?;
        if client.hear(now, via.branch()?, cseq.method, code) != Heard::Final {
            return None;
        }
        self.flight = None;
        match code {
            ..300 => {
                self.credentials.accepted();
                self.learn_dialog(message.to().ok()?.tag(), message);
                let granted = message.expires().and_then(Result::ok).unwrap_or(EXPIRES_S).min(86_400);
                self.later(now, Duration::from_secs(u64::from(granted) * 9 / 10));
                None
            }
            401 | 407 if self.rounds < ROUNDS_MAX => {
                self.rounds += 1;
                let uri = self.remote.as_ref().map_or(&*self.account.aor, |(_, target)| target).to_owned();
                let request = digest::Request { method: METHOD, uri: &uri, body: b"" };
                let registrar = message.headers(Name::WwwAuthenticate).map(|value| (Scope::Registrar, value));
                let proxy = message.headers(Name::ProxyAuthenticate).map(|value| (Scope::Proxy, value));
                match self.credentials.answer(registrar.chain(proxy), &request) {
                    Answer::Lines(lines) => Some(self.ask(now, &lines)),
                    Answer::Rejected | Answer::Unsupported => {
                        self.later(now, AGAIN);
                        None
                    }
                }
            }
            405 | 489 | 501 => Some(Outcome::Refused),
            481 => {
                self.forget_dialog();
                self.later(now, FLOOR);
                None
            }
            _ => {
                self.later(now, AGAIN);
                None
            }
        }
    }

    fn notified(&mut self, now: Moment, message: &Message) -> Option<Outcome> {
        let (cseq, from, to) = (message.cseq().ok()?, message.from().ok()?, message.to().ok()?);
        let is_known = self.remote.as_ref().is_none_or(|(tag, _)| from.tag() == Some(tag));
        let is_newer = self.heard.is_none_or(|heard| cseq.number > heard);
        if to.tag() != Some(&*self.tag) || !is_known || !is_newer {
            return None;
        }
        self.heard = Some(cseq.number);
        self.learn_dialog(from.tag(), message);
        let document = Reginfo::parse(message.body()).ok();
        if let Some(state) = message.header(Name::SubscriptionState) {
            let (word, params) = state.split_once(';').unwrap_or((state, ""));
            if word.trim().eq_ignore_ascii_case("terminated") {
                let params = params.split(';').filter_map(|param| param.split_once('='));
                let after = params.clone().find(|(name, _)| name.trim() == "retry-after");
                let after = after.and_then(|(_, text)| text.trim().parse().ok()).map(Duration::from_secs);
                let reason =
                    params.clone().find(|(name, _)| name.trim() == "reason").map(|(_, text)| text.trim());
                self.forget_dialog();
                self.later(
                    now,
                    match reason {
                        Some("deactivated" | "timeout") => FLOOR,
                        _ => after.unwrap_or(AGAIN).min(Duration::from_secs(86_400)),
                    },
                );
            }
        }
        self.in_order(now, document?).map(Outcome::Told)
    }

    /// Older documents are dropped; behind a gap everything is asked for again (RFC 3680 5.1).
    fn in_order(&mut self, now: Moment, document: Reginfo) -> Option<Reginfo> {
        match self.version {
            Some(last) if document.version <= last => None,
            Some(last) if !document.full && document.version != last.saturating_add(1) => {
                self.later(now, FLOOR);
                None
            }
            None if !document.full => {
                self.later(now, FLOOR);
                None
            }
            Some(_) | None => {
                self.version = Some(document.version);
                Some(document)
            }
        }
    }

    fn learn_dialog(&mut self, tag: Option<&str>, message: &Message) {
        let Some(tag) = tag else { return };
        let contact = message.readable_contacts().next().map(|contact| contact.addr.address.to_owned());
        if self.remote.is_none() {
            self.remote = contact.map(|target| (tag.to_owned(), target));
        }
    }

    fn forget_dialog(&mut self) {
        (self.remote, self.heard, self.version) = (None, None, None);
        self.tag = self.chance.hex(10);
    }

    fn later(&mut self, now: Moment, wait: Duration) {
        self.timers.set(Timer::Again, now + wait.max(FLOOR));
    }
}
