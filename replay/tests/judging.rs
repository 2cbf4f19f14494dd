//! What a judge makes of a trace: each test is a scenario, the events of a run, and the verdicts.

use std::sync::Arc;

use machine::note::Value;
use machine::time::Moment;
use replay::judge::Judge;
use replay::ladder::Ladder;
use replay::plan::{self, Override};
use replay::report::Report;
use replay::script::reader;
use replay::trace::Entry;

const WORLD: &str = "scenario \"Judging\"\nsite central central\nsite aachen\nsite berlin\nregistrar pbx\n\
     link aachen-central\nlink berlin-central\nuser anna number 101 home aachen\nuser ben number 102 home aachen\n";

/// The contacts of user 101 and 102 at aachen and berlin, as an OMM writes them.
const AACHEN: &str = "contact=sip:101@10.0.2.1:5060;hm-site=102A7020;hm-ep=1";
const BERLIN: &str = "contact=sip:101@10.0.3.1:5060;hm-site=102A7030;hm-ep=2";

fn plan_of(script: &str) -> Arc<plan::Plan> {
    let text = format!("{WORLD}{script}");
    let script = reader::read("case.scn", &text, &mut |_| Err(String::new())).unwrap_or_else(|wrong| {
        panic!("{}", wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    });
    Arc::new(plan::make(&script, Override::default()).unwrap())
}

/// `SECONDS NODE WHO EVENT KEY=VALUE ..`
fn entry(line: &str) -> Entry {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap().to_string();
    let (at, node, who, event) = (word(), word(), word(), word());
    let fields = words.map(|field| {
        let (key, value) = field.split_once('=').unwrap();
        let number = matches!(key, "code" | "expires").then(|| value.parse().unwrap());
        (key.to_string(), number.map_or_else(|| Value::Text(value.to_string()), Value::Number))
    });
    let at = Moment::from_millis((at.parse::<f64>().unwrap() * 1000.0).round() as u64);
    Entry { at, node, who, event, fields: fields.collect() }
}

fn run(script: &str, events: &[&str]) -> Report {
    let plan = plan_of(script);
    let mut judge = Judge::new(&plan);
    for line in events {
        judge.see(&entry(line).sight());
    }
    Report::new(&plan, &judge.finish(plan.end))
}

/// The verdict of each assert and trigger, with what was so instead.
fn verdicts(script: &str, events: &[&str]) -> Vec<String> {
    let report = run(script, events);
    let asked = report.checks.iter().filter(|line| line.kind != "invariant");
    asked
        .map(|line| {
            format!("{}{}", line.verdict, line.why.as_ref().map_or(String::new(), |why| format!(": {why}")))
        })
        .collect()
}

/// The invariants that did not hold, or could not be judged, with why.
fn broken(script: &str, events: &[&str]) -> Vec<String> {
    let report = run(script, events);
    let kept = report.checks.iter().filter(|line| line.kind == "invariant" && line.verdict != "passed");
    kept.map(|line| {
        format!("{} {}: {}", line.text.split(':').next().unwrap(), line.verdict, line.why.as_deref().unwrap())
    })
    .collect()
}

fn bound(at: &str, contact: &str) -> String {
    format!("{at} pbx registrar bound aor=sip:101@pbx.example {contact} expires=3600")
}

fn gone(at: &str, event: &str, contact: &str) -> String {
    format!("{at} pbx registrar {event} aor=sip:101@pbx.example {contact} expires=0")
}

#[test]
fn an_expectation_is_ruled_at_its_moment_by_what_stood_then() {
    let script = "at 10s expect anna registered at berlin\nat 20s expect anna registered at berlin via pbx\nat 30s end\n";
    let events = [bound("10.5", BERLIN), bound("11", AACHEN)];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &events), ["failed: anna is registered nowhere", "passed"]);
}

#[test]
fn within_lets_it_come_later_but_not_too_late() {
    let script = "at 10s expect anna registered within 2s\nat 10s expect anna bound 2 times at pbx within 2s\nat 30s end\n";
    let events = [bound("12", BERLIN), bound("12.001", AACHEN)];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &events), ["passed", "failed: anna is registered at berlin via pbx"]);
}

#[test]
fn a_contact_that_is_replaced_in_one_instant_was_never_missing() {
    let script =
        "at 5s always anna registered via pbx\n      never duplicate registrations > 0\nat 30s end\n";
    let events = [bound("1", AACHEN), gone("10", "replaced", AACHEN), bound("10", BERLIN)];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &events), ["passed", "passed"]);
    let late = [bound("1", AACHEN), gone("10", "replaced", AACHEN), bound("10.001", BERLIN)];
    let late: Vec<&str> = late.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &late), ["failed: anna is registered nowhere", "passed"]);
}

#[test]
fn a_second_omm_is_a_duplicate_and_a_second_server_is_not() {
    let script = "never duplicate registrations > 0\nat 30s end\n";
    let two = [bound("1", AACHEN), bound("2", BERLIN)];
    let two: Vec<&str> = two.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &two), ["failed: anna is registered at aachen via pbx, at berlin via pbx"]);
    let again = [bound("1", AACHEN), bound("2", AACHEN)];
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &again), ["passed"]);
}

#[test]
fn a_failure_shows_the_event_and_ten_around_it_and_how_to_replay_it() {
    let script = "at 5s always anna registered\nat 90s end\n";
    let mut events: Vec<String> = vec![bound("1", AACHEN)];
    events.extend((10..18).map(|at| format!("{at} berlin user/102 renew")));
    events.push(gone("20", "expired", AACHEN));
    events.extend((30..40).map(|at| format!("{at} berlin user/102 renew")));
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let expected = "\
failed Judging: 4 checks passed, 1 failed, 2 not run (seed 1, 20 events, until 00:01:30.000)

case.scn:10 always anna registered
  failed at 00:00:20.000: anna is registered nowhere
    00:00:14.000 berlin user/102 renew
    00:00:15.000 berlin user/102 renew
    00:00:16.000 berlin user/102 renew
    00:00:17.000 berlin user/102 renew
  > 00:00:20.000 pbx registrar expired aor=sip:101@pbx.example contact=sip:101@10.0.2.1:5060;hm-site=102A7020;hm-ep=1 expires=0
    00:00:30.000 berlin user/102 renew
    00:00:31.000 berlin user/102 renew
    00:00:32.000 berlin user/102 renew
    00:00:33.000 berlin user/102 renew
    00:00:34.000 berlin user/102 renew

replay it: homing replay case.scn --seed 1
";
    assert_eq!(run(script, &events).console(), expected);
}

#[test]
fn all_users_means_those_whose_phone_is_on_and_there() {
    let script = "at 10s expect all users registered\nat 20s expect all users at aachen registered\n\
         at 30s expect all users registered\nat 40s end\n";
    let ben = "5 pbx registrar bound aor=sip:102@pbx contact=sip:102@10.0.3.1:5060 expires=60";
    let events = [ben, "6 berlin user/102 located", "25 aachen user/101 detached"];
    let expected = [
        "failed: 1 user is not; the first is anna, who is registered nowhere",
        "failed: 1 user is not; the first is anna, who is registered nowhere",
        "passed",
    ];
    assert_eq!(verdicts(script, &events), expected);
}

#[test]
fn a_roam_is_unconfirmed_when_the_time_for_the_confirm_is_over() {
    let script = "at 10s roam anna to berlin\n expect roam of anna unconfirmed within 15s\n\
         at 20s expect roam of anna unconfirmed\nat 40s expect roam of anna confirmed\n\
         expect anna owned by berlin at all sites\nat 50s end\n";
    let claim = "claim user=101 owner=102A7030 epoch=5000.0.102A7030 phase=here former=102A7020";
    let said = format!("10 berlin user/101 {claim} way=said");
    let heard =
        [format!("30 aachen user/101 {claim} way=heard"), format!("30 central user/101 {claim} way=heard")];
    let confirm = "30 berlin user/101 confirm way=heard epoch=5000.0.102A7030 from=102A7020 outcome=removed";
    let events = [&said, &heard[0], &heard[1], confirm];
    let expected =
        ["passed", "failed: anna was claimed by berlin 10s before and is not confirmed", "passed", "passed"];
    assert_eq!(verdicts(script, &events), expected);
}

#[test]
fn an_order_is_kept_over_other_events_and_broken_by_a_swap() {
    let script = "at 10s expect order of anna: register(berlin initial), removed(pbx), confirm(aachen removed), register(berlin kind=renew) within 5s\n\
         at 30s end\n";
    let removed = gone("10.3", "removed", AACHEN);
    let kept = [
        "10 berlin binding/101@pbx register server=pbx kind=initial",
        "10.1 berlin binding/102@pbx register server=pbx kind=renew",
        &removed,
        "10.4 aachen user/101 confirm way=said outcome=removed",
        "10.5 berlin binding/101@pbx register server=pbx kind=renew",
    ];
    assert_eq!(verdicts(script, &kept), ["passed"]);
    let swapped = [kept[0], kept[3], kept[2], kept[4]].map(str::to_string);
    let mut swapped: Vec<String> = swapped.into();
    swapped[1] = swapped[1].replace("10.4", "10.2");
    let swapped: Vec<&str> = swapped.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &swapped), ["failed: event 3 of 4 never came: confirm(aachen removed)"]);
}

#[test]
fn links_and_sync_are_what_the_remote_says() {
    let script = "at 10s expect link aachen-central up\n expect sync aachen complete\nat 20s expect link aachen-central down\n\
         at 30s expect link aachen-central held version\nat 40s end\n";
    let events = [
        "1 aachen link/central link state=synchronising",
        "2 aachen star sync state=joined peer=102A7010",
        "15 aachen link/central link state=lost",
        "25 aachen link/central link state=held reason=Version",
    ];
    assert_eq!(verdicts(script, &events), ["passed", "passed", "passed", "passed"]);
    assert_eq!(verdicts(script, &events[2..])[0], "failed: the link is down");
}

#[test]
fn registers_are_counted_in_all_and_in_a_window() {
    let script = "always registers at pbx <= 2 per 1s\nat 10s expect registers at pbx = 4\nlimit registers at pbx < 4\n\
         limit claims = 0\nat 20s end\n";
    let register = |at: &str| format!("{at} berlin binding/101@pbx register server=pbx kind=refresh");
    let slow: Vec<String> = ["1", "1.5", "2.5", "3"].iter().map(|at| register(at)).collect();
    let slow: Vec<&str> = slow.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &slow), ["passed", "passed", "failed: there were 4", "passed"]);
    let fast: Vec<String> = ["1", "1.5", "1.9", "3"].iter().map(|at| register(at)).collect();
    let fast: Vec<&str> = fast.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &fast)[0], "failed: there were 3 REGISTER requests");
}

#[test]
fn a_trigger_fires_once_and_one_that_never_fires_is_a_failure() {
    let script = "at 10s locate anna\nwhen claim(berlin) of anna: kill berlin\nat 60s end\n";
    let plan = plan_of(script);
    let mut judge = Judge::new(&plan);
    for line in ["5 berlin user/101 claim", "11 berlin user/102 claim", "12 aachen user/101 claim"] {
        judge.see(&entry(line).sight());
        assert_eq!(judge.fired(), [0_usize; 0], "{line}");
    }
    judge.see(&entry("13 berlin user/101 claim").sight());
    assert_eq!(judge.fired(), [0]);
    judge.see(&entry("14 berlin user/101 claim").sight());
    assert_eq!(judge.fired(), [0_usize; 0]);
    let never = verdicts(script, &[]);
    assert_eq!(never, ["failed: this event never came, so what hangs on it was not done"]);
}

#[test]
fn a_run_that_ends_early_has_not_checked_everything() {
    let plan = plan_of("at 10s expect anna registered\nat 20s expect ben registered\nat 30s end\n");
    let judge = Judge::new(&plan);
    let report = Report::new(&plan, &judge.finish(Moment::from_millis(5000)));
    assert_eq!(report.exit_code(), 4);
    assert_eq!(report.checks[0].why.as_deref(), Some("the run ended at 00:00:05.000, before 00:00:10.000"));
}

const CALM: &str = "at 0s start all\nat 6h end\n";

#[test]
fn i5_and_i6_are_judged_when_the_world_has_come_to_rest() {
    let claim = "claim user=101 owner=102A7030 epoch=5000.0.102A7030 phase=here way=heard";
    let claims: Vec<String> =
        ["central", "aachen", "berlin"].iter().map(|site| format!("10 {site} user/101 {claim}")).collect();
    let mut events = claims.clone();
    events.push(bound("11", BERLIN));
    let good: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(broken(CALM, &good), [""; 0]);
    events.push(bound("12", AACHEN));
    let stray: Vec<&str> = events.iter().map(String::as_str).collect();
    let found = broken(CALM, &stray);
    assert!(found[0].contains("I5 failed: 1 times: 06:00:00.000 anna is registered by aachen via pbx, and aachen believes that berlin owns it"), "{found:?}");
    assert!(found[1].contains("I6 failed: 1 times: 06:00:00.000 anna belongs to berlin and is registered at berlin via pbx, at aachen via pbx"), "{found:?}");
    let restless = broken("at 0s start all\nat 5h 30m cut link aachen-central\nat 6h end\n", &stray);
    assert_eq!(restless[0], "I5 not-run: link aachen-central is cut at the end");
}

#[test]
fn i6_sees_omms_that_disagree() {
    let events = [
        "10 aachen user/101 claim owner=102A7020 epoch=4000.0.102A7020",
        "10 berlin user/101 claim owner=102A7030 epoch=5000.0.102A7030",
    ];
    let found = broken(CALM, &events);
    assert!(found[0].contains("anna: aachen says that aachen is the owner, berlin says berlin"), "{found:?}");
}

#[test]
fn i6_sees_who_is_registered_without_a_handset() {
    let claims = [
        "aachen user/101 claim owner=102A7020 epoch=4000.0.102A7020",
        "berlin user/101 claim owner=102A7030 epoch=5000.0.102A7030",
    ];
    let mut events: Vec<String> = claims.iter().map(|claim| format!("10 {claim}")).collect();
    events.push(bound("11", AACHEN));
    let deleted =
        ["central", "aachen", "berlin"].map(|site| format!("20 {site} directory user state=gone number=101"));
    events.extend(deleted);
    let all: Vec<&str> = events.iter().map(String::as_str).collect();
    let found = broken(CALM, &all);
    assert!(found[0].ends_with("anna is with no handset and is registered at aachen via pbx"), "{found:?}");
    // Nobody cares who had her.
    events.push(gone("30", "removed", AACHEN));
    let all: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(broken(CALM, &all), [""; 0]);
}

#[test]
fn i8_sees_two_registers_in_flight_and_not_one_after_an_answer() {
    let first = "10 berlin binding/101@pbx register server=pbx kind=initial";
    let second = "11 berlin binding/101@pbx register server=pbx kind=renew";
    assert!(broken(CALM, &[first, second])[0].starts_with("I8 failed: 1 times"));
    assert_eq!(broken(CALM, &[first, "10.5 berlin binding/101@pbx answer code=401", second]), [""; 0]);
    assert_eq!(broken(CALM, &[first, "11 berlin binding/102@pbx register server=pbx kind=initial"]), [""; 0]);
    assert_eq!(broken(CALM, &[first, "10.5 berlin world crash", second]), [""; 0]);
}

/// Two registrars behind a name of the DNS, which leads to the first of them at first.
const NAMED: &str = "registrar one\nregistrar two\ndns sip.pool a one\nproxies berlin: sip.pool\n";

#[test]
fn i8_judges_bindings_at_a_name_of_the_dns_too() {
    let script = format!("{NAMED}{CALM}");
    let first = "10 berlin binding/101@sip.pool register server=sip.pool kind=initial";
    let second = "11 berlin binding/101@sip.pool register server=sip.pool kind=renew";
    assert!(broken(&script, &[first, second])[0].starts_with("I8 failed: 1 times"));
    assert_eq!(
        broken(&script, &[first, "10.5 berlin binding/101@sip.pool answer code=200", second]),
        [""; 0]
    );
    let lost = "10.5 berlin flows flow state=lost to=udp:10.0.0.12:5060";
    assert_eq!(
        broken(&script, &[first, lost, second]),
        [""; 0],
        "it went to one, and the flow to one is lost"
    );
    let other = "10.5 berlin flows flow state=lost to=udp:10.0.0.13:5060";
    assert!(broken(&script, &[first, other, second])[0].starts_with("I8 failed: 1 times"));
}

#[test]
fn registers_are_counted_at_the_server_to_which_a_name_leads() {
    let script = format!(
        "{NAMED}at 0s start all\nat 20s expect registers at one = 1\nat 20s expect registers at two = 0\n\
         at 40s expect registers at two = 2\nat 60s expect registers at one = 2\nat 2m end\n\
         limit registers at two = 2\nlimit registers at pbx = 0\n"
    );
    let sent = |at: u32, more: &str| {
        format!("{at} berlin binding/101@sip.pool register server=sip.pool kind=initial{more}")
    };
    let events = [
        sent(10, ""),
        sent(25, " target=udp:10.0.0.13:5060"),
        "30 berlin server/sip.pool resolved server=sip.pool targets=udp:10.0.0.13:5060".to_owned(),
        sent(35, ""),
        sent(45, " target=udp:10.0.0.12:5060"),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(verdicts(&script, &events), ["passed"; 6]);
}

#[test]
fn i9_sees_a_star() {
    let star = "10 berlin binding/101@pbx register server=pbx kind=remove contact=*";
    assert!(broken(CALM, &[star])[0].starts_with("I9 failed"));
}

#[test]
fn i12_sees_a_removal_that_the_user_did_not_cause() {
    let bind = "10 berlin user/102 bind epoch=1";
    let remove = "20 berlin binding/102@pbx register server=pbx kind=remove";
    assert!(broken(CALM, &[bind, remove])[0].starts_with("I12 failed: 1 times"));
    assert!(broken(CALM, &[bind, "15 berlin user/101 unbind", remove])[0].starts_with("I12 failed"));
    assert_eq!(broken(CALM, &[bind, "15 berlin user/102 unbind", remove]), [""; 0]);
}

#[test]
fn a_double_registration_must_end_in_time() {
    let short = [bound("10", AACHEN), bound("20", BERLIN), gone("12600", "removed", AACHEN)];
    let short: Vec<&str> = short.iter().map(String::as_str).collect();
    assert_eq!(broken(CALM, &short), [""; 0]);
    let long = [bound("10", AACHEN), bound("20", BERLIN), gone("12621", "removed", AACHEN)];
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let found = broken(CALM, &long);
    assert!(found[0].contains("anna was registered by two OMMs for 3h 30m 1s, at most 3h 30m"), "{found:?}");
}

#[test]
fn a_ladder_has_a_lane_for_each_node_and_an_arrow_for_each_message() {
    let plan = plan_of("at 0s start all\nat 1h end\n");
    let mut ladder = Ladder::new(&plan, 0);
    for line in [
        "600 berlin user/101 located",
        "600 berlin binding/101@pbx register server=pbx kind=initial",
        "600.036 berlin binding/101@pbx answer code=200",
        "600.030 aachen user/101 claim way=heard owner=102A7030",
        "601 aachen user/102 claim way=heard owner=102A7030",
        "601 aachen user/101 watchdog state=expired",
    ] {
        ladder.see(&entry(line).sight());
    }
    let expected = "\
ladder of anna

              phone         aachen        berlin        pbx
00:10:00.000   |-------------------------->|             |            located
00:10:00.000   |             |             |------------>|            register initial
00:10:00.036   |             |             |<------------|            answer 200
00:10:00.030   |             |<------------|             |            claim
00:10:01.000   |             *             |             |            watchdog expired
";
    let shown = ladder.print();
    assert_eq!(shown, expected, "{shown}");
}

#[test]
fn a_report_for_machines_names_every_check() {
    let report = run("at 10s expect anna registered\nat 30s end\n", &[]);
    assert_eq!(report.exit_code(), 1);
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["verdict"], "failed");
    assert_eq!(json["checks"][0]["place"], "case.scn:10");
    assert_eq!(json["checks"][0]["t"], 10_000);
    let junit = report.junit();
    assert!(junit.contains("tests=\"7\""), "{junit}");
    assert!(junit.contains("case.scn:10 expect anna registered"), "{junit}");
    assert!(junit.contains("anna is registered nowhere"), "{junit}");
}

#[test]
fn all_users_are_watched_one_by_one() {
    let script = "at 10s always all users registered\nat 60s end\n";
    let ben = |at: &str, event: &str| {
        format!(
            "{at} pbx registrar {event} aor=sip:102@pbx contact=sip:102@10.0.2.1:5060;hm-site=102A7020 expires=60"
        )
    };
    let mut events =
        vec![bound("1", AACHEN), ben("2", "bound"), bound("20", BERLIN), gone("21", "removed", AACHEN)];
    let all: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(verdicts(script, &all), ["passed"]);
    events.extend([ben("30", "expired"), ben("31", "bound")]);
    let all: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(
        verdicts(script, &all),
        ["failed: 1 user is not; the first is ben, who is registered nowhere"]
    );
}
