//! The doors: how the actors of one OMM reach the world outside, and how the world reaches them.
//!
//! A door is a `Recipient<..>` that somebody hands in at the start: the service hands in sockets, the replay hands in
//! its virtual network. Nothing in here knows which.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use axi::open::PublicKey;
use bytes::Bytes;
use machine::secret::Secret;
use omm::link::neighbour::Fingerprint;
use sip::place::Place;
use sip::target::Target;

/// Asks the DNS where a place is to which a server sends somebody (RFC 3263).
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct Seek {
    /// The place.
    pub place: Arc<Place>,
    /// Who wants to know.
    pub to: Recipient<Sought>,
}

/// Where a place is.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Sought {
    /// The place.
    pub place: Arc<Place>,
    /// Its targets in the order in which to try them; none when the DNS knows none, or does not answer.
    pub targets: Vec<Target>,
}

/// One SIP datagram. Sent to the SIP door it is to go out to `peer`; sent to the endpoint it came in from `peer`.
///
/// A door that is full drops the datagram and counts it, as the network itself would.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Datagram {
    /// The other side.
    pub peer: Target,
    /// The whole message.
    pub bytes: Bytes,
}

/// The SIP door tells the endpoint that this datagram could not be sent (no route, refused flow).
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Undelivered(pub Datagram);

/// Whom the AXI door has to believe to be at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever the site's file calls its central.
    Central,
    /// Another remote, which shows this certificate; without one it speaks no TLS.
    Neighbour(Option<Fingerprint>),
}

/// Asks the AXI door to open a connection.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct Dial {
    /// `host:port` of the other OMM.
    pub address: String,
    /// Whose that is.
    pub whom: Whom,
    /// Echoed in every [`Wire`] of this connection, so that a late connection of an abandoned attempt is recognised.
    pub attempt: u64,
    /// Who hears what happens on the connection.
    pub events: Recipient<Wire>,
}

/// The AXI listener tells the OMM actor of a connection that somebody else opened; the answer is who hears what
/// happens on it, or `None` when the OMM takes no connections. Events of it carry attempt 0.
#[derive(Message)]
#[rtype(result = "Option<Recipient<Wire>>")]
pub struct Accept {
    /// Address of the dialling side, for messages to people.
    pub peer: String,
    /// Where to write.
    pub line: Recipient<ToPeer>,
}

/// The AXI listener tells of a connection that somebody else opened, a client or another OMM; otherwise as [`Accept`].
#[derive(Message)]
#[rtype(result = "Option<Recipient<Wire>>")]
pub struct Visit {
    /// Address of the dialling side.
    pub peer: String,
    /// Where to write.
    pub line: Recipient<ToPeer>,
}

/// Asks whoever holds the private key for what is in these texts (axi 3: RSA, PKCS#1 v1.5, Base64); `None` for each that
/// is none.
#[derive(Message)]
#[rtype(result = "Vec<Option<Secret>>")]
pub struct Unseal(pub Vec<String>);

/// Asks whoever holds the private key for the public one; `None` when there is none.
#[derive(Message)]
#[rtype(result = "Option<PublicKey>")]
pub struct TellKey;

/// Asks whoever hashes passwords for a hash; `None` when there can be none.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Option<Secret>")]
pub struct Hash(pub Secret);

/// Asks the same whether a password is the one that was hashed.
#[derive(Message, Clone, Debug)]
#[rtype(result = "bool")]
pub struct Verify {
    /// What was typed.
    pub password: Secret,
    /// What was hashed.
    pub hash: Secret,
}

/// Asks whoever reaches the provisioning server for one of its files.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Fetched")]
pub struct Fetch {
    /// What it is called there, without any folder.
    pub file: String,
}

/// What became of reading a file of the provisioning server.
#[derive(Clone, Debug, PartialEq, Eq, MessageResponse)]
pub enum Fetched {
    /// It says this; there are passwords in it.
    Text(Secret),
    /// The server was reached and has no such file.
    Missing,
    /// Nobody knows; why, for people.
    Failed(String),
}

/// Something happened on an AXI connection.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Wire {
    /// The attempt of the [`Dial`] it belongs to; 0 for an accepted connection.
    pub attempt: u64,
    /// What happened.
    pub event: WireEvent,
}

/// What can happen on an AXI connection.
pub enum WireEvent {
    /// A dialled connection stands; write here.
    Opened(Recipient<ToPeer>),
    /// Bytes arrived, in order, cut anywhere.
    Bytes(Bytes),
    /// It is over (also: it never came to be). Nothing follows.
    Closed {
        /// Why, in words for people.
        why: String,
    },
    /// It is over because the other side could not prove who it is (TLS). Nothing follows.
    Distrusted {
        /// Why, in words for people.
        why: String,
    },
}

/// What to do on an AXI connection. A door whose queue is full closes the connection: states are compared when it
/// comes back (nothing is queued without bound).
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum ToPeer {
    /// Write these bytes.
    Bytes(Bytes),
    /// Close after what was written.
    Close,
}

/// Asks the stream door of the SIP side to open a connection.
#[derive(Message)]
#[rtype(result = "()")]
pub struct OpenFlow {
    /// Where to, over TCP or TLS.
    pub to: Target,
    /// TLS: the names that the certificate has to carry, all of them (RFC 5922).
    pub names: Vec<Arc<str>>,
    /// Echoed in every [`Wire`] of this connection.
    pub attempt: u64,
    /// Who hears what happens on the connection.
    pub events: Recipient<Wire>,
}

/// The SIP listener tells the OMM of a connection that somebody else opened; the answer is its number, which every
/// [`Wire`] of it carries, and who hears what happens on it. `None` when nobody is there.
#[derive(Message)]
#[rtype(result = "Option<(u64, Recipient<Wire>)>")]
pub struct Enter {
    /// Over what and from where.
    pub peer: Target,
    /// Where to write.
    pub line: Recipient<ToPeer>,
}

/// Both ways out of the SIP side: datagrams go straight to the socket, everything else by the flows.
#[derive(Clone)]
pub struct Ways {
    /// The UDP door.
    pub datagrams: Recipient<Datagram>,
    /// The flows.
    pub streams: Recipient<Datagram>,
}

impl Ways {
    /// Sends, or loses it as the network would when the door is full: retransmissions and timers make it good.
    pub fn send(&self, datagram: Datagram) {
        let door = if datagram.peer.transport.is_reliable() { &self.streams } else { &self.datagrams };
        let _ = door.try_send(datagram);
    }
}

/// Has whoever hired the OMM end it softly and hire a new one: registrations stay (AMB-16).
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct StartOver;

/// Asks where a server is. The door knows which one: there is a door for each tier whose server has a name.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Resolve {
    /// Who hears the answer.
    pub to: Recipient<Resolved>,
}

/// The DNS's answer: targets, the best first, and for how long that is true; or why there is none.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Resolved(pub Result<(Vec<Target>, Duration), String>);
