//! The table of SM-1C, as far as one connection goes.

use super::*;
use crate::claim::{Confirm, Outcome};
use crate::ids::Number;
use crate::ids::park::Pli;
use crate::platform::Platform;
use crate::stamp::Stamp;
use machine::secret::Secret;

const CENTRAL: OmmId = OmmId::new(0x102A_7C82);
const REMOTE: OmmId = OmmId::new(0x1018_7326);
const WALL: Wall = Wall::from_millis(7_000);

fn facts(omm: OmmId) -> Facts {
    Facts { omm, protocol: 45, platform: Platform::Pc, pli: Pli::FULL, sari: None, wall: WALL }
}

fn open() -> Box<Open> {
    Box::new(Open { user: "omm".into(), password: Secret::new("secret"), facts: facts(REMOTE), trial: false })
}

fn word() -> Word {
    let epoch = Stamp { ms: 1, ctr: 0, omm: REMOTE };
    let user = Number::new("101").expect("a number");
    Word::Confirm(Confirm { user, epoch, from: REMOTE, outcome: Outcome::None })
}

/// A central's end, told what happens at which second.
struct Bench(Serve);

impl Bench {
    fn waiting() -> Bench {
        let mut bench = Bench(Serve::new(Timing::default()));
        bench.see(0, Input::Accepted, vec![], State::Waiting);
        bench
    }

    fn knocking() -> Bench {
        let mut bench = Bench::waiting();
        bench.hear(1, Frame::Open(open()), vec![Effect::Knock(open())], State::Knocking(REMOTE));
        bench
    }

    fn serving() -> Bench {
        let mut bench = Bench::knocking();
        let welcome = vec![Effect::Send(Frame::OpenResult(Ok(facts(CENTRAL)))), Effect::Up(REMOTE)];
        bench.see(2, Input::Answered(Ok(facts(CENTRAL))), welcome, State::Serving(REMOTE));
        bench
    }

    fn live() -> Bench {
        let mut bench = Bench::serving();
        bench.see(3, Input::Served, vec![Effect::Send(Frame::EndOfDownload)], State::Merging(REMOTE));
        bench.hear(4, Frame::EndOfDownload, vec![Effect::Downloaded(REMOTE)], State::Live(REMOTE));
        bench
    }

    fn see(&mut self, second: u64, input: Input, expected: Vec<Effect>, state: State) {
        let (what, mut out) = (format!("{input:?}"), Vec::new());
        self.0.on(Moment::from_millis(second * 1_000), input, &mut out);
        assert_eq!((out, self.0.state()), (expected, state), "after {what}");
    }

    fn hear(&mut self, second: u64, frame: Frame, expected: Vec<Effect>, state: State) {
        self.see(second, Input::Received { frame, wall: WALL }, expected, state);
    }

    /// When the next deadline is, in seconds, and what it does.
    fn due(&mut self) -> (u64, Vec<Effect>) {
        let (due, _) = self.0.deadline().expect("a deadline");
        let mut out = Vec::new();
        self.0.wake(due, &mut out);
        (due.as_millis() / 1_000, out)
    }
}

#[test]
fn the_download_goes_out_then_the_upload_comes_in() {
    let mut bench = Bench::serving();
    bench.see(2, Input::Say(word()), vec![Effect::Send(Frame::Word(word()))], State::Serving(REMOTE));
    let mut bench = Bench::live();
    bench.see(5, Input::Say(word()), vec![Effect::Send(Frame::Word(word()))], State::Live(REMOTE));
    let delivered = vec![Effect::Deliver { from: REMOTE, word: word() }];
    bench.hear(5, Frame::Word(word()), delivered, State::Live(REMOTE));
    let pong = vec![Effect::Send(Frame::Pong { seq: 3, wall: WALL })];
    bench.hear(5, Frame::Ping { seq: 3 }, pong, State::Live(REMOTE));
}

#[test]
fn whom_the_roster_refuses_is_told_why() {
    for error in [OpenError::Auth, OpenError::Full, OpenError::NoSari] {
        let refusal = vec![Effect::Send(Frame::OpenResult(Err(error))), Effect::Close];
        Bench::knocking().see(2, Input::Answered(Err(error)), refusal, State::Closed);
    }
}

#[test]
fn who_does_not_introduce_itself_is_shown_out() {
    assert_eq!(Bench::waiting().due(), (10, vec![Effect::Close]));
    let protocol = vec![Effect::Alarm(Alarm::Protocol), Effect::Close];
    Bench::waiting().hear(1, Frame::Word(word()), protocol, State::Closed);
}

#[test]
fn a_silent_remote_is_dead_after_90_seconds() {
    let mut bench = Bench::live();
    bench.hear(
        50,
        Frame::Ping { seq: 1 },
        vec![Effect::Send(Frame::Pong { seq: 1, wall: WALL })],
        State::Live(REMOTE),
    );
    assert_eq!(bench.due(), (140, vec![Effect::Down(REMOTE), Effect::Close]));
}

#[test]
fn a_newer_connection_or_a_break_ends_this_one_once() {
    let mut bench = Bench::live();
    bench.see(5, Input::Replaced, vec![Effect::Down(REMOTE), Effect::Close], State::Closed);
    bench.see(6, Input::Closed, vec![], State::Closed);
    bench.hear(6, Frame::Word(word()), vec![], State::Closed);
    bench.see(6, Input::Say(word()), vec![], State::Closed);
    assert_eq!(bench.0.deadline(), None);
    Bench::live().see(5, Input::Closed, vec![Effect::Down(REMOTE)], State::Closed);
    Bench::knocking().see(5, Input::Closed, vec![], State::Closed);
}

#[test]
fn an_upload_before_the_download_has_ended_has_no_place() {
    let protocol = vec![Effect::Alarm(Alarm::Protocol), Effect::Down(REMOTE), Effect::Close];
    Bench::serving().hear(3, Frame::EndOfDownload, protocol, State::Closed);
}
