//! Whether a server still knows its users, and what follows when it does not.

use super::*;
use crate::overload::Feedback;
use crate::report::Audited;

/// A server with audits, of which a user has heard at the moment 0. It is asked by OPTIONS so seldom that none shows.
fn audited() -> Story {
    let timing = Timing { probe_idle: Duration::from_secs(36_000), ..Timing::default() };
    let mut story = Story::timed(vec![target(5060)], true, timing);
    story.check(Evidence::Alive, &[]);
    story
}

#[test]
fn every_half_minute_a_user_looks_whether_the_server_still_lists_it() {
    let mut story = audited();
    assert_eq!(story.run(90_000), ["30000 audit", "60000 audit", "90000 audit"]);
    story.check(Evidence::Audited(Audited::Kept), &[]);
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(120_000), ["120000 audit"]);
    // A server of which no user has heard is not asked, and neither is one whose site wants no audits.
    let mut story = Story::timed(vec![target(5060)], true, Timing::default());
    assert!(story.run(3_600_000).is_empty());
    let mut story = Story::with(vec![target(5060)], false);
    story.check(Evidence::Alive, &[]);
    assert!(story.run(299_000).is_empty());
}

#[test]
fn a_second_user_is_asked_at_once_and_its_word_makes_all_register_again() {
    let mut story = audited();
    story.run(30_000);
    story.check(Evidence::Audited(Audited::Forgot), &["30000 audit"]);
    story.check(Evidence::Audited(Audited::Forgot), &["30000 restore"]);
    assert_eq!(story.run(60_000), ["60000 audit"]);
    story.check(Evidence::Audited(Audited::Kept), &[]);
}

#[test]
fn one_user_who_was_removed_makes_nobody_else_register() {
    let mut story = audited();
    story.run(30_000);
    story.check(Evidence::Audited(Audited::Forgot), &["30000 audit"]);
    story.check(Evidence::Audited(Audited::Kept), &[]);
    // Another one, half a minute later, is again the only one.
    assert_eq!(story.run(60_000), ["60000 audit"]);
    story.check(Evidence::Audited(Audited::Forgot), &["60000 audit"]);
    story.check(Evidence::Audited(Audited::Kept), &[]);
}

#[test]
fn all_register_again_once_in_five_minutes_at_most() {
    let mut story = audited();
    story.run(30_000);
    story.check(Evidence::Audited(Audited::Forgot), &["30000 audit"]);
    story.check(Evidence::Audited(Audited::Forgot), &["30000 restore"]);
    story.check(Evidence::Audited(Audited::Forgot), &["30000 audit"]);
    for _ in 0..3 {
        story.check(Evidence::Audited(Audited::Forgot), &[]);
    }
    story.run(329_999);
    story.check(Evidence::Audited(Audited::Forgot), &[]);
    story.run(330_000);
    story.check(Evidence::Audited(Audited::Forgot), &["330000 restore"]);
}

#[test]
fn nobody_looks_while_the_server_is_not_to_be_asked() {
    let mut story = audited();
    story.check(Evidence::Overloaded(Duration::from_secs(100)), &["0 draining 100 s"]);
    assert!(story.run(99_999).is_empty());
    let mut story = audited();
    let load = Feedback { share: 20, validity: Duration::from_secs(100), seq: Some((1, 0)) };
    story.check(Evidence::Load(load), &["0 shed 20 lacks "]);
    assert_eq!(story.run(119_999), ["100000 shed 0 lacks "]);
    assert_eq!(story.run(120_000), ["120000 audit"]);
    let mut story = audited();
    story.check(Evidence::Unreachable, &["0 down"]);
    assert!(story.run(100_000).iter().all(|line| !line.contains("audit")));
}

#[test]
fn a_server_that_was_silent_and_answers_again_is_asked_at_once() {
    let mut story = audited();
    story.run(10_000);
    story.check(Evidence::Silent, &["10000 probe 5060"]);
    story.answers(200, &[]);
    assert_eq!(story.run(10_000), ["10000 audit"]);
    // But not each time that it falters.
    story.check(Evidence::Silent, &["10000 probe 5060"]);
    story.answers(200, &[]);
    assert_eq!(story.run(14_999), Vec::<String>::new());
    assert_eq!(story.run(15_000), ["15000 audit"]);
    story.check(Evidence::Unreachable, &["15000 down"]);
    story.run(45_000);
    story.answers(200, &["45000 recovering"]);
    assert_eq!(story.run(45_000), ["45000 audit"]);
}

#[test]
fn a_server_whose_lists_say_nothing_is_left_alone_for_an_hour() {
    let mut story = audited();
    story.run(30_000);
    story.check(Evidence::Audited(Audited::Reticent), &[]);
    assert!(story.run(3_629_999).is_empty());
    assert_eq!(story.run(3_630_000), ["3630000 audit"]);
    // One that has listed somebody has lost its table again: it is asked as ever.
    story.check(Evidence::Audited(Audited::Kept), &[]);
    story.check(Evidence::Audited(Audited::Reticent), &[]);
    assert_eq!(story.run(3_660_000), ["3660000 audit"]);
}

#[test]
fn an_audit_that_is_not_answered_is_a_reason_for_a_probe_and_no_verdict() {
    let mut story = audited();
    story.run(30_000);
    story.check(Evidence::Audited(Audited::Kept), &[]);
    for second in [30, 60] {
        story.run(second * 1000);
        story.check(Evidence::Audited(Audited::Unanswered), &[&format!("{second}000 probe 5060")]);
        story.answers(200, &[]);
        assert_eq!(story.health.state(), State::Up);
    }
    assert_eq!(story.run(90_000), ["90000 audit"]);
    story.check(Evidence::Audited(Audited::Unanswered), &["90000 probe 5060"]);
    assert_eq!(story.run(96_000).last().map(String::as_str), Some("95000 down"));
    // A probe that is under way already is not begun anew.
    let mut story = audited();
    story.check(Evidence::Audited(Audited::Unanswered), &["0 probe 5060"]);
    story.run(2_000);
    story.check(Evidence::Audited(Audited::Unanswered), &[]);
    assert_eq!(story.run(5_000).last().map(String::as_str), Some("5000 down"));
    // Where nobody was ever listed it is perhaps the query that is not liked.
    let mut story = audited();
    story.run(30_000);
    story.check(Evidence::Audited(Audited::Unanswered), &["30000 probe 5060"]);
    story.answers(200, &[]);
    assert!(story.run(3_629_999).is_empty());
}

#[test]
fn the_trace_tells_of_the_loss_and_of_no_audit() {
    let note = |effect: &Effect| Health::note_effect(effect).map(|note| note.to_string());
    assert_eq!(note(&Effect::Audit { tier: 0 }), None);
    let lost = Effect::Restore { server: "pbx".into(), tier: 0 };
    assert_eq!(note(&lost).as_deref(), Some("forgot server=pbx tier=0"));
}
