use std::time::Duration;

use super::*;
use crate::ids::park::{Park, Pli, Sari};
use crate::link::frame::Mismatch;
use crate::platform::Platform;

const CENTRAL: u32 = 0x102A_7C82;

fn facts(pari: u32) -> Facts {
    let park: Park = "1F102A7C82".parse().unwrap();
    let (sari, wall) = (Some(Sari::derive(park)), Wall::from_millis(7));
    let (protocol, platform, pli) = (45, Platform::Pc, Pli::FULL);
    Facts { omm: OmmId::new(pari), term: 0, protocol, platform, pli, sari, wall }
}

fn roster() -> Roster {
    Roster::new("omm".into(), Secret::new("right"), facts(CENTRAL))
}

fn open(facts: Facts, password: &str) -> Open {
    Open { user: "omm".into(), password: Secret::new(password), facts, door: None, purpose: Purpose::Link }
}

fn admit(roster: &mut Roster, now: Moment, open: &Open) -> Result<(), OpenError> {
    roster.admit(now, Wall::from_millis(9), "192.0.2.1", open, false).map(|_| ())
}

#[test]
fn y3_the_eleventh_remote_is_refused_and_the_first_ten_are_not_affected() {
    let (mut roster, now) = (roster(), Moment::START);
    for remote in 1..=10 {
        assert_eq!(admit(&mut roster, now, &open(facts(remote), "right")), Ok(()));
    }
    assert_eq!(admit(&mut roster, now, &open(facts(11), "right")), Err(OpenError::Full));
    assert_eq!(admit(&mut roster, now, &open(facts(10), "right")), Ok(()), "it has its place");
    let second = Facts { omm: OmmId { pari: 3, member: 2 }, ..facts(3) };
    assert_eq!(admit(&mut roster, now, &open(second, "right")), Ok(()), "a pair is one remote");
    assert!(roster.remove(OmmId::new(5)));
    assert!(!roster.remove(OmmId::new(5)));
    assert_eq!(admit(&mut roster, now, &open(facts(11), "right")), Ok(()));
}

#[test]
fn a_remote_that_is_away_keeps_its_place_and_so_does_one_of_an_earlier_life() {
    let (mut roster, now) = (roster(), Moment::START);
    for remote in 1..=9 {
        roster.restore(OmmId::new(remote), Inscription { since: Wall::from_millis(5), door: None });
    }
    assert_eq!(admit(&mut roster, now, &open(facts(10), "right")), Ok(()));
    roster.parted(OmmId::new(10));
    assert_eq!(admit(&mut roster, now, &open(facts(11), "right")), Err(OpenError::Full));
    let listed: Vec<_> =
        roster.remotes().map(|(omm, since, live)| (omm.pari, since.as_millis(), live)).collect();
    assert_eq!((listed[0], listed[9]), ((1, 5, false), (10, 9, false)));
    assert_eq!(admit(&mut roster, now, &open(facts(1), "right")), Ok(()));
    assert_eq!(
        roster.remotes().next(),
        Some((OmmId::new(1), Wall::from_millis(5), true)),
        "it is no newcomer"
    );
}

#[test]
fn only_what_is_new_on_the_list_has_to_be_written_down() {
    let (mut roster, since) = (roster(), Wall::from_millis(9));
    let door = |address: &str| Some(Door { address: address.into(), fingerprint: None });
    let mut inscribed = |wall, door| {
        let open = Open { door, ..open(facts(1), "right") };
        roster.admit(Moment::START, Wall::from_millis(wall), "a", &open, false).unwrap().inscribed
    };
    assert_eq!(inscribed(9, None), Some(Inscription { since, door: None }));
    assert_eq!(inscribed(10, None), None);
    assert_eq!(
        inscribed(11, door("b:1")),
        Some(Inscription { since, door: door("b:1") }),
        "it has a door now"
    );
    assert_eq!(inscribed(12, door("b:1")), None);
    let all = vec![Neighbour { omm: OmmId::new(1), door: door("b:1").unwrap() }];
    assert_eq!(roster.neighbours(), all);
}

#[test]
fn y4_each_difference_is_refused_by_its_name_in_the_order_of_the_checks() {
    let (mut roster, now) = (roster(), Moment::START);
    let foreign = Some(Sari::derive("1F10187326".parse().unwrap()));
    let mut theirs =
        Facts { protocol: 46, platform: Platform::Rfp, pli: Pli::XXL, sari: foreign, ..facts(CENTRAL) };
    // Everything differs; each cure uncovers the next difference.
    type Cure = fn(&mut Facts);
    let cures: [(Mismatch, Cure); 5] = [
        (Mismatch::Protocol, |theirs| theirs.protocol = 45),
        (Mismatch::Platform, |theirs| theirs.platform = Platform::Pc),
        (Mismatch::Pli, |theirs| theirs.pli = Pli::FULL),
        (Mismatch::DuplicatePark, |theirs| theirs.omm = OmmId::new(1)),
        (Mismatch::Sari, |theirs| theirs.sari = None),
    ];
    for (mismatch, cure) in cures {
        assert_eq!(admit(&mut roster, now, &open(theirs, "right")), Err(OpenError::Mismatch(mismatch)));
        cure(&mut theirs);
    }
    assert_eq!(roster.remotes().count(), 0, "nobody who was refused is on the list");
    assert_eq!(admit(&mut roster, now, &open(theirs, "right")), Ok(()), "it learns the SARI");
}

#[test]
fn who_guesses_passwords_waits_and_nobody_else_does() {
    let mut roster = roster();
    let wall = Wall::from_millis(9);
    let mut from = |second: u64, address: &str, password: &str| {
        let now = Moment::from_millis(second * 1000);
        roster.admit(now, wall, address, &open(facts(1), password), false).map(|_| ())
    };
    for second in 0..5 {
        assert_eq!(from(second, "guesser", "wrong"), Err(OpenError::Auth));
    }
    let wait = Duration::from_secs(55);
    assert_eq!(from(5, "guesser", "right"), Err(OpenError::Delayed(wait)), "even the right one waits");
    assert_eq!(from(5, "remote", "right"), Ok(()));
    assert_eq!(from(60, "guesser", "right"), Ok(()));
}

#[test]
fn y11_a_central_without_sari_lets_nobody_in_until_it_has_one() {
    let own = Facts { sari: None, ..facts(CENTRAL) };
    let mut roster = Roster::new("omm".into(), Secret::new("right"), own);
    let theirs = open(Facts { sari: None, ..facts(1) }, "right");
    assert_eq!(admit(&mut roster, Moment::START, &theirs), Err(OpenError::NoSari));
    roster.learn(Sari::derive("1F102A7C82".parse().unwrap()));
    assert_eq!(admit(&mut roster, Moment::START, &theirs), Ok(()));
}

#[test]
fn of_two_connections_the_higher_term_wins_and_of_one_term_the_later() {
    let (mut roster, now) = (roster(), Moment::START);
    let of = |term| open(Facts { term, ..facts(1) }, "right");
    assert_eq!(admit(&mut roster, now, &of(3)), Ok(()));
    assert_eq!(admit(&mut roster, now, &of(3)), Ok(()), "the earlier may be half open");
    assert_eq!(admit(&mut roster, now, &of(2)), Err(OpenError::Outranked), "the member that lost the pair");
    assert_eq!(admit(&mut roster, now, &of(4)), Ok(()));
    roster.parted(OmmId::new(1));
    assert_eq!(admit(&mut roster, now, &of(2)), Ok(()), "nobody is there any more to outrank it");
}

#[test]
fn a_trial_says_what_would_be_and_changes_nothing() {
    let (mut roster, now) = (roster(), Moment::START);
    let trial = |pari, password: &str| Open { purpose: Purpose::Trial, ..open(facts(pari), password) };
    for remote in 1..=12 {
        assert_eq!(admit(&mut roster, now, &trial(remote, "right")), Ok(()));
    }
    assert_eq!(roster.remotes().count(), 0);
    assert_eq!(
        admit(&mut roster, now, &trial(1, "wrong")),
        Err(OpenError::Auth),
        "it is no way around the password"
    );
    for remote in 1..=10 {
        assert_eq!(admit(&mut roster, now, &open(facts(remote), "right")), Ok(()));
    }
    assert_eq!(admit(&mut roster, now, &trial(11, "right")), Err(OpenError::Full));
}

#[test]
fn the_inactive_member_of_a_pair_says_so_to_those_who_know_the_password() {
    let (mut roster, now) = (roster(), Moment::START);
    roster.stand_by(true);
    assert_eq!(admit(&mut roster, now, &open(facts(1), "wrong")), Err(OpenError::Auth));
    assert_eq!(admit(&mut roster, now, &open(facts(1), "right")), Err(OpenError::Inactive));
    roster.stand_by(false);
    assert_eq!(admit(&mut roster, now, &open(facts(1), "right")), Ok(()));
}
