//! Names of servers, as a configuration spells them.

use std::fmt;
use std::net::IpAddr;

use sip::host::Host;
use sip::target::Transport;

/// Longest name of a site or a server in characters; ours: it stands in every line of a trace.
const NAME_MAX: usize = 32;

/// A SIP server: `sip:host[:port][;transport=udp|tcp|tls]`, or `sips:host[:port]`, which is TLS and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Name or address.
    pub host: Where,
    /// The port, when the URI says one; otherwise DNS or the transport's default decides (RFC 3263 4.2).
    pub port: Option<u16>,
    /// The transport, when the URI says one; otherwise DNS decides (RFC 3263 4.1).
    pub transport: Option<Transport>,
    /// It was written as `sips:`: nothing said to it or about it may go in the clear (RFC 5630).
    pub secure: bool,
}

/// A host by name or by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// To be looked up.
    Name(String),
    /// No look-up needed.
    Address(IpAddr),
}

impl Where {
    fn read(host: &Host<'_>) -> Result<Where, String> {
        match host {
            Host::Name(name) => Ok(Where::Name(name.to_ascii_lowercase())),
            Host::V4(ip) => Ok(Where::Address(IpAddr::V4(*ip))),
            Host::V6(ip) => Ok(Where::Address(IpAddr::V6(*ip))),
            Host::Absent => Err("there is no host".into()),
        }
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Where::Name(name) => f.write_str(name),
            Where::Address(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Where::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

impl Server {
    /// Reads a server's URI. Everything that homing would have to ignore is refused.
    pub fn read(text: &str) -> Result<Server, String> {
        let mut secure = false;
        let scheme_end = text.find(':').ok_or("it has no scheme")?;
        match text.get(..scheme_end).unwrap_or_default() {
            scheme if scheme.eq_ignore_ascii_case("sip") => {}
            scheme if scheme.eq_ignore_ascii_case("sips") => secure = true,
            scheme => return Err(format!("the scheme is {scheme:?}, not sip")),
        }
        let rest = text.get(scheme_end + 1..).unwrap_or_default();
        let (place, params) =
            rest.split_once(';').map_or((rest, None), |(place, params)| (place, Some(params)));
        if place.contains('@') {
            return Err("a server has no user part".into());
        }
        let (host, port) =
            Host::parse_with_port(place).map_err(|_| format!("{place:?} is no host[:port]"))?;
        if port == Some(0) {
            return Err("port 0 is nobody's".into());
        }
        let mut transport = None;
        for param in params.unwrap_or_default().split(';').filter(|param| !param.is_empty()) {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            if !name.eq_ignore_ascii_case("transport") || transport.is_some() {
                return Err(format!("parameter {param:?} means nothing here"));
            }
            transport = match Transport::of(value) {
                Some(Transport::Udp) if secure => return Err("sips: never goes over UDP".into()),
                // `sips:x;transport=tcp` means TLS over TCP (RFC 3261 26.2.2).
                Some(known) => Some(if secure { Transport::Tls } else { known }),
                None => return Err(format!("transport {value:?} is not spoken")),
            };
        }
        if secure {
            transport = Some(Transport::Tls);
        }
        Ok(Server { host: Where::read(&host)?, port, transport, secure })
    }

    /// Reads the URI of a server that is only named, never looked for.
    pub(super) fn read_name(text: &str) -> Result<Server, String> {
        match Server::read(text)? {
            Server { transport: Some(transport), secure: false, .. } => {
                Err(format!("nothing is sent there, so transport={transport} means nothing here"))
            }
            server => Ok(server),
        }
    }

    /// The server as a Request-URI: `sip:host[:port]`.
    pub fn address(&self) -> String {
        let scheme = if self.secure { "sips" } else { "sip" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}:{}{port}", self.host)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())?;
        if let Some(transport) = self.transport.filter(|_| !self.secure) {
            write!(f, ";transport={transport}")?;
        }
        Ok(())
    }
}

pub(super) fn site_name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text.chars().find(|c| !good(*c)) {
        Some(bad) => Err(format!("{bad:?} is not allowed; names are made of a-z, 0-9 and -")),
        None if text.is_empty() => Err("it is empty".into()),
        None if text.len() > NAME_MAX => Err(format!("it is longer than {NAME_MAX} characters")),
        None => Ok(text.to_string()),
    }
}

/// Reads `host` or `host:port` of a peer to be dialled; `port` is the usual one.
pub(super) fn host_and_maybe_port(text: &str, port: u16) -> Result<String, String> {
    match Host::parse_with_port(text).map_err(|_| "it is no host:port".to_string())? {
        (_, Some(0)) => Err("port 0 is nobody's".into()),
        (Host::Absent, _) => Err("there is no host".into()),
        (host, told) => Ok(format!("{host}:{}", told.unwrap_or(port))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_printed_alike() {
        for text in [
            "sip:pbx.example.com",
            "sip:pbx.example.com:5070",
            "sip:192.0.2.1:5060;transport=tcp",
            "sip:[2001:db8::1];transport=udp",
        ] {
            assert_eq!(Server::read(text).map(|server| server.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn sips_is_tls_whatever_else_is_said() {
        for text in [
            "sips:pbx.example.com",
            "SIPS:pbx.example.com;transport=tcp",
            "sips:pbx.example.com;transport=tls",
        ] {
            let server = Server::read(text).map(|server| server.to_string());
            assert_eq!(server.as_deref(), Ok("sips:pbx.example.com"), "{text}");
            assert!(
                Server::read(text).is_ok_and(|server| server.transport == Some(Transport::Tls)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_would_have_to_be_ignored_is_refused() {
        for (text, why) in [
            ("pbx", "it has no scheme"),
            ("http://pbx", "the scheme is \"http\", not sip"),
            ("sips:pbx;transport=udp", "sips: never goes over UDP"),
            ("sip:pbx;transport=sctp", "transport \"sctp\" is not spoken"),
            ("sip:101@pbx", "a server has no user part"),
            ("sip:pbx;lr", "parameter \"lr\" means nothing here"),
            ("sip:pbx:0", "port 0 is nobody's"),
            ("sip:pbx:99999", "\"pbx:99999\" is no host[:port]"),
            ("sip:", "\"\" is no host[:port]"),
        ] {
            assert_eq!(Server::read(text), Err(why.to_string()), "{text}");
        }
        let read = |text| host_and_maybe_port(text, 12_622);
        assert_eq!(read("central.example:1").as_deref(), Ok("central.example:1"));
        assert_eq!(read("central.example").as_deref(), Ok("central.example:12622"));
        assert_eq!(read("[2001:db8::1]").as_deref(), Ok("[2001:db8::1]:12622"));
        assert_eq!(read("central.example:0"), Err("port 0 is nobody's".into()));
    }
}
