//! One connection's two directions, whatever it carries: AXI or SIP, over TCP or TLS.
//!
//! Reading waits until the machine has taken what was read, so a flood stops in the sender's kernel. Writing has a
//! bounded queue; a peer that does not read loses its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::actors::doors::{ToPeer, Wire, WireEvent};
use actix::prelude::*;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Longest time that what was written before a close may take to leave; ours.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;
/// Why a connection ends whose peer does not read.
pub(crate) const OVERFLOW: &str = "the other side does not read what is written to it";

/// How much may wait to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Messages.
    pub(crate) messages: usize,
    /// Bytes.
    pub(crate) bytes: usize,
}

/// What reader and writer of one connection share.
pub(crate) struct Halves<S> {
    read: ReadHalf<S>,
    write: WriteHalf<S>,
    queue: mpsc::Receiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    end: watch::Receiver<Option<&'static str>>,
    ended: watch::Sender<Option<&'static str>>,
}

/// Carries one connection until it is over, then says so once.
pub(crate) async fn carry<S>(halves: Halves<S>, attempt: u64, events: Recipient<Wire>)
where
    S: AsyncRead + AsyncWrite + 'static,
{
    let Halves { read, write, queue, waiting, end, ended } = halves;
    let writer = actix::spawn(write_all(write, queue, waiting, end.clone(), ended));
    let why = read_all(read, attempt, &events, end).await;
    events.do_send(Wire { attempt, event: WireEvent::Closed { why } });
    // What was said before the end still leaves, for a short while.
    let _ = timeout(FAREWELL_MAX, writer).await;
}

async fn read_all<S: AsyncRead>(
    mut read: ReadHalf<S>,
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

async fn write_all<S: AsyncWrite>(
    mut write: WriteHalf<S>,
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
            // A TLS stream keeps what was written until it is told to send it.
            written = async { write.write_all(&bytes).await?; write.flush().await } => written,
        };
        waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        if written.is_err() {
            break;
        }
    }
    let _ = write.shutdown().await;
    ended.send_if_modified(|why| why.is_none().then(|| *why = Some("closed by this side")).is_some());
}

/// The actor to whom one connection's bytes are given.
pub(crate) struct Line {
    queue: Option<mpsc::Sender<Bytes>>,
    waiting: Arc<AtomicUsize>,
    room: usize,
    end: watch::Sender<Option<&'static str>>,
}

impl Line {
    /// A line that writes on `stream`, and the rest of the connection for [`carry`].
    pub(crate) fn start_on<S: AsyncRead + AsyncWrite>(stream: S, room: Room) -> (Addr<Line>, Halves<S>) {
        let (read, write) = tokio::io::split(stream);
        let (queue, receiver) = mpsc::channel(room.messages);
        let (end, ended) = watch::channel(None);
        let waiting = Arc::new(AtomicUsize::new(0));
        let halves =
            Halves { read, write, queue: receiver, waiting: waiting.clone(), end: ended, ended: end.clone() };
        let line = Line::create(|ctx| {
            ctx.set_mailbox_capacity(room.messages);
            Line { queue: Some(queue), waiting, room: room.bytes, end }
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
                    Ok(()) if waiting <= self.room => {}
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
