//! What every state machine of homing stands on.
//!
//! A machine is told the time, an input at a time, and answers with effects: data that somebody else performs.
//! It never reads a clock, never draws from a random source it was not given, never touches a socket or a file.
//! That is why the service and the replay can run the very same machines.
//!
//! - [`time`]: [`time::Moment`] for timers, [`time::Wall`] for the calendar; the two cannot be compared.
//! - [`timers`]: a table of named deadlines.
//! - [`chance`]: random numbers that belong to one owner, so that one more draw here shifts nothing there.
//! - [`step`]: the [`step::Machine`] trait.
//! - [`note`]: what a step looks like to somebody who watches.
//! - [`secret`]: text that never shows up in a log.

#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod chance;
pub mod note;
pub mod secret;
pub mod step;
pub mod time;
pub mod timers;
