//! A table of named deadlines.
//!
//! Each machine lists its timers as an enum whose members say when they fire and why. The table keeps at most one
//! deadline a name, so arming a timer again moves it.

use crate::time::Moment;

/// The name of a timer. Small, so that a machine's table is a few words long.
pub trait Name: Copy + Eq + 'static {
    /// The name as the trace prints it: `watchdog`, `confirm`, `refresh` ...
    fn name(self) -> &'static str;
}

/// The deadlines of one machine, at most one a name, in the order in which they were armed.
#[derive(Clone, Debug)]
pub struct Timers<N> {
    armed: Vec<(N, Moment)>,
}

impl<N> Default for Timers<N> {
    fn default() -> Self {
        Timers { armed: Vec::new() }
    }
}

impl<N: Name> Timers<N> {
    /// Arms `name` for `at`, replacing an earlier deadline of that name.
    pub fn set(&mut self, name: N, at: Moment) {
        self.stop(name);
        // Most machines have one deadline or two; a vector that grows by itself takes room for four.
        self.armed.reserve_exact(1);
        self.armed.push((name, at));
    }

    /// Disarms `name`; nothing happens when it is not armed.
    pub fn stop(&mut self, name: N) {
        self.armed.retain(|(armed, _)| *armed != name);
    }

    /// Disarms everything.
    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// When `name` fires, if it is armed.
    pub fn at(&self, name: N) -> Option<Moment> {
        self.armed.iter().find(|(armed, _)| *armed == name).map(|(_, at)| *at)
    }

    /// The next deadline and its name; of equal deadlines the one armed first.
    pub fn next(&self) -> Option<(Moment, &'static str)> {
        self.armed.iter().min_by_key(|(_, at)| *at).map(|(name, at)| (*at, name.name()))
    }

    /// Takes the first timer that is due at `now` off the table. Call it until it answers `None`.
    pub fn due(&mut self, now: Moment) -> Option<N> {
        let index =
            self.armed.iter().enumerate().filter(|(_, (_, at))| *at <= now).min_by_key(|(_, (_, at))| *at)?.0;
        Some(self.armed.remove(index).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum Bell {
        Early,
        Late,
    }

    impl Name for Bell {
        fn name(self) -> &'static str {
            match self {
                Bell::Early => "early",
                Bell::Late => "late",
            }
        }
    }

    #[test]
    fn due_timers_come_in_the_order_of_their_deadlines() {
        let at = Moment::from_millis;
        let mut timers = Timers::default();
        timers.set(Bell::Late, at(20));
        timers.set(Bell::Early, at(10));
        assert_eq!(timers.next(), Some((at(10), "early")));
        assert_eq!(timers.due(at(9)), None);
        assert_eq!(timers.due(at(25)), Some(Bell::Early));
        assert_eq!(timers.due(at(25)), Some(Bell::Late));
        assert_eq!(timers.due(at(25)), None);
    }

    #[test]
    fn arming_again_moves_the_deadline() {
        let at = Moment::from_millis;
        let mut timers = Timers::default();
        timers.set(Bell::Early, at(10));
        timers.set(Bell::Early, at(30));
        assert_eq!(timers.at(Bell::Early), Some(at(30)));
        assert_eq!(timers.due(at(20)), None);
    }
}
