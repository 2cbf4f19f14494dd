//! The system's DNS, through hickory: name servers and search list of `/etc/resolv.conf`, names of `/etc/hosts`.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use sip::srv::Srv;

use super::{Naptr, Told};

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Makes the resolver that the machine's administrator configured.
pub(super) fn resolver() -> Result<TokioResolver, String> {
    let text = std::fs::read(RESOLV_CONF).map_err(|error| format!("cannot read {RESOLV_CONF}: {error}"))?;
    let parsed = resolv_conf::Config::parse(text).map_err(|error| format!("{RESOLV_CONF}: {error}"))?;
    let servers: Vec<_> =
        parsed.nameservers.iter().map(|ip| NameServerConfig::udp_and_tcp(ip.into())).collect();
    if servers.is_empty() {
        return Err(format!("{RESOLV_CONF} names no name server"));
    }
    let search =
        parsed.get_last_search_or_domain().filter_map(|name| Name::from_str_relaxed(name).ok()).collect();
    let mut options = ResolverOpts::default();
    options.ndots = usize::try_from(parsed.ndots).unwrap_or(1);
    options.timeout = Duration::from_secs(u64::from(parsed.timeout));
    options.attempts = usize::try_from(parsed.attempts).unwrap_or(2);
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    TokioResolver::builder_with_config(
        ResolverConfig::from_parts(None, search, servers),
        TokioRuntimeProvider::default(),
    )
    .with_options(options)
    .build()
    .map_err(|error| error.to_string())
}

/// Nothing found is an empty list; only a DNS that does not do its work is an error.
fn or_none<T>(result: Result<(Vec<T>, Option<u32>), NetError>) -> Told<T> {
    match result {
        Err(error) if error.is_no_records_found() || error.is_nx_domain() => Ok((Vec::new(), None)),
        Err(error) => Err(error.to_string()),
        Ok(found) => Ok(found),
    }
}

pub(super) async fn addresses(dns: &TokioResolver, name: &str) -> Told<IpAddr> {
    let found = dns.lookup_ip(name).await;
    or_none(found.map(|found| {
        let life = found.as_lookup().answers().iter().map(|record| record.ttl).min();
        (found.iter().collect(), life)
    }))
}

async fn records<T>(
    dns: &TokioResolver,
    name: &str,
    kind: RecordType,
    pick: impl Fn(&RData) -> Option<T>,
) -> Told<T> {
    let found = dns.lookup(name, kind).await;
    or_none(found.map(|found| {
        let life = found.answers().iter().map(|record| record.ttl).min();
        (found.answers().iter().filter_map(|record| pick(&record.data)).collect(), life)
    }))
}

pub(super) async fn services(dns: &TokioResolver, name: &str) -> Told<Srv> {
    records(dns, name, RecordType::SRV, |data| match data {
        RData::SRV(srv) => {
            let target = srv.target.to_string();
            Some(Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target })
        }
        _ => None,
    })
    .await
}

pub(super) async fn pointers(dns: &TokioResolver, name: &str) -> Told<Naptr> {
    records(dns, name, RecordType::NAPTR, |data| match data {
        RData::NAPTR(naptr) => Some(Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: String::from_utf8_lossy(&naptr.flags).into_owned(),
            services: String::from_utf8_lossy(&naptr.services).into_owned(),
            replacement: naptr.replacement.to_string(),
        }),
        _ => None,
    })
    .await
}
