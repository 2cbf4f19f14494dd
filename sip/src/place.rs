//! A place that somebody names in a URI: a registrar that sends us elsewhere, say. Where it is, the DNS knows (RFC 3263).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::host::Host;
use crate::target::{Target, Transport};
use crate::uri::{Scheme, Uri};

/// Where to go, as a URI says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name or address, in lower case; an IPv6 address without brackets.
    pub host: Arc<str>,
    /// The port, when the URI says one; otherwise the DNS or the transport's default decides (RFC 3263 4.2).
    pub port: Option<u16>,
    /// The transport, when the URI says one; otherwise the DNS decides (RFC 3263 4.1).
    pub transport: Option<Transport>,
    /// The URI is `sips:`.
    pub secure: bool,
}

impl Place {
    /// What this URI names; `None` when it is neither `sip:` nor `sips:`, or asks for a transport that homing does not
    /// speak.
    pub fn of(uri: &Uri<'_>) -> Option<Place> {
        let told = uri.param("transport").map(|word| Transport::of(word).ok_or(())).transpose().ok()?;
        let (transport, secure) = match uri.scheme {
            // Whatever it says beside: TLS (RFC 3261 26.2.2).
            Scheme::Sips => (Some(Transport::Tls), true),
            Scheme::Sip => (told, false),
            Scheme::Tel | Scheme::Other(_) => return None,
        };
        let host = match &uri.host {
            Host::Name(name) => name.to_ascii_lowercase(),
            Host::V4(ip) => ip.to_string(),
            Host::V6(ip) => ip.to_string(),
            Host::Absent => return None,
        };
        Some(Place { host: host.into(), port: uri.port, transport, secure })
    }

    /// The place itself, when it is a number; over UDP when it does not say how (RFC 3263 4.1).
    pub fn target(&self) -> Option<Target> {
        let transport = self.transport.unwrap_or(Transport::Udp);
        let port = self.port.unwrap_or(transport.default_port());
        let ip: IpAddr = self.host.parse().ok()?;
        Some(Target::new(transport, SocketAddr::new(ip, port)))
    }
}

impl fmt::Display for Place {
    /// `sip:pbx.example.com:5070;transport=tcp`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?
        } else {
            f.write_str(&self.host)?
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match self.transport.filter(|_| !self.secure) {
            Some(transport) => write!(f, ";transport={transport}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<Place> {
        Place::of(&Uri::parse(text).expect("a URI"))
    }

    #[test]
    fn a_place_is_printed_as_it_was_named() {
        for text in [
            "sip:pbx.example.com",
            "sip:pbx.example.com:5070;transport=tcp",
            "sips:pbx.example.com:5071",
            "sip:[2001:db8::1]:5060;transport=udp",
        ] {
            assert_eq!(place(text).map(|place| place.to_string()).as_deref(), Some(text));
        }
        let odd = place("SIPS:101@PBX.example.com;transport=tcp;hm-site=1").expect("a place");
        assert_eq!((odd.to_string().as_str(), odd.transport), ("sips:pbx.example.com", Some(Transport::Tls)));
    }

    #[test]
    fn numbers_are_where_they_say_and_strange_ways_lead_nowhere() {
        let at = |text| place(text).and_then(|place| place.target()).map(|target| target.to_string());
        assert_eq!(at("sip:192.0.2.1").as_deref(), Some("udp:192.0.2.1:5060"));
        assert_eq!(at("sips:[2001:db8::1]").as_deref(), Some("tls:[2001:db8::1]:5061"));
        assert_eq!(at("sip:pbx.example.com"), None);
        assert_eq!(place("sip:pbx;transport=sctp"), None);
        assert_eq!(place("tel:+4930123"), None);
    }
}
