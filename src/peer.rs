//! The AXI door: TCP connections to and from other OMMs (M-2.2.9-a).
//!
//! A peer that does not read loses its connection, and states are compared when it comes back.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ::actors::doors::{Accept, Dial, Wire, WireEvent};
use actix::prelude::*;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::connection::{Line, Room, carry};

/// Longest time a connection attempt may take, whatever the link machine thinks of it; ours.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// Messages that may wait to be written; ours: the claims of 10,000 users (M-2.2.1-d) three times over.
const WAITING_MAX: usize = 32_768;
/// Bytes that may wait to be written (spec SM-1C: 8 MiB).
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;
const ROOM: Room = Room { messages: WAITING_MAX, bytes: WAITING_BYTES_MAX };
/// Wait after an error of the listener, such as too many open files; ours.
const BREATH: Duration = Duration::from_secs(1);

/// The actor that opens connections.
pub struct Dialer;

impl Actor for Dialer {
    type Context = Context<Self>;
}

impl Handler<Dial> for Dialer {
    type Result = ();

    fn handle(&mut self, Dial { address, attempt, events }: Dial, _: &mut Context<Self>) {
        actix::spawn(async move {
            let connected = timeout(CONNECT_MAX, TcpStream::connect(&address)).await;
            let why = match connected {
                Ok(Ok(stream)) => return talk(stream, attempt, events, true).await,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {CONNECT_MAX:?}"),
            };
            events.do_send(Wire { attempt, event: WireEvent::Closed { why } });
        });
    }
}

/// Listens for connections and offers each to `door`.
///
/// # Errors
/// The address cannot be bound.
pub async fn listen(at: SocketAddr, door: Recipient<Accept>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(at).await?;
    let bound = listener.local_addr()?;
    actix::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    actix::spawn(admit(stream, peer, door.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the AXI listener could not accept a connection");
                    let _ = timeout(BREATH, std::future::pending::<()>()).await;
                }
            }
            if !door.connected() {
                return;
            }
        }
    });
    Ok(bound)
}

async fn admit(stream: TcpStream, peer: SocketAddr, door: Recipient<Accept>) {
    // Small frames must not wait for each other's acknowledgements.
    let _ = stream.set_nodelay(true);
    let (line, halves) = Line::start_on(stream, ROOM);
    match door.send(Accept { peer: peer.to_string(), line: line.recipient() }).await {
        Ok(Some(events)) => carry(halves, 0, events).await,
        Ok(None) | Err(_) => tracing::debug!(%peer, "an AXI connection was not wanted"),
    }
}

async fn talk(stream: TcpStream, attempt: u64, events: Recipient<Wire>, dialled: bool) {
    // Small frames must not wait for each other's acknowledgements.
    let _ = stream.set_nodelay(true);
    let (line, halves) = Line::start_on(stream, ROOM);
    if dialled {
        events.do_send(Wire { attempt, event: WireEvent::Opened(line.recipient()) });
    }
    carry(halves, attempt, events).await;
}

#[cfg(test)]
mod tests {
    use ::actors::doors::ToPeer;
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
                WireEvent::Closed { why } | WireEvent::Distrusted { why } => Heard::Closed(attempt, why),
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
            let address = listen(any(), there.recipient()).await.expect("a listener").to_string();
            let dialer = Dialer.start();
            dialer.send(Dial { address, attempt: 7, events: here.recipient() }).await.expect("a dialer");
            let (attempt, out) = line(&mut at_here).await;
            let (accepted, back) = line(&mut at_there).await;
            assert_eq!((attempt, accepted), (7, 0));
            out.do_send(ToPeer::Bytes(Bytes::from_static(b"ping")));
            assert!(matches!(at_there.recv().await, Some(Heard::Bytes(0, bytes)) if bytes == "ping"));
            back.do_send(ToPeer::Bytes(Bytes::from_static(b"pong")));
            back.do_send(ToPeer::Close);
            assert!(matches!(at_here.recv().await, Some(Heard::Bytes(7, bytes)) if bytes == "pong"));
            assert!(matches!(at_here.recv().await, Some(Heard::Closed(7, why)) if why == "closed by the other side"));
            assert!(matches!(at_there.recv().await, Some(Heard::Closed(0, why)) if why == "closed by this side"));
        });
    }

    #[test]
    fn a_connection_that_never_comes_to_be_is_told() {
        System::new().block_on(async {
            let closed =
                TcpListener::bind(any()).await.expect("a listener").local_addr().expect("an address");
            let (here, mut heard) = ear();
            let dial = Dial { address: closed.to_string(), attempt: 3, events: here.recipient() };
            Dialer.start().send(dial).await.expect("a dialer");
            assert!(matches!(heard.recv().await, Some(Heard::Closed(3, _))));
        });
    }

    #[test]
    fn a_peer_that_does_not_read_loses_its_connection() {
        System::new().block_on(async {
            let deaf = TcpListener::bind(any()).await.expect("a listener");
            let address = deaf.local_addr().expect("an address").to_string();
            let (here, mut heard) = ear();
            Dialer
                .start()
                .send(Dial { address, attempt: 1, events: here.recipient() })
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
}
