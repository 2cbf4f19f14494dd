//! How the trace tells what a directory shows of a user: event `user`, by `directory`.
//!
//! The claims `user U exists`, `user U name "N" at S` and `users at S = N` of a scenario are judged by it.

use machine::note::Note;
use omm::directory::Directory;
use omm::directory::edit::Changed;
use omm::directory::key::Uid;
use omm::directory::profile::Profile;
use omm::directory::user::User;
use omm::ids::Number;

/// The notes of a change, in the order of rows: who is shown no more, and who is shown, and how.
pub fn notes(directory: &Directory, changed: &Changed) -> Vec<Note> {
    let before = changed.users.iter().filter_map(|(uid, before)| Some((*uid, before.as_ref()?)));
    let gone = before.filter(|(_, before)| directory.user(&before.number).is_none());
    let gone = gone.map(|(uid, before)| gone_note(uid, &before.number));
    let now = changed.users.keys().filter_map(|uid| directory.user_at(*uid));
    let profiles = changed.profiles.keys().map(|id| profile_note(*id, directory.profile(*id)));
    gone.chain(now.map(|user| shown_note(user))).chain(profiles).collect()
}

/// A profile as it is shown, or that there is none.
pub fn profile_note(id: u8, profile: Option<&Profile>) -> Note {
    let state = if profile.is_some() { "shown" } else { "gone" };
    let note = Note::new("profile").text("state", state).number("id", id);
    match profile {
        Some(profile) => note.text("name", &profile.text.name),
        None => note,
    }
}

/// A number that nobody has any more.
pub fn gone_note(uid: Uid, number: &Number) -> Note {
    Note::new("user").text("state", "gone").text("number", number).text("uid", uid)
}

/// A user as it is shown: what no secret is and most edits are about.
pub fn shown_note(user: &User) -> Note {
    let note = Note::new("user").text("state", "shown").text("number", &user.number).text("uid", user.uid);
    let note = note.text("name", &user.admin.name).text("status", user.status);
    let note = note.text("vip", if user.admin.vip { "on" } else { "off" });
    match (user.device(), user.relation.kind()) {
        (Some(device), Some(kind)) => note.text("device", device).text("relation", kind),
        (_, _) => note.text("device", "none"),
    }
}
