//! An overloaded server is spared (RFC 7339), a sheltered user waits longer (S-28), and a query that only proves.

use super::*;
use crate::extension::Extensions;
use crate::overload::Feedback;
use crate::server::Demands;

fn shed(shed: u8) -> Order {
    Order::Heed(Demands { lacks: Extensions::NONE, shed })
}

#[test]
fn an_answer_that_tells_its_load_is_evidence() {
    let mut story = Story::new();
    story.tell(register(1));
    let text = String::from_utf8(story.agree(0).bytes().to_vec()).unwrap();
    assert!(text.contains(";oc;oc-algo=\"loss\""));
    let text = text.replace(";oc;", ";oc=30;oc-validity=2000;oc-seq=17.5;");
    let mut out = Vec::new();
    let answer = Message::parse(text.into_bytes().into()).unwrap();
    story.binding.on(at(5), Input::Answer(answer), &mut out);
    let load = Feedback { share: 30, validity: seconds(2), seq: Some((17, 50_000)) };
    assert!(matches!(&out[0], Effect::Evidence(Evidence::Load(seen)) if *seen == load), "{out:?}");
}

#[test]
fn a_share_of_the_refreshes_waits_and_none_is_lost() {
    let mut spared = 0;
    for seed in 0..200 {
        let mut story = Setup { seed, ..Setup::default() }.story();
        story.tell(register(1));
        story.ok();
        let due = story.binding.deadline().unwrap().0;
        story.tell(shed(40));
        while story.sent.len() == 1 {
            story.next();
        }
        assert!(story.now <= at(3_568_000), "{seed}: in time");
        let mut at_once = Setup { seed, ..Setup::default() }.story();
        at_once.tell(register(1));
        at_once.ok();
        at_once.tell(shed(40));
        spared += usize::from(at_once.run(due.as_millis()).is_empty());
    }
    assert!((60..100).contains(&spared), "about 40 percent of 200: {spared}");
}

#[test]
fn whoever_waits_for_a_turn_draws_his_lot_once() {
    let mut spared = 0;
    for seed in 0..200 {
        let mut story = Setup { seed, ..Setup::default() }.story();
        story.binding = story.binding.shaped();
        story.tell(shed(40));
        story.tell(register(1));
        story.give(Input::Granted);
        spared += usize::from(story.sent.is_empty());
    }
    assert!((60..100).contains(&spared), "about 40 percent of 200: {spared}");
}

#[test]
fn at_a_full_stop_only_the_last_chance_of_a_registration_is_taken() {
    let mut story = Story::registered();
    story.tell(shed(100));
    assert!(story.run(3_567_999).is_empty());
    assert_eq!(story.run(3_568_000), ["3568000 refresh >5060 +1:3600"]);
    // It goes on at once when the server has recovered.
    let mut story = Story::new();
    story.tell(shed(100));
    story.check(register(1), &[]);
    assert!(story.run(60_000).is_empty());
    assert_eq!(story.tell(shed(0)), ["60000 initial >5060 +1:3600"]);
}

#[test]
fn what_a_roam_needs_is_never_spared() {
    let mut story = Story::registered();
    story.tell(shed(100));
    assert_eq!(story.tell(Order::Renew).len(), 1);
    story.ok();
    assert_eq!(story.tell(Order::Evict(vec!["sip:101@10.0.2.1;hm-ep=0".into()])).len(), 1);
    story.ok();
    assert_eq!(story.tell(Order::Query).len(), 1);
    story.ok();
    assert_eq!(story.tell(Order::Remove).len(), 1);
    let mut story = Story::new();
    story.tell(shed(100));
    story.check(Order::Urge, &[]);
    story.check(register(1), &["0 initial >5060 +1:3600"]);
    // Once: the next try is like anybody else's.
    story.answer(500, &[]);
    assert!(story.run(300_000).is_empty());
}

#[test]
fn somebody_whom_another_tier_serves_waits_three_times_as_long() {
    for (sheltered, low, high) in [(false, 30, 60), (true, 90, 180)] {
        let mut story = Setup { transport: Transport::Tcp, ..Setup::default() }.story();
        story.tell(Order::Sheltered(sheltered));
        story.tell(register(1));
        story.answer(500, &[]);
        story.next();
        assert!(story.now >= at(low * 1000) && story.now <= at(high * 1000), "{sheltered}: {}", story.now);
    }
}

#[test]
fn a_query_for_the_servers_health_reports_no_list_and_no_failure() {
    let mut story = Story::registered();
    story.check(Order::Prove, &["0 query >5060"]);
    let own = format!("<{}>;expires=60", contact(1));
    assert_eq!(story.answer(200, &[("Contact", &own)]), ["alive"]);
    // By somebody who is not registered here.
    let mut story = Story::new();
    story.check(Order::Prove, &["0 query >5060"]);
    assert_eq!(story.answer(500, &[]), ["broken(500)", "done"]);
    // The owner wants to know at the same time: then it is told.
    let mut story = Story::new();
    story.tell(register(1));
    story.tell(Order::Prove);
    story.tell(Order::Query);
    assert_eq!(story.ok().last().map(String::as_str), Some("0 query >5060"));
    assert_eq!(story.answer(200, &[]), ["alive", "listed 0"]);
}
