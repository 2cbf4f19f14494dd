//! Asserts: when a claim must hold, and patterns of trace events.

use std::sync::Arc;
use std::time::Duration;

use super::Name;
use super::claim::{self, Claim, Op};
use super::cursor::{Cursor, Read};
use super::lexer::Kind;
use super::names::{Names, Sort};

/// What must be so, relative to the moment of the step it stands in.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
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

/// The words with which an assert begins.
pub const WORDS: &[&str] = &["expect", "always", "never", "eventually", "limit"];

/// The events that a trace may hold, so that a pattern with a slip of the pen is found.
pub const EVENTS: &[&str] = &[
    "absent",
    "admit",
    "alarm",
    "answer",
    "asked",
    "behave",
    "bind",
    "bound",
    "call",
    "claim",
    "confirm",
    "crash",
    "demands",
    "detached",
    "direct",
    "dropped",
    "directory",
    "edit",
    "evict",
    "expired",
    "external",
    "failback",
    "failover",
    "fault",
    "forgot",
    "forgotten",
    "guest-home",
    "link",
    "located",
    "login",
    "logout",
    "lost",
    "merge",
    "note",
    "operated",
    "probe",
    "profile",
    "query",
    "refuse",
    "refused",
    "register",
    "released",
    "removed",
    "renew",
    "replaced",
    "resolve",
    "rests",
    "server",
    "sighted",
    "silence",
    "stale",
    "start",
    "stop",
    "sync",
    "unbind",
    "unbound",
    "unlisted",
    "user",
    "watchdog",
    "withdrawn",
];

/// Reads an assert whose first word is one of [`WORDS`]. `runs` says that it stands outside the steps.
pub(super) fn read(line: &mut Cursor<'_>, names: &Names, runs: bool) -> Read<Assert> {
    match line.word("an assert")? {
        "expect" if line.take("order") => order(line, names),
        "expect" => {
            let claim = claim::read(line, names)?;
            Ok(Assert::Expect { claim, within: line.span("within")?.unwrap_or_default() })
        }
        "eventually" => {
            let claim = claim::read(line, names)?;
            line.require("within")?;
            Ok(Assert::Expect { claim, within: line.duration()? })
        }
        "always" => Ok(Assert::Always { claim: claim::read(line, names)?, span: span(line, runs)? }),
        "never" => Ok(Assert::Never { claim: claim::read(line, names)?, span: span(line, runs)? }),
        "limit" => limit(line, names),
        _ => Err(line.complain_back("this is no assert", WORDS.join(", "))),
    }
}

/// `for D`, `from D until D`, `until D` or nothing.
fn span(line: &mut Cursor<'_>, runs: bool) -> Read<Span> {
    if line.take("for") {
        return line.duration().map(Span::For);
    }
    if line.take("from") {
        let from = line.duration()?;
        line.require("until")?;
        let until = line.duration()?;
        if until < from {
            return Err(line.complain_back("this window ends before it begins", "a later time"));
        }
        return Ok(Span::Between(from, until));
    }
    Ok(if runs { Span::Run } else { Span::Onwards })
}

fn order(line: &mut Cursor<'_>, names: &Names) -> Read<Assert> {
    let user = if line.take("of") {
        let user = line.name(names, &[Sort::User])?;
        line.require(":")?;
        Some(user)
    } else {
        None
    };
    let mut events = vec![pattern(line, names)?];
    while line.take(",") {
        events.push(pattern(line, names)?);
    }
    Ok(Assert::Order { user, events, within: line.span("within")? })
}

fn limit(line: &mut Cursor<'_>, names: &Names) -> Read<Assert> {
    let metric = line.choose(
        "what is counted",
        &[
            ("registers", Metric::Registers),
            ("claims", Metric::Claims),
            ("confirms", Metric::Confirms),
            ("renewals", Metric::Renewals),
            ("alarms", Metric::Alarms),
            ("events", Metric::Events),
            ("duplicate", Metric::Duplicates),
        ],
    )?;
    if metric == Metric::Duplicates {
        line.require("registrations")?;
    }
    let at = if line.take("at") { Some(line.name(names, &[Sort::Site, Sort::Server])?) } else { None };
    Ok(Assert::Limit { metric, at, op: claim::op(line)?, value: line.number("how many")? })
}

/// `EVENT[(MARK ..)] [of U] [at NODE]`
pub(super) fn pattern(line: &mut Cursor<'_>, names: &Names) -> Read<Pattern> {
    let word = line.peek_word();
    let Some(event) = EVENTS.iter().find(|known| **known == word) else {
        let expected = "the name of a trace event such as `register`, `claim`, `confirm`";
        return Err(line.complain("no event has this name", expected).nearest_of(EVENTS.iter().copied()));
    };
    line.skip();
    let mut pattern = Pattern { event: Arc::from(*event), marks: Vec::new() };
    if line.take("(") {
        while !line.take(")") {
            pattern.marks.push(mark(line, names)?);
            line.take(",");
        }
    }
    if line.take("of") {
        pattern.marks.push(Mark::User(line.name(names, &[Sort::User])?));
    }
    if line.take("at") {
        pattern.marks.push(Mark::Node(line.name(names, &[Sort::Site, Sort::Server])?));
    }
    Ok(pattern)
}

fn mark(line: &mut Cursor<'_>, names: &Names) -> Read<Mark> {
    if line.peek().is_some_and(|token| token.kind == Kind::Quoted) {
        return Ok(Mark::Word(Arc::from(line.quoted("a value in quotes")?)));
    }
    let word = line.word("a mark of the event, or `)`")?;
    if line.take("=") {
        return Ok(Mark::Key(Arc::from(word), Arc::from(line.word("the key's value")?)));
    }
    Ok(match names.sort(word) {
        Some(Sort::Site | Sort::Server) => Mark::Node(Name::from(word)),
        Some(Sort::User) => Mark::User(Name::from(word)),
        Some(Sort::Device | Sort::Zone) | None => Mark::Word(Arc::from(word)),
    })
}
