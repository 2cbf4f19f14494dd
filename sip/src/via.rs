//! `Via`: over which way a request came, and where its responses go (RFC 3261 18.2, 20.42; RFC 3581).

use std::net::IpAddr;

use crate::grammar;
use crate::host::{self, Host};
use crate::malformed::Malformed;
use crate::param::Params;

/// How branches begin that RFC 3261 8.1.1.7 makes unique.
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// A view of one Via value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// The transport as written: `UDP`, `TLS`, or one that we do not know.
    pub transport: &'a str,
    /// The host of sent-by.
    pub host: Host<'a>,
    /// The port of sent-by, when one is given.
    pub port: Option<u16>,
    /// Everything behind it.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one value: `SIP / 2.0 / transport sent-by *(;param)`, with white space wherever the RFC lets it be.
    pub fn parse(text: &'a str) -> Result<Via<'a>, Malformed> {
        let bad = Malformed::Syntax("Via");
        let (name, rest) = text.split_once('/').ok_or(bad)?;
        let (version, rest) = rest.split_once('/').ok_or(bad)?;
        if !grammar::trim(name).eq_ignore_ascii_case("SIP") || grammar::trim(version) != "2.0" {
            return Err(bad);
        }
        let rest = grammar::trim_start(rest);
        let end = rest.bytes().position(grammar::is_space).ok_or(bad)?;
        let (transport, rest) = grammar::cut(rest, end);
        let rest = grammar::trim_start(rest);
        let end = memchr::memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
        let (sent_by, params) = (rest.get(..end).ok_or(bad)?, rest.get(end..).ok_or(bad)?);
        if !grammar::is_token(transport) {
            return Err(bad);
        }
        let (host, port) = Host::parse_with_port(grammar::trim_end(sent_by))?;
        Ok(Via { transport, host, port, params: Params::parse(params)? })
    }

    /// The transaction's name, when there is one.
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch")
    }

    /// The branch, when it was made after RFC 3261: it begins with [`MAGIC_COOKIE`] and goes on.
    pub fn unique_branch(&self) -> Option<&'a str> {
        let has_cookie = |branch: &&str| {
            branch.get(..MAGIC_COOKIE.len()).is_some_and(|cookie| cookie.eq_ignore_ascii_case(MAGIC_COOKIE))
        };
        self.branch().filter(has_cookie).filter(|branch| branch.len() > MAGIC_COOKIE.len())
    }

    /// The address from which the request came, as the next hop saw it; IPv6 with or without brackets
    /// (RFC 5118 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        host::address_of(self.params.get("received")?)
    }

    /// `rport` (RFC 3581): none when it is absent, `Some(None)` when it asks, `Some(Some(port))` when it answers.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|text| host::port_of(text).ok())
    }

    /// The address to which responses shall go instead (RFC 3261 18.2.2).
    pub fn maddr(&self) -> Option<&'a str> {
        self.params.get("maddr")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_may_stand_nearly_everywhere() {
        let seen = Via::parse("SIP  / 2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ; branch = 390skdjuw;rport")
            .expect("a Via");
        assert_eq!(
            (seen.transport, seen.host.to_string().as_str(), seen.port),
            ("UDP", "192.0.2.2", Some(5070))
        );
        assert_eq!(
            (seen.branch(), seen.unique_branch(), seen.rport()),
            (Some("390skdjuw"), None, Some(None))
        );
    }

    #[test]
    fn received_may_be_ipv6_with_or_without_brackets() {
        for text in ["2001:db8::9:255", "[2001:db8::9:255]"] {
            let text = format!("SIP/2.0/UDP [2001:db8::9:1];received={text};branch=z9hG4bKas3;rport=5060");
            let seen = Via::parse(&text).expect("a Via");
            assert_eq!(seen.received(), "2001:db8::9:255".parse().ok());
            assert_eq!((seen.unique_branch(), seen.rport()), (Some("z9hG4bKas3"), Some(Some(5060))));
        }
    }

    #[test]
    fn broken_vias_are_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/3.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0 UDP h",
            "SIP/2.0/UDP h;;",
            "SIP/2.0/ h",
        ] {
            assert!(Via::parse(bad).is_err(), "{bad}");
        }
    }
}
