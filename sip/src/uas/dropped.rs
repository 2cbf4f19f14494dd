//! The datagrams that get no answer.

/// Why a datagram gets no answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Drop {
    /// Line ends only (RFC 5626 4.4.1; phones also send zeros).
    KeepAlive,
    /// Not a SIP message, or one that cannot be answered.
    Malformed,
    /// A response that cannot be used.
    Unusable,
    /// An ACK: never answered (RFC 3261 17).
    Ack,
    /// A copy of a request that is being dealt with.
    Copy,
    /// Told to be silent.
    Silenced,
}

impl Drop {
    /// The word for traces and counters.
    pub fn word(self) -> &'static str {
        match self {
            Drop::KeepAlive => "keep-alive",
            Drop::Malformed => "malformed",
            Drop::Unusable => "unusable",
            Drop::Ack => "ack",
            Drop::Copy => "copy",
            Drop::Silenced => "silenced",
        }
    }
}
