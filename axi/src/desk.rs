//! One session with an AXI client (axi 3 to 5, 7).
//!
//! ```text
//! Stranger -- Open --> LoggingIn -- let in --> Open(session)
//!    ^                    |                       |
//!    +------ refused -----+                       | silent for 5 minutes, or too much waits
//!    | says nothing, or does not log in within a minute                       v
//!    +---------------------------------------> Closed
//! ```
//!
//! One request is answered at a time, in the order in which they came; those behind it wait, within bounds. What has
//! to be asked elsewhere is an [`Ask`], and comes back as an [`Answer`]. While a request is being answered events are
//! held back, so that a client hears the response to its own change first and the event afterwards (axi 5).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};
use omm::ids::Number;
use omm::platform::Platform;

use crate::account::Account;
use crate::element::Element;
use crate::error::{Complaint, ErrCode, Refused};
use crate::news::News;
use crate::open::{Open, OpenResp, Permission, PublicKey};
use crate::ping::{Clock, PingResp};
use crate::reply::Reply;
use crate::request::accounts::AccountChange;
use crate::request::orders::Order;
use crate::request::{Body, Change, Look, Request, Setting};
use crate::seq::Seq;
use crate::subscribe::Subscriptions;
use crate::system;

mod turn;

/// An open session without any message is closed (axi 1: "closes the link after 5 minutes without traffic").
pub const IDLE: Duration = Duration::from_secs(300);
/// A connection is closed on which nobody has logged in. Ours.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Requests that may wait for their turn; one client sends hundreds without waiting (axi 7: mgr). Ours.
pub const WAITING_MAX: usize = 512;
/// Bytes of requests that may wait. Ours.
pub const WAITING_BYTES_MAX: usize = 512 * 1024;
/// Events that may be held back; a session that misses one would be wrong for ever, so it is closed instead. Ours.
pub const HELD_MAX: usize = 4096;

/// What can happen to a session.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody connected.
    Accepted,
    /// A message came.
    Received {
        /// What it says.
        element: Box<Element<'static>>,
        /// How long it was, in bytes.
        length: usize,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// What became of an [`Ask`].
    Answered(Answer),
    /// Something happened that sessions may hear of.
    Happened(Arc<News>),
    /// The connection broke.
    Closed,
}

/// What a session has to ask elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// May this one come in?
    Login(Box<Open>),
    /// What is in these cipher texts?
    Unseal(Vec<String>),
    /// What is known? `sync` is whether the session has `UserDeviceSyncClient`.
    Look {
        /// About what.
        look: Look,
        /// In whose eyes.
        sync: bool,
    },
    /// Change users and handsets.
    Change(Box<Change>),
    /// Set something at this OMM.
    Set(Setting),
    /// Make, change or delete an account.
    Account(Box<AccountChange>),
    /// Another identity of the system, or another use of the sync link; found when it is so.
    Order(Order),
    /// Have the file of this external user read; everybody's without one.
    Import(Option<Number>),
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Come in.
    Welcome(Box<Welcome>),
    /// It was refused; for a login after this time.
    Refused(Refused, Duration),
    /// The texts, in order; `None` for one that is none.
    Unsealed(Vec<Option<Secret>>),
    /// What was found.
    Found(Reply),
    /// These were changed; 0 for none.
    Changed {
        /// The user.
        uid: u32,
        /// The handset.
        ppn: u32,
    },
    /// It is set.
    Set,
    /// This account is made, changed or deleted.
    Account(u32),
}

/// What a client is told when it comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// As whom.
    pub account: Account,
    /// The key for secrets.
    pub key: PublicKey,
    /// What this OMM tells of itself.
    pub about: OpenResp,
    /// What it runs on, which bounds what it may hold.
    pub platform: Platform,
}

/// What a session wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this message, as one piece.
    Send(Box<Element<'static>>),
    /// Ask this; answered by [`Input::Answered`].
    Ask(Ask),
    /// What came could not be understood, and was answered so: to be counted.
    Misread,
    /// What came had no place here, and the connection is to be closed for it: to be counted.
    Astray,
    /// This is another OMM of ours: whatever came goes to its link, and so does the rest.
    Sibling,
    /// Close the connection; why, in words for people.
    Close(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to give up on a client that says nothing.
    Idle,
    /// When to tell a refused login that it is.
    Delay,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Idle => "idle",
            Timer::Delay => "delay",
        }
    }
}

/// Somebody who is logged in.
#[derive(Debug)]
struct Session {
    account: Account,
    sync: bool,
    key: PublicKey,
    platform: Platform,
    heard: Subscriptions,
}

/// One session.
#[derive(Debug, Default)]
pub struct Desk {
    session: Option<Session>,
    turn: Option<Request>,
    waiting: VecDeque<(Element<'static>, usize, Wall)>,
    waiting_bytes: usize,
    held: VecDeque<Arc<News>>,
    denied: Option<Refused>,
    /// How long to wait for a stranger's first message.
    first: Duration,
    spoken: bool,
    closed: bool,
    timers: Timers<Timer>,
}

impl Desk {
    /// A session that nobody has begun. Whoever says nothing at all for `first` is taken for nobody.
    pub fn new(first: Duration) -> Desk {
        Desk { first, ..Desk::default() }
    }

    /// Whether somebody is logged in.
    pub fn is_open(&self) -> bool {
        self.session.is_some()
    }

    fn close(&mut self, why: &'static str, out: &mut Vec<Effect>) {
        self.end();
        out.push(Effect::Close(why));
    }

    fn end(&mut self) {
        *self = Desk { closed: true, ..Desk::default() };
    }

    fn listen(&mut self, now: Moment) {
        self.timers.set(Timer::Idle, now + if self.session.is_some() { IDLE } else { PATIENCE });
    }

    fn received(&mut self, now: Moment, message: (Element<'static>, usize, Wall), out: &mut Vec<Effect>) {
        if self.session.is_some() || !self.spoken {
            self.spoken = true;
            self.listen(now);
        }
        let length = message.1;
        if self.waiting.len() >= WAITING_MAX || self.waiting_bytes + length > WAITING_BYTES_MAX {
            let (name, seq) = (message.0.name().into(), message.0.get("seq").and_then(Seq::read));
            let info = Some("too many requests wait already".to_owned());
            let why = Refused { info, ..Refused::new(ErrCode::InProgress) };
            return send(Complaint { message: name, seq, why }.answer(), out);
        }
        self.waiting_bytes += length;
        self.waiting.push_back(message);
        self.next(now, out);
    }

    /// Answers what waits, until something has to be asked.
    fn next(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while self.turn.is_none() && !self.closed {
            let Some((element, length, wall)) = self.waiting.pop_front() else { break };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(length);
            let sync = self.session.as_ref().is_some_and(|session| session.sync);
            match Request::read(&element, sync) {
                Ok(Some(request)) => self.begin(now, request, wall, out),
                // A client may answer what it was not asked; a stranger who does is none of a client.
                Ok(None) if self.session.is_some() => {}
                Ok(None) => {
                    out.push(Effect::Astray);
                    self.close("what a stranger said had no place", out);
                }
                Err(complaint) => {
                    send(self.complain(complaint), out);
                    out.push(Effect::Misread);
                }
            }
        }
        if self.turn.is_none() {
            self.tell(out);
        }
    }

    /// A stranger is told no more than that it is one.
    fn complain(&self, complaint: Complaint) -> Element<'static> {
        match self.session.is_some() || &*complaint.message == "Open" {
            true => complaint.answer(),
            false => Complaint { why: Refused::new(ErrCode::Perm), ..complaint }.answer(),
        }
    }

    /// Tells the events that were held back.
    fn tell(&mut self, out: &mut Vec<Effect>) {
        let Some(session) = &self.session else { return self.held.clear() };
        for news in self.held.drain(..) {
            if let Some(event) = news.event(&session.heard, session.sync) {
                send(event, out);
            }
            send_permissions(session, &news, out);
        }
    }

    fn happened(&mut self, news: Arc<News>, out: &mut Vec<Effect>) {
        let Some(session) = &mut self.session else { return self.note_account(news, out) };
        match news.of_account(session.account.id) {
            Some(None) => return self.close("its account is no more", out),
            Some(Some(account)) if !account.active => {
                return self.close("its account may not log in any more", out);
            }
            Some(Some(account)) => {
                session.account = account.clone();
                // From now on, what is still held back included.
                session.heard.withdraw(&session.account.permissions);
            }
            None => {}
        }
        self.hold(news, out);
        if self.turn.is_none() {
            self.tell(out);
        }
    }

    fn hold(&mut self, news: Arc<News>, out: &mut Vec<Effect>) {
        self.held.push_back(news);
        if self.turn.is_some() && self.held.len() > HELD_MAX {
            self.close("too many events wait for an answer", out);
        }
    }

    /// Whoever is being let in hears what becomes of its account until it is in.
    fn note_account(&mut self, news: Arc<News>, out: &mut Vec<Effect>) {
        let is_login = self.turn.as_ref().is_some_and(|turn| matches!(turn.body, Body::Open(_)));
        if is_login && matches!(*news, News::Account { .. }) {
            self.hold(news, out);
        }
    }
}

/// Tells a session what it may do from now on. Only one that has subscribed to something: a client family hangs on any event
/// (axi 7.1), and there is no event type to subscribe to this one by.
fn send_permissions(session: &Session, news: &News, out: &mut Vec<Effect>) {
    let Some(Some(account)) = news.of_account(session.account.id) else { return };
    if !session.heard.is_any() {
        return;
    }
    let mut event = Element::new("EventPermissionChange");
    for permission in &account.permissions {
        event.push(Element::new("permission").with_text(permission.as_str()));
    }
    send(event, out);
}

fn send(element: Element<'static>, out: &mut Vec<Effect>) {
    out.push(Effect::Send(Box::new(element)));
}

impl Machine for Desk {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        if self.closed {
            return;
        }
        match input {
            Input::Accepted => self.timers.set(Timer::Idle, now + self.first),
            Input::Received { element, length, wall } => self.received(now, (*element, length, wall), out),
            Input::Answered(answer) => {
                self.answered(now, answer, out);
                self.next(now, out);
            }
            Input::Happened(news) => self.happened(news, out),
            Input::Closed => self.end(),
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Idle if self.session.is_some() => self.close("nothing was said for five minutes", out),
                Timer::Idle => self.close("nobody logged in", out),
                Timer::Delay => {
                    self.deny(now, out);
                    self.next(now, out);
                }
            }
        }
    }

    fn note_input(input: &Input) -> Option<Note> {
        match input {
            Input::Received { element, .. } => Some(Note::new("request").text("name", element.name())),
            Input::Accepted | Input::Answered(_) | Input::Happened(_) | Input::Closed => None,
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Close(why) => Some(Note::new("axi").text("state", "closed").text("why", why)),
            Effect::Send(element) => {
                let code = element.get("errCode")?;
                Some(Note::new("refused").text("name", element.name()).text("code", code))
            }
            Effect::Ask(_) | Effect::Misread | Effect::Astray | Effect::Sibling => None,
        }
    }
}

#[cfg(test)]
mod tests;
