//! Cuts a byte stream (TCP, TLS) into messages: the head ends at the empty line, Content-Length says how much follows
//! (RFC 3261 18.3, 7.5). Between messages a client may send line ends to keep the connection alive (RFC 5626 4.4.1).
//!
//! ```text
//!   push(bytes) -> [ waiting for a head ] -> [ waiting for the body ] -> Message
//!                          |  CRLF CRLF -> KeepAlive
//!                          '- broken -> the error, again and again: close the connection
//! ```

use bytes::{Buf, Bytes, BytesMut};

use crate::head::{self, HEAD_MAX, Head, Length};
use crate::malformed::Malformed;
use crate::message::{MESSAGE_MAX, Message};

/// The answer to a [`Framed::Ping`] (RFC 5626 4.4.1).
pub const PONG: &[u8] = b"\r\n";
/// What a client sends to keep a connection alive (RFC 5626 4.4.1).
pub const PING: &[u8] = b"\r\n\r\n";

/// What a stream yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framed {
    /// One message.
    Message(Message),
    /// Two line ends: a keep-alive that wants [`PONG`].
    Ping,
    /// One line end: the answer to our [`PING`].
    Pong,
}

/// One direction of one connection.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How much of the buffer holds no end of a head.
    searched: usize,
    head: Option<Head>,
    broken: Option<Malformed>,
}

impl Framer {
    /// A framer at the beginning of a stream.
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes in what was read. What comes after an error is thrown away.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// How many bytes wait for the rest of their message. Below [`MESSAGE_MAX`] plus what one push brought, when
    /// [`Framer::next`] is called until it says none.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next thing in the stream; none when more bytes are needed.
    ///
    /// # Errors
    /// When the stream cannot be followed any more: the connection has to be closed. A message with a broken
    /// Content-Length is handed out once, so that it can be answered; the error comes with the next call.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at none; a stream goes on")]
    pub fn next(&mut self) -> Result<Option<Framed>, Malformed> {
        if let Some(why) = self.broken {
            return Err(why);
        }
        self.step().inspect_err(|why| self.fail(*why))
    }

    fn fail(&mut self, why: Malformed) {
        self.broken = Some(why);
        self.buffer = BytesMut::new();
    }

    fn step(&mut self) -> Result<Option<Framed>, Malformed> {
        if self.head.is_none() {
            if let Some(keep_alive) = self.line_ends() {
                return Ok(keep_alive);
            }
            self.head = self.find_head()?;
        }
        let Some(head) = self.head.take() else { return Ok(None) };
        let body = match head.length {
            Length::Given(length) => length,
            // "MUST be used" on streams (RFC 3261 20.14): without it nobody knows where the next message begins.
            Length::Absent => return Ok(Some(self.last(head, Malformed::Missing("Content-Length")))),
            Length::Bad(why) => return Ok(Some(self.last(head, why))),
        };
        let whole = head.end.saturating_add(body);
        if whole > MESSAGE_MAX {
            return Ok(Some(self.last(head, Malformed::TooLarge("message"))));
        }
        if self.buffer.len() < whole {
            self.head = Some(head);
            return Ok(None);
        }
        self.searched = 0;
        let bytes = self.buffer.split_to(whole).freeze();
        Ok(Some(Framed::Message(Message::assemble(bytes, head))))
    }

    /// Hands out the head that stops us.
    fn last(&mut self, head: Head, why: Malformed) -> Framed {
        let bytes: Bytes = self.buffer.split_to(head.end).freeze();
        self.fail(why);
        Framed::Message(Message::assemble(bytes, head))
    }

    /// Line ends before a message: two are a ping, one that nothing follows yet is a pong, and one right before a
    /// message is skipped. `Some(None)` when a lone CR or a first CRLF leaves it open.
    fn line_ends(&mut self) -> Option<Option<Framed>> {
        loop {
            match self.buffer.as_ref() {
                [] | [b'\r'] => return Some(None),
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.buffer.advance(PING.len());
                    return Some(Some(Framed::Ping));
                }
                // The second half of a ping may still be on its way: then the ping is the better reading.
                [b'\r', b'\n', b'\r'] => return Some(None),
                [b'\r', b'\n'] => {
                    self.buffer.advance(PONG.len());
                    return Some(Some(Framed::Pong));
                }
                [b'\r', b'\n', ..] => self.buffer.advance(PONG.len()),
                [_, ..] => return None,
            }
        }
    }

    fn find_head(&mut self) -> Result<Option<Head>, Malformed> {
        let from = self.searched.saturating_sub(PING.len() - 1);
        let unseen = self.buffer.get(from..).unwrap_or(&[]);
        match memchr::memmem::find(unseen, PING) {
            Some(_) => head::scan(&self.buffer).map(Some),
            None if self.buffer.len() > HEAD_MAX => Err(Malformed::TooLarge("header")),
            None => {
                self.searched = self.buffer.len();
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 4\r\n\r\n\r\n\r\n";
    const TWO: &str = "SIP/2.0 200 OK\r\nl: 0\r\n\r\n";

    fn names(framer: &mut Framer) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            match framer.next() {
                Ok(Some(Framed::Message(message))) => {
                    seen.push(String::from_utf8_lossy(message.bytes()).into_owned())
                }
                Ok(Some(framed)) => seen.push(format!("{framed:?}")),
                Ok(None) => return seen,
                Err(why) => {
                    seen.push(why.to_string());
                    return seen;
                }
            }
        }
    }

    #[test]
    fn messages_are_found_however_the_bytes_arrive() {
        let stream = format!("{ONE}\r\n{TWO}{TWO}");
        for size in 1..stream.len() {
            let (mut framer, mut seen) = (Framer::new(), Vec::new());
            for chunk in stream.as_bytes().chunks(size) {
                framer.push(chunk);
                seen.extend(names(&mut framer));
            }
            seen.retain(|name| name != "Pong");
            assert_eq!(seen, [ONE, TWO, TWO], "in pieces of {size}");
            assert_eq!(framer.waiting(), 0);
        }
    }

    #[test]
    fn line_ends_between_messages_keep_the_connection_alive() {
        let mut framer = Framer::new();
        framer.push(b"\r\n\r\n");
        assert_eq!(names(&mut framer), ["Ping"]);
        framer.push(b"\r\n");
        assert_eq!(names(&mut framer), ["Pong"]);
        framer.push(b"\r");
        assert_eq!(names(&mut framer), Vec::<String>::new());
        framer.push(b"\n\r\n\r\n\r\n");
        assert_eq!(names(&mut framer), ["Ping", "Ping"]);
    }

    #[test]
    fn a_stream_that_cannot_be_followed_ends() {
        let rows = [
            ("A sip:b SIP/2.0\r\nl: -9\r\n\r\nxx".to_owned(), "bad Content-Length", 2),
            ("A sip:b SIP/2.0\r\n\r\nxx".to_owned(), "Content-Length missing", 2),
            ("A sip:b SIP/2.0\r\nl: 70000\r\n\r\nxx".to_owned(), "message too large", 2),
            ("hello\r\n\r\n".to_owned(), "no start line", 1),
            (format!("A sip:b SIP/2.0\r\nX: {}", "y".repeat(33_000)), "header too large", 1),
        ];
        for (text, why, count) in rows {
            let mut framer = Framer::new();
            framer.push(text.as_bytes());
            let seen = names(&mut framer);
            assert_eq!((seen.last().map(String::as_str), seen.len()), (Some(why), count), "{text}");
            framer.push(TWO.as_bytes());
            assert_eq!(names(&mut framer), [why]);
        }
    }
}
