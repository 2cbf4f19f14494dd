//! What a server's health wants of the users, and tells them: queries instead of OPTIONS, demands that one of them heard.

use super::*;
use crate::extension::Extensions;
use crate::overload::Feedback;

#[test]
fn where_options_is_filtered_a_user_asks_and_death_is_noticed_within_ten_seconds() {
    let mut story = Story::new();
    story.check(Evidence::Alive, &[]);
    let lines = story.run(6_500);
    assert_eq!(
        (lines.first(), lines.last()),
        (Some(&"4000 probe 5060".into()), Some(&"6500 probe user".into()))
    );
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.health.state(), State::Up);
    // From now on only users ask.
    assert_eq!(story.run(10_500), ["10500 probe user"]);
    story.run(10_600);
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(19_600), ["14600 probe user", "17100 probe user", "19600 down"]);
    // Down, it is found alive in the same way, and proven stable.
    assert_eq!(story.run(49_600), ["49600 probe user"]);
    story.check(Evidence::Alive, &["49600 recovering"]);
    assert_eq!(story.run(79_600), ["79600 probe user"]);
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(109_600), ["109600 probe user"]);
    story.check(Evidence::Broken(500), &["109600 down"]);
}

#[test]
fn a_server_that_dies_before_anything_is_known_of_it_is_noticed_as_soon() {
    let mut story = Story::new();
    story.check(Evidence::Alive, &[]);
    let lines = story.run(10_000);
    assert_eq!(lines.last().map(String::as_str), Some("9000 down"), "{lines:?}");
}

#[test]
fn where_nobody_is_there_to_ask_a_silent_options_says_nothing() {
    let mut story = Story::new();
    story.check(Evidence::Alive, &[]);
    story.run(6_500);
    assert!(story.give(Input::Nobody).is_empty());
    assert_eq!(story.health.state(), State::Up);
    assert!(story.give(Input::Nobody).is_empty(), "nobody was asked for");
}

/// A server that has answered a user and no OPTIONS, at 6,500 ms.
fn filtered() -> Story {
    let mut story = Story::new();
    story.check(Evidence::Alive, &[]);
    story.run(6_500);
    story.check(Evidence::Alive, &[]);
    story
}

#[test]
fn without_users_a_server_that_is_down_is_asked_by_options_and_by_them_again_once_it_answers() {
    let mut story = filtered();
    assert_eq!(story.run(45_500).last().map(String::as_str), Some("45500 probe user"));
    assert_eq!(story.give(Input::Nobody), ["45500 probe 5060"]);
    story.answers(200, &["45500 recovering"]);
    assert_eq!(story.run(75_500), ["75500 probe 5060"]);
}

#[test]
fn what_one_user_learned_of_a_server_all_are_told() {
    let mut story = Story::new();
    story.check(Evidence::Lacks(Extensions::OUTBOUND), &["0 shed 0 lacks outbound"]);
    story.check(Evidence::Lacks(Extensions::OUTBOUND), &[]);
    story.run(1_000);
    story.check(Evidence::Lacks(Extensions::PATH), &["1000 shed 0 lacks path, outbound"]);
}

fn load(share: u8, millis: u64, seq: u64) -> Evidence {
    Evidence::Load(Feedback { share, validity: Duration::from_millis(millis), seq: Some((seq, 0)) })
}

#[test]
fn an_overloaded_server_is_spared_for_as_long_as_it_says() {
    let mut story = Story::new();
    story.check(load(20, 5_000, 7), &["0 shed 20 lacks "]);
    story.check(load(99, 5_000, 6), &[]);
    story.run(500);
    // All users hear of it at most once a second.
    story.check(load(42, 5_000, 8), &[]);
    assert_eq!(story.run(1_000), ["1000 shed 45 lacks "]);
    assert_eq!(story.run(5_500), ["5500 shed 0 lacks "]);
    story.run(10_000);
    story.check(load(100, 60_000, 9), &["10000 shed 100 lacks "]);
    story.run(12_000);
    story.check(load(0, 0, 10), &["12000 shed 0 lacks "]);
    assert_eq!(story.health.deadline(), None);
    // The share outlives a change of standing.
    story.check(load(30, 60_000, 11), &["12000 shed 30 lacks "]);
    story.check(Evidence::Unreachable, &["12000 down"]);
    assert!(story.run(80_000).contains(&"72000 shed 0 lacks ".to_owned()));
}

#[test]
fn a_probes_answer_tells_the_load_too() {
    let mut story = Story::down();
    story.run(30_000);
    let reply = story.reply(200, None);
    let Input::Answer(message) = reply else { unreachable!() };
    let text = String::from_utf8(message.bytes().to_vec()).unwrap();
    let text = text.replace(";oc;", ";oc=10;oc-validity=9000;");
    let message = Message::parse(text.into_bytes().into()).unwrap();
    assert_eq!(story.give(Input::Answer(message)), ["30000 shed 10 lacks ", "30000 recovering"]);
}

#[test]
fn a_server_that_knows_no_register_is_told_of_once_until_it_answers_otherwise() {
    let mut story = Story::new();
    story.check(Evidence::Unfit(405), &["0 unfit 405"]);
    story.check(Evidence::Unfit(405), &[]);
    assert_eq!(story.run(4000), ["4000 probe 5060"], "it is alive");
    story.answers(200, &[]);
    story.check(Evidence::Unfit(405), &[]);
    story.check(Evidence::Alive, &[]);
    story.check(Evidence::Unfit(501), &["4000 unfit 501"]);
    story.check(Evidence::Unfit(501), &["4000 down"]);
}
