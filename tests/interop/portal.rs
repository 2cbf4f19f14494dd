//! What a management portal does with an OMM as a whole: the SARI, the sync link, what stands in the file; and what it hears
//! of a phone.

use std::time::Duration;

use crate::kamailio::password;
use crate::omm::{Omm, Place, Plan};
use crate::phone::Phone;
use crate::presence::needs;
use crate::session::{Session, attribute};
use crate::{address, poll};

/// An OMM that starts over, or a link that comes up.
const UP: Duration = Duration::from_secs(30);
/// The PARKs of the central and the remote.
const PARKS: (&str, &str) = ("1F102F0E86", "1F102AF12C");

fn plan(name: &'static str, park: &'static str, place: Place) -> Plan {
    // No SIP server is needed, only one that can be named.
    Plan { name, park, sip: address::sip(), pbx: "sip:127.0.0.1:9;transport=udp".into(), place }
}

/// What is answered, with what error code: at an OMM that may be starting over.
fn asked(omm: &Omm, request: &str) -> Option<String> {
    Session::open(omm.clients())?.ask(request)
}

#[test]
fn a_portal_generates_the_sari_and_attaches_and_detaches_a_remote() {
    let listen = (address::fresh(), crate::system::AXI).into();
    let remotes = vec![("site-a", PARKS.1)];
    let central = Omm::start_told(plan("central", PARKS.0, Place::Central { listen, remotes }), |file| {
        file.replace("[axi]\n", "[axi]\nsari = \"generate\"\n")
    });
    let place = Place::Remote { wire: listen, clients: (address::fresh(), crate::system::AXI - 1).into() };
    let remote = Omm::start(plan("site-a", PARKS.1, place));
    let link = || Some(remote.status()?["link"]["state"].as_str()?.to_owned());

    let mut session = Session::open(central.clients()).expect("a session");
    let park = session.does("<GetPARK seq=\"1\"/>");
    assert_eq!(park, format!("<GetPARKResp seq=\"1\" park=\"{}\"/>", PARKS.0));
    let basic = session.does("<GetBasicSIP seq=\"2\"/>");
    assert!(basic.contains(" transportProt=\"UDP\" proxyServer=\"127.0.0.1\" proxyPort=\"9\""), "{basic}");
    let refused = session.ask("<SetBasicSIP seq=\"3\" proxyServer=\"192.0.2.1\"/>").unwrap_or_default();
    assert!(refused.contains("EForbidden") && refused.contains("bad=\"proxyServer\""), "{refused}");

    // A SARI that handsets of the central would not follow is none; the right one is for good (Y-11).
    let wrong = session.ask("<SetSARI seq=\"4\" sari=\"1F10187326\"/>").unwrap_or_default();
    assert!(wrong.contains("EInval") && wrong.contains(PARKS.0), "{wrong}");
    let set = session.does(&format!("<SetSARI seq=\"5\" sari=\"{}\"/>", PARKS.0));
    assert_eq!(
        set,
        format!("<SetSARIResp seq=\"5\" sari=\"{}\"/>", PARKS.0),
        "it is answered before it starts over"
    );
    let told = || attribute(&asked(&central, "<GetSARI/>")?, "sari");
    poll::until(UP, "the central is back with its SARI", told, |sari| sari.as_deref() == Some(PARKS.0));
    let again = || asked(&central, "<SetSARI sari=\"1F10187326\"/>");
    poll::until(UP, "another one is refused", again, |told| {
        told.as_ref().is_some_and(|told| told.contains("EForbidden") && told.contains("for good"))
    });
    poll::until(UP, "the link is up", link, |now| now.as_deref() == Some("up"));
    let foreign = asked(&remote, "<SetSARI sari=\"1F10187326\"/>").unwrap_or_default();
    assert!(foreign.contains("EForbidden"), "{foreign}");

    // The link is used, not used, and used again.
    let mut session = Session::open(remote.clients()).expect("a session");
    let shown = session.does("<GetUserDeviceSyncOMM seq=\"1\"/>");
    assert!(
        shown.contains(" enable=\"1\"") && shown.contains(" user=\"sync\"") && !shown.contains("secret"),
        "{shown}"
    );
    let place = attribute(&shown, "omm1DomainName").expect("an address");
    let elsewhere = "<SetUserDeviceSyncOMM seq=\"2\" enable=\"0\" omm1DomainName=\"other.example\"/>";
    let refused = session.ask(elsewhere).unwrap_or_default();
    assert!(refused.contains("EForbidden") && refused.contains("[link]"), "{refused}");
    let set = |session: &mut Session, enable: &str| {
        session.does(&format!(
            "<SetUserDeviceSyncOMM seq=\"3\" enable=\"{enable}\" omm1DomainName=\"{place}\"/>"
        ))
    };
    assert!(set(&mut session, "0").contains("<SetUserDeviceSyncOMMResp seq=\"3\" enable=\"0\""));
    poll::until(UP, "the remote is detached", link, |now| now.as_deref() == Some("off"));
    let mut session = Session::open(remote.clients()).expect("a session");
    assert!(set(&mut session, "1").contains(" enable=\"1\""));
    poll::until(UP, "the remote is attached", link, |now| now.as_deref() == Some("up"));
    // A central has nothing to attach to.
    let none = asked(&central, "<SetUserDeviceSyncOMM enable=\"1\"/>").unwrap_or_default();
    assert!(none.contains("EForbidden") && none.contains("no [link]"), "{none}");
    assert_eq!(
        asked(&central, "<GetUserDeviceSyncOMM/>").as_deref(),
        Some("<GetUserDeviceSyncOMMResp enable=\"0\"/>")
    );
}

#[test]
fn a_client_hears_of_a_phone_that_comes_and_leaves_and_is_told_what_it_did_last() {
    needs!("sipp");
    let listen = (address::fresh(), crate::system::AXI).into();
    let omm = Omm::start(plan("central", PARKS.0, Place::Central { listen, remotes: Vec::new() }));
    let number = "101";
    let mut session = Session::open(omm.clients()).expect("a session");
    let ask = "<GetLastPPDevAction seq=\"1\" id=\"0\" maxRecords=\"20\"/>";
    assert!(session.ask(ask).unwrap_or_default().contains("ENoEnt"), "nobody has done anything yet");
    let user = session.user(number).expect("the user of the file");
    let ppn = attribute(&user, "ppn").expect("its handset");
    session.does("<Subscribe seq=\"2\"><e cmd=\"On\" eventType=\"PPTransaction\" ppn=\"-1\"/></Subscribe>");
    let phone = Phone::new(number, &password(number));
    assert_eq!(phone.register(omm.sip()).codes, [401, 200]);
    let event = |what: &str| format!("<EventPPTransaction trType=\"{what}\" ppn=\"{ppn}\"/>");
    assert_eq!(session.hear(), Some(event("LocReg")));
    let last = session.does(ask);
    assert!(last.contains(&format!("<pp ppn=\"{ppn}\" trType=\"LocReg\" relTime=\"")), "{last}");
    assert_eq!(phone.leave(omm.sip()).codes, [401, 200]);
    assert_eq!(session.hear(), Some(event("Detach")));
    assert!(session.does(ask).contains("trType=\"Detach\""));
}
