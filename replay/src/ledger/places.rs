//! Which registrar a REGISTER goes to, also where a site's server is a name in the DNS.
//!
//! A binding tells the target where its server has several. Where it has one, that is the server of this name, or the only
//! one to which the name leads: what the DNS said last, as the trace tells, or what the plan begins with.

use std::collections::BTreeMap;

use crate::plan::Plan;
use crate::trace::Sight;

/// Where servers and names lead.
#[derive(Clone, Debug)]
pub struct Places {
    /// Servers by name; names of the DNS that lead to one server.
    named: BTreeMap<String, usize>,
    /// Servers by target, `udp:10.0.0.11:5060`.
    targets: BTreeMap<String, usize>,
    /// What the DNS told a site since, by site and name; nothing while a name leads to several servers.
    resolved: BTreeMap<(usize, String), Option<usize>>,
}

impl Places {
    /// Those of a plan.
    pub fn new(plan: &Plan) -> Places {
        let servers = plan.servers.iter().enumerate().map(|(at, server)| (server.name.to_string(), at));
        let zones = plan.zones.iter().filter_map(|zone| match zone.records.as_slice() {
            [only] => Some((zone.name.to_string(), only.server)),
            [] | [_, ..] => None,
        });
        let targets = plan.servers.iter().enumerate();
        Places {
            named: servers.chain(zones).collect(),
            targets: targets
                .map(|(at, server)| (format!("{}:{}", server.transport, server.address), at))
                .collect(),
            resolved: BTreeMap::new(),
        }
    }

    /// The DNS leads a site elsewhere.
    pub fn resolved(&mut self, site: usize, sight: &Sight<'_>) {
        let (Some(name), Some(targets)) = (sight.text("server"), sight.text("targets")) else { return };
        let mut found = targets.split_whitespace().map(|target| self.targets.get(target).copied());
        let only = match (found.next(), found.next()) {
            (Some(only), None) => only,
            (Some(_), Some(_)) | (None, _) => None,
        };
        self.resolved.insert((site, name.to_owned()), only);
    }

    /// The registrar to which the REGISTER of this event goes.
    pub fn registrar(&self, site: usize, sight: &Sight<'_>) -> Option<usize> {
        if let Some(target) = sight.text("target") {
            return self.targets.get(target).copied();
        }
        let name = sight.text("server")?;
        match self.resolved.get(&(site, name.to_owned())) {
            Some(only) => *only,
            None => self.named.get(name).copied(),
        }
    }
}
