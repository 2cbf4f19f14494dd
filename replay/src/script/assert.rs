//! Asserts: when a claim must hold, and patterns of trace events.

use std::sync::Arc;
use std::time::Duration;

use super::Name;
use super::claim::{Claim, Op};

/// What must be so, relative to the moment of the step it stands in.
#[derive(Clone, Debug, PartialEq)]
pub enum Assert {
    /// `expect CLAIM [within D]` and `eventually CLAIM within D`: it holds now, or at some moment of the next D.
    Expect { claim: Claim, within: Duration },
    /// `always CLAIM [from D until D]`: it never stops holding.
    Always { claim: Claim, span: Span },
    /// `never CLAIM [for D]`: it never begins to hold.
    Never { claim: Claim, span: Span },
    /// `expect order [of U:] EVENT, EVENT .. [within D]`: events with these marks are seen in this order.
    Order { user: Option<Name>, events: Vec<Pattern>, within: Option<Duration> },
    /// `limit METRIC [at P] op VALUE`, judged at the end.
    Limit { metric: Metric, at: Option<Name>, op: Op, value: u64 },
}

/// Over which time an `always` or `never` is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The whole run (a line that is not indented).
    Run,
    /// From the step's moment to the end.
    Onwards,
    /// From the step's moment for so long.
    For(Duration),
    /// Between two moments after the start.
    Between(Duration, Duration),
}

/// A trace event to wait for: its name and what else must be found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The event's name as in the trace: `register`, `claim`, `confirm` ...
    pub event: Arc<str>,
    /// All of these must be found.
    pub marks: Vec<Mark>,
}

/// One thing to be found in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The node that wrote it.
    Node(Name),
    /// The user it is about.
    User(Name),
    /// One of its values is this word.
    Word(Arc<str>),
    /// The value of this key is this word.
    Key(Arc<str>, Arc<str>),
}

/// Something that is counted over the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// REGISTER requests sent by OMMs (`at P`: to that server).
    Registers,
    /// Claims made.
    Claims,
    /// Confirms sent.
    Confirms,
    /// Renewals asked for.
    Renewals,
    /// Alarms raised.
    Alarms,
    /// Trace events.
    Events,
    /// The largest number of surplus registrations that one user ever had.
    Duplicates,
}
