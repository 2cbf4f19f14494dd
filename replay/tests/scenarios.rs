//! Every scenario file can be read and comes to a plan.

use std::path::Path;

use replay::plan::{self, Override};
use replay::script::reader;

/// The plan of a file in `scenarios/`.
fn plan_of(path: &Path) -> Result<plan::Plan, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = path.parent().unwrap_or(path);
    let mut open = |file: &str| std::fs::read_to_string(folder.join(file)).map_err(|error| error.to_string());
    let told = |wrong: Vec<replay::script::complaint::Complaint>| {
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
    };
    let script = reader::read(&name, &text, &mut open).map_err(told)?;
    if script.story.as_deref().unwrap_or_default().is_empty() {
        return Err(format!("{name}: the first line is no story (`# story: ...`)"));
    }
    plan::make(&script, Override::default()).map_err(told)
}

#[test]
fn every_scenario_comes_to_a_plan_that_checks_something() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "scn"));
    files.sort();
    let mut wrong = Vec::new();
    for path in &files {
        match plan_of(path) {
            Ok(plan) if plan.asserts.is_empty() => wrong.push(format!("{} asserts nothing", path.display())),
            Ok(plan) => assert!(plan.steps.len() > 1, "{} does nothing", path.display()),
            Err(told) => wrong.push(told),
        }
    }
    assert!(files.len() >= 18, "only {} scenarios", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_guide_names_every_word_of_the_language() {
    use replay::script::{action, assert, setting, world};
    let guide = include_str!("../../scenarios/LANGUAGE.md");
    let settings = setting::KEYS.iter().map(|(key, _, _)| *key);
    let later = action::LATER.iter().map(|(word, _)| *word);
    let words = world::read::WORDS
        .iter()
        .chain(action::WORDS)
        .chain(assert::WORDS)
        .copied()
        .chain(settings)
        .chain(later);
    let spoken = |word: &str| {
        guide.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').any(|known| known == word)
    };
    let missing: Vec<&str> = words.filter(|word| !spoken(word)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_example_of_the_guide_comes_to_a_plan() {
    let guide = include_str!("../../scenarios/LANGUAGE.md");
    let example = guide.split("```").nth(1).unwrap().trim_start_matches('\n');
    let script = reader::read("guide.scn", example, &mut |_| Err(String::new())).unwrap();
    assert_eq!(plan::make(&script, Override::default()).unwrap().asserts.len(), 3);
}
