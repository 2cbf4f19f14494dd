//! What a binding reports: to its line (reports) and to the health of its server (evidence).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::extension::Extensions;
use crate::grant::Grant;
use crate::overload::Feedback;
use crate::target::Target;

/// What became of a binding, told to its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A 2xx that lists our contact.
    Registered {
        /// How long it lives, from now.
        granted: Duration,
        /// Every contact of the answer: evidence about other OMMs (S-04).
        listed: Vec<Listed>,
    },
    /// What the registrar grants beside the lifetime, whenever that changes; `None` when there is nothing (any more).
    Granted(Option<Arc<Grant>>),
    /// The answer to a query.
    Listed(Vec<Listed>),
    /// Not registered now, or not renewed; the binding goes on by itself.
    Failed(Failure),
    /// The removal ended. After `Failed` and `Unknown` a later `Removed` may follow.
    Removed(Removal),
    /// Idle with nothing left to do: the actor may end.
    Done,
}

/// One contact of the registrar's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The contact's URI.
    pub uri: String,
    /// What is left of its life.
    pub expires: Duration,
    /// It is our own.
    pub own: bool,
}

/// Why a binding is not registered, or was not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered; the true state is unknown (RFC 4321).
    Silent,
    /// The transport could not send.
    Unsent,
    /// The server refused for reasons of its own: 5xx, 408, 480, 482, 483, 405, an endless redirection.
    Refused(u16),
    /// The answer is authoritative for this user: other 4xx, 6xx, rejected credentials.
    Rejected(u16),
    /// A 2xx that does not list our contact, or lists it with no life left.
    NotStored,
    /// The lifetime ran out without a successful refresh.
    Lapsed,
}

impl Failure {
    /// Another server may do better.
    pub fn server_side(self) -> bool {
        match self {
            Failure::Silent | Failure::Unsent | Failure::Refused(_) | Failure::NotStored => true,
            Failure::Rejected(_) | Failure::Lapsed => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Silent => f.write_str("silent"),
            Failure::Unsent => f.write_str("unsent"),
            Failure::Refused(code) => write!(f, "refused {code}"),
            Failure::Rejected(code) => write!(f, "rejected {code}"),
            Failure::NotStored => f.write_str("not stored"),
            Failure::Lapsed => f.write_str("lapsed"),
        }
    }
}

/// How a removal ended. Ordered from the best to the worst, so that the worst of several tiers is their maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removal {
    /// There was nothing to remove.
    Nothing,
    /// The registrar confirmed it.
    Removed,
    /// The registrar refused with this code.
    Failed(u16),
    /// Nobody answered.
    Unknown,
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Removal::Nothing => f.write_str("nothing"),
            Removal::Removed => f.write_str("removed"),
            Removal::Failed(code) => write!(f, "failed {code}"),
            Removal::Unknown => f.write_str("unknown"),
        }
    }
}

/// A registration that could not be removed: kept durably until it has aged out (SM-3 Cleanup, G-13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The contacts to remove.
    pub contacts: Vec<Arc<str>>,
    /// How long the registrar may still list it, from now.
    pub remaining: Duration,
}

/// What a binding of any user learned about its server (SM-3H).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Any answer, even a 4xx.
    Alive,
    /// No target of it answered in time.
    Silent,
    /// 503 with Retry-After.
    Overloaded(Duration),
    /// The transport failed.
    Unreachable,
    /// 408, or 5xx without Retry-After.
    Broken(u16),
    /// It knows no REGISTER (405, 501): it is no registrar, so this site is set wrongly (SM-3).
    Unfit(u16),
    /// It answers, and does not understand these extensions (420, 439).
    Lacks(Extensions),
    /// What it says about its load (RFC 7339).
    Load(Feedback),
    /// A user is registered at this one of its targets; told where there are several.
    Settled(Target),
    /// What a user saw who looked whether the server still lists it.
    Audited(Audited),
    /// This one of its targets failed; told where there are several. Whether the server has, the others decide.
    Passed(Target, Fault),
}

/// What came of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audited {
    /// The user's contact is listed.
    Kept,
    /// It was not, and is when the user has registered again: the server forgot it.
    Forgot,
    /// It is not even then, or the query was refused: what the server answers to a query says nothing.
    Reticent,
    /// No answer, or a 5xx. There may be registrars that take no queries, so this is no verdict.
    Unanswered,
}

/// What one target of a server did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It did not answer in time.
    Silent,
    /// The transport failed.
    Unreachable,
    /// 503 with Retry-After.
    Overloaded(Duration),
    /// 408, or 5xx without Retry-After.
    Broken(u16),
}

/// Why a target is passed over for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It has asked for it (S-21): nothing is sent to it.
    Wanted,
    /// It has failed others: it is asked behind the rest of them (ours).
    Doubted,
}

impl Evidence {
    /// The server has not done what it was asked, for reasons of its own: it may be elsewhere by now (S-22).
    pub fn is_failure(self) -> bool {
        self.fault().is_some() || matches!(self, Evidence::Passed(..))
    }

    /// The same as the fault of the one target that was asked.
    pub fn fault(self) -> Option<Fault> {
        match self {
            Evidence::Silent => Some(Fault::Silent),
            Evidence::Unreachable => Some(Fault::Unreachable),
            Evidence::Overloaded(rest) => Some(Fault::Overloaded(rest)),
            Evidence::Broken(code) | Evidence::Unfit(code) => Some(Fault::Broken(code)),
            Evidence::Alive
            | Evidence::Lacks(_)
            | Evidence::Load(_)
            | Evidence::Settled(_)
            | Evidence::Audited(_)
            | Evidence::Passed(..) => None,
        }
    }
}
