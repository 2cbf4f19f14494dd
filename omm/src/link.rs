//! The sync connection of a remote to its central.
//!
//! - [`frame`]: what the two ends say to each other.
//! - [`health`]: what is shown of a link.
//! - [`pulse`]: whether the other end is alive, and what time it has.
//! - [`dial`]: the remote's end (SM-1R).
//! - [`serve`]: the central's end, one for each connection (SM-1C).
//! - [`roster`]: which remotes a central knows and lets in (SM-1C).

pub mod dial;
pub mod frame;
pub mod health;
pub mod pulse;
pub mod roster;
pub mod serve;
