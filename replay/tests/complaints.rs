//! Every error that a scenario can have, with the whole text that is shown for it.
//!
//! `complaints.txt` holds cases: `=== what it is about`, the scenario, `---`, the text. `UPDATE=1` rewrites the texts.

use replay::plan::{self, Override};
use replay::script::reader;

/// What is shown for a scenario.
fn shown(text: &str) -> String {
    let mut open = |file: &str| match file {
        "self.scn" => Ok("include self.scn\n".to_string()),
        _ => Err("no such file".to_string()),
    };
    let made = reader::read("case.scn", text, &mut open).and_then(|script| {
        let warned = script.warnings.clone();
        plan::make(&script, Override::default()).map(|_| warned)
    });
    let (Ok(complaints) | Err(complaints)) = made;
    complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn every_complaint_shows_the_line_and_says_what_was_expected() {
    let recorded = include_str!("complaints.txt");
    let mut rewritten = String::new();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in recorded.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (script, expected) = rest.split_once("---\n").unwrap();
        let shown = shown(script);
        cases += 1;
        if shown.is_empty() {
            wrong.push(format!("{title}: nothing is complained about"));
        } else if shown != expected.trim_end() {
            wrong.push(format!("{title}: shown\n{shown}\n"));
        }
        rewritten.push_str(&format!("=== {title}\n{script}---\n{shown}\n\n"));
    }
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/complaints.txt");
        std::fs::write(path, rewritten.trim_end().to_string() + "\n").unwrap();
    }
    assert!(cases > 50, "only {cases} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
