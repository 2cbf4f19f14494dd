//! The registrar: a Kamailio that says how many users it holds.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::{address, poll, presence};

/// The domain of its users, and the realm of its challenges.
pub(crate) const DOMAIN: &str = "pbx.test";
/// How long it may take to start.
const START: Duration = Duration::from_secs(10);
/// How long to wait for an answer before it is asked again.
const ANSWER: Duration = Duration::from_millis(300);

/// What the registrar has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Users with a contact.
    pub(crate) users: u64,
    /// REGISTER requests received, copies included.
    pub(crate) registers: u64,
    /// Copies among them: requests that came again, with the same CSeq.
    pub(crate) copies: u64,
}

/// A running registrar; it ends when dropped.
pub(crate) struct Pbx {
    at: SocketAddr,
    process: Process,
    asks: UdpSocket,
    home: TempDir,
}

impl Pbx {
    /// Starts one and waits until it answers.
    pub(crate) fn start() -> Pbx {
        let home = TempDir::with_prefix("pbx-").expect("a temporary directory");
        let at = address::sip();
        let asks = UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
        asks.set_read_timeout(Some(ANSWER)).expect("a timeout");
        let pbx = Pbx { at, process: spawn(at, &home), asks, home };
        pbx.wait();
        pbx
    }

    /// Where it listens (UDP).
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// `kill -9` and a start with an empty table.
    pub(crate) fn restart(&mut self) {
        self.process.kill();
        self.process = spawn(self.at, &self.home);
        self.wait();
    }

    /// Stops it in the middle of whatever it does: a black hole.
    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    /// What it has seen so far; asked again until it answers.
    pub(crate) fn count(&self) -> Count {
        loop {
            if let Some(count) = self.ask() {
                return count;
            }
        }
    }

    fn wait(&self) {
        poll::until(START, "the registrar answers", || self.ask(), Option::is_some);
    }

    fn ask(&self) -> Option<Count> {
        let (own, at) = (self.asks.local_addr().ok()?, self.at);
        let request = format!(
            "OPTIONS sip:count@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKcount;rport\r\nMax-Forwards: 70\r\n\
             From: <sip:bench@{own}>;tag=1\r\nTo: <sip:{at}>\r\nCall-ID: count@{own}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
        self.asks.send_to(request.as_bytes(), at).ok()?;
        let mut buffer = [0; 2048];
        let length = self.asks.recv(&mut buffer).ok()?;
        let answer = String::from_utf8_lossy(buffer.get(..length)?).into_owned();
        let line = answer.lines().find_map(|line| line.strip_prefix("X-Count: "))?;
        let mut numbers = line.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Count { users: next()?, registers: next()?, copies: next()? })
    }
}

impl Drop for Pbx {
    fn drop(&mut self) {
        self.process.retire();
    }
}

/// A Kamailio with this configuration, its runtime files in `home`.
pub(crate) fn kamailio(at: SocketAddr, config: &str, home: &TempDir, defines: &[String]) -> Process {
    let file = home.path().join("kamailio.cfg");
    std::fs::write(&file, config).expect("a configuration");
    let mut command = Command::new(presence::find("kamailio").unwrap_or_else(|| "kamailio".into()));
    // Foreground, log to stderr, 512 MB shared and 64 MB private memory at most.
    command.args(["-DD", "-E", "-m", "512", "-M", "64", "-f"]).arg(&file).arg("-Y").arg(home.path());
    command.args(["-l", &format!("udp:{at}")]);
    for define in defines {
        command.arg("-A").arg(define);
    }
    Process::start(&mut command, &home.path().join("log"))
}

fn spawn(at: SocketAddr, home: &TempDir) -> Process {
    kamailio(at, include_str!("pbx.cfg"), home, &[])
}
