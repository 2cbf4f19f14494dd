//! One REGISTER from beginning to end: all eight steps of RFC 3261 10.3 in their order, and what is answered.
//!
//! ```text
//!  REGISTER -> read -> authenticate -> authorise -> check -+-> change the table -> 200
//!                |404/400    |401          |403/404   |423  \-> wait for a ruling -> change the table -> 200
//! ```

use std::time::{Duration, SystemTime};

use machine::secret::Secret;
use machine::time::{Moment, Wall};

use crate::digest::Request;
use crate::digest::server::{Gate, Outcome};
use crate::message::Message;
use crate::name::Name;

use super::reading::{self, Domains, Objection, has_token};
use super::request::{Registration, Wish};
use super::subscriber::{Subscriber, Subscribers};
use super::{Change, Model, Policy, Refusal, Registrar};

/// The realm of whoever is not the registrar (RFC 2606: nobody's).
const ELSEWHERE: &str = "elsewhere.invalid";

/// What to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub code: u16,
    /// A reason phrase that says more than the usual one.
    pub reason: Option<&'static str>,
    /// Further header lines.
    pub lines: Vec<(Name, String)>,
}

impl Reply {
    /// An answer without further lines.
    pub fn plain(code: u16) -> Reply {
        Reply { code, reason: None, lines: Vec::new() }
    }

    /// The same answer with one more line.
    pub fn with(mut self, name: Name, value: impl Into<String>) -> Reply {
        self.lines.push((name, value.into()));
        self
    }
}

/// How passwords are asked for; all but the first are misbehaviour that clients have to survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asking {
    /// As the rules say.
    #[default]
    Fair,
    /// Every REGISTER draws a fresh nonce; no answer to it satisfies.
    Endless,
    /// The same, and each time with `stale=true`.
    Stale,
    /// A nonce expires after so long, and nobody says `stale`.
    Short(Duration),
    /// As a proxy does it: 407 instead of 401. That is no misbehaviour.
    Proxy,
    /// In a realm of its own, as somebody does who is not the registrar and collects answers; none satisfies.
    Foreign,
}

/// A REGISTER that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// What it asks for.
    pub registration: Registration,
    /// Lines that the 200 gets because of what the request said.
    echo: Vec<(Name, String)>,
}

impl Sound {
    /// Whether it only asks for the list.
    pub fn is_query(&self) -> bool {
        self.registration.wish == Wish::Query
    }
}

/// Where REGISTERs are dealt with.
#[derive(Clone, Debug)]
pub struct Desk {
    domains: Domains,
    gate: Option<Gate>,
    asking: Asking,
    subscribers: Subscribers,
    /// Whether addresses nobody told us of are accepted too.
    open: bool,
    registrar: Registrar,
    began: Option<Wall>,
}

impl Desk {
    /// A desk without subscribers. `gate` asks for passwords; `open` accepts every address of record; `began` is the
    /// calendar time of [`Moment::START`], for the Date line.
    pub fn new(
        domains: Domains,
        policy: Policy,
        gate: Option<Gate>,
        open: bool,
        began: Option<Wall>,
    ) -> Desk {
        let (subscribers, registrar) = (Subscribers::default(), Registrar::new(policy));
        let asking = Asking::Fair;
        Desk { domains, gate, asking, subscribers, open, registrar, began }
    }

    /// Adds a subscriber or changes one. False when the address of record is none of our domains.
    pub fn enrol(&mut self, mut subscriber: Subscriber) -> bool {
        let Some(aor) = self.domains.canonical_text(&subscriber.aor) else { return false };
        subscriber.aor = aor;
        self.subscribers.put(subscriber);
        true
    }

    /// Takes a subscriber and all contacts away.
    pub fn strike(&mut self, now: Moment, aor: &str, out: &mut Vec<Change>) {
        if let Some(aor) = self.domains.canonical_text(aor) {
            self.subscribers.remove(&aor);
            self.registrar.evict(now, &aor, out);
        }
    }

    /// Takes all contacts of a subscriber away, who may register again.
    pub fn evict(&mut self, now: Moment, aor: &str, out: &mut Vec<Change>) {
        if let Some(aor) = self.domains.canonical_text(aor) {
            self.registrar.evict(now, &aor, out);
        }
    }

    /// From now on passwords are asked for like this; nothing happens at a desk that asks for none.
    pub fn ask_like(&mut self, asking: Asking) {
        self.asking = asking;
        let life = match asking {
            Asking::Short(life) => Some(life),
            Asking::Fair | Asking::Endless | Asking::Stale | Asking::Proxy | Asking::Foreign => None,
        };
        if let Some(gate) = &mut self.gate {
            gate.hurry(life);
        }
    }

    /// Whoever knows this password may register the address of record that the username names, enrolled or not.
    pub fn admit_everybody(&mut self, password: Secret) {
        self.subscribers.admit_everybody(password);
    }

    /// A crash: every contact and every nonce is forgotten. The subscribers are on the disk.
    pub fn crash(&mut self, now: Moment, out: &mut Vec<Change>) {
        self.registrar.lose(now, out);
        if let Some(gate) = &mut self.gate {
            gate.forget();
        }
    }

    /// The contacts of this user are forgotten, and nothing else.
    pub fn forget(&mut self, now: Moment, user: &str, out: &mut Vec<Change>) {
        self.registrar.lose_user(now, user, out);
    }

    /// The location table.
    pub fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    /// When the next contact expires.
    pub fn deadline(&self) -> Option<Moment> {
        self.registrar.deadline()
    }

    /// Drops the contacts whose time is over.
    pub fn wake(&mut self, now: Moment, out: &mut Vec<Change>) {
        self.registrar.wake(now, out);
    }

    /// Steps 1 to 7, changing nothing: what is wrong with the request, or that it is sound.
    pub fn examine(&mut self, now: Moment, message: &Message) -> Result<Sound, Reply> {
        let model = self.registrar.policy().model;
        let read = reading::read(message, &self.domains, model);
        if read == Err(Objection::Elsewhere) {
            return Err(Reply::plain(404));
        }
        // Who is not known here learns nothing but that a password is asked for (step 3 before 4 and 5).
        let (user, info) = self.authenticate(now, message)?;
        let registration = read.map_err(objection)?;
        let known = self.subscribers.knows(&registration.aor);
        if !known && !self.open {
            return Err(Reply::plain(404));
        }
        if let Some(user) = user
            && !self.subscribers.may_change(&user, &registration.aor)
            && (known || self.subscribers.admits_everybody())
        {
            return Err(Reply::plain(403));
        }
        self.registrar.check(&registration).map_err(refusal)?;
        let mut echo = echo_of(message, &registration, model);
        echo.extend(info.map(|info| (Name::AuthenticationInfo, info)));
        Ok(Sound { registration, echo })
    }

    /// The address of record of a sound REGISTER that nobody enrolled, if its sender has answered a fresh challenge of ours:
    /// whoever has only forged the sender's address has heard none.
    pub fn stranger(&self, now: Moment, message: &Message) -> Option<String> {
        let gate = self.gate.as_ref().filter(|_| self.asking == Asking::Fair)?;
        if !gate.was_answered(now, message.headers(Name::Authorization)) {
            return None;
        }
        let read = reading::read(message, &self.domains, self.registrar.policy().model).ok()?;
        (!self.subscribers.knows(&read.aor)).then(|| read.aor.to_string())
    }

    /// Steps 6 to 8: changes the table and lists it. Somebody else may have changed it since the examination, so it
    /// can still refuse.
    pub fn settle(&mut self, now: Moment, sound: &Sound, out: &mut Vec<Change>) -> Reply {
        let Sound { registration, echo } = sound;
        if let Err(why) = self.registrar.register(now, registration, out) {
            return refusal(why);
        }
        let bindings = self.registrar.bindings(&registration.aor);
        let mut lines: Vec<(Name, String)> =
            bindings.iter().map(|binding| (Name::Contact, binding.value(now))).collect();
        lines.extend(echo.iter().cloned());
        if let Some(began) = self.began {
            let date = Duration::from_millis(began.as_millis().saturating_add(now.as_millis()));
            lines.push((Name::Date, date_of(date)));
        }
        Reply { code: 200, reason: None, lines }
    }

    /// Step 3. The username that was proven, `None` when nobody is asked, and what the 200 tells its owner.
    fn authenticate(
        &mut self,
        now: Moment,
        message: &Message,
    ) -> Result<(Option<String>, Option<String>), Reply> {
        let Some(gate) = &mut self.gate else { return Ok((None, None)) };
        let (method, uri) = (message.method().unwrap_or(""), message.request_uri().unwrap_or(""));
        let request = Request { method, uri, body: message.body() };
        let subscribers = &self.subscribers;
        let (code, ask, told) = match self.asking {
            Asking::Proxy => (407, Name::ProxyAuthenticate, Name::ProxyAuthorization),
            Asking::Fair | Asking::Endless | Asking::Stale | Asking::Short(_) | Asking::Foreign => {
                (401, Name::WwwAuthenticate, Name::Authorization)
            }
        };
        let answers = message.headers(told);
        let outcome = gate.check(now, answers, &request, |user| subscribers.password(user));
        let stale = match (outcome, self.asking) {
            (Outcome::Malformed, _) => return Err(bad("Bad Authorization")),
            (_, Asking::Endless | Asking::Foreign) => false,
            (_, Asking::Stale) => true,
            (Outcome::Passed { user, info }, _) => return Ok((Some(user), info)),
            (Outcome::Missing | Outcome::Wrong { .. }, _) | (Outcome::Stale, Asking::Short(_)) => false,
            (Outcome::Stale, Asking::Fair | Asking::Proxy) => true,
        };
        let realm = (self.asking == Asking::Foreign).then_some(ELSEWHERE);
        let challenges = gate.challenge_as(now, stale, realm).into_iter();
        let lines = challenges.map(|value| (ask, value)).collect();
        Err(Reply { code, reason: None, lines })
    }
}

/// What the 200 says because of the request: RFC 5626 6 (Require: outbound), RFC 3327 5.3 (Path).
fn echo_of(message: &Message, registration: &Registration, model: Model) -> Vec<(Name, String)> {
    let mut echo = Vec::new();
    let has_flow = match &registration.wish {
        Wish::Change(items) => items.iter().any(|item| item.flow.is_some()),
        Wish::Query | Wish::RemoveAll => false,
    };
    if model == Model::Outbound && has_flow {
        echo.push((Name::Require, "outbound".to_owned()));
    }
    if has_token(message, Name::Supported, "path") {
        echo.extend(message.headers(Name::Path).map(|path| (Name::Path, path.to_owned())));
    }
    echo
}

fn bad(reason: &'static str) -> Reply {
    Reply { code: 400, reason: Some(reason), lines: Vec::new() }
}

fn objection(why: Objection) -> Reply {
    match why {
        Objection::Elsewhere | Objection::NoSuchAddress => Reply::plain(404),
        Objection::Bad(reason) => bad(reason),
        Objection::NoOutboundThere => {
            Reply { reason: Some("First Hop Lacks Outbound Support"), ..Reply::plain(439) }
        }
    }
}

fn refusal(why: Refusal) -> Reply {
    match why {
        Refusal::Brief(min) => {
            let reply = Reply { reason: Some("Interval Too Brief"), ..Reply::plain(423) };
            reply.with(Name::MinExpires, min.as_secs().to_string())
        }
        Refusal::OutOfOrder => Reply { reason: Some("CSeq Not Higher"), ..Reply::plain(500) },
        Refusal::Occupied => Reply { reason: Some("Already Registered Elsewhere"), ..Reply::plain(403) },
        Refusal::Crowded => Reply { reason: Some("Too Many Contacts"), ..Reply::plain(403) },
    }
}

/// RFC 3261 20.17: `Sat, 13 Nov 2010 23:29:00 GMT`. The last date that the format can print is used beyond it.
fn date_of(since_1970: Duration) -> String {
    const LAST_S: u64 = 253_402_300_799; // the end of the year 9999
    let seconds = Duration::from_secs(since_1970.as_secs().min(LAST_S));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_printed_and_an_absurd_one_does_not_stop_us() {
        assert_eq!(date_of(Duration::from_secs(1_289_690_940)), "Sat, 13 Nov 2010 23:29:00 GMT");
        assert_eq!(date_of(Duration::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
