//! A site that reaches its PBX over TCP and over TLS, and what becomes of it when the flow breaks.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use crate::address;
use crate::kamailio::{Kamailio, Model, Streams, password};
use crate::omm::{Omm, Place, Plan};
use crate::phone::Phone;
use crate::poll;
use crate::presence::needs;
use crate::relay::{Relay, Wire};

/// What happens at once, on a busy machine.
const SOON: Duration = Duration::from_secs(10);
/// A router that is restarted.
const BLINK: Duration = Duration::from_millis(100);

fn site(pbx: String) -> Omm {
    let listen = SocketAddr::from((address::fresh(), crate::system::AXI));
    let place = Place::Central { listen, remotes: Vec::new() };
    Omm::start(Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx, place })
}

/// A port of `localhost` that nobody uses.
fn localhost() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.unwrap_or_else(|e| panic!("a port: {e}"))
}

#[test]
fn a_registration_over_tcp_outlives_its_flow() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::speaking(Model::Outbound, Streams::Tcp);
    let wire = Relay::lay(pbx.at());
    let site = site(format!("sip:{};transport=tcp", wire.at()));
    assert_eq!(Phone::new("101", &password("101")).register(site.sip()).codes, [401, 200]);
    let left = || pbx.table().of("101").first().map(|contact| contact.expires);
    poll::until(SOON, "101 is registered", left, Option::is_some);
    // Granted for a minute: a refresh is not due before 37 s have passed.
    poll::until(SOON, "a few seconds have passed", left, |left| left.is_some_and(|left| left <= 55));
    wire.turn(Wire::Refusing);
    // The relay notices within 20 ms, and whoever calls then is turned away.
    poll::rest(BLINK);
    wire.turn(Wire::Whole);
    poll::until(SOON, "101 is registered anew", left, |left| left.is_some_and(|left| left > 57));
    assert_eq!(pbx.table().of("101").len(), 1);
}

#[test]
fn a_registrar_is_reached_over_tls_by_its_name_only() {
    needs!("kamailio", "kamcmd", "sipp");
    let modules = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    if !modules.iter().any(|dir| Path::new(dir).join("kamailio/modules/tls.so").exists()) {
        fn here() {}
        crate::presence::skipped(std::any::type_name_of_val(&here), &["kamailio-tls-modules"]);
        return;
    }
    let at = localhost();
    let pbx = Kamailio::speaking(Model::Multi, Streams::Tls(at));
    let trusted = site(format!("sips:localhost:{}", at.port()));
    assert_eq!(Phone::new("101", &password("101")).register(trusted.sip()).codes, [401, 200]);
    poll::until(SOON, "101 is registered", || pbx.table().of("101").len(), |count| *count == 1);
    // The same server under an address that its certificate does not carry: no word of the user's.
    let wire = Relay::lay(at);
    let distrusted = site(format!("sips:{}", wire.at()));
    assert_eq!(Phone::new("102", &password("102")).register(distrusted.sip()).codes, [401, 200]);
    let alarm = format!("tls:{} is not who it should be", wire.at());
    poll::until(SOON, "an alarm", || distrusted.log().contains(&alarm), |yes| *yes);
    assert!(pbx.table().of("102").is_empty());
}
