//! Whether the other end of a link is alive, and what time it has (spec 8: ping 30 s, dead 90 s; SM-7, clock offset).

use std::time::Duration;

use machine::time::{Moment, Wall};

/// How often a ping is sent (spec 8).
pub const PING: Duration = Duration::from_secs(30);
/// How long a link may be silent (spec 8).
pub const DEAD: Duration = Duration::from_secs(90);
/// Beyond which difference of the clocks the operator is told (spec 8).
pub const SKEW_WARN: Duration = Duration::from_secs(2);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// A ping with this number.
    Ping(u32),
    /// The other end has been silent for too long.
    Dead,
}

/// The pulse of one link. Stopped until [`Pulse::start`].
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// When to ping next, and when something was heard last.
    running: Option<(Moment, Moment)>,
    seq: u32,
    sent: Moment,
}

impl Pulse {
    /// The link is open. The first ping goes at once, to compare the clocks.
    pub fn start(&mut self, now: Moment) {
        self.running = Some((now, now));
    }

    /// The link is closed.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Something came.
    pub fn heard(&mut self, now: Moment) {
        if let Some((_, heard)) = &mut self.running {
            *heard = now;
        }
    }

    /// How far the other clock is from ours, and whether it is ahead; `None` when this answers no recent ping.
    ///
    /// `ours` and `theirs` are the two calendar times; theirs was read half a round trip ago (SM-7).
    pub fn offset(&self, now: Moment, seq: u32, ours: Wall, theirs: Wall) -> Option<(Duration, bool)> {
        if seq != self.seq || self.running.is_none() {
            return None;
        }
        let then = ours.back(now.since(self.sent) / 2);
        Some((theirs.since(then).max(then.since(theirs)), theirs > then))
    }

    /// What is due at `now`, if anything.
    pub fn beat(&mut self, now: Moment) -> Option<Beat> {
        let (ping, heard) = self.running.as_mut()?;
        if now >= *heard + DEAD {
            self.running = None;
            return Some(Beat::Dead);
        }
        if now < *ping {
            return None;
        }
        *ping = now + PING;
        self.seq = self.seq.wrapping_add(1);
        self.sent = now;
        Some(Beat::Ping(self.seq))
    }

    /// When something is due, and what.
    pub fn deadline(&self) -> Option<(Moment, &'static str)> {
        let (ping, heard) = self.running?;
        let dead = heard + DEAD;
        Some(if dead < ping { (dead, "dead") } else { (ping, "ping") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    #[test]
    fn pings_go_every_half_minute_until_the_silence_is_too_long() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.beat(at(0)), None);
        pulse.start(at(0));
        let mut beats = Vec::new();
        while let Some((due, _)) = pulse.deadline() {
            beats.extend(pulse.beat(due).map(|beat| (due.as_millis() / 1000, beat)));
        }
        let pings = [(0, Beat::Ping(1)), (30, Beat::Ping(2)), (60, Beat::Ping(3))];
        assert_eq!(beats, [&pings[..], &[(90, Beat::Dead)]].concat());
    }

    #[test]
    fn whatever_is_heard_keeps_the_link_alive() {
        let mut pulse = Pulse::default();
        pulse.start(at(0));
        pulse.heard(at(80));
        assert_eq!(pulse.beat(at(91)), Some(Beat::Ping(1)));
        assert_eq!(pulse.beat(at(170)), Some(Beat::Dead));
    }

    #[test]
    fn the_clocks_are_compared_at_the_middle_of_the_round_trip() {
        let wall = Wall::from_millis;
        let mut pulse = Pulse::default();
        pulse.start(at(100));
        assert_eq!(pulse.beat(at(100)), Some(Beat::Ping(1)));
        // Asked at 50.000 by our calendar, answered a second later; the other clock read 53.500 in between.
        let offset = |theirs| pulse.offset(at(101), 1, wall(51_000), wall(theirs));
        assert_eq!(offset(53_500), Some((Duration::from_secs(3), true)));
        assert_eq!(offset(50_500), Some((Duration::ZERO, false)));
        assert_eq!(offset(10_500), Some((Duration::from_secs(40), false)));
        assert_eq!(pulse.offset(at(101), 7, wall(0), wall(0)), None, "no answer to this ping");
    }
}
