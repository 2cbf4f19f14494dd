//! The virtual network: every datagram and every stream of a replay passes here.
//!
//! A host has an address and stands at a place (a site). Between two places there is a path with latency, jitter and
//! loss: their own link, or by way of the hub, for the links of a system form a star. Nothing passes a cut path:
//! datagrams vanish, streams fall silent ([`stream`]). A place without any link is outside and reached by a LAN.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult, Recipient, SpawnHandle};
use actors::clock::Origin;
use actors::doors::{Accept, Datagram};
use bytes::Bytes;
use machine::chance::Chance;
use machine::time::Moment;
use sip::target::{Target, Transport};

use stream::{Segment, Stream};

pub mod door;
mod stream;

/// Time a datagram takes inside one place: a LAN. Ours.
const LOCAL: Duration = Duration::from_millis(1);
/// How bytes travel between two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// One way.
    pub latency: Duration,
    /// Added to the latency: uniform between zero and this.
    pub jitter: Duration,
    /// Share of datagrams that never arrive, in parts of a million.
    pub loss: u32,
    /// What a stream carries, in kbit/s; 0: whatever is said at once.
    pub bandwidth: u32,
    /// Streams are silent.
    pub cut: bool,
}

impl Default for Path {
    fn default() -> Path {
        Path { latency: LOCAL, jitter: Duration::ZERO, loss: 0, bandwidth: 0, cut: false }
    }
}

impl Path {
    /// This path and behind it another one.
    fn then(self, next: Path) -> Path {
        Path {
            latency: self.latency + next.latency,
            jitter: self.jitter + next.jitter,
            loss: self.loss.saturating_add(next.loss),
            bandwidth: match (self.bandwidth, next.bandwidth) {
                (0, other) | (other, 0) => other,
                (first, second) => first.min(second),
            },
            cut: self.cut || next.cut,
        }
    }
}

/// A place: the number of a site in the script.
pub type Place = usize;

/// What travels, and what happens when it arrives.
enum Parcel {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Knock { stream: u64 },
    Segment { stream: u64, side: usize, what: Segment },
}

struct Host {
    place: Place,
    inbox: Recipient<Datagram>,
    up: bool,
}

/// The network actor.
pub struct Network {
    origin: Origin,
    chance: Chance,
    parcels: BTreeMap<(Moment, u64), Parcel>,
    sequence: u64,
    hosts: BTreeMap<SocketAddr, Host>,
    listeners: BTreeMap<String, (Place, Recipient<Accept>)>,
    paths: BTreeMap<(Place, Place), Path>,
    hub: Place,
    streams: BTreeMap<u64, Stream>,
    /// Listeners that neither hear nor speak.
    deaf: BTreeSet<String>,
    alarm: Option<(Moment, SpawnHandle)>,
    carried: Carried,
}

/// What arrived so far. Whoever gets it reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// SIP messages.
    pub datagrams: u64,
    /// AXI messages: each ends with a NUL.
    pub frames: u64,
}

/// Asks what arrived so far.
#[derive(Message)]
#[rtype(result = "Carried")]
pub struct Count;

impl Network {
    /// An empty network.
    pub fn new(origin: Origin, chance: Chance, paths: BTreeMap<(Place, Place), Path>, hub: Place) -> Network {
        Network {
            origin,
            chance,
            parcels: BTreeMap::new(),
            sequence: 0,
            hosts: BTreeMap::new(),
            listeners: BTreeMap::new(),
            paths,
            hub,
            streams: BTreeMap::new(),
            deaf: BTreeSet::new(),
            alarm: None,
            carried: Carried::default(),
        }
    }

    fn path(&self, a: Place, b: Place) -> Path {
        if a == b {
            return Path::default();
        }
        let link = |a: Place, b: Place| self.paths.get(&(a.min(b), a.max(b))).copied();
        let by_hub = || link(a, self.hub).zip(link(self.hub, b)).map(|(first, second)| first.then(second));
        link(a, b).or_else(by_hub).unwrap_or_default()
    }

    fn delay(&mut self, path: Path) -> Duration {
        path.latency + self.chance.between(Duration::ZERO, path.jitter)
    }

    fn post(&mut self, at: Moment, parcel: Parcel, ctx: &mut Context<Self>) {
        self.sequence += 1;
        self.parcels.insert((at, self.sequence), parcel);
        self.arm(ctx);
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        let wanted = self.parcels.first_key_value().map(|((at, _), _)| *at);
        if self.alarm.as_ref().is_some_and(|(at, _)| wanted.is_some_and(|wanted| wanted >= *at)) {
            return;
        }
        if let Some((_, handle)) = self.alarm.take() {
            ctx.cancel_future(handle);
        }
        if let Some(at) = wanted {
            let pause = at.since(self.origin.moment());
            self.alarm = Some((at, ctx.run_later(pause, Network::deliver_due)));
        }
    }

    fn deliver_due(&mut self, ctx: &mut Context<Self>) {
        self.alarm = None;
        let now = self.origin.moment();
        while let Some(entry) = self.parcels.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let parcel = entry.remove();
            self.deliver(parcel, ctx);
        }
        self.arm(ctx);
    }

    fn deliver(&mut self, parcel: Parcel, ctx: &mut Context<Self>) {
        match parcel {
            Parcel::Datagram { from, to, bytes } => {
                if let Some(host) = self.hosts.get(&to).filter(|host| host.up) {
                    let peer = Target { transport: Transport::Udp, addr: from };
                    self.carried.datagrams += 1;
                    host.inbox.do_send(Datagram { peer, bytes });
                }
            }
            Parcel::Knock { stream } => self.knock(stream, ctx),
            Parcel::Segment { stream, side, what } => self.arrive(stream, side, what),
        }
    }

    fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes, ctx: &mut Context<Self>) {
        let (Some(source), Some(sink)) = (self.hosts.get(&from), self.hosts.get(&to)) else { return };
        if !source.up {
            return;
        }
        let path = self.path(source.place, sink.place);
        if path.cut || (path.loss > 0 && self.chance.happens(path.loss)) {
            return;
        }
        let at = self.origin.moment() + self.delay(path);
        self.post(at, Parcel::Datagram { from, to, bytes }, ctx);
    }
}

/// A host sends a datagram.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Post {
    /// The sender's address; a host that is down sends nothing.
    pub from: SocketAddr,
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Bytes,
}

impl Handler<Post> for Network {
    type Result = ();

    fn handle(&mut self, post: Post, ctx: &mut Context<Self>) {
        self.datagram(post.from, post.to, post.bytes, ctx);
    }
}

impl Handler<Count> for Network {
    type Result = MessageResult<Count>;

    fn handle(&mut self, _: Count, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.carried)
    }
}

/// What the script does to the network.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Change {
    /// A host comes to life at this address, or comes back with a new inbox.
    Plug {
        /// Its address.
        addr: SocketAddr,
        /// Where it stands.
        place: Place,
        /// Who takes what arrives.
        inbox: Recipient<Datagram>,
    },
    /// A host goes silent, or is heard again. Its inbox stays.
    Up(SocketAddr, bool),
    /// An OMM listens for AXI connections here.
    Listen {
        /// What others dial.
        address: String,
        /// Where it stands.
        place: Place,
        /// Who takes the connections.
        accept: Recipient<Accept>,
    },
    /// The OMM that listened at this address died: its connections are reset.
    Dead {
        /// What others dialled.
        address: String,
        /// Where it stood.
        place: Place,
    },
    /// The path between two places is now like this.
    Path(Place, Place, Path),
    /// The streams between this place and this listener break, and both ends hear of it.
    Reset(String, Place),
    /// A listener for streams goes silent, or is heard again; what was written meanwhile arrives then.
    Deaf(String, bool),
}

impl Handler<Change> for Network {
    type Result = ();

    fn handle(&mut self, change: Change, ctx: &mut Context<Self>) {
        match change {
            Change::Plug { addr, place, inbox } => {
                self.hosts.insert(addr, Host { place, inbox, up: true });
            }
            Change::Up(addr, up) => {
                if let Some(host) = self.hosts.get_mut(&addr) {
                    host.up = up;
                }
            }
            Change::Listen { address, place, accept } => {
                self.listeners.insert(address, (place, accept));
            }
            Change::Dead { address, place } => {
                self.listeners.remove(&address);
                self.reset_streams(&address, place, ctx);
            }
            Change::Reset(address, place) => self.cut_streams(&address, place, ctx),
            Change::Deaf(address, true) => _ = self.deaf.insert(address),
            Change::Deaf(address, false) => {
                self.deaf.remove(&address);
                self.revive(&address, ctx);
            }
            Change::Path(a, b, path) => {
                self.paths.insert((a.min(b), a.max(b)), path);
                if !path.cut {
                    self.heal(a, b, ctx);
                }
            }
        }
    }
}

impl Actor for Network {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(1 << 20);
    }
}
