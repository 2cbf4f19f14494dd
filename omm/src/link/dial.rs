//! The remote's end of the link (spec SM-1R).
//!
//! ```text
//! Off -- Start --> Dialling -- Connected --> Opening -- facts fit --> Download -- end --> Upload -- done --> InSync
//!                   ^   |                       |                        |                  |                  |
//!                   |   | refused, t_connect    | t_open                 +------- broken, silent for t_dead ---+
//!                   |   v                       v                                           |
//!                   +- Wait <-------------------+<------------------------------------------+
//!                   +- Held(reason) <--- the two do not go together; tried again after t_held, so it cures itself
//! ```
//!
//! Download first, upload second (M-2.2.8-a). Nothing here touches local telephony: a link that is gone is only gone
//! (M-2-e). The clock check and what this OMM has go right behind its introduction, so that a link that comes back to an
//! unchanged directory costs two round trips; only whoever is attached for the first time tells nothing before the central
//! has let it in. With two addresses of the central each failed attempt is followed by the other one, and one that meets
//! the inactive member of a pair at once. A remote that has data of its own is not attached to a system that it was never
//! part of, unless an expert says so (M-2.3.1.2-a, AMB-15).

use std::sync::Arc;
use std::time::Duration;

use machine::chance::Chance;
use machine::note::Note;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};

use crate::claim::Word;
use crate::directory::sync;
use crate::directory::sync::word::Have;
use crate::ids::park::Sari;
use crate::link::census::Census;
use crate::link::frame::{Facts, Frame, Mismatch, OpenError};
use crate::link::neighbour::{Door, Neighbour};
use crate::link::pulse::Pulse;
use crate::link::timing::Timing;
use crate::stamp::OmmId;
use exchange::Exchange;

mod attempt;
mod exchange;
mod pulse;
mod standing;
#[cfg(test)]
mod tests;
mod wording;

/// How a remote reaches its central (M-2.3.1.2-b).
#[derive(Clone, Debug)]
pub struct Attach {
    /// OMM1, and OMM2 if the central is a pair: `host:port`.
    pub addresses: Vec<Arc<str>>,
    /// The AXI account at the central.
    pub user: Arc<str>,
    /// Its password.
    pub password: Secret,
    /// Who we are; `wall` is filled in at each attempt. With a SARI this OMM was attached before.
    pub facts: Facts,
    /// Where other remotes can call this OMM; `None` where they cannot (B-4).
    pub door: Option<Door>,
    /// What this OMM has of its own, which no other site knows.
    pub census: Census,
    /// Attach it all the same, and let the others have that too (AMB-15: `--adopt`).
    pub adopt: bool,
    /// The times.
    pub timing: Timing,
}

/// What can happen to the remote's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The operator attaches this OMM to the system, or the process starts with it attached.
    Start,
    /// The operator detaches it. Data and SARI stay.
    Stop,
    /// The connection asked for by [`Effect::Connect`] stands.
    Connected {
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// It could not be made, or it broke.
    Closed,
    /// It could not be made, because the other side did not prove to be the central (TLS).
    Distrusted,
    /// A frame came.
    Received {
        /// What it says.
        frame: Frame,
        /// How long it was on the wire.
        bytes: usize,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The star wants this sent ([`crate::star::Effect::Send`]).
    Say(Word),
    /// The directory wants this sent ([`crate::directory::sync::Effect::Send`]).
    Tell(Box<sync::word::Word>),
    /// What the directory has, when [`Effect::Ask`] was said.
    Have(Box<Have>),
    /// The star has uploaded all that it had ([`crate::star::Effect::EndOfDownload`]).
    Uploaded,
}

/// What the remote's end wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Connect to this `host:port`; answered by `Connected` or `Closed`. Calls off an earlier attempt.
    Connect {
        /// Where to.
        address: Arc<str>,
    },
    /// Send this over the connection.
    Send(Frame),
    /// Close the connection; nothing of it is reported any more.
    Close,
    /// The SARI of the system that this OMM has just become part of (M-2.1.2.1-c): keep it, once and for all.
    Learned(Sari),
    /// Ask the directory what it has; answered by [`Input::Have`].
    Ask,
    /// The central took us in; its download follows ([`crate::star::Input::LinkUp`]).
    Up(OmmId),
    /// The download is complete ([`crate::star::Input::Downloaded`]).
    Downloaded(OmmId),
    /// The link of an `Up` is gone ([`crate::star::Input::LinkDown`]).
    Down(OmmId),
    /// A word from the central ([`crate::star::Input::Heard`]).
    Deliver {
        /// The central.
        from: OmmId,
        /// What it said.
        word: Word,
    },
    /// A word about the directory, from the central ([`crate::directory::sync::Input::Heard`]).
    Learn {
        /// The central.
        from: OmmId,
        /// What it said.
        word: Box<sync::word::Word>,
    },
    /// The other remotes, and where they can be called ([`crate::link::direct::Input::Neighbours`]).
    Neighbours(Vec<Neighbour>),
    /// What to show of this link from now on; said only when it changes.
    Health(Health),
    /// Whether the clocks of both sides are farther apart than is good; said only when it changes.
    Apart(bool),
    /// Tell the operator.
    Alarm(Alarm),
}

/// What is shown of a link (SM-1R, "Health shown").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not attached.
    Off,
    /// Not attached, because this OMM has data of its own.
    Refused(Census),
    /// On the way; it has not stood yet, or not since it was held.
    Connecting,
    /// The two do not go together; tried again by itself until that is cured.
    Held(Held),
    /// The download or the upload is going on. So much of the records has come, in percent; claims go along with them
    /// and are not counted.
    Synchronising(u8),
    /// In step.
    InSync,
    /// It stood, and is gone.
    Lost,
}

/// Why a link is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Our own check failed.
    Here(Mismatch),
    /// The central refused.
    There(OpenError),
    /// Whoever answers did not prove to be the central.
    Distrusted,
}

/// What the operator should know of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Held, and why. Once for each reason in a row.
    Held(Held),
    /// This OMM is not attached for the first time while it has data of its own.
    NotEmpty(Census),
    /// The clocks differ by so much.
    Clock {
        /// How far.
        offset: Duration,
        /// Whether it is the other side that is ahead.
        ahead: bool,
    },
    /// The first synchronisation takes longer than 5 minutes (M-2.2.8-e).
    Slow {
        /// How much of the records has come.
        percent: u8,
        /// What the link has carried, in kbit/s.
        measured: u64,
    },
    /// The other side sent what has no place in the protocol at that point.
    Protocol,
}

/// The deadlines of the remote's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to give up connecting (`t_connect`) or being let in (`t_open`).
    Patience,
    /// When to dial again, after a failure or after being held.
    Again,
    /// When to ask whether the central is still there, and what time it has.
    Ping,
    /// When to believe that the connection is dead.
    Dead,
    /// When to say that the synchronisation is slow (M-2.2.8-e).
    Slow,
    /// When the back-off may start small again.
    Steady,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Patience => "patience",
            Timer::Again => "again",
            Timer::Ping => "ping",
            Timer::Dead => "dead",
            Timer::Slow => "slow",
            Timer::Steady => "steady",
        }
    }
}

/// Where the remote's end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not attached.
    Off,
    /// A connection was asked for.
    Dialling,
    /// It stands; the central has not answered our introduction.
    Opening,
    /// The central sends what it has.
    Download(OmmId),
    /// We send what we have.
    Upload(OmmId),
    /// In step.
    InSync(OmmId),
    /// Waiting before the next attempt.
    Wait,
    /// Waiting for a cure.
    Held(Held),
}

/// The remote's end of the link.
#[derive(Debug)]
pub struct Dial {
    attach: Attach,
    chance: Chance,
    state: State,
    /// Which address is dialled next.
    turn: usize,
    /// Failed attempts in a row.
    failures: u32,
    /// Inactive members met in a row.
    inactive: usize,
    pulse: Pulse,
    /// What the operator was told last, so that nothing is said twice in a row.
    told: Option<Held>,
    shown: Health,
    /// How much of the records has come, in percent, while they are coming in.
    records: Option<u8>,
    exchange: Exchange,
    /// What time the central has, said before it let us in: the ping's number and the moment of the answer with it.
    early: Option<(Moment, u32, Wall)>,
    /// What we have was asked for, and the central of this connection is yet to be told.
    asked: bool,
    timers: Timers<Timer>,
}

impl Dial {
    /// A remote's end that is off. `chance` spreads the attempts of many remotes.
    pub fn new(attach: Attach, chance: Chance) -> Dial {
        Dial {
            attach,
            chance,
            state: State::Off,
            turn: 0,
            failures: 0,
            inactive: 0,
            pulse: Pulse::default(),
            told: None,
            shown: Health::Off,
            records: None,
            exchange: Exchange::default(),
            early: None,
            asked: false,
            timers: Timers::default(),
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> State {
        self.state
    }
}

impl Machine for Dial {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match (input, self.state) {
            (Input::Start, State::Off) => self.activate(now, out),
            (Input::Stop, State::Off) => {}
            (Input::Stop, _) => {
                self.leave(out);
                self.timers.clear();
                out.push(Effect::Close);
                self.turn_to(State::Off, out);
            }
            (Input::Connected { wall }, State::Dialling) => self.introduce(now, wall, out),
            (
                Input::Closed,
                State::Dialling | State::Opening | State::Download(_) | State::Upload(_) | State::InSync(_),
            ) => {
                self.retreat(now, out);
            }
            (Input::Distrusted, State::Dialling) => self.hold(now, Held::Distrusted, out),
            (Input::Received { frame, wall, .. }, State::Opening) => {
                self.pulse.saw(now, wall);
                self.heard(now);
                match frame {
                    Frame::OpenResult(Ok(facts)) => self.let_in(now, facts, out),
                    Frame::OpenResult(Err(error)) => self.refused(now, error, out),
                    // Looked at when all else fits: the checks have an order.
                    Frame::Pong { seq, wall: theirs } => self.early = Some((now, seq, theirs)),
                    Frame::Open(_)
                    | Frame::Ping { .. }
                    | Frame::Word(_)
                    | Frame::Directory(_)
                    | Frame::Neighbours(_)
                    | Frame::EndOfDownload => {
                        self.astray(now, out);
                    }
                }
            }
            (
                Input::Received { frame, bytes, wall },
                State::Download(peer) | State::Upload(peer) | State::InSync(peer),
            ) => {
                self.pulse.saw(now, wall);
                self.heard(now);
                self.exchange.carried(bytes);
                self.received(now, peer, frame, wall, out);
                self.mind_slowness();
            }
            (Input::Say(word), State::Download(_) | State::Upload(_) | State::InSync(_)) => {
                out.push(Effect::Send(Frame::Word(word)));
            }
            (Input::Tell(word), State::Download(_) | State::Upload(_) | State::InSync(_)) => {
                out.push(Effect::Send(Frame::Directory(word)));
            }
            (
                Input::Have(have),
                State::Opening | State::Download(_) | State::Upload(_) | State::InSync(_),
            ) => self.tell_have(*have, out),
            (Input::Uploaded, State::Upload(peer)) => {
                out.push(Effect::Send(Frame::EndOfDownload));
                self.timers.set(Timer::Steady, now + self.attach.timing.steady);
                self.turn_to(State::InSync(peer), out);
                self.mind_slowness();
            }
            // What comes too late or for nothing: a connection given up, a word for a link that is gone.
            (Input::Start, _)
            | (Input::Connected { .. }, _)
            | (Input::Closed, State::Off | State::Wait | State::Held(_))
            | (Input::Distrusted, _)
            | (Input::Received { .. }, State::Off | State::Dialling | State::Wait | State::Held(_))
            | (
                Input::Tell(_),
                State::Off | State::Dialling | State::Opening | State::Wait | State::Held(_),
            )
            | (Input::Say(_), State::Off | State::Dialling | State::Opening | State::Wait | State::Held(_))
            | (Input::Have(_), State::Off | State::Dialling | State::Wait | State::Held(_))
            | (Input::Uploaded, _) => {}
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Patience | Timer::Dead => {
                    out.push(Effect::Close);
                    self.retreat(now, out);
                }
                Timer::Again => self.dial(now, out),
                Timer::Ping => self.ping(now, out),
                Timer::Slow => {
                    let measured = self.exchange.told(now);
                    out.push(Effect::Alarm(Alarm::Slow { percent: self.records.unwrap_or(0), measured }));
                }
                Timer::Steady => self.failures = 0,
            }
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Health(health) => Some(health.note()),
            Effect::Downloaded(peer) => {
                Some(Note::new("sync").text("state", "downloaded").text("peer", peer))
            }
            Effect::Alarm(alarm) => Some(Note::new("alarm").text("text", alarm)),
            Effect::Connect { .. }
            | Effect::Send(_)
            | Effect::Close
            | Effect::Learned(_)
            | Effect::Ask
            | Effect::Up(_)
            | Effect::Down(_)
            | Effect::Deliver { .. }
            | Effect::Learn { .. }
            | Effect::Neighbours(_)
            | Effect::Apart(_) => None,
        }
    }
}
