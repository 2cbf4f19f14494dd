//! A user looks whether it is still listed.

use super::*;
use crate::server::Demands;

/// What a 200 to a query lists.
fn lists(story: &mut Story, contacts: &[&str]) -> Vec<String> {
    let lines: Vec<(&str, &str)> = contacts.iter().map(|contact| ("Contact", *contact)).collect();
    story.answer(200, &lines)
}

fn own() -> String {
    format!("<{}>;expires=3000", contact(1))
}

/// A registered user that was asked to look, at 10 s.
fn looking() -> Story {
    let mut story = Story::registered();
    story.run(10_000);
    story.check(Order::Audit, &["10000 query >5060"]);
    story
}

#[test]
fn whoever_is_listed_says_so_and_nothing_else_happens() {
    let mut story = looking();
    let again = story.binding.timers.at(Timer::Again);
    assert_eq!(lists(&mut story, &[&own()]), ["kept", "alive"]);
    assert_eq!(story.binding.timers.at(Timer::Again), again);
}

#[test]
fn whoever_is_not_listed_registers_at_once_and_proves_that_it_was_forgotten() {
    let mut story = looking();
    assert_eq!(lists(&mut story, &[]), ["unlisted", "alive", "10000 refresh >5060 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600", "10000 query >5060"]);
    assert_eq!(lists(&mut story, &[&own()]), ["forgot", "alive"]);
    story.check_deadlines_without("failover");
}

#[test]
fn a_registrar_that_lists_nobody_in_answer_to_queries_is_found_out() {
    let mut story = looking();
    lists(&mut story, &[]);
    story.ok();
    assert_eq!(lists(&mut story, &[]), ["reticent", "alive"]);
    assert!(story.binding.flight.is_none());
}

#[test]
fn a_user_whom_the_registrar_does_not_want_back_proves_nothing() {
    let mut story = looking();
    lists(&mut story, &[]);
    assert_eq!(story.answer(403, &[]), ["alive", "unbound rejected 403"]);
}

#[test]
fn what_else_an_answer_may_be_says_nothing_about_the_list() {
    let mut story = looking();
    assert_eq!(story.answer(404, &[]), ["reticent", "alive"]);
    let mut story = looking();
    assert_eq!(story.answer(500, &[]), ["unanswered"]);
    let mut story = looking();
    assert_eq!(story.answer(503, &[("Retry-After", "0")]), ["unanswered"]);
    let mut story = looking();
    assert_eq!(story.answer(503, &[("Retry-After", "60")]), ["overloaded(60s)"]);
    let mut story = looking();
    let lines = story.run(60_000);
    assert_eq!(lines.last().map(String::as_str), Some("unanswered"), "{lines:?}");
    assert_eq!(story.binding.state(), State::Registered);
}

#[test]
fn a_phone_beside_ours_is_no_reason_not_to_register_and_a_sibling_in_our_place_is() {
    let mut story = looking();
    let desk = "<sip:101@192.0.2.77:5060>;expires=60";
    assert_eq!(lists(&mut story, &[desk])[0], "unlisted");
    let mut story = looking();
    let sibling = "<sip:101@10.0.2.1:5060;hm-site=2;hm-ep=2>;expires=60";
    assert_eq!(lists(&mut story, &[desk, sibling]), ["listed 2", "alive"]);
    let mut story = looking();
    assert_eq!(lists(&mut story, &[sibling, &own()]), ["kept", "alive"]);
}

#[test]
fn our_contact_is_known_by_its_marks_however_it_is_spelled() {
    for theirs in [
        "<sip:101@10.0.1.1:5060;hm-ep=1;hm-site=1>;expires=7",
        "<sip:101@203.0.113.9:31337;hm-site=1;hm-ep=1;received=x>;expires=7",
        "<sips:101@10.0.1.1;transport=tls;hm-site=1;hm-ep=1>",
    ] {
        assert_eq!(lists(&mut looking(), &[theirs])[0], "kept", "{theirs}");
    }
    assert_eq!(lists(&mut looking(), &[&own().replace("3000", "0")])[0], "unlisted");
    let crowd = "<sip:101@192.0.2.77>, ".repeat(70);
    assert_eq!(lists(&mut looking(), &[crowd.trim_end_matches(", ")]), ["alive"], "ours may stand behind");
}

#[test]
fn a_flow_of_ours_is_known_by_instance_and_reg_id() {
    let mut story = Setup { reg_id: Some(3), ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(Order::Audit);
    let flow =
        "<sip:x@198.51.100.1>;+sip.instance=\"<urn:uuid:00000000-0000-5000-8000-000000000101>\";reg-id=3";
    assert_eq!(lists(&mut story, &[flow])[0], "kept");
}

/// A registered user of a server with two targets.
fn of_two() -> Story {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story
}

#[test]
fn only_the_target_of_the_registration_is_asked() {
    let mut story = of_two();
    story.check(Order::Audit, &["0 query >5060"]);
    let lines = story.run(60_000);
    assert_eq!(lines.last().map(String::as_str), Some("unanswered"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("5070")), "{lines:?}");
    assert_eq!(story.binding.current().map(|target| target.addr.port()), Some(5060));
    // Where the server sends it, nobody of this server is listed.
    let mut story = looking();
    assert_eq!(story.answer(302, &[("Contact", "<sip:192.0.2.9:5060>")]), ["reticent", "alive"]);
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(301, &[("Contact", "<sip:192.0.2.9:5060>")]);
    story.ok();
    story.check(Order::Audit, &[]);
}

#[test]
fn a_user_that_turns_to_another_target_is_not_held_up_and_not_asked() {
    let mut story = of_two();
    story.tell(Order::Audit);
    story.give(Input::Absent(story.targets[0]));
    story.check(Order::Audit, &[]);
    let lines = story.run(1_000);
    assert!(lines.last().is_some_and(|line| line.ends_with("refresh >5070 +1:3600")), "{lines:?}");
}

#[test]
fn a_flow_that_breaks_under_an_audit_is_replaced() {
    let mut story = Setup { transport: Transport::Tcp, ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(Order::Audit);
    story.give(Input::FlowLost(story.targets[0]));
    let lines = story.run(1_000);
    assert!(lines.last().is_some_and(|line| line.contains("refresh")), "{lines:?}");
}

#[test]
fn whoever_is_not_registered_is_not_asked() {
    let mut story = Story::new();
    story.check(Order::Audit, &[]);
    story.check(Order::Restore, &[]);
    story.check(register(1), &["0 initial >5060 +1:3600"]);
    story.check(Order::Audit, &[]);
    story.check(Order::Restore, &[]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    // What is in flight ends first.
    story.check(Order::Renew, &["0 renew >5060 +1:3600"]);
    story.check(Order::Audit, &[]);
    assert_eq!(story.ok(), ["alive", "bound 3600", "0 query >5060"]);
}

#[test]
fn when_the_server_has_forgotten_all_a_user_registers_again_in_its_turn() {
    for (haste, place) in [(Rank::Refresh, "queue(refresh)"), (Rank::Roam, "queue(roam)")] {
        let mut story = Story::new();
        story.binding = Setup::default().binding().shaped();
        story.tell(register(1));
        story.give(Input::Granted);
        story.ok();
        story.tell(Order::Haste(haste));
        story.check(Order::Restore, &[place]);
        assert_eq!(story.give(Input::Granted), ["0 refresh >5060 +1:3600"]);
        story.ok();
        story.check(Order::Audit, &["queue(refresh)"]);
    }
}

#[test]
fn with_the_link_down_the_registrar_is_asked_first() {
    let mut story = Story::registered();
    story.check(Order::Caution(true), &[]);
    story.check(Order::Restore, &["0 query >5060"]);
    assert_eq!(lists(&mut story, &[]), ["alive", "listed 0"]);
    assert_eq!(story.run(1_000), ["1000 refresh >5060 +1:3600"]);
}

#[test]
fn nobody_reads_of_an_audit_that_finds_nothing() {
    let mut story = Story::registered();
    let next = story.binding.chance.clone().next();
    let mut out = Vec::new();
    story.binding.on(at(0), Input::Order(Order::Audit), &mut out);
    assert!(out.iter().all(|effect| Binding::note_effect(effect).is_none()), "{out:?}");
    story.show(out);
    let reply = story.reply(1, 200, &[("Contact", &own())]);
    let mut out = Vec::new();
    story.binding.on(at(0), Input::Answer(reply), &mut out);
    assert!(out.iter().all(|effect| Binding::note_effect(effect).is_none()), "{out:?}");
    assert_eq!(story.binding.chance.clone().next(), next, "nothing was drawn");
    let noted = Binding::note_effect(&Effect::Unlisted).map(|note| note.to_string());
    assert_eq!(noted.as_deref(), Some("unlisted"));
}

#[test]
fn an_overloaded_server_is_spared_this_as_well() {
    let mut story = Story::registered();
    story.tell(Order::Heed(Demands { shed: 100, ..Demands::default() }));
    assert!(story.tell(Order::Restore).is_empty());
}
