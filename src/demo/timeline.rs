//! What the demo prints: the steps of everybody's machines, in words or as JSON lines.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ::actors::clock::Origin;
use ::actors::trace::Seen;
use machine::note::{Note, Value};
use replay::trace::Sight;

use crate::console::say;

/// Prints what is seen.
pub(super) struct Timeline {
    origin: Origin,
    json: bool,
    /// OMMs by their numbers, so that a line can say `berlin`.
    names: RefCell<BTreeMap<String, String>>,
}

impl Timeline {
    pub(super) fn new(origin: Origin, json: bool) -> Timeline {
        Timeline { origin, json, names: RefCell::default() }
    }

    /// From now on `omm` is called `name`.
    pub(super) fn name(&self, omm: String, name: &str) {
        self.names.borrow_mut().insert(omm, name.to_string());
    }

    /// One step of a machine.
    pub(super) fn see(&self, seen: Seen<'_>) {
        if self.json {
            let mut line = Vec::new();
            let sight = Sight::of(seen.moment, seen.node, seen.who, seen.note);
            if sight.write_json(&mut line).is_ok() {
                say(String::from_utf8_lossy(&line).trim_end());
            }
        } else if let Some(words) = self.words(seen.who, seen.note) {
            say(&format!("  {}  {:<8} {words}", seen.moment, seen.node));
        }
    }

    /// A headline of the story.
    pub(super) fn tell(&self, text: &str) {
        if self.json {
            let note = Note::new("note").text("text", text);
            self.see(Seen { moment: self.origin.moment(), node: "demo", who: "world", note: &note });
        } else {
            say(&format!("\n{}  {text}", self.origin.moment()));
        }
    }

    /// The headline goes on in another line.
    pub(super) fn more(&self, text: &str) {
        if self.json { self.tell(text) } else { say(&format!("{:14}{text}", "")) }
    }

    /// Whether the story went as it should.
    pub(super) fn judge(&self, kept: bool, text: &str) {
        if self.json {
            let note =
                Note::new("expect").text("text", text).text("verdict", if kept { "pass" } else { "fail" });
            self.see(Seen { moment: self.origin.moment(), node: "demo", who: "world", note: &note });
        } else {
            say(&format!(
                "  {}  {:<8} {text}",
                self.origin.moment(),
                if kept { "=> yes:" } else { "=> NO:" }
            ));
        }
    }

    /// The step in words for people; none for what would only be noise.
    fn words(&self, who: &str, note: &Note) -> Option<String> {
        let text = |key: &str| {
            note.fields.iter().find(|(name, _)| *name == key).map_or(
                String::new(),
                |(_, value)| match value {
                    Value::Text(text) => self.named(text),
                    Value::Number(number) => number.to_string(),
                },
            )
        };
        let (kind, subject) = who.split_once('/').unwrap_or((who, ""));
        let (user, server) = subject.split_once('@').unwrap_or((subject, ""));
        let contact = || place(&text("contact"), &self.names.borrow());
        Some(match (kind, note.event) {
            ("user", "located") => format!("{user}: the phone is here"),
            ("user", "said") | ("user", "heard") => {
                let verb = if note.event == "said" { "says" } else { "hears" };
                format!("{user}: {verb} {}", self.named(&rest(note)))
            }
            ("user", "watchdog") => format!("{user}: watchdog {}", self.named(&rest(note))),
            ("user", "alarm") => format!("{user}: ALARM {}", self.named(&rest(note))),
            ("user", "renew") => format!("{user}: renews its registration once more"),
            ("user", "unbind") => format!("{user}: ends its registration"),
            ("binding", "register") => format!("{user}: REGISTER ({}) to {server}", text("kind")),
            ("registrar", "bound") => format!("{} is registered at {}", aor(&text("aor")), contact()),
            ("registrar", "removed") => {
                format!("{} is no longer registered at {}", aor(&text("aor")), contact())
            }
            ("registrar", "replaced" | "expired") => {
                format!("{}: {} {}", aor(&text("aor")), contact(), note.event)
            }
            ("link", "link") => format!("{who}: {}", self.named(&rest(note))),
            ("server", _) | (_, "fault") => format!("{who}: {note}"),
            _ => return None,
        })
    }

    /// The text with OMMs called by their names.
    fn named(&self, text: &str) -> String {
        self.names.borrow().iter().fold(text.to_string(), |text, (omm, name)| text.replace(omm, name))
    }
}

/// The note's keys and values, the long ones left out.
fn rest(note: &Note) -> String {
    let shown =
        note.fields.iter().filter(|(key, _)| !matches!(*key, "epoch" | "stamp" | "device" | "user" | "age"));
    let field = |(key, value): &(&str, Value)| match value {
        Value::Text(text) => format!("{key}={text}"),
        Value::Number(number) => format!("{key}={number}"),
    };
    shown.map(field).collect::<Vec<_>>().join(" ")
}

/// `101` of `sip:101@demo`.
fn aor(uri: &str) -> &str {
    uri.trim_start_matches("sip:").split('@').next().unwrap_or(uri)
}

/// `berlin` of a contact that an OMM registered.
fn place(contact: &str, names: &BTreeMap<String, String>) -> String {
    let site = contact.split(';').find_map(|param| param.strip_prefix("hm-site="));
    site.and_then(|site| names.get(site)).cloned().unwrap_or_else(|| contact.to_string())
}
