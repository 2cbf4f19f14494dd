//! One user at one OMM (spec SM-2).
//!
//! ```text
//!            phone here                 all confirmed
//! Absent ---------------> Claiming -----------------> Settled --- watchdog, detach ---> Gone
//!   ^                        | 15 s without              |                                |
//!   |                        v confirmation              | newer claim                    | phone here:
//!   |                    Unconfirmed                     v                                | Claiming, Settled
//!   '------------- confirmed, done ------------------ Yielding                            v
//!
//! (start of the process, owner by the record) ---> Asking --- nothing newer listed ---> Claiming, Settled
//! ```
//!
//! Whoever sees the phone registers it at once, without waiting for anybody (M-2.1.4.1-a), and tells the others (-b) as
//! soon as the registrar has answered: the former owner's removal never overtakes the new registration. The
//! former owner removes its registration (-c), and only when that has a final answer it confirms (-d, AMB-2); each
//! confirmation makes the new owner register once more (-e), because the removal may have hit its registration too.
//! Without a confirmation it does so by itself (M-2.1.4.2-b). Every message is idempotent by its epoch, the newest
//! epoch wins, and where clocks disagree the fresher proof of presence decides (B-9).
//!
//! What becomes visible to others is durable first: a claim before its REGISTER and its announcement, a location
//! registration before the phone's answer (B-1).

use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use machine::timers::Timers;

use crate::claim::{Claim, Outcome, Word};
use crate::flapping::Flapping;
use crate::ids::{Ipei, Number};
use crate::presence::Presence;
use crate::stamp::{OmmId, Stamp};
use crate::watchdog::{self, Verdict, Watchdog};
use memory::{Known, Said, Timer, Waiting};
use policy::Policy;
use record::{Awaited, Contact, Record};

mod claiming;
mod hearing;
mod memory;
mod notes;
pub mod policy;
pub mod record;
mod restart;
#[cfg(test)]
mod tests;
mod yielding;

/// By how much a claim's stamp may lie after the sighting it stands for: the clock warning limit of spec 8. Beyond it,
/// the claimer's clock runs ahead.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);
/// For how long a confirmation is said again whenever a link comes up: a registration's usual life (spec 8), after
/// which the new owner has registered again anyway. Ours.
pub const CONFIRM_REPEAT: Duration = Duration::from_secs(3600);
/// How often an owner reminds those who have not confirmed: they may have restarted, and have lost the question. Ours.
pub const REMIND_PERIOD: Duration = Duration::from_secs(1800);
/// How long a restarted owner waits for the registrar's answer: longer than Timer F (32 s). Ours; the line reports earlier.
pub const QUERY_MAX: Duration = Duration::from_secs(40);
/// How many OMMs may be awaited, and how many sibling contacts are looked at: 11 sites of two members (M-2.1.1-a).
pub const OMMS_MAX: usize = 22;

/// A phone's request that waits for an answer: given by the actor, handed back in `Admit` or `Refuse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask(pub u64);

/// What can happen to a user at an OMM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A location registration or a login here.
    Located {
        /// The handset.
        device: Ipei,
        /// Who waits for the answer; `None` when it came by the location API.
        ask: Option<Ask>,
        /// Fresh.
        stamp: Stamp,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The phone said goodbye (power off).
    Detached {
        /// Which handset; `None` when it did not say, which is then taken for the one that the user is with.
        device: Option<Ipei>,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The user logged out here, was deleted, or its relation no longer leads here (spec 6.4).
    Withdrawn {
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// The star brought a word about this user.
    Heard {
        /// What was said.
        word: Word,
        /// Fresh: minted after the word was heard.
        stamp: Stamp,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// A link is in step again ([`crate::star::Effect::Joined`]).
    LinkUp,
    /// The line's REGISTER succeeded (the first one or a renewal).
    Bound,
    /// The registrar refused or nobody answered; the line goes on trying by itself. After [`Effect::Query`]: the
    /// registrar could not be asked.
    Unbound,
    /// The line's removal ended. After `Unknown` or `Failed` a late `Removed` may follow.
    Released(Outcome),
    /// What the registrar lists for this user besides our own contact. The answer to [`Effect::Query`], empty or
    /// not; at other times only when there is something to see.
    Sighted {
        /// Contacts of sibling OMMs.
        sightings: Vec<Sighting>,
        /// Fresh.
        stamp: Stamp,
        /// The calendar time of this OMM.
        wall: Wall,
    },
    /// A call of this user began or ended here (SM-4).
    Call {
        /// Whether a call is going on now.
        active: bool,
        /// The calendar time of this OMM.
        wall: Wall,
    },
}

/// A contact of a sibling OMM in the registrar's list (evidence, B-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whose contact.
    pub owner: OmmId,
    /// The epoch it carries.
    pub epoch: Stamp,
    /// The contact itself, to be handed back in [`Effect::Evict`].
    pub contact: String,
}

/// What a user at an OMM wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make this durable; no later effect may be performed before it is.
    Save(Record),
    /// Tell the phone yes.
    Admit(Ask),
    /// Tell the phone no.
    Refuse(Ask, Refusal),
    /// Register now; the contact carries this epoch (M-2.1.4.1-a). Also used when the epoch changes. Calls off a
    /// removal that is still going on.
    Bind {
        /// What the contact carries.
        epoch: Stamp,
    },
    /// One more REGISTER, at once, whatever the line's back-off says (M-2.1.4.1-e).
    Renew,
    /// Remove every registration of this user (M-2.1.4.1-c); answered by [`Input::Released`].
    Unbind,
    /// Ask the registrar what it lists, before anything is registered (after a restart); answered by
    /// [`Input::Sighted`] or [`Input::Unbound`].
    Query,
    /// Remove these sibling contacts together with the next own REGISTER.
    Evict(Vec<String>),
    /// Tell the other OMMs.
    Say(Word),
    /// What the watchdog found (user monitoring, SM-4).
    Watch(Verdict),
    /// Tell the operator.
    Alarm(Alarm),
}

/// Why a phone is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The handset may only be at another OMM (6.4, R-14).
    PariOnlyElsewhere,
    /// Nobody is known here by that name.
    Unknown,
    /// A newer location registration, here or elsewhere, overtook this one while it waited.
    Overtaken,
}

/// What the operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A handset that may only be at one OMM was seen at another (R-14).
    PariOnlySeen,
    /// This OMM's calendar runs ahead of ours (B-9, R-12).
    ClockAhead(OmmId),
    /// The handset roams so often that two radio coverages must overlap (R-15).
    Overlap,
    /// The handset was silent for too long; its registration is removed (M-2.1.4.3-b).
    WatchdogRemoval,
    /// The former owner has not confirmed: two OMMs may register the user (M-2.1.4.2-e).
    DoubleRegistration,
}

/// Where a user stands at this OMM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Served elsewhere or not at all.
    Absent,
    /// Owned here before the restart; the registrar is asked whether that still holds.
    Asking,
    /// Owned here; the former owner has yet to confirm.
    Claiming,
    /// Owned here; the former owner has not confirmed in time.
    Unconfirmed,
    /// Owned here, and nobody else has a registration.
    Settled,
    /// Owned elsewhere by a newer claim; our registration is being removed.
    Yielding,
    /// Owned here, but the phone has gone.
    Gone,
}

/// One user at one OMM. There are as many as users times OMMs, so it is kept small.
#[derive(Clone, Debug)]
pub struct Roaming {
    me: OmmId,
    user: Number,
    policy: Arc<Policy>,
    state: State,
    contact: Contact,
    known: Option<Known>,
    /// The last proof of presence known, ours or the one in the newest claim; the same by the calendar.
    presence: Presence,
    located: Wall,
    acked: Option<OmmId>,
    awaited: Vec<Awaited>,
    waiting: Option<Box<Waiting>>,
    said: Option<Said>,
    renewed: Option<Moment>,
    /// Our own last proof of presence, while the newer owner is known from the registrar only, which tells no age.
    hearsay: Option<Box<(Presence, Wall)>>,
    /// When this OMM took the user over from another, in this life of the process.
    took_over: Option<Moment>,
    /// Whether the registrar's last word on our registration was a no.
    refused: bool,
    timers: Timers<Timer>,
    watchdog: Watchdog,
    flapping: Flapping,
}

impl Roaming {
    /// A user of whom nothing is stored: served nowhere, as far as this OMM knows.
    pub fn new(me: OmmId, user: Number, policy: Arc<Policy>) -> Roaming {
        Roaming {
            me,
            user,
            state: State::Absent,
            contact: Contact::Nothing,
            known: None,
            presence: Presence::fresh(Moment::START),
            located: Wall::default(),
            acked: None,
            awaited: Vec::new(),
            waiting: None,
            said: None,
            renewed: None,
            hearsay: None,
            took_over: None,
            refused: false,
            timers: Timers::default(),
            watchdog: Watchdog::new(policy.watchdog),
            flapping: Flapping::default(),
            policy,
        }
    }

    /// Who it is.
    pub const fn user(&self) -> &Number {
        &self.user
    }

    /// Where the user stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether this OMM serves the user.
    pub const fn serves(&self) -> bool {
        matches!(self.state, State::Asking | State::Claiming | State::Unconfirmed | State::Settled)
    }

    /// Whether this OMM took the user over from another, in this life of the process.
    pub const fn has_taken_over(&self) -> bool {
        self.took_over.is_some()
    }

    /// How it stands with the handset's reports.
    pub const fn watchdog(&self) -> watchdog::State {
        self.watchdog.state()
    }

    /// The newest claim known, with its age at `now`.
    pub fn claim(&self, now: Moment) -> Option<Claim> {
        self.known.map(|known| Claim {
            user: self.user.clone(),
            device: known.device,
            epoch: known.epoch,
            owner: known.owner,
            former: known.former,
            phase: known.phase,
            age: self.presence.age(now),
        })
    }

    fn save(&self, out: &mut Vec<Effect>) {
        let Some(known) = self.known else { return };
        out.push(Effect::Save(Record {
            user: self.user.clone(),
            device: known.device,
            epoch: known.epoch,
            owner: known.owner,
            former: known.former,
            acked: self.acked,
            phase: known.phase,
            last_locreg: self.located,
            awaited: self.awaited.clone(),
            contact: self.contact,
        }));
    }
}

impl Machine for Roaming {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        use State::{Absent, Asking, Claiming, Gone, Settled, Unconfirmed, Yielding};
        match (input, self.state) {
            (Input::Located { ask, .. }, _) if self.elsewhere_only() => {
                out.extend(ask.map(|ask| Effect::Refuse(ask, Refusal::PariOnlyElsewhere)));
                out.push(Effect::Alarm(Alarm::PariOnlySeen));
            }
            (Input::Located { device, ask, stamp, wall }, Absent | Asking | Gone) => {
                self.appear(now, device, ask, stamp, wall, out);
            }
            (Input::Located { device, ask, stamp, wall }, Claiming | Unconfirmed | Settled) => {
                self.report(now, device, ask, stamp, wall, out);
            }
            (Input::Located { device, ask, stamp, wall }, Yielding) => {
                let waiting = self.intend(now, device, ask, stamp, wall);
                self.wait(waiting, out);
            }
            // The user has taken another handset since; this one was switched off.
            (Input::Detached { device: Some(device), .. }, _) if !self.is_with(device) => {}
            (Input::Detached { wall, .. }, Asking | Claiming | Unconfirmed | Settled) => {
                self.detach(now, wall, out)
            }
            (Input::Detached { .. }, Absent | Yielding | Gone) => self.stop_waiting(Refusal::Overtaken, out),
            (Input::Withdrawn { .. }, Asking | Claiming | Unconfirmed | Settled) => {
                self.leave(now, Absent, out)
            }
            (Input::Withdrawn { .. }, Absent | Yielding) => {
                self.stop_waiting(Refusal::Unknown, out);
                // What was seen of a phone that is somebody else's now takes nobody back.
                self.hearsay = None;
            }
            (Input::Withdrawn { .. }, Gone) => {
                self.stop_waiting(Refusal::Unknown, out);
                self.hearsay = None;
                self.state = Absent;
            }
            (Input::Heard { word, .. }, _) if *word.user() != self.user => {
                debug_assert!(false, "a word for {} reached {}", word.user(), self.user);
            }
            (Input::Heard { word: Word::Claim(claim), stamp, wall }, _) => {
                self.heard(now, claim, stamp, wall, out)
            }
            (
                Input::Heard { word: Word::Confirm(confirm), .. },
                Asking | Claiming | Unconfirmed | Settled,
            ) => {
                self.confirmed(now, &confirm, out);
            }
            (Input::Heard { word: Word::Confirm(_), .. }, Absent | Yielding | Gone)
            | (Input::Heard { word: Word::Bound(_), .. }, _) => {}
            (Input::Heard { word: Word::Stale(stale), stamp, wall }, _) => {
                self.corrected(now, stale, stamp, wall, out);
            }
            (Input::LinkUp, Claiming | Unconfirmed | Settled) => self.relinked(now, out),
            (Input::LinkUp, Absent) => self.confirm_again(now, out),
            (Input::LinkUp, Asking | Yielding | Gone) => {}
            (Input::Unbound, Asking) => self.serve_again(now, out),
            // The line tries on by itself, and a renewal is its business.
            (Input::Unbound, Claiming | Unconfirmed | Settled) => {
                self.refused = true;
                self.announce(now, out);
            }
            (Input::Bound, Claiming | Unconfirmed | Settled) => {
                self.refused = false;
                self.announce(now, out);
            }
            (Input::Unbound | Input::Bound, Absent | Yielding | Gone) | (Input::Bound, Asking) => {}
            (Input::Released(outcome), Yielding) => self.yielded(now, outcome, out),
            (Input::Released(outcome), Absent | Gone) => self.released_late(now, outcome, out),
            // Overtaken by the registration that followed.
            (Input::Released(_), Asking | Claiming | Unconfirmed | Settled) => {}
            (Input::Sighted { sightings, wall, .. }, Asking) => self.answered(now, &sightings, wall, out),
            (Input::Sighted { sightings, wall, .. }, Claiming | Unconfirmed | Settled) => {
                self.sighted(now, sightings, wall, out);
            }
            (Input::Sighted { .. }, Absent | Yielding | Gone) => {}
            (Input::Call { active, .. }, _) => self.watch(now, watchdog::Input::Call(active), out),
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        match (self.timers.next(), self.watchdog.deadline()) {
            (Some(timer), Some(watchdog)) => Some(if watchdog.0 < timer.0 { watchdog } else { timer }),
            (timer, watchdog) => timer.or(watchdog),
        }
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Announce => self.ask_again(now, out),
                Timer::Confirm => self.missed(now, out),
                Timer::ConfirmAgain => self.renew_unconfirmed(now, out),
                Timer::Ask => self.remind(now, out),
                Timer::Removal => self.yielded(now, Outcome::Unknown, out),
                Timer::Renew => self.renew(now, out),
                Timer::Detach => self.leave(now, State::Gone, out),
                Timer::Claim => self.claim_waiting(now, out),
                Timer::Query => self.serve_again(now, out),
            }
        }
        let mut verdicts = Vec::new();
        self.watchdog.wake(now, &mut verdicts);
        self.judge(now, verdicts, out);
    }

    fn note_input(input: &Input) -> Option<Note> {
        notes::input(input)
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        notes::effect(effect)
    }
}
