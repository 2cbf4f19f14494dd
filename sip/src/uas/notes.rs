//! What an answerer tells the trace.

use machine::note::Note;

use super::behave::quirk::Quirk;
use super::{Effect, Input};

pub(super) fn input(input: &Input) -> Option<Note> {
    match input {
        Input::Misbehave(quirks) => {
            let words: Vec<String> = quirks.iter().map(Quirk::to_string).collect();
            Some(Note::new("behave").text("text", words.join(", ")))
        }
        Input::Improve(names) => {
            let words =
                names.as_ref().map_or_else(|| "normal".into(), |names| format!("no {}", names.join(", no ")));
            Some(Note::new("behave").text("text", words))
        }
        Input::Datagram { .. }
        | Input::Verdict { .. }
        | Input::Account(_)
        | Input::Forget(_)
        | Input::Evict(_)
        | Input::Dialog { .. }
        | Input::Behave { .. } => None,
    }
}

pub(super) fn effect(effect: &Effect) -> Option<Note> {
    match effect {
        Effect::Table(change) => Some(change.note()),
        Effect::Asked { ask: _, user, contact, instance: _, expires } => {
            Some(Note::new("asked").text("user", user).text("contact", contact).seconds("expires", *expires))
        }
        Effect::Stranger { ask: _, user } => Some(Note::new("stranger").text("user", user)),
        Effect::Dropped(why) => Some(Note::new("dropped").text("reason", why.word())),
        Effect::Send { .. } | Effect::Response(_) | Effect::Notified(_) => None,
    }
}
