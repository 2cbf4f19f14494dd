//! The verdict of a run: for the console, as `result.json`, as `junit.xml`.

use std::fmt::Write as _;

use machine::time::Moment;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use crate::invariants::Outcome;
use crate::judge::pattern;
use crate::judge::{Findings, Verdict};
use crate::plan::Plan;

/// How many failures the console shows in full; the rest stands in `result.json` (ours).
const SHOWN: usize = 10;

/// The verdict of a run. Its JSON is part of homing's outer surface.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario's title.
    pub scenario: String,
    /// Its file.
    pub file: String,
    /// What it is about.
    pub about: String,
    /// The seed of this run.
    pub seed: u64,
    /// Virtual time at the end, in milliseconds.
    pub ended_ms: u64,
    /// `passed`, `failed` or `not-run`.
    pub verdict: &'static str,
    /// The exact command that replays this run.
    pub replay: String,
    /// Every check, in the order of the script: asserts, triggers, invariants.
    pub checks: Vec<Line>,
    /// What was counted.
    pub counts: Counts,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// `assert`, `trigger` or `invariant`.
    pub kind: &'static str,
    /// The line of the script; absent for an invariant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What was checked, as written.
    pub text: String,
    /// `passed`, `failed` or `not-run`.
    pub verdict: &'static str,
    /// When it was certain, in milliseconds of virtual time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t: Option<u64>,
    /// What was so instead, or why it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The event that broke it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Up to ten events around it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub around: Vec<String>,
}

/// What was counted.
#[derive(Clone, Debug, Serialize)]
pub struct Counts {
    /// Events of the trace.
    pub events: u64,
    /// REGISTER requests by server.
    pub registers: std::collections::BTreeMap<String, u64>,
    /// Claims made.
    pub claims: u64,
    /// Confirms said.
    pub confirms: u64,
    /// Renewals asked for.
    pub renewals: u64,
    /// Alarms raised.
    pub alarms: u64,
    /// The largest number of surplus registrations that one user ever had.
    pub duplicate_registrations: u64,
}

const PASSED: &str = "passed";
const FAILED: &str = "failed";
const NOT_RUN: &str = "not-run";

impl Report {
    /// The report of a run.
    pub fn new(plan: &Plan, findings: &Findings) -> Report {
        let mut checks: Vec<Line> = Vec::new();
        for (assert, verdict) in plan.asserts.iter().zip(&findings.verdicts) {
            let mut line = Line::new("assert", Some(assert.place.to_string()), assert.text.clone());
            match verdict {
                Verdict::Passed { at } => line.t = Some(at.as_millis()),
                Verdict::Failed(failure) => {
                    line.fail(failure.at, failure.why.clone());
                    line.event.clone_from(&failure.event);
                    line.around.clone_from(&failure.around);
                }
                Verdict::NotRun { why } => (line.verdict, line.why) = (NOT_RUN, Some(why.clone())),
            }
            checks.push(line);
        }
        for (trigger, fired) in plan.triggers.iter().zip(&findings.fired) {
            let place = trigger.steps.first().map(|(_, place, _)| place.to_string());
            let mut line = Line::new("trigger", place, format!("when {}", pattern::tell(&trigger.pattern)));
            match fired {
                Some(at) => line.t = Some(at.as_millis()),
                None if trigger.armed > findings.end => line.verdict = NOT_RUN,
                // What hangs on it was never done, so what was to be shown was not shown.
                None => {
                    line.fail(findings.end, "this event never came, so what hangs on it was not done".into())
                }
            }
            checks.push(line);
        }
        for finding in &findings.invariants {
            let mut line = Line::new("invariant", None, format!("{}: {}", finding.id, finding.says));
            match &finding.outcome {
                Outcome::Held => {}
                Outcome::NotJudged { why } => (line.verdict, line.why) = (NOT_RUN, Some(why.clone())),
                Outcome::Broken { times, first } => {
                    let at = first.first().map_or(findings.end, |(at, _)| *at);
                    let told: Vec<String> = first.iter().map(|(at, told)| format!("{at} {told}")).collect();
                    line.fail(at, format!("{times} times: {}", told.join("; ")));
                }
            }
            checks.push(line);
        }
        let servers = plan.servers.iter().map(|server| server.name.to_string());
        let mut report = Report {
            scenario: plan.title.clone(),
            file: plan.file.to_string(),
            about: plan.about.clone(),
            seed: plan.seed,
            ended_ms: findings.end.as_millis(),
            verdict: PASSED,
            replay: format!("homing replay {} --seed {}", plan.file, plan.seed),
            checks,
            counts: Counts {
                events: findings.counts.events,
                registers: servers.zip(findings.counts.registers.iter().copied()).collect(),
                claims: findings.counts.claims,
                confirms: findings.counts.confirms,
                renewals: findings.counts.renewals,
                alarms: findings.counts.alarms,
                duplicate_registrations: findings.counts.duplicates,
            },
        };
        report.verdict = match report.exit_code() {
            0 => PASSED,
            1 => FAILED,
            _ => NOT_RUN,
        };
        report
    }

    /// 0: all ran and passed; 1: one failed; 4: the run ended before all ran. An invariant that a restless world
    /// leaves unjudged is no planned check.
    pub fn exit_code(&self) -> u8 {
        if self.checks.iter().any(|line| line.verdict == FAILED) {
            return 1;
        }
        let missed = |line: &Line| line.verdict == NOT_RUN && line.kind != "invariant";
        if self.checks.iter().any(missed) { 4 } else { 0 }
    }

    /// How many checks came out like this.
    fn count(&self, verdict: &str) -> usize {
        self.checks.iter().filter(|line| line.verdict == verdict).count()
    }

    /// `result.json`, with a line break at the end.
    pub fn json(&self) -> String {
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// `junit.xml`. It holds no real time, so the same run gives the same bytes.
    pub fn junit(&self) -> String {
        let mut suite = TestSuite::new(format!("{} (seed {})", self.scenario, self.seed));
        for line in &self.checks {
            let mut status = match line.verdict {
                PASSED => TestCaseStatus::success(),
                FAILED => TestCaseStatus::non_success(NonSuccessKind::Failure),
                _ => TestCaseStatus::skipped(),
            };
            if let Some(why) = &line.why {
                status.set_message(why.as_str());
            }
            if line.verdict == FAILED {
                status.set_description(format!("{}\n\n{}", line.around.join("\n"), self.replay));
            }
            let place = line.place.as_ref().map_or_else(String::new, |place| format!("{place} "));
            let mut case = TestCase::new(format!("{place}{}", line.text), status);
            case.set_classname(self.file.as_str());
            suite.add_test_case(case);
        }
        let mut report = quick_junit::Report::new("homing replay");
        report.add_test_suite(suite);
        report.to_string().unwrap_or_default()
    }

    /// What the console shows: one line when all is well, else every failure with the events around it.
    pub fn console(&self) -> String {
        let ended = Moment::from_millis(self.ended_ms);
        let (passed, failed, missed) = (self.count(PASSED), self.count(FAILED), self.count(NOT_RUN));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{} {}: {passed} checks passed", self.verdict, self.scenario);
        if failed > 0 {
            let _ = write!(text, ", {failed} failed");
        }
        if missed > 0 {
            let _ = write!(text, ", {missed} not run");
        }
        let _ = writeln!(text, " (seed {}, {} events, until {ended})", self.seed, self.counts.events);
        for line in self.checks.iter().filter(|line| line.verdict == FAILED).take(SHOWN) {
            line.print(&mut text);
        }
        if failed > SHOWN {
            let _ = writeln!(text, "\n{} more failed; see result.json", failed - SHOWN);
        }
        for line in self.checks.iter().filter(|line| line.verdict == NOT_RUN && line.kind != "invariant") {
            let place = line.place.as_deref().unwrap_or_default();
            let _ = writeln!(
                text,
                "\n{place} {}\n  not run: {}",
                line.text,
                line.why.as_deref().unwrap_or_default()
            );
        }
        if failed > 0 {
            let _ = writeln!(text, "\nreplay it: {}", self.replay);
        }
        text
    }
}

impl Line {
    fn new(kind: &'static str, place: Option<String>, text: String) -> Line {
        Line { kind, place, text, verdict: PASSED, t: None, why: None, event: None, around: Vec::new() }
    }

    fn fail(&mut self, at: Moment, why: String) {
        (self.verdict, self.t, self.why) = (FAILED, Some(at.as_millis()), Some(why));
    }

    fn print(&self, text: &mut String) {
        let at = Moment::from_millis(self.t.unwrap_or_default());
        let place = self.place.as_deref().unwrap_or("invariant");
        let _ = writeln!(text, "\n{place} {}", self.text);
        let _ = writeln!(text, "  failed at {at}: {}", self.why.as_deref().unwrap_or_default());
        for event in &self.around {
            let mark = if Some(event) == self.event.as_ref() { '>' } else { ' ' };
            let _ = writeln!(text, "  {mark} {event}");
        }
    }
}
