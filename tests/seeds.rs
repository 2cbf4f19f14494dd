//! The stories of `scenarios/` under other seeds: jitter, back-off and order differ, every claim and invariant holds.
//!
//! A few seeds run always; `HOMING_SEEDS=1000 cargo test --release --test seeds` runs a thousand of each story. A seed
//! that fails is told with the command that replays it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use replay::plan::{self, Override, Plan};
use replay::report::Report;
use replay::run;
use replay::script::reader;

/// Seeds of each story in an ordinary test run.
const USUAL: u64 = 8;

/// The stories about roams (R) and the watchdog (W); the sample has too large a crowd to be repeated.
fn stories() -> Vec<Arc<Plan>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "scn"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['r', 'w'])))
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        let script =
            reader::read(&name, &fs::read_to_string(&file).unwrap(), &mut |_| Err("none".to_owned()))
                .unwrap();
        Arc::new(plan::make(&script, Override::default()).unwrap())
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_story_comes_out_under_other_seeds() {
    let seeds = std::env::var("HOMING_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL);
    let stories = stories();
    assert!(stories.len() >= 17, "the stories are there");
    let runs: Vec<(Arc<Plan>, u64)> = stories
        .iter()
        .flat_map(|story| (0..seeds).map(move |step| (story.clone(), story.seed + step)))
        .collect();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((story, seed)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let plan = Arc::new(Plan { seed: *seed, ..(**story).clone() });
            let findings = run::run(&plan, *seed, None).unwrap();
            let report = Report::new(&plan, &findings);
            if report.exit_code() != 0 {
                failures.lock().unwrap().push(report.console());
            }
        }
    };
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(work))));
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} runs failed:\n{}",
        failures.len(),
        runs.len(),
        failures.join("\n")
    );
}
