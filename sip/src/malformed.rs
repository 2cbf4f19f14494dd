//! What can be wrong with bytes that somebody else sent. Never our own fault, never a reason to stop.

use std::fmt;

/// Why bytes, or one part of a message, cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing but line ends: a keep-alive (RFC 5626 4.4.1), not a message.
    Empty,
    /// Larger than a limit; the word names the limit.
    TooLarge(&'static str),
    /// The first line is neither a request line nor a status line.
    StartLine,
    /// The first line can be understood but is not spelled as RFC 3261 7.1 wants it.
    StartLineSpacing,
    /// The header fields are not closed by an empty line.
    Unterminated,
    /// A line of the header has no colon, or no name before it.
    HeaderLine,
    /// A line ends in LF alone.
    LineEnd,
    /// A header field that must be there is not; the word is its name.
    Missing(&'static str),
    /// A header field that must be single is there twice; the word is its name.
    Repeated(&'static str),
    /// A value breaks its grammar; the word names the value.
    Syntax(&'static str),
    /// A number is larger than it may be; the word names it.
    Range(&'static str),
    /// Sound, but more than we can do; the word says what.
    Unsupported(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Empty => f.write_str("no message"),
            Malformed::TooLarge(what) => write!(f, "{what} too large"),
            Malformed::StartLine => f.write_str("no start line"),
            Malformed::StartLineSpacing => f.write_str("bad spacing in the start line"),
            Malformed::Unterminated => f.write_str("header not closed by an empty line"),
            Malformed::HeaderLine => f.write_str("header line without a name"),
            Malformed::LineEnd => f.write_str("line ends in LF alone"),
            Malformed::Missing(what) => write!(f, "{what} missing"),
            Malformed::Repeated(what) => write!(f, "more than one {what}"),
            Malformed::Syntax(what) => write!(f, "bad {what}"),
            Malformed::Range(what) => write!(f, "{what} out of range"),
            Malformed::Unsupported(what) => write!(f, "{what} not supported"),
        }
    }
}

impl std::error::Error for Malformed {}
