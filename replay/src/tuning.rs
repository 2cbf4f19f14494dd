//! What a script's `set KEY VALUE` means for the machines: the timers and limits of spec section 8.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;
use omm::directory::login::Variant;
use omm::ids::park::{Pari, Park, Pli, Sari};
use omm::link::census::Census;
use omm::link::dial::Attach;
use omm::link::frame::Facts;
use omm::link::neighbour::Door;
use omm::link::roster::Roster;
use omm::link::timing::Timing as LinkTiming;
use omm::roaming::policy::{Evidence, Policy};
use omm::stamp::OmmId;
use omm::watchdog::Class;
use sip::digest::Algorithm;
use sip::line::Mode;
use sip::registrar::{Model, Policy as Grants};
use sip::server::Options;
use sip::shaper::{self, FIXED_SLOTS, FIXED_SPACING, SLOTS_FIRST, SLOTS_MAX, Shape};
use sip::timing::Timing;
use sip::uas::profile::{Auth as AskPassword, Profile};

use crate::plan::{Plan, Server};
use crate::script::setting::Setting;
use crate::script::world::{Auth, Binding};
use crate::world::DOMAIN;

/// M-2.1.4.3-a: handsets report at least every two hours.
const LOCATION_PERIOD: Duration = Duration::from_secs(2 * 3600);
/// What a REGISTER asks for (spec section 8).
const EXPIRES: Duration = Duration::from_secs(3600);
/// How often the files of external users are read. Ours: as the service does.
const EXTERNALS: Duration = Duration::from_secs(3600);
/// The protocol version of a site whose script does not say (OMM 7.1).
const PROTOCOL: u32 = 45;

/// Every setting of a world, with the defaults of spec section 8.
pub struct Tuning {
    /// The SIP side of OMMs and phones.
    pub sip: Timing,
    /// How the tiers of a site are used.
    pub mode: Mode,
    /// How REGISTERs are shaped.
    pub shape: Shape,
    /// Roaming.
    pub policy: Policy,
    /// When a silent handset is believed gone.
    pub watch: Class,
    /// How often a phone makes itself known.
    pub location_period: Duration,
    /// What an OMM does beyond the usual.
    pub options: Options,
    /// Under which names phones log in.
    pub login: Variant,
    /// What an OMM's REGISTERs ask for.
    pub expires: Duration,
    /// The longest and the shortest interval that registrars grant.
    pub grants: (Duration, Duration),
    /// How long a commit takes to reach the disk.
    pub disk_latency: Duration,
    /// How often the files of external users are read; `None` without any.
    pub external: Option<Duration>,
    /// Whether remotes speak directly when the central is gone (B-4).
    pub direct: bool,
    link: LinkTiming,
}

impl Tuning {
    /// The settings of a plan.
    pub fn of(plan: &Plan) -> Tuning {
        let set = Settings(&plan.settings);
        let period = set.time("location_period", LOCATION_PERIOD);
        let watch = Class {
            overdue: period + set.time("location_tolerance", Class::PERIODIC.overdue - LOCATION_PERIOD),
            stop: set.time("location_stop", Class::PERIODIC.stop),
            ..Class::PERIODIC
        };
        let evidence = match (set.switch("evidence"), set.switch("evict")) {
            (_, true) => Evidence::Evict,
            (true, false) => Evidence::Yield,
            (false, false) => Evidence::Off,
        };
        let rules = Policy::default();
        let policy = Policy {
            watchdog: Some(watch),
            evidence,
            detach_hold: set.time("detach_hold", rules.detach_hold),
            confirm: set.time("t_confirm", rules.confirm),
            confirm_again: set.time("t_confirm2", rules.confirm_again),
            removal: set.time("t_dereg", rules.removal),
            announce: set.time("announce", rules.announce),
            renew_gap: set.time("renew_coalescing", rules.renew_gap),
            ..rules
        };
        let grants = Grants::default();
        Tuning {
            sip: sip_timing(&set),
            mode: mode(&set),
            shape: shape(&set),
            policy,
            watch,
            location_period: period,
            options: Options { realm: set.switch("realm").then(|| DOMAIN.into()), ..Options::default() },
            login: if set.word("login") == Some("id") { Variant::Id } else { Variant::Number },
            expires: set.time("expires", EXPIRES),
            grants: (set.time("expires_min", grants.min), set.time("expires_max", grants.max)),
            disk_latency: set.time("disk_latency", Duration::ZERO),
            external: set.switch("epr").then(|| set.time("epr_interval", EXTERNALS)),
            direct: set.switch_or("direct", true),
            link: link_timing(&set),
        }
    }

    /// The durations of the sync link.
    pub fn link(&self) -> LinkTiming {
        self.link
    }

    /// A registrar of the plan.
    pub fn registrar(&self, server: &Server, domain: &str, plan: &Plan) -> Profile {
        let model = match server.binding {
            Binding::Multi => Model::Multi,
            Binding::SingleReplace => Model::SingleReplace { removes_any: server.removes_any },
            Binding::SingleReject => Model::SingleReject,
            Binding::Outbound => Model::Outbound,
        };
        let (min, max) = self.grants;
        let policy = Grants { model, min, max, default: max };
        // Whoever is sent to a name asks for that name.
        let names = plan.zones.iter().map(|zone| zone.name.to_string());
        Profile {
            domains: [domain.to_owned(), server.address.ip().to_string()].into_iter().chain(names).collect(),
            policy,
            auth: Some(ask(domain, plan)),
            began: Some(plan.wall),
            ..Profile::default()
        }
    }

    /// The side of an OMM that phones talk to: what they register is as good as their word until they are believed
    /// gone, and every REGISTER waits for the verdict of the roaming machine.
    pub fn phones(&self, domain: &str, addr: SocketAddr, plan: &Plan) -> Profile {
        let stop = self.watch.stop;
        let policy = Grants { max: stop, default: stop, ..Grants::default() };
        Profile {
            domains: vec![domain.to_owned(), addr.ip().to_string()],
            policy,
            auth: Some(ask(domain, plan)),
            hold: true,
            strangers: self.external.is_some(),
            ..Profile::default()
        }
    }

    /// The way of a remote to its central.
    pub fn attach(&self, plan: &Plan, at: usize, addresses: Vec<Arc<str>>, own: String) -> Attach {
        let (user, password) = account();
        let (facts, census) = (facts(plan, at), Census::default());
        Attach {
            addresses,
            user,
            password,
            facts,
            door: self.direct.then(|| Door { address: own.into(), fingerprint: None }),
            census,
            adopt: false,
            timing: self.link,
        }
    }

    /// The SARI of a central; remotes learn it.
    pub fn sari(&self, plan: &Plan, at: usize) -> Option<Sari> {
        facts(plan, at).sari
    }

    /// The list of remotes of a central, empty at first.
    pub fn roster(&self, plan: &Plan, at: usize) -> Roster {
        let (user, password) = account();
        Roster::new(user, password, facts(plan, at))
    }
}

/// The AXI account that all OMMs of a scenario share.
fn account() -> (Arc<str>, Secret) {
    ("omm".into(), Secret::new("omm"))
}

/// Who the OMM of a site is. The system's SARI is the central's PARK (spec 4.4); remotes learn it (M-2.1.2.1-c).
fn facts(plan: &Plan, at: usize) -> Facts {
    let site = &plan.sites[at];
    let pli = Pli::new(site.park.pli).unwrap_or(Pli::FULL);
    let own = Pari::new(site.park.pari).map(|pari| Sari::derive(Park { pli, ari: pari })).ok();
    Facts {
        omm: OmmId::new(site.park.pari),
        term: 0,
        protocol: site.axi.unwrap_or(PROTOCOL),
        platform: site.platform,
        pli,
        sari: own.filter(|_| site.central && !site.without_sari),
        wall: plan.wall,
    }
}

/// How passwords are asked for: the algorithms that the plan's users name, the stronger one first.
fn ask(realm: &str, plan: &Plan) -> AskPassword {
    let used = |auth| plan.users.iter().any(|user| user.auth == auth);
    let algorithms = [(Auth::Sha256, Algorithm::SHA_256), (Auth::Md5, Algorithm::MD5)];
    let algorithms = algorithms.into_iter().filter(|(auth, _)| used(*auth)).map(|(_, algorithm)| algorithm);
    AskPassword { algorithms: algorithms.collect(), ..AskPassword::new(realm) }
}

fn sip_timing(set: &Settings<'_>) -> Timing {
    let usual = Timing::default();
    Timing {
        failover: set.time("failover_timer", usual.failover),
        rejected_first: set.time("t_failed", usual.rejected_first),
        backoff_max: set.time("t_timeout_max", usual.backoff_max),
        retry_after_max: set.time("retry_after_max", usual.retry_after_max),
        audit: set.time("audit", usual.audit),
        probe_idle: set.time("probe_idle", usual.probe_idle),
        probe_first: set.time("probe_interval", usual.probe_first),
        probe_max: set.time("probe_interval_max", usual.probe_max),
        failback_hold: set.time("failback_hold", usual.failback_hold),
        ..usual
    }
}

fn mode(set: &Settings<'_>) -> Mode {
    let word = set.word("mode");
    Mode::WORDS.iter().find(|(known, _)| Some(*known) == word).map(|(_, mode)| *mode).unwrap_or_default()
}

fn shape(set: &Settings<'_>) -> Shape {
    let usual = Shape::default();
    let mode = match set.word("shaper") {
        Some("fixed") => shaper::Mode::Fixed {
            slots: set.count("shaper_slots", FIXED_SLOTS),
            spacing: set.time("shaper_spacing", FIXED_SPACING),
        },
        Some(_) | None => {
            let most = set.count("shaper_slots", SLOTS_MAX);
            shaper::Mode::Adaptive { first: SLOTS_FIRST.min(most), most }
        }
    };
    let per_second = set.count("shaper_per_second", usual.per_second);
    Shape { mode, per_second, hold: set.time("failover_timer", usual.hold) }
}

fn link_timing(set: &Settings<'_>) -> LinkTiming {
    let usual = LinkTiming::default();
    LinkTiming {
        connect: set.time("t_connect", usual.connect),
        open: set.time("t_open", usual.open),
        ping: set.time("link_ping", usual.ping),
        dead: set.time("link_dead", usual.dead),
        held: set.time("t_held", usual.held),
        backoff_max: set.time("link_backoff_max", usual.backoff_max),
        skew_warn: set.time("skew_warn", usual.skew_warn),
        skew_stop: set.maybe("skew_stop").or(usual.skew_stop),
        ..usual
    }
}

struct Settings<'a>(&'a BTreeMap<&'static str, Setting>);

impl Settings<'_> {
    fn maybe(&self, key: &'static str) -> Option<Duration> {
        debug_assert!(
            crate::script::setting::KEYS.iter().any(|(known, ..)| *known == key),
            "{key} cannot be set"
        );
        match self.0.get(key) {
            Some(Setting::Time(span)) => Some(*span),
            Some(Setting::Count(_) | Setting::Switch(_) | Setting::Word(_)) | None => None,
        }
    }

    fn word(&self, key: &'static str) -> Option<&'static str> {
        match self.0.get(key) {
            Some(Setting::Word(word)) => Some(word),
            Some(Setting::Count(_) | Setting::Switch(_) | Setting::Time(_)) | None => None,
        }
    }

    fn count(&self, key: &'static str, usual: u32) -> u32 {
        match self.0.get(key) {
            Some(Setting::Count(count)) => *count,
            Some(Setting::Word(_) | Setting::Switch(_) | Setting::Time(_)) | None => usual,
        }
    }

    fn time(&self, key: &'static str, usual: Duration) -> Duration {
        self.maybe(key).unwrap_or(usual)
    }

    fn switch(&self, key: &'static str) -> bool {
        self.switch_or(key, false)
    }

    fn switch_or(&self, key: &'static str, usual: bool) -> bool {
        match self.0.get(key) {
            Some(Setting::Switch(on)) => *on,
            Some(Setting::Word(_) | Setting::Count(_) | Setting::Time(_)) | None => usual,
        }
    }
}
