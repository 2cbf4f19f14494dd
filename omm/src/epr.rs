//! External users: what the provisioning server says of them, and what becomes of its answers (EPR; M-2.2.7.1, E-1).
//!
//! ```text
//!                    found                        the user is created, or is as its file says
//! waiting -> reading -----> writing -> (done)
//!              |  missing, at the authority       the user is deleted
//!              |  missing, elsewhere              suspected; a second read a minute later decides
//!              +  anything else                   nothing: who cannot be asked has not said "no" (M-2.2.7.1-b)
//! ```
//!
//! - One OMM of a system is the authority, usually the central (AMB-18). It reads the file of every external user again and
//!   again; the others read one only when somebody wants it. Ours: eleven sites would ask for every file eleven times, and
//!   two servers that differ (against M-2.2.7.1-a) would overwrite each other's users for ever.
//! - Only users that came from the server are changed or deleted by it, never one that an administrator made.
//! - The common file, where there is one, is read before any other: as long as it is not there nobody's absence is
//!   believed. Ours: a server that has lost its folder says "not found" of everybody.
//! - EPR that is switched off deletes external users (M-2.2.7.1-b), at the authority only.
//!
//! [`answers`] is what becomes of an answer, [`rounds`] whose files are read unasked, [`strangers`] are phones that nobody knows.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;
use machine::timers::{Name, Timers};

use crate::directory::edit::{Edit, UserChange};
use crate::directory::login::Variant;
use crate::directory::refusal::Refusal;
use crate::directory::sync::Shared;
use crate::ids::Number;
use crate::roaming::Ask;
use strangers::Strangers;

/// Files that are read, and users that are written, at a time. Ours: a small server is not to be overrun.
pub const AT_ONCE: usize = 4;
/// Users that somebody may want read beside those of a round; further wishes are refused. Ours: an unknown phone can make
/// one, so there is a bound.
pub const WISHES_MAX: usize = 256;
/// After the start, how long until the first round. Ours: registrations go first.
pub const FIRST: Duration = Duration::from_secs(30);
/// Between two reads that both have to find nothing (SM-7, EPR 404).
pub const SECOND_READ: Duration = Duration::from_secs(60);
/// A file that has not come by then does not come. Ours: longer than the door waits for a server.
pub const SILENCE: Duration = Duration::from_secs(60);

/// How external users are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether there are any.
    pub enabled: bool,
    /// Whether this OMM decides that a user is gone (AMB-18).
    pub authority: bool,
    /// Whether there is a common file (axi 4.5 `useCommonFileNameOnServer`).
    pub common: bool,
    /// From round to round.
    pub interval: Duration,
}

/// A file of the provisioning server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// What all users have.
    Common,
    /// What one user has, who logs in under this name.
    Of(Number),
}

/// What became of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It says this.
    Found(Box<UserChange>),
    /// The server was reached, and says that there is no such file.
    Missing,
    /// Nobody knows; why, for people.
    Failed(Arc<str>),
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The file of the user who logs in under this name is wanted now.
    Wish(Number),
    /// The files of all external users are wanted now.
    WishAll,
    /// A phone that nobody knows says that it is of the user who logs in under this name.
    Stranger {
        /// The name.
        name: Number,
        /// Its request, which waits.
        ask: Ask,
    },
    /// A file was read.
    Read {
        /// Which.
        file: File,
        /// What became of it.
        outcome: Outcome,
    },
    /// The directory has answered an edit: whether anything changed.
    Written {
        /// Whose.
        user: Number,
        /// What became of it; `None` when it took no more edits.
        result: Option<Result<bool, Refusal>>,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read a file.
    Read(File),
    /// Have the directory do this.
    Write {
        /// Whom it is about.
        user: Number,
        /// What.
        edit: Box<Edit>,
    },
    /// A phone that nobody knew need not wait any more.
    Met {
        /// Its request.
        ask: Ask,
        /// Whether the server has said something, be it "no".
        is_answered: bool,
    },
    /// This became of a file.
    Told {
        /// Which.
        file: File,
        /// What.
        fate: Fate,
    },
}

/// What became of a file in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The user is new.
    Created,
    /// It is another than it was.
    Changed,
    /// It is as its file says, and was so before.
    Unchanged,
    /// It is no more.
    Deleted,
    /// Its file is not there; a second read decides.
    Suspected,
    /// Nothing was changed; why, for people.
    Failed(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to read everybody.
    Round,
    /// When to read somebody a second time.
    Again,
    /// When a file that was asked for does not come any more.
    Silence,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Round => "round",
            Timer::Again => "again",
            Timer::Silence => "silence",
        }
    }
}

/// What is known of the common file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    /// Not read since the last time that nothing was to be done.
    Unread,
    /// It is asked for; until when to wait.
    Reading(Moment),
    /// What it says.
    Read(Box<UserChange>),
}

/// What is being done about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Its file is asked for; until when to wait.
    Reading(Moment),
    /// The directory was told; what that makes of the user.
    Writing(Fate),
}

/// External users, seen from one OMM.
#[derive(Clone)]
pub struct Epr {
    policy: Policy,
    /// What users' files are called by: that under which they log in (axi 8).
    login: Variant,
    /// To be read.
    directory: Shared,
    base: Base,
    /// Whom somebody wants read: at most [`WISHES_MAX`]. They go first.
    wishes: VecDeque<Number>,
    /// Whom a round has yet to read, and suspects: no more than there are external users.
    waiting: VecDeque<Number>,
    /// At most [`AT_ONCE`].
    busy: BTreeMap<Number, Stage>,
    /// Whose file was missing first, and when: no more than there are external users.
    suspects: BTreeMap<Number, Suspect>,
    strangers: Strangers,
    timers: Timers<Timer>,
}

/// Somebody whose file was missing once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Suspect {
    /// Since when.
    since: Moment,
    /// When to look again.
    again: Moment,
}

impl File {
    /// What it is called at the server (axi 8).
    pub fn name(&self) -> String {
        match self {
            File::Common => "user_common.cfg".to_owned(),
            File::Of(number) => format!("{number}.cfg"),
        }
    }
}

impl Epr {
    /// External users of an OMM that starts now; their files are called as they log in.
    pub fn new(now: Moment, policy: Policy, login: Variant, directory: Shared) -> Epr {
        let mut timers = Timers::default();
        if policy.authority {
            timers.set(Timer::Round, now + FIRST);
        }
        Epr {
            policy,
            login,
            directory,
            base: Base::Unread,
            wishes: VecDeque::new(),
            waiting: VecDeque::new(),
            busy: BTreeMap::new(),
            suspects: BTreeMap::new(),
            strangers: Strangers::default(),
            timers,
        }
    }

    fn wish(&mut self, number: Number, out: &mut Vec<Effect>) {
        // One that is being read may have been read before its file changed: it is read once more.
        if self.wishes.contains(&number) {
            return;
        }
        let why = match (self.policy.enabled, self.wishes.len() < WISHES_MAX) {
            (false, _) => "external users are switched off",
            (true, false) => "too many others are being read; try again later",
            (true, true) => return self.wishes.push_back(number),
        };
        tell(File::Of(number), Fate::Failed(why.into()), out);
    }

    fn is_anybody_left(&self) -> bool {
        !self.wishes.is_empty() || !self.waiting.is_empty() || self.strangers.is_any()
    }

    /// Begins what may begin.
    fn go_on(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if !self.is_anybody_left() && self.busy.is_empty() && matches!(self.base, Base::Read(_)) {
            self.base = Base::Unread;
        }
        while self.is_anybody_left() && self.busy.len() < AT_ONCE {
            if self.policy.enabled && self.policy.common {
                match self.base {
                    Base::Unread => {
                        self.base = Base::Reading(now + SILENCE);
                        out.push(Effect::Read(File::Common));
                        break;
                    }
                    Base::Reading(_) => break,
                    Base::Read(_) => {}
                }
            }
            let Some(number) = self.next() else { break };
            if self.policy.enabled {
                self.busy.insert(number.clone(), Stage::Reading(now + SILENCE));
                out.push(Effect::Read(File::Of(number)));
            } else {
                self.delete(number, out);
            }
        }
        self.arm();
    }

    /// Who is read next: a wish of somebody who is not being read already, a stranger, or one of the round.
    fn next(&mut self) -> Option<Number> {
        if let Some(at) = self.wishes.iter().position(|number| !self.busy.contains_key(number)) {
            return self.wishes.remove(at);
        }
        if let Some(stranger) = self.next_stranger() {
            return Some(stranger);
        }
        while let Some(number) = self.waiting.pop_front() {
            if !self.busy.contains_key(&number) {
                return Some(number);
            }
        }
        None
    }

    /// Sets the alarms by what is under way.
    fn arm(&mut self) {
        let base = match self.base {
            Base::Reading(until) => Some(until),
            Base::Unread | Base::Read(_) => None,
        };
        let read = self.busy.values().filter_map(|stage| match stage {
            Stage::Reading(until) => Some(*until),
            Stage::Writing(_) => None,
        });
        let again = self.suspects.values().map(|suspect| suspect.again).min();
        for (timer, at) in [(Timer::Silence, read.chain(base).min()), (Timer::Again, again)] {
            match at {
                Some(at) => self.timers.set(timer, at),
                None => self.timers.stop(timer),
            }
        }
    }
}

impl Machine for Epr {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Wish(number) => self.wish(number, out),
            Input::WishAll => self.begin_round(),
            Input::Stranger { name, ask } => self.stranger(now, name, ask, out),
            Input::Read { file: File::Common, outcome } => self.common(outcome, out),
            Input::Read { file: File::Of(number), outcome } => self.read(now, number, outcome, out),
            Input::Written { user, result } => self.written(user, result, out),
        }
        self.go_on(now, out);
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Round => {
                    self.timers.set(Timer::Round, now + self.policy.interval);
                    self.begin_round();
                }
                Timer::Again => self.look_again(now),
                Timer::Silence => self.give_up(now, out),
            }
            self.go_on(now, out);
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Told { file, fate } => {
                let note = Note::new("external").text("state", fate.word()).text("file", file.name());
                match fate {
                    // Every round says so of nearly everybody.
                    Fate::Unchanged => None,
                    Fate::Created | Fate::Changed | Fate::Deleted | Fate::Suspected => Some(note),
                    Fate::Failed(why) => Some(note.text("why", why)),
                }
            }
            Effect::Read(_) | Effect::Write { .. } | Effect::Met { .. } => None,
        }
    }
}

impl Fate {
    fn word(&self) -> &'static str {
        match self {
            Fate::Created => "created",
            Fate::Changed => "changed",
            Fate::Unchanged => "unchanged",
            Fate::Deleted => "deleted",
            Fate::Suspected => "suspected",
            Fate::Failed(_) => "failed",
        }
    }
}

fn tell(file: File, fate: Fate, out: &mut Vec<Effect>) {
    out.push(Effect::Told { file, fate });
}

impl fmt::Debug for Epr {
    /// How much there is to do: what it holds may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.wishes.len() + self.waiting.len();
        write!(f, "Epr({waiting} waiting, {} busy, {} suspected)", self.busy.len(), self.suspects.len())
    }
}

mod answers;
mod rounds;
pub mod strangers;
#[cfg(test)]
mod tests;
