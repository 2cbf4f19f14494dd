//! What one OMM knows and decides. Pure: no clock, socket, file or runtime in here.
//!
//! - [`ids`]: IPEI, PARK, PARI, SARI, PLI, the number of a user; their check rules (spec 4).
//! - [`stamp`]: who wrote last: a hybrid logical clock with the OMM as tie-break (spec 6.1).
//! - [`claim`]: what OMMs say to each other about a roam (spec SM-2).
//! - [`directory`]: users, devices and their relation; who is served where (spec 6.2, 6.4).
//! - [`epr`]: users that come from a provisioning server (M-2.2.7.1).
//! - [`platform`]: what an OMM runs on and what that bounds (M-2.2.1).
//! - [`presence`]: how long ago a handset proved that it is there (B-9).
//! - [`roaming`]: one user at one OMM (SM-2), with [`watchdog`] (SM-4) and [`flapping`] inside.
//! - [`star`]: who hears what (M-2.1.1-a, M-2.1.2.2-b/c).
//! - [`link`]: the sync connection of a remote to its central (SM-1R, SM-1C).

#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod claim;
pub mod directory;
pub mod epr;
pub mod errand;
pub mod flapping;
pub mod ids;
pub mod link;
pub mod platform;
pub mod presence;
pub mod roaming;
pub mod stamp;
pub mod star;
pub mod watchdog;
