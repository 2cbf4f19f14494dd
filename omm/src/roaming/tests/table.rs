//! The table of SM-2, row by row.

use std::time::Duration;

use super::bench::{Bench, ME, X, Z, claim, stamp, wall};
use super::world::{omm, watched};
use crate::claim::{Claim, Outcome, Phase, Stale, Word};
use crate::ids::Ipei;
use crate::roaming::policy::{Evidence, Policy};
use crate::roaming::record::{Awaited, Contact};
use crate::roaming::{Input, State};

#[test]
fn a_phone_that_appears_is_claimed_at_once() {
    let mut bench = Bench::new();
    bench.see(0, Bench::located(0), "save, admit, bind, claim here", State::Settled);
    let record = bench.stored.expect("saved");
    assert_eq!((record.owner, record.former, record.acked), (ME, None, Some(ME)));
    assert_eq!((record.contact, record.last_locreg), (Contact::Standing, wall(0)));
}

#[test]
fn the_former_owner_is_awaited_unless_its_phone_has_gone() {
    let bench = Bench::claiming();
    let record = bench.stored.expect("saved");
    assert_eq!(record.former, Some(X));
    assert_eq!(record.awaited, [Awaited { from: X, epoch: record.epoch }]);
    let mut bench = Bench::new();
    let gone = Claim { phase: Phase::Gone, ..claim(X, 0, 0) };
    bench.see(0, Bench::heard(Word::Claim(gone), 0), "save", State::Absent);
    bench.see(10, Bench::located(10), "save, admit, bind, claim here", State::Settled);
}

#[test]
fn an_epoch_is_above_all_seen_even_when_the_clock_is_behind() {
    let mut bench = Bench::new();
    bench.see(0, Bench::heard(Word::Claim(claim(X, 9_999, 0)), 0), "save, confirm none", State::Absent);
    bench.see(10, Bench::located(10), "save, admit, bind, claim here", State::Claiming);
    assert!(bench.epoch() > stamp(9_999, X));
    assert_eq!(bench.epoch().omm, ME);
}

#[test]
fn whoever_does_not_serve_learns_and_confirms_only_when_asked() {
    let mut bench = Bench::new();
    let unasked = Claim { former: None, ..claim(X, 5, 0) };
    bench.see(5, Bench::heard(Word::Claim(unasked.clone()), 5), "save", State::Absent);
    bench.see(6, Bench::heard(Word::Claim(unasked), 6), "", State::Absent);
    bench.see(7, Bench::heard(Word::Claim(claim(Z, 7, 0)), 7), "save, confirm none", State::Absent);
    bench.see(8, Bench::heard(Word::Claim(claim(Z, 7, 1)), 8), "confirm none", State::Absent);
    bench.see(9, Bench::heard(Word::Claim(claim(X, 5, 9)), 9), "", State::Absent);
}

#[test]
fn a_confirmation_renews_and_settles() {
    let mut bench = Bench::claiming();
    let confirm = Bench::confirm(X, bench.epoch(), Outcome::Removed);
    bench.see(11, confirm, "save, renew", State::Settled);
    assert_eq!(bench.stored.as_ref().and_then(|record| record.acked), Some(ME));
    bench.pass(200, "");
}

#[test]
fn an_awaited_none_renews_too_because_the_first_answer_may_be_lost() {
    let mut bench = Bench::claiming();
    let confirm = Bench::confirm(X, bench.epoch(), Outcome::None);
    bench.see(11, confirm, "save, renew", State::Settled);
}

#[test]
fn without_a_confirmation_it_renews_at_15_and_45_seconds_and_reminds_every_half_hour() {
    let mut bench = Bench::claiming();
    bench.pass(24, "");
    bench.pass(25, "alarm double-registration, renew, claim here");
    assert_eq!(bench.roaming.state(), State::Unconfirmed);
    bench.pass(54, "");
    bench.pass(55, "renew");
    bench.pass(1_824, "");
    bench.pass(1_825, "claim here");
    let confirm = Bench::confirm(X, bench.epoch(), Outcome::Unknown);
    bench.see(2_000, confirm, "save, renew", State::Settled);
    bench.pass(7_000, "");
}

#[test]
fn every_late_confirmation_renews_but_not_more_often_than_every_two_seconds() {
    let mut bench = Bench::settled();
    let epoch = bench.epoch();
    bench.see(20, Bench::confirm(X, epoch, Outcome::Removed), "renew", State::Settled);
    bench.see(21, Bench::confirm(Z, epoch, Outcome::Failed), "", State::Settled);
    bench.see(21, Bench::confirm(Z, epoch, Outcome::Unknown), "", State::Settled);
    bench.pass(22, "renew");
    bench.see(23, Bench::confirm(Z, epoch, Outcome::None), "", State::Settled);
    bench.see(24, Bench::confirm(Z, stamp(500, Z), Outcome::Removed), "", State::Settled);
    bench.pass(100, "");
}

#[test]
fn a_confirmation_of_an_older_epoch_does_not_settle_the_newer_one() {
    let mut bench = Bench::claiming();
    bench.see(11, Bench::confirm(X, stamp(0, X), Outcome::Removed), "renew", State::Claiming);
}

#[test]
fn a_link_that_comes_up_asks_again_and_renews_a_young_takeover() {
    let mut bench = Bench::claiming();
    bench.see(12, Input::LinkUp, "claim here, renew", State::Claiming);
    bench.pass(25, "alarm double-registration, renew, claim here");
    bench.see(40, Input::LinkUp, "claim here, renew", State::Unconfirmed);
    let mut bench = Bench::settled();
    bench.see(12, Input::LinkUp, "", State::Settled);
}

#[test]
fn a_newer_claim_ends_the_registration_and_then_is_confirmed() {
    for outcome in [Outcome::Removed, Outcome::None, Outcome::Failed, Outcome::Unknown] {
        let mut bench = Bench::yielding();
        bench.see(101, Input::Released(outcome), &format!("confirm {outcome}, save"), State::Absent);
        let Some(Word::Confirm(confirm)) = bench.said.pop() else { panic!("no confirmation") };
        assert_eq!((confirm.epoch, confirm.from), (stamp(100, X), ME));
    }
}

#[test]
fn r16_a_removal_that_takes_too_long_is_confirmed_twice() {
    let mut bench = Bench::yielding();
    bench.pass(107, "");
    bench.pass(108, "confirm unknown, save");
    bench.see(132, Input::Released(Outcome::Unknown), "", State::Absent);
    bench.see(133, Bench::heard(Word::Claim(claim(X, 100, 33)), 133), "confirm unknown", State::Absent);
    bench.see(160, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
    bench.see(161, Input::Released(Outcome::Removed), "", State::Absent);
    bench.see(170, Input::LinkUp, "confirm removed", State::Absent);
    bench.see(3_800, Input::LinkUp, "", State::Absent);
}

#[test]
fn one_confirmation_covers_two_newer_claims() {
    let mut bench = Bench::yielding();
    bench.see(101, Bench::heard(Word::Claim(claim(Z, 101, 0)), 101), "save", State::Yielding);
    bench.see(102, Bench::heard(Word::Claim(claim(Z, 101, 1)), 102), "", State::Yielding);
    bench.see(103, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
    let Some(Word::Confirm(confirm)) = bench.said.pop() else { panic!("no confirmation") };
    assert_eq!(confirm.epoch, stamp(101, Z));
}

#[test]
fn a_phone_that_comes_back_during_the_removal_is_claimed_after_it() {
    let mut bench = Bench::yielding();
    bench.see(101, Bench::located(101), "", State::Yielding);
    bench.see(102, Bench::located(102), "refuse overtaken", State::Yielding);
    let expected = "confirm removed, save, save, admit, bind, claim here";
    bench.see(103, Input::Released(Outcome::Removed), expected, State::Claiming);
    assert_eq!(bench.stored.and_then(|record| record.former), Some(X));
    // Or when the removal has had its time.
    let mut bench = Bench::yielding();
    bench.see(101, Bench::located(101), "", State::Yielding);
    bench.pass(108, "confirm unknown, save, save, admit, bind, claim here");
    bench.see(120, Input::Released(Outcome::Unknown), "", State::Claiming);
    // Or not at all, when it is seen elsewhere after that.
    let mut bench = Bench::yielding();
    bench.see(101, Bench::located(101), "", State::Yielding);
    bench.see(
        103,
        Bench::heard(Word::Claim(claim(Z, 103, 0)), 103),
        "refuse overtaken, save",
        State::Yielding,
    );
    bench.see(104, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
}

#[test]
fn r12_a_newer_claim_with_an_older_sighting_is_overruled() {
    // X's clock is ten minutes ahead; it saw the phone 100 s ago, we 50 s ago.
    let mut bench = Bench::settled();
    bench.see(100, Bench::located(100), "save, admit", State::Settled);
    let ahead = claim(X, 650, 100);
    let expected = "alarm clock-ahead omm=10000002, save, bind, claim here";
    bench.see(150, Bench::heard(Word::Claim(ahead), 150), expected, State::Claiming);
    assert!(bench.epoch() > stamp(650, X));
    let Some(Word::Claim(ours)) = bench.said.pop() else { panic!("no claim") };
    assert_eq!(ours.age, Duration::from_secs(50));
    // No clock is wrong when the phone just came back to us unheard: no alarm then.
    let mut bench = Bench::settled();
    bench.see(100, Bench::located(100), "save, admit", State::Settled);
    bench.see(
        150,
        Bench::heard(Word::Claim(claim(X, 50, 100)), 150),
        "save, bind, claim here",
        State::Claiming,
    );
}

#[test]
fn an_older_claim_is_answered_with_ours_and_its_age() {
    let mut bench = Bench::claiming();
    bench.see(20, Bench::heard(Word::Claim(claim(Z, 5, 15)), 20), "stale", State::Claiming);
    let Some(Word::Stale(stale)) = bench.said.pop() else { panic!("no answer") };
    assert_eq!((stale.to, stale.claim.owner, stale.claim.age), (Z, ME, Duration::from_secs(10)));
    // Our own older claim, kept by a central that missed the newer one, is no news.
    bench.see(21, Bench::heard(Word::Claim(claim(ME, 5, 16)), 21), "", State::Claiming);
    let same = Claim { epoch: bench.epoch(), ..claim(ME, 10, 11) };
    bench.see(21, Bench::heard(Word::Claim(same), 21), "", State::Claiming);
}

#[test]
fn who_is_called_stale_yields_to_the_fresher_sighting_and_claims_above_the_older() {
    let stale = |age| Word::Stale(Stale { to: ME, claim: claim(X, 650, age) });
    let mut bench = Bench::settled();
    bench.see(100, Bench::heard(stale(20), 100), "save, unbind", State::Yielding);
    let mut bench = Bench::settled();
    let expected = "alarm clock-ahead omm=10000002, save, bind, claim here";
    bench.see(100, Bench::heard(stale(120), 100), expected, State::Claiming);
    // For somebody else, or about something known already.
    let mut bench = Bench::settled();
    let other = Word::Stale(Stale { to: Z, claim: claim(X, 650, 0) });
    bench.see(100, Bench::heard(other, 100), "", State::Settled);
    let mut bench = Bench::yielding();
    let known = Word::Stale(Stale { to: ME, claim: claim(X, 100, 0) });
    bench.see(101, Bench::heard(known, 101), "", State::Yielding);
}

#[test]
fn a_report_is_durable_before_it_is_answered() {
    let mut bench = Bench::settled();
    bench.see(7_000, Bench::located(7_000), "save, admit", State::Settled);
    assert_eq!(bench.stored.map(|record| record.last_locreg), Some(wall(7_000)));
}

#[test]
fn another_handset_of_the_same_user_is_another_claim() {
    let mut bench = Bench::claiming();
    let device = Ipei::new(0x17, 6).expect("an IPEI");
    let input = Input::Located { device, ask: None, stamp: stamp(12, ME), wall: wall(12) };
    bench.see(12, input, "save, bind, claim here", State::Claiming);
    assert_eq!(bench.stored.map(|record| record.device), Some(device));
}

#[test]
fn two_and_a_half_hours_of_silence_end_the_registration() {
    let mut bench = Bench::settled();
    bench.see(100, Bench::located(100), "save, admit", State::Settled);
    bench.pass(7_359, "");
    bench.pass(7_360, "watchdog overdue");
    bench.pass(9_099, "");
    bench.pass(9_100, "watchdog expired, alarm watchdog-removal, save, unbind, claim gone");
    assert_eq!(bench.roaming.state(), State::Gone);
}

#[test]
fn w5_a_call_keeps_the_registration_until_it_ends() {
    let mut bench = Bench::settled();
    bench.see(5_000, Input::Call { active: true, wall: wall(5_000) }, "", State::Settled);
    bench.pass(9_500, "watchdog overdue");
    let expected = "watchdog expired, alarm watchdog-removal, save, unbind, claim gone";
    bench.see(9_600, Input::Call { active: false, wall: wall(9_600) }, expected, State::Gone);
}

#[test]
fn r14_a_pari_only_handset_stays_where_it_is_subscribed() {
    let mut bench = Bench::under(Policy { pari_only: Some(X), ..watched() });
    let expected = "refuse pari-only-elsewhere, alarm pari-only-seen";
    bench.see(0, Bench::located(0), expected, State::Absent);
    let mut bench = Bench::under(Policy { pari_only: Some(ME), ..watched() });
    bench.see(0, Bench::located(0), "save, admit, bind, claim here", State::Settled);
    bench.see(9, Bench::heard(Word::Claim(claim(X, 9, 0)), 9), "alarm pari-only-seen, stale", State::Settled);
}

#[test]
fn r15_the_seventh_claim_of_a_minute_waits_and_tells() {
    let mut bench = Bench::new();
    for turn in 0..3 {
        let second = turn * 6;
        bench.see(
            second,
            Bench::located(second),
            "save, admit, bind, claim here",
            if turn == 0 { State::Settled } else { State::Claiming },
        );
        let other = Bench::heard(Word::Claim(claim(X, second + 3, 0)), second + 3);
        bench.see(second + 3, other, "save, unbind", State::Yielding);
        bench.see(second + 4, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
    }
    bench.see(18, Bench::located(18), "alarm overlap", State::Absent);
    bench.pass(24, "");
    bench.pass(25, "save, admit, bind, claim here");
    // What is seen elsewhere meanwhile overtakes the claim that waits.
    bench.see(26, Bench::heard(Word::Claim(claim(X, 26, 0)), 26), "save, unbind", State::Yielding);
    bench.see(27, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
    bench.see(28, Bench::located(28), "", State::Absent);
    bench.see(
        30,
        Bench::heard(Word::Claim(claim(X, 30, 0)), 30),
        "refuse overtaken, save, confirm none",
        State::Absent,
    );
    bench.pass(100, "");
}

#[test]
fn evidence_is_ignored_believed_or_used_as_the_policy_says() {
    let under = |evidence| {
        let mut bench = Bench::under(Policy { evidence, ..watched() });
        bench.see(10, Bench::located(10), "save, admit, bind, claim here", State::Settled);
        bench
    };
    let (newer, older) = (Bench::sighted(20, &[(X, 15)]), Bench::sighted(20, &[(X, 5), (Z, 6), (ME, 7)]));
    under(Evidence::Off).see(20, newer.clone(), "", State::Settled);
    under(Evidence::Off).see(20, older.clone(), "", State::Settled);
    under(Evidence::Yield).see(20, newer.clone(), "save, unbind", State::Yielding);
    under(Evidence::Yield).see(20, older.clone(), "", State::Settled);
    under(Evidence::Evict).see(20, newer, "save, unbind", State::Yielding);
    under(Evidence::Evict).see(20, older, "evict sip:10000002 sip:10000003", State::Settled);
    under(Evidence::Evict).see(20, Bench::sighted(20, &[]), "", State::Settled);
    // A young claim leaves the removal to the former owner.
    let mut bench = Bench::under(Policy { evidence: Evidence::Evict, ..watched() });
    bench.see(0, Bench::heard(Word::Claim(claim(X, 0, 0)), 0), "save, confirm none", State::Absent);
    bench.see(10, Bench::located(10), "save, admit, bind, claim here", State::Claiming);
    bench.see(11, Bench::sighted(11, &[(X, 0)]), "", State::Claiming);
    bench.pass(25, "alarm double-registration, renew, claim here");
    bench.see(26, Bench::sighted(26, &[(X, 0)]), "evict sip:10000002", State::Unconfirmed);
}

#[test]
fn after_a_restart_the_registrar_is_asked_first() {
    let mut bench = Bench::settled();
    bench.restart(600, "query", State::Asking);
    bench.see(601, Bench::sighted(601, &[(omm(0), 0)]), "bind, claim here", State::Settled);
    assert_eq!(bench.epoch(), stamp(0, ME), "the same epoch");

    let mut bench = Bench::claiming();
    bench.restart(600, "query", State::Asking);
    bench.see(601, Bench::confirm(Z, bench.epoch(), Outcome::Removed), "", State::Asking);
    bench.see(601, Input::Unbound, "bind, claim here", State::Claiming);

    let mut bench = Bench::claiming();
    bench.restart(600, "query", State::Asking);
    bench.see(601, Bench::confirm(X, bench.epoch(), Outcome::Removed), "save", State::Asking);
    bench.see(602, Bench::sighted(602, &[]), "bind, claim here", State::Settled);

    let mut bench = Bench::settled();
    bench.restart(600, "query", State::Asking);
    bench.see(601, Bench::sighted(601, &[(X, 5), (Z, 9)]), "save, unbind", State::Yielding);
    bench.see(602, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
    assert_eq!(bench.stored.as_ref().map(|record| record.owner), Some(Z));

    // The registrar's list tells no ages; the claim does, and our own sighting was later.
    bench.see(
        603,
        Bench::heard(Word::Claim(claim(Z, 9, 700)), 603),
        "save, bind, claim here",
        State::Claiming,
    );
}

#[test]
fn the_only_omm_of_a_system_registers_again_without_asking() {
    let alone = || Policy { alone: true, ..watched() };
    let mut bench = Bench::settled();
    bench.restart_under(alone(), 600, "bind, claim here", State::Settled);
    bench.restart_under(
        alone(),
        9_000,
        "watchdog overdue, watchdog expired, alarm watchdog-removal, save, unbind, claim gone",
        State::Gone,
    );
}

#[test]
fn a_restart_without_an_answer_goes_on_registering_bounded_by_the_stored_report() {
    let mut bench = Bench::settled();
    bench.restart(8_000, "query, watchdog overdue", State::Asking);
    bench.pass(8_040, "bind, claim here");
    bench.pass(8_999, "");
    bench.pass(9_000, "watchdog expired, alarm watchdog-removal, save, unbind, claim gone");
    let mut bench = Bench::settled();
    let expected = "watchdog overdue, watchdog expired, alarm watchdog-removal, save, unbind, claim gone";
    bench.restart(9_000, expected, State::Gone);
}

#[test]
fn a_phone_that_reports_during_the_question_answers_it() {
    let mut bench = Bench::settled();
    bench.restart(600, "query", State::Asking);
    bench.see(601, Bench::located(601), "save, admit, bind, claim here", State::Settled);
    bench.see(602, Bench::sighted(602, &[(X, 300)]), "", State::Settled);
}

#[test]
fn an_unfinished_removal_is_taken_up_again() {
    let mut bench = Bench::yielding();
    bench.restart(600, "unbind", State::Yielding);
    bench.pass(608, "confirm unknown, save");
    bench.restart(700, "unbind", State::Absent);
    bench.see(701, Input::Released(Outcome::Removed), "confirm removed, save", State::Absent);
    bench.restart(800, "", State::Absent);
    bench.see(801, Input::LinkUp, "confirm none", State::Absent);
    let mut bench = Bench::settled();
    bench.see(50, Bench::detached(50), "save, unbind, claim gone", State::Gone);
    bench.restart(60, "unbind", State::Gone);
}

#[test]
fn a_store_that_lost_our_newest_claim_hears_of_it() {
    // Not serving: as after a restart.
    let mut bench = Bench::new();
    let ours = Claim { former: None, ..claim(ME, 500, 100) };
    bench.see(600, Bench::heard(Word::Claim(ours.clone()), 600), "save, query", State::Asking);
    bench.see(601, Bench::sighted(601, &[]), "save, bind, claim here", State::Settled);
    // Serving under an older epoch: claim above it.
    let mut bench = Bench::settled();
    bench.see(600, Bench::heard(Word::Claim(ours.clone()), 600), "save, bind, claim here", State::Settled);
    assert!(bench.epoch() > ours.epoch);
    // Told that we have gone.
    let mut bench = Bench::new();
    let gone = Claim { phase: Phase::Gone, ..ours };
    bench.see(600, Bench::heard(Word::Claim(gone), 600), "save", State::Gone);
}
