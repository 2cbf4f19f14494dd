//! What other OMMs say about the user, and whom to believe.
//!
//! The newest epoch wins, unless its phone was seen longer ago than ours was here: then a wall clock runs ahead, or the
//! phone came back to us unheard, and we claim again on top (B-9).

use std::cmp::Ordering;
use std::time::Duration;

use machine::time::{Moment, Wall};

use super::memory::{Known, Timer, Waiting};
use super::{Alarm, CLOCK_TOLERANCE, Effect, Refusal, Roaming, State};
use crate::claim::{Claim, Confirm, Outcome, Phase, Stale, Word};
use crate::presence::Presence;
use crate::roaming::record::Contact;
use crate::stamp::Stamp;

impl Roaming {
    /// A claim came over the star, or was handed over by one who stands by it.
    pub(super) fn heard(
        &mut self,
        now: Moment,
        claim: Claim,
        stamp: Stamp,
        wall: Wall,
        out: &mut Vec<Effect>,
    ) {
        if self.policy.pari_only.is_some_and(|only| only.pari != claim.owner.pari) {
            // whoever claims it has older settings than we; its claim is void.
            out.push(Effect::Alarm(Alarm::PariOnlySeen));
            return self.correct(now, &claim, out);
        }
        let known = self.known.map(|known| (known.epoch, known.phase));
        match known.map_or(Ordering::Greater, |known| claim.rank().cmp(&known)) {
            Ordering::Less => self.correct(now, &claim, out),
            Ordering::Equal => self.heard_again(now, &claim, stamp, out),
            Ordering::Greater if claim.owner == self.me => self.heard_own(now, claim, stamp, wall, out),
            Ordering::Greater if self.serves() => {
                if claim.age > self.presence.age(now) {
                    self.claim_above(now, &claim, stamp, wall, out);
                } else {
                    self.yield_to(now, claim, wall, out);
                }
            }
            Ordering::Greater => self.learn(now, claim, stamp, wall, out),
        }
    }

    /// Tells an owner that its claim is not the newest. It has or had a registration that we did not know of. As long
    /// as ours may not stand yet, it hears nothing: the announcement that follows tells it the same.
    fn correct(&mut self, now: Moment, claim: &Claim, out: &mut Vec<Effect>) {
        if self.serves() && claim.owner != self.me {
            self.took_over.get_or_insert(now);
            if self.state == State::Asking || self.timers.at(Timer::Announce).is_some() {
                return;
            }
            let mine = self.claim(now).map(|mine| Word::Stale(Stale { to: claim.owner, claim: mine }));
            out.extend(mine.map(Effect::Say));
        }
    }

    /// A claim that was known already: who was asked answers again, in case the first answer was lost.
    fn heard_again(&mut self, now: Moment, claim: &Claim, stamp: Stamp, out: &mut Vec<Effect>) {
        if let Some((presence, located)) = self.hearsay.take().map(|mine| *mine) {
            self.presence = Presence::aged(claim.age, now);
            if claim.age > presence.age(now) {
                let former = Some((claim.owner, claim.phase));
                let epoch = stamp.above(claim.epoch);
                let back = Waiting { device: claim.device, ask: None, epoch, former, presence, located };
                return match self.state {
                    State::Yielding if self.waiting.is_none() => self.wait(back, out),
                    State::Absent if self.waiting.is_none() => self.claim_when_allowed(now, back, out),
                    State::Absent | State::Yielding | State::Gone => {}
                    State::Asking | State::Claiming | State::Unconfirmed | State::Settled => {}
                };
            }
        }
        let asked = claim.former == Some(self.me) && claim.phase == Phase::Here;
        if self.state == State::Absent && asked {
            self.say_outcome(self.standing_outcome(), out);
        }
    }

    /// The OMM's own claim, but newer than what its store knows: the store lost something.
    fn heard_own(&mut self, now: Moment, claim: Claim, stamp: Stamp, wall: Wall, out: &mut Vec<Effect>) {
        match self.state {
            State::Claiming | State::Unconfirmed | State::Settled | State::Asking => {
                self.claim_above(now, &claim, stamp, wall, out);
            }
            State::Absent | State::Yielding | State::Gone => {
                self.stop_waiting(Refusal::Overtaken, out);
                self.timers.clear();
                self.note(now, &claim, wall);
                match claim.phase {
                    Phase::Gone => {
                        self.state = State::Gone;
                        self.save(out);
                    }
                    Phase::Here => {
                        self.save(out);
                        self.ask_registrar(now, claim.age, out);
                    }
                }
            }
        }
    }

    /// "I know a newer claim": believe it if its phone was seen later than ours.
    pub(super) fn corrected(
        &mut self,
        now: Moment,
        stale: Stale,
        stamp: Stamp,
        wall: Wall,
        out: &mut Vec<Effect>,
    ) {
        let claim = stale.claim;
        let newer = self.known.is_none_or(|known| claim.rank() > (known.epoch, known.phase));
        if stale.to != self.me || !newer || claim.owner == self.me {
            return;
        }
        if self.serves() && claim.age >= self.presence.age(now) {
            self.claim_above(now, &claim, stamp, wall, out);
        } else {
            self.heard(now, claim, stamp, wall, out);
        }
    }

    /// The phone is here in spite of that newer claim: claim again, above it.
    fn claim_above(&mut self, now: Moment, claim: &Claim, stamp: Stamp, wall: Wall, out: &mut Vec<Effect>) {
        let Some(known) = self.known else { return };
        // The claim was made when its phone was seen, or before; a later stamp comes from a clock that runs ahead.
        let seen = wall.back(claim.age).as_millis();
        if claim.owner != self.me
            && Duration::from_millis(claim.epoch.ms.saturating_sub(seen)) > CLOCK_TOLERANCE
        {
            out.push(Effect::Alarm(Alarm::ClockAhead(claim.owner)));
        }
        let former = Some((claim.owner, claim.phase)).filter(|(owner, _)| *owner != self.me);
        let waiting = Waiting {
            device: known.device,
            ask: None,
            epoch: stamp.above(claim.epoch),
            former,
            presence: self.presence,
            located: self.located,
        };
        self.claim_when_allowed(now, waiting, out);
    }

    /// Takes a newer claim into the record of one who does not serve.
    fn learn(&mut self, now: Moment, claim: Claim, stamp: Stamp, wall: Wall, out: &mut Vec<Effect>) {
        self.reconsider(now, &claim, stamp, out);
        let asked = self.state == State::Gone || claim.former == Some(self.me);
        let here = claim.phase == Phase::Here;
        self.note(now, &claim, wall);
        match (self.state, self.contact) {
            (State::Yielding, _) => self.save(out), // One confirmation will cover both (SM-2, edge cases).
            (_, Contact::Leaving) => {
                self.state = State::Yielding;
                self.timers.stop(Timer::Claim); // A claim that waits goes on when the removal has ended.
                self.timers.set(Timer::Removal, now + self.policy.removal);
                self.save(out);
            }
            (_, Contact::Nothing | Contact::Doubtful | Contact::Standing) => {
                self.state = State::Absent;
                self.save(out);
                if asked && here {
                    self.say_outcome(self.standing_outcome(), out);
                }
            }
        }
    }

    /// A claim of ours that waits is void when the phone was seen elsewhere since; otherwise it goes on top.
    fn reconsider(&mut self, now: Moment, claim: &Claim, stamp: Stamp, out: &mut Vec<Effect>) {
        let Some(waiting) = &mut self.waiting else { return };
        if claim.age <= waiting.presence.age(now) {
            self.stop_waiting(Refusal::Overtaken, out);
        } else {
            waiting.epoch = stamp.above(claim.epoch);
            waiting.former = Some((claim.owner, claim.phase));
        }
    }

    /// Makes this the newest claim known.
    pub(super) fn note(&mut self, now: Moment, claim: &Claim, wall: Wall) {
        if self.known.is_none_or(|known| known.epoch < claim.epoch) {
            self.flapping.note(now); // Not when its phone has gone since: that is the same claim.
        }
        self.known = Some(Known {
            device: claim.device,
            epoch: claim.epoch,
            owner: claim.owner,
            former: claim.former,
            phase: claim.phase,
        });
        self.presence = Presence::aged(claim.age, now);
        self.located = wall.back(claim.age);
        self.hearsay = None;
    }

    /// Confirms the newest claim known.
    pub(super) fn say_outcome(&self, outcome: Outcome, out: &mut Vec<Effect>) {
        out.extend(self.known.map(|known| {
            let (user, from) = (self.user.clone(), self.me);
            Effect::Say(Word::Confirm(Confirm { user, epoch: known.epoch, from, outcome }))
        }));
    }

    /// What can be said of our registration without asking anybody.
    const fn standing_outcome(&self) -> Outcome {
        match self.contact {
            Contact::Nothing => Outcome::None,
            Contact::Standing | Contact::Leaving | Contact::Doubtful => Outcome::Unknown,
        }
    }
}
