//! Where the server of one tier is, from birth to death of an OMM (RFC 3263, spec 3.4, S-22).
//!
//! ```text
//!   told: believed for its time to live --> asked again --> the same: nothing happens
//!                                                      '--> another list: Moved
//!   not told: the last good list is served on, with a warning, and the DNS is asked again and again
//! ```
//!
//! - A list that differs, in order too, is told to the server's health, to the flows and to every line: nobody has to be
//!   restarted for a server that moved.
//! - A failure of the server is a reason to ask before the time is over (S-22), but not more often than every ten
//!   seconds (ours).
//! - A DNS that is dead, or that has forgotten the name, takes nobody's registration: what was true last is used on. Only
//!   a tier that was never found has no target, and then it is down.

use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;
use machine::timers::{Name, Timers};

use crate::server::{Server, TARGETS_MAX};
use crate::target::Target;

/// The shortest time for which an answer is believed; ours: a TTL of zero must not become a storm.
pub const LIFE_MIN: Duration = Duration::from_secs(5);
/// The longest one; ours: an hour.
pub const LIFE_MAX: Duration = Duration::from_secs(3600);
/// The least pause between two questions, whatever fails; ours.
const PAUSE: Duration = Duration::from_secs(10);
/// The longest pause while the DNS does not answer; ours.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long the DNS may take to say anything; ours: more than a resolver allows itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input {
    /// The DNS answered: targets in the order in which to try them, and for how long that is true.
    Resolved {
        /// At least one.
        targets: Vec<Target>,
        /// The shortest time to live of the records.
        life: Duration,
    },
    /// It did not, or knows no such server.
    Unresolved(String),
    /// The server failed: is it still there?
    Doubt,
    /// Somebody waits to ask the server again at once (S-22): where is it now?
    Check,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask the DNS.
    Resolve,
    /// The server is found here from now on.
    Moved(Arc<Server>),
    /// The DNS does not answer, and the last good list is used on (trace).
    Stale {
        /// The server's name.
        server: Arc<str>,
        /// Why, in words for people.
        why: String,
    },
    /// The DNS answers again, and nothing has changed (trace).
    Fresh(Arc<str>),
    /// For whoever waits: this is where the server is, as far as is known now.
    Checked(Arc<Server>),
}

/// The deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When what is known is no longer true, or when to ask again.
    Ask,
    /// When to stop waiting for the DNS.
    Patience,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Ask => "ask",
            Timer::Patience => "patience",
        }
    }
}

/// Where one server is.
#[derive(Debug)]
pub struct Locator {
    server: Arc<Server>,
    asked: Option<Moment>,
    /// Questions in a row without an answer.
    misses: u32,
    /// Somebody waits for the answer.
    awaited: bool,
    timers: Timers<Timer>,
}

impl Locator {
    /// A server as it was found at birth, with an empty list when it was not. The DNS is asked at once.
    pub fn new(now: Moment, server: Arc<Server>) -> Locator {
        let mut timers = Timers::default();
        timers.set(Timer::Ask, now);
        Locator { server, asked: None, misses: 0, awaited: false, timers }
    }

    fn ask(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.timers.stop(Timer::Ask);
        self.timers.set(Timer::Patience, now + PATIENCE);
        self.asked = Some(now);
        out.push(Effect::Resolve);
    }

    fn doubt(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let is_early = self.asked.is_some_and(|asked| now.since(asked) < PAUSE);
        if !is_early && self.timers.at(Timer::Patience).is_none() {
            self.ask(now, out);
        }
    }

    /// Nobody waits any longer than the DNS is being asked.
    fn tell_waiting(&mut self, out: &mut Vec<Effect>) {
        if self.timers.at(Timer::Patience).is_none() && std::mem::take(&mut self.awaited) {
            out.push(Effect::Checked(self.server.clone()));
        }
    }

    /// The server as it is known now.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    fn resolved(&mut self, now: Moment, mut targets: Vec<Target>, life: Duration, out: &mut Vec<Effect>) {
        self.timers.stop(Timer::Patience);
        self.timers.set(Timer::Ask, now + life.clamp(LIFE_MIN, LIFE_MAX));
        let was_silent = std::mem::take(&mut self.misses) > 0;
        targets.truncate(TARGETS_MAX);
        if targets != self.server.targets {
            self.server = Arc::new(Server { targets, ..(*self.server).clone() });
            out.push(Effect::Moved(self.server.clone()));
        } else if was_silent {
            out.push(Effect::Fresh(self.server.name.clone()));
        }
    }

    fn unresolved(&mut self, now: Moment, why: String, out: &mut Vec<Effect>) {
        self.timers.stop(Timer::Patience);
        let pause = PAUSE.saturating_mul(2_u32.saturating_pow(self.misses)).min(PAUSE_MAX);
        self.timers.set(Timer::Ask, now + pause);
        if self.misses == 0 {
            out.push(Effect::Stale { server: self.server.name.clone(), why });
            if self.server.targets.is_empty() {
                out.push(Effect::Moved(self.server.clone()));
            }
        }
        self.misses = self.misses.saturating_add(1);
    }
}

impl Machine for Locator {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Resolved { targets, life } if !targets.is_empty() => {
                self.resolved(now, targets, life, out);
            }
            Input::Resolved { .. } => self.unresolved(now, "there is no target".to_owned(), out),
            Input::Unresolved(why) => self.unresolved(now, why, out),
            Input::Doubt => self.doubt(now, out),
            Input::Check => {
                self.awaited = true;
                self.doubt(now, out);
            }
        }
        self.tell_waiting(out);
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Ask => self.ask(now, out),
                Timer::Patience => self.unresolved(now, "the DNS says nothing".to_owned(), out),
            }
        }
        self.tell_waiting(out);
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Resolve | Effect::Checked(_) => None,
            Effect::Moved(server) => {
                let targets: Vec<String> = server.targets.iter().map(Target::to_string).collect();
                let note = Note::new("resolved").text("server", &server.name);
                Some(note.text("targets", targets.join(" ")))
            }
            Effect::Stale { server, why } => {
                let text =
                    format_args!("the DNS does not say where {server} is; the last answer is used on: {why}");
                Some(Note::new("alarm").text("text", text))
            }
            Effect::Fresh(server) => {
                Some(Note::new("note").text("text", format_args!("the DNS says again where {server} is")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Way;
    use crate::target::Transport;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    fn targets(ports: &[u16]) -> Vec<Target> {
        ports.iter().map(|port| Target::new(Transport::Udp, ([192, 0, 2, 1], *port).into())).collect()
    }

    fn locator(ports: &[u16]) -> Locator {
        let server =
            Server { name: "pbx".into(), tier: 0, targets: targets(ports), spare: true, way: Way::default() };
        Locator::new(at(0), Arc::new(server))
    }

    fn told(out: &mut Vec<Effect>) -> Vec<String> {
        let tell = |effect: Effect| match effect {
            Effect::Resolve => "resolve".to_owned(),
            Effect::Moved(server) => {
                let ports: Vec<_> = server.targets.iter().map(|target| target.addr.port()).collect();
                format!("moved {ports:?}")
            }
            Effect::Stale { why, .. } => format!("stale: {why}"),
            Effect::Fresh(_) => "fresh".to_owned(),
            Effect::Checked(server) => {
                let ports: Vec<_> = server.targets.iter().map(|target| target.addr.port()).collect();
                format!("checked {ports:?}")
            }
        };
        out.drain(..).map(tell).collect()
    }

    fn give(locator: &mut Locator, now: u64, input: Input) -> Vec<String> {
        let mut out = Vec::new();
        locator.on(at(now), input, &mut out);
        told(&mut out)
    }

    fn next(locator: &mut Locator) -> (u64, Vec<String>) {
        let (moment, _) = locator.deadline().expect("a deadline");
        let mut out = Vec::new();
        locator.wake(moment, &mut out);
        (moment.as_millis() / 1000, told(&mut out))
    }

    fn found(ports: &[u16], life: u64) -> Input {
        Input::Resolved { targets: targets(ports), life: Duration::from_secs(life) }
    }

    #[test]
    fn an_answer_is_believed_for_its_time_to_live_and_only_a_change_is_told() {
        let mut locator = locator(&[1, 2]);
        assert_eq!(next(&mut locator), (0, vec!["resolve".into()]));
        assert!(give(&mut locator, 0, found(&[1, 2], 300)).is_empty());
        assert_eq!(next(&mut locator), (300, vec!["resolve".into()]));
        assert_eq!(give(&mut locator, 300, found(&[2, 1], 0)), ["moved [2, 1]"], "the order counts");
        assert_eq!(next(&mut locator), (305, vec!["resolve".into()]), "no storm");
        assert!(give(&mut locator, 305, found(&[2, 1], 1_000_000)).is_empty());
        assert_eq!(next(&mut locator).0, 305 + 3600);
    }

    #[test]
    fn a_dead_dns_takes_nobodys_server_and_is_asked_again_and_again() {
        let mut locator = locator(&[1]);
        next(&mut locator);
        assert_eq!(give(&mut locator, 0, Input::Unresolved("SERVFAIL".into())), ["stale: SERVFAIL"]);
        let mut times = Vec::new();
        for _ in 0..4 {
            let (now, _) = next(&mut locator);
            times.push(now);
            assert!(give(&mut locator, now, Input::Unresolved("SERVFAIL".into())).is_empty(), "told once");
        }
        assert_eq!(times, [10, 30, 70, 130]);
        let (now, _) = next(&mut locator);
        assert_eq!(give(&mut locator, now, found(&[1], 60)), ["fresh"]);
        // A DNS that says nothing at all is no better.
        next(&mut locator);
        assert_eq!(next(&mut locator), (now + 60 + 30, vec!["stale: the DNS says nothing".into()]));
    }

    #[test]
    fn a_server_that_was_never_found_has_no_target_until_it_is() {
        let mut locator = locator(&[]);
        next(&mut locator);
        let unknown = Input::Unresolved("the DNS knows no such server".into());
        let lines = give(&mut locator, 0, unknown.clone());
        assert_eq!(lines, ["stale: the DNS knows no such server", "moved []"]);
        let (now, _) = next(&mut locator);
        assert_eq!(give(&mut locator, now, found(&[7], 60)), ["moved [7]"]);
        assert_eq!(give(&mut locator, now + 60, unknown).len(), 1, "the last good list stays");
    }

    #[test]
    fn a_failure_is_a_reason_to_ask_but_not_every_second() {
        let mut locator = locator(&[1]);
        next(&mut locator);
        assert!(give(&mut locator, 0, Input::Doubt).is_empty(), "it is being asked");
        give(&mut locator, 1, found(&[1], 3600));
        assert!(give(&mut locator, 9, Input::Doubt).is_empty());
        assert_eq!(give(&mut locator, 11, Input::Doubt), ["resolve"]);
        assert_eq!(give(&mut locator, 11, found(&[2], 3600)), ["moved [2]"]);
    }
    #[test]
    fn whoever_waits_is_told_when_the_dns_has_answered_or_says_nothing_and_at_once_when_it_has_just_done() {
        let mut locator = locator(&[1]);
        next(&mut locator);
        assert!(give(&mut locator, 0, Input::Check).is_empty(), "it is being asked");
        assert_eq!(give(&mut locator, 1, found(&[1], 3600)), ["checked [1]"]);
        assert_eq!(give(&mut locator, 2, Input::Check), ["checked [1]"], "its answer is fresh");
        assert_eq!(give(&mut locator, 20, Input::Check), ["resolve"]);
        assert!(give(&mut locator, 20, Input::Check).is_empty());
        assert_eq!(give(&mut locator, 21, found(&[2], 3600)), ["moved [2]", "checked [2]"]);
        assert_eq!(give(&mut locator, 40, Input::Check), ["resolve"]);
        let (now, lines) = next(&mut locator);
        assert_eq!((now, lines.len(), lines.last()), (70, 2, Some(&"checked [2]".to_owned())), "{lines:?}");
    }
}
