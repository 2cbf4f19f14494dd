//! Users from a provisioning server that others have written: Python's `http.server`.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::omm::{Omm, Place, Plan};
use crate::presence::needs;
use crate::process::Process;
use crate::session::{Session, attribute};
use crate::{address, poll};

/// How long a server may take to start, and a file to be read.
const SOON: Duration = Duration::from_secs(20);

/// A web server with the files of a folder; it is killed when dropped.
fn server(folder: &TempDir, logs: &TempDir) -> (Process, SocketAddr) {
    let at = SocketAddr::from((address::fresh(), 8080));
    (serve(at, folder, logs), at)
}

fn serve(at: SocketAddr, folder: &TempDir, logs: &TempDir) -> Process {
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "http.server",
        &at.port().to_string(),
        "--bind",
        &at.ip().to_string(),
        "--directory",
    ]);
    let process = Process::start(command.arg(folder.path()), &logs.path().join("http.log"));
    poll::until(SOON, "the web server listens", || TcpStream::connect(at).is_ok(), |yes| *yes);
    process
}

fn import(session: &mut Session) {
    session.does("<ManualUserDataImport seq=\"1\" userId=\"300\"/>");
}

/// How the provisioning server does, as clients are told.
fn uds(session: &mut Session) -> String {
    let told = session.does("<GetHealthState seq=\"1\"/>");
    let (_, uds) = told.split_once("component=\"uds\"").unwrap_or_else(|| panic!("no uds in {told}"));
    attribute(uds, "severity").unwrap_or_default()
}

#[test]
fn a_user_comes_from_a_web_server_and_goes_when_it_says_not_found_but_not_when_it_is_gone() {
    needs!("python3");
    let (folder, logs) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    put("user_common.cfg", "# for everybody\nUD_SosNumber=112\n");
    put("300.cfg", "UD_Number=300\nUD_Name=Anna\nUD_SipPassword=geheim\n");
    let (web, at) = server(&folder, &logs);
    let listen = (address::fresh(), crate::system::AXI).into();
    let place = Place::Central { listen, remotes: Vec::new() };
    let pbx = "sip:127.0.0.1:9;transport=udp".into();
    let plan = Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx, place };
    let omm = Omm::start_told(plan, |file| format!("{file}\n[epr]\nurl = \"http://{at}/\"\n"));

    let (_, told) = omm.command(&["check"]);
    assert!(told.contains(&format!("pass  epr              http://{at}/ has user_common.cfg")), "{told}");
    let mut session = Session::open(omm.clients()).expect("a session");
    let server = session.does("<GetUserDataServer seq=\"1\"/>");
    assert!(server.contains("protocol=\"HTTP\"") && server.contains(&format!("host=\"{at}\"")), "{server}");

    assert_eq!(uds(&mut session), "Idle", "nothing was read yet");
    import(&mut session);
    let anna =
        poll::until(SOON, "the user is there", || session.user("300"), Option::is_some).unwrap_or_default();
    for part in ["name=\"Anna\"", "sosNum=\"112\"", "external=\"1\""] {
        assert!(anna.contains(part), "{part}: {anna}");
    }
    poll::until(SOON, "all is well", || uds(&mut session), |severity| severity == "OK");
    put("300.cfg", "UD_Name=Anna B\nUD_SipPassword=geheim\n");
    import(&mut session);
    let changed =
        |user: &Option<String>| user.as_deref().is_some_and(|user| user.contains("name=\"Anna B\""));
    poll::until(SOON, "the user is changed", || session.user("300"), changed);

    // A server that is gone has not said that anybody is.
    drop(web);
    import(&mut session);
    poll::until(
        SOON,
        "the failure is told",
        || omm.log(),
        |log| log.contains("300.cfg") || log.contains("user_common.cfg"),
    );
    assert!(session.user("300").is_some());
    poll::until(SOON, "clients are warned", || uds(&mut session), |severity| severity == "Warning");

    fs::remove_file(folder.path().join("300.cfg")).expect("a file");
    let _web = serve(at, &folder, &logs);
    import(&mut session);
    poll::until(SOON, "the user is gone", || session.user("300"), Option::is_none);
    poll::until(SOON, "all is well again", || uds(&mut session), |severity| severity == "OK");
}

#[test]
fn a_remote_whose_external_users_come_from_elsewhere_is_told_so_before_it_goes_into_service() {
    let listen: SocketAddr = (address::fresh(), crate::system::AXI).into();
    let pbx = || "sip:127.0.0.1:9;transport=udp".to_owned();
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("user_common.cfg"), "UD_SosNumber=112\n").expect("a file");
    let epr = |path: &str| format!("\n[epr]\nurl = \"file://{}{path}\"\n", folder.path().display());
    let remotes = vec![("berlin", "1F102F0E96")];
    let place = Place::Central { listen, remotes };
    let plan = Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx: pbx(), place };
    let _central = Omm::start_told(plan, |file| file + &epr(""));
    let remote = |edit: &dyn Fn(String) -> String| {
        let place = Place::Remote { wire: listen, clients: address::sip() };
        let plan = Plan { name: "berlin", park: "1F102F0E96", sip: address::sip(), pbx: pbx(), place };
        Omm::start_told(plan, edit).command(&["check"]).1
    };
    let told = remote(&|file| file + &epr(""));
    assert!(told.contains("pass  omm1 epr") && told.contains("pass  omm1 domain"), "{told}");
    let told = remote(&|file| file + &epr("/other"));
    assert!(told.contains("FAIL  omm1 epr") && told.contains("there otherwise: path"), "{told}");
    let told = remote(&|file| file.replace("domain = \"", "domain = \"other."));
    assert!(told.contains("FAIL  omm1 domain") && told.contains("FAIL  omm1 epr"), "{told}");
}
