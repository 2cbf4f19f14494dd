//! The AXI door: connections to and from other OMMs, over TLS unless plain TCP is asked for (M-2.2.9-a, AMB-17).
//!
//! A peer that does not read loses its connection, and states are compared when it comes back. Every message is one
//! write, and so one TLS record of its own: a client family reads a second one in the same record too late (axi 4.3).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ::actors::doors::{Accept, Dial, Whom, Wire, WireEvent};
use actix::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::config::link::Belief;
use crate::connection::{Line, Room, carry};
use crate::sockets::tls::{Badge, is_distrust};

pub mod badge;
mod porch;
#[cfg(feature = "openssl")]
pub mod static_rsa;
pub mod tls;

#[cfg(test)]
mod tests;

use porch::Porch;
use tls::Greeter;

/// Longest time a connection attempt may take, whatever the link machine thinks of it; ours.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// Longest time that a stranger's TLS handshake may take (spec 8, `t_connect`).
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Messages that may wait to be written; ours: the claims of 10,000 users (M-2.2.1-d) three times over.
const WAITING_MAX: usize = 32_768;
/// Bytes that may wait to be written (spec SM-1C: 8 MiB).
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;
const ROOM: Room = Room { messages: WAITING_MAX, bytes: WAITING_BYTES_MAX };
/// Wait after an error of the listener, such as too many open files; ours.
const BREATH: Duration = Duration::from_secs(1);

/// The actor that opens connections.
pub struct Dialer {
    greeter: Option<Greeter>,
}

impl Dialer {
    /// A dialer that speaks TLS with a central that `greeter` believes in; plain TCP without one. A neighbour has to show
    /// its own certificate.
    pub fn new(greeter: Option<Greeter>) -> Dialer {
        Dialer { greeter }
    }
}

impl Actor for Dialer {
    type Context = Context<Self>;
}

impl Handler<Dial> for Dialer {
    type Result = ();

    fn handle(&mut self, Dial { address, whom, attempt, events }: Dial, _: &mut Context<Self>) {
        let greeter = match whom {
            Whom::Central => Ok(self.greeter.clone()),
            Whom::Neighbour(print) => print.map(|print| Greeter::new(&Belief::Pinned(print))).transpose(),
        };
        actix::spawn(async move {
            let greeter = match greeter {
                Ok(greeter) => greeter,
                Err(unfit) => {
                    let event = WireEvent::Distrusted { why: unfit.to_string() };
                    return events.do_send(Wire { attempt, event });
                }
            };
            let event = match timeout(CONNECT_MAX, connect(&address, greeter)).await {
                Ok(Ok(Stream::Plain(stream))) => return talk(stream, attempt, events).await,
                Ok(Ok(Stream::Secret(stream))) => return talk(*stream, attempt, events).await,
                Ok(Err(error)) if is_distrust(&error) => WireEvent::Distrusted { why: error.to_string() },
                Ok(Err(error)) => WireEvent::Closed { why: error.to_string() },
                Err(_) => WireEvent::Closed { why: format!("no answer within {CONNECT_MAX:?}") },
            };
            events.do_send(Wire { attempt, event });
        });
    }
}

/// A connection that was dialled.
pub(crate) enum Stream {
    Plain(TcpStream),
    Secret(Box<TlsStream<TcpStream>>),
}

/// Dials, and speaks TLS where somebody is to be believed.
pub(crate) async fn connect(address: &str, greeter: Option<Greeter>) -> io::Result<Stream> {
    let stream = TcpStream::connect(address).await?;
    // Small frames must not wait for each other's acknowledgements.
    let _ = stream.set_nodelay(true);
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    Ok(match greeter {
        Some(greeter) => Stream::Secret(Box::new(greeter.greet(stream, host).await?)),
        None => Stream::Plain(stream),
    })
}

async fn talk<S: AsyncRead + AsyncWrite + 'static>(stream: S, attempt: u64, events: Recipient<Wire>) {
    let (line, halves) = Line::start_on(stream, ROOM);
    events.do_send(Wire { attempt, event: WireEvent::Opened(line.recipient()) });
    carry(halves, attempt, events).await;
}

/// What those who connect have to speak.
#[derive(Clone)]
pub enum Greeting {
    /// AXI without more ado.
    Plain,
    /// TLS as rustls speaks it.
    Tls(Badge),
    /// TLS with static RSA key exchange.
    #[cfg(feature = "openssl")]
    StaticRsa(static_rsa::RsaBadge),
}

/// Listens for connections and offers each to `door` once it speaks as it should.
///
/// # Errors
/// The address cannot be bound.
pub async fn listen(at: SocketAddr, greeting: Greeting, door: Recipient<Accept>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(at).await?;
    let bound = listener.local_addr()?;
    let porch = Porch::default();
    actix::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => receive(stream, peer, &greeting, &porch, &door),
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

fn receive(
    stream: TcpStream,
    peer: SocketAddr,
    greeting: &Greeting,
    porch: &Porch,
    door: &Recipient<Accept>,
) {
    // Small frames must not wait for each other's acknowledgements.
    let _ = stream.set_nodelay(true);
    let door = door.clone();
    match greeting.clone() {
        Greeting::Plain => _ = actix::spawn(admit(stream, peer, door)),
        Greeting::Tls(badge) => greet(async move { badge.receive(stream).await }, peer, porch, door),
        #[cfg(feature = "openssl")]
        Greeting::StaticRsa(badge) => greet(async move { badge.receive(stream).await }, peer, porch, door),
    }
}

/// Admits whoever comes to an end with the handshake; who does not takes nobody else's place.
fn greet<S: AsyncRead + AsyncWrite + 'static>(
    handshake: impl Future<Output = io::Result<S>> + 'static,
    peer: SocketAddr,
    porch: &Porch,
    door: Recipient<Accept>,
) {
    let Some(place) = porch.step_on(peer.ip()) else {
        tracing::debug!(%peer, "too many TLS handshakes at a time");
        return;
    };
    actix::spawn(async move {
        let greeted = timeout(HANDSHAKE_MAX, handshake).await;
        drop(place);
        match greeted {
            Ok(Ok(stream)) => admit(stream, peer, door).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS did not come to stand"),
            Err(_) => tracing::debug!(%peer, "TLS took too long"),
        }
    });
}

async fn admit<S: AsyncRead + AsyncWrite + 'static>(stream: S, peer: SocketAddr, door: Recipient<Accept>) {
    let (line, halves) = Line::start_on(stream, ROOM);
    match door.send(Accept { peer: peer.to_string(), line: line.recipient() }).await {
        Ok(Some(events)) => carry(halves, 0, events).await,
        Ok(None) | Err(_) => tracing::debug!(%peer, "an AXI connection was not wanted"),
    }
}
