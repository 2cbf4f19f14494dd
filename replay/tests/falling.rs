//! An OMM that falls over in a virtual world is hired again from its store, as the service does it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use machine::time::Moment;
use replay::invariants::Outcome;
use replay::judge::Verdict;
use replay::plan::{self, Override};
use replay::run;
use replay::script::reader;
use replay::trace::Sight;

const SCRIPT: &str = "scenario \"Falling\"\nsite central central\nsite aachen\nregistrar pbx\n\
     link aachen-central\nuser anna number 101 home aachen\nuser ben number 102 home aachen\n\
     at 0s start all\n\
     at 1h locate anna\n\
     at 1h 5m expect anna registered at aachen\n         expect ben registered at aachen\n\
     \x20        expect sync aachen complete\n         expect anna owned by aachen at all sites\n\
     at 2h roam anna to central\n       expect anna registered at central within 1m\n\
     at 4h end\n";

fn plan(extra: &str) -> Arc<plan::Plan> {
    let text = format!("{SCRIPT}{extra}");
    let script = reader::read("case.scn", &text, &mut |_| Err(String::new())).unwrap_or_else(|wrong| {
        panic!("{}", wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    });
    Arc::new(plan::make(&script, Override::default()).unwrap())
}

/// Lives through the plan. From one hour on the first `falls` events of the machine `who` at aachen panic, in the
/// middle of its step, as if they had met a bug. Returns what was not as it should be, and when aachen's OMM crashed
/// and started after that, in milliseconds after one hour.
fn live(extra: &str, who: &'static str, falls: usize) -> (Vec<String>, Vec<(u64, String)>) {
    const HOUR: u64 = 3_600_000;
    let told = Rc::new(RefCell::new(Vec::new()));
    let (heard, mut left) = (told.clone(), falls);
    let listener = move |sight: &Sight<'_>| {
        if sight.node != "aachen" || sight.at < Moment::from_millis(HOUR) {
            return;
        }
        if sight.who == "world" && sight.event != "fault" {
            heard.borrow_mut().push((sight.at.as_millis() - HOUR, sight.event.to_owned()));
        }
        if sight.who == who && left > 0 {
            left -= 1;
            std::panic::panic_any("bang");
        }
    };
    let findings = run::run(&plan(extra), 1, Some(Box::new(listener))).unwrap();
    let failed = findings.verdicts.iter().filter(|verdict| !matches!(verdict, Verdict::Passed { .. }));
    let mut wrong: Vec<String> = failed.map(|verdict| format!("{verdict:?}")).collect();
    for finding in &findings.invariants {
        if let Outcome::Broken { first, .. } = &finding.outcome {
            wrong.push(format!("{}: {first:?}", finding.id));
        }
    }
    (wrong, told.take())
}

#[test]
fn a_user_that_falls_over_takes_nobody_along() {
    assert_eq!(live("", "user/101", 1), (vec![], vec![]));
}

#[test]
fn an_omm_that_falls_over_is_hired_a_second_later_and_all_is_as_before() {
    let (wrong, told) = live("", "endpoint", 1);
    assert_eq!(wrong, [""; 0]);
    let [(crash, first), (start, second)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((first.as_str(), second.as_str()), ("crash", "start"));
    assert_eq!(start - crash, 1000);
}

#[test]
fn a_user_that_falls_over_again_and_again_makes_the_omm_start_over() {
    let (wrong, told) = live("", "user/101", 6);
    assert_eq!(wrong, [""; 0]);
    let events: Vec<&str> = told.iter().map(|(_, event)| event.as_str()).collect();
    assert_eq!(events, ["crash", "start"]);
}

#[test]
fn a_site_that_the_script_stops_is_not_hired_again() {
    // The fall comes with the phone's first word after one hour; the script stops the site half a second later.
    let (_, told) = live("at 1h 500ms stop aachen\nat 1h 1m start aachen\n", "endpoint", 1);
    let events: Vec<(u64, &str)> = told.iter().map(|(at, event)| (at / 1000, event.as_str())).collect();
    assert_eq!(events, [(0, "crash"), (60, "start")]);
}
