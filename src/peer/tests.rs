use ::actors::doors::{ToPeer, Whom};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::*;
use crate::connection::OVERFLOW;

/// Hands on what it hears to a channel; answers every `Accept` with itself.
struct Ear(mpsc::UnboundedSender<Heard>);

#[derive(Debug)]
enum Heard {
    Line(u64, Recipient<ToPeer>),
    Bytes(u64, Bytes),
    Closed(u64, String),
    Distrusted(String),
}

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Wire> for Ear {
    type Result = ();
    fn handle(&mut self, Wire { attempt, event }: Wire, _: &mut Context<Self>) {
        let _ = self.0.send(match event {
            WireEvent::Opened(line) => Heard::Line(attempt, line),
            WireEvent::Bytes(bytes) => Heard::Bytes(attempt, bytes),
            WireEvent::Closed { why } => Heard::Closed(attempt, why),
            WireEvent::Distrusted { why } => Heard::Distrusted(why),
        });
    }
}

impl Handler<Accept> for Ear {
    type Result = Option<Recipient<Wire>>;
    fn handle(&mut self, accept: Accept, ctx: &mut Context<Self>) -> Self::Result {
        let _ = self.0.send(Heard::Line(0, accept.line));
        Some(ctx.address().recipient())
    }
}

fn ear() -> (Addr<Ear>, mpsc::UnboundedReceiver<Heard>) {
    let (tell, heard) = mpsc::unbounded_channel();
    (Ear(tell).start(), heard)
}

async fn line(heard: &mut mpsc::UnboundedReceiver<Heard>) -> (u64, Recipient<ToPeer>) {
    match heard.recv().await {
        Some(Heard::Line(attempt, line)) => (attempt, line),
        other => panic!("expected a line, heard {other:?}"),
    }
}

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

#[test]
fn a_dialled_connection_carries_bytes_both_ways_and_ends_once() {
    System::new().block_on(async {
        let ((there, mut at_there), (here, mut at_here)) = (ear(), ear());
        let address =
            listen(any(), Greeting::Plain, there.recipient()).await.expect("a listener").to_string();
        let dialer = Dialer::new(None).start();
        dialer
            .send(Dial { address, whom: Whom::Central, attempt: 7, events: here.recipient() })
            .await
            .expect("a dialer");
        let (attempt, out) = line(&mut at_here).await;
        let (accepted, back) = line(&mut at_there).await;
        assert_eq!((attempt, accepted), (7, 0));
        out.do_send(ToPeer::Bytes(Bytes::from_static(b"ping")));
        assert!(matches!(at_there.recv().await, Some(Heard::Bytes(0, bytes)) if bytes == "ping"));
        back.do_send(ToPeer::Bytes(Bytes::from_static(b"pong")));
        back.do_send(ToPeer::Close);
        assert!(matches!(at_here.recv().await, Some(Heard::Bytes(7, bytes)) if bytes == "pong"));
        assert!(
            matches!(at_here.recv().await, Some(Heard::Closed(7, why)) if why == "closed by the other side")
        );
        assert!(matches!(at_there.recv().await, Some(Heard::Closed(0, why)) if why == "closed by this side"));
    });
}

#[test]
fn a_connection_that_never_comes_to_be_is_told() {
    System::new().block_on(async {
        let closed = TcpListener::bind(any()).await.expect("a listener").local_addr().expect("an address");
        let (here, mut heard) = ear();
        let dial =
            Dial { address: closed.to_string(), whom: Whom::Central, attempt: 3, events: here.recipient() };
        Dialer::new(None).start().send(dial).await.expect("a dialer");
        assert!(matches!(heard.recv().await, Some(Heard::Closed(3, _))));
    });
}

#[test]
fn a_peer_that_does_not_read_loses_its_connection() {
    System::new().block_on(async {
        let deaf = TcpListener::bind(any()).await.expect("a listener");
        let address = deaf.local_addr().expect("an address").to_string();
        let (here, mut heard) = ear();
        Dialer::new(None)
            .start()
            .send(Dial { address, whom: Whom::Central, attempt: 1, events: here.recipient() })
            .await
            .expect("a dialer");
        let (_stream, _) = deaf.accept().await.expect("a connection");
        let (_, out) = line(&mut heard).await;
        let block = Bytes::from(vec![b'x'; 64 * 1024]);
        // More than the queue and both kernels' buffers together.
        for _ in 0..1024 {
            if out.send(ToPeer::Bytes(block.clone())).await.is_err() {
                break;
            }
        }
        assert!(matches!(heard.recv().await, Some(Heard::Closed(1, why)) if why == OVERFLOW));
    });
}

mod secure;
#[cfg(feature = "openssl")]
mod static_rsa;
