//! Three sites without a PBX, whose directories are one: in network namespaces of their own, or on the loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::omm::{Omm, Place, Plan};
use crate::relay::{Relay, Wire};
use crate::session::Session;
use crate::system::{AXI, PARKS, up};
use crate::{address, poll, presence};

/// How long links may take to come up and tables to be compared, with the tries at growing intervals that may be needed.
pub(crate) const UP: Duration = Duration::from_secs(60);
/// Where clients are received without TLS.
const CLIENTS: u16 = AXI - 1;

/// The central's interfaces towards A and B.
const NEAR: [&str; 2] = ["wire-a", "wire-b"];
/// A remote's interface towards the central.
const UPLINK: &str = "uplink";

/// Where nobody answers.
const NO_PBX: &str = "sip:127.0.0.1:9;transport=udp";

/// The central and two remotes.
pub(crate) struct Trio {
    /// The central, site A, site B. Before the ground that they stand on, which is left last.
    pub(crate) sites: Vec<Omm>,
    ground: Ground,
}

/// What the wires are.
enum Ground {
    /// Relays from A and B to the central.
    Loopback(Vec<Relay>),
    /// One namespace for each site, and a pair of virtual interfaces from A and B to the central.
    Namespaces(Vec<Namespace>),
}

/// A network namespace; it is deleted when dropped.
struct Namespace(String);

impl Namespace {
    fn new(site: &str) -> Option<Namespace> {
        let name = format!("homing-{}-{site}", address::fresh());
        ip(&["netns", "add", &name]).then_some(Namespace(name))
    }

    /// Runs `ip` inside.
    fn ip(&self, words: &[&str]) -> bool {
        ip(&[&["-n", self.0.as_str()], words].concat())
    }

    /// A connection inside: a socket stays in the namespace in which it was made.
    fn connect(&self, to: SocketAddr) -> Option<TcpStream> {
        let path = format!("/run/netns/{}", self.0);
        let connecting = thread::spawn(move || {
            let namespace = std::fs::File::open(path).ok()?;
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), Some(LinkNameSpaceType::Network))
                .ok()?;
            TcpStream::connect(to).ok()
        });
        connecting.join().ok().flatten()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&["netns", "delete", &self.0]);
    }
}

fn ip(words: &[&str]) -> bool {
    let program = presence::find("ip").unwrap_or_else(|| "ip".into());
    Command::new(program).args(words).output().is_ok_and(|done| done.status.success())
}

/// Namespaces with wires between them; `None` where they cannot be had: it takes `ip`, and the rights of root.
fn namespaces() -> Option<Vec<Namespace>> {
    let spaces: Vec<Namespace> = ["c", "a", "b"].into_iter().filter_map(Namespace::new).collect();
    let [central, remotes @ ..] = spaces.as_slice() else { return None };
    let mut whole = spaces.len() == 3 && central.ip(&["link", "set", "lo", "up"]);
    for (remote, near) in remotes.iter().zip(NEAR) {
        let (here, there) = (address_on(near, 1), address_on(near, 2));
        let pair =
            ["link", "add", "name", near, "type", "veth", "peer", "name", UPLINK, "netns", remote.0.as_str()];
        whole = whole
            && central.ip(&pair)
            && central.ip(&["addr", "add", &format!("{here}/24"), "dev", near])
            && central.ip(&["link", "set", "dev", near, "up"])
            && remote.ip(&["addr", "add", &format!("{there}/24"), "dev", UPLINK])
            && remote.ip(&["link", "set", "dev", UPLINK, "up"])
            && remote.ip(&["link", "set", "lo", "up"]);
    }
    whole.then_some(spaces)
}

/// The address at an end of the wire to site `near`. Namespaces do not see each other's, so all tests have the same.
fn address_on(near: &str, end: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, if near == NEAR[0] { 1 } else { 2 }, end)
}

impl Trio {
    /// On the loopback.
    pub(crate) fn on_the_loopback() -> Trio {
        Trio::keeping_in("sled")
    }

    /// On the loopback, with this engine for their stores.
    pub(crate) fn keeping_in(store: &str) -> Trio {
        let site = |name, park, place| {
            let plan = Plan { name, park, sip: address::sip(), pbx: NO_PBX.into(), place };
            Omm::start_told(plan, |file| format!("store = \"{store}\"\n{file}"))
        };
        let listen = SocketAddr::from((address::fresh(), AXI));
        let wires: Vec<Relay> = (0..2).map(|_| Relay::lay(listen)).collect();
        let remotes = vec![("site-a", PARKS[1]), ("site-b", PARKS[2])];
        let mut sites = vec![site("central", PARKS[0], Place::Central { listen, remotes })];
        for ((name, park), wire) in [("site-a", PARKS[1]), ("site-b", PARKS[2])].into_iter().zip(&wires) {
            let clients = SocketAddr::from((address::fresh(), CLIENTS));
            sites.push(site(name, park, Place::Remote { wire: wire.at(), clients }));
        }
        Trio { sites, ground: Ground::Loopback(wires) }.linked()
    }

    /// In network namespaces where they can be had, on the loopback otherwise; says which.
    pub(crate) fn start() -> Trio {
        let Some(spaces) = namespaces() else {
            eprintln!("no network namespaces (they take root and iproute2): on the loopback, with relays");
            return Trio::on_the_loopback();
        };
        eprintln!("in network namespaces");
        let remotes = vec![("site-a", PARKS[1]), ("site-b", PARKS[2])];
        let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, AXI));
        let at = |space: &Namespace| Some(space.0.clone());
        let mut sites = vec![within("central", PARKS[0], Place::Central { listen, remotes }, at(&spaces[0]))];
        for (remote, name) in [(1, "site-a"), (2, "site-b")] {
            let wire = (address_on(NEAR[remote - 1], 1), AXI).into();
            let clients = (Ipv4Addr::LOCALHOST, CLIENTS).into();
            let (park, space) = (PARKS[remote], &spaces[remote]);
            sites.push(within(name, park, Place::Remote { wire, clients }, at(space)));
        }
        Trio { sites, ground: Ground::Namespaces(spaces) }.linked()
    }

    fn linked(self) -> Trio {
        self.in_step();
        self
    }

    /// A session at a site: 0 the central, 1 A, 2 B; `None` when nobody answers there.
    pub(crate) fn session(&self, site: usize) -> Option<Session> {
        match &self.ground {
            Ground::Loopback(_) => Session::open(self.sites[site].clients()),
            Ground::Namespaces(spaces) => {
                Session::over(spaces[site].connect((Ipv4Addr::LOCALHOST, CLIENTS).into())?)
            }
        }
    }

    /// Cuts the wire to a remote, or heals it; nobody is told.
    pub(crate) fn cut(&self, remote: usize, cut: bool) {
        match &self.ground {
            Ground::Loopback(wires) => wires[remote - 1].turn(if cut { Wire::Silent } else { Wire::Whole }),
            Ground::Namespaces(spaces) => {
                let near = NEAR[remote - 1];
                let state = if cut { "down" } else { "up" };
                assert!(spaces[0].ip(&["link", "set", "dev", near, state]), "the link of {near} is {state}");
            }
        }
    }

    /// Waits until a remote knows that it is cut off.
    pub(crate) fn parted(&self, remote: usize) {
        let look = || self.sites[remote].status();
        let gone = |status: &Option<_>| status.is_some() && !up(status.as_ref());
        poll::until(UP, "the link is known to be down", look, gone);
    }

    /// The digests of the three directories.
    fn digests(&self) -> Vec<Option<String>> {
        let digest = |omm: &Omm| Some(omm.status()?["directory"]["digest"].as_str()?.to_owned());
        self.sites.iter().map(digest).collect()
    }

    /// The digest that all three have.
    ///
    /// # Panics
    /// They are not in step.
    pub(crate) fn agreed(&self) -> Option<String> {
        let digests = self.digests();
        assert!(digests.windows(2).all(|two| two[0] == two[1]), "{digests:?}");
        digests.into_iter().next().flatten()
    }

    /// Waits until both links are up and all three have the same directory.
    pub(crate) fn in_step(&self) {
        for remote in &self.sites[1..] {
            poll::until(UP, "the link is up", || remote.status(), |status| up(status.as_ref()));
        }
        let same = |digests: &Vec<Option<String>>| {
            digests[0].is_some() && digests.windows(2).all(|two| two[0] == two[1])
        };
        poll::until(UP, "the three directories are one", || self.digests(), same);
    }
}

/// A site in a namespace of its own, where everybody has the whole loopback.
fn within(name: &'static str, park: &'static str, place: Place, space: Option<String>) -> Omm {
    let sip = (Ipv4Addr::LOCALHOST, 5060).into();
    Omm::start_in(Plan { name, park, sip, pbx: NO_PBX.into(), place }, space)
}
