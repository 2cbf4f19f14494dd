//! How a remote becomes a part of a system, as an administrator does it: by the commands, over TLS, with real processes.

use std::time::Duration;

use crate::omm::{Omm, Place, Plan};
use crate::{address, poll};

/// A link that comes up or goes down, with the tries that may be needed.
const UP: Duration = Duration::from_secs(20);
/// The PARKs of the central and the remote.
const PARKS: (&str, &str) = ("1F102F0E86", "1F102AF12C");

fn plan(name: &'static str, park: &'static str, place: Place) -> Plan {
    // No SIP server is needed, only one that can be named.
    Plan { name, park, sip: address::sip(), pbx: "sip:127.0.0.1:9;transport=udp".into(), place }
}

fn link(omm: &Omm) -> Option<String> {
    Some(omm.status()?["link"]["state"].as_str()?.to_owned())
}

fn waits(omm: &Omm, state: &str) {
    poll::until(UP, &format!("the link is {state}"), || link(omm), |now| now.as_deref() == Some(state));
}

/// Commands that start the OMM over are followed by a moment in which nobody answers.
fn answers(omm: &Omm) {
    poll::until(UP, "the OMM answers again", || omm.status(), Option::is_some);
}

#[test]
fn a_system_is_set_up_by_commands_and_a_remote_comes_and_goes() {
    let listen = (address::fresh(), crate::system::AXI).into();
    let remotes = vec![("site-a", PARKS.1)];
    let central = Omm::start_told(plan("central", PARKS.0, Place::Central { listen, remotes }), |file| {
        file.replace("[axi]\n", "[axi]\nsari = \"generate\"\n")
    });
    // What the central shows is pinned at the remote, as `homing check` prints it.
    let (_, told) = central.command(&["check", "--time-limit", "20s"]);
    let pin = told.split("fingerprint ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let pin = pin.unwrap_or_else(|| panic!("no fingerprint in {told}")).to_owned();
    let place = Place::Remote { wire: listen, clients: (address::fresh(), crate::system::AXI - 1).into() };
    let remote = Omm::start_told(plan("site-a", PARKS.1, place), |file| {
        file.replace("verify = false\n", &format!("fingerprint = \"{pin}\"\n"))
    });

    // Y-11: without a SARI nobody is let in, and the check before says so without being let in.
    waits(&remote, "held");
    let (code, told) = remote.command(&["check", "--time-limit", "20s"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("would refuse this OMM: the central has no SARI"), "{told}");
    assert!(told.contains("pass  omm1 clock"), "{told}");
    let (code, told) = central.command(&["sari", "generate"]);
    assert!(code == Some(0) && told.contains(PARKS.0), "{code:?} {told}");
    answers(&central);
    let (code, told) = central.command(&["sari", "generate"]);
    assert!(code == Some(1) && told.contains("nothing was changed (M-2.1.2.1-e)"), "{code:?} {told}");
    let (code, told) = remote.command(&["sari", "generate"]);
    assert!(code == Some(1) && told.contains("this is a remote"), "{code:?} {told}");

    // Y-1, Y-4: it cures itself, and the remote has learned the SARI.
    waits(&remote, "up");
    assert_eq!(remote.command(&["sari", "show"]), (Some(0), format!("{}\n", PARKS.0)));
    let (_, told) = central.command(&["remotes"]);
    assert!(told.lines().any(|line| line.starts_with("site-a ") && line.contains(" yes ")), "{told}");
    let (_, told) = remote.command(&["check", "--time-limit", "20s"]);
    assert!(told.contains("would let this OMM in"), "{told}");
    assert_eq!(link(&remote).as_deref(), Some("up"), "the check has disturbed nothing");

    // It is detached and stays so, and its place with it.
    let (code, told) = remote.command(&["detach"]);
    assert_eq!(code, Some(0), "{told}");
    waits(&remote, "off");
    let (_, told) = central.command(&["remotes"]);
    assert!(told.lines().any(|line| line.starts_with("site-a ") && line.contains(" no ")), "{told}");
    assert_eq!(remote.command(&["attach"]).0, Some(0));
    waits(&remote, "up");

    // A place on the roster is given up by a command alone.
    let (code, told) = central.command(&["remotes", "remove", "nobody"]);
    assert!(code == Some(1) && told.contains("neither the name of a [[remote]]"), "{code:?} {told}");
    assert_eq!(central.command(&["remotes", "remove", "site-a"]).0, Some(0));
    // The remote is not locked out by that: it is let in anew while there is a place.
    waits(&remote, "up");

    // AMB-11: what runs is not made new.
    let (code, told) = remote.command(&["reinitialise", "--confirm", "site-a"]);
    assert!(code == Some(3) && told.contains("nothing was changed"), "{code:?} {told}");
}
