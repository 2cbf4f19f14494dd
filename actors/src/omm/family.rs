//! The children of an OMM: hired, told, dismissed. Users by number, servers by tier, links by a number of their own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use actix::prelude::*;
use machine::time::Moment;
use omm::directory::status::Status;
use omm::ids::Number;
use sip::server::{Demands, Standing};

use super::OmmActor;
use super::links::Link;
use crate::direct::DirectActor;
use crate::directory::{DirectoryActor, DirectoryWays};
use crate::doors::Ways;
use crate::endpoint::{EndpointActor, EndpointWays};
use crate::epr::EprActor;
use crate::flows::{FlowsActor, FlowsWays, Known};
use crate::keeper::{Keeper, KeeperWays};
use crate::locator::{LocatorActor, LocatorWays};
use crate::messages::{Die, Reach};
use crate::office::OfficeActor;
use crate::record::Roam;
use crate::server::{HealthWays, ServerActor};
use crate::shaper::ShaperActor;
use crate::site::{Domains, Kin};
use crate::user::{Birth, UserActor};

/// Everybody an OMM has hired.
pub(super) struct Children {
    pub(super) kin: Rc<Kin>,
    pub(super) endpoint: Addr<EndpointActor>,
    pub(super) directory: Addr<DirectoryActor>,
    pub(super) flows: Addr<FlowsActor>,
    /// By tier; only servers with a name have one.
    pub(super) locators: BTreeMap<u8, Addr<LocatorActor>>,
    keeper: Addr<Keeper>,
    pub(super) servers: Vec<Addr<ServerActor>>,
    /// When each server came to stand as it does, by tier.
    pub(super) turned: Vec<Moment>,
    shapers: Vec<Addr<ShaperActor>>,
    pub(super) users: BTreeMap<Number, Addr<UserActor>>,
    pub(super) links: BTreeMap<u64, Link>,
    /// Only at remotes.
    pub(super) direct: Option<Addr<DirectActor>>,
    /// Only where AXI clients are received.
    pub(super) office: Option<Addr<OfficeActor>>,
    /// Only where there are external users.
    pub(super) epr: Option<Addr<EprActor>>,
}

impl OmmActor {
    /// Hires those who are there from the start.
    pub(super) fn hire_family(&mut self, ctx: &mut Context<Self>) {
        let site = self.site().clone();
        let own = ctx.address();
        let (endpoint, flows) = self.hire_ends(ctx);
        let sip = Ways { datagrams: self.birth.sip.clone(), streams: flows.clone().recipient() };
        let ways = KeeperWays { fallen: own.clone().recipient() };
        let keeper =
            Keeper::new(self.birth.store.clone(), site.clock.clone(), site.trace.clone(), ways).start();
        let locators = self.hire_locators(ctx);
        let servers: Vec<_> = (0..site.servers.len())
            .filter_map(|tier| self.hire_server(tier, &endpoint, &sip, &locators, ctx))
            .collect();
        let shapers: Vec<_> = site
            .servers
            .iter()
            .map(|server| ShaperActor::new(&site, server, own.clone().recipient()).start())
            .collect();
        let ways = DirectoryWays {
            keeper: keeper.clone().recipient(),
            news: own.clone().recipient(),
            fallen: own.clone().recipient(),
        };
        let directory =
            DirectoryActor::new(&site, self.sync.clone(), self.birth.directory.clone(), ways).start();
        let kin = Rc::new(Kin {
            directory: self.birth.directory.clone(),
            changes: directory.clone().recipient(),
            site: site.clone(),
            sip,
            upkeep: flows.clone().recipient(),
            places: self.birth.places.clone(),
            locators: locators.iter().map(|(tier, actor)| (*tier, actor.clone().recipient())).collect(),
            servers: RefCell::new(site.servers.clone()),
            domains: Domains::of(&site.domain),
            routes: endpoint.clone().recipient(),
            verdicts: endpoint.clone().recipient(),
            keeper: keeper.clone().recipient(),
            health: RefCell::new(servers.iter().map(|server| server.clone().recipient()).collect()),
            shapers: shapers.iter().map(|shaper| shaper.clone().recipient()).collect(),
            grants: RefCell::new(BTreeMap::new()),
            bound: RefCell::new(BTreeMap::new()),
            placed: own.clone().recipient(),
            acted: self.birth.reception.is_some().then(|| own.clone().recipient()),
            standings: RefCell::new(vec![Standing::Usable; site.servers.len()]),
            demands: RefCell::new(vec![Demands::default(); site.servers.len()]),
            resting: RefCell::new(Vec::new()),
            star: own.clone().recipient(),
            fallen: own.recipient(),
        });
        let (users, links) = (BTreeMap::new(), BTreeMap::new());
        self.children = Some(Children {
            kin,
            endpoint,
            directory,
            flows,
            locators,
            keeper,
            servers,
            turned: vec![site.clock.moment(); site.servers.len()],
            shapers,
            users,
            links,
            direct: None,
            office: None,
            epr: None,
        });
    }

    /// Hires the two ends of the SIP side, who know each other: what comes in by a stream goes to the endpoint, its
    /// answers go back by the stream.
    fn hire_ends(&self, ctx: &mut Context<Self>) -> (Addr<EndpointActor>, Addr<FlowsActor>) {
        let (site, own, birth) = (self.site().clone(), ctx.address(), &self.birth);
        let endpoint = Context::<EndpointActor>::new();
        let ways = FlowsWays {
            datagrams: endpoint.address().recipient(),
            undelivered: endpoint.address().recipient(),
            lost: endpoint.address().recipient(),
            door: birth.streams.clone(),
            udp: birth.sip.clone(),
            fallen: own.clone().recipient(),
        };
        let flows = FlowsActor::new(&site, ways).start();
        let ways = EndpointWays {
            sip: Ways { datagrams: birth.sip.clone(), streams: flows.clone().recipient() },
            upkeep: flows.clone().recipient(),
            located: own.clone().recipient(),
            strangers: own.clone().recipient(),
            left: own.clone().recipient(),
            fallen: own.recipient(),
        };
        let endpoint = endpoint.run(EndpointActor::new(&site, birth.uas.clone(), ways));
        for server in &site.servers {
            flows.do_send(Known(server.clone()));
        }
        (endpoint, flows)
    }

    /// Hires those who know where servers are that have a name.
    fn hire_locators(&self, ctx: &mut Context<Self>) -> BTreeMap<u8, Addr<LocatorActor>> {
        let hire = |(tier, dns): (&u8, &Recipient<_>)| {
            let server = self.site().servers.get(usize::from(*tier))?.clone();
            let ways = LocatorWays { moved: ctx.address().recipient(), dns: dns.clone() };
            Some((*tier, LocatorActor::new(self.site(), server, ways).start()))
        };
        self.birth.dns.iter().filter_map(hire).collect()
    }

    /// Hires the health of the server of a tier; `None` when the site has no such tier.
    pub(super) fn hire_server(
        &self,
        tier: usize,
        endpoint: &Addr<EndpointActor>,
        sip: &Ways,
        locators: &BTreeMap<u8, Addr<LocatorActor>>,
        ctx: &mut Context<Self>,
    ) -> Option<Addr<ServerActor>> {
        let now =
            self.children.as_ref().and_then(|children| children.kin.servers.borrow().get(tier).cloned());
        let server = now.or_else(|| self.site().servers.get(tier).cloned())?;
        let ways = HealthWays {
            stands: ctx.address().recipient(),
            demanded: ctx.address().recipient(),
            canvass: ctx.address().recipient(),
            audit: ctx.address().recipient(),
            restore: ctx.address().recipient(),
            fallen: ctx.address().recipient(),
            sip: sip.clone(),
            routes: endpoint.clone().recipient(),
            absent: endpoint.clone().recipient(),
            rests: ctx.address().recipient(),
            locator: locators.get(&server.tier).map(|locator| locator.clone().recipient()),
        };
        Some(ServerActor::new(self.site(), server, ways).start())
    }

    /// A user's actor, hired on first need. `None` when the directory does not know the number.
    pub(super) fn user(&mut self, number: &Number) -> Option<Addr<UserActor>> {
        match self.children.as_ref()?.users.get(number) {
            Some(user) => Some(user.clone()),
            None => {
                // Somebody asks for a user before the start has come to him.
                let roam = self.roams.remove(number);
                self.hire_user(number, roam)
            }
        }
    }

    /// Hires a user's actor that knows what the store knows. `None` when the directory does not know the number.
    pub(super) fn hire_user(&mut self, number: &Number, roam: Option<Roam>) -> Option<Addr<UserActor>> {
        let site = self.site().clone();
        let (user, policy) = {
            let directory = self.birth.directory.borrow();
            let user = directory.user(number).filter(|user| user.status == Status::Active)?;
            let policy = site.policy_of(directory.device_of(number).map(|device| &**device));
            (user.clone(), policy)
        };
        let reach = if self.joined.is_empty() { Reach::Down } else { Reach::Up };
        let birth = Birth { user: &user, policy, roam, reach };
        let children = self.children.as_mut()?;
        let actor = UserActor::new(children.kin.clone(), birth).start();
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
        if let Some(direct) = &children.direct {
            direct.do_send(Die);
        }
        if let Some(office) = &children.office {
            office.do_send(Die);
        }
        if let Some(epr) = &children.epr {
            epr.do_send(Die);
        }
        for locator in children.locators.values() {
            locator.do_send(Die);
        }
        children.endpoint.do_send(Die);
        children.directory.do_send(Die);
        children.flows.do_send(Die);
        children.keeper.do_send(Die);
    }
}
