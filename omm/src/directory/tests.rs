//! Stories about users and handsets at one site. [`planting`]: of a file. [`conflicts`]: of two sites. [`histories`]: of three, at random. [`restores`]: of backups.

use std::time::Duration;

use machine::chance::Chance;
use machine::secret::Secret;
use machine::time::Wall;

use super::*;
use crate::directory::edit::{DeviceChange, Done, Edit, NewDevice, NewUser, UserChange};
use crate::directory::refusal::{Code, Refusal};
use crate::directory::status::Status;
use crate::directory::user::Kind;
use crate::stamp::Stamp;

mod conflicts;
mod histories;
mod planting;
mod restores;

const HERE: OmmId = OmmId { pari: 0x102A_7C82, member: 1 };
const THERE: OmmId = OmmId { pari: 0x102A_F12C, member: 1 };

fn number(n: u32) -> Number {
    Number::new(&n.to_string()).unwrap()
}

fn ipei(n: u32) -> Ipei {
    Ipei::new(3074, n).unwrap()
}

fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

fn ppn(n: u32) -> Ppn {
    Ppn::new(n).unwrap()
}

/// A directory and the clock of its OMM.
struct Desk {
    directory: Directory,
    ms: u64,
}

impl Desk {
    fn new() -> Desk {
        Desk { directory: Directory::new(Platform::Rfp), ms: 1_000 }
    }

    /// Users 1..=3 and handsets 1..=3 in rows of the same number, nobody logged in.
    fn furnished() -> Desk {
        let mut desk = Desk::new();
        for n in 1..=3 {
            desk.create(n).unwrap();
            desk.add(n).unwrap();
        }
        desk
    }

    fn edit(&mut self, edit: Edit) -> Result<Done, Refusal> {
        self.ms += 1;
        self.directory.edit(Stamp { ms: self.ms, ctr: 0, omm: HERE }, edit)
    }

    fn create(&mut self, n: u32) -> Result<Done, Refusal> {
        self.edit(Edit::CreateUser(Box::new(NewUser::new(number(n), Secret::new("geheim")))))
    }

    fn add(&mut self, n: u32) -> Result<Done, Refusal> {
        self.edit(Edit::CreateDevice(Box::new(NewDevice::new(ipei(n)))))
    }

    fn add_pari_only(&mut self, n: u32) {
        let mut new = NewDevice::new(ipei(n));
        new.fields.pari_only = Some(Some(HERE));
        self.edit(Edit::CreateDevice(Box::new(new))).unwrap();
    }

    fn login(&mut self, n: u32, on: u32) -> Result<Done, Refusal> {
        self.edit(Edit::Login { user: number(n), device: ipei(on) })
    }

    fn logout(&mut self, n: u32) -> Result<Done, Refusal> {
        self.edit(Edit::Logout { user: number(n) })
    }

    fn fix(&mut self, n: u32, to: u32) -> Result<Done, Refusal> {
        let uid = self.directory.uid_of(&number(n)).ok_or(Refusal::NoUser(number(n)))?;
        let ppn = self.directory.device(ipei(to)).ok_or(Refusal::NoDevice(ipei(to)))?.ppn;
        self.edit(Edit::Attach { uid, ppn, kind: Kind::Fixed })
    }

    fn set(&mut self, n: u32, change: UserChange) -> Result<Done, Refusal> {
        self.edit(Edit::SetUser { uid: uid(n), change: Box::new(change) })
    }
}

#[test]
fn numbers_ipeis_and_rows_are_unique() {
    let mut desk = Desk::furnished();
    assert_eq!(desk.create(1), Err(Refusal::NumberExists(number(1))));
    assert_eq!(desk.add(1), Err(Refusal::DeviceExists(ipei(1))));
    let mut new = NewUser::new(number(9), Secret::default());
    new.uid = Some(uid(2));
    assert_eq!(desk.edit(Edit::CreateUser(Box::new(new))), Err(Refusal::UidExists(uid(2))));
    let renumbered = UserChange { number: Some(number(2)), ..UserChange::default() };
    assert_eq!(desk.set(1, renumbered), Err(Refusal::NumberExists(number(2))));
    assert_eq!((desk.directory.users().len(), desk.directory.devices().len()), (3, 3));
}

#[test]
fn rows_are_the_smallest_free_ones_or_those_asked_for() {
    let mut desk = Desk::furnished();
    let mut new = NewUser::new(number(5), Secret::default());
    new.uid = Some(uid(5));
    assert_eq!(desk.edit(Edit::CreateUser(Box::new(new))).unwrap().uid, Some(uid(5)));
    assert_eq!(desk.create(6).unwrap().uid, Some(uid(4)));
    let done = desk.edit(Edit::CreateUser(Box::default())).unwrap();
    assert_eq!(done.uid, Some(uid(6)));
    assert_eq!(desk.directory.user_at(uid(6)).unwrap().number.as_str(), "uid6");
    let rows: Vec<u32> = desk.directory.users_from(uid(3)).map(|user| user.uid.get()).collect();
    assert_eq!(rows, [3, 4, 5, 6]);
}

#[test]
fn the_platform_bounds_the_tables() {
    let mut desk = Desk::new();
    for n in 0..512 {
        desk.create(n).unwrap();
        desk.add(n).unwrap();
    }
    assert_eq!(desk.create(512), Err(Refusal::UsersFull(512)));
    assert_eq!(desk.add(512), Err(Refusal::DevicesFull(512)));
    assert_eq!(desk.create(512).unwrap_err().code(), Code::Full);
    desk.edit(Edit::DeleteUser(uid(7))).unwrap();
    assert!(desk.create(512).is_ok());
}

#[test]
fn a_login_moves_the_user_and_logs_the_former_one_out() {
    let mut desk = Desk::furnished();
    desk.login(1, 1).unwrap();
    assert!(desk.login(1, 1).unwrap().changed.is_empty(), "again changes nothing");
    desk.login(2, 2).unwrap();
    let done = desk.login(1, 2).unwrap();
    let before = |n: u32| done.changed.users[&uid(n)].as_ref().unwrap().relation;
    assert_eq!((before(1), before(2)), (Relation::Dynamic(ipei(1)), Relation::Dynamic(ipei(2))));
    assert_eq!(done.changed.devices.keys().copied().collect::<Vec<_>>(), [ppn(1), ppn(2)]);
    assert_eq!(desk.directory.user_of(ipei(2)).unwrap().number, number(1));
    assert_eq!(desk.directory.user_of(ipei(1)), None);
    assert_eq!(desk.directory.user(&number(2)).unwrap().relation, Relation::Unbound);
    assert_eq!(desk.logout(1).unwrap().ppn, Some(ppn(2)));
    assert!(desk.logout(1).unwrap().changed.is_empty());
}

#[test]
fn a_fixed_user_neither_leaves_nor_yields_its_handset() {
    let mut desk = Desk::furnished();
    desk.fix(1, 1).unwrap();
    assert_eq!(desk.login(1, 2), Err(Refusal::Fixed(ipei(1))));
    assert_eq!(desk.logout(1), Err(Refusal::Fixed(ipei(1))));
    let occupied = Err(Refusal::Occupied { device: ipei(1), by: number(1) });
    assert_eq!(desk.login(2, 1), occupied);
    assert_eq!(desk.fix(2, 1), occupied);
    desk.edit(Edit::SetKind { uid: uid(1), kind: Kind::Dynamic }).unwrap();
    desk.logout(1).unwrap();
    desk.fix(1, 1).unwrap();
    desk.edit(Edit::Detach { uid: uid(1) }).unwrap();
    desk.login(2, 1).unwrap();
    assert_eq!(desk.edit(Edit::SetKind { uid: uid(1), kind: Kind::Fixed }), Err(Refusal::Unbound(uid(1))));
}

#[test]
fn a_pari_only_handset_takes_a_fixed_user_and_stays_at_home() {
    let mut desk = Desk::furnished();
    desk.add_pari_only(9);
    assert_eq!(desk.login(1, 9), Err(Refusal::PariOnly(ipei(9))));
    desk.fix(1, 9).unwrap();
    let device = desk.directory.device_of(&number(1)).unwrap();
    assert!(device.may_roam_to(HERE) && device.may_roam_to(OmmId { member: 2, ..HERE }));
    assert!(!device.may_roam_to(THERE));
    assert!(desk.directory.device(ipei(1)).unwrap().may_roam_to(THERE));
    // Nor does one become so that has a user who may leave it, or that the OMM made by itself.
    desk.login(2, 2).unwrap();
    let only = DeviceChange { pari_only: Some(Some(HERE)), ..DeviceChange::default() };
    let set = |change| Edit::SetDevice { ppn: ppn(2), change: Box::new(change) };
    assert_eq!(desk.edit(set(only.clone())), Err(Refusal::PariOnly(ipei(2))));
    let made = DeviceChange { auto_create: Some(true), ..only };
    let refused = desk.edit(Edit::SetDevice { ppn: ppn(1), change: Box::new(made) }).unwrap_err();
    assert_eq!(refused.field(), Some("subscribeToPARIOnly"));
}

#[test]
fn deleting_one_side_frees_the_other() {
    let mut desk = Desk::furnished();
    desk.login(1, 1).unwrap();
    desk.login(2, 2).unwrap();
    let done = desk.edit(Edit::DeleteDevice(ppn(1))).unwrap();
    assert_eq!((done.uid, done.ppn), (Some(uid(1)), Some(ppn(1))));
    assert_eq!(desk.directory.user(&number(1)).unwrap().device(), None);
    desk.edit(Edit::DeleteUser(uid(2))).unwrap();
    assert_eq!(desk.directory.user_of(ipei(2)), None);
    assert_eq!(desk.edit(Edit::DeleteUser(uid(2))), Err(Refusal::NoUid(uid(2))));
    assert_eq!(desk.edit(Edit::DeleteDevice(ppn(1))), Err(Refusal::NoPpn(ppn(1))));
    // The next handset with that IPEI is another one: nobody is with it.
    desk.add(1).unwrap();
    assert_eq!(desk.directory.user_of(ipei(1)), None);
}

#[test]
fn a_user_and_its_handset_are_created_in_one_step_or_not_at_all() {
    let mut desk = Desk::furnished();
    let fixed = |n: u32, on: u32| Edit::CreateFixed {
        user: Box::new(NewUser::new(number(n), Secret::default())),
        device: Box::new(NewDevice::new(ipei(on))),
    };
    assert_eq!(desk.edit(fixed(4, 1)), Err(Refusal::DeviceExists(ipei(1))));
    assert_eq!(desk.directory.user(&number(4)), None);
    let done = desk.edit(fixed(4, 4)).unwrap();
    assert_eq!((done.uid, done.ppn), (Some(uid(4)), Some(ppn(4))));
    let user = desk.directory.user(&number(4)).unwrap();
    assert_eq!((user.relation, user.ppn), (Relation::Fixed(ipei(4)), Some(ppn(4))));
}

#[test]
fn an_edit_that_says_what_is_so_costs_no_stamp() {
    let mut desk = Desk::furnished();
    let change = UserChange {
        name: Some("Anna".into()),
        extras: BTreeMap::from([("lang".into(), "German".into()), ("hierarchy1".into(), "".into())]),
        ..UserChange::default()
    };
    assert!(!desk.set(1, change.clone()).unwrap().changed.is_empty());
    let before = desk.directory.user_at(uid(1)).unwrap().clone();
    assert!(desk.set(1, change).unwrap().changed.is_empty());
    assert_eq!(desk.directory.user_at(uid(1)), Some(&before));
    assert_eq!(before.admin.extras.len(), 1);
    let back = UserChange { extras: BTreeMap::from([("lang".into(), "".into())]), ..UserChange::default() };
    desk.set(1, back).unwrap();
    let after = desk.directory.user_at(uid(1)).unwrap();
    assert!(after.admin.extras.is_empty() && after.edited > before.edited);
}

#[test]
fn what_says_when_it_was_written_loses_against_what_is_newer_and_wins_in_the_same_second() {
    let mut desk = Desk::furnished();
    let name = |name: &str| UserChange { name: Some(name.into()), ..UserChange::default() };
    desk.set(1, name("new")).unwrap();
    let here = desk.directory.user_at(uid(1)).unwrap().edited.ms;
    let at = |ms: u64, text| UserChange { written: Some(Wall::from_millis(ms)), ..name(text) };
    let second = here / 1000 * 1000;
    assert!(desk.set(1, at(second.saturating_sub(1), "old")).unwrap().changed.is_empty());
    for (ms, text) in [(second, "the same second"), (u64::MAX, "the future")] {
        desk.set(1, at(ms, text)).unwrap();
        let user = desk.directory.user_at(uid(1)).unwrap();
        assert_eq!((user.admin.name.as_str(), user.edited.ms), (text, desk.ms), "it is written now");
    }
}

#[test]
fn a_renumbered_user_keeps_its_row_and_its_handset() {
    let mut desk = Desk::furnished();
    desk.login(1, 1).unwrap();
    desk.set(1, UserChange { number: Some(number(9)), ..UserChange::default() }).unwrap();
    assert_eq!(desk.directory.user(&number(1)), None);
    let user = desk.directory.user(&number(9)).unwrap();
    assert_eq!((user.uid, user.relation), (uid(1), Relation::Dynamic(ipei(1))));
    let change = DeviceChange { ipei: Some(ipei(8)), ..DeviceChange::default() };
    desk.edit(Edit::SetDevice { ppn: ppn(1), change: Box::new(change) }).unwrap();
    assert_eq!(desk.directory.user(&number(9)).unwrap().relation, Relation::Dynamic(ipei(8)));
}

#[test]
fn the_last_one_asked_for_is_the_check_user() {
    let mut desk = Desk::furnished();
    let check = |on| UserChange { check_user: Some(on), ..UserChange::default() };
    let who = |desk: &Desk| -> Vec<u32> {
        desk.directory.users().filter(|user| user.check_user).map(|user| user.uid.get()).collect()
    };
    desk.set(1, check(true)).unwrap();
    desk.set(2, check(true)).unwrap();
    assert_eq!(who(&desk), [2]);
    // Whatever else is edited at the first one does not give it back to him.
    desk.set(1, UserChange { name: Some("Anna".into()), ..UserChange::default() }).unwrap();
    assert_eq!(who(&desk), [2]);
    desk.set(2, check(false)).unwrap();
    assert_eq!(who(&desk), [] as [u32; 0]);
}

#[test]
fn profiles_and_the_sari() {
    let mut desk = Desk::new();
    let set = |id, name: &str| Edit::SetProfile { id, name: Some(name.into()), data: None };
    assert_eq!(desk.edit(set(21, "x")).unwrap_err().code(), Code::Invalid);
    assert_eq!(desk.edit(set(20, "night")).unwrap().changed.profiles[&20], None);
    assert!(desk.edit(set(20, "night")).unwrap().changed.is_empty());
    assert_eq!(&*desk.directory.profile(20).unwrap().text.name, "night");
    desk.edit(Edit::DeleteProfile(20)).unwrap();
    assert_eq!(desk.edit(Edit::DeleteProfile(20)), Err(Refusal::NoProfile(20)));
    let sari = |park: &str| Sari::derive(park.parse().unwrap());
    let (one, other) = (sari("1F102A7C82"), sari("1F102AF12C"));
    assert!(desk.edit(Edit::SetSari(one)).unwrap().changed.sari);
    assert!(desk.edit(Edit::SetSari(one)).unwrap().changed.is_empty());
    assert_eq!(desk.edit(Edit::SetSari(other)), Err(Refusal::SariSet(one)));
    assert_eq!(desk.directory.sari(), Some(one));
}

#[test]
fn a_user_is_served_where_its_handset_is() {
    let mut desk = Desk::furnished();
    desk.login(1, 1).unwrap();
    let claim = Claim {
        user: number(1),
        device: ipei(1),
        epoch: Stamp { ms: 1, ctr: 0, omm: THERE },
        owner: THERE,
        former: None,
        phase: Phase::Here,
        age: Duration::ZERO,
    };
    assert_eq!(desk.directory.serve(&number(1), None), None);
    assert_eq!(desk.directory.serve(&number(1), Some(&claim)), Some(THERE));
    let gone = Claim { phase: Phase::Gone, ..claim.clone() };
    assert_eq!(desk.directory.serve(&number(1), Some(&gone)), None);
    desk.login(1, 2).unwrap();
    let served = desk.directory.serve(&number(1), Some(&claim));
    assert_eq!(served, None, "the claim is about the handset left behind");
    desk.edit(Edit::DeleteUser(uid(1))).unwrap();
    assert_eq!(desk.directory.serve(&number(1), Some(&claim)), None);
}

#[test]
fn whatever_is_done_the_relation_stays_one_to_one() {
    let mut chance = Chance::of(4711, "directory");
    let mut desk = Desk::new();
    let mut refused = 0;
    for _ in 0..20_000 {
        let (who, what) = (chance.below(6) as u32, chance.below(6) as u32);
        let uid = desk.directory.uid_of(&number(who)).unwrap_or(uid(99));
        let ppn = desk.directory.device(ipei(what)).map_or(ppn(99), |device| device.ppn);
        let kind = if chance.happens(500_000) { Kind::Dynamic } else { Kind::Fixed };
        // Refusals are as welcome as successes here: the invariant has to hold after either.
        let done = match chance.below(9) {
            0 => {
                let new = NewUser::new(number(who), Secret::default());
                desk.edit(Edit::CreateUser(Box::new(NewUser { relation: Some((kind, ppn)), ..new })))
            }
            1 => desk.add(what),
            2 => desk.edit(Edit::DeleteUser(uid)),
            3 => desk.edit(Edit::DeleteDevice(ppn)),
            4 => desk.logout(who),
            5 => desk.edit(Edit::Attach { uid, ppn, kind }),
            6 => desk.edit(Edit::Detach { uid }),
            7 => desk.edit(Edit::SetKind { uid, kind }),
            _ => desk.login(who, what),
        };
        refused += u32::from(done.is_err());
        let directory = &desk.directory;
        for user in directory.users() {
            if let Some(device) = user.device() {
                assert_eq!(directory.device(device).map(|device| device.ppn), user.ppn);
                assert_eq!(directory.user_of(device), Some(user));
            }
        }
        for device in directory.devices() {
            if let Some(user) = device.uid {
                assert_eq!(directory.user_at(user).unwrap().ppn, Some(device.ppn));
            }
        }
    }
    assert!((2_000..18_000).contains(&refused), "{refused} of 20,000 refused: the story is one-sided");
}

#[test]
fn a_phone_counts_as_the_handset_that_a_login_on_it_leads_to() {
    let mut desk = Desk::furnished();
    desk.login(1, 1).unwrap();
    desk.fix(2, 2).unwrap();
    desk.add_pari_only(4);
    let cases = [
        (1, Some(1), Some(1)),
        (1, Some(3), Some(3)),
        (1, Some(9), Some(1)),
        (1, Some(4), Some(1)),
        (1, None, Some(1)),
        (2, Some(3), Some(2)),
        (3, None, None),
        (9, Some(1), None),
    ];
    for (user, shown, expected) in cases {
        let expected = expected.map(ipei);
        assert_eq!(
            desk.directory.handset(&number(user), shown.map(ipei)),
            expected,
            "{user} shows {shown:?}"
        );
        let mut other = Desk { directory: desk.directory.clone(), ms: desk.ms };
        if shown.is_some_and(|shown| other.login(user, shown).is_ok()) {
            let device = other.directory.device_of(&number(user));
            assert_eq!(device.map(|device| device.ipei), expected, "as a login");
        }
    }
}

#[test]
fn what_no_page_could_carry_is_refused() {
    let mut desk = Desk::furnished();
    let name = |name: String| UserChange { name: Some(name), ..UserChange::default() };
    let extra = |name: &str| UserChange {
        extras: BTreeMap::from([(name.into(), "x".into())]),
        ..UserChange::default()
    };
    for (change, field) in [
        (name("a\0b".into()), "name"),
        (name("x".repeat(10_000)), "name"),
        (extra("a b"), "name"),
        (extra("<"), "name"),
    ] {
        let refusal = desk.set(1, change).unwrap_err();
        assert_eq!((refusal.code(), refusal.field()), (Code::Invalid, Some(field)));
    }
    desk.set(1, name("Zoë\t\u{1f600}".into())).unwrap();
    desk.set(1, extra("hierarchy1")).unwrap();
}
