//! What is wrong in a file: where, what was read, what was expected, and the nearest known word.

use std::fmt;
use std::ops::Range;

use serde_json::{Value, json};

/// Longest excerpt of a line that is printed, in characters; ours.
const EXCERPT_MAX: usize = 160;

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the user named it.
    pub file: String,
    /// Where in the file; `None` when the file itself is the problem.
    pub place: Option<Place>,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What was read there; empty when nothing was.
    pub read: String,
    /// What was expected there.
    pub expected: String,
    /// The nearest known word, or how to cure it.
    pub hint: Option<String>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line itself, without what may be a secret.
    pub excerpt: String,
    /// How many characters the caret underlines; at least 1.
    pub width: usize,
}

impl Place {
    /// The place of `span` (bytes) in `text`.
    pub fn of(text: &str, span: Range<usize>) -> Place {
        let start = floor(text, span.start);
        let end = floor(text, span.end).max(start);
        let head = text.get(..start).unwrap_or_default();
        let line_start = head.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let line_text = rest.lines().next().unwrap_or_default();
        let column = head.get(line_start..).unwrap_or_default().chars().count() + 1;
        let excerpt = without_secrets(line_text);
        let shown = excerpt.chars().count();
        let wide =
            text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default().chars().count();
        let room = (shown + 1).saturating_sub(column);
        Place { line: head.matches('\n').count() + 1, column, excerpt, width: wide.min(room).max(1) }
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The line up to the first value that may be a secret, and not absurdly long.
fn without_secrets(line: &str) -> String {
    let key_before = |eq: usize| {
        let before = line.get(..eq).unwrap_or_default().trim_end().trim_end_matches(['"', '\'']);
        before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next().unwrap_or_default()
    };
    // A mistyped `pasword` is as secret as the right one.
    let secret = |key: &str| key.contains("pass") || strsim::damerau_levenshtein(key, "password") <= 3;
    let shown = match line.match_indices('=').map(|(eq, _)| eq).find(|eq| secret(key_before(*eq))) {
        Some(eq) => format!("{} ...", line.get(..=eq).unwrap_or_default()),
        None => line.trim_end().to_string(),
    };
    match shown.char_indices().nth(EXCERPT_MAX) {
        Some((at, _)) => format!("{} ...", shown.get(..at).unwrap_or_default()),
        None => shown,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            write!(f, "{}: {}", self.file, self.what)?;
            return self.tail(f, 2);
        };
        writeln!(f, "{}:{}:{}: {}", self.file, place.line, place.column, self.what)?;
        let number = place.line.to_string();
        let gutter = number.len() + 2;
        writeln!(f, "  {number} | {}", place.excerpt)?;
        write!(f, "{:gutter$} | {:lead$}{}", "", "", "^".repeat(place.width), lead = place.column - 1)?;
        self.tail(f, gutter + 1)
    }
}

impl Fault {
    fn tail(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        if !self.read.is_empty() {
            write!(f, "\n{:indent$}read:     {}", "", self.read)?;
        }
        if !self.expected.is_empty() {
            write!(f, "\n{:indent$}expected: {}", "", self.expected)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{:indent$}hint:     {hint}", "")?;
        }
        Ok(())
    }

    /// The fault for `--json`.
    pub fn to_json(&self) -> Value {
        json!({
            "file": self.file,
            "line": self.place.as_ref().map(|place| place.line),
            "column": self.place.as_ref().map(|place| place.column),
            "what": self.what,
            "read": self.read,
            "expected": self.expected,
            "hint": self.hint,
        })
    }
}

/// The known word that is nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near =
        known.into_iter().map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate)).min()?;
    // A third of the letters may be wrong; beyond that the guess annoys more than it helps (ours).
    (near.0 <= (word.chars().count().max(near.1.chars().count()) / 3).max(1)).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_points_at_its_characters_not_bytes() {
        let text = "a = 1\nname = \"Köln\" # x\n";
        let at = text.find("# x").unwrap();
        let fault = Fault {
            file: "site.toml".into(),
            place: Some(Place::of(text, at..at + 3)),
            what: "a comment".into(),
            read: "`# x`".into(),
            expected: "none".into(),
            hint: Some("remove it".into()),
        };
        assert_eq!(
            fault.to_string(),
            "site.toml:2:15: a comment\n  2 | name = \"Köln\" # x\n    |               ^^^\n    \
             read:     `# x`\n    expected: none\n    hint:     remove it"
        );
    }

    #[test]
    fn a_password_is_not_shown() {
        let text = "{ number = \"1\", password = \"hunter2\" }";
        let place = Place::of(text, 27..36);
        assert_eq!((place.excerpt.as_str(), place.width), ("{ number = \"1\", password = ...", 3));
        for line in
            ["pasword=\"hunter2\"", "\"password\" = \"hunter2\"", "{ pwassword = 'hunter2', number = \"1\" }"]
        {
            assert!(!format!("{:?}", Place::of(line, 0..3)).contains("hunter2"), "{line}");
        }
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        assert_eq!(Place::of("ab", 90..99), Place { line: 1, column: 3, excerpt: "ab".into(), width: 1 });
        assert_eq!(Place::of("", 0..0).line, 1);
    }

    #[test]
    fn the_nearest_word_must_be_near() {
        assert_eq!(nearest("lisen", ["domain", "listen"]), Some("listen"));
        assert_eq!(nearest("colour", ["domain", "listen"]), None);
    }
}
