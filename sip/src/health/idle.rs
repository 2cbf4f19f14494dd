//! When a server in use is asked though nobody has complained: idle users must not be the last to know (SM-3H).

use std::time::Duration;

use machine::time::Moment;

use super::posts::Post;
use super::{Effect, Health, State, Timer};

impl Health {
    /// How long nobody may have heard of a server in use before it is asked.
    pub(super) fn patience(&self) -> Duration {
        if self.has_elsewhere() { self.timing.probe_idle } else { self.timing.probe_lone }
    }

    /// Nobody has heard of a server in use for a while, or somebody has meanwhile.
    pub(super) fn idle(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let quietest = self.posts.quietest(now);
        let due = self.quiet_since(quietest) + self.patience();
        match self.state {
            State::Up if due <= now => {
                let place = |post: Post| self.server.targets.iter().position(|target| *target == post.at);
                self.turn = quietest.and_then(place).unwrap_or(self.turn);
                self.ask(now, out);
            }
            State::Up => self.timers.set(Timer::Idle, due),
            State::Suspect { .. } | State::Down | State::Probing | State::Recovering | State::Draining => {}
        }
    }

    /// Since when nobody has heard of the target that is asked next. Where users are registered at one target only,
    /// every answer is an answer of that one.
    pub(super) fn quiet_since(&self, quietest: Option<Post>) -> Moment {
        quietest.filter(|_| self.posts.are_many()).map_or(self.heard, |post| post.heard)
    }

    /// Asks no more until a target in use has been quiet for too long.
    pub(super) fn rest(&mut self, now: Moment) {
        let quietest = self.posts.quietest(now).filter(|_| self.posts.are_many());
        let since = quietest.map_or(now, |post| post.heard);
        self.timers.set(Timer::Idle, since + self.patience());
    }
}
