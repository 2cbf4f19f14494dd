//! The refreshes of a whole site at one server, in virtual time: a flat rate, however suddenly everybody registered.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use machine::chance::Chance;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::Moment;
use sip::binding::{Binding, Effect, Input, Order};
use sip::message::Message;
use sip::name::Name;
use sip::server::{Account, Listening, Local, Options, Server, Way};
use sip::shaper::{self, Shape, Shaper, Wish};
use sip::target::{Target, Transport};
use sip::timing::Timing;

/// From a REGISTER to its answer.
const ROUND_TRIP: Duration = Duration::from_millis(5);

struct World {
    now: Moment,
    bindings: Vec<Binding>,
    shaper: Shaper,
    flying: BTreeMap<(Moment, u64), (usize, Bytes)>,
    serial: u64,
    alarms: BinaryHeap<Reverse<(Moment, usize)>>,
    granted: u64,
    /// REGISTERs by the second in which they were sent.
    sent: Vec<u32>,
    in_flight: usize,
    most_in_flight: usize,
}

impl World {
    fn of(users: usize, granted: u64) -> World {
        let target = Target { transport: Transport::Udp, addr: ([192, 0, 2, 1], 5060).into() };
        let server = Arc::new(Server {
            name: "pbx".into(),
            tier: 0,
            targets: vec![target],
            spare: false,
            way: Way::default(),
        });
        let local = Arc::new(Local {
            sent_by: "10.0.1.1:5060".into(),
            host: "10.0.1.1".into(),
            agent: "x".into(),
            overload: false,
            listening: Listening::default(),
        });
        let timing = Arc::new(Timing::default());
        let bindings = (0..users).map(|user| {
            let account = Account {
                options: Options::default(),
                aor: format!("sip:{user}@example.com").into(),
                registrar: "sip:example.com".into(),
                username: user.to_string().into(),
                password: Secret::new("secret"),
                expires: Duration::from_secs(granted),
                instance: None,
                reg_id: None,
            };
            let chance = Chance::of(1, &format!("binding/{user}"));
            Binding::new(Arc::new(account), server.clone(), local.clone(), timing.clone(), chance).shaped()
        });
        World {
            now: Moment::START,
            bindings: bindings.collect(),
            shaper: Shaper::new(Shape::default(), Chance::of(1, "shaper")),
            flying: BTreeMap::new(),
            serial: 0,
            alarms: BinaryHeap::new(),
            granted,
            sent: Vec::new(),
            in_flight: 0,
            most_in_flight: 0,
        }
    }

    fn tell(&mut self, user: usize, input: Option<Input>) {
        let mut out = Vec::new();
        let binding = &mut self.bindings[user];
        match input {
            Some(input) => binding.on(self.now, input, &mut out),
            None => binding.wake(self.now, &mut out),
        }
        if let Some((at, _)) = binding.deadline() {
            self.alarms.push(Reverse((at, user)));
        }
        for effect in out {
            match effect {
                Effect::Send { bytes, .. } => {
                    let second = (self.now.as_millis() / 1000) as usize;
                    self.sent.resize(self.sent.len().max(second + 1), 0);
                    self.sent[second] += 1;
                    self.serial += 1;
                    self.in_flight += 1;
                    self.most_in_flight = self.most_in_flight.max(self.in_flight);
                    self.flying.insert((self.now + ROUND_TRIP, self.serial), (user, bytes));
                }
                Effect::Shape(wish) => self.wish(user, wish),
                Effect::Answered { .. } | Effect::Report(_) | Effect::Evidence(_) => {}
                Effect::Subscribe { .. }
                | Effect::Dialog { .. }
                | Effect::Seek(_)
                | Effect::Check
                | Effect::Alarm(_)
                | Effect::Silence(_)
                | Effect::Unlisted
                | Effect::Named { .. } => {}
            }
        }
    }

    fn wish(&mut self, user: usize, wish: Wish) {
        let mut out = Vec::new();
        self.shaper.on(self.now, shaper::Input { who: user as u64, wish }, &mut out);
        self.shaped(out);
    }

    fn shaped(&mut self, out: Vec<shaper::Effect>) {
        for effect in out {
            match effect {
                shaper::Effect::Grant(who) => self.tell(who as usize, Some(Input::Granted)),
                shaper::Effect::Booked(who, at) => self.tell(who as usize, Some(Input::Booked(at))),
            }
        }
    }

    /// What a registrar answers that likes everybody.
    fn answer(&self, request: Bytes) -> Message {
        let request = Message::parse(request).expect("a REGISTER");
        let line = |name: Name| {
            format!("{}\r\n", String::from_utf8_lossy(request.header(name).expect("a header").as_bytes()))
        };
        let reply = format!(
            "SIP/2.0 200 OK\r\nVia: {}From: {}To: {}Call-ID: {}CSeq: {}Contact: {};expires={}\r\nContent-Length: 0\r\n\r\n",
            line(Name::Via),
            line(Name::From),
            line(Name::To),
            line(Name::CallId),
            line(Name::CSeq),
            line(Name::Contact).split(";expires").next().expect("a contact").trim_end(),
            self.granted,
        );
        Message::parse(reply.into_bytes().into()).expect("an answer")
    }

    fn run(&mut self, until: Moment) {
        loop {
            let answer = self.flying.first_key_value().map(|((at, _), _)| *at);
            let alarm = self.alarms.peek().map(|Reverse((at, _))| *at);
            let slot = self.shaper.deadline().map(|(at, _)| at);
            let next = [answer, alarm, slot].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            if answer == Some(next)
                && let Some((_, (user, request))) = self.flying.pop_first()
            {
                self.in_flight -= 1;
                let answer = self.answer(request);
                self.tell(user, Some(Input::Answer(answer)));
            } else if slot == Some(next) {
                let mut out = Vec::new();
                self.shaper.wake(self.now, &mut out);
                self.shaped(out);
            } else if let Some(Reverse((at, user))) = self.alarms.pop()
                && self.bindings[user].deadline().is_some_and(|(due, _)| due == at)
            {
                self.tell(user, None);
            }
        }
        self.now = until;
    }

    /// How far the busiest second from `from` to `to` lies above the mean.
    fn ratio(&self, from: usize, to: usize) -> f64 {
        let seconds: Vec<u32> =
            (from..to).map(|second| self.sent.get(second).copied().unwrap_or(0)).collect();
        let mean = f64::from(seconds.iter().sum::<u32>()) / seconds.len() as f64;
        f64::from(seconds.iter().copied().max().unwrap_or(0)) / mean
    }
}

fn register_all(world: &mut World, within: Duration) {
    let users = world.bindings.len();
    for user in 0..users {
        let at = Moment::START + within * (user as u32) / (users as u32);
        world.run(at);
        let contact = format!("sip:{user}@10.0.1.1:5060;hm-site=1;hm-ep=1").into();
        world.tell(user, Some(Input::Order(Order::Register { contact })));
    }
}

#[test]
fn ten_thousand_who_registered_within_two_seconds_refresh_at_a_flat_rate() {
    let hours = 24;
    let mut world = World::of(10_000, 3600);
    register_all(&mut world, Duration::from_secs(2));
    world.run(Moment::from_millis(hours * 3_600_000));
    assert!(world.sent[..5].iter().sum::<u32>() == 10_000, "the cold start: {:?}", &world.sent[..5]);
    assert!(world.most_in_flight <= 128);
    assert_eq!(world.sent[5..1200].iter().sum::<u32>(), 0, "nobody refreshes before a third of the life");
    let (first, later) = (world.ratio(1200, 9000), world.ratio(9000, hours as usize * 3600));
    println!("busiest second against the mean: {first:.2} in the first cycles, {later:.2} in {hours} h");
    assert!(first <= 2.0, "no storm at the first refresh: {first}");
    assert!(later <= 1.6, "{later}");
}

#[test]
fn a_thousand_with_a_minute_s_life_refresh_at_a_flat_rate() {
    let mut world = World::of(1000, 60);
    register_all(&mut world, Duration::from_secs(1));
    world.run(Moment::from_millis(1_200_000));
    let parts = [(2, 122), (122, 242), (242, 1200)].map(|(from, to)| world.ratio(from, to));
    println!("busiest second against the mean, two minutes, two minutes more, and later: {parts:.2?}");
    assert!(parts.iter().all(|ratio| *ratio <= 2.0), "{parts:?}");
}
