//! What the servers of a site want of its users: that one asks or looks, that all heed what they demand, and that a target
//! is left alone.

use std::ops::Bound;

use actix::prelude::*;
use omm::claim::Phase;
use omm::ids::Number;
use sip::line::Mode;

use super::OmmActor;
use crate::messages::{Audit, Broken, Canvass, Demanded, Nobody, Restore, Rests, TellAll};

impl OmmActor {
    /// The next user who is here, by number, so that each has his turn.
    fn canvasser(&self) -> Option<Number> {
        let (site, machine) = (self.site(), self.seat.machine());
        let claims = machine.claims(site.clock.moment());
        let here = claims.filter(|claim| claim.owner == site.omm && claim.phase == Phase::Here);
        let mut here: Vec<Number> = here.map(|claim| claim.user).collect();
        here.sort_unstable();
        let next = here.iter().find(|number| self.canvassed.as_ref().is_none_or(|last| *number > last));
        next.or(here.first()).cloned()
    }

    /// The next user who is registered at this tier, by number.
    fn auditor(&self, tier: u8) -> Option<Number> {
        let bound = self.children.as_ref()?.kin.bound.borrow();
        let everywhere = self.site().mode == Mode::Parallel;
        let last = self.audited.get(&tier).map_or(Bound::Unbounded, Bound::Excluded);
        let behind = bound.range::<Number, _>((last, Bound::Unbounded)).chain(bound.iter());
        let mut there = behind.filter(|(_, at)| everywhere || **at == tier);
        there.next().map(|(number, _)| number.clone())
    }
}

impl Handler<Canvass> for OmmActor {
    type Result = ();

    fn handle(&mut self, canvass: Canvass, _: &mut Context<Self>) {
        self.canvassed = self.canvasser();
        match self.canvassed.clone().and_then(|number| self.user(&number)) {
            Some(user) => user.do_send(canvass),
            None => {
                let server = self.children.iter().find_map(|all| all.servers.get(usize::from(canvass.tier)));
                server.into_iter().for_each(|server| server.do_send(Nobody));
            }
        }
    }
}

impl Handler<Audit> for OmmActor {
    type Result = ();

    /// Where nobody is registered, nobody can have been forgotten.
    fn handle(&mut self, audit: Audit, _: &mut Context<Self>) {
        let Some(number) = self.auditor(audit.tier) else { return };
        if let Some(user) = self.user(&number) {
            user.do_send(audit);
        }
        self.audited.insert(audit.tier, number);
    }
}

impl Handler<Restore> for OmmActor {
    type Result = ();

    fn handle(&mut self, restore: Restore, _: &mut Context<Self>) {
        self.tell_users(restore);
    }
}

impl Handler<Demanded> for OmmActor {
    type Result = ();

    fn handle(&mut self, demanded: Demanded, _: &mut Context<Self>) {
        let Some(children) = &self.children else { return };
        if let Some(slot) = children.kin.demands.borrow_mut().get_mut(usize::from(demanded.tier)) {
            *slot = demanded.demands;
        }
        self.tell_users(demanded);
    }
}

impl Handler<Rests> for OmmActor {
    type Result = ();

    /// Every binding has to know, those that are still to be hired too.
    fn handle(&mut self, rests: Rests, _: &mut Context<Self>) {
        let (now, Some(children)) = (self.site().clock.moment(), &self.children) else { return };
        let servers = children.kin.servers.borrow();
        let is_listed = |target| servers.iter().any(|server| server.targets.contains(&target));
        let mut resting = children.kin.resting.borrow_mut();
        resting
            .retain(|(until, known)| *until > now && known.target != rests.target && is_listed(known.target));
        if !rests.time.is_zero() {
            resting.push((now + rests.time, rests));
        }
        children.endpoint.do_send(TellAll(Broken::Rests(rests)));
    }
}
