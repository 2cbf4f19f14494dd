//! `[[tier]]`: the SIP servers of a site, and what stands before them (M-2.1.3-a).

use super::reader::Section;
use super::server::{Server, site_name};

/// Primary, secondary, tertiary (spec 0).
pub const TIERS_MAX: usize = 3;

/// A SIP server of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The server's name, as traces print it.
    pub name: String,
    /// What serves: proxy and registrar in one, where nothing else is said.
    pub server: Server,
    /// What a REGISTER asks for, when that is neither the site's domain nor what the outbound proxy leads to.
    pub registrar: Option<Server>,
    /// What stands before the server: every request goes there first.
    pub outbound_proxy: Option<Server>,
}

impl Tier {
    /// Where its requests are sent.
    pub fn hop(&self) -> &Server {
        self.outbound_proxy.as_ref().unwrap_or(&self.server)
    }

    /// The Request-URI of its REGISTERs, when that is not the site's domain. Ours: behind an outbound proxy, which may
    /// lead to more than one server, a server goes by its own name.
    pub fn request_uri(&self) -> Option<String> {
        let behind = self.outbound_proxy.as_ref().map(|_| &self.server);
        self.registrar.as_ref().or(behind).map(Server::address)
    }

    /// The Route that leads over the outbound proxy.
    pub fn route(&self) -> Option<String> {
        self.outbound_proxy.as_ref().map(|proxy| format!("<{proxy};lr>"))
    }
}

/// What is expected where a server is named.
const A_SERVER: &str = "sip:host[:port][;transport=udp|tcp|tls] or sips:host[:port]";

/// Reads `[[tier]]`, the best first.
pub(super) fn read(top: &Section<'_, '_>) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    let sections = top.tables("tier");
    if sections.is_empty() && !top.has("tier") {
        let hint = Some("add [[tier]] with name = \"pbx\" and uri = \"sip:HOST\"".into());
        top.reader.fault(
            top.span.clone(),
            "there is no [[tier]]",
            "",
            "1 to 3 SIP servers (M-2.2.5-a)",
            hint,
        );
    }
    for (index, section) in sections.into_iter().enumerate() {
        let (reader, span) = (section.reader, section.span.clone());
        if index == TIERS_MAX {
            let what = format!(
                "a site has at most {TIERS_MAX} SIP servers: primary, secondary, tertiary (M-2.1.3-a)"
            );
            reader.fault(span, what, format!("tier {}", index + 1), "no more tiers", None);
        }
        let name = section.need_parsed("name", "the server's name, such as \"pbx\"", site_name);
        let server = section.need_parsed("uri", A_SERVER, Server::read);
        let registrar = section.parsed("registrar", "sip:host[:port] or sips:host[:port]", Server::read_name);
        let outbound_proxy = section.parsed("outbound_proxy", A_SERVER, Server::read);
        section.finish();
        let (Some(name), Some(server)) = (name, server) else { continue };
        for other in [&registrar, &outbound_proxy].into_iter().flatten() {
            if other.value.secure != server.value.secure {
                let expected = if server.value.secure { "a sips: URI" } else { "a sip: URI" };
                let hint = Some("write sips: for all of a tier's servers, or for none".into());
                let what = format!("it is not as safe as the tier's `uri`, {} (RFC 5630)", server.value);
                reader.fault(
                    other.span.clone(),
                    what,
                    format!("{:?}", other.value.to_string()),
                    expected,
                    hint,
                );
            }
        }
        if tiers.iter().any(|tier| tier.name == name.value) {
            let what = format!("two tiers are called {}", name.value);
            reader.fault(name.span, what, format!("{:?}", name.value), "a name of its own", None);
            continue;
        }
        let (registrar, outbound_proxy) = (registrar.map(|at| at.value), outbound_proxy.map(|at| at.value));
        tiers.push(Tier { name: name.value, server: server.value, registrar, outbound_proxy });
    }
    tiers
}
