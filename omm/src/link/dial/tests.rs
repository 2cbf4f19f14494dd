//! The table of SM-1R, row by row.

use super::*;
use crate::claim::{Confirm, Outcome};
use crate::ids::Number;
use crate::ids::park::{Park, Pli, Sari};
use crate::platform::Platform;
use crate::stamp::Stamp;

mod asking;
mod slow;

const CENTRAL: OmmId = OmmId::new(0x102A_7C82);
const REMOTE: OmmId = OmmId::new(0x1018_7326);

fn facts(omm: OmmId) -> Facts {
    let (platform, pli, wall) = (Platform::Pc, Pli::FULL, Wall::from_millis(1_000_000));
    Facts { omm, term: 0, protocol: 45, platform, pli, sari: None, wall }
}

fn sari(park: &str) -> Option<Sari> {
    park.parse::<Park>().ok().map(Sari::derive)
}

fn word() -> Word {
    let epoch = Stamp { ms: 1, ctr: 0, omm: REMOTE };
    let user = Number::new("101").expect("a number");
    Word::Confirm(Confirm { user, epoch, from: REMOTE, outcome: Outcome::None })
}

/// A remote's end, told what happens at which second.
struct Bench {
    dial: Dial,
    second: u64,
}

impl Bench {
    fn new(addresses: &[&str], timing: Timing) -> Bench {
        let addresses = addresses.iter().map(|address| Arc::from(*address)).collect();
        let (user, password) = (Arc::from("omm"), Secret::new("secret"));
        let census = Census::default();
        let (facts, door, adopt) = (facts(REMOTE), None, false);
        let attach = Attach { addresses, user, password, facts, door, census, adopt, timing };
        Bench { dial: Dial::new(attach, Chance::of(1, "link")), second: 0 }
    }

    /// Connected, introduced, waiting for the central's answer.
    fn opening() -> Bench {
        let mut bench = Bench::new(&["one:12622"], Timing::default());
        bench.see(0, Input::Start, "connect one:12622, connecting");
        bench.see(0, Bench::connected(0), "send open, send ping");
        bench
    }

    fn download() -> Bench {
        let mut bench = Bench::opening();
        let up = format!("up {CENTRAL}, synchronising, ask");
        bench.hear(0, Frame::OpenResult(Ok(facts(CENTRAL))), &up);
        bench
    }

    fn in_sync() -> Bench {
        let mut bench = Bench::download();
        bench.hear(1, Frame::EndOfDownload, &format!("downloaded {CENTRAL}"));
        bench.see(1, Input::Uploaded, "send end, insync");
        bench
    }

    /// The remote's clock says 1,000 s at second 0.
    fn wall(second: u64) -> Wall {
        Wall::from_millis((1_000 + second) * 1_000)
    }

    fn connected(second: u64) -> Input {
        Input::Connected { wall: Bench::wall(second) }
    }

    fn words(out: &[Effect]) -> String {
        let words: Vec<String> = out
            .iter()
            .map(|effect| match effect {
                Effect::Connect { address } => format!("connect {address}"),
                Effect::Send(Frame::Open(_)) => "send open".to_owned(),
                Effect::Send(Frame::OpenResult(_)) => "send result".to_owned(),
                Effect::Send(Frame::Ping { .. }) => "send ping".to_owned(),
                Effect::Send(Frame::Pong { seq, .. }) => format!("send pong {seq}"),
                Effect::Send(Frame::Word(_)) => "send word".to_owned(),
                Effect::Send(Frame::EndOfDownload) => "send end".to_owned(),
                Effect::Send(Frame::Directory(_)) => "send directory".to_owned(),
                Effect::Send(Frame::Neighbours(_)) => "send neighbours".to_owned(),
                Effect::Learn { .. } => "learn".to_owned(),
                Effect::Close => "close".to_owned(),
                Effect::Ask => "ask".to_owned(),
                Effect::Learned(sari) => format!("learned {sari}"),
                Effect::Neighbours(all) => format!("{} neighbours", all.len()),
                Effect::Up(peer) => format!("up {peer}"),
                Effect::Downloaded(peer) => format!("downloaded {peer}"),
                Effect::Down(peer) => format!("down {peer}"),
                Effect::Deliver { from, .. } => format!("deliver from {from}"),
                Effect::Health(Health::Held(held)) => format!("held {held}"),
                Effect::Health(Health::Refused(census)) => format!("refused {census}"),
                Effect::Health(health) => health.word().to_owned(),
                Effect::Apart(apart) => format!("apart {apart}"),
                Effect::Alarm(Alarm::Held(held)) => format!("alarm {held}"),
                Effect::Alarm(Alarm::Clock { offset, ahead }) => format!("alarm clock {offset:?} {ahead}"),
                Effect::Alarm(Alarm::NotEmpty(census)) => format!("alarm {census}"),
                Effect::Alarm(Alarm::Slow { percent, measured }) => {
                    format!("alarm slow at {percent} %, {measured} kbit/s")
                }
                Effect::Alarm(Alarm::Protocol) => "alarm protocol".to_owned(),
            })
            .collect();
        words.join(", ")
    }

    fn see(&mut self, second: u64, input: Input, expected: &str) {
        self.pass(second, "");
        let (what, mut out) = (format!("{input:?}"), Vec::new());
        self.dial.on(Moment::from_millis(second * 1_000), input, &mut out);
        assert_eq!(Bench::words(&out), expected, "after {what} at {second}");
    }

    fn hear(&mut self, second: u64, frame: Frame, expected: &str) {
        self.see(second, Input::Received { frame, bytes: 1_000, wall: Bench::wall(second) }, expected);
    }

    fn pass(&mut self, second: u64, expected: &str) {
        let mut out = Vec::new();
        while let Some((due, _)) = self.dial.deadline().filter(|(due, _)| due.as_millis() <= second * 1_000) {
            self.dial.wake(due, &mut out);
        }
        self.second = second;
        assert_eq!(Bench::words(&out), expected, "until {second}");
    }
}

#[test]
fn download_first_upload_second_then_in_step() {
    let mut bench = Bench::in_sync();
    assert_eq!(bench.dial.state(), State::InSync(CENTRAL));
    bench.see(2, Input::Say(word()), "send word");
    bench.hear(2, Frame::Word(word()), &format!("deliver from {CENTRAL}"));
    bench.hear(2, Frame::Ping { seq: 7 }, "send pong 7");
}

#[test]
fn an_introduction_says_who_we_are() {
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    bench.see(0, Input::Start, "connect one:12622, connecting");
    let mut out = Vec::new();
    bench.dial.on(Moment::START, Bench::connected(5), &mut out);
    let Some(Effect::Send(Frame::Open(open))) = out.into_iter().next() else { panic!("no introduction") };
    assert_eq!((&*open.user, open.password.reveal()), ("omm", "secret"));
    assert_eq!(open.facts, Facts { wall: Bench::wall(5), ..facts(REMOTE) });
}

#[test]
fn y4_what_does_not_go_together_is_held_told_once_and_tried_again_every_minute() {
    let foreign = Facts { sari: sari("1F102A7C82"), ..facts(CENTRAL) };
    let cases = [
        (Facts { protocol: 46, ..facts(CENTRAL) }, Mismatch::Protocol),
        (Facts { platform: Platform::Rfp4g, ..facts(CENTRAL) }, Mismatch::Platform),
        (Facts { pli: Pli::XXL, ..facts(CENTRAL) }, Mismatch::Pli),
        (facts(REMOTE), Mismatch::DuplicatePark),
        (foreign, Mismatch::Sari),
    ];
    for (theirs, mismatch) in cases {
        let mut bench = Bench::opening();
        if mismatch == Mismatch::Sari {
            bench.dial.attach.facts.sari = sari("1F10187326");
        }
        // Whoever was attached before says what it has at once, anybody else when it is let in.
        let (opens, enters) = match mismatch {
            Mismatch::Sari => ("send open, send ping, ask", ""),
            Mismatch::Protocol
            | Mismatch::Platform
            | Mismatch::Pli
            | Mismatch::DuplicatePark
            | Mismatch::Clock => ("send open, send ping", ", ask"),
        };
        let held = format!("close, alarm {mismatch}, held {mismatch}");
        bench.hear(0, Frame::OpenResult(Ok(theirs)), &held);
        bench.pass(59, "");
        bench.pass(60, "connect one:12622");
        bench.see(60, Bench::connected(60), opens);
        bench.hear(60, Frame::OpenResult(Ok(theirs)), "close");
        // Cured: it resumes by itself.
        bench.pass(120, "connect one:12622");
        bench.see(120, Bench::connected(120), opens);
        let up = format!("up {CENTRAL}, synchronising{enters}");
        bench.hear(120, Frame::OpenResult(Ok(Facts { sari: None, ..facts(CENTRAL) })), &up);
    }
}

#[test]
fn y3_a_central_that_refuses_holds_the_link_too() {
    for error in [OpenError::Auth, OpenError::Full, OpenError::NoSari, OpenError::Outranked] {
        let mut bench = Bench::opening();
        bench.hear(0, Frame::OpenResult(Err(error)), &format!("close, alarm {error}, held {error}"));
        assert_eq!(bench.dial.state(), State::Held(Held::There(error)));
        bench.see(1, Input::Say(word()), "");
        bench.pass(60, "connect one:12622");
    }
}

#[test]
fn y9_a_failed_attempt_is_followed_by_the_other_address() {
    let mut bench = Bench::new(&["one:12622", "two:12622"], Timing::default());
    bench.see(0, Input::Start, "connect one:12622, connecting");
    bench.see(0, Input::Closed, "");
    bench.pass(1, "connect two:12622");
    // Nobody there: given up after 10 s; then the back-off.
    bench.pass(10, "");
    bench.pass(13, "close, connect one:12622");
}

#[test]
fn a_central_that_does_not_answer_is_given_up() {
    let mut bench = Bench::opening();
    bench.pass(9, "");
    bench.pass(10, "close");
}

#[test]
fn the_backoff_doubles_up_to_a_minute_and_starts_afresh_after_a_stable_link() {
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    bench.see(0, Input::Start, "connect one:12622, connecting");
    let mut out = Vec::new();
    let mut now = Moment::START;
    for window_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
        bench.dial.on(now, Input::Closed, &mut out);
        let (due, reason) = bench.dial.deadline().expect("a deadline");
        let wait = u64::try_from(due.since(now).as_millis()).expect("short");
        assert!((window_ms / 2..=window_ms).contains(&wait), "{wait} of {window_ms}");
        assert_eq!(reason, "again");
        bench.dial.wake(due, &mut out);
        now = due;
    }
    let mut bench = Bench::in_sync();
    bench.dial.failures = 5;
    bench.pass(60, "send ping, send ping");
    assert_eq!(bench.dial.failures, 5);
    bench.pass(61, "");
    assert_eq!(bench.dial.failures, 0);
}

#[test]
fn a_link_that_breaks_is_down_and_dialled_again() {
    for mut bench in [Bench::download(), Bench::in_sync()] {
        bench.see(2, Input::Closed, &format!("down {CENTRAL}, lost"));
        bench.see(2, Input::Say(word()), "");
        bench.pass(3, "connect one:12622");
        // It stays lost, however often that fails, until it stands again.
        bench.see(3, Input::Closed, "");
        bench.pass(5, "connect one:12622");
        bench.see(5, Bench::connected(5), "send open, send ping");
        bench.hear(5, Frame::OpenResult(Ok(facts(CENTRAL))), &format!("up {CENTRAL}, synchronising, ask"));
    }
}

#[test]
fn silence_for_90_seconds_is_death_and_anything_heard_is_life() {
    let mut bench = Bench::in_sync();
    bench.pass(90, "send ping, send ping, send ping");
    bench.pass(91, &format!("close, down {CENTRAL}, lost"));
    let mut bench = Bench::in_sync();
    bench.pass(80, "send ping, send ping");
    bench.hear(80, Frame::Word(word()), &format!("deliver from {CENTRAL}"));
    bench.pass(169, "send ping, send ping, send ping");
    bench.pass(170, &format!("close, down {CENTRAL}, lost"));
}

#[test]
fn l6_wrong_clocks_are_told_once_and_hold_the_link_from_30_seconds_on() {
    let theirs = |ms: u64| Wall::from_millis(1_000_000 + ms);
    let mut bench = Bench::in_sync();
    bench.hear(1, Frame::Pong { seq: 1, wall: theirs(2_000) }, "");
    bench.pass(30, "send ping");
    bench.hear(30, Frame::Pong { seq: 2, wall: theirs(40_000) }, "apart true, alarm clock 10s true");
    bench.pass(60, "send ping");
    bench.hear(60, Frame::Pong { seq: 3, wall: theirs(70_000) }, "");
    bench.hear(60, Frame::Pong { seq: 3, wall: theirs(700_000) }, "");
    bench.pass(90, "send ping");
    bench.hear(90, Frame::Pong { seq: 4, wall: theirs(91_000) }, "apart false");
    for (off, held) in [(30_500, ""), (32_000, "held"), (600_000, "held")] {
        let mut bench = Bench::in_sync();
        let said = match held {
            "" => "apart true, alarm clock 30s true".to_owned(),
            _ => format!("apart true, send result, down {CENTRAL}, close, alarm clock, held clock"),
        };
        bench.hear(1, Frame::Pong { seq: 1, wall: theirs(off) }, &said);
    }
    // Whoever measures first, it is held for the same reason and told once.
    let mut bench = Bench::in_sync();
    let clock = Frame::OpenResult(Err(OpenError::Mismatch(Mismatch::Clock)));
    bench.hear(1, clock, &format!("down {CENTRAL}, close, alarm clock, held clock"));
    bench.pass(61, "connect one:12622");
    bench.see(61, Bench::connected(61), "send open, send ping");
    bench.hear(61, Frame::OpenResult(Ok(facts(CENTRAL))), &format!("up {CENTRAL}, synchronising, ask"));
    // Cured.
    bench.hear(61, Frame::Pong { seq: 2, wall: Bench::wall(61) }, "");
}

#[test]
fn what_has_no_place_in_the_protocol_ends_the_connection() {
    let mut bench = Bench::opening();
    bench.hear(1, Frame::EndOfDownload, "alarm protocol, close");
    let mut bench = Bench::in_sync();
    bench.hear(2, Frame::EndOfDownload, &format!("alarm protocol, close, down {CENTRAL}, lost"));
}

#[test]
fn what_comes_too_late_is_ignored() {
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    for input in [Input::Stop, Input::Closed, Input::Uploaded, Input::Say(word()), Bench::connected(0)] {
        bench.see(0, input, "");
    }
    let mut bench = Bench::in_sync();
    bench.see(2, Input::Start, "");
    bench.see(2, Input::Uploaded, "");
    bench.see(3, Input::Stop, &format!("down {CENTRAL}, close, off"));
    bench.see(4, Input::Closed, "");
    bench.hear(4, Frame::Word(word()), "");
    bench.pass(1_000, "");
    bench.see(1_000, Input::Start, "connect one:12622, connecting");
}

#[test]
fn p7_the_inactive_member_of_a_pair_is_left_for_the_other_at_once() {
    let mut bench = Bench::new(&["one:12622", "two:12622"], Timing::default());
    bench.see(0, Input::Start, "connect one:12622, connecting");
    bench.see(0, Bench::connected(0), "send open, send ping");
    let inactive = || Frame::OpenResult(Err(OpenError::Inactive));
    bench.hear(0, inactive(), "close, connect two:12622");
    bench.see(0, Bench::connected(0), "send open, send ping");
    // Both are inactive: the pair is changing over. No storm: the ordinary back-off.
    bench.hear(0, inactive(), "close");
    assert_eq!(bench.dial.state(), State::Wait);
    bench.pass(1, "connect one:12622");
    bench.see(1, Bench::connected(1), "send open, send ping");
    bench.hear(1, inactive(), "close, connect two:12622");
    bench.see(1, Bench::connected(1), "send open, send ping");
    bench.hear(1, Frame::OpenResult(Ok(facts(CENTRAL))), &format!("up {CENTRAL}, synchronising, ask"));
    // A take-over while the link stands.
    bench.hear(2, inactive(), &format!("close, down {CENTRAL}, connect one:12622"));
}

#[test]
fn the_only_address_of_a_central_that_is_inactive_is_tried_again_with_the_back_off() {
    let mut bench = Bench::opening();
    bench.hear(0, Frame::OpenResult(Err(OpenError::Inactive)), "close");
    assert_eq!(bench.dial.state(), State::Wait);
}

#[test]
fn y2_a_remote_with_data_of_its_own_is_not_attached_for_the_first_time() {
    let full = |users, devices| Census { users, devices };
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    bench.dial.attach.census = full(1, 0);
    bench.see(0, Input::Start, "alarm 1 user, 0 devices, refused 1 user, 0 devices");
    assert_eq!(bench.dial.state(), State::Off);
    bench.pass(1_000, "");
    // It was a part of this system before: then its data are those of the system.
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    (bench.dial.attach.census, bench.dial.attach.facts.sari) = (full(512, 512), sari("1F102A7C82"));
    bench.see(0, Input::Start, "connect one:12622, connecting");
    // An expert says so.
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    (bench.dial.attach.census, bench.dial.attach.adopt) = (full(0, 2), true);
    bench.see(0, Input::Start, "connect one:12622, connecting");
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    bench.dial.attach.census = full(0, 2);
    bench.see(0, Input::Start, "alarm 0 users, 2 devices, refused 0 users, 2 devices");
}

#[test]
fn y1_a_new_remote_learns_the_sari_once_and_holds_to_it() {
    let mut bench = Bench::opening();
    let central = Facts { sari: sari("1F102A7C82"), ..facts(CENTRAL) };
    let learned = sari("1F102A7C82").expect("a SARI");
    bench.hear(
        0,
        Frame::OpenResult(Ok(central)),
        &format!("learned {learned}, up {CENTRAL}, synchronising, ask"),
    );
    bench.see(1, Input::Closed, &format!("down {CENTRAL}, lost"));
    bench.pass(2, "connect one:12622");
    let mut out = Vec::new();
    bench.dial.on(Moment::from_millis(2_000), Bench::connected(2), &mut out);
    let Some(Effect::Send(Frame::Open(open))) = out.into_iter().next() else { panic!("no introduction") };
    assert_eq!(open.facts.sari, Some(learned), "it says so from now on");
    let other = Facts { sari: sari("1F10187326"), ..facts(CENTRAL) };
    bench.hear(2, Frame::OpenResult(Ok(other)), "close, alarm foreign SARI, held foreign SARI");
}

#[test]
fn who_does_not_prove_to_be_the_central_is_held_told_once_and_tried_again() {
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    let reason = "it did not prove to be the central";
    bench.see(0, Input::Start, "connect one:12622, connecting");
    bench.see(0, Input::Distrusted, &format!("close, alarm {reason}, held {reason}"));
    bench.pass(60, "connect one:12622");
    bench.see(60, Input::Distrusted, "close");
    bench.pass(120, "connect one:12622");
    bench.see(120, Bench::connected(120), "send open, send ping");
    bench.see(120, Input::Distrusted, "");
}

#[test]
fn a_link_is_in_step_when_claims_and_records_are() {
    use crate::directory::sync::word::{End, Page, Word};
    let page = |percent, end| {
        Frame::Directory(Box::new(Word::Page(Box::new(Page { percent, end, ..Page::default() }))))
    };
    let mut bench = Bench::download();
    bench.hear(1, page(Some(40), None), "synchronising, learn");
    assert_eq!(bench.dial.shown, Health::Synchronising(40));
    bench.hear(1, Frame::EndOfDownload, &format!("downloaded {CENTRAL}"));
    bench.see(1, Input::Uploaded, "send end");
    assert_eq!(bench.dial.shown, Health::Synchronising(40), "the claims are there, the records are not");
    bench.hear(2, page(Some(100), Some(End::default())), "insync, learn");
    bench.hear(3, page(None, None), "learn");
    bench.see(3, Input::Tell(Box::new(Word::Ack { number: 1, whole: true })), "send directory");
    bench.see(4, Input::Closed, &format!("down {CENTRAL}, lost"));
    bench.see(4, Input::Tell(Box::new(Word::Ack { number: 1, whole: true })), "");
}
