use std::path::PathBuf;

use ::actors::doors::ToPeer;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::*;

/// What happened on a connection, and who connected.
#[derive(Debug)]
enum Heard {
    Entered(Target, Recipient<ToPeer>),
    Opened(Recipient<ToPeer>),
    Bytes(u64, Bytes),
    Closed(String),
    Distrusted(String),
}

/// Hands on what it hears to a channel; lets everybody in, as number 7.
struct Ear(mpsc::UnboundedSender<Heard>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Wire> for Ear {
    type Result = ();
    fn handle(&mut self, Wire { attempt, event }: Wire, _: &mut Context<Self>) {
        let _ = self.0.send(match event {
            WireEvent::Opened(line) => Heard::Opened(line),
            WireEvent::Bytes(bytes) => Heard::Bytes(attempt, bytes),
            WireEvent::Closed { why } => Heard::Closed(why),
            WireEvent::Distrusted { why } => Heard::Distrusted(why),
        });
    }
}

impl Handler<Enter> for Ear {
    type Result = MessageResult<Enter>;
    fn handle(&mut self, Enter { peer, line }: Enter, ctx: &mut Context<Self>) -> Self::Result {
        let _ = self.0.send(Heard::Entered(peer, line));
        MessageResult(Some((7, ctx.address().recipient())))
    }
}

type Events = mpsc::UnboundedReceiver<Heard>;

fn ear() -> (Addr<Ear>, Events) {
    let (tell, heard) = mpsc::unbounded_channel();
    (Ear(tell).start(), heard)
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sockets/certificates")).join(name)
}

fn badge(name: &str) -> Badge {
    Badge::read(&file(&format!("{name}.pem")), &file(&format!("{name}.key"))).expect("a badge")
}

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

/// A listener that shows this certificate, and whoever hears of its callers.
async fn listener(name: Option<&str>) -> (SocketAddr, Events) {
    let (there, heard) = ear();
    (listen(any(), name.map(badge), there.recipient()).await.expect("a listener"), heard)
}

fn call(to: Target, names: &[&str], trust: Option<Trust>) -> Events {
    let (here, heard) = ear();
    let names = names.iter().map(|name| Arc::from(*name)).collect();
    let door = StreamDoor::new(trust).start();
    door.do_send(OpenFlow { to, names, attempt: 2, events: here.recipient() });
    heard
}

fn authority() -> Option<Trust> {
    Some(Trust::read(Some(&file("ca.pem"))).expect("an authority"))
}

/// What comes of asking for `name` a server that shows `certificate`.
async fn greeting(certificate: &str, name: &str) -> String {
    let (at, _there) = listener(Some(certificate)).await;
    match call(Target::new(Transport::Tls, at), &[name], authority()).recv().await {
        Some(Heard::Opened(_)) => "trusted".into(),
        Some(Heard::Distrusted(why)) => why,
        other => panic!("{certificate} for {name}: {other:?}"),
    }
}

#[test]
fn messages_go_both_ways_over_tcp_and_over_tls() {
    System::new().block_on(async {
        for (certificate, transport) in [(None, Transport::Tcp), (Some("good"), Transport::Tls)] {
            let (at, mut there) = listener(certificate).await;
            let mut here = call(Target::new(transport, at), &["pbx.test"], authority());
            let Some(Heard::Opened(out)) = here.recv().await else { panic!("it opens") };
            let Some(Heard::Entered(peer, back)) = there.recv().await else { panic!("it is let in") };
            assert_eq!((peer.transport, peer.addr.ip()), (transport, at.ip()));
            out.do_send(ToPeer::Bytes(Bytes::from_static(b"REGISTER")));
            assert!(matches!(there.recv().await, Some(Heard::Bytes(7, bytes)) if bytes == "REGISTER"));
            back.do_send(ToPeer::Bytes(Bytes::from_static(b"SIP/2.0 200 OK")));
            assert!(matches!(here.recv().await, Some(Heard::Bytes(2, bytes)) if bytes == "SIP/2.0 200 OK"));
            back.do_send(ToPeer::Close);
            assert!(matches!(here.recv().await, Some(Heard::Closed(_))));
        }
    });
}

#[test]
fn a_certificate_counts_for_the_domain_that_was_asked_for_and_for_nothing_else() {
    System::new().block_on(async {
        for (certificate, name) in
            [("good", "pbx.test"), ("good", "PBX.test"), ("good", "127.0.0.1"), ("domain", "pbx.test")]
        {
            assert_eq!(greeting(certificate, name).await, "trusted", "{certificate} for {name}");
        }
        for (certificate, name) in [
            ("good", "sip.pbx.test"),
            // Where the DNS led is not who was asked for (RFC 5922 7.1).
            ("target", "pbx.test"),
            // A wildcard is nobody (7.2).
            ("target", "any.test"),
            // Beside a SIP URI a DNS name does not count (7.1).
            ("domain", "other.test"),
            ("good", "127.0.0.2"),
        ] {
            let why = greeting(certificate, name).await;
            assert!(why.contains(&format!("its certificate is not for {name}")), "{certificate}: {why}");
        }
    });
}

#[test]
fn an_expired_and_a_self_signed_certificate_are_refused() {
    System::new().block_on(async {
        let why = greeting("expired", "pbx.test").await;
        assert!(why.contains("expired"), "{why}");
        let why = greeting("self", "pbx.test").await;
        assert!(why.contains("UnknownIssuer"), "{why}");
    });
}

#[test]
fn who_does_not_speak_tls_gets_no_word_in_clear() {
    System::new().block_on(async {
        let plain = TcpListener::bind(any()).await.expect("a listener");
        let at = plain.local_addr().expect("an address");
        let mut heard = call(Target::new(Transport::Tls, at), &["pbx.test"], authority());
        let (mut stream, _) = plain.accept().await.expect("a caller");
        let mut first = [0; 3];
        stream.read_exact(&mut first).await.expect("a greeting");
        assert_eq!(first[..2], [22, 3], "a TLS handshake, not SIP");
        stream.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n").await.expect("a stream");
        assert!(matches!(heard.recv().await, Some(Heard::Distrusted(_))));
        // And without an authority to believe, or anybody to ask for, nothing is sent at all.
        for (names, trust) in [(&["pbx.test"][..], None), (&[][..], authority())] {
            let mut heard = call(Target::new(Transport::Tls, at), names, trust);
            assert!(matches!(heard.recv().await, Some(Heard::Closed(_))));
        }
    });
}

#[test]
fn a_connection_that_does_not_come_to_be_is_told() {
    System::new().block_on(async {
        let closed = TcpListener::bind(any()).await.expect("a listener").local_addr().expect("an address");
        let mut heard = call(Target::new(Transport::Tcp, closed), &[], None);
        assert!(matches!(heard.recv().await, Some(Heard::Closed(why)) if why.contains("refused")));
    });
}
