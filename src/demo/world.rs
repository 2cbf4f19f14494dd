//! Builds the demo: a PBX, three OMMs with real sockets and real stores, cables between them, three phones.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::actors::clock::{Calendar, Clock, Origin};
use ::actors::registrar::{Bound, Registrar};
use ::actors::trace::Trace;
use actix::{Actor, Addr};
use axi::account::Proof;
use machine::chance::Chance;
use machine::secret::Secret;
use machine::step::Machine;
use omm::directory::device::Class;
use omm::directory::login::Variant;
use omm::ids::{Ipei, Number};
use omm::platform::Platform;
use omm::roaming::policy::Evidence;
use omm::stamp::OmmId;
use serde_json::Value;
use sip::digest::Algorithm;
use sip::line::Mode;
use sip::registrar::Policy;
use sip::registrar::subscriber::Subscriber;
use sip::server::{Account, Options, Server, Way};
use sip::shaper::Shape;
use sip::target::{Target, Transport};
use sip::uas::profile::{Auth, Profile};
use sip::uas::{Input, Uas};
use tokio::sync::mpsc;

use super::cable::Cable;
use super::phone::{Make, Phone, Vanish};
use super::timeline::Timeline;
use crate::config::link::{Axi, Link};
use crate::config::server::{Server as Uri, Where};
use crate::config::site::{Role, Sip, Site};
use crate::config::tier::Tier;
use crate::config::timers::Timers;
use crate::config::users::User;
use crate::keys::Vault;
use crate::peer::{self, Dialer, Greeting};
use crate::registrar::stand;
use crate::service::ask::Ask;
use crate::service::birth::{AGENT, identity};
use crate::service::boss::{Boss, Outfit, Quit};
use crate::sockets::UdpDoor;
use crate::sockets::streams::StreamDoor;
use crate::store::{self, Engine};

/// The watchdog of the demo; 2 h 30 min in real life (M-2.1.4.3-b).
pub(super) const WATCHDOG: Duration = Duration::from_secs(20);
/// How often its phones make themselves known; 2 h in real life (M-2.1.4.3-a).
const LOCATION_PERIOD: Duration = Duration::from_secs(6);
/// The SIP domain of the demo.
const DOMAIN: &str = "demo.example";
/// Sites, each with its PARK; the first is the central.
const SITES: [(&str, &str); 3] =
    [("central", "1F102A7C82"), ("berlin", "1F102F0E86"), ("aachen", "1F102AF12C")];
/// Users, each with the IPEI of the handset.
const USERS: [(&str, &str, &str); 3] = [
    ("101", "Anna", "03074 0220259 3"),
    ("102", "Bert", "02914 0376663 7"),
    ("103", "Carla", "57005 0782068 7"),
];

/// The demo's world.
pub(super) struct World {
    /// Where everything is printed.
    pub(super) timeline: Rc<Timeline>,
    pbx: Addr<Registrar>,
    sites: BTreeMap<&'static str, Place>,
    phones: BTreeMap<&'static str, RefCell<Handset>>,
    dir: PathBuf,
}

struct Place {
    omm: OmmId,
    boss: Addr<Boss>,
    sip: SocketAddr,
    cable: Option<Cable>,
}

struct Handset {
    make: Make,
    here: Option<Addr<Phone>>,
    travels: u32,
}

/// What everybody in the world shares.
struct Common {
    origin: Origin,
    timeline: Rc<Timeline>,
    seed: u64,
    key: Secret,
    dir: PathBuf,
}

impl Common {
    fn trace(&self, node: &str) -> Trace {
        let timeline = self.timeline.clone();
        Trace::new(node, Rc::new(move |seen| timeline.see(seen)))
    }

    fn clock(&self, omm: OmmId) -> Rc<Clock> {
        Rc::new(Clock::new(self.origin, Calendar::System, omm))
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

impl World {
    /// Builds everything and puts it into service.
    ///
    /// # Errors
    /// A socket cannot be opened, or the temporary folder cannot be written.
    pub(super) async fn build(seed: u64, key: Secret, json: bool) -> io::Result<World> {
        let origin = Origin::now();
        let dir = std::env::temp_dir().join(format!("homing-demo-{}", std::process::id()));
        fs::create_dir_all(&dir)?;
        let common =
            Common { origin, timeline: Rc::new(Timeline::new(origin, json)), seed, key, dir: dir.clone() };
        let (door, pbx_at) = UdpDoor::open(loopback()).await?;
        let nobody = OmmId::new(0);
        let pbx = stand(registrar(&common), &door, common.clock(nobody), common.trace("pbx"), false);
        let mut sites: BTreeMap<&'static str, Place> = BTreeMap::new();
        let mut hub = None;
        for (name, park) in SITES {
            let (place, axi) = place(&common, name, park, pbx_at, hub).await?;
            hub = hub.or(axi);
            common.timeline.name(place.omm.to_string(), name);
            sites.insert(name, place);
        }
        let mut phones = BTreeMap::new();
        for (number, _, _) in USERS {
            phones.insert(number, RefCell::new(handset(&common, number).await?));
        }
        Ok(World { timeline: common.timeline, pbx, sites, phones, dir })
    }

    /// The sites at which the PBX has the user registered, in the order of their names.
    pub(super) async fn bound(&self, number: &str) -> Vec<&'static str> {
        let aor = format!("sip:{number}@{DOMAIN}");
        let contacts = self.pbx.send(Bound(vec![aor])).await.unwrap_or_default().concat();
        let here = |place: &Place| {
            contacts.iter().any(|contact| contact.contains(&format!("hm-site={}", place.omm)))
        };
        self.sites.iter().filter(|(_, place)| here(place)).map(|(name, _)| *name).collect()
    }

    /// Whether the link of a remote is in step.
    pub(super) async fn in_step(&self, site: &str) -> bool {
        let Some(place) = self.sites.get(site) else { return false };
        let status = place.boss.send(Ask::Status).await.unwrap_or_default();
        status.pointer("/link/state").and_then(Value::as_str) == Some("up")
    }

    /// Carries a phone to a site; it says nothing at the place it leaves.
    pub(super) fn carry(&self, number: &str, site: &str) {
        self.silence(number);
        let (Some(handset), Some(place)) = (self.phones.get(number), self.sites.get(site)) else { return };
        let mut handset = handset.borrow_mut();
        handset.travels += 1;
        let target = Target::new(Transport::Udp, place.sip);
        let omm = Arc::new(Server {
            name: site.into(),
            tier: 0,
            targets: vec![target],
            spare: false,
            way: Way::default(),
        });
        handset.here = Some(Phone::arrive(handset.make.clone(), omm, handset.travels));
    }

    /// The phone vanishes.
    pub(super) fn silence(&self, number: &str) {
        if let Some(here) = self.phones.get(number).and_then(|handset| handset.borrow_mut().here.take()) {
            here.do_send(Vanish);
        }
    }

    /// Cuts the link of a remote.
    pub(super) fn cut(&self, site: &str) {
        if let Some(cable) = self.sites.get(site).and_then(|place| place.cable.as_ref()) {
            cable.cut();
        }
    }

    /// Heals it.
    pub(super) fn heal(&self, site: &str) {
        if let Some(cable) = self.sites.get(site).and_then(|place| place.cable.as_ref()) {
            cable.heal();
        }
    }

    /// Ends everything and leaves nothing behind.
    pub(super) async fn end(self) {
        for place in self.sites.values() {
            let _ = place.boss.send(Quit).await;
        }
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            tracing::warn!(%error, folder = %self.dir.display(), "the demo's folder could not be removed");
        }
    }
}

/// Puts one OMM into service. Also returns where it listens for others, if it does.
async fn place(
    common: &Common,
    name: &'static str,
    park: &str,
    pbx: SocketAddr,
    hub: Option<SocketAddr>,
) -> io::Result<(Place, Option<SocketAddr>)> {
    let (door, sip) = UdpDoor::open(loopback()).await?;
    let cable = match hub {
        Some(hub) => Some(Cable::lay(hub).await?),
        None => None,
    };
    let dial = cable.as_ref().map(|cable| cable.end.to_string());
    let site = site(common, name, park, sip, pbx, dial)
        .ok_or_else(|| io::Error::other("the demo's own data is bad"))?;
    let store = store::open(site.engine, &site.data_dir, "homing demo").map_err(io::Error::other)?;
    let omm = identity(&site);
    let (gave_up, _) = mpsc::channel(1);
    let boss = Boss::new(Outfit {
        clock: common.clock(omm),
        trace: common.trace(name),
        diary: Rc::default(),
        seed: Chance::of(common.seed, name).next(),
        key: common.key.clone(),
        door,
        streams: StreamDoor::new(None).start(),
        dialer: Dialer::new(None).start(),
        // Its three sites hear of each other through the central only.
        entrance: None,
        vault: Vault::default().start(),
        provisioner: None,
        store,
        gave_up,
        site: Rc::new(site),
    });
    let boss = boss.start();
    let axi = match &cable {
        Some(_) => None,
        None => Some(peer::listen(loopback(), Greeting::Plain, boss.clone().recipient()).await?),
    };
    Ok((Place { omm, boss, sip, cable }, axi))
}

/// The configuration of one OMM. `None` would be a mistake in the tables above.
fn site(
    common: &Common,
    name: &str,
    park: &str,
    sip: SocketAddr,
    pbx: SocketAddr,
    dial: Option<String>,
) -> Option<Site> {
    let data_dir = common.dir.join(name);
    let (user, password) = ("sync".to_string(), Secret::new("demo"));
    let short = Duration::from_secs;
    Some(Site {
        accounts: Vec::new(),
        name: name.into(),
        role: if dial.is_some() { Role::Remote } else { Role::Central },
        platform: Platform::Pc,
        park: park.parse().ok()?,
        axi_protocol: 45,
        control: data_dir.join("control.sock"),
        data_dir,
        engine: Engine::default(),
        axi: dial.is_none().then(|| Axi {
            root_password: None,
            listen: None,
            listen_plain: Some(loopback()),
            listen_static_rsa: None,
            certificate: None,
            generate_sari: false,
            user: user.clone(),
            password: Proof::Clear(password.clone()),
        }),
        epr: None,
        link: dial.map(|omm1| Link { omm1, omm2: None, user, password, tls: None, direct: true }),
        remotes: Vec::new(),
        sip: Sip {
            listen: sip,
            listen_other: None,
            listen_tcp: None,
            listen_tls: None,
            ca: None,
            contact: sip.to_string(),
            domain: DOMAIN.into(),
            digest: vec![Algorithm::SHA_256],
            login: Variant::Number,
            shape: Shape::default(),
        },
        tiers: vec![Tier {
            name: "pbx".into(),
            server: Uri {
                host: Where::Address(pbx.ip()),
                port: Some(pbx.port()),
                transport: None,
                secure: false,
            },
            registrar: None,
            outbound_proxy: None,
        }],
        expires: short(3600),
        evidence: Evidence::Off,
        outbound: None,
        mode: Mode::TopDown,
        overload: true,
        options: Options::default(),
        timers: Timers {
            watchdog: WATCHDOG,
            location_period: LOCATION_PERIOD,
            announce: Duration::from_millis(500),
            confirm: short(3),
            confirm_again: short(6),
            dereg: short(2),
            link_ping: short(1),
            link_dead: short(3),
            held: short(2),
            ..Timers::default()
        },
        users: USERS.iter().map(user_of).collect::<Option<_>>()?,
    })
}

fn password(number: &str) -> Secret {
    Secret::new(format!("demo-{number}"))
}

fn user_of((number, name, ipei): &(&str, &str, &str)) -> Option<User> {
    Some(User {
        number: Number::new(number).ok()?,
        name: (*name).into(),
        auth: (*number).into(),
        password: password(number),
        device: Some(ipei.parse::<Ipei>().ok()?),
        pari_only: None,
        vip: false,
        class: Class::Periodic,
        expires: None,
    })
}

async fn handset(common: &Common, number: &str) -> io::Result<Handset> {
    let (door, addr) = UdpDoor::open(loopback()).await?;
    let account = Account {
        aor: format!("sip:{number}@{DOMAIN}").into(),
        registrar: format!("sip:{DOMAIN}").into(),
        username: number.into(),
        password: password(number),
        expires: Duration::from_secs(3600),
        instance: None,
        reg_id: None,
        options: Options::default(),
    };
    let make = Make {
        number: number.into(),
        account: Arc::new(account),
        door,
        addr,
        period: LOCATION_PERIOD,
        clock: common.clock(OmmId::new(0)),
        seed: common.seed,
    };
    Ok(Handset { make, here: None, travels: 0 })
}

/// The PBX: knows the users and asks for their passwords.
fn registrar(common: &Common) -> Uas {
    let auth = Auth { key: Some(common.key.clone()), ..Auth::new(DOMAIN) };
    let profile = Profile {
        server: Some(AGENT.into()),
        domains: vec![DOMAIN.into()],
        policy: Policy::default(),
        auth: Some(auth),
        ..Profile::default()
    };
    let mut uas = Uas::new(profile, Chance::of(common.seed, "pbx"));
    let mut effects = Vec::new();
    for (number, _, _) in USERS {
        let subscriber = Subscriber {
            aor: format!("sip:{number}@{DOMAIN}"),
            username: number.into(),
            password: password(number),
        };
        uas.on(common.origin.moment(), Input::Account(subscriber), &mut effects);
    }
    debug_assert!(effects.is_empty(), "an account is no event");
    uas
}
