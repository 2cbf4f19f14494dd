//! What the server side says it can do, and what it has against a request.

use super::{ALLOW, MEDIA, Uas};
use crate::message::Message;
use crate::name::Name;
use crate::registrar::Model;
use crate::registrar::desk::Reply;

impl Uas {
    /// RFC 3261 11.2.
    pub(super) fn capabilities(&self) -> Reply {
        Reply::plain(200)
            .with(Name::Allow, ALLOW)
            .with(Name::Accept, MEDIA.join(", "))
            .with(Name::Supported, self.extensions().join(", "))
    }

    /// The line that a client needs to do better (RFC 3261 8.2).
    pub(super) fn complaint(&self, code: u16, message: &Message) -> Reply {
        let reply = Reply::plain(code);
        match code {
            405 | 501 => reply.with(Name::Allow, ALLOW),
            415 => reply.with(Name::Accept, MEDIA.join(", ")),
            420 => {
                let unsupported: Vec<&str> = message.unsupported(self.extensions()).collect();
                reply.with(Name::Unsupported, unsupported.join(", "))
            }
            _ => reply,
        }
    }

    pub(super) fn extensions(&self) -> &'static [&'static str] {
        match self.desk.registrar().policy().model {
            Model::Outbound => &["path", "outbound"],
            Model::Multi | Model::SingleReplace { .. } | Model::SingleReject => &["path"],
        }
    }
}
