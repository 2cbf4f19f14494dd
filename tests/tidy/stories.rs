//! A scenario says in its first line what happens, and a golden trace says that it still does.

use crate::tree::Tree;

/// How a first line begins.
const STORY: &str = "# story: ";

/// Complaints about `scenarios/`.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let files =
        || tree.files().filter_map(|(path, text)| Some((path, path.strip_prefix("scenarios/")?, text)));
    for (path, name, text) in files() {
        let Some(name) = name.strip_suffix(".scn") else { continue };
        let story = text.lines().next().and_then(|line| line.strip_prefix(STORY)).unwrap_or_default();
        if story.trim().len() < 10 {
            complaints.push(format!("{path}: the first line is no story; expected `{STORY}...`"));
        }
        if !files().any(|(_, other, trace)| golden_of(other) == Some(name) && !trace.trim().is_empty()) {
            complaints
                .push(format!("{path}: there is no golden trace {name}.* beside it or in scenarios/golden/"));
        }
    }
    for (path, name, _) in files() {
        if let Some(golden) = golden_of(name)
            && !tree.has(&format!("scenarios/{golden}.scn"))
        {
            complaints.push(format!("{path}: a golden trace of a scenario that is not there"));
        }
    }
    complaints
}

/// The scenario whose golden trace this file is: `NAME.golden`, `NAME.trace`, `NAME.trace.jsonl`, `golden/NAME.*`.
fn golden_of(file: &str) -> Option<&str> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let (scenario, kind) = name.split_once('.')?;
    let golden = folder == "golden" || folder.is_empty() && kind != "scn" && kind != "md";
    golden.then_some(scenario)
}

#[test]
fn a_scenario_without_story_or_trace_is_found() {
    let story = "# story: anna walks from aachen to berlin\nscenario \"x\"\n";
    let found = check(&Tree::of(&[
        ("scenarios/README.md", "how to read them"),
        ("scenarios/a.scn", story),
        ("scenarios/a.golden", "trace"),
        ("scenarios/b.scn", story),
        ("scenarios/golden/b.txt", "trace"),
        ("scenarios/c.scn", "scenario \"x\"\n"),
        ("scenarios/golden/c.txt", "trace"),
        ("scenarios/d.scn", story),
        ("scenarios/e.scn", story),
        ("scenarios/e.golden", "\n"),
        ("scenarios/golden/f.txt", "trace"),
    ]));
    let places: Vec<&str> = found.iter().filter_map(|complaint| complaint.split(": ").next()).collect();
    assert_eq!(places, ["scenarios/c.scn", "scenarios/d.scn", "scenarios/e.scn", "scenarios/golden/f.txt"]);
}
