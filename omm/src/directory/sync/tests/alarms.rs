//! What administrators are told of the directory.

use super::*;

fn told(star: &mut Star, at: usize) -> Vec<String> {
    std::mem::take(&mut star.sites[at].alarms).iter().map(Alarm::to_string).collect()
}

#[test]
fn whoever_loses_a_number_to_another_is_told_once_at_every_site() {
    let mut star = Star::new(2, 0);
    star.edit(0, create(101)).unwrap();
    star.edit(0, create(102)).unwrap();
    (1..=2).for_each(|remote| star.link(remote));
    star.settle();
    star.cut(1);
    let renumber = |uid: u32, to: u32| Edit::SetUser {
        uid: Uid::new(uid).unwrap(),
        change: Box::new(UserChange { number: Some(number(to)), ..UserChange::default() }),
    };
    star.edit(1, renumber(1, 200)).unwrap();
    star.edit(0, renumber(2, 200)).unwrap();
    star.settle();
    assert!((0..3).all(|at| told(&mut star, at).is_empty()), "nobody has lost anything yet");
    star.link(1);
    star.settle();
    let expected = ["1 user cannot be used, another one has the number or IPEI: 200"];
    for at in 0..3 {
        assert_eq!(told(&mut star, at), expected, "site {at}");
    }
    // What an administrator settles is told as nothing, and so is an edit of the one that lost.
    let edit = Edit::SetUser {
        uid: Uid::new(1).unwrap(),
        change: Box::new(UserChange { name: Some("Ada".into()), ..UserChange::default() }),
    };
    star.edit(2, edit).unwrap();
    star.edit(2, renumber(2, 201)).unwrap();
    star.settle();
    assert!((0..3).all(|at| told(&mut star, at).is_empty()));
    star.assert_alike("when it is settled");
}

#[test]
fn what_the_platform_cannot_hold_is_counted_and_a_few_are_named() {
    let mut star = Star::new(1, 0);
    star.link(1);
    star.settle();
    star.cut(1);
    let limit = Platform::Pc.phones_max() as u32;
    (0..limit).for_each(|n| drop(star.edit(0, create(n)).unwrap()));
    (limit..limit + 7).for_each(|n| drop(star.edit(1, create(n)).unwrap()));
    told(&mut star, 1);
    star.link(1);
    star.settle();
    let told = told(&mut star, 0);
    let first = format!(
        "7 users cannot be used, there are more than the platform holds: {}, {}, {}, {}, {} and 2 more",
        limit,
        limit + 1,
        limit + 2,
        limit + 3,
        limit + 4
    );
    assert_eq!(told, [first]);
}

#[test]
fn who_makes_or_deletes_while_the_central_is_out_of_reach_is_warned_once_an_outage_and_nobody_else() {
    let mut star = Star::new(1, 0);
    // Before it has ever belonged to a system there is nothing to be cut off from.
    star.edit(1, create(101)).unwrap();
    star.link(1);
    star.settle();
    star.edit(1, create(102)).unwrap();
    star.cut(1);
    star.edit(0, create(103)).unwrap();
    assert_eq!((told(&mut star, 0), told(&mut star, 1)), (vec![], vec![]));
    star.edit(1, create(104)).unwrap();
    let edit = name(&star.sites[1].directory.borrow(), 102, "Ada").unwrap();
    star.edit(1, edit).unwrap();
    let gone = star.sites[1].directory.borrow().uid_of(&number(101)).unwrap();
    star.edit(1, Edit::DeleteUser(gone)).unwrap();
    let warned = ["create-user while the central is out of reach: another site may do the like meanwhile"];
    assert_eq!(told(&mut star, 1), warned);
    star.link(1);
    star.settle();
    star.cut(1);
    star.edit(1, create(105)).unwrap();
    assert_eq!(told(&mut star, 1), warned);
}
