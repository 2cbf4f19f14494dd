//! The SIP servers of a site, from their names to their addresses; and the door by which an OMM asks again.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::actors::doors::{Resolve, Resolved};
use actix::{Actor, Context, Handler};
use sip::server::{Server, Way};
use sip::target::{Target, Transport};

use crate::config::server::{Server as Uri, Where};
use crate::config::site::Site;
use crate::config::tier::Tier;
use crate::resolver::{Resolver, Unresolved};

/// The system's DNS, or why there is none.
pub type Dns = Rc<Result<Resolver, Unresolved>>;

/// Finds every server of the site. One that cannot be found keeps its tier and has no target yet; that is told in the
/// log. `None` when not a single one was found.
pub async fn find(site: &Site, dns: &Result<Resolver, Unresolved>) -> Option<Vec<Arc<Server>>> {
    let mut servers = Vec::new();
    for (number, tier) in (0..).zip(&site.tiers) {
        let targets = match resolve(tier.hop(), dns).await {
            Ok((targets, _)) => targets,
            Err(error) => {
                tracing::warn!(tier = %tier.name, server = %tier.hop(), %error, "a SIP server was not found");
                Vec::new()
            }
        };
        servers.push(Arc::new(server(number, tier, targets, site.tiers.len() > 1)));
    }
    servers.iter().any(|server| !server.targets.is_empty()).then_some(servers)
}

fn server(number: u8, tier: &Tier, targets: Vec<Target>, spare: bool) -> Server {
    let hop = tier.hop();
    let domain = match &hop.host {
        Where::Name(name) => name.as_str().into(),
        Where::Address(ip) => ip.to_string().into(),
    };
    let way = Way {
        domain: Some(domain),
        free: hop.transport.is_none(),
        secure: hop.secure,
        registrar: tier.request_uri().map(Arc::from),
        route: tier.route().map(Arc::from),
    };
    Server { name: tier.name.as_str().into(), tier: number, targets, spare, way }
}

/// Where a server is, and for how long that is true. A number needs no DNS.
///
/// # Errors
/// There is nowhere to send to, and why.
pub async fn resolve(
    server: &Uri,
    dns: &Result<Resolver, Unresolved>,
) -> Result<(Vec<Target>, Duration), Unresolved> {
    match (dns, server) {
        (Ok(resolver), server) => resolver.resolve(server).await,
        (Err(_), Uri { host: Where::Address(ip), port, transport, secure: _ }) => {
            let transport = transport.unwrap_or(Transport::Udp);
            let addr = (*ip, port.unwrap_or(transport.default_port())).into();
            Ok((vec![Target::new(transport, addr)], Duration::MAX))
        }
        (Err(error), _) => Err(error.clone()),
    }
}

/// The door by which an OMM asks for one server.
pub struct Finder {
    server: Uri,
    dns: Dns,
}

impl Finder {
    /// A door for this server; `None` for a number, which never moves.
    pub fn of(server: &Uri, dns: &Dns) -> Option<Finder> {
        match server.host {
            Where::Name(_) => Some(Finder { server: server.clone(), dns: dns.clone() }),
            Where::Address(_) => None,
        }
    }
}

impl Actor for Finder {
    type Context = Context<Self>;
}

impl Handler<Resolve> for Finder {
    type Result = ();

    fn handle(&mut self, Resolve { to }: Resolve, _: &mut Context<Self>) {
        let (server, dns) = (self.server.clone(), self.dns.clone());
        actix::spawn(async move {
            to.do_send(Resolved(resolve(&server, &dns).await.map_err(|error| error.to_string())));
        });
    }
}
