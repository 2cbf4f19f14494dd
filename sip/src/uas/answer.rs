//! How an answer is written and where it goes (RFC 3261 8.2.6, 18.2; RFC 3581).

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use machine::chance::Chance;

use crate::draft::Draft;
use crate::message::{Message, phrase};
use crate::name::Name;
use crate::registrar::desk::Reply;
use crate::target::{Target, Transport};
use crate::transaction::server::Key;
use crate::via::Via;

/// Digits of a tag: 64 bits, twice what RFC 3261 19.3 asks for.
const TAG_LEN: usize = 16;

/// A request, and what is needed to answer it.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The request.
    pub message: Message,
    /// Where it came from.
    pub from: Target,
    /// Where its answers go.
    pub to: Target,
    /// What its copies have in common.
    pub key: Key,
}

impl Asker {
    /// `None` when the topmost Via cannot be read: then nobody can be answered.
    pub fn read(from: Target, message: Message) -> Option<Asker> {
        let via = message.via().ok()?;
        let (to, key) = (reply_to(from, &via), key_of(&message, &via)?);
        Some(Asker { message, from, to, key })
    }
}

/// Where the answer goes: back over a stream; else to the source address, at the source port when the client asked
/// for that with `rport` (RFC 3581 4), at the port of its Via otherwise (RFC 3261 18.2.2). `maddr` is not obeyed:
/// whoever forges a request could name a victim there (ours).
pub fn reply_to(from: Target, via: &Via<'_>) -> Target {
    match from.transport {
        Transport::Udp if via.rport().is_none() => {
            let port = via.port.unwrap_or(Transport::Udp.default_port());
            Target::new(Transport::Udp, SocketAddr::new(from.addr.ip(), port))
        }
        Transport::Udp | Transport::Tcp | Transport::Tls => from,
    }
}

/// RFC 3261 17.2.3.
fn key_of(message: &Message, via: &Via<'_>) -> Option<Key> {
    let method = message.method()?;
    if let Some(branch) = via.unique_branch() {
        return Some(Key::new(branch, (&via.host.to_string(), via.port), method));
    }
    let tag = |name| message.header(name).unwrap_or("");
    Some(Key::of_old(&[
        message.request_uri()?,
        tag(Name::To),
        tag(Name::From),
        tag(Name::CallId),
        tag(Name::CSeq),
        tag(Name::Via),
    ]))
}

/// Writes answers.
#[derive(Clone, Debug)]
pub struct Writer {
    server: Option<Arc<str>>,
    chance: Chance,
}

impl Writer {
    /// `server` is the value of the Server line; `chance` makes the tags.
    pub fn new(server: Option<Arc<str>>, chance: Chance) -> Writer {
        Writer { server, chance }
    }

    /// The bytes of a reply, with the reason it gives or the usual one.
    pub fn write(&mut self, asker: &Asker, reply: Reply) -> Bytes {
        let reason = reply.reason.unwrap_or_else(|| phrase(reply.code));
        self.write_as(asker, reason, reply)
    }

    /// The bytes of a reply with another reason phrase.
    pub fn write_as(&mut self, asker: &Asker, reason: &str, reply: Reply) -> Bytes {
        let draft = self.begin(asker, reply.code, reason);
        let lines = reply.lines.iter();
        lines.fold(draft, |draft, (name, value)| draft.line(*name, value)).finish()
    }

    /// The bytes of an answer with lines of any name.
    pub fn write_with(&mut self, asker: &Asker, code: u16, lines: &[(String, String)]) -> Bytes {
        let draft = self.begin(asker, code, phrase(code));
        lines.iter().fold(draft, |draft, (name, value)| draft.line(name, value)).finish()
    }

    fn begin(&mut self, asker: &Asker, code: u16, reason: &str) -> Draft {
        let draft = Draft::response(&asker.message, code, reason).heard_from(asker.from.addr);
        // A 100 is hop by hop and needs no tag (8.2.6.2).
        let draft = if code > 100 { draft.tag(&self.chance.hex(TAG_LEN)) } else { draft };
        match &self.server {
            Some(server) => draft.line(Name::Server, server),
            None => draft,
        }
    }
}
