//! Lines as stories: what is told to which tier, in which order.

use super::*;

mod modes;
mod servers;
mod urgency;

const CONTACT: &str = "sip:101@10.0.1.1:5060;hm-site=1;hm-ep=1";

struct Story {
    line: Line,
    now: Moment,
}

impl Story {
    fn of(tiers: u8) -> Story {
        Story { line: Line::new(tiers, Arc::new(Timing::default())), now: Moment::from_millis(1000) }
    }

    /// A story in which tier 0 is registered.
    fn bound(tiers: u8) -> Story {
        let mut story = Story::of(tiers);
        story.check(bind(), &["0 register"]);
        story.check(registered(0), &["bound 0", "listed"]);
        story
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    #[track_caller]
    fn check(&mut self, input: Input, expected: &[&str]) {
        let mut out = Vec::new();
        let told = format!("{input:?}");
        self.line.on(self.now, input, &mut out);
        assert_eq!(shown(&out), expected, "{told}");
    }

    #[track_caller]
    fn returns(&mut self, after: u64, expected: &[&str]) {
        self.now = self.now + Duration::from_secs(after);
        assert_eq!(self.line.deadline(), Some((self.now, "return")));
        let mut out = Vec::new();
        self.line.wake(self.now, &mut out);
        assert_eq!(shown(&out), expected);
    }
}

/// All but how urgent it is, and whether another tier serves: these come with nearly every move, and have stories of
/// their own.
fn shown(out: &[Effect]) -> Vec<String> {
    let is_aside = |effect: &&Effect| {
        matches!(effect, Effect::Tell { order: Order::Haste(_) | Order::Sheltered(_), .. })
    };
    out.iter().filter(|effect| !is_aside(effect)).map(show).collect()
}

fn bind() -> Input {
    Input::Bind { contact: CONTACT.into() }
}

fn registered(tier: u8) -> Input {
    let report = Report::Registered { granted: Duration::from_secs(3600), listed: Vec::new() };
    Input::Report { tier, report }
}

fn failed(tier: u8, failure: Failure) -> Input {
    Input::Report { tier, report: Report::Failed(failure) }
}

fn removed(tier: u8, removal: Removal) -> Input {
    Input::Report { tier, report: Report::Removed(removal) }
}

fn done(tier: u8) -> Input {
    Input::Report { tier, report: Report::Done }
}

fn server(tier: u8, standing: Standing) -> Input {
    Input::Server { tier, standing }
}

fn show(effect: &Effect) -> String {
    match effect {
        Effect::Tell { tier, order } => format!("{tier} {}", word(order)),
        Effect::Bound { tier, granted } => {
            assert_eq!(*granted, Duration::from_secs(3600));
            format!("bound {tier}")
        }
        Effect::Granted { tier, grant } => format!("granted {tier} {}", grant.is_some()),
        Effect::Failed { tier, failure } => format!("failed {tier} {failure}"),
        Effect::Released(removal) => format!("released {removal}"),
        Effect::Listed(_) => "listed".to_owned(),
        Effect::Failover { from, to } => format!("failover {from}>{to}"),
        Effect::Failback { from, to } => format!("failback {from}>{to}"),
        Effect::Retire { tier } => format!("retire {tier}"),
    }
}

fn word(order: &Order) -> String {
    match order {
        Order::Register { contact } if **contact == *CONTACT => "register".to_owned(),
        Order::Register { contact } => format!("register {contact}"),
        Order::Renew => "renew".to_owned(),
        Order::Query => "query".to_owned(),
        Order::Evict(contacts) => format!("evict {}", contacts.len()),
        Order::Remove => "remove".to_owned(),
        Order::Rest => "rest".to_owned(),
        Order::Resume { .. } => "resume".to_owned(),
        Order::Hold(rest) => format!("hold {}", rest.as_secs()),
        Order::Caution(cautious) => format!("caution {cautious}"),
        Order::Inherit(_) => "inherit".to_owned(),
        Order::Retry => "retry".to_owned(),
        Order::Haste(rank) => format!("haste {rank:?}").to_lowercase(),
        Order::Prove => "prove".to_owned(),
        Order::Heed(demands) => format!("heed {}", demands.shed),
        Order::Urge => "urge".to_owned(),
        Order::Sheltered(sheltered) => format!("sheltered {sheltered}"),
        Order::Audit => "audit".to_owned(),
        Order::Restore => "restore".to_owned(),
    }
}

#[test]
fn the_lowest_usable_tier_is_chosen() {
    use Standing::{Down, Recovering, Usable};
    for (standings, expected) in [
        ([Usable, Usable, Usable], "0 register"),
        ([Down, Usable, Usable], "1 register"),
        ([Recovering, Down, Usable], "2 register"),
        ([Down, Recovering, Down], "1 register"),
        ([Down, Down, Down], "0 register"),
    ] {
        let mut story = Story::of(3);
        for (tier, standing) in (0..).zip(standings) {
            story.check(server(tier, standing), &[]);
        }
        story.check(bind(), &[expected]);
    }
}

#[test]
fn orders_go_to_the_current_tier_and_nowhere_without_one() {
    let mut story = Story::of(2);
    story.check(Input::Renew, &[]);
    story.check(Input::Evict(vec!["sip:x@y".to_owned()]), &[]);
    story.check(Input::Query, &["0 query"]);
    story.check(bind(), &["0 register"]);
    story.check(Input::Renew, &["0 renew"]);
    story.check(Input::Evict(vec!["sip:x@y".to_owned()]), &["0 evict 1"]);
    story.check(Input::Query, &["0 query"]);
    story.check(Input::Bind { contact: "sip:new@h".into() }, &["0 register sip:new@h"]);
}

#[test]
fn a_failed_query_is_told_to_somebody_who_is_not_registered_yet() {
    let mut story = Story::of(2);
    story.check(Input::Query, &["0 query"]);
    story.check(failed(0, Failure::Silent), &["failed 0 silent"]);
    story.check(done(0), &["retire 0"]);
}

#[test]
fn a_server_that_goes_down_is_left_at_once_and_not_deregistered() {
    let mut story = Story::bound(3);
    story.check(server(1, Standing::Down), &[]);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>2", "2 register"]);
    story.check(registered(2), &["bound 2", "listed"]);
    assert_eq!((story.line.current(), story.line.deadline()), (Some(2), None));
}

#[test]
fn the_only_server_that_goes_down_is_used_all_the_same() {
    let mut story = Story::bound(1);
    story.check(server(0, Standing::Down), &[]);
    story.check(failed(0, Failure::Silent), &["failed 0 silent"]);
    story.check(server(0, Standing::Recovering), &["0 retry"]);
    story.check(registered(0), &["bound 0", "listed"]);
    story.check(server(0, Standing::Usable), &[]);
}

#[test]
fn the_users_own_failure_moves_him_on_when_the_server_is_to_blame() {
    for failure in [Failure::Silent, Failure::Unsent, Failure::Refused(500), Failure::NotStored] {
        let mut story = Story::bound(2);
        let told = format!("failed 0 {failure}");
        story.check(failed(0, failure), &[&told, "0 rest", "failover 0>1", "1 register"]);
    }
    for failure in [Failure::Rejected(403), Failure::Lapsed] {
        let mut story = Story::bound(2);
        story.check(failed(0, failure), &[&format!("failed 0 {failure}")]);
        assert_eq!(story.line.current(), Some(0));
    }
}

#[test]
fn when_every_tier_failed_the_first_goes_on_with_its_own_back_off() {
    let mut story = Story::of(3);
    story.check(bind(), &["0 register"]);
    story.check(failed(0, Failure::Silent), &["failed 0 silent", "0 rest", "failover 0>1", "1 register"]);
    story.check(failed(1, Failure::Silent), &["failed 1 silent", "1 rest", "failover 1>2", "2 register"]);
    story.check(failed(2, Failure::Silent), &["failed 2 silent", "2 rest", "failover 2>0", "0 resume"]);
    // The next round visits all of them again.
    story.check(failed(0, Failure::Silent), &["failed 0 silent", "0 rest", "failover 0>1", "1 register"]);
}

#[test]
fn a_server_that_returns_while_nothing_works_is_used_at_once() {
    let mut story = Story::of(2);
    story.check(server(0, Standing::Down), &[]);
    story.check(server(1, Standing::Down), &[]);
    story.check(bind(), &["0 register"]);
    story.check(failed(0, Failure::Silent), &["failed 0 silent"]);
    story.check(server(1, Standing::Recovering), &["0 rest", "failover 0>1", "1 register"]);
}

#[test]
fn a_recovering_server_is_used_when_the_current_one_fails_but_not_before() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(server(0, Standing::Recovering), &[]);
    story.check(failed(1, Failure::Silent), &["failed 1 silent", "1 rest", "failover 1>0", "0 register"]);
}

#[test]
fn failback_makes_before_it_breaks_and_renews_once() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(server(0, Standing::Usable), &["0 register"]);
    assert_eq!(story.line.current(), Some(1));
    story.check(registered(0), &["failback 1>0", "1 remove", "bound 0", "listed"]);
    assert_eq!(story.line.current(), Some(0));
    story.check(removed(1, Removal::Removed), &["0 renew"]);
    story.check(done(1), &["retire 1"]);
    story.check(registered(0), &["bound 0", "listed"]);
}

#[test]
fn a_late_removal_after_a_failback_is_followed_by_a_renewal_too() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(server(0, Standing::Usable), &["0 register"]);
    story.check(registered(0), &["failback 1>0", "1 remove", "bound 0", "listed"]);
    story.check(removed(1, Removal::Unknown), &["0 renew"]);
    story.check(removed(1, Removal::Removed), &["0 renew"]);
    story.check(removed(1, Removal::Removed), &[]);
}

#[test]
fn a_user_in_a_call_fails_back_after_it() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(Input::Busy(true), &[]);
    story.check(server(0, Standing::Usable), &[]);
    story.check(Input::Busy(false), &["0 register"]);
}

#[test]
fn a_failed_failback_changes_nothing() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(server(0, Standing::Usable), &["0 register"]);
    story.check(failed(0, Failure::Rejected(403)), &["0 rest"]);
    assert_eq!(story.line.current(), Some(1));
    story.returns(600, &["0 register"]);
    story.check(server(0, Standing::Down), &["0 rest"]);
    assert_eq!(story.line.deadline(), None);
}

#[test]
fn the_current_tier_fails_during_a_failback() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(server(0, Standing::Usable), &["0 register"]);
    story.check(failed(1, Failure::Silent), &["failed 1 silent", "1 rest", "failover 1>0"]);
    story.check(registered(0), &["bound 0", "listed"]);
}

#[test]
fn a_user_who_left_a_server_in_good_standing_returns_after_the_hold() {
    let mut story = Story::bound(2);
    story.check(
        failed(0, Failure::Refused(405)),
        &["failed 0 refused 405", "0 rest", "failover 0>1", "1 register"],
    );
    story.check(registered(1), &["bound 1", "listed"]);
    story.returns(600, &["0 register"]);
    story.check(registered(0), &["failback 1>0", "1 remove", "bound 0", "listed"]);
}

#[test]
fn a_draining_server_is_told_for_how_long_nobody_may_send() {
    let mut story = Story::bound(1);
    story.check(server(0, Standing::Draining(Duration::from_secs(60))), &["0 hold 60"]);
    story.later(20);
    story.check(Input::Bind { contact: "sip:new@h".into() }, &["0 hold 40", "0 register sip:new@h"]);
    let mut story = Story::bound(2);
    let drain = server(0, Standing::Draining(Duration::from_secs(60)));
    story.check(drain, &["0 hold 60", "0 rest", "failover 0>1", "1 register"]);
}

#[test]
fn unbind_removes_at_every_tier_and_reports_the_worst() {
    let mut story = Story::of(2);
    story.check(Input::Unbind, &["released nothing"]);
    story.check(bind(), &["0 register"]);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(Input::Unbind, &["0 remove", "1 remove"]);
    story.check(removed(1, Removal::Removed), &[]);
    story.check(removed(0, Removal::Unknown), &["released unknown"]);
    story.check(done(1), &["retire 1"]);
    story.check(removed(0, Removal::Removed), &["released removed"]);
    story.check(done(0), &["retire 0"]);
    story.check(Input::Unbind, &["released nothing"]);
}

#[test]
fn outcomes_are_ordered_from_nothing_to_unknown() {
    use Removal::{Failed, Nothing, Removed, Unknown};
    for (zero, one, worst) in [
        (Nothing, Removed, "removed"),
        (Removed, Failed(403), "failed 403"),
        (Unknown, Failed(403), "unknown"),
        (Nothing, Nothing, "nothing"),
    ] {
        let mut story = Story::bound(2);
        story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
        story.check(Input::Unbind, &["0 remove", "1 remove"]);
        story.check(removed(0, zero), &[]);
        story.check(removed(1, one), &[&format!("released {worst}")]);
    }
}

#[test]
fn a_user_who_comes_back_while_the_removal_runs_is_registered_behind_it() {
    let mut story = Story::bound(2);
    story.check(Input::Unbind, &["0 remove"]);
    story.check(bind(), &["0 register"]);
    story.check(removed(0, Removal::Removed), &["released removed"]);
    story.check(done(0), &[]);
    story.check(registered(0), &["bound 0", "listed"]);
}

#[test]
fn a_late_answer_of_a_tier_that_rests_is_not_taken_for_the_current_one() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(0), &[]);
    story.check(failed(0, Failure::Lapsed), &[]);
    story.check(done(0), &["retire 0"]);
    story.check(done(1), &[]);
}

#[test]
fn caution_reaches_present_and_future_bindings() {
    let mut story = Story::bound(2);
    story.check(Input::Caution(true), &["0 caution true"]);
    story.check(Input::Caution(true), &[]);
    let expected = ["0 rest", "failover 0>1", "1 caution true", "1 register"];
    story.check(server(0, Standing::Down), &expected);
    story.check(Input::Caution(false), &["0 caution false", "1 caution false"]);
}

#[test]
fn a_tier_that_does_not_exist_is_ignored() {
    let mut story = Story::bound(1);
    story.check(server(7, Standing::Down), &[]);
    story.check(removed(7, Removal::Removed), &[]);
    story.check(done(7), &[]);
    story.check(failed(7, Failure::Silent), &[]);
}

#[test]
fn the_trace_tells_of_moves_only() {
    let note = Line::note_effect(&Effect::Failover { from: 0, to: 2 }).map(|note| note.to_string());
    assert_eq!(note.as_deref(), Some("failover from=0 to=2"));
    let note = Line::note_effect(&Effect::Failback { from: 2, to: 0 }).map(|note| note.to_string());
    assert_eq!(note.as_deref(), Some("failback from=2 to=0"));
    assert_eq!(Line::note_effect(&Effect::Released(Removal::Removed)), None);
}

#[test]
fn a_server_with_a_new_verdict_is_tried_at_once_though_it_failed_before() {
    let mut story = Story::bound(2);
    story.check(failed(0, Failure::Silent), &["failed 0 silent", "0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(server(0, Standing::Down), &[]);
    story.check(server(0, Standing::Recovering), &[]);
    story.check(failed(1, Failure::Silent), &["failed 1 silent", "1 rest", "failover 1>0", "0 register"]);
}

#[test]
fn what_was_registered_at_a_tier_before_it_was_left_counts_no_longer() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(registered(1), &["bound 1", "listed"]);
    story.check(server(0, Standing::Usable), &["0 register"]);
    story.check(registered(0), &["failback 1>0", "1 remove", "bound 0", "listed"]);
    story.check(removed(1, Removal::Removed), &["0 renew"]);
    story.check(failed(0, Failure::Silent), &["failed 0 silent", "0 rest", "failover 0>1", "1 register"]);
    story.check(server(1, Standing::Usable), &["1 retry"]);
    story.check(failed(1, Failure::Silent), &["failed 1 silent", "1 rest", "failover 1>0", "0 resume"]);
    story.check(server(0, Standing::Usable), &["0 retry"]);
}

#[test]
fn a_server_that_recovers_while_the_current_one_fails_is_used_at_once() {
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(failed(1, Failure::Silent), &["failed 1 silent"]);
    story.check(server(0, Standing::Recovering), &["1 rest", "failover 1>0", "0 register"]);
    story.check(server(0, Standing::Usable), &["0 retry"]);
    // A refusal of the user is no reason to move.
    let mut story = Story::bound(2);
    story.check(server(0, Standing::Down), &["0 rest", "failover 0>1", "1 register"]);
    story.check(failed(1, Failure::Rejected(403)), &["failed 1 rejected 403"]);
    story.check(server(0, Standing::Recovering), &[]);
}

#[test]
fn a_contact_from_before_a_restart_is_made_known_at_every_tier() {
    let leftover = Leftover { contacts: vec![CONTACT.into()], remaining: Duration::from_secs(100) };
    let mut story = Story::of(2);
    story.check(Input::Inherit(leftover), &["0 inherit", "1 inherit"]);
    story.check(Input::Unbind, &["0 remove", "1 remove"]);
    story.check(removed(0, Removal::Removed), &[]);
    story.check(removed(1, Removal::Nothing), &["released removed"]);
}

#[test]
fn a_binding_that_lost_its_memory_is_told_anew_what_is_wanted() {
    let mut story = Story::bound(2);
    story.check(Input::Caution(true), &["0 caution true"]);
    story.check(Input::Fallen { tier: 0 }, &["0 caution true", "0 register"]);
    story.check(Input::Fallen { tier: 1 }, &[]);
    let mut story = Story::bound(1);
    story.check(Input::Unbind, &["0 remove"]);
    story.check(Input::Fallen { tier: 0 }, &["released unknown"]);
}
