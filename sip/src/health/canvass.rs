//! Probing by users, where a server answers no OPTIONS (SM-3H: "REGISTER of the check user when OPTIONS is filtered").

use machine::time::Moment;

use super::{Effect, Health, State, Timer};

/// Silent probes in a row after which a server is asked by users too, in turn with OPTIONS: nobody may ever have known
/// that its answers are filtered, or they are since. Ours: some twenty minutes of silence.
const DOUBTS: u32 = 5;

impl Health {
    /// Whether the next probe is a user's query: always where OPTIONS is known to be filtered, in the end where it may be.
    pub(super) fn asks_users(&self) -> bool {
        let is_doubtful =
            self.state == State::Probing && self.misses > DOUBTS && self.misses.is_multiple_of(2);
        self.filtered || is_doubtful
    }

    /// Has one user ask the server; what any user learns within the time of a probe is the answer.
    pub(super) fn canvass(&mut self, now: Moment, out: &mut Vec<Effect>) {
        (self.canvassing, self.by_user) = (true, true);
        self.timers.set(Timer::Reply, now + self.timing.probe_reply);
        let (server, tier) = (self.server.name.clone(), self.server.tier);
        out.push(Effect::Canvass { server, tier, routine: self.state == State::Up });
    }

    /// No user is here who could ask: nobody needs the verdict on a server in use, and one that is down is asked by
    /// OPTIONS.
    pub(super) fn nobody(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if !std::mem::take(&mut self.canvassing) {
            return;
        }
        self.timers.stop(Timer::Reply);
        match self.state {
            State::Up | State::Suspect { .. } => self.up(now, out),
            State::Probing | State::Recovering | State::Down | State::Draining => self.options(now, out),
        }
    }
}
