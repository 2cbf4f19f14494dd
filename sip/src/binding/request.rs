//! How a REGISTER is written (S-01, S-03, spec 3.5 and 3.7).

use std::time::Duration;

use bytes::Bytes;

use crate::digest::client::Line;
use crate::draft::Draft;
use crate::extension::Extensions;
use crate::name::Name;
use crate::server::{Account, Local};
use crate::target::Transport;

/// The method of every request of a binding.
pub(super) const METHOD: &str = "REGISTER";

/// What homing answers to at the contact: the phone side and the server side of one OMM.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, INFO, UPDATE, PRACK, REFER, MESSAGE";

/// Everything that differs between two REGISTERs of a binding.
#[derive(Debug)]
pub(super) struct Form<'a> {
    pub(super) account: &'a Account,
    pub(super) local: &'a Local,
    /// The Request-URI: the account's registrar, or where it sent us (S-25).
    pub(super) uri: &'a str,
    /// The outbound proxy on the way, if there is one.
    pub(super) route: Option<&'a str>,
    pub(super) transport: Transport,
    pub(super) branch: &'a str,
    pub(super) call_id: &'a str,
    pub(super) tag: u64,
    pub(super) cseq: u32,
    /// The contact to store and for how long.
    pub(super) keep: Option<(&'a str, Duration)>,
    /// Contacts to remove. A star is refused: it would erase the new owner's binding (S-03, I9).
    pub(super) remove: Vec<&'a str>,
    /// What is offered to this server.
    pub(super) offer: Extensions,
    pub(super) credentials: &'a [Line],
}

impl Form<'_> {
    /// The complete message.
    pub(super) fn write(&self) -> Bytes {
        let Account { aor, .. } = self.account;
        let mut draft = Draft::request(METHOD, self.uri)
            .print(Name::Via, format_args!("{};keep", self.local.via(self.transport, self.branch)))
            .line(Name::MaxForwards, "70")
            .maybe(Name::Route, self.route)
            .print(Name::From, format_args!("<{aor}>;tag={:010x}", self.tag))
            .print(Name::To, format_args!("<{aor}>"))
            .line(Name::CallId, self.call_id)
            .print(Name::CSeq, format_args!("{} {METHOD}", self.cseq));
        // Removals come first, so that a registrar with room for one contact has it when it reads ours.
        for contact in self.remove.iter().filter(|contact| **contact != "*") {
            draft = match self.flow().filter(|_| self.keep.is_none()) {
                Some(flow) => draft.print(Name::Contact, format_args!("<{contact}>;expires=0{flow}")),
                // Beside a live contact with our reg-id, the same reg-id with expires=0 would hit that one (spec 3.7).
                None => draft.print(Name::Contact, format_args!("<{contact}>;expires=0")),
            };
        }
        if let Some((contact, expires)) = self.keep {
            let flow = self.flow().unwrap_or_default();
            let expires = expires.as_secs();
            draft = draft.print(Name::Contact, format_args!("<{contact}>;expires={expires}{flow}"));
        }
        for line in self.credentials {
            draft = draft.line(line.name(), &line.value);
        }
        if !self.offer.is_empty() {
            draft = draft.print(Name::Supported, self.offer);
        }
        draft.line(Name::Allow, ALLOW).line(Name::UserAgent, &self.local.agent).finish()
    }

    /// The parameters that name our flow (RFC 5626 4.2), when the account has them and the server takes them.
    fn flow(&self) -> Option<String> {
        let instance = self.account.instance.as_deref()?;
        let flow = self.account.reg_id.filter(|_| self.offer.has(Extensions::OUTBOUND));
        match flow {
            Some(reg_id) => Some(format!(";+sip.instance=\"<{instance}>\";reg-id={reg_id}")),
            // A GRUU belongs to an instance, flow or no flow (RFC 5627 4.1).
            None if self.offer.has(Extensions::GRUU) => Some(format!(";+sip.instance=\"<{instance}>\"")),
            None => None,
        }
    }
}
