//! The endpoint: what phones are told and when, and where answers and refusals of the network go.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use ::actors::doors::{Datagram, Undelivered, Ways};
use ::actors::endpoint::{Count, EndpointActor, EndpointWays};
use ::actors::messages::{
    Broken, Brought, Fallen, Leave, Left, Located, Pillar, Route, Stranger, TellAll, Upkeep, Verdict,
};
use actix::prelude::*;
use bytes::Bytes;
use machine::chance::Chance;
use omm::ids::Ipei;
use omm::roaming::{Ask, Refusal, State};
use sip::target::{Target, Transport};
use sip::uas::Uas;

use crate::ground::disk::Mood;
use crate::ground::outside::phones;
use crate::ground::outside::{Heard, Phone, Since};
use crate::ground::{Ground, pass, story};

const PHONE: &str = "10.128.0.1:5060";
const SECOND: Duration = Duration::from_secs(1);

/// A REGISTER of the phone of a user; with expires 0 it is a goodbye.
fn register(user: &str, cseq: u32, expires: u32) -> String {
    format!(
        "REGISTER sip:sip.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP {PHONE};branch=z9hG4bK{user}x{cseq}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{user}@sip.example>;tag=a\r\n\
         To: <sip:{user}@sip.example>\r\n\
         Call-ID: {user}@phone\r\n\
         CSeq: {cseq} REGISTER\r\n\
         Contact: <sip:{user}@{PHONE}>;+sip.instance=\"<urn:ipei:000170000001>\"\r\n\
         Expires: {expires}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// A 200 to an OPTIONS that somebody sent under this Call-ID.
fn answer(call_id: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK1\r\n\
         From: <sip:101@sip.example>;tag=a\r\n\
         To: <sip:101@sip.example>;tag=b\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 REGISTER\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Everybody the endpoint turns to, in one: writes down what it is told.
#[derive(Default)]
struct Others {
    told: Rc<RefCell<Vec<String>>>,
    asks: Rc<RefCell<Vec<Ask>>>,
}

impl Actor for Others {
    type Context = Context<Self>;
}

impl Others {
    fn note(&self, text: String) {
        self.told.borrow_mut().push(text);
    }
}

impl Handler<Datagram> for Others {
    type Result = ();
    fn handle(&mut self, Datagram { peer, bytes }: Datagram, _: &mut Context<Self>) {
        let text = String::from_utf8_lossy(&bytes);
        self.note(format!("{} < {}", peer.addr, text.lines().next().unwrap_or_default()));
    }
}

impl Handler<Located> for Others {
    type Result = ();
    fn handle(&mut self, Located { user, device, ask }: Located, _: &mut Context<Self>) {
        self.asks.borrow_mut().extend(ask);
        self.note(format!("located {user} {device:?}"));
    }
}

impl Handler<Left> for Others {
    type Result = ();
    fn handle(&mut self, Left { user, device, how, ask }: Left, _: &mut Context<Self>) {
        assert_eq!(how, Leave::Detached);
        self.asks.borrow_mut().extend(ask);
        self.note(format!("left {user} {device:?}"));
    }
}

impl Handler<Stranger> for Others {
    type Result = ();
    fn handle(&mut self, Stranger { user, ask: _ }: Stranger, _: &mut Context<Self>) {
        self.note(format!("stranger {user}"));
    }
}

impl Handler<Fallen<Pillar>> for Others {
    type Result = ();
    fn handle(&mut self, _: Fallen<Pillar>, _: &mut Context<Self>) {
        self.note("fallen".to_owned());
    }
}

impl Handler<Brought> for Others {
    type Result = ();
    fn handle(&mut self, brought: Brought, _: &mut Context<Self>) {
        match brought {
            Brought::Answer(message) => {
                self.note(format!("answer for {}", message.call_id().expect("a Call-ID")));
            }
            Brought::Broken(Broken::Request(addr)) => self.note(format!("unsent to {addr}")),
            Brought::Broken(Broken::Flow(flow)) => self.note(format!("lost {flow}")),
            Brought::Broken(Broken::Target(target)) => self.note(format!("silent {target}")),
            Brought::Broken(Broken::Rests(rests)) => self.note(format!("{} rests", rests.target)),
        }
    }
}

impl Handler<Upkeep> for Others {
    type Result = ();
    fn handle(&mut self, upkeep: Upkeep, _: &mut Context<Self>) {
        match upkeep {
            Upkeep::Stun(datagram) => self.note(format!("stun from {}", datagram.peer)),
            Upkeep::Promised { server, interval } => self.note(format!("{server} promises {interval:?}")),
            Upkeep::Named { to, domain } => self.note(format!("{to} is {domain}")),
        }
    }
}

struct Desk {
    endpoint: Addr<EndpointActor>,
    others: Addr<Others>,
    told: Rc<RefCell<Vec<String>>>,
    asks: Rc<RefCell<Vec<Ask>>>,
}

impl Desk {
    async fn new() -> Desk {
        let ground = Ground::new().await;
        let others = Others::default();
        let (told, asks) = (others.told.clone(), others.asks.clone());
        let others = others.start();
        let ways = EndpointWays {
            sip: Ways { datagrams: others.clone().recipient(), streams: others.clone().recipient() },
            upkeep: others.clone().recipient(),
            located: others.clone().recipient(),
            strangers: others.clone().recipient(),
            left: others.clone().recipient(),
            fallen: others.clone().recipient(),
        };
        let uas = Uas::new(phones(), Chance::of(1, "phones"));
        let endpoint = EndpointActor::new(&ground.site(), uas, ways).start();
        Desk { endpoint, others, told, asks }
    }

    async fn hear(&self, text: String) {
        let datagram = Datagram { peer: target(PHONE), bytes: Bytes::from(text) };
        self.endpoint.send(datagram).await.expect("an endpoint");
        pass(SECOND / 100).await;
    }

    fn told(&self) -> Vec<String> {
        self.told.take()
    }

    fn route(&self, call_id: &str, here: bool) {
        let owner = self.others.downgrade().recipient();
        self.endpoint.do_send(Route {
            call_id: call_id.into(),
            subscribed: false,
            to: Some(owner).filter(|_| here),
        });
    }
}

fn target(addr: &str) -> Target {
    Target::new(Transport::Udp, addr.parse().expect("an address"))
}

#[test]
fn answers_go_to_whoever_owns_the_call_id_and_strays_are_counted() {
    story(async {
        let desk = Desk::new().await;
        desk.route("mine@here", true);
        desk.hear(answer("mine@here")).await;
        desk.hear(answer("forged@there")).await;
        assert_eq!(desk.told(), ["answer for mine@here"]);
        desk.route("mine@here", false);
        desk.hear(answer("mine@here")).await;
        assert!(desk.told().is_empty());
        assert_eq!(desk.endpoint.send(Count).await.expect("counts").strays, 2);
    });
}

#[test]
fn whoever_wanted_to_send_hears_that_it_could_not_be_sent() {
    story(async {
        let desk = Desk::new().await;
        desk.route("101@phone", true);
        let lost = |text: String| Undelivered(Datagram { peer: target("10.0.0.1:5060"), bytes: text.into() });
        desk.endpoint.do_send(lost(register("101", 1, 60)));
        // Neither an answer of ours, nor somebody else's request, nor noise has an owner.
        desk.endpoint.do_send(lost(answer("101@phone")));
        desk.endpoint.do_send(lost(register("102", 1, 60)));
        desk.endpoint.do_send(lost("?".to_owned()));
        pass(SECOND).await;
        assert_eq!(desk.told(), ["unsent to 10.0.0.1:5060"]);
    });
}

#[test]
fn a_lost_flow_is_told_to_everybody_and_what_keeps_flows_alive_goes_to_the_flows() {
    story(async {
        let desk = Desk::new().await;
        for call_id in ["b@here", "a@here"] {
            desk.route(call_id, true);
        }
        let flow = Target::new(Transport::Tcp, target("10.0.0.1:5060").addr);
        desk.endpoint.do_send(TellAll(Broken::Flow(flow)));
        pass(SECOND / 100).await;
        assert_eq!(desk.told(), ["lost tcp:10.0.0.1:5060", "lost tcp:10.0.0.1:5060"]);
        let stun = Datagram { peer: target(PHONE), bytes: sip::stun::request([1; 12]) };
        desk.endpoint.do_send(stun);
        desk.hear(answer("a@here").replace("Call-ID", "Flow-Timer: 25\r\nCall-ID")).await;
        let told = desk.told();
        assert_eq!(told[0], format!("stun from udp:{PHONE}"));
        assert_eq!(told[1], format!("{PHONE} promises Some(25s)"));
    });
}

#[test]
fn a_phone_is_told_why_it_is_sent_away() {
    story(async {
        for (refusal, line) in [
            (Some(Refusal::PariOnlyElsewhere), "SIP/2.0 403 "),
            (Some(Refusal::Unknown), "SIP/2.0 404 "),
            (Some(Refusal::Overtaken), "SIP/2.0 503 "),
            (None, "SIP/2.0 200 "),
        ] {
            let desk = Desk::new().await;
            desk.hear(register("101", 1, 3600)).await;
            let ipei: Ipei = "000170000001".parse().expect("an IPEI");
            assert_eq!(desk.told(), [format!("located 101 {:?}", Some(ipei))]);
            let ask = desk.asks.borrow()[0];
            desk.endpoint.do_send(Verdict { ask, refused: refusal });
            pass(SECOND / 100).await;
            let [told] = &desk.told()[..] else { panic!("one answer") };
            assert!(told.starts_with(&format!("{PHONE} < {line}")), "{refusal:?}: {told}");
        }
    });
}

#[test]
fn a_copy_of_a_request_that_waits_asks_nobody_a_second_time() {
    story(async {
        let desk = Desk::new().await;
        for _ in 0..3 {
            desk.hear(register("101", 1, 3600)).await;
        }
        assert_eq!(desk.asks.borrow().len(), 1);
        desk.hear(register("101", 2, 0)).await;
        let ipei: Ipei = "000170000001".parse().expect("an IPEI");
        assert_eq!(desk.told().last(), Some(&format!("left 101 {:?}", Some(ipei))));
    });
}

/// What the phone was told since the beginning: `moment status`.
async fn answers(ground: &Ground) -> Vec<Heard> {
    let phone: SocketAddr = PHONE.parse().expect("an address");
    let heard = ground.outside.send(Since(machine::time::Moment::START)).await.expect("the outside");
    heard.into_iter().filter(|heard| heard.to == phone).collect()
}

fn finals(answers: &[Heard]) -> Vec<&str> {
    let status = answers.iter().filter_map(|heard| heard.text.lines().next());
    status.filter(|line| !line.starts_with("SIP/2.0 1")).collect()
}

async fn say(ground: &Ground, text: String) {
    ground.omm().await;
    ground.outside.do_send(Phone(PHONE.parse().expect("an address"), text));
}

#[test]
fn neither_hello_nor_goodbye_is_answered_before_it_is_durable() {
    story(async {
        let ground = Ground::new().await;
        ground.disk.latency.set(SECOND / 5);
        for (cseq, expires) in [(1, 3600), (2, 0)] {
            let said = ground.clock.moment();
            let saved = ground.disk.batches.borrow().len();
            say(&ground, register("101", cseq, expires)).await;
            pass(SECOND / 5).await;
            assert_eq!(finals(&answers(&ground).await).len(), cseq as usize - 1, "{expires}: too early");
            pass(2 * SECOND).await;
            let told = answers(&ground).await;
            assert_eq!(finals(&told).len(), cseq as usize, "{}", ground.trace());
            let last = told.last().expect("an answer");
            assert!(last.text.starts_with("SIP/2.0 200"), "{}", last.text);
            assert!(last.at >= said + SECOND / 5);
            assert!(ground.disk.batches.borrow().len() > saved);
        }
        assert_eq!(ground.look("101").await.state, State::Gone);
    });
}

#[test]
fn a_goodbye_of_a_handset_that_the_user_left_behind_is_answered_and_changes_nothing() {
    story(async {
        let ground = Ground::new().await;
        say(&ground, register("101", 1, 3600)).await;
        pass(SECOND).await;
        let other = register("101", 2, 0).replace("000170000001", "000170000002");
        say(&ground, other).await;
        pass(SECOND).await;
        assert_eq!(finals(&answers(&ground).await).len(), 2);
        assert_eq!(ground.look("101").await.state, State::Settled);
        say(&ground, register("101", 3, 0)).await;
        pass(SECOND).await;
        assert_eq!(ground.look("101").await.state, State::Gone);
    });
}

#[test]
fn what_a_phone_was_told_survives_any_fall() {
    story(async {
        let ground = Ground::new().await;
        ground.disk.latency.set(SECOND / 5);
        say(&ground, register("101", 1, 3600)).await;
        pass(SECOND).await;
        assert_eq!(finals(&answers(&ground).await), ["SIP/2.0 200 OK"]);
        let epoch = ground.look("101").await.claim.expect("a claim").epoch;
        // The phone reports again, and the user's actor falls over with the answer in its hands.
        ground.bomb("user/101 located", 1);
        say(&ground, register("101", 2, 3600)).await;
        pass(SECOND).await;
        assert_eq!(ground.look("101").await.claim.expect("a claim").epoch, epoch);
        // Nobody answers for the dead one: the phone's copy finds the held request, and gets its 503 in time.
        pass(60 * SECOND).await;
        let told = answers(&ground).await;
        assert_eq!(finals(&told), ["SIP/2.0 200 OK", "SIP/2.0 503 Service Unavailable"]);
        say(&ground, register("101", 3, 3600)).await;
        pass(SECOND).await;
        assert_eq!(finals(&answers(&ground).await).len(), 3);
    });
}

#[test]
fn a_phone_that_comes_again_and_again_while_the_disk_is_full_is_not_remembered_without_end() {
    story(async {
        let ground = Ground::new().await;
        ground.disk.mood.set(Mood::Full);
        for cseq in 1..=2000 {
            say(&ground, register("101", cseq, 3600)).await;
            pass(SECOND).await;
        }
        let user = ground.look("101").await;
        assert!((200..300).contains(&user.waiting), "{} effects wait", user.waiting);
        ground.disk.mood.set(Mood::Good);
        pass(120 * SECOND).await;
        let before = finals(&answers(&ground).await).len();
        say(&ground, register("101", 2001, 3600)).await;
        pass(SECOND).await;
        let told = answers(&ground).await;
        assert_eq!(finals(&told).get(before..), Some(&["SIP/2.0 200 OK"][..]), "{}", ground.trace());
        assert_eq!(ground.look("101").await.waiting, 0);
    });
}
