//! Outputs: what a run writes beside its verdict.

use super::Name;

/// Something that a run writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// `timeline`: what happened, a line an event.
    Timeline,
    /// `ladder USER`: who sent what to whom about one user.
    Ladder(Name),
    /// `json`: `result.json` and `trace.jsonl`.
    Json,
    /// `junit`: `junit.xml`.
    Junit,
}
