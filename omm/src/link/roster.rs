//! Which remotes a central knows, and whom it lets in (spec SM-1C).
//!
//! A remote is counted against the ten (M-2.1.1-a) by this list, not by its connection: a remote that is away keeps
//! its place until an administrator removes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::secret::Secret;
use machine::time::{Moment, Wall};

use crate::ids::park::Sari;
use crate::link::frame::{Facts, Open, OpenError, Purpose};
use crate::link::gate::Gate;
use crate::link::neighbour::{Door, Neighbour};
use crate::stamp::OmmId;

#[cfg(test)]
mod tests;

/// Remotes of one central (M-2.1.1-a). The two members of a pair are one remote.
pub const REMOTES_MAX: usize = 10;

/// The central's list of remotes, and the account that lets them in.
#[derive(Clone, Debug)]
pub struct Roster {
    gate: Gate,
    facts: Facts,
    inactive: bool,
    remotes: BTreeMap<u32, Entry>,
}

/// One remote.
#[derive(Clone, Debug)]
struct Entry {
    since: Wall,
    /// Where the others can call it.
    door: Option<Door>,
    /// The term of the connection that stands.
    live: Option<u32>,
}

/// Somebody is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// What the central tells of itself.
    pub facts: Facts,
    /// What the list says of the remote now, if that is news: the store has to have it before the remote is told.
    pub inscribed: Option<Inscription>,
}

/// What the list says of a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inscription {
    /// Since when it is on it, by the central's calendar.
    pub since: Wall,
    /// Where the others can call it.
    pub door: Option<Door>,
}

impl Roster {
    /// An empty list. `facts` are the central's own; `wall` in them is filled in for each answer.
    pub fn new(user: Arc<str>, password: Secret, facts: Facts) -> Roster {
        Roster { gate: Gate::new(user, password), facts, inactive: false, remotes: BTreeMap::new() }
    }

    /// The same list, where only this hash of the account's password is known.
    pub fn with_hash(self, hash: Secret) -> Roster {
        Roster { gate: self.gate.with_hash(hash), ..self }
    }

    /// With which hash the password of a login has to be compared before it is let in ([`Gate::question`]).
    pub fn question(&mut self, now: Moment, from: &str, open: &Open) -> Option<Secret> {
        self.gate.question(now, from, open)
    }

    /// Puts a remote on the list that was on it in an earlier life.
    pub fn restore(&mut self, remote: OmmId, Inscription { since, door }: Inscription) {
        self.remotes.insert(remote.pari, Entry { since, door, live: None });
    }

    /// The remotes on the list, since when they are on it, and whether a connection stands; by PARI.
    pub fn remotes(&self) -> impl Iterator<Item = (OmmId, Wall, bool)> {
        self.remotes.iter().map(|(pari, entry)| (OmmId::new(*pari), entry.since, entry.live.is_some()))
    }

    /// The remotes that others can call; by PARI. Each of them is told of the others (B-4).
    pub fn neighbours(&self) -> Vec<Neighbour> {
        let reachable = self.remotes.iter().filter_map(|(pari, entry)| Some((pari, entry.door.clone()?)));
        reachable.map(|(pari, door)| Neighbour { omm: OmmId::new(*pari), door }).collect()
    }

    /// Takes a remote off the list, for good. Whether it was on it.
    pub fn remove(&mut self, remote: OmmId) -> bool {
        self.remotes.remove(&remote.pari).is_some()
    }

    /// The central has a SARI now.
    pub fn learn(&mut self, sari: Sari) {
        self.facts.sari = Some(sari);
    }

    /// This OMM is the inactive member of a pair: remotes are sent to the other one (SM-1R).
    pub fn stand_by(&mut self, inactive: bool) {
        self.inactive = inactive;
    }

    /// The connection of a remote that was let in is gone.
    pub fn parted(&mut self, remote: OmmId) {
        if let Some(entry) = self.remotes.get_mut(&remote.pari) {
            entry.live = None;
        }
    }

    /// Lets a remote in that calls from the address `from`, or says why not. `wall` is the central's calendar time,
    /// `compared` whether the password fits what [`Roster::question`] asked.
    ///
    /// # Errors
    /// In the order of SM-1R: the account, the inactive member, the SARI, what does not go together, the limit of ten, a
    /// connection of a higher term.
    pub fn admit(
        &mut self,
        now: Moment,
        wall: Wall,
        from: &str,
        open: &Open,
        compared: bool,
    ) -> Result<Admission, OpenError> {
        self.gate.log_in(now, from, open, compared)?;
        if self.inactive {
            return Err(OpenError::Inactive);
        }
        if self.facts.sari.is_none() {
            return Err(OpenError::NoSari);
        }
        if let Some(mismatch) = self.facts.mismatch(&open.facts) {
            return Err(OpenError::Mismatch(mismatch));
        }
        let (pari, term) = (open.facts.omm.pari, open.facts.term);
        let known = self.remotes.get(&pari);
        if known.is_none() && self.remotes.len() >= REMOTES_MAX {
            return Err(OpenError::Full);
        }
        // Higher (term, connection time) wins: of one term the later connection, because the earlier may be half open.
        if known.and_then(|entry| entry.live).is_some_and(|live| live > term) {
            return Err(OpenError::Outranked);
        }
        let facts = Facts { wall, ..self.facts };
        if open.purpose == Purpose::Trial {
            return Ok(Admission { facts, inscribed: None });
        }
        let since = known.map_or(wall, |entry| entry.since);
        let is_news = known.is_none_or(|entry| entry.door != open.door);
        let inscribed = is_news.then(|| Inscription { since, door: open.door.clone() });
        self.remotes.insert(pari, Entry { since, door: open.door.clone(), live: Some(term) });
        Ok(Admission { facts, inscribed })
    }
}
