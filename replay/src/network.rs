//! The virtual network: every datagram and every stream of a replay passes here.
//!
//! A host has an address and stands at a place (a site). Between two places there is a path with latency, jitter and
//! loss. Cutting a path silences the streams on it: a stream that is cut looks open to both ends until one of them
//! gives up, as TCP does; what was written in the meantime arrives after the healing if both ends still hold on.
//! SIP datagrams share latency, jitter and loss with the path but not the cut: in this product a "link" is the sync
//! connection between two OMMs (spec 0), and the loss of a SIP server is said with `drop proxy` (AMB-29).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult,
    Recipient, SpawnHandle, WrapFuture,
};
use actors::clock::Origin;
use actors::doors::{Accept, Datagram, Dial, ToPeer, Wire, WireEvent};
use bytes::Bytes;
use machine::chance::Chance;
use machine::time::Moment;
use sip::target::{Target, Transport};

/// Time a datagram takes inside one place: a LAN. Ours.
const LOCAL: Duration = Duration::from_millis(1);
/// What a lost segment costs a stream: the first retransmission timeout of a TCP with a short round trip (RFC 6298
/// has a floor of 1 s, common systems use 200 ms). Ours.
const RETRANSMISSION: Duration = Duration::from_millis(200);
/// Bytes that one direction of a cut stream holds on to, as a socket buffer would; more closes the stream.
const CUT_BUFFER: usize = 4 << 20;

/// How bytes travel between two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// One way.
    pub latency: Duration,
    /// Added to the latency: uniform between zero and this.
    pub jitter: Duration,
    /// Share of datagrams that never arrive, in parts of a million.
    pub loss: u32,
    /// Streams are silent.
    pub cut: bool,
}

impl Default for Path {
    fn default() -> Path {
        Path { latency: LOCAL, jitter: Duration::ZERO, loss: 0, cut: false }
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

enum Segment {
    Open,
    Bytes(Bytes),
    Close(&'static str),
}

struct Host {
    place: Place,
    inbox: Recipient<Datagram>,
    up: bool,
}

/// Side 0 dialled, side 1 accepted.
struct Stream {
    places: [Place; 2],
    address: String,
    attempt: u64,
    ears: [Option<Recipient<Wire>>; 2],
    /// The dialler's writing end, until the connection stands.
    line: Option<Recipient<ToPeer>>,
    /// Nothing overtakes on a stream.
    latest: [Moment; 2],
    /// What a cut path keeps back, per receiving side.
    kept: [Vec<Segment>; 2],
}

impl Stream {
    /// What the ear on this side calls the connection: diallers number their attempts, listeners do not.
    fn attempt_at(&self, side: usize) -> u64 {
        if side == 0 { self.attempt } else { 0 }
    }

    fn joins(&self, a: Place, b: Place) -> bool {
        (self.places[0].min(self.places[1]), self.places[0].max(self.places[1])) == (a.min(b), a.max(b))
    }
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
    streams: BTreeMap<u64, Stream>,
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
    pub fn new(origin: Origin, chance: Chance, paths: BTreeMap<(Place, Place), Path>) -> Network {
        Network {
            origin,
            chance,
            parcels: BTreeMap::new(),
            sequence: 0,
            hosts: BTreeMap::new(),
            listeners: BTreeMap::new(),
            paths,
            streams: BTreeMap::new(),
            alarm: None,
            carried: Carried::default(),
        }
    }

    fn path(&self, a: Place, b: Place) -> Path {
        if a == b {
            Path::default()
        } else {
            self.paths.get(&(a.min(b), a.max(b))).copied().unwrap_or_default()
        }
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
        if path.loss > 0 && self.chance.happens(path.loss) {
            return;
        }
        let at = self.origin.moment() + self.delay(path);
        self.post(at, Parcel::Datagram { from, to, bytes }, ctx);
    }

    /// A connection request arrives. A cut path or an absent listener leaves the dialler without an answer or with a
    /// refusal, as on a real network.
    fn knock(&mut self, id: u64, ctx: &mut Context<Self>) {
        let Some(stream) = self.streams.get(&id) else { return };
        let Some((place, listener)) = self.listeners.get(&stream.address) else {
            return self.send_segment(id, 0, Segment::Close("connection refused"), ctx);
        };
        if self.path(stream.places[0], *place).cut {
            self.streams.remove(&id);
            return;
        }
        let line = StreamEnd { network: ctx.address(), stream: id, side: 1 }.start().recipient();
        let asked = listener.send(Accept { peer: format!("place {}", stream.places[0]), line });
        ctx.spawn(asked.into_actor(self).map(move |answer, network, ctx| match answer {
            Ok(Some(ear)) => {
                if let Some(stream) = network.streams.get_mut(&id) {
                    stream.ears[1] = Some(ear);
                    network.send_segment(id, 0, Segment::Open, ctx);
                }
            }
            Ok(None) | Err(_) => network.send_segment(id, 0, Segment::Close("connection refused"), ctx),
        }));
    }

    /// Sends `what` towards `side` of the stream.
    fn send_segment(&mut self, id: u64, side: usize, what: Segment, ctx: &mut Context<Self>) {
        let Some(places) = self.streams.get(&id).map(|stream| stream.places) else { return };
        let path = self.path(places[0], places[1]);
        if path.cut {
            return self.keep_back(id, side, what);
        }
        let mut at = self.origin.moment() + self.delay(path);
        if path.loss > 0 && self.chance.happens(path.loss) {
            at = at + RETRANSMISSION;
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        at = at.max(stream.latest[side]);
        stream.latest[side] = at;
        self.post(at, Parcel::Segment { stream: id, side, what }, ctx);
    }

    fn keep_back(&mut self, id: u64, side: usize, what: Segment) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.kept[side].push(what);
        let kept: usize = stream.kept[side]
            .iter()
            .map(|segment| match segment {
                Segment::Bytes(bytes) => bytes.len(),
                Segment::Open | Segment::Close(_) => 0,
            })
            .sum();
        if kept > CUT_BUFFER {
            stream.kept[side].clear();
            let attempt = stream.attempt_at(1 - side);
            if let Some(ear) = stream.ears[1 - side].take() {
                close(&ear, attempt, "send buffer full");
            }
        }
    }

    fn arrive(&mut self, id: u64, side: usize, what: Segment) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let path_cut = {
            let (a, b) = (stream.places[0].min(stream.places[1]), stream.places[0].max(stream.places[1]));
            a != b && self.paths.get(&(a, b)).is_some_and(|path| path.cut)
        };
        if path_cut {
            return self.keep_back(id, side, what);
        }
        let attempt = stream.attempt_at(side);
        let Some(ear) = stream.ears[side].clone() else { return };
        match what {
            Segment::Open => {
                if let Some(line) = stream.line.take() {
                    ear.do_send(Wire { attempt, event: WireEvent::Opened(line) });
                }
            }
            Segment::Bytes(bytes) => {
                self.carried.frames += bytes.iter().filter(|byte| **byte == 0).count() as u64;
                ear.do_send(Wire { attempt, event: WireEvent::Bytes(bytes) });
            }
            Segment::Close(why) => {
                close(&ear, attempt, why);
                self.streams.remove(&id);
            }
        }
    }
}

fn close(ear: &Recipient<Wire>, attempt: u64, why: &str) {
    ear.do_send(Wire { attempt, event: WireEvent::Closed { why: why.to_owned() } });
}

/// One end of a stream, as the actor that writes to it sees it.
struct StreamEnd {
    network: Addr<Network>,
    stream: u64,
    side: usize,
}

impl Actor for StreamEnd {
    type Context = Context<Self>;
}

impl Handler<ToPeer> for StreamEnd {
    type Result = ();

    fn handle(&mut self, what: ToPeer, ctx: &mut Context<Self>) {
        let closing = matches!(what, ToPeer::Close);
        self.network.do_send(Written { stream: self.stream, side: self.side, what });
        if closing {
            ctx.terminate();
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Written {
    stream: u64,
    side: usize,
    what: ToPeer,
}

impl Handler<Written> for Network {
    type Result = ();

    fn handle(&mut self, written: Written, ctx: &mut Context<Self>) {
        let Written { stream, side, what } = written;
        match what {
            ToPeer::Bytes(bytes) => self.send_segment(stream, 1 - side, Segment::Bytes(bytes), ctx),
            ToPeer::Close => {
                if let Some(own) = self.streams.get_mut(&stream) {
                    own.ears[side] = None;
                }
                self.send_segment(stream, 1 - side, Segment::Close("closed by the other side"), ctx);
            }
        }
    }
}

/// The SIP door of one host: whatever is sent to it leaves from the host's address.
pub struct Port {
    /// The network behind the door.
    pub network: Addr<Network>,
    /// The host's own address.
    pub addr: SocketAddr,
    /// Whether the process behind it lives: a dead one sends nothing, whatever is still in its mailboxes.
    pub alive: Rc<Cell<bool>>,
}

impl Actor for Port {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // The network itself decides what is lost; a full mailbox must not.
        ctx.set_mailbox_capacity(1 << 20);
    }
}

impl Handler<Datagram> for Port {
    type Result = ();

    fn handle(&mut self, datagram: Datagram, _: &mut Context<Self>) {
        if self.alive.get() {
            self.network.do_send(Post { from: self.addr, to: datagram.peer.addr, bytes: datagram.bytes });
        }
    }
}

/// The AXI door of one site: dials from there.
pub struct Trunk {
    /// The network behind the door.
    pub network: Addr<Network>,
    /// Where it stands.
    pub place: Place,
}

impl Actor for Trunk {
    type Context = Context<Self>;
}

impl Handler<Dial> for Trunk {
    type Result = ();

    fn handle(&mut self, dial: Dial, _: &mut Context<Self>) {
        self.network.do_send(Connect { place: self.place, dial });
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

#[derive(Message)]
#[rtype(result = "()")]
struct Connect {
    place: Place,
    dial: Dial,
}

impl Handler<Connect> for Network {
    type Result = ();

    fn handle(&mut self, connect: Connect, ctx: &mut Context<Self>) {
        let Connect { place, dial } = connect;
        self.sequence += 1;
        let id = self.sequence;
        let there = self.listeners.get(&dial.address).map_or(place, |(there, _)| *there);
        let line = StreamEnd { network: ctx.address(), stream: id, side: 0 }.start().recipient();
        let stream = Stream {
            places: [place, there],
            address: dial.address,
            attempt: dial.attempt,
            ears: [Some(dial.events), None],
            line: Some(line),
            latest: [Moment::START; 2],
            kept: [Vec::new(), Vec::new()],
        };
        self.streams.insert(id, stream);
        let path = self.path(place, there);
        let at = self.origin.moment() + self.delay(path);
        self.post(at, Parcel::Knock { stream: id }, ctx);
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
            Change::Path(a, b, path) => {
                self.paths.insert((a.min(b), a.max(b)), path);
                if !path.cut {
                    self.heal(a, b, ctx);
                }
            }
        }
    }
}

impl Network {
    /// The kernel of the dead OMM's machine resets its connections; a cut path keeps even that from the other side.
    fn reset_streams(&mut self, address: &str, place: Place, ctx: &mut Context<Self>) {
        let own: Vec<(u64, usize)> = self
            .streams
            .iter()
            .filter_map(|(id, stream)| match stream {
                stream if stream.address == address => Some((*id, 1)),
                stream if stream.places[0] == place => Some((*id, 0)),
                _other => None,
            })
            .collect();
        for (id, side) in own {
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.ears[side] = None;
            }
            self.send_segment(id, 1 - side, Segment::Close("connection reset"), ctx);
        }
    }

    /// What the streams between two places kept back arrives now, in order.
    fn heal(&mut self, a: Place, b: Place, ctx: &mut Context<Self>) {
        let healed: Vec<u64> =
            self.streams.iter().filter(|(_, stream)| stream.joins(a, b)).map(|(id, _)| *id).collect();
        for id in healed {
            for side in [0, 1] {
                let kept = self.streams.get_mut(&id).map(|stream| std::mem::take(&mut stream.kept[side]));
                for segment in kept.into_iter().flatten() {
                    self.send_segment(id, side, segment, ctx);
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
