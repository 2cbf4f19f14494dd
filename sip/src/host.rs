//! The host of a URI or a Via: a name, an IPv4 address or an IPv6 address in brackets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::grammar;
use crate::malformed::Malformed;

/// Longest name of a host, in bytes (RFC 1035 2.3.4).
pub const HOST_MAX: usize = 255;

/// A host as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name to be looked up.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; brackets are put round it again when it is printed.
    V6(Ipv6Addr),
    /// No host: `tel:` and URIs of unknown schemes.
    Absent,
}

impl<'a> Host<'a> {
    /// Reads a host without a port. An IPv6 address needs its brackets here (RFC 5118 4.1).
    pub fn parse(text: &'a str) -> Result<Host<'a>, Malformed> {
        let bad = Malformed::Syntax("host");
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']').ok_or(bad)?;
            return ipv6(inside).map(Host::V6).ok_or(bad);
        }
        if text.is_empty() || text.len() > HOST_MAX || !grammar::all(text, grammar::HOST) {
            return Err(bad);
        }
        // A name ends in a label that begins with a letter (RFC 3261 25.1 toplabel); digits make it an address.
        let numeric = text.as_bytes().iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        if numeric { text.parse().map(Host::V4).map_err(|_| bad) } else { Ok(Host::Name(text)) }
    }

    /// Reads `host [":" port]`, with white space round the colon as a Via may have it.
    pub fn parse_with_port(text: &'a str) -> Result<(Host<'a>, Option<u16>), Malformed> {
        let after_bracket = text.rfind(']').map_or(0, |at| at + 1);
        match text.get(after_bracket..).and_then(|rest| rest.find(':')) {
            None => Ok((Host::parse(grammar::trim_end(text))?, None)),
            Some(at) => {
                let (host, port) = grammar::cut(text, after_bracket + at);
                Ok((Host::parse(grammar::trim_end(host))?, Some(port_of(grammar::trim(port))?)))
            }
        }
    }

    /// The address, when it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::V4(ip) => Some(IpAddr::V4(*ip)),
            Host::V6(ip) => Some(IpAddr::V6(*ip)),
            Host::Name(_) | Host::Absent => None,
        }
    }

    /// Whether both are the same host: names in any case, addresses by value, never a name and an address
    /// (RFC 3261 19.1.4).
    pub fn same(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Host::Name(ours), Host::Name(theirs)) => ours.eq_ignore_ascii_case(theirs),
            (Host::V4(ours), Host::V4(theirs)) => ours == theirs,
            (Host::V6(ours), Host::V6(theirs)) => ours == theirs,
            (Host::Absent, Host::Absent) => true,
            (Host::Name(_) | Host::V4(_) | Host::V6(_) | Host::Absent, _) => false,
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(ip) => write!(f, "{ip}"),
            Host::V6(ip) => write!(f, "[{ip}]"),
            Host::Absent => Ok(()),
        }
    }
}

/// Tolerates the third colon that the grammar of RFC 3261 asks for before an IPv4 tail (RFC 5118 4.10).
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    let tolerated = || text.contains('.').then(|| text.replacen(":::", "::", 1).parse().ok()).flatten();
    text.parse().ok().or_else(tolerated)
}

/// Reads a port: 1 to 5 digits, at most 65535.
pub fn port_of(text: &str) -> Result<u16, Malformed> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::Syntax("port"));
    }
    text.parse().map_err(|_| Malformed::Range("port"))
}

/// Reads an address as `received` and `maddr` carry it: IPv6 with or without brackets (RFC 5118 4.5).
pub fn address_of(text: &str) -> Option<IpAddr> {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        let name = Host::parse_with_port("Example.COM : 5070");
        assert_eq!(name, Ok((Host::Name("Example.COM"), Some(5070))));
        let v6 = Host::parse_with_port("[2001:db8::9:1]:5061").expect("an IPv6 host");
        assert_eq!((v6.0.to_string().as_str(), v6.1), ("[2001:db8::9:1]", Some(5061)));
        assert_eq!(Host::parse("192.0.2.1"), Ok(Host::V4(Ipv4Addr::new(192, 0, 2, 1))));
        for bad in [
            "",
            "2001:db8::10",
            "[2001:db8::10",
            "[]",
            "a b",
            "1.2.3",
            "300.1.1.1",
            "[:::1]",
            "h:",
            "h:65536",
        ] {
            assert!(Host::parse_with_port(bad).is_err(), "{bad}");
        }
    }
}
