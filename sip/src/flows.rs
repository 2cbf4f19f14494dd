//! Every stream over which this OMM speaks SIP, and the datagram flows that are kept alive: one connection for each
//! (target, transport), shared by all users (RFC 3261 18, RFC 5626 4.4, RFC 5922, RFC 6223).
//!
//! ```text
//!  Send --no connection--> Dial --Opened--> Write ..           Bytes -> messages -> Arrived
//!                            |                 |  Closed, no pong, a stream that cannot be followed
//!                            | Closed          v
//!                            +--> Unsent       Lost: everybody registered over it registers again (G-9)
//! ```
//!
//! - A request for a stream that is being opened waits, within a bound; what cannot go out is told as `Unsent`.
//! - An answer goes out over the connection on which its request came, or not at all.
//! - TLS needs to know whom it speaks to: the certificate must be that of the domain that was asked for (RFC 5922), and
//!   a target that belongs to no server gets nothing. Nothing ever turns to another transport here: no downgrade.
//! - Whoever connects to us must finish what it begins in time, and may not take all the room (slow-loris): a first
//!   message within 30 s, each begun one within 20 s, 256 connections an address. When all room is taken, the one that
//!   has been silent for longest makes place (all ours).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use machine::chance::Chance;
use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;

use crate::flow::{Due, Flow, Manner};
use crate::frame::{Framed, PING, PONG};
use crate::server::Server;
use crate::stun::{self, Stun};
use crate::target::{Target, Transport};
use beat::Beats;
use connection::{Connection, Stage};
use named::Named;
use promise::promise;

mod beat;
mod connection;
mod named;
pub mod promise;
pub mod strangers;

/// Connections that we keep; ours: three tiers of eight targets over two transports, and redirections.
pub const DIALLED_MAX: usize = 64;
/// Messages that wait for a connection to open; ours: a start-up burst of 10,000 users.
pub const WAITING_MAX: usize = 16_384;
/// How long a connection may take to open, TLS included (spec 8, `t_connect`).
const CONNECT: Duration = Duration::from_secs(10);
/// How long a target that refused is left alone; ours: ten thousand users must not knock ten thousand times.
const SULK: Duration = Duration::from_secs(1);

/// The name of a connection. Ours are even, those of others odd, so that both sides of the door can number.
pub type Id = u64;

/// What can happen to the flows.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message for a stream.
    Send {
        /// Where to.
        to: Target,
        /// The whole message.
        bytes: Bytes,
    },
    /// The connection stands.
    Opened(Id),
    /// Bytes came, cut anywhere.
    Bytes(Id, Bytes),
    /// It is over, or never came to be. Nothing follows.
    Closed {
        /// Which.
        flow: Id,
        /// Why, in words for people.
        why: String,
        /// The other side could not prove who it is.
        distrusted: bool,
    },
    /// Somebody else opened a connection.
    Accepted {
        /// Its odd number.
        flow: Id,
        /// Over what and from where.
        peer: Target,
    },
    /// Where the server of a tier is now, and what it calls itself.
    Server(Arc<Server>),
    /// A server sent somebody to this target, which has to prove that it has this name.
    Named(Target, Arc<str>),
    /// A datagram that is STUN came in.
    Stun {
        /// From where.
        from: SocketAddr,
        /// All of it.
        bytes: Bytes,
    },
    /// The server behind this datagram flow promised to answer keep-alives (RFC 5626 5.4, RFC 6223).
    Promised {
        /// Where it is.
        server: SocketAddr,
        /// How often it wants to be asked; none when it leaves that open.
        interval: Option<Duration>,
    },
}

/// What is wanted of the doors and of the OMM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a connection.
    Dial {
        /// Its number from now on.
        flow: Id,
        /// Where to.
        to: Target,
        /// TLS: the names that the certificate has to carry, all of them.
        names: Vec<Arc<str>>,
    },
    /// Write.
    Write(Id, Bytes),
    /// Close it; nothing more is heard of it.
    Close(Id),
    /// A message came in.
    Arrived {
        /// From where.
        from: Target,
        /// The whole message.
        bytes: Bytes,
    },
    /// This could not be sent.
    Unsent {
        /// Where to.
        to: Target,
        /// The whole message.
        bytes: Bytes,
    },
    /// A connection of ours stands (trace).
    Stands(Target),
    /// A flow that stood is gone: what is in flight on it gets no answer, what was registered over it must be again.
    Lost {
        /// Where it led.
        to: Target,
        /// Why, in words for people.
        why: String,
    },
    /// The other side is not who it should be (trace).
    Distrusted {
        /// Where it is.
        to: Target,
        /// Why, in words for people.
        why: String,
    },
    /// Send this datagram from the SIP port.
    Datagram {
        /// Where to.
        to: SocketAddr,
        /// All of it.
        bytes: Bytes,
    },
}

/// What went wrong so far, for whoever asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections of others that were sent away for want of room.
    pub refused: u64,
    /// Connections of others that did not finish what they began.
    pub slow: u64,
    /// Streams that could not be followed.
    pub broken: u64,
    /// Answers whose connection was gone.
    pub orphans: u64,
}

/// All flows of one OMM.
#[derive(Debug)]
pub struct Flows {
    chance: Chance,
    next: Id,
    connections: BTreeMap<Id, Connection>,
    by_target: BTreeMap<Target, Id>,
    /// One deadline a connection.
    alarms: BTreeSet<(Moment, Id)>,
    accepted: usize,
    servers: BTreeMap<u8, Arc<Server>>,
    /// Where servers sent somebody.
    named: Named,
    /// Targets that do not answer pings.
    deaf: BTreeSet<Target>,
    /// Targets that refused a connection, and until when they are left alone.
    sulking: BTreeMap<Target, Moment>,
    beats: Beats,
    counts: Counts,
}

impl Flows {
    /// No flow yet. `chance` spreads the pings and names the STUN requests.
    pub fn new(chance: Chance) -> Flows {
        Flows {
            chance,
            next: 0,
            connections: BTreeMap::new(),
            by_target: BTreeMap::new(),
            alarms: BTreeSet::new(),
            accepted: 0,
            servers: BTreeMap::new(),
            named: Named::default(),
            deaf: BTreeSet::new(),
            sulking: BTreeMap::new(),
            beats: Beats::default(),
            counts: Counts::default(),
        }
    }

    /// What went wrong so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many connections there are: ours, and those of others.
    pub fn load(&self) -> (usize, usize) {
        (self.connections.len() - self.accepted, self.accepted)
    }
}

impl Machine for Flows {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Send { to, bytes } => self.send(now, to, bytes, out),
            Input::Opened(id) => self.opened(now, id, out),
            Input::Bytes(id, bytes) => self.bytes(now, id, &bytes, out),
            Input::Closed { flow, why, distrusted } => self.closed(now, flow, why, distrusted, out),
            Input::Accepted { flow, peer } => self.accept(now, flow, peer, out),
            Input::Server(server) => _ = self.servers.insert(server.tier, server),
            Input::Named(to, domain) => self.named.learn(to, domain),
            Input::Stun { from, bytes } => match stun::read(&bytes) {
                Some(Stun::Request(id)) => {
                    out.push(Effect::Datagram { to: from, bytes: stun::success(id, from) })
                }
                Some(Stun::Success(id)) => self.beats.heard(now, from, id, &mut self.chance),
                None => {}
            },
            Input::Promised { server, interval } => {
                self.beats.promised(now, server, interval, &mut self.chance)
            }
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        let connection = self.alarms.first().map(|(at, _)| (*at, "connection"));
        connection.into_iter().chain(self.beats.deadline()).min_by_key(|(at, _)| *at)
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some((_, id)) = self.alarms.first().copied().filter(|(at, _)| *at <= now) {
            self.due(now, id, out);
        }
        self.beats.wake(now, out);
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        let flow = |to: &Target, state| Note::new("flow").text("to", to).text("state", state);
        match effect {
            Effect::Stands(to) => Some(flow(to, "open")),
            Effect::Lost { to, why } => Some(flow(to, "lost").text("reason", why)),
            Effect::Distrusted { to, why } => {
                Some(Note::new("alarm").text("text", format_args!("{to} is not who it should be: {why}")))
            }
            Effect::Dial { .. }
            | Effect::Write(..)
            | Effect::Close(_)
            | Effect::Arrived { .. }
            | Effect::Unsent { .. }
            | Effect::Datagram { .. } => None,
        }
    }
}

impl Flows {
    fn send(&mut self, now: Moment, to: Target, bytes: Bytes, out: &mut Vec<Effect>) {
        if let Some((id, connection)) =
            self.by_target.get(&to).and_then(|id| Some((*id, self.connections.get_mut(id)?)))
        {
            match &mut connection.stage {
                Stage::Open => out.push(Effect::Write(id, bytes)),
                Stage::Opening(waiting) if waiting.len() < WAITING_MAX => waiting.push(bytes),
                Stage::Opening(_) => out.push(Effect::Unsent { to, bytes }),
            }
            return;
        }
        if bytes.starts_with(b"SIP/2.0 ") {
            self.counts.orphans += 1;
            return;
        }
        self.sulking.retain(|_, until| *until > now);
        if self.sulking.contains_key(&to) || self.load().0 >= DIALLED_MAX {
            return out.push(Effect::Unsent { to, bytes });
        }
        let names = self.names(to);
        if to.transport == Transport::Tls && names.is_empty() {
            let why = "no domain was asked for that its certificate could be checked against".to_owned();
            out.push(Effect::Distrusted { to, why });
            return out.push(Effect::Unsent { to, bytes });
        }
        self.next += 2;
        self.enter(self.next, Connection::dialled(now, to, bytes));
        out.push(Effect::Dial { flow: self.next, to, names });
    }

    fn opened(&mut self, now: Moment, id: Id, out: &mut Vec<Effect>) {
        let Some(connection) = self.connections.get_mut(&id) else { return out.push(Effect::Close(id)) };
        let Stage::Opening(waiting) = std::mem::replace(&mut connection.stage, Stage::Open) else { return };
        let to = connection.peer;
        if !self.deaf.contains(&to) {
            connection.flow = Some(Flow::new(now, Manner::LineEnds, &mut self.chance));
        }
        self.arm(id);
        out.push(Effect::Stands(to));
        out.extend(waiting.into_iter().map(|bytes| Effect::Write(id, bytes)));
    }

    fn bytes(&mut self, now: Moment, id: Id, bytes: &[u8], out: &mut Vec<Effect>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let from = connection.peer;
        connection.framer.push(bytes);
        loop {
            match connection.framer.next() {
                Ok(Some(Framed::Message(message))) => {
                    connection.heard(now);
                    if let (Some(flow), Some(interval)) = (&mut connection.flow, promise(&message)) {
                        let usual = interval.unwrap_or(crate::flow::STREAM);
                        flow.negotiate(now, usual, &mut self.chance);
                    }
                    out.push(Effect::Arrived { from, bytes: message.bytes().clone() });
                }
                Ok(Some(Framed::Ping)) => {
                    connection.heard(now);
                    out.push(Effect::Write(id, Bytes::from_static(PONG)));
                }
                Ok(Some(Framed::Pong)) => {
                    connection.heard(now);
                    if let Some(flow) = &mut connection.flow {
                        flow.pong(now, &mut self.chance);
                    }
                }
                Ok(None) => break,
                Err(why) => {
                    self.counts.broken += 1;
                    return self.end(id, &format!("its stream cannot be followed: {why}"), out);
                }
            }
        }
        connection.begun(now);
        self.arm(id);
    }

    fn closed(&mut self, now: Moment, id: Id, why: String, distrusted: bool, out: &mut Vec<Effect>) {
        let Some(connection) = self.leave(id) else { return };
        let to = connection.peer;
        if distrusted {
            out.push(Effect::Distrusted { to, why: why.clone() });
        }
        match connection.stage {
            Stage::Open if connection.is_ours() => {
                // Whoever accepts and hangs up at once is as good as one who refuses.
                if now.since(connection.since) < SULK {
                    self.sulking.insert(to, now + SULK);
                }
                out.push(Effect::Lost { to, why });
            }
            Stage::Open => {}
            Stage::Opening(waiting) => {
                self.sulking.insert(to, now + SULK);
                out.extend(waiting.into_iter().map(|bytes| Effect::Unsent { to, bytes }));
            }
        }
    }

    /// A deadline of a connection.
    fn due(&mut self, now: Moment, id: Id, out: &mut Vec<Effect>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if let Stage::Opening(_) = connection.stage {
            out.push(Effect::Close(id));
            let why = format!("it did not open within {} s", CONNECT.as_secs());
            return self.closed(now, id, why, false, out);
        }
        match connection.wake(now) {
            Ok(None) => self.arm(id),
            Ok(Some(Due::Ping)) => {
                out.push(Effect::Write(id, Bytes::from_static(PING)));
                self.arm(id);
            }
            Ok(Some(Due::Failed)) => {
                if connection.flow.as_ref().is_some_and(Flow::is_deaf) {
                    self.deaf.insert(connection.peer);
                }
                self.end(id, "no pong within 10 s", out);
            }
            Err(why) => {
                self.counts.slow += 1;
                self.end(id, why, out);
            }
        }
    }

    /// Closes a connection that stands.
    fn end(&mut self, id: Id, why: &str, out: &mut Vec<Effect>) {
        let Some(connection) = self.leave(id) else { return };
        out.push(Effect::Close(id));
        if connection.is_ours() {
            out.push(Effect::Lost { to: connection.peer, why: why.to_owned() });
        }
    }

    fn enter(&mut self, id: Id, connection: Connection) {
        self.by_target.insert(connection.peer, id);
        self.connections.insert(id, connection);
        self.arm(id);
    }

    fn leave(&mut self, id: Id) -> Option<Connection> {
        let connection = self.connections.remove(&id)?;
        self.alarms.remove(&(connection.armed, id));
        self.accepted -= usize::from(!connection.is_ours());
        if self.by_target.get(&connection.peer) == Some(&id) {
            self.by_target.remove(&connection.peer);
        }
        Some(connection)
    }

    fn arm(&mut self, id: Id) {
        if let Some(connection) = self.connections.get_mut(&id) {
            self.alarms.remove(&(connection.armed, id));
            connection.armed = connection.deadline();
            self.alarms.insert((connection.armed, id));
        }
    }
}

#[cfg(test)]
mod tests;
