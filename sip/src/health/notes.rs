//! What the trace tells of a server's health.

use machine::note::Note;

use super::Effect;

/// The note of an effect, if it has one.
pub(super) fn of(effect: &Effect) -> Option<Note> {
    match effect {
        Effect::Probe { server, first: true, routine: false, .. } => {
            Some(Note::new("probe").text("server", server))
        }
        Effect::Canvass { server, tier: _, routine: false } => {
            Some(Note::new("probe").text("server", server).text("by", "user"))
        }
        Effect::Demands { server, tier: _, demands } => {
            let note = Note::new("demands").text("server", server).number("shed", demands.shed);
            Some(note.text("lacks", demands.lacks))
        }
        // Copies, and what is asked every half minute, would only be noise.
        Effect::Canvass { routine: true, .. } | Effect::Probe { .. } | Effect::Audit { .. } => None,
        Effect::Restore { server, tier } => {
            Some(Note::new("forgot").text("server", server).number("tier", *tier))
        }
        Effect::Absent(target) => Some(Note::new("absent").text("target", target)),
        Effect::Standing { server, tier, standing } => {
            Some(Note::new("server").text("server", server).number("tier", *tier).text("standing", standing))
        }
    }
}
