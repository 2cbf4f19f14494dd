//! Targets that are passed over because of what they did to somebody.

use super::*;
use crate::report::Fault;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn two() -> Story {
    Story::of(vec![target(1), target(2)])
}

fn failed(port: u16, fault: Fault) -> Evidence {
    Evidence::Passed(target(port), fault)
}

fn busy(rest: u64) -> Fault {
    Fault::Overloaded(seconds(rest))
}

#[test]
fn a_target_that_wants_rest_has_it_from_all_users_and_the_server_stays_in_use() {
    let mut story = two();
    story.check(failed(1, busy(60)), &["0 rests 1 60 Wanted"]);
    story.check(failed(1, busy(60)), &[]);
    story.check(failed(1, busy(90)), &["0 rests 1 90 Wanted"]);
    story.check(Evidence::Settled(target(1)), &[]);
    assert_eq!(story.health.standing(), Standing::Usable);
    story.check(failed(9, busy(60)), &[]);
    story.check(failed(2, busy(86_400)), &["0 rests 2 1800 Wanted"]);
    // Now nobody is left: the server rests until the first of them may be asked.
    story.check(Evidence::Overloaded(seconds(86_400)), &["0 draining 90 s"]);
}

#[test]
fn one_that_wants_rest_and_one_that_is_broken_are_no_server_that_wants_rest() {
    let mut story = two();
    story.check(failed(2, busy(600)), &["0 rests 2 600 Wanted"]);
    story.check(Evidence::Overloaded(seconds(600)), &[]);
    assert_eq!(story.health.state(), State::Suspect { since: at(0) });
    story.check(Evidence::Broken(500), &["0 down"]);
}

#[test]
fn a_target_that_fails_two_users_within_a_minute_is_doubted_longer_each_time_until_it_answers() {
    let mut story = two();
    story.check(failed(1, Fault::Broken(500)), &[]);
    story.run(60_001);
    story.check(failed(1, Fault::Broken(500)), &[]);
    story.check(failed(1, busy(0)), &["60001 rests 1 30 Doubted"]);
    story.check(failed(1, Fault::Broken(500)), &[]);
    story.run(100_000);
    story.check(failed(1, Fault::Unreachable), &["100000 rests 1 60 Doubted"]);
    story.check(Evidence::Settled(target(1)), &["100000 rests 1 0 Doubted"]);
    story.check(failed(1, Fault::Unreachable), &["100000 rests 1 30 Doubted"]);
}

#[test]
fn the_silence_of_one_target_to_a_user_is_settled_at_once_where_silence_means_something() {
    let mut story = two();
    story.check(failed(1, Fault::Silent), &[]);
    story.check(Evidence::Alive, &[]);
    story.run(4000);
    story.answers(200, &[]);
    story.check(failed(1, Fault::Silent), &["4000 rests 1 30 Doubted", "4000 probe 1", "4000 probe 2"]);
    // One user to whom nobody answers decides nothing while all are asked.
    story.check(Evidence::Silent, &[]);
    story.answers(200, &[]);
    let lines: Vec<String> = story.run(6500).into_iter().filter(|line| !line.contains("again")).collect();
    assert_eq!(lines, ["6500 absent 1"]);
    assert_eq!(story.health.state(), State::Up);
}

#[test]
fn no_probe_goes_to_a_target_that_wants_rest() {
    let mut story = two();
    story.check(failed(1, busy(60)), &["0 rests 1 60 Wanted"]);
    story.check(Evidence::Silent, &["0 probe 2"]);
    story.answers(200, &[]);
    assert_eq!(story.health.state(), State::Up);
    assert_eq!(story.run(4000), ["4000 probe 2"]);
    // A probe may be told so, too.
    let reply = story.reply(503, Some("30"));
    assert_eq!(story.give(reply), ["4000 rests 2 30 Wanted", "4000 draining 30 s"]);
}

#[test]
fn a_probe_that_is_told_to_come_back_later_leaves_the_server_in_use_at_the_others() {
    let mut story = two();
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(4000), ["4000 probe 1"]);
    let reply = story.reply(503, Some("60"));
    assert_eq!(story.give(reply), ["4000 rests 1 60 Wanted"]);
    assert_eq!(story.run(8000), ["8000 probe 2"]);
    assert_eq!(story.health.standing(), Standing::Usable);
}
