//! How fast a world lives when nobody watches.
//!
//! ```text
//! cargo bench --bench worlds                    all, at full size
//! HOMING_BENCH_USERS=500 HOMING_BENCH_HOURS=6 HOMING_BENCH_WORLDS=50 cargo bench --bench worlds
//! ```
//!
//! - **large**: 10,000 users and 11 OMMs for 24 virtual hours. Every phone repeats its location registration every two
//!   hours, every registration at the PBX is refreshed within the hour, every user roams twice. Each SIP and AXI message
//!   is printed and parsed on each hop. Target: under 60 s of CPU time, under 1.5 GB.
//! - **small**: worlds of three OMMs, a registrar and six users for 24 virtual hours, each with a seed of its own, roams and
//!   cut links, as they are by default. Target: under 60 s of CPU time for 1,000 of them; a tenth is run, against a tenth of
//!   that. Each half minute every OMM asks the registrar whether it still lists a user, and those audits are seven SIP
//!   messages in eight.
//! - **unaudited**: 1,000 of the same worlds without audits, which the specification does not want: what they cost, and what the
//!   rest costs. Both ends of a link ping, so nine AXI messages in ten are pings and their answers.
//!
//! Everything runs on one thread. A benchmark that did not do its work fails: at the end every user must be bound
//! exactly once in the registrar's own table, by the OMM where the phone is, and all OMMs must agree on that.
//! What it costs to read and print one message, ours beside other stacks', is `scripts/bench-register`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use machine::chance::Chance;
use machine::time::Moment;
use omm::stamp::OmmId;
use replay::plan::{self, Override, Plan, Step, Verb};
use replay::run::run_unwatched;
use replay::script::reader;
use replay::tally::Tally;
use rustix::time::{ClockId, clock_gettime};

/// Sites of the large world: M-2.1.1-a, one central and ten remotes.
const SITES: usize = 11;
/// Changes of site that each user makes.
const ROAMS: usize = 2;
/// Nobody roams before everybody has arrived, nor so late that it cannot be confirmed before the end.
const QUIET: Duration = Duration::from_secs(1800);

fn main() {
    // `cargo test --benches` only wants to see that it works.
    let testing = !std::env::args().any(|word| word == "--bench");
    let size = |name: &str, full: u64, test: u64| {
        let given = std::env::var(name).ok().map(|text| text.parse().expect("a whole number"));
        given.unwrap_or(if testing { test } else { full })
    };
    let (users, hours) = (size("HOMING_BENCH_USERS", 10_000, 22), size("HOMING_BENCH_HOURS", 24, 3));
    large(users as usize, hours);
    let worlds = size("HOMING_BENCH_WORLDS", 1000, 3);
    small("small", "", worlds.div_ceil(10), hours);
    small("unaudited", "set audit 0s\n", worlds, hours);
}

fn large(users: usize, hours: u64) {
    let mut text = String::from("scenario \"Large\"\nsite central central\nregistrar pbx\n");
    for remote in 1..SITES {
        text.push_str(&format!(
            "site remote{remote}\nlink remote{remote}-central latency {}ms\n",
            5 + remote
        ));
    }
    text.push_str(&format!("users {users}\nat 0s start all over 20m\nat {hours}h end\n"));
    let mut plan = plan_of(&text, 1);
    let homes = roam(&mut plan, ROAMS);
    let plan = Arc::new(plan);
    let stopwatch = Stopwatch::start();
    let tally = run_unwatched(&plan, plan.seed).expect("a plan that needs nobody to watch");
    println!("large: {users} users, {SITES} OMMs, {hours} h");
    stopwatch.report(hours as f64 * 3600.0, 60.0);
    let roams = users * ROAMS;
    let carried = tally.carried;
    println!("  read: {} SIP messages, {} AXI messages; {roams} roams", carried.datagrams, carried.frames);
    println!("  peak memory: {:.0} MB (target 1500)", peak_megabytes());
    check(&plan, &tally, &homes);
    // The phone's and the PBX's registration: a request and an answer each. A refresh every hour at least.
    let least = (users as u64) * (hours.div_euclid(2) * 2 + (hours - 1) * 2);
    assert!(carried.datagrams >= least, "{} SIP messages, less than {least}", carried.datagrams);
    // A claim reaches ten others, by way of the central, and the former owner's confirmation as well.
    let least = (roams * (SITES - 1)) as u64;
    assert!(carried.frames >= least, "{} AXI messages, less than {least}", carried.frames);
}

fn small(name: &str, setting: &str, worlds: u64, hours: u64) {
    let text = format!(
        "scenario \"Small\"\nsite a central\nsite b\nsite c\nregistrar pbx\n\
         link b-a latency 12ms\nlink c-a latency 18ms\nusers 6\n{setting}at 0s start all over 5m\nat {hours}h end\n"
    );
    let stopwatch = Stopwatch::start();
    let (mut datagrams, mut frames) = (0, 0);
    for seed in 1..=worlds {
        let mut plan = plan_of(&text, seed);
        let homes = roam(&mut plan, ROAMS);
        cut(&mut plan);
        let plan = Arc::new(plan);
        let tally = run_unwatched(&plan, seed).expect("a plan that needs nobody to watch");
        check(&plan, &tally, &homes);
        datagrams += tally.carried.datagrams;
        frames += tally.carried.frames;
    }
    println!("{name}: {worlds} worlds of 6 users, 3 OMMs, {hours} h");
    stopwatch.report(worlds as f64 * hours as f64 * 3600.0, 60.0 * worlds as f64 / 1000.0);
    println!("  read: {datagrams} SIP messages, {frames} AXI messages");
    assert!(datagrams >= worlds * 6 * (hours - 1) * 4, "{datagrams} SIP messages");
}

fn plan_of(text: &str, seed: u64) -> Plan {
    let script = reader::read("bench.scn", text, &mut |_| Err(String::new())).expect("a script");
    plan::make(&script, Override { seed: Some(seed), until: None }).expect("a plan")
}

/// Sends every user on so many walks, spread over the day; answers where they end.
fn roam(plan: &mut Plan, roams: usize) -> Vec<usize> {
    let mut chance = Chance::of(plan.seed, "roams");
    let place = plan.steps[0].place.clone();
    let mut homes = Vec::new();
    for (phone, user) in plan.users.iter().enumerate() {
        let latest = plan.end.back(QUIET).since(Moment::START);
        let mut times: Vec<Duration> = (0..roams).map(|_| chance.between(QUIET, latest)).collect();
        times.sort();
        let mut site = user.home;
        for at in times {
            site = (site + 1 + chance.below(plan.sites.len() as u64 - 1) as usize) % plan.sites.len();
            let verb = Verb::Locate { phone, site };
            plan.steps.push(Step { at: Moment::START + at, place: place.clone(), verb });
        }
        homes.push(site);
    }
    plan.steps.sort_by_key(|step| step.at);
    homes
}

/// Cuts each link twice, for up to ten minutes.
fn cut(plan: &mut Plan) {
    let mut chance = Chance::of(plan.seed, "cuts");
    let place = plan.steps[0].place.clone();
    for link in 0..plan.links.len() {
        for _ in 0..2 {
            let latest = plan.end.back(QUIET * 2).since(Moment::START);
            let at = Moment::START + chance.between(QUIET, latest);
            let span = chance.between(Duration::from_secs(1), Duration::from_secs(600));
            for (at, verb) in [(at, Verb::Cut { link }), (at + span, Verb::Heal { link })] {
                plan.steps.push(Step { at, place: place.clone(), verb });
            }
        }
    }
    plan.steps.sort_by_key(|step| step.at);
}

/// Everybody is bound once, by the OMM where the phone is, and all OMMs agree.
fn check(plan: &Plan, tally: &Tally, homes: &[usize]) {
    assert_eq!(tally.users.len(), plan.users.len());
    for ((user, end), home) in plan.users.iter().zip(&tally.users).zip(homes) {
        let omm = OmmId::new(plan.sites[*home].park.pari);
        let who = format!("user {} of seed {}, last at {}", user.number, plan.seed, plan.sites[*home].name);
        assert_eq!(end.owner, Some(omm), "{who}: the OMMs do not agree");
        assert_eq!(end.contacts.len(), 1, "{who}: bound as {:?}", end.contacts);
        let contact = &end.contacts[0];
        assert!(contact.contains(&format!("hm-site={omm}")), "{who}: bound by another OMM, {contact}");
    }
}

struct Stopwatch {
    wall: Instant,
    cpu: f64,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    fn start() -> Stopwatch {
        Stopwatch { wall: Instant::now(), cpu: cpu_seconds() }
    }

    /// `lived` seconds of virtual time have passed; there should be no more than `target` seconds of CPU time.
    fn report(&self, lived: f64, target: f64) {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), cpu_seconds() - self.cpu);
        println!("  {cpu:.1} s of CPU time (target {target:.1}), {wall:.1} s on the wall");
        println!("  virtual time runs {:.0} times as fast as CPU time", lived / cpu);
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The most memory that this process ever had in use.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}
