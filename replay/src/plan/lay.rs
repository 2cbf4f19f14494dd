//! Lays the world out: sites, servers, links, users and phones, with everything that the script leaves open.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use machine::time::{Moment, Wall};
use sip::target::Transport;

use super::{Leads, Link, Phone, Plan, Server, Site, User, Zone};
use crate::script::complaint::Complaint;
use crate::script::names::CROWD_FIRST;
use crate::script::world::{
    Auth, Binding, Declared, Kind, Park, PhoneWord, UserWords, World, read::check_character,
};
use crate::script::{Name, Place, Script};

/// Calendar time at the start, when the script does not say: 2026-01-01T00:00:00Z (ours).
const WALL_START: u64 = 1_767_225_600_000;
/// The latency of a link, when the script does not say: a good leased line (ours).
const LATENCY: Duration = Duration::from_millis(10);
/// The port of every SIP address here (RFC 3261 19.1.2).
const SIP_PORT: u16 = 5060;
/// The most sites: one octet of the addresses, and the PARK's FPN. Ours.
const SITES_MAX: usize = 250;
/// The number of the first named user (ours; the spec's scenarios speak of user 101).
const NAMED_FIRST: u32 = 101;
/// The EMC of every phone made here (ours).
const EMC: &str = "00100";

/// The world of the script, without anything happening in it.
///
/// # Errors
/// What is wrong with the world as a whole.
pub fn out(script: &Script, seed: Option<u64>) -> Result<Plan, Vec<Complaint>> {
    let mut layout = Layout { plan: empty(script), wrong: Vec::new(), tiers: BTreeMap::new() };
    for declared in &script.world {
        layout.place(declared);
    }
    layout.check_sites(script);
    if layout.wrong.is_empty() {
        layout.crowd(script);
        layout.phones(script);
        layout.tiers();
    }
    layout.plan.seed = seed.unwrap_or(layout.plan.seed);
    if layout.wrong.is_empty() { Ok(layout.plan) } else { Err(layout.wrong) }
}

fn empty(script: &Script) -> Plan {
    Plan {
        file: Arc::clone(&script.file),
        title: String::new(),
        about: String::new(),
        seed: 1,
        wall: Wall::from_millis(WALL_START),
        sites: Vec::new(),
        servers: Vec::new(),
        zones: Vec::new(),
        links: Vec::new(),
        users: Vec::new(),
        phones: Vec::new(),
        settings: BTreeMap::new(),
        steps: Vec::new(),
        triggers: Vec::new(),
        asserts: Vec::new(),
        outputs: script.outputs.clone(),
        end: Moment::START,
    }
}

struct Layout {
    plan: Plan,
    wrong: Vec<Complaint>,
    tiers: BTreeMap<usize, Vec<usize>>,
}

impl Layout {
    /// Everything but users and phones, which need all the sites.
    fn place(&mut self, declared: &Declared) {
        match &declared.world {
            World::Title(title) => self.plan.title.clone_from(title),
            World::About(about) => self.plan.about.clone_from(about),
            World::Clock { start_ms } => self.plan.wall = Wall::from_millis(start_ms.unwrap_or(WALL_START)),
            World::Seed(seed) => self.plan.seed = *seed,
            World::Site { name, central, platform, park, axi, without_sari, omm1 } => {
                let number = self.plan.sites.len() + 1;
                if number > SITES_MAX {
                    self.complain(
                        declared,
                        "so many sites are not replayed",
                        format!("at most {SITES_MAX} sites"),
                    );
                    return;
                }
                if *central && self.plan.sites.iter().any(|site| site.central) {
                    self.complain(declared, "a star has one centre", "one site that is `central`");
                }
                // EIC 0x02A7, the site's number as FPN, FPS 0 (spec 4.3): ours.
                let derived = Park { pli: 31, pari: 0x102A_7000 | (number as u32) << 4 };
                self.plan.sites.push(Site {
                    name: name.clone(),
                    central: *central,
                    platform: *platform,
                    park: park.unwrap_or(derived),
                    axi: *axi,
                    without_sari: *without_sari,
                    omm1: omm1.as_ref().and_then(|name| self.site(name)),
                    address: address(number, 1),
                    tiers: Vec::new(),
                    named: BTreeMap::new(),
                });
            }
            World::Server { name, site, binding, removes_any, transport } => {
                self.server(name, site.as_ref(), *binding, *removes_any, *transport)
            }
            World::Dns { name, record } => {
                if let Some(server) = self.plan.servers.iter().position(|server| server.name == record.server)
                {
                    let leads = Leads { odds: record.odds, server, ttl: record.ttl };
                    match self.plan.zones.iter_mut().find(|zone| zone.name == *name) {
                        Some(zone) => zone.records.push(leads),
                        None => self.plan.zones.push(Zone { name: name.clone(), records: vec![leads] }),
                    }
                }
            }
            World::Link { ends, latency, jitter, loss, bandwidth } => {
                if let (Some(a), Some(b)) = (self.site(&ends.0), self.site(&ends.1)) {
                    self.plan.links.push(Link {
                        ends: (a, b),
                        latency: latency.unwrap_or(LATENCY),
                        jitter: jitter.unwrap_or_default(),
                        loss: loss.unwrap_or_default(),
                        bandwidth: *bandwidth,
                    });
                }
            }
            World::Proxies { site, servers } => {
                let zone = |name: &Name| self.plan.zones.iter().position(|zone| zone.name == *name);
                let first =
                    |zone: usize| self.plan.zones.get(zone)?.records.first().map(|leads| leads.server);
                let place = |name: &Name| {
                    let server = self.plan.servers.iter().position(|server| server.name == *name);
                    server.or_else(|| first(zone(name)?))
                };
                let places: Vec<usize> = servers.iter().filter_map(place).collect();
                let tiers = servers.iter().enumerate();
                let named = tiers.filter_map(|(tier, name)| Some((tier, zone(name)?))).collect();
                if let Some(site) = self.site(site) {
                    if let Some(site) = self.plan.sites.get_mut(site) {
                        site.named = named;
                    }
                    if self.tiers.insert(site, places).is_some() {
                        self.complain(
                            declared,
                            "the tiers of this site are given twice",
                            "one `proxies` line a site",
                        );
                    }
                }
            }
            World::Set(key, setting) => {
                self.plan.settings.insert(key, *setting);
            }
            World::Users { .. } | World::User(_) | World::Device { .. } => {}
        }
    }

    fn server(
        &mut self,
        name: &Name,
        site: Option<&Name>,
        binding: Binding,
        removes_any: bool,
        transport: Transport,
    ) {
        let site = site.and_then(|name| self.site(name));
        let before = self.plan.servers.iter().filter(|server| server.site == site).count();
        let address = address(site.map_or(0, |site| site + 1), 11 + before);
        self.plan.servers.push(Server { name: name.clone(), site, binding, removes_any, address, transport });
    }

    fn site(&self, name: &Name) -> Option<usize> {
        self.plan.sites.iter().position(|site| site.name == *name)
    }

    fn complain(&mut self, declared: &Declared, what: &str, expected: impl Into<String>) {
        self.wrong.push(Complaint::about(&declared.place, &declared.text, &declared.text, what, expected));
    }

    fn check_sites(&mut self, script: &Script) {
        let Some(last) = script.world.last() else {
            let place = Place { file: Arc::clone(&script.file), line: 1 };
            self.wrong.push(Complaint::about(
                &place,
                "",
                "",
                "there is no world",
                "`site NAME` and `proxy NAME at SITE`",
            ));
            return;
        };
        if self.plan.sites.is_empty() {
            self.complain(last, "there is no site in this world", "a line `site NAME`");
        } else if self.plan.servers.is_empty() {
            self.complain(
                last,
                "there is no registrar in this world",
                "a line `proxy NAME at SITE` or `registrar NAME`",
            );
        } else if !self.plan.sites.iter().any(|site| site.central) {
            match self.plan.sites.as_mut_slice() {
                [only] => only.central = true,
                _ => self.complain(last, "the star has no centre", "one site that is `central`"),
            }
        }
    }

    /// The named users in the order of the script, then the crowd.
    fn crowd(&mut self, script: &Script) {
        let mut taken: BTreeSet<Arc<str>> = BTreeSet::new();
        for declared in &script.world {
            if let World::User(UserWords { number: Some(number), .. }) = &declared.world
                && !taken.insert(Arc::clone(number))
            {
                self.complain(declared, "this number is taken", "a number of its own (I1)");
            }
        }
        let mut free = NAMED_FIRST..;
        for declared in &script.world {
            let World::User(words) = &declared.world else { continue };
            let given = words.number.clone();
            let number = given
                .or_else(|| free.by_ref().map(|n| Arc::from(n.to_string())).find(|n| !taken.contains(n)));
            let home = words.home.as_ref().and_then(|name| self.site(name)).unwrap_or_else(|| self.centre());
            self.plan.users.push(User {
                name: words.name.clone(),
                number: number.unwrap_or_else(|| Arc::from("0")),
                id: words.id.clone(),
                home,
                expires: words.expires,
                auth: words.auth.unwrap_or_default(),
                vip: words.vip,
                later: words.later,
            });
        }
        let mut next = CROWD_FIRST;
        for declared in &script.world {
            let World::Users { count, homes, later } = &declared.world else { continue };
            for index in 0..*count {
                let number: Arc<str> = Arc::from(next.to_string());
                next += 1;
                if taken.contains(&number) {
                    self.complain(
                        declared,
                        "a number of the crowd is taken",
                        format!("no user with the number {number}"),
                    );
                    return;
                }
                let home = self.home(homes, index, *count);
                let name = Arc::clone(&number);
                let (auth, vip, later) = (Auth::Md5, false, *later);
                self.plan.users.push(User { name, number, id: None, home, expires: None, auth, vip, later });
            }
        }
    }

    fn centre(&self) -> usize {
        self.plan.sites.iter().position(|site| site.central).unwrap_or_default()
    }

    /// The home of the crowd's user `index` of `count`: in blocks by the shares, or in turn when there are none.
    fn home(&self, homes: &[(Name, u32)], index: u32, count: u32) -> usize {
        let mut upto = 0_u64;
        for (name, share) in homes {
            upto += u64::from(*share);
            if u64::from(index) * 1_000_000 < upto * u64::from(count) {
                return self.site(name).unwrap_or_default();
            }
        }
        index as usize % self.plan.sites.len().max(1)
    }

    /// The phones of the users, then those that nobody is logged in on.
    fn phones(&mut self, script: &Script) {
        let mut owners: BTreeMap<Name, Name> = BTreeMap::new();
        let mut words: BTreeMap<Name, &UserWords> = BTreeMap::new();
        for declared in &script.world {
            let World::User(user) = &declared.world else { continue };
            words.insert(user.name.clone(), user);
            if let Some(PhoneWord::Named(device)) = &user.device
                && let Some(other) = owners.insert(device.clone(), user.name.clone())
            {
                self.complain(
                    declared,
                    "this device has a user",
                    format!("a device other than that of `{other}` (I2)"),
                );
            }
        }
        for index in 0..self.plan.users.len() {
            let Some(user) = self.plan.users.get(index).cloned() else { continue };
            let own = words.get(&user.name);
            if matches!(own.map(|words| &words.device), Some(Some(PhoneWord::Named(_)))) {
                continue;
            }
            let given = own.and_then(|words| match &words.device {
                Some(PhoneWord::Ipei(ipei)) => Some(Arc::clone(ipei)),
                Some(PhoneWord::Named(_)) | None => None,
            });
            let kind = own.map_or(Kind::Dect, |words| words.kind);
            let pari_only = own.is_some_and(|words| words.pari_only);
            self.phone(user.name.clone(), given, kind, pari_only, Some(index), user.home);
        }
        for declared in &script.world {
            let World::Device { name, ipei, site, pari_only, kind } = &declared.world else { continue };
            let user = owners
                .get(name)
                .and_then(|owner| self.plan.users.iter().position(|user| user.name == *owner));
            let home = user.and_then(|user| self.plan.users.get(user)).map(|user| user.home);
            let site =
                site.as_ref().and_then(|name| self.site(name)).or(home).unwrap_or_else(|| self.centre());
            self.phone(name.clone(), ipei.clone(), *kind, *pari_only, user, site);
        }
        let least = self.plan.sites.iter().map(|site| site.platform.phones_max()).min().unwrap_or_default();
        let many = |declared: &&Declared| {
            matches!(declared.world, World::Users { .. } | World::User(_) | World::Device { .. })
        };
        let count = self.plan.phones.iter().filter(|phone| !self.plan.is_later(phone)).count();
        if count > least
            && let Some(last) = script.world.iter().rfind(many)
        {
            self.complain(
                last,
                "these are more phones than an OMM holds",
                format!("at most {least} in all (M-2.2.1), not {count}"),
            );
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.plan.phones.iter().find(|phone| !seen.insert(phone.ipei.clone())).cloned()
            && let Some(last) = script.world.last()
        {
            self.complain(
                last,
                "two phones have one IPEI",
                format!("an IPEI other than {} for `{}` (I1)", twice.ipei, twice.name),
            );
        }
    }

    fn phone(
        &mut self,
        name: Name,
        ipei: Option<Arc<str>>,
        kind: Kind,
        pari_only: bool,
        user: Option<usize>,
        site: usize,
    ) {
        let ipei = ipei.unwrap_or_else(|| {
            let digits = format!("{EMC}{:07}", self.plan.phones.len() + 1);
            Arc::from(format!("{digits}{}", check_character(&digits)))
        });
        self.plan.phones.push(Phone { name, ipei, kind, pari_only, user, site });
    }

    /// Tiers that the script does not give: the first server of the centre or outside, then the site's own, three at most.
    fn tiers(&mut self) {
        let centre = self.centre();
        let servers = &self.plan.servers;
        let shared = servers.iter().position(|server| server.site.is_none_or(|site| site == centre));
        for (index, site) in self.plan.sites.iter_mut().enumerate() {
            site.tiers = match self.tiers.remove(&index) {
                Some(given) => given,
                None => {
                    let own = (0..servers.len())
                        .filter(|at| servers[*at].site == Some(index) && Some(*at) != shared);
                    shared.into_iter().chain(own).take(3).collect()
                }
            };
        }
    }
}

/// `10.0.<site>.<host>:5060`
fn address(site: usize, host: usize) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 0, site.min(255) as u8, host.min(255) as u8), SIP_PORT)
}
