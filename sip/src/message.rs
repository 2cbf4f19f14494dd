//! Placeholder of the message until the branch `wire` is merged.

use bytes::Bytes;

/// A SIP message.
#[derive(Clone, Debug)]
pub struct Message(Bytes);

impl Message {
    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}
