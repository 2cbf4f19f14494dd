//! The remote's end of the link (spec SM-1R).
//!
//! ```text
//!      Start            connected         welcome           all uploaded
//! Off ------> Dialing -----------> Opening ------> Download ------------> InSync
//!                ^ \                  | refused        |                    |
//!                |  `-- failed --.   v                |  closed, silent    |
//!                |               |  Held (60 s)       v                    |
//!                `---------------`--'--- Waiting <----'--------------------'
//! ```
//!
//! Local operation never depends on this link (M-2-e). A link that cannot be is tried again for ever: after a
//! back-off when the network fails, every minute when the two do not go together, so that it resumes by itself.

use std::sync::Arc;
use std::time::Duration;

use machine::chance::Chance;
use machine::note::Note;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};

use crate::claim::Word;
use crate::link::frame::{Facts, Frame, Mismatch, Open, OpenError};
use crate::link::health::{Alarm, Health, Held};
use crate::link::pulse::{Beat, Pulse, SKEW_WARN};
use crate::stamp::OmmId;

/// How long a connection may take to stand (spec 8, t_connect).
pub const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long the central may take to answer our introduction (spec 8, t_open).
pub const OPEN_MAX: Duration = Duration::from_secs(10);
/// When to try a held link again (spec 8, t_held).
pub const HELD: Duration = Duration::from_secs(60);
/// The longest back-off; the first is a second (spec 8, after RFC 5626 4.5).
pub const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// A link that was in step for so long starts its back-off afresh (SM-1R).
pub const STABLE: Duration = Duration::from_secs(60);
/// How long a synchronisation may take before the operator hears of it (M-2.2.8-e).
pub const SYNC_MAX: Duration = Duration::from_secs(300);

/// What the remote's end has to be told once.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Who we are; its `wall` is not used.
    pub facts: Facts,
    /// The account on the central.
    pub user: Arc<str>,
    /// Its password.
    pub password: Secret,
    /// `host:port` of the central, or of its first member.
    pub omm1: Arc<str>,
    /// `host:port` of its second member.
    pub omm2: Option<Arc<str>>,
    /// Hold the link when the clocks differ by more (spec 8: 30 s); `None` only warns.
    pub clock_stop: Option<Duration>,
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
    /// A frame came.
    Received {
        /// What it says.
        frame: Frame,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The star wants this sent ([`crate::star::Effect::Send`]).
    Say(Word),
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
    /// What to show of this link from now on.
    Health(Health),
    /// Tell the operator.
    Alarm(Alarm),
}

/// Why the remote's end wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to give up a connection that does not come about.
    Connect,
    /// When to give up a central that does not answer.
    Open,
    /// When to try again.
    Retry,
    /// When to believe that the link is stable.
    Stable,
    /// When to tell that the synchronisation is slow.
    Slow,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Connect => "connect",
            Timer::Open => "open",
            Timer::Retry => "retry",
            Timer::Stable => "stable",
            Timer::Slow => "slow",
        }
    }
}

/// Where the remote's end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not attached.
    Off,
    /// Connecting.
    Dialing,
    /// Introduced; no answer yet.
    Opening,
    /// The two do not go together.
    Held(Held),
    /// The central's claims are coming in, and ours go out then.
    Download(OmmId),
    /// In step with this central.
    InSync(OmmId),
    /// Between two attempts.
    Waiting,
}

/// The remote's end of the link.
#[derive(Clone, Debug)]
pub struct Dial {
    setup: Setup,
    chance: Chance,
    state: State,
    second: bool,
    /// Whether the inactive member has sent us to the other one already.
    sent_on: bool,
    attempts: u32,
    told: Option<Held>,
    warned: bool,
    pulse: Pulse,
    timers: Timers<Timer>,
}

impl Dial {
    /// An end that is not attached yet.
    pub fn new(setup: Setup, chance: Chance) -> Dial {
        Dial {
            setup,
            chance,
            state: State::Off,
            second: false,
            sent_on: false,
            attempts: 0,
            told: None,
            warned: false,
            pulse: Pulse::default(),
            timers: Timers::default(),
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Follows a change of the settings; a held link is tried at the next wake.
    pub fn amend(&mut self, now: Moment, setup: Setup) {
        self.setup = setup;
        match self.state {
            State::Held(_) => self.timers.set(Timer::Retry, now),
            State::Off
            | State::Dialing
            | State::Opening
            | State::Download(_)
            | State::InSync(_)
            | State::Waiting => {}
        }
    }

    fn dial(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let second = self.setup.omm2.as_ref().filter(|_| self.second);
        let address = second.unwrap_or(&self.setup.omm1).clone();
        self.state = State::Dialing;
        self.timers.clear();
        self.timers.set(Timer::Connect, now + CONNECT_MAX);
        out.push(Effect::Health(Health::Connecting));
        out.push(Effect::Connect { address });
    }

    fn introduce(&mut self, now: Moment, wall: Wall, out: &mut Vec<Effect>) {
        self.state = State::Opening;
        self.timers.clear();
        self.timers.set(Timer::Open, now + OPEN_MAX);
        out.push(Effect::Send(Frame::Open(Box::new(Open {
            user: self.setup.user.clone(),
            password: self.setup.password.clone(),
            facts: self.setup.facts.at(wall),
        }))));
    }

    fn welcomed(&mut self, now: Moment, central: Facts, wall: Wall, out: &mut Vec<Effect>) {
        if let Err(mismatch) = self.setup.facts.at(wall).agree(&central, self.setup.clock_stop) {
            return self.hold(now, Held::Here(mismatch), out);
        }
        self.state = State::Download(central.omm);
        self.sent_on = false;
        self.told = None;
        self.timers.clear();
        self.timers.set(Timer::Slow, now + SYNC_MAX);
        self.pulse.start(now);
        out.push(Effect::Health(Health::Synchronising));
        out.push(Effect::Up(central.omm));
    }

    fn refused(&mut self, now: Moment, error: OpenError, out: &mut Vec<Effect>) {
        if error == OpenError::Inactive && self.setup.omm2.is_some() && !self.sent_on {
            out.push(Effect::Close);
            self.sent_on = true;
            self.second = !self.second;
            self.dial(now, out);
        } else {
            self.sent_on = false;
            self.hold(now, Held::There(error), out);
        }
    }

    fn hold(&mut self, now: Moment, reason: Held, out: &mut Vec<Effect>) {
        self.state = State::Held(reason);
        self.timers.clear();
        self.timers.set(Timer::Retry, now + HELD);
        out.push(Effect::Close);
        out.push(Effect::Health(Health::Held(reason)));
        if self.told != Some(reason) {
            self.told = Some(reason);
            out.push(Effect::Alarm(Alarm::Held(reason)));
        }
    }

    /// Ours is the last word of the upload.
    fn in_sync(&mut self, now: Moment, central: OmmId, out: &mut Vec<Effect>) {
        self.state = State::InSync(central);
        self.timers.stop(Timer::Slow);
        self.timers.set(Timer::Stable, now + STABLE);
        out.push(Effect::Send(Frame::EndOfDownload));
        out.push(Effect::Health(Health::InSync));
    }

    /// The attempt or the link has failed: wait a while (uniform in the upper half of the window).
    fn lost(&mut self, now: Moment, out: &mut Vec<Effect>) {
        match self.state {
            State::Download(central) | State::InSync(central) => {
                out.push(Effect::Down(central));
                out.push(Effect::Health(Health::Lost));
            }
            State::Dialing => self.second = !self.second && self.setup.omm2.is_some(),
            State::Off | State::Opening | State::Held(_) | State::Waiting => {}
        }
        let window = Duration::from_secs(1 << self.attempts.min(6)).min(BACKOFF_MAX);
        self.attempts = self.attempts.saturating_add(1);
        let wait = self.chance.between(window / 2, window);
        self.state = State::Waiting;
        self.pulse.stop();
        self.timers.clear();
        self.timers.set(Timer::Retry, now + wait);
    }

    fn give_up(&mut self, now: Moment, out: &mut Vec<Effect>) {
        out.push(Effect::Close);
        self.lost(now, out);
    }

    fn stop(&mut self, out: &mut Vec<Effect>) {
        match self.state {
            State::Off => return,
            State::Download(central) | State::InSync(central) => {
                out.push(Effect::Close);
                out.push(Effect::Down(central));
            }
            State::Dialing | State::Opening => out.push(Effect::Close),
            State::Held(_) | State::Waiting => {}
        }
        self.state = State::Off;
        self.pulse.stop();
        self.timers.clear();
        out.push(Effect::Health(Health::Off));
    }

    fn received(&mut self, now: Moment, frame: Frame, wall: Wall, out: &mut Vec<Effect>) {
        self.pulse.heard(now);
        match (frame, self.state) {
            (Frame::OpenResult(Ok(central)), State::Opening) => self.welcomed(now, central, wall, out),
            (Frame::OpenResult(Err(error)), State::Opening) => self.refused(now, error, out),
            (Frame::Word(word), State::Download(from) | State::InSync(from)) => {
                out.push(Effect::Deliver { from, word });
            }
            (Frame::EndOfDownload, State::Download(central)) => out.push(Effect::Downloaded(central)),
            (Frame::Ping { seq }, State::Download(_) | State::InSync(_)) => {
                out.push(Effect::Send(Frame::Pong { seq, wall }));
            }
            (Frame::Pong { seq, wall: theirs }, State::Download(_) | State::InSync(_)) => {
                self.compare_clocks(now, seq, wall, theirs, out);
            }
            // The last frames of a connection that we have closed.
            (_, State::Off | State::Dialing | State::Held(_) | State::Waiting) => {}
            (
                Frame::Open(_)
                | Frame::OpenResult(_)
                | Frame::Ping { .. }
                | Frame::Pong { .. }
                | Frame::Word(_)
                | Frame::EndOfDownload,
                State::Opening | State::Download(_) | State::InSync(_),
            ) => {
                out.push(Effect::Alarm(Alarm::Protocol));
                self.give_up(now, out);
            }
        }
    }

    fn compare_clocks(&mut self, now: Moment, seq: u32, ours: Wall, theirs: Wall, out: &mut Vec<Effect>) {
        let Some((offset, ahead)) = self.pulse.offset(now, seq, ours, theirs) else { return };
        if self.setup.clock_stop.is_some_and(|stop| offset > stop) {
            if let State::Download(central) | State::InSync(central) = self.state {
                out.push(Effect::Down(central));
            }
            self.pulse.stop();
            return self.hold(now, Held::Here(Mismatch::Clock), out);
        }
        let wrong = offset > SKEW_WARN;
        if wrong && !self.warned {
            out.push(Effect::Alarm(Alarm::Clock { offset, ahead }));
        }
        self.warned = wrong;
    }
}

impl Machine for Dial {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match (input, self.state) {
            (Input::Start, State::Off) => self.dial(now, out),
            (
                Input::Start,
                State::Dialing
                | State::Opening
                | State::Held(_)
                | State::Download(_)
                | State::InSync(_)
                | State::Waiting,
            ) => {}
            (Input::Stop, _) => self.stop(out),
            (Input::Connected { wall }, State::Dialing) => self.introduce(now, wall, out),
            (Input::Closed, State::Dialing | State::Opening | State::Download(_) | State::InSync(_)) => {
                self.lost(now, out);
            }
            // Of an attempt that was called off.
            (
                Input::Connected { .. },
                State::Off
                | State::Opening
                | State::Held(_)
                | State::Download(_)
                | State::InSync(_)
                | State::Waiting,
            )
            | (Input::Closed, State::Off | State::Held(_) | State::Waiting) => {}
            (Input::Received { frame, wall }, _) => self.received(now, frame, wall, out),
            (Input::Say(word), State::Download(_) | State::InSync(_)) => {
                out.push(Effect::Send(Frame::Word(word)));
            }
            (Input::Uploaded, State::Download(central)) => self.in_sync(now, central, out),
            // Nothing is queued for a link that is down.
            (
                Input::Say(_),
                State::Off | State::Dialing | State::Opening | State::Held(_) | State::Waiting,
            )
            | (
                Input::Uploaded,
                State::Off
                | State::Dialing
                | State::Opening
                | State::Held(_)
                | State::InSync(_)
                | State::Waiting,
            ) => {}
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next().into_iter().chain(self.pulse.deadline()).min_by_key(|(at, _)| *at)
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Connect | Timer::Open => self.give_up(now, out),
                Timer::Retry => self.dial(now, out),
                Timer::Stable => self.attempts = 0,
                Timer::Slow => out.push(Effect::Alarm(Alarm::Slow)),
            }
        }
        match self.pulse.beat(now) {
            Some(Beat::Ping(seq)) => out.push(Effect::Send(Frame::Ping { seq })),
            Some(Beat::Dead) => self.give_up(now, out),
            None => {}
        }
    }

    fn note_input(input: &Input) -> Option<Note> {
        match input {
            Input::Start => Some(Note::new("link").text("state", "start")),
            Input::Stop => Some(Note::new("link").text("state", "stop")),
            Input::Connected { .. } => Some(Note::new("link").text("state", "connected")),
            Input::Closed => Some(Note::new("link").text("state", "closed")),
            Input::Received { .. } | Input::Say(_) | Input::Uploaded => None,
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        let link = |state: &'static str| Note::new("link").text("state", state);
        match effect {
            Effect::Connect { address } => Some(link("dial").text("address", address)),
            Effect::Up(peer) => Some(link("up").text("peer", peer)),
            Effect::Down(peer) => Some(link("down").text("peer", peer)),
            Effect::Health(Health::Held(held)) => Some(link("held").text("reason", held)),
            Effect::Alarm(alarm) => Some(alarm.note()),
            Effect::Send(_)
            | Effect::Close
            | Effect::Downloaded(_)
            | Effect::Deliver { .. }
            | Effect::Health(
                Health::Off | Health::Connecting | Health::Synchronising | Health::InSync | Health::Lost,
            ) => None,
        }
    }
}

#[cfg(test)]
mod tests;
