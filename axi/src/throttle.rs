//! How often one address may try a password (spec SM-1C: 5 bad logins a minute from one address, then a delay).
//!
//! ```text
//! bad logins of the last minute:  0 .. 4 --> the password is looked at
//!                                 5      --> it is not, and each answer comes later than the one before
//! ```
//!
//! Whoever has failed too often is not listened to for a while: the password is not even looked at, so that guessing
//! gets slower with every guess and a client with the right password at another address notices nothing. The minute
//! slides: each bad login is forgotten a minute later, whatever was tried since, so that a client that goes on asking
//! is heard again; and those at an account are forgotten when one at the same account succeeds. Not those at others: whoever
//! has one account must not forgive itself its guesses at another by logging in between them. Ours: what was not looked at
//! is no bad login.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

/// Bad logins within a minute that have no consequence (spec SM-1C).
pub const BAD_LOGINS_MAX: usize = 5;
/// The time in which they are counted (spec SM-1C).
const MINUTE: Duration = Duration::from_secs(60);
/// The delay of the first answer after too many; it doubles with every further one (spec SM-1C).
const DELAY: Duration = Duration::from_secs(1);
/// The longest delay. Ours.
const DELAY_MAX: Duration = Duration::from_secs(16);
/// Addresses that are remembered; who failed longest ago is forgotten first. Ours.
const ADDRESSES_MAX: usize = 1024;

/// Bad logins by address.
#[derive(Clone, Debug, Default)]
pub struct Throttle(BTreeMap<Arc<str>, Bad>);

/// What one address did.
#[derive(Clone, Debug, Default)]
struct Bad {
    /// When its bad logins of the last minute were, [`BAD_LOGINS_MAX`] of them at most, the oldest first; and at which
    /// account, if there is one of that name.
    times: VecDeque<(Moment, Option<u32>)>,
    /// How many it tried since it has had too many.
    turned_away: u32,
}

impl Bad {
    fn slide(&mut self, now: Moment) {
        while self.times.front().is_some_and(|(bad, _)| now.since(*bad) >= MINUTE) {
            self.times.pop_front();
        }
    }
}

impl Throttle {
    /// An address wants to log in: how long it has to wait for its answer without its password being looked at; `None`
    /// when it may try.
    pub fn turn_away(&mut self, now: Moment, address: &str) -> Option<Duration> {
        let bad = self.0.get_mut(address)?;
        bad.slide(now);
        if bad.times.len() < BAD_LOGINS_MAX {
            bad.turned_away = 0;
            return None;
        }
        let wait = DELAY.saturating_mul(1 << bad.turned_away.min(8)).min(DELAY_MAX);
        bad.turned_away = bad.turned_away.saturating_add(1);
        Some(wait)
    }

    /// The password that this address tried is wrong; at which account, if there is one of the name.
    pub fn failed(&mut self, now: Moment, address: &Arc<str>, account: Option<u32>) {
        self.0.retain(|_, bad| {
            bad.slide(now);
            !bad.times.is_empty()
        });
        if self.0.len() >= ADDRESSES_MAX && !self.0.contains_key(address) {
            let longest_ago = self.0.iter().min_by_key(|(_, bad)| bad.times.back().map(|(bad, _)| *bad));
            let longest_ago = longest_ago.map(|(address, _)| address.clone());
            longest_ago.and_then(|address| self.0.remove(&address));
        }
        let times = &mut self.0.entry(address.clone()).or_default().times;
        times.push_back((now, account));
        if times.len() > BAD_LOGINS_MAX {
            times.pop_front();
        }
    }

    /// The password that this address tried at this account is right.
    pub fn succeeded(&mut self, address: &str, account: u32) {
        let Some(bad) = self.0.get_mut(address) else { return };
        bad.times.retain(|(_, at)| *at != Some(account));
        if bad.times.is_empty() {
            self.0.remove(address);
        }
    }

    /// How many addresses are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    /// Tries a wrong password; how many seconds it is turned away for without a look at it.
    fn guess(throttle: &mut Throttle, second: u64, address: &Arc<str>) -> Option<u64> {
        let wait = throttle.turn_away(at(second), address).map(|wait| wait.as_secs());
        if wait.is_none() {
            throttle.failed(at(second), address, Some(1));
        }
        wait
    }

    #[test]
    fn from_the_sixth_bad_login_on_answers_get_slower_and_a_minute_later_all_is_forgotten() {
        let (mut throttle, address) = (Throttle::default(), Arc::from("192.0.2.7"));
        let delays: Vec<_> = (0..12).map(|_| guess(&mut throttle, 10, &address)).collect();
        let expected =
            [None, None, None, None, None, Some(1), Some(2), Some(4), Some(8), Some(16), Some(16), Some(16)];
        assert_eq!(delays, expected);
        assert_eq!(throttle.turn_away(at(10), "192.0.2.8"), None, "another address notices nothing");
        assert_eq!(guess(&mut throttle, 69, &address), Some(16));
        assert_eq!(guess(&mut throttle, 70, &address), None, "asking again has not kept it out");
        assert_eq!(throttle.turn_away(at(70), &address), None, "and that is the only one of this minute");
    }

    #[test]
    fn a_slow_client_with_a_wrong_password_is_never_throttled_and_each_bad_login_counts_for_a_minute() {
        let (mut throttle, address) = (Throttle::default(), Arc::from("192.0.2.7"));
        for second in (0..2000).step_by(50) {
            assert_eq!(guess(&mut throttle, second, &address), None, "at {second}");
        }
        let busy = Arc::from("192.0.2.8");
        for second in [0, 10, 20, 30, 40] {
            assert_eq!(guess(&mut throttle, second, &busy), None, "at {second}");
        }
        assert_eq!(guess(&mut throttle, 59, &busy), Some(1));
        assert_eq!(guess(&mut throttle, 60, &busy), None, "the first of the five is forgotten");
        assert_eq!(guess(&mut throttle, 61, &busy), Some(1), "and the sixth counts in its place");
    }

    #[test]
    fn whoever_gets_in_begins_anew() {
        let (mut throttle, address) = (Throttle::default(), Arc::from("192.0.2.7"));
        for _ in 0..3 {
            for _ in 0..4 {
                assert_eq!(guess(&mut throttle, 10, &address), None);
            }
            throttle.succeeded(&address, 1);
        }
        assert!(throttle.is_empty());
    }

    #[test]
    fn whoever_has_one_account_is_not_forgiven_its_guesses_at_another() {
        let (mut throttle, address) = (Throttle::default(), Arc::from("192.0.2.7"));
        let guesses: Vec<_> = (0..8)
            .map(|_| {
                throttle.succeeded(&address, 2);
                guess(&mut throttle, 10, &address)
            })
            .collect();
        assert_eq!(guesses, [None, None, None, None, None, Some(1), Some(2), Some(4)]);
        // Nor those at names that nobody has.
        let other = Arc::from("192.0.2.8");
        throttle.failed(at(10), &other, None);
        throttle.succeeded(&other, 2);
        assert_eq!(throttle.len(), 2);
    }

    #[test]
    fn a_thousand_addresses_and_more_take_bounded_memory() {
        let mut throttle = Throttle::default();
        for n in 0..5000 {
            throttle.failed(at(1), &Arc::from(format!("192.0.2.{n}")), None);
        }
        assert_eq!(throttle.len(), ADDRESSES_MAX);
    }
}
