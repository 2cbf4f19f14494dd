//! A phone of the demo: registers over a real socket at the OMM of the site where it is carried, and again in every
//! location period (M-2.1.4.3-a). Being carried away is silent, as with a real handset.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::actors::clock::Clock;
use ::actors::doors::{Datagram, Undelivered};
use ::actors::seat::{Flow, Seat, Seated};
use ::actors::trace::Trace;
use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message};
use machine::chance::Chance;
use sip::binding::{Binding, Effect, Input, Order};
use sip::message::Message as SipMessage;
use sip::report::Report;
use sip::server::{Account, Listening, Local, Server};
use sip::timing::Timing;

use crate::sockets::{Deserted, Inside, UdpDoor};

/// What a phone is made with.
#[derive(Clone)]
pub(super) struct Make {
    /// The user's number; also the name in the trace.
    pub(super) number: String,
    /// The user's account at every OMM.
    pub(super) account: Arc<Account>,
    /// The phone's own socket.
    pub(super) door: Addr<UdpDoor>,
    /// Its address.
    pub(super) addr: SocketAddr,
    /// How often it makes itself known.
    pub(super) period: Duration,
    /// Its clocks.
    pub(super) clock: Rc<Clock>,
    /// The demo's seed.
    pub(super) seed: u64,
}

/// The user agent of one phone at one site; carried elsewhere, it is a new one.
pub(super) struct Phone {
    seat: Seat<Binding>,
    make: Make,
}

/// The phone vanishes from here without a word.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Vanish;

impl Phone {
    /// Carries the phone to the OMM at `omm`; `travels` counts, because each arrival is a new call to the registrar.
    pub(super) fn arrive(make: Make, omm: Arc<Server>, travels: u32) -> Addr<Phone> {
        let host = make.addr.to_string();
        let agent = "demo phone".to_owned();
        let listening = Listening::default();
        let local = Local { sent_by: host.clone(), host, agent, overload: false, listening };
        let chance = Chance::of(make.seed, &format!("phone/{}/{travels}", make.number));
        let machine =
            Binding::new(make.account.clone(), omm, Arc::new(local), Arc::new(Timing::default()), chance);
        let who = format!("phone/{}", make.number);
        let seat = Seat::new(machine, who, make.clock.clone(), Trace::silent("phones"));
        Phone { seat, make }.start()
    }
}

impl Actor for Phone {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.make.door.do_send(Inside {
            datagrams: ctx.address().recipient(),
            undelivered: ctx.address().recipient(),
            deserted: ctx.address().recipient(),
        });
        self.seated(Vec::new(), ctx);
        let contact = format!("sip:{}@{}", self.make.number, self.make.addr).into();
        self.feed(Input::Order(Order::Register { contact }), ctx);
        ctx.run_interval(self.make.period, |phone, ctx| phone.feed(Input::Order(Order::Renew), ctx));
    }
}

impl Seated<Binding> for Phone {
    fn seat(&mut self) -> &mut Seat<Binding> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { to, bytes, .. } => self.make.door.do_send(Datagram { peer: to, bytes }),
            Effect::Report(Report::Done) => ctx.stop(),
            Effect::Report(_) | Effect::Answered { .. } | Effect::Evidence(_) | Effect::Shape(_) => {}
            // A phone asks for its registration and for nothing else.
            Effect::Subscribe { .. } | Effect::Dialog { .. } => {}
            // An OMM sends its phones nowhere.
            Effect::Seek(_)
            | Effect::Check
            | Effect::Named { .. }
            | Effect::Silence(_)
            | Effect::Unlisted
            | Effect::Alarm(_) => {}
        }
        Flow::Go
    }
}

impl Handler<Datagram> for Phone {
    type Result = ();

    fn handle(&mut self, Datagram { peer: _, bytes }: Datagram, ctx: &mut Context<Self>) {
        if let Ok(message) = SipMessage::parse(bytes) {
            self.feed(Input::Answer(message), ctx);
        }
    }
}

impl Handler<Undelivered> for Phone {
    type Result = ();

    /// The machine's own timers notice.
    fn handle(&mut self, _: Undelivered, _: &mut Context<Self>) {}
}

impl Handler<Deserted> for Phone {
    type Result = ();

    fn handle(&mut self, _: Deserted, _: &mut Context<Self>) {}
}

impl Handler<Vanish> for Phone {
    type Result = ();

    fn handle(&mut self, _: Vanish, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
