//! One line being read: takes words from the left and complains about what does not fit.

use std::sync::Arc;
use std::time::Duration;

use super::action::Ends;
use super::complaint::{Complaint, Severity};
use super::lexer::{Kind, Token, tokens};
use super::names::{Names, Sort};
use super::{Name, Place};

/// What reading a part of a line comes to.
pub type Read<T> = Result<T, Box<Complaint>>;

/// A line being read.
pub struct Cursor<'a> {
    /// Where the line stands.
    pub place: Place,
    line: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    mark: usize,
}

impl<'a> Cursor<'a> {
    /// At the first word of the line.
    pub fn new(place: Place, line: &'a str) -> Cursor<'a> {
        Cursor { place, line, tokens: tokens(line), next: 0, mark: 0 }
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.next >= self.tokens.len()
    }

    /// The next token.
    pub fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    /// The next token if it is a word, else an empty text.
    pub fn peek_word(&self) -> &'a str {
        self.peek().filter(|token| token.kind == Kind::Word).map_or("", |token| token.text)
    }

    /// What is left of the line, as written, for reports.
    pub fn rest(&self) -> &'a str {
        let end = self.tokens.last().map_or(0, |token| token.end);
        self.peek().map_or("", |token| &self.line[token.start..end])
    }

    /// The whole line.
    pub fn source(&self) -> &'a str {
        self.line.trim_end()
    }

    /// Takes the next token if its text is this.
    pub fn take(&mut self, text: &str) -> bool {
        let fits = self.peek().is_some_and(|token| token.text == text && token.kind != Kind::Quoted);
        self.next += usize::from(fits);
        fits
    }

    /// The texts of the tokens before this word, or to the end of the line; they are not taken. See [`Cursor::go_to`].
    pub fn until(&mut self, stop: &str) -> Vec<&'a str> {
        self.mark = self.next;
        let rest = self.tokens.iter().skip(self.next);
        rest.take_while(|token| token.text != stop || token.kind == Kind::Quoted)
            .map(|token| token.text)
            .collect()
    }

    /// Goes to so many tokens behind where [`Cursor::until`] was asked.
    pub fn go_to(&mut self, count: usize) {
        self.next = self.mark + count;
    }

    /// Takes exactly this word or mark.
    pub fn require(&mut self, text: &str) -> Read<()> {
        if self.take(text) {
            return Ok(());
        }
        Err(self.complain("something is missing", format!("`{text}`")).nearest_of([text]))
    }

    /// Takes one of these words and says which; `what` is what they are called together.
    pub fn choose<T: Copy>(&mut self, what: &str, choices: &[(&'static str, T)]) -> Read<T> {
        let word = self.peek_word();
        match choices.iter().find(|(known, _)| *known == word) {
            Some((_, choice)) => {
                self.next += 1;
                Ok(*choice)
            }
            None => {
                let words = choices.iter().map(|(known, _)| *known);
                let expected = format!("{what}: {}", words.clone().collect::<Vec<_>>().join(", "));
                Err(self.complain("this word is not known here", expected).nearest_of(words))
            }
        }
    }

    /// Takes any word; `what` says what it should be.
    pub fn word(&mut self, what: &str) -> Read<&'a str> {
        match self.peek() {
            Some(token) if token.kind == Kind::Word => {
                self.next += 1;
                Ok(token.text)
            }
            _ => Err(self.complain("something is missing", what)),
        }
    }

    /// Takes a `"text"`.
    pub fn quoted(&mut self, what: &str) -> Read<&'a str> {
        match self.peek() {
            Some(token) if token.kind == Kind::Quoted => {
                self.next += 1;
                Ok(token.text)
            }
            Some(token) if token.kind == Kind::Unclosed => {
                Err(self.complain("the text does not end", format!("{what}, ending with `\"`")))
            }
            Some(token) if token.kind == Kind::Word => {
                let hint = format!("write \"{}\"", token.text);
                Err(self.complain("a text stands in quotes", what).hint(hint))
            }
            _ => Err(self.complain("something is missing", what)),
        }
    }

    /// Takes the name of something declared above, of one of these sorts.
    pub fn name(&mut self, names: &Names, sorts: &[Sort]) -> Read<Name> {
        let what = sorts.iter().map(|sort| sort.article()).collect::<Vec<_>>().join(" or ");
        let known = names.of(sorts);
        let word = self.peek_word();
        if let Some(name) = names.find(word, sorts) {
            self.next += 1;
            return Ok(name);
        }
        let expected = if known.is_empty() {
            format!("{what} declared above")
        } else {
            format!("{what} declared above: {}", listed(&known))
        };
        let complaint = match names.sort(word) {
            _ if word.is_empty() => self.complain("a name is missing", expected),
            Some(sort) => self.complain(&format!("this is {}", sort.article()), expected),
            None => self.complain(
                &format!("there is no {} of this name", sorts.first().map_or("thing", |s| s.noun())),
                expected,
            ),
        };
        Err(complaint.nearest_of(known))
    }

    /// Takes a new name and declares it.
    pub fn declare(&mut self, names: &mut Names, sort: Sort) -> Read<Name> {
        let word = self.peek_word();
        let good = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
        let telling = word.chars().any(char::is_alphabetic);
        if word.is_empty() || !good || !telling || word == "all" {
            let expected = format!(
                "a name for {}: letters, digits, `-`, `_`, `.`, with at least one letter",
                sort.article()
            );
            let complaint = self.complain("this is no name", expected);
            let hint = format!("write `user NAME number {word}`");
            return Err(if !word.is_empty() && !telling { complaint.hint(hint) } else { complaint });
        }
        match names.declare(word, sort, self.place.line) {
            Ok(name) => {
                self.next += 1;
                Ok(name)
            }
            Err(first) => Err(self
                .complain("this name is taken", format!("a new name for {}", sort.article()))
                .hint(format!("`{word}` was declared on line {first}"))),
        }
    }

    /// Takes `A-B`, a declared link.
    pub fn link(&mut self, names: &Names) -> Read<Ends> {
        self.take("link");
        match names.link(self.peek_word()) {
            Some(ends) => {
                self.next += 1;
                Ok(ends)
            }
            None => {
                let known = names.links();
                let words: Vec<&str> = known.iter().map(String::as_str).collect();
                let expected = match words.as_slice() {
                    [] => "a link declared above".into(),
                    words => format!("a link declared above: {}", listed(words)),
                };
                Err(self.complain("there is no link of this name", expected).nearest_of(words))
            }
        }
    }

    /// Takes a duration: one or more words such as `2h 30m`.
    pub fn duration(&mut self) -> Read<Duration> {
        const WHAT: &str = "a duration such as `30s`, `250ms` or `2h 30m`";
        let word = self.peek_word();
        if word.is_empty() {
            return Err(self.complain("a duration is missing", WHAT));
        }
        if word.parse::<f64>().is_ok() {
            let hint = format!("write {word}s for seconds, {word}m for minutes, {word}ms for milliseconds");
            return Err(self.complain("a bare number is no duration", WHAT).hint(hint));
        }
        let mut total = match humantime::parse_duration(word) {
            Ok(span) => span,
            Err(_) => return Err(self.complain("this is no duration", WHAT)),
        };
        self.next += 1;
        while let Ok(more) = humantime::parse_duration(self.peek_word()) {
            if self.peek_word() == "0" {
                break;
            }
            total = total.saturating_add(more);
            self.next += 1;
        }
        Ok(total)
    }

    /// Takes `KEYWORD D` if the keyword is next.
    pub fn span(&mut self, keyword: &str) -> Read<Option<Duration>> {
        if self.take(keyword) { self.duration().map(Some) } else { Ok(None) }
    }

    /// Takes a duration with a sign, in milliseconds.
    pub fn signed(&mut self) -> Read<i64> {
        let word = self.peek_word();
        let (sign, bare) = match word.strip_prefix('-') {
            Some(bare) => (-1, bare),
            None => (1, word.strip_prefix('+').unwrap_or(word)),
        };
        match humantime::parse_duration(bare) {
            Ok(span) if bare.parse::<f64>().is_err() => {
                self.next += 1;
                Ok(sign * i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
            }
            _ => {
                Err(self
                    .complain("this is no time difference", "a duration with a sign such as `+10m` or `-3s`"))
            }
        }
    }

    /// Takes a whole number.
    pub fn number(&mut self, what: &str) -> Read<u64> {
        match self.peek_word().parse() {
            Ok(number) => {
                self.next += 1;
                Ok(number)
            }
            Err(_) => Err(self.complain("a whole number is missing", what)),
        }
    }

    /// Takes a whole number of at most `u32::MAX`.
    pub fn count(&mut self, what: &str) -> Read<u32> {
        match self.peek_word().parse() {
            Ok(number) => {
                self.next += 1;
                Ok(number)
            }
            Err(_) => Err(self.complain("a whole number is missing", what)),
        }
    }

    /// Takes a bandwidth such as `1000kbit`, in kbit/s.
    pub fn bandwidth(&mut self) -> Read<u32> {
        match self.peek_word().strip_suffix("kbit").and_then(|number| number.parse().ok()) {
            Some(number @ 1..) => {
                self.next += 1;
                Ok(number)
            }
            Some(0) | None => Err(self.complain("this is no bandwidth", "kbit/s such as `1000kbit`")),
        }
    }

    /// Takes a share such as `0.1%`, in millionths.
    pub fn share(&mut self) -> Read<u32> {
        const WHAT: &str = "a share between `0%` and `100%`";
        let word = self.peek_word();
        let percent = word.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        match percent {
            Some(percent) if (0.0..=100.0).contains(&percent) => {
                self.next += 1;
                Ok((percent * 10_000.0).round() as u32)
            }
            Some(_) => Err(self.complain("this is no share", WHAT)),
            None if word.parse::<f64>().is_ok() => {
                Err(self.complain("a share needs its sign", WHAT).hint(format!("write {word}%")))
            }
            None => Err(self.complain("this is no share", WHAT)),
        }
    }

    /// Nothing may be left.
    pub fn finish(&self) -> Read<()> {
        if self.is_done() {
            Ok(())
        } else {
            Err(self.complain("the statement was complete", "the end of the line"))
        }
    }

    /// A complaint about the next token, or about the end of the line.
    pub fn complain(&self, what: &str, expected: impl Into<String>) -> Box<Complaint> {
        let end = self.tokens.last().map_or(0, |token| token.end);
        let after_last = self.line[..end].chars().count() + 2;
        let (read, column, width) = match self.peek() {
            Some(token) => (token.text, token.column, token.width()),
            None => ("", after_last, 1),
        };
        self.build(Severity::Error, column, width, what, read, expected.into())
    }

    /// A complaint about the token before the next one.
    pub fn complain_back(&self, what: &str, expected: impl Into<String>) -> Box<Complaint> {
        match self.next.checked_sub(1).and_then(|index| self.tokens.get(index)) {
            Some(token) => {
                self.build(Severity::Error, token.column, token.width(), what, token.text, expected.into())
            }
            None => self.complain(what, expected),
        }
    }

    /// "`upgrade` comes with a later release", about the next token.
    pub fn unsupported(&self, instead: &str) -> Box<Complaint> {
        let word = self.peek().map_or("", |token| token.text);
        let mut complaint = self.complain(&format!("`{word}` comes with a later release"), "");
        complaint.severity = Severity::Unsupported;
        if instead.is_empty() { complaint } else { complaint.hint(instead) }
    }

    /// The same as a warning: the line is left out, the run goes on.
    pub fn warning(&self) -> Box<Complaint> {
        let mut complaint = self.unsupported("it is left out of this run");
        complaint.severity = Severity::Warning;
        complaint
    }

    /// Passes the next token by.
    pub fn skip(&mut self) {
        self.next += 1;
    }

    fn build(
        &self,
        severity: Severity,
        column: usize,
        width: usize,
        what: &str,
        read: &str,
        expected: String,
    ) -> Box<Complaint> {
        Box::new(Complaint {
            severity,
            file: Arc::clone(&self.place.file),
            line: self.place.line,
            column,
            width,
            source: self.line.trim_end().to_string(),
            what: what.to_string(),
            read: read.to_string(),
            expected,
            nearest: None,
            hint: None,
        })
    }
}

/// The first ten of a list.
fn listed(words: &[&str]) -> String {
    match words.get(..10) {
        Some(first) if words.len() > 10 => format!("{} .. ({} in all)", first.join(", "), words.len()),
        _ => words.join(", "),
    }
}
