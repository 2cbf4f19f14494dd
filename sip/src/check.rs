//! What a message deserves: to be served, to be answered with an error, or to be dropped.

use crate::head::Length;
use crate::malformed::Malformed;
use crate::message::Message;

/// What is wrong with a message, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answer the request with this status. Never for an ACK: it is dropped instead.
    Answer {
        /// 400 ... 505.
        code: u16,
        /// The reason phrase, which says what is wrong.
        reason: String,
    },
    /// Do nothing: a response that cannot be used, or a request that cannot be answered.
    Drop(Malformed),
}

impl Message {
    /// What is wrong with the message as such.
    pub fn verdict(&self) -> Result<(), Fault> {
        self.sound().map_err(|why| match self.method() {
            Some(_) => Fault::Answer { code: 400, reason: format!("Bad Request: {why}") },
            None => Fault::Drop(why),
        })
    }

    fn sound(&self) -> Result<(), Malformed> {
        if let Some(fault) = self.scan_fault() {
            return Err(fault);
        }
        self.via()?;
        self.from()?;
        self.to()?;
        self.call_id()?;
        self.cseq()?;
        if let (Length::Bad(why), _) = self.length() {
            return Err(why);
        }
        Ok(())
    }
}
