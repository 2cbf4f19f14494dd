//! One user's registration across the tiers of the site: runs [`sip::line`]; its children are the bindings.

use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use machine::note::Note;
use omm::directory::user::User;
use sip::grant::Grant;
use sip::line::{Effect, Input, Line};
use sip::report::{Failure, Listed, Removal};

use crate::binding::{BindingActor, Moved, Reported, Retire, Tell};
use crate::falls::{Falls, WINDOW};
use crate::messages::{Die, Fallen};
use crate::seat::{Flow, Seat, Seated};
use crate::site::{Kin, Site};

/// What the user's machine wants of the line.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Want(pub Input);

/// What the line tells the user's machine.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum LineNews {
    /// Registered at this tier.
    Bound(u8),
    /// Not registered now; the line goes on.
    Failed(Failure),
    /// The removal ended.
    Released(Removal),
    /// What the registrar lists.
    Listed(Vec<Listed>),
}

/// Where a line turns to.
pub struct LineWays {
    /// Its user.
    pub news: Recipient<LineNews>,
    /// Its user, when it falls over.
    pub fallen: Recipient<Fallen<()>>,
}

/// The actor of one line.
pub struct LineActor {
    seat: Seat<Line>,
    site: Rc<Site>,
    kin: Rc<Kin>,
    user: Rc<User>,
    /// By tier. One that fell over stays in its place until it is replaced.
    bindings: Vec<Option<Addr<BindingActor>>>,
    falls: Falls,
    ways: LineWays,
}

impl LineActor {
    /// Hires the line of `user`.
    pub fn new(site: Rc<Site>, kin: Rc<Kin>, user: Rc<User>, ways: LineWays) -> LineActor {
        let tiers = u8::try_from(site.servers.len()).unwrap_or(u8::MAX);
        let who = format!("line/{}", user.number);
        let machine = Line::new(tiers, site.sip_timing.clone()).in_mode(site.mode).of_vip(user.admin.vip);
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        let bindings = site.servers.iter().map(|_| None).collect();
        LineActor { seat, site, kin, user, bindings, falls: Falls::default(), ways }
    }

    /// The binding's memory is gone with it: what the line wants of it is said again to a new one.
    fn rehire(&mut self, tier: u8, ctx: &mut Context<Self>) {
        if let Some(slot) = self.bindings.get_mut(usize::from(tier)) {
            *slot = None;
        }
        self.feed(Input::Fallen { tier }, ctx);
    }

    fn granted(&self, tier: u8, grant: Option<Arc<Grant>>) {
        let place = (self.user.number.clone(), tier);
        let mut grants = self.kin.grants.borrow_mut();
        match grant {
            Some(grant) => _ = grants.insert(place, grant),
            None => _ = grants.remove(&place),
        }
    }

    /// The binding of a tier, hired on first use.
    fn binding(&mut self, tier: u8, ctx: &mut Context<Self>) -> Option<&Addr<BindingActor>> {
        let server = self.kin.servers.borrow().get(usize::from(tier))?.clone();
        let slot = self.bindings.get_mut(usize::from(tier))?;
        Some(slot.get_or_insert_with(|| {
            let account = Arc::new(self.site.account(&self.user, tier));
            let (reports, fallen) = (ctx.address().recipient(), ctx.address().recipient());
            let (site, kin) = (&self.site, self.kin.clone());
            BindingActor::new(site, kin, &self.user.number, account, server, reports, fallen).start()
        }))
    }
}

impl Actor for LineActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.seated(Vec::new(), ctx);
    }

    /// However it ends, its bindings end with it: the endpoint knows their addresses and would keep them alive.
    fn stopped(&mut self, _: &mut Context<Self>) {
        (0_u8..).zip(&self.bindings).for_each(|(tier, _)| self.granted(tier, None));
        for binding in self.bindings.iter_mut().filter_map(Option::take) {
            binding.do_send(Retire);
        }
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(()));
        }
    }
}

impl Seated for LineActor {
    type Machine = Line;

    fn seat(&mut self) -> &mut Seat<Line> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Tell { tier, order } => {
                if let Some(binding) = self.binding(tier, ctx) {
                    binding.do_send(Tell(order));
                }
            }
            Effect::Bound { tier, granted: _ } => self.ways.news.do_send(LineNews::Bound(tier)),
            Effect::Granted { tier, grant } => self.granted(tier, grant),
            Effect::Failed { tier: _, failure } => self.ways.news.do_send(LineNews::Failed(failure)),
            Effect::Released(removal) => self.ways.news.do_send(LineNews::Released(removal)),
            Effect::Listed(listed) => self.ways.news.do_send(LineNews::Listed(listed)),
            Effect::Failover { .. } | Effect::Failback { .. } => {}
            Effect::Retire { tier } => {
                if let Some(binding) = self.bindings.get_mut(usize::from(tier)).and_then(Option::take) {
                    binding.do_send(Retire);
                    self.granted(tier, None);
                }
            }
        }
        Flow::Go
    }
}

impl Handler<Want> for LineActor {
    type Result = ();

    fn handle(&mut self, Want(input): Want, ctx: &mut Context<Self>) {
        self.feed(input, ctx);
    }
}

impl Handler<Reported> for LineActor {
    type Result = ();

    fn handle(&mut self, Reported { tier, report }: Reported, ctx: &mut Context<Self>) {
        self.feed(Input::Report { tier, report }, ctx);
    }
}

impl Handler<Moved> for LineActor {
    type Result = ();

    fn handle(&mut self, Moved(server): Moved, _: &mut Context<Self>) {
        if let Some(Some(binding)) = self.bindings.get(usize::from(server.tier)) {
            binding.do_send(Moved(server));
        }
    }
}

impl Handler<Fallen<u8>> for LineActor {
    type Result = ();

    /// One that falls over at every answer of its server would otherwise send REGISTERs as fast as it gets answers.
    fn handle(&mut self, Fallen(tier): Fallen<u8>, ctx: &mut Context<Self>) {
        let now = self.site.clock.moment();
        self.falls.count(now, "binding");
        let note = Note::new("fault").text("text", format_args!("the binding at tier {tier} fell over"));
        self.site.trace.tell(now, self.seat.who(), &note);
        if self.falls.too_many() {
            ctx.run_later(WINDOW, move |line, ctx| line.rehire(tier, ctx));
        } else {
            self.rehire(tier, ctx);
        }
    }
}

impl Handler<Die> for LineActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
