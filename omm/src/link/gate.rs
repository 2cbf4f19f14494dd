//! The account that lets OMMs in, and who has guessed at it lately.
//!
//! Passwords are guessed at the cost of the guesser's address alone. A good login forgives nothing: who has the account need
//! not guess, and behind one address there may be an OMM that has it and somebody who has not. Each bad login counts for a
//! minute of its own, so an OMM whose password was mended waits no longer than that.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;
use machine::time::Moment;

use crate::link::frame::{Open, OpenError};

/// Bad logins within a minute before an address has to wait (SM-1C: 5 bad logins/min).
const BAD_LOGINS_MAX: usize = 5;
/// The minute.
const BAD_LOGIN_WINDOW: Duration = Duration::from_secs(60);
/// Addresses whose bad logins are remembered; ours. Beyond it the one that was bad longest ago is forgotten.
const BAD_ADDRESSES_MAX: usize = 1024;

/// The account that lets OMMs in.
#[derive(Clone, Debug)]
pub struct Gate {
    user: Arc<str>,
    password: Secret,
    /// When each address that was bad lately was so.
    bad: BTreeMap<Arc<str>, VecDeque<Moment>>,
}

impl Gate {
    /// A gate at which nobody has been yet.
    pub fn new(user: Arc<str>, password: Secret) -> Gate {
        Gate { user, password, bad: BTreeMap::new() }
    }

    /// Whether whoever calls from the address `from` has the account.
    ///
    /// # Errors
    /// It has not, or it has been wrong too often to be asked now.
    pub fn log_in(&mut self, now: Moment, from: &str, open: &Open) -> Result<(), OpenError> {
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

#[cfg(test)]
mod tests {
    use machine::time::Wall;

    use super::*;
    use crate::ids::park::Pli;
    use crate::link::frame::{Facts, Purpose};
    use crate::platform::Platform;
    use crate::stamp::OmmId;

    fn open(password: &str) -> Open {
        let (protocol, platform, pli) = (45, Platform::Pc, Pli::FULL);
        let facts =
            Facts { omm: OmmId::new(1), term: 0, protocol, platform, pli, sari: None, wall: Wall::default() };
        let (password, purpose) = (Secret::new(password), Purpose::Link);
        Open { user: "omm".into(), password, facts, door: None, purpose }
    }

    #[test]
    fn a_good_login_does_not_forgive_the_bad_ones_of_its_address_and_a_minute_does() {
        let mut gate = Gate::new("omm".into(), Secret::new("right"));
        let mut log_in = |second: u64, password| {
            gate.log_in(Moment::from_millis(second * 1000), "192.0.2.7", &open(password))
        };
        for second in 0..5 {
            assert_eq!(log_in(10 * second, "wrong"), Err(OpenError::Auth));
            if second < 4 {
                assert_eq!(log_in(10 * second + 1, "right"), Ok(()));
            }
        }
        assert_eq!(log_in(41, "wrong"), Err(OpenError::Delayed(Duration::from_secs(19))));
        assert_eq!(log_in(59, "right"), Err(OpenError::Delayed(Duration::from_secs(1))));
        assert_eq!(log_in(60, "right"), Ok(()), "the first one is forgotten");
        assert_eq!(log_in(61, "wrong"), Err(OpenError::Auth));
        assert_eq!(log_in(62, "wrong"), Err(OpenError::Delayed(Duration::from_secs(8))));
    }

    #[test]
    fn a_guesser_with_many_addresses_takes_only_so_much_memory() {
        let mut gate = Gate::new("omm".into(), Secret::new("right"));
        let open = open("wrong");
        for address in 0..BAD_ADDRESSES_MAX + 100 {
            let now = Moment::from_millis(address as u64);
            assert_eq!(gate.log_in(now, &address.to_string(), &open), Err(OpenError::Auth));
        }
        assert_eq!(gate.bad.len(), BAD_ADDRESSES_MAX);
        assert!(gate.bad.contains_key("1123") && !gate.bad.contains_key("99"), "the oldest are forgotten");
    }
}
