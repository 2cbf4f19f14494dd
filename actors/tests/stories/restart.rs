//! Whoever falls over is hired again and knows what the store knows; nobody else is touched (I12).

use std::time::Duration;

use machine::time::Moment;
use omm::roaming::State;
use omm::stamp::OmmId;
use omm::star::Role;
use sip::server::Standing;

use crate::ground::disk::Mood;
use crate::ground::line::Exchange;
use crate::ground::outside::{Listed, Since, Speaks};
use crate::ground::{Ground, OMM, PBX, REHIRE, SPARE, identity, pass, story};
use ::actors::clock::Origin;
use actix::Actor;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// 101 and 102 are registered, and a while has passed.
async fn two_at_home() -> Ground {
    let ground = Ground::new().await;
    ground.locate("101").await;
    ground.locate("102").await;
    pass(30 * SECOND).await;
    assert_eq!(listed(&ground, PBX, "101").await.len(), 1, "{}", ground.trace());
    assert_eq!(listed(&ground, PBX, "102").await.len(), 1);
    ground
}

async fn listed(ground: &Ground, server: &'static str, user: &'static str) -> Vec<String> {
    ground.outside.send(Listed(server, user)).await.expect("the outside")
}

fn now(ground: &Ground) -> Moment {
    ground.clock.moment()
}

/// REGISTERs of a user since then.
async fn registers(ground: &Ground, since: Moment, user: &str) -> usize {
    let heard = ground.outside.send(Since(since)).await.expect("the outside");
    let aor = format!("<sip:{user}@sip.example>");
    // Whether he is listed is asked without a contact, all the time.
    let is_own =
        |text: &str| text.starts_with("REGISTER") && text.contains(&aor) && text.contains("\r\nContact:");
    heard.iter().filter(|heard| is_own(&heard.text)).count()
}

/// The call-ids under which the OMM registers a user since then.
async fn call_ids(ground: &Ground, since: Moment, user: &str) -> Vec<String> {
    let heard = ground.outside.send(Since(since)).await.expect("the outside");
    let aor = format!("<sip:{user}@sip.example>");
    let own = heard.iter().filter(|heard| heard.text.starts_with("REGISTER") && heard.text.contains(&aor));
    let lines = own.filter_map(|heard| heard.text.lines().find(|line| line.starts_with("Call-ID")));
    let mut ids: Vec<String> = lines.map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn a_user_that_falls_over_is_served_again_and_the_other_notices_nothing() {
    story(async {
        let ground = two_at_home().await;
        let epoch = ground.look("101").await.claim.expect("a claim").epoch;
        let fell = now(&ground);
        ground.bomb("user/101 located", 1);
        ground.locate("101").await;
        pass(10 * SECOND).await;
        assert_eq!(ground.seen(fell, "omm fault text=user/101 fell over"), 1, "{}", ground.trace());
        let profile = ground.look("101").await;
        assert_eq!(profile.claim.expect("a claim").epoch, epoch, "the record decides");
        assert_eq!((profile.state, profile.tier), (State::Settled, Some(0)), "{}", ground.trace());
        assert_eq!(listed(&ground, PBX, "101").await.len(), 1);
        assert_eq!(registers(&ground, fell, "102").await, 0, "I12");
        assert_eq!((ground.status().await.restarts, ground.falls().await), (1, 0));
        assert_eq!(call_ids(&ground, fell, "101").await.len(), 1, "the first life's binding is silent");
        // Later on, too, only the new life's binding refreshes.
        let later = now(&ground);
        pass(2 * 60 * MINUTE).await;
        assert_eq!(call_ids(&ground, later, "101").await.len(), 1, "the line of the first life is gone");
    });
}

#[test]
fn a_line_that_falls_over_takes_its_user_along_and_both_come_back() {
    story(async {
        let ground = two_at_home().await;
        let fell = now(&ground);
        ground.bomb("line/101 failover", 1);
        ground.outside.do_send(Speaks(PBX, false));
        pass(60 * MINUTE).await;
        assert_eq!(ground.seen(fell, "line/101 failover"), 1, "{}", ground.trace());
        assert_eq!(ground.seen(fell, "omm fault text=user/101 fell over"), 1);
        for user in ["101", "102"] {
            assert_eq!(ground.look(user).await.tier, Some(1), "{}", ground.trace());
            assert_eq!(listed(&ground, SPARE, user).await.len(), 1);
        }
        assert_eq!(ground.seen(fell, "line/102 failover"), 1);
        assert_eq!(ground.falls().await, 0);
    });
}

#[test]
fn a_binding_that_falls_over_is_replaced_by_its_line() {
    story(async {
        let ground = two_at_home().await;
        let fell = now(&ground);
        ground.bomb("binding/101@pbx answer", 1);
        pass(60 * MINUTE).await;
        assert_eq!(ground.seen(fell, "line/101 fault"), 1, "{}", ground.trace());
        assert_eq!(listed(&ground, PBX, "101").await.len(), 1);
        assert_eq!(ground.look("101").await.state, State::Settled);
        assert_eq!(ground.status().await.restarts, 0, "the line does it alone");
        let both = call_ids(&ground, fell, "101").await;
        assert_eq!(both.len(), 2, "a new life has a new Call-ID");
        let later = now(&ground);
        pass(2 * 60 * MINUTE).await;
        let [only] = &call_ids(&ground, later, "101").await[..] else { panic!("one binding refreshes") };
        assert!(both.contains(only));
    });
}

#[test]
fn a_binding_that_no_life_helps_does_not_storm_its_server() {
    story(async {
        let ground = two_at_home().await;
        let fell = now(&ground);
        ground.bomb("binding/101@pbx answer", usize::MAX);
        pass(60 * MINUTE).await;
        let first = ground.first(fell, "line/101 fault").expect("a fall");
        let all = ground.seen(first, "line/101 fault");
        let later = ground.seen(first + MINUTE, "line/101 fault");
        assert_eq!(all - later, 6, "six lives a minute are enough: {}", ground.trace());
        assert!(later > 0, "but it is never given up");
        assert_eq!(registers(&ground, fell, "102").await, 1, "I12: its one refresh");
        assert_eq!(ground.falls().await, 0);
    });
}

#[test]
fn the_health_of_a_server_that_falls_over_begins_anew() {
    story(async {
        let ground = two_at_home().await;
        let fell = now(&ground);
        ground.bomb("server/pbx server", 1);
        ground.outside.do_send(Speaks(PBX, false));
        pass(60 * MINUTE).await;
        assert_eq!(
            ground.seen(fell, "omm fault text=the health of tier 0 fell over"),
            1,
            "{}",
            ground.trace()
        );
        for user in ["101", "102"] {
            assert_eq!(listed(&ground, SPARE, user).await.len(), 1, "{}", ground.trace());
        }
        assert_eq!(ground.status().await.servers[0].1, Standing::Down, "{}", ground.trace());
        // It falls once more while everybody knows that the server is down; nobody goes on believing a dead health.
        let fell = now(&ground);
        ground.bomb("server/pbx probe", 1);
        pass(10 * MINUTE).await;
        assert_eq!(
            ground.seen(fell, "omm fault text=the health of tier 0 fell over"),
            1,
            "{}",
            ground.trace()
        );
        ground.outside.do_send(Speaks(PBX, true));
        pass(60 * MINUTE).await;
        assert_eq!(ground.status().await.servers[0].1, Standing::Usable, "{}", ground.trace());
        assert_eq!(ground.look("101").await.tier, Some(0), "{}", ground.trace());
        assert_eq!(ground.falls().await, 0);
    });
}

#[test]
fn when_a_server_came_to_stand_as_it_does_is_told_by_the_calendar() {
    story(async {
        let ground = two_at_home().await;
        let born = ground.status().await.servers;
        let silent = ground.clock.wall();
        ground.outside.do_send(Speaks(PBX, false));
        pass(60 * MINUTE).await;
        let (_, standing, since) = ground.status().await.servers[0].clone();
        let middle = silent.as_millis()..ground.clock.wall().as_millis();
        assert_eq!(standing, Standing::Down, "{}", ground.trace());
        assert!(middle.contains(&since.as_millis()), "{since:?} of {middle:?}");
        // It stays what it is, and so does the time.
        pass(10 * MINUTE).await;
        assert_eq!(ground.status().await.servers[0].2, since);
        let back = ground.clock.wall();
        ground.outside.do_send(Speaks(PBX, true));
        pass(60 * MINUTE).await;
        let servers = ground.status().await.servers;
        assert_eq!(servers[0].1, Standing::Usable, "{}", ground.trace());
        assert!(servers[0].2 > back, "{:?} after {back:?}", servers[0].2);
        assert_eq!(servers[1].2, born[1].2, "the spare has not changed");
    });
}

/// A central, and a remote that will dial it as soon as it lives.
async fn two_strangers() -> (Ground, Ground) {
    let origin = Origin::now();
    let central = Ground::with(Role::Central, origin).await;
    let remote = Ground::with(Role::Remote, origin).await;
    remote.dials(Exchange(central.omm().await).start().recipient());
    (central, remote)
}

/// A central and a remote with a link between them.
async fn two_sites() -> (Ground, Ground) {
    let (central, remote) = two_strangers().await;
    remote.omm().await;
    pass(10 * SECOND).await;
    assert_eq!(joined(&remote).await, [identity(Role::Central)], "{}", remote.trace());
    assert_eq!(joined(&central).await, [identity(Role::Remote)], "{}", central.trace());
    (central, remote)
}

async fn joined(ground: &Ground) -> Vec<OmmId> {
    ground.status().await.joined
}

#[test]
fn a_link_that_falls_over_at_either_end_comes_back_and_the_states_are_compared() {
    story(async {
        for bomb in ["link/central sync", "link/remote link state=open"] {
            let (central, remote) = two_strangers().await;
            let here = if bomb.starts_with("link/central") { &remote } else { &central };
            here.bomb(bomb, 1);
            remote.locate("103").await;
            pass(2 * MINUTE).await;
            assert_eq!(here.seen(Moment::START, "omm fault text=a link fell over"), 1, "{}", here.trace());
            assert_eq!(joined(&remote).await, [identity(Role::Central)], "{bomb}: {}", remote.trace());
            assert_eq!(joined(&central).await, [identity(Role::Remote)], "{bomb}: {}", central.trace());
            let known = central.status().await.claims;
            assert_eq!(known.len(), 1, "{bomb}: what was said on no link is heard");
            assert_eq!((central.falls().await, remote.falls().await), (0, 0));
        }
    });
}

#[test]
fn the_endpoint_and_the_keeper_take_the_omm_along_and_the_store_brings_it_back() {
    story(async {
        for pillar in ["endpoint", "keeper"] {
            let ground = two_at_home().await;
            let fell = now(&ground);
            let before = ground.look("101").await.claim.expect("a claim");
            match pillar {
                "endpoint" => {
                    ground.bomb("endpoint dropped", 1);
                    let noise =
                        crate::ground::outside::Phone(OMM.parse().expect("an address"), "?".to_owned());
                    ground.outside.do_send(noise);
                }
                _ => {
                    ground.disk.mood.set(Mood::Bomb);
                    ground.locate("102").await;
                }
            }
            pass(SECOND / 2).await;
            let text = format!("omm fault text=the OMM starts over from its store: the {pillar}");
            assert_eq!(ground.seen(fell, &text), 1, "{}", ground.trace());
            assert_eq!(ground.falls().await, 1);
            pass(REHIRE).await;
            ground.omm().await;
            pass(MINUTE).await;
            for user in ["101", "102"] {
                assert_eq!(ground.look(user).await.tier, Some(0), "{}", ground.trace());
                assert_eq!(listed(&ground, PBX, user).await.len(), 1);
            }
            let after = ground.look("101").await.claim.expect("a claim");
            assert_eq!((after.epoch, after.owner), (before.epoch, before.owner), "the record decides");
        }
    });
}

#[test]
fn six_falls_in_a_minute_and_the_omm_starts_over_from_its_store() {
    story(async {
        let ground = two_at_home().await;
        let before = ground.look("102").await.claim.expect("a claim");
        ground.bomb("user/101 located", 5);
        for fall in 1..=5 {
            ground.locate("101").await;
            pass(SECOND).await;
            assert_eq!(
                (ground.status().await.restarts, ground.falls().await),
                (fall, 0),
                "{}",
                ground.trace()
            );
        }
        // A minute later the first falls are forgotten.
        pass(MINUTE).await;
        ground.bomb("user/101 located", 6);
        for _ in 1..=5 {
            ground.locate("101").await;
            pass(SECOND).await;
        }
        assert_eq!(ground.falls().await, 0);
        ground.locate("101").await;
        pass(SECOND / 2).await;
        assert_eq!(ground.falls().await, 1, "{}", ground.trace());
        pass(REHIRE).await;
        ground.omm().await;
        pass(MINUTE).await;
        assert_eq!(ground.status().await.restarts, 0, "a new OMM");
        let after = ground.look("102").await.claim.expect("a claim");
        assert_eq!((after.epoch, after.owner), (before.epoch, before.owner));
        for user in ["101", "102"] {
            assert_eq!(ground.look(user).await.tier, Some(0), "{}", ground.trace());
        }
    });
}

#[test]
fn an_omm_that_falls_over_itself_is_hired_again() {
    story(async {
        let ground = two_at_home().await;
        let fell = now(&ground);
        ground.bomb("omm alarm", 1);
        // A record of somebody whom the directory does not know makes the OMM speak at its start.
        let stranger = String::from_utf8(ground.disk.durable.borrow()[b"roam/101".as_slice()].clone());
        let stranger = stranger.expect("a record in JSON").replace("\"101\"", "\"199\"");
        ground.disk.durable.borrow_mut().insert(b"roam/199".to_vec(), stranger.into_bytes());
        ground.bomb("endpoint dropped", 1);
        let noise = crate::ground::outside::Phone(OMM.parse().expect("an address"), "?".to_owned());
        ground.outside.do_send(noise);
        pass(3 * SECOND).await;
        assert_eq!(ground.falls().await, 2, "{}", ground.trace());
        assert_eq!(ground.seen(fell, "omm alarm text=user 199"), 2);
        ground.omm().await;
        pass(MINUTE).await;
        for user in ["101", "102"] {
            assert_eq!(ground.look(user).await.tier, Some(0), "{}", ground.trace());
            assert_eq!(listed(&ground, PBX, user).await.len(), 1);
        }
    });
}

#[test]
fn a_claim_that_was_lost_with_a_user_is_told_to_its_next_life_but_not_again_and_again() {
    story(async {
        let (central, remote) = two_sites().await;
        central.locate("101").await;
        pass(SECOND).await;
        // The claim of the remote kills the user's actor at the central in the middle of its work.
        central.bomb("user/101 claim", 1);
        let fell = now(&central);
        remote.locate("101").await;
        pass(MINUTE).await;
        assert_eq!(central.seen(fell, "omm fault text=user/101 fell over"), 1, "{}", central.trace());
        let claim = central.look("101").await.claim.expect("a claim");
        assert_eq!(claim.owner, identity(Role::Remote), "{}", central.trace());
        assert_eq!(central.seen(fell, "user/101 bind"), 0, "not registered beside the new owner");
        // A word that nobody can bear: the second life is told, the third is not, and the OMM goes on.
        let fell = now(&central);
        central.bomb("user/102 claim way=heard", usize::MAX);
        remote.locate("102").await;
        pass(10 * SECOND).await;
        assert_eq!(central.seen(fell, "omm fault text=user/102 fell over"), 2, "{}", central.trace());
        assert_eq!(central.falls().await, 0);
    });
}

#[test]
fn a_user_whose_record_cannot_be_read_is_not_hired_without_it() {
    story(async {
        let ground = two_at_home().await;
        ground.bomb("user/101 located", 1);
        ground.disk.durable.borrow_mut().insert(b"roam/101".to_vec(), b"{".to_vec());
        let fell = now(&ground);
        ground.locate("101").await;
        pass(SECOND / 2).await;
        let text = "omm fault text=the OMM starts over from its store: the record `roam/101` cannot be read";
        assert_eq!(ground.seen(fell, text), 1, "{}", ground.trace());
    });
}
