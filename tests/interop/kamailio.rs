//! A Kamailio of our own as PBX: `kamailio.cfg`, a temporary home, an address nobody else has.

use std::net::SocketAddr;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::table::Table;
use crate::{address, poll, presence, process::Process};

/// The domain of its users, and the realm of its challenges.
pub(crate) const DOMAIN: &str = "pbx.test";
/// How long Kamailio may take to answer its first request (it needs about 0.2 s).
const START: Duration = Duration::from_secs(10);

/// How many bindings of one user a registrar keeps (the models of RFC 3261 10 found in the wild).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// Any number side by side.
    Multi,
    /// The newest replaces all others (`save` flag 0x04).
    SingleReplace,
    /// A second one is refused (`max_contacts` 1: 503 with P-Registrar-Error).
    SingleReject,
    /// Any number, and instance with reg-id names a binding (RFC 5626).
    Outbound,
    /// As `Multi`, and passwords are asked for with SHA-256 (RFC 8760).
    MultiSha256,
}

/// A running registrar; it ends when dropped.
pub(crate) struct Kamailio {
    at: SocketAddr,
    model: Model,
    streams: Streams,
    process: Process,
    home: TempDir,
}

/// What it speaks beside UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Nothing.
    None,
    /// TCP at the same address.
    Tcp,
    /// TCP, and TLS here with the certificate of `localhost`.
    Tls(SocketAddr),
}

impl Kamailio {
    /// Starts one and waits until it answers. Each use of a nonce must carry a higher `nc`.
    pub(crate) fn start(model: Model) -> Kamailio {
        Kamailio::speaking(model, Streams::None)
    }

    /// [`Kamailio::start`] with other transports.
    pub(crate) fn speaking(model: Model, streams: Streams) -> Kamailio {
        let home = TempDir::with_prefix("kamailio-").unwrap_or_else(|e| panic!("a temporary directory: {e}"));
        let at = address::sip();
        let process = spawn(at, model, streams, &home);
        let kamailio = Kamailio { at, model, streams, process, home };
        kamailio.wait();
        kamailio
    }

    /// Where it listens (UDP).
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// The door to its location table; it can be given to another thread.
    pub(crate) fn ctl(&self) -> Ctl {
        Ctl(self.home.path().join("ctl"))
    }

    /// Its location table now.
    ///
    /// # Panics
    /// If it does not answer; do not ask a frozen one, `kamcmd` waits for ever.
    pub(crate) fn table(&self) -> Table {
        self.ctl().table().unwrap_or_else(|| panic!("kamcmd ul.dump failed"))
    }

    /// Stops it without a word to anybody.
    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets it go on after [`Kamailio::freeze`].
    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }

    /// `kill -9` and a start at the same address. The location table, kept in memory only, is lost.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.revive();
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, with an empty table.
    pub(crate) fn revive(&mut self) {
        self.process = spawn(self.at, self.model, self.streams, &self.home);
        self.wait();
    }

    fn wait(&self) {
        let answers = || answers_options(self.at) && self.ctl().table().is_some();
        poll::until(START, &format!("Kamailio answers at {}", self.at), answers, |yes| *yes);
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its children would be left to nobody if all of them were killed at once.
        self.process.retire();
    }
}

/// The password of `user` at every Kamailio of these tests (the rule stands in `kamailio.cfg`).
pub(crate) fn password(user: &str) -> String {
    format!("secret-{user}")
}

/// The control socket of a Kamailio.
#[derive(Debug, Clone)]
pub(crate) struct Ctl(PathBuf);

impl Ctl {
    /// How many users have a contact, by the registrar's own statistics; `None` if nobody answers. A table of a thousand
    /// users is longer than `kamcmd` can read.
    pub(crate) fn users(&self) -> Option<u64> {
        let answer = self.ask(&["stats.fetchn", "registered_users"])?;
        answer.lines().find_map(|line| line.trim().strip_prefix("usrloc.registered_users: ")?.parse().ok())
    }

    /// The location table now, `None` if nobody answers.
    pub(crate) fn table(&self) -> Option<Table> {
        Some(Table::parse(&self.ask(&["ul.dump"])?))
    }

    fn ask(&self, words: &[&str]) -> Option<String> {
        let kamcmd = presence::find("kamcmd")?;
        let asked =
            Command::new(kamcmd).arg("-s").arg(format!("unix:{}", self.0.display())).args(words).output();
        let answer = asked.ok().filter(|answer| answer.status.success())?;
        Some(String::from_utf8_lossy(&answer.stdout).into_owned())
    }
}

fn spawn(at: SocketAddr, model: Model, streams: Streams, home: &TempDir) -> Process {
    let dir = home.path();
    // A socket left behind by a killed one would keep the next from binding.
    let _ = std::fs::remove_file(dir.join("ctl"));
    let (contacts, outbound, save) = match model {
        Model::Multi | Model::MultiSha256 => (0, 0, "0x00"),
        Model::SingleReplace => (0, 0, "0x04"),
        Model::SingleReject => (1, 0, "0x00"),
        Model::Outbound => (0, 1, "0x00"),
    };
    let program = presence::find("kamailio").unwrap_or_else(|| "kamailio".into());
    let mut command = Command::new(program);
    // Foreground, log to stderr, 64 MB shared and 8 MB private memory, runtime files at home.
    command.args(["-DD", "-E", "-m", "64", "-M", "8", "-f"]).arg(config(home)).arg("-Y").arg(dir);
    command.args(["-l", &format!("udp:{at}")]);
    for define in [
        format!("CTL=\"unix:{}/ctl\"", dir.display()),
        format!("MAX_CONTACTS={contacts}"),
        format!("OUTBOUND={outbound}"),
        format!("SAVE=\"{save}\""),
        format!("DOMAIN=\"{DOMAIN}\""),
        format!("ALGORITHM=\"{}\"", if model == Model::MultiSha256 { "SHA-256" } else { "MD5" }),
        "COUNTED=1".to_owned(),
    ] {
        command.arg("-A").arg(define);
    }
    if streams != Streams::None {
        command.args(["-A", "STREAMS=1", "-l", &format!("tcp:{at}")]);
    }
    if let Streams::Tls(at) = streams {
        let file = |name: &str| format!("\"{}/src/sockets/certificates/{name}\"", env!("CARGO_MANIFEST_DIR"));
        command.args(["-A", "TLS=1", "-A", &format!("CERTIFICATE={}", file("good.pem"))]);
        command.args(["-A", &format!("KEY={}", file("good.key")), "-l", &format!("tls:{at}")]);
    }
    Process::start(&mut command, &dir.join("log"))
}

fn config(home: &TempDir) -> PathBuf {
    let file = home.path().join("kamailio.cfg");
    std::fs::write(&file, include_str!("kamailio.cfg")).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    file
}

/// Whether somebody at `at` answers an OPTIONS within 200 ms.
pub(crate) fn answers_options(at: SocketAddr) -> bool {
    let ask = || {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let own = socket.local_addr()?;
        let request = format!(
            "OPTIONS sip:{at} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{port};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:test@{own}>;tag=1\r\nTo: <sip:{at}>\r\nCall-ID: {port}@{own}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n",
            port = own.port()
        );
        socket.send_to(request.as_bytes(), at)?;
        socket.recv(&mut [0; 2048])
    };
    ask().is_ok()
}
