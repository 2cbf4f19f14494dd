//! The location table of a registrar (RFC 3261 10.3 steps 6 to 8, RFC 5626 section 6).
//!
//! ```text
//!  (absent) --REGISTER--> Bound --REGISTER--> Bound --expires=0--> (absent)   removed
//!                           |  \--another contact takes its place-> (absent)   replaced
//!                           +------ its time is over -------------> (absent)   expired
//! ```
//!
//! - [`reading`]: steps 1, 2 and 5: makes a [`request`] of a REGISTER, or says what is wrong with it.
//! - [`subscriber`]: steps 3 to 5: who exists and who may change what.
//! - [`desk`]: all steps in their order, and the answers.
//! - this file: the bindings themselves. A request is checked whole before anything changes, so it happens completely
//!   or not at all. The table holds any number of users: expiry is an ordered index, nothing is scanned.
//!
//! The four [`Model`]s are those of spec SM-3: the ways in which registrars treat a second contact.

pub mod desk;
pub mod reading;
pub mod request;
pub mod subscriber;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::time::Moment;

use crate::uri::{self, Uri};

use request::{Item, Registration, Wish};

/// Below this a requested interval may be refused as too brief (RFC 3261 10.3 step 7, spec S-07).
const BRIEF_BELOW: Duration = Duration::from_secs(3600);
/// Most contacts that one user may have at a time. Ours: eleven OMMs in pairs stay below it (M-2.1.1-a).
pub const CONTACTS_MAX: usize = 32;

/// What happens to the contacts of a user when another one registers (spec SM-3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// RFC 3261: every contact stands for itself.
    Multi,
    /// The new contact throws the others out.
    SingleReplace {
        /// A removal, of whatever contact, removes whichever is bound (scenario R-2).
        removes_any: bool,
    },
    /// A second contact is refused with 403 while the first one is bound.
    SingleReject,
    /// RFC 5626: contacts with instance and reg-id are known by these, not by their URI.
    Outbound,
}

/// The intervals that a registrar grants, and its model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// How contacts of one user get on with each other.
    pub model: Model,
    /// Shorter requests are refused with 423, if they are also shorter than an hour.
    pub min: Duration,
    /// Longer requests are cut to this.
    pub max: Duration,
    /// Granted when the request names none.
    pub default: Duration,
}

impl Default for Policy {
    /// Every contact for itself; 60 s (Mitel's and Kamailio's minimum) to 1 h, 1 h when nothing is asked.
    fn default() -> Policy {
        let hour = Duration::from_secs(3600);
        Policy { model: Model::Multi, min: Duration::from_secs(60), max: hour, default: hour }
    }
}

/// Why the table refuses a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// 423, with this Min-Expires.
    Brief(Duration),
    /// 500: same Call-ID and no higher CSeq (spec S-06).
    OutOfOrder,
    /// 403: somebody else is bound and the model allows one.
    Occupied,
    /// 403: more than [`CONTACTS_MAX`] contacts.
    Crowded,
}

/// What happened to a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Bound, for the first time or again.
    Bound,
    /// Thrown out by another contact, or rewritten.
    Replaced,
    /// Removed on request.
    Removed,
    /// Its time was over.
    Expired,
    /// Forgotten in a crash.
    Lost,
}

/// One change of the table, for the registrar's own trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub fate: Fate,
    /// To whom.
    pub aor: Arc<str>,
    /// The contact it happened to, as written by the one who bound it.
    pub contact: Arc<str>,
    /// How long the contact would still have lasted, or now lasts.
    pub expires: Duration,
}

impl Change {
    /// The line for the trace: `bound aor=... contact=... expires=...`.
    pub fn note(&self) -> Note {
        let event = match self.fate {
            Fate::Bound => "bound",
            Fate::Replaced => "replaced",
            Fate::Removed => "removed",
            Fate::Expired => "expired",
            Fate::Lost => "lost",
        };
        Note::new(event)
            .text("aor", &self.aor)
            .text("contact", &self.contact)
            .number("expires", seconds_up(self.expires))
    }
}

/// A contact that is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The URI as written.
    pub uri: Arc<str>,
    params: String,
    flow: Option<(String, u32)>,
    call_id: Arc<str>,
    cseq: u32,
    until: Moment,
    serial: u64,
}

impl Binding {
    /// How long it will last, seen from `now`.
    pub fn remaining(&self, now: Moment) -> Duration {
        self.until.since(now)
    }

    /// The Contact value of a 200: URI, parameters, remaining seconds. A binding that lives is never listed as 0.
    pub fn value(&self, now: Moment) -> String {
        format!("<{}>{};expires={}", self.uri, self.params, seconds_up(self.remaining(now)))
    }
}

/// Whole seconds, a part of one counted as one.
fn seconds_up(span: Duration) -> u64 {
    u64::try_from(span.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// The table.
#[derive(Clone, Debug)]
pub struct Registrar {
    policy: Policy,
    /// Looked up, never iterated: order cannot be seen.
    users: HashMap<Arc<str>, Vec<Binding>>,
    /// Whose contact ends when; the number tells contacts of one instant apart.
    ends: BTreeMap<(Moment, u64), Arc<str>>,
    serial: u64,
}

impl Registrar {
    /// An empty table.
    pub fn new(policy: Policy) -> Registrar {
        Registrar { policy, users: HashMap::new(), ends: BTreeMap::new(), serial: 0 }
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The bindings of a user, oldest first.
    pub fn bindings(&self, aor: &str) -> &[Binding] {
        self.users.get(aor).map_or(&[], Vec::as_slice)
    }

    /// How many contacts are bound in all.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nobody is bound.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// When the next contact expires.
    pub fn deadline(&self) -> Option<Moment> {
        self.ends.first_key_value().map(|((at, _), _)| *at)
    }

    /// Drops the contacts whose time is over.
    pub fn wake(&mut self, now: Moment, out: &mut Vec<Change>) {
        while let Some(first) = self.ends.first_entry() {
            let (at, serial) = *first.key();
            if at > now {
                break;
            }
            let aor = first.remove();
            let bindings = self.users.get(&aor).map_or(&[][..], Vec::as_slice);
            if let Some(index) = bindings.iter().position(|binding| binding.serial == serial) {
                self.drop(now, &aor, index, Fate::Expired, out);
            }
        }
    }

    /// Whether the table would take this request, without changing anything. Bindings that are due count as gone
    /// only after [`Registrar::wake`].
    pub fn check(&self, request: &Registration) -> Result<(), Refusal> {
        let bound = self.bindings(&request.aor);
        match &request.wish {
            Wish::Query => Ok(()),
            Wish::RemoveAll => bound.iter().try_for_each(|binding| in_order(binding, request)),
            Wish::Change(items) => self.check_items(bound, request, items),
        }
    }

    /// Performs a request completely, or refuses it and changes nothing. The list for the 200 is then
    /// [`Registrar::bindings`].
    pub fn register(
        &mut self,
        now: Moment,
        request: &Registration,
        out: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        self.wake(now, out);
        self.check(request)?;
        match &request.wish {
            Wish::Query => {}
            Wish::RemoveAll => self.drop_if(now, &request.aor, |_| true, Fate::Removed, out),
            Wish::Change(items) => {
                // Removals first: "the old one away, the new one in" is one request whatever its order (ours).
                let (removals, additions): (Vec<&Item>, Vec<&Item>) =
                    items.iter().partition(|item| self.granted(item).is_zero());
                for item in removals {
                    self.remove(now, request, item, out);
                }
                for item in additions {
                    self.bind(now, request, item, out);
                }
            }
        }
        Ok(())
    }

    /// Takes all contacts of a user away.
    pub fn evict(&mut self, now: Moment, aor: &str, out: &mut Vec<Change>) {
        self.wake(now, out);
        self.drop_if(now, &aor.into(), |_| true, Fate::Removed, out);
    }

    /// Forgets everything, as a process without a disk does in a crash.
    pub fn lose(&mut self, now: Moment, out: &mut Vec<Change>) {
        self.wake(now, out);
        while let Some(((_, serial), aor)) = self.ends.first_key_value().map(|(end, aor)| (*end, aor.clone()))
        {
            self.drop_if(now, &aor, |binding| binding.serial == serial, Fate::Lost, out);
        }
    }

    /// Forgets the contacts of this user, as if somebody had removed them by hand.
    pub fn lose_user(&mut self, now: Moment, user: &str, out: &mut Vec<Change>) {
        self.wake(now, out);
        let is_its = |aor: &&Arc<str>| {
            aor.split_once(':').and_then(|(_, rest)| rest.rsplit_once('@')).is_some_and(|(of, _)| of == user)
        };
        let theirs: BTreeSet<Arc<str>> = self.users.keys().filter(is_its).cloned().collect();
        for aor in theirs {
            self.drop_if(now, &aor, |_| true, Fate::Lost, out);
        }
    }

    fn check_items(&self, bound: &[Binding], request: &Registration, items: &[Item]) -> Result<(), Refusal> {
        let (mut stays, mut added): (Vec<bool>, usize) = (vec![true; bound.len()], 0);
        for item in items {
            if let Some(asked) = item.expires
                && !asked.is_zero()
                && asked < BRIEF_BELOW
                && asked < self.policy.min
            {
                return Err(Refusal::Brief(self.policy.min));
            }
            let removal = self.granted(item).is_zero();
            let mut known = false;
            for (binding, stays) in bound.iter().zip(&mut stays) {
                if self.names(item, binding, removal) {
                    in_order(binding, request)?;
                    known = true;
                    *stays &= !removal;
                }
            }
            added += usize::from(!removal && !known);
        }
        let staying = stays.iter().filter(|stays| **stays).count();
        match self.policy.model {
            Model::SingleReject if added > 0 && staying + added > 1 => Err(Refusal::Occupied),
            Model::SingleReplace { .. } => Ok(()),
            Model::Multi | Model::Outbound | Model::SingleReject if staying + added > CONTACTS_MAX => {
                Err(Refusal::Crowded)
            }
            Model::Multi | Model::Outbound | Model::SingleReject => Ok(()),
        }
    }

    /// The interval an item gets; zero for a removal.
    pub fn granted(&self, item: &Item) -> Duration {
        let usual = item.expires.unwrap_or(self.policy.default).min(self.policy.max);
        item.most.map_or(usual, |most| usual.min(most))
    }

    /// Whether the item means this binding (RFC 3261 19.1.4, RFC 5626 6).
    fn names(&self, item: &Item, binding: &Binding, removal: bool) -> bool {
        if removal && self.policy.model == (Model::SingleReplace { removes_any: true }) {
            return true;
        }
        match (&item.flow, &binding.flow) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, None) => same(&item.uri, &binding.uri),
            // An old-style contact and a flow are different bindings even with one URI.
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    fn remove(&mut self, now: Moment, request: &Registration, item: &Item, out: &mut Vec<Change>) {
        let doomed: Vec<u64> = self
            .bindings(&request.aor)
            .iter()
            .filter(|binding| self.names(item, binding, true))
            .map(|binding| binding.serial)
            .collect();
        self.drop_if(now, &request.aor, |binding| doomed.contains(&binding.serial), Fate::Removed, out);
    }

    fn bind(&mut self, now: Moment, request: &Registration, item: &Item, out: &mut Vec<Change>) {
        let (aor, expires) = (&request.aor, self.granted(item));
        let known = self.bindings(aor).iter().position(|binding| self.names(item, binding, false));
        if matches!(self.policy.model, Model::SingleReplace { .. }) {
            let keep = known.and_then(|index| self.bindings(aor).get(index)).map(|binding| binding.serial);
            self.drop_if(now, aor, |binding| Some(binding.serial) != keep, Fate::Replaced, out);
        }
        let known = self.bindings(aor).iter().position(|binding| self.names(item, binding, false));
        self.serial += 1;
        let binding = Binding {
            uri: item.uri.clone(),
            params: item.params.clone(),
            flow: item.flow.clone(),
            call_id: request.call_id.clone(),
            cseq: request.cseq,
            until: now + expires,
            serial: self.serial,
        };
        self.ends.insert((binding.until, binding.serial), aor.clone());
        let bindings = self.users.entry(aor.clone()).or_default();
        match known.and_then(|index| bindings.get_mut(index)) {
            Some(place) => {
                let former = std::mem::replace(place, binding);
                self.ends.remove(&(former.until, former.serial));
                if former.uri != item.uri {
                    let expires = former.remaining(now);
                    out.push(Change { fate: Fate::Replaced, aor: aor.clone(), contact: former.uri, expires });
                }
            }
            None => bindings.push(binding),
        }
        out.push(Change { fate: Fate::Bound, aor: aor.clone(), contact: item.uri.clone(), expires });
    }

    fn drop_if(
        &mut self,
        now: Moment,
        aor: &Arc<str>,
        doomed: impl Fn(&Binding) -> bool,
        fate: Fate,
        out: &mut Vec<Change>,
    ) {
        while let Some(index) = self.bindings(aor).iter().position(&doomed) {
            self.drop(now, aor, index, fate, out);
        }
    }

    fn drop(&mut self, now: Moment, aor: &Arc<str>, index: usize, fate: Fate, out: &mut Vec<Change>) {
        let Some(bindings) = self.users.get_mut(aor) else { return };
        let gone = bindings.remove(index);
        if bindings.is_empty() {
            self.users.remove(aor);
        }
        self.ends.remove(&(gone.until, gone.serial));
        let expires = gone.remaining(now);
        out.push(Change { fate, aor: aor.clone(), contact: gone.uri, expires });
    }
}

/// RFC 3261 10.3 step 6 and 7: of one Call-ID only a higher CSeq counts; another Call-ID always does (spec S-06).
fn in_order(binding: &Binding, request: &Registration) -> Result<(), Refusal> {
    let ordered = binding.call_id != request.call_id || request.cseq > binding.cseq;
    if ordered { Ok(()) } else { Err(Refusal::OutOfOrder) }
}

/// Whether two URIs mean one contact; equal text needs no reading.
fn same(ours: &str, theirs: &str) -> bool {
    if ours == theirs {
        return true;
    }
    match (Uri::parse(ours), Uri::parse(theirs)) {
        (Ok(ours), Ok(theirs)) => uri::equal(&ours, &theirs),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
