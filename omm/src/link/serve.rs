//! The central's end of the link of one remote (spec SM-1C).
//!
//! ```text
//! Waiting -- Open --> Knocking -- let in --> Serving -- star done --> Merging -- remote done --> Live
//!    |                   |                      |                        |                        |
//!    | t_open            | refused              +------- closed, silent for t_dead, replaced -----+
//!    v                   v                      v
//!    +-----------------> Closed <---------------+
//! ```
//!
//! Both sides check; the central's checks are the roster's ([`crate::link::roster`]), and its own pings tell what time
//! the remote has. A trial ([`crate::link::frame::Purpose`]) is answered and over.

use machine::note::Note;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};

use crate::claim::Word;
use crate::directory::sync;
use crate::link::dial::{Alarm, Held};
use crate::link::frame::{Facts, Frame, Mismatch, Open, OpenError, Purpose};
use crate::link::neighbour::Neighbour;
use crate::link::pulse::{Offset, Pulse, Worth};
use crate::link::timing::Timing;
use crate::stamp::OmmId;

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
    /// The star wants this sent.
    Say(Word),
    /// The directory wants this sent.
    Tell(Box<sync::word::Word>),
    /// The remotes that can be called, for the remote to know (B-4).
    Neighbours(Vec<Neighbour>),
    /// The star has sent the whole download.
    Served,
    /// A newer connection of the same remote takes over; the remote was cut off without our noticing.
    Replaced,
    /// The connection broke.
    Closed,
}

/// What the central's end wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the roster ([`crate::link::roster`]); answered by [`Input::Answered`].
    Knock(Box<Open>),
    /// Send this over the connection.
    Send(Frame),
    /// Close the connection; nothing of it is reported any more.
    Close,
    /// The remote is in: tell the star, which sends the download.
    Up(OmmId),
    /// The remote's upload is complete: tell the star.
    Downloaded(OmmId),
    /// The link of an `Up` is gone: tell the star and the roster.
    Down(OmmId),
    /// A word from the remote.
    Deliver {
        /// The remote.
        from: OmmId,
        /// What it said.
        word: Word,
    },
    /// A word about the directory, from the remote.
    Learn {
        /// The remote.
        from: OmmId,
        /// What it said.
        word: Box<sync::word::Word>,
    },
    /// Whether the clocks of both sides are farther apart than is good; said only when it changes.
    Apart(bool),
    /// Tell the operator.
    Alarm(Alarm),
}

/// The deadlines of the central's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to give up waiting for an introduction.
    Patience,
    /// When to believe that the connection is dead.
    Dead,
    /// When to ask what time the remote has.
    Ping,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Patience => "patience",
            Timer::Dead => "dead",
            Timer::Ping => "ping",
        }
    }
}

/// Where the central's end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The remote has not introduced itself.
    Waiting,
    /// The roster is asked.
    Knocking(OmmId),
    /// The roster is asked what it would say.
    Trying,
    /// The star sends what it has.
    Serving(OmmId),
    /// The remote sends what it has.
    Merging(OmmId),
    /// In step.
    Live(OmmId),
    /// Over.
    Closed,
}

/// The central's end of the link of one remote.
#[derive(Debug)]
pub struct Serve {
    timing: Timing,
    state: State,
    pulse: Pulse,
    /// What the remote has: it said so before it was let in, and is not heard before that.
    early: Option<Box<sync::word::Word>>,
    timers: Timers<Timer>,
}

impl Serve {
    /// The central's end of a connection that nobody has made yet.
    pub fn new(timing: Timing) -> Serve {
        Serve {
            timing,
            state: State::Waiting,
            pulse: Pulse::default(),
            early: None,
            timers: Timers::default(),
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> State {
        self.state
    }

    fn leave(&mut self, out: &mut Vec<Effect>) {
        match self.state {
            State::Serving(peer) | State::Merging(peer) | State::Live(peer) => out.push(Effect::Down(peer)),
            State::Waiting | State::Knocking(_) | State::Trying | State::Closed => {}
        }
        self.timers.clear();
        self.early = None;
        self.state = State::Closed;
    }

    fn part(&mut self, out: &mut Vec<Effect>) {
        self.leave(out);
        out.push(Effect::Close);
    }

    fn astray(&mut self, out: &mut Vec<Effect>) {
        out.push(Effect::Alarm(Alarm::Protocol));
        self.part(out);
    }

    fn answered(
        &mut self,
        now: Moment,
        peer: OmmId,
        answer: Result<Facts, OpenError>,
        out: &mut Vec<Effect>,
    ) {
        let let_in = answer.is_ok();
        out.push(Effect::Send(Frame::OpenResult(answer)));
        if !let_in {
            return self.part(out);
        }
        self.timers.stop(Timer::Patience);
        self.timers.set(Timer::Dead, now + self.timing.dead);
        self.state = State::Serving(peer);
        out.push(Effect::Up(peer));
        out.extend(self.early.take().map(|word| Effect::Learn { from: peer, word }));
        self.ping(now, out);
    }

    fn ping(&mut self, now: Moment, out: &mut Vec<Effect>) {
        out.push(Effect::Send(self.pulse.beat(now)));
        self.timers.set(Timer::Ping, now + self.timing.ping);
    }

    fn pong(&mut self, now: Moment, seq: u32, theirs: Wall, out: &mut Vec<Effect>) {
        let before = self.pulse.is_apart();
        let answered = self.pulse.answered(now, seq, theirs, &self.timing);
        if self.pulse.is_apart() != before {
            out.push(Effect::Apart(!before));
        }
        match answered {
            Some((_, Worth::Stop)) => {
                let clock = Mismatch::Clock;
                out.push(Effect::Alarm(Alarm::Held(Held::Here(clock))));
                out.push(Effect::Send(Frame::OpenResult(Err(OpenError::Mismatch(clock)))));
                self.part(out);
            }
            Some((Offset { by: offset, ahead }, Worth::Warn)) => {
                out.push(Effect::Alarm(Alarm::Clock { offset, ahead }));
            }
            Some((_, Worth::Fine)) | None => {}
        }
    }

    fn received(&mut self, now: Moment, peer: OmmId, frame: Frame, wall: Wall, out: &mut Vec<Effect>) {
        self.pulse.saw(now, wall);
        self.timers.set(Timer::Dead, now + self.timing.dead);
        match (frame, self.state) {
            (Frame::Word(word), _) => out.push(Effect::Deliver { from: peer, word }),
            (Frame::Directory(word), _) => out.push(Effect::Learn { from: peer, word }),
            (Frame::Ping { seq }, _) => out.push(Effect::Send(Frame::Pong { seq, wall })),
            (Frame::EndOfDownload, State::Merging(_)) => {
                self.state = State::Live(peer);
                out.push(Effect::Downloaded(peer));
            }
            (Frame::Pong { seq, wall: theirs }, _) => self.pong(now, seq, theirs, out),
            // Both sides measure; which of them says so first is chance.
            (Frame::OpenResult(Err(OpenError::Mismatch(Mismatch::Clock))), _) => {
                out.push(Effect::Alarm(Alarm::Held(Held::Here(Mismatch::Clock))));
                self.part(out);
            }
            (Frame::EndOfDownload | Frame::Open(_) | Frame::OpenResult(_) | Frame::Neighbours(_), _) => {
                self.astray(out)
            }
        }
    }
}

impl Machine for Serve {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match (input, self.state) {
            (Input::Accepted, State::Waiting) => self.timers.set(Timer::Patience, now + self.timing.open),
            (Input::Received { frame: Frame::Open(open), wall }, State::Waiting) => {
                self.pulse.saw(now, wall);
                self.state = match open.purpose {
                    Purpose::Link => State::Knocking(open.facts.omm),
                    Purpose::Trial => State::Trying,
                    // A central is at the other end of everybody's link.
                    Purpose::Direct => return self.astray(out),
                };
                out.push(Effect::Knock(open));
            }
            // A stranger may ask for the time, nothing else.
            (
                Input::Received { frame: Frame::Ping { seq }, wall },
                State::Waiting | State::Knocking(_) | State::Trying,
            ) => {
                out.push(Effect::Send(Frame::Pong { seq, wall }));
            }
            // A remote says what it has right behind its introduction, once; it is heard when the roster has decided.
            (Input::Received { frame: Frame::Directory(word), .. }, State::Knocking(_))
                if self.early.is_none() && matches!(*word, sync::word::Word::Have(_)) =>
            {
                self.early = Some(word);
            }
            (Input::Received { .. }, State::Waiting | State::Knocking(_) | State::Trying) => self.astray(out),
            (Input::Answered(answer), State::Trying) => {
                out.push(Effect::Send(Frame::OpenResult(answer)));
                self.part(out);
            }
            (Input::Answered(answer), State::Knocking(peer)) => self.answered(now, peer, answer, out),
            (
                Input::Received { frame, wall },
                State::Serving(peer) | State::Merging(peer) | State::Live(peer),
            ) => {
                self.received(now, peer, frame, wall, out);
            }
            (Input::Say(word), State::Serving(_) | State::Merging(_) | State::Live(_)) => {
                out.push(Effect::Send(Frame::Word(word)));
            }
            (Input::Tell(word), State::Serving(_) | State::Merging(_) | State::Live(_)) => {
                out.push(Effect::Send(Frame::Directory(word)));
            }
            (Input::Neighbours(all), State::Serving(_) | State::Merging(_) | State::Live(_)) => {
                out.push(Effect::Send(Frame::Neighbours(all)));
            }
            (Input::Served, State::Serving(peer)) => {
                out.push(Effect::Send(Frame::EndOfDownload));
                self.state = State::Merging(peer);
            }
            (Input::Replaced, _) => self.part(out),
            (Input::Closed, _) => self.leave(out),
            // What comes too late: an answer or a word for a connection that is over.
            (Input::Accepted | Input::Answered(_) | Input::Served, _)
            | (Input::Received { .. }, State::Closed)
            | (
                Input::Tell(_) | Input::Say(_) | Input::Neighbours(_),
                State::Waiting | State::Knocking(_) | State::Trying | State::Closed,
            ) => {}
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Patience | Timer::Dead => self.part(out),
                Timer::Ping => self.ping(now, out),
            }
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Up(peer) => Some(Note::new("link").text("state", "open").text("peer", peer)),
            Effect::Down(peer) => Some(Note::new("link").text("state", "closed").text("peer", peer)),
            Effect::Alarm(alarm) => Some(Note::new("alarm").text("text", alarm)),
            Effect::Knock(_)
            | Effect::Send(_)
            | Effect::Close
            | Effect::Downloaded(_)
            | Effect::Deliver { .. }
            | Effect::Learn { .. }
            | Effect::Apart(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
