//! Which remotes a central knows, and whom it lets in (spec SM-1C).
//!
//! A remote is known by its PARI and counts against the ten whether it is connected or not (M-2.1.1-a), until the
//! operator removes it. One that connects again while its old connection seems to live takes that one's place: it was
//! cut off without our noticing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;
use machine::time::{Moment, Wall};

use crate::link::frame::{Facts, Open, OpenError};

/// How many remotes a system has (M-2.1.1-a).
pub const REMOTES_MAX: usize = 10;
/// How many bad logins a minute an address has before its answers are delayed (SM-1C).
pub const BAD_LOGINS_MAX: u32 = 5;
/// Within which time bad logins are counted (SM-1C).
pub const BAD_LOGINS_WINDOW: Duration = Duration::from_secs(60);
/// The longest delay of a refusal; the first is a second. Ours.
pub const DELAY_MAX: Duration = Duration::from_secs(8);
/// How many addresses with bad logins are remembered. Ours; the one that erred longest ago is forgotten first.
pub const ADDRESSES_MAX: usize = 256;

/// A connection, as the actor names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection(pub u64);

/// Whether a remote may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Welcome {
        /// Who we are, for [`crate::link::serve::Input::Answered`].
        facts: Facts,
        /// The older connection of the same remote: give it [`crate::link::serve::Input::Replaced`] first.
        replaces: Option<Connection>,
        /// Whether the remote is new; the roster is to be stored.
        new: bool,
    },
    /// It may not.
    Refused(OpenError),
}

/// The remotes of a central.
#[derive(Clone, Debug)]
pub struct Roster {
    facts: Facts,
    user: Arc<str>,
    password: Secret,
    clock_stop: Option<Duration>,
    /// By PARI; with the connection, if there is one.
    remotes: BTreeMap<u32, Option<Connection>>,
    /// Bad logins by address: how many, and when the last was.
    bad: BTreeMap<Arc<str>, (u32, Moment)>,
}

impl Roster {
    /// A roster with the remotes out of the store. The `wall` of `facts` is not used.
    pub fn new(
        facts: Facts,
        user: Arc<str>,
        password: Secret,
        clock_stop: Option<Duration>,
        known: impl IntoIterator<Item = u32>,
    ) -> Roster {
        let remotes = known.into_iter().map(|pari| (pari, None)).collect();
        Roster { facts, user, password, clock_stop, remotes, bad: BTreeMap::new() }
    }

    /// The remotes known, by PARI, and whether each is connected.
    pub fn remotes(&self) -> impl Iterator<Item = (u32, bool)> {
        self.remotes.iter().map(|(pari, connection)| (*pari, connection.is_some()))
    }

    /// Follows a change of what this central says of itself (the SARI was generated).
    pub fn amend(&mut self, facts: Facts) {
        self.facts = facts;
    }

    /// A remote at `address` introduces itself over `connection`; `wall` is our calendar time.
    pub fn knock(
        &mut self,
        now: Moment,
        wall: Wall,
        connection: Connection,
        address: &str,
        open: &Open,
    ) -> Verdict {
        if *open.user != *self.user || open.password != self.password {
            return Verdict::Refused(self.bad_login(now, address));
        }
        let ours = self.facts.at(wall);
        if ours.sari.is_none() {
            return Verdict::Refused(OpenError::NoSari);
        }
        if let Err(mismatch) = ours.agree(&open.facts, self.clock_stop) {
            return Verdict::Refused(OpenError::Mismatch(mismatch));
        }
        let pari = open.facts.omm.pari;
        let new = !self.remotes.contains_key(&pari);
        if new && self.remotes.len() >= REMOTES_MAX {
            return Verdict::Refused(OpenError::Full);
        }
        let replaces = self.remotes.insert(pari, Some(connection)).flatten();
        Verdict::Welcome { facts: ours, replaces: replaces.filter(|old| *old != connection), new }
    }

    /// A connection is gone; that of a remote which has a newer one changes nothing.
    pub fn gone(&mut self, connection: Connection) {
        for current in self.remotes.values_mut().filter(|current| **current == Some(connection)) {
            *current = None;
        }
    }

    /// The operator removes a remote; its connection, if any, is to be closed.
    pub fn remove(&mut self, pari: u32) -> Option<Connection> {
        self.remotes.remove(&pari).flatten()
    }

    fn bad_login(&mut self, now: Moment, address: &str) -> OpenError {
        self.bad.retain(|_, (_, last)| now.since(*last) < BAD_LOGINS_WINDOW);
        if self.bad.len() >= ADDRESSES_MAX && !self.bad.contains_key(address) {
            let oldest = self.bad.iter().min_by_key(|(_, (_, last))| *last).map(|(oldest, _)| oldest.clone());
            oldest.and_then(|oldest| self.bad.remove(&oldest));
        }
        let (count, last) = self.bad.entry(Arc::from(address)).or_insert((0, now));
        *count = count.saturating_add(1);
        *last = now;
        match count.checked_sub(BAD_LOGINS_MAX) {
            None | Some(0) => OpenError::Auth,
            Some(over) => OpenError::Delayed(Duration::from_secs(1 << (over - 1).min(3)).min(DELAY_MAX)),
        }
    }
}

#[cfg(test)]
mod tests;
