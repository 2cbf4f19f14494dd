//! How a phone leaves: goodbyes, logouts, and what they are not (SM-2; ours where the table is silent).

use std::time::Duration;

use super::bench::{Bench, ME, X, claim, stamp, wall};
use super::world::watched;
use crate::claim::{Claim, Outcome, Phase, Word};
use crate::ids::Ipei;
use crate::roaming::policy::Policy;
use crate::roaming::{Input, State};

fn another() -> Ipei {
    Ipei::new(0x17, 6).expect("an IPEI")
}

fn located_on(device: Ipei, second: u64) -> Input {
    Input::Located { device, ask: None, stamp: stamp(second, ME), wall: wall(second) }
}

#[test]
fn a_goodbye_ends_the_registration_at_once_or_after_the_hold() {
    let mut bench = Bench::settled();
    bench.see(50, Bench::detached(50), "save, unbind, claim gone", State::Gone);
    assert_eq!(
        bench.stored.as_ref().map(|record| (record.phase, record.acked)),
        Some((Phase::Gone, Some(ME)))
    );
    bench.see(51, Input::Released(Outcome::Removed), "save", State::Gone);
    bench.see(60, Bench::located(60), "save, admit, bind, claim here", State::Settled);

    let mut bench = Bench::under(Policy { detach_hold: Duration::from_secs(20), ..watched() });
    bench.see(0, Bench::located(0), "save, admit, bind, claim here", State::Settled);
    bench.see(50, Bench::detached(50), "", State::Settled);
    bench.see(60, Bench::located(60), "save, admit", State::Settled);
    bench.see(80, Bench::detached(80), "", State::Settled);
    bench.pass(99, "");
    bench.pass(100, "save, unbind, claim gone");
}

#[test]
fn r13_a_logout_removes_and_a_login_elsewhere_is_confirmed_after_that() {
    let mut bench = Bench::settled();
    bench.see(50, Input::Withdrawn { wall: wall(50) }, "save, unbind, claim gone", State::Absent);
    bench.see(51, Bench::heard(Word::Claim(claim(X, 51, 0)), 51), "save", State::Yielding);
    bench.see(52, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
}

#[test]
fn who_was_logged_out_meanwhile_is_not_taken_back_from_the_contact_that_was_believed() {
    let believing = || {
        let mut bench = Bench::settled();
        bench.restart(600, "query", State::Asking);
        bench.see(601, Bench::sighted(601, &[(X, 5)]), "save, unbind", State::Yielding);
        bench.see(602, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
        bench
    };
    // The claim behind that contact turns out to be older than what we saw.
    let late = Bench::heard(Word::Claim(claim(X, 5, 900)), 610);
    believing().see(610, late.clone(), "save, bind, claim here", State::Claiming);
    let mut bench = believing();
    bench.see(605, Input::Withdrawn { wall: wall(605) }, "", State::Absent);
    bench.see(610, late, "confirm none", State::Absent);
}

#[test]
fn who_has_gone_confirms_none_and_knows_better_afterwards() {
    let mut bench = Bench::settled();
    bench.see(50, Bench::detached(50), "save, unbind, claim gone", State::Gone);
    bench.see(51, Input::Released(Outcome::Removed), "save", State::Gone);
    bench.see(60, Bench::heard(Word::Claim(claim(X, 60, 0)), 60), "save, confirm none", State::Absent);
    // While the removal is going on, the confirmation waits for it.
    let mut bench = Bench::settled();
    bench.see(50, Bench::detached(50), "save, unbind, claim gone", State::Gone);
    bench.see(51, Bench::heard(Word::Claim(claim(X, 51, 0)), 51), "save", State::Yielding);
    bench.see(52, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
}

#[test]
fn a_handset_that_the_user_has_left_may_be_switched_off() {
    let mut bench = Bench::settled();
    bench.see(50, located_on(another(), 50), "save, bind, claim here", State::Settled);
    bench.see(60, Bench::detached(60), "", State::Settled);
    let goodbye = |device| Input::Detached { device, wall: wall(70) };
    bench.see(70, goodbye(Some(another())), "save, unbind, claim gone", State::Gone);
    // One that does not say which handset it is, is the user's.
    let mut bench = Bench::settled();
    bench.see(70, goodbye(None), "save, unbind, claim gone", State::Gone);
}

#[test]
fn a_goodbye_does_not_end_what_another_handset_began_within_the_hold() {
    // The sixth claim of a minute, so that the seventh has to wait, longer than the goodbye is held.
    let mut bench = Bench::under(Policy { detach_hold: Duration::from_secs(5), ..watched() });
    for second in 0..5 {
        let claim = Claim { former: None, ..claim(X, second, 0) };
        bench.see(second, Bench::heard(Word::Claim(claim), second), "save", State::Absent);
    }
    bench.see(5, Bench::located(5), "save, admit, bind, claim here", State::Claiming);
    bench.see(6, Bench::detached(6), "", State::Claiming);
    bench.see(7, located_on(another(), 7), "alarm overlap", State::Claiming);
    bench.pass(14, "");
    bench.pass(15, "save, bind, claim here");
    assert_eq!(bench.roaming.state(), State::Claiming);
}

#[test]
fn a_handset_that_is_switched_off_and_on_elsewhere_does_not_flap() {
    let mut bench = Bench::new();
    for second in [0, 10, 20] {
        let here = Claim { former: None, ..claim(X, second, 0) };
        let gone = Claim { phase: Phase::Gone, ..here.clone() };
        bench.see(second, Bench::heard(Word::Claim(here), second), "save", State::Absent);
        bench.see(second + 5, Bench::heard(Word::Claim(gone), second + 5), "save", State::Absent);
    }
    bench.see(26, Bench::located(26), "save, admit, bind, claim here", State::Settled);
}
