//! What clients that have subscribed hear of the system itself: the DECT code, the SARI, and how the link does.

use std::time::Duration;

use crate::omm::{Omm, Place, Plan};
use crate::session::{Session, attribute};
use crate::{address, poll};

/// A link that comes up or goes down, with the tries that may be needed.
const UP: Duration = Duration::from_secs(30);
/// The PARKs of the central and the remote.
const PARKS: (&str, &str) = ("1F102F0E86", "1F102AF12C");
/// Messages that may come in between.
const BETWEEN: usize = 20;

fn plan(name: &'static str, park: &'static str, place: Place) -> Plan {
    // No SIP server is needed, only one that can be named.
    Plan { name, park, sip: address::sip(), pbx: "sip:127.0.0.1:9;transport=udp".into(), place }
}

/// The next event of this name in which this part stands.
fn event(session: &mut Session, name: &str, part: &str) -> String {
    let heard = || session.hear().unwrap_or_else(|| panic!("no {name} with {part}"));
    let mut heard = std::iter::repeat_with(heard).take(BETWEEN);
    let begins = |heard: &str| heard.strip_prefix('<').is_some_and(|rest| rest.starts_with(name));
    let wanted = heard.find(|heard| begins(heard) && heard.contains(part));
    wanted.unwrap_or_else(|| panic!("no {name} with {part} among {BETWEEN} messages"))
}

#[test]
fn clients_hear_of_the_code_the_sari_and_the_health_of_the_link_if_they_have_asked_for_it() {
    let listen = (address::fresh(), crate::system::AXI).into();
    let remotes = vec![("site-a", PARKS.1)];
    let mut central = Omm::start_told(plan("central", PARKS.0, Place::Central { listen, remotes }), |file| {
        file.replace("[axi]\n", "[axi]\nsari = \"generate\"\n")
    });
    let place = Place::Remote { wire: listen, clients: (address::fresh(), crate::system::AXI - 1).into() };
    let remote = Omm::start(plan("site-a", PARKS.1, place));
    let state = || Some(remote.status()?["link"]["state"].as_str()?.to_owned());
    poll::until(UP, "the link is held", state, |now| now.as_deref() == Some("held"));
    let mut session = Session::open(remote.clients()).expect("a session");
    let mut other = Session::open(remote.clients()).expect("a session that asks for nothing");
    let health = session.does("<GetHealthState seq=\"1\"/>");
    assert_eq!(
        attribute(&health, "reason").as_deref(),
        Some("SARI not configured on central OMM"),
        "{health}"
    );
    session.does(
        "<Subscribe seq=\"2\"><e cmd=\"On\" eventType=\"SystemCnf\"/><e cmd=\"On\" eventType=\"SystemState\"/></Subscribe>",
    );

    session.does("<SetDECTAuthCode seq=\"3\" ac=\"4711\"/>");
    assert_eq!(event(&mut session, "EventDECTAuthCodeCnf", "ac="), "<EventDECTAuthCodeCnf ac=\"4711\"/>");

    let (code, told) = central.command(&["sari", "generate"]);
    assert_eq!(code, Some(0), "{told}");
    // The link is held for a while; what is heard meanwhile waits.
    poll::until(UP, "the link is up", state, |now| now.as_deref() == Some("up"));
    let sari = event(&mut session, "EventSARICnf", "sari=");
    assert_eq!(sari, format!("<EventSARICnf sari=\"{}\"/>", PARKS.0));
    let health = "<health component=\"userDeviceSync\" severity";

    central.kill();
    poll::until(UP, "the link is lost", state, |now| now.as_deref() == Some("down"));
    let lost = event(&mut session, "EventHealthState", &format!("{health}=\"Error\""));
    assert!(lost.contains("Cannot connect to external AXI / lost AXI connection"), "{lost}");
    central.revive();
    poll::until(UP, "the link is up again", state, |now| now.as_deref() == Some("up"));
    event(&mut session, "EventHealthState", &format!("{health}=\"OK\""));

    // Who has asked for nothing has heard nothing: the next message is the answer.
    let answer = other.ask("<Ping seq=\"9\"/>").unwrap_or_default();
    assert!(answer.starts_with("<PingResp seq=\"9\""), "{answer}");

    // The central does as its remotes do; this one leaves, and its own sessions end with that.
    let mut watch = Session::open(central.clients()).expect("a session at the central");
    let well = || attribute(&watch.does("<GetHealthState seq=\"1\"/>"), "severity");
    poll::until(UP, "the central is well", well, |now| now.as_deref() == Some("OK"));
    watch.does("<Subscribe seq=\"2\"><e cmd=\"On\" eventType=\"SystemState\"/></Subscribe>");
    let (code, told) = remote.command(&["detach"]);
    assert_eq!(code, Some(0), "{told}");
    let lost = event(&mut watch, "EventHealthState", &format!("{health}=\"Warning\""));
    assert!(lost.contains("Cannot connect to external AXI / lost AXI connection"), "{lost}");
    // It starts over, and lets nobody in for a moment.
    let idle = || {
        let answer = Session::open(remote.clients())?.ask("<GetHealthState seq=\"1\"/>")?;
        attribute(&answer, "severity")
    };
    poll::until(UP, "the remote is idle", idle, |now| now.as_deref() == Some("Idle"));
}
