//! Where one message ends and the next begins: each ends with one NUL byte (axi 1).
//!
//! ```text
//! bytes --push--> [buffer, bounded] --next--> one message without its NUL
//! ```
//!
//! Empty messages are skipped and counted: an own one would hang a real client (axi 7.1), so none is ever written,
//! but a peer's stray NUL does no harm here. A flood of them does, and is an error.

use bytes::{Bytes, BytesMut};

use crate::error::Malformed;

/// The longest message by default, in bytes. The longest seen on real links is a list of 20 users and devices,
/// 45 kB (axi 4.3); 1 MiB leaves room for files. Ours.
pub const MESSAGE_MAX: usize = 1 << 20;
/// How many empty messages may follow each other before the peer is called broken. Ours.
pub const EMPTIES_MAX: u32 = 1000;
/// What a buffer keeps allocated when it has run empty is bounded by this. Ours.
const RESERVE: usize = 16 * 1024;

/// Cuts a byte stream into messages.
#[derive(Debug)]
pub struct Frames {
    buffer: BytesMut,
    /// So many bytes at the front hold no NUL.
    scanned: usize,
    limit: usize,
    empties_in_a_row: u32,
    empties: u64,
    broken: Option<Malformed>,
}

impl Default for Frames {
    fn default() -> Frames {
        Frames::with_limit(MESSAGE_MAX)
    }
}

impl Frames {
    /// A stream whose messages are at most `limit` bytes long, the NUL not counted.
    pub fn with_limit(limit: usize) -> Frames {
        let buffer = BytesMut::new();
        Frames { buffer, scanned: 0, limit, empties_in_a_row: 0, empties: 0, broken: None }
    }

    /// Takes in what arrived. Call [`Frames::next`] until it answers `None` before pushing more: what waits here is
    /// bounded by twice the longest message, and a peer that sends more than is taken out is cut off.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        if self.buffer.len() + bytes.len() > self.limit.saturating_mul(2).saturating_add(RESERVE) {
            return Err(self.break_off(Malformed::Flooded { limit: self.limit }));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next complete message without its NUL; `None` when more bytes are needed. An error is for good: the
    /// stream has lost its frame, so the link has to be closed.
    #[expect(clippy::should_implement_trait, reason = "`None` is not the end: more may be pushed")]
    pub fn next(&mut self) -> Option<Result<Bytes, Malformed>> {
        if let Some(broken) = &self.broken {
            return Some(Err(broken.clone()));
        }
        loop {
            let Some(found) = self.buffer.iter().skip(self.scanned).position(|byte| *byte == 0) else {
                self.scanned = self.buffer.len();
                let too_long = self.buffer.len() > self.limit;
                return too_long.then(|| Err(self.break_off(Malformed::TooLong { limit: self.limit })));
            };
            let length = self.scanned + found;
            self.scanned = 0;
            if length > self.limit {
                return Some(Err(self.break_off(Malformed::TooLong { limit: self.limit })));
            }
            let mut message = self.buffer.split_to(length + 1);
            if length > 0 {
                self.empties_in_a_row = 0;
                message.truncate(length);
                return Some(Ok(message.freeze()));
            }
            self.empties += 1;
            self.empties_in_a_row += 1;
            if self.empties_in_a_row > EMPTIES_MAX {
                return Some(Err(self.break_off(Malformed::Empties { limit: EMPTIES_MAX })));
            }
        }
    }

    /// Takes out what is buffered behind the last message, for whoever reads on in this one's place.
    pub fn rest(&mut self) -> Bytes {
        self.scanned = 0;
        self.buffer.split().freeze()
    }

    /// The stream ended: an error when it ended inside a message.
    pub fn end(&self) -> Result<(), Malformed> {
        match (&self.broken, self.buffer.len()) {
            (Some(broken), _) => Err(broken.clone()),
            (None, 0) => Ok(()),
            (None, read) => Err(Malformed::Truncated { read }),
        }
    }

    /// How many empty messages were skipped so far.
    pub fn empties(&self) -> u64 {
        self.empties
    }

    /// Drops what is buffered, so that a broken stream holds no memory, and remembers why.
    fn break_off(&mut self, why: Malformed) -> Malformed {
        self.buffer = BytesMut::new();
        self.scanned = 0;
        self.broken = Some(why.clone());
        why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(frames: &mut Frames) -> Vec<Result<Bytes, Malformed>> {
        let mut found = Vec::new();
        while let Some(message) = frames.next() {
            let stop = message.is_err();
            found.push(message);
            if stop {
                break;
            }
        }
        found
    }

    #[test]
    fn messages_come_out_whole_however_they_arrive() {
        let stream = b"<Ping seq=\"1\"/>\0<Ping/>\0";
        for step in 1..stream.len() {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for chunk in stream.chunks(step) {
                frames.push(chunk).unwrap();
                found.extend(all(&mut frames).into_iter().map(Result::unwrap));
            }
            assert_eq!(found, [&b"<Ping seq=\"1\"/>"[..], b"<Ping/>"], "in steps of {step}");
            assert_eq!(frames.end(), Ok(()));
        }
    }

    #[test]
    fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
        let mut frames = Frames::with_limit(4);
        frames.push(b"abcd\0").unwrap();
        assert_eq!(all(&mut frames), [Ok(Bytes::from_static(b"abcd"))]);
        for bytes in [&b"abcde\0"[..], b"abcde"] {
            let mut frames = Frames::with_limit(4);
            frames.push(bytes).unwrap();
            assert_eq!(all(&mut frames), [Err(Malformed::TooLong { limit: 4 })]);
            assert_eq!(frames.push(b"x"), Err(Malformed::TooLong { limit: 4 }), "the stream stays broken");
            assert!(frames.buffer.is_empty());
        }
    }

    #[test]
    fn stray_nuls_are_counted_and_a_flood_of_them_is_an_error() {
        let mut frames = Frames::default();
        frames.push(b"\0\0a\0\0b\0").unwrap();
        assert_eq!(all(&mut frames), [Ok(Bytes::from_static(b"a")), Ok(Bytes::from_static(b"b"))]);
        assert_eq!(frames.empties(), 3);
        frames.push(&[0; 4096]).unwrap();
        assert_eq!(all(&mut frames), [Err(Malformed::Empties { limit: EMPTIES_MAX })]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut frames = Frames::with_limit(1024);
        let chunk = [b'a'; 1024];
        let refused = (0..100).map(|_| frames.push(&chunk)).find(Result::is_err);
        assert_eq!(refused, Some(Err(Malformed::Flooded { limit: 1024 })));
        assert!(frames.buffer.is_empty());
    }

    #[test]
    fn an_end_inside_a_message_is_noticed() {
        let mut frames = Frames::default();
        frames.push(b"<Ping").unwrap();
        assert_eq!(frames.next(), None);
        assert_eq!(frames.end(), Err(Malformed::Truncated { read: 5 }));
    }
}
