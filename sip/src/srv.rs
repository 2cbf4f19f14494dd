//! The order of SRV records (RFC 2782): priorities ascending, and within a priority by lot, the weights being odds.

use machine::chance::Chance;

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// The lower, the earlier.
    pub priority: u16,
    /// Its odds among those of one priority.
    pub weight: u16,
    /// Where the service listens there.
    pub port: u16,
    /// The name of the host.
    pub target: String,
}

/// Orders the records as a client has to try them.
pub fn order(mut records: Vec<Srv>, chance: &mut Chance) -> Vec<Srv> {
    // What a server sends in another order must not change the lot; weight 0 stands first within its priority.
    records.sort_by(|a, b| {
        (a.priority, a.weight, &a.target, a.port).cmp(&(b.priority, b.weight, &b.target, b.port))
    });
    records.dedup();
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let peers = records.iter().take_while(|record| record.priority == priority);
        let total: u64 = peers.clone().map(|record| u64::from(record.weight)).sum();
        let lot = chance.below(total + 1);
        let mut running = 0;
        let drawn = peers.map(|record| {
            running += u64::from(record.weight);
            running
        });
        // The first whose running sum reaches the lot; the last one's sum is the total, so there is one.
        let index = drawn.take_while(|sum| *sum < lot).count();
        ordered.push(records.remove(index));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5060, target: target.into() }
    }

    #[test]
    fn priorities_ascend_whatever_the_lot() {
        for seed in 0..50 {
            let records = vec![srv(20, 9, "c"), srv(10, 0, "a"), srv(10, 60_000, "b"), srv(30, 0, "d")];
            let ordered = order(records, &mut Chance::of(seed, "dns"));
            assert_eq!(ordered.iter().map(|record| record.priority).collect::<Vec<_>>(), [10, 10, 20, 30]);
        }
    }

    #[test]
    fn weights_are_odds_and_the_same_seed_gives_the_same_order() {
        let mut first: BTreeMap<String, u32> = BTreeMap::new();
        let mut chance = Chance::of(4711, "dns");
        for _ in 0..4_000 {
            let ordered =
                order(vec![srv(1, 60, "a"), srv(1, 20, "b"), srv(1, 20, "c"), srv(1, 0, "z")], &mut chance);
            *first.entry(ordered.into_iter().next().expect("one").target).or_default() += 1;
        }
        let of = |name: &str| first.get(name).copied().unwrap_or_default();
        assert!((2_250..2_500).contains(&of("a")), "{first:?}");
        assert!((700..900).contains(&of("b")) && (700..900).contains(&of("c")), "{first:?}");
        // Weight 0 has "a very small chance": 1 of 101.
        assert!((10..90).contains(&of("z")), "{first:?}");
        let records = vec![srv(1, 1, "b"), srv(1, 1, "a")];
        let reversed = records.iter().rev().cloned().collect();
        assert_eq!(order(records, &mut Chance::of(7, "x")), order(reversed, &mut Chance::of(7, "x")));
    }
}
