use super::behave::Behaviour;
use super::profile::{Auth, Profile};
use super::*;

use machine::secret::Secret;
use machine::time::Wall;

use crate::digest::Algorithm;
use crate::digest::Request;
use crate::digest::client::{Answer, Credentials, Scope};
use crate::name::Name;
use crate::registrar::{Model, Policy};
use crate::target::Transport;

mod misbehaving;
mod strangers;

const A: &str = "<sip:101@10.0.1.1:5062>";

/// One answerer, a clock, and a phone that counts its requests.
mod subscribed;

struct World {
    uas: Uas,
    now: Moment,
    phone: Target,
    turn: u32,
}

fn world(profile: Profile) -> World {
    let phone = Target::new(Transport::Udp, "10.0.1.1:5062".parse().unwrap());
    let mut uas = Uas::new(profile, Chance::of(1, "uas"));
    let mut out = Vec::new();
    for number in [101, 102] {
        let (aor, username) = (format!("sip:{number}@example.com"), format!("u{number}"));
        let account = Subscriber { aor, username, password: Secret::new("hunter2") };
        uas.on(Moment::START, Input::Account(account), &mut out);
    }
    assert!(out.is_empty());
    World { uas, now: Moment::START, phone, turn: 0 }
}

fn plain() -> Profile {
    Profile { domains: vec!["example.com".into(), "10.0.0.9".into()], ..Profile::default() }
}

impl World {
    /// A new request of the phone, with its own branch and CSeq.
    fn request(&mut self, method: &str, uri: &str, lines: &str) -> String {
        self.turn += 1;
        let (turn, port) = (self.turn, self.phone.addr.port());
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {}:{port};branch=z9hG4bK{turn}\r\nMax-Forwards: 70\r\n\
             From: <sip:101@example.com>;tag=f\r\nTo: <sip:101@example.com>\r\nCall-ID: call-{}\r\n\
             CSeq: {turn} {method}\r\n{lines}Content-Length: 0\r\n\r\n",
            match self.phone.addr.ip() {
                std::net::IpAddr::V4(ip) => ip.to_string(),
                std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            },
            self.phone.addr
        )
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        self.uas.on(self.now, input, &mut out);
        out
    }

    fn hear(&mut self, text: &str) -> Vec<Effect> {
        let (from, bytes) = (self.phone, Bytes::copy_from_slice(text.as_bytes()));
        self.step(Input::Datagram { from, bytes })
    }

    /// The one answer to a new request.
    fn ask(&mut self, method: &str, lines: &str) -> Message {
        let text = self.request(method, "sip:example.com", lines);
        answer(&self.hear(&text))
    }

    fn register(&mut self, contact: &str, expires: u32) -> Message {
        self.ask("REGISTER", &format!("Contact: {contact};expires={expires}\r\n"))
    }

    fn wait(&mut self, millis: u64) -> Vec<Effect> {
        let end = self.now + Duration::from_millis(millis);
        let mut out = Vec::new();
        while let Some((at, _)) = self.uas.deadline().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.uas.wake(at, &mut out);
        }
        self.now = end;
        out
    }
}

fn sent(effects: &[Effect]) -> Vec<(Target, Message)> {
    let read = |effect: &Effect| match effect {
        Effect::Send { to, bytes } => Some((*to, Message::parse(bytes.clone()).unwrap())),
        _ => None,
    };
    effects.iter().filter_map(read).collect()
}

fn answer(effects: &[Effect]) -> Message {
    let mut sent = sent(effects);
    assert_eq!(sent.len(), 1, "{effects:?}");
    let message = sent.remove(0).1;
    assert_eq!(message.verdict(), Ok(()), "{message}");
    message
}

fn notes(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter_map(Uas::note_effect).map(|note| note.to_string()).collect()
}

#[test]
fn a_register_is_answered_with_all_contacts_and_told_to_the_trace() {
    let mut world = world(Profile { began: Some(Wall::from_millis(1_289_690_940_000)), ..plain() });
    let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A};q=0.7;expires=600\r\n"));
    let effects = world.hear(&text);
    let ok = answer(&effects);
    assert_eq!(ok.code(), Some(200));
    assert_eq!(ok.header(Name::Contact), Some("<sip:101@10.0.1.1:5062>;q=0.7;expires=600"));
    assert_eq!(ok.header(Name::Date), Some("Sat, 13 Nov 2010 23:29:00 GMT"));
    assert_eq!(ok.to().unwrap().tag().map(str::len), Some(16));
    assert_eq!(notes(&effects), ["bound aor=sip:101@example.com contact=sip:101@10.0.1.1:5062 expires=600"]);
    let expired = world.wait(600_000);
    assert_eq!(notes(&expired), ["expired aor=sip:101@example.com contact=sip:101@10.0.1.1:5062 expires=0"]);
    assert_eq!(world.ask("REGISTER", "").header(Name::Contact), None);
}

#[test]
fn a_copy_draws_the_same_bytes_and_changes_nothing() {
    let mut world = world(plain());
    let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A}\r\n"));
    let first = sent(&world.hear(&text));
    world.wait(31_000);
    let again = world.hear(&text);
    assert_eq!(sent(&again), first);
    assert!(notes(&again).is_empty());
    world.wait(2000);
    let late = answer(&world.hear(&text));
    assert_eq!(late.code(), Some(500), "the copy came after Timer J: same Call-ID, no higher CSeq");
}

#[test]
fn every_wrong_request_gets_its_status() {
    let mut world = world(plain());
    let contact = format!("Contact: {A}\r\n");
    type Case<'a> = (&'a str, &'a str, &'a str, u16, Option<(Name, &'a str)>);
    let cases: [Case<'_>; 14] = [
        ("REGISTER", "sip:example.org", &contact, 404, None),
        ("REGISTER", "mailto:a@example.com", &contact, 416, None),
        (
            "REGISTER",
            "sip:example.com",
            "Require: path, gruu, 100rel\r\n",
            420,
            Some((Name::Unsupported, "gruu, 100rel")),
        ),
        ("REGISTER", "sip:example.com", "Contact: *\r\n", 400, None),
        (
            "REGISTER",
            "sip:example.com",
            "Contact: <sip:a@h>;expires=59\r\n",
            423,
            Some((Name::MinExpires, "60")),
        ),
        ("REGISTER", "sip:example.com", "Contact: <sip:a@h\r\n", 400, None),
        ("REGISTER", "sip:example.com", "Content-Type: text/x\r\nl: 0\r\n", 400, None),
        ("INVITE", "sip:101@example.com", "", 405, Some((Name::Allow, ALLOW))),
        ("SUBSCRIBE", "sip:101@example.com", "Event: reg\r\n", 405, Some((Name::Allow, ALLOW))),
        ("FROBNICATE", "sip:101@example.com", "", 501, Some((Name::Allow, ALLOW))),
        ("CANCEL", "sip:101@example.com", "Require: gruu\r\n", 481, None),
        ("BYE", "sip:101@example.com", "", 481, None),
        ("OPTIONS", "sip:example.com", "", 200, Some((Name::Allow, ALLOW))),
        ("OPTIONS", "sip:example.com", "Require: path\r\n", 200, Some((Name::Accept, "application/sdp"))),
    ];
    for (method, uri, lines, code, line) in cases {
        let text = world.request(method, uri, lines);
        let seen = answer(&world.hear(&text));
        assert_eq!(seen.code(), Some(code), "{text}");
        if let Some((name, value)) = line {
            assert_eq!(seen.header(name), Some(value), "{text}");
        }
    }
    let text = world
        .request("REGISTER", "sip:example.com", "")
        .replace("URI SIP/2.0", "")
        .replace(".com SIP/2.0", ".com SIP/3.0");
    assert_eq!(answer(&world.hear(&text)).code(), Some(505));
    let text = world.request("REGISTER", "sip:example.com", "").replace("To: <sip:101@", "To: <sip:999@");
    assert_eq!(answer(&world.hear(&text)).code(), Some(404));
}

#[test]
fn what_cannot_be_answered_is_dropped_and_counted() {
    let mut world = world(plain());
    let ack = world.request("ACK", "sip:example.com", "");
    let without_via = world.request("OPTIONS", "sip:example.com", "").replace("Via:", "X-Via:");
    for (text, why) in [
        ("\r\n\r\n", Drop::KeepAlive),
        ("\0\0\0\0", Drop::KeepAlive),
        ("", Drop::KeepAlive),
        ("GET / HTTP/1.1\r\n\r\n", Drop::Malformed),
        (ack.as_str(), Drop::Ack),
        (without_via.as_str(), Drop::Malformed),
        ("SIP/2.0 200 OK\r\n\r\n", Drop::Unusable),
    ] {
        assert_eq!(world.hear(text), [Effect::Dropped(why)], "{text:?}");
    }
    assert_eq!(world.uas.dropped(), [("keep-alive", 3), ("malformed", 2), ("unusable", 1), ("ack", 1)]);
}

#[test]
fn a_response_is_handed_to_the_host() {
    let mut world = world(plain());
    let text = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
                To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
    let effects = world.hear(text);
    assert!(matches!(effects.as_slice(), [Effect::Response(message)] if message.call_id() == Ok("c")));
}

#[test]
fn answers_go_where_the_via_and_the_source_say() {
    let mut world = world(plain());
    world.phone = Target::new(Transport::Udp, "10.9.9.9:40000".parse().unwrap());
    let text =
        world.request("OPTIONS", "sip:example.com", "").replace("UDP 10.9.9.9:40000", "UDP phone.lan:5070");
    let (to, ok) = sent(&world.hear(&text)).remove(0);
    assert_eq!(to.to_string(), "udp:10.9.9.9:5070", "18.2.2: source address, port of the Via");
    assert_eq!(ok.via().unwrap().received(), Some(world.phone.addr.ip()));

    let text = world.request("OPTIONS", "sip:example.com", "").replace(";branch", ";rport;branch");
    let (to, ok) = sent(&world.hear(&text)).remove(0);
    assert_eq!(to, world.phone, "RFC 3581: the source port too");
    assert_eq!(ok.via().unwrap().rport(), Some(Some(40000)));

    world.phone = Target::new(Transport::Tcp, world.phone.addr);
    let text = world.request("OPTIONS", "sip:example.com", "").replace("UDP 10.9.9.9:40000", "TCP phone.lan");
    assert_eq!(sent(&world.hear(&text))[0].0, world.phone, "18.2.2: the same connection");
}

#[test]
fn all_of_it_works_over_ipv6() {
    let mut world = world(plain());
    world.phone = Target::new(Transport::Udp, "[2001:db8::1]:5062".parse().unwrap());
    let text = world.request("REGISTER", "sip:example.com", "Contact: <sip:101@[2001:db8::1]:5062>\r\n");
    let (to, ok) = sent(&world.hear(&text)).remove(0);
    assert_eq!((to, ok.code()), (world.phone, Some(200)));
    assert_eq!(ok.header(Name::Contact), Some("<sip:101@[2001:db8::1]:5062>;expires=3600"));
    let again = world.register("<sip:101@[2001:DB8:0::1]:5062>", 60);
    assert_eq!(again.headers(Name::Contact).count(), 1, "{again}");
}

#[test]
fn a_password_is_asked_for_and_checked() {
    let mut world = world(Profile { auth: Some(Auth::new("pbx")), ..plain() });
    let refused = world.register(A, 600);
    assert_eq!(refused.code(), Some(401));
    let challenges: Vec<&str> = refused.headers(Name::WwwAuthenticate).collect();
    assert_eq!(challenges.len(), 2);
    let request = Request { method: "REGISTER", uri: "sip:example.com", body: b"" };
    let try_as = |world: &mut World, user: &str, password: &str, challenges: &Message| {
        let mut credentials =
            Credentials::new(user, Secret::new(password), Chance::of(world.turn.into(), user));
        let values = challenges.headers(Name::WwwAuthenticate).map(|value| (Scope::Registrar, value));
        let Answer::Lines(lines) = credentials.answer(values, &request) else { panic!("no answer") };
        world.ask("REGISTER", &format!("Contact: {A}\r\nAuthorization: {}\r\n", lines[0].value))
    };
    assert_eq!(try_as(&mut world, "u101", "hunter2", &refused).code(), Some(200));
    let fresh = world.register(A, 600);
    let wrong = try_as(&mut world, "u101", "hunter3", &fresh);
    assert_eq!(wrong.code(), Some(401));
    assert!(!wrong.header(Name::WwwAuthenticate).unwrap().contains("stale"));
    assert_eq!(try_as(&mut world, "u102", "hunter2", &wrong).code(), Some(403), "somebody else's address");
    world.wait(300_000);
    let stale = try_as(&mut world, "u101", "hunter2", &fresh);
    assert!(stale.header(Name::WwwAuthenticate).unwrap().contains("stale=true"));
    assert_eq!(try_as(&mut world, "u101", "hunter2", &stale).code(), Some(200));
}

#[test]
fn outbound_is_confirmed_only_where_it_was_used() {
    let policy = Policy { model: Model::Outbound, ..Policy::default() };
    let mut world = world(Profile { policy, ..plain() });
    let flow = "Contact: <sip:101@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=3\r\n";
    let ok = world.ask("REGISTER", &format!("{flow}Supported: outbound, path\r\nPath: <sip:p;lr>\r\n"));
    assert_eq!((ok.header(Name::Require), ok.header(Name::Path)), (Some("outbound"), Some("<sip:p;lr>")));
    let contact = ok.header(Name::Contact).unwrap();
    assert_eq!(contact, "<sip:101@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=3;expires=3600");
    assert_eq!(world.ask("REGISTER", flow).header(Name::Require), None);
    let required = world.ask("REGISTER", &format!("{flow}Require: outbound\r\n"));
    assert_eq!((required.code(), required.header(Name::Require)), (Some(200), Some("outbound")));
}

fn asked(effects: &[Effect]) -> u64 {
    match effects {
        [Effect::Asked { ask, user, contact, expires, .. }] => {
            assert_eq!((user.as_str(), &**contact, expires.as_secs()), ("101", "sip:101@10.0.1.1:5062", 600));
            *ask
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_held_register_waits_for_its_verdict() {
    let mut world = world(Profile { hold: true, ..plain() });
    let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A};expires=600\r\n"));
    let ask = asked(&world.hear(&text));
    world.wait(500);
    assert_eq!(world.hear(&text), [Effect::Dropped(Drop::Copy)]);
    assert_eq!(world.uas.load(), (0, 1));
    let effects = world.step(Input::Verdict { ask, refused: None });
    assert_eq!(answer(&effects).code(), Some(200));
    assert!(matches!(effects.last(), Some(Effect::Table(_))));
    assert_eq!(answer(&world.hear(&text)).code(), Some(200), "a copy after the verdict");
    assert!(world.step(Input::Verdict { ask, refused: None }).is_empty());
    assert_eq!(world.ask("REGISTER", "").code(), Some(200), "a query is answered at once");
}

#[test]
fn a_refused_phone_is_told_when_to_come_back() {
    let mut world = world(Profile { hold: true, ..plain() });
    let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A};expires=600\r\n"));
    let ask = asked(&world.hear(&text));
    let refused = Some(Refused { code: 503, retry_after: Some(Duration::from_secs(60)) });
    let refused = answer(&world.step(Input::Verdict { ask, refused }));
    assert_eq!((refused.code(), refused.header(Name::RetryAfter)), (Some(503), Some("60")));
    assert_eq!(world.uas.load(), (0, 0));
}

#[test]
fn without_a_verdict_there_is_a_100_after_3_5_seconds_and_a_503_after_20() {
    let mut world = world(Profile { hold: true, ..plain() });
    let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A};expires=600\r\n"));
    asked(&world.hear(&text));
    assert!(world.wait(3499).is_empty());
    assert_eq!(answer(&world.wait(1)).code(), Some(100));
    world.wait(1000);
    assert_eq!(answer(&world.hear(&text)).code(), Some(100));
    let end = answer(&world.wait(15_500));
    assert_eq!((end.code(), end.header(Name::RetryAfter)), (Some(503), Some("10")));
    assert_eq!(world.uas.load(), (0, 0));
}

#[test]
fn no_more_than_so_many_wait() {
    let mut world = world(Profile { hold: true, open: true, ..plain() });
    for _ in 0..hold::HELD_MAX {
        let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A}\r\n"));
        assert!(matches!(world.hear(&text).as_slice(), [Effect::Asked { .. }]));
    }
    let refused = world.register(A, 600);
    assert_eq!((refused.code(), refused.header(Name::RetryAfter)), (Some(503), Some("10")));
}

#[test]
fn a_detaching_phone_asks_with_zero() {
    let mut world = world(Profile { hold: true, ..plain() });
    let text = world.request(
        "REGISTER",
        "sip:example.com",
        "Contact: <sip:101@h>;+sip.instance=\"<urn:uuid:1>\"\r\nExpires: 0\r\n",
    );
    let effects = world.hear(&text);
    let [Effect::Asked { instance, expires, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((instance.as_deref(), *expires), (Some("urn:uuid:1"), Duration::ZERO));
    let text = world.request("REGISTER", "sip:example.com", "Contact: *\r\nExpires: 0\r\n");
    let effects = world.hear(&text);
    assert!(matches!(effects.as_slice(), [Effect::Asked { contact, .. }] if &**contact == "*"));
}

#[test]
fn a_registrar_misbehaves_on_request_and_stops_doing_so() {
    let mut world = world(plain());
    let busy = Behaviour::Code(503, vec![("Retry-After".into(), "60".into())]);
    world.step(Input::Behave { method: Some("REGISTER".into()), answer: busy });
    let refused = world.register(A, 600);
    assert_eq!((refused.code(), refused.header(Name::RetryAfter)), (Some(503), Some("60")));
    assert_eq!(world.ask("OPTIONS", "").code(), Some(200));
    world.step(Input::Behave { method: None, answer: Behaviour::Silence });
    let text = world.request("OPTIONS", "sip:example.com", "");
    assert_eq!(world.hear(&text), [Effect::Dropped(Drop::Silenced)]);
    for method in [None, Some("REGISTER".to_owned())] {
        world.step(Input::Behave { method, answer: Behaviour::Normal });
    }
    assert_eq!(world.register(A, 600).code(), Some(200));
    assert_eq!(answer(&world.hear(&text)).code(), Some(200), "a silenced request left no transaction behind");
}

#[test]
fn a_subscriber_who_is_gone_takes_the_contacts_along() {
    let mut world = world(plain());
    world.register(A, 600);
    let gone = world.step(Input::Evict("sip:101@10.0.0.9".into()));
    assert_eq!(notes(&gone), ["removed aor=sip:101@example.com contact=sip:101@10.0.1.1:5062 expires=600"]);
    assert_eq!(world.register(A, 600).code(), Some(200));
    assert_eq!(world.step(Input::Forget("sip:101@example.com".into())).len(), 1);
    assert_eq!(world.register(A, 600).code(), Some(404));
}

#[test]
fn finished_transactions_do_not_stay() {
    let mut world = world(plain());
    world.ask("OPTIONS", "");
    assert_eq!(world.uas.deadline(), Some((Moment::from_millis(92_000), "forget")));
    assert!(world.wait(92_000).is_empty());
    assert_eq!(world.uas.deadline(), None);
}

#[test]
fn a_verdict_leaves_no_deadline_behind() {
    let mut world = world(Profile { hold: true, ..plain() });
    for patience in [0, 5000] {
        let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A};expires=600\r\n"));
        let ask = asked(&world.hear(&text));
        assert_eq!(world.uas.holds.deadline(), Some(world.now + Duration::from_millis(3500)));
        world.wait(patience);
        world.step(Input::Verdict { ask, refused: Some(403.into()) });
        assert_eq!(world.uas.holds.deadline(), None, "after {patience} ms");
    }
}

#[test]
fn copies_are_known_by_branch_and_sender_or_for_old_phones_by_everything_else() {
    let mut world = world(plain());
    let text = world.request("REGISTER", "sip:example.com", &format!("Contact: {A}\r\n"));
    assert_eq!(answer(&world.hear(&text)).code(), Some(200));
    let other = text.replace("UDP 10.0.1.1", "UDP 10.0.1.2");
    assert_eq!(
        answer(&world.hear(&other)).code(),
        Some(500),
        "not a copy: another sender, the CSeq does not grow"
    );

    let old =
        world.request("REGISTER", "sip:example.com", &format!("Contact: {A}\r\n")).replace("z9hG4bK", "");
    let first = world.hear(&old);
    assert_eq!(answer(&first).code(), Some(200));
    assert_eq!(sent(&world.hear(&old)), sent(&first));
    let next = old.replace("CSeq: 2", "CSeq: 3");
    assert!(!notes(&world.hear(&next)).is_empty(), "another CSeq is another request");
}
