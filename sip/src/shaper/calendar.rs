//! When refreshes are due: each goes to the second in its window in which the fewest others are due (ours).
//!
//! Ten thousand users that registered within two seconds would otherwise refresh within a few seconds for ever, and
//! even chance alone leaves seconds with four times the mean. A second is booked and never given back: a registration
//! that ends earlier leaves a gap, which is filled by whoever books next.

use std::collections::VecDeque;
use std::time::Duration;

use machine::chance::Chance;
use machine::time::Moment;

/// How far ahead seconds are counted. Ours: the longest lifetime that is believed, a day (SM-3: 86,400 s).
const AHEAD_MAX: u64 = 86_400;

/// From one refresh of a second to the next, in milliseconds: the golden section of a second, so that however many there
/// are, they lie apart (ours).
const STEP: u64 = 618;

/// One second to come.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    /// How many refreshes are due in it.
    due: u16,
    /// The millisecond of the first.
    first: u16,
}

/// How many refreshes are due in each second to come.
#[derive(Debug)]
pub struct Calendar {
    chance: Chance,
    /// The second with which `due` begins, since the start.
    begins: u64,
    due: VecDeque<Second>,
}

impl Calendar {
    /// A calendar without entries; `chance` decides between equals.
    pub fn new(chance: Chance) -> Calendar {
        Calendar { chance, begins: 0, due: VecDeque::new() }
    }

    /// Books a time no sooner than `from` and no later than `to` from now.
    pub fn book(&mut self, now: Moment, from: Duration, to: Duration) -> Duration {
        let draw = self.chance.between(from, to.max(from));
        let (now, from, to) = (now.as_millis(), from.as_millis() as u64, to.as_millis() as u64);
        self.forget(now / 1000);
        // Only whole seconds of the window take part, so that a refresh is never out of it.
        let (first, last) = ((now + from).div_ceil(1000), (now + to) / 1000);
        if first >= last || last - self.begins > AHEAD_MAX {
            return draw;
        }
        self.reach(last);
        let window = || self.due.range((first - self.begins) as usize..(last - self.begins) as usize);
        let least = window().map(|second| second.due).min().unwrap_or(0);
        let equals = window().filter(|second| second.due == least).count() as u64;
        let pick = self.chance.below(equals) as usize;
        let Some((at, _)) = window().enumerate().filter(|(_, second)| second.due == least).nth(pick) else {
            return draw;
        };
        let second = first + at as u64;
        Duration::from_millis(second * 1000 + self.add(second) - now)
    }

    fn forget(&mut self, second: u64) {
        while self.begins < second && self.due.pop_front().is_some() {
            self.begins += 1;
        }
        self.begins = self.begins.max(second);
    }

    /// Counts up to that second. A window of some thousand seconds is looked through for each of ten thousand users, so
    /// that it is worth a walk over memory that lies together.
    fn reach(&mut self, last: u64) {
        let length = (last - self.begins) as usize;
        if self.due.len() < length {
            self.due.resize(length, Second::default());
        }
    }

    /// Enters one more, and says at which of its milliseconds.
    fn add(&mut self, second: u64) -> u64 {
        let Some(entry) = self.due.get_mut((second - self.begins) as usize) else { return 0 };
        if entry.due == 0 {
            entry.first = self.chance.below(1000) as u16;
        }
        let at = (u64::from(entry.first) + u64::from(entry.due) * STEP) % 1000;
        entry.due = entry.due.saturating_add(1);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshes_of_ten_thousand_are_evenly_spread_over_their_window() {
        let mut calendar = Calendar::new(Chance::of(1, "calendar"));
        let (from, to) = (Duration::from_secs(1800), Duration::from_secs(3300));
        let mut seconds = vec![0; 3301];
        for user in 0..10_000_u64 {
            let now = Moment::from_millis(user / 5);
            let at = calendar.book(now, from, to);
            assert!(at >= from && at <= to, "{at:?}");
            seconds[((now + at).as_millis() / 1000) as usize] += 1;
        }
        assert!(seconds[1802..3300].iter().all(|count| (6..=7).contains(count)), "{seconds:?}");
    }

    #[test]
    fn those_of_one_second_lie_apart_wherever_a_second_is_said_to_begin() {
        let mut calendar = Calendar::new(Chance::of(1, "calendar"));
        let (from, to) = (Duration::from_secs(20), Duration::from_secs(45));
        let due: Vec<u64> =
            (0..1000).map(|_| calendar.book(Moment::START, from, to).as_millis() as u64).collect();
        for begin in 20_000..=44_000 {
            let count = due.iter().filter(|at| (begin..begin + 1000).contains(*at)).count();
            assert!((37..=43).contains(&count), "{count} from {begin} ms on");
        }
    }

    #[test]
    fn a_window_of_less_than_a_second_is_kept() {
        let mut calendar = Calendar::new(Chance::of(1, "calendar"));
        let (from, to) = (Duration::from_millis(20_300), Duration::from_millis(20_900));
        for _ in 0..100 {
            let at = calendar.book(Moment::from_millis(7), from, to);
            assert!(at >= from && at <= to, "{at:?}");
        }
        assert_eq!(calendar.book(Moment::from_millis(7), from, from), from);
    }

    #[test]
    fn what_lies_too_far_ahead_is_left_to_chance() {
        let mut calendar = Calendar::new(Chance::of(1, "calendar"));
        let (from, to) = (Duration::from_secs(200_000), Duration::from_secs(400_000));
        assert!(calendar.book(Moment::START, from, to) >= from);
        assert!(calendar.due.is_empty());
    }
}
