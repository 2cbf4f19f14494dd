//! The start of the process, and what the registrar's contact list tells (SM-2 "process start", B-2).

use std::sync::Arc;
use std::time::Duration;

use machine::step::Machine;
use machine::time::{Moment, Wall};

use super::memory::{Known, Said, Timer};
use super::{CONFIRM_REPEAT, Effect, OMMS_MAX, QUERY_MAX, Roaming, Sighting, State};
use crate::claim::{Claim, Outcome, Phase};
use crate::presence::Presence;
use crate::roaming::policy::{Evidence, Policy};
use crate::roaming::record::{Contact, Record};
use crate::stamp::OmmId;
use crate::watchdog;

impl Roaming {
    /// Takes up a user where the record left it. An owner whose phone reported within the watchdog's time asks the
    /// registrar before it registers; an unfinished removal is taken up again.
    pub fn resume(
        me: OmmId,
        policy: Arc<Policy>,
        record: Record,
        now: Moment,
        wall: Wall,
        out: &mut Vec<Effect>,
    ) -> Roaming {
        let age = record.age(wall);
        let mut roaming = Roaming::new(me, record.user, policy);
        roaming.known = Some(Known {
            device: record.device,
            epoch: record.epoch,
            owner: record.owner,
            former: record.former,
            phase: record.phase,
        });
        roaming.presence = Presence::aged(age, now);
        roaming.located = record.last_locreg;
        roaming.acked = record.acked;
        roaming.awaited = record.awaited;
        roaming.contact = record.contact;
        match (record.owner == me, record.phase) {
            (true, Phase::Here) => roaming.ask_registrar(now, age, out),
            (true, Phase::Gone) => {
                roaming.state = State::Gone;
                roaming.clean_up(out);
            }
            (false, Phase::Here | Phase::Gone) => {
                if matches!(roaming.contact, Contact::Leaving | Contact::Standing) {
                    roaming.contact = Contact::Leaving;
                    roaming.state = State::Yielding;
                    roaming.timers.set(Timer::Removal, now + roaming.policy.removal);
                }
                roaming.clean_up(out);
                let asked = record.former == Some(me) && record.phase == Phase::Here;
                if asked && roaming.contact == Contact::Nothing {
                    // The answer may have been lost with the process.
                    roaming.said =
                        Some(Said { outcome: Outcome::None, at: now }).filter(|_| age < CONFIRM_REPEAT);
                }
            }
        }
        roaming
    }

    /// Removes what may still be registered from the life before.
    fn clean_up(&self, out: &mut Vec<Effect>) {
        match self.contact {
            Contact::Nothing => {}
            Contact::Standing | Contact::Leaving | Contact::Doubtful => out.push(Effect::Unbind),
        }
    }

    /// Ours by the record, seen so long ago: ask before anything is registered. Silence that is long enough already
    /// ends it here and now (M-2.1.4.3-b counts from the last report, not from the restart).
    pub(super) fn ask_registrar(&mut self, now: Moment, age: Duration, out: &mut Vec<Effect>) {
        self.state = State::Asking;
        let stop = self.policy.watchdog.map(|class| class.stop);
        let silent = stop.is_some_and(|stop| age >= stop);
        if !silent && !self.policy.alone {
            self.timers.set(Timer::Query, now + QUERY_MAX);
            out.push(Effect::Query);
        }
        self.watch(now, watchdog::Input::Owned { age }, out);
        let mut verdicts = Vec::new();
        self.watchdog.wake(now, &mut verdicts);
        self.judge(now, verdicts, out);
        if self.policy.alone && !silent {
            self.serve_again(now, out);
        }
    }

    /// The registrar has answered the question of a restart.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        sightings: &[Sighting],
        wall: Wall,
        out: &mut Vec<Effect>,
    ) {
        match self.newer(now, sightings) {
            Some(claim) => self.yield_to_contact(now, claim, wall, out),
            None => self.serve_again(now, out),
        }
    }

    /// Registers again under the same epoch and says so: whoever missed the claim hears it now.
    pub(super) fn serve_again(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let Some(known) = self.known else { return };
        self.timers.stop(Timer::Query);
        if self.contact != Contact::Standing {
            self.contact = Contact::Standing;
            self.save(out);
        }
        self.own(now);
        out.push(Effect::Bind { epoch: known.epoch });
        self.announce_behind_answer(now, out);
    }

    /// Contacts of siblings that came along with an ordinary answer.
    pub(super) fn sighted(
        &mut self,
        now: Moment,
        sightings: Vec<Sighting>,
        wall: Wall,
        out: &mut Vec<Effect>,
    ) {
        match (self.policy.evidence, self.newer(now, &sightings)) {
            (Evidence::Off, _) | (Evidence::Yield, None) => {}
            (Evidence::Yield | Evidence::Evict, Some(claim)) => {
                self.yield_to_contact(now, claim, wall, out);
            }
            // While the claim is young the former owner is left to remove its contact by itself.
            (Evidence::Evict, None) if self.state == State::Claiming => {}
            (Evidence::Evict, None) => {
                let older: Vec<String> = sightings
                    .into_iter()
                    .filter(|sighting| sighting.owner != self.me)
                    .take(OMMS_MAX)
                    .map(|sighting| sighting.contact)
                    .collect();
                if !older.is_empty() {
                    out.push(Effect::Evict(older));
                }
            }
        }
    }

    /// The registrar lists a newer owner, but not when its phone was seen. Should the claim itself turn out to be older
    /// than our own last proof of presence, we take the user back.
    fn yield_to_contact(&mut self, now: Moment, claim: Claim, wall: Wall, out: &mut Vec<Effect>) {
        let mine = (self.presence, self.located);
        self.yield_to(now, claim, wall, out);
        self.hearsay = Some(Box::new(mine));
    }

    /// The newest sibling contact that is newer than our claim, as the claim it stands for. Its age is not known; that
    /// of our own last proof stands in for it.
    fn newer(&self, now: Moment, sightings: &[Sighting]) -> Option<Claim> {
        let known = self.known?;
        let newest = sightings
            .iter()
            .filter(|sighting| sighting.owner != self.me && sighting.epoch > known.epoch)
            .max_by_key(|sighting| sighting.epoch)?;
        Some(Claim {
            user: self.user.clone(),
            device: known.device,
            epoch: newest.epoch,
            owner: newest.owner,
            former: Some(self.me),
            phase: Phase::Here,
            age: self.presence.age(now),
        })
    }
}
