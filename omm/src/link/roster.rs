//! Which remotes a central knows, and whom it lets in (spec SM-1C).
//!
//! A remote is counted against the ten (M-2.1.1-a) by this list, not by its connection: a remote that is away keeps
//! its place until an administrator removes it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;
use machine::time::{Moment, Wall};

use crate::link::frame::{Facts, Open, OpenError};
use crate::stamp::OmmId;

/// Remotes of one central (M-2.1.1-a). The two members of a pair are one remote.
pub const REMOTES_MAX: usize = 10;
/// Bad logins within a minute before everybody has to wait (SM-1C: 5 bad logins/min).
const BAD_LOGINS_MAX: usize = 5;
/// The minute.
const BAD_LOGIN_WINDOW: Duration = Duration::from_secs(60);

/// The central's list of remotes, and the account that lets them in.
#[derive(Clone, Debug)]
pub struct Roster {
    user: Arc<str>,
    password: Secret,
    facts: Facts,
    remotes: BTreeSet<u32>,
    bad: VecDeque<Moment>,
}

impl Roster {
    /// An empty list. `facts` are the central's own; `wall` in them is filled in for each answer.
    pub fn new(user: Arc<str>, password: Secret, facts: Facts) -> Roster {
        Roster { user, password, facts, remotes: BTreeSet::new(), bad: VecDeque::new() }
    }

    /// The PARIs of the remotes on the list.
    pub fn remotes(&self) -> impl Iterator<Item = OmmId> {
        self.remotes.iter().map(|pari| OmmId::new(*pari))
    }

    /// Takes a remote off the list, for good.
    pub fn remove(&mut self, remote: OmmId) -> bool {
        self.remotes.remove(&remote.pari)
    }

    /// Lets a remote in, or says why not. `wall` is the central's calendar time.
    pub fn admit(&mut self, now: Moment, wall: Wall, open: &Open) -> Result<Facts, OpenError> {
        while self.bad.front().is_some_and(|bad| now.since(*bad) >= BAD_LOGIN_WINDOW) {
            self.bad.pop_front();
        }
        if self.bad.len() >= BAD_LOGINS_MAX {
            let oldest = self.bad.front().copied().unwrap_or(now);
            return Err(OpenError::Delayed(BAD_LOGIN_WINDOW.saturating_sub(now.since(oldest))));
        }
        if open.user != self.user || open.password != self.password {
            self.bad.push_back(now);
            return Err(OpenError::Auth);
        }
        if self.facts.sari.is_none() {
            return Err(OpenError::NoSari);
        }
        if let Some(mismatch) = self.facts.mismatch(&open.facts) {
            return Err(OpenError::Mismatch(mismatch));
        }
        let pari = open.facts.omm.pari;
        if !self.remotes.contains(&pari) && self.remotes.len() >= REMOTES_MAX {
            return Err(OpenError::Full);
        }
        self.remotes.insert(pari);
        Ok(Facts { wall, ..self.facts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::park::{Park, Pli, Sari};
    use crate::link::frame::Mismatch;
    use crate::platform::Platform;

    fn facts(pari: u32) -> Facts {
        let park: Park = "1F102A7C82".parse().unwrap();
        let (sari, wall) = (Some(Sari::derive(park)), Wall::from_millis(7));
        Facts { omm: OmmId::new(pari), protocol: 45, platform: Platform::Pc, pli: Pli::FULL, sari, wall }
    }

    fn roster() -> Roster {
        Roster::new("omm".into(), Secret::new("right"), facts(0x102A_7C82))
    }

    fn open(facts: Facts, password: &str) -> Open {
        Open { user: "omm".into(), password: Secret::new(password), facts, trial: false }
    }

    fn admit(roster: &mut Roster, now: Moment, open: &Open) -> Result<(), OpenError> {
        roster.admit(now, Wall::from_millis(9), open).map(|_| ())
    }

    #[test]
    fn the_eleventh_remote_is_refused_and_the_first_ten_are_not_affected() {
        let (mut roster, now) = (roster(), Moment::START);
        for remote in 1..=10 {
            assert_eq!(admit(&mut roster, now, &open(facts(remote), "right")), Ok(()));
        }
        assert_eq!(admit(&mut roster, now, &open(facts(11), "right")), Err(OpenError::Full));
        assert_eq!(admit(&mut roster, now, &open(facts(10), "right")), Ok(()), "it has its place");
        let second = Facts { omm: OmmId { pari: 3, member: 2 }, ..facts(3) };
        assert_eq!(admit(&mut roster, now, &open(second, "right")), Ok(()), "a pair is one remote");
        assert!(roster.remove(OmmId::new(5)));
        assert_eq!(admit(&mut roster, now, &open(facts(11), "right")), Ok(()));
    }

    #[test]
    fn each_difference_is_refused_by_its_name() {
        let (mut roster, now) = (roster(), Moment::START);
        let foreign = Some(Sari::derive("1F10187326".parse().unwrap()));
        let cases = [
            (Facts { protocol: 46, ..facts(1) }, Mismatch::Protocol),
            (Facts { platform: Platform::Rfp, ..facts(1) }, Mismatch::Platform),
            (Facts { pli: Pli::XXL, ..facts(1) }, Mismatch::Pli),
            (facts(0x102A_7C82), Mismatch::DuplicatePark),
            (Facts { sari: foreign, ..facts(1) }, Mismatch::Sari),
        ];
        for (theirs, mismatch) in cases {
            let refused = Err(OpenError::Mismatch(mismatch));
            assert_eq!(admit(&mut roster, now, &open(theirs, "right")), refused);
        }
        assert_eq!(
            admit(&mut roster, now, &open(Facts { sari: None, ..facts(1) }, "right")),
            Ok(()),
            "it learns it"
        );
    }

    #[test]
    fn after_five_bad_logins_in_a_minute_even_the_right_one_waits() {
        let mut roster = roster();
        for second in 0..5 {
            let now = Moment::from_millis(second * 1000);
            assert_eq!(admit(&mut roster, now, &open(facts(1), "wrong")), Err(OpenError::Auth));
        }
        let wait = Duration::from_secs(55);
        let now = Moment::from_millis(5000);
        assert_eq!(admit(&mut roster, now, &open(facts(1), "right")), Err(OpenError::Delayed(wait)));
        assert_eq!(admit(&mut roster, Moment::from_millis(60_000), &open(facts(1), "right")), Ok(()));
    }

    #[test]
    fn a_central_without_sari_lets_nobody_in() {
        let own = Facts { sari: None, ..facts(0x102A_7C82) };
        let mut roster = Roster::new("omm".into(), Secret::new("right"), own);
        assert_eq!(admit(&mut roster, Moment::START, &open(facts(1), "right")), Err(OpenError::NoSari));
    }
}
