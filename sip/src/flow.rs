//! Whether one flow is still there (RFC 5626 4.4, RFC 6223): when to ask, and when to believe that it is gone.
//!
//! ```text
//!          0.8..1.0 of the interval        10 s without the answer
//!   Quiet --------------------------> Asked -----------------------> Effect::Failed
//!    ^                                 |
//!    +------------- answered ----------+
//! ```
//!
//! - A stream is asked with two line ends and answers with one (RFC 5626 4.4.1), a datagram flow is asked with a STUN
//!   binding request (4.4.2), which has no transaction of its own here: three copies within the ten seconds are ours.
//! - The interval is the registrar's Flow-Timer or what it gave for `keep` (RFC 6223); otherwise 120 s for a stream,
//!   29 s for datagrams.
//! - A registrar that never promised to answer may not know the ping: a silence after the very first one ends the flow
//!   as the RFC wants it, and [`Flow::is_deaf`] then tells the owner that the next flow to the same place had better
//!   not ask at all (ours: without it every user would register again every two minutes).

use std::time::Duration;

use machine::chance::Chance;
use machine::time::Moment;
use machine::timers::{Name, Timers};

/// The longest pause between pings on a stream when nobody says another (RFC 5626 4.4.1: 95 to 120 s).
pub const STREAM: Duration = Duration::from_secs(120);
/// The same for datagrams (RFC 5626 4.4.2: 24 to 29 s).
pub const DATAGRAMS: Duration = Duration::from_secs(29);
/// Their shortest pause then.
const DATAGRAMS_LOW: Duration = Duration::from_secs(24);
/// How long a ping waits for its answer (RFC 5626 4.4.1).
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The shortest interval that is believed; ours: less would be a flood.
pub const INTERVAL_MIN: Duration = Duration::from_secs(10);
/// The longest one; ours: an hour without a sign keeps nothing alive.
pub const INTERVAL_MAX: Duration = Duration::from_secs(3600);
/// Copies of a STUN request, and the pause before the second; doubles (RFC 5389 7.2.1; as few are ours).
const COPIES: u8 = 3;
const COPY_PAUSE: Duration = Duration::from_millis(500);

/// How a flow is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Line ends on a stream.
    LineEnds,
    /// STUN over UDP.
    Stun,
}

/// What a flow's keep-alive wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Ask.
    Ping,
    /// The flow has failed: whatever was registered over it has to be registered again (RFC 5626 4.4).
    Failed,
}

/// The deadlines of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to ask.
    Ping,
    /// When to ask once more, because datagrams are lost.
    Copy,
    /// When to believe that nobody is there.
    Pong,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Ping => "ping",
            Timer::Copy => "ping-copy",
            Timer::Pong => "pong",
        }
    }
}

/// The keep-alive of one flow.
#[derive(Clone, Debug)]
pub struct Flow {
    manner: Manner,
    interval: Duration,
    /// The registrar said that it answers.
    promised: bool,
    /// It has answered.
    answered: bool,
    copies: u8,
    timers: Timers<Timer>,
}

impl Flow {
    /// A flow that stands since `now`.
    pub fn new(now: Moment, manner: Manner, chance: &mut Chance) -> Flow {
        let interval = match manner {
            Manner::LineEnds => STREAM,
            Manner::Stun => DATAGRAMS,
        };
        let mut flow =
            Flow { manner, interval, promised: false, answered: false, copies: 0, timers: Timers::default() };
        flow.rest(now, chance);
        flow
    }

    /// The registrar promised to answer, and within which interval it wants to be asked (RFC 5626 5.4, RFC 6223 7).
    pub fn negotiate(&mut self, now: Moment, interval: Duration, chance: &mut Chance) {
        let interval = interval.clamp(INTERVAL_MIN, INTERVAL_MAX);
        let is_new = !self.promised || self.interval != interval;
        (self.promised, self.interval) = (true, interval);
        if is_new && self.timers.at(Timer::Pong).is_none() {
            self.rest(now, chance);
        }
    }

    /// The answer to a ping came.
    pub fn pong(&mut self, now: Moment, chance: &mut Chance) {
        if self.timers.at(Timer::Pong).is_some() {
            self.answered = true;
            self.rest(now, chance);
        }
    }

    /// The next deadline and its name.
    pub fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    /// Performs one deadline that is due. Call it until it answers `None`.
    pub fn wake(&mut self, now: Moment) -> Option<Due> {
        match self.timers.due(now)? {
            Timer::Ping => {
                self.timers.set(Timer::Pong, now + PATIENCE);
                self.copies = 1;
                self.copy(now);
                Some(Due::Ping)
            }
            Timer::Copy => {
                self.copies += 1;
                self.copy(now);
                Some(Due::Ping)
            }
            Timer::Pong => {
                self.timers.clear();
                Some(Due::Failed)
            }
        }
    }

    /// Whether the other side has never answered a ping and never promised to.
    pub fn is_deaf(&self) -> bool {
        !self.promised && !self.answered
    }

    fn copy(&mut self, now: Moment) {
        if self.manner == Manner::Stun && self.copies < COPIES {
            self.timers.set(Timer::Copy, now + COPY_PAUSE * 2_u32.pow(u32::from(self.copies) - 1));
        }
    }

    /// Nothing to do until the next ping: between 80 and 100 % of the interval (RFC 5626 4.4.1, 4.4.2).
    fn rest(&mut self, now: Moment, chance: &mut Chance) {
        self.timers.clear();
        let low = if self.interval == DATAGRAMS { DATAGRAMS_LOW } else { self.interval * 4 / 5 };
        let pause = chance.between(low, self.interval);
        self.timers.set(Timer::Ping, now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    fn next(flow: &mut Flow) -> (Moment, Option<Due>) {
        let (moment, _) = flow.deadline().expect("a deadline");
        (moment, flow.wake(moment))
    }

    #[test]
    fn pings_come_in_95_to_120_seconds_and_a_pong_begins_anew() {
        let mut chance = Chance::of(1, "flow");
        let mut flow = Flow::new(at(0), Manner::LineEnds, &mut chance);
        let mut last = at(0);
        for _ in 0..50 {
            let (asked, due) = next(&mut flow);
            let pause = asked.since(last);
            assert_eq!(due, Some(Due::Ping));
            assert!((Duration::from_secs(96)..=STREAM).contains(&pause), "{pause:?}");
            last = asked + Duration::from_millis(20);
            flow.pong(last, &mut chance);
        }
        assert!(!flow.is_deaf());
    }

    #[test]
    fn a_flow_without_a_pong_fails_ten_seconds_later() {
        let mut chance = Chance::of(1, "flow");
        let mut flow = Flow::new(at(0), Manner::LineEnds, &mut chance);
        let (asked, _) = next(&mut flow);
        assert_eq!(next(&mut flow), (asked + PATIENCE, Some(Due::Failed)));
        assert_eq!((flow.deadline(), flow.is_deaf()), (None, true));
    }

    #[test]
    fn a_flow_timer_is_obeyed_within_its_bounds_and_its_silence_is_no_deafness() {
        let mut chance = Chance::of(1, "flow");
        let mut flow = Flow::new(at(0), Manner::LineEnds, &mut chance);
        for (said, least, most) in [(30, 24, 30), (1, 8, 10), (90_000, 2880, 3600)] {
            flow.negotiate(at(0), Duration::from_secs(said), &mut chance);
            let (moment, _) = flow.deadline().expect("a deadline");
            assert!((at(least)..=at(most)).contains(&moment), "{said}: {moment:?}");
        }
        let (before, _) = flow.deadline().expect("a deadline");
        flow.negotiate(at(5), Duration::from_secs(90_000), &mut chance);
        assert_eq!(flow.deadline(), Some((before, "ping")), "said again, it postpones nothing");
        assert!(!flow.is_deaf());
    }

    #[test]
    fn datagrams_are_asked_three_times_in_24_to_29_seconds() {
        let mut chance = Chance::of(1, "flow");
        let mut flow = Flow::new(at(0), Manner::Stun, &mut chance);
        let (first, due) = next(&mut flow);
        assert!((at(24)..=at(29)).contains(&first), "{first:?}");
        assert_eq!(due, Some(Due::Ping));
        let plus = |millis| first + Duration::from_millis(millis);
        assert_eq!(next(&mut flow), (plus(500), Some(Due::Ping)));
        assert_eq!(next(&mut flow), (plus(1500), Some(Due::Ping)));
        assert_eq!(next(&mut flow), (plus(10_000), Some(Due::Failed)));
        let mut flow = Flow::new(at(0), Manner::Stun, &mut chance);
        next(&mut flow);
        flow.pong(at(30), &mut chance);
        assert_eq!(flow.deadline().map(|(_, name)| name), Some("ping"), "no copies after an answer");
        flow.pong(at(31), &mut chance);
    }
}
