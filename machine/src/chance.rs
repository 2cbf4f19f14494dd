//! Random numbers that belong to one owner.
//!
//! Every machine that needs chance owns a generator made from the world's seed and its own name. One more draw in
//! one binding therefore shifts no other binding, and a replay with the same seed takes the same turns. The numbers
//! are part of every golden trace, so the algorithm is written here and frozen (SplitMix64, Steele et al. 2014),
//! rather than taken from a library whose stream may change. Not for secrets: keys come from the operating system.

use std::time::Duration;

/// A small, fast, reproducible generator.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The generator of the owner called `name` in the world with this `seed`.
    pub fn of(seed: u64, name: &str) -> Chance {
        // FNV-1a spreads the name; one SplitMix step then spreads neighbouring seeds.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut chance = Chance(seed ^ hash);
        chance.0 = chance.next();
        chance
    }

    /// The next 64 random bits.
    #[expect(clippy::should_implement_trait, reason = "an endless source is no iterator to adapt")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0. The bias of the multiplication is below 2^-32 for small bounds.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A duration between the two bounds, both included, in whole milliseconds.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let low_ms = low.as_millis() as u64;
        let span = (high.as_millis() as u64).saturating_sub(low_ms);
        Duration::from_millis(low_ms + self.below(span.saturating_add(1)))
    }

    /// True in `per_million` of a million cases.
    pub fn happens(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(per_million)
    }

    /// `len` lower-case hexadecimal digits, for tags, branches and Call-IDs.
    pub fn hex(&mut self, len: usize) -> String {
        let mut text = String::with_capacity(len + 16);
        while text.len() < len {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(len);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_frozen() {
        let mut chance = Chance::of(4711, "berlin/101");
        let first: Vec<u64> = (0..3).map(|_| chance.next()).collect();
        let mut again = Chance::of(4711, "berlin/101");
        assert_eq!(first, (0..3).map(|_| again.next()).collect::<Vec<_>>());
        assert_ne!(Chance::of(4711, "berlin/102").next(), first[0]);
        assert_ne!(Chance::of(4712, "berlin/101").next(), first[0]);
    }

    #[test]
    fn bounds_hold() {
        let mut chance = Chance::of(1, "x");
        let (low, high) = (Duration::from_millis(5), Duration::from_millis(7));
        for _ in 0..1000 {
            assert!(chance.below(3) < 3);
            assert!((low..=high).contains(&chance.between(low, high)));
        }
        assert_eq!(chance.below(0), 0);
        assert_eq!(chance.hex(7).len(), 7);
    }
}
