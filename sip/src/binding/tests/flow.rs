//! Flows that break, servers that move, requests that are too large for a datagram.

use super::*;
use crate::uri::Uri;

fn to(transport: Transport, port: u16) -> Target {
    Target { transport, addr: ([192, 0, 2, 1], port).into() }
}

fn over_tcp(ports: &[u16]) -> Story {
    Setup { transport: Transport::Tcp, ports: ports.to_vec(), reg_id: Some(4), ..Setup::default() }.story()
}

fn moved(ports: &[u16]) -> Input {
    let targets = ports.iter().map(|port| to(Transport::Udp, *port)).collect();
    let server = Server { name: "pbx".into(), tier: 0, targets, spare: false, way: Way::default() };
    Input::Resolved(Arc::new(server))
}

#[test]
fn everybody_on_a_broken_flow_registers_again_within_a_second() {
    let mut story = over_tcp(&[5060]);
    story.tell(register(1));
    story.ok();
    story.run(60_000);
    assert!(story.give(Input::FlowLost(to(Transport::Tcp, 5070))).is_empty(), "somebody else's");
    assert!(story.give(Input::FlowLost(to(Transport::Tcp, 5060))).is_empty(), "not all in one breath");
    let lines = story.run(61_000);
    assert!(lines.len() == 1 && lines[0].ends_with("refresh >5060 +1:3600"), "{lines:?}");
    assert_eq!(story.last().contacts().unwrap().list()[0].reg_id(), Some(4));
    story.ok();
    assert_eq!(story.binding.state(), State::Registered);
}

#[test]
fn what_was_in_flight_on_a_broken_flow_is_sent_once_more_and_then_counts_as_unsent() {
    let mut story = over_tcp(&[5060, 5070]);
    story.tell(register(1));
    let lost = Input::FlowLost(to(Transport::Tcp, 5060));
    assert_eq!(story.give(lost.clone()), ["0 initial >5060 +1:3600"]);
    assert_eq!(story.give(lost), ["0 initial >5070 +1:3600"]);
    // The first one may have been carried out (RFC 4321): its late answer counts.
    assert!(story.binding.held().is_some());
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
}

#[test]
fn a_user_stays_at_a_target_that_is_still_named_and_leaves_one_that_is_not() {
    let mut story = Story::registered();
    assert!(story.give(moved(&[5070, 5060])).is_empty());
    story.run(60_000);
    assert_eq!(story.sent.len(), 1, "5060 is still named");
    story.give(moved(&[5070, 5080]));
    let lines = story.run(90_000);
    assert!(lines[0].ends_with("refresh >5070 +1:3600"), "within half a minute: {lines:?}");
}

#[test]
fn a_new_target_ends_a_back_off_and_a_target_that_went_away_is_followed_by_the_first() {
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.run(4000);
    assert_eq!(story.binding.state(), State::Backoff);
    assert!(story.give(moved(&[5060])).is_empty(), "nothing new");
    assert_eq!(story.give(moved(&[5090])), ["4000 initial >5090 +1:3600"]);
    assert!(story.give(moved(&[5091, 5092])).is_empty(), "what is in flight is waited for");
    assert_eq!(story.give(Input::Unsent(([192, 0, 2, 1], 5090).into())), ["4000 initial >5091 +1:3600"]);
}

#[test]
fn a_silent_target_is_left_for_the_next_one_of_the_tier() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    assert!(story.give(Input::Absent(to(Transport::Udp, 5070))).is_empty());
    story.give(Input::Absent(to(Transport::Udp, 5060)));
    let lines = story.run(1000);
    assert!(lines.len() == 1 && lines[0].ends_with("refresh >5070 +1:3600"), "{lines:?}");
    // With nowhere to go, going is no use.
    let mut story = Story::registered();
    story.give(Input::Absent(to(Transport::Udp, 5060)));
    assert!(story.run(10_000).is_empty());
}

/// Contacts of siblings that make the next REGISTER larger than a datagram may be.
fn crowd() -> Order {
    let uri =
        |n: usize| format!("sip:101@10.0.{n}.1:5060;hm-site=1F102F0E86{n};hm-ep=1767225600000.0.1F102F0E86");
    let all: Vec<String> = (0..15).map(uri).collect();
    assert!(all.iter().all(|uri| Uri::parse(uri).is_ok()));
    Order::Evict(all)
}

#[test]
fn a_large_request_goes_over_tcp_and_as_a_datagram_when_tcp_is_refused() {
    let mut story = Setup { free: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(crowd());
    assert!(story.last().bytes().len() > super::super::flow::DATAGRAM_MAX);
    assert_eq!(story.targets.last(), Some(&to(Transport::Tcp, 5060)));
    assert_eq!(story.last().via().unwrap().transport, "TCP");
    // RFC 3261 18.1.1: "the client SHOULD retry the request using UDP".
    story.give(Input::Unsent(([192, 0, 2, 1], 5060).into()));
    assert_eq!(story.targets.last(), Some(&to(Transport::Udp, 5060)));
    assert_eq!(story.last().via().unwrap().transport, "UDP");
    story.ok();
    story.tell(crowd());
    assert_eq!(story.targets.last(), Some(&to(Transport::Udp, 5060)), "it is not tried again");
}

#[test]
fn a_transport_that_was_prescribed_stays_whatever_the_size() {
    let mut story = Story::registered();
    story.tell(crowd());
    assert!(story.last().bytes().len() > super::super::flow::DATAGRAM_MAX);
    assert_eq!(story.targets.last(), Some(&to(Transport::Udp, 5060)));
}

/// The DNS names these ports, and leaves the transport to us.
fn moved_freely(ports: &[u16]) -> Input {
    let Input::Resolved(server) = moved(ports) else { unreachable!() };
    let way = Way { free: true, ..Way::default() };
    Input::Resolved(Arc::new(Server { way, ..(*server).clone() }))
}

#[test]
fn a_challenge_is_answered_where_it_came_from_though_the_dns_names_others_meanwhile() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    assert!(story.give(moved(&[5070, 5080])).is_empty());
    assert_eq!(story.challenged("a", ""), ["0 initial >5060 +1:3600"]);
    story.ok();
    // What is named no more is left soon, for the first that is.
    let lines = story.run(30_000);
    assert!(lines[0].ends_with("refresh >5070 +1:3600"), "{lines:?}");
    // One that is named still, at another place of the list, is where the user is.
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.give(moved(&[5070, 5060]));
    assert_eq!(story.challenged("a", ""), ["0 initial >5060 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    assert!(story.run(30_000).is_empty());
    assert!(story.next()[0].contains("refresh >5060"), "{:?}", story.targets);
}

#[test]
fn a_challenge_to_a_large_request_is_answered_over_its_stream_though_the_list_changes() {
    let mut story = Setup { ports: vec![5060, 5070, 5080], free: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(crowd());
    assert_eq!(story.targets.last(), Some(&to(Transport::Tcp, 5060)));
    story.give(moved_freely(&[5070, 5060, 5080]));
    story.challenged("a", "");
    assert_eq!(story.targets.last(), Some(&to(Transport::Tcp, 5060)));
    story.ok();
    story.tell(Order::Renew);
    assert_eq!(story.targets.last(), Some(&to(Transport::Udp, 5060)), "the success was that of 5060");
}

#[test]
fn the_loss_of_a_stream_that_only_the_size_asked_for_is_noticed() {
    for wide in [true, false] {
        let mut story = Setup { free: true, ..Setup::default() }.story();
        story.tell(register(1));
        story.ok();
        if wide {
            story.tell(crowd());
            story.ok();
        }
        assert!(story.give(Input::FlowLost(to(Transport::Tcp, 5060))).is_empty());
        let lines = story.run(1000);
        assert_eq!(!lines.is_empty(), wide, "{lines:?}");
    }
    let mut story = Setup { free: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(crowd());
    story.ok();
    let lines = story.give(Input::Unsent(([192, 0, 2, 1], 5060).into()));
    assert!(lines[0].contains("refresh >5060"), "{lines:?}");
    // The next REGISTER is small, and goes as a datagram again: no stream carries the user any more.
    assert_eq!(story.targets.last(), Some(&to(Transport::Udp, 5060)));
    story.ok();
    story.give(Input::FlowLost(to(Transport::Tcp, 5060)));
    assert!(story.run(1000).is_empty());
}
