//! The world of a plan: a network, registrars, one OMM a site, phones; and the verbs that are done to it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context};
use actors::clock::{Calendar, Clock, Origin};
use actors::messages::{Call, Leave, Left};
use actors::omm::OmmActor;
use actors::omm::drill::Rehearse;
use actors::registrar::{Behave, Registrar};
use actors::trace::{Seen, Sink, Trace};
use machine::chance::Chance;
use machine::note::Note;
use machine::secret::Secret;
use machine::time::{Moment, Wall};
use omm::directory::content::Digest;
use omm::directory::login::Variant;
use omm::directory::piece::Piece;
use omm::directory::sync::Shared;
use omm::ids::Number;
use omm::stamp::OmmId;
use sip::server::{Account, Options, Server, Way};
use sip::target::{Target, Transport};
use sip::uas::behave::Behaviour;
use sip::uas::{Input as UasInput, Uas};

use crate::dns::Dns;
use crate::edits;
use crate::external::{self, Shelf};
use crate::memory::Disk;
use crate::network::door::{Port, sip_address};
use crate::network::{Change, Network, Path};
use crate::operations;
use crate::phone::{Carry, Handset, Phone};
use crate::plan::{Node, Plan, User, Verb};
use crate::registrar::Front;
use crate::script::action::{Quality, Reply};
use crate::site;
use crate::tuning::Tuning;

/// The SIP domain of every scenario.
pub const DOMAIN: &str = "sip.example";

/// Datagrams that may wait at a registrar: the network decides what is lost, not a mailbox.
const WAITING: usize = 1 << 20;

/// A site of the world.
pub struct SiteNode {
    /// What its clock is wrong by, in milliseconds.
    pub skew: Rc<Cell<i64>>,
    /// What is on its disk.
    pub disk: Disk,
    /// The process that runs there now.
    pub process: Option<Process>,
    /// How often a process was started there.
    pub starts: u32,
    /// How often all that was on its disk was taken away.
    pub wipes: u32,
    /// When a new OMM is hired in the place of one that fell over.
    pub rehire: Option<Moment>,
    /// The digest of its directory that was told last.
    pub weight: Option<Digest>,
    /// What was put aside of its directory, and when.
    pub(crate) backup: Option<(Vec<Piece>, Wall)>,
}

/// A running OMM.
pub struct Process {
    /// Its actor.
    pub omm: Addr<OmmActor>,
    /// What it shows of users and handsets.
    pub directory: Shared,
    /// False from the moment of its death on: nothing it does is seen or stored any more.
    pub alive: Rc<Cell<bool>>,
}

/// Everything there is.
pub struct World {
    pub(crate) plan: Arc<Plan>,
    pub(crate) seed: u64,
    pub(crate) origin: Origin,
    pub(crate) sink: Option<Sink>,
    pub(crate) network: Addr<Network>,
    pub(crate) tuning: Tuning,
    pub(crate) sites: Vec<SiteNode>,
    pub(crate) fallen: Rc<site::Fallen>,
    pub(crate) servers: Vec<(SocketAddr, Addr<Registrar>)>,
    phones: Vec<Addr<Phone>>,
    paths: Vec<Path>,
    pub(crate) dns: Rc<RefCell<Dns>>,
    pub(crate) shelf: Rc<RefCell<Shelf>>,
    /// Where each user's phone is registered from now on, for calls.
    user_site: Vec<usize>,
}

impl World {
    /// Builds the world; the OMMs do not run yet.
    pub fn new(plan: Arc<Plan>, seed: u64, sink: Option<Sink>) -> World {
        let origin = Origin::now();
        let tuning = Tuning::of(&plan);
        let mut paths = BTreeMap::new();
        let links: Vec<Path> = plan
            .links
            .iter()
            .map(|link| Path {
                latency: link.latency,
                jitter: link.jitter,
                loss: link.loss,
                bandwidth: link.bandwidth.unwrap_or(0),
                cut: false,
            })
            .collect();
        for (link, path) in plan.links.iter().zip(&links) {
            paths.insert((link.ends.0.min(link.ends.1), link.ends.0.max(link.ends.1)), *path);
        }
        let hub = plan.sites.iter().position(|site| site.central).unwrap_or_default();
        let network = Network::new(origin, Chance::of(seed, "network"), paths, hub).start();
        let sites = plan.sites.iter().map(|_| SiteNode {
            skew: Rc::new(Cell::new(0)),
            disk: Rc::default(),
            process: None,
            starts: 0,
            wipes: 0,
            rehire: None,
            weight: None,
            backup: None,
        });
        let mut world = World {
            seed,
            origin,
            sink,
            network,
            tuning,
            sites: sites.collect(),
            fallen: Rc::default(),
            servers: Vec::new(),
            phones: Vec::new(),
            paths: links,
            dns: Dns::new(plan.clone(), seed),
            shelf: Rc::default(),
            user_site: plan.users.iter().map(|user| user.home).collect(),
            plan,
        };
        world.build_servers();
        world.build_phones();
        world
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.origin.moment()
    }

    /// A trace of `node`, heard while `alive` says so.
    pub(crate) fn trace(&self, node: &str, alive: &Rc<Cell<bool>>) -> Trace {
        match &self.sink {
            None => Trace::silent(node),
            Some(sink) => {
                let (sink, alive) = (sink.clone(), alive.clone());
                Trace::new(
                    node,
                    Rc::new(move |seen| {
                        if alive.get() {
                            sink(seen)
                        }
                    }),
                )
            }
        }
    }

    pub(crate) fn tell(&self, node: &str, note: &Note) {
        if let Some(sink) = &self.sink {
            sink(Seen { moment: self.now(), node, who: "world", note });
        }
    }

    /// A clock that is right.
    fn true_clock(&self) -> Rc<Clock> {
        let calendar = Calendar::Scripted { base: self.plan.wall, skew: Rc::new(Cell::new(0)) };
        Rc::new(Clock::new(self.origin, calendar, OmmId::new(0)))
    }

    fn build_servers(&mut self) {
        let plan = self.plan.clone();
        let clock = self.true_clock();
        let alive = Rc::new(Cell::new(true));
        for server in &plan.servers {
            let chance = Chance::of(self.seed, &format!("registrar/{}", server.name));
            let mut uas = Uas::new(self.tuning.registrar(server, DOMAIN, &plan), chance);
            enrol(&mut uas, &plan.users);
            let addr = SocketAddr::V4(server.address);
            let port = Port { network: self.network.clone(), addr, alive: alive.clone() }.start();
            let trace = self.trace(&server.name, &alive);
            let front = Context::<Front>::new();
            let door = front.address();
            let actor = Registrar::new(uas, door.clone().recipient(), WAITING, clock.clone(), trace).start();
            front.run(Front::new(port.recipient(), server.transport, actor.clone().recipient()));
            let place = server.site.unwrap_or(plan.sites.len());
            let accept = door.recipient();
            self.network.do_send(Change::Listen { address: sip_address(addr), place, accept });
            self.network.do_send(Change::Plug { addr, place, inbox: actor.clone().recipient() });
            self.servers.push((addr, actor));
        }
    }

    fn build_phones(&mut self) {
        let plan = self.plan.clone();
        let clock = self.true_clock();
        let timing = Arc::new(self.tuning.sip.clone());
        for (index, phone) in (0u32..).zip(&plan.phones) {
            let addr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from(0x0a80_0000 + index), 5060));
            let handset = Handset {
                name: phone.name.clone(),
                addr,
                period: self.tuning.location_period,
                timing: timing.clone(),
                seed: self.seed,
                clock: clock.clone(),
                network: self.network.clone(),
            };
            let actor = Phone::new(handset).start();
            self.network.do_send(Change::Plug { addr, place: phone.site, inbox: actor.clone().recipient() });
            self.phones.push(actor);
        }
    }

    /// Does one verb.
    pub async fn perform(&mut self, verb: &Verb) {
        match verb {
            Verb::Start(Node::Site(site)) => site::start(self, *site).await,
            Verb::Start(Node::Server(server)) => self.server_up(*server, true),
            Verb::Stop(Node::Site(site)) => site::stop(self, *site, "stop"),
            Verb::Kill(Node::Site(site)) => site::stop(self, *site, "crash"),
            Verb::Stop(Node::Server(server)) | Verb::Kill(Node::Server(server)) => {
                self.server_up(*server, false)
            }
            Verb::Cut { link } => self.change_path(*link, |path| path.cut = true),
            Verb::Heal { link } => self.change_path(*link, |path| path.cut = false),
            Verb::Slow { link, quality } => self.change_path(*link, |path| match quality {
                Quality::Latency(latency) => path.latency = *latency,
                Quality::Jitter(jitter) => path.jitter = *jitter,
                Quality::Loss(loss) => path.loss = *loss,
                Quality::Bandwidth(bandwidth) => path.bandwidth = *bandwidth,
            }),
            Verb::Drop { server } => self.server_up(*server, false),
            Verb::Return { server } => self.server_up(*server, true),
            Verb::Reset { site, server } => self.reset(*site, *server),
            Verb::Dns { up } => {
                self.dns.borrow_mut().power(*up);
                let text = if *up { "return dns" } else { "drop dns" };
                self.tell("world", &Note::new("fault").text("text", text));
            }
            Verb::Amend { zone, server, record } => {
                self.dns.borrow_mut().amend(*zone, *server, *record);
                let (zone, server) = (&self.plan.zones[*zone].name, &self.plan.servers[*server].name);
                let text = if record.is_some() { "leads to" } else { "leads no more to" };
                self.tell("world", &Note::new("note").text("text", format_args!("{zone} {text} {server}")));
            }
            Verb::Answer { server, method, reply } => self.behave(*server, method.as_deref(), reply),
            Verb::Drill { site, tier } => {
                if let Some(process) = &self.sites[*site].process {
                    process.omm.do_send(Rehearse(*tier));
                }
            }
            Verb::Behave { server, quirks } => self.tell_server(*server, UasInput::Misbehave(quirks.clone())),
            Verb::Improve { server, names } => self.tell_server(*server, UasInput::Improve(names.clone())),
            Verb::Clock { site, ahead_ms, adds } => {
                let skew = &self.sites[*site].skew;
                skew.set(if *adds { skew.get().saturating_add(*ahead_ms) } else { *ahead_ms });
            }
            Verb::Locate { phone, site } => self.locate(*phone, *site),
            Verb::Detach { phone, .. } => self.phones[*phone].do_send(Carry::Detach),
            Verb::Silence { phone } => self.phones[*phone].do_send(Carry::Silence),
            Verb::CallBegins { user } => self.call(*user, true),
            Verb::CallEnds { user } => self.call(*user, false),
            Verb::Login { user, phone, site } => self.login(*user, *phone, *site),
            Verb::Logout { user, phone, site } => self.logout(*user, *phone, *site),
            Verb::Edit { site, order } => edits::give(self, *site, order).await,
            Verb::Supply(order) => external::order(self, order),
            Verb::Operate { site, operation } => operations::perform(self, *site, operation).await,
            Verb::Weigh => edits::weigh(self),
            Verb::Note(text) => self.tell("world", &Note::new("note").text("text", text)),
            Verb::End => {}
        }
    }
}

impl World {
    fn server_up(&self, server: usize, up: bool) {
        self.network.do_send(Change::Up(self.servers[server].0, up));
        self.network.do_send(Change::Deaf(sip_address(self.servers[server].0), !up));
        let fault = if up { "return" } else { "drop" };
        self.tell(&self.plan.servers[server].name, &Note::new("fault").text("text", fault));
    }

    /// The streams from a site to a server break.
    fn reset(&self, site: usize, server: usize) {
        self.network.do_send(Change::Reset(sip_address(self.servers[server].0), site));
        let (site, server) = (&self.plan.sites[site].name, &self.plan.servers[server].name);
        self.tell(site, &Note::new("fault").text("text", "reset").text("peer", server));
    }

    fn change_path(&mut self, link: usize, change: impl FnOnce(&mut Path)) {
        let path = &mut self.paths[link];
        let cut = path.cut;
        change(path);
        let (path, (a, b)) = (*path, self.plan.links[link].ends);
        self.network.do_send(Change::Path(a, b, path));
        if cut != path.cut {
            let text = if path.cut { "cut" } else { "heal" };
            let peer = &self.plan.sites[b].name;
            self.tell(&self.plan.sites[a].name, &Note::new("fault").text("text", text).text("peer", peer));
        }
    }

    fn behave(&self, server: usize, method: Option<&str>, reply: &Reply) {
        let answer = match reply {
            Reply::Normal => Behaviour::Normal,
            Reply::Silence => Behaviour::Silence,
            Reply::Code { code, header } => {
                let lines = header.iter().map(|(name, value)| (name.to_string(), value.to_string()));
                Behaviour::Code(*code, lines.collect())
            }
        };
        let input = UasInput::Behave { method: method.map(str::to_owned), answer };
        self.servers[server].1.do_send(Behave(input));
    }

    fn tell_server(&self, server: usize, input: UasInput) {
        self.servers[server].1.do_send(Behave(input));
    }

    /// The user of a phone registers from `site`.
    fn locate(&mut self, phone: usize, site: usize) {
        if let Some(user) = self.plan.phones[phone].user {
            self.carry(user, phone, site);
        }
    }

    fn carry(&mut self, user: usize, phone: usize, site: usize) {
        let place = &self.plan.sites[site];
        let (addr, name) = (SocketAddr::V4(place.address), place.name.clone());
        let target = Target { transport: Transport::Udp, addr };
        let omm =
            Arc::new(Server { name, tier: 0, targets: vec![target], spare: false, way: Way::default() });
        let account = Arc::new(self.phone_account(user, phone));
        let actor = &self.phones[phone];
        let own = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from(0x0a80_0000 + phone as u32), 5060));
        self.network.do_send(Change::Plug { addr: own, place: site, inbox: actor.clone().recipient() });
        actor.do_send(Carry::Locate { account, omm });
        self.user_site[user] = site;
    }

    /// A phone asks for the time in which it is believed to be there, and comes back earlier.
    fn phone_account(&self, user: usize, phone: usize) -> Account {
        let (user, phone) = (&self.plan.users[user], &self.plan.phones[phone]);
        let name = self.login_name(user);
        Account {
            aor: format!("sip:{name}@{DOMAIN}").into(),
            registrar: format!("sip:{DOMAIN}").into(),
            username: name.clone(),
            password: password(&user.number),
            expires: self.tuning.watch.stop,
            instance: Some(format!("urn:ipei:{}", phone.ipei).into()),
            reg_id: Some(1),
            options: Options::default(),
        }
    }

    /// Under which name the user logs in.
    pub(crate) fn login_name<'u>(&self, user: &'u User) -> &'u Arc<str> {
        let id = user.id.as_ref().filter(|_| self.tuning.login == Variant::Id);
        id.unwrap_or(&user.number)
    }

    fn login(&mut self, user: usize, phone: usize, site: usize) {
        self.carry(user, phone, site);
    }

    /// Logging out is between the phone and its OMM: no SIP is spoken.
    fn logout(&self, user: usize, phone: usize, site: usize) {
        self.phones[phone].do_send(Carry::Silence);
        let number = Number::new(&self.plan.users[user].number);
        if let (Some(process), Ok(user)) = (&self.sites[site].process, number) {
            process.omm.do_send(Left { user, device: None, how: Leave::LoggedOut, ask: None });
        }
    }

    fn call(&self, user: usize, active: bool) {
        let number = Number::new(&self.plan.users[user].number);
        if let (Some(process), Ok(user)) = (&self.sites[self.user_site[user]].process, number) {
            process.omm.do_send(Call { user, active });
        }
    }
}

/// The password of every user of a scenario; there is nothing to hide.
pub(crate) fn password(number: &str) -> Secret {
    Secret::new(format!("secret-{number}"))
}

/// Makes users of the plan known to a registrar, which knows all, or to the phones' side of an OMM, which knows those
/// that its file has.
pub(crate) fn enrol<'a>(uas: &mut Uas, users: impl IntoIterator<Item = &'a User>) {
    use machine::step::Machine;
    use sip::registrar::subscriber::Subscriber;

    let mut effects = Vec::new();
    for user in users {
        let subscriber = Subscriber {
            aor: format!("sip:{}@{DOMAIN}", user.number),
            username: user.number.to_string(),
            password: password(&user.number),
        };
        uas.on(Moment::START, UasInput::Account(subscriber), &mut effects);
    }
    debug_assert!(effects.is_empty(), "an account is no event");
}
