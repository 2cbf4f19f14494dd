//! One SIP message: the bytes as they came, and views into them.
//!
//! A message is scanned once: where its lines begin and end. What a line means is read when somebody asks. The bytes
//! are never changed, so what came is what is printed. A message is shared, not copied, when it is cloned.
//!
//! Two kinds of bytes would make text views awkward, and get a copy with the same offsets: a folded line end becomes
//! spaces (RFC 3261 7.3.1 says it is one), a byte that is not UTF-8 becomes DEL, which no token and no URI may hold.
//! Copying out of a message ([`Message::raw`]) always gives the true bytes.
//!
//! The only file that names the crate `rsip`. It lends its words (methods, reason phrases), never its parser: that
//! one knows no IPv6 in URIs, no folding and no short forms.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use bytestring::ByteString;

use crate::address::NameAddr;
use crate::contact::{Contact, Contacts};
use crate::cseq::Cseq;
use crate::delta::{self, RetryAfter};
use crate::grammar;
use crate::head::{self, Head, Length, Line, Span, Start};
use crate::malformed::Malformed;
use crate::name::Name;
use crate::via::Via;

/// Largest message, in bytes: the largest datagram (RFC 3261 18.1.1 asks for 65,535 with its headers); the same for
/// streams.
pub const MESSAGE_MAX: usize = 65_535;

/// A request or a response.
#[derive(Clone)]
pub struct Message(Arc<Parts>);

struct Parts {
    bytes: Bytes,
    /// The header section as text: the same bytes, or a copy with the same offsets.
    text: ByteString,
    head: Head,
    /// Whether the body is as long as Content-Length says.
    is_whole: bool,
}

impl Message {
    /// Reads one datagram. Line ends before the start line are skipped (RFC 3261 7.5), bytes behind the body are cut
    /// off, and without Content-Length the body goes to the end (18.3).
    ///
    /// # Errors
    /// When no answer could be made or matched: no start line, a header section that breaks off within a line, a
    /// limit exceeded, or nothing but line ends. Everything else is a matter for [`Message::verdict`].
    pub fn parse(mut datagram: Bytes) -> Result<Message, Malformed> {
        let blank = datagram.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank == datagram.len() {
            return Err(Malformed::Empty);
        }
        if datagram.len() > MESSAGE_MAX {
            return Err(Malformed::TooLarge("message"));
        }
        if blank > 0 {
            drop(datagram.split_to(blank));
        }
        let head = head::scan(&datagram)?;
        Ok(Message::assemble(datagram, head))
    }

    /// Puts a scanned head and the bytes it was scanned from together.
    pub(crate) fn assemble(mut bytes: Bytes, head: Head) -> Message {
        let there = bytes.len() - head.end;
        let is_whole = match head.length {
            Length::Given(length) => {
                bytes.truncate(head.end.saturating_add(length));
                length <= there
            }
            Length::Absent => true,
            Length::Bad(_) => false,
        };
        let text = text_of(&bytes, &head);
        Message(Arc::new(Parts { bytes, text, head, is_whole }))
    }

    /// The whole message, exactly as it came.
    pub fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.0.head.start, Start::Request { .. })
    }

    /// The method of a request. Methods have case.
    pub fn method(&self) -> Option<&str> {
        match self.0.head.start {
            Start::Request { method, .. } => Some(self.text(method)),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI, as written.
    pub fn request_uri(&self) -> Option<&str> {
        match self.0.head.start {
            Start::Request { uri, .. } => Some(self.text(uri)),
            Start::Response { .. } => None,
        }
    }

    /// The status code of a response, 100 to 699.
    pub fn code(&self) -> Option<u16> {
        match self.0.head.start {
            Start::Request { .. } => None,
            Start::Response { code, .. } => Some(code),
        }
    }

    /// The reason phrase of a response; may be empty.
    pub fn reason(&self) -> Option<&str> {
        match self.0.head.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => Some(self.text(reason)),
        }
    }

    /// The protocol version of the start line: `SIP/2.0`.
    pub fn version(&self) -> &str {
        match self.0.head.start {
            Start::Request { version, .. } | Start::Response { version, .. } => self.text(version),
        }
    }

    /// The first line of that name.
    pub fn header(&self, name: Name) -> Option<&str> {
        self.headers(name).next()
    }

    /// Every line of that name, in order.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = &str> {
        self.lines(name).map(|line| self.text(line.value))
    }

    /// Every value of that name, in order: lists are split at their commas. Not for the fields in which a comma is
    /// no separator: Date and the four of authentication.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &str> {
        self.headers(name).flat_map(grammar::list)
    }

    /// The true bytes of every line of that name, in order, folds included.
    pub fn raw(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.lines(name).map(|line| self.0.bytes.get(line.value.range()).unwrap_or(&[]))
    }

    /// Every line of a field that is no [`Name`], in order; the field is compared in any case.
    pub fn other(&self, label: &str) -> impl Iterator<Item = &str> {
        self.lines(Name::Other)
            .filter(move |line| self.text(line.label).eq_ignore_ascii_case(label))
            .map(|line| self.text(line.value))
    }

    /// Every header line in order: its name, the name as written, its value.
    pub fn all_headers(&self) -> impl Iterator<Item = (Name, &str, &str)> {
        self.0.head.lines.iter().map(|line| (line.name, self.text(line.label), self.text(line.value)))
    }

    /// The names of all lines, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = Name> {
        self.0.head.lines.iter().map(|line| line.name)
    }

    /// The topmost Via.
    pub fn via(&self) -> Result<Via<'_>, Malformed> {
        Via::parse(self.values(Name::Via).next().ok_or(Malformed::Missing("Via"))?)
    }

    /// The From.
    pub fn from(&self) -> Result<NameAddr<'_>, Malformed> {
        NameAddr::parse(self.single(Name::From)?)
    }

    /// The To.
    pub fn to(&self) -> Result<NameAddr<'_>, Malformed> {
        NameAddr::parse(self.single(Name::To)?)
    }

    /// The Call-ID.
    pub fn call_id(&self) -> Result<&str, Malformed> {
        let text = self.single(Name::CallId)?;
        let mut words = text.split('@');
        let is_word = |word: Option<&str>| {
            word.is_none_or(|word| !word.is_empty() && grammar::all(word, grammar::WORD))
        };
        let sound = is_word(words.next()) && is_word(words.next()) && words.next().is_none();
        if sound { Ok(text) } else { Err(Malformed::Syntax("Call-ID")) }
    }

    /// The CSeq.
    pub fn cseq(&self) -> Result<Cseq<'_>, Malformed> {
        Cseq::parse(self.single(Name::CSeq)?)
    }

    /// All Contact values.
    ///
    /// # Errors
    /// When one of them cannot be read. [`Message::readable_contacts`] is for answers that list what others said.
    pub fn contacts(&self) -> Result<Contacts<'_>, Malformed> {
        Contacts::read(self.values(Name::Contact))
    }

    /// The Contact values that can be read: the 2xx of a registrar lists other people's contacts too, and ours must
    /// be found among them however broken those are.
    pub fn readable_contacts(&self) -> impl Iterator<Item = Contact<'_>> {
        self.values(Name::Contact).filter_map(|value| Contact::parse(value).ok())
    }

    /// Expires in seconds.
    pub fn expires(&self) -> Option<Result<u32, Malformed>> {
        self.header(Name::Expires).map(delta::seconds)
    }

    /// Min-Expires in seconds.
    pub fn min_expires(&self) -> Option<Result<u32, Malformed>> {
        self.header(Name::MinExpires).map(delta::seconds)
    }

    /// Retry-After.
    pub fn retry_after(&self) -> Option<Result<RetryAfter<'_>, Malformed>> {
        self.header(Name::RetryAfter).map(RetryAfter::parse)
    }

    /// Max-Forwards: 0 to 255 (RFC 3261 20.22).
    pub fn max_forwards(&self) -> Option<Result<u8, Malformed>> {
        self.header(Name::MaxForwards).map(|text| {
            let hops = delta::seconds(text).map_err(|_| Malformed::Syntax("Max-Forwards"))?;
            u8::try_from(hops).map_err(|_| Malformed::Range("Max-Forwards"))
        })
    }

    /// The body; shorter than Content-Length says when the datagram was.
    pub fn body(&self) -> &[u8] {
        self.0.bytes.get(self.0.head.end..).unwrap_or(&[])
    }

    /// Whether the method is one of those that RFC 3261 and its extensions define.
    pub fn has_known_method(&self) -> bool {
        self.method().is_some_and(is_known_method)
    }

    /// The first line of a field that may be there once only.
    pub(crate) fn single(&self, name: Name) -> Result<&str, Malformed> {
        self.header(name).ok_or(Malformed::Missing(name.as_str()))
    }

    /// What Content-Length says, and whether the body is as long.
    pub(crate) fn length(&self) -> (Length, bool) {
        (self.0.head.length, self.0.is_whole)
    }

    /// What scanning found wrong without giving up.
    pub(crate) fn scan_fault(&self) -> Option<Malformed> {
        self.0.head.fault
    }

    fn lines(&self, name: Name) -> impl Iterator<Item = &Line> {
        self.0.head.lines.iter().filter(move |line| line.name == name)
    }

    fn text(&self, span: Span) -> &str {
        self.0.text.get(span.range()).unwrap_or("")
    }
}

/// The whole message, for logs; what is not UTF-8 becomes U+FFFD. Credentials in it are digests, never passwords.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0.bytes))
    }
}

/// The start line only.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            Some(code) => write!(f, "Message({code} {})", self.reason().unwrap_or("")),
            None => {
                write!(f, "Message({} {})", self.method().unwrap_or(""), self.request_uri().unwrap_or(""))
            }
        }
    }
}

/// Two messages are equal when their bytes are.
impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.0.bytes == other.0.bytes
    }
}

impl Eq for Message {}

/// The header section as text with unchanged offsets.
fn text_of(bytes: &Bytes, head: &Head) -> ByteString {
    if !head.folded
        && let Ok(text) = ByteString::try_from(bytes.slice(..head.end))
    {
        return text;
    }
    let mut text = String::with_capacity(head.end);
    for chunk in bytes.get(..head.end).unwrap_or(&[]).utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\x7f'));
    }
    for (fold, spaces) in [("\r\n ", "   "), ("\r\n\t", "   "), ("\n ", "  "), ("\n\t", "  ")] {
        if text.contains(fold) {
            text = text.replace(fold, spaces);
        }
    }
    text.into()
}

/// What RFC 3261 and its extensions say to a status code; for one that they do not know, what they say to x00 of its
/// class (8.1.3.2), or nothing.
pub fn phrase(code: u16) -> &'static str {
    static PHRASES: LazyLock<BTreeMap<u16, String>> = LazyLock::new(|| {
        let known = (100..700).map(rsip::StatusCode::from);
        let known = known.filter(|status| !matches!(status, rsip::StatusCode::Other(..)));
        known.map(|status| (status.code(), spaced(&format!("{status:?}")))).collect()
    });
    PHRASES.get(&code).or_else(|| PHRASES.get(&(code / 100 * 100))).map_or("", String::as_str)
}

/// `CamelCase` as words: rsip's names are the phrases without their spaces.
fn spaced(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && words.ends_with(|last: char| last.is_ascii_lowercase()) {
            words.push(' ');
        }
        words.push(letter);
    }
    words
}

/// Whether RFC 3261 or one of its extensions defines the method. Methods have case.
pub fn is_known_method(method: &str) -> bool {
    static METHODS: LazyLock<Vec<String>> =
        LazyLock::new(|| rsip::Method::all().iter().map(rsip::Method::to_string).collect());
    METHODS.iter().any(|known| known == method)
}

#[cfg(test)]
mod tests;
