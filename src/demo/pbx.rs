//! The PBX of the demo: the registrar that answers everybody, alone behind a socket.

use std::rc::Rc;

use ::actors::clock::Clock;
use ::actors::doors::{Datagram, Undelivered};
use ::actors::seat::{Flow, Seat, Seated};
use ::actors::trace::Trace;
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use sip::uas::{Effect, Input, Uas};

use crate::sockets::{Deserted, Inside, UdpDoor};

/// The actor of the PBX.
pub(super) struct Pbx {
    seat: Seat<Uas>,
    door: Addr<UdpDoor>,
}

/// Asks for the contacts that are bound for an address of record.
#[derive(Message)]
#[rtype(result = "Vec<String>")]
pub(super) struct Bound(pub(super) String);

impl Pbx {
    pub(super) fn new(uas: Uas, door: Addr<UdpDoor>, clock: Rc<Clock>, trace: Trace) -> Pbx {
        Pbx { seat: Seat::new(uas, "registrar", clock, trace), door }
    }
}

impl Actor for Pbx {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(1024);
        self.door.do_send(Inside {
            datagrams: ctx.address().recipient(),
            undelivered: ctx.address().recipient(),
            deserted: ctx.address().recipient(),
        });
        self.seated(Vec::new(), ctx);
    }
}

impl Seated for Pbx {
    type Machine = Uas;

    fn seat(&mut self) -> &mut Seat<Uas> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, _: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { to, bytes } => self.door.do_send(Datagram { peer: to, bytes }),
            Effect::Response(_) | Effect::Notified(_) | Effect::Table(_) | Effect::Dropped(_) => {}
            Effect::Asked { .. } => debug_assert!(false, "a registrar decides by itself"),
        }
        Flow::Go
    }
}

impl Handler<Datagram> for Pbx {
    type Result = ();

    fn handle(&mut self, Datagram { peer, bytes }: Datagram, ctx: &mut Context<Self>) {
        self.feed(Input::Datagram { from: peer, bytes }, ctx);
    }
}

impl Handler<Undelivered> for Pbx {
    type Result = ();

    /// An answer that could not be sent is the asker's to miss.
    fn handle(&mut self, _: Undelivered, _: &mut Context<Self>) {}
}

impl Handler<Deserted> for Pbx {
    type Result = ();

    fn handle(&mut self, _: Deserted, _: &mut Context<Self>) {}
}

impl Handler<Bound> for Pbx {
    type Result = Vec<String>;

    fn handle(&mut self, Bound(aor): Bound, _: &mut Context<Self>) -> Vec<String> {
        self.seat.machine().bindings(&aor).iter().map(|binding| binding.uri.to_string()).collect()
    }
}
