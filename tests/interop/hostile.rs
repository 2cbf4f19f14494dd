//! Those who do harm over AXI, with and without TLS, without and with a valid login: refused, with bounded memory, while a
//! good client goes on working. What they do stands in `hostile.py`.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::axi::site;
use crate::omm::{Omm, plain};
use crate::presence::needs;
use crate::processors::burdening_the_machine;
use crate::session::Session;
use crate::{address, poll, presence};

/// How long what was said may take to have its effect.
const SOON: Duration = Duration::from_secs(10);
/// Wrong passwords in the story of the guesser.
const GUESSES: u64 = 1000;
/// Of those, how many may be looked at within a minute from one address (SM-1C).
const LOOKED_AT: u64 = 5;
/// The account that is guessed at: its password is kept as a hash, so that each look at a guess costs one.
const OPEN: &str = "<Open seq=\"0\" username=\"exporter\" password=\"geheim geheim\"/>";
/// What the peak of the resident set may grow by, in kilobytes: what strangers may have waiting is some 64 messages of 64 kB, what
/// one client leaves unread 8 MiB (SM-1C), and TLS has buffers of its own.
const GROWTH_MAX: u64 = 32 * 1024;

/// Somebody hostile.
struct Enemy {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Enemy {
    /// At the site whose TLS port is this; from an address of its own.
    fn at(listen: SocketAddr, words: &[&str], from: Ipv4Addr) -> Enemy {
        let program = presence::find("python3").unwrap_or_else(|| "python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/hostile.py");
        let mut command = Command::new("timeout");
        command.args(["200"]).arg(program).arg(script);
        command.args([listen.ip().to_string(), listen.port().to_string()]).args(words).arg(from.to_string());
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = spawned.unwrap_or_else(|e| panic!("python3: {e}"));
        let (Some(to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
            panic!("python3 without its pipes")
        };
        Enemy { process, to, from: BufReader::new(from) }
    }

    /// The next thing that it has done, and what became of it; `None` when it is through.
    fn tells(&mut self) -> Option<String> {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap_or_else(|e| panic!("the enemy: {e}"));
        (!line.is_empty()).then(|| line.trim_end().to_owned())
    }

    fn goes_on(&mut self) {
        writeln!(self.to).unwrap_or_else(|e| panic!("the enemy: {e}"));
    }

    /// Waits until it is through.
    fn ends(mut self) {
        drop(self.to);
        let status = self.process.wait().unwrap_or_else(|e| panic!("the enemy: {e}"));
        assert!(status.success(), "the enemy fell over: {status}");
    }
}

/// A good client that logs in, asks for the time and for all users, and leaves, again and again.
struct Good {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Good {
    fn begin(at: SocketAddr) -> Good {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut turns = Vec::new();
            while !end.load(Ordering::Relaxed) {
                turns.push(poll::taking(|| Good::works(at)).1);
            }
            turns
        });
        Good { over, thread }
    }

    fn works(at: SocketAddr) {
        let link = TcpStream::connect(at).unwrap_or_else(|e| panic!("the good client: {e}"));
        let mut session = Session::stranger(link).unwrap_or_else(|| panic!("the good client's session"));
        assert!(session.does(OPEN).starts_with("<OpenResp"));
        assert!(session.does("<Ping seq=\"1\"/>").starts_with("<PingResp"));
        assert_eq!(
            session.does("<GetPPUser seq=\"2\" uid=\"0\" maxRecords=\"20\"/>").matches("<user ").count(),
            3
        );
    }

    /// How long each of its turns took.
    fn ends(self) -> Vec<Duration> {
        self.over.store(true, Ordering::Relaxed);
        let mut turns = self.thread.join().unwrap_or_else(|_| panic!("the good client was not served"));
        assert!(!turns.is_empty());
        turns.sort();
        turns
    }
}

/// A site at which `exporter` may look at everything.
fn guarded() -> (Omm, SocketAddr) {
    let (omm, listen) = site();
    let mut admin = Session::open(plain(listen)).unwrap_or_else(|| panic!("a session"));
    admin.does(
        "<CreateAccount seq=\"1\" plainText=\"1\"><account username=\"exporter\" password=\"geheim geheim\" \
         permission=\"Monitoring\"/></CreateAccount>",
    );
    (omm, listen)
}

/// The most that a process has ever had in memory, in kilobytes.
fn peak(omm: &Omm) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", omm.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    assert!(peak > 0, "{line}");
    peak
}

fn count(omm: &Omm, kind: &str) -> u64 {
    omm.status().and_then(|status| status["axi"][kind].as_u64()).unwrap_or_default()
}

fn grew(omm: &mut Omm, before: u64, turns: &[Duration]) {
    let grown = peak(omm).saturating_sub(before);
    eprintln!(
        "{} turns of a good client meanwhile: median {:.0} ms, longest {:.0} ms; {grown} kB more than before",
        turns.len(),
        turns[turns.len() / 2].as_secs_f64() * 1e3,
        turns[turns.len() - 1].as_secs_f64() * 1e3,
    );
    assert!(grown < GROWTH_MAX, "{grown} kB more than before");
    assert!(omm.lives());
    assert_eq!(omm.status().unwrap_or_default()["restarts"], 0);
}

#[test]
fn of_a_thousand_guesses_from_one_address_five_are_looked_at_in_a_minute() {
    needs!("python3");
    let _processors = burdening_the_machine();
    let (mut omm, listen) = guarded();
    Good::works(plain(listen));
    let before = peak(&omm);
    let good = Good::begin(plain(listen));
    let (_, took) = poll::taking(|| {
        let mut enemy = Enemy::at(listen, &["guess", &GUESSES.to_string()], address::fresh());
        let mut guessed = 0;
        while enemy.tells().is_some() {
            guessed += 50;
            let refused = || count(&omm, "refused");
            poll::until(SOON, &format!("{guessed} guesses are refused"), refused, |refused| {
                *refused >= guessed
            });
            enemy.goes_on();
        }
        assert_eq!(guessed, GUESSES);
        enemy.ends();
    });
    let turns = good.ends();
    assert_eq!(
        count(&omm, "refused"),
        GUESSES,
        "each is counted once, and the good client is in none of them"
    );
    let looked_at = GUESSES - count(&omm, "turned_away");
    eprintln!("{GUESSES} guesses in {:.1} s, {looked_at} of them looked at", took.as_secs_f64());
    let minutes = took.as_secs() / 60;
    assert!((LOOKED_AT..=LOOKED_AT * (minutes + 1)).contains(&looked_at), "{looked_at} in {took:?}");
    grew(&mut omm, before, &turns);
}

/// The whole list; a good client works all the time, and afterwards.
fn suffers(words: [&str; 2], expected: &[&str]) {
    let (mut omm, listen) = guarded();
    Good::works(plain(listen));
    let before = peak(&omm);
    let good = Good::begin(plain(listen));
    let mut enemy = Enemy::at(listen, &words, address::fresh());
    let mut told = Vec::new();
    while let Some(line) = enemy.tells() {
        told.push(line);
    }
    let turns = good.ends();
    Good::works(plain(listen));
    assert_eq!(told, expected, "{words:?}");
    grew(&mut omm, before, &turns);
    enemy.ends();
    assert!(count(&omm, "broken") > 0, "it is counted");
}

/// What becomes of each thing on the list, whoever does it.
const ENDED: [&str; 10] = [
    "an entity bomb: ended",
    "a message without end: ended",
    "an oversized frame: ended",
    "a deep nest: ended",
    "a deep nest that is closed: ended",
    "a flood of NULs: ended",
    "no UTF-8: ended",
    "no XML: ended",
    "a tag that is not closed: ended",
    "an attribute twice: ended",
];
/// What else is done where there is TLS.
const TRUNCATED: [&str; 4] =
    ["half a handshake: ended", "no handshake: ended", "a plain message: ended", "half a record: left"];

#[test]
fn a_stranger_does_no_harm_without_tls() {
    needs!("python3");
    let _processors = burdening_the_machine();
    suffers(["plain", "stranger"], &[&ENDED[..], &["slow ones: 80 held"]].concat());
}

#[test]
fn a_stranger_does_no_harm_over_tls() {
    needs!("python3");
    let _processors = burdening_the_machine();
    suffers(["tls", "stranger"], &[&ENDED[..], &["slow ones: 80 held"], &TRUNCATED].concat());
}

/// One that is logged in may keep more waiting than a stranger, and still no more than its share.
const UNREAD: [&str; 2] = ["answers that nobody reads: ended", "slow ones: 80 held"];

#[test]
fn a_client_with_a_valid_login_does_no_harm_without_tls() {
    needs!("python3");
    let _processors = burdening_the_machine();
    suffers(["plain", "client"], &[&ENDED[..], &UNREAD].concat());
}

#[test]
fn a_client_with_a_valid_login_does_no_harm_over_tls() {
    needs!("python3");
    let _processors = burdening_the_machine();
    suffers(["tls", "client"], &[&ENDED[..], &UNREAD, &TRUNCATED].concat());
}
