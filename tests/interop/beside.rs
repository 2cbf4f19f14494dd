//! The central is dead, and two remotes settle a roam between them (B-4, R-9), over TLS with a pinned certificate.

use std::time::Duration;

use crate::journeys::{AT_ONCE, never_without, only};
use crate::kamailio::password;
use crate::phone::Phone;
use crate::poll;
use crate::presence::needs;
use crate::system::System;

/// The link has to be lost for 5 s first (SM-2); the rest is for a busy machine.
const DIRECTLY: Duration = Duration::from_secs(20);
/// What a central that is back needs to be in step with everybody.
const BACK: Duration = Duration::from_secs(60);

#[test]
fn a_phone_roams_without_a_central_and_its_former_site_lets_go_of_it() {
    needs!("kamailio", "kamcmd", "sipp");
    let mut system = System::of_neighbours();
    let (phone, watch) = (Phone::new("101", &password("101")), system.watch("101"));
    assert_eq!(phone.register(system.a.sip()).codes, [401, 200]);
    only(&watch, AT_ONCE, &["site-a"]);
    system.central.kill();
    system.parted(&system.a);
    system.parted(&system.b);

    assert_eq!(phone.register(system.b.sip()).codes, [401, 200]);
    only(&watch, DIRECTLY, &["site-b"]);
    let direct = || Some(system.b.status()?["direct"].as_array()?.len());
    poll::until(AT_ONCE, "B speaks with A", direct, |channels| *channels == Some(1));

    // A remote that starts without its central has not forgotten where the others are.
    system.a.kill();
    system.a.revive();
    assert_eq!(phone.register(system.a.sip()).codes, [401, 200]);
    only(&watch, DIRECTLY, &["site-a"]);

    system.central.revive();
    system.linked();
    poll::until(
        BACK,
        "the central knows",
        || system.central.belief("101"),
        |belief| belief.as_ref().is_some_and(|(owner, _)| owner == "site-a"),
    );
    system.agree("101", "site-a");
    only(&watch, AT_ONCE, &["site-a"]);
    never_without(&watch);
}
