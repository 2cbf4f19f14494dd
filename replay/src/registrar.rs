//! A virtual registrar: the same [`sip::uas`] that answers phones in an OMM, alone on the network as a PBX would be.

use actix::{Actor, Context, Handler, Message, MessageResult, Recipient};
use actors::clock::Clock;
use actors::doors::Datagram;
use actors::seat::{Flow, Seat, Seated};
use actors::trace::Trace;
use sip::uas::{Effect, Input, Uas};
use std::rc::Rc;
use std::sync::Arc;

/// The actor of one registrar.
pub struct Registrar {
    seat: Seat<Uas>,
    port: Recipient<Datagram>,
}

impl Registrar {
    /// A registrar that answers through `port`.
    pub fn new(uas: Uas, port: Recipient<Datagram>, clock: Rc<Clock>, trace: Trace) -> Registrar {
        Registrar { seat: Seat::new(uas, "registrar", clock, trace), port }
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
            Effect::Send { to, bytes } => self.port.do_send(Datagram { peer: to, bytes }),
            Effect::Response(_) | Effect::Notified(_) | Effect::Table(_) | Effect::Dropped(_) => {}
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
