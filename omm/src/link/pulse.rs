//! What time the other side has: each end asks by pings, and compares with its own (SM-7, M-2.2.10-a).

use std::time::Duration;

use machine::time::{Moment, Wall};

use crate::link::frame::Frame;
use crate::link::timing::Timing;

/// How far two clocks are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// How far.
    pub by: Duration,
    /// Whether it is the other side that is ahead.
    pub ahead: bool,
}

/// What a distance between two clocks is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Nothing.
    Fine,
    /// A warning; told once until it is over.
    Warn,
    /// The link: stamps of such clocks cannot be compared.
    Stop,
}

/// One end's pings, and its idea of the calendar time.
#[derive(Debug, Default)]
pub struct Pulse {
    /// The ping that waits for its answer: its number, when it left by the monotonic and by the calendar clock.
    asked: Option<(u32, Moment, Wall)>,
    count: u32,
    /// The calendar time of the last input: pings leave by timer and need one.
    wall: (Moment, Wall),
    /// Whether the last answer was worth a warning.
    warned: bool,
}

impl Pulse {
    /// Looks at the calendar.
    pub fn saw(&mut self, now: Moment, wall: Wall) {
        self.wall = (now, wall);
    }

    /// Forgets the ping that waits: its connection is gone.
    pub fn rest(&mut self) {
        self.asked = None;
    }

    /// Whether the clocks are so far apart that people were warned, by the last answer; also while no connection stands.
    pub fn is_apart(&self) -> bool {
        self.warned
    }

    /// The next ping.
    pub fn beat(&mut self, now: Moment) -> Frame {
        self.count = self.count.wrapping_add(1);
        let (then, wall) = self.wall;
        let elapsed = u64::try_from(now.since(then).as_millis()).unwrap_or(u64::MAX);
        self.asked = Some((self.count, now, Wall::from_millis(wall.as_millis().saturating_add(elapsed))));
        Frame::Ping { seq: self.count }
    }

    /// What the answer to a ping is worth: their time less ours in the middle of the round trip. `None` when that ping
    /// was not asked, or nothing new is to be said.
    pub fn answered(
        &mut self,
        now: Moment,
        seq: u32,
        theirs: Wall,
        timing: &Timing,
    ) -> Option<(Offset, Worth)> {
        let (_, sent, ours) = self.asked.filter(|(asked, _, _)| *asked == seq)?;
        self.asked = None;
        let half = now.since(sent) / 2;
        let half_ms = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
        let offset = Offset::of(theirs, Wall::from_millis(ours.as_millis().saturating_add(half_ms)));
        // A ping may have been slow in one direction only: what its journey explains is nobody's fault. Ours.
        let sure = offset.by.saturating_sub(half);
        let warned = std::mem::replace(&mut self.warned, sure > timing.skew_warn);
        let worth = if timing.skew_stop.is_some_and(|stop| sure > stop) {
            Worth::Stop
        } else if self.warned && !warned {
            Worth::Warn
        } else {
            Worth::Fine
        };
        Some((offset, worth))
    }
}

impl Offset {
    /// How far `theirs` is from `ours`.
    pub fn of(theirs: Wall, ours: Wall) -> Offset {
        if theirs > ours {
            Offset { by: theirs.since(ours), ahead: true }
        } else {
            Offset { by: ours.since(theirs), ahead: false }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ping that left at 0 is answered `trip` later by a clock that shows `theirs` then.
    fn answered(trip: u64, theirs: u64) -> Option<(Offset, Worth)> {
        let mut pulse = Pulse::default();
        pulse.saw(Moment::START, Wall::from_millis(1_000_000));
        let Frame::Ping { seq } = pulse.beat(Moment::START) else { panic!("a ping") };
        let wall = Wall::from_millis(1_000_000 + theirs);
        pulse.answered(Moment::from_millis(trip), seq, wall, &Timing::default())
    }

    #[test]
    fn a_journey_that_was_slow_in_one_direction_is_no_wrong_clock() {
        let by = |seconds| Duration::from_secs(seconds);
        assert_eq!(answered(20_000, 20_000), Some((Offset { by: by(10), ahead: true }, Worth::Fine)));
        assert_eq!(answered(20_000, 0), Some((Offset { by: by(10), ahead: false }, Worth::Fine)));
        assert_eq!(answered(20_000, 23_000), Some((Offset { by: by(13), ahead: true }, Worth::Warn)));
        assert_eq!(answered(0, 2_000), Some((Offset { by: by(2), ahead: true }, Worth::Fine)));
        assert_eq!(answered(0, 31_000), Some((Offset { by: by(31), ahead: true }, Worth::Stop)));
    }
}
