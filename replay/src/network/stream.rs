//! Streams of the virtual network: connections between OMMs, as TCP would carry them.
//!
//! Nothing overtakes on a stream, and what is lost is late. A stream whose path is cut looks open to both ends until
//! one of them gives up; what was written in the meantime arrives after the healing if both ends still hold on.

use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, WrapFuture,
};
use actors::doors::{Accept, Dial, ToPeer, Wire, WireEvent};
use bytes::Bytes;
use machine::time::Moment;

use super::{Network, Parcel, Path, Place};

/// What a lost segment costs a stream: the first retransmission timeout of a TCP with a short round trip (RFC 6298
/// has a floor of 1 s, common systems use 200 ms). Ours.
const RETRANSMISSION: Duration = Duration::from_millis(200);
/// Bytes that one direction of a cut stream holds on to, as a socket buffer would; more closes the stream.
const CUT_BUFFER: usize = 4 << 20;
/// Writes that may wait at one end, the same as at a socket of the service: a download of all users fits in. Ours.
const WAITING_MAX: usize = 32_768;

/// What arrives at one end.
pub(super) enum Segment {
    Open,
    Bytes(Bytes),
    Close(&'static str),
}

/// A connection. Side 0 dialled, side 1 accepted.
pub(super) struct Stream {
    places: [Place; 2],
    address: String,
    attempt: u64,
    ears: [Option<Recipient<Wire>>; 2],
    /// The dialler's writing end, until the connection stands.
    line: Option<Recipient<ToPeer>>,
    /// Nothing overtakes on a stream.
    latest: [Moment; 2],
    /// Until when the line is busy with what was written, by receiving side.
    busy: [Moment; 2],
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

impl Network {
    /// A connection request arrives. A cut path or an absent listener leaves the dialler without an answer or with a
    /// refusal, as on a real network.
    pub(super) fn knock(&mut self, id: u64, ctx: &mut Context<Self>) {
        let Some(stream) = self.streams.get(&id) else { return };
        let Some((place, listener)) = self.listeners.get(&stream.address) else {
            return self.send_segment(id, 0, Segment::Close("connection refused"), ctx);
        };
        if self.path(stream.places[0], *place).cut || self.deaf.contains(&stream.address) {
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
        if path.cut || self.is_deaf(id) {
            return self.keep_back(id, side, what);
        }
        let mut at = self.transmitted(id, side, &what, path) + self.delay(path);
        if path.loss > 0 && self.chance.happens(path.loss) {
            at = at + RETRANSMISSION;
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        at = at.max(stream.latest[side]);
        stream.latest[side] = at;
        self.post(at, Parcel::Segment { stream: id, side, what }, ctx);
    }

    /// When the last bit has left: a line of a bandwidth carries one thing after the other.
    fn transmitted(&mut self, id: u64, side: usize, what: &Segment, path: Path) -> Moment {
        let now = self.origin.moment();
        let Some(stream) = self.streams.get_mut(&id).filter(|_| path.bandwidth > 0) else { return now };
        let bits = match what {
            Segment::Bytes(bytes) => bytes.len() as u64 * 8,
            Segment::Open | Segment::Close(_) => 0,
        };
        let takes = Duration::from_micros(bits.saturating_mul(1000) / u64::from(path.bandwidth));
        stream.busy[side] = stream.busy[side].max(now) + takes;
        stream.busy[side]
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

    pub(super) fn arrive(&mut self, id: u64, side: usize, what: Segment) {
        let Some(places) = self.streams.get(&id).map(|stream| stream.places) else { return };
        if self.path(places[0], places[1]).cut || self.is_deaf(id) {
            return self.keep_back(id, side, what);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
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

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(WAITING_MAX);
    }
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

/// An end writes, or hangs up.
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

/// A place dials.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Connect {
    pub(super) place: Place,
    pub(super) dial: Dial,
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
            busy: [Moment::START; 2],
            kept: [Vec::new(), Vec::new()],
        };
        self.streams.insert(id, stream);
        let path = self.path(place, there);
        let at = self.origin.moment() + self.delay(path);
        self.post(at, Parcel::Knock { stream: id }, ctx);
    }
}

impl Network {
    /// The kernel of the dead OMM's machine resets its connections; a cut path keeps even that from the other side.
    pub(super) fn reset_streams(&mut self, address: &str, place: Place, ctx: &mut Context<Self>) {
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

    fn is_deaf(&self, id: u64) -> bool {
        self.streams.get(&id).is_some_and(|stream| self.deaf.contains(&stream.address))
    }

    /// The streams from a place to a listener break: a router that was restarted, a NAT that forgot.
    pub(super) fn cut_streams(&mut self, address: &str, place: Place, _: &mut Context<Self>) {
        let broken: Vec<u64> = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.address == address && stream.places[0] == place)
            .map(|(id, _)| *id)
            .collect();
        for stream in broken.iter().filter_map(|id| self.streams.remove(id)) {
            for (side, ear) in stream.ears.iter().enumerate() {
                if let Some(ear) = ear {
                    close(ear, stream.attempt_at(side), "connection reset");
                }
            }
        }
    }

    /// What the streams between two places kept back arrives now, in order.
    pub(super) fn heal(&mut self, a: Place, b: Place, ctx: &mut Context<Self>) {
        let healed =
            self.streams.iter().filter(|(_, stream)| stream.joins(a, b)).map(|(id, _)| *id).collect();
        self.release(healed, ctx);
    }

    /// The same for the streams to a listener that is heard again.
    pub(super) fn revive(&mut self, address: &str, ctx: &mut Context<Self>) {
        let revived =
            self.streams.iter().filter(|(_, stream)| stream.address == address).map(|(id, _)| *id).collect();
        self.release(revived, ctx);
    }

    fn release(&mut self, streams: Vec<u64>, ctx: &mut Context<Self>) {
        for id in streams {
            for side in [0, 1] {
                let kept = self.streams.get_mut(&id).map(|stream| std::mem::take(&mut stream.kept[side]));
                for segment in kept.into_iter().flatten() {
                    self.send_segment(id, side, segment, ctx);
                }
            }
        }
    }
}
