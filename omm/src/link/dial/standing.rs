//! Where the remote's end stands, and what is shown of it (SM-1R, "Health shown").

use super::{Dial, Effect, Health, State};

impl Dial {
    /// Stands there from now on.
    pub(super) fn turn_to(&mut self, state: State, out: &mut Vec<Effect>) {
        self.state = state;
        match state {
            State::Download(_) | State::Upload(_) | State::InSync(_) => {}
            State::Off | State::Dialling | State::Opening | State::Wait | State::Held(_) => {
                self.records = None
            }
        }
        let health = match (state, self.shown) {
            (State::Off, _) => Health::Off,
            (State::Dialling | State::Opening, Health::Off | Health::Refused(_)) => Health::Connecting,
            // A new attempt changes nothing until it succeeds or fails.
            (State::Dialling | State::Opening, shown) => shown,
            (State::Download(_) | State::Upload(_), _) => Health::Synchronising(self.records.unwrap_or(0)),
            (State::InSync(_), _) => self.records.map_or(Health::InSync, Health::Synchronising),
            (State::Wait, Health::Synchronising(_) | Health::InSync | Health::Lost) => Health::Lost,
            (State::Wait, Health::Off | Health::Refused(_) | Health::Connecting | Health::Held(_)) => {
                Health::Connecting
            }
            (State::Held(held), _) => Health::Held(held),
        };
        self.show(health, out);
    }

    pub(super) fn show(&mut self, health: Health, out: &mut Vec<Effect>) {
        if health != self.shown {
            self.shown = health;
            out.push(Effect::Health(health));
        }
    }
}
