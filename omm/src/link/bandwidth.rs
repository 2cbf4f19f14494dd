//! What a link has to carry so that the first synchronisation is done in time (M-2.2.8-c to f).

use std::time::Duration;

/// What one user or one handset takes (M-2.2.8-c).
const ENTRY_BYTES: u64 = 3_000;
/// A first synchronisation should be done by then (M-2.2.8-e).
const BUDGET: Duration = Duration::from_secs(300);

/// Bits per second that one link has to carry for so many users and handsets, a quarter of it head-room (M-2.2.8-f).
pub fn needed(entries: usize) -> u64 {
    let bits = u64::try_from(entries).unwrap_or(u64::MAX).saturating_mul(ENTRY_BYTES * 8);
    (bits / BUDGET.as_secs()).saturating_mul(5) / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_guideline_holds() {
        for (entries, kilobits) in [(0, 0), (500, 50), (1_000, 100), (10_000, 1_000)] {
            assert_eq!(needed(entries), kilobits * 1_000, "{entries}");
        }
    }
}
