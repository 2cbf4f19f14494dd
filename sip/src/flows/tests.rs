use super::strangers::ACCEPTED_PER_ADDRESS_MAX;
use super::*;
use crate::server::Way;
use crate::timing::Timing;

const REGISTER: &str = "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.1.1;branch=z9hG4bKa;keep\r\n\
    CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";

/// Flows in virtual time; effects are told in a line each.
struct Story {
    flows: Flows,
    now: Moment,
}

fn target(transport: Transport, addr: &str) -> Target {
    Target::new(transport, addr.parse().expect("an address"))
}

fn pbx() -> Target {
    target(Transport::Tcp, "192.0.2.1:5060")
}

fn phone(port: u16) -> Target {
    target(Transport::Tcp, &format!("10.9.9.9:{port}"))
}

fn tell(effect: &Effect) -> String {
    let text = |bytes: &Bytes| match bytes.as_ref() {
        PING => "ping".to_owned(),
        PONG => "pong".to_owned(),
        other if stun::is_stun(other) => "stun".to_owned(),
        other => String::from_utf8_lossy(other).split(' ').next().unwrap_or_default().to_owned(),
    };
    match effect {
        Effect::Dial { flow, to, names } => format!("dial {flow} {to} {names:?}"),
        Effect::Write(id, bytes) => format!("write {id} {}", text(bytes)),
        Effect::Close(id) => format!("close {id}"),
        Effect::Arrived { from, bytes } => format!("arrived {from} {}", text(bytes)),
        Effect::Unsent { to, bytes } => format!("unsent {to} {}", text(bytes)),
        Effect::Stands(to) => format!("stands {to}"),
        Effect::Lost { to, why } => format!("lost {to}: {why}"),
        Effect::Distrusted { to, why } => format!("distrusted {to}: {why}"),
        Effect::Datagram { to, bytes } => format!("datagram {to} {}", text(bytes)),
    }
}

impl Story {
    fn new() -> Story {
        Story { flows: Flows::new(Chance::of(1, "flows")), now: Moment::START }
    }

    fn give(&mut self, input: Input) -> Vec<String> {
        let mut out = Vec::new();
        self.flows.on(self.now, input, &mut out);
        out.iter().map(tell).collect()
    }

    fn send(&mut self, to: Target) -> Vec<String> {
        self.give(Input::Send { to, bytes: Bytes::from_static(REGISTER.as_bytes()) })
    }

    fn hear(&mut self, id: Id, text: &str) -> Vec<String> {
        self.give(Input::Bytes(id, Bytes::copy_from_slice(text.as_bytes())))
    }

    fn close(&mut self, id: Id, why: &str) -> Vec<String> {
        self.give(Input::Closed { flow: id, why: why.into(), distrusted: false })
    }

    /// Lives on for so long; what happens is told with its second.
    fn run(&mut self, span: Duration) -> Vec<String> {
        let end = self.now + span;
        let mut story = Vec::new();
        while let Some((at, _)) = self.flows.deadline().filter(|(at, _)| *at <= end) {
            self.now = at.max(self.now);
            let mut out = Vec::new();
            self.flows.wake(self.now, &mut out);
            story
                .extend(out.iter().map(|effect| format!("{} {}", self.now.as_millis() / 1000, tell(effect))));
        }
        self.now = end;
        story
    }

    fn open(&mut self) {
        assert_eq!(self.send(pbx()), ["dial 2 tcp:192.0.2.1:5060 []"]);
        assert_eq!(self.give(Input::Opened(2)), ["stands tcp:192.0.2.1:5060", "write 2 REGISTER"]);
    }
}

fn answer(lines: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 10.0.1.1;branch=z9hG4bKa{lines}CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn all_users_share_one_connection_and_those_who_come_early_wait_for_it() {
    let mut story = Story::new();
    assert_eq!(story.send(pbx()), ["dial 2 tcp:192.0.2.1:5060 []"]);
    assert_eq!(story.send(pbx()), Vec::<String>::new());
    assert_eq!(
        story.give(Input::Opened(2)),
        ["stands tcp:192.0.2.1:5060", "write 2 REGISTER", "write 2 REGISTER"]
    );
    assert_eq!(story.send(pbx()), ["write 2 REGISTER"]);
    let both = format!("{0}{0}", answer("\r\n"));
    let (first, second) = both.split_at(both.len() - 30);
    assert_eq!(story.hear(2, first), ["arrived tcp:192.0.2.1:5060 SIP/2.0"]);
    assert_eq!(story.hear(2, second), ["arrived tcp:192.0.2.1:5060 SIP/2.0"]);
}

#[test]
fn what_was_meant_for_a_refused_connection_is_given_back_and_nobody_knocks_for_a_second() {
    let mut story = Story::new();
    story.send(pbx());
    story.send(pbx());
    let unsent = "unsent tcp:192.0.2.1:5060 REGISTER";
    assert_eq!(story.close(2, "connection refused"), [unsent, unsent]);
    assert_eq!(story.send(pbx()), [unsent]);
    story.run(Duration::from_secs(1));
    assert_eq!(story.send(pbx()), ["dial 4 tcp:192.0.2.1:5060 []"]);
    assert_eq!(
        story.run(Duration::from_secs(20)),
        ["11 close 4", "11 unsent tcp:192.0.2.1:5060 REGISTER"],
        "a connection that does not open is given up"
    );
}

#[test]
fn a_connection_that_dies_is_told_once_and_opened_again_by_the_next_request() {
    let mut story = Story::new();
    story.open();
    story.run(Duration::from_secs(60));
    assert_eq!(story.close(2, "connection reset"), ["lost tcp:192.0.2.1:5060: connection reset"]);
    assert_eq!(story.send(pbx()), ["dial 4 tcp:192.0.2.1:5060 []"]);
    assert_eq!(story.flows.load(), (1, 0));
}

#[test]
fn who_accepts_and_hangs_up_at_once_is_not_called_in_a_loop() {
    let mut story = Story::new();
    story.open();
    story.close(2, "closed by the other side");
    assert_eq!(story.send(pbx()), ["unsent tcp:192.0.2.1:5060 REGISTER"]);
    story.run(Duration::from_secs(1));
    assert_eq!(story.send(pbx()), ["dial 4 tcp:192.0.2.1:5060 []"]);
}

#[test]
fn a_missing_pong_ends_the_flow_and_the_next_one_to_a_deaf_server_is_not_asked() {
    let mut story = Story::new();
    story.open();
    let told = story.run(Duration::from_secs(140));
    let [asked, closed, lost] = told.as_slice() else { panic!("{told:?}") };
    assert!(asked.ends_with("write 2 ping"), "{asked}");
    assert!(closed.ends_with("close 2"), "{closed}");
    assert!(lost.ends_with("lost tcp:192.0.2.1:5060: no pong within 10 s"), "{lost}");
    story.send(pbx());
    story.give(Input::Opened(4));
    assert_eq!(story.run(Duration::from_secs(3600)), Vec::<String>::new());
}

#[test]
fn a_flow_timer_makes_the_pings_as_frequent_as_the_registrar_wants_them() {
    for lines in ["\r\nFlow-Timer: 30\r\n", ";keep=30\r\n"] {
        let mut story = Story::new();
        story.open();
        story.hear(2, &answer(lines));
        for round in 0..5 {
            let (at, _) = story.flows.deadline().expect("a ping");
            let pause = at.since(story.now);
            assert!((24..=30).contains(&pause.as_secs()), "{lines:?} {round}: {pause:?}");
            assert_eq!(story.run(pause).len(), 1);
            story.hear(2, "\r\n");
        }
        story.run(Duration::from_secs(41));
        assert!(story.flows.by_target.is_empty(), "a promise that is broken ends the flow");
        assert!(story.flows.deaf.is_empty());
    }
}

#[test]
fn phones_are_answered_on_their_connection_and_their_pings_with_a_pong() {
    let mut story = Story::new();
    story.give(Input::Accepted { flow: 1, peer: phone(4000) });
    assert_eq!(story.hear(1, "\r\n\r\n"), ["write 1 pong"]);
    assert_eq!(story.hear(1, REGISTER), ["arrived tcp:10.9.9.9:4000 REGISTER"]);
    let ok = Input::Send { to: phone(4000), bytes: answer("\r\n").into() };
    assert_eq!(story.give(ok.clone()), ["write 1 SIP/2.0"]);
    assert_eq!(story.close(1, "closed by the other side"), Vec::<String>::new());
    assert_eq!(story.give(ok), Vec::<String>::new(), "an answer opens no connection");
    assert_eq!((story.flows.counts().orphans, story.flows.load()), (1, (0, 0)));
}

#[test]
fn whoever_takes_too_long_is_sent_away() {
    let mut story = Story::new();
    story.give(Input::Accepted { flow: 1, peer: phone(4000) });
    story.give(Input::Accepted { flow: 3, peer: phone(4001) });
    story.hear(3, REGISTER);
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(story.hear(3, "R"));
        told.extend(story.run(Duration::from_secs(4)));
    }
    assert_eq!(told, ["20 close 3", "30 close 1"], "a byte now and then does not help");
    assert_eq!((story.flows.counts().slow, story.flows.load()), (2, (0, 0)));
    story.give(Input::Accepted { flow: 5, peer: phone(4002) });
    story.hear(5, REGISTER);
    assert_eq!(story.run(Duration::from_secs(3 * 3600)).len(), 1, "silent for three hours");
}

#[test]
fn a_stream_that_cannot_be_followed_is_closed() {
    let mut story = Story::new();
    story.open();
    story.give(Input::Accepted { flow: 1, peer: phone(4000) });
    assert_eq!(story.hear(1, "GET / HTTP/1.1\r\n\r\n"), ["close 1"]);
    let told = story.hear(2, &"x".repeat(40_000));
    assert_eq!(told[0], "close 2");
    assert!(told[1].starts_with("lost tcp:192.0.2.1:5060"), "{told:?}");
    assert_eq!(story.flows.counts().broken, 2);
}

#[test]
fn one_address_cannot_take_all_the_room() {
    let mut story = Story::new();
    for n in 0..=ACCEPTED_PER_ADDRESS_MAX as u16 {
        let told = story.give(Input::Accepted { flow: u64::from(n) * 2 + 1, peer: phone(4000 + n) });
        assert_eq!(told.is_empty(), n < ACCEPTED_PER_ADDRESS_MAX as u16, "{n}");
    }
    assert_eq!(story.flows.load(), (0, ACCEPTED_PER_ADDRESS_MAX));
}

fn server(tier: u8, domain: Option<&str>, transport: Transport) -> Input {
    let targets = vec![target(transport, "192.0.2.1:5061")];
    let way = Way { domain: domain.map(Arc::from), ..Way::default() };
    Input::Server(Arc::new(Server { name: "pbx".into(), tier, targets, spare: false, way }))
}

#[test]
fn a_place_to_which_a_server_sends_somebody_has_to_prove_that_it_is_the_one_that_was_named_last() {
    let (to, mut story) = (target(Transport::Tls, "192.0.2.7:5061"), Story::new());
    for domain in ["pool.example.com", "other.example.com"] {
        story.give(Input::Named(to, domain.into()));
    }
    assert_eq!(story.send(to), ["dial 2 tls:192.0.2.7:5061 [\"other.example.com\"]"]);
}

#[test]
fn tls_is_asked_for_the_names_of_all_servers_found_there_and_never_without_one() {
    let to = target(Transport::Tls, "192.0.2.1:5061");
    let mut story = Story::new();
    let told = story.send(to);
    assert!(told[0].starts_with("distrusted tls:192.0.2.1:5061: no domain"), "{told:?}");
    assert_eq!(told[1], "unsent tls:192.0.2.1:5061 REGISTER");
    let domain: Arc<str> = "pool.example.com".into();
    story.give(Input::Named(to, domain));
    story.give(server(0, Some("example.com"), Transport::Tls));
    story.give(server(1, Some("example.net"), Transport::Tls));
    story.give(server(2, Some("example.org"), Transport::Tcp));
    assert_eq!(story.send(to), ["dial 2 tls:192.0.2.1:5061 [\"example.com\", \"example.net\"]"]);
    let closed =
        story.give(Input::Closed { flow: 2, why: "it is for another name".into(), distrusted: true });
    assert_eq!(
        closed,
        ["distrusted tls:192.0.2.1:5061: it is for another name", "unsent tls:192.0.2.1:5061 REGISTER"]
    );
}

#[test]
fn datagram_flows_are_kept_alive_only_where_the_server_promised_to_answer() {
    let mut story = Story::new();
    let server: SocketAddr = "192.0.2.1:5060".parse().expect("an address");
    assert!(story.flows.deadline().is_none());
    story.give(Input::Promised { server, interval: None });
    let told = story.run(Duration::from_secs(29));
    assert!((1..=3).contains(&told.len()) && told[0].ends_with("datagram 192.0.2.1:5060 stun"), "{told:?}");
    story.give(Input::Stun { from: server, bytes: stun::success([1; 12], server) });
    let told = story.run(Duration::from_secs(15));
    assert!(
        told.last()
            .is_some_and(|last| last.ends_with("lost udp:192.0.2.1:5060: no answer to STUN within 10 s")),
        "an answer to something else is none: {told:?}"
    );
    assert!(story.flows.deadline().is_none());
    // And what phones ask is answered.
    let asked = Input::Stun { from: phone(5060).addr, bytes: stun::request([2; 12]) };
    assert_eq!(story.give(asked), ["datagram 10.9.9.9:5060 stun"]);
}

#[test]
fn the_times_are_those_of_the_specification() {
    assert_eq!((CONNECT, crate::flow::PATIENCE), (Duration::from_secs(10), Duration::from_secs(10)));
    assert!(
        Timing::default().failover < CONNECT,
        "a binding does not wait for a connection that does not open"
    );
}
