//! One errand at a registrar: the REGISTER in flight, and what it has been through so far.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Kind;
use super::auditing::Look;
use super::redirect::Detour;
use crate::report::{Audited, Evidence};
use crate::server::Account;
use crate::target::Target;
use crate::transaction::client::Client;

/// Why a REGISTER is under way and which way it took: it survives challenges, redirections and other targets.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) kind: Kind,
    /// The contact to store; `None` for a removal or a query.
    pub(super) contact: Option<Arc<str>>,
    pub(super) expires: Duration,
    /// Contacts to remove with it.
    pub(super) remove: Vec<Arc<str>>,
    /// A query before a refresh (SM-3): its failure is the refresh's failure.
    pub(super) guard: bool,
    /// A query for the server's health alone.
    pub(super) prove: bool,
    /// A query that looks whether we are listed.
    pub(super) audit: Option<Look>,
    /// Which target of the server is used now: whatever the DNS says meanwhile, it is the one that answers.
    pub(super) at: Option<Target>,
    /// The targets that were asked, this one included.
    pub(super) asked: Vec<Target>,
    /// Where redirections lead, the one in use first.
    pub(super) detours: Vec<Detour>,
    /// How many redirections were followed, and where they led: no place twice (S-25).
    pub(super) visited: Vec<Target>,
    /// The errand began where a 301 of an earlier one led.
    pub(super) recalled: bool,
    /// How many challenges were answered.
    pub(super) rounds: u8,
    /// A 423 was followed.
    pub(super) lengthened: bool,
    /// A Retry-After of zero was followed.
    pub(super) again: bool,
    /// The longest Retry-After.
    pub(super) retry_after: Option<Duration>,
    /// The flow broke under it once, and it was sent again.
    pub(super) reflown: bool,
}

impl Default for Errand {
    fn default() -> Errand {
        Errand {
            kind: Kind::Query,
            contact: None,
            expires: Duration::ZERO,
            remove: Vec::new(),
            guard: false,
            prove: false,
            audit: None,
            at: None,
            asked: Vec::new(),
            detours: Vec::new(),
            visited: Vec::new(),
            recalled: false,
            rounds: 0,
            lengthened: false,
            again: false,
            retry_after: None,
            reflown: false,
        }
    }
}

impl Errand {
    /// The Request-URI of the present attempt.
    pub(super) fn uri<'a>(&'a self, account: &'a Account) -> &'a str {
        self.detours.first().and_then(|detour| detour.uri.as_deref()).unwrap_or(&account.registrar)
    }

    /// It only looks whether we are listed.
    pub(super) fn is_audit(&self) -> bool {
        self.audit.is_some() && self.prove
    }

    /// Nobody has to read of it: it is asked every half minute, and nothing is wrong.
    pub(super) fn is_routine(&self) -> bool {
        self.audit == Some(Look::First) && self.prove
    }

    /// What its failure tells the health of the server: an audit alone takes no server down.
    pub(super) fn told(&self, evidence: Evidence) -> Evidence {
        match evidence {
            Evidence::Silent | Evidence::Broken(_) if self.is_audit() => {
                Evidence::Audited(Audited::Unanswered)
            }
            Evidence::Overloaded(rest) if self.is_audit() && rest.is_zero() => {
                Evidence::Audited(Audited::Unanswered)
            }
            Evidence::Alive
            | Evidence::Silent
            | Evidence::Overloaded(_)
            | Evidence::Unreachable
            | Evidence::Broken(_)
            | Evidence::Lacks(_)
            | Evidence::Load(_)
            | Evidence::Settled(_)
            | Evidence::Unfit(_)
            | Evidence::Passed(..)
            | Evidence::Audited(_) => evidence,
        }
    }

    /// Where the present attempt goes; nowhere yet when it goes to a name.
    pub(super) fn target(&self) -> Option<Target> {
        match self.detours.first() {
            Some(detour) => detour.target,
            None => self.at,
        }
    }

    /// The present target of the server is asked.
    pub(super) fn ask(&mut self) {
        let new = self.at.filter(|at| self.detours.is_empty() && !self.asked.contains(at));
        self.asked.extend(new);
    }

    /// Turns to the next place that a redirection named; false when there is none left.
    pub(super) fn next_detour(&mut self) -> bool {
        if !self.detours.is_empty() {
            self.detours.remove(0);
        }
        !self.detours.is_empty()
    }
}

/// The transaction of the errand.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) errand: Errand,
    pub(super) client: Client,
    pub(super) cseq: u32,
    /// Where it went: to the errand's target, or for its size over TCP.
    pub(super) to: Target,
    pub(super) bytes: Bytes,
}

/// A transaction given up for another target, which still absorbs a late answer (spec 3.2 [P]).
#[derive(Debug)]
pub(super) struct Orphan {
    pub(super) client: Client,
    pub(super) cseq: u32,
    pub(super) contact: Option<Arc<str>>,
    pub(super) expires: Duration,
    pub(super) kind: Kind,
}

impl Flight {
    /// Gives the transaction up: no more copies, but a late answer is still heard.
    pub(super) fn abandon(mut self) -> (Errand, Orphan) {
        self.client.hush();
        let Errand { kind, expires, ref contact, .. } = self.errand;
        let orphan = Orphan { client: self.client, cseq: self.cseq, contact: contact.clone(), expires, kind };
        (self.errand, orphan)
    }
}
