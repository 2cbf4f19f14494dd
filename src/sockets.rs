//! The SIP doors. This one is a UDP socket: datagrams that find a queue full are dropped and counted, as the network
//! would. [`streams`] is the door for TCP and TLS, [`tls`] whom it believes.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use ::actors::doors::{Datagram, Undelivered};
use actix::prelude::*;
use bytes::Bytes;
use sip::target::{Target, Transport};
use tokio::net::UdpSocket;

pub mod streams;
pub mod tls;

/// Largest datagram there is (RFC 768): nothing is ever cut off silently.
const DATAGRAM_MAX: usize = 65_535;
/// Datagrams that may wait to be sent; ours: a start-up burst of 10,000 users fits.
const WAITING_MAX: usize = 16_384;
/// Errors of the socket in a row after which it is given up; ours.
const ERRORS_MAX: u32 = 1_000;

/// The actor that owns the socket.
pub struct UdpDoor {
    /// One, or one for each family of addresses.
    sockets: Vec<(bool, Rc<UdpSocket>)>,
    inside: Option<Inside>,
    counts: Rc<Counters>,
}

/// Who is behind the door.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct Inside {
    /// Hears what comes in.
    pub datagrams: Recipient<Datagram>,
    /// Hears what could not go out.
    pub undelivered: Recipient<Undelivered>,
    /// Hears that nobody is behind the door any more, so that it can be told of somebody new.
    pub deserted: Recipient<Deserted>,
}

/// Whoever was behind the door is gone; send a new [`Inside`].
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Deserted;

/// Asks for the counts.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Counts")]
pub struct CountDoor;

/// What went through the door, and what did not.
#[derive(MessageResponse, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams handed inside.
    pub received: u64,
    /// Datagrams dropped because the inside was full or not there.
    pub refused: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams that could not be sent.
    pub undelivered: u64,
}

#[derive(Default)]
struct Counters {
    received: Cell<u64>,
    refused: Cell<u64>,
    sent: Cell<u64>,
    undelivered: Cell<u64>,
}

fn count(counter: &Cell<u64>) {
    counter.set(counter.get().saturating_add(1));
}

impl UdpDoor {
    /// Opens the socket and starts the door. Nothing is read until somebody is [`Inside`].
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn open(listen: SocketAddr) -> io::Result<(Addr<UdpDoor>, SocketAddr)> {
        UdpDoor::open_both(listen, None).await
    }

    /// [`UdpDoor::open`] with a second socket for the other family of addresses.
    ///
    /// # Errors
    /// An address cannot be bound.
    pub async fn open_both(
        listen: SocketAddr,
        other: Option<SocketAddr>,
    ) -> io::Result<(Addr<UdpDoor>, SocketAddr)> {
        let first = Rc::new(UdpSocket::bind(listen).await?);
        let bound = first.local_addr()?;
        let mut sockets = vec![(bound.is_ipv6(), first)];
        if let Some(other) = other {
            sockets.push((other.is_ipv6(), Rc::new(UdpSocket::bind(other).await?)));
        }
        let door = UdpDoor::create(|ctx| {
            ctx.set_mailbox_capacity(WAITING_MAX);
            UdpDoor { sockets, inside: None, counts: Rc::default() }
        });
        Ok((door, bound))
    }

    /// Sends by the socket of the address's family.
    fn send(&self, datagram: &Datagram) -> io::Result<usize> {
        let addr = datagram.peer.addr;
        let (_, socket) = self
            .sockets
            .iter()
            .find(|(is_v6, _)| *is_v6 == addr.is_ipv6())
            .ok_or_else(|| io::Error::other("there is no socket for this family of addresses"))?;
        socket.try_send_to(&datagram.bytes, addr)
    }
}

impl Actor for UdpDoor {
    type Context = Context<Self>;
}

impl Handler<Inside> for UdpDoor {
    type Result = ();

    fn handle(&mut self, inside: Inside, ctx: &mut Context<Self>) {
        let first = self.inside.replace(inside.clone()).is_none();
        if first {
            for (_, socket) in &self.sockets {
                let (socket, counts, own) = (socket.clone(), self.counts.clone(), ctx.address());
                ctx.spawn(read(socket, counts, own).into_actor(self));
            }
        }
    }
}

/// What the reader found, in order. The door itself hands it on, because who is inside may change.
#[derive(Message)]
#[rtype(result = "()")]
struct Arrived(Datagram);

impl Handler<Arrived> for UdpDoor {
    type Result = ();

    fn handle(&mut self, Arrived(datagram): Arrived, _: &mut Context<Self>) {
        let Some(inside) = &self.inside else { return count(&self.counts.refused) };
        match inside.datagrams.try_send(datagram) {
            Ok(()) => count(&self.counts.received),
            Err(SendError::Full(_)) => count(&self.counts.refused),
            Err(SendError::Closed(_)) => {
                count(&self.counts.refused);
                inside.deserted.do_send(Deserted);
            }
        }
    }
}

async fn read(socket: Rc<UdpSocket>, counts: Rc<Counters>, door: Addr<UdpDoor>) {
    let mut buffer = vec![0; DATAGRAM_MAX];
    let mut errors = 0;
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((len, from)) => {
                errors = 0;
                let bytes = Bytes::copy_from_slice(buffer.get(..len).unwrap_or_default());
                let datagram = Datagram { peer: Target::new(Transport::Udp, from), bytes };
                if door.try_send(Arrived(datagram)).is_err() {
                    count(&counts.refused);
                }
            }
            Err(error) => {
                errors += 1;
                tracing::debug!(%error, "the SIP socket could not read");
                if errors == ERRORS_MAX {
                    tracing::error!(%error, "the SIP socket is broken; nothing more is heard");
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Handler<Datagram> for UdpDoor {
    type Result = ();

    /// Sends at once or not at all: a kernel buffer that is full is a network that is full.
    fn handle(&mut self, datagram: Datagram, _: &mut Context<Self>) {
        let sent = match datagram.peer.transport {
            Transport::Udp => self.send(&datagram),
            Transport::Tcp | Transport::Tls => {
                Err(io::Error::other("a stream does not leave by the socket of datagrams"))
            }
        };
        match sent {
            Ok(_) => count(&self.counts.sent),
            Err(error) => {
                count(&self.counts.undelivered);
                tracing::debug!(%error, peer = %datagram.peer, "a datagram could not be sent");
                // A full buffer loses the datagram like a full router; everything else is told.
                if error.kind() != io::ErrorKind::WouldBlock
                    && let Some(inside) = &self.inside
                {
                    let _ = inside.undelivered.try_send(Undelivered(datagram));
                }
            }
        }
    }
}

impl Handler<CountDoor> for UdpDoor {
    type Result = Counts;

    fn handle(&mut self, _: CountDoor, _: &mut Context<Self>) -> Counts {
        Counts {
            received: self.counts.received.get(),
            refused: self.counts.refused.get(),
            sent: self.counts.sent.get(),
            undelivered: self.counts.undelivered.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands on what it hears to a channel.
    struct Ear(tokio::sync::mpsc::UnboundedSender<String>);

    impl Actor for Ear {
        type Context = Context<Self>;
    }

    impl Handler<Datagram> for Ear {
        type Result = ();
        fn handle(&mut self, heard: Datagram, _: &mut Context<Self>) {
            let _ = self.0.send(format!("{} {}", heard.peer, String::from_utf8_lossy(&heard.bytes)));
        }
    }

    impl Handler<Undelivered> for Ear {
        type Result = ();
        fn handle(&mut self, Undelivered(lost): Undelivered, _: &mut Context<Self>) {
            let _ = self.0.send(format!("undelivered to {}", lost.peer));
        }
    }

    impl Handler<Deserted> for Ear {
        type Result = ();
        fn handle(&mut self, _: Deserted, _: &mut Context<Self>) {
            let _ = self.0.send("deserted".into());
        }
    }

    fn inside(ear: &Addr<Ear>) -> Inside {
        let ear = ear.clone();
        Inside {
            datagrams: ear.clone().recipient(),
            undelivered: ear.clone().recipient(),
            deserted: ear.recipient(),
        }
    }

    fn datagram(peer: Target, text: &'static str) -> Datagram {
        Datagram { peer, bytes: Bytes::from_static(text.as_bytes()) }
    }

    #[test]
    fn datagrams_go_both_ways_and_what_cannot_go_out_is_told() {
        System::new().block_on(async {
            let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
            let (left, left_at) = UdpDoor::open(any).await.expect("a socket");
            let (right, right_at) = UdpDoor::open(any).await.expect("a socket");
            let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
            let ear = Ear(tell).start();
            right.send(inside(&ear)).await.expect("a door");
            left.send(inside(&ear)).await.expect("a door");
            left.send(datagram(Target::new(Transport::Udp, right_at), "hello")).await.expect("a door");
            assert_eq!(heard.recv().await, Some(format!("udp:{left_at} hello")));
            left.send(datagram(Target::new(Transport::Tcp, right_at), "hello")).await.expect("a door");
            assert_eq!(heard.recv().await, Some(format!("undelivered to tcp:{right_at}")));
            assert_eq!(
                left.send(CountDoor).await.ok(),
                Some(Counts { sent: 1, undelivered: 1, ..Counts::default() })
            );
            assert_eq!(right.send(CountDoor).await.ok(), Some(Counts { received: 1, ..Counts::default() }));
        });
    }

    #[test]
    fn one_door_reaches_both_families_of_addresses() {
        System::new().block_on(async {
            let any = |text: &str| text.parse::<SocketAddr>().expect("an address");
            let v6 = any("[::1]:0");
            if UdpSocket::bind(v6).await.is_err() {
                return; // A machine without IPv6.
            }
            let (door, _) = UdpDoor::open_both(any("127.0.0.1:0"), Some(v6)).await.expect("sockets");
            let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
            let ear = Ear(tell).start();
            for text in ["127.0.0.1:0", "[::1]:0"] {
                let (there, at) = UdpDoor::open(any(text)).await.expect("a socket");
                there.send(inside(&ear)).await.expect("a door");
                door.send(datagram(Target::new(Transport::Udp, at), "hello")).await.expect("a door");
                assert!(heard.recv().await.is_some_and(|line| line.ends_with(" hello")), "{text}");
            }
            // A door of one family says so.
            let (narrow, _) = UdpDoor::open(any("127.0.0.1:0")).await.expect("a socket");
            narrow.send(inside(&ear)).await.expect("a door");
            let there = Target::new(Transport::Udp, any("[::1]:9"));
            narrow.send(datagram(there, "hello")).await.expect("a door");
            assert_eq!(heard.recv().await, Some(format!("undelivered to {there}")));
        });
    }

    #[test]
    fn a_door_that_nobody_is_behind_asks_for_somebody() {
        System::new().block_on(async {
            let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
            let (door, at) = UdpDoor::open(any).await.expect("a socket");
            let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
            let (gone_tell, _gone_heard) = tokio::sync::mpsc::unbounded_channel();
            let (ear, gone) = (Ear(tell).start(), Ear(gone_tell).start());
            let mut deserted = inside(&gone);
            deserted.deserted = ear.clone().recipient();
            door.send(deserted).await.expect("a door");
            gone.send(Stop).await.expect("an actor");
            door.send(datagram(Target::new(Transport::Udp, at), "one")).await.expect("a door");
            assert_eq!(heard.recv().await.as_deref(), Some("deserted"));
            door.send(inside(&ear)).await.expect("a door");
            door.send(datagram(Target::new(Transport::Udp, at), "two")).await.expect("a door");
            assert_eq!(heard.recv().await, Some(format!("udp:{at} two")));
        });
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Stop;

    impl Handler<Stop> for Ear {
        type Result = ();
        fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
            ctx.stop();
        }
    }
}
