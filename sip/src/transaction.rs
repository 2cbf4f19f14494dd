//! Transactions that are no INVITE (RFC 3261 17.1.2 and 17.2.2, RFC 4320): what makes UDP reliable enough.
//!
//! - [`client`]: sends a request again until an answer comes or 32 s are over.
//! - [`server`]: answers a repeated request with the answer given before.

pub mod client;
pub mod server;

use std::time::Duration;

/// Estimate of the round trip (RFC 3261 17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest pause between two copies of a request (RFC 3261 17.1.2.2).
pub const T2: Duration = Duration::from_secs(4);
/// How long a copy may wander through the network (RFC 3261 17.1.2.2).
pub const T4: Duration = Duration::from_secs(5);
/// 64 * T1: Timer F, when a client gives up, and Timer J, how long a server remembers.
pub const LIFE: Duration = Duration::from_secs(32);
