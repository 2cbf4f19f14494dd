//! The sync connection of a remote to its central (spec SM-1R, SM-1C), and what remotes have instead when it is gone (B-4).

pub mod bandwidth;
pub mod census;
pub mod channel;
pub mod dial;
pub mod direct;
#[cfg(test)]
mod flights;
pub mod frame;
pub mod gate;
pub mod neighbour;
pub mod pulse;
pub mod roster;
pub mod serve;
pub mod timing;
