//! One address of record kept registered at ONE server (SM-3 without the tier choice).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::message::Message;
use crate::report::{Evidence, Leftover, Report};
use crate::target::Target;

/// What the line asks of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Keep this contact registered from now on (a full URI, `sip:101@10.0.1.1:5060;hm-site=..;hm-ep=..`). A new one
    /// replaces the former: the next REGISTER carries both, the old with expires=0.
    Register {
        /// The contact URI.
        contact: Arc<str>,
    },
    /// One more REGISTER: now, or right behind the one in flight (M-2.1.4.1-e). Leaves a back-off at once.
    Renew,
    /// A REGISTER without Contact; the answer is reported as `Listed` (S-04).
    Query,
    /// The next REGISTER, sent at once, also carries these contacts with expires=0.
    Evict(Vec<String>),
    /// Remove our contact: waits for the REGISTER in flight, then expires=0 under the same Call-ID.
    Remove,
    /// Another tier serves the user: stop refreshing and trying, but remember what the registrar may still list.
    Rest,
    /// Come back from `Rest`; a back-off that was running goes on.
    Resume,
    /// Start no transaction before this time has passed (503 with Retry-After, told by the server's health, S-21).
    Hold(Duration),
    /// The link to the other OMMs is down: ask the registrar before each refresh (SM-3 query before refresh).
    Caution(bool),
    /// A removal left over from before a restart goes on (G-13).
    Leftover(Leftover),
    /// The server came back, or the credentials changed: try now if waiting.
    Retry,
}

/// What can happen to a binding.
#[derive(Clone, Debug)]
pub enum Input {
    /// The line wants something.
    Order(Order),
    /// A response that arrived with our Call-ID. Wrong branch, CSeq or method: counted and dropped.
    Answer(Message),
    /// The transport could not send to this address.
    Unsent(SocketAddr),
}

/// What a binding wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a REGISTER.
    Send {
        /// Where to.
        to: Target,
        /// The complete message.
        bytes: Bytes,
        /// False for a retransmission.
        first: bool,
        /// For the trace.
        register: Register,
    },
    /// A final answer arrived (trace).
    Answered {
        /// Its status code.
        code: u16,
    },
    /// For the line.
    Report(Report),
    /// For the health of the server.
    Evidence(Evidence),
    /// Make durable: a registration that could not be removed.
    Keep(Leftover),
    /// Forget what `Keep` made durable.
    Forget,
}

/// What a REGISTER is about, as the trace tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// The server's name.
    pub server: Arc<str>,
    /// Its tier.
    pub tier: u8,
    /// Why it is sent.
    pub kind: Kind,
    /// Our contact; `None` for a query.
    pub contact: Option<Arc<str>>,
    /// What is asked for; zero for a removal.
    pub expires: Duration,
}

/// Why a REGISTER is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not registered yet, or no longer.
    Initial,
    /// Asked for by the owner (M-2.1.4.1-e).
    Renew,
    /// Before the lifetime runs out.
    Refresh,
    /// With expires=0.
    Remove,
    /// Without Contact.
    Query,
    /// Carries contacts of siblings with expires=0.
    Evict,
}
