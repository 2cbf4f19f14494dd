//! Servers with several targets, flows that break, and servers that the DNS finds elsewhere.

use super::*;

#[test]
fn the_targets_that_are_asked_are_those_at_which_users_are_registered() {
    let probes = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| line.contains("probe") && !line.contains("again")).collect()
    };
    let mut story = Story::of(vec![target(5060), target(5070), target(5080)]);
    story.check(Evidence::Settled(target(5080)), &[]);
    story.check(Evidence::Alive, &[]);
    assert_eq!(probes(story.run(4000)), ["4000 probe 5080"]);
    story.answers(200, &[]);
    // Two in use: each is asked when it has been quiet for four seconds, whatever the other one does.
    story.check(Evidence::Settled(target(5060)), &[]);
    story.check(Evidence::Alive, &[]);
    assert_eq!(probes(story.run(8000)), ["8000 probe 5060"]);
    story.answers(200, &[]);
    assert_eq!(probes(story.run(8001)), ["8000 probe 5080"]);
    story.run(9000);
    story.check(Evidence::Settled(target(5060)), &[]);
    story.run(11_000);
    story.check(Evidence::Alive, &[]);
    let lines = story.run(13_000);
    assert_eq!(
        lines.iter().find(|line| line.contains("absent")).map(String::as_str),
        Some("13000 absent 5080")
    );
}

#[test]
fn a_broken_flow_is_no_verdict_but_a_reason_to_ask() {
    let tcp = Target { transport: Transport::Tcp, ..target(5060) };
    let mut story = Story::of(vec![tcp]);
    assert!(story.give(Input::FlowLost(target(5060))).is_empty(), "datagrams have no flow to lose");
    assert_eq!(story.give(Input::FlowLost(tcp)), ["0 probe 5060"]);
    assert_eq!(story.health.standing(), Standing::Usable);
    assert_eq!(story.give(unsent(5060)), ["0 down"], "nobody is there to take another");
    assert!(story.give(Input::FlowLost(tcp)).is_empty());
}

#[test]
fn a_server_that_is_found_nowhere_is_down_until_it_is_found() {
    let found = |ports: &[u16]| {
        let targets = ports.iter().map(|port| target(*port)).collect();
        let server = Server { name: "pbx".into(), tier: 0, targets, spare: true, way: Way::default() };
        Input::Resolved(Arc::new(server))
    };
    let mut story = Story::of(Vec::new());
    assert_eq!(story.give(found(&[])), ["0 down"]);
    assert!(story.run(600_000).is_empty(), "there is nobody to ask");
    assert_eq!(story.give(found(&[5060])), ["600000 probe 5060"]);
    story.answers(200, &["600000 recovering"]);
    // And one that moves is asked where it is now.
    let mut story = Story::new();
    assert!(story.give(found(&[5060, 5070])).is_empty());
    assert_eq!(story.give(found(&[5080])), ["0 probe 5080"]);
    story.answers(200, &[]);
}
