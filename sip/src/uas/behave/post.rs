//! Answers that leave later than they were written: late, twice, or overtaken by others.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use machine::chance::Chance;
use machine::time::Moment;

use crate::target::Target;

/// Answers that may wait; one more leaves at once. Ours: ten seconds of 6,000 answers a second.
const WAITING_MAX: usize = 65_536;
/// How long after an answer its copy leaves. Ours: long enough to be somewhere else by then.
const COPY_AFTER: Duration = Duration::from_millis(50);
/// Within which time answers overtake each other. Ours.
const SHUFFLE: Duration = Duration::from_millis(200);

/// What is done to the times of answers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habit {
    pub(super) late: Duration,
    pub(super) twice: bool,
    pub(super) shuffled: bool,
}

/// The answers that have not left yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Post {
    waiting: BTreeMap<(Moment, u64), (Target, Bytes)>,
    serial: u64,
}

impl Post {
    /// Puts an answer into the post; what leaves at once is handed back.
    pub(super) fn put(
        &mut self,
        now: Moment,
        habit: Habit,
        chance: &mut Chance,
        letter: (Target, Bytes),
    ) -> Vec<(Target, Bytes)> {
        let mut at_once = Vec::new();
        let copy_after = habit.twice.then_some(COPY_AFTER);
        for extra in std::iter::once(Duration::ZERO).chain(copy_after) {
            let shuffle =
                if habit.shuffled { chance.between(Duration::ZERO, SHUFFLE) } else { Duration::ZERO };
            let pause = habit.late + extra + shuffle;
            if pause.is_zero() || self.waiting.len() >= WAITING_MAX {
                at_once.push(letter.clone());
            } else {
                self.serial += 1;
                self.waiting.insert((now + pause, self.serial), letter.clone());
            }
        }
        at_once
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next answer that is due.
    pub(super) fn due(&mut self, now: Moment) -> Option<(Target, Bytes)> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// Everything that waits is lost.
    pub(super) fn lose(&mut self) {
        self.waiting.clear();
    }
}
