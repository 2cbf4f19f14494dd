//! homing: the real world, wired.

pub mod config;
pub mod exit;
pub mod peer;
pub mod resolver;
pub mod sockets;
pub mod store;
