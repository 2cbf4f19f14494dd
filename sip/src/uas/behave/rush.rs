//! How many requests came in the last second.

use std::collections::VecDeque;
use std::time::Duration;

use machine::time::Moment;

/// The window.
const SECOND: Duration = Duration::from_secs(1);
/// Most arrivals remembered, and so the highest rate that can be told from more. Ours: beyond any registrar here.
pub(super) const RATE_MAX: u32 = 65_536;

/// The arrivals of the last second, at most one more than the rate allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Rush(VecDeque<Moment>);

impl Rush {
    /// Notes an arrival and says whether it is one too many. What is refused counts too: that is how servers die.
    pub(super) fn arrive(&mut self, now: Moment, rate: u32) -> bool {
        while self.0.front().is_some_and(|first| *first + SECOND <= now) {
            self.0.pop_front();
        }
        let most = rate.min(RATE_MAX) as usize;
        self.0.push_back(now);
        let over = self.0.len() > most;
        while self.0.len() > most + 1 {
            self.0.pop_front();
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_in_a_second_is_noticed_and_a_quiet_second_forgives() {
        let mut rush = Rush::default();
        let mut over = |ms| rush.arrive(Moment::from_millis(ms), 3);
        assert!(!over(0) && !over(100) && !over(200));
        assert!(over(300));
        assert!(over(999), "who was refused counts too");
        assert!(!over(2000));
        let mut shut = Rush::default();
        assert!(shut.arrive(Moment::START, 0));
    }
}
