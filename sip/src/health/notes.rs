//! What the trace tells of a server's health.

use machine::note::Note;

use super::Effect;

/// The note of an effect, if it has one.
pub(super) fn of(effect: &Effect) -> Option<Note> {
    match effect {
        Effect::Probe { server, to, first: true, routine: false, among, .. } => {
            let note = Note::new("probe").text("server", server);
            Some(if *among { note.text("target", to) } else { note })
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
        Effect::Unfit { server, code } => {
            let text = format_args!(
                "{server} answered {code} to a REGISTER, expected a registrar: check the address of this server in the \
                 site's file"
            );
            Some(Note::new("alarm").text("text", text))
        }
        Effect::Absent(target) => Some(Note::new("absent").text("target", target)),
        Effect::Rests { target, time, rest: _ } => {
            Some(Note::new("rests").text("target", target).seconds("for", *time))
        }
        Effect::Standing { server, tier, standing } => {
            Some(Note::new("server").text("server", server).number("tier", *tier).text("standing", standing))
        }
    }
}
