//! What comes over a link that stands; how long the exchange at its beginning takes, and what the link carries meanwhile
//! (M-2.2.8-e, -f).

use machine::time::{Moment, Wall};

use super::{Dial, Effect, State, Timer};
use crate::directory::sync;
use crate::link::frame::Frame;
use crate::stamp::OmmId;

/// The exchange of one link.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exchange {
    began: Moment,
    /// What has come since, in bytes.
    bytes: u64,
    /// The operator knows that it is slow.
    is_told: bool,
}

impl Exchange {
    pub(super) fn begin(now: Moment) -> Exchange {
        Exchange { began: now, bytes: 0, is_told: false }
    }

    pub(super) fn carried(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// What the link has carried so far, in kbit/s: bits in a millisecond.
    pub(super) fn told(&mut self, now: Moment) -> u64 {
        self.is_told = true;
        let millis = u64::try_from(now.since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.bytes.saturating_mul(8) / millis.max(1)
    }
}

impl Dial {
    /// Claims are exchanged sooner than records: it is over when both are.
    pub(super) fn mind_slowness(&mut self) {
        let is_over = match self.state {
            State::Download(_) | State::Upload(_) => false,
            State::InSync(_) => self.records.is_none(),
            State::Off | State::Dialling | State::Opening | State::Wait | State::Held(_) => true,
        };
        if is_over {
            self.timers.stop(Timer::Slow);
        } else if !self.exchange.is_told && self.timers.at(Timer::Slow).is_none() {
            self.timers.set(Timer::Slow, self.exchange.began + self.attach.timing.sync);
        }
    }

    /// A frame of a link that stands.
    pub(super) fn received(
        &mut self,
        now: Moment,
        peer: OmmId,
        frame: Frame,
        wall: Wall,
        out: &mut Vec<Effect>,
    ) {
        match (frame, self.state) {
            (Frame::Word(word), _) => out.push(Effect::Deliver { from: peer, word }),
            (Frame::Directory(word), _) => {
                if let sync::word::Word::Page(page) = &*word
                    && let Some(percent) = page.percent
                {
                    self.records = Some(percent).filter(|percent| *percent < 100);
                    self.turn_to(self.state, out);
                }
                out.push(Effect::Learn { from: peer, word });
            }
            (Frame::Errand(errand), _) => out.push(Effect::Carried { from: peer, errand }),
            (Frame::Ping { seq }, _) => out.push(Effect::Send(Frame::Pong { seq, wall })),
            (Frame::Pong { seq, wall: theirs }, _) => self.pong(now, seq, theirs, out),
            (Frame::EndOfDownload, State::Download(_)) => {
                self.turn_to(State::Upload(peer), out);
                out.push(Effect::Downloaded(peer));
            }
            (Frame::Neighbours(all), _) => out.push(Effect::Neighbours(all)),
            // The central thinks better of it: its clock or its roster has changed.
            (Frame::OpenResult(Err(error)), _) => self.refused(now, error, out),
            (Frame::EndOfDownload | Frame::Open(_) | Frame::OpenResult(Ok(_)), _) => self.astray(now, out),
        }
    }
}
