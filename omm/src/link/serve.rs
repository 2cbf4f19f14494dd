//! The central's end of the link of one remote (spec SM-1C), one for each connection.
//!
//! ```text
//! Accepted          Open            let in              all sent, all heard
//! -------> Opening ------> Knocking -------> Serving ---------------------> Live
//!             | 10 s          | refused         |  closed, silent, replaced   |
//!             `---------------`-----> Closed <--`-----------------------------'
//! ```
//!
//! The [`crate::link::roster`] decides who is let in; it knows all remotes, and this machine only one.

use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};

use crate::claim::Word;
use crate::link::frame::{Facts, Frame, Open, OpenError};
use crate::link::health::Alarm;
use crate::link::pulse::{Beat, Pulse, SKEW_WARN};
use crate::stamp::OmmId;

/// How long a remote may take to introduce itself (spec 8, t_open).
pub const OPEN_MAX: Duration = Duration::from_secs(10);

/// What can happen to the central's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A remote connected.
    Accepted,
    /// A frame came.
    Received {
        /// What it says.
        frame: Frame,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// What the roster says to [`Effect::Knock`]: our own facts, or why not.
    Answered(Result<Facts, OpenError>),
    /// The star wants this sent ([`crate::star::Effect::Send`]).
    Say(Word),
    /// The star has sent the whole download ([`crate::star::Effect::EndOfDownload`]).
    Served,
    /// A newer connection of the same remote takes over, or the operator removed the remote.
    Replaced,
    /// The connection broke.
    Closed,
}

/// What the central's end wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the roster ([`crate::link::roster::Roster::knock`]); answered by [`Input::Answered`].
    Knock(Box<Open>),
    /// Send this over the connection.
    Send(Frame),
    /// Close the connection; nothing of it is reported any more. Tell the roster.
    Close,
    /// The remote is in ([`crate::star::Input::LinkUp`]).
    Up(OmmId),
    /// The remote's upload is complete ([`crate::star::Input::Downloaded`]).
    Downloaded(OmmId),
    /// The link of an `Up` is gone ([`crate::star::Input::LinkDown`]). Tell the roster.
    Down(OmmId),
    /// A word from the remote ([`crate::star::Input::Heard`]).
    Deliver {
        /// The remote.
        from: OmmId,
        /// What it said.
        word: Word,
    },
    /// Tell the operator.
    Alarm(Alarm),
}

/// Why the central's end wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to give up a remote that does not introduce itself.
    Open,
    /// When to tell a guesser no.
    Refuse,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Open => "open",
            Timer::Refuse => "refuse",
        }
    }
}

/// Where the central's end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Connected; no introduction yet.
    Opening,
    /// This remote has introduced itself; the roster is asked.
    Knocking(OmmId),
    /// Our claims go out, and the remote's come in.
    Serving(OmmId),
    /// In step.
    Live(OmmId),
    /// Over.
    Closed,
}

/// The central's end of one connection.
#[derive(Clone, Debug)]
pub struct Serve {
    state: State,
    warned: bool,
    pulse: Pulse,
    timers: Timers<Timer>,
}

impl Default for Serve {
    fn default() -> Serve {
        Serve { state: State::Opening, warned: false, pulse: Pulse::default(), timers: Timers::default() }
    }
}

impl Serve {
    /// Where it stands.
    pub const fn state(&self) -> State {
        self.state
    }

    fn over(&mut self, out: &mut Vec<Effect>) {
        match self.state {
            State::Serving(remote) | State::Live(remote) => out.push(Effect::Down(remote)),
            State::Opening | State::Knocking(_) | State::Closed => {}
        }
        self.state = State::Closed;
        self.pulse.stop();
        self.timers.clear();
    }

    fn close(&mut self, out: &mut Vec<Effect>) {
        out.push(Effect::Close);
        self.over(out);
    }

    fn refuse(&mut self, error: OpenError, out: &mut Vec<Effect>) {
        out.push(Effect::Send(Frame::OpenResult(Err(error))));
        self.close(out);
    }

    fn answered(
        &mut self,
        now: Moment,
        remote: OmmId,
        answer: Result<Facts, OpenError>,
        out: &mut Vec<Effect>,
    ) {
        match answer {
            Ok(facts) => {
                self.state = State::Serving(remote);
                self.timers.clear();
                self.pulse.start(now);
                out.push(Effect::Send(Frame::OpenResult(Ok(facts))));
                out.push(Effect::Up(remote));
            }
            Err(OpenError::Delayed(delay)) => self.timers.set(Timer::Refuse, now + delay),
            Err(
                error @ (OpenError::Auth
                | OpenError::Full
                | OpenError::Inactive
                | OpenError::NoSari
                | OpenError::Mismatch(_)),
            ) => self.refuse(error, out),
        }
    }

    fn received(&mut self, now: Moment, frame: Frame, wall: Wall, out: &mut Vec<Effect>) {
        self.pulse.heard(now);
        match (frame, self.state) {
            (Frame::Open(open), State::Opening) => {
                self.state = State::Knocking(open.facts.omm);
                self.timers.stop(Timer::Open);
                out.push(Effect::Knock(open));
            }
            (Frame::Word(word), State::Serving(from) | State::Live(from)) => {
                out.push(Effect::Deliver { from, word });
            }
            (Frame::EndOfDownload, State::Serving(remote)) => {
                self.state = State::Live(remote);
                out.push(Effect::Downloaded(remote));
            }
            (Frame::Ping { seq }, State::Serving(_) | State::Live(_)) => {
                out.push(Effect::Send(Frame::Pong { seq, wall }));
            }
            (Frame::Pong { seq, wall: theirs }, State::Serving(_) | State::Live(_)) => {
                if let Some((offset, ahead)) = self.pulse.offset(now, seq, wall, theirs) {
                    let wrong = offset > SKEW_WARN;
                    if wrong && !self.warned {
                        out.push(Effect::Alarm(Alarm::Clock { offset, ahead }));
                    }
                    self.warned = wrong;
                }
            }
            (_, State::Closed) => {}
            (
                Frame::Open(_)
                | Frame::OpenResult(_)
                | Frame::Ping { .. }
                | Frame::Pong { .. }
                | Frame::Word(_)
                | Frame::EndOfDownload,
                State::Opening | State::Knocking(_) | State::Serving(_) | State::Live(_),
            ) => {
                out.push(Effect::Alarm(Alarm::Protocol));
                self.close(out);
            }
        }
    }
}

impl Machine for Serve {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match (input, self.state) {
            (Input::Accepted, State::Opening) => self.timers.set(Timer::Open, now + OPEN_MAX),
            (Input::Accepted, State::Knocking(_) | State::Serving(_) | State::Live(_) | State::Closed) => {}
            (Input::Received { frame, wall }, _) => self.received(now, frame, wall, out),
            (Input::Answered(answer), State::Knocking(remote)) => self.answered(now, remote, answer, out),
            (Input::Answered(_), State::Opening | State::Serving(_) | State::Live(_) | State::Closed) => {}
            (Input::Say(word), State::Serving(_) | State::Live(_)) => {
                out.push(Effect::Send(Frame::Word(word)));
            }
            (Input::Served, State::Serving(_) | State::Live(_)) => {
                out.push(Effect::Send(Frame::EndOfDownload));
            }
            (Input::Say(_) | Input::Served, State::Opening | State::Knocking(_) | State::Closed) => {}
            (Input::Replaced, State::Opening | State::Knocking(_) | State::Serving(_) | State::Live(_)) => {
                self.close(out);
            }
            (Input::Closed, _) => self.over(out),
            (Input::Replaced, State::Closed) => {}
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next().into_iter().chain(self.pulse.deadline()).min_by_key(|(at, _)| *at)
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Open => self.close(out),
                Timer::Refuse => self.refuse(OpenError::Auth, out),
            }
        }
        match self.pulse.beat(now) {
            Some(Beat::Ping(seq)) => out.push(Effect::Send(Frame::Ping { seq })),
            Some(Beat::Dead) => self.close(out),
            None => {}
        }
    }

    fn note_input(input: &Input) -> Option<Note> {
        let link = |state: &'static str| Note::new("link").text("state", state);
        match input {
            Input::Accepted => Some(link("accepted")),
            Input::Replaced => Some(link("replaced")),
            Input::Closed => Some(link("closed")),
            Input::Answered(Err(error)) => Some(link("refused").text("reason", error)),
            Input::Answered(Ok(_)) | Input::Received { .. } | Input::Say(_) | Input::Served => None,
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        let link = |state: &'static str| Note::new("link").text("state", state);
        match effect {
            Effect::Up(peer) => Some(link("up").text("peer", peer)),
            Effect::Down(peer) => Some(link("down").text("peer", peer)),
            Effect::Alarm(alarm) => Some(alarm.note()),
            Effect::Knock(_)
            | Effect::Send(_)
            | Effect::Close
            | Effect::Downloaded(_)
            | Effect::Deliver { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
