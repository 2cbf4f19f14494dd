//! homing: the real world, wired.

pub mod config;
pub mod exit;
pub mod resolver;
pub mod store;
