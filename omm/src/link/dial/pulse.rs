//! Whether the central is still there, and what time it has.

use machine::time::{Moment, Wall};

use super::{Alarm, Dial, Effect, Held, Timer};
use crate::link::frame::{Frame, Mismatch, OpenError};
use crate::link::pulse::{Offset, Worth};

impl Dial {
    /// Anything heard proves that the central is there.
    pub(super) fn heard(&mut self, now: Moment) {
        if self.timers.at(Timer::Dead).is_some() {
            self.timers.set(Timer::Dead, now + self.attach.timing.dead);
        }
    }

    pub(super) fn ping(&mut self, now: Moment, out: &mut Vec<Effect>) {
        out.push(Effect::Send(self.pulse.beat(now)));
        self.timers.set(Timer::Ping, now + self.attach.timing.ping);
    }

    /// Clocks that are too far apart hold the link: the stamps of edits could not be compared (SM-7).
    pub(super) fn pong(&mut self, now: Moment, seq: u32, theirs: Wall, out: &mut Vec<Effect>) {
        let before = self.pulse.is_apart();
        let answered = self.pulse.answered(now, seq, theirs, &self.attach.timing);
        if self.pulse.is_apart() != before {
            out.push(Effect::Apart(!before));
        }
        match answered {
            Some((_, Worth::Stop)) => {
                // The central may not have measured yet, and its operator should know too.
                let clock = Mismatch::Clock;
                out.push(Effect::Send(Frame::OpenResult(Err(OpenError::Mismatch(clock)))));
                self.hold(now, Held::Here(clock), out);
            }
            Some((Offset { by: offset, ahead }, Worth::Warn)) => {
                out.push(Effect::Alarm(Alarm::Clock { offset, ahead }));
            }
            Some((_, Worth::Fine)) | None => {}
        }
    }
}
