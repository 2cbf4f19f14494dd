//! Three sites, one PBX, and the wires between them.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::address;
use crate::kamailio::{Kamailio, Model};
use crate::omm::{Omm, Place, Plan, plain};
use crate::poll::{self, Watch};
use crate::relay::Relay;

/// How long the links may take to come up, with the tries at growing intervals that may be needed.
const UP: Duration = Duration::from_secs(20);
/// AXI over TLS (axi 1).
pub(crate) const AXI: u16 = 12_622;
/// The PARKs of the central, of A and of B.
pub(crate) const PARKS: [&str; 3] = ["1F102F0E86", "1F102AF12C", "1F102A7C82"];

/// A star of three, and the registrar that all of them use.
pub(crate) struct System {
    /// The registrar of all sites.
    pub(crate) pbx: Kamailio,
    /// The OMM in the middle.
    pub(crate) central: Omm,
    /// Where the central takes AXI connections without TLS; the remotes come over TLS.
    pub(crate) central_axi: SocketAddr,
    /// Site A.
    pub(crate) a: Omm,
    /// Site B.
    pub(crate) b: Omm,
    /// The wire from A to the central.
    pub(crate) wire_a: Relay,
    /// The wire from B to the central.
    pub(crate) wire_b: Relay,
}

impl System {
    /// Starts everything and waits until both remotes are linked.
    pub(crate) fn start() -> System {
        System::at(Model::Multi)
    }

    /// [`System::start`] with a registrar of this kind.
    pub(crate) fn at(model: Model) -> System {
        System::told(model, |file| file)
    }

    /// [`System::start`] with remotes that other OMMs can call by TLS, with a certificate of their own making.
    pub(crate) fn of_neighbours() -> System {
        System::told(Model::Multi, |file| {
            let listen = |at: &str| format!("listen = \"{at}:{AXI}\"\nlisten_plain = \"{at}:");
            let (before, after) = file.split_once("tls = false\nlisten = \"").unwrap_or((&file, ""));
            match after.split_once(':') {
                Some((at, rest)) => format!("{before}{}{rest}", listen(at)),
                None => file,
            }
        })
    }

    fn told(model: Model, edit: fn(String) -> String) -> System {
        let pbx = Kamailio::start(model);
        let listen = SocketAddr::from((address::fresh(), AXI));
        let (wire_a, wire_b) = (Relay::lay(listen), Relay::lay(listen));
        let site = |name, park, place| {
            let (sip, pbx) = (address::sip(), format!("sip:{};transport=udp", pbx.at()));
            Omm::start_told(Plan { name, park, sip, pbx, place }, edit)
        };
        let remotes = vec![("site-a", PARKS[1]), ("site-b", PARKS[2])];
        let central = site("central", PARKS[0], Place::Central { listen, remotes });
        let remote =
            |wire: &Relay| Place::Remote { wire: wire.at(), clients: (address::fresh(), AXI - 1).into() };
        let a = site("site-a", PARKS[1], remote(&wire_a));
        let b = site("site-b", PARKS[2], remote(&wire_b));
        let system = System { pbx, central, central_axi: plain(listen), a, b, wire_a, wire_b };
        system.linked();
        system
    }

    /// Waits until both remotes are linked with the central.
    pub(crate) fn linked(&self) {
        for site in [&self.a, &self.b] {
            poll::until(
                UP,
                &format!("{} is linked", site.name()),
                || site.status(),
                |status| up(status.as_ref()),
            );
        }
    }

    /// Waits until `site` knows that it is cut off.
    pub(crate) fn parted(&self, site: &Omm) {
        let wish = format!("{} is cut off", site.name());
        poll::until(UP, &wish, || site.status(), |status| status.is_some() && !up(status.as_ref()));
    }

    /// Waits until all three sites believe `user` to be at `owner`, by the same claim.
    pub(crate) fn agree(&self, user: &str, owner: &str) {
        let believe = || [&self.central, &self.a, &self.b].map(|omm| omm.belief(user));
        let same = |beliefs: &[Option<(String, String)>; 3]| {
            // Only the central knows the others' names.
            let [Some((name, epoch)), rest @ ..] = beliefs else { return false };
            name == owner && rest.iter().flatten().filter(|(_, theirs)| theirs == epoch).count() == rest.len()
        };
        poll::until(UP, &format!("all agree that {user} is at {owner}"), believe, same);
    }

    /// Watches the contacts of `user` at the PBX, by the names of the sites that wrote them, in their order.
    pub(crate) fn watch(&self, user: &'static str) -> Watch<Vec<String>> {
        let ctl = self.pbx.ctl();
        let sites = [&self.central, &self.a, &self.b].map(|omm| (format!("@{}", omm.sip()), omm.name()));
        let name = move |uri: String| {
            let known = sites.iter().find(|(host, _)| uri.contains(host.as_str()));
            known.map_or(uri, |(_, name)| (*name).to_owned())
        };
        Watch::begin(move || {
            let mut seen: Vec<String> = ctl.table()?.uris(user).into_iter().map(&name).collect();
            seen.sort();
            Some(seen)
        })
    }
}

/// Whether a remote's status says that its link is up.
pub(crate) fn up(status: Option<&Value>) -> bool {
    status.is_some_and(|status| status["link"]["state"] == "up")
}
