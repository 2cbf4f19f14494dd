//! The verbs of an owner: claim, report, renew, leave.

use machine::step::Machine;
use machine::time::{Moment, Wall};

use super::memory::{Known, Timer, Waiting};
use super::{Alarm, Ask, CONFIRM_REPEAT, Effect, OMMS_MAX, REMIND_PERIOD, Refusal, Roaming, State};
use crate::claim::{Claim, Confirm, Outcome, Phase, Word};
use crate::ids::Ipei;
use crate::presence::Presence;
use crate::roaming::policy::Evidence;
use crate::roaming::record::{Awaited, Contact};
use crate::stamp::Stamp;
use crate::watchdog::{self, Verdict};

impl Roaming {
    /// Whether the handset may only be at another OMM (M-2.1.4-b, R-14). Either member of a pair will do.
    pub(super) fn elsewhere_only(&self) -> bool {
        self.policy.pari_only.is_some_and(|only| only.pari != self.me.pari)
    }

    /// Whether the user is with this handset, as far as this OMM was told last.
    pub(super) fn is_with(&self, device: Ipei) -> bool {
        let waiting = self.waiting.as_ref().map(|waiting| waiting.device);
        waiting.or(self.known.map(|known| known.device)).is_none_or(|own| own == device)
    }

    /// The phone is here and was not before: claim it.
    pub(super) fn appear(
        &mut self,
        now: Moment,
        device: Ipei,
        ask: Option<Ask>,
        stamp: Stamp,
        wall: Wall,
        out: &mut Vec<Effect>,
    ) {
        let waiting = self.intend(now, device, ask, stamp, wall);
        self.claim_when_allowed(now, waiting, out);
    }

    /// The claim that a location registration calls for, newer than all seen.
    pub(super) fn intend(
        &self,
        now: Moment,
        device: Ipei,
        ask: Option<Ask>,
        stamp: Stamp,
        wall: Wall,
    ) -> Waiting {
        Waiting {
            device,
            ask,
            epoch: self.known.map_or(stamp, |known| stamp.above(known.epoch)),
            former: self.known.filter(|known| known.owner != self.me).map(|known| (known.owner, known.phase)),
            presence: Presence::fresh(now),
            located: wall,
        }
    }

    /// Claims at once, or later when the handset flaps.
    pub(super) fn claim_when_allowed(&mut self, now: Moment, waiting: Waiting, out: &mut Vec<Effect>) {
        let held = self.flapping.hold(now);
        if self.flapping.tell(now) {
            out.push(Effect::Alarm(Alarm::Overlap));
        }
        match held {
            None => self.make_claim(now, waiting, out),
            Some(until) => {
                self.wait(waiting, out);
                self.timers.set(Timer::Claim, until);
            }
        }
    }

    /// Keeps a claim for later; it replaces one that waits already.
    pub(super) fn wait(&mut self, waiting: Waiting, out: &mut Vec<Effect>) {
        self.stop_waiting(Refusal::Overtaken, out);
        self.waiting = Some(Box::new(waiting));
    }

    /// Gives up a claim that waits, and tells the phone.
    pub(super) fn stop_waiting(&mut self, refusal: Refusal, out: &mut Vec<Effect>) {
        self.timers.stop(Timer::Claim);
        let ask = self.waiting.take().and_then(|waiting| waiting.ask);
        out.extend(ask.map(|ask| Effect::Refuse(ask, refusal)));
    }

    /// Makes the claim that waits.
    pub(super) fn claim_waiting(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if let Some(waiting) = self.waiting.take() {
            self.make_claim(now, *waiting, out);
        }
    }

    /// Durable first, then the phone's answer and the REGISTER (M-2.1.4.1-a); the announcement (-b) follows its answer.
    fn make_claim(&mut self, now: Moment, claim: Waiting, out: &mut Vec<Effect>) {
        self.stop_waiting(Refusal::Overtaken, out);
        self.timers.clear();
        debug_assert!(
            self.known.is_none_or(|known| claim.epoch > known.epoch),
            "a claim that is not the newest"
        );
        self.await_former(&claim);
        self.known = Some(Known {
            device: claim.device,
            epoch: claim.epoch,
            owner: self.me,
            former: claim.former.map(|(former, _)| former),
            phase: Phase::Here,
        });
        self.presence = claim.presence;
        self.located = claim.located;
        self.contact = Contact::Standing;
        self.said = None;
        self.hearsay = None;
        self.took_over = claim.former.map(|_| now);
        self.flapping.note(now);
        self.own(now);
        self.save(out);
        out.extend(claim.ask.map(Effect::Admit));
        out.push(Effect::Bind { epoch: claim.epoch });
        self.announce_behind_answer(now, out);
        self.watch(now, watchdog::Input::Owned { age: claim.presence.age(now) }, out);
    }

    /// Announces the claim when its REGISTER has an answer. Announced at once it would race the REGISTER, whose challenge
    /// takes a round trip that the former owner's removal does not need, and for a moment the registrar would know
    /// nobody. A user whom nobody else serves is announced now.
    pub(super) fn announce_behind_answer(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.awaited.is_empty() || self.policy.announce.is_zero() {
            self.ask_again(now, out);
        } else {
            self.timers.set(Timer::Announce, now + self.policy.announce);
        }
    }

    /// The REGISTER has its first answer: now the former owner may hear of the claim.
    pub(super) fn announce(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.timers.at(Timer::Announce).is_some() {
            self.timers.stop(Timer::Announce);
            self.ask_again(now, out);
        }
    }

    /// The former owner is to confirm, unless it is known to serve nobody (AMB-4).
    fn await_former(&mut self, claim: &Waiting) {
        let Some((former, phase)) = claim.former else { return };
        self.awaited.retain(|awaited| awaited.from != former);
        if phase == Phase::Here && self.awaited.len() < OMMS_MAX {
            self.awaited.push(Awaited { from: former, epoch: claim.epoch });
        }
    }

    /// Enters the owner state that fits those who are awaited.
    pub(super) fn own(&mut self, now: Moment) {
        if self.awaited.is_empty() {
            self.state = State::Settled;
            self.acked = Some(self.me);
        } else {
            self.state = State::Claiming;
            self.timers.set(Timer::Confirm, now + self.policy.confirm);
            self.timers.set(Timer::ConfirmAgain, now + self.policy.confirm_again);
        }
    }

    /// The phone is still here; another handset of the same user is a new claim.
    pub(super) fn report(
        &mut self,
        now: Moment,
        device: Ipei,
        ask: Option<Ask>,
        stamp: Stamp,
        wall: Wall,
        out: &mut Vec<Effect>,
    ) {
        // A goodbye counts no more, whichever handset said it.
        self.timers.stop(Timer::Detach);
        if self.known.is_none_or(|known| known.device != device) {
            return self.appear(now, device, ask, stamp, wall, out);
        }
        self.presence = Presence::fresh(now);
        self.located = wall;
        if let Some(waiting) = &mut self.waiting {
            (waiting.presence, waiting.located) = (self.presence, wall);
        }
        self.watch(now, watchdog::Input::Located, out);
        self.save(out);
        out.extend(ask.map(Effect::Admit));
    }

    /// Somebody has removed its registration, or perhaps has: ours may be gone with it (M-2.1.4.1-e). Whoever was
    /// asked settles the matter with any outcome; an unasked `none` changes nothing.
    pub(super) fn confirmed(&mut self, now: Moment, confirm: &Confirm, out: &mut Vec<Effect>) {
        let Some(known) = self.known else { return };
        if confirm.epoch > known.epoch || confirm.from == self.me {
            return; // A claim that we have not heard of; it will come.
        }
        let asked = self.awaited.len();
        self.awaited.retain(|awaited| awaited.from != confirm.from || confirm.epoch < awaited.epoch);
        let asked = self.awaited.len() < asked;
        if asked {
            if self.awaited.is_empty() && self.state != State::Asking {
                self.timers.stop(Timer::Confirm);
                self.timers.stop(Timer::ConfirmAgain);
                self.timers.stop(Timer::Ask);
                self.own(now);
            }
            self.save(out);
        }
        if self.state != State::Asking && (asked || confirm.outcome != Outcome::None) {
            self.renew(now, out);
        }
    }

    /// Nobody confirmed in time: renew anyway (M-2.1.4.2-b), and ask again.
    pub(super) fn missed(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.state = State::Unconfirmed;
        out.push(Effect::Alarm(Alarm::DoubleRegistration));
        self.renew(now, out);
        self.remind(now, out);
    }

    /// Asks again, now and every half hour.
    pub(super) fn remind(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.timers.set(Timer::Ask, now + REMIND_PERIOD);
        self.ask_again(now, out);
    }

    /// A link is in step again. Whoever has yet to confirm is asked again, and what was confirmed while the link was
    /// down has been lost: renew, as long as the takeover is young enough for that to matter (ours).
    /// One case is left to the line's next refresh: a removal by an owner that nobody knew of when we claimed.
    pub(super) fn relinked(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if !self.awaited.is_empty() && self.timers.at(Timer::Announce).is_none() {
            self.ask_again(now, out);
        }
        if self.took_over.is_some_and(|then| now.since(then) < CONFIRM_REPEAT) {
            self.renew(now, out);
        }
    }

    /// One more REGISTER, not more often than every two seconds (B-6); none is forgotten.
    pub(super) fn renew(&mut self, now: Moment, out: &mut Vec<Effect>) {
        match self.renewed.map(|last| last + self.policy.renew_gap) {
            Some(next) if now < next => self.timers.set(Timer::Renew, next),
            Some(_) | None => {
                self.timers.stop(Timer::Renew);
                self.renewed = Some(now);
                out.push(Effect::Renew);
            }
        }
    }

    /// The second safety renewal. A registrar that takes one contact only and still holds the former owner's refuses it:
    /// it is asked what it holds, so that an older contact can be removed in the former owner's place (R-6, B-2). Ours.
    pub(super) fn renew_unconfirmed(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.renew(now, out);
        if self.refused && self.policy.evidence == Evidence::Evict {
            out.push(Effect::Query);
        }
    }

    /// The phone said goodbye, which proves at least that it was here.
    pub(super) fn detach(&mut self, now: Moment, wall: Wall, out: &mut Vec<Effect>) {
        self.presence = Presence::fresh(now);
        self.located = wall;
        if self.policy.detach_hold.is_zero() {
            self.leave(now, State::Gone, out);
        } else {
            self.timers.set(Timer::Detach, now + self.policy.detach_hold);
        }
    }

    /// Nobody is served here any more; nobody else serves either. The others hear it by the same epoch.
    pub(super) fn leave(&mut self, now: Moment, next: State, out: &mut Vec<Effect>) {
        self.stop_waiting(Refusal::Unknown, out);
        self.timers.clear();
        self.awaited.clear();
        self.contact = Contact::Leaving;
        self.state = next;
        if let Some(known) = &mut self.known {
            known.phase = Phase::Gone;
        }
        self.save(out);
        out.push(Effect::Unbind);
        self.say_claim(now, out);
        self.watch(now, watchdog::Input::Left, out);
    }

    /// Tells the watchdog.
    pub(super) fn watch(&mut self, now: Moment, input: watchdog::Input, out: &mut Vec<Effect>) {
        let mut verdicts = Vec::new();
        self.watchdog.on(now, input, &mut verdicts);
        self.judge(now, verdicts, out);
    }

    /// Does what the watchdog found: two and a half hours of silence end the registration (M-2.1.4.3-b).
    pub(super) fn judge(&mut self, now: Moment, verdicts: Vec<Verdict>, out: &mut Vec<Effect>) {
        for verdict in verdicts {
            out.push(Effect::Watch(verdict));
            match verdict {
                Verdict::Overdue => {}
                Verdict::Expired => {
                    out.push(Effect::Alarm(Alarm::WatchdogRemoval));
                    self.leave(now, State::Gone, out);
                }
            }
        }
    }

    /// Says the claim to everybody.
    pub(super) fn say_claim(&self, now: Moment, out: &mut Vec<Effect>) {
        out.extend(self.claim(now).map(|claim| Effect::Say(Word::Claim(claim))));
    }

    /// Says the claim again to everybody, and asks each of those who have yet to confirm.
    pub(super) fn ask_again(&self, now: Moment, out: &mut Vec<Effect>) {
        let Some(claim) = self.claim(now) else { return };
        for awaited in &self.awaited {
            let asking = Claim { former: Some(awaited.from), ..claim.clone() };
            out.push(Effect::Say(Word::Claim(asking)));
        }
        if self.awaited.is_empty() {
            out.push(Effect::Say(Word::Claim(claim)));
        }
    }
}
