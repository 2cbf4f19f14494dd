//! One connection: what waits for it, what was read of the next message, and until when it has to move.

use std::time::Duration;

use bytes::Bytes;
use machine::time::Moment;

use super::CONNECT;
use crate::flow::{Due, Flow};
use crate::frame::Framer;
use crate::target::Target;

/// How long a stranger may take to its first message; ours.
const FIRST: Duration = Duration::from_secs(30);
/// How long any message may take from its first byte to its last; ours.
const MESSAGE: Duration = Duration::from_secs(20);
/// How long a stranger may be silent; ours: a phone that reports every two hours (M-2.1.4.3-a) is heard in between.
const SILENCE: Duration = Duration::from_secs(3 * 3600);

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: Target,
    pub(super) stage: Stage,
    pub(super) framer: Framer,
    /// Its keep-alive: only on those that we opened, and only while the other side answers.
    pub(super) flow: Option<Flow>,
    /// When something whole was last heard on it.
    pub(super) heard: Moment,
    /// The deadline that is armed for it.
    pub(super) armed: Moment,
    dialled: bool,
    spoke: bool,
    /// When it was asked for, or came in.
    pub(super) since: Moment,
    /// When the message began that is not whole yet.
    begun: Option<Moment>,
}

/// Whether it stands.
#[derive(Debug)]
pub(super) enum Stage {
    /// Not yet; these wait.
    Opening(Vec<Bytes>),
    /// It does.
    Open,
}

impl Connection {
    pub(super) fn dialled(now: Moment, peer: Target, first: Bytes) -> Connection {
        Connection { dialled: true, stage: Stage::Opening(vec![first]), ..Connection::accepted(now, peer) }
    }

    pub(super) fn accepted(now: Moment, peer: Target) -> Connection {
        Connection {
            peer,
            stage: Stage::Open,
            framer: Framer::new(),
            flow: None,
            heard: now,
            armed: now,
            dialled: false,
            spoke: false,
            since: now,
            begun: None,
        }
    }

    pub(super) fn is_ours(&self) -> bool {
        self.dialled
    }

    /// Something whole came.
    pub(super) fn heard(&mut self, now: Moment) {
        (self.heard, self.spoke, self.begun) = (now, true, None);
    }

    /// Everything whole was taken; what is left has begun.
    pub(super) fn begun(&mut self, now: Moment) {
        let open = self.framer.waiting() > 0;
        self.begun = open.then(|| self.begun.unwrap_or(now));
    }

    pub(super) fn deadline(&self) -> Moment {
        let stage = match self.stage {
            Stage::Opening(_) => self.since + CONNECT,
            Stage::Open => self.stall().0,
        };
        let ping = self.flow.as_ref().and_then(Flow::deadline).map(|(at, _)| at);
        ping.into_iter().fold(stage, Moment::min)
    }

    /// When its patience with the other side ends, and what to say then.
    fn stall(&self) -> (Moment, &'static str) {
        let silence = match (self.dialled, self.spoke) {
            (true, _) => (self.heard + SILENCE * 9, "nothing was heard on it for more than a day"),
            (false, true) => (self.heard + SILENCE, "nothing was heard on it for three hours"),
            (false, false) => (self.since + FIRST, "its first message did not come"),
        };
        let begun = self.begun.map(|begun| (begun + MESSAGE, "a message that it began did not end"));
        begun.into_iter().chain([silence]).min_by_key(|(at, _)| *at).unwrap_or(silence)
    }

    /// One deadline that is due.
    ///
    /// # Errors
    /// The other side takes too long, and why.
    pub(super) fn wake(&mut self, now: Moment) -> Result<Option<Due>, &'static str> {
        let (at, why) = self.stall();
        if at <= now {
            return Err(why);
        }
        Ok(self.flow.as_mut().and_then(|flow| flow.wake(now)))
    }
}
