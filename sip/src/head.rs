//! Where the lines of a message begin and end: one pass over the bytes, nothing is copied.

use std::ops::Range;

use crate::grammar::{self, is_space};
use crate::malformed::Malformed;
use crate::name::Name;

/// Most header lines of one message. RFC 3261 has no limit; ours is far above any message seen in the field.
pub(crate) const LINES_MAX: usize = 256;
/// Largest header section, in bytes, start line included. Ours: what fits a datagram with room for a body.
pub(crate) const HEAD_MAX: usize = 32 * 1024;

/// A piece of the message, as offsets from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    fn of(range: Range<usize>) -> Span {
        // Heads end below HEAD_MAX, so nothing is cut off here.
        Span { start: range.start as u32, end: range.end as u32 }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One header field: what it is called, and where name and value stand (white space round the value left out).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: Name,
    pub(crate) label: Span,
    pub(crate) value: Span,
}

/// The first line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Request { method: Span, uri: Span, version: Span },
    Response { version: Span, code: u16, reason: Span },
}

/// What Content-Length says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is none.
    Absent,
    /// So many bytes.
    Given(usize),
    /// It is no number, too large a number, or two numbers.
    Bad(Malformed),
}

/// A scanned header section.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) start: Start,
    pub(crate) lines: Vec<Line>,
    /// Where the body begins.
    pub(crate) end: usize,
    /// Whether some value goes on in a further line.
    pub(crate) folded: bool,
    pub(crate) length: Length,
    /// The first thing that is wrong but did not keep us from reading on.
    pub(crate) fault: Option<Malformed>,
}

/// Scans a message that begins with its start line.
pub(crate) fn scan(bytes: &[u8]) -> Result<Head, Malformed> {
    let first = line_end(bytes, 0).ok_or(Malformed::Unterminated)?;
    let (start, spacing) = start_line(bytes, 0..first.text)?;
    let mut head = Head {
        start,
        lines: Vec::with_capacity(16),
        end: 0,
        folded: false,
        length: Length::Absent,
        fault: spacing.or(first.fault),
    };
    let mut at = first.next;
    loop {
        if at == bytes.len() {
            // The datagram ends with its last field: enough to answer by, not enough to serve (RFC 4475's own baddn).
            head.fault = head.fault.or(Some(Malformed::Unterminated));
            head.end = at;
            return Ok(head);
        }
        let line = line_end(bytes, at).ok_or(if bytes.len() > HEAD_MAX {
            Malformed::TooLarge("header")
        } else {
            Malformed::Unterminated
        })?;
        head.fault = head.fault.or(line.fault);
        if line.text == at {
            head.end = line.next;
            return Ok(head);
        }
        at = head.field(bytes, at, line)?;
    }
}

/// One physical line: where its text ends, where the next one begins.
#[derive(Clone, Copy)]
struct End {
    text: usize,
    next: usize,
    fault: Option<Malformed>,
}

fn line_end(bytes: &[u8], from: usize) -> Option<End> {
    let limit = bytes.len().min(HEAD_MAX);
    let feed = from + memchr::memchr(b'\n', bytes.get(from..limit)?)?;
    match feed.checked_sub(1).filter(|&at| at >= from && bytes.get(at) == Some(&b'\r')) {
        Some(text) => Some(End { text, next: feed + 1, fault: None }),
        None => Some(End { text: feed, next: feed + 1, fault: Some(Malformed::LineEnd) }),
    }
}

impl Head {
    /// Takes in the field that begins at `from`, its continuation lines included; says where the next one begins.
    fn field(&mut self, bytes: &[u8], from: usize, first: End) -> Result<usize, Malformed> {
        let mut last = first;
        while matches!(bytes.get(last.next), Some(b' ' | b'\t')) {
            last = line_end(bytes, last.next).ok_or(Malformed::Unterminated)?;
            self.fault = self.fault.or(last.fault);
            self.folded = true;
        }
        if self.lines.len() == LINES_MAX {
            return Err(Malformed::TooLarge("number of header fields"));
        }
        let colon = bytes.get(from..last.text).and_then(|text| memchr::memchr(b':', text));
        let label =
            colon.map(|colon| from..trim_end(bytes, from, from + colon)).filter(|label| !label.is_empty());
        match (colon, label) {
            (Some(colon), Some(label)) if !is_space(bytes[from]) => {
                let end = trim_end(bytes, from + colon + 1, last.text);
                let start = trim_start(bytes, from + colon + 1, end);
                let name = bytes.get(label.clone()).map_or(Name::Other, Name::of);
                if name == Name::Other && !is_name(bytes.get(label.clone()).unwrap_or(&[])) {
                    self.fault = self.fault.or(Some(Malformed::HeaderLine));
                }
                if name == Name::ContentLength {
                    self.length = self.length.with(bytes.get(start..end).unwrap_or(&[]));
                }
                self.lines.push(Line { name, label: Span::of(label), value: Span::of(start..end) });
            }
            _ => self.fault = self.fault.or(Some(Malformed::HeaderLine)),
        }
        Ok(last.next)
    }
}

impl Length {
    /// What is known when one more Content-Length has been seen. The same number twice is still one number, but
    /// RFC 3261 7.3.1 allows a single field only (RFC 4475 3.3.9).
    fn with(self, digits: &[u8]) -> Length {
        if self != Length::Absent {
            return Length::Bad(Malformed::Repeated("Content-Length"));
        }
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Length::Bad(Malformed::Syntax("Content-Length"));
        }
        let number = digits.iter().try_fold(0_usize, |sum, digit| {
            sum.checked_mul(10).and_then(|sum| sum.checked_add(usize::from(digit - b'0')))
        });
        number.map_or(Length::Bad(Malformed::Range("Content-Length")), Length::Given)
    }
}

fn trim_start(bytes: &[u8], start: usize, end: usize) -> usize {
    let text = bytes.get(start..end).unwrap_or(&[]);
    start + text.iter().take_while(|&&byte| is_space(byte)).count()
}

fn trim_end(bytes: &[u8], start: usize, end: usize) -> usize {
    let text = bytes.get(start..end).unwrap_or(&[]);
    end - text.iter().rev().take_while(|&&byte| is_space(byte)).count()
}

/// A field name is a token (RFC 3261 25.1 extension-header).
fn is_name(label: &[u8]) -> bool {
    std::str::from_utf8(label).is_ok_and(grammar::is_token)
}

/// Reads the first line; says too whether its parts are separated by anything but single spaces.
fn start_line(bytes: &[u8], line: Range<usize>) -> Result<(Start, Option<Malformed>), Malformed> {
    let text = bytes.get(line.clone()).unwrap_or(&[]);
    let space = memchr::memchr(b' ', text).ok_or(Malformed::StartLine)?;
    if text.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(text, space).map(|start| (start, None));
    }
    let end = trim_end(text, 0, text.len());
    let last = memchr::memrchr(b' ', text.get(..end).unwrap_or(&[])).ok_or(Malformed::StartLine)?;
    let is_version = text.get(last + 1..last + 5).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/"));
    let (uri_start, uri_end) = (trim_start(text, space, last), trim_end(text, space, last));
    if !is_version || space == 0 || uri_start >= uri_end {
        return Err(Malformed::StartLine);
    }
    let is_clean = end == text.len() && uri_start == space + 1 && uri_end == last;
    let start = Start::Request {
        method: Span::of(0..space),
        uri: Span::of(uri_start..uri_end),
        version: Span::of(last + 1..end),
    };
    Ok((start, (!is_clean).then_some(Malformed::StartLineSpacing)))
}

/// `SIP/2.0 SP 3DIGIT SP reason`; the last space may be missing when the reason is (seen in the field).
fn status_line(text: &[u8], space: usize) -> Result<Start, Malformed> {
    let code = text.get(space + 1..space + 4).ok_or(Malformed::StartLine)?;
    let reason_at = match text.get(space + 4) {
        None => space + 4,
        Some(b' ') => space + 5,
        Some(_) => return Err(Malformed::StartLine),
    };
    if !code.iter().all(u8::is_ascii_digit) || !(b'1'..=b'6').contains(&code[0]) {
        return Err(Malformed::StartLine);
    }
    let code = code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    Ok(Start::Response { version: Span::of(0..space), code, reason: Span::of(reason_at..text.len()) })
}
