//! What two remotes say to each other past a central that is gone.

use super::*;

/// A took it over from B.
fn taken(user: &str, second: u64) -> Claim {
    Claim { former: Some(B), ..claim(user, A, second) }
}

fn confirmed(from: OmmId, user: &str, second: u64) -> Confirm {
    let epoch = Stamp { ms: second * 1000, ctr: 0, omm: A };
    Confirm { user: number(user), epoch, from, outcome: Outcome::Removed }
}

#[test]
fn a_claim_without_a_central_goes_to_the_former_owner_alone() {
    let mut bench = Bench(Star::new(A, Role::Remote));
    bench.see(1, Input::Say(Word::Claim(taken("101", 1))), &["wanted B"]);
    bench.see(2, Input::Say(Word::Claim(claim("102", A, 2))), &[]);
    bench.see(6, Input::BesideUp(B), &["beside to B: 101 A@1 here 5s"]);
    let word = Word::Confirm(confirmed(B, "101", 1));
    bench.see(7, Input::HeardBeside { from: B, word }, &["here: confirm from B"]);
    // Nothing is left to be said.
    bench.see(66, Input::BesideDown(B), &[]);
    bench.see(70, Input::BesideUp(B), &[]);
    bench.see(71, Input::Say(Word::Claim(taken("103", 71))), &["beside to B: 103 A@71 here 0s"]);
    bench.see(131, Input::BesideDown(B), &["wanted B"]);
}

#[test]
fn who_has_not_confirmed_when_the_link_is_lost_is_asked_directly() {
    let mut bench = Bench::remote();
    let (first, second) = (taken("101", 1), taken("102", 1));
    bench.see(1, Input::Say(Word::Claim(first)), &["to C: 101 A@1 here 0s"]);
    bench.see(1, Input::Say(Word::Claim(second)), &["to C: 102 A@1 here 0s"]);
    bench.hear(2, C, Word::Confirm(confirmed(B, "101", 1)), &["here: confirm from B"]);
    bench.see(90, Input::LinkDown(C), &["wanted B"]);
    bench.see(95, Input::BesideUp(B), &["beside to B: 102 A@1 here 94s"]);
    // It roams on, by another way: B need not hear of our claim any more.
    bench.see(96, Input::LinkUp(C), &[]);
    bench.hear(97, C, Word::Claim(claim("102", C, 97)), &["here: 102 C@97 here 0s"]);
    bench.see(98, Input::LinkDown(C), &[]);
    bench.see(155, Input::BesideDown(B), &[]);
}

#[test]
fn a_confirmation_waits_for_a_way_to_the_owner_and_no_longer() {
    let mut bench = Bench(Star::new(B, Role::Remote));
    let word = Word::Claim(taken("101", 1));
    bench.see(1, Input::LinkUp(C), &[]);
    bench.hear(1, C, word, &["here: 101 A@1 here 0s"]);
    bench.see(2, Input::LinkDown(C), &[]);
    bench.see(3, Input::Say(Word::Confirm(confirmed(B, "101", 1))), &["wanted A"]);
    bench.see(9, Input::BesideUp(A), &["beside to A: confirm from B"]);
    bench.see(69, Input::BesideDown(A), &[]);
    bench.see(70, Input::BesideUp(A), &[]);
    // What the link says when it comes up need not be said here.
    bench.see(71, Input::BesideDown(A), &[]);
    bench.see(72, Input::Say(Word::Confirm(confirmed(B, "101", 1))), &["wanted A"]);
    bench.see(73, Input::LinkUp(C), &[]);
    bench.see(74, Input::BesideUp(A), &[]);
}

#[test]
fn a_claim_that_came_directly_is_confirmed_directly_and_over_the_link() {
    let mut bench = Bench(Star::new(B, Role::Remote));
    bench.see(1, Input::LinkUp(C), &[]);
    bench.see(1, Input::Downloaded(C), &["end to C", "joined C"]);
    bench.see(2, Input::BesideUp(A), &[]);
    let word = Word::Claim(taken("101", 1));
    bench.see(2, Input::HeardBeside { from: A, word }, &["here: 101 A@1 here 0s"]);
    let both = ["to C: confirm from B", "beside to A: confirm from B"];
    bench.see(3, Input::Say(Word::Confirm(confirmed(B, "101", 1))), &both);
    bench.see(4, Input::Say(stale(A)), &["beside to A: stale to A", "to C: stale to A"]);
}

#[test]
fn the_other_end_of_a_channel_speaks_for_itself_alone() {
    let mut bench = Bench(Star::new(A, Role::Remote));
    bench.see(1, Input::Say(Word::Claim(taken("101", 9))), &["wanted B"]);
    for word in [Word::Claim(claim("101", C, 10)), Word::Confirm(confirmed(C, "101", 9)), stale(C)] {
        bench.see(10, Input::HeardBeside { from: B, word }, &[]);
    }
    // An older claim of its own is answered by our user's machine.
    let word = Word::Claim(claim("101", B, 5));
    bench.see(10, Input::HeardBeside { from: B, word }, &["here: 101 B@5 here 0s"]);
    bench.see(10, Input::HeardBeside { from: B, word: stale(A) }, &["here: stale to A"]);
    bench.see(10, Input::HeardBeside { from: B, word: bounds::bound("101", B, Some(0)) }, &[]);
}

#[test]
fn a_central_and_a_deleted_user_need_nobody_beside() {
    let mut bench = Bench(Star::new(C, Role::Central));
    let word = Word::Claim(Claim { former: Some(B), ..claim("101", C, 1) });
    bench.see(1, Input::Say(word), &[]);
    bench.see(2, Input::LinkUp(B), &["to B: 101 C@1 here 1s", "end to B"]);
    bench.see(3, Input::LinkDown(B), &[]);
    let mut bench = Bench::remote();
    bench.see(1, Input::Say(Word::Claim(taken("101", 1))), &["to C: 101 A@1 here 0s"]);
    bench.see(2, Input::Forgotten(number("101")), &[]);
    bench.see(3, Input::LinkDown(C), &[]);
}
