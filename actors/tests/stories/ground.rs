//! The ground the stories stand on: a paused clock, two registrars, phones, a disk, and bombs.
//!
//! A bomb is a listener of the trace that panics when it hears what it waits for, inside the actor that took the step.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Once};
use std::time::Duration;

use ::actors::clock::{Calendar, Clock, Origin};
use ::actors::messages::{Die, Fallen, Located};
use ::actors::omm::inspect::{Entrance, Find, Inspect, Status};
use ::actors::omm::{Birth, OmmActor};
use ::actors::site::Site;
use ::actors::trace::{Seen, Trace};
use ::actors::user::{Look, Profile};
use actix::prelude::*;
use machine::chance::Chance;
use machine::secret::Secret;
use machine::time::{Moment, Wall};
use omm::directory::Directory;
use omm::directory::edit::{NewDevice, NewUser};
use omm::directory::login::Variant;
use omm::directory::user::Kind;
use omm::ids::park::{Pari, Park, Pli, Sari};
use omm::ids::{Ipei, Number};
use omm::link::census::Census;
use omm::link::dial::Attach;
use omm::link::frame::Facts;
use omm::link::roster::Roster;
use omm::link::timing::Timing as LinkTiming;
use omm::platform::Platform;
use omm::roaming::policy::Policy;
use omm::stamp::OmmId;
use omm::star::Role;
use omm::watchdog::Class as Watch;
use sip::line::Mode;
use sip::server::{Listening, Local, Options, Server, Way};
use sip::shaper::Shape;
use sip::target::{Target, Transport};
use sip::timing::Timing;
use sip::uas::Uas;

pub(crate) mod disk;
pub(crate) mod line;
pub(crate) mod outside;

use disk::Disk;
use outside::{Outside, phones};

/// The primary and the secondary registrar, and the OMM.
pub(crate) const PBX: &str = "10.0.0.1:5060";
pub(crate) const SPARE: &str = "10.0.0.2:5060";
pub(crate) const OMM: &str = "10.0.1.1:5060";
/// How long a host waits before it hires a new OMM, as the service does.
pub(crate) const REHIRE: Duration = Duration::from_secs(1);

/// Runs a story in virtual time. A socket in it would panic: the runtime has no I/O driver.
pub(crate) fn story<F: Future<Output = ()> + 'static>(tale: F) {
    muffle();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(tale);
}

/// Panics that a bomb made are not printed: they are part of the story.
fn muffle() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&BANG) {
                loud(info);
            }
        }));
    });
}

/// What a bomb says.
pub(crate) const BANG: &str = "bang";

/// Virtual time passes.
#[expect(clippy::disallowed_methods, reason = "virtual time: no real time passes")]
pub(crate) async fn pass(span: Duration) {
    tokio::time::sleep(span).await;
}

/// Goes off when the trace line `who note` begins with `hears`.
struct Bomb {
    hears: String,
    times: usize,
}

/// One site in virtual time: what outlives its OMM.
pub(crate) struct Ground {
    pub(crate) clock: Rc<Clock>,
    pub(crate) disk: Rc<Disk>,
    pub(crate) outside: Addr<Outside>,
    pub(crate) host: Addr<Host>,
    shared: Rc<Shared>,
}

/// What the host needs to bring an OMM into the world.
struct Shared {
    clock: Rc<Clock>,
    disk: Rc<Disk>,
    outside: Addr<Outside>,
    seen: Rc<RefCell<Vec<(Moment, String)>>>,
    bombs: Rc<RefCell<Vec<Bomb>>>,
    /// Counts OMMs, as the seed of their chance.
    lives: Cell<u64>,
    role: Role,
    /// How REGISTERs are shaped.
    shape: Cell<Shape>,
    /// What a central derives its SARI from; `None` waits for an administrator.
    sari: Cell<Option<Sari>>,
    /// The directory of the OMM that was hired last.
    books: RefCell<Option<omm::directory::sync::Shared>>,
    /// Dials for a remote.
    dial: RefCell<Option<Recipient<::actors::doors::Dial>>>,
}

/// Hires the OMM, and a new one when it has to start over: what the service's boss does.
pub(crate) struct Host {
    shared: Rc<Shared>,
    omm: Option<Addr<OmmActor>>,
    falls: usize,
}

impl Actor for Host {
    type Context = Context<Self>;
}

impl Handler<Fallen<Arc<str>>> for Host {
    type Result = ();

    fn handle(&mut self, _: Fallen<Arc<str>>, ctx: &mut Context<Self>) {
        self.falls += 1;
        if let Some(omm) = self.omm.take() {
            omm.do_send(Die);
        }
        ctx.run_later(REHIRE, |host, ctx| host.hire(ctx));
    }
}

impl Host {
    fn hire(&mut self, ctx: &mut Context<Self>) {
        let birth = self.shared.birth(ctx.address().recipient());
        let omm = OmmActor::new(birth).expect("a store that can be read").start();
        self.omm = Some(omm);
    }
}

/// Has the host dismiss the OMM and hire another one a moment later.
#[derive(Message)]
#[rtype(result = "()")]
struct StartOver;

impl Handler<StartOver> for Host {
    type Result = ();

    fn handle(&mut self, _: StartOver, ctx: &mut Context<Self>) {
        if let Some(omm) = self.omm.take() {
            omm.do_send(Die);
        }
        ctx.run_later(REHIRE, |host, ctx| {
            // Somebody may have asked for it meanwhile.
            if host.omm.is_none() {
                host.hire(ctx);
            }
        });
    }
}

/// Asks the host for the OMM, hired if there is none, and how often one fell.
#[derive(Message)]
#[rtype(result = "(Option<Addr<OmmActor>>, usize)")]
pub(crate) struct Hire;

impl Handler<Hire> for Host {
    type Result = MessageResult<Hire>;

    fn handle(&mut self, _: Hire, ctx: &mut Context<Self>) -> Self::Result {
        if self.omm.is_none() && self.falls == 0 {
            self.hire(ctx);
        }
        MessageResult((self.omm.clone(), self.falls))
    }
}

impl Ground {
    /// A site with an OMM that is alone, or a central.
    pub(crate) async fn new() -> Ground {
        Ground::with(Role::Central, Origin::now()).await
    }

    /// A site at which an OMM lives.
    pub(crate) async fn with(role: Role, origin: Origin) -> Ground {
        let base = Wall::from_millis(1_760_000_000_000);
        let calendar = Calendar::Scripted { base, skew: Rc::new(Cell::new(0)) };
        let clock = Rc::new(Clock::new(origin, calendar, identity(role)));
        let disk = Rc::new(Disk::default());
        let outside = Outside::new(origin).start();
        let shared = Rc::new(Shared {
            clock: clock.clone(),
            disk: disk.clone(),
            outside: outside.clone(),
            seen: Rc::default(),
            bombs: Rc::default(),
            lives: Cell::new(0),
            role,
            shape: Cell::new(Shape::default()),
            sari: Cell::new(facts(role, Wall::default()).sari),
            books: RefCell::new(None),
            dial: RefCell::new(None),
        });
        let host = Host { shared: shared.clone(), omm: None, falls: 0 }.start();
        Ground { clock, disk, outside, host, shared }
    }

    /// The settings of one more life at this site.
    pub(crate) fn site(&self) -> Rc<Site> {
        self.shared.site()
    }

    /// Shapes the next OMM's REGISTERs like this.
    pub(crate) fn shapes(&self, shape: Shape) {
        self.shared.shape.set(shape);
    }

    /// The next OMM is a central whose SARI an administrator generates.
    pub(crate) fn waits_for_sari(&self) {
        self.shared.sari.set(None);
    }

    /// The next OMM is a central whose PARK leads to this SARI.
    pub(crate) fn derives(&self, sari: Sari) {
        self.shared.sari.set(Some(sari));
    }

    /// Has the OMM start over softly, as the service's boss does, and waits for the new one.
    pub(crate) async fn start_over(&self) {
        self.host.send(StartOver).await.expect("a host");
        pass(REHIRE).await;
        self.omm().await;
    }

    /// Gives the next OMM an AXI door.
    pub(crate) fn dials(&self, door: Recipient<::actors::doors::Dial>) {
        *self.shared.dial.borrow_mut() = Some(door);
    }

    /// The OMM that lives now.
    pub(crate) async fn omm(&self) -> Addr<OmmActor> {
        let omm = self.host.send(Hire).await.expect("a host").0.expect("an OMM");
        let entrance = omm.send(Entrance).await.expect("an OMM").expect("an endpoint");
        self.outside.do_send(outside::Inside(entrance.recipient()));
        omm
    }

    /// How often an OMM fell.
    pub(crate) async fn falls(&self) -> usize {
        self.host.send(Hire).await.expect("a host").1
    }

    /// The next `times` that a line of the trace begins with `hears` (`who note`), whoever took that step panics.
    pub(crate) fn bomb(&self, hears: &str, times: usize) {
        self.shared.bombs.borrow_mut().push(Bomb { hears: hears.to_owned(), times });
    }

    /// How many trace lines since `since` begin with `start`.
    pub(crate) fn seen(&self, since: Moment, start: &str) -> usize {
        let seen = self.shared.seen.borrow();
        seen.iter().filter(|(at, line)| *at >= since && line.starts_with(start)).count()
    }

    /// When a trace line since `since` began with `start` for the first time.
    pub(crate) fn first(&self, since: Moment, start: &str) -> Option<Moment> {
        let seen = self.shared.seen.borrow();
        seen.iter().find(|(at, line)| *at >= since && line.starts_with(start)).map(|(at, _)| *at)
    }

    /// The whole trace, to be printed by an assertion that fails.
    pub(crate) fn trace(&self) -> String {
        let seen = self.shared.seen.borrow();
        seen.iter().map(|(at, line)| format!("{at} {line}\n")).collect()
    }

    /// The phone of a user shows up, by the location API.
    pub(crate) async fn locate(&self, number: &str) {
        let located = Located { user: self.number(number), device: None, ask: None };
        self.omm().await.do_send(located);
    }

    pub(crate) fn number(&self, number: &str) -> Number {
        Number::new(number).expect("a number")
    }

    /// The digest of the directory of the OMM that lives now.
    pub(crate) fn digest(&self) -> omm::directory::content::Digest {
        self.shared.books.borrow().as_ref().expect("an OMM").borrow().digest()
    }

    /// A user as its actor sees it.
    pub(crate) async fn look(&self, number: &str) -> Profile {
        let user = self.omm().await.send(Find(self.number(number))).await.expect("an OMM");
        user.expect("a user").send(Look).await.expect("a user")
    }

    pub(crate) async fn status(&self) -> Status {
        self.omm().await.send(Inspect).await.expect("an OMM")
    }
}

/// Who an OMM is.
pub(crate) fn identity(role: Role) -> OmmId {
    OmmId::new(pari(role).bits())
}

fn pari(role: Role) -> Pari {
    let bits = if role == Role::Central { 0x102A_7000 } else { 0x102A_7010 };
    Pari::new(bits).expect("a PARI")
}

pub(crate) fn facts(role: Role, wall: Wall) -> Facts {
    let sari = (role == Role::Central).then(|| Sari::derive(Park { pli: Pli::FULL, ari: pari(role) }));
    Facts { omm: identity(role), term: 0, protocol: 45, platform: Platform::Pc, pli: Pli::FULL, sari, wall }
}

impl Shared {
    fn birth(&self, fallen: Recipient<Fallen<Arc<str>>>) -> Birth {
        let site = self.site();
        let facts = Facts { sari: self.sari.get(), ..facts(self.role, self.clock.wall()) };
        let attach = Attach {
            addresses: vec!["central:12622".into()],
            user: "omm".into(),
            password: Secret::new("omm"),
            facts,
            door: None,
            census: Census::default(),
            adopt: false,
            timing: LinkTiming::default(),
        };
        let dial = self.dial.borrow().clone();
        Birth {
            streams: None,
            dns: std::collections::BTreeMap::new(),
            places: None,
            role: self.role,
            directory: self.books.borrow_mut().insert(Rc::new(RefCell::new(directory()))).clone(),
            uas: Uas::new(phones(), Chance::of(7, "phones")),
            detached: false,
            direct: None,
            sari: facts.sari,
            attach: Some(attach).filter(|_| self.role == Role::Remote),
            roster: Some(Roster::new("omm".into(), Secret::new("omm"), facts))
                .filter(|_| self.role == Role::Central),
            sip: self.outside.clone().recipient(),
            dial: dial.unwrap_or_else(|| self.outside.clone().recipient()),
            reception: None,
            provisioning: None,
            stories: Some(self.outside.clone().recipient()),
            store: self.disk.clone(),
            fallen,
            site,
        }
    }

    fn site(&self) -> Rc<Site> {
        self.lives.set(self.lives.get() + 1);
        let server = |tier, name: &str, addr: &str| {
            let addr: SocketAddr = addr.parse().expect("an address");
            let targets = vec![Target::new(Transport::Udp, addr)];
            Arc::new(Server { name: name.into(), tier, targets, spare: true, way: Way::default() })
        };
        let (seen, bombs, node) = (self.seen.clone(), self.bombs.clone(), "here");
        let sink = move |line: Seen<'_>| {
            let text = format!("{} {}", line.who, line.note);
            let bang = bombs.borrow_mut().iter_mut().any(|bomb| bomb.goes_off(&text));
            seen.borrow_mut().push((line.moment, text));
            if bang {
                std::panic::panic_any(BANG);
            }
        };
        Rc::new(Site {
            node: node.into(),
            omm: identity(self.role),
            seed: self.lives.get(),
            hired: Cell::new(0),
            clock: self.clock.clone(),
            trace: Trace::new(node, Rc::new(sink)),
            local: Arc::new(Local {
                sent_by: OMM.to_owned(),
                host: "10.0.1.1".to_owned(),
                agent: "t".to_owned(),
                overload: true,
                listening: Listening::default(),
            }),
            contact_host: OMM.to_owned(),
            domain: outside::DOMAIN.to_owned(),
            servers: vec![server(0, "pbx", PBX), server(1, "spare", SPARE)],
            expires: Duration::from_secs(3600),
            index: None,
            mode: Mode::TopDown,
            shape: self.shape.get(),
            options: Options::default(),
            login: Variant::Number,
            sip_timing: Arc::new(Timing::default()),
            link_timing: LinkTiming::default(),
            policy: Arc::new(Policy { watchdog: Some(Watch::PERIODIC), ..Policy::default() }),
            watch: Watch::PERIODIC,
        })
    }
}

impl Bomb {
    fn goes_off(&mut self, line: &str) -> bool {
        let bang = self.times > 0 && line.starts_with(&self.hears);
        self.times -= usize::from(bang);
        bang
    }
}

/// The users 101, 102 and 103, each with a handset.
pub(crate) fn directory() -> Directory {
    let mut directory = Directory::new(Platform::Pc);
    for (psn, number) in (1..).zip(["101", "102", "103"]) {
        let ipei = Ipei::new(17, psn).expect("an IPEI");
        let done = directory.plant_device(NewDevice::new(ipei)).expect("a new handset");
        let mut user = NewUser::new(Number::new(number).expect("a number"), Secret::new("secret"));
        user.relation = done.ppn.map(|ppn| (Kind::Dynamic, ppn));
        directory.plant_user(user).expect("a new user");
    }
    directory
}
