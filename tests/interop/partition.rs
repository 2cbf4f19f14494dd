//! Administrators edit on both sides of a link that is cut; when it heals, all sites are of one mind (M-2.1.5, SM-7).

use std::time::Duration;

use crate::poll;
use crate::session::{Session, attribute};
use crate::trio::Trio;

/// Between two edits of which one is to be the later one, whatever their clocks do: they share one here.
const LATER: Duration = Duration::from_millis(20);

/// A user with this number; its row has the same, so that no two sites choose one row for two users.
fn create(session: &mut Session, number: u32) {
    session
        .does(&format!("<CreatePPUser seq=\"1\"><user uid=\"{number}\" num=\"{number}\"/></CreatePPUser>"));
}

fn name(session: &mut Session, number: u32, name: &str) {
    session.does(&format!("<SetPPUser seq=\"2\"><user uid=\"{number}\" name=\"{name}\"/></SetPPUser>"));
    poll::rest(LATER);
}

fn delete(session: &mut Session, number: u32) {
    session.does(&format!("<DeletePPUser seq=\"3\" uid=\"{number}\"/>"));
    poll::rest(LATER);
}

#[test]
fn edits_on_both_sides_of_a_cut_are_one_directory_when_it_heals() {
    let mut trio = Trio::start();
    let open = |trio: &Trio, site| trio.session(site).unwrap_or_else(|| panic!("a session at {site}"));
    let (mut central, mut a) = (open(&trio, 0), open(&trio, 1));
    for number in 300..306 {
        create(&mut central, number);
    }
    let device = "<CreatePPDev seq=\"4\"><pp ppn=\"300\" ipei=\"00001 0000017 1\" s=\"Yes\"/></CreatePPDev>";
    central.does(device);
    trio.in_step();
    trio.cut(1, true);
    trio.parted(1);

    // Of one user the name at A, the handset at the central.
    name(&mut a, 300, "Ada");
    central.does(
        "<SetPP seq=\"5\"><user uid=\"300\" ppn=\"300\" relType=\"Dynamic\"/>\
         <pp ppn=\"300\" uid=\"300\" relType=\"Dynamic\"/></SetPP>",
    );
    // The same field at both: once A is later, once the central.
    name(&mut central, 301, "earlier");
    name(&mut a, 301, "later");
    name(&mut a, 302, "earlier");
    name(&mut central, 302, "later");
    // Deleted at one side: untouched at the other, edited there before.
    delete(&mut a, 303);
    name(&mut a, 304, "in vain");
    delete(&mut central, 304);
    // An edit that is later than a deletion says that the user is wanted.
    delete(&mut central, 305);
    name(&mut a, 305, "back");
    // New at both sides.
    create(&mut a, 310);
    create(&mut central, 311);
    // Nobody knows of the other side.
    assert!(a.user("304").is_some() && a.user("311").is_none() && central.user("303").is_some());

    trio.cut(1, false);
    trio.in_step();
    // What is agreed upon outlives everybody.
    let same = trio.agreed();
    for site in &mut trio.sites {
        site.kill();
        site.revive();
    }
    trio.in_step();
    assert_eq!(trio.agreed(), same);
    for site in 0..3 {
        let mut session = open(&trio, site);
        let mut shown = |number: &str| session.user(number).and_then(|user| attribute(&user, "name"));
        let names = ["300", "301", "302", "303", "304", "305"].map(&mut shown);
        let wanted = [Some("Ada"), Some("later"), Some("later"), None, None, Some("back")];
        assert_eq!(names.each_ref().map(Option::as_deref), wanted, "at site {site}");
        assert!(session.user("310").is_some() && session.user("311").is_some(), "at site {site}");
        let ada = session.user("300").unwrap_or_default();
        assert_eq!(attribute(&ada, "ppn").as_deref(), Some("300"), "at site {site}: {ada}");
    }
}
