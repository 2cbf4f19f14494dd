//! Who is told to die is dead: no timer, no address keeps anybody of a dead OMM alive.

use std::rc::Rc;
use std::time::Duration;

use ::actors::clock::Origin;
use ::actors::messages::Die;
use actix::Actor;
use omm::star::Role;

use crate::ground::disk::Mood;
use crate::ground::line::Exchange;
use crate::ground::outside::{Since, Speaks};
use crate::ground::{Ground, PBX, REHIRE, pass, story};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Ends the OMM by hand, and looks for a day whether anything of it still stirs.
async fn bury(ground: &Ground) {
    ground.omm().await.do_send(Die);
    pass(Duration::from_millis(1)).await;
    let died = ground.clock.moment();
    let (asked, batches) = (ground.disk.asked.get(), ground.disk.batches.borrow().len());
    // The ground, the host's papers: whoever else has the clock is an actor that lives.
    assert_eq!(Rc::strong_count(&ground.clock), 2, "{}", ground.trace());
    pass(DAY).await;
    let heard = ground.outside.send(Since(died)).await.expect("the outside");
    assert!(heard.is_empty(), "{heard:?}");
    assert_eq!(ground.seen(died, ""), 0, "{}", ground.trace());
    assert_eq!((ground.disk.asked.get(), ground.disk.batches.borrow().len()), (asked, batches));
}

#[test]
fn nobody_outlives_an_omm_that_has_all_its_users_registered() {
    story(async {
        let ground = Ground::new().await;
        for user in ["101", "102", "103"] {
            ground.locate(user).await;
        }
        pass(30 * SECOND).await;
        bury(&ground).await;
    });
}

#[test]
fn nobody_outlives_an_omm_whose_servers_are_silent() {
    story(async {
        let ground = Ground::new().await;
        ground.outside.do_send(Speaks(PBX, false));
        ground.locate("101").await;
        // Retransmissions are under way, or a probe, or a back-off.
        pass(20 * SECOND).await;
        bury(&ground).await;
    });
}

#[test]
fn nobody_outlives_an_omm_whose_disk_is_full() {
    story(async {
        let ground = Ground::new().await;
        ground.disk.mood.set(Mood::Full);
        ground.locate("101").await;
        pass(5 * SECOND).await;
        assert!(ground.disk.asked.get() >= 5, "it is tried again each second");
        bury(&ground).await;
    });
}

#[test]
fn a_dead_keeper_does_not_write_over_what_a_new_omm_decides() {
    story(async {
        let ground = Ground::new().await;
        ground.disk.latency.set(SECOND / 10);
        // One commit is under way and a second waits when the OMM dies.
        ground.locate("101").await;
        pass(SECOND / 100).await;
        ground.locate("102").await;
        pass(SECOND / 100).await;
        ground.omm().await.do_send(Die);
        pass(DAY).await;
        assert_eq!(ground.disk.asked.get(), 1, "the second is never begun");
    });
}

#[test]
fn nobody_outlives_either_end_of_a_link() {
    story(async {
        for end in [Role::Central, Role::Remote] {
            let origin = Origin::now();
            let central = Ground::with(Role::Central, origin).await;
            let remote = Ground::with(Role::Remote, origin).await;
            remote.dials(Exchange(central.omm().await).start().recipient());
            remote.locate("101").await;
            pass(30 * SECOND).await;
            bury(if end == Role::Central { &central } else { &remote }).await;
        }
    });
}

#[test]
fn nobody_outlives_a_fall() {
    story(async {
        for hears in ["endpoint dropped", "omm fault"] {
            let ground = Ground::new().await;
            ground.locate("101").await;
            pass(30 * SECOND).await;
            ground.bomb("user/101 located", 1);
            ground.bomb(hears, 1);
            ground.locate("101").await;
            let noise = crate::ground::outside::Phone(PBX.parse().expect("an address"), "?".to_owned());
            ground.outside.do_send(noise);
            pass(REHIRE + 30 * SECOND).await;
            assert_eq!(ground.falls().await, 1, "{hears}: {}", ground.trace());
            // Both lives of the OMM are over then.
            bury(&ground).await;
        }
    });
}
