//! The children of an OMM: hired, told, dismissed. Users by number, servers by tier, links by a number of their own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use actix::prelude::*;
use omm::ids::Number;

use super::OmmActor;
use super::links::Link;
use crate::endpoint::{EndpointActor, EndpointWays};
use crate::keeper::{Keeper, KeeperWays};
use crate::messages::{Die, Reach};
use crate::record::Roam;
use crate::server::{HealthWays, ServerActor};
use crate::shaper::ShaperActor;
use crate::site::Kin;
use crate::user::{Birth, UserActor};

/// Everybody an OMM has hired.
pub(super) struct Children {
    pub(super) kin: Rc<Kin>,
    pub(super) endpoint: Addr<EndpointActor>,
    keeper: Addr<Keeper>,
    pub(super) servers: Vec<Addr<ServerActor>>,
    shapers: Vec<Addr<ShaperActor>>,
    pub(super) users: BTreeMap<Number, Addr<UserActor>>,
    pub(super) links: BTreeMap<u64, Link>,
}

impl OmmActor {
    /// Hires those who are there from the start.
    pub(super) fn hire_family(&mut self, ctx: &mut Context<Self>) {
        let site = self.site().clone();
        let own = ctx.address();
        let ways = EndpointWays {
            sip: self.birth.sip.clone(),
            located: own.clone().recipient(),
            left: own.clone().recipient(),
            fallen: own.clone().recipient(),
        };
        let endpoint = EndpointActor::new(&site, self.birth.uas.clone(), ways).start();
        let ways = KeeperWays { fallen: own.clone().recipient() };
        let keeper =
            Keeper::new(self.birth.store.clone(), site.clock.clone(), site.trace.clone(), ways).start();
        let servers: Vec<_> =
            (0..site.servers.len()).filter_map(|tier| self.hire_server(tier, &endpoint, ctx)).collect();
        let shapers: Vec<_> = site
            .servers
            .iter()
            .map(|server| ShaperActor::new(&site, server, own.clone().recipient()).start())
            .collect();
        let kin = Rc::new(Kin {
            sip: self.birth.sip.clone(),
            routes: endpoint.clone().recipient(),
            verdicts: endpoint.clone().recipient(),
            keeper: keeper.clone().recipient(),
            health: RefCell::new(servers.iter().map(|server| server.clone().recipient()).collect()),
            shapers: shapers.iter().map(|shaper| shaper.clone().recipient()).collect(),
            grants: RefCell::new(BTreeMap::new()),
            star: own.recipient(),
        });
        let (users, links) = (BTreeMap::new(), BTreeMap::new());
        self.children = Some(Children { kin, endpoint, keeper, servers, shapers, users, links });
    }

    /// Hires the health of the server of a tier; `None` when the site has no such tier.
    pub(super) fn hire_server(
        &self,
        tier: usize,
        endpoint: &Addr<EndpointActor>,
        ctx: &mut Context<Self>,
    ) -> Option<Addr<ServerActor>> {
        let server = self.site().servers.get(tier)?.clone();
        let ways = HealthWays {
            stands: ctx.address().recipient(),
            demanded: ctx.address().recipient(),
            canvass: ctx.address().recipient(),
            fallen: ctx.address().recipient(),
            sip: self.birth.sip.clone(),
            routes: endpoint.clone().recipient(),
        };
        Some(ServerActor::new(self.site(), server, ways).start())
    }

    /// A user's actor, hired on first need. `None` when the directory does not know the number.
    pub(super) fn user(&mut self, number: &Number, ctx: &mut Context<Self>) -> Option<Addr<UserActor>> {
        match self.children.as_ref()?.users.get(number) {
            Some(user) => Some(user.clone()),
            None => {
                // Somebody asks for a user before the start has come to him.
                let roam = self.roams.remove(number);
                self.hire_user(number, roam, ctx)
            }
        }
    }

    /// Hires a user's actor that knows what the store knows. `None` when the directory does not know the number.
    pub(super) fn hire_user(
        &mut self,
        number: &Number,
        roam: Option<Roam>,
        ctx: &mut Context<Self>,
    ) -> Option<Addr<UserActor>> {
        let site = self.site().clone();
        let user = Rc::new(self.birth.directory.user(number)?.clone());
        let policy = site.policy_of(self.birth.directory.device_of(number));
        let reach = if self.joined.is_empty() { Reach::Down } else { Reach::Up };
        let (standings, demands) = (self.standings.clone(), self.demands.clone());
        let birth =
            Birth { user, policy, roam, standings, demands, reach, fallen: ctx.address().recipient() };
        let children = self.children.as_mut()?;
        let actor = UserActor::new(site, children.kin.clone(), birth).start();
        children.users.insert(number.clone(), actor.clone());
        Some(actor)
    }

    /// Tells every user, by number.
    pub(super) fn tell_users<M>(&self, message: M)
    where
        M: actix::Message<Result = ()> + Send + Clone + 'static,
        UserActor: Handler<M>,
    {
        for user in self.children.iter().flat_map(|children| children.users.values()) {
            user.do_send(message.clone());
        }
    }

    /// Sends everybody away. An actor lives as long as it has a timer or anybody knows its address, so each is told.
    pub(super) fn dismiss(&mut self) {
        let Some(children) = self.children.take() else { return };
        for user in children.users.values() {
            user.do_send(Die);
        }
        for server in &children.servers {
            server.do_send(Die);
        }
        for shaper in &children.shapers {
            shaper.do_send(Die);
        }
        for link in children.links.values() {
            link.dismiss();
        }
        children.endpoint.do_send(Die);
        children.keeper.do_send(Die);
    }
}
