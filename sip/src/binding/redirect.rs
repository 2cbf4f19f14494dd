//! Where a registrar sends us (the 3xx rows of SM-3; RFC 3261 8.1.3.4, 21.3).
//!
//! ```text
//!   3xx --> places by q, no place twice, five in all --> a number: asked at once
//!                                                   '--> a name: the DNS first (RFC 3263) --> its targets, in order
//!                                                                    no answer, no such name --> the next place
//! ```
//!
//! - While the DNS is asked the exchange goes on: nothing else is sent for this user (S-02).
//! - Never from TLS to anything less, and from `sips:` only to `sips:` (SM-3, RFC 3261 8.1.3.4).
//! - Over TLS a place has to show the certificate of the name by which we were sent there (RFC 5922 7.1).

use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

use super::flight::Errand;
use super::{Binding, Effect, Timer};
use crate::message::Message;
use crate::place::Place;
use crate::report::{Evidence, Failure};
use crate::target::{Target, Transport};
use crate::uri::Uri;

/// Places of a redirection that are followed (SM-3: max 5).
pub(super) const DETOURS_MAX: usize = 5;
/// How long the DNS may take to say where a place is. Ours: as long as an answer may take where others could answer; a
/// name that is looked up later than that is known when we are sent there next time.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// Where a redirection leads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detour {
    /// The Request-URI to use there; `None` for a proxy on the way to the same one (305, RFC 3261 21.3.4).
    pub(super) uri: Option<String>,
    /// The place as it was named.
    pub(super) place: Arc<Place>,
    /// Where it is, once that is known.
    pub(super) target: Option<Target>,
    /// For good (301): remembered until the restart, or until it does not serve.
    pub(super) lasting: bool,
}

/// The places of a 3xx that may be followed, the best first.
pub(super) fn detours(message: &Message, code: u16, used: Transport, is_secure: bool) -> Vec<Detour> {
    let Ok(contacts) = message.contacts() else { return Vec::new() };
    let mut found: Vec<(u16, Detour)> = Vec::new();
    for contact in contacts.list().iter().take(DETOURS_MAX) {
        let Ok(uri) = contact.uri() else { continue };
        let Some(mut place) = Place::of(&uri) else { continue };
        // By the way we came, where nothing else is said: a number never says it, and whoever was asked over TLS shall
        // not lead to less by saying nothing.
        if place.target().is_some() || used == Transport::Tls {
            place.transport = place.transport.or(Some(used));
        }
        let is_less = used == Transport::Tls && place.transport != Some(Transport::Tls);
        if is_less || (is_secure && !place.secure) {
            continue;
        }
        let (lasting, target) = (code == 301, place.target());
        let uri = (code != 305).then(|| domain_of(&uri));
        found.push((contact.q(), Detour { uri, place: Arc::new(place), target, lasting }));
    }
    found.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    found.into_iter().map(|(_, detour)| detour).collect()
}

/// A Request-URI for a REGISTER there: no user part (S-01).
fn domain_of(uri: &Uri<'_>) -> String {
    let port = uri.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}:{}{port}", uri.scheme.as_str(), uri.host)
}

impl Binding {
    /// 3xx: the best place that was not visited yet, five in all (S-25, G-3).
    pub(super) fn moved(
        &mut self,
        now: Moment,
        mut errand: Errand,
        places: Vec<Detour>,
        code: u16,
        out: &mut Vec<Effect>,
    ) {
        let room = DETOURS_MAX.saturating_sub(errand.visited.len());
        let mut detours: Vec<Detour> = Vec::new();
        for place in places {
            let is_new = place.target.is_none_or(|target| !errand.visited.contains(&target));
            if detours.len() < room && is_new {
                errand.visited.extend(place.target);
                detours.push(place);
            }
        }
        if detours.is_empty() {
            return self.elsewhere(now, errand, (Failure::Refused(code), Evidence::Alive), out);
        }
        // For good is only what nobody on the way called temporary.
        if errand.detours.first().is_some_and(|via| !via.lasting) {
            detours.iter_mut().for_each(|detour| detour.lasting = false);
        }
        // What this place names comes before what an earlier one named.
        detours.extend(errand.detours.drain(..).skip(1));
        errand.detours = detours;
        self.attempt(now, errand, out);
    }

    /// Asks the DNS where the errand's next place is.
    pub(super) fn seek(&mut self, now: Moment, errand: Errand, place: Arc<Place>, out: &mut Vec<Effect>) {
        self.timers.set(Timer::Seek, now + PATIENCE);
        self.seeking = Some(Box::new(errand));
        out.push(Effect::Seek(place));
    }

    /// Whether the DNS is being asked. What is not wanted any more does not wait for it: a removal, say.
    pub(super) fn is_seeking(&mut self) -> bool {
        let Some(errand) = self.seeking.take() else { return false };
        let is_wanted = self.is_wanted(&errand);
        if is_wanted {
            self.seeking = Some(errand);
        } else {
            self.timers.stop(Timer::Seek);
        }
        is_wanted
    }

    /// The DNS has answered: these targets, or none.
    pub(super) fn sought(&mut self, now: Moment, place: &Place, targets: &[Target], out: &mut Vec<Effect>) {
        let is_it = |errand: &mut Box<Errand>| errand.detours.first().is_some_and(|via| *via.place == *place);
        let Some(mut errand) = self.seeking.take_if(is_it) else { return };
        self.timers.stop(Timer::Seek);
        let via = errand.detours.remove(0);
        let room = DETOURS_MAX.saturating_sub(errand.visited.len());
        let new = targets.iter().copied().filter(|target| !errand.visited.contains(target)).take(room);
        let found: Vec<Detour> = new.map(|target| Detour { target: Some(target), ..via.clone() }).collect();
        errand.visited.extend(found.iter().filter_map(|detour| detour.target));
        // A name that leads nowhere is a place that does not answer.
        let first = if found.is_empty() { vec![via] } else { found };
        let is_found = first.iter().all(|detour| detour.target.is_some());
        errand.detours.splice(0..0, first);
        if is_found && self.timers.at(Timer::Hold).is_none() {
            return self.attempt(now, *errand, out);
        }
        self.elsewhere(now, *errand, (Failure::Unsent, Evidence::Alive), out);
    }

    /// The DNS took too long.
    pub(super) fn unsought(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let place = self.seeking.as_ref().and_then(|errand| Some(errand.detours.first()?.place.clone()));
        match place {
            Some(place) => self.sought(now, &place, &[], out),
            None => self.checked(now, out),
        }
    }
}
