//! REGISTERs that wait for a verdict (hold mode: the OMM decides who a phone belongs to before it is answered), or until the
//! host knows whoever sent it.
//!
//! ```text
//!  put --3.5 s--> reassured (100) --20 s--> given up (503)
//!    \--verdict-----------\--verdict--> taken
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use machine::time::Moment;

use crate::name::Name;
use crate::registrar::desk::{Reply, Sound};
use crate::transaction::T1;

use super::answer::Asker;

/// Most REGISTERs that wait at a time. Ours: two seconds' worth of a campus that comes back after a power cut; more get
/// 503.
pub const HELD_MAX: usize = 4_096;
/// When a waiting client gets a 100: when its Timer E has come to T2, not earlier (RFC 4320 4.1). 0.5 + 1 + 2 s.
const REASSURE_AFTER: Duration = T1.saturating_mul(7);
/// When the wait is given up with 503. Ours: well before the client gives up by itself at 32 s.
const GIVE_UP_AFTER: Duration = Duration::from_secs(20);

/// Why a phone is sent away, as it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// 300 to 699; anything else becomes 500.
    pub code: u16,
    /// When to come back (SM-5: a 503 with one sends the phone to its other server).
    pub retry_after: Option<Duration>,
}

impl From<u16> for Refused {
    fn from(code: u16) -> Refused {
        Refused { code, retry_after: None }
    }
}

impl Refused {
    /// The answer.
    pub fn reply(self) -> Reply {
        let reply = Reply::plain(if (300..700).contains(&self.code) { self.code } else { 500 });
        match self.retry_after {
            Some(span) => reply.with(Name::RetryAfter, span.as_secs().to_string()),
            None => reply,
        }
    }
}

/// What one waits for.
#[derive(Clone, Debug)]
pub enum Wants {
    /// Whether it may do what it asks for.
    Verdict(Sound),
    /// That its sender becomes known: then it is examined once more.
    Acquaintance,
}

/// One that waits.
#[derive(Clone, Debug)]
pub struct Held {
    /// Who asks.
    pub asker: Asker,
    /// What for.
    pub wants: Wants,
    since: Moment,
}

/// What a deadline asks for.
#[derive(Clone, Debug)]
pub enum Due {
    /// Send a 100.
    Reassure(Asker),
    /// Refuse: there was no verdict.
    GiveUp(Held),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    Reassure,
    GiveUp,
}

/// All that wait.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    held: BTreeMap<u64, Held>,
    due: BTreeMap<(Moment, u64), Stage>,
    last: u64,
}

impl Holds {
    /// Lets one wait and gives it a number; hands it back when there is no room.
    pub fn put(&mut self, now: Moment, asker: Asker, wants: Wants) -> Result<u64, Asker> {
        if self.held.len() >= HELD_MAX {
            return Err(asker);
        }
        self.last += 1;
        self.due.insert((now + REASSURE_AFTER, self.last), Stage::Reassure);
        self.held.insert(self.last, Held { asker, wants, since: now });
        Ok(self.last)
    }

    /// Takes one out.
    pub fn take(&mut self, ask: u64) -> Option<Held> {
        let held = self.held.remove(&ask)?;
        self.due.remove(&(held.since + REASSURE_AFTER, ask));
        self.due.remove(&(held.since + GIVE_UP_AFTER, ask));
        Some(held)
    }

    /// When the next one needs attention.
    pub fn deadline(&self) -> Option<Moment> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes one thing that is due. Call it until it answers `None`.
    pub fn wake(&mut self, now: Moment) -> Option<Due> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        let ((_, ask), stage) = first.remove_entry();
        match stage {
            Stage::Reassure => {
                let held = self.held.get(&ask)?;
                self.due.insert((held.since + GIVE_UP_AFTER, ask), Stage::GiveUp);
                Some(Due::Reassure(held.asker.clone()))
            }
            Stage::GiveUp => self.held.remove(&ask).map(Due::GiveUp),
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}
