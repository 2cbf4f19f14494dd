//! Whether the central is still there, and what time it has.

use machine::time::{Moment, Wall};

use super::{Alarm, Dial, Effect, Held, Timer};
use crate::link::frame::{Frame, Mismatch};

impl Dial {
    /// Anything heard proves that the central is there.
    pub(super) fn heard(&mut self, now: Moment) {
        if self.timers.at(Timer::Dead).is_some() {
            self.timers.set(Timer::Dead, now + self.attach.timing.dead);
        }
    }

    pub(super) fn ping(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.pings = self.pings.wrapping_add(1);
        let (then, wall) = self.wall;
        let elapsed = u64::try_from(now.since(then).as_millis()).unwrap_or(u64::MAX);
        self.asked = Some((self.pings, now, Wall::from_millis(wall.as_millis().saturating_add(elapsed))));
        out.push(Effect::Send(Frame::Ping { seq: self.pings }));
        self.timers.set(Timer::Ping, now + self.attach.timing.ping);
    }

    /// The answer tells how far the clocks are apart: their time less ours in the middle of the round trip (SM-7).
    pub(super) fn pong(&mut self, now: Moment, seq: u32, theirs: Wall, out: &mut Vec<Effect>) {
        let Some((_, sent, ours)) = self.asked.filter(|(asked, _, _)| *asked == seq) else { return };
        self.asked = None;
        let half = u64::try_from(now.since(sent).as_millis() / 2).unwrap_or(u64::MAX);
        let middle = Wall::from_millis(ours.as_millis().saturating_add(half));
        let (offset, ahead) =
            if theirs > middle { (theirs.since(middle), true) } else { (middle.since(theirs), false) };
        let timing = self.attach.timing;
        if timing.skew_stop.is_some_and(|stop| offset > stop) {
            return self.hold(now, Held::Here(Mismatch::Clock), out);
        }
        let far = offset > timing.skew_warn;
        if far && !self.warned {
            out.push(Effect::Alarm(Alarm::Clock { offset, ahead }));
        }
        self.warned = far;
    }
}
