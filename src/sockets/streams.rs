//! The SIP door for streams: TCP and TLS connections to servers, and from phones and servers.
//!
//! A connection is opened when [`sip::flows`] asks for it; whoever connects to us is offered to the OMM once TLS, where
//! it was asked for, stands. What a connection may do then, and for how long, is decided there.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::actors::doors::{Enter, OpenFlow, Wire, WireEvent};
use actix::prelude::*;
use sip::target::{Target, Transport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::tls::{Badge, Trust, is_distrust};
use crate::connection::{Line, Room, carry};

/// Longest time that TCP and TLS together may take to stand (spec 8, `t_connect`).
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// What may wait to be written on one connection; ours: a start-up burst of 10,000 users, of 1 kB each.
const ROOM: Room = Room { messages: 16_384, bytes: 16 * 1024 * 1024 };
/// Strangers that may be at the beginning of TLS at one time; ours: more wait in the kernel's queue.
const GREETINGS_MAX: usize = 256;
/// Wait after an error of the listener, such as too many open files; ours.
const BREATH: Duration = Duration::from_secs(1);

/// The actor that opens connections.
pub struct StreamDoor {
    trust: Option<Trust>,
}

impl StreamDoor {
    /// A door that speaks TLS with those whom `trust` believes, and with nobody without it.
    pub fn new(trust: Option<Trust>) -> StreamDoor {
        StreamDoor { trust }
    }
}

impl Actor for StreamDoor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(sip::flows::DIALLED_MAX);
    }
}

impl Handler<OpenFlow> for StreamDoor {
    type Result = ();

    fn handle(&mut self, open: OpenFlow, _: &mut Context<Self>) {
        let trust = self.trust.clone();
        actix::spawn(async move {
            let (attempt, events) = (open.attempt, open.events.clone());
            let opened = timeout(CONNECT_MAX, connect(open, trust)).await;
            let why = match opened {
                Ok(Ok(Stream::Plain(stream))) => return talk(stream, attempt, events).await,
                Ok(Ok(Stream::Secret(stream))) => return talk(*stream, attempt, events).await,
                Ok(Err(error)) if is_distrust(&error) => {
                    let event = WireEvent::Distrusted { why: error.to_string() };
                    return events.do_send(Wire { attempt, event });
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("it did not open within {CONNECT_MAX:?}"),
            };
            events.do_send(Wire { attempt, event: WireEvent::Closed { why } });
        });
    }
}

enum Stream {
    Plain(TcpStream),
    Secret(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

async fn connect(open: OpenFlow, trust: Option<Trust>) -> io::Result<Stream> {
    let stream = TcpStream::connect(open.to.addr).await?;
    // Small messages must not wait for each other's acknowledgements.
    let _ = stream.set_nodelay(true);
    match open.to.transport {
        Transport::Udp => Err(io::Error::other("datagrams need no connection")),
        Transport::Tcp => Ok(Stream::Plain(stream)),
        Transport::Tls => {
            let trust = trust.ok_or_else(|| io::Error::other("there is no authority to believe"))?;
            Ok(Stream::Secret(Box::new(trust.greet(stream, &open.names).await?)))
        }
    }
}

async fn talk<S: AsyncRead + AsyncWrite + 'static>(stream: S, attempt: u64, events: Recipient<Wire>) {
    let (line, halves) = Line::start_on(stream, ROOM);
    events.do_send(Wire { attempt, event: WireEvent::Opened(line.recipient()) });
    carry(halves, attempt, events).await;
}

/// Listens for connections and offers each to `door`; with a badge, those who speak TLS only.
///
/// # Errors
/// The address cannot be bound.
pub async fn listen(at: SocketAddr, badge: Option<Badge>, door: Recipient<Enter>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(at).await?;
    let bound = listener.local_addr()?;
    let greetings = Arc::new(Semaphore::new(GREETINGS_MAX));
    actix::spawn(async move {
        while door.connected() {
            let Ok(turn) = greetings.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let (badge, door) = (badge.clone(), door.clone());
                    actix::spawn(async move {
                        let _ = stream.set_nodelay(true);
                        let Some(badge) = badge else {
                            drop(turn);
                            return admit(stream, Target::new(Transport::Tcp, peer), door).await;
                        };
                        let greeted = timeout(CONNECT_MAX, badge.receive(stream)).await;
                        drop(turn);
                        match greeted {
                            Ok(Ok(stream)) => admit(stream, Target::new(Transport::Tls, peer), door).await,
                            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS did not come to stand"),
                            Err(_) => tracing::debug!(%peer, "TLS took too long"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the SIP listener could not accept a connection");
                    let _ = timeout(BREATH, std::future::pending::<()>()).await;
                }
            }
        }
    });
    Ok(bound)
}

async fn admit<S: AsyncRead + AsyncWrite + 'static>(stream: S, peer: Target, door: Recipient<Enter>) {
    let (line, halves) = Line::start_on(stream, ROOM);
    match door.send(Enter { peer, line: line.recipient() }).await {
        Ok(Some((number, events))) => carry(halves, number, events).await,
        Ok(None) | Err(_) => tracing::debug!(%peer, "a SIP connection was not wanted"),
    }
}

#[cfg(test)]
mod tests;
