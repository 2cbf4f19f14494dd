//! A real phone goes from A to B, watched at the real PBX.

use std::time::Duration;

use crate::baresip::Baresip;
use crate::kamailio::{Model, password};
use crate::phone::Phone;
use crate::poll::Watch;
use crate::presence::needs;
use crate::processors::counting_milliseconds;
use crate::relay::Wire;
use crate::system::System;

/// What happens at once: well before the 15 s after which B would do without a confirmation (spec 8, `t_confirm`).
pub(crate) const AT_ONCE: Duration = Duration::from_secs(10);
/// What needs a link to come back: its death, its next try, and the exchange of what is new.
const HEALED: Duration = Duration::from_secs(30);

/// Waits until exactly these sites have a contact.
pub(crate) fn only(watch: &Watch<Vec<String>>, within: Duration, sites: &[&str]) {
    watch.until(within, &format!("contacts of {sites:?} only"), |seen| seen == sites);
}

/// Claims that the user had a contact in every sighting since the first one.
pub(crate) fn never_without(watch: &Watch<Vec<String>>) {
    watch.since(|sites| !sites.is_empty(), "101 can be reached", |sites| !sites.is_empty());
}

#[test]
fn a_phone_roams_and_can_be_reached_at_every_moment() {
    needs!("kamailio", "kamcmd", "sipp");
    let _processors = counting_milliseconds();
    let system = System::start();
    let (phone, watch) = (Phone::new("101", &password("101")), system.watch("101"));
    assert_eq!(phone.register(system.a.sip()).codes, [401, 200]);
    only(&watch, AT_ONCE, &["site-a"]);
    assert_eq!(phone.register(system.b.sip()).codes, [401, 200]);
    watch.until(AT_ONCE, "B's contact", |sites| sites.contains(&"site-b".to_owned()));
    only(&watch, AT_ONCE, &["site-b"]);
    system.agree("101", "site-b");
    // And home again, and away: what was removed once is no obstacle.
    for (site, name) in [(&system.a, "site-a"), (&system.central, "central")] {
        assert_eq!(phone.register(site.sip()).codes, [401, 200]);
        only(&watch, AT_ONCE, &[name]);
        system.agree("101", name);
    }
    never_without(&watch);
}

#[test]
fn a_roam_ends_with_one_contact_at_every_kind_of_registrar() {
    needs!("kamailio", "kamcmd", "sipp");
    for model in [Model::SingleReplace, Model::SingleReject, Model::Outbound, Model::MultiSha256] {
        let system = System::at(model);
        let (phone, watch) = (Phone::new("101", &password("101")), system.watch("101"));
        for (site, name) in [(&system.a, "site-a"), (&system.b, "site-b"), (&system.a, "site-a")] {
            assert_eq!(phone.register(site.sip()).codes, [401, 200], "{model:?}");
            only(&watch, HEALED, &[name]);
            system.agree("101", name);
        }
        if model == Model::MultiSha256 {
            let asked = Phone::new("103", &password("103")).register(system.pbx.at()).transcript;
            assert!(asked.contains("algorithm=SHA-256"), "{asked}");
        }
        // A registrar that takes one contact only takes B's when A's is gone; all others never see the user without.
        if model != Model::SingleReject {
            never_without(&watch);
        }
    }
}

#[test]
fn a_roam_while_the_link_is_cut_ends_when_it_heals() {
    needs!("kamailio", "kamcmd", "sipp");
    for cut in [Wire::Silent, Wire::Refusing] {
        let system = System::start();
        let (phone, watch) = (Phone::new("101", &password("101")), system.watch("101"));
        assert_eq!(phone.register(system.a.sip()).code(), Some(200));
        only(&watch, AT_ONCE, &["site-a"]);
        system.wire_a.turn(cut);
        assert_eq!(phone.register(system.b.sip()).code(), Some(200));
        only(&watch, AT_ONCE, &["site-a", "site-b"]);
        system.parted(&system.a);
        only(&watch, AT_ONCE, &["site-a", "site-b"]);
        system.wire_a.turn(Wire::Whole);
        only(&watch, HEALED, &["site-b"]);
        system.agree("101", "site-b");
        never_without(&watch);
    }
}

#[test]
fn baresip_roams_with_and_without_a_link() {
    needs!("kamailio", "kamcmd", "baresip");
    let system = System::start();
    let watch = system.watch("102");
    let at = |omm: &crate::omm::Omm| Baresip::start("102", &password("102"), omm.sip());
    let first = at(&system.a);
    only(&watch, AT_ONCE, &["site-a"]);
    // Out of A's reach: nobody says goodbye.
    drop(first);
    let second = at(&system.b);
    watch.until(AT_ONCE, "B's contact", |sites| sites.contains(&"site-b".to_owned()));
    only(&watch, AT_ONCE, &["site-b"]);
    system.wire_b.turn(Wire::Refusing);
    system.parted(&system.b);
    drop(second);
    let third = at(&system.a);
    only(&watch, AT_ONCE, &["site-a", "site-b"]);
    system.wire_b.turn(Wire::Whole);
    only(&watch, HEALED, &["site-a"]);
    never_without(&watch);
    // This one does: SM-2, `detach_hold` 0.
    third.quit();
    only(&watch, AT_ONCE, &[]);
}
