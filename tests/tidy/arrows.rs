//! Who may depend on whom: the rooms of the house, and what never enters the pure ones.

use toml::{Table, Value};

use crate::tree::Tree;

/// The rooms and the complete list of rooms that each may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("machine", &[]),
    ("omm", &["machine"]),
    ("sip", &["machine"]),
    ("axi", &["omm", "machine"]),
    ("actors", &["axi", "sip", "omm", "machine"]),
    ("replay", &["actors", "axi", "sip", "omm", "machine"]),
    (".", &["replay", "actors", "axi", "sip", "omm", "machine"]),
];

/// Rooms without sockets, clocks, files, runtimes and sources of chance.
const PURE: &[&str] = &["machine", "omm", "sip", "axi"];

/// What would bring one of these in. A name that ends in `-` stands for all that begin with it.
const IMPURE: &[&str] = &[
    "actix",
    "actix-",
    "async-std",
    "chrono",
    "fastrand",
    "getrandom",
    "hickory-",
    "jiff",
    "mio",
    "rand",
    "redb",
    "rsip-dns",
    "rustls",
    "sled",
    "smol",
    "socket2",
    "tempfile",
    "time",
    "tokio",
    "tokio-",
];

/// Complaints about the manifests.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (room, allowed) in ARROWS {
        let path = if *room == "." { "Cargo.toml".to_owned() } else { format!("{room}/Cargo.toml") };
        match tree.text(&path).map(str::parse::<Table>) {
            None => complaints.push(format!("{path}: there is none")),
            Some(Err(error)) => complaints.push(format!("{path}: {error}")),
            Some(Ok(manifest)) => manifest_of(room, allowed, &path, &manifest, &mut complaints),
        }
    }
    for (path, _) in tree.files().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        if !ARROWS.iter().any(|(room, _)| path.strip_suffix("/Cargo.toml") == Some(room)) {
            complaints.push(format!("{path}: a room that the house does not have"));
        }
    }
    complaints
}

fn manifest_of(room: &str, allowed: &[&str], path: &str, manifest: &Table, complaints: &mut Vec<String>) {
    let own = if room == "." { "homing" } else { room };
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    if name != Some(own) {
        complaints.push(format!("{path}: the package is {name:?}; expected {own}, as its folder"));
    }
    for (dependency, value) in dependencies(manifest) {
        if value.get("package").is_some() {
            complaints.push(format!("{path}: {dependency} is a renamed dependency"));
        }
        let is_room = ARROWS.iter().any(|(other, _)| *other == dependency) || dependency == "homing";
        if is_room && !allowed.contains(&dependency.as_str()) {
            complaints.push(format!("{path}: {room} may not name {dependency}, only {allowed:?}"));
        }
        if PURE.contains(&room) && IMPURE.iter().any(|impure| matches_name(impure, &dependency)) {
            complaints.push(format!("{path}: {room} is pure and may not use {dependency}"));
        }
    }
}

/// Dependencies of every kind, those under `[target]` included.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets.into_iter().flat_map(|targets| targets.values().filter_map(Value::as_table));
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let found = tables.chain([manifest]).flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)));
    found.filter_map(Value::as_table).flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn matches_name(pattern: &str, name: &str) -> bool {
    name == pattern || pattern.ends_with('-') && name.starts_with(pattern)
}

#[test]
fn a_wrong_arrow_is_found() {
    let room = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}");
    let good: Vec<(String, String)> = ARROWS
        .iter()
        .map(|(name, _)| match *name {
            "." => ("Cargo.toml".to_owned(), room("homing", "[dependencies]\nreplay.workspace = true")),
            name => (format!("{name}/Cargo.toml"), room(name, "")),
        })
        .collect();
    let with = |path: &str, text: &str| {
        let mut files: Vec<(&str, &str)> =
            good.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        files.retain(|(other, _)| *other != path);
        files.push((path, text));
        check(&Tree::of(&files))
    };
    assert!(with("axi/Cargo.toml", &room("axi", "[dependencies]\nomm.workspace = true")).is_empty());
    for (path, text, complaint) in [
        ("sip/Cargo.toml", room("sip", "[dependencies]\nomm.workspace = true"), "sip may not name omm"),
        (
            "omm/Cargo.toml",
            room("omm", "[dev-dependencies]\nsip = { path = \"../sip\" }"),
            "omm may not name sip",
        ),
        (
            "actors/Cargo.toml",
            room("actors", "[dependencies]\nreplay.workspace = true"),
            "actors may not name replay",
        ),
        ("omm/Cargo.toml", room("omm", "[dependencies]\ntokio = \"1\""), "omm is pure and may not use tokio"),
        (
            "axi/Cargo.toml",
            room("axi", "[build-dependencies]\nactix-rt = \"2\""),
            "axi is pure and may not use actix-rt",
        ),
        (
            "sip/Cargo.toml",
            room("sip", "[target.'cfg(unix)'.dependencies]\nmio = \"1\""),
            "sip is pure and may not use mio",
        ),
        (
            "sip/Cargo.toml",
            room("sip", "[dependencies]\nx = { package = \"omm\", path = \"../omm\" }"),
            "renamed",
        ),
        ("sip/Cargo.toml", room("zip", ""), "expected sip"),
        ("common/Cargo.toml", room("common", ""), "does not have"),
    ] {
        let found = with(path, &text);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert!(found[0].contains(complaint), "{found:?} has no {complaint:?}");
    }
}
