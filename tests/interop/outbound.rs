//! A PBX behind an outbound proxy, another Kamailio (`outbound.cfg`), which passes on only what comes with a Route.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::address;
use crate::kamailio::{Kamailio, Model, password};
use crate::omm::{Omm, Place, Plan};
use crate::phone::Phone;
use crate::poll;
use crate::presence::{find, needs};
use crate::process::Process;
use crate::system::AXI;

/// What happens at once, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// The proxy, with its log.
struct Proxy {
    at: SocketAddr,
    process: Process,
    home: TempDir,
}

impl Proxy {
    fn start() -> Proxy {
        let home = TempDir::with_prefix("outbound-").unwrap_or_else(|e| panic!("a home: {e}"));
        let (at, dir) = (address::sip(), home.path());
        let file = dir.join("outbound.cfg");
        std::fs::write(&file, include_str!("outbound.cfg"))
            .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut command = Command::new(find("kamailio").unwrap_or_else(|| "kamailio".into()));
        command.args(["-DD", "-E", "-m", "32", "-M", "8", "-f"]).arg(file).arg("-Y").arg(dir);
        let process = Process::start(command.args(["-l", &format!("udp:{at}")]), &dir.join("log"));
        Proxy { at, process, home }
    }

    /// Whether it has passed a request of this method on to this place.
    fn passed(&self, method: &str, uri: &str) -> bool {
        let log = std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
        log.contains(&format!("passed {method} to {uri}"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.process.retire();
    }
}

#[test]
fn a_tier_behind_an_outbound_proxy_is_reached_over_it_and_left_when_it_dies() {
    needs!("kamailio", "kamcmd", "sipp");
    let (pbx, second, mut proxy) =
        (Kamailio::start(Model::Multi), Kamailio::start(Model::Multi), Proxy::start());
    let listen = SocketAddr::from((address::fresh(), AXI));
    let place = Place::Central { listen, remotes: Vec::new() };
    let uri = format!("sip:{}", pbx.at());
    let plan = Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx: uri.clone(), place };
    let tier = format!(
        "outbound_proxy = \"sip:{}\"\n[[tier]]\nname = \"second\"\nuri = \"sip:{}\"\n[registration]\n",
        proxy.at,
        second.at()
    );
    let site = Omm::start_told(plan, |file| file.replacen("[registration]\n", &tier, 1));
    assert_eq!(Phone::new("101", &password("101")).register(site.sip()).codes, [401, 200]);
    poll::until(SOON, "101 at the PBX", || pbx.table().of("101").len(), |count| *count == 1);
    assert!(proxy.passed("REGISTER", &uri), "it went past the proxy");
    poll::until(SOON, "a probe over the proxy", || proxy.passed("OPTIONS", &uri), |yes| *yes);
    assert!(second.table().of("101").is_empty());
    // The server behind it is well, and nobody can reach it.
    proxy.process.kill();
    poll::until(SOON * 2, "101 at the second server", || second.table().of("101").len(), |count| *count == 1);
}
