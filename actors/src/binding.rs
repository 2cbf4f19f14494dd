//! One SIP registrar binding: runs [`sip::binding`].

use std::rc::Rc;
use std::sync::Arc;

use actix::WeakRecipient;
use actix::prelude::*;
use omm::ids::Number;
use sip::binding::{Binding, Effect, Input, Order};
use sip::report::{Evidence, Report};
use sip::server::{Account, Server};
use sip::shaper::{Ticket, Wish};

use crate::doors::{Datagram, Seek, Sought};
use crate::locator::Check;
use crate::messages::{Broken, Brought, Rests, Route, Upkeep};
use crate::seat::{Flow, Seat, Seated};
use crate::shaper::{Turn, Wishes};
use crate::site::{Kin, Site};

/// What a line tells its binding.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Tell(pub Order);

/// The server of a tier is found elsewhere now; told to its health, to every line, and on to the bindings.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct Moved(pub Arc<Server>);

/// The line has no more use for the binding.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Retire;

/// What a binding tells its line.
#[derive(Message)]
#[rtype(result = "()")]
pub enum BindingNews {
    /// What became of it.
    Reported {
        /// The tier of the binding's server.
        tier: u8,
        /// What it reports.
        report: Report,
    },
    /// It fell over in a panic.
    Fell {
        /// The tier of the binding's server.
        tier: u8,
    },
}

/// What a binding tells the health of its server.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Witness(pub Evidence);

/// The actor of one binding.
pub struct BindingActor {
    seat: Seat<Binding>,
    tier: u8,
    /// Its name at the shaper.
    ticket: Ticket,
    kin: Rc<Kin>,
    /// Its user, weakly: a user who is gone wants no news, and a weak recipient is a quarter as large.
    news: WeakRecipient<BindingNews>,
}

impl BindingActor {
    /// Hires the binding of `user` at `server`; it reports to its line.
    pub fn new(
        site: &Site,
        kin: Rc<Kin>,
        user: &Number,
        account: Arc<Account>,
        server: Arc<Server>,
        news: WeakRecipient<BindingNews>,
    ) -> BindingActor {
        let who = format!("binding/{user}@{}", server.name);
        let ticket = site.ticket();
        let chance = site.chance(&who);
        let tier = server.tier;
        let machine =
            Binding::new(account, server, site.local.clone(), site.sip_timing.clone(), chance).shaped();
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        BindingActor { seat, tier, ticket, kin, news }
    }

    fn tell(&self, news: BindingNews) {
        if let Some(user) = self.news.upgrade() {
            user.do_send(news);
        }
    }

    /// Has the DNS asked where the server is; an address is where it always was.
    fn check(&self, to: Recipient<Moved>) {
        match self.kin.locators.get(&self.tier) {
            Some(locator) => locator.do_send(Check { to }),
            None => {
                let server = self.kin.servers.borrow().get(usize::from(self.tier)).cloned();
                server.into_iter().for_each(|server| to.do_send(Moved(server)));
            }
        }
    }

    fn wish(&self, wish: Wish, reply: Option<Recipient<Turn>>) {
        if let Some(shaper) = self.kin.shapers.get(usize::from(self.tier)) {
            shaper.do_send(Wishes { who: self.ticket, wish, reply });
        }
    }
}

impl Actor for BindingActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let to = Some(ctx.address().downgrade().recipient());
        let call_id = self.seat.machine().call_id().clone();
        self.kin.routes.do_send(Route { call_id, subscribed: false, to });
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        let machine = self.seat.machine();
        let call_id = machine.call_id().clone();
        self.kin.routes.do_send(Route { call_id, subscribed: false, to: None });
        if let Some(call_id) = machine.watch_id() {
            self.kin.routes.do_send(Route { call_id: call_id.into(), subscribed: true, to: None });
        }
        // However it ends, also in a panic: others wait for its slot.
        self.wish(Wish::Leave, None);
        if std::thread::panicking() {
            self.tell(BindingNews::Fell { tier: self.tier });
        }
    }
}

impl Seated<Binding> for BindingActor {
    fn seat(&mut self) -> &mut Seat<Binding> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Subscribe { server: _, to, bytes, first: _ } => {
                self.kin.sip.send(Datagram { peer: to, bytes });
            }
            Effect::Dialog { call_id, open } => {
                let to = open.then(|| ctx.address().downgrade().recipient());
                self.kin.routes.do_send(Route { call_id, subscribed: true, to });
            }
            Effect::Send { to, bytes, first: _, register: _ } => {
                self.kin.sip.send(Datagram { peer: to, bytes });
            }
            Effect::Answered { code: _ } | Effect::Silence(_) | Effect::Unlisted | Effect::Alarm(_) => {}
            Effect::Seek(place) => {
                let to = ctx.address().recipient();
                // A door that is full or gone is a DNS that says nothing: the machine waits for it no longer than that.
                _ = self.kin.places.as_ref().map(|dns| dns.try_send(Seek { place, to }));
            }
            Effect::Check => self.check(ctx.address().recipient()),
            Effect::Named { to, domain } => self.kin.upkeep.do_send(Upkeep::Named { to, domain }),
            Effect::Report(report) => self.tell(BindingNews::Reported { tier: self.tier, report }),
            Effect::Evidence(evidence) => {
                if let Some(health) = self.kin.health.borrow().get(usize::from(self.tier)) {
                    health.do_send(Witness(evidence));
                }
            }
            Effect::Shape(wish @ (Wish::Queue(_) | Wish::Book { .. })) => {
                self.wish(wish, Some(ctx.address().recipient()));
            }
            Effect::Shape(wish @ (Wish::Again | Wish::Told(_) | Wish::Over(_) | Wish::Leave)) => {
                self.wish(wish, None)
            }
        }
        Flow::Go
    }
}

impl Handler<Tell> for BindingActor {
    type Result = ();

    fn handle(&mut self, Tell(order): Tell, ctx: &mut Context<Self>) {
        self.feed(Input::Order(order), ctx);
    }
}

impl Handler<Brought> for BindingActor {
    type Result = ();

    fn handle(&mut self, brought: Brought, ctx: &mut Context<Self>) {
        match brought {
            Brought::Answer(message) => self.feed(Input::Answer(message), ctx),
            Brought::Broken(Broken::Request(addr)) => self.feed(Input::Unsent(addr), ctx),
            Brought::Broken(Broken::Flow(flow)) => self.feed(Input::FlowLost(flow), ctx),
            Brought::Broken(Broken::Target(target)) => self.feed(Input::Absent(target), ctx),
            Brought::Broken(Broken::Rests(Rests { target, time, rest })) => {
                self.feed(Input::Rests(target, time, rest), ctx);
            }
        }
    }
}

impl Handler<Moved> for BindingActor {
    type Result = ();

    fn handle(&mut self, Moved(server): Moved, ctx: &mut Context<Self>) {
        self.feed(Input::Resolved(server), ctx);
    }
}

impl Handler<Sought> for BindingActor {
    type Result = ();

    fn handle(&mut self, Sought { place, targets }: Sought, ctx: &mut Context<Self>) {
        self.feed(Input::Sought { place, targets }, ctx);
    }
}

impl Handler<Turn> for BindingActor {
    type Result = ();

    fn handle(&mut self, turn: Turn, ctx: &mut Context<Self>) {
        match turn {
            Turn::Granted => self.feed(Input::Granted, ctx),
            Turn::Booked(at) => self.feed(Input::Booked(at), ctx),
        }
    }
}

impl Handler<Retire> for BindingActor {
    type Result = ();

    fn handle(&mut self, _: Retire, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
