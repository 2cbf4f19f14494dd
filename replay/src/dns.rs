//! The virtual DNS: a table that the script writes, and the door by which an OMM asks it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler};
use actors::doors::{Resolve, Resolved, Seek, Sought};
use machine::chance::Chance;
use sip::place::Place;
use sip::srv::{self, Srv};
use sip::target::Target;

use crate::plan::{Leads, Plan, Zone};

/// The table as it is now, and whether anybody answers.
pub(crate) struct Dns {
    plan: Arc<Plan>,
    zones: Vec<Zone>,
    up: bool,
    seed: u64,
}

impl Dns {
    /// The table at the start.
    pub(crate) fn new(plan: Arc<Plan>, seed: u64) -> Rc<RefCell<Dns>> {
        let zones = plan.zones.clone();
        Rc::new(RefCell::new(Dns { plan, zones, up: true, seed }))
    }

    /// Answers nobody, or everybody again.
    pub(crate) fn power(&mut self, up: bool) {
        self.up = up;
    }

    /// Puts a record in the place of what led to the same server, or takes it away.
    pub(crate) fn amend(&mut self, zone: usize, server: usize, record: Option<Leads>) {
        if let Some(zone) = self.zones.get_mut(zone) {
            zone.records.retain(|record| record.server != server);
            zone.records.extend(record);
        }
    }

    /// Where a place is: over the transport that it asks for, at the port that it says (RFC 3263 4.2).
    fn find(&self, place: &Place) -> Vec<Target> {
        let zone = self.zones.iter().position(|zone| *zone.name == *place.host);
        let found = zone.and_then(|zone| self.answer(zone).ok()).map_or(Vec::new(), |(targets, _)| targets);
        let is_spoken = |target: &Target| place.transport.is_none_or(|asked| asked == target.transport);
        let at = |target: Target| match place.port {
            Some(port) => Target::new(target.transport, (target.addr.ip(), port).into()),
            None => target,
        };
        found.into_iter().filter(is_spoken).map(at).collect()
    }

    /// Where a name leads: SRV records in the order of RFC 2782, otherwise addresses in the order of the script.
    pub(crate) fn answer(&self, zone: usize) -> Result<(Vec<Target>, Duration), String> {
        let zone = self.zones.get(zone).filter(|_| self.up).ok_or("no name server answers")?;
        let life = zone.records.iter().map(|record| record.ttl).min().ok_or("there is no such name")?;
        let target = |server: usize| {
            let server = self.plan.servers.get(server)?;
            Some(Target::new(server.transport, SocketAddr::V4(server.address)))
        };
        let services = zone.records.iter().filter_map(|record| {
            let ((priority, weight), port) = (record.odds?, target(record.server)?.addr.port());
            Some(Srv { priority, weight, port, target: record.server.to_string() })
        });
        let services: Vec<Srv> = services.collect();
        let servers: Vec<usize> = if services.is_empty() {
            zone.records.iter().map(|record| record.server).collect()
        } else {
            let ordered = srv::order(services, &mut Chance::of(self.seed, &zone.name));
            ordered.iter().filter_map(|service| service.target.parse().ok()).collect()
        };
        Ok((servers.into_iter().filter_map(target).collect(), life))
    }
}

/// The door for every other name, to which a server may send somebody.
pub(crate) struct Seeker {
    pub(crate) dns: Rc<RefCell<Dns>>,
}

impl Actor for Seeker {
    type Context = Context<Self>;
}

impl Handler<Seek> for Seeker {
    type Result = ();

    fn handle(&mut self, Seek { place, to }: Seek, _: &mut Context<Self>) {
        let targets = self.dns.borrow().find(&place);
        to.do_send(Sought { place, targets });
    }
}

/// The door for one name.
pub(crate) struct Finder {
    pub(crate) dns: Rc<RefCell<Dns>>,
    pub(crate) zone: usize,
}

impl Actor for Finder {
    type Context = Context<Self>;
}

impl Handler<Resolve> for Finder {
    type Result = ();

    fn handle(&mut self, Resolve { to }: Resolve, _: &mut Context<Self>) {
        to.do_send(Resolved(self.dns.borrow().answer(self.zone)));
    }
}
