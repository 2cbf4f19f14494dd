//! Serial, parallel, and drills.

use super::*;

fn story(tiers: u8, mode: Mode) -> Story {
    let mut story = Story::of(tiers);
    story.line = Line::new(tiers, Arc::new(Timing::default())).in_mode(mode);
    story
}

#[test]
fn serial_stays_where_it_is_and_takes_the_next_in_turn() {
    let mut story = story(3, Mode::Serial);
    story.check(bind(), &["0 register"]);
    story.check(registered(0), &["bound 0", "listed"]);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(server(0, Standing::Recovering), &[]);
    story.check(server(0, Standing::Usable), &[]);
    assert_eq!(story.line.deadline(), None, "nobody goes back");
    // The next in turn, not the first.
    story.check(failed(1, Failure::Silent), &["failed 1 silent", "1 rest", "failover 1>2", "2 register"]);
    story.check(registered(2), &["bound 2", "listed"]);
    story.check(server(2, Standing::Down), &["2 rest", "failover 2>0", "0 register"]);
}

#[test]
fn parallel_is_registered_everywhere_and_loses_nothing_with_one_server() {
    let mut story = story(3, Mode::Parallel);
    story.check(bind(), &["0 register", "1 register", "2 register"]);
    story.check(registered(1), &["failover 0>1", "bound 1", "listed"]);
    story.check(registered(0), &["failback 1>0", "bound 0", "listed"]);
    story.check(registered(2), &["bound 2", "listed"]);
    // One server less: nothing is sent to the others.
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1"]);
    story.check(server(0, Standing::Recovering), &["0 register"]);
    story.check(registered(0), &["failback 1>0", "bound 0", "listed"]);
    story.check(Input::Renew, &["0 renew", "1 renew", "2 renew"]);
    story.check(Input::Unbind, &["0 remove", "1 remove", "2 remove"]);
    story.check(removed(0, Removal::Removed), &[]);
    story.check(removed(2, Removal::Unknown), &[]);
    story.check(removed(1, Removal::Removed), &["released unknown"]);
}

#[test]
fn parallel_tells_of_a_failure_only_when_no_tier_is_left() {
    let mut story = story(2, Mode::Parallel);
    story.check(bind(), &["0 register", "1 register"]);
    story.check(registered(0), &["bound 0", "listed"]);
    story.check(failed(1, Failure::Rejected(403)), &[]);
    story.check(failed(0, Failure::Silent), &["failed 0 silent"]);
    story.check(registered(1), &["failover 0>1", "bound 1", "listed"]);
    story.check(done(0), &[]);
    story.check(Input::Fallen { tier: 0 }, &["0 register"]);
}

#[test]
fn parallel_bindings_hear_when_another_tier_serves_the_user_and_when_none_does() {
    let mut line = Line::new(2, Arc::new(Timing::default())).in_mode(Mode::Parallel);
    let mut told = |input| {
        let mut out = Vec::new();
        line.on(Moment::START, input, &mut out);
        let sheltered = |effect| match effect {
            Effect::Tell { tier, order: Order::Sheltered(sheltered) } => Some((tier, sheltered)),
            _ => None,
        };
        out.into_iter().filter_map(sheltered).collect::<Vec<_>>()
    };
    assert_eq!(told(bind()), []);
    assert_eq!(told(registered(0)), [(1, true)]);
    assert_eq!(told(failed(1, Failure::Silent)), []);
    assert_eq!(told(failed(0, Failure::Silent)), [(1, false)]);
    assert_eq!(told(registered(1)), [(0, true)]);
}

#[test]
fn a_drill_moves_everybody_and_its_end_brings_them_back_at_once() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Drilled), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(server(0, Standing::Usable), &["0 register"]);
    story.check(registered(0), &["failback 1>0", "1 remove", "bound 0", "listed"]);
}

#[test]
fn a_drill_silences_nobody() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Drilled), &["0 rest", "failover 0>1", "1 register"]);
    // The server of the drill dies: what is drained is used after all.
    story.check(server(1, Standing::Down), &["1 rest", "failover 1>0", "0 register"]);
    let mut story = Story::bound(1);
    story.check(server(0, Standing::Drilled), &[]);
}
