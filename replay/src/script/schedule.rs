//! When a step happens: `at`, `after`, `every`, `during`, `when`.

use std::time::Duration;

use super::assert::Pattern;

/// When a step happens. The reader resolves `after` and lines without a time, so nothing relative is left.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum When {
    /// Over the whole run: a line that is not indented and stands outside the steps.
    Run,
    /// So long after the start.
    At(Duration),
    /// Again and again; `until` is the end of the run when absent.
    Every { period: Duration, from: Duration, until: Option<Duration> },
    /// `plus` after the first event that matches, once `armed` has passed. Fires once.
    On { trigger: Trigger, plus: Duration },
}

/// What a `when` line waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// A number that is unique in the script; steps with the same one hang on the same event.
    pub id: usize,
    /// Not before this time after the start.
    pub armed: Duration,
    /// The event.
    pub pattern: Pattern,
}
