//! The scenario language, read into typed statements. `scenarios/LANGUAGE.md` teaches it.
//!
//! ```text
//! text -> lexer (words with their columns) -> cursor (one line) -> world | schedule -> action | assert -> Script
//! ```
//!
//! One statement a line. Names are declared before they are used; a bare number where a duration belongs is refused.
//! Every error is a [`complaint::Complaint`] that shows the line. What a later release will run is recognised and
//! refused by name, so that nobody believes it was checked.

pub mod action;
pub mod assert;
pub mod claim;
pub mod complaint;
pub mod cursor;
pub mod edit;
pub mod external;
pub mod lexer;
pub mod names;
pub mod output;
pub mod reader;
pub mod schedule;
pub mod setting;
pub mod world;

use std::sync::Arc;

/// A name that the script declares: a site, a server, a user, a device.
pub type Name = Arc<str>;

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named on the command line or by `include`.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A whole scenario: the statements in the order of the file, included files in their place.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file that was read, without those that it includes.
    pub file: Arc<str>,
    /// The first line's `# story: ...`, if there is one.
    pub story: Option<String>,
    /// What the world is made of.
    pub world: Vec<world::Declared>,
    /// What happens and what is expected, each with its time.
    pub steps: Vec<Step>,
    /// What the run is to write.
    pub outputs: Vec<output::Output>,
    /// What was accepted but is not run by this release; to be shown, never to be hidden.
    pub warnings: Vec<complaint::Complaint>,
}

/// One thing to do or to check, with its time.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it stands.
    pub place: Place,
    /// The whole line, for complaints that show only when the whole is known.
    pub source: String,
    /// The statement as written, without the time in front, for reports.
    pub text: String,
    /// When.
    pub when: schedule::When,
    /// What.
    pub deed: Deed,
}

/// An action or an assert.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Changes the world.
    Act(action::Action),
    /// Checks the world.
    Check(assert::Assert),
}
