//! How one server stands, as every user of one OMM sees it (SM-3H): evidence in, probes and verdicts out.

use bytes::Bytes;

use std::sync::Arc;

use crate::message::Message;
use crate::report::Evidence;
use crate::server::Standing;
use crate::target::Target;

/// What can happen to the health of a server.
#[derive(Clone, Debug)]
pub enum Input {
    /// What a binding of any user learned.
    Evidence(Evidence),
    /// A response to a probe (routed by its Call-ID).
    Answer(Message),
    /// The transport could not send a probe.
    Unsent,
}

/// What the health of a server wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send an OPTIONS.
    Probe {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Where to.
        to: Target,
        /// The complete message.
        bytes: Bytes,
        /// False for a retransmission.
        first: bool,
    },
    /// The server stands differently now: tell every line of the site.
    Standing {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Its tier.
        tier: u8,
        /// How it stands.
        standing: Standing,
    },
}
