//! Which requests an overloaded server is spared (RFC 7339 5.5), and which it is not (5.10.1).

use std::time::Duration;

use machine::time::Moment;

use super::{Binding, Kind, Timer};
use crate::server::Demands;

/// How long, at most, before a request that was shed is thought of again. Ours.
const SHED_FIRST: Duration = Duration::from_secs(10);
/// It doubles up to here: what is shed now must not all come back while the server is still overloaded. Ours.
const SHED_MAX: Duration = Duration::from_secs(80);
/// What is left of a registration's life when its refresh is spared no longer: Timer F, the longest wait for an answer.
const LAST_CHANCE: Duration = Duration::from_secs(32);

impl Binding {
    /// The health of the server says what it demands of everybody.
    pub(super) fn heed(&mut self, demands: Demands) {
        self.lacks = self.lacks.with(demands.lacks);
        if self.shed != demands.shed {
            self.let_through = false;
        }
        self.shed = demands.shed;
        if self.shed == 0 {
            self.timers.stop(Timer::Shed);
            self.spared = 0;
        }
    }

    /// Whether this request is not sent now: the server asked for so many percent less. Whatever a roam needs is sent
    /// all the same, and so is the refresh of a registration that would run out.
    pub(super) fn sheds(&mut self, now: Moment, kind: Kind) -> bool {
        let is_exempt = self.urgent
            || match kind {
                Kind::Renew | Kind::Evict | Kind::Remove => true,
                Kind::Initial => false,
                Kind::Refresh => self.held.is_none_or(|held| held.since(now) <= LAST_CHANCE),
                Kind::Query => !self.wants.guard,
            };
        if self.shed == 0 || is_exempt || self.let_through {
            return false;
        }
        if self.timers.at(Timer::Shed).is_some() {
            return true;
        }
        if !self.chance.happens(u32::from(self.shed) * 10_000) {
            (self.spared, self.let_through) = (0, true);
            return false;
        }
        let longest = SHED_FIRST.saturating_mul(2_u32.saturating_pow(self.spared.into())).min(SHED_MAX);
        self.spared = self.spared.saturating_add(1);
        let wait = self.chance.between(longest / 2, longest);
        let last = self
            .held
            .filter(|_| kind == Kind::Refresh)
            .map(|held| held.since(now).saturating_sub(LAST_CHANCE));
        self.timers.set(Timer::Shed, now + last.map_or(wait, |last| last.min(wait)));
        true
    }
}
