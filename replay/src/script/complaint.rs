//! What is wrong with a line, shown with the line.
//!
//! ```text
//! roam.scn:12:24: error: there is no site of this name
//!    |
//! 12 | at 30m  locate anna at berln
//!    |                        ^^^^^
//!    = read `berln`, expected a site declared above: aachen, berlin, central
//!    = did you mean `berlin`?
//! ```

use std::fmt;
use std::sync::Arc;

use super::Place;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The line is wrong.
    Error,
    /// The line is right, but this release does not run it; to run the rest would be a lie.
    Unsupported,
    /// The line is right and is left out without changing the verdict.
    Warning,
}

/// What is wrong with a line. Columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The first character that is meant.
    pub column: usize,
    /// How many characters are meant.
    pub width: usize,
    /// The whole line.
    pub source: String,
    /// What is wrong, in a few words.
    pub what: String,
    /// What was read there; empty at the end of a line.
    pub read: String,
    /// What was expected there.
    pub expected: String,
    /// The nearest word that would have been right.
    pub nearest: Option<String>,
    /// What to write.
    pub hint: Option<String>,
}

impl Complaint {
    /// About a statement, `text` in the line `source`, found when the line itself was right.
    pub fn about(
        place: &Place,
        source: &str,
        text: &str,
        what: &str,
        expected: impl Into<String>,
    ) -> Complaint {
        let before = source.find(text).map_or("", |at| &source[..at]);
        Complaint {
            severity: Severity::Error,
            file: Arc::clone(&place.file),
            line: place.line,
            column: before.chars().count() + 1,
            width: text.chars().count(),
            source: source.to_string(),
            what: what.to_string(),
            read: text.to_string(),
            expected: expected.into(),
            nearest: None,
            hint: None,
        }
    }

    /// The same complaint with a hint.
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Complaint> {
        self.hint = Some(hint.into());
        self
    }

    /// The same complaint with the nearest of the words that would have been right.
    pub fn nearest_of<'a>(mut self: Box<Self>, words: impl IntoIterator<Item = &'a str>) -> Box<Complaint> {
        self.nearest = nearest(&self.read, words).map(str::to_string);
        self
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Unsupported => "not yet",
            Severity::Warning => "warning",
        };
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{}:{}:{}: {severity}: {}", self.file, self.line, self.column, self.what)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.source)?;
        // Tabs are kept, so that the caret stands where the eye expects it.
        let lead: String = self
            .source
            .chars()
            .take(self.column.saturating_sub(1))
            .map(|c| if c == '\t' { c } else { ' ' })
            .collect();
        write!(f, "{gutter} | {lead}{}", "^".repeat(self.width.max(1)))?;
        if !self.expected.is_empty() {
            let read =
                if self.read.is_empty() { "the end of the line".into() } else { format!("`{}`", self.read) };
            write!(f, "\n{gutter} = read {read}, expected {}", self.expected)?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "\n{gutter} = did you mean `{nearest}`?")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{gutter} = hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Complaint {}

/// The word most like `read`, if one is like it at all: at most a third of its letters differ.
pub fn nearest<'a>(read: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (read.chars().count().max(3)) / 3;
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&read.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= limit && *word != read)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("berln", ["aachen", "berlin"]), Some("berlin"));
        assert_eq!(nearest("Restrat", ["start", "restart"]), Some("restart"));
        assert_eq!(nearest("xyz", ["aachen", "berlin"]), None);
    }
}
