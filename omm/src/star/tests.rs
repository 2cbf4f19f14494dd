//! Who hears what, link by link.

use std::time::Duration;

use machine::step::Machine;
use machine::time::Moment;

use super::*;
use crate::claim::{Confirm, Outcome, Stale};
use crate::ids::Ipei;
use crate::stamp::Stamp;

mod beside;
mod bounds;

const C: OmmId = OmmId::new(0x1000_0000);
const A: OmmId = OmmId::new(0x1000_0001);
const B: OmmId = OmmId::new(0x1000_0002);

fn number(user: &str) -> Number {
    Number::new(user).expect("a number")
}

/// `owner` claims `user` at that second.
fn claim(user: &str, owner: OmmId, second: u64) -> Claim {
    Claim {
        user: number(user),
        device: Ipei::new(0x17, 5).expect("an IPEI"),
        epoch: Stamp { ms: second * 1000, ctr: 0, omm: owner },
        owner,
        former: None,
        phase: Phase::Here,
        age: Duration::ZERO,
    }
}

fn confirm(from: OmmId) -> Word {
    let epoch = Stamp { ms: 1, ctr: 0, omm: A };
    Word::Confirm(Confirm { user: number("101"), epoch, from, outcome: Outcome::Removed })
}

fn stale(to: OmmId) -> Word {
    Word::Stale(Stale { to, claim: claim("101", A, 9) })
}

fn name(omm: OmmId) -> &'static str {
    [(C, "C"), (A, "A"), (B, "B")].iter().find(|(id, _)| *id == omm).map_or("?", |(_, name)| name)
}

/// `claim 101 A@3 age 2` and the like.
fn words(word: &Word) -> String {
    match word {
        Word::Claim(claim) => {
            let (second, age) = (claim.epoch.ms / 1000, claim.age.as_secs());
            format!("{} {}@{second} {} {age}s", claim.user, name(claim.owner), claim.phase)
        }
        Word::Confirm(confirm) => format!("confirm from {}", name(confirm.from)),
        Word::Stale(stale) => format!("stale to {}", name(stale.to)),
        Word::Bound(bound) => {
            let at = bound.at.map_or("nowhere".to_owned(), |at| format!("tier {}", at.tier));
            format!("{} by {} at {at}", bound.user, name(bound.by))
        }
    }
}

/// The star at one OMM, told what happens at which second.
struct Bench(Star);

impl Bench {
    fn central() -> Bench {
        let mut bench = Bench(Star::new(C, Role::Central));
        bench.see(0, Input::LinkUp(A), &["end to A"]);
        bench.see(0, Input::LinkUp(B), &["end to B"]);
        bench.see(0, Input::Downloaded(A), &["joined A"]);
        bench.see(0, Input::Downloaded(B), &["joined B"]);
        bench
    }

    /// The remote A, in step with its central.
    fn remote() -> Bench {
        let mut bench = Bench(Star::new(A, Role::Remote));
        bench.see(0, Input::LinkUp(C), &[]);
        bench.see(0, Input::Downloaded(C), &["end to C", "joined C"]);
        bench
    }

    fn see(&mut self, second: u64, input: Input, expected: &[&str]) {
        let (what, mut out) = (format!("{input:?}"), Vec::new());
        self.0.on(Moment::from_millis(second * 1000), input, &mut out);
        let out: Vec<String> = out
            .iter()
            .map(|effect| match effect {
                Effect::Send { peer, word } => format!("to {}: {}", name(*peer), words(word)),
                Effect::SendBeside { peer, word } => format!("beside to {}: {}", name(*peer), words(word)),
                Effect::Wanted(peer) => format!("wanted {}", name(*peer)),
                Effect::Deliver(word) => format!("here: {}", words(word)),
                Effect::Shown(user) => format!("shown {user}"),
                Effect::EndOfDownload { peer } => format!("end to {}", name(*peer)),
                Effect::Joined { peer } => format!("joined {}", name(*peer)),
            })
            .collect();
        assert_eq!(out, expected, "after {what}");
    }

    fn hear(&mut self, second: u64, from: OmmId, word: Word, expected: &[&str]) {
        self.see(second, Input::Heard { from, word }, expected);
    }
}

#[test]
fn the_central_passes_every_word_on_but_not_back() {
    let mut bench = Bench::central();
    let (to_b, here) = ("to B: 101 A@3 here 0s", "here: 101 A@3 here 0s");
    bench.hear(3, A, Word::Claim(claim("101", A, 3)), &[to_b, here]);
    bench.hear(4, B, confirm(B), &["to A: confirm from B", "here: confirm from B"]);
    // Said again on purpose, with the age of then.
    let again = claim("101", A, 3).held(Duration::from_secs(15));
    bench.hear(18, A, Word::Claim(again), &["to B: 101 A@3 here 15s", "here: 101 A@3 here 15s"]);
}

#[test]
fn what_the_central_says_itself_goes_to_all() {
    let mut bench = Bench::central();
    let all = ["to A: 101 C@3 here 0s", "to B: 101 C@3 here 0s"];
    bench.see(3, Input::Say(Word::Claim(claim("101", C, 3))), &all);
    bench.see(3, Input::Say(confirm(C)), &["to A: confirm from C", "to B: confirm from C"]);
}

#[test]
fn a_stale_goes_to_its_addressee_only() {
    let mut bench = Bench::central();
    bench.hear(1, A, stale(B), &["to B: stale to B"]);
    bench.hear(1, A, stale(C), &["here: stale to C"]);
    bench.see(1, Input::Say(stale(A)), &["to A: stale to A"]);
    bench.see(2, Input::LinkDown(B), &[]);
    bench.hear(2, A, stale(B), &[]);
    let mut bench = Bench::remote();
    bench.see(1, Input::Say(stale(B)), &["to C: stale to B"]);
    bench.hear(1, C, stale(A), &["here: stale to A"]);
    bench.hear(1, C, stale(B), &[]);
}

#[test]
fn an_older_claim_goes_only_to_the_owner_it_contradicts() {
    let mut bench = Bench::central();
    bench.hear(9, A, Word::Claim(claim("101", A, 9)), &["to B: 101 A@9 here 0s", "here: 101 A@9 here 0s"]);
    bench.hear(10, B, Word::Claim(claim("101", B, 5)), &["to A: 101 B@5 here 0s"]);
    let gone = Claim { phase: Phase::Gone, ..claim("101", B, 5) };
    bench.hear(10, B, Word::Claim(gone), &[]);
    bench.hear(11, A, Word::Claim(claim("101", A, 4)), &[]);
    bench.see(
        20,
        Input::Say(Word::Claim(claim("101", C, 20))),
        &["to A: 101 C@20 here 0s", "to B: 101 C@20 here 0s"],
    );
    bench.hear(21, B, Word::Claim(claim("101", B, 6)), &["here: 101 B@6 here 0s"]);
    let mut bench = Bench::remote();
    bench.see(9, Input::Say(Word::Claim(claim("101", A, 9))), &["to C: 101 A@9 here 0s"]);
    bench.hear(10, C, Word::Claim(claim("101", B, 5)), &["here: 101 B@5 here 0s"]);
    bench.hear(11, C, Word::Claim(claim("101", A, 5)), &[]);
}

#[test]
fn a_phone_that_has_gone_is_newer_than_the_same_claim() {
    let mut bench = Bench::central();
    bench.hear(3, A, Word::Claim(claim("101", A, 3)), &["to B: 101 A@3 here 0s", "here: 101 A@3 here 0s"]);
    let gone = Claim { phase: Phase::Gone, ..claim("101", A, 3) };
    bench.hear(4, A, Word::Claim(gone), &["to B: 101 A@3 gone 0s", "here: 101 A@3 gone 0s"]);
    bench.hear(5, A, Word::Claim(claim("101", A, 3)), &[]);
    assert_eq!(bench.0.claim(Moment::START, &number("101")).map(|claim| claim.phase), Some(Phase::Gone));
}

#[test]
fn a_link_that_comes_up_downloads_everything_with_its_age_and_then_the_end() {
    let mut bench = Bench::central();
    bench.see(3, Input::LinkDown(B), &[]);
    bench.hear(3, A, Word::Claim(claim("102", A, 3)), &["here: 102 A@3 here 0s"]);
    bench.see(4, Input::Restored(claim("101", B, 1)), &[]);
    bench.see(63, Input::LinkUp(B), &["to B: 101 B@1 here 59s", "to B: 102 A@3 here 60s", "end to B"]);
    bench.see(64, Input::Downloaded(B), &["joined B"]);
}

#[test]
fn a_remote_uploads_after_the_download_and_only_what_the_central_lacks() {
    let mut bench = Bench::remote();
    bench.see(1, Input::Say(Word::Claim(claim("101", A, 1))), &["to C: 101 A@1 here 0s"]);
    bench.see(2, Input::LinkDown(C), &[]);
    bench.see(3, Input::Say(Word::Claim(claim("102", A, 3))), &[]);
    bench.see(4, Input::LinkUp(C), &[]);
    // The central knows 101, and of 103 more than we.
    bench.hear(5, C, Word::Claim(claim("101", A, 1)), &[]);
    bench.hear(5, C, Word::Claim(claim("103", B, 4)), &["here: 103 B@4 here 0s"]);
    // What is said now waits for the download, except what is not in the table.
    bench.see(6, Input::Say(Word::Claim(claim("104", A, 6))), &[]);
    bench.see(6, Input::Say(confirm(A)), &["to C: confirm from A"]);
    let upload = ["to C: 102 A@3 here 4s", "to C: 104 A@6 here 1s", "end to C", "joined C"];
    bench.see(7, Input::Downloaded(C), &upload);
    bench.see(8, Input::Say(Word::Claim(claim("105", A, 8))), &["to C: 105 A@8 here 0s"]);
}

#[test]
fn known_claims_in_a_download_bother_nobody() {
    let mut bench = Bench::remote();
    bench.hear(1, C, Word::Claim(claim("101", B, 1)), &["here: 101 B@1 here 0s"]);
    bench.see(2, Input::LinkUp(C), &[]);
    bench.hear(3, C, Word::Claim(claim("101", B, 1)), &[]);
    bench.see(4, Input::Downloaded(C), &["end to C", "joined C"]);
    bench.hear(5, C, Word::Claim(claim("101", B, 1)), &["here: 101 B@1 here 0s"]);
}

#[test]
fn a_central_that_has_forgotten_is_told_again() {
    let mut bench = Bench::remote();
    bench.see(1, Input::Say(Word::Claim(claim("101", A, 1))), &["to C: 101 A@1 here 0s"]);
    bench.see(2, Input::LinkUp(C), &[]);
    bench.see(3, Input::Downloaded(C), &["to C: 101 A@1 here 2s", "end to C", "joined C"]);
    // It has kept an older claim of ours.
    bench.see(4, Input::LinkUp(C), &[]);
    bench.hear(4, C, Word::Claim(claim("101", A, 0)), &[]);
    bench.see(5, Input::Downloaded(C), &["to C: 101 A@1 here 4s", "end to C", "joined C"]);
}

#[test]
fn nothing_is_queued_for_a_dead_link_and_its_last_words_are_not_heard() {
    let mut bench = Bench::remote();
    bench.see(1, Input::LinkDown(C), &[]);
    bench.see(1, Input::Say(confirm(A)), &[]);
    bench.hear(1, C, confirm(B), &[]);
    bench.see(1, Input::Downloaded(C), &[]);
    let mut bench = Bench::central();
    bench.see(1, Input::LinkDown(A), &[]);
    bench.hear(1, A, Word::Claim(claim("101", A, 1)), &[]);
    assert_eq!(bench.0.claims(Moment::START).count(), 0);
}

#[test]
fn a_repeated_claim_keeps_the_younger_sighting() {
    let mut bench = Bench::central();
    bench.hear(3, A, Word::Claim(claim("101", A, 3)), &["to B: 101 A@3 here 0s", "here: 101 A@3 here 0s"]);
    let seen_since = claim("101", A, 3).held(Duration::from_secs(5));
    bench.hear(63, A, Word::Claim(seen_since), &["to B: 101 A@3 here 5s", "here: 101 A@3 here 5s"]);
    bench.see(73, Input::LinkUp(B), &["to B: 101 A@3 here 15s", "end to B"]);
}

#[test]
fn what_is_forgotten_may_be_claimed_anew_and_the_table_is_bounded() {
    let mut bench = Bench::remote();
    bench.hear(9, C, Word::Claim(claim("101", B, 9)), &["here: 101 B@9 here 0s"]);
    bench.see(9, Input::Forgotten(number("101")), &[]);
    bench.hear(9, C, Word::Claim(claim("101", B, 1)), &["here: 101 B@1 here 0s"]);
    let (mut star, mut out) = (Star::new(C, Role::Central), Vec::new());
    for user in 0..=CLAIMS_MAX {
        star.on(Moment::START, Input::Restored(claim(&user.to_string(), A, 1)), &mut out);
    }
    assert_eq!(star.claims(Moment::START).count(), CLAIMS_MAX);
    assert!(size_of::<Held>() + size_of::<Number>() <= 160, "10,000 users at 11 OMMs: {}", size_of::<Held>());
}

#[test]
fn who_is_asked_about_a_user_is_whoever_has_it_had_it_or_is_at_hand() {
    let mut bench = Bench::remote();
    let user = number("101");
    let now = Moment::from_millis(20_000);
    assert_eq!((bench.0.elsewhere(now, &user), bench.0.witnesses(now, &user)), (None, BTreeSet::from([C])));
    let at_b = Claim { former: Some(A), ..claim("101", B, 3) };
    bench.hear(3, C, Word::Claim(at_b.clone()), &["here: 101 B@3 here 0s"]);
    assert_eq!(bench.0.elsewhere(now, &user), Some(B));
    assert_eq!(bench.0.witnesses(now, &user), BTreeSet::from([B, C]), "not this OMM itself");
    bench.hear(4, C, Word::Claim(Claim { phase: Phase::Gone, ..at_b }), &["here: 101 B@3 gone 0s"]);
    assert_eq!(bench.0.elsewhere(now, &user), None, "it is nowhere");
    bench.see(9, Input::Say(Word::Claim(claim("101", A, 9))), &["to C: 101 A@9 here 0s"]);
    assert_eq!(bench.0.elsewhere(now, &user), None, "it is here");
}
