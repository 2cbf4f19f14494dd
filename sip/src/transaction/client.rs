//! One request that is no INVITE, from the client's side (RFC 3261 17.1.2, RFC 4320).
//!
//! ```text
//!  start --> Trying --1xx--> Proceeding --final--> Completed --Timer K--> Terminated
//!              |                  |
//!              +--- Timer F ------+--> Terminated (TimedOut)
//! ```
//!
//! Over UDP without an answer the request leaves at 0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5 and 31.5 s
//! and is given up at 32.0 s (spec 3.2). The owner sends the first copy itself, right after [`Client::start`].

use std::time::Duration;

use machine::time::Moment;
use machine::timers::{Name, Timers};

use super::{LIFE, T1, T2, T4};

/// The deadlines of a client transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Timer {
    /// When to send the request again (Timer E).
    Resend,
    /// When to give up (Timer F).
    GiveUp,
    /// When no further copy of the final answer is expected (Timer K).
    Linger,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Resend => "resend",
            Timer::GiveUp => "give-up",
            Timer::Linger => "linger",
        }
    }
}

/// Where a client transaction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Sent, nothing heard.
    Trying,
    /// A 1xx came.
    Proceeding,
    /// A final answer came; copies of it are absorbed.
    Completed,
    /// Over.
    Terminated,
}

/// What a deadline of a client transaction asks of its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// Send the same bytes again.
    Resend,
    /// No final answer came: counts as 408 (8.1.3.1). What the server did is unknown, not "nothing" (RFC 4321).
    TimedOut,
    /// Nothing more to absorb; the transaction may be dropped.
    Over,
}

/// What a response means to a client transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A 1xx: go on waiting.
    Provisional,
    /// The final answer.
    Final,
    /// A copy of the final answer, or an answer after the end: drop it.
    Repeated,
    /// Not an answer to this request: another branch or method.
    Foreign,
}

/// A client transaction. Small: the owner keeps the bytes.
#[derive(Clone, Debug)]
pub struct Client {
    branch: String,
    method: &'static str,
    reliable: bool,
    state: State,
    pause: Duration,
    timers: Timers<Timer>,
}

impl Client {
    /// A transaction whose request leaves now. `branch` is the one of its Via; `reliable` means TCP or TLS.
    pub fn start(now: Moment, branch: impl Into<String>, method: &'static str, reliable: bool) -> Client {
        let mut timers = Timers::default();
        if !reliable {
            timers.set(Timer::Resend, now + T1);
        }
        timers.set(Timer::GiveUp, now + LIFE);
        Client { branch: branch.into(), method, reliable, state: State::Trying, pause: T1, timers }
    }

    /// The branch of its Via.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// When it wants to be woken next, and why.
    pub fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    /// Takes a response: the branch of its topmost Via, the method of its CSeq, its status (17.1.3).
    pub fn hear(&mut self, now: Moment, branch: &str, method: &str, code: u16) -> Heard {
        if branch != self.branch || method != self.method {
            return Heard::Foreign;
        }
        match (self.state, code) {
            (State::Trying | State::Proceeding, ..200) => {
                // A running Timer E is not touched; when it fires, it takes T2 (17.1.2.2).
                self.state = State::Proceeding;
                Heard::Provisional
            }
            (State::Trying | State::Proceeding, 200..) => {
                self.state = State::Completed;
                self.timers.clear();
                let linger = if self.reliable { Duration::ZERO } else { T4 };
                self.timers.set(Timer::Linger, now + linger);
                Heard::Final
            }
            (State::Completed | State::Terminated, _) => Heard::Repeated,
        }
    }

    /// Sends no further copies but goes on listening until Timer F: for an owner that turned to another server and
    /// still wants a late answer (spec 3.2).
    pub fn hush(&mut self) {
        self.timers.stop(Timer::Resend);
    }

    /// The transport could not send, or the owner lost interest: over at once.
    pub fn end(&mut self) {
        self.state = State::Terminated;
        self.timers.clear();
    }

    /// Performs one deadline that is due. Call it until it answers `None`.
    pub fn wake(&mut self, now: Moment) -> Option<Due> {
        // A late wake-up may find both due: the end counts.
        if self.timers.at(Timer::GiveUp).is_some_and(|at| at <= now) {
            self.end();
            return Some(Due::TimedOut);
        }
        match self.timers.due(now)? {
            Timer::Resend => {
                self.pause = match self.state {
                    State::Trying => (self.pause * 2).min(T2),
                    State::Proceeding | State::Completed | State::Terminated => T2,
                };
                self.timers.set(Timer::Resend, now + self.pause);
                Some(Due::Resend)
            }
            Timer::GiveUp => {
                self.end();
                Some(Due::TimedOut)
            }
            Timer::Linger => {
                self.end();
                Some(Due::Over)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    fn start(reliable: bool) -> Client {
        Client::start(at(0), "z9hG4bKa", "REGISTER", reliable)
    }

    /// Runs from deadline to deadline and lists what happens, in milliseconds.
    fn run(client: &mut Client, until: u64) -> Vec<(u64, Due)> {
        let mut story = Vec::new();
        while let Some((moment, _)) = client.deadline().filter(|(moment, _)| *moment <= at(until)) {
            while let Some(due) = client.wake(moment) {
                story.push((moment.as_millis(), due));
            }
        }
        story
    }

    #[test]
    fn eleven_copies_leave_over_udp_and_the_end_is_at_32_seconds() {
        let mut expected: Vec<(u64, Due)> = [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]
            .map(|ms| (ms, Due::Resend))
            .into();
        expected.push((32000, Due::TimedOut));
        let mut client = start(false);
        assert_eq!(run(&mut client, 100_000), expected);
        assert_eq!((client.state(), client.deadline()), (State::Terminated, None));
    }

    #[test]
    fn a_stream_needs_one_copy() {
        let mut client = start(true);
        assert_eq!(run(&mut client, 100_000), [(32000, Due::TimedOut)]);
        let mut client = start(true);
        assert_eq!(client.hear(at(10), "z9hG4bKa", "REGISTER", 200), Heard::Final);
        assert_eq!(run(&mut client, 100_000), [(10, Due::Over)]);
    }

    #[test]
    fn after_a_100_the_copies_come_every_four_seconds() {
        let mut client = start(false);
        assert_eq!(client.hear(at(100), "z9hG4bKa", "REGISTER", 100), Heard::Provisional);
        let story = run(&mut client, 100_000);
        let times: Vec<u64> = story.iter().map(|(ms, _)| *ms).collect();
        assert_eq!(times, [500, 4500, 8500, 12500, 16500, 20500, 24500, 28500, 32000]);
        assert_eq!(story.last(), Some(&(32000, Due::TimedOut)));
    }

    #[test]
    fn a_final_answer_ends_the_copies_and_its_own_copies_are_absorbed_for_t4() {
        let mut client = start(false);
        assert_eq!(run(&mut client, 600), [(500, Due::Resend)]);
        assert_eq!(client.hear(at(700), "z9hG4bKa", "REGISTER", 401), Heard::Final);
        assert_eq!(client.hear(at(900), "z9hG4bKa", "REGISTER", 401), Heard::Repeated);
        assert_eq!(client.hear(at(900), "z9hG4bKa", "REGISTER", 100), Heard::Repeated);
        assert_eq!(run(&mut client, 100_000), [(5700, Due::Over)]);
    }

    #[test]
    fn an_answer_to_something_else_changes_nothing() {
        let mut client = start(false);
        assert_eq!(client.hear(at(1), "z9hG4bKb", "REGISTER", 200), Heard::Foreign);
        assert_eq!(client.hear(at(1), "z9hG4bKa", "OPTIONS", 200), Heard::Foreign);
        assert_eq!(client.state(), State::Trying);
    }

    #[test]
    fn a_hushed_request_still_hears_a_late_answer() {
        let mut client = start(false);
        run(&mut client, 4000);
        client.hush();
        assert_eq!(run(&mut client, 31_999), []);
        assert_eq!(client.hear(at(31_999), "z9hG4bKa", "REGISTER", 200), Heard::Final);
    }

    #[test]
    fn a_late_wake_up_sends_no_burst() {
        let mut client = start(false);
        assert_eq!(client.wake(at(20_000)), Some(Due::Resend));
        assert_eq!(client.wake(at(20_000)), None);
        assert_eq!(client.wake(at(40_000)), Some(Due::TimedOut));
        assert_eq!(client.wake(at(40_000)), None);
    }
}
