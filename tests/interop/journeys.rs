//! A real phone goes from A to B, watched at the real PBX.

use std::net::SocketAddr;
use std::time::Duration;

use crate::kamailio::password;
use crate::phone::Phone;
use crate::poll::{self, Watch};
use crate::presence::needs;
use crate::relay::Wire;
use crate::system::System;

/// What happens at once: well before the 15 s after which B would do without a confirmation (spec 8, `t_confirm`).
const AT_ONCE: Duration = Duration::from_secs(5);
/// What needs a link to come back: its death, its next try, and the exchange of what is new.
const HEALED: Duration = Duration::from_secs(30);
/// The end of any journey: whoever died is back, and B has renewed without a confirmation if it had to (45 s).
const END: Duration = Duration::from_secs(90);

fn phone() -> Phone {
    Phone::new("101", &password("101"))
}

/// Registers as a phone does: again and again until it works.
fn register(phone: &Phone, at: SocketAddr) {
    poll::until(
        END,
        "the phone is accepted",
        || phone.register(at).codes,
        |codes| codes.last() == Some(&200),
    );
}

/// Waits until exactly these sites have a contact.
fn only(watch: &Watch<Vec<String>>, within: Duration, sites: &[&str]) {
    watch.until(within, &format!("contacts of {sites:?} only"), |seen| seen == sites);
}

fn never_without(watch: &Watch<Vec<String>>) {
    watch.since(|sites| !sites.is_empty(), "101 can be reached", |sites| !sites.is_empty());
}

#[test]
#[ignore = "homing serve is not there yet"]
fn a_phone_roams_and_can_be_reached_at_every_moment() {
    needs!("kamailio", "kamcmd", "sipp");
    let system = System::start();
    let (phone, watch) = (phone(), system.watch("101"));
    assert_eq!(phone.register(system.a.sip()).code(), Some(200));
    only(&watch, AT_ONCE, &["site-a"]);
    assert_eq!(phone.register(system.b.sip()).code(), Some(200));
    watch.until(AT_ONCE, "B's contact", |sites| sites.contains(&"site-b".to_owned()));
    only(&watch, AT_ONCE, &["site-b"]);
    never_without(&watch);
}

#[test]
#[ignore = "homing serve is not there yet"]
fn a_roam_while_the_link_is_cut_ends_when_it_heals() {
    needs!("kamailio", "kamcmd", "sipp");
    for cut in [Wire::Silent, Wire::Refusing] {
        let system = System::start();
        let (phone, watch) = (phone(), system.watch("101"));
        assert_eq!(phone.register(system.a.sip()).code(), Some(200));
        only(&watch, AT_ONCE, &["site-a"]);
        system.wire_a.turn(cut);
        assert_eq!(phone.register(system.b.sip()).code(), Some(200));
        only(&watch, AT_ONCE, &["site-a", "site-b"]);
        system.wire_a.turn(Wire::Whole);
        only(&watch, HEALED, &["site-b"]);
        never_without(&watch);
    }
}

/// When somebody dies.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// A has said 200 to the phone, no more.
    AcceptedAtA,
    /// The PBX has A's contact.
    BoundAtA,
    /// The phone's REGISTER is on its way to B.
    OnTheWayToB,
    /// B has said 200 to the phone, no more.
    AcceptedAtB,
    /// The PBX has B's contact.
    BoundAtB,
}

const MOMENTS: [Moment; 5] =
    [Moment::AcceptedAtA, Moment::BoundAtA, Moment::OnTheWayToB, Moment::AcceptedAtB, Moment::BoundAtB];

/// The journey with a `kill -9` at each moment, and a start again.
fn survives(kill: impl Fn(&mut System), revive: impl Fn(&mut System)) {
    for death in MOMENTS {
        let mut system = System::start();
        let (phone, watch) = (phone(), system.watch("101"));
        let die = |system: &mut System| {
            kill(system);
            poll::rest(Duration::from_millis(300));
            revive(system);
        };
        assert_eq!(phone.register(system.a.sip()).code(), Some(200));
        if matches!(death, Moment::AcceptedAtA) {
            die(&mut system);
        }
        only(&watch, END, &["site-a"]);
        if matches!(death, Moment::BoundAtA) {
            die(&mut system);
        }
        if matches!(death, Moment::OnTheWayToB) {
            let run = phone.begin(system.b.sip(), &[phone.contact("", 120)]);
            die(&mut system);
            run.outcome();
        }
        register(&phone, system.b.sip());
        if matches!(death, Moment::AcceptedAtB) {
            die(&mut system);
        }
        watch.until(END, "B's contact", |sites| sites.contains(&"site-b".to_owned()));
        if matches!(death, Moment::BoundAtB) {
            die(&mut system);
        }
        only(&watch, END, &["site-b"]);
        never_without(&watch);
        eprintln!("{death:?}:{}", watch.tell());
    }
}

#[test]
#[ignore = "homing serve is not there yet"]
fn the_former_site_dies_on_the_way() {
    needs!("kamailio", "kamcmd", "sipp");
    survives(|system| system.a.kill(), |system| system.a.revive());
}

#[test]
#[ignore = "homing serve is not there yet"]
fn the_new_site_dies_on_the_way() {
    needs!("kamailio", "kamcmd", "sipp");
    survives(|system| system.b.kill(), |system| system.b.revive());
}

#[test]
#[ignore = "homing serve is not there yet"]
fn the_central_dies_on_the_way() {
    needs!("kamailio", "kamcmd", "sipp");
    survives(|system| system.central.kill(), |system| system.central.revive());
}

#[test]
#[ignore = "homing serve is not there yet"]
fn a_pbx_that_lost_its_memory_learns_everything_again() {
    needs!("kamailio", "kamcmd", "sipp");
    let mut system = System::start();
    let (phone, watch) = (phone(), system.watch("101"));
    assert_eq!(phone.register(system.a.sip()).code(), Some(200));
    only(&watch, AT_ONCE, &["site-a"]);
    register(&phone, system.b.sip());
    system.pbx.restart();
    // Nobody tells a client that its registrar forgot it: the next refresh is the remedy (expires is 1 min).
    only(&watch, END, &["site-b"]);
}
