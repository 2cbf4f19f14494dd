//! One site's configuration, read and validated.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use omm::directory::login::Variant;
use omm::ids::park::Park;
use omm::platform::Platform;
use omm::roaming::policy::Evidence;

use sip::digest::Algorithm;
use sip::line::Mode;
use sip::server::Options;
use sip::shaper::Shape;

use super::accounts::{self, Account};
use super::epr::{self, Epr};
use super::link::{self, Axi, Link};
use super::reader::{At, Section};
use super::server::site_name;
use super::sip as phones;
use super::tier::{self, Tier};
use super::timers::Timers;
use super::users::{EXPIRES, User};
use crate::store::{ENGINES, Engine};

/// Most remotes of a central (M-2.1.1-a).
pub const REMOTES_MAX: usize = 10;
/// The version that a real OMM 7.1 speaks (spec 13.2).
const AXI_PROTOCOL: u32 = 45;

/// Everything that one OMM is told by its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The site's name, as traces and `homing status` print it.
    pub name: String,
    /// Central or remote (M-2.1.1-a).
    pub role: Role,
    /// The platform class, equal at all sites (M-2.1.1-d).
    pub platform: Platform,
    /// The identity of the OMM (M-2.1.2.1-a); its PLI is equal at all sites (M-2.1.2.1-f).
    pub park: Park,
    /// The version of the AXI protocol that is spoken; equal at all sites (M-2.2.2-b).
    pub axi_protocol: u32,
    /// Where state is kept.
    pub data_dir: PathBuf,
    /// Who keeps it.
    pub engine: Engine,
    /// The socket on which `homing status` asks.
    pub control: PathBuf,
    /// The AXI listener; a central without one is the only site of its system.
    pub axi: Option<Axi>,
    /// The way to the central; remotes have one (M-2.3.1.2-b).
    pub link: Option<Link>,
    /// Where external users come from.
    pub epr: Option<Epr>,
    /// The remotes that a central expects, by name.
    pub remotes: Vec<Remote>,
    /// The SIP socket and domain.
    pub sip: Sip,
    /// The SIP servers in their order: primary, secondary, tertiary.
    pub tiers: Vec<Tier>,
    /// How long a registration lasts that homing asks for.
    pub expires: Duration,
    /// What the registrar's list of contacts may decide about a roam (B-2).
    pub evidence: Evidence,
    /// The site's place in the system, 0..=10, when it registers with outbound: it makes the reg-id distinct (spec 3.7).
    pub outbound: Option<u8>,
    /// How the tiers are used.
    pub mode: Mode,
    /// Offer overload control to servers (RFC 7339).
    pub overload: bool,
    /// What else is wanted of registrars.
    pub options: Options,
    /// Who may log in over AXI beside the built-in accounts.
    pub accounts: Vec<Account>,
    /// Every time that may be changed.
    pub timers: Timers,
    /// The users and their handsets.
    pub users: Vec<User>,
}

/// Which end of the star an OMM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one in the middle.
    Central,
    /// One of at most ten.
    Remote,
}

/// A remote that the central expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The site's name.
    pub name: String,
    /// Its PARK.
    pub park: Park,
}

/// The SIP side of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    /// Where phones and servers reach this OMM over UDP.
    pub listen: SocketAddr,
    /// Where they reach it over UDP by the other family of addresses.
    pub listen_other: Option<SocketAddr>,
    /// Where they reach it over TCP.
    pub listen_tcp: Option<SocketAddr>,
    /// Where they reach it over TLS.
    pub listen_tls: Option<Secure>,
    /// The file with the authorities that a server's certificate has to lead to; the system's without it.
    pub ca: Option<PathBuf>,
    /// `host` or `host:port` that stands in the contacts this OMM registers.
    pub contact: String,
    /// The domain of the users' addresses of record.
    pub domain: String,
    /// The digest algorithms that phones are offered, the best first.
    pub digest: Vec<Algorithm>,
    /// Under which names phones log in, the same at every site (M-2.2.3-b).
    pub login: Variant,
    /// How REGISTERs to each server are shaped.
    pub shape: Shape,
}

/// A listener that shows a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secure {
    /// Where.
    pub listen: SocketAddr,
    /// The file with the certificate and whatever leads to its authority (PEM).
    pub certificate: PathBuf,
    /// The file with its key (PEM).
    pub key: PathBuf,
}

const ROLES: &[(&str, Role)] = &[("central", Role::Central), ("remote", Role::Remote)];
const PLATFORMS: &[(&str, Platform)] =
    &[("pc", Platform::Pc), ("rfp", Platform::Rfp), ("rfp4g", Platform::Rfp4g)];
const EVIDENCE: &[(&str, Evidence)] =
    &[("off", Evidence::Off), ("yield", Evidence::Yield), ("evict", Evidence::Evict)];

impl Role {
    /// As the file spells it.
    pub fn word(self) -> &'static str {
        ROLES.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// The requirement that bounds the phones of a system on this platform.
pub(super) fn phones_source(platform: Platform) -> &'static str {
    match platform {
        Platform::Pc => "M-2.2.1-d",
        Platform::Rfp => "M-2.2.1-b",
        Platform::Rfp4g => "M-2.2.1-c",
    }
}

/// A site as far as it could be read, users apart; `None` when something needed is missing or wrong (and told).
pub(super) fn read(top: &Section<'_, '_>, base: &Path) -> Option<Site> {
    let name = top.need_parsed("name", "the site's name, such as \"berlin\"", site_name);
    let role = top.need_word("role", ROLES);
    let platform = top.need_word("platform", PLATFORMS);
    let park = top.need_parsed("park", PARK_TEXT, str::parse::<Park>);
    let pli = top.number("pli", 0, 31);
    if let (Some(park), Some(pli)) = (&park, &pli)
        && u64::from(park.value.pli.bits()) != pli.value
    {
        let what = "`pli` contradicts the PARK (M-2.1.2.1-f)";
        let expected = format!("{}, as the PARK says", park.value.pli.bits());
        top.reader.fault(
            pli.span.clone(),
            what,
            format!("{}", pli.value),
            expected,
            Some("leave `pli` out".into()),
        );
    }
    let axi_protocol = top.number("axi_protocol", 1, 65_535).map_or(AXI_PROTOCOL, |found| found.value as u32);
    let data_dir = top.need_text("data_dir", "a folder").map(|dir| base.join(dir.value));
    let engine = top.word("store", ENGINES).map_or_else(Engine::default, |found| found.value);
    let control = top.text("control", "the path of a socket").map(|path| base.join(path.value));
    let axi = link::axi(top, base);
    let link = link::link(top, role.as_ref(), base);
    let epr = epr::read(top, role.as_ref(), base);
    let taken = axi.as_ref().and_then(Option::as_ref).map_or("omm", |axi| axi.user.as_str());
    let accounts = accounts::read(top, &[taken, "root"]);
    let remotes = remotes(top, role.as_ref(), park.as_ref(), name.as_ref());
    let sip = top.need_table("sip").and_then(|section| phones::read(section, base));
    let tiers = tier::read(top);
    let Registration { expires, evidence, outbound, mode, overload, options } = registration(top);
    let timers = top.table("timers").map_or_else(Timers::default, |section| {
        let timers = Timers::read(&section);
        section.finish();
        timers
    });
    let data_dir = data_dir?;
    Some(Site {
        name: name?.value,
        role: role?.value,
        platform: platform?.value,
        park: park?.value,
        axi_protocol,
        control: control.unwrap_or_else(|| data_dir.join("control.sock")),
        data_dir,
        engine,
        axi: axi?,
        link: link?,
        epr: epr?,
        remotes,
        sip: sip?,
        tiers,
        expires,
        evidence,
        outbound,
        mode,
        overload,
        options,
        accounts,
        timers,
        users: Vec::new(),
    })
}

pub(super) const PARK_TEXT: &str =
    "a PARK: 10 hexadecimal digits such as \"1F102F0E86\", or 13 decimal digits";

fn remotes(
    top: &Section<'_, '_>,
    role: Option<&At<Role>>,
    own: Option<&At<Park>>,
    name: Option<&At<String>>,
) -> Vec<Remote> {
    let mut remotes: Vec<Remote> = Vec::new();
    let mut parks: BTreeMap<Park, String> = BTreeMap::new();
    if let (Some(own), Some(name)) = (own, name) {
        parks.insert(own.value, format!("{} itself", name.value));
    }
    for (index, section) in top.tables("remote").into_iter().enumerate() {
        let (reader, span) = (section.reader, section.span.clone());
        if role.is_some_and(|role| role.value == Role::Remote) {
            reader.fault(span, "only a central has remotes (M-2.1.1-a)", "[[remote]]", "no [[remote]]", None);
            section.has("name");
            return remotes;
        }
        if index == 0 && !top.has("axi") {
            let hint = Some("where do they connect? write [axi]; a system of one site needs neither".into());
            reader.fault(
                section.span.clone(),
                "remotes without an AXI listener",
                "[[remote]]",
                "a table [axi]",
                hint,
            );
        }
        let remote = section.need_parsed("name", "the site's name", site_name);
        let park = section.need_parsed("park", PARK_TEXT, str::parse::<Park>);
        section.finish();
        if index == REMOTES_MAX {
            let what = format!("a central has at most {REMOTES_MAX} remotes (M-2.1.1-a)");
            reader.fault(span, what, format!("remote {}", index + 1), "no more remotes", None);
        }
        let (Some(remote), Some(park)) = (remote, park) else { continue };
        if let Some(other) = parks.get(&park.value) {
            let what = format!("this PARK is that of {other} (M-2.1.2.1-a)");
            reader.fault(park.span, what, park.value.to_string(), "a PARK of its own", None);
            continue;
        }
        parks.insert(park.value, remote.value.clone());
        remotes.push(Remote { name: remote.value, park: park.value });
    }
    remotes
}

/// Sites of a system: the central and ten remotes (M-2.1.1-a), counted from 0.
const SITES_LAST: u64 = 10;

/// What `[registration]` says.
struct Registration {
    expires: Duration,
    evidence: Evidence,
    outbound: Option<u8>,
    mode: Mode,
    overload: bool,
    options: Options,
}

fn registration(top: &Section<'_, '_>) -> Registration {
    let mut read = Registration {
        // Spec 8: an hour.
        expires: Duration::from_secs(3600),
        evidence: Evidence::Off,
        outbound: None,
        mode: Mode::TopDown,
        overload: true,
        options: Options::default(),
    };
    let Some(section) = top.table("registration") else { return read };
    if let Some(found) = section.duration("expires", EXPIRES.0, EXPIRES.1) {
        read.expires = found.value;
    }
    if let Some(found) = section.word("evidence", EVIDENCE) {
        read.evidence = found.value;
    }
    read.outbound =
        section.number("outbound", 0, SITES_LAST).and_then(|found| u8::try_from(found.value).ok());
    if let Some(found) = section.word("mode", Mode::WORDS) {
        read.mode = found.value;
    }
    if let Some(found) = section.flag("overload") {
        read.overload = found.value;
    }
    let gruu = section.flag("gruu").filter(|gruu| gruu.value);
    if let Some(gruu) = &gruu
        && read.outbound.is_none()
    {
        let what = "`gruu` needs the instance that only `outbound` registers (RFC 5627 4.1)";
        let hint = Some("add outbound = the site's own number, 0 to 10".into());
        section.reader.fault(gruu.span.clone(), what, "gruu = true", "`outbound` as well", hint);
    }
    read.options.gruu = gruu.is_some();
    read.options.reg_event = section.flag("reg_event").is_some_and(|found| found.value);
    let realm = section.text("realm", "the realm of the SIP servers' challenges");
    read.options.realm = realm.map(|realm| realm.value.into());
    section.finish();
    read
}
