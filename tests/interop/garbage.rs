//! What breaks others is thrown at the live ports: every datagram is answered or counted, every connection is answered
//! or ended and counted, and then a good phone is served as if nothing had been.
//!
//! `HOMING_DAMAGED` sets how many damaged datagrams are sent, `HOMING_SEED` where the series begins.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use machine::chance::Chance;

use crate::journeys::{AT_ONCE, only};
use crate::kamailio::{Kamailio, Model, answers_options, password};
use crate::omm::{Omm, Place, Plan};
use crate::phone::Phone;
use crate::presence::needs;
use crate::process::Process;
use crate::system::System;
use crate::{address, poll, presence};

/// What needs no network.
const SOON: Duration = Duration::from_secs(10);
/// Damaged datagrams in a usual run.
const DAMAGED: u64 = 3000;
/// Datagrams sent between two looks: so many fit into the kernel's buffer whatever their size.
const VOLLEY: usize = 20;

/// The torture messages of RFC 4475 and RFC 5118 with their names, as the parser's own tests have them.
fn torture() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sip/tests/torture");
    let folder = |name| std::fs::read_dir(root.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut files: Vec<PathBuf> =
        ["rfc4475", "rfc5118"].into_iter().flat_map(folder).map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    files.iter().map(|file| (name(file), std::fs::read(file).unwrap())).collect()
}

/// A site that stands alone with its PBX.
fn lonely() -> (Kamailio, Omm) {
    let pbx = Kamailio::start(Model::Multi);
    let listen = (address::fresh(), crate::system::AXI).into();
    let place = Place::Central { listen, remotes: Vec::new() };
    let omm = Omm::start(Plan {
        name: "alone",
        park: "1F102F0E86",
        sip: address::sip(),
        pbx: format!("sip:{};transport=udp", pbx.at()),
        place,
    });
    (pbx, omm)
}

/// What has come in, and how much of that was answered or dropped, as `homing status` tells.
fn fate(omm: &Omm) -> Option<(u64, u64)> {
    let status = omm.status()?;
    let count = |what: &str| status["sip"][what].as_u64();
    let refused = count("refused")?;
    Some((count("received")? + refused, count("sent")? + count("undelivered")? + count("dropped")? + refused))
}

/// Sends `datagrams`, and waits until all have come in and each has an answer or was counted as dropped.
fn throw(socket: &UdpSocket, omm: &Omm, what: &str, datagrams: &[&[u8]]) {
    let (came, done) = fate(omm).unwrap_or_else(|| panic!("no counts before {what}"));
    for datagram in datagrams {
        socket.send_to(datagram, omm.sip()).unwrap();
    }
    let sent = datagrams.len() as u64;
    poll::until(
        SOON,
        &format!("{what} is answered or counted, {sent} datagrams"),
        || fate(omm),
        |now| now.is_some_and(|now| now.0 >= came + sent && now.1 >= done + sent),
    );
}

/// A phone that was never here before is served.
fn serves(pbx: &Kamailio, omm: &mut Omm, user: &str) {
    assert!(omm.lives(), "{}", omm.name());
    let phone = Phone::new(user, &password(user));
    assert_eq!(phone.register(omm.sip()).codes, [401, 200]);
    poll::until(SOON, &format!("a contact of {user}"), || pbx.table().uris(user), |uris| uris.len() == 1);
    let status = omm.status().unwrap_or_default();
    assert_eq!(status["restarts"], 0, "nobody fell over: {status}");
}

#[test]
fn every_torture_message_is_answered_or_counted() {
    needs!("kamailio", "kamcmd", "sipp");
    let (pbx, mut omm) = lonely();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let messages = torture();
    assert_eq!(messages.len(), 62, "the torture set is there");
    for (name, message) in &messages {
        throw(&socket, &omm, name, &[message]);
        // And cut short, and with a byte too many.
        let long = [message.as_slice(), b"\0"].concat();
        throw(&socket, &omm, &format!("{name}, damaged"), &[&message[..message.len() / 2], &long]);
    }
    let noise: [&[u8]; 6] =
        [b"", b"\r\n\r\n", b"\0\0\0\0", &[0xff; 1400], &[b'a'; 60_000], b"SIP/2.0 200 OK\r\n\r\n"];
    throw(&socket, &omm, "noise", &noise);
    serves(&pbx, &mut omm, "101");
}

/// One to three pieces of it removed, repeated, or overwritten.
fn damage(chance: &mut Chance, message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    for _ in 0..=chance.below(3) {
        let place = |chance: &mut Chance, len: usize| chance.below(len as u64 + 1) as usize;
        let start = place(chance, bytes.len());
        let end = (start + place(chance, 20)).min(bytes.len());
        match chance.below(3) {
            0 => drop(bytes.drain(start..end)),
            1 => bytes.extend_from_within(start..end),
            _ => bytes[start..end].iter_mut().for_each(|byte| *byte = chance.below(256) as u8),
        }
    }
    bytes
}

#[test]
fn damaged_datagrams_are_answered_or_counted() {
    needs!("kamailio", "kamcmd", "sipp");
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse().ok());
    let (seed, damaged) = (number("HOMING_SEED").unwrap_or(1), number("HOMING_DAMAGED").unwrap_or(DAMAGED));
    eprintln!("HOMING_SEED={seed} HOMING_DAMAGED={damaged}");
    let (pbx, mut omm) = lonely();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (messages, mut chance) = (torture(), Chance::of(seed, "damage"));
    let mut series: Vec<Vec<u8>> = Vec::new();
    for _ in 0..damaged {
        let (_, message) = &messages[chance.below(messages.len() as u64) as usize];
        series.push(damage(&mut chance, message));
    }
    for (index, volley) in series.chunks(VOLLEY).enumerate() {
        let volley: Vec<&[u8]> = volley.iter().map(Vec::as_slice).collect();
        throw(&socket, &omm, &format!("volley {index}"), &volley);
    }
    serves(&pbx, &mut omm, "101");
}

/// Runs sipsak to its end, or for 20 s.
fn sipsak(arguments: &[&str], log: &Path) -> Option<i32> {
    let program = presence::find("sipsak").unwrap_or_else(|| "sipsak".into());
    let mut command = Command::new(program);
    command.args(arguments);
    let mut process = Process::start(&mut command, log);
    poll::patiently(Duration::from_secs(20), || !process.lives());
    (!process.lives()).then(|| process.end(SOON).code()).flatten()
}

#[test]
fn sipsak_is_answered_and_its_trash_and_floods_do_no_harm() {
    needs!("kamailio", "kamcmd", "sipp", "sipsak");
    let (pbx, mut omm) = lonely();
    let home = tempfile::tempdir().unwrap();
    let (log, uri) = (home.path().join("sipsak"), format!("sip:101@{}", omm.sip()));
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    assert_eq!(sipsak(&["-s", &uri], &log), Some(0), "OPTIONS: {}", told());
    // It goes on until it gets no sensible answer.
    sipsak(&["-R", "-t", "60", "-s", &uri], &log);
    sipsak(&["-F", "-e", "2000", "-s", &uri], &log);
    assert_eq!(sipsak(&["-s", &uri], &log), Some(0), "OPTIONS again: {}", told());
    serves(&pbx, &mut omm, "101");
}

/// A connection of a stranger to the central's AXI port.
struct Stranger(TcpStream);

impl Stranger {
    fn call(at: SocketAddr) -> Stranger {
        let stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        Stranger(stream)
    }

    /// An error only says that the other side has had enough.
    fn say(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// The next message without its NUL; `None` when the connection has ended.
    fn hear(&mut self) -> Option<String> {
        let mut message = Vec::new();
        let mut byte = [0];
        loop {
            match self.0.read(&mut byte) {
                Ok(1) if byte != [0] => message.push(byte[0]),
                Ok(1) => return Some(String::from_utf8_lossy(&message).into_owned()),
                Err(e) if e.kind() != std::io::ErrorKind::ConnectionReset => {
                    panic!("neither answer nor end: {e}")
                }
                Ok(_) | Err(_) => return None,
            }
        }
    }
}

/// How `homing status` of the central counts what strangers do.
fn disorder(system: &System, kind: &str) -> u64 {
    let count = || system.central.status().and_then(|status| status["axi"][kind].as_u64());
    poll::until(SOON, &format!("a count of {kind}"), count, Option::is_some).unwrap_or_default()
}

fn login(password: &str, park: &str) -> String {
    format!(
        "<Open seq=\"0\" protocolVersion=\"45\" username=\"sync\" password=\"{password}\" UserDeviceSyncClient=\"true\" \
         hmOmm=\"{park}\" hmPlatform=\"pc\" hmPli=\"31\" hmClock=\"1790000000000\"/>\0"
    )
}

#[test]
fn strangers_on_the_axi_port_are_answered_or_cut_and_counted() {
    needs!("kamailio", "kamcmd", "sipp");
    let mut system = System::start();
    let at = system.central_axi;
    // What was no message at all ends the connection.
    let broken: [(&str, Vec<u8>); 6] = [
        ("a flood of NULs", vec![0; 100_000]),
        ("a message without end", vec![b'<'; 4_000_000]),
        ("no UTF-8", b"<Ping seq=\"\xff\xfe\"/>\0".to_vec()),
        ("no XML", b"GET / HTTP/1.1\r\n\r\n\0".to_vec()),
        ("a tag that is not closed", b"<a><b></a>\0".to_vec()),
        ("a deep nest", [b"<a>".repeat(10_000), b"\0".to_vec()].concat()),
    ];
    for (what, bytes) in broken {
        let before = disorder(&system, "broken");
        let mut stranger = Stranger::call(at);
        stranger.say(&bytes);
        assert_eq!(stranger.hear(), None, "{what} ends the connection");
        let count = || disorder(&system, "broken");
        poll::until(SOON, &format!("{what} is counted"), count, |now| *now > before);
    }
    // A message nobody knows is answered or counted, and the connection goes on.
    let before = disorder(&system, "misread");
    let mut stranger = Stranger::call(at);
    stranger.say(b"<Coffee seq=\"1\"/>\0<Ping seq=\"2\"/>\0");
    let answer = stranger.hear().unwrap_or_default();
    assert_eq!(answer, "<CoffeeResp seq=\"1\" errCode=\"EPerm\"/>", "a stranger is told no more");
    let answer = stranger.hear().unwrap_or_default();
    assert!(answer.contains("PingResp") && answer.contains("seq=\"2\""), "{answer}");
    poll::until(
        SOON,
        "what was not understood is counted",
        || disorder(&system, "misread"),
        |now| *now > before,
    );
    // What comes out of turn ends it.
    let before = disorder(&system, "astray");
    for early in ["<OpenResp seq=\"0\" errCode=\"EAuth\"/>\0", "<PingResp seq=\"0\" timeStamp=\"1\"/>\0"] {
        let mut stranger = Stranger::call(at);
        stranger.say(early.as_bytes());
        assert_eq!(stranger.hear(), None, "{early}");
    }
    poll::until(
        SOON,
        "what came out of turn is counted",
        || disorder(&system, "astray"),
        |now| *now >= before + 2,
    );
    // Half a message, and silence: ended when the time to introduce oneself is over.
    let mut silent = Stranger::call(at);
    silent.say(b"<Open seq=\"0\"");
    assert_eq!(silent.hear(), None);
    // Five bad logins are told so; after that everybody has to wait (SM-1C), which is another answer.
    let refused = disorder(&system, "refused");
    let knock = |password: &str| {
        let mut stranger = Stranger::call(at);
        stranger.say(login(password, "102AF12D").as_bytes());
        stranger.hear().unwrap_or_default()
    };
    for _ in 0..5 {
        let answer = knock("guess");
        assert!(answer.contains("errCode=\"EAuth\"") && !answer.contains("try again"), "{answer}");
    }
    let answer = knock("sync-secret");
    assert!(answer.contains("errCode=\"EAuth\"") && answer.contains("try again"), "{answer}");
    assert_eq!(disorder(&system, "refused"), refused + 6);
    // More connections than anybody needs: the last are hung up on.
    let crowd: Vec<Stranger> = (0..80).map(|_| Stranger::call(at)).collect();
    poll::until(SOON, "a crowd is counted", || disorder(&system, "unwanted"), |now| *now > 0);
    drop(crowd);
    // Nobody who was in has noticed.
    system.linked();
    for omm in [&mut system.central, &mut system.a, &mut system.b] {
        assert!(omm.lives() && answers_options(omm.sip()), "{}", omm.name());
        assert_eq!(omm.status().unwrap_or_default()["restarts"], 0, "{}", omm.name());
    }
    let (phone, watch) = (Phone::new("102", &password("102")), system.watch("102"));
    for (site, name) in [(&system.a, "site-a"), (&system.b, "site-b")] {
        assert_eq!(phone.register(site.sip()).code(), Some(200));
        only(&watch, AT_ONCE, &[name]);
    }
}
