//! Phones that nobody knows: the server may have the file of their user, who logs in for the first time (M-2.2.7-a).
//!
//! ```text
//! asked -> waiting -> reading -> (writing) -> met: the phone's REGISTER is looked at once more
//!   \-> met at once: its file was missing a moment ago, or too many others wait
//! ```
//!
//! Whoever can reach the SIP port can be a stranger as often as he likes. So there are bounds on how many wait, how many
//! are read at a time, and a name that the server does not know is not asked for again within a minute.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use machine::time::Moment;

use super::{AT_ONCE, Effect, Epr};
use crate::ids::Number;
use crate::roaming::Ask;

/// REGISTERs of strangers that wait at a time; ours.
pub const STRANGERS_MAX: usize = 256;
/// Their files that are read at a time: half of all, so that nobody holds up the rounds of the authority. Ours.
pub const STRANGERS_AT_ONCE: usize = AT_ONCE / 2;
/// How long a missing file is not asked for again on behalf of a stranger. Ours: as between two reads of SM-7.
pub const REST: Duration = Duration::from_secs(60);
/// Missing files that are remembered; ours. Beyond it the oldest is forgotten.
pub const MISSING_MAX: usize = 1024;

/// Who waits, and who was not found.
#[derive(Clone, Debug, Default)]
pub(super) struct Strangers {
    /// REGISTERs by the name in them: at most [`STRANGERS_MAX`].
    asks: BTreeMap<Number, Vec<Ask>>,
    /// Names whose files have yet to be read: each has somebody in `asks`.
    queue: VecDeque<Number>,
    /// Names without a file, and since when: at most [`MISSING_MAX`].
    missing: BTreeMap<Number, Moment>,
}

impl Strangers {
    /// Whether some have to be read yet.
    pub(super) fn is_any(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Everybody who waits.
    pub(super) fn names(&self) -> Vec<Number> {
        self.asks.keys().cloned().collect()
    }

    fn is_rest(&mut self, now: Moment, name: &Number) -> bool {
        self.missing.retain(|_, since| now.since(*since) < REST);
        self.missing.contains_key(name)
    }
}

impl Epr {
    /// A phone that nobody knows says that it is this user's.
    pub(super) fn stranger(&mut self, now: Moment, name: Number, ask: Ask, out: &mut Vec<Effect>) {
        let waiting: usize = self.strangers.asks.values().map(Vec::len).sum();
        if !self.policy.enabled || self.strangers.is_rest(now, &name) {
            return out.push(Effect::Met { ask, is_answered: true });
        }
        if waiting >= STRANGERS_MAX {
            return out.push(Effect::Met { ask, is_answered: false });
        }
        let asks = self.strangers.asks.entry(name.clone()).or_default();
        asks.push(ask);
        if asks.len() == 1 {
            self.strangers.queue.push_back(name);
        }
    }

    /// The stranger whose file is read next.
    pub(super) fn next_stranger(&mut self) -> Option<Number> {
        let asks = &self.strangers.asks;
        if self.busy.keys().filter(|name| asks.contains_key(*name)).count() >= STRANGERS_AT_ONCE {
            return None;
        }
        // One that is being read on somebody's behalf is answered by that.
        while let Some(name) = self.strangers.queue.pop_front() {
            if !self.busy.contains_key(&name) {
                return Some(name);
            }
        }
        None
    }

    /// This became of the file, or nothing: whoever waits for it need not wait any more.
    pub(super) fn meet(&mut self, name: &Number, is_answered: bool, out: &mut Vec<Effect>) {
        let asks = self.strangers.asks.remove(name).unwrap_or_default();
        if !asks.is_empty() {
            self.strangers.queue.retain(|waiting| waiting != name);
        }
        out.extend(asks.into_iter().map(|ask| Effect::Met { ask, is_answered }));
    }

    /// The server has no such file, and there is no such user.
    pub(super) fn is_missing(&mut self, now: Moment, name: &Number) {
        if !self.strangers.asks.contains_key(name) {
            return;
        }
        let missing = &mut self.strangers.missing;
        if missing.len() >= MISSING_MAX
            && let Some(oldest) =
                missing.iter().min_by_key(|(_, since)| **since).map(|(name, _)| name.clone())
        {
            missing.remove(&oldest);
        }
        missing.insert(name.clone(), now);
    }
}
