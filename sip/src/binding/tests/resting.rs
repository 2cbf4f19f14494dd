//! Targets of a server that fail, and what the next user makes of it.

use super::*;

fn port(port: u16) -> Target {
    Target { transport: Transport::Udp, addr: ([192, 0, 2, 1], port).into() }
}

fn two() -> Story {
    Setup { ports: vec![5060, 5070], ..Setup::default() }.story()
}

fn busy(story: &mut Story, seconds: &str) -> Vec<String> {
    story.answer(503, &[("Retry-After", seconds)])
}

#[test]
fn what_a_target_did_is_told_though_another_one_serves() {
    let mut story = two();
    story.tell(register(1));
    assert_eq!(busy(&mut story, "60"), ["0 initial >5070 +1:3600"]);
    assert_eq!(story.passed, [(5060, Fault::Overloaded(seconds(60)))]);
    story.ok();
    story.tell(Order::Renew);
    assert_eq!(story.answer(500, &[]), ["0 renew >5060 +1:3600"]);
    assert_eq!(story.passed[1..], [(5070, Fault::Broken(500))]);
    // The last one speaks for the server; that it wants rest itself is told beside that.
    assert_eq!(busy(&mut story, "30"), ["overloaded(30s)", "unbound refused 503"]);
    assert_eq!(story.passed[2..], [(5060, Fault::Overloaded(seconds(30)))]);
    // The only target is the server.
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(busy(&mut story, "60"), ["overloaded(60s)", "unbound refused 503"]);
    assert!(story.passed.is_empty());
}

#[test]
fn a_target_that_rests_is_passed_over_until_then() {
    let mut story = two();
    story.give(Input::Rests(port(5060), seconds(60), Rest::Wanted));
    story.check(register(1), &["0 initial >5070 +1:3600"]);
    // There is nobody else to turn to.
    assert_eq!(story.answer(500, &[]), ["broken(500)", "unbound refused 500"]);
    let mut story = two();
    story.give(Input::Rests(port(5060), seconds(60), Rest::Wanted));
    story.run(60_000);
    story.check(register(1), &["60000 initial >5060 +1:3600"]);
    let mut story = two();
    story.give(Input::Rests(port(5060), seconds(60), Rest::Wanted));
    story.give(Input::Rests(port(5060), Duration::ZERO, Rest::Wanted));
    story.check(register(1), &["0 initial >5060 +1:3600"]);
}

#[test]
fn a_target_that_has_failed_others_is_asked_behind_those_that_have_not() {
    let mut story = two();
    story.give(Input::Rests(port(5060), seconds(30), Rest::Doubted));
    story.check(register(1), &["0 initial >5070 +1:3600"]);
    assert_eq!(story.answer(500, &[]), ["0 initial >5060 +1:3600"]);
}

#[test]
fn nobody_is_silenced_by_targets_that_all_want_rest() {
    let mut story = two();
    for at in [5060, 5070] {
        story.give(Input::Rests(port(at), seconds(60), Rest::Wanted));
    }
    story.check(register(1), &["0 initial >5060 +1:3600"]);
}

#[test]
fn the_shaper_hears_of_a_refusal_before_the_next_target_is_asked() {
    let mut story = two();
    story.binding = Setup { ports: vec![5060, 5070], ..Setup::default() }.binding().shaped();
    story.tell(register(1));
    story.give(Input::Granted);
    let lines = busy(&mut story, "60");
    assert_eq!(lines, ["told(overloaded(60s))", "again", "0 initial >5070 +1:3600"]);
}
