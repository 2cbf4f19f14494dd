//! The AXI door: TCP connections to and from other OMMs (M-2.2.9-a).
//!
//! Reading waits until the machine has taken what was read, so a flood stops in the sender's kernel. Writing has a
//! bounded queue; a peer that does not read loses its connection, and states are compared when it comes back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::actors::doors::{Accept, Dial, ToPeer, Wire, WireEvent};
use actix::prelude::*;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Longest time a connection attempt may take, whatever the link machine thinks of it; ours.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// Longest time that what was written before a close may take to leave; ours.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
/// Messages that may wait to be written; ours: the claims of 10,000 users (M-2.2.1-d) three times over.
const WAITING_MAX: usize = 32_768;
/// Bytes that may wait to be written (spec SM-1C: 8 MiB).
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;
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
    let (line, halves) = Line::start_on(stream);
    match door.send(Accept { peer: peer.to_string(), line: line.recipient() }).await {
        Ok(Some(events)) => carry(halves, 0, events).await,
        Ok(None) | Err(_) => tracing::debug!(%peer, "an AXI connection was not wanted"),
    }
}

async fn talk(stream: TcpStream, attempt: u64, events: Recipient<Wire>, dialled: bool) {
    let (line, halves) = Line::start_on(stream);
    if dialled {
        events.do_send(Wire { attempt, event: WireEvent::Opened(line.recipient()) });
    }
    carry(halves, attempt, events).await;
}

/// What reader and writer of one connection share.
struct Halves {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    queue: mpsc::Receiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    end: watch::Receiver<Option<&'static str>>,
    ended: watch::Sender<Option<&'static str>>,
}

/// Carries one connection until it is over, then says so once.
async fn carry(halves: Halves, attempt: u64, events: Recipient<Wire>) {
    let Halves { read, write, queue, waiting, end, ended } = halves;
    let writer = actix::spawn(write_all(write, queue, waiting, end.clone(), ended));
    let why = read_all(read, attempt, &events, end).await;
    events.do_send(Wire { attempt, event: WireEvent::Closed { why } });
    // What was said before the end still leaves, for a short while.
    let _ = timeout(FAREWELL_MAX, writer).await;
}

async fn read_all(
    mut read: OwnedReadHalf,
    attempt: u64,
    events: &Recipient<Wire>,
    mut end: watch::Receiver<Option<&'static str>>,
) -> String {
    let mut buffer = vec![0; CHUNK];
    loop {
        tokio::select! {
            biased;
            ended = end.wait_for(Option::is_some) => {
                return ended.ok().and_then(|why| *why).unwrap_or("closed by this side").to_string();
            }
            got = read.read(&mut buffer) => match got {
                Ok(0) => return "closed by the other side".into(),
                Ok(len) => {
                    let bytes = Bytes::copy_from_slice(buffer.get(..len).unwrap_or_default());
                    let taken = events.send(Wire { attempt, event: WireEvent::Bytes(bytes) }).await;
                    if taken.is_err() {
                        return "nobody listens any more".into();
                    }
                }
                Err(error) => return error.to_string(),
            }
        }
    }
}

async fn write_all(
    mut write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    mut end: watch::Receiver<Option<&'static str>>,
    ended: watch::Sender<Option<&'static str>>,
) {
    loop {
        // A close comes behind what was written before it; an overflow does not wait.
        let bytes = tokio::select! {
            biased;
            _ = end.wait_for(|why| *why == Some(OVERFLOW)) => return,
            bytes = queue.recv() => bytes,
        };
        let Some(bytes) = bytes else { break };
        let written = tokio::select! {
            biased;
            _ = end.wait_for(|why| *why == Some(OVERFLOW)) => return,
            written = write.write_all(&bytes) => written,
        };
        waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        if written.is_err() {
            break;
        }
    }
    let _ = write.shutdown().await;
    ended.send_if_modified(|why| why.is_none().then(|| *why = Some("closed by this side")).is_some());
}

const OVERFLOW: &str = "the other side does not read what is written to it";

/// The actor to whom one connection's bytes are given.
struct Line {
    queue: Option<mpsc::Sender<Bytes>>,
    waiting: Arc<AtomicUsize>,
    end: watch::Sender<Option<&'static str>>,
}

impl Line {
    fn start_on(stream: TcpStream) -> (Addr<Line>, Halves) {
        // Small frames must not wait for each other's acknowledgements.
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        let (queue, receiver) = mpsc::channel(WAITING_MAX);
        let (end, ended) = watch::channel(None);
        let waiting = Arc::new(AtomicUsize::new(0));
        let halves =
            Halves { read, write, queue: receiver, waiting: waiting.clone(), end: ended, ended: end.clone() };
        let line = Line::create(|ctx| {
            ctx.set_mailbox_capacity(WAITING_MAX);
            Line { queue: Some(queue), waiting, end }
        });
        (line, halves)
    }

    fn overflow(&mut self, ctx: &mut Context<Self>) {
        self.end.send_if_modified(|why| why.is_none().then(|| *why = Some(OVERFLOW)).is_some());
        ctx.stop();
    }
}

impl Actor for Line {
    type Context = Context<Self>;
}

impl Handler<ToPeer> for Line {
    type Result = ();

    fn handle(&mut self, message: ToPeer, ctx: &mut Context<Self>) {
        match message {
            ToPeer::Bytes(bytes) => {
                let Some(queue) = &self.queue else { return };
                let len = bytes.len();
                let waiting = self.waiting.fetch_add(len, Ordering::Relaxed) + len;
                match queue.try_send(bytes) {
                    Ok(()) if waiting <= WAITING_BYTES_MAX => {}
                    Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => self.overflow(ctx),
                    Err(mpsc::error::TrySendError::Closed(_)) => ctx.stop(),
                }
            }
            ToPeer::Close => {
                self.queue = None;
                ctx.stop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                WireEvent::Closed { why } => Heard::Closed(attempt, why),
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
