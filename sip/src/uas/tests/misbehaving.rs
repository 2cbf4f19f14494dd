//! What a registrar answers that misbehaves on request.

use crate::uas::behave::words;

use super::*;

fn misbehaving(profile: Profile, text: &str) -> World {
    let mut world = world(profile);
    let quirks = words::read(&words::split(text)).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    assert!(world.step(Input::Misbehave(quirks)).is_empty());
    world
}

fn codes(effects: &[Effect]) -> Vec<u16> {
    sent(effects).iter().filter_map(|(_, message)| message.code()).collect()
}

impl World {
    /// What a new REGISTER draws at once.
    fn try_register(&mut self) -> Vec<Effect> {
        let text = self.request("REGISTER", "sip:example.com", &format!("Contact: {A};expires=600\r\n"));
        self.hear(&text)
    }

    /// Asks with the password, answering this challenge.
    fn prove(&mut self, refused: &Message) -> Message {
        let request = Request { method: "REGISTER", uri: "sip:example.com", body: b"" };
        let mut credentials =
            Credentials::new("u101", Secret::new("hunter2"), Chance::of(self.turn.into(), "x"));
        let registrar = refused.headers(Name::WwwAuthenticate).map(|value| (Scope::Registrar, value));
        let proxy = refused.headers(Name::ProxyAuthenticate).map(|value| (Scope::Proxy, value));
        let Answer::Lines(lines) = credentials.answer(registrar.chain(proxy), &request) else {
            panic!("no answer to {refused}")
        };
        let line = &lines[0];
        let name = if refused.code() == Some(407) { "Proxy-Authorization" } else { "Authorization" };
        self.ask("REGISTER", &format!("Contact: {A};expires=600\r\n{name}: {}\r\n", line.value))
    }
}

fn guarded() -> Profile {
    Profile { auth: Some(Auth { algorithms: vec![Algorithm::MD5], ..Auth::new("pbx") }), ..plain() }
}

#[test]
fn answers_are_late_doubled_and_overtaken() {
    let mut world = misbehaving(plain(), "late 2s, duplicate");
    let effects = world.try_register();
    assert_eq!(codes(&effects), [0_u16; 0]);
    assert_eq!(notes(&effects).len(), 1, "it is stored at once");
    assert_eq!(world.uas.deadline().map(|(at, why)| (at.as_millis(), why)), Some((2000, "post")));
    assert_eq!(codes(&world.wait(1999)), [0_u16; 0]);
    assert_eq!(codes(&world.wait(1)), [200]);
    assert_eq!(codes(&world.wait(50)), [200]);
    world.step(Input::Improve(Some(vec!["late", "duplicate"])));
    world.step(Input::Misbehave(vec![Quirk::Reorder]));
    let mut left: Vec<u32> = Vec::new();
    for _ in 0..20 {
        world.try_register();
    }
    for (_, message) in sent(&world.wait(200)) {
        left.push(message.cseq().unwrap().number);
    }
    assert_eq!(left.len(), 20);
    assert!(!left.is_sorted(), "{left:?}");
}

#[test]
fn an_answer_belongs_to_nobody() {
    let mut world = misbehaving(plain(), "wrong-branch");
    let answer = world.register(A, 600);
    assert_eq!(answer.via().unwrap().branch(), Some("z9hG4bKother1"));
    world.step(Input::Improve(None));
    world.step(Input::Misbehave(vec![Quirk::WrongCseq]));
    assert_eq!(world.register(A, 600).cseq().unwrap().number, 92);
}

#[test]
fn no_answer_to_a_challenge_satisfies() {
    for (text, stale) in [("nonce endless", false), ("stale always", true)] {
        let mut world = misbehaving(guarded(), text);
        let mut refused = world.register(A, 600);
        let mut nonces = std::collections::BTreeSet::new();
        for _ in 0..3 {
            let challenge = refused.header(Name::WwwAuthenticate).unwrap().to_owned();
            assert_eq!((refused.code(), challenge.contains("stale=true")), (Some(401), stale), "{text}");
            assert!(nonces.insert(challenge), "a fresh nonce each time");
            refused = world.prove(&refused);
        }
        world.step(Input::Improve(None));
        assert_eq!(world.prove(&refused).code(), Some(200));
    }
}

#[test]
fn a_nonce_expires_without_a_word() {
    let mut world = misbehaving(guarded(), "nonce short 10s");
    let refused = world.register(A, 600);
    assert_eq!(world.prove(&refused).code(), Some(200));
    world.wait(10_000);
    let again = world.prove(&refused);
    assert_eq!(again.code(), Some(401));
    assert!(!again.header(Name::WwwAuthenticate).unwrap().contains("stale"));
    assert_eq!(world.prove(&again).code(), Some(200));
}

#[test]
fn a_proxy_asks_with_407() {
    let mut world = misbehaving(guarded(), "nonce proxy");
    let refused = world.register(A, 600);
    assert_eq!(refused.code(), Some(407));
    assert_eq!(world.prove(&refused).code(), Some(200));
}

#[test]
fn lifetimes_shrink_until_a_423() {
    let mut world = misbehaving(plain(), "expires shrink by 100s");
    let granted: Vec<Option<u32>> = (0..6)
        .map(|_| world.register(A, 600).contacts().unwrap().list().first().and_then(|own| own.expires()))
        .collect();
    assert_eq!(granted, [Some(600), Some(500), Some(400), Some(300), Some(200), Some(100)]);
    let brief = world.register(A, 600);
    assert_eq!((brief.code(), brief.header(Name::MinExpires)), (Some(423), Some("3600")));
    assert_eq!(world.register(A, 600).code(), Some(200), "and all over again");
}

#[test]
fn lifetimes_are_absurd() {
    for (text, said, kept) in [
        ("grant 30", Some("30"), Some(30)),
        ("grant 1", Some("1"), Some(1)),
        ("grant -1", Some("-1"), Some(600)),
        ("grant 4293498731", Some("4293498731"), Some(600)),
        ("grant garbage", Some("soon"), Some(600)),
        ("grant none", None, Some(600)),
        ("grant 0", Some("0"), None),
    ] {
        let mut world = misbehaving(plain(), text);
        let ok = world.register(A, 600);
        let value = ok.header(Name::Contact).unwrap_or_else(|| panic!("{text}: {ok}")).to_owned();
        assert_eq!(value.split_once(";expires=").map(|(_, said)| said), said, "{text}");
        let kept_now =
            world.uas.bindings("sip:101@example.com").first().map(|own| own.remaining(world.now).as_secs());
        assert_eq!(kept_now, kept, "{text}");
    }
}

#[test]
fn the_own_contact_is_missing_among_those_of_others() {
    let mut world = misbehaving(plain(), "drops-own, foreign-contacts");
    let ok = world.register(A, 600);
    assert_eq!(ok.code(), Some(200));
    assert_eq!(ok.headers(Name::Contact).count(), 3);
    assert!(!ok.headers(Name::Contact).any(|value| value.contains("sip:101@")));
    assert_eq!(world.uas.load().0, 0);
}

#[test]
fn an_interval_is_never_long_enough() {
    for (text, least) in [
        ("min-expires 2h", Some("7200")),
        ("min-expires none", None),
        ("min-expires lower", Some("300")),
        ("min-expires 2h early", Some("7200")),
    ] {
        let mut world = misbehaving(plain(), text);
        let brief = world.register(A, 600);
        assert_eq!((brief.code(), brief.header(Name::MinExpires)), (Some(423), least), "{text}");
        assert_eq!(world.register(A, 0).code(), Some(200), "a removal is never too brief");
    }
    let mut late = misbehaving(guarded(), "min-expires 2h");
    let refused = late.register(A, 600);
    assert_eq!(refused.code(), Some(401));
    assert_eq!(late.prove(&refused).code(), Some(423), "after the password");
    let mut early = misbehaving(guarded(), "min-expires 2h early");
    assert_eq!(early.register(A, 600).code(), Some(423), "before it");
}

#[test]
fn a_storm_says_what_it_was_told_to_say() {
    let text = "120 (maintenance);duration=3600";
    let mut world = misbehaving(plain(), &format!("retry-after \"{text}\""));
    let refused = world.register(A, 600);
    assert_eq!((refused.code(), refused.header(Name::RetryAfter)), (Some(503), Some(text)));
    assert_eq!(world.ask("OPTIONS", "").code(), Some(503));
    world.step(Input::Improve(Some(vec!["storm"])));
    assert_eq!(world.ask("OPTIONS", "").code(), Some(200));
}

#[test]
fn above_its_rate_it_dies() {
    let mut world = misbehaving(plain(), "overload 2/s");
    let seen: Vec<Option<u16>> = (0..4).map(|_| world.register(A, 600).code()).collect();
    assert_eq!(seen, [Some(200), Some(200), Some(503), Some(503)]);
    world.wait(1000);
    assert_eq!(world.register(A, 600).code(), Some(200));
    let mut silent = misbehaving(plain(), "overload 1/s silent");
    assert_eq!(codes(&silent.try_register()), [200]);
    assert_eq!(silent.try_register(), [Effect::Dropped(Drop::Silenced)]);
}

#[test]
fn a_share_of_requests_is_not_heard() {
    let mut world = misbehaving(plain(), "silence share 30%");
    let heard = (0..200).filter(|_| !codes(&world.try_register()).is_empty()).count();
    assert!((110..170).contains(&heard), "{heard} of 200");
}

#[test]
fn a_crash_forgets_everything_but_the_subscribers() {
    let mut world = misbehaving(guarded(), "late 1s");
    world.try_register();
    world.step(Input::Improve(None));
    let refused = world.register(A, 600);
    assert_eq!(world.prove(&refused).code(), Some(200));
    let effects = world.step(Input::Misbehave(vec![Quirk::Crash]));
    assert_eq!(notes(&effects), ["lost aor=sip:101@example.com contact=sip:101@10.0.1.1:5062 expires=600"]);
    assert_eq!(codes(&world.wait(5000)), [0_u16; 0], "what waited in the post is lost");
    let stale = world.prove(&refused);
    assert!(stale.header(Name::WwwAuthenticate).unwrap().contains("stale=true"), "its nonces too");
    assert_eq!(world.prove(&stale).code(), Some(200));
}

#[test]
fn one_user_is_forgotten_and_a_query_is_answered_without_a_contact() {
    let mut world = world(plain());
    world.register(A, 600);
    let effects = world.step(Input::Misbehave(vec![Quirk::Forgets("102".into())]));
    assert!(notes(&effects).is_empty());
    let listed = |world: &mut World| world.ask("REGISTER", "").header(Name::Contact).is_some();
    assert!(listed(&mut world));
    world.step(Input::Misbehave(vec![Quirk::ListsNothing]));
    assert!(!listed(&mut world), "to a query");
    assert!(world.register(A, 600).header(Name::Contact).is_some(), "to a REGISTER with a contact");
    world.step(Input::Improve(None));
    let effects = world.step(Input::Misbehave(vec![Quirk::Forgets("101".into())]));
    assert_eq!(notes(&effects), ["lost aor=sip:101@example.com contact=sip:101@10.0.1.1:5062 expires=600"]);
    assert!(!listed(&mut world));
}

#[test]
fn a_redirection_names_its_places_in_order() {
    let mut world = misbehaving(plain(), "redirect 302 sip:10.0.0.1:5060 sip:10.0.0.2:5060");
    let moved = world.register(A, 600);
    assert_eq!(moved.code(), Some(302));
    let places: Vec<&str> = moved.headers(Name::Contact).collect();
    assert_eq!(places, ["<sip:10.0.0.1:5060>;q=1.0", "<sip:10.0.0.2:5060>;q=0.9"]);
    assert_eq!(world.ask("OPTIONS", "").code(), Some(200));
}

#[test]
fn the_port_of_the_client_moves_and_its_answers_still_arrive() {
    let mut world = misbehaving(plain(), "rport-moves");
    let mut ports = Vec::new();
    for _ in 0..2 {
        let text = world.request("REGISTER", "sip:example.com", "").replace(";branch", ";rport;branch");
        let (to, ok) = sent(&world.hear(&text)).remove(0);
        assert_eq!(to, world.phone);
        ports.push(ok.via().unwrap().rport());
    }
    assert_eq!(ports, [Some(Some(5063)), Some(Some(5064))]);
}

#[test]
fn options_and_register_are_told_apart() {
    let mut world = misbehaving(plain(), "options-only");
    assert_eq!((world.ask("OPTIONS", "").code(), world.register(A, 600).code()), (Some(200), Some(500)));
    let mut world = misbehaving(plain(), "options-filtered");
    assert_eq!(world.register(A, 600).code(), Some(200));
    let text = world.request("OPTIONS", "sip:example.com", "");
    assert_eq!(world.hear(&text), [Effect::Dropped(Drop::Silenced)]);
}

#[test]
fn whoever_knows_the_common_password_gets_in_under_the_own_name_only() {
    let everybody = Some(Secret::new("hunter2"));
    let mut world = world(Profile { everybody, auth: guarded().auth, ..plain() });
    let request = Request { method: "REGISTER", uri: "sip:example.com", body: b"" };
    for (user, code) in [("999", 200), ("998", 403)] {
        let refused = world.register(A, 600);
        let mut credentials = Credentials::new(user, Secret::new("hunter2"), Chance::of(1, user));
        let values = refused.headers(Name::WwwAuthenticate).map(|value| (Scope::Registrar, value));
        let Answer::Lines(lines) = credentials.answer(values, &request) else { panic!("no answer") };
        let text = format!("Contact: {A}\r\nAuthorization: {}\r\n", lines[0].value);
        let text =
            world.request("REGISTER", "sip:example.com", &text).replace("To: <sip:101@", "To: <sip:999@");
        let answer = answer(&world.hear(&text));
        assert_eq!(answer.code(), Some(code), "{user}");
    }
}
