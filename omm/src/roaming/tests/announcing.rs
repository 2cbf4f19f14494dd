//! When the others hear of a claim: behind the answer to its REGISTER (ours; SM-2 says at once).

use super::bench::Bench;
use super::world::watched;
use crate::roaming::{Input, State};

#[test]
fn the_former_owner_hears_of_a_claim_when_its_register_has_an_answer() {
    for answer in [Input::Bound, Input::Unbound] {
        let mut bench = Bench::waiting(watched()).elsewhere();
        bench.see(10, Bench::located(10), "save, admit, bind", State::Claiming);
        bench.see(11, answer.clone(), "claim here", State::Claiming);
        bench.see(11, answer, "", State::Claiming);
        bench.pass(20, "");
    }
}

#[test]
fn a_silent_registrar_delays_a_claim_by_two_seconds_at_most() {
    let mut bench = Bench::waiting(watched()).elsewhere();
    bench.see(10, Bench::located(10), "save, admit, bind", State::Claiming);
    bench.see(11, Input::LinkUp, "renew", State::Claiming);
    bench.pass(12, "claim here");
    bench.see(13, Input::Bound, "", State::Claiming);
}

#[test]
fn a_claim_of_what_nobody_serves_waits_for_no_answer() {
    let mut bench = Bench::waiting(watched());
    bench.see(0, Bench::located(0), "save, admit, bind, claim here", State::Settled);
}
