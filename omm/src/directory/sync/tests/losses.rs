//! Deletions that are forgotten, remotes that return late, and a lost disk.

use super::*;

#[test]
fn l9_a_deletion_is_kept_until_the_last_remote_has_it_and_then_forgotten_by_all() {
    let mut star = Star::new(3, 0);
    star.edit(0, create(101)).unwrap();
    (1..=3).for_each(|remote| star.link(remote));
    star.settle();
    star.cut(3);
    star.edit(1, Edit::DeleteUser(Uid::new(1).unwrap())).unwrap();
    star.settle();
    let tombstones = |star: &Star| -> Vec<usize> {
        star.sites.iter().map(|site| site.directory.borrow().tombstones()).collect()
    };
    (0..200).for_each(|_| star.pass(DAY));
    star.settle();
    assert_eq!(tombstones(&star), [1, 1, 1, 0], "the third has never heard of it");
    assert_eq!(star.sites[3].directory.borrow().users().len(), 1);
    star.link(3);
    star.settle();
    assert_eq!(tombstones(&star), [1, 1, 1, 1]);
    star.pass(DAY);
    star.settle();
    assert_eq!(tombstones(&star), [0, 0, 0, 0]);
    star.assert_alike("when all have forgotten");
    assert!(star.sites.iter().all(|site| site.disk.pieces.is_empty()), "the disks too");
}

#[test]
fn who_returns_after_everything_was_forgotten_deletes_what_was_deleted_and_keeps_what_is_new() {
    let mut star = Star::new(2, 0);
    for n in 101..=103 {
        star.edit(0, create(n)).unwrap();
    }
    (1..=2).for_each(|remote| star.link(remote));
    star.settle();
    star.cut(2);
    // The administrator takes remote 2 off the list; nobody waits for it.
    star.feed(0, Input::Removed(star.sites[2].omm));
    star.edit(0, Edit::DeleteUser(Uid::new(1).unwrap())).unwrap();
    star.edit(0, Edit::DeleteUser(Uid::new(2).unwrap())).unwrap();
    star.settle();
    (0..91).for_each(|_| star.pass(DAY));
    star.settle();
    assert_eq!(star.sites[0].directory.borrow().tombstones(), 0);
    // Meanwhile, at remote 2: one of the deleted is edited, and somebody is new.
    let edit = name(&star.sites[2].directory.borrow(), 102, "edited").unwrap();
    star.edit(2, edit).unwrap();
    star.edit(2, create(104)).unwrap();
    star.link(2);
    star.settle();
    star.assert_alike("after the full comparison");
    let directory = star.sites[2].directory.borrow();
    let numbers: Vec<String> = directory.users().map(|user| user.number.to_string()).collect();
    assert_eq!(numbers, ["102", "103", "104"]);
}

#[test]
fn a_remote_that_lost_its_disk_gets_all_back_and_loses_nothing_that_it_wrote_since() {
    let mut star = Star::new(1, 0);
    star.link(1);
    for n in 101..=140 {
        star.pass(10);
        star.edit(1, create(n)).unwrap();
    }
    star.settle();
    star.cut(1);
    star.now -= 305;
    star.sites[1] = star.born(1, Disk::default());
    // Its clock is a little slow, so that this lies before what the central has of it.
    star.edit(1, create(200)).unwrap();
    star.link(1);
    star.settle();
    star.assert_alike("with a new disk");
    assert_eq!(star.sites[0].directory.borrow().users().len(), 41);
}
