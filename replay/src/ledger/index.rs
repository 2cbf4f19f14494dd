//! Who and where the words of a trace are: users by number, name and phone; sites and servers by name; OMMs by id.

use std::collections::HashMap;
use std::sync::Arc;

use crate::plan::{Node, Plan};
use crate::trace::{Sight, subject};

/// Looked up, never walked through: its order is no part of any result.
#[derive(Clone, Debug)]
pub struct Index {
    nodes: HashMap<Arc<str>, Node>,
    subjects: HashMap<Arc<str>, usize>,
    omms: HashMap<String, usize>,
}

impl Index {
    /// The index of a plan.
    pub fn new(plan: &Plan) -> Index {
        let sites = plan.sites.iter().enumerate().map(|(at, site)| (Arc::clone(&site.name), Node::Site(at)));
        let servers =
            plan.servers.iter().enumerate().map(|(at, server)| (Arc::clone(&server.name), Node::Server(at)));
        let users = plan.users.iter().enumerate();
        let names = users.clone().map(|(at, user)| (Arc::clone(&user.name), at));
        let phones = plan.phones.iter().filter_map(|phone| Some((Arc::clone(&phone.name), phone.user?)));
        Index {
            nodes: sites.chain(servers).collect(),
            subjects: phones
                .chain(names)
                .chain(users.map(|(at, user)| (Arc::clone(&user.number), at)))
                .collect(),
            omms: plan
                .sites
                .iter()
                .enumerate()
                .map(|(at, site)| (format!("{:08X}", site.park.pari), at))
                .collect(),
        }
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<Node> {
        self.nodes.get(name).copied()
    }

    /// The site of a node.
    pub fn site(&self, node: &str) -> Option<usize> {
        match self.node(node) {
            Some(Node::Site(site)) => Some(site),
            Some(Node::Server(_)) | None => None,
        }
    }

    /// The site of an OMM: `102A7010`, `102A7010-2`, or its name.
    pub fn omm(&self, text: &str) -> Option<usize> {
        let pari = text.split_once('-').map_or(text, |(pari, _)| pari);
        self.omms.get(pari).copied().or_else(|| self.site(text))
    }

    /// The user that an event is about.
    pub fn user_of(&self, sight: &Sight<'_>) -> Option<usize> {
        self.subjects.get(subject(sight.who)).copied().or_else(|| {
            let aor = sight.text("aor")?;
            let number = aor.split_once(':').map_or(aor, |(_, rest)| rest);
            self.subjects.get(number.split_once('@').map_or(number, |(number, _)| number)).copied()
        })
    }
}
