//! A handset between two radio coverages that overlap roams back and forth without end (R-15, spec 8).
//!
//! The first claims of a minute are immediate. When a seventh would follow within the same minute, the operator is
//! told, and from then on one claim in ten seconds is made. Claims of all OMMs count, since a flap takes two.

use std::time::Duration;

use machine::time::Moment;

/// Within which time claims are counted (spec 8; ours).
pub const WINDOW: Duration = Duration::from_secs(60);
/// How many claims within [`WINDOW`] are immediate (spec 8; ours).
pub const CLAIMS_MAX: usize = 6;
/// The least time between two claims of a handset that flaps (spec 8; ours).
pub const HOLD: Duration = Duration::from_secs(10);

/// The latest claims for one handset. Costs nothing for one that never roams.
#[derive(Clone, Debug, Default)]
pub struct Flapping {
    /// At most [`CLAIMS_MAX`], oldest first.
    claims: Vec<Moment>,
    told: bool,
}

impl Flapping {
    /// Takes note of a claim, made here or heard.
    pub fn note(&mut self, now: Moment) {
        if self.claims.len() == CLAIMS_MAX {
            self.claims.remove(0);
        }
        self.claims.push(now);
    }

    /// Until when a claim that is wanted now has to wait; `None` when it need not.
    pub fn hold(&mut self, now: Moment) -> Option<Moment> {
        if !self.flaps(now) {
            self.told = false;
            return None;
        }
        self.claims.last().map(|last| *last + HOLD).filter(|until| *until > now)
    }

    /// Whether the operator is to be told now: true once as long as the flapping goes on.
    pub fn tell(&mut self, now: Moment) -> bool {
        let first = self.flaps(now) && !self.told;
        self.told |= first;
        first
    }

    fn flaps(&self, now: Moment) -> bool {
        self.claims.len() == CLAIMS_MAX && self.claims.first().is_some_and(|first| now.since(*first) < WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    #[test]
    fn six_claims_are_immediate_and_the_seventh_waits() {
        let mut flapping = Flapping::default();
        for second in 0..6 {
            assert_eq!(flapping.hold(at(second)), None);
            flapping.note(at(second));
        }
        assert_eq!(flapping.hold(at(6)), Some(at(15)));
        assert!(flapping.tell(at(6)));
        assert!(!flapping.tell(at(7)), "once is enough");
        assert_eq!(flapping.hold(at(15)), None);
    }

    #[test]
    fn a_quiet_minute_ends_it() {
        let mut flapping = Flapping::default();
        for second in 0..6 {
            flapping.note(at(second));
        }
        assert!(flapping.tell(at(6)));
        assert_eq!(flapping.hold(at(60)), None);
        for second in 60..66 {
            flapping.note(at(second));
        }
        assert!(flapping.tell(at(66)), "a new flap is told anew");
    }

    #[test]
    fn six_claims_in_more_than_a_minute_are_nothing_special() {
        let mut flapping = Flapping::default();
        for turn in 0..20 {
            assert_eq!(flapping.hold(at(turn * 12)), None);
            flapping.note(at(turn * 12));
        }
    }
}
