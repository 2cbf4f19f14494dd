//! The place at the shaper, the refresh that it books, and what a restart takes over.

use super::*;

fn shaped() -> Story {
    let mut story = Story::new();
    story.binding = Setup::default().binding().shaped();
    story
}

/// A shaped story whose user is registered since the moment 0 with epoch 1.
fn bound() -> Story {
    let mut story = shaped();
    story.tell(register(1));
    story.give(Input::Granted);
    story.ok();
    story
}

#[test]
fn nothing_is_sent_before_a_slot_is_given_and_the_slot_lasts_through_the_challenge() {
    let mut story = shaped();
    story.check(register(1), &["queue(roam)"]);
    assert_eq!(story.give(Input::Granted), ["0 initial >5060 +1:3600"]);
    let challenge = story.answer(401, &[("WWW-Authenticate", "Digest realm=\"x\", nonce=\"a\"")]);
    assert_eq!(challenge, ["again", "0 initial >5060 +1:3600"]);
    let lines = story.ok();
    assert_eq!(lines[0], "alive");
    assert!(lines[1].starts_with("book"), "{lines:?}");
    assert_eq!(lines[2..], ["bound 3600", "over(some(alive))"]);
}

#[test]
fn ranks_follow_what_is_to_be_sent() {
    let mut story = shaped();
    story.tell(Order::Haste(Rank::StartUp));
    story.check(Order::Query, &["queue(startup)"]);
    // The phone appears meanwhile: the same place moves up.
    story.check(Order::Haste(Rank::Roam), &["queue(roam)"]);
    story.check(register(1), &[]);
    let mut story = bound();
    story.check(Order::Renew, &["queue(renew)"]);
    let mut story = bound();
    story.check(Order::Remove, &["queue(renew)"]);
    let mut story = bound();
    assert_eq!(story.next(), ["queue(refresh)"]);
}

#[test]
fn a_place_or_a_slot_that_is_not_wanted_any_more_is_given_back() {
    let mut story = shaped();
    story.tell(register(1));
    story.check(Order::Rest, &["leave", "done"]);
    assert_eq!(story.give(Input::Granted), ["leave"], "the slot came too late");
    let mut story = shaped();
    story.tell(register(1));
    story.check(Order::Hold(seconds(60)), &["leave"]);
    assert_eq!(story.run(60_000), ["queue(roam)"], "it asks again when the server may be asked");
    story.give(Input::Granted);
    story.check(Order::Rest, &["over(none)"]);
}

#[test]
fn a_silent_exchange_says_so_when_it_is_over() {
    let mut story = shaped();
    story.tell(register(1));
    story.give(Input::Granted);
    let lines = story.run(32_000);
    assert_eq!(lines.last().map(String::as_str), Some("over(some(silent))"), "{lines:?}");
}

#[test]
fn the_first_refreshes_come_from_a_wide_window_and_at_the_booked_time() {
    let mut story = shaped();
    story.tell(register(1));
    for (from, to) in [(1200, 3300), (1200, 3300), (1200, 3300), (3150, 3300)] {
        story.give(Input::Granted);
        let lines = story.ok();
        assert!(lines.contains(&format!("book {{ from: {from}s, to: {to}s }}")), "{lines:?}");
        let booked = story.now + seconds(from + 7);
        story.give(Input::Booked(seconds(from + 7)));
        assert_eq!(story.next(), ["queue(refresh)"]);
        assert_eq!(story.now, booked);
    }
}

/// After a restart: the former contact is known, the registrar has been asked and lists it for `left` seconds.
fn restarted(left: &str) -> Story {
    let mut story = shaped();
    story.tell(Order::Inherit(Leftover { contacts: vec![contact(1)], remaining: seconds(3600) }));
    story.check(Order::Query, &["queue(roam)"]);
    story.give(Input::Granted);
    let listed = format!("<{}>;expires={left}", contact(1));
    let lines = story.answer(200, &[("Contact", &listed)]);
    assert_eq!(lines, ["alive", "listed 1", "over(some(alive))"]);
    story
}

#[test]
fn a_restart_takes_over_what_is_listed_and_refreshes_in_the_second_half_of_what_is_left() {
    let mut story = restarted("2000");
    let lines = story.tell(register(1));
    assert_eq!(lines, ["book { from: 1000s, to: 1800s }", "bound 2000"]);
    assert_eq!(story.binding.held(), Some(at(2_000_000)));
    assert_eq!(story.next(), ["queue(refresh)"]);
    assert!(story.now >= at(1_000_000) && story.now <= at(1_800_000), "{}", story.now);
}

#[test]
fn what_is_another_epoch_or_about_to_end_is_registered_at_once() {
    let mut story = restarted("2000");
    story.check(register(2), &["queue(roam)"]);
    let mut story = restarted("59");
    story.check(register(1), &["queue(roam)"]);
}

/// The registrar may have lost its table since: who comes back to it registers, whatever a list said before.
#[test]
fn what_a_list_said_in_passing_is_not_taken_over_when_the_user_comes_back() {
    let own = format!("<{}>;expires=3500", contact(1));
    for ask in [Order::Prove, Order::Query] {
        let mut story = shaped();
        story.tell(register(1));
        story.give(Input::Granted);
        story.ok();
        story.tell(ask);
        story.give(Input::Granted);
        story.answer(200, &[("Contact", &own)]);
        story.tell(Order::Rest);
        story.check(register(1), &["queue(roam)"]);
    }
}

#[test]
fn a_list_that_is_older_than_a_transaction_is_not_taken_over() {
    let mut story = restarted("2000");
    story.now = story.now + seconds(33);
    story.check(register(1), &["queue(roam)"]);
}
