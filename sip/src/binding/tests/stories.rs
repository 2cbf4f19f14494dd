//! Registering, refreshing, failing over and backing off (SM-3; G-1, G-5, G-7, G-8, G-9, G-11).

use super::*;

#[test]
fn the_request_is_complete() {
    let mut story = Setup { reg_id: Some(4), ..Setup::default() }.story();
    story.tell(register(1));
    let sent = story.last();
    let text = String::from_utf8(sent.bytes().to_vec()).unwrap();
    assert!(text.starts_with("REGISTER sip:example.com SIP/2.0\r\n"), "{text}");
    let via = sent.via().unwrap();
    assert_eq!((via.transport, via.rport()), ("UDP", Some(None)));
    assert!(via.unique_branch().is_some());
    let (from, to) = (sent.from().unwrap(), sent.to().unwrap());
    assert_eq!((from.address, to.address), ("sip:101@example.com", "sip:101@example.com"));
    assert!(from.tag().is_some() && to.tag().is_none());
    assert_eq!(sent.cseq().map(|cseq| cseq.number), Ok(1));
    let contacts = sent.contacts().unwrap();
    let own = contacts.list().first().unwrap();
    assert_eq!((own.addr.address, own.expires(), own.reg_id()), (&*contact(1), Some(3600), Some(4)));
    assert_eq!(own.instance(), Some("urn:uuid:00000000-0000-5000-8000-000000000101"));
    for line in ["Max-Forwards: 70", "User-Agent: homing", "Supported: path, outbound", "Allow: "] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
    let mut plain = Setup { transport: Transport::Tcp, ..Setup::default() }.story();
    plain.tell(register(1));
    let text = String::from_utf8(plain.last().bytes().to_vec()).unwrap();
    assert!(
        text.contains("Supported: path\r\n") && !text.contains("reg-id") && !text.contains("rport"),
        "{text}"
    );
}

#[test]
fn a_registration_is_refreshed_before_it_runs_out() {
    let mut story = Story::new();
    story.check(register(1), &["0 initial >5060 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    assert_eq!(story.binding.held(), Some(at(3_600_000)));
    for round in 0..20 {
        let answered = story.now;
        let lines = story.next();
        let waited = story.now.since(answered);
        assert!(waited >= seconds(3150) && waited <= seconds(3300), "{round}: {waited:?}");
        assert_eq!(lines, [format!("{} refresh >5060 +1:3600", story.now.as_millis())]);
        assert_eq!(story.ok(), ["alive", "bound 3600"]);
    }
    let cseqs: Vec<u32> = story.sent.iter().map(|sent| sent.cseq().unwrap().number).collect();
    assert_eq!(cseqs, (1..=21).collect::<Vec<u32>>());
}

#[test]
fn odd_lifetimes_have_a_meaning() {
    // G-8: what the registrar grants, and what becomes of it.
    for (lines, expected, refreshed) in [
        (&[("Contact", "30")][..], "bound 30", Some(20)),
        (&[("Contact", "1")], "bound 1", Some(20)),
        (&[("Contact", "-1")], "bound 3600", None),
        (&[("Contact", "4293498731")], "bound 3600", None),
        (&[("Contact", "x")], "bound 3600", None),
        (&[("Contact", "none"), ("Expires", "100")], "bound 100", None),
        (&[("Contact", "none")], "bound 3600", None),
        (&[("Expires", "120")], "bound 120", None),
        (&[("Contact", "0")], "unbound not stored", None),
        (&[], "unbound not stored", None),
    ] {
        let mut story = Story::new();
        story.tell(register(1));
        let lines: Vec<(&str, String)> = lines
            .iter()
            .map(|(name, value)| match (*name, *value) {
                ("Contact", "none") => (*name, format!("<{}>", contact(1))),
                ("Contact", expires) => (*name, format!("<{}>;expires={expires}", contact(1))),
                (name, value) => (name, value.to_owned()),
            })
            .collect();
        let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(story.answer(200, &lines), ["alive", expected], "{lines:?}");
        if let Some(refreshed) = refreshed {
            let sent = story.run(refreshed * 1000).pop();
            assert_eq!(sent, Some(format!("{} refresh >5060 +1:3600", refreshed * 1000)));
        }
    }
}

#[test]
fn a_lifetime_that_runs_out_unrefreshed_is_told() {
    let mut story = Story::new();
    story.tell(register(1));
    let own = format!("<{}>;expires=10", contact(1));
    story.answer(200, &[("Contact", &own)]);
    assert_eq!(story.run(19_999), ["unbound lapsed"]);
    assert_eq!(story.run(20_000), ["20000 refresh >5060 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
}

#[test]
fn other_peoples_contacts_are_listed_and_never_taken_for_ours() {
    let mut story = Story::new();
    story.tell(register(1));
    let sibling = "<sip:101@10.0.2.1:5060;hm-site=2;hm-ep=9>;expires=100";
    let mut out = Vec::new();
    let own = format!("<{}>;expires=60", contact(1));
    let reply = story.reply(0, 200, &[("Contact", sibling), ("Contact", &own)]);
    story.binding.on(at(5), Input::Answer(reply), &mut out);
    let Some(Effect::Report(Report::Registered { granted, listed })) = out.pop() else { panic!("{out:?}") };
    assert_eq!(granted, seconds(60));
    let seen: Vec<(bool, u64)> = listed.iter().map(|l| (l.own, l.expires.as_secs())).collect();
    assert_eq!(seen, [(false, 100), (true, 60)]);
    assert_eq!(listed[0].uri, "sip:101@10.0.2.1:5060;hm-site=2;hm-ep=9");
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(story.answer(200, &[("Contact", sibling)]), ["alive", "unbound not stored"]);
    // A stranger's contact that cannot be read does not hide ours.
    let mut story = Story::new();
    story.tell(register(1));
    let lines = story.answer(200, &[("Contact", "<<>;expires="), ("Contact", &own)]);
    assert_eq!(lines, ["alive", "bound 60"]);
}

#[test]
fn a_rewritten_contact_is_known_by_its_flow() {
    let mut story = Setup { reg_id: Some(4), ..Setup::default() }.story();
    story.tell(register(1));
    let flow = ";+sip.instance=\"<urn:uuid:00000000-0000-5000-8000-000000000101>\";reg-id=";
    let other = format!("<sip:101@203.0.113.9:1024>;expires=60{flow}5");
    let own = format!("<sip:101@203.0.113.9:1024>;expires=600{flow}4");
    assert_eq!(story.answer(200, &[("Contact", &other), ("Contact", &own)]), ["alive", "bound 600"]);
}

#[test]
fn a_silent_server_without_alternative_is_waited_for_32_seconds() {
    let mut story = Story::new();
    story.tell(register(1));
    let lines = story.run(32_000);
    let copies = [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];
    let mut expected: Vec<String> = copies.iter().map(|ms| format!("{ms} again >5060")).collect();
    expected.extend(["silent".to_owned(), "unbound silent".to_owned()]);
    assert_eq!(lines, expected);
    assert_eq!(story.binding.state(), State::Backoff);
    // The registrar may have stored it all the same: RFC 4321.
    assert_eq!(story.binding.held(), Some(at(32_000 + 3_600_000)));
}

#[test]
fn four_seconds_of_silence_are_enough_when_there_is_another_target() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    let lines = story.run(4000);
    assert_eq!(
        lines,
        ["500 again >5060", "1500 again >5060", "3500 again >5060", "4000 initial >5070 +1:3600"]
    );
    let [first, second] = &story.sent[..] else { panic!("two requests") };
    assert_ne!(first.via().unwrap().branch(), second.via().unwrap().branch(), "S-20: a new branch");
    assert_eq!(second.cseq().unwrap().number, 2);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    // The next REGISTER goes to the target that answered.
    assert_eq!(story.tell(Order::Renew), ["4000 renew >5070 +1:3600"]);
}

#[test]
fn four_seconds_are_enough_when_there_is_another_tier() {
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    let lines = story.run(4000);
    assert_eq!(lines[3..], ["silent", "unbound silent"]);
}

#[test]
fn the_last_target_without_another_tier_gets_the_full_time() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.run(35_999);
    assert_eq!(story.binding.state(), State::Trying);
    assert_eq!(story.run(36_000), ["silent", "unbound silent"]);
}

#[test]
fn a_provisional_answer_stops_the_failover_timer_but_not_timer_f() {
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.run(100);
    assert!(story.answer(100, &[]).is_empty());
    let lines = story.run(32_000);
    assert_eq!(lines[0], "500 again >5060");
    assert_eq!(lines[1], "4500 again >5060");
    assert_eq!(lines.last().map(String::as_str), Some("unbound silent"));
}

#[test]
fn the_back_off_doubles_and_success_resets_it() {
    let mut story = Setup { spare: true, transport: Transport::Tcp, ..Setup::default() }.story();
    story.tell(register(1));
    for widest in [60, 120, 240, 480, 960, 1800, 1800] {
        story.run(story.now.as_millis() + 4000);
        assert_eq!(story.binding.state(), State::Backoff);
        let failed = story.now;
        while story.binding.state() == State::Backoff {
            story.next();
        }
        let waited = story.now.since(failed);
        assert!(waited >= seconds(widest / 2) && waited <= seconds(widest), "{widest}: {waited:?}");
    }
    story.ok();
    story.tell(Order::Renew);
    story.run(story.now.as_millis() + 4000);
    let failed = story.now;
    while story.binding.state() == State::Backoff {
        story.next();
    }
    assert!(story.now.since(failed) <= seconds(60));
}

#[test]
fn what_leaves_a_back_off_at_once() {
    for (order, kind) in [(Order::Renew, "renew"), (Order::Retry, "initial"), (register(1), "initial")] {
        let mut story = Setup { spare: true, ..Setup::default() }.story();
        story.tell(register(1));
        story.run(4000);
        assert_eq!(story.tell(order), [format!("4000 {kind} >5060 +1:3600")]);
    }
}

#[test]
fn a_transport_error_turns_to_the_next_target_at_once() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    let broken = Input::Unsent(([192, 0, 2, 1], 5060).into());
    assert_eq!(story.give(broken.clone()), ["0 initial >5070 +1:3600"]);
    assert!(story.give(broken).is_empty(), "not the target in use");
    let lines = story.give(Input::Unsent(([192, 0, 2, 1], 5070).into()));
    assert_eq!(lines, ["unreachable", "unbound unsent"]);
    assert_eq!(story.binding.held(), None, "it never left");
}

#[test]
fn a_lost_flow_is_registered_again_with_the_same_reg_id() {
    let mut story = Setup { transport: Transport::Tcp, reg_id: Some(4), ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    let lost = Input::Unsent(([192, 0, 2, 1], 5060).into());
    assert_eq!(story.give(lost.clone()), ["0 refresh >5060 +1:3600"]);
    assert_eq!(story.last().contacts().unwrap().list()[0].reg_id(), Some(4));
    let mut story = Story::registered();
    assert!(story.give(lost).is_empty(), "a datagram's late error is no news");
}

#[test]
fn a_late_answer_of_an_abandoned_transaction_counts() {
    // While the next target is asked.
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.run(5000);
    let late = story.agree(0);
    assert_eq!(story.give(Input::Answer(late.clone())), ["alive", "bound 3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    assert!(story.give(Input::Answer(late)).is_empty());
    assert_eq!(story.binding.dropped(), 1);
    // While backing off.
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.run(6000);
    let late = story.agree(0);
    assert_eq!(story.give(Input::Answer(late)), ["alive", "bound 3600"]);
    assert_eq!(story.binding.state(), State::Registered);
}

#[test]
fn a_late_answer_after_everything_else_is_none_of_ours() {
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(register(1));
    story.run(32_001);
    let late = story.agree(0);
    assert!(story.give(Input::Answer(late)).is_empty());
    assert_eq!(story.binding.dropped(), 1);
}

#[test]
fn strange_answers_are_counted_and_dropped() {
    let mut story = Story::new();
    story.tell(register(1));
    let good = String::from_utf8(story.agree(0).bytes().to_vec()).unwrap();
    let branch = story.sent[0].via().unwrap().branch().unwrap().to_owned();
    for (from, to) in [
        (branch.as_str(), "z9hG4bKother"),
        ("1 REGISTER", "2 REGISTER"),
        ("1 REGISTER", "1 OPTIONS"),
        ("CSeq: ", "X-CSeq: "),
        ("Via: ", "X-Via: "),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        let bad = Message::parse(Bytes::from(bad)).unwrap();
        assert!(story.give(Input::Answer(bad)).is_empty(), "{to}");
    }
    assert_eq!(story.binding.dropped(), 5);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    let twice = story.agree(0);
    assert!(story.give(Input::Answer(twice)).is_empty());
    assert_eq!(story.binding.dropped(), 6);
}

#[test]
fn what_comes_while_one_is_in_flight_waits_behind_it() {
    let mut story = Story::new();
    story.tell(register(1));
    story.check(Order::Renew, &[]);
    story.check(Order::Renew, &[]);
    story.check(Order::Query, &[]);
    story.check(Order::Evict(vec!["sip:101@10.0.2.1:5060;hm-ep=0".into()]), &[]);
    assert_eq!(story.ok(), ["alive", "bound 3600", "0 evict >5060 -0 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600", "0 query >5060"]);
    let own = format!("<{}>;expires=60", contact(1));
    assert_eq!(story.answer(200, &[("Contact", &own)]), ["alive", "listed 1"]);
}

#[test]
fn a_renewal_that_waits_is_sent_even_if_the_first_fails() {
    // the registrar with room for one refuses; the former's confirmation must not wait for two minutes.
    let mut story = Story::new();
    story.tell(register(1));
    story.tell(Order::Renew);
    let lines = story.answer(403, &[]);
    assert_eq!(lines, ["alive", "unbound rejected 403", "0 initial >5060 +1:3600"]);
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(403, &[]);
    assert_eq!(story.tell(Order::Renew), ["0 initial >5060 +1:3600"]);
}

#[test]
fn a_new_epoch_replaces_the_old_contact_in_one_request() {
    let mut story = Story::registered();
    story.check(register(2), &["0 initial >5060 -1 +2:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    assert_eq!(story.tell(Order::Renew), ["0 renew >5060 +2:3600"]);
    // While the former is in flight.
    let mut story = Story::new();
    story.tell(register(1));
    story.check(register(2), &[]);
    assert_eq!(story.ok(), ["alive", "bound 3600", "0 initial >5060 -1 +2:3600"]);
    // The same contact again is no reason to send.
    let mut story = Story::registered();
    story.check(register(1), &[]);
}

#[test]
fn an_old_contact_that_stays_listed_is_removed_again() {
    let mut story = Story::registered();
    story.tell(register(2));
    let (old, new) = (format!("<{}>;expires=50", contact(1)), format!("<{}>;expires=60", contact(2)));
    story.answer(200, &[("Contact", &old), ("Contact", &new)]);
    assert_eq!(story.tell(Order::Renew), ["0 renew >5060 -1 +2:3600"]);
}

#[test]
fn the_old_contact_never_carries_the_reg_id_of_the_new_one() {
    let mut story = Setup { reg_id: Some(4), ..Setup::default() }.story();
    story.tell(register(1));
    story.ok();
    story.tell(register(2));
    let contacts = story.last().contacts().unwrap();
    let ids: Vec<Option<u32>> = contacts.list().iter().map(|contact| contact.reg_id()).collect();
    assert_eq!(ids, [None, Some(4)]);
}

#[test]
fn before_a_refresh_a_cautious_binding_asks_and_leaves_time_to_object() {
    let mut story = Story::registered();
    story.tell(Order::Caution(true));
    let lines = story.next();
    let asked = story.now.as_millis();
    assert_eq!(lines, [format!("{asked} query >5060")]);
    let own = format!("<{}>;expires=60", contact(1));
    assert_eq!(story.answer(200, &[("Contact", &own)]), ["alive", "listed 1"]);
    assert_eq!(story.run(asked + 1000), [format!("{} refresh >5060 +1:3600", asked + 1000)]);
    story.ok();
    // The owner objects: nothing of ours is refreshed.
    story.next();
    story.answer(200, &[]);
    let removal = story.tell(Order::Remove);
    assert_eq!(removal, [format!("{} remove >5060 -1", story.now.as_millis())]);
    assert_eq!(story.ok(), ["alive", "removed removed", "done"]);
    assert_eq!(story.binding.deadline(), None);
}

#[test]
fn a_query_before_the_refresh_that_fails_is_a_failed_refresh() {
    let mut story = Story::registered();
    story.tell(Order::Caution(true));
    story.next();
    assert_eq!(story.answer(500, &[]), ["broken(500)", "unbound refused 500"]);
    assert_eq!(story.binding.state(), State::Backoff);
}

#[test]
fn a_query_before_anything_is_registered() {
    let mut story = Story::new();
    story.check(Order::Query, &["0 query >5060"]);
    story.check(register(1), &[]);
    let sibling = "<sip:101@10.0.2.1:5060;hm-site=2;hm-ep=9>;expires=100";
    let lines = story.answer(200, &[("Contact", sibling)]);
    assert_eq!(lines, ["alive", "listed 1", "0 initial >5060 +1:3600"]);
    let mut story = Setup { spare: true, ..Setup::default() }.story();
    story.tell(Order::Query);
    let lines = story.run(4000);
    assert_eq!(lines[3..], ["silent", "unbound silent"]);
    assert_eq!(story.run(32_000), ["done"]);
}

#[test]
fn a_hold_stops_everything_until_it_is_over() {
    // G-4: nobody of the OMM sends for 60 s.
    let mut story = Story::new();
    story.tell(register(1));
    story.check(Order::Hold(seconds(60)), &[]);
    let lines = story.run(59_999);
    assert_eq!(lines, ["silent", "unbound silent"], "no copies, no other target");
    let mut story = Story::registered();
    story.check(Order::Hold(seconds(60)), &[]);
    story.check(Order::Renew, &[]);
    assert!(story.run(59_999).is_empty());
    assert_eq!(story.run(60_000), ["60000 renew >5060 +1:3600"]);
}
