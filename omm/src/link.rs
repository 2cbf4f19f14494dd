//! The sync connection of a remote to its central (spec SM-1R, SM-1C).

pub mod bandwidth;
pub mod census;
pub mod dial;
pub mod frame;
pub mod pulse;
pub mod roster;
pub mod serve;
pub mod timing;
