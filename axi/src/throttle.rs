//! How often one address may try a password (spec SM-1C: 5 bad logins a minute from one address, then a delay).
//!
//! Whoever has failed too often is not listened to for a while: the password is not even looked at, so that guessing
//! gets slower with every guess and a client with the right password at another address notices nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

/// Bad logins within a minute that have no consequence (spec SM-1C).
pub const BAD_LOGINS_MAX: u32 = 5;
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

#[derive(Clone, Copy, Debug)]
struct Bad {
    count: u32,
    last: Moment,
}

impl Throttle {
    /// How long this address has to wait for its answer without its password being looked at; `None` when it may try.
    pub fn delay(&self, now: Moment, address: &str) -> Option<Duration> {
        let bad = self.0.get(address).filter(|bad| now.since(bad.last) < MINUTE)?;
        let over = bad.count.checked_sub(BAD_LOGINS_MAX)?;
        Some(DELAY.saturating_mul(1 << over.min(8)).min(DELAY_MAX))
    }

    /// A login of this address failed, or was not looked at.
    pub fn failed(&mut self, now: Moment, address: &Arc<str>) {
        self.0.retain(|_, bad| now.since(bad.last) < MINUTE);
        if self.0.len() >= ADDRESSES_MAX && !self.0.contains_key(address) {
            let oldest = self.0.iter().min_by_key(|(_, bad)| bad.last).map(|(address, _)| address.clone());
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        let bad = self.0.entry(address.clone()).or_insert(Bad { count: 0, last: now });
        bad.count = bad.count.saturating_add(1);
        bad.last = now;
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

    #[test]
    fn from_the_sixth_bad_login_on_answers_get_slower_and_after_a_quiet_minute_all_is_forgotten() {
        let (mut throttle, address) = (Throttle::default(), Arc::from("192.0.2.7"));
        let mut delays = Vec::new();
        for _ in 0..12 {
            delays.push(throttle.delay(at(10), &address).map(|delay| delay.as_secs()));
            throttle.failed(at(10), &address);
        }
        let expected =
            [None, None, None, None, None, Some(1), Some(2), Some(4), Some(8), Some(16), Some(16), Some(16)];
        assert_eq!(delays, expected);
        assert_eq!(throttle.delay(at(10), "192.0.2.8"), None, "another address notices nothing");
        assert_eq!(throttle.delay(at(70), &address), None);
    }

    #[test]
    fn a_thousand_addresses_and_more_take_bounded_memory() {
        let mut throttle = Throttle::default();
        for n in 0..5000 {
            throttle.failed(at(1), &Arc::from(format!("192.0.2.{n}")));
        }
        assert_eq!(throttle.len(), ADDRESSES_MAX);
    }
}
