//! What answers requests: the OMM towards its phones, and the registrars of tests, demo and replay.
//!
//! ```text
//!  datagram -> message -> copy? --yes--> the answer given before
//!                           | no
//!                           v
//!              sound? method? extensions? --no--> 400 405 416 420 481 501 505
//!                           | REGISTER
//!                           v
//!           registrar::desk: 401 403 404 423 500, or 200 at once
//!                           | hold mode
//!                           v
//!                         Asked --Verdict--> 200 or the refusal
//! ```
//!
//! No calls live here: CANCEL and requests inside a dialog get 481, INVITE and its kin 405. An ACK is never answered,
//! a response is handed to the host, which finds its binding by Call-ID.
//!
//! - [`profile`]: how one answerer is set up. [`answer`]: how an answer is written and where it goes.
//! - [`hold`]: REGISTERs that wait for a verdict, [`host`]: what the host is asked about them. [`behave`]: misbehaviour on request. [`dropped`]: what gets no answer.

mod abilities;
pub mod answer;
pub mod behave;
pub mod dropped;
pub mod hold;
mod host;
mod notes;
pub mod profile;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use machine::chance::Chance;
use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;

use crate::check::{Fault, Terms};
use crate::malformed::Malformed;
use crate::message::Message;
use crate::registrar::desk::{Desk, Reply, Sound};
use crate::registrar::subscriber::Subscriber;
use crate::registrar::{Binding, Change};
use crate::target::Target;
use crate::transaction::server::{Arrival, Servers};

use answer::{Asker, Writer};
use behave::quirk::Quirk;
use behave::{Behaviour, Behaviours};
use dropped::Drop;
use hold::{Due, Held, Holds, Refused, Wants};
use host::asked;
use profile::Profile;

/// What is said when there are too many at once. Ten seconds are ours: a phone's copies of the request are rare by then.
const CROWDED: Refused = Refused { code: 503, retry_after: Some(Duration::from_secs(10)) };
/// How long a finished transaction may stay in memory when nothing else happens. Ours.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// What may be asked of us (RFC 3261 20.5).
const ALLOW: &str = "OPTIONS, REGISTER";
/// That, and methods of transactions and dialogs that we do not have: 481 says so better than 405.
const METHODS: &[&str] = &["REGISTER", "OPTIONS", "CANCEL", "BYE", "INFO", "NOTIFY", "PRACK", "UPDATE"];
/// Bodies that are no reason for a 415: what an OPTIONS of a phone may carry (RFC 3261 11.1).
const MEDIA: &[&str] = &["application/sdp"];
/// The same, while the host has subscribed to what a registrar knows (RFC 3680).
const MEDIA_SUBSCRIBED: &[&str] = &["application/sdp", "application/reginfo+xml"];

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input {
    /// A datagram, or one message off a stream.
    Datagram {
        /// From where.
        from: Target,
        /// What.
        bytes: Bytes,
    },
    /// The host's ruling on a held REGISTER. An unknown `ask`, or one that took too long, is ignored.
    Verdict {
        /// The number given with [`Effect::Asked`].
        ask: u64,
        /// `None`: the table takes the contact now.
        refused: Option<Refused>,
    },
    /// A subscriber is added or changed.
    Account(Subscriber),
    /// A subscriber is gone, contacts included. The address of record.
    Forget(String),
    /// All contacts of this address of record are taken away, the subscriber stays (SM-5: guests are sent home).
    Evict(String),
    /// NOTIFYs with this Call-ID belong to a subscription of the host, or no longer do.
    Dialog {
        /// The Call-ID.
        call_id: Arc<str>,
        /// Whether they do.
        open: bool,
    },
    /// From now on requests of this method, or all that have no behaviour of their own, are answered like this.
    Behave {
        /// `None` for all methods.
        method: Option<String>,
        /// [`Behaviour::Normal`] ends it.
        answer: Behaviour,
    },
    /// From now on it misbehaves like this too.
    Misbehave(Vec<Quirk>),
    /// The quirks of these names end; `None` for all of them and every order for a method.
    Improve(Option<Vec<&'static str>>),
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send these bytes there.
    Send {
        /// Where to.
        to: Target,
        /// What.
        bytes: Bytes,
    },
    /// A well-formed response arrived; the host routes it by Call-ID.
    Response(Message),
    /// A NOTIFY of a subscription of the host, already answered; the host routes it by Call-ID.
    Notified(Message),
    /// A REGISTER that passed every check waits for [`Input::Verdict`].
    Asked {
        /// Its number.
        ask: u64,
        /// The user part of the address of record.
        user: String,
        /// The contact to be bound, or removed; `*` for all of them.
        contact: Arc<str>,
        /// Its `+sip.instance`.
        instance: Option<String>,
        /// The interval to be granted; zero to detach.
        expires: Duration,
    },
    /// A REGISTER of somebody whom nobody enrolled, and who has answered our challenge, waits for [`Input::Verdict`]: without
    /// a refusal it is examined once more.
    Stranger {
        /// Its number.
        ask: u64,
        /// The user part of the address of record.
        user: String,
    },
    /// What the location table did.
    Table(Change),
    /// A datagram that gets no answer.
    Dropped(Drop),
}

/// One answerer.
#[derive(Clone, Debug)]
pub struct Uas {
    holding: bool,
    /// Whether the host may know more about whoever nobody enrolled.
    asks_about_strangers: bool,
    writer: Writer,
    desk: Desk,
    servers: Servers,
    holds: Holds,
    behaviours: Behaviours,
    /// Call-IDs of the host's subscriptions.
    dialogs: BTreeSet<Arc<str>>,
    dropped: BTreeMap<Drop, u64>,
    /// Reused from step to step.
    changes: Vec<Change>,
}

impl Machine for Uas {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Datagram { from, bytes } => self.datagram(now, from, bytes, out),
            Input::Verdict { ask, refused } => {
                if let Some(held) = self.holds.take(ask) {
                    self.rule(now, held, refused, out);
                }
            }
            Input::Account(subscriber) => _ = self.desk.enrol(subscriber),
            Input::Forget(aor) => self.desk.strike(now, &aor, &mut self.changes),
            Input::Evict(aor) => self.desk.evict(now, &aor, &mut self.changes),
            Input::Dialog { call_id, open: true } => _ = self.dialogs.insert(call_id),
            Input::Dialog { call_id, open: false } => _ = self.dialogs.remove(&call_id),
            Input::Behave { method, answer } => self.behaviours.set(method, answer),
            Input::Misbehave(quirks) => self.misbehave(now, quirks),
            Input::Improve(names) => self.improve(names),
        }
        out.extend(self.changes.drain(..).map(Effect::Table));
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        let expiry = self.desk.deadline().map(|at| (at, "expiry"));
        let hold = self.holds.deadline().map(|at| (at, "hold"));
        // Transactions that are over are forgotten on the next arrival too: one wake-up a minute is enough for them.
        let forget = self.servers.deadline().map(|at| (at + FORGET_EVERY, "forget"));
        let post = self.behaviours.deadline().map(|at| (at, "post"));
        [expiry, hold, forget, post].into_iter().flatten().min()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.servers.wake(now);
        self.desk.wake(now, &mut self.changes);
        while let Some((to, bytes)) = self.behaviours.due(now) {
            out.push(Effect::Send { to, bytes });
        }
        while let Some(due) = self.holds.wake(now) {
            match due {
                Due::Reassure(held) => self.reassure(now, &held, out),
                Due::GiveUp(held) => self.rule(now, held, Some(CROWDED), out),
            }
        }
        out.extend(self.changes.drain(..).map(Effect::Table));
    }

    fn note_input(input: &Input) -> Option<Note> {
        notes::input(input)
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        notes::effect(effect)
    }
}

impl Uas {
    /// An answerer without subscribers. `chance` makes tags and the key of its nonces.
    pub fn new(profile: Profile, mut chance: Chance) -> Uas {
        let (holding, asks_about_strangers) = (profile.hold, profile.strangers);
        let server = profile.server.clone();
        // A stream of its own: who misbehaves draws no tags.
        let behaviours = Behaviours::new(Chance::of(chance.clone().next(), "behave"));
        let servers = profile.transactions.map_or_else(Servers::default, Servers::with_room);
        let desk = profile.desk(&mut chance);
        Uas {
            holding,
            asks_about_strangers,
            writer: Writer::new(server, chance),
            desk,
            servers,
            holds: Holds::default(),
            behaviours,
            dialogs: BTreeSet::new(),
            dropped: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// How many datagrams got no answer, by reason.
    pub fn dropped(&self) -> Vec<(&'static str, u64)> {
        self.dropped.iter().map(|(why, count)| (why.word(), *count)).collect()
    }

    /// The contacts that are bound for an address of record, in canonical form.
    pub fn bindings(&self, aor: &str) -> &[Binding] {
        self.desk.registrar().bindings(aor)
    }

    /// How many contacts are bound, and how many REGISTERs wait for a verdict.
    pub fn load(&self) -> (usize, usize) {
        (self.desk.registrar().len(), self.holds.len())
    }

    fn datagram(&mut self, now: Moment, from: Target, bytes: Bytes, out: &mut Vec<Effect>) {
        if bytes.iter().all(|byte| *byte == 0) {
            return self.drop(Drop::KeepAlive, out);
        }
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(Malformed::Empty) => return self.drop(Drop::KeepAlive, out),
            Err(_) => return self.drop(Drop::Malformed, out),
        };
        let media = if self.dialogs.is_empty() { MEDIA } else { MEDIA_SUBSCRIBED };
        let terms = Terms { methods: METHODS, extensions: self.extensions(), media };
        let verdict = message.verdict_on(&terms);
        match message.method() {
            None if verdict.is_ok() => out.push(Effect::Response(message)),
            None => self.drop(Drop::Unusable, out),
            Some("ACK") => self.drop(Drop::Ack, out),
            Some(method)
                if self.behaviours.of(method) == &Behaviour::Silence
                    || !self.behaviours.hears(now, method) =>
            {
                self.drop(Drop::Silenced, out)
            }
            Some(_) => self.request(now, from, message, verdict, out),
        }
    }

    fn request(
        &mut self,
        now: Moment,
        from: Target,
        message: Message,
        verdict: Result<(), Fault>,
        out: &mut Vec<Effect>,
    ) {
        if let Err(Fault::Drop(_)) = verdict {
            return self.drop(Drop::Malformed, out);
        }
        let Some(asker) = Asker::read(from, message) else { return self.drop(Drop::Malformed, out) };
        match self.servers.arrive(now, &asker.key) {
            Arrival::Absorbed => self.drop(Drop::Copy, out),
            Arrival::Again(bytes) => self.send(now, asker.to, bytes, out),
            Arrival::Full => {
                let bytes = self.writer.write(&asker, CROWDED.reply());
                self.send(now, asker.to, bytes, out);
            }
            Arrival::New => self.answer(now, asker, verdict, out),
        }
    }

    fn answer(&mut self, now: Moment, mut asker: Asker, verdict: Result<(), Fault>, out: &mut Vec<Effect>) {
        asker.from.addr = self.behaviours.source(asker.from.addr);
        if let Some(reply) = self.behaviours.refusal(&asker.message) {
            return self.reply(now, &asker, reply, out);
        }
        let method = asker.message.method().unwrap_or("");
        if let Behaviour::Code(code, lines) = self.behaviours.of(method) {
            let bytes = self.writer.write_with(&asker, *code, lines);
            return self.finish(now, &asker, bytes, out);
        }
        let reply = match (verdict, method) {
            (Err(Fault::Answer { code, reason }), _) => {
                let reply = self.complaint(code, &asker.message);
                let bytes = self.writer.write_as(&asker, &reason, reply);
                return self.finish(now, &asker, bytes, out);
            }
            (Ok(()) | Err(Fault::Drop(_)), "REGISTER") => match self.desk.examine(now, &asker.message) {
                Ok(sound) => return self.register(now, asker, sound, out),
                Err(reply) => match self.stranger(now, &asker.message) {
                    Some(user) => return self.introduce(now, asker, user, out),
                    None => reply,
                },
            },
            (Ok(()) | Err(Fault::Drop(_)), "OPTIONS") => self.capabilities(),
            (Ok(()), "NOTIFY") if self.is_subscribed(&asker.message) => {
                out.push(Effect::Notified(asker.message.clone()));
                Reply::plain(200)
            }
            // All else that is served belongs to a transaction or a dialog, and there are none.
            (Ok(()) | Err(Fault::Drop(_)), _) => Reply::plain(481),
        };
        self.reply(now, &asker, reply, out);
    }

    fn is_subscribed(&self, message: &Message) -> bool {
        message.call_id().is_ok_and(|call_id| self.dialogs.contains(call_id))
    }

    fn register(&mut self, now: Moment, asker: Asker, mut sound: Sound, out: &mut Vec<Effect>) {
        if let Some(reply) = self.behaviours.objection(&sound, self.desk.registrar().policy().max) {
            return self.reply(now, &asker, reply, out);
        }
        let wish = self.behaviours.curtail(&mut sound);
        if !self.holding || sound.is_query() {
            let mut reply = self.desk.settle(now, &sound, &mut self.changes);
            if let Some(wish) = wish {
                self.behaviours.colour(&mut reply, &wish);
            }
            return self.reply(now, &asker, reply, out);
        }
        let asked = |ask| asked(ask, &sound, self.desk.registrar());
        match self.holds.put(now, asker, Wants::Verdict(sound.clone())) {
            Ok(ask) => out.push(asked(ask)),
            Err(asker) => self.reply(now, &asker, CROWDED.reply(), out),
        }
    }

    /// The verdict, or its absence, on a held REGISTER.
    fn rule(&mut self, now: Moment, held: Held, refused: Option<Refused>, out: &mut Vec<Effect>) {
        let reply = match (refused, held.wants) {
            (Some(refused), _) => refused.reply(),
            (None, Wants::Verdict(sound)) => self.desk.settle(now, &sound, &mut self.changes),
            (None, Wants::Acquaintance) => match self.desk.examine(now, &held.asker.message) {
                Ok(sound) => return self.register(now, held.asker, sound, out),
                Err(reply) => reply,
            },
        };
        self.reply(now, &held.asker, reply, out);
    }

    fn reassure(&mut self, now: Moment, held: &Asker, out: &mut Vec<Effect>) {
        let bytes = self.writer.write(held, Reply::plain(100));
        if self.servers.provisional(now, &held.key, bytes.clone()) {
            out.push(Effect::Send { to: held.to, bytes });
        }
    }

    fn reply(&mut self, now: Moment, asker: &Asker, reply: Reply, out: &mut Vec<Effect>) {
        let bytes = self.writer.write(asker, reply);
        self.finish(now, asker, bytes, out);
    }

    fn finish(&mut self, now: Moment, asker: &Asker, bytes: Bytes, out: &mut Vec<Effect>) {
        let is_reliable = asker.to.transport.is_reliable();
        if self.servers.finish(now, &asker.key, bytes.clone(), is_reliable) {
            self.send(now, asker.to, bytes, out);
        }
    }

    fn send(&mut self, now: Moment, to: Target, bytes: Bytes, out: &mut Vec<Effect>) {
        if self.behaviours.is_calm() {
            return out.push(Effect::Send { to, bytes });
        }
        let leaving = self.behaviours.send(now, to, bytes).into_iter();
        out.extend(leaving.map(|(to, bytes)| Effect::Send { to, bytes }));
    }

    fn misbehave(&mut self, now: Moment, quirks: Vec<Quirk>) {
        for quirk in quirks {
            if quirk == Quirk::Crash {
                self.desk.crash(now, &mut self.changes);
                self.servers.lose();
                self.behaviours.lose();
            }
            if let Quirk::Forgets(user) = &quirk {
                self.desk.forget(now, user, &mut self.changes);
            }
            self.behaviours.begin(quirk);
        }
        self.desk.ask_like(self.behaviours.asking());
    }

    fn improve(&mut self, names: Option<Vec<&'static str>>) {
        match names {
            Some(names) => names.into_iter().for_each(|name| self.behaviours.end(name)),
            None => self.behaviours.end_all(),
        }
        self.desk.ask_like(self.behaviours.asking());
    }

    fn drop(&mut self, why: Drop, out: &mut Vec<Effect>) {
        *self.dropped.entry(why).or_default() += 1;
        out.push(Effect::Dropped(why));
    }
}

#[cfg(test)]
mod tests;
