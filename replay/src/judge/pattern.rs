//! Patterns of events with their names looked up.

use std::sync::Arc;

use machine::note::Value;

use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::script::assert::{Mark, Pattern};
use crate::trace::Sight;

/// A pattern that can be held against events.
#[derive(Clone, Debug)]
pub struct Matcher {
    event: Arc<str>,
    user: Option<usize>,
    /// No event about another user; one about nobody, such as a link's, will do.
    among: Option<usize>,
    marks: Vec<Sign>,
}

/// One thing to be found. An OMM may be written by its site's name or by its id.
#[derive(Clone, Debug)]
struct Sign {
    /// Only in this key.
    key: Option<Arc<str>>,
    /// Also the node's name counts.
    node: bool,
    word: Arc<str>,
    /// The same as an OMM's id.
    omm: Option<String>,
}

impl Matcher {
    /// The pattern; events about other users than `among` do not fit.
    pub fn new(pattern: &Pattern, among: Option<usize>, plan: &Plan) -> Matcher {
        let omm = |word: &str| {
            plan.sites.iter().find(|site| *site.name == *word).map(|site| format!("{:08X}", site.park.pari))
        };
        let mut matcher = Matcher { event: Arc::clone(&pattern.event), user: None, among, marks: Vec::new() };
        for mark in &pattern.marks {
            let (key, node, word) = match mark {
                Mark::User(name) => {
                    matcher.user = plan.users.iter().position(|user| user.name == *name).or(Some(usize::MAX));
                    continue;
                }
                Mark::Node(name) => (None, true, name),
                Mark::Word(word) => (None, false, word),
                Mark::Key(key, word) => (Some(Arc::clone(key)), false, word),
            };
            matcher.marks.push(Sign { key, node, word: Arc::clone(word), omm: omm(word) });
        }
        matcher
    }

    /// Whether the event is one of these.
    pub fn fits(&self, sight: &Sight<'_>, ledger: &Ledger) -> bool {
        *self.event == *sight.event
            && self.marks.iter().all(|sign| sign.fits(sight))
            && (self.user.is_none() || ledger.user_of(sight) == self.user)
            && self.among.is_none_or(|among| ledger.user_of(sight).is_none_or(|user| user == among))
    }
}

impl Sign {
    fn fits(&self, sight: &Sight<'_>) -> bool {
        if self.node && *self.word == *sight.node {
            return true;
        }
        sight.fields().any(|(key, value)| {
            self.key.as_ref().is_none_or(|wanted| **wanted == *key)
                && match value {
                    // What a node's name is in a value is the other one: the server of a `register`, an OMM by its id.
                    Value::Text(text) => {
                        **text == *self.word || (self.key.is_some() && self.omm.as_ref() == Some(text))
                    }
                    Value::Number(number) => self.word.parse() == Ok(*number),
                }
        })
    }
}

/// The pattern as it was written, for reports.
pub fn tell(pattern: &Pattern) -> String {
    let marks: Vec<String> = pattern
        .marks
        .iter()
        .map(|mark| match mark {
            Mark::Node(word) | Mark::User(word) | Mark::Word(word) => word.to_string(),
            Mark::Key(key, word) => format!("{key}={word}"),
        })
        .collect();
    if marks.is_empty() {
        pattern.event.to_string()
    } else {
        format!("{}({})", pattern.event, marks.join(" "))
    }
}
