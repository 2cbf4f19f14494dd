//! Where to send a message: a transport and a socket address.

use std::fmt;
use std::net::SocketAddr;

/// A transport that homing speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams: requests are repeated until an answer comes.
    Udp,
    /// A stream.
    Tcp,
    /// A stream inside TLS.
    Tls,
}

impl Transport {
    /// The transport called `word` in a Via or in a `transport=` parameter, in any case; none when homing does not
    /// speak it.
    pub fn of(word: &str) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .find(|transport| transport.via().eq_ignore_ascii_case(word))
    }

    /// As a Via spells it: `UDP`.
    pub fn via(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// As a URI parameter spells it: `udp`.
    pub fn word(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// Whether the transport delivers by itself, so that nothing need be repeated (RFC 3261 17).
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// 5060, or 5061 for TLS (RFC 3261 19.1.2).
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One place where a peer listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// How to get there.
    pub transport: Transport,
    /// Where it is.
    pub addr: SocketAddr,
}

impl Target {
    /// The place `addr`, reached over `transport`.
    pub fn new(transport: Transport, addr: SocketAddr) -> Target {
        Target { transport, addr }
    }
}

impl fmt::Display for Target {
    /// `udp:192.0.2.1:5060`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(Transport::of("Tcp"), Some(Transport::Tcp));
        assert_eq!(Transport::of("SCTP"), None);
        let target = Target::new(Transport::Tls, "[2001:db8::1]:5061".parse().expect("an address"));
        assert_eq!(target.to_string(), "tls:[2001:db8::1]:5061");
    }
}
