//! What the trace tells of a REGISTER.

use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;

use crate::target::Target;

/// What a REGISTER is about, as the trace tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// The server's name.
    pub server: Arc<str>,
    /// Its tier.
    pub tier: u8,
    /// Where to, when the server has several targets.
    pub target: Option<Target>,
    /// Why it is sent.
    pub kind: Kind,
    /// Our contact; `None` for a query.
    pub contact: Option<Arc<str>>,
    /// What is asked for; zero for a removal.
    pub expires: Duration,
    /// An audit: nothing is wrong.
    pub routine: bool,
}

/// Why a REGISTER is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not registered yet, or no longer, or with a new contact.
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

impl Kind {
    /// As the trace spells it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Initial => "initial",
            Kind::Renew => "renew",
            Kind::Refresh => "refresh",
            Kind::Remove => "remove",
            Kind::Query => "query",
            Kind::Evict => "evict",
        }
    }
}

impl Register {
    pub(super) fn note(&self) -> Note {
        let note = Note::new("register").text("server", &self.server).number("tier", self.tier);
        let note = note.text("kind", self.kind.word());
        let note = match &self.target {
            Some(target) => note.text("target", target),
            None => note,
        };
        match &self.contact {
            Some(contact) => note.text("contact", contact).seconds("expires", self.expires),
            None => note,
        }
    }
}
