//! `homing check`: what can be known before a site goes into service (M-2.3.1-a, B-13).
//!
//! Every check ends in a [`Finding`]: passed, worth a thought, or failed. Nothing is changed, except that a file is
//! written into the data folder and removed again.

use std::cell::RefCell;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use ::actors::clock::{Calendar, Clock, Origin};
use machine::time::Wall;
use omm::link::bandwidth::needed;
use omm::stamp::OmmId;
use serde_json::{Value, json};

use crate::config::server::Where;
use crate::config::site::Site;
use crate::control;
use crate::exit::Exit;
use crate::resolver::Resolver;

mod central;
mod certificate;
mod equal;
pub mod reach;

/// A clock that shows less was never set: 2025-01-01 UTC, before this program was written.
const CLOCK_FLOOR: Wall = Wall::from_millis(1_735_689_600_000);
/// Where systemd says that it has set the clock from the network.
const TIMESYNC: &str = "/run/systemd/timesync/synchronized";

/// What became of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All is well.
    Pass,
    /// It may work, but think about it.
    Warn,
    /// It will not work.
    Fail,
}

impl Verdict {
    /// As the report prints it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked: `config`, `identity`, `sip port`, `tier pbx` ...
    pub what: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// How to cure it.
    pub hint: Option<String>,
}

impl Finding {
    fn new(what: impl Into<String>, verdict: Verdict, text: impl Into<String>) -> Finding {
        Finding { what: what.into(), verdict, text: text.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    /// The finding for a terminal.
    pub fn coloured(&self) -> String {
        let (word, text) = (self.verdict.word(), self.to_string());
        let code = match self.verdict {
            Verdict::Pass => 32,
            Verdict::Warn => 33,
            Verdict::Fail => 31,
        };
        text.replacen(word, &format!("\x1b[{code}m{word}\x1b[0m"), 1)
    }

    /// The finding for `--json`.
    pub fn to_json(&self) -> Value {
        let verdict = self.verdict.word().to_lowercase();
        json!({"check": self.what, "verdict": verdict, "text": self.text, "hint": self.hint})
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {:<16} {}", self.verdict.word(), self.what, self.text)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\n{:24}hint: {hint}", ""))
    }
}

/// Everything that was found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// One finding a check, in the order in which they ran.
    pub findings: Vec<Finding>,
    /// Whether there was time for all checks.
    pub complete: bool,
}

impl Report {
    /// How the command ends.
    pub fn exit(&self) -> Exit {
        if self.findings.iter().any(|finding| finding.verdict == Verdict::Fail) {
            Exit::Failed
        } else if self.complete {
            Exit::Passed
        } else {
            Exit::Interrupted
        }
    }
}

/// Checks a valid site for at most `limit`. `seed` is for what needs chance.
pub async fn run(site: &Site, seed: u64, limit: Duration) -> Report {
    let findings = Rc::new(RefCell::new(Vec::new()));
    let complete = tokio::time::timeout(limit, all(site, seed, &findings)).await.is_ok();
    let findings = findings.borrow().clone();
    Report { findings, complete }
}

async fn all(site: &Site, seed: u64, findings: &RefCell<Vec<Finding>>) {
    let tell = |finding| findings.borrow_mut().push(finding);
    tell(identity(site));
    tell(users(site));
    tell(clock(&system_clock(site)));
    tell(data_dir(site));
    let told = control::ask(&site.control, &json!({"ask": "status"}), control::QUESTION).await.ok();
    let running = told.is_some();
    tell(port("sip port", &site.sip.listen.to_string(), reach::bind_udp(site.sip.listen).await, running));
    for (what, at) in [
        ("sip tcp port", site.sip.listen_tcp),
        ("sip tls port", site.sip.listen_tls.as_ref().map(|secure| secure.listen)),
    ] {
        if let Some(at) = at {
            tell(port(what, &at.to_string(), reach::bind_tcp(at).await, running));
        }
    }
    for (what, at) in [
        ("axi port", site.axi.as_ref().and_then(|axi| axi.listen)),
        ("axi plain port", site.axi.as_ref().and_then(|axi| axi.listen_plain)),
        ("axi rsa port", site.axi.as_ref().and_then(|axi| axi.listen_static_rsa)),
    ] {
        if let Some(at) = at {
            tell(port(what, &at.to_string(), reach::bind_tcp(at).await, running));
        }
    }
    certificate::check(site, system_clock(site).wall()).into_iter().for_each(tell);
    tell(contact(site));
    let resolver = Resolver::system(seed, site.sip.listen.is_ipv4() && site.sip.listen_other.is_none());
    for tier in &site.tiers {
        let what = format!("tier {}", tier.name);
        match &resolver {
            // A number needs no DNS.
            Err(error) if matches!(tier.hop().host, Where::Name(_)) => {
                tell(Finding::new(what, Verdict::Fail, format!("{}: {error}", tier.hop())));
            }
            Err(_) | Ok(_) => tell(reach::tier(what, site, tier, resolver.as_ref().ok(), seed).await),
        }
    }
    if let Some(finding) = bandwidth(site, told.as_ref()) {
        tell(finding);
    }
    if let Some(epr) = site.epr.as_ref().filter(|epr| epr.policy.enabled) {
        tell(reach::epr(epr).await);
    }
    if let Some(link) = &site.link {
        for (what, address) in [("omm1", Some(&link.omm1)), ("omm2", link.omm2.as_ref())] {
            if let Some(address) = address {
                central::check(what, address, site, &system_clock(site)).await.into_iter().for_each(tell);
                equal::check(what, address, site).await.into_iter().for_each(tell);
            }
        }
    }
}

fn system_clock(site: &Site) -> Clock {
    Clock::new(Origin::now(), Calendar::System, OmmId { pari: site.park.ari.bits(), member: 1 })
}

fn identity(site: &Site) -> Finding {
    let stations = site.platform.base_stations_max(site.park.pli);
    let text = format!(
        "{} {}, platform {}, PARK {} (decimal {}), PLI {}: up to {stations} base stations",
        site.role.word(),
        site.name,
        site.platform,
        site.park,
        site.park.decimal(),
        site.park.pli.bits(),
    );
    Finding::new("identity", Verdict::Pass, text)
}

fn users(site: &Site) -> Finding {
    let (count, most) = (site.users.len(), site.platform.phones_max());
    let bare = site.users.iter().filter(|user| user.device.is_none()).count();
    let text = format!("{count} users of at most {most}, {bare} without a handset");
    match count {
        0 => Finding::new("users", Verdict::Warn, "there are no users")
            .hint("add [[user]] tables, or users = \"users.toml\""),
        _ => Finding::new("users", Verdict::Pass, text),
    }
}

/// What the links of this OMM have to carry; nothing where there is none. A service that is running knows what the
/// directory holds; before that there is only the file.
fn bandwidth(site: &Site, told: Option<&Value>) -> Option<Finding> {
    let links = match (&site.link, &site.axi) {
        (Some(_), _) => 1,
        (None, Some(_)) => site.remotes.len() as u64,
        (None, None) => 0,
    };
    let held = |what: &str| told?.get("directory")?.get(what)?.as_u64();
    let (entries, whose) = match held("users").zip(held("devices")) {
        Some((users, devices)) => (usize::try_from(users + devices).unwrap_or(usize::MAX), "directory"),
        None => {
            let devices = site.users.iter().filter(|user| user.device.is_some()).count();
            (site.users.len() + devices, "file")
        }
    };
    let each = needed(entries) / 1_000;
    let text = format!(
        "the {entries} entries of the {whose} need {each} kbit/s on a link to synchronise within 5 minutes (M-2.2.8-f), {} kbit/s here",
        each * links
    );
    (links > 0).then(|| Finding::new("bandwidth", Verdict::Pass, text))
}

fn clock(clock: &Clock) -> Finding {
    if clock.wall() < CLOCK_FLOOR {
        return Finding::new("clock", Verdict::Fail, "the clock was never set (M-2.2.10-a)")
            .hint("set up NTP");
    }
    if fs::exists(TIMESYNC).unwrap_or(false) {
        return Finding::new("clock", Verdict::Pass, "set from the network by systemd-timesyncd");
    }
    Finding::new("clock", Verdict::Warn, "cannot see whether the clock is set from the network (M-2.2.10-a)")
        .hint("all OMMs need NTP: later edits win by their stamps")
}

fn data_dir(site: &Site) -> Finding {
    let probe = site.data_dir.join(format!("check.{}", std::process::id()));
    let write = || -> io::Result<()> {
        fs::create_dir_all(&site.data_dir)?;
        let mut file = fs::File::create(&probe)?;
        file.write_all(b"homing check\n")?;
        file.sync_all()?;
        fs::remove_file(&probe)
    };
    let place = site.data_dir.display();
    match write() {
        Ok(()) => Finding::new("data folder", Verdict::Pass, format!("{place} can be written")),
        Err(error) => {
            Finding::new("data folder", Verdict::Fail, format!("{place} cannot be written: {error}"))
                .hint("make the folder and give it to the user that runs homing")
        }
    }
}

fn port(what: &str, place: &str, bound: io::Result<()>, running: bool) -> Finding {
    match bound {
        Ok(()) => Finding::new(what, Verdict::Pass, format!("{place} is free")),
        Err(error) if running && error.kind() == io::ErrorKind::AddrInUse => Finding::new(
            what,
            Verdict::Pass,
            format!("{place} is held by the service of this site, which is running"),
        ),
        Err(error) => {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => "another program listens there: stop it, or choose another port",
                io::ErrorKind::AddrNotAvailable => "this machine has no such address",
                io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege",
                _ => "choose another address",
            };
            Finding::new(what, Verdict::Fail, format!("{place} cannot be used: {error}")).hint(hint)
        }
    }
}

/// A contact that only this machine can reach is of no use to a server elsewhere.
fn contact(site: &Site) -> Finding {
    let host = site.sip.contact.rsplit_once(':').map_or(site.sip.contact.as_str(), |(host, _)| host);
    let local = |ip: IpAddr| ip.is_loopback();
    let ours = host.trim_matches(['[', ']']).parse().is_ok_and(local);
    let theirs = site.tiers.iter().all(|tier| matches!(tier.hop().host, Where::Address(ip) if local(ip)));
    let text = format!("servers reach this OMM at {}", site.sip.contact);
    if ours && !theirs {
        return Finding::new("contact", Verdict::Fail, format!("{text}, which only this machine can"))
            .hint("set [sip] contact to an address that the SIP servers can reach");
    }
    Finding::new("contact", Verdict::Pass, text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    /// A site that needs nothing from outside: a server that answers is at `tier`.
    fn site(dir: &Path, tier: &str, extra: &str) -> Site {
        let text = format!(
            "name = \"solo\"\nrole = \"remote\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"data\"\n\
             [link]\nomm1 = \"127.0.0.1:1\"\nuser = \"sync\"\npassword = \"x\"\ntls = false\n\
             [sip]\nlisten = \"127.0.0.1:0\"\ndomain = \"example.com\"\n\
             [[tier]]\nname = \"pbx\"\nuri = \"sip:{tier}\"\n[timers]\nfailover = \"500ms\"\n{extra}"
        );
        let path = dir.join("site.toml");
        fs::write(&path, text).expect("a file");
        config::load(&path).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn report(site: &Site, limit: Duration) -> Report {
        crate::local::block_on(run(site, 1, limit))
    }

    fn of<'r>(report: &'r Report, what: &str) -> &'r Finding {
        report.findings.iter().find(|finding| finding.what == what).expect("it was checked")
    }

    #[test]
    fn a_server_that_answers_anything_is_there_and_a_closed_link_is_a_failure() {
        let dir = tempfile::tempdir().expect("a folder");
        let server = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let at = server.local_addr().expect("an address");
        let answering = std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            let (len, from) = server.recv_from(&mut buffer).expect("a request");
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            let answer = text.replacen(text.lines().next().expect("a line"), "SIP/2.0 404 Not Found", 1);
            server.send_to(answer.as_bytes(), from).expect("sent");
            text
        });
        let report = report(&site(dir.path(), &at.to_string(), ""), Duration::from_secs(30));
        assert!(answering.join().expect("a request").starts_with(&format!("OPTIONS sip:{at} SIP/2.0\r\n")));
        let tier = of(&report, "tier pbx");
        assert_eq!(tier.verdict, Verdict::Pass, "{tier}");
        assert!(tier.text.starts_with(&format!("udp:{at} answers 404 after ")), "{tier}");
        assert_eq!(of(&report, "data folder").verdict, Verdict::Pass);
        assert_eq!(of(&report, "users").verdict, Verdict::Warn);
        assert_eq!(of(&report, "contact").verdict, Verdict::Pass);
        assert_eq!(of(&report, "omm1").verdict, Verdict::Fail);
        assert_eq!((report.complete, report.exit()), (true, Exit::Failed));
    }

    #[test]
    fn a_silent_server_fails_and_too_little_time_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let site = site(dir.path(), &silent.local_addr().expect("an address").to_string(), "");
        let tier = report(&site, Duration::from_secs(30));
        assert_eq!(of(&tier, "tier pbx").verdict, Verdict::Fail);
        let hasty = report(&site, Duration::from_millis(50));
        assert_eq!((hasty.complete, hasty.exit()), (false, Exit::Interrupted));
    }

    #[test]
    fn a_taken_port_is_a_failure_unless_our_own_service_has_it() {
        let taken = || Err(io::ErrorKind::AddrInUse.into());
        assert_eq!(port("sip port", "x", taken(), false).verdict, Verdict::Fail);
        assert_eq!(port("sip port", "x", taken(), true).verdict, Verdict::Pass);
        assert_eq!(
            port("sip port", "x", Err(io::ErrorKind::AddrNotAvailable.into()), true).verdict,
            Verdict::Fail
        );
    }

    #[test]
    fn a_contact_that_nobody_else_can_reach_is_a_failure() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(contact(&site(dir.path(), "192.0.2.1", "")).verdict, Verdict::Fail);
        assert_eq!(contact(&site(dir.path(), "127.0.0.2", "")).verdict, Verdict::Pass);
    }

    #[test]
    fn d1_the_links_are_sized_by_the_directory_of_the_running_service_and_by_the_file_before() {
        let dir = tempfile::tempdir().expect("a folder");
        let user = "[[user]]\nnumber = \"101\"\npassword = \"x\"\n";
        let site = site(dir.path(), "127.0.0.2", user);
        let told = json!({"directory": {"users": 5_000, "devices": 5_000}});
        let text = |told| bandwidth(&site, told).expect("it has a link").text;
        assert!(text(None).starts_with("the 1 entries of the file need 0 kbit/s"), "{}", text(None));
        let running = text(Some(&told));
        assert!(running.starts_with("the 10000 entries of the directory need 1000 kbit/s"), "{running}");
    }
}
