//! What a binding, a line and a server's health stand on: the account, the server, our own side, and how a server stands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;

use crate::extension::Extensions;
use crate::overload;
use crate::target::{Target, Transport};

/// One user's account at one server. Shared, never copied: there are ten thousand of them (M-2.2.1-d).
#[derive(Clone, Debug)]
pub struct Account {
    /// The address of record, a SIP URI: `sip:101@example.com` (To and From of every REGISTER, S-01).
    pub aor: Arc<str>,
    /// The Request-URI, a domain without a user part: `sip:example.com` (S-01).
    pub registrar: Arc<str>,
    /// The user name of the digest.
    pub username: Arc<str>,
    /// The password of the digest.
    pub password: Secret,
    /// What to ask for (spec section 8: 3600 s), whole seconds.
    pub expires: Duration,
    /// `urn:uuid:..` for `+sip.instance`: the same at every OMM (spec 3.7).
    pub instance: Option<Arc<str>>,
    /// 1..66, distinct per OMM, member and tier (spec 3.7). Sent only together with `instance`.
    pub reg_id: Option<u32>,
    /// What is not needed everywhere.
    pub options: Options,
}

/// What a site may want of its registrars beside being registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Ask for public addresses of the device (RFC 5627); they need an instance.
    pub gruu: bool,
    /// The only realm whose challenges are answered; `None` answers any (facts: digest answered to an unknown realm).
    pub realm: Option<Arc<str>>,
    /// Subscribe to what the registrar knows of the user (RFC 3680).
    pub reg_event: bool,
}

impl Account {
    /// What its REGISTERs offer to a server that understands everything.
    pub fn extensions(&self) -> Extensions {
        let flow = self.instance.is_some() && self.reg_id.is_some();
        let outbound = if flow { Extensions::OUTBOUND } else { Extensions::NONE };
        let gruu = self.options.gruu && self.instance.is_some();
        let gruu = if gruu { Extensions::GRUU } else { Extensions::NONE };
        Extensions::PATH.with(outbound).with(gruu)
    }
}

/// One server of a site: a tier of its proxies.
#[derive(Clone, Debug)]
pub struct Server {
    /// The name used in traces.
    pub name: Arc<str>,
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
    /// Where it is reached, in the order in which to try (spec 3.4). At most [`TARGETS_MAX`] are used.
    pub targets: Vec<Target>,
    /// The site has other tiers, so that four seconds of silence are enough to move on (spec section 8).
    pub spare: bool,
    /// How it was asked for, beside where it was found.
    pub way: Way,
}

/// How a server was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The domain or the address whose certificate it has to show over TLS: what was asked for, not where the DNS led
    /// (RFC 5922 7.1). Without it nothing is sent to a TLS target.
    pub domain: Option<Arc<str>>,
    /// Nobody prescribed the transport, so a request too large for a datagram may go over TCP (RFC 3261 18.1.1).
    pub free: bool,
    /// It was asked for as `sips:`, so everything that names it or us says `sips:` too (RFC 5630 5.1.1.1).
    pub secure: bool,
    /// What its REGISTERs and probes ask for, when that is not the site's domain: `sip:reg.example.com`.
    pub registrar: Option<Arc<str>>,
    /// The outbound proxy that stands before it, as the Route of whatever belongs to no dialog: `<sip:sbc.example.com;lr>`
    /// (RFC 3261 8.1.2). The server's targets are those of the proxy then.
    pub route: Option<Arc<str>>,
}

/// Targets of one tier that are tried (ours: a longer list would keep a user waiting for minutes).
pub const TARGETS_MAX: usize = 8;

/// Our own side of every request.
#[derive(Clone, Debug)]
pub struct Local {
    /// `host:port` of the Via, the socket on which answers arrive (RFC 3581).
    pub sent_by: String,
    /// What every Call-ID ends with, usually the host.
    pub host: String,
    /// The User-Agent header.
    pub agent: String,
    /// Offer overload control to whoever is asked (RFC 7339).
    pub overload: bool,
    /// Where it takes connections.
    pub listening: Listening,
}

/// The ports on which this OMM takes connections, at the host of its contacts; `None` where it does not listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    /// Over TCP.
    pub tcp: Option<u16>,
    /// Over TLS.
    pub tls: Option<u16>,
}

/// How a server stands, as its health tells the lines of its site (SM-3H).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be used.
    Usable,
    /// It answers again but has not been stable for long enough: used only when the current tier fails.
    Recovering,
    /// It is not to be used.
    Down,
    /// It asked to be left alone for so long (503 with Retry-After): nobody of this OMM sends to it (S-21).
    Draining(Duration),
    /// An operator has drained it by a drill: used only when there is nothing else.
    Drilled,
}

impl Standing {
    /// It may be used at least when nothing better is left.
    pub fn is_fit(self) -> bool {
        match self {
            Standing::Usable | Standing::Recovering => true,
            Standing::Down | Standing::Draining(_) | Standing::Drilled => false,
        }
    }
}

/// What a server demands of all users of a site, as its health learned it from one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// Extensions that it does not understand (420, 439).
    pub lacks: Extensions,
    /// How many percent of the requests it wants to be spared (RFC 7339).
    pub shed: u8,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Usable => f.write_str("usable"),
            Standing::Recovering => f.write_str("recovering"),
            Standing::Down => f.write_str("down"),
            Standing::Drilled => f.write_str("drained by drill"),
            Standing::Draining(rest) => write!(f, "draining {} s", rest.as_secs()),
        }
    }
}

impl Local {
    /// The Via of a request that leaves over this transport. A datagram's answer shall come back to the port from
    /// which it left (`rport`, RFC 3581 3).
    pub fn via(&self, transport: Transport, branch: &str) -> String {
        let rport = if transport.is_reliable() { "" } else { ";rport" };
        let load = if self.overload { overload::OFFER } else { "" };
        format!("SIP/2.0/{} {};branch={branch}{rport}{load}", transport.via(), self.sent_by)
    }
}
