//! Connections on which nobody has logged in yet: bounded, and nobody's are so many that others have no place.
//!
//! A further one takes the place of another: the oldest of the address that has the most. So those who only keep
//! connections open keep out themselves, and a client from elsewhere whose login takes its time stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::office::DeskId;

/// How many there may be. Ours.
pub const STRANGERS_MAX: usize = 64;

/// The strangers of one OMM, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Strangers(BTreeMap<DeskId, Arc<str>>);

impl Strangers {
    /// One comes from this address; who has to go for it, if anybody.
    pub fn came(&mut self, desk: DeskId, address: Arc<str>) -> Option<DeskId> {
        let goes = (self.0.len() >= STRANGERS_MAX).then(|| self.one_too_many()).flatten();
        goes.and_then(|goes| self.0.remove(&goes));
        self.0.insert(desk, address);
        goes
    }

    /// It has logged in, or gone.
    pub fn left(&mut self, desk: DeskId) {
        self.0.remove(&desk);
    }

    /// Whether nobody has logged in there.
    pub fn contains(&self, desk: DeskId) -> bool {
        self.0.contains_key(&desk)
    }

    fn one_too_many(&self) -> Option<DeskId> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.0.values().for_each(|address| *counts.entry(address).or_default() += 1);
        let most = counts.values().max()?;
        self.0.iter().find(|(_, address)| counts.get(&***address) == Some(most)).map(|(desk, _)| *desk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_keeps_many_connections_open_loses_the_oldest_of_them_and_others_stay() {
        let (mut strangers, good, bad) =
            (Strangers::default(), Arc::from("192.0.2.1"), Arc::from("192.0.2.66"));
        assert_eq!(strangers.came(1, good), None);
        for desk in 2..=64 {
            assert_eq!(strangers.came(desk, Arc::clone(&bad)), None);
        }
        for desk in 65..=500 {
            assert_eq!(strangers.came(desk, Arc::clone(&bad)), Some(desk - 63), "its own oldest");
        }
        assert!(strangers.contains(1) && strangers.contains(500) && !strangers.contains(437));
        // The good one may have more than one as well.
        assert_eq!(strangers.came(501, Arc::from("192.0.2.1")), Some(438));
        strangers.left(1);
        assert!(!strangers.contains(1));
        assert_eq!(strangers.came(502, bad), None, "a place is free again");
    }

    #[test]
    fn of_many_addresses_with_one_each_the_oldest_goes() {
        let mut strangers = Strangers::default();
        for desk in 1..=64 {
            assert_eq!(strangers.came(desk, Arc::from(format!("192.0.2.{desk}"))), None);
        }
        assert_eq!(strangers.came(65, Arc::from("192.0.2.65")), Some(1));
    }
}
