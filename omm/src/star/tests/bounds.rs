//! Who is told where users are registered.

use super::*;
use crate::claim::{Bound, Place};

pub(super) fn bound(user: &str, by: OmmId, tier: Option<u8>) -> Word {
    let place = |tier| Place { tier, server: ([192, 0, 2, 1], 5060).into() };
    Word::Bound(Bound { user: number(user), by, at: tier.map(place) })
}

fn tiers(bench: &Bench, user: &str) -> Vec<(&'static str, u8)> {
    bench.0.bounds(&number(user)).map(|(by, at)| (name(by), at.tier)).collect()
}

#[test]
fn a_registration_is_told_to_all_and_once() {
    let mut bench = Bench::central();
    bench.hear(1, A, bound("101", A, Some(0)), &["to B: 101 by A at tier 0", "shown 101"]);
    bench.hear(2, A, bound("101", A, Some(0)), &[]);
    bench.hear(3, A, bound("101", A, Some(1)), &["to B: 101 by A at tier 1", "shown 101"]);
    // The user has roamed; the former owner's registration is still there for a moment.
    bench.hear(4, B, bound("101", B, Some(0)), &["to A: 101 by B at tier 0", "shown 101"]);
    assert_eq!(tiers(&bench, "101"), [("A", 1), ("B", 0)]);
    bench.hear(5, A, bound("101", A, None), &["to B: 101 by A at nowhere", "shown 101"]);
    assert_eq!(tiers(&bench, "101"), [("B", 0)]);
    bench.hear(6, A, bound("101", A, None), &[]);
    let all = ["to A: 102 by C at tier 0", "to B: 102 by C at tier 0"];
    bench.see(7, Input::Say(bound("102", C, Some(0))), &all);
    // Nobody speaks for others.
    bench.hear(8, A, bound("101", B, None), &[]);
    assert_eq!(tiers(&bench, "101"), [("B", 0)]);
    bench.see(9, Input::Forgotten(number("101")), &[]);
    assert_eq!(tiers(&bench, "101"), []);
    assert_eq!(tiers(&bench, "102"), [("C", 0)]);
}

#[test]
fn a_link_that_comes_up_is_told_everything_and_what_is_not_said_again_is_so_no_more() {
    let mut bench = Bench::central();
    for (user, by) in [("101", A), ("102", A), ("103", B)] {
        let other = if by == A { "B" } else { "A" };
        let told = format!("to {other}: {user} by {} at tier 0", name(by));
        bench.hear(1, by, bound(user, by, Some(0)), &[&told, &format!("shown {user}")]);
    }
    bench.see(2, Input::LinkDown(A), &[]);
    assert_eq!(tiers(&bench, "102"), [("A", 0)], "the last that was heard");
    bench.see(3, Input::LinkUp(A), &["to A: 103 by B at tier 0", "end to A"]);
    bench.hear(4, A, bound("101", A, Some(0)), &[]);
    bench.see(5, Input::Downloaded(A), &["to B: 102 by A at nowhere", "shown 102", "joined A"]);
    assert_eq!((tiers(&bench, "101"), tiers(&bench, "102")), (vec![("A", 0)], vec![]));
}

#[test]
fn a_remote_tells_its_own_after_the_download_and_believes_the_central() {
    let mut bench = Bench::remote();
    bench.see(1, Input::Say(bound("101", A, Some(0))), &["to C: 101 by A at tier 0"]);
    bench.hear(1, C, bound("102", B, Some(0)), &["shown 102"]);
    bench.hear(1, C, bound("103", C, Some(0)), &["shown 103"]);
    bench.see(2, Input::LinkDown(C), &[]);
    bench.see(2, Input::Say(bound("104", A, Some(2))), &[]);
    bench.see(3, Input::LinkUp(C), &[]);
    bench.hear(3, C, bound("103", C, Some(1)), &["shown 103"]);
    bench.see(3, Input::Say(bound("105", A, Some(0))), &[]);
    let upload =
        ["to C: 101 by A at tier 0", "to C: 104 by A at tier 2", "to C: 105 by A at tier 0", "end to C"];
    let all = [upload.as_slice(), &["shown 102", "joined C"]].concat();
    bench.see(4, Input::Downloaded(C), &all);
    assert_eq!((tiers(&bench, "102"), tiers(&bench, "103")), (vec![], vec![("C", 1)]));
}

#[test]
fn the_table_is_bounded() {
    let mut bench = Bench::remote();
    for user in 0..=CLAIMS_MAX {
        let shown = format!("shown {user}");
        let expected: &[&str] = if user < CLAIMS_MAX { &[&shown] } else { &[] };
        bench.hear(1, C, bound(&user.to_string(), B, Some(0)), expected);
    }
    assert_eq!(tiers(&bench, &CLAIMS_MAX.to_string()), []);
}
