//! How our contact is spelled at this server: by the transport over which the server is asked, on the port at which this
//! OMM takes connections (RFC 3261 8.1.1.8, 19.1.1), so that calls come back the way that registrations go.
//!
//! ```text
//!   asked over UDP                          sip:101@10.0.1.1:5060;hm-site=..;hm-ep=..
//!   over TCP, and we listen there           sip:101@10.0.1.1:5060;transport=tcp;hm-site=..;hm-ep=..
//!   over TCP, and we do not                 as over UDP: nobody could connect
//!   over TLS                                sip:101@10.0.1.1:5061;transport=tls;hm-site=..;hm-ep=..
//!   as sips:                                sips:101@10.0.1.1:5061;hm-site=..;hm-ep=.. (RFC 5630 5.1.1.1)
//! ```
//!
//! - The first target's transport counts, whichever target is in use (ours): so the contact stays one and the same when
//!   the next target is asked, or when one REGISTER goes over TCP for its size.
//! - RFC 5630 wants `transport=tls` to die out, and registrars in use do not connect by TLS without it.
//! - Over TLS without a listener the contact says TLS all the same: a registrar that keeps the flow finds us (RFC 5626),
//!   and one that does not shall not call in the clear.

use std::fmt::Write;
use std::sync::Arc;

use super::Binding;
use crate::target::Transport;
use crate::uri::{Scheme, Uri};

impl Binding {
    /// A contact of ours as this server is told it. What is no SIP URI of a user stays as it is.
    pub(super) fn spelled(&self, contact: Arc<str>) -> Arc<str> {
        let listening = &self.local.listening;
        let first = self.server.targets.first().map_or(Transport::Udp, |target| target.transport);
        let (scheme, port, param) = match (self.server.way.secure, first) {
            (true, _) => ("sips", listening.tls, None),
            (false, Transport::Tls) => ("sip", listening.tls, Some(Transport::Tls)),
            (false, Transport::Tcp) if listening.tcp.is_some() => {
                ("sip", listening.tcp, Some(Transport::Tcp))
            }
            (false, Transport::Udp | Transport::Tcp) => return self.plain(contact),
        };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        respelled(&contact, scheme, param, |uri| format!("{}{port}", uri.host)).unwrap_or(contact)
    }

    /// As over UDP.
    fn plain(&self, contact: Arc<str>) -> Arc<str> {
        let is_plain = Uri::parse(&contact)
            .is_ok_and(|uri| uri.scheme == Scheme::Sip && uri.param("transport").is_none());
        if is_plain {
            return contact;
        }
        respelled(&contact, "sip", None, |_| self.local.sent_by.clone()).unwrap_or(contact)
    }

    /// The server is asked another way now: what was never sent is spelled anew, and what may be listed under the old
    /// spelling is removed with the next REGISTER. Whether the contact is another one now.
    pub(super) fn respell(&mut self) -> bool {
        if self.cseq == 0 {
            let ours = std::mem::take(&mut self.ours);
            self.ours = ours.into_iter().map(|contact| self.spelled(contact)).collect();
        }
        let Some(wish) = self.wish.clone() else { return false };
        let spelled = self.spelled(wish.clone());
        let is_other = spelled != wish;
        self.wish = Some(spelled);
        is_other
    }
}

/// `contact` with this scheme, this transport and another `host:port`; everything else stays.
fn respelled(
    contact: &str,
    scheme: &str,
    transport: Option<Transport>,
    place: impl Fn(&Uri<'_>) -> String,
) -> Option<Arc<str>> {
    let uri = Uri::parse(contact).ok().filter(Uri::is_sip)?;
    let mut text = format!("{scheme}:{}@{}", uri.user?, place(&uri));
    if let Some(transport) = transport {
        _ = write!(text, ";transport={transport}");
    }
    for (name, value) in uri.params.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("transport")) {
        _ = match value {
            Some(value) => write!(text, ";{name}={value}"),
            None => write!(text, ";{name}"),
        };
    }
    Some(text.into())
}

/// Whether both are one contact of ours in two spellings: the same user at the same host, with every parameter that is
/// not the transport. Without such a parameter, the marks of the OMM and of its roam, it is anybody's (ours; RFC 3261
/// 19.1.4 calls them different).
pub(super) fn is_respelled(ours: &str, theirs: &str) -> bool {
    let (Ok(ours), Ok(theirs)) = (Uri::parse(ours), Uri::parse(theirs)) else { return false };
    let marks = || ours.params.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("transport"));
    let is_marked = marks().next().is_some();
    let has = |(name, value): (&str, Option<&str>)| theirs.param(name) == Some(value.unwrap_or(""));
    let at_same_host = ours.host.same(&theirs.host);
    is_marked && theirs.is_sip() && ours.user == theirs.user && at_same_host && marks().all(has)
}

/// Whose a listed contact is, by its marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinship {
    /// Ours: it bears our marks, wherever a registrar says that it is.
    Same,
    /// Another OMM's, or of another roam: it bears other marks of the same names.
    Sibling,
    /// Anybody's.
    Stranger,
}

/// Compares the marks of the OMM and of its roam: the parameters that are not the transport.
pub(super) fn kinship(ours: &str, theirs: &str) -> Kinship {
    let (Ok(ours), Ok(theirs)) = (Uri::parse(ours), Uri::parse(theirs)) else { return Kinship::Stranger };
    let marks = || ours.params.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("transport"));
    let is_marked = marks().next().is_some() && marks().all(|(name, _)| theirs.param(name).is_some());
    let has = |(name, value): (&str, Option<&str>)| theirs.param(name) == Some(value.unwrap_or(""));
    match (is_marked && theirs.is_sip() && ours.user == theirs.user, marks().all(has)) {
        (true, true) => Kinship::Same,
        (true, false) => Kinship::Sibling,
        (false, _) => Kinship::Stranger,
    }
}
