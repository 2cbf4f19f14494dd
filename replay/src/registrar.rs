//! A virtual registrar: the same [`sip::uas`] that answers phones in an OMM, alone on the network as a PBX would be.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult, Recipient};
use actors::clock::Clock;
use actors::doors::{Accept, Datagram, ToPeer};
use actors::seat::{Flow, Seat, Seated};
use actors::trace::Trace;
use sip::target::{Target, Transport};
use sip::uas::{Effect, Input, Uas};

use socket::{Over, Socket};

mod socket;

/// The actor of one registrar.
pub struct Registrar {
    seat: Seat<Uas>,
    port: Recipient<Datagram>,
    /// What streams are spoken over: TCP, or TLS, which is the same here.
    transport: Transport,
    streams: BTreeMap<Target, Recipient<ToPeer>>,
    accepted: u16,
}

impl Registrar {
    /// A registrar that answers through `port`, and over the streams that it accepts.
    pub fn new(
        uas: Uas,
        port: Recipient<Datagram>,
        transport: Transport,
        clock: Rc<Clock>,
        trace: Trace,
    ) -> Registrar {
        let seat = Seat::new(uas, "registrar", clock, trace);
        Registrar { seat, port, transport, streams: BTreeMap::new(), accepted: 0 }
    }
}

impl Actor for Registrar {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // The network decides what is lost, not a mailbox.
        ctx.set_mailbox_capacity(1 << 20);
        self.seated(Vec::new(), ctx);
    }
}

impl Seated for Registrar {
    type Machine = Uas;

    fn seat(&mut self) -> &mut Seat<Uas> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, _: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { to, bytes } if to.transport == Transport::Udp => {
                self.port.do_send(Datagram { peer: to, bytes });
            }
            // The answer to somebody who has hung up is lost.
            Effect::Send { to, bytes } => {
                _ = self.streams.get(&to).map(|line| line.do_send(ToPeer::Bytes(bytes)));
            }
            Effect::Response(_) | Effect::Table(_) | Effect::Dropped(_) => {}
            Effect::Asked { .. } => debug_assert!(false, "a registrar decides by itself"),
        }
        Flow::Go
    }
}

impl Handler<Datagram> for Registrar {
    type Result = ();

    fn handle(&mut self, Datagram { peer, bytes }: Datagram, ctx: &mut Context<Self>) {
        self.feed(Input::Datagram { from: peer, bytes }, ctx);
    }
}

impl Handler<Accept> for Registrar {
    type Result = MessageResult<Accept>;

    fn handle(&mut self, Accept { peer: _, line }: Accept, ctx: &mut Context<Self>) -> Self::Result {
        self.accepted = self.accepted.wrapping_add(1);
        // Where a stream comes from is of no account here; it only has to have a name of its own.
        let peer = Target::new(self.transport, ([10, 255, 0, 1], self.accepted).into());
        self.streams.insert(peer, line.clone());
        MessageResult(Some(Socket::new(ctx.address(), line, peer).start().recipient()))
    }
}

impl Handler<Over> for Registrar {
    type Result = ();

    fn handle(&mut self, Over(peer): Over, _: &mut Context<Self>) {
        self.streams.remove(&peer);
    }
}

/// The script changes how the registrar behaves.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Behave(pub Input);

impl Handler<Behave> for Registrar {
    type Result = ();

    fn handle(&mut self, Behave(input): Behave, ctx: &mut Context<Self>) {
        self.feed(input, ctx);
    }
}

/// Asks which contacts are bound for each of these addresses of record.
#[derive(Message)]
#[rtype(result = "Vec<Vec<Arc<str>>>")]
pub struct Bound(pub Vec<String>);

impl Handler<Bound> for Registrar {
    type Result = MessageResult<Bound>;

    fn handle(&mut self, Bound(aors): Bound, _: &mut Context<Self>) -> Self::Result {
        let contacts = |aor: &String| {
            let bindings = self.seat.machine().bindings(aor);
            bindings.iter().map(|binding| binding.uri.clone()).collect()
        };
        MessageResult(aors.iter().map(contacts).collect())
    }
}
