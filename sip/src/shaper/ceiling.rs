//! How many transactions may start within a second: what is set, or less where the server has refused some (ours).
//!
//! A refusal halves what was started, each second at the ceiling without one gives a quarter back, and what nobody comes
//! near for a minute is forgotten: what a server bore then says little about what it bears now.

use std::time::Duration;

use machine::time::Moment;

/// The lowest ceiling that refusals can set; a server that refuses fewer has another reason. Ours: Mitel's fixed shape
/// starts 25.
const LEAST: u32 = 10;
/// A ceiling is raised not more often than this: starts are counted by the second.
const STEP: Duration = Duration::from_secs(1);
/// When a ceiling that nobody came near is forgotten. Ours.
const LIFE: Duration = Duration::from_secs(60);

/// The ceiling of one server.
#[derive(Debug)]
pub(super) struct Ceiling {
    most: u32,
    height: u32,
    /// When it was lowered or raised last.
    set: Moment,
}

impl Ceiling {
    /// As high as it is set; at least 2, a challenge and its answer.
    pub(super) fn new(most: u32) -> Ceiling {
        let most = most.max(2);
        Ceiling { most, height: most, set: Moment::START }
    }

    /// Whether so many may have started within a second.
    pub(super) fn admits(&mut self, now: Moment, started: u32) -> bool {
        if started > self.height {
            self.raise(now);
        }
        started <= self.height
    }

    fn raise(&mut self, now: Moment) {
        let age = now.since(self.set);
        if age >= LIFE {
            self.height = self.most;
        } else if self.height < self.most && age >= STEP {
            self.height = self.height.saturating_add((self.height / 4).max(1)).min(self.most);
            self.set = now;
        }
    }

    /// The server refuses, and so many started within the last second: half of it will do.
    pub(super) fn lower(&mut self, now: Moment, started: u32) {
        if started > LEAST {
            self.height = (started.min(self.height) / 2).max(LEAST.min(self.height));
            self.set = now;
        }
    }
}
