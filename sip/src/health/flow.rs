//! What the loss of a flow and another list of targets mean for a server's health.

use std::sync::Arc;

use machine::time::Moment;

use super::{Effect, Health, State, Timer};
use crate::server::Server;
use crate::target::Target;

impl Health {
    /// A flow to the server broke: one probe over a new one tells whether the server lives (ours). It says nothing by
    /// itself: registrars are started anew, and NATs forget.
    pub(super) fn flow_lost(&mut self, now: Moment, flow: Target, out: &mut Vec<Effect>) {
        if !flow.transport.is_reliable() || !self.server.targets.contains(&flow) {
            return;
        }
        match self.state {
            State::Up | State::Suspect { .. } | State::Probing | State::Recovering => {
                self.timers.stop(Timer::Probe);
                self.ask(now, out);
            }
            State::Down | State::Draining => {}
        }
    }

    /// The target that is probed, or was last.
    pub(super) fn probed_target(&self) -> Option<Target> {
        self.server.targets.get(self.turn % self.server.targets.len().max(1)).copied()
    }

    /// The DNS names other targets. None at all means that the tier is down (spec 3.4); a new one is probed at once.
    pub(super) fn resolved(&mut self, now: Moment, server: Arc<Server>, out: &mut Vec<Effect>) {
        let probed = self.probed_target();
        let known = std::mem::replace(&mut self.server, server);
        let stays = self.server.targets.iter().position(|target| Some(*target) == probed);
        self.turn = stays.unwrap_or(0);
        self.posts.keep(&self.server.targets);
        self.shunned.keep(&self.server.targets);
        if self.server.targets.is_empty() {
            self.down(now, out);
            return self.timers.clear();
        }
        let is_new = self.server.targets.iter().any(|target| !known.targets.contains(target));
        match self.state {
            State::Down if is_new || known.targets.is_empty() => {
                self.timers.stop(Timer::Probe);
                self.ask(now, out);
            }
            State::Up if stays.is_none() => self.ask(now, out),
            State::Up
            | State::Suspect { .. }
            | State::Down
            | State::Probing
            | State::Recovering
            | State::Draining => {}
        }
    }
}
