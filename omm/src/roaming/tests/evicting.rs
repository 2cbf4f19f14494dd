//! What a registrar still holds is removed in a former owner's place (R-6, B-2).

use super::bench::{Bench, X, claim};
use super::world::watched;
use crate::claim::{Claim, Word};
use crate::roaming::policy::{Evidence, Policy};
use crate::roaming::{Input, State};

#[test]
fn r6_a_registrar_that_takes_no_second_contact_is_asked_whose_it_holds() {
    let mut bench = Bench::under(Policy { evidence: Evidence::Evict, ..watched() });
    let known = Claim { former: None, ..claim(X, 0, 0) };
    bench.see(0, Bench::heard(Word::Claim(known), 0), "save", State::Absent);
    bench.see(10, Bench::located(10), "save, admit, bind, claim here", State::Claiming);
    bench.see(10, Input::Unbound, "", State::Claiming);
    bench.pass(25, "alarm double-registration, renew, claim here");
    bench.see(25, Input::Unbound, "", State::Unconfirmed);
    bench.pass(55, "renew, query");
    bench.see(56, Input::Unbound, "", State::Unconfirmed);
    bench.see(56, Bench::sighted(56, &[(X, 0)]), "evict sip:10000002", State::Unconfirmed);
    bench.see(57, Input::Bound, "", State::Unconfirmed);
}
