//! The trace: one event a line, as JSON for checkers and as text for people.
//!
//! A [`Sight`] borrows what was seen and costs nothing; it is printed only where somebody reads it. The printing is
//! by hand, because it is done millions of times in a long run.

use std::fmt;
use std::io::{self, Write};

use machine::note::{Note, Value};
use machine::time::Moment;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// One event, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// Virtual time.
    pub at: Moment,
    /// The site or the registrar that wrote it.
    pub node: &'a str,
    /// Who it is about: `user/101`, `binding/101@pbx`, `link/berlin` ...
    pub who: &'a str,
    /// The event's name.
    pub event: &'a str,
    fields: Fields<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Fields<'a> {
    Live(&'a [(&'static str, Value)]),
    Kept(&'a [(String, Value)]),
}

impl<'a> Sight<'a> {
    /// A note and where it was seen.
    pub fn of(at: Moment, node: &'a str, who: &'a str, note: &'a Note) -> Sight<'a> {
        Sight { at, node, who, event: note.event, fields: Fields::Live(&note.fields) }
    }

    /// The event's own keys and values, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let (live, kept) = match self.fields {
            Fields::Live(fields) => (Some(fields), None),
            Fields::Kept(fields) => (None, Some(fields)),
        };
        let live = live.into_iter().flatten().map(|(key, value)| (*key, value));
        live.chain(kept.into_iter().flatten().map(|(key, value)| (key.as_str(), value)))
    }

    /// The text of a key.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.fields().find(|(known, _)| *known == key).and_then(|(_, value)| match value {
            Value::Text(text) => Some(text.as_str()),
            Value::Number(_) => None,
        })
    }

    /// The number of a key.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.fields().find(|(known, _)| *known == key).and_then(|(_, value)| match value {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        })
    }

    /// Writes the line of `trace.jsonl`: `t`, `node`, `who`, `event`, then the event's own keys.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{{\"t\":{},\"node\":", self.at.as_millis())?;
        quote(self.node, out)?;
        out.write_all(b",\"who\":")?;
        quote(self.who, out)?;
        out.write_all(b",\"event\":")?;
        quote(self.event, out)?;
        for (key, value) in self.fields() {
            out.write_all(b",")?;
            quote(key, out)?;
            out.write_all(b":")?;
            match value {
                Value::Text(text) => quote(text, out)?,
                Value::Number(number) => write!(out, "{number}")?,
            }
        }
        out.write_all(b"}\n")
    }

    /// Appends the line of the timeline: `02:00:00.034 berlin user/4711 claim way=said ..`.
    pub fn print_into(&self, line: &mut String) {
        let ms = self.at.as_millis();
        digits(line, ms / 3_600_000, 2);
        for (mark, number, width) in
            [(':', ms / 60_000 % 60, 2), (':', ms / 1000 % 60, 2), ('.', ms % 1000, 3)]
        {
            line.push(mark);
            digits(line, number, width);
        }
        for word in [" ", self.node, " ", self.who, " ", self.event] {
            line.push_str(word);
        }
        for (key, value) in self.fields() {
            line.push(' ');
            line.push_str(key);
            line.push('=');
            match value {
                Value::Text(text) => line.push_str(text),
                Value::Number(number) => digits(line, *number, 1),
            }
        }
    }
}

impl fmt::Display for Sight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::with_capacity(120);
        self.print_into(&mut line);
        f.write_str(&line)
    }
}

/// Appends a number with at least so many digits.
fn digits(line: &mut String, number: u64, width: u32) {
    let mut unit = 10_u64.pow(width.saturating_sub(1));
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        line.push(char::from(b'0' + (number / unit % 10) as u8));
        unit /= 10;
    }
}

/// Writes a JSON string. Almost every one needs no escape, so it is copied whole.
fn quote(text: &str, out: &mut impl Write) -> io::Result<()> {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.write_all(b"\"")?;
        out.write_all(text.as_bytes())?;
        return out.write_all(b"\"");
    }
    serde_json::to_writer(out, text).map_err(io::Error::from)
}

/// One event, owned: a line of `trace.jsonl` read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Virtual time.
    pub at: Moment,
    /// See [`Sight::node`].
    pub node: String,
    /// See [`Sight::who`].
    pub who: String,
    /// See [`Sight::event`].
    pub event: String,
    /// The event's own keys, in their order.
    pub fields: Vec<(String, Value)>,
}

impl Entry {
    /// Reads a line of `trace.jsonl`.
    ///
    /// # Errors
    /// What is wrong with the JSON, or which of `t`, `node`, `who`, `event` is missing.
    pub fn read(line: &str) -> Result<Entry, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// The entry as it was seen.
    pub fn sight(&self) -> Sight<'_> {
        let fields = Fields::Kept(&self.fields);
        Sight { at: self.at, node: &self.node, who: &self.who, event: &self.event, fields }
    }
}

impl From<Sight<'_>> for Entry {
    fn from(sight: Sight<'_>) -> Entry {
        Entry {
            at: sight.at,
            node: sight.node.to_string(),
            who: sight.who.to_string(),
            event: sight.event.to_string(),
            fields: sight.fields().map(|(key, value)| (key.to_string(), value.clone())).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entry, D::Error> {
        deserializer.deserialize_map(Line)
    }
}

struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `t`, `node`, `who` and `event`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entry, M::Error> {
        let (mut t, mut node, mut who, mut event, mut fields) = (None, None, None, None, Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "t" => t = Some(map.next_value::<u64>()?),
                "node" => node = Some(map.next_value()?),
                "who" => who = Some(map.next_value()?),
                "event" => event = Some(map.next_value()?),
                _ => fields.push((key, map.next_value::<Scalar>()?.0)),
            }
        }
        Ok(Entry {
            at: Moment::from_millis(t.ok_or_else(|| M::Error::missing_field("t"))?),
            node: node.ok_or_else(|| M::Error::missing_field("node"))?,
            who: who.ok_or_else(|| M::Error::missing_field("who"))?,
            event: event.ok_or_else(|| M::Error::missing_field("event"))?,
            fields,
        })
    }
}

struct Scalar(Value);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) if number.is_u64() => {
                Ok(Scalar(Value::Number(number.as_u64().unwrap_or_default())))
            }
            serde_json::Value::String(text) => Ok(Scalar(Value::Text(text))),
            other => Err(D::Error::custom(format!("`{other}` is neither a text nor a whole number"))),
        }
    }
}

/// Whom a `who` is about: `101` of `user/101`, `binding/101@pbx`, `phone/anna` is `anna`.
pub fn subject(who: &str) -> &str {
    let name = who.split_once('/').map_or("", |(_, name)| name);
    name.split_once('@').map_or(name, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_in_the_order_of_its_keys_and_read_back() {
        let note =
            Note::new("register").text("server", "pbx \"1\"\n").number("tier", 1_u64).text("kind", "initial");
        let sight = Sight::of(Moment::from_millis(7_200_034), "berlin", "binding/101@pbx", &note);
        let mut line = Vec::new();
        sight.write_json(&mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        let expected = r#"{"t":7200034,"node":"berlin","who":"binding/101@pbx","event":"register","server":"pbx \"1\"\n","tier":1,"kind":"initial"}"#;
        assert_eq!(line.trim_end(), expected);
        let entry = Entry::read(&line).unwrap();
        assert_eq!(entry, Entry::from(sight));
        assert_eq!(entry.sight().to_string(), sight.to_string());
    }

    #[test]
    fn the_timeline_reads_well() {
        let note = Note::new("claim").text("way", "said").number("age", 3_u64);
        let sight = Sight::of(Moment::from_millis(7_200_034), "berlin", "user/4711", &note);
        assert_eq!(sight.to_string(), "02:00:00.034 berlin user/4711 claim way=said age=3");
        let note = Note::new("x").number("none", 0_u64).number("most", u64::MAX);
        let sight = Sight::of(Moment::from_millis(360_000_000), "n", "w", &note);
        assert_eq!(sight.to_string(), "100:00:00.000 n w x none=0 most=18446744073709551615");
    }

    #[test]
    fn what_is_no_event_is_refused() {
        assert!(
            Entry::read(r#"{"t":1,"node":"a","who":"b"}"#)
                .unwrap_err()
                .to_string()
                .contains("missing field `event`")
        );
        assert!(Entry::read(r#"{"t":1,"node":"a","who":"b","event":"c","d":1.5}"#).is_err());
    }

    #[test]
    fn a_subject_is_found() {
        assert_eq!(subject("user/101"), "101");
        assert_eq!(subject("binding/101@pbx"), "101");
        assert_eq!(subject("directory"), "");
    }
}
