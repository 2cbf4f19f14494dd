//! A site that reaches its PBX over TCP and over TLS, and what becomes of it when the flow breaks.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use crate::address;
use crate::baresip::Baresip;
use crate::kamailio::{Kamailio, Model, Streams, password};
use crate::omm::{Omm, Place, Plan};
use crate::phone::Phone;
use crate::poll;
use crate::presence::needs;
use crate::relay::{Relay, Wire};
use crate::system::{AXI, PARKS, up};

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

/// Whether this machine's Kamailio can speak TLS.
fn speaks_tls() -> bool {
    let modules = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    modules.iter().any(|dir| Path::new(dir).join("kamailio/modules/tls.so").exists())
}

/// Where a site at this address takes TLS (RFC 3261 19.1.2).
fn secure(sip: SocketAddr) -> SocketAddr {
    (sip.ip(), 5061).into()
}

/// A site that takes connections over TCP and TLS, from phones and from servers.
fn open(name: &'static str, park: &'static str, pbx: String, place: Place) -> Omm {
    let sip = address::sip();
    let file = |name: &str| format!("{}/src/sockets/certificates/{name}", env!("CARGO_MANIFEST_DIR"));
    let told = format!(
        "[sip]\nlisten_tcp = \"{sip}\"\nlisten_tls = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\n",
        secure(sip),
        file("good.pem"),
        file("good.key"),
    );
    Omm::start_told(Plan { name, park, sip, pbx, place }, |config| config.replacen("[sip]\n", &told, 1))
}

/// A phone that speaks nothing but `transport` registers at A and roams to the central, both of which speak with the PBX
/// over the same transport; `contact` is what the PBX has to know of a site.
fn roams_over(transport: &str, pbx: &Kamailio, uri: &str, contact: fn(SocketAddr) -> String) {
    let listen = SocketAddr::from((address::fresh(), AXI));
    let remotes = vec![("site-a", PARKS[1])];
    let central = open("central", PARKS[0], uri.to_owned(), Place::Central { listen, remotes });
    let clients = (address::fresh(), AXI - 1).into();
    let a = open("site-a", PARKS[1], uri.to_owned(), Place::Remote { wire: listen, clients });
    poll::until(SOON, "site-a is linked", || a.status(), |status| up(status.as_ref()));
    let only = |site: &Omm| {
        let expected = contact(site.sip());
        let is_it = |uris: &Vec<String>| matches!(&uris[..], [only] if only.starts_with(&expected));
        poll::until(SOON, &format!("{expected} and no other"), || pbx.table().uris("101"), is_it);
    };
    for site in [&a, &central, &a] {
        let door = if transport == "tls" { secure(site.sip()) } else { site.sip() };
        let phone = Baresip::start_over(transport, "101", &password("101"), door);
        only(site);
        // Out of reach: nobody says goodbye.
        drop(phone);
    }
}

#[test]
fn a_phone_roams_over_tcp_and_the_pbx_is_told_to_call_back_over_tcp() {
    needs!("kamailio", "kamcmd", "baresip");
    let pbx = Kamailio::speaking(Model::Multi, Streams::Tcp);
    let uri = format!("sip:{};transport=tcp", pbx.at());
    roams_over("tcp", &pbx, &uri, |sip| format!("sip:101@{sip};transport=tcp;hm-site="));
}

#[test]
fn a_phone_roams_over_tls_and_the_pbx_is_told_to_call_back_as_sips() {
    needs!("kamailio", "kamcmd", "baresip");
    if !speaks_tls() {
        fn here() {}
        crate::presence::skipped(std::any::type_name_of_val(&here), &["kamailio-tls-modules"]);
        return;
    }
    let at = localhost();
    let pbx = Kamailio::speaking(Model::Multi, Streams::Tls(at));
    let uri = format!("sips:localhost:{}", at.port());
    roams_over("tls", &pbx, &uri, |sip| format!("sips:101@{};hm-site=", secure(sip)));
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
    if !speaks_tls() {
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
