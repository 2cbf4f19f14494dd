//! The account that lets OMMs in, and who has guessed at it lately.
//!
//! Passwords are guessed at the cost of the guesser's address alone. A good login forgives nothing: who has the account need
//! not guess, and behind one address there may be an OMM that has it and somebody who has not. Each bad login counts for a
//! minute of its own, so an OMM whose password was mended waits no longer than that.
//!
//! Where only a hash of the password is known, somebody else compares: [`Gate::question`] says with what, before
//! [`Gate::log_in`], and asks nothing of an address that has to wait.

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

/// With what passwords are compared.
#[derive(Clone, Debug)]
enum Lock {
    /// With the password itself.
    Clear(Secret),
    /// With a hash of it; what is in it only its maker knows.
    Hashed(Secret),
}

/// The account that lets OMMs in.
#[derive(Clone, Debug)]
pub struct Gate {
    user: Arc<str>,
    lock: Lock,
    /// When each address that was bad lately was so.
    bad: BTreeMap<Arc<str>, VecDeque<Moment>>,
}

impl Gate {
    /// A gate at which nobody has been yet.
    pub fn new(user: Arc<str>, password: Secret) -> Gate {
        Gate { user, lock: Lock::Clear(password), bad: BTreeMap::new() }
    }

    /// The same gate, where only this hash of the password is known.
    pub fn with_hash(self, hash: Secret) -> Gate {
        Gate { lock: Lock::Hashed(hash), ..self }
    }

    /// With which hash the password of a login has to be compared before [`Gate::log_in`] is asked; `None` when nothing has
    /// to be computed.
    pub fn question(&mut self, now: Moment, from: &str, open: &Open) -> Option<Secret> {
        let Lock::Hashed(hash) = &self.lock else { return None };
        let hash = hash.clone();
        (open.user == self.user && self.wait(now, from).is_none()).then_some(hash)
    }

    /// How long this address has to wait because it has been wrong too often.
    fn wait(&mut self, now: Moment, from: &str) -> Option<Duration> {
        let is_old = |bad: &Moment| now.since(*bad) >= BAD_LOGIN_WINDOW;
        self.bad.retain(|_, bad| {
            while bad.front().is_some_and(is_old) {
                bad.pop_front();
            }
            !bad.is_empty()
        });
        let bad = self.bad.get(from).filter(|bad| bad.len() >= BAD_LOGINS_MAX)?;
        let oldest = bad.front().copied().unwrap_or(now);
        Some(BAD_LOGIN_WINDOW.saturating_sub(now.since(oldest)))
    }

    /// Whether whoever calls from the address `from` has the account. `compared` is whether its password fits the hash of
    /// [`Gate::question`]; where that asked nothing it counts for nothing.
    ///
    /// # Errors
    /// It has not, or it has been wrong too often to be asked now.
    pub fn log_in(&mut self, now: Moment, from: &str, open: &Open, compared: bool) -> Result<(), OpenError> {
        if let Some(wait) = self.wait(now, from) {
            return Err(OpenError::Delayed(wait));
        }
        let fits = match &self.lock {
            Lock::Clear(password) => open.password == *password,
            Lock::Hashed(_) => compared,
        };
        if open.user == self.user && fits {
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
            gate.log_in(Moment::from_millis(second * 1000), "192.0.2.7", &open(password), false)
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
    fn where_only_a_hash_is_known_it_is_compared_elsewhere_and_never_taken_for_the_password() {
        let hash = Secret::new("#right");
        let mut gate = Gate::new("omm".into(), Secret::default()).with_hash(hash.clone());
        let now = Moment::from_millis(1000);
        assert_eq!(gate.question(now, "192.0.2.7", &open("right")), Some(hash));
        assert_eq!(gate.log_in(now, "192.0.2.7", &open("right"), true), Ok(()));
        for stolen in ["#right", ""] {
            assert_eq!(gate.log_in(now, "192.0.2.8", &open(stolen), false), Err(OpenError::Auth));
        }
        let nobody = Open { user: "root".into(), ..open("right") };
        assert_eq!(gate.question(now, "192.0.2.7", &nobody), None);
        assert_eq!(gate.log_in(now, "192.0.2.8", &nobody, true), Err(OpenError::Auth));
        for _ in 0..2 {
            assert_eq!(gate.log_in(now, "192.0.2.8", &open("wrong"), false), Err(OpenError::Auth));
        }
        assert_eq!(gate.question(now, "192.0.2.8", &open("right")), None, "it waits, and costs no hash");
        let waits = Err(OpenError::Delayed(Duration::from_secs(60)));
        assert_eq!(gate.log_in(now, "192.0.2.8", &open("right"), true), waits);
        let mut clear = Gate::new("omm".into(), Secret::new("right"));
        assert_eq!(clear.question(now, "192.0.2.7", &open("right")), None);
        assert_eq!(clear.log_in(now, "192.0.2.7", &open("wrong"), true), Err(OpenError::Auth));
    }

    #[test]
    fn a_guesser_with_many_addresses_takes_only_so_much_memory() {
        let mut gate = Gate::new("omm".into(), Secret::new("right"));
        let open = open("wrong");
        for address in 0..BAD_ADDRESSES_MAX + 100 {
            let now = Moment::from_millis(address as u64);
            assert_eq!(gate.log_in(now, &address.to_string(), &open, false), Err(OpenError::Auth));
        }
        assert_eq!(gate.bad.len(), BAD_ADDRESSES_MAX);
        assert!(gate.bad.contains_key("1123") && !gate.bad.contains_key("99"), "the oldest are forgotten");
    }
}
