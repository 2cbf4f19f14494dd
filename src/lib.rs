//! homing: the real world, wired.

pub mod check;
pub mod config;
pub mod control;
pub mod exit;
pub mod logging;
pub mod peer;
pub mod resolver;
pub mod sockets;
pub mod store;
