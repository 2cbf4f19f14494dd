//! The last events as text, so that a failure can show what was around it.

use crate::trace::Sight;

/// How many events are remembered: enough to find the one of a user among those of others (ours).
const REMEMBERED: usize = 64;
/// How many events are shown before a failure, and how many after it: ten in all (scenarios, section 3).
pub const AROUND: usize = 5;

/// The last events. The texts are written over each other, so nothing is allocated in a long run.
#[derive(Clone, Debug)]
pub struct Recent {
    lines: Vec<(Option<usize>, String)>,
    next: usize,
}

impl Recent {
    /// Nothing happened yet.
    pub fn new() -> Recent {
        Recent { lines: Vec::with_capacity(REMEMBERED), next: 0 }
    }

    /// Remembers an event and the user it is about.
    pub fn see(&mut self, sight: &Sight<'_>, user: Option<usize>) {
        if self.lines.len() < REMEMBERED {
            self.lines.push((None, String::with_capacity(160)));
        }
        if let Some(slot) = self.lines.get_mut(self.next) {
            slot.0 = user;
            slot.1.clear();
            sight.print_into(&mut slot.1);
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// From the oldest to the newest.
    fn ordered(&self) -> impl DoubleEndedIterator<Item = &(Option<usize>, String)> {
        let split = if self.lines.len() < REMEMBERED { 0 } else { self.next };
        let (new, old) = self.lines.split_at(split.min(self.lines.len()));
        old.iter().chain(new)
    }

    /// The last event about this user, else the last one.
    pub fn last_about(&self, user: Option<usize>) -> Option<String> {
        let about = user.and_then(|user| self.ordered().rev().find(|(whom, _)| *whom == Some(user)));
        about.or_else(|| self.ordered().next_back()).map(|(_, line)| line.clone())
    }

    /// The last five events, oldest first.
    pub fn before(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.ordered().rev().take(AROUND).map(|(_, line)| line.clone()).collect();
        lines.reverse();
        lines
    }
}

impl Default for Recent {
    fn default() -> Recent {
        Recent::new()
    }
}
