//! What a process costs, with all that it forked: CPU time and memory, as Linux counts them.

use std::fs;

/// The cost of a process group so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// User and system time in seconds.
    pub(crate) cpu: f64,
    /// Proportional set size in kB: memory shared with others counts in part.
    pub(crate) memory: u64,
}

/// Ticks of a second in `/proc/PID/stat` (USER_HZ, 100 on every Linux that Debian builds).
const HERTZ: f64 = 100.0;

/// Looks at every process of the group `leader`.
pub(crate) fn cost(leader: u32) -> Cost {
    let mut cost = Cost::default();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let path = process.path();
        let Ok(stat) = fs::read_to_string(path.join("stat")) else { continue };
        // The name in parentheses may contain blanks; what is counted stands behind it: state, parent, group ...
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        if number(2) != u64::from(leader) {
            continue;
        }
        cost.cpu += (number(11) + number(12)) as f64 / HERTZ;
        let rollup = fs::read_to_string(path.join("smaps_rollup")).unwrap_or_default();
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        cost.memory += pss
            .and_then(|text| text.trim().strip_suffix("kB"))
            .and_then(|text| text.trim().parse::<u64>().ok())
            .unwrap_or(0);
    }
    cost
}
