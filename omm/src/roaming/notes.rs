//! What a user's machine looks like in the trace (scenarios, section 3).

use machine::note::Note;
use machine::step::Machine;

use super::{Alarm, Effect, Input, Refusal};
use crate::watchdog::Watchdog;

/// An input as the trace shows it.
pub(super) fn input(input: &Input) -> Option<Note> {
    match input {
        Input::Located { device, stamp, .. } => {
            Some(Note::new("located").text("device", device).text("stamp", stamp))
        }
        Input::Detached { .. } => Some(Note::new("detached")),
        Input::Withdrawn { .. } => Some(Note::new("withdrawn")),
        Input::Heard { word, .. } => Some(word.note("heard")),
        Input::Released(outcome) => Some(Note::new("released").text("outcome", outcome)),
        Input::Sighted { sightings, .. } => {
            let mut note = Note::new("sighted").number("contacts", sightings.len() as u64);
            for sighting in sightings {
                note = note.text("owner", sighting.owner).text("epoch", sighting.epoch);
            }
            Some(note)
        }
        // The line tells these itself, and a link tells its own.
        Input::Bound | Input::Unbound | Input::LinkUp | Input::Call { .. } => None,
    }
}

/// An effect as the trace shows it.
pub(super) fn effect(effect: &Effect) -> Option<Note> {
    match effect {
        // The store tells what it wrote.
        Effect::Save(_) => None,
        Effect::Admit(_) => Some(Note::new("admit")),
        Effect::Refuse(_, refusal) => Some(Note::new("refuse").text("reason", refusal_word(*refusal))),
        Effect::Bind { epoch } => Some(Note::new("bind").text("epoch", epoch)),
        Effect::Renew => Some(Note::new("renew")),
        Effect::Unbind => Some(Note::new("unbind")),
        Effect::Query => Some(Note::new("query")),
        Effect::Evict(contacts) => Some(Note::new("evict").number("contacts", contacts.len() as u64)),
        Effect::Say(word) => Some(word.note("said")),
        Effect::Watch(verdict) => Watchdog::note_effect(verdict),
        Effect::Alarm(alarm) => {
            let note = Note::new("alarm").text("kind", alarm_word(*alarm));
            match alarm {
                Alarm::ClockAhead(omm) => Some(note.text("omm", omm)),
                Alarm::PariOnlySeen | Alarm::Overlap | Alarm::WatchdogRemoval | Alarm::DoubleRegistration => {
                    Some(note)
                }
            }
        }
    }
}

const fn refusal_word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::PariOnlyElsewhere => "pari-only-elsewhere",
        Refusal::Unknown => "unknown",
        Refusal::Overtaken => "overtaken",
    }
}

const fn alarm_word(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::PariOnlySeen => "pari-only-seen",
        Alarm::ClockAhead(_) => "clock-ahead",
        Alarm::Overlap => "overlap",
        Alarm::WatchdogRemoval => "watchdog-removal",
        Alarm::DoubleRegistration => "double-registration",
    }
}
