//! Follows nodes and phones through the script: which have started, where they are, who is logged in on them.

use std::sync::Arc;
use std::time::Duration;

use machine::chance::Chance;
use machine::time::Moment;
use sip::uas::behave::quirk::Quirk;

use super::{PHONES_AFTER, Unfolding};
use crate::plan::{Node, Verb};
use crate::script::Name;
use crate::script::action::{Ends, Nodes, Power, Quality};

/// A deed that cannot be: what is wrong, what was expected.
type Refused = (&'static str, String);

impl Unfolding<'_> {
    pub(super) fn site(&self, name: &Name) -> Option<usize> {
        self.plan.sites.iter().position(|site| site.name == *name)
    }

    pub(super) fn server(&self, name: &Name) -> Option<usize> {
        self.plan.servers.iter().position(|server| server.name == *name)
    }

    /// The quirk with the addresses of servers in the place of their names.
    pub(super) fn addressed(&self, quirk: &Quirk) -> Quirk {
        let Quirk::Redirect { code, to } = quirk else { return quirk.clone() };
        let place = |text: &Arc<str>| match self.server(text).and_then(|server| self.plan.servers.get(server))
        {
            Some(server) => format!("sip:{}", server.address).into(),
            None => text.clone(),
        };
        Quirk::Redirect { code: *code, to: to.iter().map(place).collect() }
    }

    pub(super) fn user(&self, name: &Name) -> Option<usize> {
        self.plan.users.iter().position(|user| user.name == *name)
    }

    pub(super) fn link(&self, ends: &Ends) -> Option<usize> {
        let ends = (self.site(&ends.0)?, self.site(&ends.1)?);
        self.plan.links.iter().position(|link| link.ends == ends)
    }

    /// The declared value of a quality of a link.
    pub(super) fn usual(&self, link: usize, quality: Quality) -> Quality {
        match (self.plan.links.get(link), quality) {
            (Some(link), Quality::Latency(_)) => Quality::Latency(link.latency),
            (Some(link), Quality::Jitter(_)) => Quality::Jitter(link.jitter),
            (Some(link), Quality::Loss(_)) => Quality::Loss(link.loss),
            (Some(link), Quality::Bandwidth(_)) => Quality::Bandwidth(link.bandwidth.unwrap_or(0)),
            (None, quality) => quality,
        }
    }

    /// The phone of this name; for a user, the one on which the user is logged in, else the user's own.
    pub(super) fn phone(&self, name: &Name) -> Option<usize> {
        let user = self.user(name);
        let on = user.and_then(|user| self.on.iter().position(|on| *on == Some(user)));
        on.or_else(|| self.plan.phones.iter().position(|phone| phone.name == *name))
            .or_else(|| self.plan.phones.iter().position(|phone| user.is_some() && phone.user == user))
    }

    pub(super) fn whereabouts(&self, phone: usize) -> usize {
        self.at_site.get(phone).copied().unwrap_or_default()
    }

    pub(super) fn locate(&mut self, phone: usize, site: usize) -> Verb {
        if let (Some(at), Some(silent)) = (self.at_site.get_mut(phone), self.silent.get_mut(phone)) {
            (*at, *silent) = (site, false);
        }
        Verb::Locate { phone, site }
    }

    pub(super) fn hush(&mut self, phone: usize) {
        if let Some(silent) = self.silent.get_mut(phone) {
            *silent = true;
        }
    }

    pub(super) fn power(&mut self, verb: Power, nodes: &Nodes, over: Duration) -> Vec<(Duration, Verb)> {
        let nodes: Vec<Node> = match nodes {
            // Servers first: an OMM that starts finds them there. They stop last.
            Nodes::All => {
                let servers = (0..self.plan.servers.len()).map(Node::Server);
                let sites = (0..self.plan.sites.len()).map(Node::Site);
                match verb {
                    Power::Start => servers.chain(sites).collect(),
                    Power::Stop | Power::Restart | Power::Kill => sites.chain(servers).collect(),
                }
            }
            Nodes::One(name) => self
                .site(name)
                .map(Node::Site)
                .or_else(|| self.server(name).map(Node::Server))
                .into_iter()
                .collect(),
        };
        let count = nodes.len() as u32;
        let mut verbs = Vec::new();
        for (index, node) in (0..).zip(nodes) {
            // A start spreads the phones, not the OMMs.
            let plus = if verb == Power::Start { Duration::ZERO } else { over * index / count.max(1) };
            match verb {
                Power::Start => verbs.push((plus, Verb::Start(node))),
                Power::Stop => verbs.push((plus, Verb::Stop(node))),
                Power::Restart => verbs.extend([(plus, Verb::Stop(node)), (plus, Verb::Start(node))]),
                Power::Kill => verbs.push((plus, Verb::Kill(node))),
            }
            if let (Power::Start | Power::Restart, Node::Site(site)) = (verb, node) {
                self.phones_start(site, plus, over, &mut verbs);
            }
        }
        verbs
    }

    /// The phones of a site make themselves known when it starts for the first time; later they do not notice.
    fn phones_start(
        &mut self,
        site: usize,
        plus: Duration,
        over: Duration,
        verbs: &mut Vec<(Duration, Verb)>,
    ) {
        let first = self.started.get_mut(site).is_some_and(|started| !std::mem::replace(started, true));
        if !first {
            return;
        }
        for (phone, at) in self.at_site.iter().enumerate() {
            let logged_in = self.on.get(phone).is_some_and(Option::is_some);
            let silent = self.silent.get(phone).copied().unwrap_or_default();
            if let Some(known) = self.plan.phones.get(phone)
                && *at == site
                && logged_in
                && !silent
            {
                let mut chance = Chance::of(self.plan.seed, &format!("start/{}", known.name));
                let spread = chance.between(Duration::ZERO, over);
                verbs.push((plus + PHONES_AFTER + spread, Verb::Locate { phone, site }));
            }
        }
    }

    /// So many millionths of the phones that are at `from` (or anywhere but at `to`), chosen by the seed.
    pub(super) fn share(&self, share: u32, from: Option<usize>, to: usize, at: Moment) -> Vec<usize> {
        let here = |phone: &usize| {
            let site = self.whereabouts(*phone);
            let usable = self.on.get(*phone).is_some_and(Option::is_some)
                && !self.silent.get(*phone).copied().unwrap_or_default();
            usable && from.map_or(site != to, |from| site == from)
        };
        let mut phones: Vec<usize> = (0..self.at_site.len()).filter(here).collect();
        let count = (phones.len() as u64 * u64::from(share)).div_ceil(1_000_000) as usize;
        let mut chance = Chance::of(self.plan.seed, &format!("roam/{at}"));
        for index in 0..count.min(phones.len()) {
            let other = index + chance.below((phones.len() - index) as u64) as usize;
            phones.swap(index, other);
        }
        phones.truncate(count);
        phones
    }

    pub(super) fn login(
        &mut self,
        name: &Name,
        site: Option<&Name>,
        device: Option<&Name>,
    ) -> Result<Verb, Refused> {
        let user = self.user(name).ok_or_else(|| ("this name leads nowhere", "a user".to_string()))?;
        let phone = match device {
            Some(device) => self.plan.phones.iter().position(|phone| phone.name == *device),
            None => self.phone(name),
        };
        let Some(phone) = phone else {
            return Err((
                "this user has no phone of that name",
                "`on DEVICE` with a declared device".to_string(),
            ));
        };
        let site = site.and_then(|name| self.site(name)).unwrap_or_else(|| self.whereabouts(phone));
        // Logging in on another phone ends the login before (I2).
        for on in self.on.iter_mut().filter(|on| **on == Some(user)) {
            *on = None;
        }
        if let Some(on) = self.on.get_mut(phone) {
            *on = Some(user);
        }
        self.locate(phone, site);
        Ok(Verb::Login { user, phone, site })
    }
}
