//! One direct claim channel between two remotes, either end of it (B-4, SM-2 "Central-less path").
//!
//! ```text
//! called:   Dialling -- Connected --> Opening -- let in --+
//!                                                         +--> Open(peer) -- 60 s after the last word --> Closed
//! accepted: Waiting --- Open ---> Knocking --- let in ----+
//! ```
//!
//! Nothing but Claim, Confirm and Stale is said over it; anything else ends it. It does not ping and is not dialled
//! again: whether somebody is to be called once more is decided by [`crate::link::direct`].

use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};

use crate::claim::Word;
use crate::link::frame::{Facts, Frame, Open, OpenError, Purpose};
use crate::link::neighbour::{Door, Neighbour};
use crate::link::timing::Timing;
use crate::stamp::OmmId;

#[cfg(test)]
mod tests;

/// Silence that ends a channel (SM-2: 60 s after the last message).
pub const QUIET: Duration = Duration::from_secs(60);

/// How the end that calls introduces itself.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account of the link.
    pub user: Arc<str>,
    /// Its password.
    pub password: Secret,
    /// Who we are; `wall` is filled in.
    pub facts: Facts,
    /// Who is called.
    pub to: Neighbour,
}

/// What can happen at an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// It begins.
    Start,
    /// The connection asked for by [`Effect::Connect`] stands.
    Connected {
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// A frame came.
    Received(Frame),
    /// What is said to an [`Effect::Knock`].
    Answered(Result<Facts, OpenError>),
    /// The star wants this sent.
    Say(Word),
    /// The connection broke, or never came to be.
    Closed,
    /// The other side did not prove to be the neighbour (TLS).
    Distrusted,
}

/// What an end wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Connect; answered by `Connected`, `Closed` or `Distrusted`.
    Connect(Door),
    /// Ask whether it may come in ([`crate::link::direct::Input::Knock`]).
    Knock(Box<Open>),
    /// Send this.
    Send(Frame),
    /// It stands.
    Up(OmmId),
    /// A word came.
    Deliver {
        /// From whom.
        from: OmmId,
        /// What.
        word: Word,
    },
    /// Close the connection, if there is one. The channel is over.
    End,
    /// Tell the operator.
    Alarm(Alarm),
}

/// What the operator should know of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The neighbour does not let us in.
    Refused(OpenError),
    /// Whoever answers is not the neighbour.
    Distrusted,
    /// The other side sent what has no place there.
    Protocol,
}

impl std::fmt::Display for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Alarm::Refused(error) => write!(f, "the direct claim channel is refused: {error}"),
            Alarm::Distrusted => f.write_str("whoever answers there did not prove to be the neighbour"),
            Alarm::Protocol => {
                f.write_str("a direct claim channel carries claims, confirmations and nothing else")
            }
        }
    }
}

/// The deadlines of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to give up connecting (`t_connect`), or waiting for the other side to introduce itself (`t_open`).
    Patience,
    /// When nobody has said anything for long enough.
    Quiet,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Patience => "patience",
            Timer::Quiet => "quiet",
        }
    }
}

/// Where an end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    Idle,
    /// A connection was asked for.
    Dialling,
    /// It stands; we have introduced ourselves.
    Opening,
    /// Somebody called and has not introduced itself.
    Waiting,
    /// It did, and is being looked at.
    Knocking(OmmId),
    /// Words are exchanged.
    Open(OmmId),
    /// Over.
    Closed,
}

/// One end of a channel.
#[derive(Debug)]
pub struct Channel {
    /// `None` at the end that was called.
    caller: Option<Box<Caller>>,
    timing: Timing,
    state: State,
    timers: Timers<Timer>,
}

impl Channel {
    /// The end that calls.
    pub fn calling(caller: Caller, timing: Timing) -> Channel {
        Channel { caller: Some(Box::new(caller)), ..Channel::called(timing) }
    }

    /// The end that was called.
    pub fn called(timing: Timing) -> Channel {
        Channel { caller: None, timing, state: State::Idle, timers: Timers::default() }
    }

    /// Where it stands.
    pub const fn state(&self) -> State {
        self.state
    }

    fn start(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let patience = match &self.caller {
            Some(caller) => {
                out.push(Effect::Connect(caller.to.door.clone()));
                self.state = State::Dialling;
                self.timing.connect
            }
            None => {
                self.state = State::Waiting;
                self.timing.open
            }
        };
        self.timers.set(Timer::Patience, now + patience);
    }

    fn introduce(&mut self, now: Moment, wall: Wall, out: &mut Vec<Effect>) {
        let Some(caller) = &self.caller else { return };
        let facts = Facts { wall, ..caller.facts };
        let (user, password, purpose) = (caller.user.clone(), caller.password.clone(), Purpose::Direct);
        out.push(Effect::Send(Frame::Open(Box::new(Open { user, password, facts, door: None, purpose }))));
        self.timers.set(Timer::Patience, now + self.timing.open);
        self.state = State::Opening;
    }

    /// The other side lets us in; is it the one that was called?
    fn let_in(&mut self, now: Moment, theirs: &Facts, out: &mut Vec<Effect>) {
        let Some(caller) = &self.caller else { return };
        let strange = (theirs.omm.pari != caller.to.omm.pari).then_some(OpenError::Stranger);
        match strange.or_else(|| caller.facts.mismatch(theirs).map(OpenError::Mismatch)) {
            Some(error) => self.fail(Alarm::Refused(error), out),
            None => self.open(now, caller.to.omm, out),
        }
    }

    fn open(&mut self, now: Moment, peer: OmmId, out: &mut Vec<Effect>) {
        self.timers.stop(Timer::Patience);
        self.timers.set(Timer::Quiet, now + QUIET);
        self.state = State::Open(peer);
        out.push(Effect::Up(peer));
    }

    fn answered(
        &mut self,
        now: Moment,
        peer: OmmId,
        answer: Result<Facts, OpenError>,
        out: &mut Vec<Effect>,
    ) {
        let is_let_in = answer.is_ok();
        out.push(Effect::Send(Frame::OpenResult(answer)));
        if is_let_in { self.open(now, peer, out) } else { self.end(out) }
    }

    fn received(&mut self, now: Moment, peer: OmmId, frame: Frame, out: &mut Vec<Effect>) {
        match frame {
            Frame::Word(word @ (Word::Claim(_) | Word::Confirm(_) | Word::Stale(_))) => {
                self.timers.set(Timer::Quiet, now + QUIET);
                out.push(Effect::Deliver { from: peer, word });
            }
            Frame::Word(Word::Bound(_))
            | Frame::Open(_)
            | Frame::OpenResult(_)
            | Frame::Ping { .. }
            | Frame::Pong { .. }
            | Frame::Directory(_)
            | Frame::Errand(_)
            | Frame::Neighbours(_)
            | Frame::EndOfDownload => self.fail(Alarm::Protocol, out),
        }
    }

    fn fail(&mut self, alarm: Alarm, out: &mut Vec<Effect>) {
        out.push(Effect::Alarm(alarm));
        self.end(out);
    }

    fn end(&mut self, out: &mut Vec<Effect>) {
        self.timers.clear();
        self.state = State::Closed;
        out.push(Effect::End);
    }
}

impl Machine for Channel {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match (input, self.state) {
            (Input::Start, State::Idle) => self.start(now, out),
            (Input::Connected { wall }, State::Dialling) => self.introduce(now, wall, out),
            (Input::Received(Frame::OpenResult(Ok(facts))), State::Opening) => self.let_in(now, &facts, out),
            (Input::Received(Frame::OpenResult(Err(error))), State::Opening) => {
                self.fail(Alarm::Refused(error), out);
            }
            (Input::Received(Frame::Open(open)), State::Waiting) if open.purpose == Purpose::Direct => {
                self.state = State::Knocking(open.facts.omm);
                out.push(Effect::Knock(open));
            }
            (Input::Received(frame), State::Open(peer)) => self.received(now, peer, frame, out),
            // Whoever mistakes this OMM for a central, too.
            (Input::Received(_), State::Opening | State::Waiting | State::Knocking(_)) => {
                self.fail(Alarm::Protocol, out);
            }
            (Input::Answered(answer), State::Knocking(peer)) => self.answered(now, peer, answer, out),
            (Input::Say(word), State::Open(_)) => {
                self.timers.set(Timer::Quiet, now + QUIET);
                out.push(Effect::Send(Frame::Word(word)));
            }
            (Input::Distrusted, State::Dialling) => self.fail(Alarm::Distrusted, out),
            (Input::Closed | Input::Distrusted, State::Closed) => {}
            (Input::Closed | Input::Distrusted, _) => self.end(out),
            // What comes too late, or for nothing.
            (Input::Start | Input::Connected { .. } | Input::Answered(_) | Input::Say(_), _)
            | (Input::Received(_), State::Idle | State::Dialling | State::Closed) => {}
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Patience | Timer::Quiet => self.end(out),
            }
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Alarm(alarm) => Some(Note::new("alarm").text("text", alarm)),
            Effect::Connect(_)
            | Effect::Knock(_)
            | Effect::Send(_)
            | Effect::Up(_)
            | Effect::Deliver { .. }
            | Effect::End => None,
        }
    }
}
