//! When a handset last proved that it is there, in a form that survives a journey between OMMs (B-9).
//!
//! Wall clocks of two sites disagree, so what travels is an age. Whoever receives it counts on by the own monotonic
//! clock; nobody needs to know what time it is elsewhere.

use std::time::Duration;

use machine::time::Moment;

/// An age at a moment, from which the age at every later moment follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    age_ms: u64,
    at: Moment,
}

impl Presence {
    /// A proof that is `age` old at `now`.
    pub fn aged(age: Duration, now: Moment) -> Presence {
        Presence { age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX), at: now }
    }

    /// A proof made right now.
    pub const fn fresh(now: Moment) -> Presence {
        Presence { age_ms: 0, at: now }
    }

    /// How old the proof is at `now`.
    pub fn age(self, now: Moment) -> Duration {
        Duration::from_millis(self.age_ms).saturating_add(now.since(self.at))
    }

    /// When the proof will be `age` old, or the moment it was heard of when it was older even then.
    pub fn reaches(self, age: Duration) -> Moment {
        self.at + age.saturating_sub(Duration::from_millis(self.age_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_goes_on_growing_where_it_arrives() {
        let second = Duration::from_secs(1);
        let heard = Moment::from_millis(500);
        let presence = Presence::aged(60 * second, heard);
        assert_eq!(presence.age(heard + 5 * second), 65 * second);
        assert_eq!(presence.reaches(90 * second), heard + 30 * second);
        assert_eq!(presence.reaches(second), heard, "older than that already");
        assert_eq!(Presence::fresh(heard).age(heard), Duration::ZERO);
    }
}
