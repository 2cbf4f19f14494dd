//! What OMMs say to each other about a roam (spec SM-2).
//!
//! All of it travels over the star unchanged and in order (AMB-1). Each message is idempotent by its epoch.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use machine::note::Note;

use crate::ids::{Ipei, Number};
use crate::stamp::{OmmId, Stamp};

/// "The phone of this user is with me": the Roaming group of one user, as its owner last wrote it (M-2.1.4.1-b).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose phone it is.
    pub user: Number,
    /// The handset the user is logged in on.
    pub device: Ipei,
    /// The totally ordered stamp of this roam; the newest wins.
    pub epoch: Stamp,
    /// The OMM that claims.
    pub owner: OmmId,
    /// The owner that the claimer knew before; it is the one asked to confirm (AMB-4).
    pub former: Option<OmmId>,
    /// Whether the phone is with the owner now.
    pub phase: Phase,
    /// Time since the phone's last proof of presence at the owner, by monotonic clocks; every relay adds the time
    /// it held the message. It arbitrates between wrong wall clocks (B-9).
    pub age: Duration,
}

/// Whether the owner still sees the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The phone proved its presence within the watchdog's time.
    Here,
    /// The phone detached, logged out or ran into the watchdog; the owner serves nobody and need not confirm.
    Gone,
}

/// "My registration is gone" (M-2.1.4.1-d), or what else became of it (AMB-2, B-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// Whose roam this confirms.
    pub user: Number,
    /// The epoch of the claim that is confirmed; it covers older ones.
    pub epoch: Stamp,
    /// The former owner that speaks.
    pub from: OmmId,
    /// What became of the former owner's registration.
    pub outcome: Outcome,
}

/// What became of a registration that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The registrar answered 2xx to the removal and no longer lists the contact.
    Removed,
    /// There was nothing to remove.
    None,
    /// The registrar refused the removal.
    Failed,
    /// Nobody knows: the removal timed out (RFC 4321: the two sides may disagree).
    Unknown,
}

/// "You are late: I know a newer claim" (B-9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Who sent the late claim and is to hear this.
    pub to: OmmId,
    /// The claim that the speaker stands by. Its `age` is the presence age at the speaker.
    pub claim: Claim,
}

/// "I have this user registered here now", or nowhere any more: to be shown at every OMM (B-10). Ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Whose registration it is.
    pub user: Number,
    /// The OMM that keeps it.
    pub by: OmmId,
    /// Where it is; `None` when there is none.
    pub at: Option<Place>,
}

/// A place at a SIP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
    /// The server.
    pub server: SocketAddr,
}

/// Everything that OMMs say to each other about roams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// See [`Claim`].
    Claim(Claim),
    /// See [`Confirm`].
    Confirm(Confirm),
    /// See [`Stale`].
    Stale(Stale),
    /// See [`Bound`].
    Bound(Bound),
}

impl Claim {
    /// What makes a claim newer than another: its epoch, and of equal epochs that the phone has gone since. A phone
    /// that returns is claimed anew, so one epoch never goes from `Gone` to `Here`.
    pub fn rank(&self) -> (Stamp, Phase) {
        (self.epoch, self.phase)
    }

    /// The same claim after it was held for so long.
    pub fn held(mut self, span: Duration) -> Claim {
        self.age = self.age.saturating_add(span);
        self
    }

    /// The keys of a claim in a trace.
    fn keys(&self, note: Note) -> Note {
        let note = note
            .text("user", &self.user)
            .text("device", self.device)
            .text("owner", self.owner)
            .text("epoch", self.epoch)
            .text("phase", self.phase)
            .number("age", millis(self.age));
        match self.former {
            Some(former) => note.text("former", former),
            None => note,
        }
    }
}

impl Word {
    /// The word as a trace shows it: `way` is `said` or `heard`, `age` is in milliseconds.
    pub fn note(&self, way: &'static str) -> Note {
        match self {
            Word::Claim(claim) => claim.keys(Note::new("claim").text("way", way)),
            Word::Confirm(confirm) => Note::new("confirm")
                .text("way", way)
                .text("user", &confirm.user)
                .text("epoch", confirm.epoch)
                .text("from", confirm.from)
                .text("outcome", confirm.outcome),
            Word::Stale(stale) => stale.claim.keys(Note::new("stale").text("way", way).text("to", stale.to)),
            Word::Bound(bound) => {
                let note = Note::new("bound").text("way", way).text("user", &bound.user).text("by", bound.by);
                match bound.at {
                    Some(at) => note.number("tier", u64::from(at.tier)).text("server", at.server),
                    None => note,
                }
            }
        }
    }

    /// The user it is about.
    pub fn user(&self) -> &Number {
        match self {
            Word::Claim(claim) => &claim.user,
            Word::Confirm(confirm) => &confirm.user,
            Word::Stale(stale) => &stale.claim.user,
            Word::Bound(bound) => &bound.user,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Here => "here",
            Phase::Gone => "gone",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Removed => "removed",
            Outcome::None => "none",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        })
    }
}

/// Milliseconds for a trace; an absurd duration saturates.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(ms: u64, phase: Phase) -> Result<Claim, Box<dyn std::error::Error>> {
        let owner = OmmId::new(0x102A_7C82);
        Ok(Claim {
            user: Number::new("101").map_err(|bad| format!("{bad:?}"))?,
            device: Ipei::new(0x17, 5).map_err(|bad| format!("{bad:?}"))?,
            epoch: Stamp { ms, ctr: 0, omm: owner },
            owner,
            former: Some(OmmId::new(0x102A_7C83)),
            phase,
            age: Duration::from_millis(1_500),
        })
    }

    #[test]
    fn the_newest_epoch_ranks_first_and_gone_after_here() -> Result<(), Box<dyn std::error::Error>> {
        assert!(claim(2, Phase::Here)?.rank() > claim(1, Phase::Gone)?.rank());
        assert!(claim(1, Phase::Gone)?.rank() > claim(1, Phase::Here)?.rank());
        assert_eq!(claim(1, Phase::Here)?.held(Duration::from_secs(2)).rank(), claim(1, Phase::Here)?.rank());
        Ok(())
    }

    #[test]
    fn a_word_reads_like_a_sentence_in_the_trace() -> Result<(), Box<dyn std::error::Error>> {
        let claim = claim(7, Phase::Here)?.held(Duration::from_secs(2));
        let device = claim.device;
        assert_eq!(
            Word::Claim(claim).note("said").to_string(),
            format!(
                "claim way=said user=101 device={device} owner=102A7C82 epoch=7.0.102A7C82 phase=here age=3500 \
                 former=102A7C83"
            )
        );
        Ok(())
    }
}
