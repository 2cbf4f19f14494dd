//! A registrar sends us elsewhere: to numbers, to names, in circles.

use super::*;
use crate::place::Place;
use crate::uri::Uri;

#[test]
fn a_redirection_is_followed_by_preference_each_place_once() {
    let mut story = Story::new();
    story.tell(register(1));
    let lines = story.answer(
        302,
        &[
            ("Contact", "<sip:192.0.2.7:5080>;q=0.1"),
            ("Contact", "<sip:192.0.2.7:5090>;q=0.9"),
            ("Contact", "<tel:+4930123>"),
        ],
    );
    assert_eq!(lines, ["0 initial >5090 +1:3600"]);
    assert_eq!(story.last().request_uri(), Some("sip:192.0.2.7:5090"));
    // G-3: a loop ends.
    let looped = story.answer(302, &[("Contact", "<sip:192.0.2.7:5090>")]);
    assert_eq!(looped, ["0 initial >5080 +1:3600"]);
    let looped = story.answer(302, &[("Contact", "<sip:192.0.2.7:5090>")]);
    assert_eq!(looped, ["alive", "unbound refused 302"]);
}

#[test]
fn five_redirections_are_enough() {
    let mut story = Story::new();
    story.tell(register(1));
    for port in 6001..=6005 {
        let place = format!("<sip:192.0.2.7:{port}>");
        assert_eq!(story.answer(302, &[("Contact", &place)]), [format!("0 initial >{port} +1:3600")]);
    }
    assert_eq!(story.answer(302, &[("Contact", "<sip:192.0.2.7:6006>")]), ["alive", "unbound refused 302"]);
}

#[test]
fn a_redirection_never_leaves_tls() {
    let mut story = Setup { transport: Transport::Tls, ..Setup::default() }.story();
    story.tell(register(1));
    let lines = story.answer(302, &[("Contact", "<sip:192.0.2.7:5080;transport=udp>")]);
    assert_eq!(lines, ["alive", "unbound refused 302"]);
}

#[test]
fn a_registration_at_a_redirected_place_starts_at_the_server_again() {
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(302, &[("Contact", "<sip:192.0.2.7:5080>")]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    assert_eq!(story.tell(Order::Renew), ["0 renew >5060 +1:3600"]);
}

const MOVED: &str = "<sip:pool.example.com>";

/// What the DNS says of `uri`: these ports at 192.0.2.7.
fn dns(uri: &str, transport: Transport, ports: &[u16]) -> Input {
    let place = Arc::new(Place::of(&Uri::parse(uri).expect("a URI")).expect("a place"));
    let target = |port: &u16| Target::new(transport, ([192, 0, 2, 7], *port).into());
    Input::Sought { place, targets: ports.iter().map(target).collect() }
}

fn pool(ports: &[u16]) -> Input {
    dns("sip:pool.example.com", Transport::Udp, ports)
}

/// A user whose registrar has just sent him to a name.
fn sent_to_a_name() -> Story {
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(story.answer(302, &[("Contact", MOVED)]), ["0 seek sip:pool.example.com"]);
    story
}

#[test]
fn a_name_is_looked_up_and_its_targets_are_asked_in_order() {
    let mut story = sent_to_a_name();
    assert_eq!(story.give(pool(&[5080, 5090])), ["0 initial >5080 +1:3600"]);
    assert_eq!(story.last().request_uri(), Some("sip:pool.example.com"));
    assert_eq!(story.answer(500, &[]), ["0 initial >5090 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    // For a while only: the next REGISTER begins at the server again.
    assert_eq!(story.tell(Order::Renew), ["0 renew >5060 +1:3600"]);
}

#[test]
fn nothing_else_is_sent_while_the_dns_is_asked() {
    let mut story = sent_to_a_name();
    assert!(story.tell(Order::Renew).is_empty());
    assert!(story.tell(Order::Query).is_empty());
    assert_eq!(story.give(pool(&[5080])), ["0 initial >5080 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600", "0 renew >5060 +1:3600"]);
}

#[test]
fn a_name_that_leads_nowhere_is_followed_by_the_next_place_and_then_by_a_wait() {
    let mut story = Story::new();
    story.tell(register(1));
    let places = [("Contact", MOVED), ("Contact", "<sip:192.0.2.7:5070>;q=0.5")];
    assert_eq!(story.answer(302, &places), ["0 seek sip:pool.example.com"]);
    assert_eq!(story.give(pool(&[])), ["0 initial >5070 +1:3600"]);
    let mut alone = sent_to_a_name();
    assert_eq!(alone.give(pool(&[])), ["alive", "unbound unsent"]);
}

#[test]
fn a_dns_that_says_nothing_holds_nobody_up_for_more_than_four_seconds() {
    let mut story = sent_to_a_name();
    assert!(story.run(3_999).is_empty());
    assert_eq!(story.run(4_000), ["alive", "unbound unsent"]);
    assert!(story.give(pool(&[5080])).is_empty(), "too late");
}

#[test]
fn a_removal_does_not_wait_for_the_dns() {
    let mut story = Story::registered();
    story.tell(Order::Renew);
    assert_eq!(story.answer(302, &[("Contact", MOVED)]), ["0 seek sip:pool.example.com"]);
    assert_eq!(story.tell(Order::Remove), ["0 remove >5060 -1"]);
    assert!(story.give(pool(&[5080])).is_empty(), "nobody waits for it");
    story.check_deadlines_without("seek");
}

#[test]
fn two_names_that_lead_to_each_other_are_left_after_five_targets() {
    let mut story = Story::new();
    story.tell(register(1));
    for port in 6001..=6005 {
        assert_eq!(story.answer(302, &[("Contact", MOVED)]), ["0 seek sip:pool.example.com"]);
        let expected = [format!("0 initial >{port} +1:3600")];
        assert_eq!(story.give(pool(&[6001, 6002, 6003, 6004, 6005, 6006][..port as usize - 6000])), expected);
    }
    assert_eq!(story.answer(302, &[("Contact", MOVED)]), ["alive", "unbound refused 302"]);
}

#[test]
fn a_place_named_for_good_is_asked_first_until_it_does_not_serve() {
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(301, &[("Contact", MOVED)]);
    story.give(pool(&[5080]));
    story.ok();
    assert_eq!(story.tell(Order::Renew), ["0 renew >5080 +1:3600"]);
    assert_eq!(story.answer(500, &[]), ["0 renew >5060 +1:3600"]);
    assert_eq!(story.answer(301, &[("Contact", MOVED)]), ["0 seek sip:pool.example.com"]);
}

#[test]
fn over_tls_a_name_is_asked_over_tls_and_has_to_prove_that_it_is_it() {
    let mut story = Setup { transport: Transport::Tls, ..Setup::default() }.story();
    story.tell(register(1));
    assert_eq!(story.answer(302, &[("Contact", MOVED)]), ["0 seek sip:pool.example.com;transport=tls"]);
    let found = dns("sip:pool.example.com;transport=tls", Transport::Tls, &[5061]);
    assert_eq!(story.give(found), ["tls:192.0.2.7:5061 is pool.example.com", "0 initial >5061 +1:3600"]);
}

#[test]
fn whoever_was_asked_as_sips_leads_to_sips_only() {
    let mut story = Setup { transport: Transport::Tls, secure: true, ..Setup::default() }.story();
    story.tell(register(1));
    let places =
        [("Contact", "<sip:a.example.com;transport=tls>"), ("Contact", "<sips:b.example.com>;q=0.5")];
    assert_eq!(story.answer(302, &places), ["0 seek sips:b.example.com"]);
}
