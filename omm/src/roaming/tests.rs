//! The table of SM-2 row by row, its edge cases as stories, and random worlds.

mod announcing;
mod bench;
mod evicting;
mod leaving;
mod seeds;
mod stories;
mod table;
mod world;

use super::Roaming;

#[test]
fn ten_thousand_users_at_eleven_omms_fit_into_a_small_machine() {
    // M-2.2.1-d, M-2.1.1-a: 110,000 of them in one replay.
    assert!(size_of::<Roaming>() <= 400, "{} bytes", size_of::<Roaming>());
}
