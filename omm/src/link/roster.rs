//! Which remotes a central knows, and whom it lets in (spec SM-1C).
//!
//! A remote is counted against the ten (M-2.1.1-a) by this list, not by its connection: a remote that is away keeps
//! its place until an administrator removes it. Passwords are guessed at the cost of the guesser's address alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;
use machine::time::{Moment, Wall};

use crate::ids::park::Sari;
use crate::link::frame::{Facts, Open, OpenError};
use crate::stamp::OmmId;

#[cfg(test)]
mod tests;

/// Remotes of one central (M-2.1.1-a). The two members of a pair are one remote.
pub const REMOTES_MAX: usize = 10;
/// Bad logins within a minute before an address has to wait (SM-1C: 5 bad logins/min).
const BAD_LOGINS_MAX: usize = 5;
/// The minute.
const BAD_LOGIN_WINDOW: Duration = Duration::from_secs(60);
/// Addresses whose bad logins are remembered; ours. Beyond it the one that was bad longest ago is forgotten.
const BAD_ADDRESSES_MAX: usize = 1024;

/// The central's list of remotes, and the account that lets them in.
#[derive(Clone, Debug)]
pub struct Roster {
    user: Arc<str>,
    password: Secret,
    facts: Facts,
    inactive: bool,
    remotes: BTreeMap<u32, Entry>,
    /// When each address that was bad lately was so.
    bad: BTreeMap<Arc<str>, VecDeque<Moment>>,
}

/// One remote.
#[derive(Clone, Copy, Debug)]
struct Entry {
    since: Wall,
    /// The term of the connection that stands.
    live: Option<u32>,
}

/// Somebody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// What the central tells of itself.
    pub facts: Facts,
    /// The remote is new on the list, since this calendar time: the store has to have it before it is told.
    pub newcomer: Option<Wall>,
}

impl Roster {
    /// An empty list. `facts` are the central's own; `wall` in them is filled in for each answer.
    pub fn new(user: Arc<str>, password: Secret, facts: Facts) -> Roster {
        Roster { user, password, facts, inactive: false, remotes: BTreeMap::new(), bad: BTreeMap::new() }
    }

    /// Puts a remote on the list that was on it in an earlier life.
    pub fn restore(&mut self, remote: OmmId, since: Wall) {
        self.remotes.insert(remote.pari, Entry { since, live: None });
    }

    /// The remotes on the list, since when they are on it, and whether a connection stands; by PARI.
    pub fn remotes(&self) -> impl Iterator<Item = (OmmId, Wall, bool)> {
        self.remotes.iter().map(|(pari, entry)| (OmmId::new(*pari), entry.since, entry.live.is_some()))
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

    /// Lets a remote in that calls from the address `from`, or says why not. `wall` is the central's calendar time.
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
    ) -> Result<Admission, OpenError> {
        self.log_in(now, from, open)?;
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
        let known = self.remotes.get(&pari).copied();
        if known.is_none() && self.remotes.len() >= REMOTES_MAX {
            return Err(OpenError::Full);
        }
        // Higher (term, connection time) wins: of one term the later connection, because the earlier may be half open.
        if known.and_then(|entry| entry.live).is_some_and(|live| live > term) {
            return Err(OpenError::Outranked);
        }
        let facts = Facts { wall, ..self.facts };
        if open.trial {
            return Ok(Admission { facts, newcomer: None });
        }
        let since = known.map_or(wall, |entry| entry.since);
        self.remotes.insert(pari, Entry { since, live: Some(term) });
        Ok(Admission { facts, newcomer: known.is_none().then_some(wall) })
    }

    fn log_in(&mut self, now: Moment, from: &str, open: &Open) -> Result<(), OpenError> {
        let is_old = |bad: &Moment| now.since(*bad) >= BAD_LOGIN_WINDOW;
        self.bad.retain(|_, bad| {
            while bad.front().is_some_and(is_old) {
                bad.pop_front();
            }
            !bad.is_empty()
        });
        if let Some(bad) = self.bad.get(from).filter(|bad| bad.len() >= BAD_LOGINS_MAX) {
            let oldest = bad.front().copied().unwrap_or(now);
            return Err(OpenError::Delayed(BAD_LOGIN_WINDOW.saturating_sub(now.since(oldest))));
        }
        if open.user == self.user && open.password == self.password {
            return Ok(());
        }
        if !self.bad.contains_key(from) && self.bad.len() >= BAD_ADDRESSES_MAX {
            let longest_ago = self.bad.iter().min_by_key(|(_, bad)| bad.back().copied());
            if let Some(address) = longest_ago.map(|(address, _)| address.clone()) {
                self.bad.remove(&address);
            }
        }
        self.bad.entry(from.into()).or_default().push_back(now);
        Err(OpenError::Auth)
    }
}
