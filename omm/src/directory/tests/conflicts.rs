//! What becomes of what two sites wrote without knowing of each other (spec SM-7, L-1 to L-5, L-9, L-10).

use super::*;
use crate::directory::device::Subscribed;
use crate::directory::piece::Piece;
use crate::directory::status::Status;
use crate::directory::tombstone::{Horizon, KEPT};
use crate::directory::vector::Vector;

/// The sites A and B, which start with the same users 1 to 3 and handsets 1 to 3 in rows of the same number.
struct Pair {
    a: Directory,
    b: Directory,
}

const START: u64 = 1_000_000;

impl Pair {
    fn new() -> Pair {
        let furnished = Desk::furnished().directory;
        Pair { a: furnished.clone(), b: furnished }
    }

    fn empty(platform: Platform) -> Pair {
        Pair { a: Directory::new(platform), b: Directory::new(platform) }
    }

    /// A edits at this second.
    fn at_a(&mut self, second: u64, edit: Edit) -> Done {
        let stamp = Stamp { ms: START + second * 1000, ctr: 0, omm: HERE };
        self.a.edit(stamp, edit).unwrap_or_else(|refusal| panic!("at A: {refusal}"))
    }

    /// B edits at this second.
    fn at_b(&mut self, second: u64, edit: Edit) -> Done {
        let stamp = Stamp { ms: START + second * 1000, ctr: 0, omm: THERE };
        self.b.edit(stamp, edit).unwrap_or_else(|refusal| panic!("at B: {refusal}"))
    }

    /// Both hear what the other knows; what they show then.
    fn meet(&mut self) -> &Directory {
        let (of_a, of_b): (Vec<Piece>, Vec<Piece>) = (self.a.pieces().collect(), self.b.pieces().collect());
        self.a.merge(of_b);
        self.b.merge(of_a);
        assert_eq!(self.a.digest(), self.b.digest());
        assert!(self.a.shown == self.b.shown, "the same is shown");
        &self.a
    }
}

fn name(n: u32, name: &str) -> Edit {
    set(n, UserChange { name: Some(name.into()), ..UserChange::default() })
}

fn renumber(row: u32, n: u32) -> Edit {
    set(row, UserChange { number: Some(number(n)), ..UserChange::default() })
}

fn set(row: u32, change: UserChange) -> Edit {
    Edit::SetUser { uid: uid(row), change: Box::new(change) }
}

fn create(n: u32, name: &str) -> Edit {
    let mut new = NewUser::new(number(n), Secret::new("geheim"));
    new.fields.name = Some(name.into());
    Edit::CreateUser(Box::new(new))
}

fn login(n: u32, on: u32) -> Edit {
    Edit::Login { user: number(n), device: ipei(on) }
}

#[test]
fn l1_the_later_edit_wins_and_another_group_is_not_touched_by_that() {
    let mut pair = Pair::new();
    pair.at_a(10, name(1, "from A"));
    pair.at_b(20, name(1, "from B"));
    pair.at_a(30, login(1, 2));
    let user = pair.meet().user_at(uid(1)).unwrap();
    assert_eq!((user.admin.name.as_str(), user.relation), ("from B", Relation::Dynamic(ipei(2))));
}

#[test]
fn l2_a_deletion_stands_against_an_earlier_edit() {
    let mut pair = Pair::new();
    pair.at_b(5, name(1, "earlier"));
    pair.at_a(10, Edit::DeleteUser(uid(1)));
    assert_eq!(pair.meet().user_at(uid(1)), None);
}

#[test]
fn l2_a_later_edit_brings_the_whole_user_back() {
    let mut pair = Pair::new();
    pair.at_a(1, login(1, 2));
    pair.meet();
    pair.at_a(10, Edit::DeleteUser(uid(1)));
    pair.at_b(15, name(1, "later"));
    let user = pair.meet().user_at(uid(1)).unwrap();
    assert_eq!((user.admin.name.as_str(), user.relation), ("later", Relation::Dynamic(ipei(2))));
    assert_eq!(user.admin.password.reveal(), "geheim");
}

#[test]
fn l3_neither_a_login_nor_a_subscription_brings_back_what_was_deleted() {
    let mut pair = Pair::new();
    pair.at_a(10, Edit::DeleteUser(uid(1)));
    pair.at_a(10, Edit::DeleteDevice(ppn(3)));
    pair.at_b(20, login(1, 2));
    let mut change = DeviceChange::default();
    change.subscription.state = Some(Subscribed::Yes);
    pair.at_b(20, Edit::SetDevice { ppn: ppn(3), change: Box::new(change) });
    let shown = pair.meet();
    assert_eq!((shown.user_at(uid(1)), shown.device_at(ppn(3))), (None, None));
    assert_eq!(shown.user_of(ipei(2)), None);
}

#[test]
fn l2_a_later_edit_brings_a_handset_back_which_has_to_subscribe_anew() {
    let encrypt = |on| {
        let change = DeviceChange { encrypt: Some(on), ..DeviceChange::default() };
        Edit::SetDevice { ppn: ppn(3), change: Box::new(change) }
    };
    let mut change = DeviceChange::default();
    change.subscription.state = Some(Subscribed::Yes);
    let mut pair = Pair::new();
    pair.at_a(1, login(1, 3));
    pair.at_a(2, Edit::SetDevice { ppn: ppn(3), change: Box::new(change) });
    let usual = pair.meet().device_at(ppn(3)).unwrap().admin.encrypt;
    pair.at_b(5, encrypt(!usual));
    pair.at_a(10, Edit::DeleteDevice(ppn(3)));
    assert_eq!(pair.a.user(&number(1)).unwrap().relation, Relation::Unbound);
    let mut earlier = Pair { a: pair.a.clone(), b: pair.b.clone() };
    assert_eq!(earlier.meet().device_at(ppn(3)), None);
    pair.at_b(15, encrypt(usual));
    let shown = pair.meet();
    let device = shown.device_at(ppn(3)).unwrap();
    assert_eq!((device.admin.encrypt, device.subscription.state), (usual, Subscribed::default()));
    assert_eq!(shown.user(&number(1)).unwrap().relation, Relation::Dynamic(ipei(3)));
}

#[test]
fn l2_a_deleted_profile_comes_back_with_a_later_edit_only() {
    let named = |text: &str| Edit::SetProfile { id: 1, name: Some(text.into()), data: None };
    let mut pair = Pair::new();
    pair.at_a(1, named("night"));
    pair.meet();
    pair.at_b(5, named("day"));
    pair.at_a(10, Edit::DeleteProfile(1));
    assert_eq!(pair.meet().profile(1), None);
    pair.at_a(20, named("night"));
    pair.meet();
    pair.at_a(30, Edit::DeleteProfile(1));
    pair.at_b(35, named("day"));
    assert_eq!(&*pair.meet().profile(1).unwrap().text.name, "day");
}

#[test]
fn a_deletion_takes_the_secrets_with_it() {
    let mut pair = Pair::new();
    pair.at_a(10, Edit::DeleteUser(uid(1)));
    pair.at_a(10, Edit::DeleteDevice(ppn(1)));
    for piece in pair.meet().pieces() {
        let text = match piece {
            Piece::User(record) if record.deleted.is_some() => record.admin.map(drop),
            Piece::Device(record) if record.deleted.is_some() => {
                record.admin.map(drop).or(record.second.map(drop))
            }
            Piece::User(_) | Piece::Device(_) | Piece::Sari(_) | Piece::Profile(..) => None,
        };
        assert_eq!(text, None);
    }
}

#[test]
fn l4_a_number_that_two_sites_gave_out_is_one_user() {
    let mut pair = Pair::new();
    pair.at_a(10, create(9, "from A"));
    pair.at_b(20, create(9, "from B"));
    pair.at_a(30, login(9, 1));
    let shown = pair.meet();
    let user = shown.user(&number(9)).unwrap();
    assert_eq!(shown.users().len(), 4);
    assert_eq!((user.admin.name.as_str(), user.relation), ("from B", Relation::Dynamic(ipei(1))));
    assert_eq!((user.id.0.omm, user.status), (HERE, Status::Active), "the earlier record stands for both");
    // Whatever is done to it later is done to both.
    pair.at_b(40, renumber(4, 10));
    assert_eq!(pair.meet().users().len(), 4);
    pair.at_a(50, Edit::DeleteUser(uid(4)));
    let shown = pair.meet();
    assert_eq!((shown.users().len(), shown.tombstones()), (3, 2));
}

#[test]
fn l4_a_handset_that_two_sites_added_is_one_and_its_user_stays_with_it() {
    let mut pair = Pair::new();
    let add = || Edit::CreateDevice(Box::new(NewDevice::new(ipei(9))));
    pair.at_a(10, add());
    pair.at_b(20, add());
    pair.at_b(30, login(2, 9));
    let shown = pair.meet();
    assert_eq!((shown.devices().len(), shown.user_of(ipei(9)).map(|user| user.uid)), (4, Some(uid(2))));
}

#[test]
fn l5_two_numbers_that_are_swapped_at_two_sites_are_both_kept() {
    let mut pair = Pair::new();
    // A renumbers 1 -> 8 and B renumbers 2 -> 8: the later one has it, the other is kept aside.
    pair.at_a(10, renumber(1, 8));
    pair.at_b(20, renumber(2, 8));
    let shown = pair.meet();
    let holder = shown.user(&number(8)).unwrap();
    assert_eq!((holder.uid, holder.status), (uid(2), Status::Active));
    let aside = shown.user_at(uid(1)).unwrap();
    assert_eq!(aside.status, Status::Conflict);
    assert!(aside.number.as_str().starts_with("8~"), "{}", aside.number);
    assert_eq!(shown.users().len(), 3);
    // An edit of the one aside does not take the number from the other.
    pair.at_a(30, name(1, "aside"));
    assert_eq!(pair.meet().user(&number(8)).unwrap().uid, uid(2));
    pair.at_a(40, renumber(1, 1));
    let shown = pair.meet();
    assert_eq!(shown.user_at(uid(1)).unwrap().status, Status::Active);
}

#[test]
fn l5_a_swap_in_three_steps_at_one_site_survives_an_edit_at_the_other() {
    let mut pair = Pair::new();
    pair.at_a(10, renumber(1, 99));
    pair.at_a(11, renumber(2, 1));
    pair.at_a(12, renumber(1, 2));
    pair.at_b(5, name(2, "before the swap"));
    let shown = pair.meet();
    assert_eq!((shown.uid_of(&number(2)), shown.uid_of(&number(1))), (Some(uid(1)), Some(uid(2))));
}

#[test]
fn of_two_users_on_one_handset_the_one_who_came_later_stays() {
    let mut pair = Pair::new();
    pair.at_a(10, login(1, 3));
    pair.at_b(20, login(2, 3));
    let shown = pair.meet();
    assert_eq!(shown.user_of(ipei(3)).map(|user| user.uid), Some(uid(2)));
    assert_eq!(shown.user_at(uid(1)).unwrap().relation, Relation::Unbound);
}

#[test]
fn of_two_check_users_the_later_one_is_it() {
    let mut pair = Pair::new();
    let check = |row| set(row, UserChange { check_user: Some(true), ..UserChange::default() });
    pair.at_a(10, check(1));
    pair.at_b(20, check(2));
    let shown = pair.meet();
    let who: Vec<Uid> = shown.users().filter(|user| user.check_user).map(|user| user.uid).collect();
    assert_eq!(who, [uid(2)]);
}

#[test]
fn l10_what_is_too_much_together_is_kept_but_not_active() {
    let mut pair = Pair::empty(Platform::Rfp);
    for n in 0..300_u32 {
        pair.at_a(u64::from(n), create(n, ""));
        pair.at_b(u64::from(n), create(1000 + n, ""));
    }
    let shown = pair.meet();
    let count = |status| shown.users().filter(|user| user.status == status).count();
    assert_eq!((count(Status::Active), count(Status::OverLimit), count(Status::Conflict)), (512, 88, 0));
    let oldest = shown.users().filter(|user| user.status == Status::OverLimit).map(|user| user.id).min();
    let newest = shown.users().filter(|user| user.status == Status::Active).map(|user| user.id).max();
    assert!(newest < oldest, "the newest are too much");
    // Both sites gave the rows 1 to 300; the later of two moves above them, and stays there.
    assert_eq!(
        shown.users_from(uid(1)).map(|user| user.uid.get()).collect::<Vec<_>>(),
        (1..=600).collect::<Vec<_>>()
    );
    let spare = shown.user(&number(299)).unwrap().uid;
    for row in 1..=100 {
        pair.at_a(1000 + u64::from(row), Edit::DeleteUser(uid(row)));
    }
    let shown = pair.meet();
    assert_eq!(shown.users().filter(|user| user.status == Status::Active).count(), 500);
    assert_eq!(shown.user(&number(299)).unwrap().uid, spare);
}

#[test]
fn l9_a_deletion_is_forgotten_when_it_is_old_and_everybody_has_it() {
    let mut pair = Pair::new();
    pair.at_a(10, Edit::DeleteUser(uid(1)));
    pair.meet();
    let deleted = START + 10_000;
    let mut horizon = Horizon { before: deleted, known: Vector::default() };
    assert!(pair.a.collect(&horizon).0.is_empty(), "somebody lacks it");
    horizon.known = Vector::from_iter([(HERE, Stamp { ms: deleted, ctr: 0, omm: HERE })]);
    horizon.before -= 1;
    assert!(pair.a.collect(&horizon).0.is_empty(), "it is not old enough");
    horizon.before = deleted;
    assert_eq!((pair.a.tombstones(), pair.a.collect(&horizon).0.len(), pair.a.tombstones()), (1, 1, 0));
    assert_ne!(pair.a.digest(), pair.b.digest());
    pair.b.collect(&horizon);
    assert_eq!(pair.a.digest(), pair.b.digest());
    assert_eq!(KEPT.as_secs(), 90 * 86_400);
    assert_eq!(pair.at_a(20, create(4, "in its row")).uid, Some(uid(1)));
}

#[test]
fn what_a_file_creates_stays_deleted_for_ever() {
    let mut directory = Directory::new(Platform::Rfp);
    let plant = |directory: &mut Directory| directory.plant_user(NewUser::new(number(1), Secret::new("x")));
    let row = plant(&mut directory).unwrap().uid.unwrap();
    let stamp = Stamp { ms: START, ctr: 0, omm: HERE };
    directory.edit(stamp, Edit::DeleteUser(row)).unwrap();
    let everything = Horizon { known: Vector::from_iter([(HERE, stamp)]), before: u64::MAX };
    assert!(directory.collect(&everything).0.is_empty());
    // The next life reads the file first and the store after it.
    let mut next = Directory::new(Platform::Rfp);
    plant(&mut next).unwrap();
    next.merge(directory.pieces());
    assert_eq!(next.users().len(), 0);
}

#[test]
fn equal_stamps_of_whole_seconds_are_decided_alike_by_both() {
    let record = |name: &str| {
        let mut directory = Directory::new(Platform::Rfp);
        directory.edit(Stamp { ms: START, ctr: 0, omm: HERE }, create(1, name)).unwrap();
        directory
    };
    let mut pair = Pair { a: record("Anna"), b: record("Bert") };
    assert_eq!(pair.meet().users().len(), 1);
}

#[test]
fn what_comes_in_parts_is_shown_when_it_is_complete() {
    let mut pair = Pair::empty(Platform::Rfp);
    pair.at_a(1, create(1, "Anna"));
    pair.at_a(2, name(1, "Anne"));
    let slots: Vec<_> = pair.a.take_fresh().into_iter().collect();
    assert_eq!(slots.len(), 2, "its row, and what the administrator wrote");
    for (at, users) in [(0, 0), (1, 1)] {
        let pieces = pair.a.pieces_of(&BTreeSet::from([slots[at]]));
        pair.b.merge(pieces);
        assert_eq!(pair.b.users().len(), users);
    }
}
