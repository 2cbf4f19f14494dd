//! One line of a trace, as data: the event's name and its own keys, in the order in which they are printed.
//!
//! The names and keys are part of homing's outer surface: outside checkers read them (`trace.jsonl`). A note never
//! holds a secret.

use std::fmt;
use std::time::Duration;

/// What somebody who watches a machine is told of one input or effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The event's name: `claim`, `register`, `bound` ...
    pub event: &'static str,
    /// The event's own keys, in printing order.
    pub fields: Vec<(&'static str, Value)>,
}

/// The value of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word or a sentence.
    Text(String),
    /// A count, a code, a number of seconds or milliseconds (the key says which).
    Number(u64),
}

impl Note {
    /// A note without keys.
    pub fn new(event: &'static str) -> Note {
        Note { event, fields: Vec::new() }
    }

    /// The same note with a text key appended.
    pub fn text(mut self, key: &'static str, value: impl fmt::Display) -> Note {
        self.fields.push((key, Value::Text(value.to_string())));
        self
    }

    /// The same note with a numeric key appended.
    pub fn number(mut self, key: &'static str, value: impl Into<u64>) -> Note {
        self.fields.push((key, Value::Number(value.into())));
        self
    }

    /// The same note with a key in whole seconds appended.
    pub fn seconds(self, key: &'static str, value: Duration) -> Note {
        self.number(key, value.as_secs())
    }
}

impl fmt::Display for Note {
    /// `claim user=101 owner=102A7C82`, as the timeline prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event)?;
        for (key, value) in &self.fields {
            match value {
                Value::Text(text) => write!(f, " {key}={text}")?,
                Value::Number(number) => write!(f, " {key}={number}")?,
            }
        }
        Ok(())
    }
}
