//! Starting and stopping the OMM of a virtual site: the same actors as in the service, behind virtual doors.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler};
use actors::clock::{Calendar, Clock};
use actors::direct::Manner;
use actors::messages::{self, Die};
use actors::omm::inspect::Entrance;
use actors::omm::{Birth, OmmActor};
use actors::site::Site;
use actors::trace::Trace;
use machine::chance::Chance;
use machine::note::Note;
use machine::time::Moment;
use omm::directory::Directory;
use omm::directory::edit::{NewDevice, NewUser};
use omm::directory::user::Kind;
use omm::ids::{Ipei, Number};
use omm::platform::Platform;
use omm::stamp::OmmId;
use omm::star::Role;
use sip::server::{Listening, Local, Server, Way};
use sip::target::{Target, Transport};
use sip::uas::Uas;
use tokio::sync::Notify;

use crate::dns::{Finder, Seeker};
use crate::edits;
use crate::external;
use crate::memory::Memory;
use crate::network::Change;
use crate::network::door::{Branch, Port, Trunk};
use crate::plan::{Phone, Plan};
use crate::script::world::Binding;
use crate::world::{DOMAIN, Process, World, enrol, password};

/// What others dial to reach the OMM of a site.
fn axi_address(plan: &Plan, site: usize) -> String {
    format!("{}:12622", plan.sites[site].address.ip())
}

/// How long after its fall an OMM is hired again, as the service's boss does.
pub(crate) const REHIRE: Duration = Duration::from_secs(1);

/// Starts the OMM of a site from what its disk holds; nothing happens when it runs already.
pub(crate) async fn start(world: &mut World, at: usize) {
    if world.sites[at].process.is_some() {
        return;
    }
    let alive = Rc::new(Cell::new(true));
    world.sites[at].starts += 1;
    world.sites[at].rehire = None;
    let birth = birth(world, at, &alive);
    let (trace, clock) = (birth.site.trace.clone(), birth.site.clock.clone());
    let directory = birth.directory.clone();
    trace.tell(clock.moment(), "world", &Note::new("start"));
    let omm = match OmmActor::new(birth) {
        Ok(omm) => omm.start(),
        Err(fault) => {
            trace.tell(clock.moment(), "world", &Note::new("fault").text("text", fault));
            return;
        }
    };
    edits::tell_shown(world, &directory.borrow(), &trace);
    let place = &world.plan.sites[at];
    let addr = SocketAddr::V4(place.address);
    if let Ok(Some(endpoint)) = omm.send(Entrance).await {
        world.network.do_send(Change::Plug { addr, place: at, inbox: endpoint.recipient() });
    }
    if place.central || world.tuning.direct {
        let address = axi_address(&world.plan, at);
        world.network.do_send(Change::Listen { address, place: at, accept: omm.clone().recipient() });
    }
    world.sites[at].process = Some(Process { omm, directory, alive });
}

/// Ends the OMM of a site at once: what it had not made durable is lost, what it had not sent is not sent.
pub(crate) fn stop(world: &mut World, at: usize, event: &'static str) {
    world.sites[at].rehire = None;
    let Some(process) = world.sites[at].process.take() else { return };
    process.alive.set(false);
    process.omm.do_send(Die);
    let place = &world.plan.sites[at];
    world.network.do_send(Change::Up(SocketAddr::V4(place.address), false));
    world.network.do_send(Change::Dead { address: axi_address(&world.plan, at), place: at });
    world.tell(&place.name, &Note::new(event));
}

/// Buries the OMMs that fell over since the last time; new ones are hired a moment later, unless the script says
/// something else in between.
pub(crate) fn bury(world: &mut World) {
    let now = world.now();
    for (at, life) in world.fallen.take() {
        if world.sites[at].starts == life && world.sites[at].process.is_some() {
            stop(world, at, "crash");
            world.sites[at].rehire = Some(now + REHIRE);
        }
    }
}

/// When the next OMM that fell over is hired again.
pub(crate) fn next_rehire(world: &World) -> Option<Moment> {
    world.sites.iter().filter_map(|site| site.rehire).min()
}

/// Hires those for whom it is time.
pub(crate) async fn rehire(world: &mut World) {
    let now = world.now();
    for at in 0..world.sites.len() {
        if world.sites[at].rehire.is_some_and(|due| due <= now) {
            start(world, at).await;
        }
    }
}

fn birth(world: &World, at: usize, alive: &Rc<Cell<bool>>) -> Birth {
    let plan = &world.plan;
    let place = &plan.sites[at];
    let omm = OmmId::new(place.park.pari);
    let addr = SocketAddr::V4(place.address);
    let calendar = Calendar::Scripted { base: plan.wall, skew: world.sites[at].skew.clone() };
    let clock = Rc::new(Clock::new(world.origin, calendar, omm));
    let trace = world.trace(&place.name, alive);
    // A restarted process draws afresh: its branches and Call-IDs must not repeat those of its former life.
    let seed = Chance::of(world.seed, &format!("{}/{}", place.name, world.sites[at].starts)).next();
    let servers = servers(world, at);
    let site = Rc::new(Site {
        node: place.name.clone(),
        omm,
        seed,
        hired: Cell::new(0),
        clock,
        trace,
        local: Arc::new(Local {
            sent_by: addr.to_string(),
            host: place.address.ip().to_string(),
            agent: "homing".to_owned(),
            overload: true,
            listening: Listening {
                tcp: Some(place.address.port()),
                tls: Some(Transport::Tls.default_port()),
            },
        }),
        contact_host: addr.to_string(),
        domain: DOMAIN.to_owned(),
        servers,
        expires: world.tuning.expires,
        index: index(plan, at),
        options: world.tuning.options.clone(),
        login: world.tuning.login,
        link_timing: world.tuning.link(),
        mode: world.tuning.mode,
        shape: world.tuning.shape,
        sip_timing: Arc::new(world.tuning.sip.clone()),
        policy: Arc::new(world.tuning.policy.clone()),
        watch: world.tuning.watch,
    });
    let mut uas = Uas::new(world.tuning.phones(DOMAIN, addr, plan), Chance::of(seed, "endpoint"));
    enrol(&mut uas, plan.users.iter().filter(|user| !user.later));
    let port = Port { network: world.network.clone(), addr, alive: alive.clone() }.start();
    let trunk = Trunk { network: world.network.clone(), place: at }.start();
    let undertaker = Undertaker {
        at,
        life: world.sites[at].starts,
        trace: site.trace.clone(),
        clock: site.clock.clone(),
        fallen: world.fallen.clone(),
    };
    let central = plan.sites.iter().position(|site| site.central);
    let role = if place.central { Role::Central } else { Role::Remote };
    let branch = Branch { network: world.network.clone(), place: at }.start();
    let finder = |zone: usize| Finder { dns: world.dns.clone(), zone }.start().recipient();
    let named = place.named.iter();
    let dns = named.filter_map(|(tier, zone)| Some((u8::try_from(*tier).ok()?, finder(*zone)))).collect();
    Birth {
        role,
        directory: Rc::new(RefCell::new(directory(plan, place.platform))),
        uas,
        detached: false,
        sari: world.tuning.sari(plan, at),
        attach: central.filter(|_| role == Role::Remote).map(|hub| {
            let hosts = place.omm1.into_iter().chain([hub]);
            let addresses = hosts.map(|host| axi_address(plan, host).into()).collect();
            world.tuning.attach(plan, at, addresses, axi_address(plan, at))
        }),
        direct: world.tuning.direct.then_some(Manner { plain: true }),
        roster: (role == Role::Central).then(|| world.tuning.roster(plan, at)),
        sip: port.recipient(),
        streams: Some(branch.recipient()),
        dns,
        places: Some(Seeker { dns: world.dns.clone() }.start().recipient()),
        dial: trunk.recipient(),
        reception: None,
        provisioning: external::provisioning(world, at),
        stories: None,
        store: Rc::new(Memory::new(world.sites[at].disk.clone(), alive.clone(), world.tuning.disk_latency)),
        fallen: undertaker.start().recipient(),
        site,
    }
}

/// The tiers of a site. One that is a name in the DNS has that name, and the targets to which it leads now.
fn servers(world: &World, at: usize) -> Vec<Arc<Server>> {
    let (plan, site) = (&world.plan, &world.plan.sites[at]);
    let spare = site.tiers.len() > 1;
    let server = |(tier, server): (usize, &usize)| {
        let server = &plan.servers[*server];
        let own = Target { transport: server.transport, addr: SocketAddr::V4(server.address) };
        let (name, targets) = match site.named.get(&tier) {
            Some(zone) => {
                let found = world.dns.borrow().answer(*zone).map(|(targets, _)| targets);
                (plan.zones[*zone].name.clone(), found.unwrap_or_default())
            }
            None => (server.name.clone(), vec![own]),
        };
        let way = Way { domain: Some(DOMAIN.into()), ..Way::default() };
        Arc::new(Server { name, tier: u8::try_from(tier).unwrap_or(u8::MAX), targets, spare, way })
    };
    site.tiers.iter().enumerate().map(server).collect()
}

/// The place of a site in the roster, for the reg-id: only where a server keeps bindings by instance and reg-id.
fn index(plan: &Plan, at: usize) -> Option<u8> {
    let outbound =
        plan.sites[at].tiers.iter().any(|server| plan.servers[*server].binding == Binding::Outbound);
    u8::try_from(at).ok().filter(|_| outbound)
}

/// The users and handsets of the plan, the same at every site (M-2-a).
fn directory(plan: &Plan, platform: Platform) -> Directory {
    let mut directory = Directory::new(platform);
    let there = || plan.phones.iter().filter(|phone| !plan.is_later(phone));
    let known = there().filter_map(|phone| Some((phone, phone.ipei.parse::<Ipei>().ok()?)));
    let devices = known.map(|(phone, ipei)| {
        let mut device = NewDevice::new(ipei);
        let home = phone.pari_only.then(|| OmmId::new(plan.sites[phone.site].park.pari));
        device.fields.pari_only = Some(home);
        device
    });
    if let Err(refusal) = directory.plant_devices(devices) {
        debug_assert!(false, "the plan has checked its phones: {refusal}");
    }
    let phones: BTreeMap<usize, &Phone> =
        plan.phones.iter().rev().filter_map(|phone| Some((phone.user?, phone))).collect();
    let entries =
        plan.users.iter().enumerate().filter(|(_, user)| !user.later).filter_map(|(index, user)| {
            let mut entry = NewUser::new(Number::new(&user.number).ok()?, password(&user.number));
            entry.fields.expires = Some(user.expires);
            entry.fields.vip = Some(user.vip);
            entry.fields.add_id = user.id.as_deref().map(str::to_owned);
            let ipei = phones.get(&index).and_then(|phone| phone.ipei.parse::<Ipei>().ok());
            entry.relation = ipei.and_then(|ipei| directory.device(ipei)).map(|device| {
                (if device.admin.pari_only.is_some() { Kind::Fixed } else { Kind::Dynamic }, device.ppn)
            });
            Some(entry)
        });
    let entries: Vec<NewUser> = entries.collect();
    if let Err(refusal) = directory.plant_users(entries) {
        debug_assert!(false, "the plan has checked its users: {refusal}");
    }
    directory
}

/// The OMMs that fell over and were not buried yet: which site, and the how-manieth of its lives.
#[derive(Default)]
pub(crate) struct Fallen {
    waiting: RefCell<Vec<(usize, u32)>>,
    bell: Notify,
}

impl Fallen {
    /// Returns when somebody fell.
    pub(crate) async fn heard(&self) {
        self.bell.notified().await;
    }

    fn take(&self) -> Vec<(usize, u32)> {
        self.waiting.take()
    }
}

/// Hears that an OMM has to start over. In a scenario that is a fault of the program, and is said aloud.
struct Undertaker {
    at: usize,
    life: u32,
    trace: Trace,
    clock: Rc<Clock>,
    fallen: Rc<Fallen>,
}

impl Actor for Undertaker {
    type Context = Context<Self>;
}

impl Handler<messages::Fallen<Arc<str>>> for Undertaker {
    type Result = ();

    fn handle(&mut self, messages::Fallen(node): messages::Fallen<Arc<str>>, _: &mut Context<Self>) {
        let note = Note::new("fault").text("text", format_args!("the OMM of {node} fell over"));
        self.trace.tell(self.clock.moment(), "world", &note);
        self.fallen.waiting.borrow_mut().push((self.at, self.life));
        self.fallen.bell.notify_one();
    }
}
