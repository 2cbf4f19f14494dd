//! Random nights. `NIGHTS=1000` lives through more of them, `NIGHT=<seed>` through one.

use super::*;

/// A night of eleven sites: edits, links that break in the middle of a page, processes that die.
fn night(seed: u64) {
    let mut chance = Chance::of(seed, "night");
    let mut star = Star::new(10, 5);
    (1..=10).for_each(|remote| star.link(remote));
    for _ in 0..400 {
        let at = chance.below(11) as usize;
        let n = chance.below(30) as u32;
        match chance.below(24) {
            0 => star.cut(at.max(1)),
            1 => star.restart(at),
            2..=4 => star.link(at.max(1)),
            5..=12 => {
                // A refusal is as welcome as a success.
                let edit = random(&mut chance, &star.sites[at].directory.borrow(), n);
                let _ = edit.map(|edit| star.edit(at, edit));
            }
            _ => (0..chance.below(8)).for_each(|_| {
                star.deliver(chance.next());
            }),
        }
    }
    (1..=10).for_each(|remote| star.link(remote));
    star.settle();
    star.assert_alike(&format!("seed {seed}; NIGHT={seed} cargo test -p omm nights"));
    assert!(star.names(3) == star.names(7));
    let full = |site: &Site| site.sync.state.vector.covers_all(&star.sites[0].sync.state.vector);
    assert!(star.sites.iter().all(full), "somebody does not know what it knows, seed {seed}");
}

fn random(chance: &mut Chance, directory: &Directory, n: u32) -> Option<Edit> {
    let ipei = Ipei::new(1, n).unwrap();
    let uid = directory.uid_of(&number(n));
    match chance.below(8) {
        0 | 1 => Some(create(n)),
        2 => Some(Edit::CreateDevice(Box::new(NewDevice::new(ipei)))),
        3 | 4 => name(directory, n, &chance.hex(4)),
        5 => Some(Edit::DeleteUser(uid?)),
        6 => Some(Edit::DeleteDevice(directory.device(ipei)?.ppn)),
        _ => {
            let device = directory.devices().nth(chance.below(8) as usize)?.ipei;
            Some(Edit::Login { user: number(n), device })
        }
    }
}

#[test]
fn after_nights_of_cuts_and_restarts_eleven_sites_are_alike() {
    if let Some(seed) = std::env::var("NIGHT").ok().and_then(|seed| seed.parse().ok()) {
        return night(seed);
    }
    let nights = std::env::var("NIGHTS").ok().and_then(|count| count.parse().ok()).unwrap_or(60);
    (0..nights).for_each(night);
}
