//! The directory of one OMM kept in step with those of the others (spec SM-1R, SM-1C, SM-7; M-2.1.2.2, M-2.1.5).
//!
//! ```text
//! remote                              central
//!   | -- Have(what I have) ------------> |     right behind the introduction
//!   | <---------- Page, Page, .. End --- |     download first: what the remote lacks,
//!   | -- Page, Page, .. End -----------> |     upload second: what the central lacks (M-2.2.8-a)
//!   | <---------- Page (news) ---------> |     then whatever changes, at once; every page with something in it is
//!   | ---------- Ack ------------------> |     acknowledged when that is on the disk, and goes on to all other remotes
//! ```
//!
//! Everybody counts what he has by a [`Vector`]: so only what changed is sent after an outage (B-5), and a transfer
//! that is interrupted goes on where it was. Pages may come twice; merging is idempotent. The clocks of an edit are the
//! caller's: every effect [`Effect::Observe`] is to reach the clock before the next stamp is minted.
//!
//! - [`word`]: what is said. [`quarantine`]: what was written in the future. [`alarm`]: what people have to know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::{Name, Timers};

use crate::directory::Directory;
use crate::directory::content::Digest;
use crate::directory::edit::{Changed, Done, Edit};
use crate::directory::piece::{Piece, Slot, Subject};
use crate::directory::refusal::Refusal;
use crate::directory::sync::alarm::Alarm;
use crate::directory::sync::outbox::Outbox;
use crate::directory::sync::quarantine::Quarantine;
use crate::directory::sync::word::{Have, Word};
use crate::directory::tombstone::Horizon;
use crate::directory::vector::Vector;
use crate::stamp::{OmmId, Stamp};
use crate::star::Role;

pub mod alarm;
mod forgetting;
mod having;
mod hearing;
mod outbox;
pub mod quarantine;
#[cfg(test)]
mod tests;
pub mod word;

/// A directory that one writes and many read.
pub type Shared = Rc<RefCell<Directory>>;

/// How often the central looks what may be forgotten. Ours: deletions are kept for months.
pub const COLLECT: Duration = Duration::from_secs(24 * 3600);

/// What is kept beside the records.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct State {
    /// What this OMM has.
    pub vector: Vector,
    /// Whether it has compared its tables once. Until then it may have lost its disk, and knows not what it wrote in
    /// an earlier life, whatever it has written since.
    pub joined: bool,
    /// The files whose contents it has.
    pub origins: BTreeSet<Digest>,
    /// What it has forgotten.
    pub horizon: Horizon,
    /// At the central: what each remote has that was ever here and was not taken off the list.
    pub acked: BTreeMap<OmmId, Vector>,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Somebody here wants something changed.
    Edit {
        /// Comes back in the answer.
        ask: u64,
        /// Minted for it.
        stamp: Stamp,
        /// What.
        edit: Box<Edit>,
    },
    /// A link comes up, at a remote: what is the central to be told first?
    Ask,
    /// The link with this OMM is open.
    LinkUp(OmmId),
    /// It is gone.
    LinkDown(OmmId),
    /// A word came over a link.
    Heard {
        /// Over which one.
        from: OmmId,
        /// What.
        word: Word,
        /// The calendar time here.
        wall: Wall,
    },
    /// The administrator took this remote off the central's list: nobody waits for it before a deletion is forgotten.
    Removed(OmmId),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make this durable; all that follows waits for it.
    Save(Box<Save>),
    /// Whoever asked is told.
    Answer {
        /// Who.
        ask: u64,
        /// What became of it.
        result: Result<Done, Refusal>,
    },
    /// This is shown differently now.
    Changed(Changed),
    /// The answer to [`Input::Ask`].
    Have(Have),
    /// Send this over the link.
    Send {
        /// Over which one.
        peer: OmmId,
        /// What.
        word: Word,
    },
    /// No stamp may be minted before this one.
    Observe(Stamp),
    /// So much of the comparison is done.
    Progress {
        /// With whom.
        peer: OmmId,
        /// Percent.
        percent: u8,
    },
    /// Both sides have what the other had.
    InStep {
        /// Over which link.
        peer: OmmId,
    },
    /// So many deletions were forgotten: everybody has had them for long enough (SM-7). Only to be told.
    Forgotten(u32),
    /// Somebody has to know this. Only to be told.
    Alarm(Alarm),
}

/// What is to be made durable, as one change.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Save {
    /// Records that are so now.
    pub pieces: Vec<Piece>,
    /// Records that are no more.
    pub gone: BTreeSet<Subject>,
    /// What is kept beside them.
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// What may be forgotten?
    Collect,
    /// The future has come for something that waits.
    Release,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Collect => "collect",
            Timer::Release => "release",
        }
    }
}

/// One neighbour, while the link with it is open.
#[derive(Clone, Debug, Default)]
struct Link {
    outbox: Outbox,
    /// It has sent all that it had.
    complete: bool,
    /// It was told to send all, because deletions that it may lack are forgotten (SM-7).
    full: bool,
    /// [`Effect::InStep`] was said.
    in_step: bool,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Sync {
    me: OmmId,
    role: Role,
    directory: Shared,
    state: State,
    /// What we had of our own when the link came up: what we wrote since is not the central's, whatever it claims.
    own: Option<Stamp>,
    links: BTreeMap<OmmId, Link>,
    quarantine: Quarantine,
    /// [`Alarm::Offline`] was said since the central was heard last.
    warned: bool,
    timers: Timers<Timer>,
    /// The last pair of times that is known.
    time: (Moment, Wall),
}

impl Sync {
    /// The machine of an OMM whose directory holds what its file says, and nothing else: `pieces` and `state` are from
    /// the store.
    pub fn resume(
        me: OmmId,
        role: Role,
        directory: Shared,
        (pieces, mut state): (Vec<Piece>, State),
        now: Moment,
        wall: Wall,
    ) -> Sync {
        {
            let mut directory = directory.borrow_mut();
            if directory.pieces().next().is_some() {
                state.origins.insert(directory.digest());
            }
            directory.merge_stored(pieces);
            directory.take_fresh();
        }
        let mut timers = Timers::default();
        match role {
            Role::Central => {
                timers.set(Timer::Collect, now + COLLECT);
                // There is nobody who would know better.
                state.joined = true;
            }
            Role::Remote => {}
        }
        let own = state.vector.of(me);
        Sync {
            me,
            role,
            directory,
            state,
            own,
            links: BTreeMap::new(),
            quarantine: Quarantine::default(),
            warned: false,
            timers,
            time: (now, wall),
        }
    }

    /// What is kept beside the records.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How many pieces wait because they carry stamps of the future.
    pub fn quarantined(&self) -> usize {
        self.quarantine.len()
    }

    fn wall(&self, now: Moment) -> Wall {
        let (then, wall) = self.time;
        wall.forth(now.since(then))
    }

    fn edit(&mut self, ask: u64, stamp: Stamp, edit: Edit, out: &mut Vec<Effect>) {
        // Effects that observe may still wait for the disk; nothing may be stamped before what is known here.
        let latest = self.directory.borrow().latest();
        let stamp = latest.map_or(stamp, |latest| stamp.above(latest));
        let name = alarm::is_better_online(&edit).then(|| edit.name());
        let result = self.directory.borrow_mut().edit(stamp, edit);
        let done = match result {
            Ok(done) => done,
            refused => return out.push(Effect::Answer { ask, result: refused }),
        };
        let fresh = self.directory.borrow_mut().take_fresh();
        let changed = done.changed.clone();
        if let Some((latest, _)) = fresh.last() {
            if self.state.joined {
                self.state.vector.raise(self.me, *latest);
            }
            out.push(Effect::Observe(*latest));
            self.save(&fresh, BTreeSet::new(), out);
        }
        out.push(Effect::Answer { ask, result: Ok(done) });
        name.into_iter().for_each(|edit| self.warn_offline(edit, out));
        self.tell(&fresh, changed, None, out);
    }

    fn save(&self, fresh: &BTreeSet<Slot>, gone: BTreeSet<Subject>, out: &mut Vec<Effect>) {
        let directory = self.directory.borrow();
        let subjects: BTreeSet<Subject> = fresh.iter().map(|(_, subject)| *subject).collect();
        let pieces = subjects.into_iter().filter_map(|subject| directory.piece(subject)).collect();
        out.push(Effect::Save(Box::new(Save { pieces, gone, state: self.state.clone() })));
    }

    /// Whoever is here, and every neighbour but the one it came from.
    fn tell(
        &mut self,
        fresh: &BTreeSet<Slot>,
        changed: Changed,
        except: Option<OmmId>,
        out: &mut Vec<Effect>,
    ) {
        self.shows(changed, out);
        self.spread(fresh, except, out);
    }

    /// Every neighbour but the one it came from.
    fn spread(&mut self, fresh: &BTreeSet<Slot>, except: Option<OmmId>, out: &mut Vec<Effect>) {
        for (_, link) in self.links.iter_mut().filter(|(peer, _)| Some(**peer) != except) {
            link.outbox.add(fresh);
        }
        self.pump(out);
    }

    /// Sends what may be sent.
    fn pump(&mut self, out: &mut Vec<Effect>) {
        let directory = self.directory.borrow();
        for (peer, link) in &mut self.links {
            while let Some(page) = link.outbox.next(&directory, &self.state.vector) {
                out.push(Effect::Send { peer: *peer, word: Word::Page(Box::new(page)) });
            }
            if link.complete && link.outbox.is_done() && !link.in_step {
                link.in_step = true;
                out.push(Effect::InStep { peer: *peer });
            }
        }
    }

    fn link_up(&mut self, peer: OmmId) {
        self.warned = false;
        match self.role {
            Role::Central => {
                self.links.insert(peer, Link::default());
            }
            Role::Remote => {
                // A remote has one link; the central may have moved to its other member.
                self.links = BTreeMap::from([(peer, Link::default())]);
                self.own = self.state.vector.of(self.me);
            }
        }
    }

    fn heard(&mut self, from: OmmId, word: Word, wall: Wall, out: &mut Vec<Effect>) {
        match word {
            Word::Have(have) => self.have(from, &have, out),
            Word::Page(page) => self.page(from, *page, wall, out),
            Word::Ack { number, whole } => {
                if let Some(link) = self.links.get_mut(&from) {
                    link.outbox.acknowledged(number, whole);
                    self.state.acked.insert(member_one(from), link.outbox.known.clone());
                }
                self.pump(out);
            }
            // Only the central decides what is forgotten.
            Word::Horizon(_) | Word::Forgotten(_) if self.role == Role::Central => {}
            Word::Horizon(horizon) => self.forget(&horizon, out),
            Word::Forgotten(subjects) => {
                let (gone, changed) = self.directory.borrow_mut().drop_forgotten(&subjects);
                self.save(&BTreeSet::new(), gone, out);
                self.tell(&BTreeSet::new(), changed, Some(from), out);
            }
        }
    }
}

/// The name of a remote in the roster, where both members of a pair are one.
fn member_one(remote: OmmId) -> OmmId {
    OmmId::new(remote.pari)
}

impl Machine for Sync {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Edit { ask, stamp, edit } => self.edit(ask, stamp, *edit, out),
            Input::Ask => {
                let (vector, origins) = (self.state.vector.clone(), self.state.origins.clone());
                out.push(Effect::Have(Have { vector, origins }));
            }
            Input::LinkUp(peer) => self.link_up(peer),
            Input::LinkDown(peer) => {
                if self.links.remove(&peer).is_some() && self.role == Role::Central {
                    self.save(&BTreeSet::new(), BTreeSet::new(), out);
                }
            }
            Input::Heard { from, word, wall } => {
                self.time = (now, wall);
                // The last words of a link that is gone are not heard.
                if self.links.contains_key(&from) {
                    self.heard(from, word, wall, out);
                }
            }
            Input::Removed(remote) => {
                self.state.acked.remove(&member_one(remote));
                self.save(&BTreeSet::new(), BTreeSet::new(), out);
            }
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Collect => {
                    self.collect(now, out);
                    self.timers.set(Timer::Collect, now + COLLECT);
                }
                Timer::Release => self.release(now, out),
            }
        }
    }

    fn note_input(input: &Input) -> Option<Note> {
        match input {
            Input::Edit { edit, .. } => Some(Note::new("edit").text("what", edit.name())),
            Input::Heard { from, word: Word::Page(page), .. } if !page.pieces.is_empty() => {
                let note = Note::new("sync").text("state", "records").text("peer", from);
                Some(note.number("pieces", page.pieces.len() as u64))
            }
            Input::Heard { .. } | Input::Ask | Input::LinkUp(_) | Input::LinkDown(_) | Input::Removed(_) => {
                None
            }
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Alarm(alarm) => Some(Note::new("alarm").text("text", alarm)),
            Effect::Answer { result: Err(refusal), .. } => Some(Note::new("refused").text("text", refusal)),
            Effect::Save(_)
            | Effect::Answer { .. }
            | Effect::Changed(_)
            | Effect::Have(_)
            | Effect::Send { .. }
            | Effect::Observe(_)
            | Effect::Progress { .. }
            | Effect::InStep { .. } => None,
            Effect::Forgotten(count) => Some(Note::new("forgotten").number("deletions", *count)),
        }
    }
}
