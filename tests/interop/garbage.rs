//! What breaks others is thrown at the live ports; the service stays up and counts.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use crate::kamailio::{answers_options, password};
use crate::phone::Phone;
use crate::presence::needs;
use crate::system::System;
use crate::{poll, presence};

const SOON: Duration = Duration::from_secs(10);

/// The torture messages of RFC 4475 and 5118, as the parser's own tests have them.
fn torture() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sip/tests/torture");
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut files: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    files.sort();
    files.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

#[test]
#[ignore = "homing serve is not there yet"]
fn garbage_is_counted_and_changes_nothing() {
    needs!("kamailio", "kamcmd", "sipp", "sipsak");
    let mut system = System::start();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let messages = torture();
    assert!(messages.len() > 40, "the torture set is there");
    for message in &messages {
        socket.send_to(message, system.a.sip()).unwrap();
        // And cut short, and with a byte too many.
        socket.send_to(&message[..message.len() / 2], system.a.sip()).unwrap();
        socket.send_to(&[message.as_slice(), b"\0"].concat(), system.a.sip()).unwrap();
    }
    for datagram in [&b""[..], b"\r\n\r\n", b"\0\0\0\0", &[0xff; 1400], &[b'a'; 60_000]] {
        socket.send_to(datagram, system.a.sip()).unwrap();
    }
    let sipsak = presence::find("sipsak").unwrap_or_else(|| "sipsak".into());
    let target = format!("sip:101@{}", system.a.sip());
    let _ = Command::new(sipsak).args(["-R", "-t", "100", "-s", &target]).output();
    for frame in
        [&b"<Open"[..], b"\0\0\0", b"<Open/>\0<Open/>\0", b"<a><b></a>\0", &[b'<'; 1_000_000], b"\xff\xfe\0"]
    {
        let mut link = TcpStream::connect(system.wire_a.at()).unwrap();
        // The other side may have closed already.
        let _ = link.write_all(frame);
    }
    for omm in [&mut system.central, &mut system.a, &mut system.b] {
        assert!(omm.lives(), "{}", omm.name());
        assert!(answers_options(omm.sip()), "{}", omm.name());
    }
    let dropped = || system.a.status().map(|status| status["sip"]["dropped"].clone());
    poll::until(SOON, "drops are counted", dropped, |count| {
        count.as_ref().and_then(serde_json::Value::as_u64) > Some(0)
    });
    system.linked();
    let phone = Phone::new("102", &password("102"));
    assert_eq!(phone.register(system.a.sip()).code(), Some(200));
    let watch = system.watch("102");
    watch.until(SOON, "A's contact", |sites| sites == &["site-a"]);
}
