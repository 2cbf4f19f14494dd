//! Accounts over AXI, in a process that is killed in between.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::omm::{HOMING, Omm, Place, Plan};
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

/// `homing hash` with this on its standard input: its exit code, and what it prints.
fn hashed(input: &str) -> (Option<i32>, String) {
    let mut run = Command::new(HOMING);
    let run = run.arg("hash").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut run = run.spawn().expect("homing starts");
    run.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let ended = run.wait_with_output().expect("it ends");
    (ended.status.code(), String::from_utf8_lossy(&ended.stdout).trim().to_owned())
}

#[test]
fn no_password_of_an_administrator_has_to_stand_in_a_file() {
    assert_eq!(hashed("\n"), (Some(2), String::new()));
    let (code, hash) = hashed("sync-secret\nmore\n");
    assert!(code == Some(0) && hash.starts_with("$argon2id$v=19$"), "{code:?} {hash}");
    let instead = |file: String, table: &str| {
        let (before, rest) = file.split_once(table).expect("the table");
        let after = rest.replacen("password = \"sync-secret\"", &format!("password_hash = \"{hash}\""), 1);
        format!("{before}{table}{after}")
    };
    // The central's own account, by which remotes come in, is known to it by a hash alone; so is root's.
    let parks = ("1F102F0E86", "1F102AF12C");
    let listen = (address::fresh(), crate::system::AXI).into();
    let plan = |name, park, place| {
        let pbx = "sip:127.0.0.1:9;transport=udp".into();
        Plan { name, park, sip: address::sip(), pbx, place }
    };
    let place = Place::Central { listen, remotes: vec![("site-a", parks.1)] };
    let central = Omm::start_told(plan("central", parks.0, place), |file| {
        let root = format!("[axi]\nroot_password_hash = \"{hash}\"\n");
        instead(file, "[axi]\n").replacen("[axi]\n", &root, 1)
    });
    let mut session = Session::open(central.clients()).expect("a session by the hash");
    session.does("<GetSARI seq=\"1\"/>");
    let mut root =
        Session::stranger(TcpStream::connect(central.clients()).expect("a link")).expect("a session");
    let wrong = root.ask(&format!("<Open username=\"root\" password=\"{hash}\"/>")).unwrap_or_default();
    assert!(wrong.contains("EAuth"), "the hash opens nothing: {wrong}");
    root.does("<Open username=\"root\" password=\"sync-secret\"/>");
    let place = |clients| Place::Remote { wire: listen, clients: (clients, crate::system::AXI - 1).into() };
    let remote =
        Omm::start_told(plan("site-a", parks.1, place(address::fresh())), |file| instead(file, "[axi]\n"));
    let link = |omm: &Omm| Some(omm.status()?["link"]["state"].as_str()?.to_owned());
    poll::until(SOON, "the remote is let in", || link(&remote), |now| now.as_deref() == Some("up"));
    Session::open(remote.clients()).expect("a session at the remote");

    // One that has read the hash and knows nothing else is not.
    let stranger = Omm::start_told(plan("site-b", "1F102A7C82", place(address::fresh())), |file| {
        let (before, link) = file.split_once("[link]").expect("the table");
        format!("{before}[link]{}", link.replacen("sync-secret", &hash, 1))
    });
    poll::until(SOON, "the thief is held", || link(&stranger), |now| now.as_deref() == Some("held"));
    assert_eq!(link(&remote).as_deref(), Some("up"), "the other one notices nothing");
}
