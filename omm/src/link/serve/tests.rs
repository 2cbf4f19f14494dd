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
    Facts { omm, term: 0, protocol: 45, platform: Platform::Pc, pli: Pli::FULL, sari: None, wall: WALL }
}

fn open() -> Box<Open> {
    let (password, purpose) = (Secret::new("secret"), Purpose::Link);
    Box::new(Open { user: "omm".into(), password, facts: facts(REMOTE), door: None, purpose })
}

fn word() -> Word {
    let epoch = Stamp { ms: 1, ctr: 0, omm: REMOTE };
    let user = Number::new("101").expect("a number");
    Word::Confirm(Confirm { user, epoch, from: REMOTE, outcome: Outcome::None })
}

fn ping(seq: u32) -> Effect {
    Effect::Send(Frame::Ping { seq })
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
        let welcome = vec![Effect::Send(Frame::OpenResult(Ok(facts(CENTRAL)))), Effect::Up(REMOTE), ping(1)];
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
    for (second, seq) in [(32, 2), (62, 3), (92, 4), (122, 5)] {
        assert_eq!(bench.due(), (second, vec![ping(seq)]), "its own pings are no sign of life");
    }
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

/// A remote that is asked in second 2, when the central's clock shows 8, and answers in second 4 that its own shows this.
fn clock(seconds: u64) -> (Bench, Frame) {
    (Bench::live(), Frame::Pong { seq: 1, wall: Wall::from_millis(seconds * 1_000) })
}

#[test]
fn l6_the_central_measures_the_remote_s_clock_too_and_says_why_it_parts() {
    // 9 s is in the middle of the round trip.
    let (mut bench, right) = clock(10);
    bench.hear(4, right, vec![], State::Live(REMOTE));
    let (mut bench, ahead) = clock(20);
    let offset = std::time::Duration::from_secs(11);
    let warning = vec![Effect::Apart(true), Effect::Alarm(Alarm::Clock { offset, ahead: true })];
    bench.hear(4, ahead, warning, State::Live(REMOTE));
    let (mut bench, border) = clock(39);
    let thirty = std::time::Duration::from_secs(30);
    bench.hear(
        4,
        border,
        vec![Effect::Apart(true), Effect::Alarm(Alarm::Clock { offset: thirty, ahead: true })],
        State::Live(REMOTE),
    );
    // The round trip of 4 s may explain two of them.
    let (mut bench, wrong) = clock(42);
    let parts = vec![
        Effect::Apart(true),
        Effect::Alarm(Alarm::Held(Held::Here(Mismatch::Clock))),
        Effect::Send(Frame::OpenResult(Err(OpenError::Mismatch(Mismatch::Clock)))),
        Effect::Down(REMOTE),
        Effect::Close,
    ];
    bench.hear(4, wrong, parts, State::Closed);
    assert_eq!(bench.0.deadline(), None);
    // The remote has measured first.
    let said = Frame::OpenResult(Err(OpenError::Mismatch(Mismatch::Clock)));
    let parts =
        vec![Effect::Alarm(Alarm::Held(Held::Here(Mismatch::Clock))), Effect::Down(REMOTE), Effect::Close];
    Bench::serving().hear(3, said, parts, State::Closed);
}

#[test]
fn a_trial_is_answered_and_over_and_nobody_is_up() {
    let trial = || Box::new(Open { purpose: Purpose::Trial, ..*open() });
    for answer in [Ok(facts(CENTRAL)), Err(OpenError::Full)] {
        let mut bench = Bench::waiting();
        bench.hear(1, Frame::Open(trial()), vec![Effect::Knock(trial())], State::Trying);
        bench.hear(
            1,
            Frame::Ping { seq: 9 },
            vec![Effect::Send(Frame::Pong { seq: 9, wall: WALL })],
            State::Trying,
        );
        let over = vec![Effect::Send(Frame::OpenResult(answer)), Effect::Close];
        bench.see(2, Input::Answered(answer), over, State::Closed);
    }
    let mut bench = Bench::waiting();
    bench.hear(1, Frame::Open(trial()), vec![Effect::Knock(trial())], State::Trying);
    bench.see(2, Input::Closed, vec![], State::Closed);
}

#[test]
fn what_a_remote_has_is_heard_when_it_is_let_in_and_not_before() {
    let have = || Box::new(sync::word::Word::Have(sync::word::Have::default()));
    let mut bench = Bench::knocking();
    bench.hear(1, Frame::Directory(have()), vec![], State::Knocking(REMOTE));
    let welcome = vec![
        Effect::Send(Frame::OpenResult(Ok(facts(CENTRAL)))),
        Effect::Up(REMOTE),
        Effect::Learn { from: REMOTE, word: have() },
        ping(1),
    ];
    bench.see(2, Input::Answered(Ok(facts(CENTRAL))), welcome, State::Serving(REMOTE));
    // Of whom the roster refuses nothing was heard.
    let mut bench = Bench::knocking();
    bench.hear(1, Frame::Directory(have()), vec![], State::Knocking(REMOTE));
    let refusal = vec![Effect::Send(Frame::OpenResult(Err(OpenError::Full))), Effect::Close];
    bench.see(2, Input::Answered(Err(OpenError::Full)), refusal, State::Closed);
    assert_eq!(bench.0.early, None);
    // It is said once, nothing else of the directory is said so early, and nothing at all before the introduction.
    let astray = || vec![Effect::Alarm(Alarm::Protocol), Effect::Close];
    let mut bench = Bench::knocking();
    bench.hear(1, Frame::Directory(have()), vec![], State::Knocking(REMOTE));
    bench.hear(1, Frame::Directory(have()), astray(), State::Closed);
    let page = Box::new(sync::word::Word::Page(Box::default()));
    Bench::knocking().hear(1, Frame::Directory(page), astray(), State::Closed);
    Bench::waiting().hear(1, Frame::Directory(have()), astray(), State::Closed);
    let trial = || Box::new(Open { purpose: Purpose::Trial, ..*open() });
    let mut bench = Bench::waiting();
    bench.hear(1, Frame::Open(trial()), vec![Effect::Knock(trial())], State::Trying);
    bench.hear(1, Frame::Directory(have()), astray(), State::Closed);
}
