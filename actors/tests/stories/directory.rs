//! The directory of an OMM changes, by an edit that comes over a link: what follows for those who are registered here.

use std::time::Duration;

use ::actors::directory::{ASKING_MAX, Change, DirectoryActor, ToDirectory};
use ::actors::omm::inspect::Writer;
use actix::prelude::*;
use machine::secret::Secret;
use omm::directory::Directory;
use omm::directory::edit::{Edit, UserChange};
use omm::directory::sync::word::{Page, Word};
use omm::directory::vector::Vector;
use omm::stamp::Stamp;
use omm::star::Role;

use crate::ground::disk::Mood;
use crate::ground::outside::{Listed, Since};
use crate::ground::{Ground, PBX, directory, identity, pass, story};

const SECOND: Duration = Duration::from_secs(1);

/// The central, and what a remote has: the same file, and what it edits.
struct Pair {
    ground: Ground,
    remote: Directory,
    pages: u32,
}

impl Pair {
    /// 101 and 102 are registered at the central, and the link is up.
    async fn new() -> Pair {
        let ground = Ground::new().await;
        ground.locate("101").await;
        ground.locate("102").await;
        pass(30 * SECOND).await;
        let pair = Pair { ground, remote: directory(), pages: 0 };
        assert_eq!(pair.listed("101").await.len(), 1, "{}", pair.ground.trace());
        pair.writer().await.do_send(ToDirectory::LinkUp(identity(Role::Remote)));
        pair
    }

    async fn writer(&self) -> Addr<DirectoryActor> {
        self.ground.omm().await.send(Writer).await.expect("an OMM").expect("a directory")
    }

    async fn listed(&self, user: &'static str) -> Vec<String> {
        self.ground.outside.send(Listed(PBX, user)).await.expect("the outside")
    }

    /// An administrator at the remote changes something, and the central hears of it.
    async fn edit(&mut self, edit: impl FnOnce(&Directory) -> Edit) {
        let omm = identity(Role::Remote);
        let stamp = Stamp { ms: self.ground.clock.wall().as_millis(), ctr: 0, omm };
        let edit = edit(&self.remote);
        self.remote.edit(stamp, edit).expect("an edit that can be");
        let fresh = self.remote.take_fresh();
        let mut upto = Vector::default();
        for (stamp, _) in &fresh {
            upto.raise(omm, *stamp);
        }
        let pieces = fresh.iter().filter_map(|(_, subject)| self.remote.piece(*subject)).collect();
        self.pages += 1;
        let page = Page { number: self.pages, pieces, upto, ..Page::default() };
        let word = Box::new(Word::Page(Box::new(page)));
        self.writer().await.do_send(ToDirectory::Heard { from: omm, word });
        pass(5 * SECOND).await;
    }

    fn set(number: &str, change: UserChange) -> impl FnOnce(&Directory) -> Edit {
        move |directory| {
            let number = omm::ids::Number::new(number).expect("a number");
            let uid = directory.uid_of(&number).expect("a user");
            Edit::SetUser { uid, change: Box::new(change) }
        }
    }
}

#[test]
fn a_user_deleted_elsewhere_is_removed_here_and_the_other_notices_nothing() {
    story(async {
        let mut pair = Pair::new().await;
        let edited = pair.ground.clock.moment();
        pair.edit(|directory| {
            let number = omm::ids::Number::new("101").expect("a number");
            Edit::DeleteUser(directory.uid_of(&number).expect("a user"))
        })
        .await;
        assert_eq!(pair.listed("101").await.len(), 0, "{}", pair.ground.trace());
        assert_eq!(pair.listed("102").await.len(), 1);
        assert_eq!(pair.ground.seen(edited, "binding/102@pbx register"), 0, "102 was left alone");
        assert_eq!(pair.ground.status().await.users, 2);
        // The handset shows up again: nobody is there to be served.
        pair.ground.locate("101").await;
        pass(60 * SECOND).await;
        assert_eq!(pair.listed("101").await.len(), 0);
        assert_eq!(pair.ground.falls().await, 0);
    });
}

#[test]
fn a_user_renumbered_elsewhere_leaves_the_old_number() {
    story(async {
        let mut pair = Pair::new().await;
        let number = omm::ids::Number::new("109").ok();
        pair.edit(Pair::set("101", UserChange { number, ..UserChange::default() })).await;
        assert_eq!(pair.listed("101").await.len(), 0, "{}", pair.ground.trace());
        pair.ground.locate("109").await;
        pass(5 * SECOND).await;
        assert_eq!(pair.listed("109").await.len(), 1, "{}", pair.ground.trace());
        assert_eq!(pair.listed("102").await.len(), 1);
    });
}

/// Found by a random world: the answer to such a login was taken for the cause of whatever changed next.
#[test]
fn a_login_that_changes_nothing_or_is_refused_hides_no_later_logout() {
    story(async {
        let own =
            directory().users().find(|user| user.number.as_str() == "101").and_then(|user| user.device());
        let nobodys = omm::ids::Ipei::new(99, 99).expect("an IPEI");
        for device in [own.expect("a handset"), nobodys] {
            let mut pair = Pair::new().await;
            let user = pair.ground.number("101");
            let login = Change(Edit::Login { user, device });
            let done = pair.writer().await.send(login).await.expect("a directory").expect("an answer");
            assert!(done.as_ref().map_or(true, |done| done.changed.is_empty()), "{done:?}");
            pair.edit(|directory| {
                let number = omm::ids::Number::new("101").expect("a number");
                Edit::Detach { uid: directory.uid_of(&number).expect("a user") }
            })
            .await;
            assert_eq!(pair.listed("101").await.len(), 0, "{}", pair.ground.trace());
        }
    });
}

#[test]
fn a_password_changed_elsewhere_is_used_from_now_on() {
    story(async {
        let mut pair = Pair::new().await;
        let edited = pair.ground.clock.moment();
        let password = Some(Secret::new("another"));
        pair.edit(Pair::set("101", UserChange { password, ..UserChange::default() })).await;
        let heard = pair.ground.outside.send(Since(edited)).await.expect("the outside");
        let own = heard.iter().filter(|heard| heard.text.contains("<sip:101@sip.example>")).count();
        assert!(own > 0, "101 registers anew with its new account: {}", pair.ground.trace());
        assert_eq!(pair.ground.seen(edited, "binding/102@pbx register"), 0, "102 was left alone");
        assert_eq!(pair.listed("101").await.len(), 1);
        assert!(!pair.ground.trace().contains("another"), "no secret in the trace");
    });
}

#[test]
fn a_restart_shows_what_the_store_knows() {
    story(async {
        let mut pair = Pair::new().await;
        let name = Some("Anna".to_owned());
        pair.edit(Pair::set("102", UserChange { name, ..UserChange::default() })).await;
        pair.edit(|directory| {
            let number = omm::ids::Number::new("103").expect("a number");
            Edit::DeleteUser(directory.uid_of(&number).expect("a user"))
        })
        .await;
        let before = pair.ground.digest();
        assert_eq!(before, pair.remote.digest(), "both have the same: {}", pair.ground.trace());
        pair.ground.start_over().await;
        assert_eq!(pair.ground.digest(), before);
        assert_eq!(pair.ground.status().await.users, 2);
    });
}

#[test]
fn while_the_disk_is_broken_edits_do_not_wait_without_end() {
    story(async {
        let pair = Pair::new().await;
        let writer = pair.writer().await;
        let edit = |number: usize| {
            let name = Some(format!("name {number}"));
            Change(Pair::set("101", UserChange { name, ..UserChange::default() })(&pair.remote))
        };
        pair.ground.disk.mood.set(Mood::Full);
        (0..ASKING_MAX).for_each(|number| writer.do_send(edit(number)));
        assert_eq!(writer.send(edit(ASKING_MAX)).await.expect("a directory"), None, "one too many");
        pair.ground.disk.mood.set(Mood::Good);
        pass(5 * SECOND).await;
        let done = writer.send(edit(ASKING_MAX)).await.expect("a directory");
        assert!(matches!(done, Some(Ok(_))), "{done:?}");
    });
}
