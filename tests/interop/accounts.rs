//! Accounts over AXI, in a process that is killed in between.

use std::net::TcpStream;
use std::time::Duration;

use crate::omm::{Omm, Place, Plan};
use crate::session::{Session, attribute};
use crate::{address, poll};

/// How long what was said may take to have its effect.
const SOON: Duration = Duration::from_secs(10);
const PASSWORD: &str = "geheim geheim";

/// A connection on which nobody has logged in, and what it hears when it tries as `exporter`.
fn enter(omm: &Omm, password: &str) -> Option<(Session, String)> {
    let mut session = Session::stranger(TcpStream::connect(omm.clients()).ok()?)?;
    let answer = session.ask(&format!("<Open seq=\"0\" username=\"exporter\" password=\"{password}\"/>"))?;
    Some((session, answer))
}

#[test]
fn an_account_that_a_client_makes_outlives_the_process_and_ends_with_its_sessions() {
    let listen = (address::fresh(), crate::system::AXI).into();
    let place = Place::Central { listen, remotes: Vec::new() };
    let pbx = "sip:127.0.0.1:9;transport=udp".into();
    let mut omm = Omm::start(Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx, place });
    let mut admin = Session::open(omm.clients()).expect("a session");
    let made = admin.does(&format!(
        "<CreateAccount seq=\"1\" plainText=\"1\"><account username=\"exporter\" password=\"{PASSWORD}\" \
         permission=\"Monitoring\"/></CreateAccount>"
    ));
    assert!(made.contains("permission=\"AllCnfRead Monitoring\"") && !made.contains(PASSWORD), "{made}");
    let id = attribute(&made, "id").expect("a key");
    let refused = admin.ask("<SetAccount seq=\"2\" id=\"1\" active=\"0\"/>").unwrap_or_default();
    assert!(refused.contains("EForbidden"), "the configuration's own: {refused}");

    omm.kill();
    omm.revive();
    let (_, wrong) = enter(&omm, "wrong").expect("an answer");
    assert!(wrong.contains("EAuth"), "{wrong}");
    let (mut reader, open) = enter(&omm, PASSWORD).expect("an answer");
    assert!(!open.contains("errCode") && open.contains("Monitoring"), "{open}");
    assert!(reader.does("<GetPPUserSummary seq=\"1\"/>").contains("nRecords"));
    let denied = reader.ask("<DeleteAccount seq=\"2\" id=\"1000\"/>").unwrap_or_default();
    assert!(denied.contains("EPerm"), "{denied}");

    // It may do more from now on, and is told.
    reader.does("<Subscribe seq=\"3\"><e cmd=\"On\" eventType=\"AccountCnf\"/></Subscribe>");
    let mut admin = Session::open(omm.clients()).expect("a session");
    admin.does(&format!(
        "<SetAccount seq=\"1\"><account id=\"{id}\" permission=\"AllCnfWrite\"/></SetAccount>"
    ));
    let told = [reader.hear().unwrap_or_default(), reader.hear().unwrap_or_default()].concat();
    assert!(told.contains("<EventAccountCnf") && told.contains("<EventPermissionChange"), "{told}");
    assert!(told.contains("<permission>AllCnfWrite</permission>"), "{told}");
    reader.does("<SetPPUser seq=\"4\"><user uid=\"1\" name=\"Ada\"/></SetPPUser>");

    // Its end is that of its sessions.
    admin.does(&format!("<DeleteAccount seq=\"2\" id=\"{id}\"/>"));
    poll::until(SOON, "the session is closed", || reader.ask("<Ping seq=\"5\"/>").is_none(), |gone| *gone);
    let (_, gone) = enter(&omm, PASSWORD).expect("an answer");
    assert!(gone.contains("EAuth"), "{gone}");
}
