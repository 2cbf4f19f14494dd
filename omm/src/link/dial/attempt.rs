//! How an attempt goes: dial, introduce ourselves, be let in; or be held, or retreat (SM-1R).

use machine::time::{Moment, Wall};

use super::{Alarm, Dial, Effect, Held, State, Timer};
use crate::link::frame::{Facts, Frame, Open};

impl Dial {
    pub(super) fn dial(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let addresses = &self.attach.addresses;
        let Some(address) = addresses.get(self.turn % addresses.len().max(1)) else { return };
        out.push(Effect::Connect { address: address.clone() });
        self.timers.set(Timer::Patience, now + self.attach.timing.connect);
        self.turn_to(State::Dialling, out);
    }

    pub(super) fn introduce(&mut self, now: Moment, wall: Wall, out: &mut Vec<Effect>) {
        self.wall = (now, wall);
        let facts = Facts { wall, ..self.attach.facts };
        let open = Open {
            user: self.attach.user.clone(),
            password: self.attach.password.clone(),
            facts,
            trial: false,
        };
        out.push(Effect::Send(Frame::Open(Box::new(open))));
        self.timers.set(Timer::Patience, now + self.attach.timing.open);
        self.turn_to(State::Opening, out);
    }

    /// The central took us in; do we take it? The checks come in the order of SM-1R.
    pub(super) fn let_in(&mut self, now: Moment, theirs: Facts, out: &mut Vec<Effect>) {
        if let Some(mismatch) = self.attach.facts.mismatch(&theirs) {
            return self.hold(now, Held::Here(mismatch), out);
        }
        let timing = self.attach.timing;
        self.timers.stop(Timer::Patience);
        self.timers.set(Timer::Slow, now + timing.sync);
        self.timers.set(Timer::Dead, now + timing.dead);
        self.told = None;
        out.push(Effect::Up(theirs.omm));
        self.turn_to(State::Download(theirs.omm), out);
        self.ping(now, out);
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
        self.asked = None;
        match self.state {
            State::Download(peer) | State::Upload(peer) | State::InSync(peer) => out.push(Effect::Down(peer)),
            State::Off | State::Dialling | State::Opening | State::Wait | State::Held(_) => {}
        }
    }
}
