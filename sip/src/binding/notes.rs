//! What the trace tells of a binding.

use machine::note::Note;

use super::Effect;
use crate::report::Report;

/// The note of an effect, if it has one.
pub(super) fn of(effect: &Effect) -> Option<Note> {
    match effect {
        Effect::Send { first: true, register, .. } if !register.routine => Some(register.note()),
        Effect::Answered { code } => Some(Note::new("answer").number("code", *code)),
        Effect::Report(Report::Registered { granted, listed }) => {
            Some(Note::new("bound").seconds("expires", *granted).number("contacts", listed.len() as u64))
        }
        Effect::Report(Report::Failed(failure)) => Some(Note::new("unbound").text("reason", failure)),
        Effect::Report(Report::Removed(removal)) => Some(Note::new("removed").text("outcome", removal)),
        Effect::Subscribe { server, first: true, .. } => Some(Note::new("subscribe").text("server", server)),
        Effect::Unlisted => Some(Note::new("unlisted")),
        Effect::Silence(target) => Some(Note::new("silence").text("target", target)),
        Effect::Alarm(text) => Some(Note::new("alarm").text("text", text)),
        Effect::Seek(place) => Some(Note::new("resolve").text("place", place)),
        // Copies, and what is asked every half minute, would only be noise.
        Effect::Send { .. }
        | Effect::Check
        | Effect::Named { .. }
        | Effect::Subscribe { first: false, .. }
        | Effect::Dialog { .. }
        | Effect::Report(Report::Listed(_) | Report::Granted(_) | Report::Done)
        | Effect::Evidence(_)
        | Effect::Shape(_) => None,
    }
}
