//! A virtual phone: a SIP user agent that registers at the OMM of the site where it is carried.
//!
//! It makes itself known when it arrives, and again once in every location period (M-2.1.4.3-a). Being carried away
//! is silent: the place it left hears nothing, as with a real handset.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message, SpawnHandle};
use actors::binding::Tell;
use actors::clock::Clock;
use actors::doors::Datagram;
use actors::seat::{Flow, Seat, Seated};
use actors::trace::Trace;
use machine::chance::Chance;
use sip::binding::{Binding, Effect, Input, Order};
use sip::message::Message as SipMessage;
use sip::report::Report;
use sip::server::{Account, Listening, Local, Server};
use sip::timing::Timing;

use crate::network::{Network, Post};

/// What never changes about a phone.
pub struct Handset {
    /// Its name in the script.
    pub name: Arc<str>,
    /// Its own address.
    pub addr: SocketAddr,
    /// How often it makes itself known.
    pub period: Duration,
    /// The durations of its SIP side.
    pub timing: Arc<Timing>,
    /// The world's seed.
    pub seed: u64,
    /// Its view of time.
    pub clock: Rc<Clock>,
    /// The network.
    pub network: Addr<Network>,
}

/// What happens to a phone.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum Carry {
    /// It is at the site of this OMM now and makes itself known.
    Locate {
        /// The user's account at the OMM.
        account: Arc<Account>,
        /// The OMM.
        omm: Arc<Server>,
    },
    /// It says goodbye.
    Detach,
    /// It vanishes.
    Silence,
}

/// The actor of one phone.
pub struct Phone {
    handset: Handset,
    /// The user agent that is registered, or tries to be; `None` while the phone is off.
    agent: Option<(Addr<Agent>, Arc<Server>)>,
    period: Option<SpawnHandle>,
    travels: u32,
}

impl Phone {
    /// A phone that is off.
    pub fn new(handset: Handset) -> Phone {
        Phone { handset, agent: None, period: None, travels: 0 }
    }

    fn locate(&mut self, account: Arc<Account>, omm: Arc<Server>) {
        if let Some((agent, there)) = &self.agent
            && there.name == omm.name
            && agent.connected()
        {
            return agent.do_send(Tell(Order::Renew));
        }
        self.leave();
        self.travels += 1;
        let contact = format!("sip:{}@{}", account.username, self.handset.addr).into();
        let agent = Agent::new(&self.handset, self.travels, account, omm.clone()).start();
        agent.do_send(Tell(Order::Register { contact }));
        self.agent = Some((agent, omm));
    }

    fn leave(&mut self) {
        if let Some((agent, _)) = self.agent.take() {
            agent.do_send(Off);
        }
    }

    /// The location period begins anew.
    fn keep_time(&mut self, ctx: &mut Context<Self>) {
        self.stop_time(ctx);
        self.period = Some(ctx.run_later(self.handset.period, |phone, ctx| {
            if let Some((agent, _)) = &phone.agent {
                agent.do_send(Tell(Order::Renew));
                phone.keep_time(ctx);
            }
        }));
    }

    fn stop_time(&mut self, ctx: &mut Context<Self>) {
        if let Some(period) = self.period.take() {
            ctx.cancel_future(period);
        }
    }
}

impl Actor for Phone {
    type Context = Context<Self>;
}

impl Handler<Carry> for Phone {
    type Result = ();

    fn handle(&mut self, carry: Carry, ctx: &mut Context<Self>) {
        match carry {
            Carry::Locate { account, omm } => {
                self.locate(account, omm);
                self.keep_time(ctx);
            }
            // The agent stays to hear the answer, and ends by itself.
            Carry::Detach => {
                self.stop_time(ctx);
                if let Some((agent, _)) = &self.agent {
                    agent.do_send(Tell(Order::Remove));
                }
            }
            Carry::Silence => {
                self.stop_time(ctx);
                self.leave();
            }
        }
    }
}

impl Handler<Datagram> for Phone {
    type Result = ();

    fn handle(&mut self, datagram: Datagram, _: &mut Context<Self>) {
        if let Some((agent, _)) = &self.agent {
            agent.do_send(datagram);
        }
    }
}

/// The user agent of a phone at one site: a new Call-ID at each arrival, no memory of the place it left.
struct Agent {
    seat: Seat<Binding>,
    addr: SocketAddr,
    network: Addr<Network>,
}

impl Agent {
    fn new(handset: &Handset, travels: u32, account: Arc<Account>, omm: Arc<Server>) -> Agent {
        let name = &handset.name;
        let chance = Chance::of(handset.seed, &format!("phone/{name}/{travels}"));
        let host = handset.addr.to_string();
        let local = Local {
            sent_by: host.clone(),
            host,
            agent: "virtual phone".to_owned(),
            overload: false,
            listening: Listening::default(),
        };
        let machine = Binding::new(account, omm, Arc::new(local), handset.timing.clone(), chance);
        let seat =
            Seat::new(machine, format!("phone/{name}"), handset.clock.clone(), Trace::silent("phones"));
        Agent { seat, addr: handset.addr, network: handset.network.clone() }
    }
}

/// The agent is switched off: no goodbye.
#[derive(Message)]
#[rtype(result = "()")]
struct Off;

impl Actor for Agent {
    type Context = Context<Self>;
}

impl Seated<Binding> for Agent {
    fn seat(&mut self) -> &mut Seat<Binding> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { to, bytes, .. } => {
                self.network.do_send(Post { from: self.addr, to: to.addr, bytes })
            }
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

impl Handler<Tell> for Agent {
    type Result = ();

    fn handle(&mut self, Tell(order): Tell, ctx: &mut Context<Self>) {
        self.feed(Input::Order(order), ctx);
    }
}

impl Handler<Datagram> for Agent {
    type Result = ();

    fn handle(&mut self, Datagram { peer: _, bytes }: Datagram, ctx: &mut Context<Self>) {
        if let Ok(message) = SipMessage::parse(bytes) {
            self.feed(Input::Answer(message), ctx);
        }
    }
}

impl Handler<Off> for Agent {
    type Result = ();

    fn handle(&mut self, _: Off, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
