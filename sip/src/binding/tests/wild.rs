//! What other clients were bitten by (facts, section 4): digest traps, strange lifetimes, and what a 2xx may carry.

use super::*;
use crate::digest::challenge::Parameters;
use crate::name::Name;

fn digest(message: &Message) -> Option<Parameters<'_>> {
    Parameters::of_digest(message.header(Name::Authorization)?)
}

#[test]
fn a_registrar_that_invents_a_realm_each_time_gets_six_answers() {
    let mut story = Story::new();
    story.tell(register(1));
    for round in 0..20 {
        let value = format!("Digest realm=\"realm{round}\", nonce=\"n{round}\", qop=\"auth\"");
        story.answer(401, &[("WWW-Authenticate", &value)]);
    }
    assert_eq!(story.sent.len(), 7);
    assert_eq!(story.binding.state(), State::Rejected);
}

#[test]
fn stale_each_time_never_becomes_a_loop_and_never_ends_for_good() {
    let mut story = Story::new();
    story.tell(register(1));
    for hour in 1..=24 {
        while story.now < at(hour * 3_600_000) {
            match story.binding.flight {
                Some(_) => _ = story.challenged(&format!("n{}", story.sent.len()), ", stale=true"),
                None => _ = story.next(),
            }
        }
    }
    // Four requests a round, and a round each half hour once the waits have grown.
    assert!((4 * 44..4 * 60).contains(&story.sent.len()), "{}", story.sent.len());
}

#[test]
fn refused_for_months_a_user_is_tried_each_half_hour_and_never_twice_a_minute() {
    let mut story = Story::new();
    story.tell(register(1));
    let mut last: Option<Moment> = None;
    for _ in 0..5_000 {
        assert!(last.is_none_or(|last| story.now.since(last) >= seconds(30)));
        assert!(last.is_none_or(|last| story.now.since(last) <= seconds(1_800)));
        last = Some(story.now);
        story.answer(403, &[]);
        story.next();
    }
    assert!(story.now > at(90 * 86_400_000));
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
}

#[test]
fn a_challenge_is_answered_where_it_came_from() {
    let mut story = Setup { ports: vec![5060, 5070], ..Setup::default() }.story();
    story.tell(register(1));
    story.run(4_000);
    assert_eq!(story.challenged("b", ""), ["4000 initial >5070 +1:3600"]);
    assert_eq!(digest(story.last()).unwrap().get("nonce"), Some("b"));
    // The first target comes to its senses, too late: nobody sends it a digest for its nonce.
    let [(name, value)] = challenge("a", "");
    let late = story.reply(0, 401, &[(name, &value)]);
    assert_eq!(story.give(Input::Answer(late)), ["alive"]);
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
}

#[test]
fn a_stranger_gets_no_digest_that_he_has_not_asked_for() {
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("a", "");
    story.ok();
    story.tell(Order::Renew);
    assert!(digest(story.last()).is_some());
    story.answer(302, &[("Contact", "<sip:192.0.2.7:5080>")]);
    assert!(digest(story.last()).is_none());
    // An answer with a branch that is not ours is no challenge at all.
    let forged = String::from_utf8(story.reply(story.sent.len() - 1, 401, &[]).bytes().to_vec()).unwrap();
    let branch = story.last().via().unwrap().branch().unwrap().to_owned();
    let forged = Message::parse(forged.replace(&branch, "z9hG4bKguess").into_bytes().into()).unwrap();
    assert!(story.give(Input::Answer(forged)).is_empty());
}

#[test]
fn a_realm_that_is_not_the_agreed_one_gets_no_digest() {
    let mut story = Story::new();
    let mut account = (*story.binding.account).clone();
    account.options.realm = Some("home".into());
    let (server, local) = (story.binding.server.clone(), story.binding.local.clone());
    let timing = story.binding.timing.clone();
    story.binding = Binding::new(Arc::new(account), server, local, timing, Chance::of(1, "pinned"));
    story.tell(register(1));
    assert_eq!(story.challenged("a", ""), ["alive", "unbound rejected 401"], "its realm is \"pbx\"");
}

#[test]
fn a_nonce_for_the_next_time_is_used_the_next_time() {
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("a", "");
    let own = format!("<{}>;expires=60", contact(1));
    story.answer(200, &[("Contact", &own), ("Authentication-Info", "nextnonce=\"b\"")]);
    story.tell(Order::Renew);
    let sent = digest(story.last()).unwrap();
    assert_eq!((sent.get("nonce"), sent.get("nc")), (Some("b"), Some("00000001")));
}

#[test]
fn a_registrar_that_wants_the_body_protected_gets_the_hash_of_nothing() {
    let mut story = Story::new();
    story.tell(register(1));
    let value = "Digest realm=\"pbx\", nonce=\"a\", qop=\"auth-int\", algorithm=MD5";
    story.answer(401, &[("WWW-Authenticate", value)]);
    let sent = digest(story.last()).unwrap();
    let hash = crate::digest::Hash::Md5;
    let key = hash.hex(&[b"101", b"pbx", b"hunter2"]);
    let what = hash.hex(&[b"REGISTER", b"sip:example.com", b"d41d8cd98f00b204e9800998ecf8427e"]);
    let cnonce = sent.get("cnonce").unwrap();
    let parts = [key.as_str(), "a", "00000001", cnonce, "auth-int", &what].map(str::as_bytes);
    assert_eq!(sent.get("response"), Some(hash.hex(&parts).as_str()));
    assert_eq!(sent.get("qop"), Some("auth-int"));
}

#[test]
fn a_lifetime_that_shrinks_each_time_is_asked_for_in_full_each_time() {
    let mut story = Story::new();
    story.tell(register(1));
    for granted in (3_500..3_600).rev() {
        let own = format!("<{}>;expires={granted}", contact(1));
        assert_eq!(story.answer(200, &[("Contact", &own)]), ["alive", &format!("bound {granted}")]);
        let sent = story.next();
        assert!(sent[0].ends_with("refresh >5060 +1:3600"), "{sent:?}");
    }
}

#[test]
fn an_address_that_looks_different_each_time_changes_no_contact() {
    let mut story = Story::new();
    story.tell(register(1));
    let seen = |story: &Story, code: u16, port: u16, line: (&str, &str)| {
        let text =
            String::from_utf8(story.reply(story.sent.len() - 1, code, &[line]).bytes().to_vec()).unwrap();
        let text = text.replacen(";rport", &format!(";received=203.0.113.9;rport={port}"), 1);
        Input::Answer(Message::parse(text.into_bytes().into()).unwrap())
    };
    let [(name, value)] = challenge("a", "");
    let first = seen(&story, 401, 40_001, (name, &value));
    assert_eq!(story.give(first), ["0 initial >5060 +1:3600"]);
    let own = format!("<{}>;expires=3600", contact(1));
    let second = seen(&story, 200, 40_002, ("Contact", &own));
    assert_eq!(story.give(second), ["alive", "bound 3600"]);
    assert!(story.run(3_000_000).is_empty(), "one REGISTER was enough");
}

#[test]
fn what_a_registrar_grants_beside_the_lifetime_is_kept_until_the_next_answer() {
    let mut story = Setup { reg_id: Some(4), ..Setup::default() }.story();
    story.tell(register(1));
    let flow = "+sip.instance=\"<urn:uuid:00000000-0000-5000-8000-000000000101>\";reg-id=4";
    let gruu = "pub-gruu=\"sip:101@example.com;gr=x\";temp-gruu=\"sip:t1@example.com;gr\"";
    let own = format!("<{}>;{flow};{gruu};expires=3600", contact(1));
    let lines = [
        ("Contact", own.as_str()),
        ("Service-Route", "<sip:p1.example.com;lr>, <sip:p2.example.com;lr>"),
        ("Service-Route", "<sip:p3.example.com;lr>"),
        ("Path", "<sip:edge.example.com;lr;ob>"),
        ("Flow-Timer", "120"),
        ("Require", "outbound"),
    ];
    let routes = "<sip:p1.example.com;lr>,<sip:p2.example.com;lr>,<sip:p3.example.com;lr>";
    assert_eq!(story.answer(200, &lines), ["alive", &format!("granted {routes}"), "bound 3600"]);
    let grant = story.binding.grant().unwrap();
    assert_eq!(grant.path, ["<sip:edge.example.com;lr;ob>"]);
    assert_eq!(grant.public.as_deref(), Some("sip:101@example.com;gr=x"));
    assert_eq!(grant.temporary.as_deref(), Some("sip:t1@example.com;gr"));
    assert_eq!((grant.flow_timer, grant.outbound), (Some(seconds(120)), true));
    // A temporary address is kept alive by half of its life (RFC 5627).
    assert_eq!(story.run(1_800_000), ["1800000 refresh >5060 +1:3600"]);
    assert_eq!(story.answer(200, &lines), ["alive", "bound 3600"], "nothing new");
    story.next();
    assert_eq!(story.answer(200, &lines[..1]).get(1).map(String::as_str), Some("granted "));
    story.next();
    assert_eq!(story.ok(), ["alive", "granted nothing", "bound 3600"]);
}

#[test]
fn what_was_granted_ends_with_the_registration() {
    let own = format!("<{}>;expires=60", contact(1));
    let lines = [("Contact", own.as_str()), ("Service-Route", "<sip:p.example.com;lr>")];
    let granted = || {
        let mut story = Story::new();
        story.tell(register(1));
        assert_eq!(story.answer(200, &lines).len(), 3);
        story
    };
    let mut story = granted();
    story.next();
    assert_eq!(story.answer(403, &[]), ["alive", "unbound rejected 403", "granted nothing"]);
    let mut story = granted();
    story.tell(Order::Remove);
    assert!(story.ok().contains(&"granted nothing".to_owned()));
    let mut story = granted();
    let lines = story.run(60_000);
    assert!(lines.contains(&"granted nothing".to_owned()), "{lines:?}");
}

#[test]
fn public_addresses_are_asked_for_only_where_they_are_wanted() {
    let mut story = Setup { reg_id: Some(4), ..Setup::default() }.story();
    let mut account = (*story.binding.account).clone();
    account.options.gruu = true;
    story.give(Input::Account(Arc::new(account)));
    story.tell(register(1));
    assert_eq!(story.last().header(Name::Supported), Some("path, outbound, gruu"));
    // Without outbound the instance stays: the address belongs to it (RFC 5627 4.1).
    story.answer(439, &[]);
    assert_eq!(story.last().header(Name::Supported), Some("path, gruu"));
    let contacts = story.last().contacts().unwrap();
    assert!(contacts.list()[0].instance().is_some() && contacts.list()[0].reg_id().is_none());
}
