//! Over TLS: who is believed, who is not, and strangers who take their time.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::*;
use crate::config;
use crate::config::link::Belief;
use crate::config::site::Site;
use crate::peer::badge::{self, Shown};
use crate::peer::porch::STANDING_EACH_MAX;
use omm::link::neighbour::Fingerprint;

pub(super) fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sockets/certificates")).join(name)
}

fn shown(name: &str) -> Shown {
    badge::read(&file(&format!("{name}.pem")), &file(&format!("{name}.key")), false).expect("a badge")
}

/// A listener that shows this certificate, and whoever hears of its callers.
async fn listener(name: &str) -> (SocketAddr, mpsc::UnboundedReceiver<Heard>) {
    let (there, heard) = ear();
    let bound = listen(any(), Greeting::Tls(shown(name).badge), there.recipient()).await.expect("a listener");
    (bound, heard)
}

async fn call(address: String, belief: &Belief) -> mpsc::UnboundedReceiver<Heard> {
    let (here, heard) = ear();
    let greeter = Greeter::new(belief).expect("a greeter");
    let dial = Dial { address, whom: Whom::Central, attempt: 1, events: here.recipient() };
    Dialer::new(Some(greeter)).start().send(dial).await.expect("a dialer");
    heard
}

fn authority() -> Belief {
    Belief::Authorities(file("ca.pem"))
}

#[test]
fn a_central_that_is_believed_is_spoken_to_and_every_byte_arrives() {
    System::new().block_on(async {
        let pinned = |name| Belief::Pinned(shown(name).fingerprint);
        for (certificate, belief) in [
            ("good", authority()),
            ("good", pinned("good")),
            ("self", pinned("self")),
            // A pinned certificate may be of any name and any time.
            ("expired", pinned("expired")),
            ("self", Belief::Anybody),
        ] {
            let (at, mut at_there) = listener(certificate).await;
            let mut at_here = call(at.to_string(), &belief).await;
            let (_, out) = line(&mut at_here).await;
            let (_, back) = line(&mut at_there).await;
            // Larger than a TLS record, larger than a socket's buffer.
            let long = Bytes::from(vec![b'x'; 300_000]);
            out.do_send(ToPeer::Bytes(long.clone()));
            let mut heard = 0;
            while heard < long.len() {
                match at_there.recv().await {
                    Some(Heard::Bytes(0, bytes)) => heard += bytes.len(),
                    other => panic!("{certificate}: {other:?} after {heard} bytes"),
                }
            }
            back.do_send(ToPeer::Bytes(Bytes::from_static(b"pong")));
            assert!(matches!(at_here.recv().await, Some(Heard::Bytes(1, bytes)) if bytes == "pong"));
            back.do_send(ToPeer::Close);
            assert!(matches!(at_here.recv().await, Some(Heard::Closed(1, why)) if why == "closed by the other side"));
        }
    });
}

#[test]
fn an_impostor_is_told_by_what_is_wrong_with_him_and_by_his_fingerprint() {
    System::new().block_on(async {
        for (certificate, belief, why) in [
            ("good", Belief::Pinned(shown("self").fingerprint), "it shows another certificate"),
            ("self", authority(), "UnknownIssuer"),
            ("expired", authority(), "expired"),
            // Its authority is believed, its name is another.
            ("target", authority(), "not valid for name"),
        ] {
            let (at, _ear) = listener(certificate).await;
            let mut heard = call(at.to_string(), &belief).await;
            let Some(Heard::Distrusted(text)) = heard.recv().await else {
                panic!("{certificate} is believed")
            };
            assert!(text.contains(why), "{certificate}: {text}");
            assert!(text.contains(&shown(certificate).fingerprint.to_string()), "{certificate}: {text}");
        }
    });
}

#[test]
fn who_speaks_no_tls_is_no_central() {
    System::new().block_on(async {
        let plain = TcpListener::bind(any()).await.expect("a listener");
        let at = plain.local_addr().expect("an address").to_string();
        let mut heard = call(at, &Belief::Anybody).await;
        let (mut stream, _) = plain.accept().await.expect("a connection");
        stream.write_all(b"<OpenResp errCode=\"EAuth\"/>\0").await.expect("written");
        assert!(matches!(heard.recv().await, Some(Heard::Distrusted(_))));
    });
}

#[test]
fn a_central_cut_off_in_the_middle_of_tls_is_a_broken_connection() {
    System::new().block_on(async {
        // Passes the handshake on and then cuts both sides without the goodbye of TLS.
        let (at, mut at_there) = listener("good").await;
        let relay = TcpListener::bind(any()).await.expect("a listener");
        let mut heard = call(relay.local_addr().expect("an address").to_string(), &Belief::Anybody).await;
        let (mut near, _) = relay.accept().await.expect("a connection");
        let mut far = TcpStream::connect(at).await.expect("a connection");
        let relayed = actix::spawn(async move {
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        });
        let (_, out) = line(&mut heard).await;
        let _back = line(&mut at_there).await;
        out.do_send(ToPeer::Bytes(Bytes::from_static(b"half")));
        assert!(matches!(at_there.recv().await, Some(Heard::Bytes(0, bytes)) if bytes == "half"));
        relayed.abort();
        let Some(Heard::Closed(1, here)) = heard.recv().await else { panic!("the break was not told") };
        let Some(Heard::Closed(0, there)) = at_there.recv().await else { panic!("the break was not told") };
        for why in [here, there] {
            assert_ne!(why, "closed by the other side", "an end without a goodbye is no orderly end");
        }
    });
}

#[test]
fn strangers_who_say_nothing_keep_nobody_else_out() {
    System::new().block_on(async {
        let (at, mut at_there) = listener("good").await;
        let mut silent = Vec::new();
        // One more than there are places for one address: it is hung up on at once.
        for _ in 0..=STANDING_EACH_MAX {
            silent.push(TcpStream::connect(at).await.expect("a connection"));
        }
        let mut last = silent.pop().expect("a stranger");
        let hung_up = match last.read(&mut [0]).await {
            Ok(len) => len == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        assert!(hung_up);
        // Somebody from another address is served while all of them still stand there.
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.2:0".parse().expect("an address")).expect("a second address of this machine");
        let stream = socket.connect(at).await.expect("a connection");
        let greeter = Greeter::new(&authority()).expect("a greeter");
        let mut stream = greeter.greet(stream, "localhost").await.expect("TLS");
        stream.write_all(b"hello").await.expect("written");
        stream.flush().await.expect("written");
        let _back = line(&mut at_there).await;
        assert!(matches!(at_there.recv().await, Some(Heard::Bytes(0, bytes)) if bytes == "hello"));
        assert_eq!(silent.len(), STANDING_EACH_MAX);
    });
}

pub(super) fn site(folder: &std::path::Path) -> Site {
    let text = "name = \"hub\"\nrole = \"central\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"data\"\n\
        [axi]\nlisten = \"127.0.0.1:0\"\nuser = \"sync\"\npassword = \"x\"\n\
        [sip]\nlisten = \"127.0.0.1:5060\"\ndomain = \"example.com\"\n\
        [[tier]]\nname = \"pbx\"\nuri = \"sip:127.0.0.1:9\"\n";
    let path = folder.join("site.toml");
    fs::write(&path, text).expect("a file");
    config::load(&path).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn a_certificate_of_its_own_is_made_once_and_its_key_is_for_its_owner_alone() {
    System::new().block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let site = site(folder.path());
        let first = badge::show(&site).expect("a certificate");
        assert!(first.own);
        let again = badge::show(&site).expect("the same");
        assert_eq!(first.fingerprint, again.fingerprint);
        let (_, key, _) = badge::files(&site);
        assert_eq!(fs::metadata(&key).expect("a key").permissions().mode() & 0o777, 0o600);
        // It serves, for those who pin it and for those who know it as an authority.
        for belief in [Belief::Pinned(again.fingerprint), Belief::Authorities(again.file.clone())] {
            let (there, mut at_there) = ear();
            let at = listen(any(), Greeting::Tls(again.badge.clone()), there.recipient())
                .await
                .expect("a listener");
            let mut heard = call(at.to_string(), &belief).await;
            let _ = line(&mut heard).await;
            let _ = line(&mut at_there).await;
        }
        // Another OMM makes another one.
        let other = tempfile::tempdir().expect("a folder");
        let own: Fingerprint = badge::show(&self::site(other.path())).expect("a certificate").fingerprint;
        assert_ne!(own, first.fingerprint);
        // A certificate whose key is lost is told by its file; it is not replaced behind anybody's back.
        fs::remove_file(&key).expect("removed");
        let why = badge::show(&site).err().map(|unfit| unfit.to_string()).unwrap_or_default();
        assert!(why.starts_with(&key.display().to_string()), "{why}");
    });
}
