//! Everything is bounded, and every bound says where it comes from, or that it is ours.

use crate::tree::Tree;

/// What a source looks like: an id of the specification, a chapter of it, a standard; or the admission that it is ours.
const SOURCES: &[&str] = &[
    "ours", "RFC ", "ETSI", "XML 1.0", "spec ", "axi ", "M-2.", "SM-", "AMB-", "B-", "R-", "S-", "G-", "I1",
    "I2",
];

/// Where rules and doors live. Tests may bound themselves as they like.
const ROOMS: &[&str] =
    &["machine/src/", "omm/src/", "sip/src/", "axi/src/", "actors/src/", "replay/src/", "src/"];

/// Complaints about limits without a source, and about pure rooms that do not ask for complete matches.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let rust = tree.files().filter(|(path, _)| {
        path.ends_with(".rs") && ROOMS.iter().any(|room| path.starts_with(room)) && !path.contains("tests")
    });
    let mut complaints: Vec<String> = rust
        .flat_map(|(path, text)| {
            unsourced(text).into_iter().map(move |(at, name)| {
                format!("{path}:{at}: {name} names no source; if there is none, say that it is ours")
            })
        })
        .collect();
    for room in ["machine", "omm", "sip", "axi"] {
        let path = format!("{room}/src/lib.rs");
        if !tree.text(&path).is_some_and(|text| text.contains("warn(clippy::wildcard_enum_match_arm)")) {
            complaints.push(format!("{path}: a pure room warns of matches with a catch-all"));
        }
    }
    complaints
}

/// Constants that bound something (`..._MAX`, `..._MIN`, `..._LIMIT`) and whose comment has no source.
fn unsourced(text: &str) -> Vec<(usize, &str)> {
    let (mut comment, mut found) = (String::new(), Vec::new());
    for (at, line) in (1..).zip(text.lines().map(str::trim)) {
        // A sample of tests at the end of a file bounds nothing of the product.
        if line == "#[cfg(test)]" {
            break;
        }
        if let Some(words) = line.strip_prefix("//") {
            comment.push_str(words.trim_start_matches('/'));
            continue;
        }
        let limit =
            constant(line).filter(|name| ["_MAX", "_MIN", "_LIMIT"].iter().any(|end| name.ends_with(end)));
        let trailing = line.split_once("//").map_or("", |(_, words)| words);
        let sourced = SOURCES.iter().any(|source| says(&comment, source) || says(trailing, source));
        found.extend(limit.filter(|_| !sourced).map(|name| (at, name)));
        if !line.starts_with("#[") {
            comment.clear();
        }
    }
    found
}

/// The name that a line gives to a constant.
fn constant(line: &str) -> Option<&str> {
    let rest =
        line.strip_prefix("pub(super) ").or(line.strip_prefix("pub(crate) ")).or(line.strip_prefix("pub "));
    rest.unwrap_or(line).strip_prefix("const ")?.split(':').next()
}

/// Whether the comment has the word, however it begins.
fn says(comment: &str, source: &str) -> bool {
    comment.match_indices(source).any(|(at, _)| !comment[..at].ends_with(|c: char| c.is_alphanumeric()))
        || source == "ours" && comment.contains("Ours")
}

#[test]
fn a_limit_out_of_nowhere_is_found() {
    let lib = "#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]\n";
    let sourced = "\
/// Ten (M-2.1.1-a).
pub const REMOTES_MAX: usize = 10;
/// A second; ours.
#[allow(dead_code)]
const BREATH_MIN: u64 = 1;
const PORT: u16 = 5060;
";
    let bad = "\
/// Yours and hours of it.
pub(crate) const NAMES_MAX: usize = 7;
const LINES_LIMIT: usize = 8;
#[cfg(test)]
mod tests {
    const SEEDS_MAX: usize = 9;
}
";
    let found = check(&Tree::of(&[
        ("machine/src/lib.rs", lib),
        ("omm/src/lib.rs", lib),
        ("sip/src/lib.rs", "pub mod a;\n"),
        ("axi/src/lib.rs", lib),
        ("omm/src/good.rs", sourced),
        ("omm/src/bad.rs", bad),
        ("omm/tests/free.rs", bad),
    ]));
    let places: Vec<&str> = found.iter().filter_map(|complaint| complaint.split(": ").next()).collect();
    assert_eq!(places, ["omm/src/bad.rs:2", "omm/src/bad.rs:3", "sip/src/lib.rs"]);
}
