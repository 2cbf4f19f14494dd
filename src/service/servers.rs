//! The SIP servers of a site, from their names to their addresses, and again when the DNS says something else.

use std::sync::Arc;

use sip::server::Server;
use sip::target::{Target, Transport};

use crate::config::server::{Server as Uri, Where};
use crate::config::site::{Site, Tier};
use crate::resolver::{Resolver, Unresolved};

/// Finds every server of the site; those that cannot be found are left out, and told in the log. The tiers of the
/// rest move up, because a tier is a place in this list.
pub async fn find(site: &Site, resolver: &Result<Resolver, Unresolved>) -> Vec<Arc<Server>> {
    let mut found = Vec::new();
    for tier in &site.tiers {
        match targets(tier, resolver).await {
            Ok(targets) => found.push((tier.name.as_str(), targets)),
            Err(error) => {
                tracing::warn!(tier = %tier.name, server = %tier.server, %error, "a SIP server was not found")
            }
        }
    }
    let spare = found.len() > 1;
    let server = |(tier, (name, targets)): (u8, (&str, _))| {
        Arc::new(Server { name: name.into(), tier, targets, spare })
    };
    (0..).zip(found).map(server).collect()
}

async fn targets(tier: &Tier, resolver: &Result<Resolver, Unresolved>) -> Result<Vec<Target>, Unresolved> {
    let found = match (resolver, &tier.server) {
        (Ok(resolver), server) => resolver.resolve(server).await?,
        (Err(_), Uri { host: Where::Address(ip), port, transport }) => {
            let transport = transport.unwrap_or(Transport::Udp);
            vec![Target::new(transport, (*ip, port.unwrap_or(transport.default_port())).into())]
        }
        (Err(error), _) => return Err(error.clone()),
    };
    // The SIP door of this version is a UDP socket.
    let udp: Vec<_> = found.into_iter().filter(|target| target.transport == Transport::Udp).collect();
    if udp.is_empty() { Err(Unresolved::Unspoken) } else { Ok(udp) }
}

/// Whether the servers moved: one came or went, or one has none of its former addresses any more. A DNS that only
/// deals the same addresses in another order is no reason to start over.
pub fn moved(former: &[Arc<Server>], new: &[Arc<Server>]) -> bool {
    former.len() != new.len()
        || former.iter().zip(new).any(|(former, new)| {
            former.name != new.name || !former.targets.iter().any(|target| new.targets.contains(target))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(list: &[(&str, &[&str])]) -> Vec<Arc<Server>> {
        let target = |text: &&str| Target::new(Transport::Udp, text.parse().expect("an address"));
        let server = |(name, targets): &(&str, &[&str])| {
            let targets = targets.iter().map(target).collect();
            Arc::new(Server { name: (*name).into(), tier: 0, targets, spare: false })
        };
        list.iter().map(server).collect()
    }

    #[test]
    fn only_a_server_that_went_elsewhere_has_moved() {
        let (a, b, c) = ("192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.3:5060");
        let former = servers(&[("pbx", &[a, b])]);
        assert!(!moved(&former, &servers(&[("pbx", &[b, a])])));
        assert!(!moved(&former, &servers(&[("pbx", &[b, c])])));
        assert!(moved(&former, &servers(&[("pbx", &[c])])));
        assert!(moved(&former, &servers(&[("gw", &[a, b])])));
        assert!(moved(&former, &servers(&[("pbx", &[a, b]), ("gw", &[c])])));
    }
}
