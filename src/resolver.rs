//! Where a SIP server is (RFC 3263). The only file of homing that knows rsip-dns.
//!
//! ```text
//! address ------------------------------------------------------> that address
//! name:port ----------------------------------------------------> A/AAAA
//! name;transport ---> SRV of that transport ------ none --------> A/AAAA, default port
//! name ---> NAPTR -- none --> SRV of UDP, TCP ---- none --------> A/AAAA, UDP, default port
//! ```
//!
//! rsip-dns supplies the steps. It ignores the port of a numeric host, orders neither NAPTR nor SRV records, lists
//! duplicates and swallows the difference between "there is none" and "the DNS does not answer"; so the steps are put
//! together here, the records are ordered before it sees them, and trouble is noted on the side. A step after which
//! there was trouble is not followed by the next one: a DNS that fails must not send registrations to another server.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use machine::chance::Chance;
use rsip::{Domain, Port};
use rsip_dns::records::{
    AddrRecord, NaptrEntry, NaptrFlags, NaptrRecord, NaptrServices, SrvEntry, SrvRecord,
};
use rsip_dns::resolvables::{
    ResolvableAddrRecord, ResolvableIpAddr, ResolvableNaptrRecord, ResolvableSrvRecord,
};
use rsip_dns::{DnsClient, ResolvableExt, SrvDomain};
use sip::srv::{self, Srv};
use sip::target::{Target, Transport};

use crate::config::server::{Server, Where};

mod system;

/// Longest time that one resolution may take altogether; ours: a little less than a REGISTER's Timer F allows.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most targets that are kept of one server, so that `homing check` may try them all. Ours; users are sent to no more than
/// the first [`sip::server::TARGETS_MAX`].
const TARGETS_MAX: usize = 32;

/// Resolves servers, in the order in which they have to be tried.
#[derive(Clone)]
pub struct Resolver {
    source: Source,
    /// The lot among SRV records is drawn once in a life of the service: the same records keep their order, so that an
    /// order that changes means something.
    seed: u64,
    /// Our socket is an IPv4 one and cannot reach IPv6 addresses.
    v4_only: bool,
}

/// Why there is nowhere to send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The DNS knows no such server.
    NotFound,
    /// The DNS does not do its work: try again later.
    Dns(String),
    /// The domain says that it has no SIP service (an SRV target of "."; RFC 2782).
    NoService,
    /// The domain offers only what this version does not speak (SCTP, WebSocket).
    Unspoken,
    /// There are IPv6 addresses only, and our socket is an IPv4 one.
    OnlyV6,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unresolved::NotFound => f.write_str("the DNS knows no such server"),
            Unresolved::Dns(why) => write!(f, "the DNS does not answer: {why}"),
            Unresolved::NoService => f.write_str("the domain says that it has no SIP service"),
            Unresolved::Unspoken => {
                f.write_str("the domain offers only transports that this version does not speak")
            }
            Unresolved::OnlyV6 => {
                f.write_str("it has only IPv6 addresses, and [sip] listen is an IPv4 address")
            }
        }
    }
}

impl std::error::Error for Unresolved {}

/// What the DNS tells, and for how many seconds it may be believed; no time when there is nothing.
type Told<T> = Result<(Vec<T>, Option<u32>), String>;

/// One NAPTR record, as far as SIP looks at it.
#[derive(Clone, Debug)]
struct Naptr {
    order: u16,
    preference: u16,
    flags: String,
    services: String,
    replacement: String,
}

#[derive(Clone)]
enum Source {
    System(Box<TokioResolver>),
    #[cfg(test)]
    Zone(Arc<tests::Zone>),
}

impl Resolver {
    /// A resolver on the system's DNS. `v4_only` says that our socket cannot reach IPv6.
    ///
    /// # Errors
    /// The system's DNS is not configured.
    pub fn system(seed: u64, v4_only: bool) -> Result<Resolver, Unresolved> {
        let source = Source::System(Box::new(system::resolver().map_err(Unresolved::Dns)?));
        Ok(Resolver { source, seed, v4_only })
    }

    /// Where `server` is: at least one target, the best first; and for how long that is true.
    ///
    /// # Errors
    /// There is nowhere to send to, and why.
    pub async fn resolve(&self, server: &Server) -> Result<(Vec<Target>, Duration), Unresolved> {
        let dns = Dns { resolver: self.clone(), notes: Arc::default() };
        let found = tokio::time::timeout(PATIENCE, dns.steps(server)).await;
        let found =
            found.unwrap_or_else(|_| Err(Unresolved::Dns(format!("no answer within {PATIENCE:?}"))))?;
        let mut targets: Vec<Target> = Vec::new();
        for target in found.iter().filter(|target| !(self.v4_only && target.addr.is_ipv6())) {
            if !targets.contains(target) && targets.len() < TARGETS_MAX {
                targets.push(*target);
            }
        }
        let life = Duration::from_secs(dns.notes().life.unwrap_or(u32::MAX).into());
        if targets.is_empty() { Err(Unresolved::OnlyV6) } else { Ok((targets, life)) }
    }
}

/// The DNS client that rsip-dns asks, for one resolution.
#[derive(Clone)]
struct Dns {
    resolver: Resolver,
    notes: Arc<Mutex<Notes>>,
}

/// What rsip-dns would swallow.
#[derive(Default)]
struct Notes {
    trouble: Option<String>,
    no_service: bool,
    unspoken: bool,
    /// The shortest time to live of all that was told, seconds.
    life: Option<u32>,
}

impl Dns {
    async fn steps(&self, server: &Server) -> Result<Vec<Target>, Unresolved> {
        let transport = server.transport.unwrap_or(Transport::Udp);
        let port = Port::from(server.port.unwrap_or(transport.default_port()));
        let name = match &server.host {
            Where::Address(ip) => return self.end(ResolvableIpAddr::new(*ip, port, theirs(transport))).await,
            Where::Name(name) => Domain::from(name.as_str()),
        };
        let addresses = ResolvableAddrRecord::new(self.clone(), name.clone(), port, theirs(transport));
        if server.port.is_some() {
            return self.end(addresses).await;
        }
        if server.transport.is_none() {
            let spoken = [Transport::Udp, Transport::Tcp, Transport::Tls].map(theirs).to_vec();
            if let Some(found) =
                self.step(ResolvableNaptrRecord::new(self.clone(), name.clone(), spoken)).await?
            {
                return Ok(found);
            }
        }
        let transports =
            server.transport.map_or(vec![Transport::Udp, Transport::Tcp], |transport| vec![transport]);
        let mut found = Vec::new();
        for transport in transports {
            // TLS is `_sips._tcp` (RFC 3263 4.1).
            let secure = transport == Transport::Tls;
            let protocol = if secure { rsip::Transport::Tcp } else { theirs(transport) };
            let service = SrvDomain { domain: name.clone(), protocol, secure };
            match self.step(ResolvableSrvRecord::new(self.clone(), service)).await {
                Ok(more) => found.extend(more.unwrap_or_default()),
                // "Not over this transport"; the other one may be there.
                Err(Unresolved::NoService) => {}
                Err(other) => return Err(other),
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
        if self.notes().no_service { Err(Unresolved::NoService) } else { self.end(addresses).await }
    }

    /// Takes everything that one step of rsip-dns gives; `None` when the next step is due.
    async fn step(
        &self,
        mut step: impl ResolvableExt<rsip_dns::Target> + Send,
    ) -> Result<Option<Vec<Target>>, Unresolved> {
        let mut found = Vec::new();
        while let Some(target) = step.resolve_next().await {
            found
                .extend(ours(target.transport).map(|transport| Target::new(transport, target.socket_addr())));
        }
        let notes = self.notes();
        if !found.is_empty() {
            return Ok(Some(found));
        }
        match &*notes {
            Notes { trouble: Some(why), .. } => Err(Unresolved::Dns(why.clone())),
            Notes { no_service: true, .. } => Err(Unresolved::NoService),
            Notes { unspoken: true, .. } => Err(Unresolved::Unspoken),
            Notes { .. } => Ok(None),
        }
    }

    /// The last step: what it does not find is not found.
    async fn end(
        &self,
        step: impl ResolvableExt<rsip_dns::Target> + Send,
    ) -> Result<Vec<Target>, Unresolved> {
        self.step(step).await?.ok_or(Unresolved::NotFound)
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes trouble, which rsip-dns would take for "there is none".
    fn some<T>(&self, answer: Result<(Vec<T>, Option<u32>), String>) -> Vec<T> {
        match answer {
            Ok((found, life)) => {
                let mut notes = self.notes();
                notes.life = notes.life.into_iter().chain(life).min();
                found
            }
            Err(why) => {
                self.notes().trouble.get_or_insert(why);
                Vec::new()
            }
        }
    }
}

#[async_trait::async_trait]
impl DnsClient for Dns {
    async fn naptr_lookup(&self, domain: Domain) -> Option<NaptrRecord> {
        let name = domain.to_string();
        let mut records = self.some(match &self.resolver.source {
            Source::System(dns) => system::pointers(dns, &name).await,
            #[cfg(test)]
            Source::Zone(zone) => zone.pointers(&name),
        });
        // RFC 3403 4.1: order, then preference, ascending; rsip-dns would take them as they come.
        records.sort_by_key(|record| (record.order, record.preference));
        let sip: Vec<_> =
            records.iter().filter(|record| record.services.to_ascii_uppercase().contains("SIP")).collect();
        let entries: Vec<NaptrEntry> = sip.iter().filter_map(|record| naptr_entry(record)).collect();
        // RFC 3263 4.1: once there are records, nothing else counts.
        self.notes().unspoken |= entries.is_empty() && !sip.is_empty();
        (!entries.is_empty()).then_some(NaptrRecord { entries, domain })
    }

    async fn srv_lookup(&self, domain: SrvDomain) -> Option<SrvRecord> {
        let name = domain.to_string();
        let records = self.some(match &self.resolver.source {
            Source::System(dns) => system::services(dns, &name).await,
            #[cfg(test)]
            Source::Zone(zone) => zone.services(&name),
        });
        if let [only] = records.as_slice()
            && only.target == "."
        {
            self.notes().no_service = true;
            return None;
        }
        let ordered = srv::order(records, &mut Chance::of(self.resolver.seed, &name));
        let entries: Vec<SrvEntry> = ordered.into_iter().map(srv_entry).collect();
        (!entries.is_empty()).then_some(SrvRecord { entries, domain })
    }

    async fn ip_lookup(&self, domain: Domain) -> Result<AddrRecord, rsip::Error> {
        let name = domain.to_string();
        let ip_addrs: Vec<IpAddr> = self.some(match &self.resolver.source {
            Source::System(dns) => system::addresses(dns, &name).await,
            #[cfg(test)]
            Source::Zone(zone) => zone.addresses(&name),
        });
        Ok(AddrRecord { domain, ip_addrs })
    }
}

/// A NAPTR record for rsip-dns; none when it is not one that this version can follow (flag S; UDP, TCP or TLS).
fn naptr_entry(record: &Naptr) -> Option<NaptrEntry> {
    let services = NaptrServices::try_from(record.services.to_ascii_uppercase().as_bytes()).ok()?;
    ours(services.transport()?)?;
    record.flags.eq_ignore_ascii_case("s").then(|| NaptrEntry {
        order: record.order,
        preference: record.preference,
        flags: NaptrFlags::S,
        services,
        regexp: Vec::new(),
        replacement: Domain::from(record.replacement.trim_end_matches('.')),
    })
}

fn srv_entry(record: Srv) -> SrvEntry {
    let target = Domain::from(record.target.as_str());
    SrvEntry { priority: record.priority, weight: record.weight, port: Port::from(record.port), target }
}

fn theirs(transport: Transport) -> rsip::Transport {
    match transport {
        Transport::Udp => rsip::Transport::Udp,
        Transport::Tcp => rsip::Transport::Tcp,
        Transport::Tls => rsip::Transport::Tls,
    }
}

/// Our name for it; none for what this version does not speak.
fn ours(transport: rsip::Transport) -> Option<Transport> {
    match transport {
        rsip::Transport::Udp => Some(Transport::Udp),
        rsip::Transport::Tcp => Some(Transport::Tcp),
        rsip::Transport::Tls => Some(Transport::Tls),
        rsip::Transport::TlsSctp | rsip::Transport::Sctp | rsip::Transport::Ws | rsip::Transport::Wss => None,
    }
}

#[cfg(test)]
mod tests;
