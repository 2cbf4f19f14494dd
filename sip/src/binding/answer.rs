//! What a final answer to a REGISTER means (the 4xx-6xx rows of SM-3), and what its contact list says.

use std::sync::Arc;
use std::time::Duration;

use super::contact::{Kinship, is_respelled, kinship};
use super::plan;
use super::redirect::{Detour, detours};
use crate::contact::Contact;
use crate::extension::Extensions;
use crate::grant::Grant;
use crate::message::Message;
use crate::name::Name;
use crate::report::Listed;
use crate::server::Account;
use crate::target::Transport;
use crate::timing::Timing;
use crate::uri::{self, Uri};

/// Contacts of one answer that are reported. Ours: an address of record here has a few phones, not hundreds.
pub(super) const LISTED_MAX: usize = 64;

/// What to do about a final answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// 2xx.
    Success,
    /// 401 or 407: answer the challenge, if it is a new one.
    Challenge,
    /// 423 with this Min-Expires, if it can be read.
    Brief(Option<Duration>),
    /// 3xx with these places, the best first.
    Moved(Vec<Detour>),
    /// 420 or 439: these extensions are not understood; none when the answer does not say which.
    Unsupported(Extensions),
    /// 503 with Retry-After.
    Busy(Duration),
    /// Another target may do better.
    Elsewhere {
        /// The server is to blame: 408 and 5xx, for its health.
        broken: bool,
        /// The request may have been carried out all the same (RFC 4321).
        unknown: bool,
    },
    /// It knows no REGISTER (405, 501).
    NoRegistrar,
    /// The answer is authoritative for this user.
    Final,
}

/// Reads the status code; unknown ones count as the first of their class (S-24). The server was asked over `used`, as
/// `sips:` if it `is_secure`.
pub(super) fn judge(message: &Message, code: u16, used: Transport, is_secure: bool) -> Verdict {
    match code {
        ..300 => Verdict::Success,
        300..400 => Verdict::Moved(detours(message, code, used, is_secure)),
        401 | 407 => Verdict::Challenge,
        423 => Verdict::Brief(
            message.min_expires().and_then(|least| least.ok()).map(|least| Duration::from_secs(least.into())),
        ),
        420 => Verdict::Unsupported(Extensions::of(message.values(Name::Unsupported))),
        439 => Verdict::Unsupported(Extensions::OUTBOUND),
        408 => Verdict::Elsewhere { broken: true, unknown: true },
        405 | 501 => Verdict::NoRegistrar,
        480 | 482 | 483 => Verdict::Elsewhere { broken: false, unknown: false },
        503 => match message.retry_after() {
            Some(Ok(after)) => Verdict::Busy(Duration::from_secs(after.seconds.into())),
            Some(Err(_)) | None => Verdict::Elsewhere { broken: true, unknown: false },
        },
        500..600 => Verdict::Elsewhere { broken: true, unknown: code == 504 },
        400..500 | 600.. => Verdict::Final,
    }
}

/// For how long the user shall stay away, where the answer is about the user and not about the server (S-23). Zero
/// says nothing that the usual wait does not.
pub(super) fn user_pause(message: &Message, code: u16) -> Option<Duration> {
    match code {
        404 | 413 | 480 | 486 | 500 | 600 | 603 => {
            let after = message.retry_after()?.ok()?;
            Some(Duration::from_secs(after.seconds.into())).filter(|pause| !pause.is_zero())
        }
        _ => None,
    }
}

/// The contact list of a 2xx (S-04, S-05).
#[derive(Debug)]
pub(super) struct Book {
    /// Every contact, at most [`LISTED_MAX`].
    pub(super) listed: Vec<Listed>,
    /// What is granted to the contact asked for; `None` when it is not there.
    pub(super) granted: Option<Duration>,
    /// Which of our contacts are still listed with some life left.
    pub(super) still: Vec<Arc<str>>,
    /// What is granted beside the lifetime.
    pub(super) grant: Option<Grant>,
}

/// Reads the contact list of a 2xx to a REGISTER that asked to keep `asked`, by an OMM that may hold `ours`.
pub(super) fn read(
    message: &Message,
    asked: Option<(&str, Duration)>,
    ours: &[Arc<str>],
    account: &Account,
    timing: &Timing,
) -> Book {
    let header = message.header(Name::Expires);
    let mut book = Book { listed: Vec::new(), granted: None, still: Vec::new(), grant: None };
    let mut granted_to = None;
    // One by one, so that a stranger's contact that cannot be read does not hide ours.
    let list = message.values(Name::Contact).filter_map(|value| Contact::parse(value).ok());
    let list: Vec<Contact<'_>> = list.take(LISTED_MAX).collect();
    let span = asked.map_or(account.expires, |(_, span)| span);
    // Some registrars spell what they store in their own way: ours is that one only where it is not listed as it is.
    let is_verbatim = |uri: &str| list.iter().any(|contact| same(uri, contact.addr.address));
    let respelled = asked.filter(|(uri, _)| !is_verbatim(uri));
    for contact in list.iter().copied() {
        let expires = plan::granted(contact.param("expires"), header, span, timing);
        let seen = contact.addr.address;
        let is_theirs = respelled.is_some_and(|(uri, _)| is_respelled(uri, seen));
        let is_asked = is_theirs || asked.is_some_and(|(uri, _)| same(uri, seen));
        let mine = mine(ours, seen);
        let is_flow = asked.is_some()
            && account.instance.is_some()
            && contact.instance() == account.instance.as_deref()
            && contact.reg_id() == account.reg_id
            && account.reg_id.is_some();
        if is_asked || (is_flow && book.granted.is_none()) {
            book.granted = Some(expires);
            granted_to = Some(contact);
        }
        let own = is_asked || is_flow || mine.is_some();
        book.still.extend(mine.filter(|_| !expires.is_zero() && !is_theirs));
        book.listed.push(Listed { uri: seen.to_owned(), expires, own });
    }
    // Some registrars name no contact at all and only say for how long (SM-3).
    if message.header(Name::Contact).is_none() && asked.is_some() && header.is_some() {
        book.granted = Some(plan::granted(None, header, span, timing));
    }
    book.grant = Grant::read(message, granted_to.as_ref());
    book
}

/// Whom the answer to an audit lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Us.
    Ours,
    /// Another OMM of ours instead.
    Sibling,
    /// Neither.
    Nobody,
    /// So many that we may stand behind those which are read.
    Unread,
}

/// Whether a list holds the contact `wish`, alive: as it is, as a registrar spells it, or as a flow of ours.
pub(super) fn keeps(
    message: &Message,
    wish: &str,
    ours: &[Arc<str>],
    account: &Account,
    timing: &Timing,
) -> Keeps {
    let header = message.header(Name::Expires);
    let (mut read, mut sibling) = (0, false);
    for contact in message.values(Name::Contact).take(LISTED_MAX) {
        read += 1;
        let Ok(contact) = Contact::parse(contact) else { continue };
        let seen = contact.addr.address;
        let is_flow = account.instance.is_some()
            && account.reg_id.is_some()
            && contact.instance() == account.instance.as_deref()
            && contact.reg_id() == account.reg_id;
        let kinship = kinship(wish, seen);
        let is_ours = same(wish, seen) || kinship == Kinship::Same || is_flow;
        if is_ours && !plan::granted(contact.param("expires"), header, account.expires, timing).is_zero() {
            return Keeps::Ours;
        }
        sibling |= !is_ours && kinship == Kinship::Sibling && mine(ours, seen).is_none();
    }
    match (sibling, read == LISTED_MAX) {
        (_, true) => Keeps::Unread,
        (true, false) => Keeps::Sibling,
        (false, false) => Keeps::Nobody,
    }
}

/// Which of our contacts this is. One that is spelled otherwise, by a registrar or by us when the server was asked
/// another way, is removed as it is listed.
fn mine(ours: &[Arc<str>], seen: &str) -> Option<Arc<str>> {
    let verbatim = ours.iter().find(|uri| same(uri, seen)).cloned();
    verbatim.or_else(|| ours.iter().any(|uri| is_respelled(uri, seen)).then(|| seen.into()))
}

/// Whether both are one contact (RFC 3261 10.2.4 and 19.1.4); text that is no URI is compared as it stands.
pub(super) fn same(ours: &str, theirs: &str) -> bool {
    if ours == theirs {
        return true;
    }
    match (Uri::parse(ours), Uri::parse(theirs)) {
        (Ok(ours), Ok(theirs)) => uri::equal(&ours, &theirs),
        (Err(_), _) | (_, Err(_)) => false,
    }
}
