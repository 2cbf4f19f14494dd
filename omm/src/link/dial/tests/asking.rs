//! When the central is told what a remote has.

use super::*;

#[test]
fn what_we_have_goes_right_behind_the_introduction_and_once_a_connection() {
    let have = || Input::Have(Box::default());
    let mut bench = Bench::new(&["one:12622"], Timing::default());
    bench.dial.attach.facts.sari = sari("1F102A7C82");
    bench.see(0, Input::Start, "connect one:12622, connecting");
    bench.see(0, have(), "");
    bench.see(0, Bench::connected(0), "send open, send ping, ask");
    // The directory is slow, and the connection breaks meanwhile.
    bench.see(0, Input::Closed, "");
    bench.see(0, have(), "");
    bench.pass(1, "connect one:12622");
    bench.see(1, Bench::connected(1), "send open, send ping, ask");
    bench.see(1, have(), "send directory");
    bench.see(1, have(), "");
    let up = format!("up {CENTRAL}, synchronising");
    bench.hear(1, Frame::OpenResult(Ok(facts(CENTRAL))), &up);
    bench.see(1, have(), "");
    // It was slower than the central.
    bench.see(2, Input::Closed, &format!("down {CENTRAL}, lost"));
    bench.pass(4, "connect one:12622");
    bench.see(4, Bench::connected(4), "send open, send ping, ask");
    bench.hear(4, Frame::OpenResult(Ok(facts(CENTRAL))), &up);
    bench.see(4, have(), "send directory");
}

#[test]
fn y1_whoever_is_attached_for_the_first_time_tells_nothing_before_it_is_let_in() {
    let mut bench = Bench::opening();
    bench.see(0, Input::Have(Box::default()), "");
    bench.hear(
        0,
        Frame::OpenResult(Err(OpenError::Auth)),
        "close, alarm wrong user or password, held wrong user or password",
    );
    let mut bench = Bench::download();
    bench.see(0, Input::Have(Box::default()), "send directory");
}

#[test]
fn l6_a_wrong_clock_holds_the_link_before_anything_comes_over_it() {
    // The central's clock is ahead, and something else may be wrong too: that is said first (SM-1R).
    let late = || Frame::Pong { seq: 1, wall: Wall::from_millis(2_000_000) };
    let mut bench = Bench::opening();
    bench.hear(0, late(), "");
    let clock = "apart true, send result, close, alarm clock, held clock";
    bench.hear(0, Frame::OpenResult(Ok(facts(CENTRAL))), clock);
    assert_eq!(bench.dial.state(), State::Held(Held::Here(Mismatch::Clock)));
    let mut bench = Bench::opening();
    bench.hear(0, late(), "");
    let protocol = "close, alarm protocol version, held protocol version";
    bench.hear(0, Frame::OpenResult(Ok(Facts { protocol: 46, ..facts(CENTRAL) })), protocol);
    // It is asked on each connection anew.
    let mut bench = Bench::opening();
    bench.hear(0, late(), "");
    bench.see(0, Input::Closed, "");
    bench.pass(1, "connect one:12622");
    bench.see(1, Bench::connected(1), "send open, send ping");
    bench.hear(1, Frame::OpenResult(Ok(facts(CENTRAL))), &format!("up {CENTRAL}, synchronising, ask"));
}
