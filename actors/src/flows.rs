//! The streams of the SIP side: runs [`sip::flows`] between the OMM's actors and the door that opens connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::*;
use machine::chance::Chance;
use sip::flows::{Counts, Effect, Flows, Id, Input};
use sip::server::Server;

use crate::doors::{Datagram, Enter, OpenFlow, ToPeer, Undelivered, Wire, WireEvent};
use crate::messages::{Broken, Die, Fallen, Pillar, TellAll, Upkeep};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// Messages that may wait for a stream; ours: as many as may wait for the UDP socket.
const WAITING_MAX: usize = 16_384;

/// Where the flows turn to.
pub struct FlowsWays {
    /// Who hears what comes in.
    pub datagrams: Recipient<Datagram>,
    /// Who hears what could not go out.
    pub undelivered: Recipient<Undelivered>,
    /// Who tells everybody who is registered over a flow.
    pub lost: Recipient<TellAll>,
    /// The door that opens connections; without one there is only UDP.
    pub door: Option<Recipient<OpenFlow>>,
    /// The UDP door, for STUN.
    pub udp: Recipient<Datagram>,
    /// The OMM, when the flows fall over.
    pub fallen: Recipient<Fallen<Pillar>>,
}

/// The server of a tier is found here now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Known(pub Arc<Server>);

/// Asks for the counts, and for the connections: ours and those of others.
#[derive(Message)]
#[rtype(result = "(Counts, (usize, usize))")]
pub struct CountFlows;

/// The actor of all flows of one OMM.
pub struct FlowsActor {
    seat: Seat<Flows>,
    lines: BTreeMap<Id, Recipient<ToPeer>>,
    /// The last number of a connection that others opened.
    entered: Id,
    ways: FlowsWays,
}

impl FlowsActor {
    /// Hires the flows of a site.
    pub fn new(site: &Site, ways: FlowsWays) -> FlowsActor {
        // Not `Site::chance`, which counts: whether there are streams changes nothing for anybody else.
        let machine = Flows::new(Chance::of(site.seed, "flows"));
        let seat = Seat::new(machine, "flows", site.clock.clone(), site.trace.clone());
        FlowsActor { seat, lines: BTreeMap::new(), entered: 1, ways }
    }

    fn dial(&self, attempt: Id, open: OpenFlow, ctx: &mut Context<Self>) {
        let sent = self.ways.door.as_ref().is_some_and(|door| door.try_send(open).is_ok());
        if !sent {
            let event = WireEvent::Closed { why: "there is no door for streams".into() };
            ctx.address().do_send(Wire { attempt, event });
        }
    }

    fn write(&mut self, id: Id, what: ToPeer) {
        // A line that is gone has said so by itself.
        let _ = self.lines.get(&id).map(|line| line.try_send(what));
    }
}

impl Actor for FlowsActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(WAITING_MAX);
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(Pillar::Flows));
        }
    }
}

impl Seated<Flows> for FlowsActor {
    fn seat(&mut self) -> &mut Seat<Flows> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Dial { flow: attempt, to, names } => {
                let events = ctx.address().recipient();
                self.dial(attempt, OpenFlow { to, names, attempt, events }, ctx);
            }
            Effect::Write(id, bytes) => self.write(id, ToPeer::Bytes(bytes)),
            Effect::Close(id) => {
                self.write(id, ToPeer::Close);
                self.lines.remove(&id);
            }
            // A full endpoint loses it as it would lose a datagram.
            Effect::Arrived { from, bytes } => {
                _ = self.ways.datagrams.try_send(Datagram { peer: from, bytes });
            }
            Effect::Unsent { to, bytes } => {
                self.ways.undelivered.do_send(Undelivered(Datagram { peer: to, bytes }));
            }
            Effect::Lost { to, why: _ } => self.ways.lost.do_send(TellAll(Broken::Flow(to))),
            Effect::Datagram { to, bytes } => {
                let peer = sip::target::Target::new(sip::target::Transport::Udp, to);
                let _ = self.ways.udp.try_send(Datagram { peer, bytes });
            }
            Effect::Stands(_) | Effect::Distrusted { .. } => {}
        }
        Flow::Go
    }
}

impl Handler<Datagram> for FlowsActor {
    type Result = ();

    fn handle(&mut self, Datagram { peer, bytes }: Datagram, ctx: &mut Context<Self>) {
        self.feed(Input::Send { to: peer, bytes }, ctx);
    }
}

impl Handler<Wire> for FlowsActor {
    type Result = ();

    fn handle(&mut self, Wire { attempt, event }: Wire, ctx: &mut Context<Self>) {
        let closed = |why, distrusted| Input::Closed { flow: attempt, why, distrusted };
        match event {
            WireEvent::Opened(line) => {
                self.lines.insert(attempt, line);
                self.feed(Input::Opened(attempt), ctx);
            }
            WireEvent::Bytes(bytes) => self.feed(Input::Bytes(attempt, bytes), ctx),
            WireEvent::Closed { why } => {
                self.lines.remove(&attempt);
                self.feed(closed(why, false), ctx);
            }
            WireEvent::Distrusted { why } => {
                self.lines.remove(&attempt);
                self.feed(closed(why, true), ctx);
            }
        }
    }
}

impl Handler<Enter> for FlowsActor {
    type Result = MessageResult<Enter>;

    fn handle(&mut self, Enter { peer, line }: Enter, ctx: &mut Context<Self>) -> Self::Result {
        self.entered += 2;
        self.lines.insert(self.entered, line);
        self.feed(Input::Accepted { flow: self.entered, peer }, ctx);
        MessageResult(Some((self.entered, ctx.address().recipient())))
    }
}

impl Handler<Known> for FlowsActor {
    type Result = ();

    fn handle(&mut self, Known(server): Known, ctx: &mut Context<Self>) {
        self.feed(Input::Server(server), ctx);
    }
}

impl Handler<Upkeep> for FlowsActor {
    type Result = ();

    fn handle(&mut self, upkeep: Upkeep, ctx: &mut Context<Self>) {
        match upkeep {
            Upkeep::Stun(Datagram { peer, bytes }) => {
                self.feed(Input::Stun { from: peer.addr, bytes }, ctx);
            }
            Upkeep::Promised { server, interval } => self.feed(Input::Promised { server, interval }, ctx),
            Upkeep::Named { to, domain } => self.feed(Input::Named(to, domain), ctx),
        }
    }
}

impl Handler<CountFlows> for FlowsActor {
    type Result = MessageResult<CountFlows>;

    fn handle(&mut self, _: CountFlows, _: &mut Context<Self>) -> Self::Result {
        MessageResult((self.seat.machine().counts(), self.seat.machine().load()))
    }
}

impl Handler<Die> for FlowsActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
