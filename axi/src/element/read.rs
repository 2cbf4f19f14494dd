//! Bytes become an element, or a named error; never a panic, never more memory than the limits allow.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::escape::{EscapeError, resolve_xml_entity};
use quick_xml::events::attributes::{Attribute, Attributes};
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;

use crate::element::{ATTRIBUTES_MAX, DEPTH_MAX, ELEMENTS_MAX, Element, NAME_MAX};
use crate::error::Malformed;

/// Up to so many attributes are compared with each other one by one; more are sorted first.
const FEW: usize = 24;

/// Reads the one element that `bytes` holds.
pub(super) fn element(bytes: &[u8]) -> Result<Element<'_>, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|bad| Malformed::Utf8 { at: bad.valid_up_to() })?;
    if bytes.iter().any(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Err(Malformed::Character);
    }
    let mut reading = Reading { open: Vec::new(), root: None, elements: 0, attributes: 0 };
    let mut reader = Reader::from_str(text);
    loop {
        let from = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|bad| named(&bad, reader.error_position(), bytes.len()))?;
        // The events borrow from themselves; to borrow from the message, the tag is cut out of it.
        let tag = text.get(from..reader.buffer_position() as usize).unwrap_or_default();
        match event {
            Event::Start(_) => reading.open(tag.strip_suffix('>').unwrap_or(tag), from)?,
            Event::Empty(_) => {
                let element = reading.start(tag.strip_suffix("/>").unwrap_or(tag), from)?;
                reading.close(element)?;
            }
            Event::End(_) => {
                let element = reading.open.pop().ok_or(Malformed::NotOneElement)?;
                reading.close(element)?;
            }
            Event::Text(content) => reading.text(content.into_inner())?,
            Event::GeneralRef(reference) => {
                let character = resolve(&reference)?;
                reading.text(Cow::Owned(character.to_string()))?;
            }
            Event::CData(_) => return Err(Malformed::Forbidden("CDATA")),
            Event::Comment(_) => return Err(Malformed::Forbidden("a comment")),
            Event::Decl(_) => return Err(Malformed::Forbidden("an XML declaration")),
            Event::PI(_) => return Err(Malformed::Forbidden("a processing instruction")),
            Event::DocType(_) => return Err(Malformed::Forbidden("a DTD")),
            Event::Eof => break,
        }
    }
    match (reading.root, reading.open.is_empty()) {
        (Some(root), true) => Ok(root),
        (None, true) => Err(Malformed::NotOneElement),
        (_, false) => Err(Malformed::Truncated { read: bytes.len() }),
    }
}

/// How far the reading has come.
struct Reading<'a> {
    open: Vec<Element<'a>>,
    root: Option<Element<'a>>,
    elements: usize,
    attributes: usize,
}

impl<'a> Reading<'a> {
    fn open(&mut self, tag: &'a str, at: usize) -> Result<(), Malformed> {
        let element = self.start(tag, at)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(Malformed::Deep { limit: DEPTH_MAX });
        }
        self.open.push(element);
        Ok(())
    }

    /// Reads `<name a="b" c="d"`.
    fn start(&mut self, tag: &'a str, at: usize) -> Result<Element<'a>, Malformed> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(Malformed::Elements { limit: ELEMENTS_MAX });
        }
        let tag = tag.strip_prefix('<').unwrap_or(tag);
        let name_len = tag.find([' ', '\t', '\r', '\n']).unwrap_or(tag.len());
        let mut element = Element::new(name(tag.get(..name_len).unwrap_or_default())?);
        let mut attributes = Attributes::new(tag, name_len);
        for attribute in attributes.with_checks(false) {
            self.attributes += 1;
            if self.attributes > ATTRIBUTES_MAX {
                return Err(Malformed::Attributes { limit: ATTRIBUTES_MAX });
            }
            let attribute = attribute.map_err(|_| Malformed::Xml { at })?;
            let key = name(attribute.key.into_inner())?;
            let value = unescape(attribute)?;
            if element.attributes.len() < FEW && element.get(key).is_some() {
                return Err(Malformed::Duplicate { attribute: key.to_owned() });
            }
            element.attributes.push((Cow::Borrowed(key), value));
        }
        if element.attributes.len() > FEW {
            many_differ(&element)?;
        }
        Ok(element)
    }

    fn close(&mut self, mut element: Element<'a>) -> Result<(), Malformed> {
        // Blanks between children are layout, not text.
        if !element.children.is_empty() && element.text.trim_ascii().is_empty() {
            element.text = Cow::Borrowed("");
        }
        match (self.open.last_mut(), &self.root) {
            (Some(parent), _) => parent.children.push(element),
            (None, None) => self.root = Some(element),
            (None, Some(_)) => return Err(Malformed::NotOneElement),
        }
        Ok(())
    }

    fn text(&mut self, text: Cow<'a, str>) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(parent) if parent.text.is_empty() => parent.text = text,
            Some(parent) => parent.text.to_mut().push_str(&text),
            None if text.trim_ascii().is_empty() => {}
            None => return Err(Malformed::NotOneElement),
        }
        Ok(())
    }
}

/// Checks a name: ASCII letters, digits and `_-.:`, the first no digit, `-` or `.`. Every real name is one.
fn name(text: &str) -> Result<&str, Malformed> {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':');
    let sane = text.bytes().all(|byte| letter(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let started = text.bytes().next().is_some_and(letter);
    if started && sane && text.len() <= NAME_MAX { Ok(text) } else { Err(Malformed::Name) }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is quick-xml's, and the rest of it is one thing to us"
)]
fn unescape(attribute: Attribute<'_>) -> Result<Cow<'_, str>, Malformed> {
    if !attribute.value.bytes().any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')) {
        return Ok(attribute.value);
    }
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|bad| match bad {
        Error::Escape(EscapeError::InvalidCharRef(_)) => Malformed::Character,
        _ => Malformed::Entity,
    })?;
    // A reference can name what the bytes may not hold.
    if value.chars().any(forbidden) { Err(Malformed::Character) } else { Ok(value) }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, Malformed> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) if forbidden(character) => Err(Malformed::Character),
        Ok(Some(character)) => Ok(character),
        Ok(None) => {
            resolve_xml_entity(reference).and_then(|text| text.chars().next()).ok_or(Malformed::Entity)
        }
        Err(_) => Err(Malformed::Character),
    }
}

/// Characters that XML 1.0 does not know (section 2.2).
fn forbidden(character: char) -> bool {
    matches!(character, '\0'..'\t' | '\x0b'..='\x0c' | '\x0e'..' ' | '\u{fffe}' | '\u{ffff}')
}

fn many_differ(element: &Element<'_>) -> Result<(), Malformed> {
    let mut names: Vec<&str> = element.attributes().map(|(name, _)| name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(Malformed::Duplicate {
            attribute: pair.first().map_or_else(String::new, |n| (*n).to_owned()),
        }),
        None => Ok(()),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is quick-xml's, and the rest of it is one thing to us"
)]
fn named(bad: &Error, at: u64, read: usize) -> Malformed {
    match bad {
        Error::Syntax(
            SyntaxError::UnclosedTag
            | SyntaxError::UnclosedSingleQuotedAttributeValue
            | SyntaxError::UnclosedDoubleQuotedAttributeValue,
        )
        | Error::IllFormed(IllFormedError::MissingEndTag(_)) => Malformed::Truncated { read },
        Error::IllFormed(IllFormedError::UnclosedReference) => Malformed::Entity,
        _ => Malformed::Xml { at: at as usize },
    }
}
