//! Two kinds of time, which cannot be compared with each other.
//!
//! A [`Moment`] counts from the start of the process (or of the virtual world) and never runs backwards: timers use
//! it. A [`Wall`] is the calendar time of one OMM, which may be wrong, may step, and differs between sites: only
//! stamps ("who wrote last") and persisted dates use it.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::Add;
use std::time::Duration;

/// A point on the monotonic clock, in milliseconds since the process or the virtual world began.
///
/// The grain is one millisecond because that is the grain of the timers beneath (tokio's wheel). One more is counted
/// than has passed, so that a moment that may be missing is no larger: machines keep many of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(NonZeroU64);

impl Moment {
    /// The moment at which the process or the virtual world began.
    pub const START: Moment = Moment(NonZeroU64::MIN);

    /// The moment `millis` milliseconds after [`Moment::START`].
    pub const fn from_millis(millis: u64) -> Moment {
        Moment(NonZeroU64::MIN.saturating_add(millis))
    }

    /// Milliseconds since [`Moment::START`].
    pub const fn as_millis(self) -> u64 {
        self.0.get() - 1
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub const fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.as_millis().saturating_sub(earlier.as_millis()))
    }

    /// This moment less `span`; [`Moment::START`] when that would lie before the start.
    pub const fn back(self, span: Duration) -> Moment {
        Moment::from_millis(self.as_millis().saturating_sub(millis(span)))
    }
}

impl Default for Moment {
    fn default() -> Moment {
        Moment::START
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    /// Saturates at the end of time, so that a peer's absurd duration cannot overflow.
    fn add(self, span: Duration) -> Moment {
        Moment(self.0.saturating_add(millis(span)))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Moment {
    /// `HH:MM:SS.mmm`, as the timeline prints it; hours grow past 24 rather than wrap.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, ms) = (self.as_millis() / 1000, self.as_millis() % 1000);
        write!(f, "{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)
    }
}

/// One OMM's calendar time: milliseconds since 1970-01-01 UTC (M-2.2.10-a: internal time is UTC).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Wall(u64);

impl Wall {
    /// The calendar time `millis` milliseconds after 1970-01-01 UTC.
    pub const fn from_millis(millis: u64) -> Wall {
        Wall(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was by this clock; zero when it lies in the future.
    pub const fn since(self, earlier: Wall) -> Duration {
        Duration::from_millis(self.as_millis().saturating_sub(earlier.as_millis()))
    }

    /// This time and `span`.
    pub const fn forth(self, span: Duration) -> Wall {
        Wall(self.0.saturating_add(millis(span)))
    }

    /// This time less `span`; 1970 when that would lie before it.
    pub const fn back(self, span: Duration) -> Wall {
        Wall(self.0.saturating_sub(millis(span)))
    }
}

const fn millis(span: Duration) -> u64 {
    let ms = span.as_millis();
    if ms > u64::MAX as u128 { u64::MAX } else { ms as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_prints_hours_that_do_not_wrap() {
        assert_eq!(Moment::from_millis(93_784_005).to_string(), "26:03:04.005");
    }

    #[test]
    fn an_absurd_duration_saturates() {
        assert_eq!((Moment::from_millis(5) + Duration::MAX).as_millis(), u64::MAX - 1);
        assert_eq!(Moment::from_millis(5).since(Moment::from_millis(9)), Duration::ZERO);
        assert_eq!(Moment::from_millis(5).back(Duration::from_secs(1)), Moment::START);
    }
}
