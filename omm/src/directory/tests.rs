//! Stories about users and handsets.

use std::time::Duration;

use machine::chance::Chance;
use machine::secret::Secret;

use super::*;
use crate::stamp::Stamp;

const HERE: OmmId = OmmId { pari: 0x102A_7C82, member: 1 };
const THERE: OmmId = OmmId { pari: 0x102A_F12C, member: 1 };

fn number(n: u32) -> Number {
    Number::new(&n.to_string()).unwrap()
}

fn ipei(n: u32) -> Ipei {
    Ipei::new(3074, n).unwrap()
}

fn user(n: u32) -> User {
    User::new(number(n), Secret::new("geheim"))
}

/// Users 1..=3 and handsets 1..=3, nobody logged in.
fn directory() -> Directory {
    let mut directory = Directory::new(Platform::Rfp);
    for n in 1..=3 {
        directory.add_user(user(n)).unwrap();
        directory.add_device(Device::new(ipei(n))).unwrap();
    }
    directory
}

#[test]
fn numbers_and_ipeis_are_unique() {
    let mut directory = directory();
    assert_eq!(directory.add_user(user(1)), Err(Refusal::NumberExists(number(1))));
    assert_eq!(directory.add_device(Device::new(ipei(1))), Err(Refusal::DeviceExists(ipei(1))));
    assert_eq!((directory.users().len(), directory.devices().len()), (3, 3));
}

#[test]
fn the_platform_bounds_the_tables() {
    let mut directory = Directory::new(Platform::Rfp);
    for n in 0..512 {
        directory.add_user(user(n)).unwrap();
        directory.add_device(Device::new(ipei(n))).unwrap();
    }
    assert_eq!(directory.add_user(user(512)), Err(Refusal::UsersFull(512)));
    assert_eq!(directory.add_device(Device::new(ipei(512))), Err(Refusal::DevicesFull(512)));
    directory.remove_user(&number(7)).unwrap();
    assert_eq!(directory.add_user(user(512)), Ok(()));
}

#[test]
fn a_login_moves_the_user_and_logs_the_former_one_out() {
    let mut directory = directory();
    assert_eq!(directory.login(&number(1), ipei(1)), Ok(Moved::default()));
    assert_eq!(directory.login(&number(1), ipei(1)), Ok(Moved::default()), "again changes nothing");
    assert_eq!(directory.login(&number(2), ipei(2)), Ok(Moved::default()));
    let moved = directory.login(&number(1), ipei(2)).unwrap();
    assert_eq!(moved, Moved { left: Some(ipei(1)), displaced: Some(number(2)) });
    assert_eq!(directory.user_of(ipei(2)).unwrap().number, number(1));
    assert_eq!(directory.user_of(ipei(1)), None);
    assert_eq!(directory.user(&number(2)).unwrap().relation, Relation::Unbound);
    assert_eq!(directory.logout(&number(1)), Ok(Some(ipei(2))));
    assert_eq!(directory.logout(&number(1)), Ok(None));
}

#[test]
fn a_fixed_user_neither_leaves_nor_yields_its_handset() {
    let mut directory = directory();
    assert_eq!(directory.fix(&number(1), ipei(1)), Ok(None));
    assert_eq!(directory.login(&number(1), ipei(2)), Err(Refusal::Fixed(ipei(1))));
    assert_eq!(directory.logout(&number(1)), Err(Refusal::Fixed(ipei(1))));
    let occupied = Refusal::Occupied { device: ipei(1), by: number(1) };
    assert_eq!(directory.login(&number(2), ipei(1)), Err(occupied.clone()));
    assert_eq!(directory.fix(&number(2), ipei(1)), Err(occupied));
    assert_eq!(directory.release(&number(1)), Ok(Some(ipei(1))));
    assert_eq!(directory.login(&number(2), ipei(1)), Ok(Moved::default()));
}

#[test]
fn a_pari_only_handset_takes_a_fixed_user_and_stays_at_home() {
    let mut directory = directory();
    directory.add_device(Device { pari_only: Some(HERE), ..Device::new(ipei(9)) }).unwrap();
    assert_eq!(directory.login(&number(1), ipei(9)), Err(Refusal::PariOnly(ipei(9))));
    assert_eq!(directory.fix(&number(1), ipei(9)), Ok(None));
    let device = directory.device_of(&number(1)).unwrap();
    assert!(device.may_roam_to(HERE) && device.may_roam_to(OmmId { member: 2, ..HERE }));
    assert!(!device.may_roam_to(THERE));
    assert!(directory.device(ipei(1)).unwrap().may_roam_to(THERE));
}

#[test]
fn deleting_one_side_frees_the_other() {
    let mut directory = directory();
    directory.login(&number(1), ipei(1)).unwrap();
    directory.login(&number(2), ipei(2)).unwrap();
    assert_eq!(directory.remove_device(ipei(1)).unwrap().1, Some(number(1)));
    assert_eq!(directory.user(&number(1)).unwrap().device(), None);
    directory.remove_user(&number(2)).unwrap();
    assert_eq!(directory.user_of(ipei(2)), None);
    assert_eq!(directory.remove_user(&number(2)), Err(Refusal::NoUser(number(2))));
    assert_eq!(directory.remove_device(ipei(1)), Err(Refusal::NoDevice(ipei(1))));
}

#[test]
fn an_edit_changes_neither_the_number_nor_the_relation() {
    let mut directory = directory();
    directory.login(&number(1), ipei(1)).unwrap();
    directory
        .edit_user(&number(1), |user| {
            (user.name, user.number, user.relation) = ("Anna".into(), number(9), Relation::Fixed(ipei(3)));
        })
        .unwrap();
    let anna = directory.user(&number(1)).unwrap();
    assert_eq!(
        (anna.name.as_str(), &anna.number, anna.relation),
        ("Anna", &number(1), Relation::Dynamic(ipei(1)))
    );
}

#[test]
fn a_user_is_served_where_its_handset_is() {
    let mut directory = directory();
    directory.login(&number(1), ipei(1)).unwrap();
    let claim = Claim {
        user: number(1),
        device: ipei(1),
        epoch: Stamp { ms: 1, ctr: 0, omm: THERE },
        owner: THERE,
        former: None,
        phase: Phase::Here,
        age: Duration::ZERO,
    };
    assert_eq!(directory.serve(&number(1), None), None);
    assert_eq!(directory.serve(&number(1), Some(&claim)), Some(THERE));
    let gone = Claim { phase: Phase::Gone, ..claim.clone() };
    assert_eq!(directory.serve(&number(1), Some(&gone)), None);
    directory.login(&number(1), ipei(2)).unwrap();
    assert_eq!(directory.serve(&number(1), Some(&claim)), None, "the claim is about the handset left behind");
    directory.remove_user(&number(1)).unwrap();
    assert_eq!(directory.serve(&number(1), Some(&claim)), None);
}

#[test]
fn whatever_is_done_the_relation_stays_one_to_one() {
    let mut chance = Chance::of(4711, "directory");
    let mut directory = Directory::new(Platform::Rfp);
    for _ in 0..20_000 {
        let (who, what) = (number(chance.below(6) as u32), ipei(chance.below(6) as u32));
        // Refusals are as welcome as successes here: the invariant has to hold after either.
        let _ = match chance.below(8) {
            0 => directory
                .add_user(User { relation: Relation::Dynamic(what), ..User::new(who, Secret::default()) }),
            1 => directory.add_device(Device::new(what)),
            2 => directory.remove_user(&who).map(|_| ()),
            3 => directory.remove_device(what).map(|_| ()),
            4 => directory.logout(&who).map(|_| ()),
            5 => directory.fix(&who, what).map(|_| ()),
            6 => directory.release(&who).map(|_| ()),
            _ => directory.login(&who, what).map(|_| ()),
        };
        for user in directory.users() {
            if let Some(device) = user.device() {
                assert!(directory.device(device).is_some());
                assert_eq!(directory.user_of(device), Some(user));
            }
        }
        for device in directory.devices() {
            if let Some(user) = directory.user_of(device.ipei) {
                assert_eq!(user.device(), Some(device.ipei));
            }
        }
        assert_eq!(directory.holders.len(), directory.users().filter(|user| user.device().is_some()).count());
    }
}

#[test]
fn a_phone_counts_as_the_handset_that_a_login_on_it_leads_to() {
    let mut directory = directory();
    directory.login(&number(1), ipei(1)).unwrap();
    directory.fix(&number(2), ipei(2)).unwrap();
    directory.add_device(Device { pari_only: Some(HERE), ..Device::new(ipei(4)) }).unwrap();
    let cases = [
        (1, Some(ipei(1)), Some(ipei(1))),
        (1, Some(ipei(3)), Some(ipei(3))),
        (1, Some(ipei(9)), Some(ipei(1))),
        (1, Some(ipei(4)), Some(ipei(1))),
        (1, None, Some(ipei(1))),
        (2, Some(ipei(3)), Some(ipei(2))),
        (3, None, None),
        (9, Some(ipei(1)), None),
    ];
    for (user, shown, expected) in cases {
        assert_eq!(directory.handset(&number(user), shown), expected, "{user} shows {shown:?}");
        let mut other = directory.clone();
        if shown.is_some() && other.login(&number(user), shown.unwrap()).is_ok() {
            assert_eq!(other.device_of(&number(user)).map(|device| device.ipei), expected, "as a login");
        }
    }
}
