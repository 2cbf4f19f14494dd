//! What one OMM asks of another one about a phone that is there (B-11, M-2.2.6-a) and what happened there (B-16).
//!
//! ```text
//! remote A               central               remote B
//!    | -- Ask(A:1, to B) --> | -- Ask(A:1, to B) --> |    what is asked and told is text, opaque here;
//!    | <- Told(A:1) -------- | <- Told(A:1) -------- |    nothing is kept for a link that is down
//! ```
//!
//! Whoever asks is answered within [`PATIENCE`] whatever happens: "nobody can tell" is an answer, and who asked has what
//! was synchronised to fall back on. Nothing of a roam, a registration or the directory depends on an errand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;

use crate::stamp::OmmId;
use crate::star::Role;

/// How long an answer is waited for. Ours: an AXI client waits at least as long, and two slow hops fit.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How many errands may be under way from here, and how many may be attended to here, at a time. Ours.
pub const UNDER_WAY_MAX: usize = 256;

/// The longest text, in bytes. Ours: what one AXI response may hold.
pub const TEXT_MAX: usize = 16_000;

/// Whose errand it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// Who asks.
    pub from: OmmId,
    /// Which of its errands. Never one of a former life: they count on from the clock on the wall.
    pub number: u64,
}

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A question.
    Ask {
        /// Whose.
        ticket: Ticket,
        /// Who is to answer.
        to: OmmId,
        /// What; [`TEXT_MAX`] at most.
        text: Arc<str>,
    },
    /// The answer.
    Told {
        /// To what.
        ticket: Ticket,
        /// What; `None` when nobody can tell.
        text: Option<Arc<str>>,
    },
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The link with this OMM is open.
    LinkUp(OmmId),
    /// It is gone.
    LinkDown(OmmId),
    /// Somebody here wants to know something of another OMM.
    Ask {
        /// Comes back in the answer.
        number: u64,
        /// Who is to answer.
        to: OmmId,
        /// What.
        text: Arc<str>,
    },
    /// An errand came over a link.
    Heard {
        /// Over which one.
        from: OmmId,
        /// What.
        errand: Errand,
    },
    /// What became of [`Effect::Attend`].
    Attended {
        /// To what.
        ticket: Ticket,
        /// What is told; `None` when nobody here can tell.
        text: Option<Arc<str>>,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this over the link.
    Send {
        /// Over which one.
        peer: OmmId,
        /// What.
        errand: Errand,
    },
    /// Answer this here; [`Input::Attended`] has to follow.
    Attend {
        /// Whose it is.
        ticket: Ticket,
        /// What is asked.
        text: Arc<str>,
    },
    /// Whoever asked is told.
    Told {
        /// Its number.
        number: u64,
        /// What; `None` when nobody can tell.
        text: Option<Arc<str>>,
    },
}

/// An errand of this OMM that is under way.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    until: Moment,
    over: OmmId,
}

/// The errands of one OMM.
#[derive(Clone, Debug)]
pub struct Errands {
    me: OmmId,
    role: Role,
    live: BTreeSet<OmmId>,
    waiting: BTreeMap<u64, Waiting>,
    attended: BTreeSet<Ticket>,
}

impl Errands {
    /// An OMM that nobody has asked anything yet.
    pub fn new(me: OmmId, role: Role) -> Errands {
        let (live, waiting, attended) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        Errands { me, role, live, waiting, attended }
    }

    /// The link towards this OMM.
    fn way(&self, to: OmmId) -> Option<OmmId> {
        match self.role {
            Role::Central => self.live.get(&to).copied(),
            Role::Remote => self.live.first().copied(),
        }
    }

    fn ask(&mut self, now: Moment, number: u64, to: OmmId, text: Arc<str>, out: &mut Vec<Effect>) {
        let has_room = self.waiting.len() < UNDER_WAY_MAX && text.len() <= TEXT_MAX;
        match self.way(to).filter(|_| has_room && to != self.me) {
            Some(peer) => {
                self.waiting.insert(number, Waiting { until: now + PATIENCE, over: peer });
                let ticket = Ticket { from: self.me, number };
                out.push(Effect::Send { peer, errand: Errand::Ask { ticket, to, text } });
            }
            None => out.push(Effect::Told { number, text: None }),
        }
    }

    fn heard(&mut self, from: OmmId, errand: Errand, out: &mut Vec<Effect>) {
        match errand {
            Errand::Ask { ticket, to, text } => {
                // At the central everybody asks in his own name.
                if self.role == Role::Central && ticket.from != from {
                    return;
                }
                if to == self.me {
                    let has_room = self.attended.len() < UNDER_WAY_MAX && text.len() <= TEXT_MAX;
                    if has_room && self.attended.insert(ticket) {
                        return out.push(Effect::Attend { ticket, text });
                    }
                } else if self.role == Role::Central
                    && let Some(peer) = self.way(to)
                {
                    return out.push(Effect::Send { peer, errand: Errand::Ask { ticket, to, text } });
                }
                out.push(Effect::Send { peer: from, errand: Errand::Told { ticket, text: None } });
            }
            Errand::Told { ticket, text } => self.told(ticket, text, out),
        }
    }

    fn told(&mut self, ticket: Ticket, text: Option<Arc<str>>, out: &mut Vec<Effect>) {
        let text = text.filter(|text| text.len() <= TEXT_MAX);
        if ticket.from == self.me {
            // One that comes too late, or of a former life, was asked by nobody.
            if self.waiting.remove(&ticket.number).is_some() {
                out.push(Effect::Told { number: ticket.number, text });
            }
        } else if let Some(peer) = self.way(ticket.from) {
            out.push(Effect::Send { peer, errand: Errand::Told { ticket, text } });
        }
    }

    /// Ends those that this is true of.
    fn give_up(&mut self, is_over: impl Fn(&Waiting) -> bool, out: &mut Vec<Effect>) {
        let over = self.waiting.extract_if(.., |_, waiting| is_over(waiting));
        out.extend(over.map(|(number, _)| Effect::Told { number, text: None }));
    }
}

impl Machine for Errands {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::LinkUp(peer) => {
                match self.role {
                    Role::Central => {}
                    // A remote has one link; the central may have moved to its other member.
                    Role::Remote => self.live.clear(),
                }
                self.live.insert(peer);
            }
            Input::LinkDown(peer) => {
                self.live.remove(&peer);
                self.give_up(|waiting| waiting.over == peer, out);
            }
            Input::Ask { number, to, text } => self.ask(now, number, to, text, out),
            Input::Heard { from, errand } if self.live.contains(&from) => self.heard(from, errand, out),
            Input::Heard { .. } => {} // The last words of a link that is gone.
            Input::Attended { ticket, text } => {
                if self.attended.remove(&ticket) {
                    self.told(ticket, text, out);
                }
            }
        }
    }

    fn note_input(input: &Input) -> Option<Note> {
        match input {
            Input::Ask { to, .. } => Some(Note::new("errand").text("to", to)),
            Input::LinkUp(_) | Input::LinkDown(_) | Input::Heard { .. } | Input::Attended { .. } => None,
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Attend { ticket, .. } => Some(Note::new("errand").text("from", ticket.from)),
            Effect::Told { text, .. } => {
                Some(Note::new("errand").text("told", if text.is_some() { "yes" } else { "nobody" }))
            }
            Effect::Send { .. } => None,
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.waiting.values().map(|waiting| (waiting.until, "errand")).min()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.give_up(|waiting| waiting.until <= now, out);
    }
}

#[cfg(test)]
mod tests;
