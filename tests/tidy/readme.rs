//! What the README tells people to type exists.

use std::process::Command;

use crate::tree::Tree;

/// What cargo itself knows, of that which a README may ask for.
const CARGO: &[&str] = &["build", "run", "test", "install", "fmt", "clippy", "bench", "doc", "deny"];

/// Complaints about README.md.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    against(tree, answers)
}

fn against(tree: &Tree, answers: fn(&str) -> bool) -> Vec<String> {
    let Some(readme) = tree.text("README.md") else { return vec!["README.md: there is none".to_owned()] };
    let mut complaints = Vec::new();
    let commands = commands(readme);
    if !commands.iter().any(|(_, words)| homing(words).is_some()) {
        complaints.push("README.md: it shows no homing command".to_owned());
    }
    for (at, words) in commands {
        let mut complain = |what: String| complaints.push(format!("README.md:{at}: {what}"));
        let program = words.first().copied().unwrap_or_default();
        match homing(&words) {
            Some(Some(verb)) if !answers(verb) => complain(format!("`homing {verb}` does not exist")),
            None if program == "cargo" && !words.get(1).is_some_and(|verb| CARGO.contains(verb)) => {
                complain(format!("`{}` is no command of cargo known here", words.join(" ")));
            }
            _ => {}
        }
        let local =
            |word: &&&str| word.starts_with("scripts/") || word.ends_with(".scn") || word.ends_with(".toml");
        for path in words.iter().filter(local).filter(|path| !path.contains('*')) {
            if !tree.has(path) {
                complain(format!("there is no {path}"));
            }
        }
    }
    complaints
}

/// The lines of fenced shell blocks, as words: `sh`, `bash`, `console`; in a console only those after `$ `.
fn commands(readme: &str) -> Vec<(usize, Vec<&str>)> {
    let (mut fence, mut found) = (None, Vec::new());
    for (at, line) in (1..).zip(readme.lines()) {
        let line = line.trim();
        match (line.strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language),
            (Some(_), Some(_)) => fence = None,
            (None, Some("sh" | "bash")) => found.push((at, line)),
            (None, Some("console")) => found.extend(line.strip_prefix("$ ").map(|line| (at, line))),
            (None, _) => {}
        }
    }
    let lines = found.into_iter().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(at, line)| (at, words(line))).collect()
}

/// The words before a comment, `./` taken off.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace()
        .take_while(|word| !word.starts_with('#'))
        .map(|w| w.trim_start_matches("./"))
        .collect()
}

/// `Some` when the line runs homing, and its verb if it has one: `homing V`, `target/release/homing V`,
/// `cargo run ... -- V`.
fn homing<'a>(words: &[&'a str]) -> Option<Option<&'a str>> {
    let program = words.first()?;
    let rest = match *program == "cargo" && words.get(1) == Some(&"run") {
        true => words.split(|word| *word == "--").nth(1).unwrap_or_default(),
        false if program.rsplit('/').next() == Some("homing") => words.get(1..).unwrap_or_default(),
        false => return None,
    };
    Some(rest.first().filter(|word| !word.starts_with('-')).copied())
}

/// Whether the program explains this verb.
fn answers(verb: &str) -> bool {
    let output = Command::new(env!("CARGO_BIN_EXE_homing")).args([verb, "--help"]).output();
    output.is_ok_and(|output| {
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Usage")
    })
}

#[test]
fn a_command_that_is_not_there_is_found() {
    let readme = "\
# homing
```sh
cargo build --release   # once
homing demo
scripts/test
./target/release/homing replay scenarios/a.scn
homing fly               # no such verb
cargo run -p homing -- swim --fast
cargo fly
homing replay scenarios/lost.scn
scripts/lost
```
```console
$ homing crawl
homing output is not a command
```
```text
homing neither
```
";
    let tree = Tree::of(&[("README.md", readme), ("scripts/test", ""), ("scenarios/a.scn", "")]);
    let found = against(&tree, |verb| ["demo", "replay"].contains(&verb));
    let places: Vec<&str> = found.iter().filter_map(|complaint| complaint.split(": ").next()).collect();
    let lines = [7, 8, 9, 10, 11, 14].map(|at| format!("README.md:{at}"));
    assert_eq!(places, lines);
    assert_eq!(against(&Tree::of(&[]), |_| true), ["README.md: there is none"]);
    let empty = against(&Tree::of(&[("README.md", "# homing\n")]), |_| true);
    assert_eq!(empty, ["README.md: it shows no homing command"]);
    assert!(!answers("a-verb-that-nobody-would-write"));
}
