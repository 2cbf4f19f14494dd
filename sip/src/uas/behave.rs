//! Misbehaviour on request, for the registrars of tests, scenarios and `homing registrar`. How long it lasts is the
//! host's business.
//!
//! - An order for a method: `answer P REGISTER 503`. It says what is answered, always ([`Behaviour`]).
//! - A [`quirk`]: `behave P late 2s, duplicate`. Quirks come on top of the rules and of each other; [`words`] reads them.
//!
//! ```text
//!  request -> heard? -> refused at once? -> the rules, password first -> too brief? -> what is stored -> what is said
//!           silence     storm, overload      nonce ..                   min-expires    grant 0         grant, foreign-
//!           overload    redirect                                        expires shrink drops-own       contacts ..
//!           options-filtered, options-only, min-expires .. early                           |
//!                                                      late, duplicate, reorder, wrong-* <-+
//! ```

mod disguise;
mod post;
pub mod quirk;
mod rush;
pub mod words;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use machine::chance::Chance;
use machine::time::Moment;

use crate::message::Message;
use crate::name::Name;
use crate::registrar::desk::{Asking, Reply, Sound};
use crate::registrar::request::{Item, Wish};
use crate::target::Target;

use post::{Habit, Post};
use quirk::{ALL, Grant, Least, Quirk};
use rush::Rush;

/// Most methods with a behaviour of their own; a scenario names a handful. Ours.
const METHODS_MAX: usize = 32;
/// Most users whose shrinking lifetime is remembered. Ours: six times the 10,000 of M-2.2.1-d.
const SHRUNK_MAX: usize = 65_536;
/// What `expires shrink` goes down to before the 423, and Kamailio's own minimum.
const SHRUNK_TO: Duration = Duration::from_secs(60);
/// The longest lifetime that `grant N` is believed to mean and that the table keeps to (SM-3: a day).
const BELIEVABLE_S: u64 = 86_400;

/// How to answer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// As the rules say.
    #[default]
    Normal,
    /// Always this status, with these further lines (name, value).
    Code(u16, Vec<(String, String)>),
    /// Not at all.
    Silence,
}

/// What is ordered at present.
#[derive(Clone, Debug)]
pub struct Behaviours {
    all: Behaviour,
    one: BTreeMap<String, Behaviour>,
    /// At most one of each name.
    quirks: BTreeMap<&'static str, Quirk>,
    chance: Chance,
    rush: Rush,
    /// The request at hand is one too many.
    over: bool,
    post: Post,
    /// What `expires shrink` granted last. Looked up, never iterated.
    shrunk: HashMap<Arc<str>, Duration>,
    moves: u16,
}

impl Behaviours {
    /// Nothing is ordered. `chance` decides what happens to a share of requests.
    pub fn new(chance: Chance) -> Behaviours {
        Behaviours {
            all: Behaviour::Normal,
            one: BTreeMap::new(),
            quirks: BTreeMap::new(),
            chance,
            rush: Rush::default(),
            over: false,
            post: Post::default(),
            shrunk: HashMap::new(),
            moves: 0,
        }
    }

    /// Orders a behaviour for one method or, with `None`, for all that have none of their own. `Normal` for one
    /// method takes its own order back.
    pub fn set(&mut self, method: Option<String>, behaviour: Behaviour) {
        match (method, behaviour) {
            (None, behaviour) => self.all = behaviour,
            (Some(method), Behaviour::Normal) => _ = self.one.remove(&method),
            (Some(method), behaviour) => {
                if self.one.len() < METHODS_MAX || self.one.contains_key(&method) {
                    self.one.insert(method, behaviour);
                }
            }
        }
    }

    /// What is ordered for a method.
    pub fn of(&self, method: &str) -> &Behaviour {
        self.one.get(method).unwrap_or(&self.all)
    }

    /// Switches a quirk on, in the place of one of that name. What happens once is not kept.
    pub(super) fn begin(&mut self, quirk: Quirk) {
        if !quirk.is_once() {
            self.quirks.insert(quirk.name(), quirk);
        }
    }

    /// Switches the quirk of this name off.
    pub(super) fn end(&mut self, name: &str) {
        self.quirks.remove(name);
        if name == "expires" {
            self.shrunk.clear();
        }
    }

    /// Switches all quirks off.
    pub(super) fn end_all(&mut self) {
        self.quirks.clear();
        self.shrunk.clear();
    }

    /// What is on, in words.
    pub fn quirks(&self) -> Vec<String> {
        self.quirks.values().map(Quirk::to_string).collect()
    }

    /// Whether no quirk is on.
    pub(super) fn is_calm(&self) -> bool {
        self.quirks.is_empty()
    }

    fn is_on(&self, name: &str) -> bool {
        self.quirks.contains_key(name)
    }

    /// Whether a request is heard at all.
    pub(super) fn hears(&mut self, now: Moment, method: &str) -> bool {
        if let Some(Quirk::Overload { rate, silent }) = self.quirks.get("overload") {
            self.over = self.rush.arrive(now, *rate);
            if self.over && *silent {
                return false;
            }
        } else {
            self.over = false;
        }
        if method == "OPTIONS" && self.is_on("options-filtered") {
            return false;
        }
        match self.quirks.get("silence") {
            Some(Quirk::Silence(share)) => *share < ALL && !self.chance.happens(*share),
            Some(_) | None => true,
        }
    }

    /// What is answered before anything of the request is looked at.
    pub(super) fn refusal(&mut self, message: &Message) -> Option<Reply> {
        if self.over {
            return Some(Reply::plain(503));
        }
        if let Some(Quirk::Storm { code, retry_after, share }) = self.quirks.get("storm")
            && self.chance.happens(*share)
        {
            let reply = Reply::plain(*code);
            return Some(match retry_after {
                Some(text) => reply.with(Name::RetryAfter, &**text),
                None => reply,
            });
        }
        if message.method() != Some("REGISTER") {
            return None;
        }
        if self.is_on("options-only") {
            return Some(Reply::plain(500));
        }
        if let Some(Quirk::Redirect { code, to }) = self.quirks.get("redirect") {
            let (mut reply, mut q) = (Reply::plain(*code), 10_u8);
            for uri in to {
                let q_text = if q == 10 { "1.0".to_owned() } else { format!("0.{q}") };
                reply = reply.with(Name::Contact, format!("<{uri}>;q={q_text}"));
                q = q.saturating_sub(1);
            }
            return Some(reply);
        }
        match self.quirks.get("min-expires") {
            Some(Quirk::MinExpires { least, early: true }) => {
                let asked = message.readable_contacts().find_map(|contact| contact.expires());
                let asked = asked.or_else(|| message.expires().and_then(Result::ok));
                too_brief(*least, asked.map(|seconds| Duration::from_secs(seconds.into())))
            }
            Some(_) | None => None,
        }
    }

    /// How passwords are asked for.
    pub(super) fn asking(&self) -> Asking {
        match self.quirks.get("nonce") {
            Some(Quirk::Nonce(asking)) => *asking,
            Some(_) | None => Asking::Fair,
        }
    }

    /// What is wrong with a REGISTER that passed every check, at a registrar that grants `longest` at most.
    pub(super) fn objection(&mut self, sound: &Sound, longest: Duration) -> Option<Reply> {
        let asked = live(&sound.registration.wish).find_map(|item| item.expires);
        if let Some(Quirk::MinExpires { least, early: false }) = self.quirks.get("min-expires")
            && let Some(reply) = too_brief(*least, asked)
        {
            return Some(reply);
        }
        let Some(Quirk::Shrink(by)) = self.quirks.get("expires") else { return None };
        let asked = asked?;
        let aor = &sound.registration.aor;
        let next = self.shrunk.get(aor).map_or(asked, |last| last.saturating_sub(*by).min(asked));
        if next >= SHRUNK_TO {
            if self.shrunk.len() < SHRUNK_MAX || self.shrunk.contains_key(aor) {
                self.shrunk.insert(aor.clone(), next);
            }
            return None;
        }
        self.shrunk.remove(aor);
        Some(brief(Some(longest)))
    }

    /// Changes what is going to be stored; what was asked for is handed back for [`Behaviours::colour`]. `None` when
    /// everything is as the rules say.
    pub(super) fn curtail(&self, sound: &mut Sound) -> Option<Wish> {
        if self.is_calm() {
            return None;
        }
        let asked = sound.registration.wish.clone();
        self.shorten(sound);
        Some(asked)
    }

    fn shorten(&self, sound: &mut Sound) {
        let registration = &mut sound.registration;
        let Wish::Change(items) = &mut registration.wish else { return };
        let most = match self.quirks.get("grant") {
            Some(Quirk::Grant(Grant::Seconds(seconds))) => {
                u64::try_from(*seconds).ok().filter(|seconds| *seconds <= BELIEVABLE_S)
            }
            Some(_) | None => None,
        };
        if self.is_on("drops-own") || most == Some(0) {
            return items.retain(|item| item.expires == Some(Duration::ZERO));
        }
        let most = most.map(Duration::from_secs).or_else(|| self.shrunk.get(&registration.aor).copied());
        items.iter_mut().for_each(|item| item.most = most);
    }

    /// Changes what a 2xx says about what was `asked` for.
    pub(super) fn colour(&self, reply: &mut Reply, asked: &Wish) {
        if reply.code >= 300 {
            return;
        }
        let own: Vec<&str> = live(asked).map(|item| &*item.uri).collect();
        if let Some(Quirk::Grant(grant)) = self.quirks.get("grant") {
            if *grant == Grant::Seconds(0) {
                reply.lines.extend(own.iter().map(|own| (Name::Contact, format!("<{own}>;expires=0"))));
            }
            disguise::grant(reply, &own, *grant);
        }
        if self.is_on("drops-own") {
            let is_own = |value: &str| own.iter().any(|own| value.contains(&format!("<{own}>")));
            reply.lines.retain(|(name, value)| *name != Name::Contact || !is_own(value));
        }
        if self.is_on("lists-nothing") && *asked == Wish::Query {
            reply.lines.retain(|(name, _)| *name != Name::Contact);
        }
        if self.is_on("foreign-contacts") {
            disguise::add_strangers(reply);
        }
    }

    /// Where an answer says that the request came from.
    pub(super) fn source(&mut self, from: SocketAddr) -> SocketAddr {
        if !self.is_on("rport-moves") {
            return from;
        }
        self.moves = self.moves % 1000 + 1;
        SocketAddr::new(from.ip(), from.port().wrapping_add(self.moves))
    }

    /// Sends an answer its way: what leaves now is handed back.
    pub(super) fn send(&mut self, now: Moment, to: Target, mut bytes: Bytes) -> Vec<(Target, Bytes)> {
        if self.is_on("wrong-branch") {
            bytes = disguise::branch(&bytes);
        }
        if self.is_on("wrong-cseq") {
            bytes = disguise::cseq(&bytes);
        }
        if let Some(Quirk::Oc(share)) = self.quirks.get("oc") {
            bytes = disguise::load(&bytes, *share);
        }
        let late = match self.quirks.get("late") {
            Some(Quirk::Late(by)) => *by,
            Some(_) | None => Duration::ZERO,
        };
        let habit = Habit { late, twice: self.is_on("duplicate"), shuffled: self.is_on("reorder") };
        self.post.put(now, habit, &mut self.chance, (to, bytes))
    }

    /// When the next answer leaves.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.post.deadline()
    }

    /// The next answer that leaves now.
    pub(super) fn due(&mut self, now: Moment) -> Option<(Target, Bytes)> {
        self.post.due(now)
    }

    /// A crash: what waits to be sent is lost.
    pub(super) fn lose(&mut self) {
        self.post.lose();
        self.shrunk.clear();
    }
}

/// The contacts that are to be bound.
fn live(wish: &Wish) -> impl Iterator<Item = &Item> {
    let items = match wish {
        Wish::Change(items) => items.as_slice(),
        Wish::Query | Wish::RemoveAll => &[],
    };
    items.iter().filter(|item| item.expires != Some(Duration::ZERO))
}

fn brief(least: Option<Duration>) -> Reply {
    let reply = Reply { reason: Some("Interval Too Brief"), ..Reply::plain(423) };
    match least {
        Some(least) => reply.with(Name::MinExpires, least.as_secs().to_string()),
        None => reply,
    }
}

/// The 423 to somebody who asked for so long; removals and queries get none.
fn too_brief(least: Least, asked: Option<Duration>) -> Option<Reply> {
    let asked = asked.filter(|asked| !asked.is_zero())?;
    match least {
        Least::Time(least) => (asked < least).then(|| brief(Some(least))),
        Least::Unsaid => Some(brief(None)),
        Least::Lower => Some(brief(Some(asked / 2))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_for_one_method_comes_before_the_order_for_all() {
        let mut orders = Behaviours::new(Chance::of(1, "behave"));
        orders.set(None, Behaviour::Silence);
        orders.set(Some("OPTIONS".into()), Behaviour::Code(200, Vec::new()));
        assert_eq!(orders.of("REGISTER"), &Behaviour::Silence);
        assert_eq!(orders.of("OPTIONS"), &Behaviour::Code(200, Vec::new()));
        orders.set(Some("OPTIONS".into()), Behaviour::Normal);
        assert_eq!(orders.of("OPTIONS"), &Behaviour::Silence);
        orders.set(None, Behaviour::Normal);
        assert_eq!(orders.of("OPTIONS"), &Behaviour::Normal);
    }
}
