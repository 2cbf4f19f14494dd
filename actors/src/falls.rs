//! How often those whom an actor hired may fall over in a panic (restart intensity, as in OTP).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

/// Falls within [`WINDOW`] after which a new life does not help any more. OTP's customary figure; ours.
pub const FALLS_MAX: usize = 5;
/// The time within which falls are counted. Ours.
pub const WINDOW: Duration = Duration::from_secs(60);

/// The falls of the last minute.
#[derive(Clone, Debug, Default)]
pub struct Falls {
    recent: VecDeque<(Moment, Arc<str>)>,
}

impl Falls {
    /// `who` fell over at `now`: how often it did within [`WINDOW`], this time included.
    pub fn count(&mut self, now: Moment, who: &str) -> usize {
        self.recent.retain(|(at, _)| now.since(*at) < WINDOW);
        // One more than is ever asked for: who goes on falling needs no more memory.
        self.recent.truncate(FALLS_MAX);
        self.recent.push_front((now, who.into()));
        self.recent.iter().filter(|(_, fallen)| **fallen == *who).count()
    }

    /// Whether there were more than [`FALLS_MAX`], whoever fell.
    pub fn too_many(&self) -> bool {
        self.recent.len() > FALLS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_falls_a_minute_are_borne_and_a_sixth_is_not() {
        let mut falls = Falls::default();
        for second in 0..5 {
            falls.count(Moment::START + Duration::from_secs(second), "a");
        }
        assert!(!falls.too_many());
        falls.count(Moment::START + Duration::from_millis(59_999), "b");
        assert!(falls.too_many());
        falls.count(Moment::START + Duration::from_secs(64), "b");
        assert!(!falls.too_many(), "the first five are forgotten after a minute");
    }

    #[test]
    fn everybody_is_counted_alone_as_well() {
        let mut falls = Falls::default();
        assert_eq!(falls.count(Moment::START, "a"), 1);
        assert_eq!(falls.count(Moment::START, "b"), 1);
        assert_eq!(falls.count(Moment::START, "a"), 2);
        assert_eq!(falls.count(Moment::START + WINDOW, "a"), 1);
    }
}
