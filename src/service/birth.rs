//! From a site's configuration to what its OMM is born with.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use ::actors::clock::Clock;
use ::actors::direct::Manner;
use ::actors::doors::{Datagram, Dial, Fetch, OpenFlow, Resolve, Seek};
use ::actors::epr::Provisioning;
use ::actors::messages::Fallen;
use ::actors::office::Reception;
use ::actors::omm::Birth;
use ::actors::site::Site as Settings;
use ::actors::store::Store;
use ::actors::trace::Trace;
use ::axi::account::{self, Account, Accounts, Proof};
use ::axi::open::Permission;
use ::axi::system::UserDataServer;
use actix::{Actor as _, Addr, Recipient};
use machine::chance::Chance;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use omm::directory::Directory;
use omm::directory::edit::{NewDevice, NewUser};
use omm::directory::key::Ppn;
use omm::directory::refusal::Refusal;
use omm::directory::user::Kind;
use omm::ids::park::Sari;
use omm::link::census::Census;
use omm::link::dial::Attach;
use omm::link::frame::Facts;
use omm::link::neighbour::Door;
use omm::link::roster::Roster;
use omm::link::timing::Timing as LinkTiming;
use omm::roaming::policy::Policy;
use omm::stamp::OmmId;
use omm::star;
use omm::watchdog::Class as Watch;
use sip::host::Host;
use sip::registrar::subscriber::Subscriber;
use sip::server::{Listening, Local, Server};
use sip::shaper::Shape;
use sip::timing::Timing;
use sip::uas::profile::{Auth, Profile};
use sip::uas::{Input, Uas};

use crate::config::epr::{Epr, Source};
use crate::config::link::Axi;
use crate::config::site::{Role, Site};
use crate::config::timers::Timers;
use crate::config::users;
use crate::hash::Hasher;
use crate::keys::Vault;

/// Tolerance of the location period (spec 8: 60 s; one unit of the DECT timer is 41 s).
const LOCATION_TOLERANCE: std::time::Duration = std::time::Duration::from_secs(60);

/// The name in User-Agent and Server lines.
pub const AGENT: &str = concat!("homing/", env!("CARGO_PKG_VERSION"));

/// What a birth needs besides the configuration.
pub struct Midwife {
    /// The SIP servers by tier, found in the DNS.
    pub servers: Vec<Arc<Server>>,
    /// The OMM's clocks.
    pub clock: Rc<Clock>,
    /// Whoever watches.
    pub trace: Trace,
    /// The seed of everything that needs chance but no secrecy.
    pub seed: u64,
    /// The key of the nonces.
    pub key: Secret,
    /// The SIP door.
    pub sip: Recipient<Datagram>,
    /// The door for SIP streams.
    pub streams: Recipient<OpenFlow>,
    /// The DNS, for each tier whose server has a name.
    pub dns: BTreeMap<u8, Recipient<Resolve>>,
    /// The DNS, for whatever else a server may name.
    pub places: Recipient<Seek>,
    /// The AXI door.
    pub dial: Recipient<Dial>,
    /// Where other OMMs can call this one.
    pub door: Option<Door>,
    /// Who holds the key of the AXI server.
    pub vault: Addr<Vault>,
    /// Who reads files of external users.
    pub provisioner: Option<Recipient<Fetch>>,
    /// The store.
    pub store: Rc<dyn Store>,
    /// Who hires a new OMM when this one has to start over.
    pub fallen: Recipient<Fallen<Arc<str>>>,
}

/// Who the OMM of `site` is.
pub fn identity(site: &Site) -> OmmId {
    OmmId::new(site.park.ari.bits())
}

/// What the OMM of `site` is born with.
///
/// # Errors
/// The users contradict each other in a way that the configuration did not find.
pub fn birth(site: &Site, midwife: Midwife) -> Result<Birth, Refusal> {
    let Midwife { servers, clock, trace, seed, key, sip, streams, dns, places, dial, vault, .. } = midwife;
    let (door, provisioner, store, fallen) =
        (midwife.door, midwife.provisioner, midwife.store, midwife.fallen);
    let facts = facts(site, sari(site), clock.wall());
    let link = site.link.as_ref();
    let uas = uas(site, &clock, seed, key);
    let settings = Rc::new(Settings {
        node: site.name.as_str().into(),
        omm: identity(site),
        seed,
        hired: std::cell::Cell::new(0),
        clock,
        trace,
        local: Arc::new(Local {
            sent_by: site.sip.contact.clone(),
            host: contact_host(site),
            agent: AGENT.to_owned(),
            overload: site.overload,
            listening: listening(site),
        }),
        contact_host: site.sip.contact.clone(),
        domain: site.sip.domain.clone(),
        servers,
        expires: site.expires,
        index: site.outbound,
        mode: site.mode,
        shape: Shape { hold: site.timers.failover, ..site.sip.shape },
        options: site.options.clone(),
        login: site.sip.login,
        sip_timing: Arc::new(sip_timing(&site.timers)),
        link_timing: link_timing(&site.timers),
        policy: Arc::new(policy(site)),
        watch: watch(&site.timers),
    });
    Ok(Birth {
        site: settings,
        role: match site.role {
            Role::Central => star::Role::Central,
            Role::Remote => star::Role::Remote,
        },
        directory: Rc::new(RefCell::new(directory(site)?)),
        uas,
        detached: false,
        direct: link.filter(|link| link.direct).map(|link| Manner { plain: link.tls.is_none() }),
        sari: facts.sari,
        attach: link.map(|link| Attach {
            addresses: std::iter::once(&link.omm1)
                .chain(&link.omm2)
                .map(|place| place.as_str().into())
                .collect(),
            user: link.user.as_str().into(),
            password: link.password.clone(),
            facts,
            door: door.filter(|_| link.direct),
            // All users come from the configuration, which is the same at all sites: none is this OMM's own.
            census: Census::default(),
            adopt: false,
            timing: link_timing(&site.timers),
        }),
        roster: site
            .axi
            .as_ref()
            .filter(|_| site.role == Role::Central)
            .map(|axi| Roster::new(axi.user.as_str().into(), axi.password.clone(), facts)),
        sip,
        streams: Some(streams),
        dns,
        places: Some(places),
        dial,
        provisioning: site
            .epr
            .as_ref()
            .zip(provisioner)
            .map(|(epr, door)| Provisioning { policy: epr.policy, door }),
        reception: site.axi.as_ref().map(|axi| reception(site, axi, &vault)),
        store,
        fallen,
    })
}

/// What it takes to receive AXI clients: the account that other OMMs use is the built-in one of applications as well.
fn reception(site: &Site, axi: &Axi, vault: &Addr<Vault>) -> Reception {
    let all = || account::implied([Permission::AllCnfWrite, Permission::Monitoring]);
    let omm = Account {
        id: account::OMM,
        username: axi.user.clone(),
        password: Proof::Clear(axi.password.clone()),
        permissions: all(),
        active: true,
    };
    let root = Account {
        id: account::ROOT,
        username: "root".to_owned(),
        password: Proof::Clear(axi.root_password.clone().unwrap_or_default()),
        permissions: all(),
        active: true,
    };
    let others = (account::ROOT + 1..).zip(&site.accounts).map(|(id, account)| Account {
        id,
        username: account.name.clone(),
        password: Proof::Clear(account.password.clone()),
        permissions: account::implied(account.permissions.iter().copied()),
        active: true,
    });
    let hasher = Hasher::default().start();
    Reception {
        accounts: Accounts::of([omm, root].into_iter().chain(others)),
        product: AGENT.to_owned(),
        platform: site.platform,
        external: site.epr.as_ref().map(user_data_server),
        vault: vault.clone().recipient(),
        key: vault.clone().recipient(),
        hash: hasher.clone().recipient(),
        verify: hasher.recipient(),
    }
}

/// What clients are told of where external users come from.
pub fn user_data_server(epr: &Epr) -> UserDataServer {
    let (protocol, host, path) = match &epr.source {
        Source::Folder(folder) => ("FILE", String::new(), folder.display().to_string()),
        Source::Server { host, path, tls: None, .. } => ("HTTP", host.clone(), path.clone()),
        Source::Server { host, path, tls: Some(_), .. } => ("HTTPS", host.clone(), path.clone()),
    };
    let username = epr.account.as_ref().map_or_else(String::new, |(user, _)| user.clone());
    UserDataServer { enabled: epr.policy.enabled, protocol, host, path, username, common: epr.policy.common }
}

/// What this OMM tells of itself.
pub fn facts(site: &Site, sari: Option<Sari>, wall: Wall) -> Facts {
    let (protocol, platform, pli) = (site.axi_protocol, site.platform, site.park.pli);
    Facts { omm: identity(site), term: 0, protocol, platform, pli, sari, wall }
}

/// What a central's SARI is from its first start on, unless the administrator wants to say when: that of its PARK (spec
/// 4.4). A remote learns it from the central.
fn sari(site: &Site) -> Option<Sari> {
    let axi = site.axi.as_ref().filter(|_| site.role == Role::Central)?;
    (!axi.generate_sari).then(|| Sari::derive(site.park))
}

fn contact_host(site: &Site) -> String {
    Host::parse_with_port(&site.sip.contact)
        .map_or_else(|_| site.sip.contact.clone(), |(host, _)| host.to_string())
}

/// Where registrars can connect: at the host of the contact. Its port counts where TCP is taken on the port of UDP, so
/// that one port forwarded by a NAT serves for both.
fn listening(site: &Site) -> Listening {
    let told = Host::parse_with_port(&site.sip.contact).ok().and_then(|(_, port)| port);
    let port = |at: SocketAddr| match told {
        Some(told) if at.port() == site.sip.listen.port() => told,
        Some(_) | None => at.port(),
    };
    Listening {
        tcp: site.sip.listen_tcp.map(port),
        tls: site.sip.listen_tls.as_ref().map(|secure| port(secure.listen)),
    }
}

/// What answers phones: it knows their passwords, and asks the OMM before it lets one in.
fn uas(site: &Site, clock: &Clock, seed: u64, key: Secret) -> Uas {
    let mut domains = vec![site.sip.domain.clone(), contact_host(site)];
    if !site.sip.listen.ip().is_unspecified() {
        let ip = site.sip.listen.ip();
        domains.push(if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
    }
    let profile = Profile {
        server: Some(AGENT.into()),
        domains,
        auth: Some(Auth {
            key: Some(key),
            algorithms: site.sip.digest.clone(),
            ..Auth::new(site.sip.domain.as_str())
        }),
        hold: true,
        strangers: site.epr.as_ref().is_some_and(|epr| epr.policy.enabled),
        began: Some(clock.wall().back(clock.moment().since(Moment::START))),
        ..Profile::default()
    };
    let mut uas = Uas::new(profile, Chance::of(seed, "endpoint"));
    let mut effects = Vec::new();
    for user in &site.users {
        let subscriber = Subscriber {
            aor: format!("sip:{}@{}", user.number, site.sip.domain.to_ascii_lowercase()),
            username: user.auth.clone(),
            password: user.password.clone(),
        };
        uas.on(clock.moment(), Input::Account(subscriber), &mut effects);
    }
    debug_assert!(effects.is_empty(), "an account is no event");
    uas
}

/// The users and handsets, the same at every site (M-2-a).
fn directory(site: &Site) -> Result<Directory, Refusal> {
    let mut directory = Directory::new(site.platform);
    let devices = site.users.iter().filter_map(|user| {
        let mut device = NewDevice::new(user.device?);
        device.fields.class = Some(user.class);
        device.fields.pari_only = Some(user.pari_only.map(|park| OmmId::new(park.ari.bits())));
        Some(device)
    });
    let mut rows = directory.plant_devices(devices)?.into_iter();
    let users = site.users.iter().map(|user| {
        let ppn = user.device.and_then(|_| rows.next());
        entry(user, ppn)
    });
    directory.plant_users(users)?;
    Ok(directory)
}

fn entry(user: &users::User, device: Option<Ppn>) -> NewUser {
    let mut entry = NewUser::new(user.number.clone(), user.password.clone());
    entry.fields.name = Some(user.name.clone());
    entry.fields.sip_auth_id = Some(user.auth.clone()).filter(|auth| *auth != user.number.as_str());
    entry.fields.expires = Some(user.expires);
    entry.fields.vip = Some(user.vip);
    entry.relation = device.map(|ppn| (Kind::Fixed, ppn));
    entry
}

fn policy(site: &Site) -> Policy {
    let timers = &site.timers;
    Policy {
        watchdog: Some(watch(timers)),
        evidence: site.evidence,
        alone: site.role == Role::Central && site.axi.is_none(),
        detach_hold: timers.detach_hold,
        announce: timers.announce,
        confirm: timers.confirm,
        confirm_again: timers.confirm_again,
        removal: timers.dereg,
        ..Policy::default()
    }
}

fn watch(timers: &Timers) -> Watch {
    Watch {
        overdue: (timers.location_period + LOCATION_TOLERANCE).min(timers.watchdog),
        stop: timers.watchdog,
        ..Watch::PERIODIC
    }
}

fn sip_timing(timers: &Timers) -> Timing {
    let usual = Timing::default();
    Timing {
        failover: timers.failover,
        rejected_first: timers.rejected,
        rejected_max: timers.rejected_max,
        probe_first: timers.probe,
        probe_max: timers.probe_max,
        probe_idle: timers.probe_idle,
        audit: timers.audit,
        probe_reply: usual.probe_reply.min(timers.failover),
        failback_hold: timers.failback_hold,
        ..usual
    }
}

fn link_timing(timers: &Timers) -> LinkTiming {
    LinkTiming {
        connect: timers.connect,
        open: timers.open,
        ping: timers.link_ping,
        dead: timers.link_dead,
        held: timers.held,
        skew_warn: timers.skew_warn,
        skew_stop: Some(timers.skew_stop),
        ..LinkTiming::default()
    }
}
