//! Users from a provisioning server over HTTPS: Python's `http.server` behind Python's `ssl`, with certificates that the
//! test has OpenSSL make. Also the phone of a user whom nobody knows yet.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::omm::{Omm, Place, Plan};
use crate::phone::Phone;
use crate::presence::needs;
use crate::process::Process;
use crate::session::Session;
use crate::{address, poll};

/// How long a server may take to start, and a file to be read.
const SOON: Duration = Duration::from_secs(20);
/// A handset, as it says so itself.
const INSTANCE: &str = "+sip.instance=\"<urn:ipei:000010000017>\"";

/// A web server with the files of a folder, for whoever has the account.
const SERVER: &str = r#"
import base64, functools, http.server, ssl, sys
host, port, folder, certificate, key = sys.argv[1:]
account = 'Basic ' + base64.b64encode(b'omm:epr-secret').decode()
class Files(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get('Authorization') == account:
            super().do_GET()
        else:
            self.send_error(401)
server = http.server.ThreadingHTTPServer((host, int(port)), functools.partial(Files, directory=folder))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"#;

/// The folder with the files, and the one with certificates and logs.
struct Shelf {
    files: TempDir,
    other: TempDir,
    at: SocketAddr,
}

impl Shelf {
    fn new() -> Shelf {
        let folder = || TempDir::new().expect("a folder");
        Shelf { files: folder(), other: folder(), at: SocketAddr::from((address::fresh(), 8443)) }
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.files.path().join(name), text).expect("a file");
    }

    /// A certificate for the server's address, that vouches for itself, and its key. Without more ado OpenSSL would make
    /// one of an authority, which nobody may show as his own (RFC 5280 4.2.1.9).
    fn certificate(&self, name: &str) -> (PathBuf, PathBuf) {
        let file = |ending: &str| self.other.path().join(format!("{name}.{ending}"));
        let wanted = format!(
            "[req]\ndistinguished_name = name\nx509_extensions = more\nprompt = no\n[name]\nCN = prov\n\
             [more]\nsubjectAltName = IP:{}\nbasicConstraints = critical, CA:FALSE\n",
            self.at.ip()
        );
        fs::write(file("cnf"), wanted).expect("a file");
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-config"]);
        command.arg(file("cnf")).arg("-keyout").arg(file("key")).arg("-out").arg(file("pem"));
        let made = command.output().expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        (file("pem"), file("key"))
    }

    /// The web server; it is killed when dropped.
    fn serve(&self, (certificate, key): &(PathBuf, PathBuf)) -> Process {
        let (at, files) = (self.at, self.files.path());
        let mut command = Command::new("python3");
        command.args(["-c", SERVER, &at.ip().to_string(), &at.port().to_string()]);
        let process =
            Process::start(command.args([files, certificate, key]), &self.other.path().join("https.log"));
        poll::until(SOON, "the web server listens", || TcpStream::connect(at).is_ok(), |yes| *yes);
        process
    }

    fn epr(&self, ca: &Path, password: &str) -> String {
        let (at, ca) = (self.at, ca.display());
        format!(
            "\n[epr]\nurl = \"https://{at}/\"\nuser = \"omm\"\npassword = \"{password}\"\nca = \"{ca}\"\n"
        )
    }
}

fn central(epr: &str) -> Omm {
    let listen = (address::fresh(), crate::system::AXI).into();
    let place = Place::Central { listen, remotes: Vec::new() };
    let pbx = "sip:127.0.0.1:9;transport=udp".into();
    let plan = Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx, place };
    Omm::start_told(plan, |file| file + epr)
}

fn import(session: &mut Session) {
    session.does("<ManualUserDataImport seq=\"1\" userId=\"300\"/>");
}

#[test]
fn a_user_comes_over_https_and_an_impostor_deletes_nobody() {
    needs!("python3", "openssl");
    let shelf = Shelf::new();
    shelf.put("user_common.cfg", "UD_SosNumber=112\n");
    shelf.put("300.cfg", "UD_Number=300\nUD_Name=Anna\nUD_SipPassword=geheim\n");
    let (own, other) = (shelf.certificate("own"), shelf.certificate("other"));
    let web = shelf.serve(&own);
    let omm = central(&shelf.epr(&own.0, "epr-secret"));
    let (_, told) = omm.command(&["check"]);
    assert!(
        told.contains(&format!("pass  epr              https://{}/ has user_common.cfg", shelf.at)),
        "{told}"
    );
    let mut session = Session::open(omm.clients()).expect("a session");
    let server = session.does("<GetUserDataServer seq=\"1\"/>");
    assert!(server.contains("protocol=\"HTTPS\"") && !server.contains("epr-secret"), "{server}");
    import(&mut session);
    let anna =
        poll::until(SOON, "the user is there", || session.user("300"), Option::is_some).unwrap_or_default();
    assert!(anna.contains("name=\"Anna\"") && anna.contains("sosNum=\"112\""), "{anna}");

    // Somebody in its place who has an empty folder and a certificate of his own.
    drop(web);
    for file in ["300.cfg", "user_common.cfg"] {
        fs::rename(shelf.files.path().join(file), shelf.other.path().join(file)).expect("a file");
    }
    let impostor = shelf.serve(&other);
    import(&mut session);
    poll::until(SOON, "the impostor is told", || omm.log(), |log| log.contains("invalid peer certificate"));
    assert!(session.user("300").is_some());
    let (_, told) = omm.command(&["check"]);
    assert!(told.contains("FAIL  epr") && told.contains("invalid peer certificate"), "{told}");

    // The server itself is believed.
    drop(impostor);
    shelf.put("user_common.cfg", "UD_SosNumber=112\n");
    let _web = shelf.serve(&own);
    import(&mut session);
    poll::until(SOON, "the user is gone", || session.user("300"), Option::is_none);
    assert!(!omm.log().contains("epr-secret"));
}

#[test]
fn a_server_that_wants_another_password_has_said_nothing_about_anybody() {
    needs!("python3", "openssl");
    let shelf = Shelf::new();
    let own = shelf.certificate("own");
    let _web = shelf.serve(&own);
    let omm = central(&shelf.epr(&own.0, "not-this-one"));
    let (_, told) = omm.command(&["check"]);
    assert!(told.contains("look at `user` and `password` of [epr]"), "{told}");
    assert!(!told.contains("not-this-one"), "{told}");
}

#[test]
fn a_phone_that_nobody_knows_registers_at_its_first_attempt_with_the_user_that_the_server_has() {
    needs!("python3", "openssl", "sipp");
    let shelf = Shelf::new();
    shelf.put("user_common.cfg", "UD_SosNumber=112\n");
    let own = shelf.certificate("own");
    let _web = shelf.serve(&own);
    let omm = central(&shelf.epr(&own.0, "epr-secret"));
    let mut session = Session::open(omm.clients()).expect("a session");
    session.does("<CreatePPDev seq=\"1\"><pp ipei=\"00001 0000017 1\" s=\"Yes\"/></CreatePPDev>");

    let phone = Phone::new("300", "geheim");
    let contacts = [format!("{};{INSTANCE}", phone.contact("", 120))];
    let register = || phone.challenged(omm.sip(), &contacts).codes;
    assert_eq!(register().last(), Some(&401), "the server does not know it either");
    shelf.put("301.cfg", "UD_Number=301\nUD_Name=Ben\nUD_SipPassword=geheim\n");
    let phone = Phone::new("301", "geheim");
    let contacts = [format!("{};{INSTANCE}", phone.contact("", 120))];
    assert_eq!(phone.challenged(omm.sip(), &contacts).codes, [401, 200]);
    let ben = session.user("301").unwrap_or_default();
    for part in ["name=\"Ben\"", "external=\"1\"", "relType=\"Dynamic\""] {
        assert!(ben.contains(part), "{part}: {ben}");
    }
    let wrong = Phone::new("302", "not-this-one");
    shelf.put("302.cfg", "UD_Number=302\nUD_SipPassword=geheim\n");
    let contacts = [format!("{};{INSTANCE}", wrong.contact("", 120))];
    assert_eq!(wrong.challenged(omm.sip(), &contacts).codes.last(), Some(&401));
    assert!(omm.show("302").is_some(), "it is a user now, and that phone is not its own");
}
