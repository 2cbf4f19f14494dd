//! What a registrar has done, for people and for machines.

use std::fmt::Write;

use ::actors::registrar::Served;
use serde_json::{Value, json};

use crate::sockets::Counts;

/// One object; the keys are part of homing's outer surface.
pub(super) fn json(event: &str, served: &Served, socket: Counts) -> Value {
    let answers: serde_json::Map<String, Value> =
        served.answers.iter().map(|(code, count)| (code.to_string(), json!(count))).collect();
    json!({
        "event": event,
        "contacts": served.contacts,
        "heard": served.heard,
        "answers": answers,
        "bound": served.bound,
        "removed": served.removed,
        "replaced": served.replaced,
        "expired": served.expired,
        "lost": served.lost,
        "dropped": served.dropped,
        "refused": socket.refused,
        "undelivered": socket.undelivered,
    })
}

/// Two lines or three.
pub(super) fn text(served: &Served, socket: Counts) -> String {
    let mut text = format!("{} contacts; {} datagrams heard; answered", served.contacts, served.heard);
    for (code, count) in &served.answers {
        // Writing to a String cannot fail.
        _ = write!(text, " {code}: {count}");
    }
    if served.answers.is_empty() {
        text.push_str(" none");
    }
    _ = write!(
        text,
        "\nbound {}, removed {}, replaced {}, expired {}, lost {}",
        served.bound, served.removed, served.replaced, served.expired, served.lost
    );
    let dropped = served.dropped.iter().filter(|(_, count)| **count > 0);
    let mut unanswered: Vec<String> = dropped.map(|(why, count)| format!("{why} {count}")).collect();
    if socket.refused > 0 {
        unanswered.push(format!("queue full {}", socket.refused));
    }
    if socket.undelivered > 0 {
        unanswered.push(format!("undelivered {}", socket.undelivered));
    }
    if !unanswered.is_empty() {
        _ = write!(text, "\nnot answered: {}", unanswered.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_answered_is_told_too() {
        let mut served = Served { heard: 3, contacts: 1, bound: 1, ..Served::default() };
        served.answers.insert(200, 1);
        assert_eq!(
            text(&served, Counts::default()),
            "1 contacts; 3 datagrams heard; answered 200: 1\nbound 1, removed 0, replaced 0, expired 0, lost 0"
        );
        served.dropped.insert("silenced", 2);
        assert!(text(&served, Counts::default()).ends_with("\nnot answered: silenced 2"));
        assert_eq!(json("stats", &served, Counts::default())["answers"]["200"], 1);
    }
}
