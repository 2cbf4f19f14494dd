//! The health of one SIP server of the site, shared by all users: runs [`sip::health`].

use std::sync::Arc;

use actix::prelude::*;
use sip::health::{Effect, Health, Input};
use sip::server::Server;

use crate::binding::{Moved, Witness};
use crate::doors::{Datagram, Ways};
use crate::locator::Doubt;
use crate::messages::{
    Audit, Broken, Brought, Canvass, Demanded, Die, Fallen, Nobody, Restore, Rests, Route, Stands, TellAll,
};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// An operator drains the server (true), or ends that.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Drill(pub bool);

/// Where the health of a server turns to.
pub struct HealthWays {
    /// Its OMM.
    pub stands: Recipient<Stands>,
    /// Its OMM, when the server demands something else of its users.
    pub demanded: Recipient<Demanded>,
    /// Its OMM, when a user is to ask the server.
    pub canvass: Recipient<Canvass>,
    /// Its OMM, when a user is to look whether the server still lists it.
    pub audit: Recipient<Audit>,
    /// Its OMM, when the server has forgotten its users.
    pub restore: Recipient<Restore>,
    /// Its OMM, when it falls over.
    pub fallen: Recipient<Fallen<u8>>,
    /// The SIP door.
    pub sip: Ways,
    /// Who brings the answers.
    pub routes: Recipient<Route>,
    /// Who knows where the server is, when it has a name.
    pub locator: Option<Recipient<Doubt>>,
    /// Who tells everybody that a target is silent.
    pub absent: Recipient<TellAll>,
    /// Its OMM, when a target is passed over.
    pub rests: Recipient<Rests>,
}

/// The actor of one server's health.
pub struct ServerActor {
    seat: Seat<Health>,
    tier: u8,
    ways: HealthWays,
}

impl ServerActor {
    /// Hires the health of `server`.
    pub fn new(site: &Site, server: Arc<Server>, ways: HealthWays) -> ServerActor {
        let who = format!("server/{}", server.name);
        let chance = site.chance(&who);
        let tier = server.tier;
        let machine = Health::new(
            server,
            site.local.clone(),
            format!("sip:{}", site.domain),
            site.sip_timing.clone(),
            chance,
        );
        ServerActor { seat: Seat::new(machine, who, site.clock.clone(), site.trace.clone()), tier, ways }
    }
}

impl ServerActor {
    /// Every failure is a reason to look whether the server moved (S-22); the locator decides how often.
    fn doubt(&self) {
        if let Some(locator) = &self.ways.locator {
            locator.do_send(Doubt);
        }
    }
}

impl Actor for ServerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let to = Some(ctx.address().downgrade().recipient());
        self.ways.routes.do_send(Route {
            call_id: self.seat.machine().call_id().into(),
            subscribed: false,
            to,
        });
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.ways.routes.do_send(Route {
            call_id: self.seat.machine().call_id().into(),
            subscribed: false,
            to: None,
        });
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(self.tier));
        }
    }
}

impl Seated<Health> for ServerActor {
    fn seat(&mut self) -> &mut Seat<Health> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, _: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Probe { server: _, to, bytes, first, routine, among: _ } => {
                if first && !routine {
                    self.doubt();
                }
                self.ways.sip.send(Datagram { peer: to, bytes });
            }
            Effect::Canvass { server: _, tier, routine: _ } => self.ways.canvass.do_send(Canvass { tier }),
            Effect::Audit { tier } => self.ways.audit.do_send(Audit { tier }),
            Effect::Restore { server: _, tier } => self.ways.restore.do_send(Restore { tier }),
            Effect::Demands { server: _, tier, demands } => {
                self.ways.demanded.do_send(Demanded { tier, demands })
            }
            Effect::Unfit { .. } => {}
            Effect::Absent(target) => self.ways.absent.do_send(TellAll(Broken::Target(target))),
            Effect::Rests { target, time, rest } => self.ways.rests.do_send(Rests { target, time, rest }),
            Effect::Standing { server: _, tier, standing } => {
                self.ways.stands.do_send(Stands { tier, standing })
            }
        }
        Flow::Go
    }
}

impl Handler<Witness> for ServerActor {
    type Result = ();

    fn handle(&mut self, Witness(evidence): Witness, ctx: &mut Context<Self>) {
        if evidence.is_failure() {
            self.doubt();
        }
        self.feed(Input::Evidence(evidence), ctx);
    }
}

impl Handler<Brought> for ServerActor {
    type Result = ();

    fn handle(&mut self, brought: Brought, ctx: &mut Context<Self>) {
        match brought {
            Brought::Answer(message) => self.feed(Input::Answer(message), ctx),
            Brought::Broken(Broken::Request(to)) => self.feed(Input::Unsent(to), ctx),
            Brought::Broken(Broken::Flow(flow)) => self.feed(Input::FlowLost(flow), ctx),
            // It knows: it said so.
            Brought::Broken(Broken::Target(_) | Broken::Rests(_)) => {}
        }
    }
}

impl Handler<Moved> for ServerActor {
    type Result = ();

    fn handle(&mut self, Moved(server): Moved, ctx: &mut Context<Self>) {
        self.feed(Input::Resolved(server), ctx);
    }
}

impl Handler<Drill> for ServerActor {
    type Result = ();

    fn handle(&mut self, Drill(drill): Drill, ctx: &mut Context<Self>) {
        self.feed(Input::Drill(drill), ctx);
    }
}

impl Handler<Nobody> for ServerActor {
    type Result = ();

    fn handle(&mut self, _: Nobody, ctx: &mut Context<Self>) {
        self.feed(Input::Nobody, ctx);
    }
}

impl Handler<Die> for ServerActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
