//! The edge cases of SM-2 and the roaming scenarios of spec 11, played by two or three OMMs around a central.

use std::time::Duration;

use super::world::{Binding, World, omm, user, watched};
use crate::claim::Phase;
use crate::roaming::State;

const CENTRAL: usize = 0;
const A: usize = 1;
const B: usize = 2;
const C: usize = 3;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A central and three remotes with right clocks; the phone is settled at A.
fn at_a(binding: Binding) -> World {
    let mut world = World::new(7, &[0; 4], binding, watched());
    world.roam(A);
    world.run(seconds(60));
    assert_eq!(world.owners(), [A]);
    world.log.clear();
    world
}

/// Where this first stands in the log.
fn line(world: &World, text: &str) -> usize {
    let found = world.log.iter().position(|line| line.contains(text));
    found.unwrap_or_else(|| panic!("no `{text}` in\n{}", world.log.join("\n")))
}

#[test]
fn r1_a_roam_registers_claims_removes_confirms_and_renews_in_this_order() {
    let mut world = at_a(Binding::RemovesAny);
    world.roam(B);
    world.run(seconds(5));
    world.check_agreement();
    let order = [
        "2 > bind",
        "2 > claim",
        "1 < claim",
        "1 > unbind",
        "Remove of 1",
        "1 > confirm",
        "2 < confirm",
        "2 > renew",
    ];
    let lines: Vec<usize> = order.iter().map(|text| line(&world, text)).collect();
    assert!(lines.is_sorted(), "{order:?} at {lines:?}");
    // the removal took the new registration with it; only the renewal brought it back.
    assert!(world.log[line(&world, "Remove of 1")].ends_with("now []"));
    assert_eq!(world.count(" > renew"), 1);
}

#[test]
fn r4_with_the_link_down_both_register_until_the_watchdog_of_the_former_owner() {
    let mut world = at_a(Binding::Multi);
    world.cut(A, Duration::ZERO, None);
    world.roam(B);
    world.run(seconds(100));
    assert_eq!(world.owners(), [A, B]);
    assert_eq!(world.sites[B].roaming.state(), State::Unconfirmed);
    assert_eq!(world.count("2 > renew"), 2, "at 15 s and at 45 s");
    // A saw the phone last at second 1 of this world.
    world.period = None;
    world.run(seconds(9_000 - 161));
    assert_eq!(world.owners(), [A, B]);
    world.run(seconds(2));
    assert_eq!(world.owners(), [B]);
    assert_eq!(world.sites[A].roaming.state(), State::Gone);
}

#[test]
fn r5_the_former_owner_yields_within_a_second_of_the_healing() {
    let mut world = at_a(Binding::RemovesAny);
    world.cut(A, Duration::ZERO, Some(seconds(600)));
    world.roam(B);
    world.run(seconds(599));
    assert_eq!(world.owners(), [A, B]);
    world.run(seconds(2));
    assert_eq!(world.owners(), [B]);
    world.run(seconds(5));
    world.check_agreement();
}

#[test]
fn r7_two_roams_in_three_seconds_leave_one_owner_who_renews_after_every_removal() {
    let mut world = at_a(Binding::RemovesAny);
    world.faults.slow_ms = 900;
    world.roam(B);
    world.run(seconds(2));
    world.roam(C);
    world.run(seconds(60));
    world.check_agreement();
    assert_eq!(world.owners(), [C]);
    assert_eq!(world.count("1 > unbind"), 1);
    assert_eq!(world.count("2 > unbind"), 1);
}

#[test]
fn r8_of_two_claims_in_the_same_instant_the_higher_epoch_wins_in_every_order_of_messages() {
    for seed in 0..200 {
        let mut world = World::new(seed, &[0; 4], Binding::RemovesAny, watched());
        world.faults.slow_ms = 1_000;
        world.roam(A);
        world.run(seconds(60));
        let now = world.now;
        world.roam(B);
        world.roam(C);
        assert_eq!(world.now, now);
        world.run(seconds(20));
        // Both saw it in the same millisecond, and C has the higher identity.
        assert_eq!(world.owners(), [C], "seed {seed}");
        world.check_agreement();
    }
}

#[test]
fn r10_a_lost_claim_is_said_again_when_the_link_is_back() {
    let mut world = at_a(Binding::RemovesAny);
    // The link is dead, but B has not noticed yet: its claim goes into the void.
    world.cut(B, seconds(90), Some(seconds(120)));
    world.roam(B);
    world.run(seconds(119));
    assert_eq!(world.owners(), [A, B]);
    world.run(seconds(10));
    world.check_agreement();
}

#[test]
fn r10_a_lost_confirmation_is_replaced_by_the_timeout_and_by_saying_it_again() {
    let mut world = at_a(Binding::RemovesAny);
    world.faults.slow_ms = 2;
    world.roam(B);
    while world.sites[A].roaming.state() != State::Yielding {
        world.run(Duration::from_millis(1));
    }
    // A's confirmation goes into the void.
    world.cut(A, seconds(90), Some(seconds(100)));
    world.run(seconds(16));
    assert_eq!(world.sites[B].roaming.state(), State::Unconfirmed);
    assert_eq!(world.contacts.keys().copied().collect::<Vec<_>>(), [B], "renewed at 15 s");
    world.run(seconds(90));
    assert_eq!(world.sites[B].roaming.state(), State::Settled);
    world.check_agreement();
}

#[test]
fn r11_a_new_owner_that_dies_before_it_could_say_so_says_it_after_its_restart() {
    let mut world = at_a(Binding::Multi);
    // It has registered, but nobody has heard the claim.
    world.cut(B, Duration::ZERO, None);
    world.roam(B);
    world.run(seconds(1));
    let epoch = world.sites[B].roaming.claim(world.now).map(|claim| claim.epoch);
    world.crash(B, seconds(30));
    world.run(seconds(25));
    assert_eq!(world.owners(), [A, B], "nobody has told A");
    world.run(seconds(10));
    world.reconnect(B);
    world.run(seconds(120));
    world.check_agreement();
    let after = world.sites[A].roaming.claim(world.now).map(|claim| claim.epoch);
    assert_eq!(after, epoch, "the same epoch as before the crash");
    let (query, bind) =
        (line(&world, "2 > query"), world.log.iter().rposition(|line| line.contains("2 > bind")));
    assert!(Some(query) < bind, "asked before it registered again");
}

#[test]
fn r11_a_former_owner_that_restarts_during_the_disruption_stays_quiet() {
    let mut world = at_a(Binding::Multi);
    world.cut(A, Duration::ZERO, Some(seconds(900)));
    world.roam(B);
    world.run(seconds(60));
    world.crash(A, seconds(30));
    world.run(seconds(60));
    assert_eq!(world.owners(), [B], "the registrar told A");
    assert_eq!(world.contacts.keys().copied().collect::<Vec<_>>(), [B]);
    world.run(seconds(900));
    world.check_agreement();
}

#[test]
fn r11_without_the_registrar_it_goes_on_but_not_longer_than_the_stored_report_allows() {
    let mut world = at_a(Binding::Multi);
    world.period = None;
    world.faults.blind = 1_000_000;
    world.cut(A, Duration::ZERO, None);
    world.vanish();
    world.run(seconds(6_000));
    world.crash(A, seconds(30));
    world.run(seconds(9_000 - 6_061));
    assert_eq!(world.owners(), [A]);
    world.run(seconds(3));
    assert_eq!(world.owners(), [0_usize; 0], "9,000 s after the last report, not after the restart");
    assert!(world.contacts.is_empty());
}

#[test]
fn r12_a_clock_ten_minutes_ahead_does_not_win_against_the_fresher_sighting() {
    let mut world = World::new(3, &[0, 600_000, 0, 0], Binding::RemovesAny, watched());
    world.run(seconds(5));
    world.cut(A, Duration::ZERO, None);
    world.cut(B, Duration::ZERO, None);
    world.roam(A);
    world.run(seconds(60));
    world.roam(B);
    world.run(seconds(60));
    assert_eq!(world.owners(), [A, B]);
    let ahead = world.sites[A].roaming.claim(world.now).map(|claim| claim.epoch);
    world.reconnect(A);
    world.run(seconds(5));
    world.reconnect(B);
    world.run(seconds(30));
    world.check_agreement();
    assert_eq!(world.owners(), [B]);
    assert!(world.sites[B].roaming.claim(world.now).map(|claim| claim.epoch) > ahead);
    assert!(world.count("kind=clock-ahead omm=10000001") > 0);
}

#[test]
fn r15_a_handset_that_flaps_is_claimed_at_most_once_in_ten_seconds() {
    let mut world = at_a(Binding::RemovesAny);
    world.period = None;
    for turn in 0..20 {
        world.roam(if turn % 2 == 0 { B } else { A });
        world.run(seconds(3));
    }
    let claims = world.count(" > bind");
    assert!((6..=12).contains(&claims), "{claims} claims in a minute");
    assert!((1..=2).contains(&world.count("kind=overlap")), "told once at each site");
    world.run(seconds(120));
    world.check_agreement();
}

#[test]
fn r16_a_removal_without_an_answer_is_confirmed_twice_and_renewed_twice() {
    let mut world = at_a(Binding::RemovesAny);
    world.faults.silence = 1_000_000;
    world.roam(B);
    world.run(seconds(33));
    world.faults.silence = 0;
    world.run(seconds(60));
    world.check_agreement();
    assert_eq!(world.count("1 > confirm"), 2);
    assert!(line(&world, "outcome=unknown") < line(&world, "outcome=removed"));
    assert_eq!(world.count("2 > renew"), 2);
}

#[test]
fn a_new_owner_that_dies_for_good_loses_the_phone_that_returns() {
    let mut world = at_a(Binding::Multi);
    world.roam(B);
    world.run(seconds(10));
    world.crash(B, seconds(1_000_000));
    world.run(seconds(5));
    world.roam(A);
    world.run(seconds(60));
    assert_eq!(world.sites[A].roaming.state(), State::Unconfirmed);
    assert_eq!(world.count("1 > renew"), 2);
    let claim = world.sites[CENTRAL].roaming.claim(world.now);
    assert_eq!(claim.map(|claim| (claim.owner, claim.former)), Some((omm(A), Some(omm(B)))));
}

#[test]
fn everybody_knows_when_the_phone_has_gone() {
    let mut world = at_a(Binding::Multi);
    world.vanish();
    world.run(seconds(9_100));
    world.check_agreement();
    let phases = world.sites.iter().map(|site| site.star.claim(world.now, &user()).map(|claim| claim.phase));
    assert!(phases.into_iter().all(|phase| phase == Some(Phase::Gone)));
    assert_eq!(world.count("kind=watchdog-removal"), 1);
}
