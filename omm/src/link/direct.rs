//! Whom to call when the central is gone (B-4, SM-2 "Central-less path"): one at each remote.
//!
//! ```text
//! link in step --- lost ---> patient --- 5 s ---> calling: whoever is wanted, and is a neighbour
//!      ^                                              |  who does not answer is called again, ever less often
//!      +------------------- in step ------------------+
//! ```
//!
//! A former owner is wanted when it has yet to confirm a claim, and an owner when it has yet to hear a confirmation
//! ([`crate::star::Effect::Wanted`]). Nobody else is ever called: the star stays a star (M-2.1.1-a). What is said over a
//! channel is the business of [`crate::star`], how it begins and ends that of [`crate::link::channel`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};

use crate::ids::park::Sari;
use crate::link::frame::{Facts, Open, OpenError};
use crate::link::gate::Gate;
use crate::link::neighbour::Neighbour;
use crate::stamp::OmmId;

#[cfg(test)]
mod tests;

/// How long the link may be out of step before anybody is called (SM-2: 5 s).
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long to leave somebody alone after the first call; doubles with each. Ours.
const AGAIN_FIRST: Duration = Duration::from_secs(5);
/// And at the most. Ours.
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The link to the central is in step, or is not (any more).
    Link {
        /// Whether it is.
        in_sync: bool,
    },
    /// The central's list of all remotes, or what the store knows of it.
    Neighbours(Vec<Neighbour>),
    /// The SARI of the system is known now.
    Learned(Sari),
    /// This OMM has to be spoken with ([`crate::star::Effect::Wanted`]).
    Wanted(OmmId),
    /// A channel with it stands.
    Up(OmmId),
    /// The last channel with it is over, or it could not be reached.
    Down(OmmId),
    /// Somebody introduces itself over a channel that it has opened.
    Knock {
        /// Which channel.
        channel: u64,
        /// From which address, without the port.
        from: Arc<str>,
        /// How.
        open: Box<Open>,
        /// The calendar time of this OMM.
        wall: Wall,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a channel; answered by `Up` or `Down`.
    Call(Neighbour),
    /// Tell this to whoever knocked.
    Answer {
        /// At which channel.
        channel: u64,
        /// Who we are, or why not.
        answer: Result<Facts, OpenError>,
    },
}

/// The deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When the link has been out of step for long enough.
    Patience,
    /// When to call those again who did not answer.
    Again,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Patience => "patience",
            Timer::Again => "again",
        }
    }
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, Default)]
struct Call {
    /// Somebody has to be spoken with still.
    wanted: bool,
    /// It was called, and neither `Up` nor `Down` has come.
    under_way: bool,
    /// Calls since the link was in step.
    count: u32,
    /// When it may be called again.
    next: Moment,
}

/// Whom to call, and whom to let in.
#[derive(Debug)]
pub struct Direct {
    gate: Gate,
    facts: Facts,
    /// Whether a password may be sent to a neighbour that speaks no TLS: only where the link does not either.
    plain: bool,
    neighbours: Vec<Neighbour>,
    in_sync: bool,
    /// The link has been out of step for long enough.
    calling: bool,
    up: BTreeSet<OmmId>,
    calls: BTreeMap<OmmId, Call>,
    timers: Timers<Timer>,
}

impl Direct {
    /// Nobody is known and nobody is called. The account is the one of the link: all remotes of a system share it.
    pub fn new(user: Arc<str>, password: Secret, facts: Facts, plain: bool) -> Direct {
        Direct {
            gate: Gate::new(user, password),
            facts,
            plain,
            neighbours: Vec::new(),
            in_sync: true,
            calling: false,
            up: BTreeSet::new(),
            calls: BTreeMap::new(),
            timers: Timers::default(),
        }
    }

    /// Those with whom a channel stands.
    pub fn up(&self) -> impl Iterator<Item = OmmId> {
        self.up.iter().copied()
    }

    fn link(&mut self, now: Moment, in_sync: bool) {
        if in_sync {
            self.calling = false;
            self.calls.clear();
            self.timers.clear();
        } else if self.in_sync {
            self.timers.set(Timer::Patience, now + PATIENCE);
        }
        self.in_sync = in_sync;
    }

    fn want(&mut self, now: Moment, peer: OmmId, out: &mut Vec<Effect>) {
        let is_known = self.neighbours.iter().any(|neighbour| neighbour.omm == peer);
        if !is_known || self.up.contains(&peer) {
            return;
        }
        self.calls.entry(peer).or_default().wanted = true;
        self.call(now, out);
    }

    /// Calls everybody who is wanted and was left alone for long enough.
    fn call(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if !self.calling {
            return;
        }
        self.timers.stop(Timer::Again);
        for (peer, call) in self.calls.iter_mut().filter(|(_, call)| call.wanted && !call.under_way) {
            if call.next > now {
                let earliest = self.timers.at(Timer::Again).map_or(call.next, |at| at.min(call.next));
                self.timers.set(Timer::Again, earliest);
                continue;
            }
            let plain = self.plain;
            let is_safe = |neighbour: &&Neighbour| plain || neighbour.door.fingerprint.is_some();
            let found = self.neighbours.iter().filter(|neighbour| neighbour.omm == *peer).find(is_safe);
            let Some(neighbour) = found else { continue };
            call.under_way = true;
            call.next = now + AGAIN_FIRST.saturating_mul(1 << call.count.min(8)).min(AGAIN_MAX);
            call.count = call.count.saturating_add(1);
            out.push(Effect::Call(neighbour.clone()));
        }
    }

    /// Only a remote of this system that has the account, and whose claims can be compared with ours.
    fn admit(&mut self, now: Moment, from: &str, open: &Open, wall: Wall) -> Result<Facts, OpenError> {
        self.gate.log_in(now, from, open, false)?;
        if self.facts.sari.is_none() || open.facts.sari.is_none() {
            return Err(OpenError::NoSari);
        }
        if let Some(mismatch) = self.facts.mismatch(&open.facts) {
            return Err(OpenError::Mismatch(mismatch));
        }
        if !self.neighbours.iter().any(|neighbour| neighbour.omm.pari == open.facts.omm.pari) {
            return Err(OpenError::Stranger);
        }
        Ok(Facts { wall, ..self.facts })
    }
}

impl Machine for Direct {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Link { in_sync } => self.link(now, in_sync),
            Input::Neighbours(neighbours) => {
                let own = self.facts.omm.pari;
                self.neighbours =
                    neighbours.into_iter().filter(|neighbour| neighbour.omm.pari != own).collect();
            }
            Input::Learned(sari) => self.facts.sari = Some(sari),
            Input::Wanted(peer) => self.want(now, peer, out),
            Input::Up(peer) => {
                self.up.insert(peer);
                if let Some(call) = self.calls.get_mut(&peer) {
                    (call.wanted, call.under_way) = (false, false);
                }
            }
            Input::Down(peer) => {
                self.up.remove(&peer);
                if let Some(call) = self.calls.get_mut(&peer) {
                    call.under_way = false;
                }
                self.call(now, out);
            }
            Input::Knock { channel, from, open, wall } => {
                let answer = self.admit(now, &from, &open, wall);
                out.push(Effect::Answer { channel, answer });
            }
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Patience => {
                    self.calling = true;
                    self.call(now, out);
                }
                Timer::Again => self.call(now, out),
            }
        }
    }

    fn note_input(input: &Input) -> Option<Note> {
        match input {
            Input::Up(peer) => Some(Note::new("direct").text("state", "up").text("peer", peer)),
            Input::Link { .. }
            | Input::Neighbours(_)
            | Input::Learned(_)
            | Input::Wanted(_)
            | Input::Down(_)
            | Input::Knock { .. } => None,
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Call(Neighbour { omm, door }) => {
                let note = Note::new("direct").text("state", "calling").text("peer", omm);
                Some(note.text("address", &door.address))
            }
            Effect::Answer { answer: Err(why), .. } => {
                Some(Note::new("direct").text("state", "refused").text("reason", why))
            }
            Effect::Answer { answer: Ok(_), .. } => None,
        }
    }
}
