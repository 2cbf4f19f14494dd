//! A message of our own, written from its first line to its last.
//!
//! Values are written as they are given. Line ends in them become spaces, so that nobody's text can add a header line.

use std::fmt::{self, Write};
use std::net::SocketAddr;

use bytes::Bytes;

use crate::grammar;
use crate::malformed::Malformed;
use crate::message::Message;
use crate::name::Name;

/// Room for an ordinary message, in bytes: a REGISTER with SHA-256 credentials.
const USUAL_SIZE: usize = 1024;
/// Room for the lines that an answer adds to those of its request.
const USUAL_ANSWER: usize = 256;
/// Room for the lines that it copies.
const USUAL_ECHO: usize = 640;

/// A message being written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// A request from its first line on; of a response what comes after the echo.
    text: Text,
    echo: Option<Echo>,
    body: Bytes,
}

/// What a response takes over from its request.
#[derive(Clone, Debug)]
struct Echo {
    request: Message,
    code: u16,
    reason: String,
    tag: Option<String>,
    source: Option<SocketAddr>,
}

impl Draft {
    /// A request without any header field.
    pub fn request(method: &str, uri: &str) -> Draft {
        let mut text = Text(Vec::with_capacity(USUAL_SIZE));
        text.put(method.as_bytes());
        text.put(b" ");
        text.put(uri.as_bytes());
        text.put(b" SIP/2.0");
        text.end_line();
        Draft { text, echo: None, body: Bytes::new() }
    }

    /// A response to `request` (RFC 3261 8.2.6): every Via in its order, From, To, Call-ID and CSeq are copied, for
    /// 100 the Timestamp too. [`Draft::tag`] and [`Draft::heard_from`] add what a server has to add.
    pub fn response(request: &Message, code: u16, reason: &str) -> Draft {
        let echo =
            Echo { request: request.clone(), code, reason: reason.to_owned(), tag: None, source: None };
        Draft { text: Text(Vec::with_capacity(USUAL_ANSWER)), echo: Some(echo), body: Bytes::new() }
    }

    /// In a response: gives the To this tag, unless the request had one already.
    pub fn tag(mut self, tag: &str) -> Draft {
        if let Some(echo) = &mut self.echo {
            echo.tag = Some(tag.to_owned());
        }
        self
    }

    /// In a response: notes in the topmost Via from where the request really came: `received` when its sent-by says
    /// something else (RFC 3261 18.2.1), both `received` and the value of `rport` when the client asked for it
    /// (RFC 3581 4). What a client claims there itself is replaced.
    pub fn heard_from(mut self, source: SocketAddr) -> Draft {
        if let Some(echo) = &mut self.echo {
            echo.source = Some(source);
        }
        self
    }

    /// Appends a header line. `name` is a [`Name`] or the text of another field. The Content-Type and Content-Length
    /// of a body are written by [`Draft::body`] and [`Draft::finish`].
    pub fn line(mut self, name: impl AsRef<str>, value: &str) -> Draft {
        self.text.line(name.as_ref(), value.as_bytes());
        self
    }

    /// Appends a header line, where there is something to say.
    pub fn maybe(self, name: impl AsRef<str>, value: Option<&str>) -> Draft {
        match value {
            Some(value) => self.line(name, value),
            None => self,
        }
    }

    /// Appends a header line whose value is printed: a number, or `format_args!(...)`.
    pub fn print(mut self, name: impl AsRef<str>, value: impl fmt::Display) -> Draft {
        self.text.put(name.as_ref().as_bytes());
        self.text.put(b": ");
        self.text.print(format_args!("{value}"));
        self.text.end_line();
        self
    }

    /// Appends every line of that name of `message`, byte by byte.
    pub fn copied(mut self, message: &Message, name: Name) -> Draft {
        self.text.copy(message, name);
        self
    }

    /// Gives the message a body; its Content-Type is appended here.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Draft {
        let mut draft = self.line(Name::ContentType, content_type);
        draft.body = body.into();
        draft
    }

    /// The finished bytes: Content-Length comes last.
    pub fn finish(self) -> Bytes {
        let mut text = match &self.echo {
            None => self.text,
            Some(echo) => {
                let room = USUAL_ECHO + self.text.0.len() + self.body.len();
                let mut text = Text(Vec::with_capacity(room));
                echo.write(&mut text);
                text.0.extend_from_slice(&self.text.0);
                text
            }
        };
        text.put(b"Content-Length: ");
        text.number(self.body.len());
        text.0.extend_from_slice(b"\r\n\r\n");
        text.0.extend_from_slice(&self.body);
        Bytes::from(text.0)
    }

    /// The finished message.
    ///
    /// # Errors
    /// When the method or the URI given was none, or the whole is larger than a message may be.
    pub fn message(self) -> Result<Message, Malformed> {
        Message::parse(self.finish())
    }
}

impl Echo {
    fn write(&self, text: &mut Text) {
        text.put(b"SIP/2.0 ");
        text.number(usize::from(self.code));
        text.put(b" ");
        text.put(self.reason.as_bytes());
        text.end_line();
        self.write_vias(text);
        text.copy(&self.request, Name::From);
        self.write_to(text);
        text.copy(&self.request, Name::CallId);
        text.copy(&self.request, Name::CSeq);
        if self.code == 100 {
            text.copy(&self.request, Name::Timestamp);
        }
    }

    fn write_to(&self, text: &mut Text) {
        let is_untagged = self.request.to().is_ok_and(|to| to.tag().is_none());
        match &self.tag {
            Some(tag) if is_untagged => {
                text.put(b"To: ");
                text.put(self.request.raw(Name::To).next().unwrap_or(&[]));
                text.put(b";tag=");
                text.put(tag.as_bytes());
                text.end_line();
            }
            Some(_) | None => text.copy(&self.request, Name::To),
        }
    }

    fn write_vias(&self, text: &mut Text) {
        let Some((line, noted)) = self.noted_via() else {
            text.copy(&self.request, Name::Via);
            return;
        };
        text.put(b"Via: ");
        text.put(noted.as_bytes());
        // Further values of the same line, with their comma.
        if let Some(comma) = grammar::find_outside(line, b',') {
            text.put(line.get(comma..).unwrap_or("").as_bytes());
        }
        text.end_line();
        self.request.raw(Name::Via).skip(1).for_each(|via| text.line("Via", via));
    }

    /// The first Via line, and what its first value becomes; none when there is nothing to note.
    fn noted_via(&self) -> Option<(&str, String)> {
        let source = self.source?;
        let via = self.request.via().ok()?;
        let asks = via.rport().is_some();
        if !asks && via.host.ip() == Some(source.ip()) && via.params.get("received").is_none() {
            return None;
        }
        let line = self.request.header(Name::Via)?;
        let value = line.get(..grammar::find_outside(line, b',').unwrap_or(line.len()))?;
        let sent_by = value.get(..value.find(';').unwrap_or(value.len()))?;
        let mut noted = String::with_capacity(value.len() + 64);
        noted.push_str(grammar::trim_end(sent_by));
        for (name, content) in via.params.iter() {
            // Writing to a String cannot fail.
            _ = match content {
                _ if name.eq_ignore_ascii_case("received") => Ok(()),
                _ if name.eq_ignore_ascii_case("rport") => write!(noted, ";rport={}", source.port()),
                Some(content) => write!(noted, ";{name}={content}"),
                None => write!(noted, ";{name}"),
            };
        }
        _ = write!(noted, ";received={}", source.ip());
        Some((line, noted))
    }
}

/// Bytes that never get a line end but from [`Text::end_line`].
#[derive(Clone, Debug)]
struct Text(Vec<u8>);

impl Text {
    /// Appends bytes; line ends become spaces, one for one.
    fn put(&mut self, bytes: &[u8]) {
        let start = self.0.len();
        self.0.extend_from_slice(bytes);
        if memchr::memchr2(b'\r', b'\n', bytes).is_some() {
            let new = self.0.iter_mut().skip(start);
            new.filter(|byte| matches!(**byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
        }
    }

    fn end_line(&mut self) {
        self.0.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, name: &str, value: &[u8]) {
        self.put(name.as_bytes());
        self.put(b": ");
        self.put(value);
        self.end_line();
    }

    fn copy(&mut self, message: &Message, name: Name) {
        message.raw(name).for_each(|value| self.line(name.as_str(), value));
    }

    fn print(&mut self, what: fmt::Arguments<'_>) {
        // Writing into a Vec cannot fail; a Display that claims to have failed leaves what it wrote.
        _ = self.write_fmt(what);
    }

    fn number(&mut self, number: usize) {
        self.print(format_args!("{number}"));
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(via: &str, to: &str) -> Message {
        Draft::request("OPTIONS", "sip:b@h")
            .line(Name::Via, via)
            .line("f", "<sip:a@h>;tag=1")
            .line(Name::To, to)
            .line(Name::CallId, "c")
            .print(Name::CSeq, format_args!("{} OPTIONS", 7))
            .message()
            .expect("a message")
    }

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_response_repeats_what_the_rfc_wants_and_gets_a_tag() {
        let asked = request("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "<sip:b@h>");
        let seen =
            Draft::response(&asked, 200, "OK").tag("x").line(Name::Expires, "60").body("a/b", "hi").finish();
        assert_eq!(
            text(&seen),
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:b@h>;tag=x\r\nCall-ID: c\r\nCSeq: 7 OPTIONS\r\nExpires: 60\r\nContent-Type: a/b\r\n\
             Content-Length: 2\r\n\r\nhi"
        );
        let tagged = request("SIP/2.0/UDP h", "<sip:b@h>;tag=own");
        let seen = Draft::response(&tagged, 200, "OK").tag("x").message().expect("a message");
        assert_eq!(seen.to().expect("a To").tag(), Some("own"));
    }

    #[test]
    fn the_topmost_via_tells_where_the_request_came_from() {
        let noted = |via: &str, source: &str| {
            let source = source.parse().expect("an address");
            let seen = Draft::response(&request(via, "<sip:b@h>"), 200, "OK").heard_from(source).message();
            seen.expect("a message").header(Name::Via).unwrap_or("").to_owned()
        };
        let same = "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1";
        assert_eq!(noted(same, "192.0.2.1:9999"), same);
        let name = "SIP/2.0/UDP h ;branch=z9hG4bK1 , SIP/2.0/UDP x;rport";
        assert_eq!(
            noted(name, "192.0.2.9:9999"),
            "SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.9, SIP/2.0/UDP x;rport"
        );
        let asking = "SIP/2.0/UDP [2001:db8::1];received=6.6.6.6;rport;branch=z9hG4bK1";
        assert_eq!(
            noted(asking, "[2001:db8::1]:4000"),
            "SIP/2.0/UDP [2001:db8::1];rport=4000;branch=z9hG4bK1;received=2001:db8::1"
        );
    }

    #[test]
    fn nobody_can_smuggle_a_line_in() {
        let seen = Draft::request("A", "sip:b").line("Subject", "x\r\nContact: *").print("N", "\ny").finish();
        assert_eq!(
            text(&seen),
            "A sip:b SIP/2.0\r\nSubject: x  Contact: *\r\nN:  y\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
