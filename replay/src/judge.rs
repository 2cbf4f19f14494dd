//! Rules over the asserts of a plan while the events come in.
//!
//! ```text
//! see(event) -> all that was due before its time is ruled by the book as it stood -> the event enters the book
//! ```
//!
//! A claim is looked at when an instant is over, not between two events of one millisecond: a registrar that replaces
//! a contact tells two events and was never without one. `expect` is ruled true at the first such look, `always` and
//! `never` are broken at the first one; at the end of its window a claim is looked at once more, because some claims
//! depend on the time alone.

pub mod pattern;
pub mod recent;

use std::sync::Arc;

use machine::time::Moment;

use crate::claims::Check;
use crate::invariants::directories::Look;
use crate::invariants::{Finding, Invariants};
use crate::ledger::{Counts, Ledger};
use crate::plan::{Assert, Form, Plan};
use crate::script::assert::Metric;
use crate::trace::Sight;
use pattern::Matcher;
use recent::{AROUND, Recent};

/// How an assert came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was so.
    Passed {
        /// When it was certain.
        at: Moment,
    },
    /// It was not so.
    Failed(Failure),
    /// The run ended before it was certain.
    NotRun {
        /// Why.
        why: String,
    },
}

/// How an assert failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it was certain.
    pub at: Moment,
    /// What was so instead.
    pub why: String,
    /// The event that broke it; the last one before, if none did by itself.
    pub event: Option<String>,
    /// Up to ten events around it.
    pub around: Vec<String>,
}

/// What the judge found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// One verdict for each of [`Plan::asserts`].
    pub verdicts: Vec<Verdict>,
    /// One for each of [`Plan::triggers`]: when its event came.
    pub fired: Vec<Option<Moment>>,
    /// What every run must keep.
    pub invariants: Vec<Finding>,
    /// What was counted.
    pub counts: Counts,
    /// When the run ended.
    pub end: Moment,
}

/// Rules over one run.
#[derive(Debug)]
pub struct Judge {
    plan: Arc<Plan>,
    ledger: Ledger,
    invariants: Invariants,
    cases: Vec<Case>,
    /// When each case opens and closes, in the order of time.
    bounds: Vec<(Moment, Bound, usize)>,
    next_bound: usize,
    open: Vec<usize>,
    orders: Vec<usize>,
    triggers: Vec<(Matcher, Option<Moment>)>,
    just_fired: Vec<usize>,
    recent: Recent,
    /// Failures that still want events that come after them.
    wanting: Vec<usize>,
    now: Moment,
    looked: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Opens,
    Closes,
}

#[derive(Debug)]
struct Case {
    question: Question,
    verdict: Option<Verdict>,
}

#[derive(Debug)]
enum Question {
    Expect(Check),
    Always(Check),
    Never(Check),
    Order { steps: Vec<Matcher>, reached: usize },
    Limit,
}

impl Judge {
    /// Nothing has happened yet.
    pub fn new(plan: &Arc<Plan>) -> Judge {
        let cases: Vec<Case> = plan
            .asserts
            .iter()
            .map(|assert| Case { question: question(assert, plan), verdict: None })
            .collect();
        let opens = plan.asserts.iter().enumerate().map(|(at, assert)| (assert.from, Bound::Opens, at));
        let closes = plan.asserts.iter().enumerate().map(|(at, assert)| (assert.until, Bound::Closes, at));
        let mut bounds: Vec<_> = opens.chain(closes).collect();
        bounds.sort_unstable();
        let orders = (0..).zip(&cases).filter(|(_, case)| matches!(case.question, Question::Order { .. }));
        Judge {
            orders: orders.map(|(at, _)| at).collect(),
            ledger: Ledger::new(plan),
            invariants: Invariants::new(plan),
            cases,
            bounds,
            next_bound: 0,
            open: Vec::new(),
            triggers: plan
                .triggers
                .iter()
                .map(|trigger| (Matcher::new(&trigger.pattern, None, plan), None))
                .collect(),
            just_fired: Vec::new(),
            recent: Recent::new(),
            wanting: Vec::new(),
            now: Moment::START,
            looked: 0,
            plan: Arc::clone(plan),
        }
    }

    /// The book.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes an event in. Times never run backwards.
    pub fn see(&mut self, sight: &Sight<'_>) {
        self.advance(sight.at);
        self.ledger.see(sight);
        self.invariants.see(sight, &self.ledger);
        let user = self.ledger.user_of(sight);
        self.recent.see(sight, user);
        self.wanted(sight);
        self.follow(sight);
        for (at, (matcher, fired)) in self.triggers.iter_mut().enumerate() {
            let armed = self.plan.triggers.get(at).is_some_and(|trigger| sight.at >= trigger.armed);
            if fired.is_none() && armed && matcher.fits(sight, &self.ledger) {
                *fired = Some(sight.at);
                self.just_fired.push(at);
            }
        }
    }

    /// Takes in what a site's directory holds; a place in [`Plan::sites`].
    pub fn visit(&mut self, now: Moment, site: usize, look: &Look) {
        self.invariants.look(now, site, look);
    }

    /// A site begins or ends; `wiped` when its disk is empty now.
    pub fn turn(&mut self, now: Moment, site: usize, wiped: bool) {
        self.invariants.turn(now, site, wiped);
    }

    /// The triggers whose event has come since this was asked last; places in [`Plan::triggers`].
    pub fn fired(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.just_fired)
    }

    /// Rules over everything that was due before `now`.
    pub fn advance(&mut self, now: Moment) {
        if now <= self.now {
            return;
        }
        self.look();
        while let Some((at, bound, case)) = self.bounds.get(self.next_bound).copied()
            && at < now
        {
            self.next_bound += 1;
            self.now = self.now.max(at);
            self.pass(bound, case);
        }
        self.now = now;
    }

    /// The run is over at `end`.
    pub fn finish(mut self, end: Moment) -> Findings {
        // A window that ends with the run is ruled by what stood then.
        self.advance(end + std::time::Duration::from_millis(1));
        let told = |assert: &Assert| match assert.from > end {
            true => format!("the run ended at {end}, before {}", assert.from),
            false => format!("the run ended at {end}, its window at {}", assert.until),
        };
        let fired: Vec<Option<Moment>> = self.triggers.iter().map(|(_, fired)| *fired).collect();
        let invariants = self.invariants.finish(&self.ledger, &fired, end);
        let verdicts = self.cases.into_iter().zip(&self.plan.asserts);
        Findings {
            verdicts: verdicts
                .map(|(case, assert)| case.verdict.unwrap_or_else(|| Verdict::NotRun { why: told(assert) }))
                .collect(),
            fired,
            invariants,
            counts: self.ledger.counts().clone(),
            end,
        }
    }

    fn pass(&mut self, bound: Bound, case: usize) {
        match bound {
            Bound::Opens => {
                self.open.push(case);
                self.rule(case, false);
            }
            Bound::Closes => {
                self.rule(case, true);
                self.open.retain(|open| *open != case);
            }
        }
    }

    /// Looks at every open case, if anything changed since the last look.
    fn look(&mut self) {
        if self.looked == self.ledger.version() {
            return;
        }
        self.looked = self.ledger.version();
        let open = std::mem::take(&mut self.open);
        for case in &open {
            self.rule(*case, false);
        }
        self.open = open;
        self.ledger.untouch();
        let cases = &self.cases;
        self.open.retain(|case| cases.get(*case).is_some_and(|case| case.verdict.is_none()));
    }

    /// Looks at one case; `last` when its window ends now.
    fn rule(&mut self, at: usize, last: bool) {
        let (Some(case), Some(assert)) = (self.cases.get_mut(at), self.plan.asserts.get(at)) else { return };
        if case.verdict.is_some() {
            return;
        }
        let now = self.now;
        let failed = |check: Option<&Check>, why: String| {
            let event = self.recent.last_about(check.and_then(Check::user));
            Verdict::Failed(Failure { at: now, why, event, around: self.recent.before() })
        };
        let verdict = match &mut case.question {
            Question::Expect(check) => match (check.holds(&self.ledger, now), last) {
                (true, _) => Some(Verdict::Passed { at: now }),
                (false, true) => Some(failed(Some(check), check.tell(&self.ledger, now))),
                (false, false) => None,
            },
            Question::Always(check) => match (check.holds(&self.ledger, now), last) {
                (false, _) => Some(failed(Some(check), check.tell(&self.ledger, now))),
                (true, true) => Some(Verdict::Passed { at: now }),
                (true, false) => None,
            },
            Question::Never(check) => match (check.holds(&self.ledger, now), last) {
                (true, _) => Some(failed(Some(check), check.tell(&self.ledger, now))),
                (false, true) => Some(Verdict::Passed { at: now }),
                (false, false) => None,
            },
            Question::Order { reached, steps } => last.then(|| {
                let missing = match &assert.form {
                    Form::Order { events, .. } => events.get(*reached).map(pattern::tell),
                    _ => None,
                };
                let place = format!("{} of {}", *reached + 1, steps.len());
                failed(None, format!("event {place} never came: {}", missing.unwrap_or_default()))
            }),
            Question::Limit => last.then(|| match &assert.form {
                Form::Limit { metric, at, op, value } => {
                    let counted = counted(&self.ledger, *metric, at.as_deref());
                    match op.holds(counted, *value) {
                        true => Verdict::Passed { at: now },
                        false => failed(None, format!("there were {counted}")),
                    }
                }
                _ => Verdict::NotRun { why: "this is no limit".into() },
            }),
        };
        if matches!(verdict, Some(Verdict::Failed(_))) {
            self.wanting.push(at);
        }
        case.verdict = verdict;
    }

    /// Goes on with the orders that wait for this event.
    fn follow(&mut self, sight: &Sight<'_>) {
        for at in &self.orders {
            let (Some(case), Some(assert)) = (self.cases.get_mut(*at), self.plan.asserts.get(*at)) else {
                continue;
            };
            if case.verdict.is_some() || sight.at < assert.from || sight.at > assert.until {
                continue;
            }
            if let Question::Order { steps, reached } = &mut case.question
                && steps.get(*reached).is_some_and(|step| step.fits(sight, &self.ledger))
            {
                *reached += 1;
                if *reached == steps.len() {
                    case.verdict = Some(Verdict::Passed { at: sight.at });
                }
            }
        }
    }

    /// Gives an event to the failures that want to show what came after them.
    fn wanted(&mut self, sight: &Sight<'_>) {
        let cases = &mut self.cases;
        self.wanting.retain(|at| {
            let Some(Some(Verdict::Failed(failure))) = cases.get_mut(*at).map(|case| &mut case.verdict)
            else {
                return false;
            };
            failure.around.push(sight.to_string());
            failure.around.len() < 2 * AROUND
        });
    }
}

fn question(assert: &Assert, plan: &Plan) -> Question {
    match &assert.form {
        Form::Expect(claim) => Question::Expect(Check::new(claim, plan)),
        Form::Always(claim) => Question::Always(Check::new(claim, plan)),
        Form::Never(claim) => Question::Never(Check::new(claim, plan)),
        Form::Order { user, events } => {
            let steps = events.iter().map(|event| Matcher::new(event, *user, plan)).collect();
            Question::Order { steps, reached: 0 }
        }
        Form::Limit { .. } => Question::Limit,
    }
}

fn counted(ledger: &Ledger, metric: Metric, at: Option<&str>) -> u64 {
    let counts = ledger.counts();
    let server = at.and_then(|name| ledger.plan.servers.iter().position(|server| *server.name == *name));
    if let (Metric::Registers, Some(server)) = (metric, server) {
        return counts.registers.get(server).copied().unwrap_or_default();
    }
    let by_site = at.and_then(|name| ledger.site(name)).and_then(|site| counts.by_site.get(site));
    let of = |place: usize, total: u64| match (at, by_site) {
        (None, _) => total,
        (Some(_), counts) => counts.and_then(|counts| counts.get(place)).copied().unwrap_or_default(),
    };
    match metric {
        Metric::Registers => of(0, counts.registers.iter().sum()),
        Metric::Claims => of(1, counts.claims),
        Metric::Confirms => of(2, counts.confirms),
        Metric::Renewals => of(3, counts.renewals),
        Metric::Alarms => of(4, counts.alarms),
        Metric::Events => of(5, counts.events),
        Metric::Duplicates => counts.duplicates,
    }
}
