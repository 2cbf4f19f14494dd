//! The verbs of a former owner: remove, wait for the final answer, confirm.

use machine::time::{Moment, Wall};

use super::memory::{Said, Timer};
use super::{CONFIRM_REPEAT, Effect, Refusal, Roaming, State};
use crate::claim::{Claim, Outcome, Phase};
use crate::roaming::record::Contact;
use crate::watchdog;

impl Roaming {
    /// The phone is with somebody else: end every registration (M-2.1.4.1-c).
    pub(super) fn yield_to(&mut self, now: Moment, claim: Claim, wall: Wall, out: &mut Vec<Effect>) {
        self.stop_waiting(Refusal::Overtaken, out);
        self.timers.clear();
        self.awaited.clear();
        self.note(now, &claim, wall);
        self.contact = Contact::Leaving;
        self.state = State::Yielding;
        self.timers.set(Timer::Removal, now + self.policy.removal);
        self.watch(now, watchdog::Input::Left, out);
        self.save(out);
        out.push(Effect::Unbind);
    }

    /// The removal has its final answer, or has had its time: confirm (M-2.1.4.1-d, AMB-2).
    pub(super) fn yielded(&mut self, now: Moment, outcome: Outcome, out: &mut Vec<Effect>) {
        self.timers.stop(Timer::Removal);
        self.contact = match outcome {
            Outcome::Removed | Outcome::None => Contact::Nothing,
            Outcome::Failed | Outcome::Unknown => Contact::Doubtful,
        };
        self.state = State::Absent;
        // Said before it is saved: after a crash in between it is said again, never lost.
        self.confirm(now, outcome, out);
        self.save(out);
        // The phone came back meanwhile.
        if let Some(waiting) = self.waiting.take() {
            self.claim_when_allowed(now, *waiting, out);
        }
    }

    /// A removal that nobody waits for any more has ended. If it was confirmed as doubtful, its success is news to the
    /// owner, whose registration it may have hit.
    pub(super) fn released_late(&mut self, now: Moment, outcome: Outcome, out: &mut Vec<Effect>) {
        match (self.contact, outcome) {
            (Contact::Doubtful, Outcome::Removed | Outcome::None) => {
                self.contact = Contact::Nothing;
                if self.known.is_some_and(|known| known.owner != self.me) {
                    // `None` here means that an attempt that seemed lost has worked (RFC 4321).
                    self.confirm(now, Outcome::Removed, out);
                }
                self.save(out);
            }
            (Contact::Leaving, Outcome::Removed | Outcome::None) => {
                self.contact = Contact::Nothing;
                self.save(out);
            }
            (Contact::Leaving, Outcome::Failed | Outcome::Unknown) => {
                self.contact = Contact::Doubtful;
                self.save(out);
            }
            (Contact::Doubtful, Outcome::Failed | Outcome::Unknown) => {}
            (
                Contact::Nothing | Contact::Standing,
                Outcome::Removed | Outcome::None | Outcome::Failed | Outcome::Unknown,
            ) => {}
        }
    }

    fn confirm(&mut self, now: Moment, outcome: Outcome, out: &mut Vec<Effect>) {
        self.said = Some(Said { outcome, at: now });
        self.say_outcome(outcome, out);
    }

    /// Nothing is queued for a dead link, so a confirmation may be lost; a link that comes up gets it again, as long
    /// as it can matter (ours).
    pub(super) fn confirm_again(&self, now: Moment, out: &mut Vec<Effect>) {
        let here = self.known.is_some_and(|known| known.owner != self.me && known.phase == Phase::Here);
        if let Some(said) = self.said.filter(|said| here && now.since(said.at) < CONFIRM_REPEAT) {
            self.say_outcome(said.outcome, out);
        }
    }
}
