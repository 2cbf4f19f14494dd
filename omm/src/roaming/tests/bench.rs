//! One user at one OMM, told second by second what happens, and held to what follows, in words.

use std::sync::Arc;
use std::time::Duration;

use machine::step::Machine;
use machine::time::{Moment, Wall};

use super::world::{EPOCH_MS, handset, omm, user, watched};
use crate::claim::{Claim, Confirm, Outcome, Phase, Word};
use crate::roaming::policy::Policy;
use crate::roaming::record::Record;
use crate::roaming::{Ask, Effect, Input, Roaming, Sighting, State};
use crate::stamp::{OmmId, Stamp};

pub(super) const ME: OmmId = omm(1);
pub(super) const X: OmmId = omm(2);
pub(super) const Z: OmmId = omm(3);

/// One user at `ME`, told what happens at which second.
pub(super) struct Bench {
    pub(super) roaming: Roaming,
    second: u64,
    pub(super) stored: Option<Record>,
    pub(super) said: Vec<Word>,
}

pub(super) fn stamp(second: u64, omm: OmmId) -> Stamp {
    Stamp { ms: EPOCH_MS + second * 1000, ctr: 0, omm }
}

pub(super) fn wall(second: u64) -> Wall {
    Wall::from_millis(EPOCH_MS + second * 1000)
}

/// What `owner` claims at that second, when it is heard `age` seconds after the phone was seen.
pub(super) fn claim(owner: OmmId, second: u64, age: u64) -> Claim {
    Claim {
        user: user(),
        device: handset(),
        epoch: stamp(second, owner),
        owner,
        former: Some(ME),
        phase: Phase::Here,
        age: Duration::from_secs(age),
    }
}

/// An effect in few words.
pub(super) fn word(effect: &Effect) -> String {
    match effect {
        Effect::Save(_) => "save".to_owned(),
        Effect::Say(Word::Claim(claim)) => format!("claim {}", claim.phase),
        Effect::Say(Word::Confirm(confirm)) => format!("confirm {}", confirm.outcome),
        Effect::Say(Word::Stale(_)) => "stale".to_owned(),
        Effect::Evict(contacts) => format!("evict {}", contacts.join(" ")),
        other => {
            let note = Roaming::note_effect(other).map(|note| note.to_string()).unwrap_or_default();
            let words: Vec<&str> = note.split(' ').filter(|part| !part.starts_with("epoch=")).collect();
            words.join(" ").replace("kind=", "").replace("reason=", "").replace("state=", "")
        }
    }
}

impl Bench {
    pub(super) fn new() -> Bench {
        Bench::under(watched())
    }

    pub(super) fn under(policy: Policy) -> Bench {
        Bench::waiting(Policy { announce: Duration::ZERO, ..policy })
    }

    /// As in service: the announcement of a claim waits for the answer to its REGISTER.
    pub(super) fn waiting(policy: Policy) -> Bench {
        let roaming = Roaming::new(ME, user(), Arc::new(policy));
        Bench { roaming, second: 0, stored: None, said: Vec::new() }
    }

    /// Settled here since second 0.
    pub(super) fn settled() -> Bench {
        let mut bench = Bench::new();
        bench.see(0, Bench::located(0), "save, admit, bind, claim here", State::Settled);
        bench
    }

    /// Served at X since second 0.
    pub(super) fn elsewhere(mut self) -> Bench {
        let claim = Claim { former: None, ..claim(X, 0, 0) };
        self.see(0, Bench::heard(Word::Claim(claim), 0), "save", State::Absent);
        self
    }

    /// Claimed here from X at second 10, not confirmed yet.
    pub(super) fn claiming() -> Bench {
        let mut bench = Bench::new().elsewhere();
        bench.see(10, Bench::located(10), "save, admit, bind, claim here", State::Claiming);
        bench
    }

    /// Yielding to X since second 100.
    pub(super) fn yielding() -> Bench {
        let mut bench = Bench::settled();
        bench.see(100, Bench::heard(Word::Claim(claim(X, 100, 0)), 100), "save, unbind", State::Yielding);
        bench
    }

    pub(super) fn located(second: u64) -> Input {
        Input::Located {
            device: handset(),
            ask: Some(Ask(second)),
            stamp: stamp(second, ME),
            wall: wall(second),
        }
    }

    pub(super) fn detached(second: u64) -> Input {
        Input::Detached { device: Some(handset()), wall: wall(second) }
    }

    pub(super) fn heard(word: Word, second: u64) -> Input {
        Input::Heard { word, stamp: stamp(second, ME), wall: wall(second) }
    }

    pub(super) fn confirm(from: OmmId, epoch: Stamp, outcome: Outcome) -> Input {
        Bench::heard(Word::Confirm(Confirm { user: user(), epoch, from, outcome }), 0)
    }

    pub(super) fn sighted(second: u64, sightings: &[(OmmId, u64)]) -> Input {
        let sighting = |(owner, epoch): &(OmmId, u64)| Sighting {
            owner: *owner,
            epoch: stamp(*epoch, *owner),
            contact: format!("sip:{owner}"),
        };
        let sightings = sightings.iter().map(sighting).collect();
        Input::Sighted { sightings, stamp: stamp(second, ME), wall: wall(second) }
    }

    fn take(&mut self, out: &[Effect], expected: &str, state: State, what: &str) {
        for effect in out {
            match effect {
                Effect::Save(record) => self.stored = Some(record.clone()),
                Effect::Say(word) => self.said.push(word.clone()),
                _ => {}
            }
        }
        let words: Vec<String> = out.iter().map(word).collect();
        assert_eq!(words.join(", "), expected, "after {what} at {}", self.second);
        assert_eq!(self.roaming.state(), state, "after {what} at {}", self.second);
    }

    /// `input` at `second` has these effects, and this state follows.
    pub(super) fn see(&mut self, second: u64, input: Input, expected: &str, state: State) {
        self.pass(second, "");
        let (what, mut out) = (format!("{input:?}"), Vec::new());
        self.roaming.on(Moment::from_millis(second * 1000), input, &mut out);
        self.take(&out, expected, state, &what);
    }

    /// Time passes until `second`; these effects are due before or then.
    pub(super) fn pass(&mut self, second: u64, expected: &str) {
        let mut out = Vec::new();
        while let Some((due, _)) = self.roaming.deadline().filter(|(due, _)| due.as_millis() <= second * 1000)
        {
            self.roaming.wake(due, &mut out);
        }
        self.second = second;
        let state = self.roaming.state();
        self.take(&out, expected, state, "some time");
    }

    pub(super) fn epoch(&self) -> Stamp {
        self.roaming.claim(Moment::START).map(|claim| claim.epoch).expect("a claim")
    }

    /// The process starts again at `second` with what was stored.
    pub(super) fn restart(&mut self, second: u64, expected: &str, state: State) {
        self.restart_under(watched(), second, expected, state);
    }

    /// The same under another policy.
    pub(super) fn restart_under(&mut self, policy: Policy, second: u64, expected: &str, state: State) {
        let record = self.stored.clone().expect("a record");
        let mut out = Vec::new();
        let policy = Arc::new(Policy { announce: Duration::ZERO, ..policy });
        self.second = second;
        self.roaming =
            Roaming::resume(ME, policy, record, Moment::from_millis(second * 1000), wall(second), &mut out);
        self.take(&out, expected, state, "the restart");
    }
}
