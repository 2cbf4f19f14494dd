//! How traces, status displays and operators are told of a link.

use std::fmt;

use machine::note::Note;

use super::{Alarm, Health, Held};

impl Health {
    /// The word of the trace and of status displays.
    pub const fn word(self) -> &'static str {
        match self {
            Health::Off => "off",
            Health::Refused(_) => "refused",
            Health::Connecting => "connecting",
            Health::Held(_) => "held",
            Health::Synchronising(_) => "synchronising",
            Health::InSync => "insync",
            Health::Lost => "lost",
        }
    }

    pub(super) fn note(self) -> Note {
        let note = Note::new("link").text("state", self.word());
        match self {
            Health::Held(held) => note.text("reason", held),
            Health::Refused(census) => note.text("reason", census),
            Health::Synchronising(percent) if percent > 0 => note.number("percent", percent),
            Health::Off | Health::Connecting | Health::Synchronising(_) | Health::InSync | Health::Lost => {
                note
            }
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Here(mismatch) => mismatch.fmt(f),
            Held::There(error) => error.fmt(f),
            Held::Distrusted => f.write_str("it did not prove to be the central"),
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alarm::Held(held) => write!(f, "the link is held: {held}"),
            Alarm::NotEmpty(census) => {
                write!(f, "not attached: this OMM has {census} of its own; delete them first (M-2.3.1.2-a)")
            }
            Alarm::Clock { offset, ahead } => {
                let side = if *ahead { "ahead of" } else { "behind" };
                write!(f, "the other side's clock is {:.1} s {side} ours: check NTP", offset.as_secs_f64())
            }
            Alarm::Slow { percent, measured } => {
                let needed = measured.saturating_mul(100) / u64::from(*percent).max(1);
                write!(
                    f,
                    "the synchronisation takes longer than 5 minutes: {percent} % of the records have come at \
                     {measured} kbit/s, all of them need {needed} kbit/s (M-2.2.8-e)"
                )
            }
            Alarm::Protocol => f.write_str("the other side sent what has no place there"),
        }
    }
}
