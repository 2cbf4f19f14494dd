//! What servers demand, grant and want proven, on its way between their health and the bindings.

use super::*;

#[test]
fn what_a_server_demands_is_told_to_a_binding_and_to_the_next_one() {
    let mut story = Story::of(2);
    let demands = Demands { lacks: crate::extension::Extensions::PATH, shed: 20 };
    story.check(Input::Demands { tier: 0, demands }, &[]);
    // A roam is sent to an overloaded server all the same.
    story.check(bind(), &["0 heed 20", "0 urge", "0 register"]);
    let demands = Demands::default();
    story.check(Input::Demands { tier: 0, demands }, &["0 heed 0"]);
    story.check(bind(), &["0 register"]);
}

#[test]
fn a_start_up_is_no_roam_to_an_overloaded_server() {
    let demands = Demands { shed: 20, ..Demands::default() };
    let mut story = Story::of(2);
    story.check(Input::Demands { tier: 0, demands }, &[]);
    story.check(Input::Haste(Rank::StartUp), &[]);
    story.check(bind(), &["0 heed 20", "0 register"]);
    // He roams away and back while he waits.
    story.check(bind(), &["0 urge", "0 register"]);
}

#[test]
fn any_user_can_be_the_one_who_asks_a_server() {
    let mut story = Story::of(2);
    story.check(Input::Prove { tier: 1 }, &["1 prove"]);
    story.check(done(1), &["retire 1"]);
}

#[test]
fn only_a_binding_that_there_is_looks_or_registers_again() {
    let mut story = Story::of(2);
    story.check(Input::Audit { tier: 0 }, &[]);
    story.check(Input::Restore { tier: 0 }, &[]);
    let mut story = Story::bound(2);
    story.check(Input::Audit { tier: 0 }, &["0 audit"]);
    story.check(Input::Restore { tier: 0 }, &["0 restore"]);
    story.check(Input::Audit { tier: 1 }, &[]);
    story.check(Input::Restore { tier: 1 }, &[]);
}

#[test]
fn what_a_registrar_grants_is_passed_on() {
    let mut story = Story::bound(1);
    let report = Report::Granted(Some(Arc::default()));
    story.check(Input::Report { tier: 0, report }, &["granted 0 true"]);
}

#[test]
fn a_tier_is_told_when_another_one_serves_the_user() {
    let told = |story: &mut Story, input: Input| {
        let mut out = Vec::new();
        story.line.on(story.now, input, &mut out);
        let orders = out.iter().filter_map(|effect| match effect {
            Effect::Tell { tier, order: Order::Sheltered(is) } => Some((*tier, *is)),
            _ => None,
        });
        orders.collect::<Vec<_>>()
    };
    let mut story = Story::bound(2);
    assert_eq!(told(&mut story, server(0, Standing::Down)), []);
    assert_eq!(told(&mut story, registered(1)), []);
    // Back at the first, while the second still serves; then at the first alone.
    assert_eq!(told(&mut story, server(0, Standing::Usable)), [(0, true)]);
    assert_eq!(told(&mut story, registered(0)), []);
    assert_eq!(told(&mut story, bind()), [(0, false)]);
}

#[test]
fn who_stays_at_a_dead_server_for_want_of_another_moves_when_another_is_back() {
    let mut story = Story::bound(2);
    story.check(server(1, Standing::Down), &[]);
    story.check(server(0, Standing::Down), &[]);
    story.check(server(1, Standing::Recovering), &["0 rest", "failover 0>1", "1 register"]);
}
