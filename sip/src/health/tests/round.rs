//! A server with several targets: all of them are asked before it is given up, and at once.

use super::*;

fn asked(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !line.contains("again")).collect()
}

/// A server in use that has answered its first probe, at 4 s.
fn talkative(ports: &[u16]) -> Story {
    let mut story = Story::of(ports.iter().map(|port| target(*port)).collect());
    story.check(Evidence::Alive, &[]);
    story.run(4000);
    story.answers(200, &[]);
    story
}

#[test]
fn every_target_of_a_tier_is_asked_before_the_tier_is_down() {
    let mut story = Story::of(vec![target(5060), target(5070)]);
    story.check(Evidence::Silent, &["0 probe 5060", "0 probe 5070"]);
    story.answers(200, &[]);
    assert_eq!(asked(story.run(2500)), ["2500 absent 5060", "2500 rests 5060 30 Doubted"]);
    assert_eq!((story.health.state(), story.health.standing()), (State::Up, Standing::Usable));
    // The one that answered comes first.
    story.check(Evidence::Silent, &["2500 probe 5070", "2500 probe 5060"]);
    assert_eq!(asked(story.run(5000)), ["5000 down"]);
}

#[test]
fn however_many_targets_there_are_their_silence_is_known_within_ten_seconds() {
    for ports in [&[1][..], &[1, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] {
        let mut story = talkative(ports);
        let lines = asked(story.run(20_000));
        // The last answer was at 4 s, the death may have been as early.
        assert_eq!(lines[0], "8000 probe 1");
        let round = lines.iter().filter(|line| line.starts_with("10500 probe")).count();
        assert_eq!(round, ports.len().min(crate::server::TARGETS_MAX), "{lines:?}");
        assert_eq!(lines.last().map(String::as_str), Some("13000 down"), "{lines:?}");
    }
}

#[test]
fn targets_that_cannot_be_sent_to_take_the_tier_down_at_once() {
    let mut story = talkative(&[1, 2, 3]);
    assert_eq!(story.run(8000), ["8000 probe 1"]);
    assert_eq!(story.give(unsent(1)), ["8000 probe 2", "8000 probe 3"]);
    assert!(story.give(unsent(3)).is_empty());
    assert!(story.give(unsent(3)).is_empty(), "nobody asks it any more");
    assert_eq!(story.give(unsent(2)), ["8000 down"]);
}

#[test]
fn an_answer_to_a_user_does_not_hide_the_silence_of_another_target() {
    let mut story = talkative(&[1, 2]);
    story.check(Evidence::Settled(target(1)), &[]);
    story.check(Evidence::Settled(target(2)), &[]);
    assert_eq!(asked(story.run(8000)), ["8000 probe 1"]);
    assert_eq!(asked(story.run(10_500)), ["10500 probe 1", "10500 probe 2"]);
    story.answers(200, &[]);
    story.check(Evidence::Alive, &[]);
    assert_eq!(asked(story.run(13_000))[0], "13000 absent 1");
    assert_eq!(story.health.state(), State::Up);
}

#[test]
fn a_recovering_server_whose_target_falls_silent_is_asked_at_the_others() {
    let mut story = Story::of(vec![target(1), target(2)]);
    story.check(Evidence::Unreachable, &["0 down"]);
    story.run(30_000);
    story.answers(200, &["30000 recovering"]);
    assert_eq!(asked(story.run(62_500)), ["60000 probe 1", "62500 probe 2"]);
    story.answers(200, &["62500 absent 1", "62500 rests 1 30 Doubted"]);
    assert_eq!(story.health.state(), State::Recovering);
    assert_eq!(asked(story.run(95_000)), ["92500 probe 2", "95000 probe 1"]);
    assert_eq!(asked(story.run(97_500)), ["97500 down"]);
}
