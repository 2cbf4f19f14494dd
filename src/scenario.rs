//! `homing replay`: scenarios in virtual time, from files to a verdict.
//!
//! One run writes its artefacts to `OUT/SCENARIO/SEED/`. Many runs write nothing until one of them fails: its seed is
//! then run again, with artefacts, so that what is to be looked at is there.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use replay::chronicle::{Chronicle, Written};
use replay::plan::{self, Override, Plan};
use replay::report::Report;
use replay::run::{self, Listener};
use replay::script::complaint::Complaint;
use replay::script::output::Output;
use replay::script::reader;
use serde_json::json;

use crate::console::{complain, say};
use crate::exit::Exit;

/// What `homing replay` was asked to do.
pub struct Request {
    /// The scenarios.
    pub files: Vec<PathBuf>,
    /// Instead of the seeds in the scripts.
    pub seed: Option<u64>,
    /// Seeds to run, from the first one upwards.
    pub runs: u64,
    /// Where every run ends, at the latest.
    pub until: Option<Duration>,
    /// Whether each run is repeated in another process and its trace compared.
    pub check_determinism: bool,
    /// Where artefacts go.
    pub out: PathBuf,
    /// JSON instead of text.
    pub json: bool,
}

/// Runs everything; the worst outcome decides the exit code.
pub fn run(request: &Request) -> Exit {
    let mut worst = Exit::Passed;
    for file in &request.files {
        let exit = match prepare(file, request) {
            Ok(plan) if request.runs > 1 => many(&plan, request),
            Ok(plan) => single(&plan, request),
            Err(exit) => exit,
        };
        worst = worse(worst, exit);
    }
    worst
}

/// A mistake outweighs a failure, a failure outweighs what was not run.
fn worse(a: Exit, b: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Passed => 0,
        Exit::Deviations => 1,
        Exit::Interrupted => 2,
        Exit::Failed => 3,
        Exit::Missing => 4,
        Exit::Usage => 5,
    };
    if rank(a) >= rank(b) { a } else { b }
}

fn prepare(file: &Path, request: &Request) -> Result<Arc<Plan>, Exit> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|fault| {
        complain(&format!("{name}: cannot be read: {fault}"));
        Exit::Missing
    })?;
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let mut open = |name: &str| fs::read_to_string(folder.join(name)).map_err(|fault| fault.to_string());
    let complaints = |complaints: Vec<Complaint>| {
        complaints.iter().for_each(|complaint| complain(&complaint.to_string()));
        Exit::Usage
    };
    let script = reader::read(&name, &text, &mut open).map_err(complaints)?;
    script.warnings.iter().for_each(|warning| complain(&warning.to_string()));
    let over = Override { seed: request.seed, until: request.until };
    plan::make(&script, over).map(Arc::new).map_err(complaints)
}

/// The folder of one run.
fn folder(plan: &Plan, request: &Request) -> PathBuf {
    let stem = Path::new(&*plan.file).file_stem().unwrap_or_default();
    request.out.join(stem).join(plan.seed.to_string())
}

fn single(plan: &Arc<Plan>, request: &Request) -> Exit {
    let outcome = with_artefacts(plan, &folder(plan, request));
    let report = match outcome {
        Ok(report) => report,
        Err(fault) => {
            complain(&format!("{}: {fault}", folder(plan, request).display()));
            return Exit::Missing;
        }
    };
    say(if request.json { report.json() } else { report.console() }.trim_end());
    let exit = exit(&report);
    if request.check_determinism { worse(exit, compare(plan, request)) } else { exit }
}

fn exit(report: &Report) -> Exit {
    match report.exit_code() {
        0 => Exit::Passed,
        1 => Exit::Failed,
        _ => Exit::Interrupted,
    }
}

/// Runs a plan and writes `trace.jsonl`, `result.json` and what the script's `output` asks for.
fn with_artefacts(plan: &Arc<Plan>, folder: &Path) -> io::Result<Report> {
    fs::create_dir_all(folder)?;
    let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    let timeline = plan.outputs.contains(&Output::Timeline).then(|| create("timeline.txt")).transpose()?;
    let chronicle = Chronicle::new(plan, Some(create("trace.jsonl")?), timeline);
    let chronicle = Rc::new(RefCell::new(chronicle));
    let listener: Listener = {
        let chronicle = chronicle.clone();
        Box::new(move |sight| chronicle.borrow_mut().see(sight))
    };
    let findings = run::run(plan, plan.seed, Some(listener))?;
    let chronicle = Rc::into_inner(chronicle).map(RefCell::into_inner);
    let Some(chronicle) = chronicle else { return Err(io::Error::other("the run still holds its trace")) };
    let Written { ladders, .. } = chronicle.finish()?;
    for ladder in ladders {
        fs::write(folder.join(format!("ladder-{}.txt", ladder.name())), ladder.print())?;
    }
    let report = Report::new(plan, &findings);
    fs::write(folder.join("result.json"), report.json())?;
    if plan.outputs.contains(&Output::Junit) {
        fs::write(folder.join("junit.xml"), report.junit())?;
    }
    Ok(report)
}

/// Runs the same seed in another process and compares the traces byte by byte.
fn compare(plan: &Arc<Plan>, request: &Request) -> Exit {
    let again = request.out.join(".again");
    let child = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        command
            .arg("replay")
            .arg(&*plan.file)
            .args(["--seed", &plan.seed.to_string()])
            .arg("--out")
            .arg(&again);
        if let Some(until) = request.until {
            command.args(["--until", &humantime::format_duration(until).to_string()]);
        }
        command.output()
    });
    let twin = Request { files: Vec::new(), out: again.clone(), ..*request };
    let traces = child.and_then(|_| {
        let read = |folder: PathBuf| fs::read(folder.join("trace.jsonl"));
        Ok((read(folder(plan, request))?, read(folder(plan, &twin))?))
    });
    let _ = fs::remove_dir_all(&again);
    match traces {
        Ok((ours, theirs)) if ours == theirs => {
            say(&format!("the same {} bytes of trace in another process", ours.len()));
            Exit::Passed
        }
        Ok((ours, theirs)) => {
            let line =
                ours.split(|b| *b == b'\n').zip(theirs.split(|b| *b == b'\n')).position(|(a, b)| a != b);
            complain(&format!(
                "the traces of two processes differ from line {}",
                line.unwrap_or_default() + 1
            ));
            Exit::Failed
        }
        Err(fault) => {
            complain(&format!("the second process: {fault}"));
            Exit::Missing
        }
    }
}

/// Runs many seeds on all processors; nothing is written but for seeds that fail.
fn many(plan: &Arc<Plan>, request: &Request) -> Exit {
    let next = AtomicU64::new(plan.seed);
    let end = plan.seed.saturating_add(request.runs);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return outcomes;
            }
            let plan = Arc::new(Plan { seed, ..(**plan).clone() });
            let outcome = run::run(&plan, seed, None).map(|findings| exit(&Report::new(&plan, &findings)));
            outcomes.push((seed, outcome));
        }
    };
    let mut outcomes: Vec<(u64, io::Result<Exit>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    outcomes.sort_by_key(|(seed, _)| *seed);
    let lost = request.runs - outcomes.len() as u64;
    let mut worst = if lost == 0 { Exit::Passed } else { Exit::Failed };
    let mut failed = Vec::new();
    for (seed, outcome) in outcomes {
        match outcome {
            Ok(Exit::Passed) => {}
            Ok(exit) => {
                worst = worse(worst, exit);
                failed.push(seed);
            }
            Err(fault) => {
                complain(&format!("seed {seed}: {fault}"));
                worst = worse(worst, Exit::Missing);
            }
        }
    }
    tell_many(plan, request, &failed, lost);
    worst
}

fn tell_many(plan: &Arc<Plan>, request: &Request, failed: &[u64], lost: u64) {
    let passed = request.runs - lost - failed.len() as u64;
    if request.json {
        let summary = json!({"scenario": plan.title, "file": *plan.file, "first_seed": plan.seed, "runs": request.runs,
            "passed": passed, "failed": failed, "panicked": lost});
        return say(&summary.to_string());
    }
    say(&format!("{}: {passed} of {} seeds passed, from {}", plan.title, request.runs, plan.seed));
    if lost > 0 {
        complain(&format!("{lost} runs panicked"));
    }
    for seed in failed.iter().take(SHOWN) {
        let plan = Arc::new(Plan { seed: *seed, ..(**plan).clone() });
        match with_artefacts(&plan, &folder(&plan, request)) {
            Ok(report) => say(report.console().trim_end()),
            Err(fault) => complain(&format!("seed {seed}: {fault}")),
        }
    }
    if failed.len() > SHOWN {
        let rest: Vec<String> = failed.iter().skip(SHOWN).map(u64::to_string).collect();
        say(&format!("also failed: seeds {}", rest.join(", ")));
    }
}

/// Failed seeds that are told in full; the rest by number.
const SHOWN: usize = 3;
