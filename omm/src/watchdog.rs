//! The location watchdog of one handset at its owner (spec SM-4).
//!
//! ```text
//!       Owned               2 h + 60 s            2.5 h, no call
//! Off --------> Fresh ---------------> Overdue ----------------> Expired
//!                 ^---- Located ----------'  `-- in a call: wait for its end
//! (any) -- Left --> Off
//! ```
//!
//! A handset of the vendor reports every two hours (M-2.1.4.3-a); two and a half hours of silence mean that it is
//! gone (M-2.1.4.3-b). The times count from the last report, not from a restart or a takeover, and by the monotonic
//! clock; the calendar serves only to carry an age over a restart.

use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;

use crate::presence::Presence;

/// How often a class of handsets proves its presence, and what follows from silence (AMB-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Silence after which the handset is overdue: a warning, nothing more.
    pub overdue: Duration,
    /// Silence after which the handset is believed to be gone.
    pub stop: Duration,
    /// Whether the end of a call that outlasts `stop` counts as a report.
    pub activity_counts: bool,
}

impl Class {
    /// A handset that reports every 2 h (M-2.1.4.3-a) with a tolerance of 60 s, and stops after 2.5 h.
    pub const PERIODIC: Class = Class {
        overdue: Duration::from_secs(2 * 3600 + 60),
        stop: Duration::from_secs(2 * 3600 + 1800),
        activity_counts: false,
    };
}

/// What can happen to a watchdog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The handset is owned here from now on; its last report is so old (not zero after a restart).
    Owned {
        /// Time since the last report.
        age: Duration,
    },
    /// The handset reported.
    Located,
    /// It is owned here no longer: roamed away, detached, logged out, deleted.
    Left,
    /// A call began or ended.
    Call(bool),
}

/// What the silence of a handset leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// User monitoring is to warn; nothing else follows.
    Overdue,
    /// The registration is to end.
    Expired,
}

/// How it stands with a handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not watched.
    Off,
    /// Reported lately.
    Fresh,
    /// Reported too long ago.
    Overdue,
    /// Believed to be gone.
    Expired,
}

/// The watchdog of one handset.
#[derive(Clone, Debug)]
pub struct Watchdog {
    class: Option<Class>,
    state: State,
    presence: Presence,
    busy: bool,
}

impl Watchdog {
    /// A watchdog that watches nothing yet. Without a class it never will (GAP handsets).
    pub const fn new(class: Option<Class>) -> Watchdog {
        Watchdog { class, state: State::Off, presence: Presence::fresh(Moment::START), busy: false }
    }

    /// How it stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Overdue and perhaps expired, as far as it is due.
    fn check(&mut self, now: Moment, out: &mut Vec<Verdict>) {
        let Some(class) = self.class else { return };
        if self.state == State::Fresh && self.presence.age(now) >= class.overdue.min(class.stop) {
            self.state = State::Overdue;
            out.push(Verdict::Overdue);
        }
        if self.state == State::Overdue && !self.busy && self.presence.age(now) >= class.stop {
            self.state = State::Expired;
            out.push(Verdict::Expired);
        }
    }

    /// The end of a call that kept an overdue handset registered proves presence, if the class says so.
    fn hung_up(&mut self, now: Moment) {
        if let (State::Overdue, Some(class)) = (self.state, self.class)
            && class.activity_counts
            && self.presence.age(now) >= class.stop
        {
            self.presence = Presence::fresh(now);
        }
    }
}

impl Machine for Watchdog {
    type Input = Input;
    type Effect = Verdict;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Verdict>) {
        match (input, self.state) {
            (Input::Owned { age }, State::Off | State::Fresh | State::Overdue | State::Expired) => {
                self.state = State::Fresh;
                self.presence = Presence::aged(age, now);
            }
            (Input::Located, State::Fresh | State::Overdue) => {
                self.state = State::Fresh;
                self.presence = Presence::fresh(now);
            }
            (Input::Located, State::Off | State::Expired) => {}
            (Input::Left, State::Off | State::Fresh | State::Overdue | State::Expired) => {
                self.state = State::Off
            }
            // A call may outlive the ownership, so its state is kept whatever the watchdog does.
            (Input::Call(busy), State::Off | State::Fresh | State::Overdue | State::Expired) => {
                if self.busy && !busy {
                    self.hung_up(now);
                }
                self.busy = busy;
                self.check(now, out);
            }
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        let class = self.class?;
        match self.state {
            State::Fresh => Some((self.presence.reaches(class.overdue.min(class.stop)), "overdue")),
            State::Overdue if !self.busy => Some((self.presence.reaches(class.stop), "watchdog")),
            State::Overdue | State::Off | State::Expired => None,
        }
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Verdict>) {
        self.check(now, out);
    }

    fn note_effect(verdict: &Verdict) -> Option<Note> {
        Some(Note::new("watchdog").text(
            "state",
            match verdict {
                Verdict::Overdue => "overdue",
                Verdict::Expired => "expired",
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    const TALKATIVE: Class = Class { activity_counts: true, ..Class::PERIODIC };

    /// Feeds inputs at seconds, waking at every deadline up to `end`; answers what was found, and when.
    fn run(class: Option<Class>, inputs: &[(u64, Input)], end: u64) -> Vec<(u64, Verdict)> {
        let mut dog = Watchdog::new(class);
        let mut found = Vec::new();
        let mut out = Vec::new();
        for (second, input) in inputs.iter().copied().map(|(s, i)| (s, Some(i))).chain([(end, None)]) {
            while let Some((due, _)) = dog.deadline().filter(|(due, _)| *due < at(second)) {
                dog.wake(due, &mut out);
                found.extend(out.drain(..).map(|verdict| (due.as_millis() / 1000, verdict)));
            }
            if let Some(input) = input {
                dog.on(at(second), input, &mut out);
                found.extend(out.drain(..).map(|verdict| (second, verdict)));
            }
        }
        found
    }

    fn owned(age: u64) -> Input {
        Input::Owned { age: Duration::from_secs(age) }
    }

    #[test]
    fn w1_a_handset_that_reports_in_time_is_never_overdue() {
        for period in [7_200, 7_209] {
            let reports: Vec<_> =
                [(0, owned(0))].into_iter().chain((1..20).map(|n| (n * period, Input::Located))).collect();
            assert_eq!(run(Some(Class::PERIODIC), &reports, 20 * period), []);
        }
    }

    #[test]
    fn w2_silence_is_overdue_at_7260_and_ends_at_9000() {
        let verdicts = [(7_260, Verdict::Overdue), (9_000, Verdict::Expired)];
        assert_eq!(run(Some(Class::PERIODIC), &[(0, owned(0))], 20_000), verdicts);
        // Late, but not too late.
        let late = [(0, owned(0)), (8_999, Input::Located)];
        assert_eq!(
            run(Some(Class::PERIODIC), &late, 30_000),
            [(7_260, Verdict::Overdue), (8_999 + 7_260, Verdict::Overdue), (8_999 + 9_000, Verdict::Expired)]
        );
    }

    #[test]
    fn w3_a_restart_grants_no_more_time() {
        // The process starts anew with the report of 8,000 s ago out of the store.
        assert_eq!(
            run(Some(Class::PERIODIC), &[(0, owned(8_000))], 20_000),
            [(0, Verdict::Overdue), (1_000, Verdict::Expired)]
        );
        assert_eq!(
            run(Some(Class::PERIODIC), &[(0, owned(50_000))], 20_000),
            [(0, Verdict::Overdue), (0, Verdict::Expired)]
        );
    }

    #[test]
    fn w4_whoever_has_left_is_not_watched() {
        assert_eq!(run(Some(Class::PERIODIC), &[(0, owned(0)), (8_000, Input::Left)], 20_000).len(), 1);
    }

    #[test]
    fn w5_a_call_keeps_an_overdue_handset_until_it_ends() {
        let call = [(0, owned(0)), (8_900, Input::Call(true)), (9_500, Input::Call(false))];
        assert_eq!(
            run(Some(Class::PERIODIC), &call, 30_000),
            [(7_260, Verdict::Overdue), (9_500, Verdict::Expired)]
        );
        assert_eq!(
            run(Some(TALKATIVE), &call, 30_000),
            [(7_260, Verdict::Overdue), (9_500 + 9_000, Verdict::Expired)]
        );
        // A call that ends in time changes nothing.
        let short = [(0, owned(0)), (8_000, Input::Call(true)), (8_100, Input::Call(false))];
        assert_eq!(
            run(Some(TALKATIVE), &short, 30_000),
            [(7_260, Verdict::Overdue), (9_000, Verdict::Expired)]
        );
        // A report during the call is a report.
        let report =
            [(0, owned(0)), (8_900, Input::Call(true)), (9_100, Input::Located), (9_500, Input::Call(false))];
        assert_eq!(run(Some(Class::PERIODIC), &report, 16_000), [(7_260, Verdict::Overdue)]);
    }

    #[test]
    fn w6_a_gap_handset_need_not_report() {
        assert_eq!(run(None, &[(0, owned(0))], 1_000_000), []);
    }

    #[test]
    fn an_expired_handset_is_watched_again_once_it_is_owned_again() {
        let again = [(0, owned(0)), (9_500, Input::Located), (10_000, owned(0))];
        let verdicts = run(Some(Class::PERIODIC), &again, 17_000);
        assert_eq!(verdicts, [(7_260, Verdict::Overdue), (9_000, Verdict::Expired)]);
    }
}
