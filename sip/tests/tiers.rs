//! A site of one OMM: lines, bindings and server health against two real registrars, in virtual time (G-1, G-4, G-6).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use machine::chance::Chance;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::Moment;

use sip::binding::{self, Binding};
use sip::health::{self, Health};
use sip::line::{self, Line};
use sip::message::Message;
use sip::registrar::subscriber::Subscriber;
use sip::report::Removal;
use sip::server::{Account, Local, Options, Server, Way};
use sip::target::{Target, Transport};
use sip::timing::Timing;
use sip::uas::behave::Behaviour;
use sip::uas::profile::{Auth, Profile};
use sip::uas::{self, Uas};

/// One way through the network.
const HOP: Duration = Duration::from_millis(10);

enum Packet {
    ToServer(u8, Bytes),
    ToOmm(Bytes),
}

struct User {
    line: Line,
    bindings: BTreeMap<u8, Binding>,
    released: Vec<Removal>,
}

struct Site {
    now: Moment,
    users: Vec<User>,
    servers: Vec<Arc<Server>>,
    healths: Vec<Health>,
    registrars: Vec<Uas>,
    flying: BTreeMap<(Moment, u64), Packet>,
    serial: u64,
    /// REGISTERs and OPTIONS that left for each server, with their time.
    sent: Vec<(Moment, u8, &'static str)>,
    story: Vec<String>,
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn at(s: u64) -> Moment {
    Moment::from_millis(s * 1000)
}

fn local() -> Arc<Local> {
    let host = "10.0.1.1".to_owned();
    let (sent_by, agent) = (format!("{host}:5060"), "homing".to_owned());
    Arc::new(Local { sent_by, host, agent, overload: true, listening: Default::default() })
}

fn target(tier: u8) -> Target {
    Target { transport: Transport::Udp, addr: ([192, 0, 2, tier + 1], 5060).into() }
}

impl Site {
    fn of(users: u32) -> Site {
        let timing = Arc::new(Timing::default());
        let servers: Vec<Arc<Server>> = (0..2_u8)
            .map(|tier| {
                let name = if tier == 0 { "pbx" } else { "gw" }.into();
                Arc::new(Server { name, tier, targets: vec![target(tier)], spare: true, way: Way::default() })
            })
            .collect();
        let health = |server: &Arc<Server>| {
            let chance = Chance::of(7, &server.name);
            Health::new(server.clone(), local(), "sip:example.com", timing.clone(), chance)
        };
        let mut site = Site {
            now: at(0),
            users: Vec::new(),
            healths: servers.iter().map(health).collect(),
            servers,
            registrars: Vec::new(),
            flying: BTreeMap::new(),
            serial: 0,
            sent: Vec::new(),
            story: Vec::new(),
        };
        for tier in 0..2 {
            let profile = Profile {
                domains: vec!["example.com".into()],
                auth: Some(Auth::new("example.com")),
                ..Profile::default()
            };
            site.registrars.push(Uas::new(profile, Chance::of(tier, "registrar")));
        }
        for number in 0..users {
            let subscriber = Subscriber {
                aor: format!("sip:{}@example.com", 100 + number),
                username: (100 + number).to_string(),
                password: Secret::new("secret"),
            };
            for registrar in &mut site.registrars {
                registrar.on(at(0), uas::Input::Account(subscriber.clone()), &mut Vec::new());
            }
            let line = Line::new(2, timing.clone());
            site.users.push(User { line, bindings: BTreeMap::new(), released: Vec::new() });
        }
        site
    }

    fn hire(&self, user: usize, tier: u8) -> Binding {
        let number = 100 + user;
        let account = Account {
            aor: format!("sip:{number}@example.com").into(),
            registrar: "sip:example.com".into(),
            username: number.to_string().into(),
            password: Secret::new("secret"),
            expires: seconds(3600),
            instance: None,
            reg_id: None,
            options: Options::default(),
        };
        let chance = Chance::of(7, &format!("binding/{number}@{tier}"));
        let server = self.servers[usize::from(tier)].clone();
        Binding::new(Arc::new(account), server, local(), Arc::new(Timing::default()), chance)
    }

    fn tell(&mut self, user: usize, input: line::Input) {
        let mut effects = Vec::new();
        self.users[user].line.on(self.now, input, &mut effects);
        self.line_effects(user, effects);
    }

    fn bind_all(&mut self) {
        for user in 0..self.users.len() {
            let contact = format!("sip:{}@10.0.1.1:5060;hm-site=1;hm-ep=1", 100 + user).into();
            self.tell(user, line::Input::Bind { contact });
        }
    }

    fn line_effects(&mut self, user: usize, effects: Vec<line::Effect>) {
        for effect in effects {
            match effect {
                line::Effect::Tell { tier, order } => {
                    if !self.users[user].bindings.contains_key(&tier) {
                        let binding = self.hire(user, tier);
                        self.users[user].bindings.insert(tier, binding);
                    }
                    self.bind(user, tier, binding::Input::Order(order));
                }
                line::Effect::Released(removal) => self.users[user].released.push(removal),
                line::Effect::Failover { from, to } => self.tale(format!("failover {from}>{to}")),
                line::Effect::Failback { from, to } => self.tale(format!("failback {from}>{to}")),
                line::Effect::Retire { tier } => _ = self.users[user].bindings.remove(&tier),
                line::Effect::Bound { .. } | line::Effect::Granted { .. } => {}
                line::Effect::Failed { .. } | line::Effect::Listed(_) => {}
            }
        }
    }

    fn tale(&mut self, text: String) {
        self.story.push(format!("{} {text}", self.now.as_millis() / 1000));
    }

    fn bind(&mut self, user: usize, tier: u8, input: binding::Input) {
        let mut effects = Vec::new();
        if let Some(binding) = self.users[user].bindings.get_mut(&tier) {
            binding.on(self.now, input, &mut effects);
        }
        self.binding_effects(user, tier, effects);
    }

    fn binding_effects(&mut self, user: usize, tier: u8, effects: Vec<binding::Effect>) {
        for effect in effects {
            match effect {
                binding::Effect::Send { bytes, first, .. } => {
                    if first {
                        self.sent.push((self.now, tier, "REGISTER"));
                    }
                    self.fly(Packet::ToServer(tier, bytes));
                }
                binding::Effect::Report(report) => self.tell(user, line::Input::Report { tier, report }),
                binding::Effect::Evidence(evidence) => {
                    let mut effects = Vec::new();
                    let health = &mut self.healths[usize::from(tier)];
                    health.on(self.now, health::Input::Evidence(evidence), &mut effects);
                    self.health_effects(effects);
                }
                _ => {}
            }
        }
    }

    fn tell_all(&mut self, input: &line::Input) {
        (0..self.users.len()).for_each(|user| self.tell(user, input.clone()));
    }

    fn health_effects(&mut self, effects: Vec<health::Effect>) {
        for effect in effects {
            match effect {
                // A tier of this test has one target.
                health::Effect::Absent(_)
                | health::Effect::Rests { .. }
                | health::Effect::Unfit { .. }
                | health::Effect::Audit { .. } => {}
                health::Effect::Restore { .. } => panic!("nobody was forgotten"),
                health::Effect::Probe { to, bytes, first, .. } => {
                    let tier = u8::from(to != target(0));
                    if first {
                        self.sent.push((self.now, tier, "OPTIONS"));
                    }
                    self.fly(Packet::ToServer(tier, bytes));
                }
                health::Effect::Canvass { tier, .. } => self.tell(0, line::Input::Prove { tier }),
                health::Effect::Demands { tier, demands, .. } => {
                    self.tell_all(&line::Input::Demands { tier, demands });
                }
                health::Effect::Standing { tier, standing, server } => {
                    self.tale(format!("{server} {standing}"));
                    self.tell_all(&line::Input::Server { tier, standing });
                }
            }
        }
    }

    fn fly(&mut self, packet: Packet) {
        self.serial += 1;
        self.flying.insert((self.now + HOP, self.serial), packet);
    }

    fn land(&mut self, packet: Packet) {
        match packet {
            Packet::ToServer(tier, bytes) => {
                let from = Target { transport: Transport::Udp, addr: ([10, 0, 1, 1], 5060).into() };
                let mut effects = Vec::new();
                let registrar = &mut self.registrars[usize::from(tier)];
                registrar.on(self.now, uas::Input::Datagram { from, bytes }, &mut effects);
                self.registrar_effects(effects);
            }
            Packet::ToOmm(bytes) => {
                let message = Message::parse(bytes).expect("a response");
                let call_id = message.call_id().expect("a Call-ID").to_owned();
                if let Some(tier) = self.healths.iter().position(|health| health.call_id() == call_id) {
                    let mut effects = Vec::new();
                    self.healths[tier].on(self.now, health::Input::Answer(message), &mut effects);
                    return self.health_effects(effects);
                }
                let owner = self.users.iter().enumerate().find_map(|(user, who)| {
                    let mut tiers = who.bindings.iter();
                    tiers.find(|(_, binding)| **binding.call_id() == *call_id).map(|(tier, _)| (user, *tier))
                });
                if let Some((user, tier)) = owner {
                    self.bind(user, tier, binding::Input::Answer(message));
                }
            }
        }
    }

    fn registrar_effects(&mut self, effects: Vec<uas::Effect>) {
        for effect in effects {
            if let uas::Effect::Send { bytes, .. } = effect {
                self.fly(Packet::ToOmm(bytes));
            }
        }
    }

    /// Whatever is due at `now`, in a fixed order.
    fn step(&mut self) {
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let packet = entry.remove();
            self.land(packet);
        }
        for tier in 0..self.registrars.len() {
            let mut effects = Vec::new();
            self.registrars[tier].wake(self.now, &mut effects);
            self.registrar_effects(effects);
            let mut effects = Vec::new();
            self.healths[tier].wake(self.now, &mut effects);
            self.health_effects(effects);
        }
        for user in 0..self.users.len() {
            let mut effects = Vec::new();
            self.users[user].line.wake(self.now, &mut effects);
            self.line_effects(user, effects);
            for tier in 0..2 {
                let mut effects = Vec::new();
                if let Some(binding) = self.users[user].bindings.get_mut(&tier) {
                    binding.wake(self.now, &mut effects);
                }
                self.binding_effects(user, tier, effects);
            }
        }
    }

    fn due(&self) -> Option<Moment> {
        let flying = self.flying.first_key_value().map(|((at, _), _)| *at);
        let healths = self.healths.iter().filter_map(|health| health.deadline());
        let registrars = self.registrars.iter().filter_map(|registrar| registrar.deadline());
        let users = self.users.iter().flat_map(|user| {
            let bindings = user.bindings.values().filter_map(|binding| binding.deadline());
            user.line.deadline().into_iter().chain(bindings)
        });
        healths.chain(registrars).chain(users).map(|(at, _)| at).chain(flying).min()
    }

    fn run(&mut self, until: u64) {
        while let Some(due) = self.due().filter(|due| *due <= at(until)) {
            self.now = due.max(self.now);
            self.step();
        }
        self.now = at(until);
    }

    fn behave(&mut self, tier: u8, answer: Behaviour) {
        let input = uas::Input::Behave { method: None, answer };
        self.registrars[usize::from(tier)].on(self.now, input, &mut Vec::new());
    }

    /// How many users each registrar holds.
    fn held(&self) -> [usize; 2] {
        [self.registrars[0].load().0, self.registrars[1].load().0]
    }

    fn sent_between(&self, from: u64, until: u64, tier: u8, what: &str) -> usize {
        let within = |moment: Moment| moment >= at(from) && moment < at(until);
        self.sent.iter().filter(|(moment, to, kind)| within(*moment) && *to == tier && *kind == what).count()
    }
}

#[test]
fn users_register_at_the_primary_and_stay_there() {
    let mut site = Site::of(20);
    site.bind_all();
    site.run(1);
    assert_eq!(site.held(), [20, 0]);
    assert_eq!(site.sent_between(0, 1, 0, "REGISTER"), 40, "one challenge each");
    site.run(86_400);
    assert_eq!(site.held(), [20, 0]);
    assert_eq!(site.story, Vec::<String>::new());
    // 3150..3300 s between two refreshes. Nonces live shorter than that, so each costs a challenge.
    let refreshes = site.sent_between(1, 86_400, 0, "REGISTER");
    assert!((20 * 26..=20 * 28 * 2).contains(&refreshes), "{refreshes}");
    // One machine asks for all users, and at most each four seconds in which nobody heard of the server.
    let probes = site.sent_between(0, 86_400, 0, "OPTIONS");
    assert!((1..=86_400 / 4).contains(&probes), "{probes}");
    assert_eq!(site.sent_between(0, 86_400, 1, "OPTIONS"), 0, "nobody uses the secondary");
}

#[test]
fn a_silent_primary_is_left_within_seconds_and_returned_to_after_ten_stable_minutes() {
    let mut site = Site::of(20);
    site.bind_all();
    site.run(1000);
    site.behave(0, Behaviour::Silence);
    // Somebody has to notice: the owner of one user asks for a renewal.
    site.tell(0, line::Input::Renew);
    site.run(1010);
    assert_eq!(site.held()[1], 20, "all of them are at the secondary");
    assert_eq!(site.story.iter().filter(|tale| tale.ends_with("failover 0>1")).count(), 20);
    site.run(1500);
    let probes = site.sent_between(1000, 1500, 0, "OPTIONS");
    assert!(probes <= 6, "{probes} probes, whatever the number of users");
    assert_eq!(site.sent_between(1020, 1500, 0, "REGISTER"), 0, "nobody bothers the dead");
    site.behave(0, Behaviour::Normal);
    // At the latest five minutes until a probe, then ten of stability.
    site.run(1500 + 310 + 610);
    let back = site.story.iter().position(|tale| tale.ends_with("pbx recovering")).expect("recovering");
    let usable = site.story.iter().position(|tale| tale.ends_with("pbx usable")).expect("usable");
    let time =
        |index: usize| site.story[index].split(' ').next().and_then(|t| t.parse::<u64>().ok()).unwrap();
    assert_eq!(time(usable) - time(back), 600);
    site.run(2700);
    assert_eq!(site.held(), [20, 0], "back at the primary, gone from the secondary");
    assert!(site.users.iter().all(|user| user.line.current() == Some(0)));
    site.run(40_000);
    assert_eq!(site.sent_between(2700, 40_000, 1, "REGISTER"), 0);
}

#[test]
fn with_both_servers_gone_users_keep_trying_and_come_back() {
    let mut site = Site::of(5);
    site.bind_all();
    site.run(10);
    site.behave(0, Behaviour::Silence);
    site.behave(1, Behaviour::Silence);
    for user in 0..5 {
        site.tell(user, line::Input::Renew);
    }
    site.run(10_000);
    assert_eq!(site.held(), [0, 0], "everything has aged out");
    let tries = site.sent_between(5000, 10_000, 0, "REGISTER");
    assert!(tries >= 10, "total blacklisting silences nobody: {tries}");
    site.behave(1, Behaviour::Normal);
    site.run(10_400);
    assert_eq!(site.held(), [0, 5], "the first that answers is used");
    site.behave(0, Behaviour::Normal);
    site.run(12_000);
    assert_eq!(site.held(), [5, 0]);
}

#[test]
fn a_server_that_asks_for_a_minute_gets_it_from_everybody() {
    // G-4.
    let mut site = Site::of(20);
    site.bind_all();
    site.run(100);
    let busy = Behaviour::Code(503, vec![("Retry-After".into(), "60".into())]);
    site.behave(0, busy);
    site.tell(0, line::Input::Renew);
    site.run(101);
    (1..20).for_each(|user| site.tell(user, line::Input::Renew));
    site.run(159);
    assert_eq!(["REGISTER", "OPTIONS"].map(|method| site.sent_between(101, 159, 0, method)), [0, 0]);
    assert!(site.users.iter().all(|user| user.line.current() == Some(1)));
    assert_eq!(site.held()[1], 20);
}

#[test]
fn released_users_leave_nothing_behind() {
    let mut site = Site::of(3);
    site.bind_all();
    site.run(10);
    site.tell_all(&line::Input::Unbind);
    site.run(11);
    assert_eq!(site.held(), [0, 0]);
    assert!(site.users.iter().all(|user| user.released == [Removal::Removed]));
    assert!(site.users.iter().all(|user| user.bindings.is_empty()), "and no binding is kept");
}

#[test]
fn a_removal_that_nobody_hears_is_unknown_and_upgraded_when_it_succeeds() {
    let mut site = Site::of(1);
    site.bind_all();
    site.run(10);
    site.behave(0, Behaviour::Silence);
    site.tell(0, line::Input::Unbind);
    site.run(20);
    assert_eq!(site.users[0].released, [Removal::Unknown]);
    site.behave(0, Behaviour::Normal);
    site.run(60);
    assert_eq!(site.users[0].released, [Removal::Unknown, Removal::Removed]);
    assert_eq!(site.held(), [0, 0]);
}
