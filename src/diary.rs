//! What the machines of an OMM told lately, for whoever asks `homing why` (B-16).
//!
//! Only what may be a reason is kept: the refreshes and their answers, which come all day long, are not. When the diary
//! is full, the oldest entry goes.

use std::cell::RefCell;
use std::collections::VecDeque;

use machine::note::{Note, Value};
use machine::time::Wall;

/// Entries that are kept. Ours: about 2 MB; a site of 10,000 users that fails over writes some 30,000 at once, and a
/// quiet one needs days for them.
pub const ENTRIES_MAX: usize = 8_192;

/// One thing that a machine saw or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, by the clock on the wall.
    pub at: Wall,
    /// The machine: `user/101`, `binding/101@pbx`, `server/pbx`, `link/central` ...
    pub who: Box<str>,
    /// What.
    pub note: Note,
}

/// The last things that happened at one OMM.
#[derive(Debug, Default)]
pub struct Diary {
    entries: RefCell<VecDeque<Entry>>,
}

impl Diary {
    /// Keeps what a machine told, unless that is routine.
    pub fn write(&self, at: Wall, who: &str, note: &Note) {
        if is_routine(note) || who == "directory" && !is_amiss(note) {
            return;
        }
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(Entry { at, who: who.into(), note: note.clone() });
    }

    /// What concerns the user `number`, oldest first: the doings of its own machines, and how the servers and links
    /// of the site stood.
    pub fn about(&self, number: &str) -> Vec<Entry> {
        let entries = self.entries.borrow();
        entries.iter().filter(|entry| entry.concerns(number)).cloned().collect()
    }
}

impl Entry {
    fn concerns(&self, number: &str) -> bool {
        let (kind, rest) = self.who.split_once('/').unwrap_or((&self.who, ""));
        match kind {
            "user" | "line" => rest == number,
            "binding" => rest.split_once('@').is_some_and(|(user, _)| user == number),
            "server" => true,
            "link" => matches!(self.note.event, "link" | "alarm"),
            "directory" => self.text("number") == Some(number) || self.note.event == "alarm",
            _ => self.text("user") == Some(number),
        }
    }

    /// The text under `key` of its note.
    pub fn text(&self, key: &str) -> Option<&str> {
        text(&self.note, key)
    }

    /// The number under `key` of its note.
    pub fn number(&self, key: &str) -> Option<u64> {
        number(&self.note, key)
    }
}

fn text<'n>(note: &'n Note, key: &str) -> Option<&'n str> {
    note.fields.iter().find(|(name, _)| *name == key).and_then(|(_, value)| match value {
        Value::Text(text) => Some(text.as_str()),
        Value::Number(_) => None,
    })
}

fn number(note: &Note, key: &str) -> Option<u64> {
    note.fields.iter().find(|(name, _)| *name == key).and_then(|(_, value)| match value {
        Value::Number(number) => Some(*number),
        Value::Text(_) => None,
    })
}

/// What comes all day long and is no reason for anything.
fn is_routine(note: &Note) -> bool {
    match note.event {
        "register" | "probe" | "asked" | "dropped" | "errand" => true,
        "answer" => matches!(number(note, "code"), Some(200..=299 | 401 | 407)),
        "sighted" => number(note, "contacts") == Some(0),
        _ => false,
    }
}

/// Of what the directory tells: that somebody cannot be used, or is gone. An import would leave room for nothing else.
fn is_amiss(note: &Note) -> bool {
    match note.event {
        "alarm" => true,
        "user" => text(note, "state") != Some("shown") || text(note, "status") != Some("active"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Wall {
        Wall::from_millis(second * 1000)
    }

    fn events(diary: &Diary, number: &str) -> Vec<String> {
        diary.about(number).iter().map(|entry| format!("{} {}", entry.who, entry.note)).collect()
    }

    #[test]
    fn a_user_is_told_its_own_story_and_that_of_the_servers() {
        let diary = Diary::default();
        diary.write(at(1), "user/101", &Note::new("located"));
        diary.write(at(1), "user/1012", &Note::new("located"));
        diary.write(at(2), "binding/101@pbx", &Note::new("answer").number("code", 403_u64));
        diary.write(at(3), "server/pbx", &Note::new("server").text("standing", "down"));
        diary.write(at(4), "line/101", &Note::new("failover"));
        diary.write(at(5), "link/central", &Note::new("link").text("state", "lost"));
        diary.write(at(6), "star", &Note::new("claim").text("user", "102"));
        let expected = [
            "user/101 located",
            "binding/101@pbx answer code=403",
            "server/pbx server standing=down",
            "line/101 failover",
            "link/central link state=lost",
        ];
        assert_eq!(events(&diary, "101"), expected);
    }

    #[test]
    fn what_comes_all_day_long_is_not_kept() {
        let diary = Diary::default();
        diary.write(at(1), "binding/101@pbx", &Note::new("register"));
        diary.write(at(1), "binding/101@pbx", &Note::new("answer").number("code", 401_u64));
        diary.write(at(1), "binding/101@pbx", &Note::new("answer").number("code", 200_u64));
        diary.write(at(1), "user/101", &Note::new("sighted").number("contacts", 0_u64));
        diary.write(at(1), "server/pbx", &Note::new("probe"));
        assert_eq!(events(&diary, "101"), [""; 0]);
    }

    #[test]
    fn of_the_directory_only_what_is_amiss_is_kept() {
        let diary = Diary::default();
        let shown = |number: &str, status: &str| {
            Note::new("user").text("state", "shown").text("number", number).text("status", status)
        };
        diary.write(at(1), "directory", &Note::new("edit").text("what", "create user"));
        diary.write(at(1), "directory", &shown("101", "active"));
        diary.write(at(2), "directory", &shown("101", "conflict"));
        diary.write(at(2), "directory", &Note::new("alarm").text("text", "1 user cannot be used"));
        diary.write(at(3), "directory", &shown("102", "conflict"));
        let expected = [
            "directory user state=shown number=101 status=conflict",
            "directory alarm text=1 user cannot be used",
        ];
        assert_eq!(events(&diary, "101"), expected);
        assert_eq!(diary.entries.borrow().len(), 3);
    }

    #[test]
    fn the_oldest_entry_makes_room() {
        let diary = Diary::default();
        for second in 0..=ENTRIES_MAX as u64 {
            diary.write(at(second), "user/101", &Note::new("located").number("n", second));
        }
        let kept = diary.about("101");
        assert_eq!(kept.len(), ENTRIES_MAX);
        assert_eq!(kept[0].number("n"), Some(1));
    }
}
