//! `homing why NUMBER`: what happened to a user lately, in words, each with the rule that it obeys (B-16).
//!
//! The rules are named by their ids in the functional specification; ARCHITECTURE.md says what the ids are.

use std::fmt::Write;

use axi::inquiry::{Line, Story};
use machine::time::Wall;
use serde_json::{Value, json};

use crate::diary::Entry;
use crate::status::{list, text};

/// What an entry means, and by which rule it happened.
struct Reason {
    sentence: String,
    rule: &'static str,
}

/// What the entries mean. `name` tells an OMM's name by its number.
pub fn lines(entries: &[Entry], name: impl Fn(&str) -> String) -> Vec<Line> {
    let told = entries.iter().filter_map(|entry| {
        let Reason { sentence, rule } = reason(entry, &name)?;
        Some(Line { at: entry.at, what: sentence, rule: rule.to_owned() })
    });
    told.collect()
}

/// The answer to `why`: what each site told, in the order of their clocks.
pub fn to_json(site: &str, number: &str, told: Vec<Story>) -> Value {
    let sites: Vec<String> = told.iter().map(|story| story.site.clone()).collect();
    let mut all: Vec<(Line, String)> = told
        .into_iter()
        .flat_map(|Story { site, lines }| lines.into_iter().map(move |line| (line, site.clone())))
        .collect();
    all.sort_by_key(|(line, _)| line.at);
    let entries = all.into_iter().map(|(Line { at, what, rule }, site)| {
        json!({"at_ms": at.as_millis(), "site": site, "what": what, "rule": rule})
    });
    json!({"site": site, "sites": sites, "number": number, "entries": entries.collect::<Vec<_>>()})
}

/// `homing why` for people.
pub fn story(answer: &Value) -> String {
    let sites: Vec<&str> = list(answer, "sites").filter_map(Value::as_str).collect();
    let asked = sites.join(", ");
    if list(answer, "entries").next().is_none() {
        return format!("nothing was told of {} lately at {asked}", text(answer, "number"));
    }
    let width = sites.iter().map(|site| site.chars().count()).max().unwrap_or_default();
    let mut out = format!("told by {asked}");
    for entry in list(answer, "entries") {
        let at = Wall::from_millis(entry.get("at_ms").and_then(Value::as_u64).unwrap_or_default());
        let (site, what, rule) = (text(entry, "site"), text(entry, "what"), text(entry, "rule"));
        let _ = write!(out, "\n{}  {site:<width$}  {what} [{rule}]", date(at));
    }
    out
}

/// Date and time in UTC (M-2.2.10-a).
fn date(at: Wall) -> String {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(at.as_millis());
    humantime::format_rfc3339_millis(at).to_string()
}

fn reason(entry: &Entry, name: &impl Fn(&str) -> String) -> Option<Reason> {
    let kind = entry.who.split('/').next().unwrap_or_default();
    match kind {
        "user" => of_user(entry, name),
        "line" => of_line(entry),
        "binding" => of_binding(entry),
        "server" => of_server(entry),
        "link" | "star" | "omm" => of_site(entry, name),
        "directory" => of_directory(entry),
        _ => None,
    }
    .or_else(|| alarm(entry))
}

fn because(rule: &'static str, sentence: impl Into<String>) -> Option<Reason> {
    Some(Reason { sentence: sentence.into(), rule })
}

fn field<'e>(entry: &'e Entry, key: &str) -> &'e str {
    entry.text(key).unwrap_or("-")
}

fn of_user(entry: &Entry, name: &impl Fn(&str) -> String) -> Option<Reason> {
    let heard = entry.text("way") == Some("heard");
    let omm = |key: &str| name(field(entry, key));
    match entry.note.event {
        "located" => because("M-2.1.4.3-a", format!("its phone {} reported here", field(entry, "device"))),
        "admit" => because("SM-2", "the phone was let in"),
        "refuse" => because("SM-2", format!("the phone was turned away: {}", field(entry, "reason"))),
        "bind" => because("M-2.1.4.1-a", "this site registers it at once"),
        "claim" if heard && entry.text("phase") == Some("gone") => {
            because("M-2.1.4.3-b", format!("{} told that its phone is gone from there", omm("owner")))
        }
        "claim" if heard => {
            because("M-2.1.4.1-b", format!("{} told that it has its phone now", omm("owner")))
        }
        "claim" if entry.text("phase") == Some("gone") => {
            because("M-2.1.4.3-b", "this site told the others that its phone is gone")
        }
        "claim" => because("M-2.1.4.1-b", "this site told the others that it has its phone"),
        "confirm" if heard => {
            let outcome = field(entry, "outcome");
            because(
                "M-2.1.4.1-d",
                format!("{} confirmed that its registration is over: {outcome}", omm("from")),
            )
        }
        "confirm" => {
            because("M-2.1.4.1-d", format!("this site confirmed its removal: {}", field(entry, "outcome")))
        }
        "stale" => because("B-9", "a claim was older than what is known, and its owner was told"),
        "unbind" => because("M-2.1.4.1-c", "this site ends its registration: the phone is elsewhere or gone"),
        "released" => because("AMB-2", format!("its registration here ended: {}", field(entry, "outcome"))),
        "renew" => {
            because("M-2.1.4.1-e", "registered once more, because another site's removal may have hit it")
        }
        "query" => because("B-2", "the registrar is asked who else has registered it"),
        "evict" => because("B-2", "an outdated contact of another site is removed at the registrar"),
        "sighted" => because("B-2", "the registrar lists it with a contact of another site too"),
        "detached" => because("SM-2", "its phone said goodbye"),
        "withdrawn" => because("SM-2", "it was logged out"),
        "watchdog" => match entry.text("state") {
            Some("overdue") => because("M-2.1.4.3-a", "its phone should have reported by now"),
            _ => because("M-2.1.4.3-b", "its phone was silent for too long and is believed gone"),
        },
        _ => None,
    }
}

fn of_line(entry: &Entry) -> Option<Reason> {
    let tier = |key: &str| match entry.number(key) {
        Some(0) => "primary",
        Some(1) => "secondary",
        Some(2) => "tertiary",
        _ => "next",
    };
    match entry.note.event {
        "failover" => because(
            "M-2.1.3-a, SM-3",
            format!("moves from the {} server to the {}", tier("from"), tier("to")),
        ),
        "failback" => {
            because("SM-3H", format!("returns from the {} server to the {}", tier("from"), tier("to")))
        }
        _ => None,
    }
}

fn of_binding(entry: &Entry) -> Option<Reason> {
    let server = entry.who.split_once('@').map_or("the server", |(_, server)| server);
    match entry.note.event {
        "answer" => {
            because("SM-3", format!("{server} answered {}", entry.number("code").unwrap_or_default()))
        }
        "bound" => {
            let lifetime = entry.number("expires").unwrap_or_default();
            because("SM-3", format!("registered at {server} for {lifetime} s"))
        }
        "unbound" => because("SM-3", format!("not registered at {server}: {}", field(entry, "reason"))),
        "removed" => because("SM-3", format!("removed from {server}: {}", field(entry, "outcome"))),
        "unlisted" => {
            because("RFC 3261 10.2.3", format!("{server} did not list it any more: it registers again"))
        }
        "subscribe" => because("RFC 3680", format!("{server} is asked to tell of changes")),
        _ => None,
    }
}

fn of_server(entry: &Entry) -> Option<Reason> {
    let server = entry.who.split_once('/').map_or("the server", |(_, server)| server);
    match entry.note.event {
        "server" => because("SM-3H", format!("{server} is {}", field(entry, "standing"))),
        "absent" => because("SM-3H", format!("{} of {server} does not answer", field(entry, "target"))),
        "forgot" => {
            because("RFC 3261 10.2.3", format!("{server} has forgotten its users: all register again"))
        }
        "rests" if entry.number("for") == Some(0) => {
            because("SM-3H", format!("{} of {server} is asked like the others again", field(entry, "target")))
        }
        "rests" => {
            let time = entry.number("for").unwrap_or_default();
            because(
                "S-21, SM-3H",
                format!("{} of {server} is passed over for {time} s", field(entry, "target")),
            )
        }
        "demands" => because("RFC 7339", format!("{server} demands to be spared")),
        "resolved" => because("RFC 3263", format!("{server} is found at {}", field(entry, "targets"))),
        _ => None,
    }
}

fn of_site(entry: &Entry, name: &impl Fn(&str) -> String) -> Option<Reason> {
    match entry.note.event {
        "link" => {
            let peer = entry.text("peer").map(name).map(|peer| format!(" with {peer}")).unwrap_or_default();
            because("SM-1R", format!("the link{peer} is {}", field(entry, "state")))
        }
        _ => None,
    }
}

fn of_directory(entry: &Entry) -> Option<Reason> {
    match (entry.note.event, entry.text("state"), entry.text("status")) {
        ("user", Some("gone"), _) => {
            because("SM-7", "nobody has this number any more: deleted, or renumbered")
        }
        ("user", Some("shown"), Some("conflict")) => {
            because("SM-7", "another user has its number: it is shown under this one and cannot be used")
        }
        ("user", Some("shown"), Some("over-limit")) => {
            because("SM-7, M-2.2.1", "there are more users than the platform holds: it cannot be used")
        }
        ("alarm", _, _) => because("SM-7", field(entry, "text")),
        _ => None,
    }
}

fn alarm(entry: &Entry) -> Option<Reason> {
    match entry.note.event {
        "alarm" | "fault" | "note" => {
            let what = entry.text("text").or(entry.text("kind")).unwrap_or("-");
            let is_of_sip = entry.who.starts_with("binding/") || entry.who.starts_with("server/");
            because(if is_of_sip { "SM-3" } else { "SM-2" }, what)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use machine::note::Note;

    use super::*;

    fn entry(second: u64, who: &str, note: Note) -> Entry {
        Entry { at: Wall::from_millis(1_767_225_600_000 + second * 1000), who: who.into(), note }
    }

    #[test]
    fn a_roam_and_a_failover_are_told_with_their_rules() {
        let entries = [
            entry(0, "user/101", Note::new("located").text("device", "00100 0000001 4")),
            entry(0, "user/101", Note::new("bind").text("epoch", "1")),
            entry(1, "binding/101@pbx", Note::new("bound").number("expires", 3600_u64)),
            entry(
                1,
                "server/pbx",
                Note::new("rests").text("target", "udp:10.0.0.1:5060").number("for", 60_u64),
            ),
            entry(2, "server/pbx", Note::new("server").text("standing", "down")),
            entry(2, "line/101", Note::new("failover").number("from", 0_u64).number("to", 1_u64)),
            entry(
                9,
                "user/101",
                Note::new("claim").text("way", "heard").text("owner", "102A7020").text("phase", "here"),
            ),
            entry(9, "user/101", Note::new("unbind")),
        ];
        let name = |omm: &str| if omm == "102A7020" { "aachen".to_owned() } else { omm.to_owned() };
        let far = Line {
            at: Wall::from_millis(1_767_225_601_500),
            what: "its phone reported here".to_owned(),
            rule: "M-2.1.4.3-a".to_owned(),
        };
        let story_of = |site: &str, lines| Story { site: site.to_owned(), lines };
        let told = vec![story_of("berlin", lines(&entries, name)), story_of("aachen", vec![far])];
        let answer = to_json("berlin", "101", told);
        let expected = "\
told by berlin, aachen
2026-01-01T00:00:00.000Z  berlin  its phone 00100 0000001 4 reported here [M-2.1.4.3-a]
2026-01-01T00:00:00.000Z  berlin  this site registers it at once [M-2.1.4.1-a]
2026-01-01T00:00:01.000Z  berlin  registered at pbx for 3600 s [SM-3]
2026-01-01T00:00:01.000Z  berlin  udp:10.0.0.1:5060 of pbx is passed over for 60 s [S-21, SM-3H]
2026-01-01T00:00:01.500Z  aachen  its phone reported here [M-2.1.4.3-a]
2026-01-01T00:00:02.000Z  berlin  pbx is down [SM-3H]
2026-01-01T00:00:02.000Z  berlin  moves from the primary server to the secondary [M-2.1.3-a, SM-3]
2026-01-01T00:00:09.000Z  berlin  aachen told that it has its phone now [M-2.1.4.1-b]
2026-01-01T00:00:09.000Z  berlin  this site ends its registration: the phone is elsewhere or gone [M-2.1.4.1-c]";
        assert_eq!(story(&answer), expected);
    }

    #[test]
    fn of_whom_nothing_is_known_that_is_said() {
        let told = ["berlin", "central"].map(|site| Story { site: site.to_owned(), lines: Vec::new() });
        let answer = to_json("berlin", "999", told.to_vec());
        assert_eq!(story(&answer), "nothing was told of 999 lately at berlin, central");
    }
}
