//! Backups that are put back: L-7 and L-8 of the specification.

use super::*;
use crate::directory::piece::Piece;
use crate::directory::restore::{Mode, Restore};

const DAY: u64 = 24 * 3600 * 1000;

fn restore(backup: &Directory, mode: Mode, preserve_relations: bool) -> Edit {
    let pieces: Vec<Piece> = backup.pieces().collect();
    Edit::Restore(Box::new(Restore { pieces, taken: 2_000, mode, preserve_relations }))
}

fn rename(n: u32, name: &str) -> Edit {
    let change = UserChange { name: Some(name.into()), ..UserChange::default() };
    Edit::SetUser { uid: uid(n), change: Box::new(change) }
}

fn login(n: u32, phone: u32) -> Edit {
    Edit::Login { user: number(n), device: ipei(phone) }
}

/// `number name phone`, by number.
fn told(directory: &Directory) -> Vec<String> {
    let phone = |user: &Arc<crate::directory::user::User>| match user.relation {
        Relation::Unbound => "-".to_owned(),
        Relation::Dynamic(ipei) => format!("on {}", directory.device(ipei).unwrap().ppn),
        Relation::Fixed(ipei) => format!("fixed {}", directory.device(ipei).unwrap().ppn),
    };
    directory.users().map(|user| format!("{} {:?} {}", user.number, user.admin.name, phone(user))).collect()
}

/// The backup, and the desk as it has become since: 1 is changed, 2 is deleted, 3 is as it was, 4 is new.
fn story() -> (Directory, Desk) {
    let mut desk = Desk::furnished();
    desk.edit(login(1, 1)).unwrap();
    desk.edit(login(2, 2)).unwrap();
    desk.edit(Edit::Attach { uid: uid(3), ppn: ppn(3), kind: Kind::Fixed }).unwrap();
    desk.edit(Edit::SetProfile { id: 1, name: Some("night".into()), data: None }).unwrap();
    let backup = desk.directory.clone();
    desk.ms = 5_000;
    desk.edit(rename(1, "new")).unwrap();
    desk.edit(Edit::Logout { user: number(1) }).unwrap();
    desk.edit(Edit::DeleteUser(uid(2))).unwrap();
    desk.edit(Edit::DeleteDevice(ppn(2))).unwrap();
    desk.create(4).unwrap();
    desk.edit(Edit::DeleteProfile(1)).unwrap();
    desk.edit(Edit::SetProfile { id: 2, name: Some("day".into()), data: None }).unwrap();
    (backup, desk)
}

fn profiles(directory: &Directory) -> Vec<u8> {
    directory.profiles().map(|profile| profile.id).collect()
}

#[test]
fn l7_each_mode_makes_of_the_records_what_the_specification_says() {
    for (mode, users, pages) in [
        (Mode::Merge, &["1 \"new\" -", "3 \"\" fixed 3", "4 \"\" -"][..], &[2][..]),
        (Mode::Authoritative, &["1 \"\" on 1", "2 \"\" on 2", "3 \"\" fixed 3"], &[1]),
        (Mode::Mitel, &["1 \"new\" -", "2 \"\" on 2", "3 \"\" fixed 3", "4 \"\" -"], &[2]),
    ] {
        let (backup, mut desk) = story();
        // Another site that knows all of it so far, and has changed something that nobody else has heard of.
        let mut other = Desk { directory: desk.directory.clone(), ms: 6_000 };
        let change = Edit::SetUser {
            uid: uid(3),
            change: Box::new(UserChange { vip: Some(true), ..UserChange::default() }),
        };
        other.directory.edit(Stamp { ms: 6_001, ctr: 0, omm: THERE }, change).unwrap();
        desk.ms = 7_000;
        let done = desk.edit(restore(&backup, mode, true)).unwrap();
        assert_eq!(told(&desk.directory), users, "{mode:?}");
        assert_eq!(profiles(&desk.directory), pages, "{mode:?}");
        assert_eq!(done.changed.is_empty(), mode == Mode::Merge, "{mode:?}");
        // Both sites agree in the end, whoever tells first.
        let (here, there) = (desk.directory.pieces(), other.directory.pieces());
        let (here, there): (Vec<Piece>, Vec<Piece>) = (here.collect(), there.collect());
        desk.directory.merge(there);
        other.directory.merge(here);
        assert_eq!(desk.directory.digest(), other.directory.digest(), "{mode:?}");
        assert_eq!(told(&other.directory), users, "{mode:?}");
        let vip = desk.directory.user(&number(3)).unwrap().admin.vip;
        assert_eq!(vip, mode != Mode::Authoritative, "an edit before the restore, heard after it: {mode:?}");
    }
}

#[test]
fn l7_what_nobody_knows_any_more_comes_back_in_every_mode_with_its_row_its_secrets_and_its_phone() {
    for mode in [Mode::Merge, Mode::Authoritative, Mode::Mitel] {
        let (backup, _) = story();
        let mut empty = Desk { ms: 7_000, ..Desk::new() };
        empty.edit(restore(&backup, mode, true)).unwrap();
        assert_eq!(told(&empty.directory), told(&backup), "{mode:?}");
        for (now, then) in empty.directory.users().zip(backup.users()) {
            assert_eq!((now.uid, now.ppn, &now.admin), (then.uid, then.ppn, &then.admin), "{mode:?}");
        }
        assert_eq!(profiles(&empty.directory), [1]);
    }
}

#[test]
fn l8_without_relations_all_dynamic_users_are_logged_out_and_fixed_ones_stay() {
    for mode in [Mode::Merge, Mode::Authoritative, Mode::Mitel] {
        let (backup, mut desk) = story();
        desk.ms = 7_000;
        desk.edit(login(4, 1)).unwrap();
        let done = desk.edit(restore(&backup, mode, false)).unwrap();
        let bound: Vec<String> =
            told(&desk.directory).into_iter().filter(|line| !line.ends_with('-')).collect();
        assert_eq!(bound, ["3 \"\" fixed 3"], "{mode:?}");
        assert!(done.changed.users.contains_key(&uid(4)), "whoever was logged in is told: {mode:?}");
    }
}

#[test]
fn a_number_that_was_given_to_somebody_else_meanwhile_is_the_backups_again_only_if_the_backup_counts() {
    for (mode, expected) in [(Mode::Merge, "other"), (Mode::Authoritative, ""), (Mode::Mitel, "other")] {
        let (backup, mut desk) = story();
        desk.create(2).unwrap();
        let again = desk.directory.uid_of(&number(2)).unwrap().get();
        desk.edit(rename(again, "other")).unwrap();
        desk.ms = 7_000;
        desk.edit(restore(&backup, mode, true)).unwrap();
        let user = desk.directory.user(&number(2)).unwrap();
        assert_eq!((user.admin.name.as_str(), user.status), (expected, Status::Active), "{mode:?}");
        let twos = desk.directory.users().filter(|user| user.number.as_str().starts_with('2')).count();
        assert_eq!(twos, 1, "{mode:?}");
    }
}

#[test]
fn stamps_of_a_restored_system_differ_so_that_pages_can_end_between_them() {
    let (backup, mut desk) = story();
    desk.ms = 7_000;
    desk.directory.take_fresh();
    desk.edit(restore(&backup, Mode::Authoritative, true)).unwrap();
    let mut subjects: BTreeMap<Stamp, BTreeSet<_>> = BTreeMap::new();
    for (stamp, subject) in desk.directory.take_fresh() {
        subjects.entry(stamp).or_default().insert(subject);
    }
    assert!(subjects.values().all(|subjects| subjects.len() == 1));
}

#[test]
fn a_backup_of_another_system_of_the_future_or_too_old_to_be_merged_is_refused_and_changes_nothing() {
    let (mut backup, mut desk) = story();
    desk.ms = 7_000;
    let before = desk.directory.digest();
    let (one, other) =
        (Sari::read("1F102A7C82").unwrap().unwrap(), Sari::read("1F10187326").unwrap().unwrap());
    backup.edit(Stamp { ms: 1_900, ctr: 0, omm: THERE }, Edit::SetSari(one)).unwrap();
    let mut foreign = desk.directory.clone();
    foreign.edit(Stamp { ms: 7_000, ctr: 9, omm: HERE }, Edit::SetSari(other)).unwrap();
    let edit = restore(&backup, Mode::Mitel, true);
    assert_eq!(foreign.edit(Stamp { ms: 8_000, ctr: 0, omm: HERE }, edit), Err(Refusal::SariSet(other)));
    let mut early = backup.clone();
    early.edit(Stamp { ms: 99_000, ctr: 0, omm: THERE }, rename(1, "future")).unwrap();
    assert!(matches!(desk.edit(restore(&early, Mode::Merge, true)), Err(Refusal::Invalid { .. })));
    desk.ms = 91 * DAY;
    assert!(matches!(desk.edit(restore(&backup, Mode::Merge, true)), Err(Refusal::Invalid { .. })));
    assert_eq!(desk.directory.digest(), before);
    assert!(desk.edit(restore(&backup, Mode::Authoritative, true)).is_ok());
    assert_eq!(desk.directory.sari(), Some(one));
}
