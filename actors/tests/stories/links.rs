//! Connections of one remote that overlap.

use std::time::Duration;

use ::actors::doors::{Accept, ToPeer};
use ::actors::link::{FromLink, LinkNews};
use actix::prelude::*;
use machine::secret::Secret;
use omm::link::frame::{Open, Purpose};
use omm::star::Role;

use crate::ground::{Ground, facts, identity, pass, story};

/// A peer that only listens.
struct Deaf;

impl Actor for Deaf {
    type Context = Context<Self>;
}

impl Handler<ToPeer> for Deaf {
    type Result = ();
    fn handle(&mut self, _: ToPeer, _: &mut Context<Self>) {}
}

#[test]
fn a_replaced_link_that_ends_late_does_not_take_its_successor_down() {
    story(async {
        let central = Ground::new().await;
        let (omm, peer) = (central.omm().await, identity(Role::Remote));
        let mut ears = Vec::new();
        for _ in 0..2 {
            let line = Deaf.start().recipient();
            let accept = Accept { peer: "remote".to_owned(), line };
            ears.push(omm.send(accept).await.expect("an OMM").expect("a central takes connections"));
        }
        let tell = |link, news| omm.do_send(FromLink { link, news });
        tell(1, LinkNews::Up(peer));
        tell(1, LinkNews::Downloaded(peer));
        tell(2, LinkNews::Up(peer));
        tell(2, LinkNews::Downloaded(peer));
        tell(1, LinkNews::Down(peer));
        tell(1, LinkNews::Ended);
        pass(Duration::from_millis(1)).await;
        assert_eq!(central.status().await.joined, [peer], "{}", central.trace());
        tell(2, LinkNews::Down(peer));
        pass(Duration::from_millis(1)).await;
        assert_eq!(central.status().await.joined, []);
        // What comes late from a link that has ended is of no account.
        let ended = central.clock.moment();
        tell(1, LinkNews::Up(peer));
        pass(Duration::from_millis(1)).await;
        assert_eq!(central.seen(ended, "star sync state=up"), 0);
    });
}

#[test]
fn a_stranger_who_is_not_let_in_is_counted_once() {
    story(async {
        let central = Ground::new().await;
        let omm = central.omm().await;
        let accept = Accept { peer: "stranger".to_owned(), line: Deaf.start().recipient() };
        let _ear = omm.send(accept).await.expect("an OMM").expect("a central takes connections");
        let knock = |password: &str| {
            let facts = facts(Role::Remote, central.clock.wall());
            let open = Open {
                user: "omm".into(),
                password: Secret::new(password),
                facts,
                door: None,
                purpose: Purpose::Link,
            };
            omm.do_send(FromLink { link: 1, news: LinkNews::Knock(Box::new(open)) });
        };
        knock("wrong");
        assert_eq!(central.status().await.disorder.refused, 1);
        knock("omm");
        assert_eq!(central.status().await.disorder.refused, 1, "who knows the password is let in");
    });
}
