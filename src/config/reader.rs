//! Reads tables of a TOML file key by key and collects every fault on the way.
//!
//! A [`Section`] knows which keys were asked for; what is left over when it is finished is an unknown key, which is a
//! fault: a typing error in an optional key would otherwise be obeyed silently.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Place, nearest};

/// One file being read, and what was found wrong so far.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    /// Where its lines end: ten thousand users are asked for their lines.
    breaks: Vec<usize>,
    faults: RefCell<Vec<Fault>>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Reader<'a> {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Reader { file, text, breaks, faults: RefCell::default() }
    }

    /// The file's top table; `None` when it is no TOML, and then every syntax error is a fault.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            self.fault(
                span,
                format!("not TOML: {}", error.message().replace('\n', "; ")),
                "",
                "valid TOML",
                None,
            );
        }
        errors.is_empty().then_some(table)
    }

    pub(super) fn section<'r>(
        &'r self,
        name: &str,
        table: &'r DeTable<'a>,
        span: Range<usize>,
    ) -> Section<'r, 'a> {
        Section { reader: self, name: name.into(), table, span, asked: RefCell::default() }
    }

    pub(super) fn fault(
        &self,
        span: Range<usize>,
        what: impl Into<String>,
        read: impl Into<String>,
        expected: impl Into<String>,
        hint: Option<String>,
    ) {
        self.faults.borrow_mut().push(Fault {
            file: self.file.into(),
            place: Some(Place::of(self.text, span)),
            what: what.into(),
            read: read.into(),
            expected: expected.into(),
            hint,
        });
    }

    /// Everything that was found wrong, in the order of the lines.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|fault| fault.place.as_ref().map(|place| (place.line, place.column)));
        faults
    }

    /// The line of `span`, for "first used in line 7".
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.breaks.partition_point(|at| *at < span.start) + 1
    }
}

/// One table being read.
pub(super) struct Section<'r, 'a> {
    pub(super) reader: &'r Reader<'a>,
    pub(super) name: String,
    table: &'r DeTable<'a>,
    /// Where the table begins.
    pub(super) span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r, 'a> Section<'r, 'a> {
    fn find(&self, key: &'static str) -> Option<&'r Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Whether the key is there, whatever it holds.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// Where the key's value stands.
    pub(super) fn span_of(&self, key: &'static str) -> Range<usize> {
        self.find(key).map_or(self.span.clone(), Spanned::span)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'a>>, expected: &str, hint: Option<String>) {
        let what = format!("`{key}` of {} has the wrong type", self.name);
        self.reader.fault(value.span(), what, kind(value.get_ref()), expected, hint);
    }

    fn missing(&self, key: &str, expected: &str) {
        self.reader.fault(
            self.span.clone(),
            format!("`{key}` is missing in {}", self.name),
            "",
            expected,
            None,
        );
    }

    /// A text key.
    pub(super) fn text(&self, key: &'static str, expected: &str) -> Option<At<String>> {
        let value = self.find(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(At { value: text.to_string(), span: value.span() }),
            DeValue::Integer(number) => {
                let shown = if key.contains("password") { "..." } else { number.as_str() };
                self.wrong_type(key, value, expected, Some(format!("put it in quotes: {key} = \"{shown}\"")));
                None
            }
            _ => {
                self.wrong_type(key, value, expected, None);
                None
            }
        }
    }

    /// A text key that must be there.
    pub(super) fn need_text(&self, key: &'static str, expected: &str) -> Option<At<String>> {
        if !self.has(key) {
            self.missing(key, expected);
        }
        self.text(key, expected)
    }

    /// A text key turned into something by `read`; what `read` says goes into the fault.
    pub(super) fn parsed<T, E: ToString>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<At<T>> {
        let text = self.text(key, expected)?;
        match read(&text.value) {
            Ok(value) => Some(At { value, span: text.span }),
            Err(error) => {
                let what = format!("`{key}` of {} cannot be used: {}", self.name, error.to_string());
                self.reader.fault(text.span, what, quoted(&text.value), expected, None);
                None
            }
        }
    }

    /// The same for a key that must be there.
    pub(super) fn need_parsed<T, E: ToString>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<At<T>> {
        if !self.has(key) {
            self.missing(key, expected);
        }
        self.parsed(key, expected, read)
    }

    /// A key that holds one of a few words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<At<T>> {
        let expected = one_of(words.iter().map(|(word, _)| *word));
        let text = self.text(key, &expected)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(At { value: *value, span: text.span });
        }
        let hint = nearest(&text.value, words.iter().map(|(word, _)| *word));
        let what = format!("`{key}` of {} has an unknown value", self.name);
        self.reader.fault(text.span, what, quoted(&text.value), expected, hint.map(did_you_mean));
        None
    }

    /// The same for a key that must be there.
    pub(super) fn need_word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<At<T>> {
        if !self.has(key) {
            self.missing(key, &one_of(words.iter().map(|(word, _)| *word)));
        }
        self.word(key, words)
    }

    /// A whole number within bounds, both included.
    pub(super) fn number(&self, key: &'static str, low: u64, high: u64) -> Option<At<u64>> {
        let expected = format!("a whole number from {low} to {high}");
        let value = self.find(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, &expected, None);
            return None;
        };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(found) if (low..=high).contains(&found) => Some(At { value: found, span: value.span() }),
            _ => {
                let what = format!("`{key}` of {} is out of bounds", self.name);
                self.reader.fault(value.span(), what, format!("`{number}`"), expected, None);
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<At<bool>> {
        let value = self.find(key)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            self.wrong_type(key, value, "true or false", None);
            return None;
        };
        Some(At { value: *flag, span: value.span() })
    }

    /// A duration in humantime's text within bounds, both included.
    pub(super) fn duration(&self, key: &'static str, low: Duration, high: Duration) -> Option<At<Duration>> {
        use humantime::format_duration as text;
        let expected =
            format!("a duration from {} to {}, such as \"2h 30m\" or \"250ms\"", text(low), text(high));
        let value = self.find(key)?;
        if let DeValue::Integer(number) = value.get_ref() {
            let hint = format!("a bare number has no unit; write {key} = \"{number}s\" for seconds");
            self.wrong_type(key, value, &expected, Some(hint));
            return None;
        }
        let found = self.parsed(key, &expected, humantime::parse_duration)?;
        if !(low..=high).contains(&found.value) {
            let what = format!("`{key}` of {} is out of bounds", self.name);
            self.reader.fault(found.span, what, format!("\"{}\"", text(found.value)), expected, None);
            return None;
        }
        Some(found)
    }

    /// A sub-table.
    pub(super) fn table(&self, key: &'static str) -> Option<Section<'r, 'a>> {
        let value = self.find(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(key, value, &format!("a table [{key}]"), None);
            return None;
        };
        Some(self.reader.section(&format!("[{key}]"), table, value.span()))
    }

    /// The same for a table that must be there.
    pub(super) fn need_table(&self, key: &'static str) -> Option<Section<'r, 'a>> {
        if !self.has(key) {
            self.missing(key, &format!("a table [{key}]"));
        }
        self.table(key)
    }

    /// An array of tables; empty when the key is absent.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'r, 'a>> {
        let expected = format!("tables that begin with [[{key}]]");
        let Some(value) = self.find(key) else { return Vec::new() };
        let DeValue::Array(array) = value.get_ref() else {
            let hint = matches!(value.get_ref(), DeValue::Table(_))
                .then(|| format!("write [[{key}]], twice bracketed"));
            self.wrong_type(key, value, &expected, hint);
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(array.len());
        for item in array.iter() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    sections.push(self.reader.section(&format!("[[{key}]]"), table, item.span()))
                }
                _ => self.wrong_type(key, item, &expected, None),
            }
        }
        sections
    }

    /// Names every key that nobody asked for.
    pub(super) fn finish(self) {
        let mut known = self.asked.into_inner();
        known.sort_unstable();
        known.dedup();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if known.binary_search(&name).is_err() {
                let hint = nearest(name, known.iter().copied()).map(did_you_mean);
                let what = format!("unknown key `{name}` in {}", self.name);
                self.reader.fault(key.span(), what, format!("`{name}`"), one_of(known.iter().copied()), hint);
            }
        }
    }
}

fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

/// ``one of `a`, `b` `` for messages.
fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    format!("one of {}", words.join(", "))
}

/// What was read, in quotes and not absurdly long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{:?} ...", text.get(..at).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// What kind of value it is; never the value itself, which may be a password.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
