//! The slots of a server's shaper: nobody who falls over or leaves takes one along.

use std::time::Duration;

use sip::shaper::{Mode, Shape};

use crate::ground::outside::Speaks;
use crate::ground::{Ground, PBX, pass, story};

/// One exchange at a time, and a slot that is held for an hour unless it is given back.
const ONE: Shape = Shape {
    mode: Mode::Fixed { slots: 1, spacing: Duration::ZERO },
    per_second: 1000,
    hold: Duration::from_secs(3600),
};

#[test]
fn a_binding_that_falls_over_gives_its_slot_back() {
    story(async {
        let ground = Ground::new().await;
        ground.shapes(ONE);
        // It falls with its slot in hand, when the registrar has answered.
        ground.bomb("binding/101@pbx answer", 1);
        for user in ["101", "102", "103"] {
            ground.locate(user).await;
        }
        pass(Duration::from_secs(2)).await;
        for user in ["101", "102", "103"] {
            assert_eq!(ground.look(user).await.tier, Some(0), "{user}: {}", ground.trace());
        }
    });
}

#[test]
fn users_who_move_on_give_back_their_places_and_slots() {
    story(async {
        let ground = Ground::new().await;
        ground.shapes(ONE);
        ground.outside.do_send(Speaks(PBX, false));
        for user in ["101", "102", "103"] {
            ground.locate(user).await;
        }
        // One waits for its answer and two for the slot; then the server is down and all go to the spare.
        pass(Duration::from_secs(15)).await;
        for user in ["101", "102", "103"] {
            assert_eq!(ground.look(user).await.tier, Some(1), "{user}: {}", ground.trace());
        }
    });
}
