//! The user's registration across the tiers of the site: runs [`sip::line`] beside the roaming; its children are the
//! bindings.

use std::sync::Arc;

use actix::prelude::*;
use machine::note::Note;
use omm::roaming;
use sip::grant::Grant;
use sip::line::{Effect, Input, Line};
use sip::report::Leftover;
use sip::server::{Demands, Standing};

use super::{Aside, UserActor, outcome, sighting};
use crate::binding::{BindingActor, BindingNews, Moved, Retire, Tell};
use crate::falls::{Falls, WINDOW};
use crate::messages::{Broken, Brought, Placed, Rests};
use crate::seat::{Flow, Seat, Seated};

/// The line of a user, and those who do what it wants.
pub(super) struct Front {
    seat: Seat<Line>,
    /// By tier. One that fell over stays in its place until it is replaced.
    bindings: Box<[Option<Addr<BindingActor>>]>,
    /// Of the bindings, if any ever fell.
    falls: Option<Box<Falls>>,
}

impl UserActor {
    /// Puts aside what the line is to be told; it is hired on first need and told what it must know.
    pub(super) fn want(&mut self, input: Input) {
        if self.line.is_none() {
            self.hire_line();
        }
        self.put_aside(Aside::Line(input));
    }

    /// Puts aside what the line is to be told, if there is one.
    pub(super) fn tell_line(&mut self, input: Input) {
        if self.line.is_some() {
            self.put_aside(Aside::Line(input));
        }
    }

    fn front(&mut self) -> &mut Front {
        self.line.get_or_insert_with(|| {
            let (site, user) = (&self.kin.site, self.seat.machine().user());
            let tiers = u8::try_from(site.servers.len()).unwrap_or(u8::MAX);
            let who = format!("line/{user}");
            let machine = Line::new(tiers, site.sip_timing.clone()).in_mode(site.mode).of_vip(self.login.vip);
            let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
            let bindings = site.servers.iter().map(|_| None).collect();
            Box::new(Front { seat, bindings, falls: None })
        })
    }

    fn hire_line(&mut self) {
        self.front();
        let mut known = Vec::new();
        for (tier, standing) in (0u8..).zip(self.kin.standings.borrow().iter().copied()) {
            if standing != Standing::Usable {
                known.push(Input::Server { tier, standing });
            }
        }
        for (tier, demands) in (0u8..).zip(self.kin.demands.borrow().iter().copied()) {
            if demands != Demands::default() {
                known.push(Input::Demands { tier, demands });
            }
        }
        if let Some(epoch) = self.bound {
            let contact = self.kin.site.contact(self.seat.machine().user(), epoch);
            // How long it may still be listed is not kept: no longer than what was asked for.
            let leftover = Leftover { contacts: vec![contact], remaining: self.kin.site.expires };
            known.push(Input::Inherit(leftover));
        }
        if self.asks_before_refresh() {
            known.push(Input::Caution(true));
        }
        known.into_iter().for_each(|input| self.put_aside(Aside::Line(input)));
    }

    /// The server of a tier is found elsewhere now.
    pub(super) fn pass_on(&mut self, Moved(server): Moved) {
        let bindings = self.line.as_ref().map(|front| &front.bindings);
        if let Some(Some(binding)) = bindings.and_then(|all| all.get(usize::from(server.tier))) {
            binding.do_send(Moved(server));
        }
    }

    /// Ends the bindings.
    pub(super) fn dismiss(&mut self) {
        let Some(front) = self.line.take() else { return };
        for (tier, binding) in (0_u8..).zip(front.bindings) {
            self.granted(tier, None);
            binding.into_iter().for_each(|binding| binding.do_send(Retire));
        }
    }

    /// The binding's memory is gone with it: what the line wants of it is said again to a new one.
    fn rehire(&mut self, tier: u8, ctx: &mut Context<Self>) {
        if let Some(slot) = self.front().bindings.get_mut(usize::from(tier)) {
            *slot = None;
        }
        Seated::<Line>::feed(self, Input::Fallen { tier }, ctx);
    }

    /// Where the user is registered now, to be shown; said only when that is another place than before.
    fn placed(&self, tier: Option<u8>) {
        let number = self.seat.machine().user();
        let before = match tier {
            Some(tier) => self.kin.bound.borrow_mut().insert(number.clone(), tier),
            None => self.kin.bound.borrow_mut().remove(number),
        };
        if before != tier {
            self.kin.placed.do_send(Placed(number.clone()));
        }
    }

    fn granted(&self, tier: u8, grant: Option<Arc<Grant>>) {
        let place = (self.seat.machine().user().clone(), tier);
        let mut grants = self.kin.grants.borrow_mut();
        match grant {
            Some(grant) => _ = grants.insert(place, grant),
            None => _ = grants.remove(&place),
        }
    }

    /// The binding of a tier, hired on first use.
    fn binding(&mut self, tier: u8, ctx: &mut Context<Self>) -> Option<Addr<BindingActor>> {
        let server = self.kin.servers.borrow().get(usize::from(tier))?.clone();
        if let Some(binding) = self.front().bindings.get(usize::from(tier))? {
            return Some(binding.clone());
        }
        let user = self.seat.machine().user();
        let account = Arc::new(self.kin.site.account(user, &self.login, &server, &self.kin.domains));
        let news = ctx.address().downgrade().recipient();
        let (site, kin) = (&self.kin.site, self.kin.clone());
        let binding = BindingActor::new(site, kin, user, account, server, news).start();
        let now = self.kin.site.clock.moment();
        for (until, rests) in self.kin.resting.borrow().iter().filter(|(until, _)| *until > now) {
            let rests = Rests { time: until.since(now), ..*rests };
            binding.do_send(Brought::Broken(Broken::Rests(rests)));
        }
        let slot = self.front().bindings.get_mut(usize::from(tier))?;
        Some(slot.insert(binding).clone())
    }

    /// One that falls over at every answer of its server would otherwise send REGISTERs as fast as it gets answers.
    fn fallen(&mut self, tier: u8, ctx: &mut Context<Self>) {
        let now = self.kin.site.clock.moment();
        let site = self.kin.site.clone();
        let front = self.front();
        let falls = front.falls.get_or_insert_default();
        falls.count(now, "binding");
        let is_hopeless = falls.too_many();
        let note = Note::new("fault").text("text", format_args!("the binding at tier {tier} fell over"));
        site.trace.tell(now, front.seat.who(), &note);
        if is_hopeless {
            ctx.run_later(WINDOW, move |user, ctx| user.rehire(tier, ctx));
        } else {
            self.rehire(tier, ctx);
        }
    }

    /// Puts aside what the roaming is to be told.
    fn report(&mut self, input: roaming::Input) {
        self.put_aside(Aside::Roaming(input));
    }
}

impl Seated<Line> for UserActor {
    fn seat(&mut self) -> &mut Seat<Line> {
        &mut self.front().seat
    }

    fn settled(&mut self, ctx: &mut Context<Self>) {
        self.go_on(ctx);
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Tell { tier, order } => {
                if let Some(binding) = self.binding(tier, ctx) {
                    binding.do_send(Tell(order));
                }
            }
            Effect::Bound { tier, granted: _ } => {
                self.tier = Some(tier);
                self.placed(Some(tier));
                self.report(roaming::Input::Bound);
            }
            Effect::Granted { tier, grant } => self.granted(tier, grant),
            Effect::Failed { tier: _, failure: _ } => {
                self.placed(None);
                self.report(roaming::Input::Unbound);
            }
            Effect::Released(removal) => {
                self.tier = None;
                self.placed(None);
                self.report(roaming::Input::Released(outcome(removal)));
            }
            Effect::Listed(listed) => self.report(roaming::Input::Sighted {
                sightings: listed.iter().filter_map(sighting).collect(),
                stamp: self.kin.site.clock.stamp(),
                wall: self.kin.site.clock.wall(),
            }),
            Effect::Failover { .. } | Effect::Failback { .. } => {}
            Effect::Retire { tier } => {
                let slot = self.front().bindings.get_mut(usize::from(tier));
                if let Some(binding) = slot.and_then(Option::take) {
                    binding.do_send(Retire);
                    self.granted(tier, None);
                }
            }
        }
        Flow::Go
    }
}

impl Handler<BindingNews> for UserActor {
    type Result = ();

    fn handle(&mut self, news: BindingNews, ctx: &mut Context<Self>) {
        match news {
            BindingNews::Reported { tier, report } => {
                Seated::<Line>::feed(self, Input::Report { tier, report }, ctx);
            }
            BindingNews::Fell { tier } => self.fallen(tier, ctx),
        }
    }
}
