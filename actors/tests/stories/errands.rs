//! A phone is at another site: whoever asks about it here is answered by that site, or by what is known here (B-11).

use std::time::Duration;

use ::actors::clock::Origin;
use ::actors::office::Glance;
use ::actors::omm::errands::Recount;
use actix::prelude::*;
use axi::reply::Reply;
use axi::request::Look;
use omm::star::Role;

use crate::ground::line::Exchange;
use crate::ground::{Ground, identity, pass, story};

const SECOND: Duration = Duration::from_secs(1);

/// A remote, and its central where the phone of 101 is registered.
async fn pair() -> (Ground, Ground) {
    let origin = Origin::now();
    let central = Ground::with(Role::Central, origin).await;
    let remote = Ground::with(Role::Remote, origin).await;
    central.locate("101").await;
    remote.dials(Exchange(central.omm().await).start().recipient());
    remote.omm().await;
    pass(30 * SECOND).await;
    assert_eq!(remote.status().await.joined, [identity(Role::Central)], "{}", remote.trace());
    (central, remote)
}

async fn state(ground: &Ground, ppn: u32) -> Reply {
    let glance = Glance { look: Look::State(ppn), sync: false };
    ground.omm().await.send(glance).await.expect("an OMM").expect("a handset")
}

#[test]
fn who_asks_about_a_phone_that_is_elsewhere_is_answered_from_there() {
    story(async {
        let (central, remote) = pair().await;
        let began = remote.clock.moment();
        let told = state(&remote, 1).await;
        assert!(told.attributes.contains(&("registered", "1".to_owned())), "{told:?}");
        assert_eq!(told, state(&central, 1).await, "the same as there");
        let asked = format!("errands errand from={}", identity(Role::Remote));
        assert_eq!(central.seen(began, &asked), 1, "{}", central.trace());
        assert_eq!(central.seen(began, "errands errand to="), 0, "who has the phone asks nobody");
        // 102 is nowhere: nobody knows more than the one that is asked.
        state(&remote, 2).await;
        assert_eq!(central.seen(began, &asked), 1);
    });
}

#[test]
fn what_is_known_here_is_the_answer_when_nobody_tells() {
    story(async {
        let (central, remote) = pair().await;
        let known = state(&remote, 1).await;
        // The other side takes nothing any more, and its silence is not noticed yet.
        central.omm().await.do_send(::actors::messages::Die);
        let began = remote.clock.moment();
        assert_eq!(state(&remote, 1).await, known);
        assert_eq!(remote.seen(began, "errands errand told=nobody"), 1, "{}", remote.trace());
        pass(120 * SECOND).await;
        assert_eq!(state(&remote, 1).await, known, "and when the link is known to be gone");
    });
}

#[test]
fn what_happened_elsewhere_is_told_with_the_name_of_the_site() {
    story(async {
        let (_central, remote) = pair().await;
        let user = remote.number("101");
        let told = remote.omm().await.send(Recount(user)).await.expect("an OMM");
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].lines[0].what, "101 was born");
        assert_eq!(told[0].site, &*remote.site().node, "both are called alike here");
    });
}
