//! By which names servers sent somebody to a target, so that its certificate can be checked (RFC 5922 7.1).

use std::collections::VecDeque;
use std::sync::Arc;

use super::{DIALLED_MAX, Flows};
use crate::target::Target;

/// Names that are remembered. Ours: as many as connections.
const NAMED_MAX: usize = DIALLED_MAX;

/// The names, the latest last.
#[derive(Debug, Default)]
pub(super) struct Named(VecDeque<(Target, Arc<str>)>);

impl Named {
    /// A server sent somebody to this target by this name.
    pub(super) fn learn(&mut self, to: Target, domain: Arc<str>) {
        let entry = (to, domain);
        self.0.retain(|known| *known != entry);
        if self.0.len() == NAMED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    /// The last name by which somebody was sent there.
    pub(super) fn of(&self, to: Target) -> Option<Arc<str>> {
        self.0.iter().rev().find(|(named, _)| *named == to).map(|(_, domain)| domain.clone())
    }
}

impl Flows {
    /// Whose certificate a target has to show: that of every server that is found there. Of a place that is no server's,
    /// that of the last name by which somebody was sent there: a redirection must not add to what a server has to prove.
    pub(super) fn names(&self, to: Target) -> Vec<Arc<str>> {
        let there = self.servers.values().filter(|server| server.targets.contains(&to));
        let mut names: Vec<Arc<str>> = there.filter_map(|server| server.way.domain.clone()).collect();
        names.dedup();
        if names.is_empty() {
            names.extend(self.named.of(to));
        }
        names
    }
}
