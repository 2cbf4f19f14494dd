//! Files are short, and named after things of the trade.

use crate::tree::Tree;

/// Lines of a Rust file. Every famous project regrets one god file; this is where ours would start to grow.
const LINES_MAX: usize = 450;

/// Longer files: how long they may be, and why. One that has become short again must leave this list.
const LONGER: &[(&str, usize, &str)] = &[];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "common", "types", "core", "helper", "helpers", "manager", "misc"];

/// Complaints about lengths and names.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    against(tree, LONGER)
}

fn against(tree: &Tree, longer: &[(&str, usize, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".rs")) {
        let lines = text.lines().count();
        let exception = longer.iter().find(|(file, _, _)| *file == path);
        let limit = exception.map_or(LINES_MAX, |(_, limit, _)| *limit);
        if lines > limit {
            complaints.push(format!("{path}: {lines} lines; at most {limit}: split it by what it does"));
        }
        if exception.is_some() && lines <= LINES_MAX {
            complaints.push(format!("{path}: {lines} lines need no exception any more"));
        }
        let parts = path.trim_end_matches(".rs").split('/');
        if let Some(part) = parts.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
            complaints.push(format!("{path}: {part:?} names nothing of the trade"));
        }
    }
    for (file, _, _) in longer.iter().filter(|(file, _, _)| !tree.has(file)) {
        complaints.push(format!("{file}: an exception for a file that is not there"));
    }
    complaints
}

#[test]
fn a_long_file_and_an_empty_name_are_found() {
    let (fits, long) = ("\n".repeat(LINES_MAX), "\n".repeat(LINES_MAX + 1));
    let tree = Tree::of(&[
        ("a/good.rs", &fits),
        ("a/long.rs", &long),
        ("a/excused.rs", &long),
        ("a/grown.rs", &format!("{long}\n\n")),
        ("a/shrunk.rs", ""),
        ("sip/src/utils/x.rs", ""),
        ("a/data.txt", &long),
    ]);
    let longer = [
        ("a/excused.rs", 451, "x"),
        ("a/grown.rs", 452, "x"),
        ("a/shrunk.rs", 500, "x"),
        ("a/lost.rs", 500, "x"),
    ];
    let found = against(&tree, &longer);
    let places: Vec<&str> = found.iter().filter_map(|complaint| complaint.split(": ").next()).collect();
    assert_eq!(places, ["a/grown.rs", "a/long.rs", "a/shrunk.rs", "sip/src/utils/x.rs", "a/lost.rs"]);
}
