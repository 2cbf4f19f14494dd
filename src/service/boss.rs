//! Who hires the OMM, keeps its doors open, and hires a new one when it had to start over.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::actors::clock::Clock;
use ::actors::doors::{Accept, Wire};
use ::actors::endpoint::Count;
use ::actors::messages::{Die, Fallen};
use ::actors::omm::OmmActor;
use ::actors::omm::inspect::{Entrance, Inspect};
use ::actors::store::Store;
use ::actors::trace::Trace;
use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, ResponseFuture,
    WrapFuture,
};
use machine::chance::Chance;
use machine::secret::Secret;
use machine::time::Moment;
use serde_json::{Value, json};
use sip::server::Server;
use tokio::sync::mpsc;

use super::birth::{Midwife, birth};
use super::servers;
use crate::config::server::Where;
use crate::config::site::Site;
use crate::peer::Dialer;
use crate::resolver::{Resolver, Unresolved};
use crate::sockets::{CountDoor, Deserted, Inside, UdpDoor};
use crate::status;

/// How often the DNS is asked whether a server moved; ours: the resolver keeps answers for their time to live.
const DNS_AGAIN: Duration = Duration::from_secs(60);
/// How often it is asked while no server at all was found; ours.
const DNS_SOON: Duration = Duration::from_secs(10);
/// Wait before a new OMM is hired; ours.
const REHIRE: Duration = Duration::from_secs(1);
/// Hirings within [`FALLS_WINDOW`] after which the service gives up (restart intensity as in OTP).
const FALLS_MAX: usize = 5;
/// See [`FALLS_MAX`].
const FALLS_WINDOW: Duration = Duration::from_secs(60);

/// What the boss is given.
pub struct Outfit {
    /// The configuration.
    pub site: Rc<Site>,
    /// The OMM's clocks; they outlive an OMM, so that its stamps never run backwards.
    pub clock: Rc<Clock>,
    /// Whoever watches.
    pub trace: Trace,
    /// From the operating system.
    pub seed: u64,
    /// The key of the nonces, from the operating system.
    pub key: Secret,
    /// The SIP door.
    pub door: Addr<UdpDoor>,
    /// The AXI door.
    pub dialer: Addr<Dialer>,
    /// The store.
    pub store: Rc<dyn Store>,
    /// Hears why the service gives up.
    pub gave_up: mpsc::Sender<String>,
}

/// The actor that hires.
pub struct Boss {
    outfit: Outfit,
    resolver: Rc<Result<Resolver, Unresolved>>,
    servers: Vec<Arc<Server>>,
    omm: Option<Addr<OmmActor>>,
    hired: u64,
    falls: Vec<Moment>,
}

/// Ends the OMM at once; registrations stay.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Quit;

/// What the control socket can ask for.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Value")]
pub enum Ask {
    /// How the OMM stands.
    Status,
    /// The users and where they are.
    Users,
}

impl Boss {
    /// A boss who hires as soon as a SIP server is found.
    pub fn new(outfit: Outfit) -> Boss {
        let v4_only = outfit.site.sip.listen.is_ipv4();
        let resolver = Rc::new(Resolver::system(Chance::of(outfit.seed, "dns"), v4_only));
        Boss { outfit, resolver, servers: Vec::new(), omm: None, hired: 0, falls: Vec::new() }
    }

    /// Looks for the servers; the first time, and when they moved, an OMM is hired that knows them.
    fn look_for_servers(&mut self, ctx: &mut Context<Self>) {
        let (site, resolver) = (self.outfit.site.clone(), self.resolver.clone());
        let found = async move { servers::find(&site, &resolver).await };
        ctx.spawn(found.into_actor(self).map(|found, boss, ctx| boss.found(found, ctx)));
    }

    fn found(&mut self, found: Vec<Arc<Server>>, ctx: &mut Context<Self>) {
        // A DNS that does not answer is no reason to forget a server.
        if found.len() >= self.servers.len() && servers::moved(&self.servers, &found) {
            for server in &found {
                tracing::info!(tier = server.tier, name = %server.name, targets = ?server.targets, "a SIP server was found");
            }
            self.servers = found;
            self.dismiss();
            self.hire(ctx);
        }
        let named = self.outfit.site.tiers.iter().any(|tier| matches!(tier.server.host, Where::Name(_)));
        if named || self.servers.is_empty() {
            let pause = if self.servers.is_empty() { DNS_SOON } else { DNS_AGAIN };
            ctx.run_later(pause, Boss::look_for_servers);
        }
    }

    fn dismiss(&mut self) {
        if let Some(omm) = self.omm.take() {
            omm.do_send(Die);
        }
    }

    fn hire(&mut self, ctx: &mut Context<Self>) {
        let own = ctx.address();
        let outfit = &self.outfit;
        self.hired += 1;
        let midwife = Midwife {
            servers: self.servers.clone(),
            clock: outfit.clock.clone(),
            trace: outfit.trace.clone(),
            // Branches and Call-IDs must not repeat those of a former life.
            seed: outfit.seed.wrapping_add(self.hired),
            key: outfit.key.clone(),
            sip: outfit.door.clone().recipient(),
            dial: outfit.dialer.clone().recipient(),
            store: outfit.store.clone(),
            fallen: own.recipient(),
        };
        let born = birth(&outfit.site, midwife)
            .map_err(|refusal| format!("the users contradict each other: {refusal}"));
        match born.and_then(|birth| OmmActor::new(birth).map_err(|fault| fault.to_string())) {
            Ok(omm) => {
                self.omm = Some(omm.start());
                self.show_in(ctx);
            }
            Err(why) => {
                let _ = self.outfit.gave_up.try_send(why);
            }
        }
    }

    /// Tells the SIP door who is inside now.
    fn show_in(&mut self, ctx: &mut Context<Self>) {
        let Some(omm) = self.omm.clone() else { return };
        let asked = async move { omm.send(Entrance).await.ok().flatten() };
        ctx.spawn(asked.into_actor(self).map(|endpoint, boss, ctx| {
            if let Some(endpoint) = endpoint {
                boss.outfit.door.do_send(Inside {
                    datagrams: endpoint.clone().recipient(),
                    undelivered: endpoint.recipient(),
                    deserted: ctx.address().recipient(),
                });
            }
        }));
    }
}

impl Actor for Boss {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.look_for_servers(ctx);
    }
}

impl Handler<Fallen<Arc<str>>> for Boss {
    type Result = ();

    fn handle(&mut self, _: Fallen<Arc<str>>, ctx: &mut Context<Self>) {
        let now = self.outfit.clock.moment();
        self.falls.retain(|fall| now.since(*fall) < FALLS_WINDOW);
        self.falls.push(now);
        self.omm = None;
        if self.falls.len() > FALLS_MAX {
            let _ = self.outfit.gave_up.try_send("the OMM falls over again and again".into());
            return;
        }
        tracing::error!("the OMM fell over and is hired again");
        ctx.run_later(REHIRE, |boss, ctx| {
            if boss.omm.is_none() {
                boss.hire(ctx);
            }
        });
    }
}

impl Handler<Deserted> for Boss {
    type Result = ();

    fn handle(&mut self, _: Deserted, ctx: &mut Context<Self>) {
        self.show_in(ctx);
    }
}

impl Handler<Accept> for Boss {
    type Result = ResponseFuture<Option<Recipient<Wire>>>;

    fn handle(&mut self, accept: Accept, _: &mut Context<Self>) -> Self::Result {
        let omm = self.omm.clone();
        Box::pin(async move { omm?.send(accept).await.ok().flatten() })
    }
}

impl Handler<Ask> for Boss {
    type Result = ResponseFuture<Value>;

    fn handle(&mut self, ask: Ask, _: &mut Context<Self>) -> Self::Result {
        let (site, omm, door) = (self.outfit.site.clone(), self.omm.clone(), self.outfit.door.clone());
        let up = self.outfit.clock.moment().since(Moment::START);
        Box::pin(async move {
            let (standing, endpoint) = match omm {
                Some(omm) => (omm.send(Inspect).await.ok(), omm.send(Entrance).await.ok().flatten()),
                None => (None, None),
            };
            let Some(standing) = standing else {
                return json!({"error": "the OMM is not there yet: no SIP server was found, or it is being hired again"});
            };
            let counts = door.send(CountDoor).await.unwrap_or_default();
            let inside = match endpoint {
                Some(endpoint) => endpoint.send(Count).await.ok(),
                None => None,
            };
            let dropped =
                inside.map_or(0, |inside| inside.strays + inside.dropped.iter().map(|(_, n)| n).sum::<u64>());
            match ask {
                Ask::Status => status::to_json(&site, &standing, counts, dropped, up),
                Ask::Users => status::users_to_json(&site, &standing),
            }
        })
    }
}

impl Handler<Quit> for Boss {
    type Result = ();

    fn handle(&mut self, _: Quit, _: &mut Context<Self>) {
        self.dismiss();
    }
}
