//! What happens in the demo, and whether it went as it should.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::world::{WATCHDOG, World};

/// How long each expectation may take to come true; the longest of them waits for the confirmation that never comes.
const PATIENCE: Duration = Duration::from_secs(12);
/// How often the PBX is asked meanwhile.
const GLANCE: Duration = Duration::from_millis(100);
/// A pause, so that a reader can follow.
const BREATH: Duration = Duration::from_secs(2);

/// Tells the story; says whether every expectation came true.
pub(super) async fn tell(world: &World) -> bool {
    let line = &world.timeline;
    line.tell(
        "Three OMMs and a PBX are up. The watchdog of 2h 30m is shortened to 20s, the phones' 2h to 6s.",
    );
    let mut kept = expect(world, "berlin and aachen are in step with the central", async || {
        world.in_step("berlin").await && world.in_step("aachen").await
    })
    .await;

    line.tell("Anna (101) comes to berlin, Bert (102) to aachen, Carla (103) to the central.");
    world.carry("101", "berlin");
    world.carry("102", "aachen");
    world.carry("103", "central");
    kept &= registered(world, "101", &["berlin"]).await;
    kept &= registered(world, "102", &["aachen"]).await;
    kept &= registered(world, "103", &["central"]).await;
    breathe().await;

    line.tell("Anna walks to aachen. Aachen registers her at once; berlin hears of it, removes its registration and");
    line.more("confirms; aachen renews once more (M-2.1.4.1).");
    world.carry("101", "aachen");
    kept &= registered(world, "101", &["aachen"]).await;
    breathe().await;

    line.tell(
        "The link of berlin is cut. Bert walks to berlin: nobody can tell aachen, so both register him for a",
    );
    line.more("while; berlin renews without the confirmation (M-2.1.4.2). Nobody else is affected.");
    world.cut("berlin");
    kept &=
        expect(world, "berlin notices that its link is gone", async || !world.in_step("berlin").await).await;
    world.carry("102", "berlin");
    kept &= registered(world, "102", &["aachen", "berlin"]).await;
    kept &= registered(world, "101", &["aachen"]).await;
    // Long enough to see the renewal that does without the confirmation.
    breathe().await;
    breathe().await;

    line.tell("The link of berlin is healed. The states are compared; aachen learns that Bert has gone and lets go.");
    world.heal("berlin");
    kept &= registered(world, "102", &["berlin"]).await;
    breathe().await;

    line.tell("Carla's battery is empty: not a word. After 20s (in real life 2h 30m) the central believes that she is");
    line.more("gone and ends her registration by itself (M-2.1.4.3).");
    world.silence("103");
    let patience = WATCHDOG + PATIENCE;
    kept &= within(world, patience, "nobody registers 103 any more", async || {
        world.bound("103").await.is_empty()
    })
    .await;
    kept &= registered(world, "101", &["aachen"]).await;
    kept &= registered(world, "102", &["berlin"]).await;

    line.tell(if kept {
        "That is the story: all went as it should."
    } else {
        "Something did not go as it should."
    });
    kept
}

async fn registered(world: &World, number: &str, sites: &[&str]) -> bool {
    let text = format!("{number} is registered at {}", sites.join(" and at "));
    let only = if sites.len() == 1 { ", and only there" } else { "" };
    expect(world, &format!("{text}{only}"), async || world.bound(number).await == sites).await
}

async fn expect(world: &World, text: &str, holds: impl AsyncFn() -> bool) -> bool {
    within(world, PATIENCE, text, holds).await
}

async fn within(world: &World, patience: Duration, text: &str, holds: impl AsyncFn() -> bool) -> bool {
    let mut glances = interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let kept = timeout(patience, async {
        loop {
            glances.tick().await;
            if holds().await {
                return;
            }
        }
    });
    let kept = kept.await.is_ok();
    world.timeline.judge(kept, text);
    kept
}

async fn breathe() {
    let _ = timeout(BREATH, std::future::pending::<()>()).await;
}
