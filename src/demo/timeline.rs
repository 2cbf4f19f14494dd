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
    last: RefCell<String>,
}

impl Timeline {
    pub(super) fn new(origin: Origin, json: bool) -> Timeline {
        Timeline { origin, json, names: RefCell::default(), last: RefCell::default() }
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
            // Two inputs of one kind in a row look the same.
            let line = format!("{:<8} {words}", seen.node);
            if *self.last.borrow() != line {
                say(&format!("  {}  {line}", seen.moment));
            }
            self.last.replace(line);
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
        let raw = |key: &str| {
            note.fields.iter().find(|(name, _)| *name == key).map_or(
                String::new(),
                |(_, value)| match value {
                    Value::Text(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                },
            )
        };
        let text = |key: &str| self.named(&raw(key));
        let said = raw("way") == "said";
        let (kind, subject) = who.split_once('/').unwrap_or((who, ""));
        let (user, server) = subject.split_once('@').unwrap_or((subject, ""));
        let contact = || place(&raw("contact"), &self.names.borrow());
        Some(match (kind, note.event) {
            ("user", "located") => format!("{user}: the phone is here"),
            ("user", "claim") if raw("phase") == "gone" => {
                format!("{user}: {} that the phone is gone", if said { "tells all" } else { "hears" })
            }
            ("user", "claim") if said => format!("{user}: tells all: the phone is with me"),
            ("user", "claim") => format!("{user}: hears that the phone is at {}", text("owner")),
            ("user", "confirm") if said => {
                format!("{user}: confirms to all: registration {}", text("outcome"))
            }
            ("user", "confirm") => format!("{user}: hears the confirmation of {}", text("from")),
            ("user", "stale") if said => {
                format!("{user}: tells {}: {} has a newer claim", text("to"), text("owner"))
            }
            ("user", "stale") => format!("{user}: hears that {} has a newer claim", text("owner")),
            ("user", "watchdog") => format!("{user}: the phone is {}", text("state")),
            ("user", "alarm") => format!("{user}: ALARM {}", text("kind")),
            ("user", "renew") => format!("{user}: renews its registration once more"),
            ("user", "unbind") => format!("{user}: ends its registration"),
            ("binding", "register") => format!("{user}: REGISTER ({}) to {server}", text("kind")),
            ("binding", "answer") => format!("{user}: {server} answers {}", text("code")),
            ("registrar", "bound") => format!("{} is registered at {}", aor(&text("aor")), contact()),
            ("registrar", "removed") => {
                format!("{} is no longer registered at {}", aor(&text("aor")), contact())
            }
            ("registrar", "replaced" | "expired" | "lost") => {
                format!("{}: {} {}", aor(&text("aor")), contact(), note.event)
            }
            // The central's end says the same once more.
            ("link", "link") if subject == "central" => format!("the link to the central: {}", text("state")),
            ("server", _) | (_, "fault") => format!("{who}: {note}"),
            _ => return None,
        })
    }

    /// The text with OMMs called by their names.
    fn named(&self, text: &str) -> String {
        self.names.borrow().iter().fold(text.to_string(), |text, (omm, name)| text.replace(omm, name))
    }
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
