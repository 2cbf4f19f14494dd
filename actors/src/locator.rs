//! Where the server of one tier is: runs [`sip::locate`] between the DNS and the OMM.

use std::sync::Arc;

use actix::prelude::*;
use sip::locate::{Effect, Input, Locator};
use sip::server::Server;

use crate::binding::Moved;
use crate::doors::{Resolve, Resolved};
use crate::messages::Die;
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// Where a locator turns to.
pub struct LocatorWays {
    /// Its OMM, when the server moved.
    pub moved: Recipient<Moved>,
    /// The DNS.
    pub dns: Recipient<Resolve>,
}

/// The server failed somebody: is it still where it was?
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct Doubt;

/// Somebody is about to ask the server again at once: where is it now (S-22)?
#[derive(Message)]
#[rtype(result = "()")]
pub struct Check {
    /// Who waits for the answer.
    pub to: Recipient<Moved>,
}

/// Those who wait for the DNS at a time; whoever finds no room is told what is known already. Ours: as many as there are
/// users (M-2.2.1-d).
const WAITING_MAX: usize = 10_000;

/// The actor that knows where one server is.
pub struct LocatorActor {
    seat: Seat<Locator>,
    waiting: Vec<Recipient<Moved>>,
    ways: LocatorWays,
}

impl LocatorActor {
    /// Hires the locator of `server`.
    pub fn new(site: &Site, server: Arc<Server>, ways: LocatorWays) -> LocatorActor {
        let who = format!("server/{}", server.name);
        let machine = Locator::new(site.clock.moment(), server);
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        LocatorActor { seat, waiting: Vec::new(), ways }
    }
}

impl Actor for LocatorActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.seated(Vec::new(), ctx);
    }
}

impl Seated<Locator> for LocatorActor {
    fn seat(&mut self) -> &mut Seat<Locator> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            // A door that is full or gone is a DNS that says nothing: the machine waits for it no longer than that.
            Effect::Resolve => _ = self.ways.dns.try_send(Resolve { to: ctx.address().recipient() }),
            Effect::Moved(server) => self.ways.moved.do_send(Moved(server)),
            Effect::Checked(server) => {
                for to in self.waiting.drain(..) {
                    to.do_send(Moved(server.clone()));
                }
            }
            Effect::Stale { .. } | Effect::Fresh(_) => {}
        }
        Flow::Go
    }
}

impl Handler<Resolved> for LocatorActor {
    type Result = ();

    fn handle(&mut self, Resolved(answer): Resolved, ctx: &mut Context<Self>) {
        let input = match answer {
            Ok((targets, life)) => Input::Resolved { targets, life },
            Err(why) => Input::Unresolved(why),
        };
        self.feed(input, ctx);
    }
}

impl Handler<Doubt> for LocatorActor {
    type Result = ();

    fn handle(&mut self, _: Doubt, ctx: &mut Context<Self>) {
        self.feed(Input::Doubt, ctx);
    }
}

impl Handler<Check> for LocatorActor {
    type Result = ();

    fn handle(&mut self, Check { to }: Check, ctx: &mut Context<Self>) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(to);
        } else {
            to.do_send(Moved(self.seat.machine().server().clone()));
        }
        self.feed(Input::Check, ctx);
    }
}

impl Handler<Die> for LocatorActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
