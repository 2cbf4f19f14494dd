//! One user's registration across the tiers of a site: which binding is the current one.

use std::sync::Arc;
use std::time::Duration;

use crate::binding::Order;
use crate::report::{Failure, Listed, Removal, Report};
use crate::server::Standing;

/// What can happen to a line.
#[derive(Clone, Debug)]
pub enum Input {
    /// Keep this contact registered, at the lowest usable tier.
    Bind {
        /// The full contact URI.
        contact: Arc<str>,
    },
    /// One more REGISTER at the current tier (M-2.1.4.1-e).
    Renew,
    /// Ask the registrar of the current tier what it lists.
    Query,
    /// Remove these sibling contacts together with the next own REGISTER.
    Evict(Vec<String>),
    /// Remove the registration at every tier at which it may exist.
    Unbind,
    /// The link to the other OMMs is down: ask before each refresh (SM-3).
    Caution(bool),
    /// The user is in a call: fail back later.
    Busy(bool),
    /// How the server of this tier stands (SM-3H).
    Server {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// What its health says.
        standing: Standing,
    },
    /// What the binding of this tier reports.
    Report {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// The report.
        report: Report,
    },
}

/// What a line wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand this to the binding of the tier; hire it on first use.
    Tell {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// What is asked of it.
        order: Order,
    },
    /// Registered (first time or again) at this tier.
    Bound {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// How long it lives.
        granted: Duration,
    },
    /// Not registered now, or not renewed; the line goes on by itself.
    Failed {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// Why.
        failure: Failure,
    },
    /// Everything was removed, or what could not be. A later `Removed` may follow.
    Released(Removal),
    /// What the registrar lists (after every success and every query).
    Listed(Vec<Listed>),
    /// The user moves to a later tier (trace).
    Failover {
        /// The tier left.
        from: u8,
        /// The tier tried now.
        to: u8,
    },
    /// The user is back at an earlier tier (trace).
    Failback {
        /// The tier left.
        from: u8,
        /// The tier used now.
        to: u8,
    },
    /// The actor may drop the binding of this tier.
    Retire {
        /// 0 primary .. 2 tertiary.
        tier: u8,
    },
}
