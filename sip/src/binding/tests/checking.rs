//! Retry-After: 0 (S-22).

use super::*;

fn found(ports: &[u16]) -> Input {
    let targets =
        ports.iter().map(|port| Target::new(Transport::Udp, ([192, 0, 2, 1], *port).into())).collect();
    let server = Server { name: "pbx".into(), tier: 0, targets, spare: false, way: Way::default() };
    Input::Resolved(Arc::new(server))
}

fn again(story: &mut Story) -> Vec<String> {
    story.answer(503, &[("Retry-After", "0")])
}

/// A story whose user was told to ask again at once.
fn told() -> Story {
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(again(&mut story), ["0 check"]);
    story
}

#[test]
fn retry_after_zero_is_followed_once_when_the_dns_has_said_where_the_server_is() {
    let mut story = told();
    story.run(300);
    assert_eq!(story.give(found(&[5060])), ["300 initial >5060 +1:3600"]);
    assert_eq!(again(&mut story), ["overloaded(0ns)", "unbound refused 503"]);
}

#[test]
fn a_server_that_has_moved_meanwhile_is_asked_where_it_is_now() {
    let mut story = told();
    assert_eq!(story.give(found(&[5080, 5090])), ["0 initial >5080 +1:3600"]);
    // It stays with the one that asked for it where that is named still.
    let mut story = told();
    assert_eq!(story.give(found(&[5080, 5060])), ["0 initial >5060 +1:3600"]);
    // Who was registered where it was before is where it is now, and registers no second time.
    let mut story = Story::registered();
    story.tell(Order::Renew);
    assert_eq!(again(&mut story), ["0 check"]);
    assert_eq!(story.give(found(&[5080])), ["0 renew >5080 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    assert!(story.run(60_000).is_empty());
    // Nowhere at all.
    let mut story = told();
    assert_eq!(story.give(found(&[])), ["unbound unsent"]);
}

#[test]
fn a_dns_that_says_nothing_is_waited_for_no_longer_than_four_seconds() {
    let mut story = told();
    assert!(story.run(3999).is_empty());
    assert_eq!(story.run(4000), ["4000 initial >5060 +1:3600"]);
    story.ok();
    assert!(story.give(found(&[5060])).is_empty(), "its answer comes too late");
}

#[test]
fn nobody_waits_for_the_dns_who_wants_something_else_meanwhile() {
    let mut story = told();
    assert_eq!(story.tell(Order::Remove)[0], "0 remove >5060 -1");
    let mut story = told();
    story.tell(Order::Hold(seconds(60)));
    assert_eq!(story.give(found(&[5060])), ["overloaded(0ns)", "unbound refused 503"]);
}
