//! What scripts come to: defaults, spans, repetitions, shares.

use std::time::Duration;

use machine::time::Moment;
use replay::plan::{self, Node, Override, Plan, Verb};
use replay::script::reader;

const WORLD: &str = "site central central\nsite berlin\nsite aachen\nproxy pbx at central\nproxy gw at berlin\n\
     link berlin-central latency 18ms\nlink aachen-central\n";

fn plan_with(script: &str, over: Override) -> Plan {
    let text = format!("{WORLD}{script}");
    let told = |wrong: Vec<replay::script::complaint::Complaint>| {
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let script = reader::read("case.scn", &text, &mut |_| Err(String::new())).map_err(told).unwrap();
    plan::make(&script, over).map_err(told).unwrap()
}

fn plan_of(script: &str) -> Plan {
    plan_with(script, Override::default())
}

/// The steps without the end: seconds and verb.
fn steps(plan: &Plan) -> Vec<(f64, Verb)> {
    let steps = plan.steps.iter().filter(|step| step.verb != Verb::End);
    steps.map(|step| (step.at.as_millis() as f64 / 1000.0, step.verb.clone())).collect()
}

#[test]
fn what_the_script_leaves_open_is_filled_in() {
    let plan = plan_of(
        "user anna\nuser ben number 102 home berlin\nuser cem\nusers 10 home central 70%, aachen 30%\nat 1h end\n",
    );
    assert_eq!(plan.sites[1].park.to_string(), "1F102A7020");
    assert_eq!(plan.sites[1].address.to_string(), "10.0.2.1:5060");
    assert_eq!(plan.servers[1].address.to_string(), "10.0.2.11:5060");
    assert_eq!(
        (&plan.sites[0].tiers, &plan.sites[1].tiers, &plan.sites[2].tiers),
        (&vec![0], &vec![0, 1], &vec![0])
    );
    assert_eq!(plan.links[1].latency, Duration::from_millis(10));
    let numbers: Vec<&str> = plan.users.iter().take(4).map(|user| &*user.number).collect();
    assert_eq!(numbers, ["101", "102", "103", "10001"]);
    let homes: Vec<usize> = plan.users.iter().map(|user| user.home).collect();
    assert_eq!(homes, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2]);
    assert_eq!(&*plan.phones[0].ipei, "0010000000014");
    assert_eq!(plan.wall.as_millis(), 1_767_225_600_000);
    assert_eq!(plan.end, Moment::from_millis(3_600_000));
}

#[test]
fn phones_start_with_their_site_once_and_spread() {
    let plan = plan_of("users 30 home berlin\nat 0s start all over 5m\nat 10m restart berlin\nat 1h end\n");
    let located: Vec<f64> = steps(&plan)
        .into_iter()
        .filter(|(_, verb)| matches!(verb, Verb::Locate { site: 1, .. }))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(located.len(), 30);
    assert!(located.iter().all(|at| (1.0..=301.0).contains(at)));
    assert!(located.last().unwrap() - located.first().unwrap() > 120.0, "{located:?}");
    let starts: Vec<Verb> = steps(&plan).into_iter().take(5).map(|(_, verb)| verb).collect();
    let nodes = [Node::Server(0), Node::Server(1), Node::Site(0), Node::Site(1), Node::Site(2)];
    assert_eq!(starts, nodes.map(Verb::Start));
}

#[test]
fn a_span_becomes_two_verbs_and_a_flap_many() {
    let plan = plan_of(
        "at 10s cut link berlin-central for 20s\nat 40s flap link central-berlin every 5s for 12s\n\
         after 20s slow link berlin-central latency 1s for 5s\nat 70s during 3s: drop proxy pbx\nat 1h end\n",
    );
    let slow = |ms| Verb::Slow {
        link: 0,
        quality: replay::script::action::Quality::Latency(Duration::from_millis(ms)),
    };
    let expected = [
        (10.0, Verb::Cut { link: 0 }),
        (30.0, Verb::Heal { link: 0 }),
        (40.0, Verb::Cut { link: 0 }),
        (45.0, Verb::Heal { link: 0 }),
        (50.0, Verb::Cut { link: 0 }),
        (52.0, Verb::Heal { link: 0 }),
        (60.0, slow(1000)),
        (65.0, slow(18)),
        (70.0, Verb::Drop { server: 0 }),
        (73.0, Verb::Return { server: 0 }),
    ];
    assert_eq!(steps(&plan), expected);
}

#[test]
fn a_share_of_users_is_chosen_by_the_seed_from_those_who_are_there() {
    let script = "users 100 home berlin 50%, aachen 50%\nat 0s start all\nat 1h roam 20% of users at berlin to aachen over 10m\n\
         at 2h roam 100% of users at aachen to central\nat 3h end\n";
    let moved = |plan: &Plan, to: usize| -> Vec<usize> {
        let moved = plan.steps.iter().filter(|step| step.at >= Moment::from_millis(3_600_000));
        moved
            .filter_map(|step| match step.verb {
                Verb::Locate { phone, site } if site == to => Some(phone),
                _ => None,
            })
            .collect()
    };
    let plan = plan_of(script);
    let roamed = moved(&plan, 2);
    assert_eq!(roamed.len(), 10);
    assert!(roamed.iter().all(|phone| plan.users[*phone].home == 1));
    assert_eq!(moved(&plan, 0).len(), 60);
    assert_eq!(moved(&plan_of(script), 2), roamed);
    assert_ne!(moved(&plan_with(script, Override { seed: Some(2), until: None }), 2), roamed);
    let times: Vec<f64> =
        steps(&plan).iter().filter(|(at, _)| (3600.0..7200.0).contains(at)).map(|(at, _)| *at).collect();
    assert_eq!(times, (0..10).map(|index| 3600.0 + 60.0 * f64::from(index)).collect::<Vec<_>>());
}

#[test]
fn every_repeats_until_the_end_and_what_follows_belongs_to_it() {
    let plan = plan_of(
        "user anna home berlin\nevery 10m from 5m until 30m: locate anna at berlin\n  expect anna registered\nat 1h end\n",
    );
    let at: Vec<f64> = steps(&plan).iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [300.0, 900.0, 1500.0]);
    assert_eq!(plan.asserts.len(), 3);
    assert_eq!(plan.asserts[2].from, Moment::from_millis(1_500_000));
}

#[test]
fn a_user_is_followed_over_phones_and_sites() {
    let plan = plan_of(
        "device d1 at berlin\ndevice d2 at aachen\nuser anna home berlin device d1\nat 0s start all\n\
         at 1m locate anna at aachen\nat 2m login anna on d2\nat 3m detach anna\nat 4m logout anna\nat 1h end\n",
    );
    let done: Vec<Verb> =
        steps(&plan).into_iter().filter(|(at, _)| *at >= 60.0).map(|(_, verb)| verb).collect();
    let expected = [
        Verb::Locate { phone: 0, site: 2 },
        Verb::Login { user: 0, phone: 1, site: 2 },
        Verb::Detach { phone: 1, site: 2 },
        Verb::Logout { user: 0, phone: 1, site: 2 },
    ];
    assert_eq!(done, expected);
}

#[test]
fn what_hangs_on_an_event_keeps_its_distance_from_it() {
    let plan = plan_of(
        "user anna home aachen\nat 10s roam anna to berlin\n  when claim(berlin) of anna: kill berlin\n\
         after 30s restart central\nat 1h end\n",
    );
    let [trigger] = plan.triggers.as_slice() else { panic!("{:?}", plan.triggers) };
    assert_eq!(trigger.armed, Moment::from_millis(10_000));
    let done: Vec<(u64, Verb)> =
        trigger.steps.iter().map(|(plus, _, verb)| (plus.as_secs(), verb.clone())).collect();
    let central = Node::Site(0);
    assert_eq!(done, [(0, Verb::Kill(Node::Site(1))), (30, Verb::Stop(central)), (30, Verb::Start(central))]);
}

#[test]
fn the_command_line_may_end_a_run_early() {
    let script = "user anna\nat 10s locate anna\nat 2h locate anna\n  expect anna registered\nat 3h end\n";
    let plan = plan_with(script, Override { seed: Some(7), until: Some(Duration::from_secs(60)) });
    assert_eq!((plan.seed, plan.end), (7, Moment::from_millis(60_000)));
    assert_eq!(steps(&plan).len(), 1);
    assert_eq!(plan.asserts.len(), 1);
}

#[test]
fn misbehaviour_ends_when_its_time_is_over_and_servers_become_addresses() {
    let plan = plan_of(
        "at 1m behave pbx late 2s, duplicate for 30s\nat 2m behave pbx redirect 302 gw sip:x\n\
         at 3m behave pbx normal\nat 1h end\n",
    );
    let told: Vec<String> = steps(&plan)
        .into_iter()
        .map(|(at, verb)| match verb {
            Verb::Behave { server: 0, quirks } => {
                let words: Vec<String> = quirks.iter().map(ToString::to_string).collect();
                format!("{at} {}", words.join(", "))
            }
            Verb::Improve { server: 0, names } => format!("{at} end {names:?}"),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "60 late 2s, duplicate",
        "90 end Some([\"late\", \"duplicate\"])",
        "120 redirect 302 sip:10.0.2.11:5060 sip:x",
        "180 end None",
    ];
    assert_eq!(told, expected);
}
