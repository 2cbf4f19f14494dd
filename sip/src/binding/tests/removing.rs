//! Removing, cleaning up, resting (SM-3; G-13, R-16; RFC 4321).

use super::*;
use crate::report::Leftover;

#[test]
fn a_removal_carries_only_our_contact() {
    let mut story = Story::registered();
    story.check(Order::Remove, &["0 remove >5060 -1"]);
    let sent = story.last();
    assert_eq!(sent.contacts().unwrap().list().len(), 1);
    assert_eq!(sent.call_id(), story.sent[0].call_id());
    assert_eq!(story.ok(), ["alive", "removed removed", "done"]);
    assert_eq!((story.binding.state(), story.binding.deadline()), (State::Idle, None));
}

#[test]
fn a_removal_is_verified_against_the_list() {
    let mut story = Story::registered();
    story.tell(Order::Remove);
    let sibling = "<sip:101@10.0.2.1:5060;hm-site=2;hm-ep=9>;expires=100";
    let zero = format!("<{}>;expires=0", contact(1));
    assert_eq!(
        story.answer(200, &[("Contact", sibling), ("Contact", &zero)]),
        ["alive", "removed removed", "done"]
    );
    let mut story = Story::registered();
    story.tell(Order::Remove);
    let still = format!("<{}>;expires=99", contact(1));
    let lines = story.answer(200, &[("Contact", &still)]);
    assert_eq!(lines, ["alive", "removed failed 200"]);
    assert_eq!(story.binding.state(), State::Cleanup);
}

#[test]
fn nothing_registered_means_nothing_to_remove() {
    let mut story = Story::new();
    story.check(Order::Remove, &["removed nothing", "done"]);
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(403, &[]);
    story.check(Order::Remove, &["removed nothing", "done"]);
    let mut story = Story::registered();
    story.tell(Order::Remove);
    assert_eq!(story.answer(404, &[]), ["alive", "removed nothing", "done"]);
}

#[test]
fn a_removal_waits_for_the_register_in_flight() {
    // S-11: a REGISTER that arrived after its removal would create the binding again.
    let mut story = Story::new();
    story.tell(register(1));
    story.check(Order::Remove, &[]);
    assert_eq!(story.ok(), ["alive", "0 remove >5060 -1"]);
    let mut story = Story::new();
    story.tell(register(1));
    story.tell(Order::Remove);
    assert_eq!(story.challenged("a", ""), ["alive", "0 remove >5060 -1"], "no second round");
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.tell(Order::Remove);
    let lines = story.run(4000);
    assert_eq!(lines[3..], ["4000 remove >5060 -1"], "no second target");
}

#[test]
fn a_removal_is_challenged_and_fails_over_like_any_request() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(Order::Remove);
    assert_eq!(story.challenged("a", ""), ["0 remove >5060 -1"]);
    let lines = story.run(4000);
    assert_eq!(lines[3..], ["4000 remove >5070 -1"]);
    assert_eq!(story.ok(), ["alive", "removed removed"]);
    assert_eq!(story.run(32_000), ["done"], "the first target may still answer");
}

#[test]
fn a_failed_removal_is_tried_again_until_the_registration_has_aged_out() {
    let mut story = Story::registered();
    story.tell(Order::Remove);
    assert_eq!(story.answer(500, &[]), ["broken(500)", "removed failed 500"]);
    let mut waits = Vec::new();
    while story.binding.state() == State::Cleanup {
        let before = story.now;
        let lines = story.next();
        if lines == ["done"] {
            break;
        }
        assert_eq!(lines, [format!("{} remove >5060 -1", story.now.as_millis())]);
        assert_eq!(story.answer(500, &[]), ["broken(500)"]);
        waits.push(story.now.since(before).as_secs());
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 960]);
    assert_eq!(story.now, at(3_600_000));
    assert_eq!((story.binding.state(), story.binding.deadline()), (State::Idle, None));
}

#[test]
fn a_removal_that_succeeds_late_is_reported_again() {
    // 32 s of silence, then the registrar is back.
    let mut story = Story::registered();
    story.tell(Order::Remove);
    let lines = story.run(32_000);
    assert_eq!(lines[10..], ["silent", "removed unknown"]);
    assert_eq!(story.run(62_000), ["62000 remove >5060 -1"]);
    assert_eq!(story.ok(), ["alive", "removed removed", "done"]);
}

#[test]
fn a_late_answer_to_an_abandoned_removal_is_a_success() {
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(Order::Remove);
    let lines = story.run(5000);
    assert_eq!(lines[3..], ["silent", "removed unknown"]);
    let late = story.agree(1);
    assert_eq!(story.give(Input::Answer(late)), ["alive", "removed removed", "done"]);
}

#[test]
fn a_registration_that_appears_after_its_removal_is_removed() {
    // G-7 and the orphan row: the first target stores it after all.
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.run(4000);
    story.ok();
    story.tell(Order::Remove);
    assert_eq!(story.ok(), ["alive", "removed removed"]);
    let late = story.agree(0);
    let lines = story.give(Input::Answer(late));
    assert_eq!(lines, ["alive", "4000 remove >5070 -1"]);
    assert_eq!(story.ok(), ["alive", "removed removed", "done"]);
}

#[test]
fn a_registration_that_appears_during_the_cleanup_is_removed_at_once() {
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.run(4000);
    story.tell(Order::Remove);
    let lines = story.run(8000);
    assert_eq!(lines[3..], ["silent", "removed unknown"]);
    story.run(10_000);
    let late = story.agree(0);
    let lines = story.give(Input::Answer(late));
    assert_eq!(lines, ["alive", "10000 remove >5060 -1"]);
    assert_eq!(story.ok(), ["alive", "removed removed"]);
    assert_eq!(story.run(36_000), ["done"], "the first removal may still be answered");
}

#[test]
fn a_user_who_comes_back_cancels_the_cleanup() {
    let mut story = Story::registered();
    story.tell(Order::Remove);
    story.answer(500, &[]);
    assert_eq!(story.tell(register(2)), ["0 initial >5060 -1 +2:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    // In the middle of a try.
    let mut story = Story::registered();
    story.tell(Order::Remove);
    story.answer(500, &[]);
    story.next();
    story.check(register(2), &[]);
    assert_eq!(story.ok(), ["alive", "30000 initial >5060 +2:3600"]);
}

#[test]
fn a_user_who_comes_back_during_the_removal_is_registered_behind_it() {
    let mut story = Story::registered();
    story.tell(Order::Remove);
    story.check(register(2), &[]);
    assert_eq!(story.ok(), ["alive", "removed removed", "0 initial >5060 +2:3600"]);
    let mut story = Story::registered();
    story.tell(Order::Remove);
    story.tell(register(2));
    let lines = story.answer(500, &[]);
    assert_eq!(lines, ["broken(500)", "removed failed 500", "0 initial >5060 -1 +2:3600"]);
    // And leaves again.
    let mut story = Story::registered();
    story.tell(Order::Remove);
    story.tell(register(2));
    story.tell(Order::Remove);
    assert_eq!(story.ok(), ["alive", "removed removed", "done"]);
}

#[test]
fn a_second_removal_during_the_cleanup_is_tried_and_answered_at_once() {
    let mut story = Story::registered();
    story.tell(Order::Remove);
    story.answer(500, &[]);
    assert_eq!(story.tell(Order::Remove), ["0 remove >5060 -1"]);
    assert_eq!(story.ok(), ["alive", "removed removed", "done"]);
    let mut story = Story::registered();
    story.tell(Order::Remove);
    story.answer(500, &[]);
    assert_eq!(story.tell(Order::Retry), ["0 remove >5060 -1"]);
}

#[test]
fn a_contact_inherited_from_before_a_restart_is_taken_along() {
    let leftover = Leftover { contacts: vec![contact(7)], remaining: seconds(100) };
    let mut story = Story::new();
    story.check(Order::Inherit(leftover.clone()), &[]);
    assert_eq!(story.tell(Order::Remove), ["0 remove >5060 -7"]);
    assert_eq!(story.ok(), ["alive", "removed removed", "done"]);
    let mut story = Story::new();
    story.tell(Order::Inherit(leftover.clone()));
    assert_eq!(story.tell(register(2)), ["0 initial >5060 -7 +2:3600"]);
    let mut story = Story::new();
    story.tell(Order::Inherit(leftover));
    assert_eq!(story.run(100_000), ["done"], "it has aged out");
}

#[test]
fn a_binding_that_rests_is_quiet_and_remembers() {
    let mut story = Story::registered();
    story.check(Order::Rest, &[]);
    story.check(Order::Renew, &[]);
    assert_eq!(story.run(3_599_999), Vec::<String>::new());
    story.check(Order::Remove, &["3599999 remove >5060 -1"]);
    let mut story = Story::registered();
    story.tell(Order::Rest);
    assert_eq!(story.run(3_600_000), ["done"]);
    let mut story = Story::registered();
    story.tell(Order::Rest);
    assert_eq!(story.tell(register(2)), ["0 initial >5060 -1 +2:3600"]);
}

#[test]
fn resting_gives_up_what_is_in_flight_but_hears_a_late_answer() {
    let mut story = Story::new();
    story.tell(register(1));
    story.check(Order::Rest, &[]);
    story.run(1000);
    let late = story.agree(0);
    assert_eq!(story.give(Input::Answer(late)), ["alive"]);
    assert_eq!(story.binding.held(), Some(at(3_601_000)));
    story.check(Order::Remove, &["1000 remove >5060 -1"]);
}

#[test]
fn coming_back_from_rest_a_back_off_goes_on() {
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.run(4000);
    let due = story.binding.timers.at(Timer::Again).unwrap();
    story.tell(Order::Rest);
    story.check(Order::Resume { contact: contact(2) }, &[]);
    story.run(due.as_millis() - 1);
    assert_eq!(story.run(due.as_millis()), [format!("{} initial >5060 -1 +2:3600", due.as_millis())]);
    let mut story = Story::registered();
    story.tell(Order::Rest);
    story.check(Order::Resume { contact: contact(1) }, &["0 initial >5060 +1:3600"]);
}

#[test]
fn eviction_goes_with_our_own_contact_and_never_with_a_star() {
    let sibling = "sip:101@10.0.2.1:5060;hm-site=2;hm-ep=0".to_owned();
    let mut story = Story::new();
    story.check(Order::Evict(vec![sibling.clone()]), &["done"]);
    let mut story = Story::registered();
    let evicted = Order::Evict(vec![sibling.clone(), "*".into(), sibling.clone(), contact(1).to_string()]);
    story.check(evicted, &["0 evict >5060 -0 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    let many = (0..100).map(|n| format!("sip:101@10.0.2.{n};hm-ep=0")).collect();
    story.tell(Order::Evict(many));
    assert_eq!(story.last().contacts().unwrap().list().len(), EVICTIONS_MAX + 1);
    // A refusal is no reason to keep a sibling.
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(403, &[]);
    story.check(Order::Evict(vec![sibling]), &["0 evict >5060 -0 +1:3600"]);
}
