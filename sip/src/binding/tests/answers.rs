//! Every answer row of SM-3 (G-1 to G-4).

use super::*;
use crate::extension::Extensions;
use crate::server::Demands;

#[test]
fn a_challenge_is_answered_once_with_the_next_cseq() {
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(story.challenged("a", ""), ["0 initial >5060 +1:3600"]);
    let [first, second] = &story.sent[..] else { panic!("two requests") };
    assert_eq!(first.call_id(), second.call_id());
    assert_eq!(first.from().unwrap().tag(), second.from().unwrap().tag());
    assert_eq!(second.cseq().unwrap().number, 2);
    assert_ne!(first.via().unwrap().branch(), second.via().unwrap().branch());
    let line = second.header(crate::name::Name::Authorization).unwrap();
    assert!(line.contains("username=\"101\"") && line.contains("uri=\"sip:example.com\""), "{line}");
    assert!(!line.contains("hunter2"));
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    // The next request carries them ahead.
    story.tell(Order::Renew);
    assert!(story.last().header(crate::name::Name::Authorization).unwrap().contains("nc=00000002"));
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
}

#[test]
fn a_proxy_challenge_is_answered_too() {
    let mut story = Story::new();
    story.tell(register(1));
    let value = "Digest realm=\"edge\", nonce=\"a\", qop=\"auth\", algorithm=SHA-256";
    story.answer(407, &[("Proxy-Authenticate", value)]);
    assert!(story.last().header(crate::name::Name::ProxyAuthorization).is_some());
    story.challenged("b", "");
    assert!(story.last().header(crate::name::Name::ProxyAuthorization).is_some());
    assert!(story.last().header(crate::name::Name::Authorization).is_some());
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
}

#[test]
fn a_wrong_password_costs_one_round_and_two_minutes() {
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("a", "");
    assert_eq!(story.challenged("b", ""), ["alive", "unbound rejected 401"]);
    assert_eq!(story.binding.state(), State::Rejected);
    for wait in [120, 240, 480, 960, 1800, 1800] {
        let failed = story.now;
        assert!(story.run((failed + seconds(wait)).as_millis() - 1).is_empty());
        assert_eq!(story.next().len(), 1);
        assert_eq!(story.now.since(failed), seconds(wait));
        assert!(story.last().header(crate::name::Name::Authorization).is_none(), "S-27");
        story.challenged("c", "");
        story.challenged("d", "");
    }
}

#[test]
fn a_new_password_is_tried_at_once() {
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("a", "");
    story.challenged("b", "");
    let mut account = (*story.binding.account).clone();
    account.password = Secret::new("correct horse");
    account.expires = seconds(600);
    let changed = Input::Account(Arc::new(account));
    assert_eq!(story.give(changed.clone()), ["0 initial >5060 +1:600"]);
    story.challenged("c", "");
    assert_eq!(story.ok(), ["alive", "bound 600"]);
    assert!(story.give(changed).is_empty(), "nothing to do while registered");
}

#[test]
fn endless_challenges_end() {
    for more in ["", ", stale=true"] {
        let mut story = Story::new();
        story.tell(register(1));
        let mut rounds = 0;
        while story.binding.state() == State::Trying {
            rounds += 1;
            story.challenged(&format!("nonce{rounds}"), more);
            assert!(rounds <= 4, "S-27");
        }
        assert_eq!(story.binding.state(), State::Rejected);
    }
}

#[test]
fn a_nonce_that_ran_out_without_stale_is_followed_once() {
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("a", "");
    story.ok();
    story.tell(Order::Renew);
    assert_eq!(story.challenged("b", ""), ["0 renew >5060 +1:3600"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
}

#[test]
fn a_challenge_that_cannot_be_answered_is_a_refusal() {
    let mut story = Story::new();
    story.tell(register(1));
    let lines = story.answer(401, &[("WWW-Authenticate", "Basic realm=\"pbx\"")]);
    assert_eq!(lines, ["alive", "unbound rejected 401"]);
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(story.answer(401, &[]), ["alive", "unbound rejected 401"]);
}

#[test]
fn authoritative_answers_ask_nobody_else() {
    for code in [400, 402, 403, 404, 406, 410, 413, 416, 421, 430, 488, 493, 494, 499, 600, 603, 604, 699] {
        let mut story = Setup { ports: vec![5060, 5070], spare: true, ..Setup::default() }.story();
        story.tell(register(1));
        assert_eq!(story.answer(code, &[]), ["alive".to_owned(), format!("unbound rejected {code}")]);
        assert_eq!(story.binding.held(), None);
        assert_eq!(story.run(120_000), ["120000 initial >5060 +1:3600"]);
    }
}

#[test]
fn answers_after_which_the_next_target_is_asked() {
    for (code, evidence) in [
        (405, "unfit(405)"),
        (480, "alive"),
        (482, "alive"),
        (483, "alive"),
        (408, "broken(408)"),
        (500, "broken(500)"),
        (501, "unfit(501)"),
        (502, "broken(502)"),
        (503, "broken(503)"),
        (504, "broken(504)"),
        (599, "broken(599)"),
    ] {
        let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
        story.tell(register(1));
        assert_eq!(story.answer(code, &[]), ["0 initial >5070 +1:3600"], "{code}");
        let unbound = format!("unbound refused {code}");
        assert_eq!(story.answer(code, &[]), [evidence.to_owned(), unbound], "{code}");
        assert_eq!(story.binding.state(), State::Backoff);
        // RFC 4321: who timed out may have let it through.
        assert_eq!(story.binding.held().is_some(), [408, 504].contains(&code), "{code}");
    }
}

#[test]
fn a_registration_survives_a_failed_refresh_until_it_runs_out() {
    let mut story = Story::registered();
    story.next();
    assert_eq!(story.answer(500, &[]), ["broken(500)", "unbound refused 500"]);
    assert_eq!(story.binding.held(), Some(at(3_600_000)));
    story.next();
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    let mut story = Story::registered();
    story.next();
    story.answer(403, &[]);
    assert_eq!(story.binding.held(), Some(at(3_600_000)));
    let refused = story.now.as_millis();
    assert_eq!(story.run(refused + 120_000).len(), 1);
    story.answer(403, &[]);
    let lapsed = story.run(3_600_000);
    assert!(lapsed.contains(&"unbound lapsed".to_owned()), "{lapsed:?}");
}

#[test]
fn a_longer_lifetime_is_asked_for_once() {
    for (least, expected) in [
        ("3601", Some(3601)),
        ("86400", Some(86_400)),
        ("86401", None),
        ("3600", None),
        ("60", None),
        ("x", None),
        ("99999999999999", None),
    ] {
        let mut story = Story::new();
        story.tell(register(1));
        let lines = story.answer(423, &[("Min-Expires", least)]);
        match expected {
            Some(asked) => {
                assert_eq!(lines, [format!("0 initial >5060 +1:{asked}")]);
                let again = story.answer(423, &[("Min-Expires", "90000")]);
                assert_eq!(again, ["alive", "unbound rejected 423"]);
            }
            None => assert_eq!(lines, ["alive", "unbound rejected 423"], "{least}"),
        }
    }
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(story.answer(423, &[]), ["alive", "unbound rejected 423"], "no Min-Expires");
}

#[test]
fn a_423_behind_a_challenge_is_followed_and_remembered() {
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("a", "");
    assert_eq!(story.answer(423, &[("Min-Expires", "7200")]), ["0 initial >5060 +1:7200"]);
    assert_eq!(story.challenged("b", ""), ["0 initial >5060 +1:7200"]);
    assert_eq!(story.ok(), ["alive", "bound 7200"]);
    assert_eq!(story.tell(Order::Renew), ["0 renew >5060 +1:7200"]);
}

#[test]
fn a_503_with_retry_after_leaves_the_server_alone() {
    let mut story = Story::new();
    story.tell(register(1));
    let lines = story.answer(503, &[("Retry-After", "600 (maintenance);duration=3600")]);
    assert_eq!(lines, ["overloaded(600s)", "unbound refused 503"]);
    assert!(story.run(599_999).is_empty());
    assert_eq!(story.run(600_000), ["600000 initial >5060 +1:3600"]);
    for (value, most) in [("86400", 1800), ("100000000000000000000", 1800), ("1e20", 60), ("soon", 60)] {
        let mut story = Story::new();
        story.tell(register(1));
        story.answer(503, &[("Retry-After", value)]);
        story.next();
        assert_eq!(story.binding.state(), State::Trying);
        assert!(story.now <= at(most * 1000), "{value}: {}", story.now);
    }
}

#[test]
fn an_extension_that_is_not_understood_is_left_out_from_then_on() {
    for code in [420, 439] {
        let mut story = Setup { reg_id: Some(4), ..Setup::default() }.story();
        story.tell(register(1));
        assert_eq!(story.answer(code, &[])[1..], ["0 initial >5060 +1:3600"]);
        assert_eq!(story.last().contacts().unwrap().list()[0].reg_id(), None);
        if code == 439 {
            // Path is none of the edge's business; a second refusal means that one too.
            assert_eq!(story.answer(code, &[])[1..], ["0 initial >5060 +1:3600"]);
        }
        assert_eq!(story.answer(code, &[]), ["alive".to_owned(), format!("unbound rejected {code}")]);
    }
}

#[test]
fn only_the_extensions_that_are_named_are_left_out() {
    let supported = |story: &Story| story.last().header(crate::name::Name::Supported).map(str::to_owned);
    let mut story = Setup { reg_id: Some(4), ..Setup::default() }.story();
    story.tell(register(1));
    assert_eq!(supported(&story).as_deref(), Some("path, outbound"));
    let lines = story.answer(420, &[("Unsupported", "100rel, PATH")]);
    assert_eq!(lines, ["lacks(extensions(1))", "0 initial >5060 +1:3600"]);
    assert_eq!(supported(&story).as_deref(), Some("outbound"));
    assert_eq!(story.last().contacts().unwrap().list()[0].reg_id(), Some(4));
    story.ok();
    // What another user of the site learned counts here too.
    story.tell(Order::Heed(Demands { lacks: Extensions::OUTBOUND, shed: 0 }));
    story.tell(Order::Renew);
    assert_eq!(supported(&story), None);
    assert_eq!(story.last().contacts().unwrap().list()[0].reg_id(), None);
    // There is nothing left to leave out.
    assert_eq!(story.answer(420, &[("Unsupported", "path")]), ["alive", "unbound rejected 420"]);
}

#[test]
fn a_place_for_good_is_remembered_until_it_fails() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    assert_eq!(story.answer(301, &[("Contact", "<sip:192.0.2.7:5080>")]), ["0 initial >5080 +1:3600"]);
    story.ok();
    assert_eq!(story.tell(Order::Renew), ["0 renew >5080 +1:3600"]);
    assert_eq!(story.last().request_uri(), Some("sip:192.0.2.7:5080"));
    // It sends us on for this once, and that place fails: the server itself is asked, the first target first.
    assert_eq!(story.answer(302, &[("Contact", "<sip:192.0.2.7:5090>")]), ["0 renew >5090 +1:3600"]);
    assert_eq!(story.answer(503, &[]), ["0 renew >5060 +1:3600"]);
    story.ok();
    assert_eq!(story.tell(Order::Renew), ["0 renew >5080 +1:3600"], "the place for good stays");
    assert_eq!(story.answer(503, &[]), ["0 renew >5060 +1:3600"]);
    assert_eq!(story.last().request_uri(), Some("sip:example.com"));
    story.ok();
    assert_eq!(story.tell(Order::Renew), ["0 renew >5060 +1:3600"], "it failed, so it is forgotten");
    // A temporary place is asked once; so is one for good that a temporary place named.
    story.answer(302, &[("Contact", "<sip:192.0.2.7:5080>")]);
    story.answer(301, &[("Contact", "<sip:192.0.2.7:5090>")]);
    story.ok();
    assert_eq!(story.tell(Order::Renew), ["0 renew >5060 +1:3600"]);
}

#[test]
fn a_silent_place_for_good_costs_four_seconds() {
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(301, &[("Contact", "<sip:192.0.2.7:5080>")]);
    story.ok();
    story.tell(Order::Renew);
    assert_eq!(story.run(4_000).last().map(String::as_str), Some("4000 renew >5060 +1:3600"));
}

#[test]
fn a_proxy_that_must_be_used_changes_the_way_and_not_the_registrar() {
    let mut story = Story::new();
    story.tell(register(1));
    assert_eq!(story.answer(305, &[("Contact", "<sip:192.0.2.7:5080>")]), ["0 initial >5080 +1:3600"]);
    assert_eq!(story.last().request_uri(), Some("sip:example.com"));
}

#[test]
fn a_retry_after_about_the_user_lengthens_his_wait_alone() {
    for (code, word) in [
        (404, "alive"),
        (413, "alive"),
        (480, "alive"),
        (486, "alive"),
        (500, "broken(500)"),
        (600, "alive"),
        (603, "alive"),
    ] {
        let mut story = Story::new();
        story.tell(register(1));
        let lines = story.answer(code, &[("Retry-After", "1000 (later);duration=3600")]);
        assert_eq!(lines[0], word, "{code}: nothing that would hold the server");
        assert!(story.run(999_999).is_empty(), "{code}");
        assert_eq!(story.run(1_000_000), ["1000000 initial >5060 +1:3600"], "{code}");
        // The next refusal says nothing of it.
        story.answer(code, &[]);
        assert!(!story.run(1_300_000).is_empty(), "{code}");
    }
    for (value, most) in [("86400", 1_800), ("0", 120), ("1e20", 120)] {
        let mut story = Story::new();
        story.tell(register(1));
        story.answer(603, &[("Retry-After", value)]);
        story.next();
        assert_eq!(story.now, at(most * 1000), "{value}");
    }
    // With any other code it means nothing.
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(403, &[("Retry-After", "1000")]);
    assert_eq!(story.run(120_000).len(), 1);
}

#[test]
fn a_brief_lifetime_that_is_refused_without_a_figure_becomes_an_hour() {
    for least in [None, Some("30"), Some("60"), Some("x"), Some("86401")] {
        let mut story = Setup { expires: 60, ..Setup::default() }.story();
        story.tell(register(1));
        let lines: Vec<(&str, &str)> = least.map(|least| ("Min-Expires", least)).into_iter().collect();
        let answer = story.answer(423, &lines);
        if least == Some("86401") {
            assert_eq!(answer, ["alive", "unbound rejected 423"]);
            continue;
        }
        assert_eq!(answer, ["0 initial >5060 +1:3600"], "{least:?}");
        assert_eq!(story.answer(423, &lines), ["alive", "unbound rejected 423"], "{least:?}");
    }
}

#[test]
fn a_2xx_without_our_contact_asks_the_next_target() {
    for lines in [vec![("Contact", "<sip:101@10.0.2.1:5060>;expires=60")], vec![]] {
        let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
        story.tell(register(1));
        assert_eq!(story.answer(200, &lines), ["0 initial >5070 +1:3600"]);
        assert_eq!(story.answer(200, &lines), ["alive", "unbound not stored"]);
        assert_eq!(story.binding.state(), State::Backoff);
    }
}
