//! How an attempt goes: dial, introduce ourselves, be let in; or be held, or retreat (SM-1R).

use machine::time::{Moment, Wall};

use super::exchange::Exchange;
use super::{Alarm, Dial, Effect, Health, Held, State, Timer};
use crate::directory::sync::word::{Have, Word};
use crate::link::census::Census;
use crate::link::frame::{Facts, Frame, Mismatch, Open, OpenError, Purpose};

impl Dial {
    /// Attached for the first time an OMM has nothing of its own: the forgotten step would spread its data.
    pub(super) fn activate(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let (census, first) = (self.attach.census, self.attach.facts.sari.is_none());
        if first && census != Census::default() && !self.attach.adopt {
            out.push(Effect::Alarm(Alarm::NotEmpty(census)));
            return self.show(Health::Refused(census), out);
        }
        self.dial(now, out);
    }

    pub(super) fn dial(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let addresses = &self.attach.addresses;
        let Some(address) = addresses.get(self.turn % addresses.len().max(1)) else { return };
        out.push(Effect::Connect { address: address.clone() });
        self.timers.set(Timer::Patience, now + self.attach.timing.connect);
        self.turn_to(State::Dialling, out);
    }

    pub(super) fn introduce(&mut self, now: Moment, wall: Wall, out: &mut Vec<Effect>) {
        self.pulse.saw(now, wall);
        let facts = Facts { wall, ..self.attach.facts };
        let open = Open {
            user: self.attach.user.clone(),
            password: self.attach.password.clone(),
            facts,
            door: self.attach.door.clone(),
            purpose: Purpose::Link,
        };
        out.push(Effect::Send(Frame::Open(Box::new(open))));
        // The answer is here before anything that the central lets us have.
        self.ping(now, out);
        self.timers.set(Timer::Patience, now + self.attach.timing.open);
        self.turn_to(State::Opening, out);
        // Whoever was never attached has yet to see that this is the central of its system.
        if self.attach.facts.sari.is_some() {
            self.ask(out);
        }
    }

    /// The central took us in; do we take it? The checks come in the order of SM-1R.
    pub(super) fn let_in(&mut self, now: Moment, theirs: Facts, out: &mut Vec<Effect>) {
        if let Some(mismatch) = self.attach.facts.mismatch(&theirs) {
            return self.hold(now, Held::Here(mismatch), out);
        }
        if let Some((then, seq, theirs)) = self.early.take() {
            self.pong(then, seq, theirs, out);
            if matches!(self.state, State::Held(_)) {
                return;
            }
        }
        let timing = self.attach.timing;
        self.timers.stop(Timer::Patience);
        self.exchange = Exchange::begin(now);
        self.timers.set(Timer::Slow, now + timing.sync);
        self.timers.set(Timer::Dead, now + timing.dead);
        (self.told, self.inactive) = (None, 0);
        let first = self.attach.facts.sari.is_none();
        if let (None, Some(sari)) = (self.attach.facts.sari, theirs.sari) {
            self.attach.facts.sari = Some(sari);
            out.push(Effect::Learned(sari));
        }
        out.push(Effect::Up(theirs.omm));
        self.turn_to(State::Download(theirs.omm), out);
        if first {
            self.ask(out);
        }
    }

    fn ask(&mut self, out: &mut Vec<Effect>) {
        self.asked = true;
        out.push(Effect::Ask);
    }

    /// Once a connection. What was asked for on an earlier one may be told on this one: it is less than we have, at worst.
    pub(super) fn tell_have(&mut self, have: Have, out: &mut Vec<Effect>) {
        if std::mem::take(&mut self.asked) {
            out.push(Effect::Send(Frame::Directory(Box::new(Word::Have(have)))));
        }
    }

    /// The central does not want us, or is not the one that serves.
    pub(super) fn refused(&mut self, now: Moment, error: OpenError, out: &mut Vec<Effect>) {
        match error {
            OpenError::Inactive => self.turn_away(now, out),
            // Both sides measure; which of them says so first is chance.
            OpenError::Mismatch(Mismatch::Clock) => self.hold(now, Held::Here(Mismatch::Clock), out),
            OpenError::Auth
            | OpenError::Delayed(_)
            | OpenError::Full
            | OpenError::NoSari
            | OpenError::Outranked
            | OpenError::Stranger
            | OpenError::Mismatch(_) => self.hold(now, Held::There(error), out),
        }
    }

    /// The inactive member of a pair: the other address at once, without a back-off. When all of them are inactive the
    /// pair is changing over, and that takes a while.
    fn turn_away(&mut self, now: Moment, out: &mut Vec<Effect>) {
        out.push(Effect::Close);
        self.inactive += 1;
        if self.inactive >= self.attach.addresses.len() {
            self.inactive = 0;
            return self.retreat(now, out);
        }
        self.leave(out);
        self.turn = self.turn.wrapping_add(1);
        self.timers.clear();
        self.dial(now, out);
    }

    pub(super) fn astray(&mut self, now: Moment, out: &mut Vec<Effect>) {
        out.push(Effect::Alarm(Alarm::Protocol));
        out.push(Effect::Close);
        self.retreat(now, out);
    }

    pub(super) fn hold(&mut self, now: Moment, held: Held, out: &mut Vec<Effect>) {
        self.leave(out);
        out.push(Effect::Close);
        if self.told.replace(held) != Some(held) {
            out.push(Effect::Alarm(Alarm::Held(held)));
        }
        self.timers.clear();
        self.timers.set(Timer::Again, now + self.attach.timing.held);
        self.turn_to(State::Held(held), out);
    }

    /// The attempt or the connection failed: the other address is next, after the back-off.
    pub(super) fn retreat(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let timing = self.attach.timing;
        self.leave(out);
        let window = timing.backoff_first.saturating_mul(1 << self.failures.min(16)).min(timing.backoff_max);
        self.failures = self.failures.saturating_add(1);
        self.turn = self.turn.wrapping_add(1);
        self.timers.clear();
        self.timers.set(Timer::Again, now + self.chance.between(window / 2, window));
        self.turn_to(State::Wait, out);
    }

    /// Whoever was told of an `Up` hears that it is over.
    pub(super) fn leave(&mut self, out: &mut Vec<Effect>) {
        self.pulse.rest();
        (self.asked, self.early) = (false, None);
        match self.state {
            State::Download(peer) | State::Upload(peer) | State::InSync(peer) => out.push(Effect::Down(peer)),
            State::Off | State::Dialling | State::Opening | State::Wait | State::Held(_) => {}
        }
    }
}
