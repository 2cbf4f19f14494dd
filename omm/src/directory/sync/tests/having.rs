//! Who is shown to have what was written.

use super::*;

#[test]
fn what_a_remote_has_not_heard_of_is_shown_as_not_acknowledged() {
    let mut star = Star::new(2, 1);
    (1..=2).for_each(|remote| star.link(remote));
    star.settle();
    star.edit(1, create(101)).unwrap();
    star.settle();
    let having = |star: &Star, at: usize, n: u32| -> Vec<bool> {
        let user = star.sites[at].directory.borrow().user(&number(n)).cloned().unwrap();
        star.sites[at].sync.having(&user).into_values().collect()
    };
    assert_eq!(having(&star, 0, 101), [true, true], "who wrote it has it too");
    assert_eq!(having(&star, 1, 101), [true], "a remote knows of its central alone");
    assert_eq!(having(&star, 0, 0), [true, true], "what is in the file everybody has");
    star.cut(2);
    let edit = name(&star.sites[0].directory.borrow(), 101, "Ada").unwrap();
    star.edit(0, edit).unwrap();
    star.settle();
    assert_eq!(having(&star, 0, 101), [true, false]);
    assert_eq!(having(&star, 2, 101), [], "nobody is there to be known of");
    star.link(2);
    star.settle();
    assert_eq!(having(&star, 0, 101), [true, true]);
}
