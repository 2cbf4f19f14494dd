//! At which targets of a server users are registered, and when each was heard of: a target that dies is noticed where its
//! users are, though the others answer.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::time::Moment;

use crate::target::Target;

/// How long a target counts as used after a user registered there. Ours: twice the usual lifetime (spec 8: 1 h), so one
/// refresh may fail. Users with a longer one find out by themselves, at their next refresh.
const USED: Duration = Duration::from_secs(2 * 3600);

/// A target in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) at: Target,
    pub(super) heard: Moment,
}

/// All targets in use; no more than a server has.
#[derive(Debug, Default)]
pub(super) struct Posts {
    /// When a user registered there last, and when it was heard of last.
    used: BTreeMap<Target, (Moment, Moment)>,
}

impl Posts {
    /// A user is registered there now.
    pub(super) fn settled(&mut self, now: Moment, target: Target) {
        self.used.insert(target, (now, now));
    }

    /// It has answered a probe.
    pub(super) fn heard(&mut self, now: Moment, target: Target) {
        if let Some((_, heard)) = self.used.get_mut(&target) {
            *heard = now;
        }
    }

    /// Its users are told to go.
    pub(super) fn left(&mut self, target: Target) {
        self.used.remove(&target);
    }

    /// The server has these targets and no others now.
    pub(super) fn keep(&mut self, targets: &[Target]) {
        self.used.retain(|target, _| targets.contains(target));
    }

    /// The one that was not heard of for the longest time.
    pub(super) fn quietest(&mut self, now: Moment) -> Option<Post> {
        self.used.retain(|_, (settled, _)| now.since(*settled) < USED);
        let posts = self.used.iter().map(|(at, (_, heard))| Post { at: *at, heard: *heard });
        posts.min_by_key(|post| post.heard)
    }

    /// Users are registered at several targets.
    pub(super) fn are_many(&self) -> bool {
        self.used.len() > 1
    }
}
