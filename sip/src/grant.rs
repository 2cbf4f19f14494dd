//! What a registrar grants beside the lifetime: routes, public addresses and the care of the flow.

use std::time::Duration;

use crate::contact::Contact;
use crate::delta;
use crate::message::Message;
use crate::name::Name;

/// Routes that are kept of one answer. Ours: a core has a few proxies.
const ROUTES_MAX: usize = 16;

/// What the last 2xx to a REGISTER granted. Only that one counts: what it does not name is gone (RFC 3608 5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The way that later requests take, first hop first (RFC 3608).
    pub service_route: Vec<String>,
    /// The proxies that named themselves on the way to the registrar (RFC 3327).
    pub path: Vec<String>,
    /// The address of the device that everybody may know (RFC 5627).
    pub public: Option<String>,
    /// The address that does not tell whose it is; valid as long as the registration is not torn (RFC 5627).
    pub temporary: Option<String>,
    /// How long the edge keeps a silent flow (RFC 5626 4.4.1); keep-alives must come more often.
    pub flow_timer: Option<Duration>,
    /// The registrar keeps the flow as RFC 5626 wants it (`Require: outbound`).
    pub outbound: bool,
}

impl Grant {
    /// Reads a 2xx in which `own` is our contact; `None` when it grants nothing beside the lifetime.
    pub fn read(message: &Message, own: Option<&Contact<'_>>) -> Option<Grant> {
        let routes = |name| message.values(name).take(ROUTES_MAX).map(str::to_owned).collect();
        let gruu = |name| {
            let text = own?.param(name)?.trim_matches('"');
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        let flow_timer = message.header(Name::FlowTimer).and_then(|text| delta::seconds(text).ok());
        let grant = Grant {
            service_route: routes(Name::ServiceRoute),
            path: routes(Name::Path),
            public: gruu("pub-gruu"),
            temporary: gruu("temp-gruu"),
            flow_timer: flow_timer.filter(|s| *s > 0).map(|s| Duration::from_secs(s.into())),
            outbound: message.values(Name::Require).any(|tag| tag.eq_ignore_ascii_case("outbound")),
        };
        Some(grant).filter(|grant| *grant != Grant::default())
    }
}
