//! homing beside the peers that do the same job, in one run on one machine.
//!
//! ```text
//! cargo bench --bench peers                          everything, 1,000 and 10,000 users
//! HOMING_BENCH_USERS=1000 cargo bench --bench peers -- cold-start
//! ```
//!
//! - **cold-start**: a site comes back after an outage: the registrar's table is empty and N users have to be registered
//!   with it (Kamailio, digest MD5, UDP, loopback). The clock runs from the start of the process to the moment at which
//!   the registrar holds N users, by its own count. Three runners: SIPp, which is the registrar's own capacity; Kamailio's
//!   `uac`; and homing, started again after `kill -9` with N phones that it knows from before.
//! - **memory**: what a registered user costs beyond the idle process, after a start with N phones known from before.
//!   The cold start says it too.
//! - **failover**: the primary turns into a black hole (SIGSTOP) under N registered, idle users. The clock runs to the
//!   first and to the last user at the secondary, by its own count. Kamailio's `uac` has no part in it: it knows one server
//!   for a registration, and looks at it again when the registration is due, here in an hour.
//! - **steady**: 1,000 users with registrations of one minute, all bound at once, for four minutes. REGISTERs a second at
//!   the registrar, by its own count: the busiest second against the mean, in the first two minutes and in the last two.
//!
//! Targets: at least 4 times faster than `uac`; at most 1.5 times SIPp's time; at most 1 % requests beyond the 2 N that
//! are needed (a challenge and its answer for each user); at most 3 kB of memory for a registered user beyond the idle
//! process; the first user at the secondary within 10 s, the last within 1.5 times what SIPp needs there on top of that; no
//! second busier than twice the mean. What is missed is called so.
//!
//! Needs Kamailio and SIPp (apt: kamailio, sip-tester). Times on a busy machine are worth little, their ratios more.
#![expect(clippy::disallowed_methods, reason = "real peers live in real time")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::crowd::Crowd;
use crate::meter::Cost;
use crate::pbx::{Count, Pbx};
use crate::site::Site;

#[path = "../../tests/interop/address.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod address;
#[path = "../../tests/interop/crowd.rs"]
mod crowd;
mod meter;
mod pbx;
#[path = "../../tests/interop/poll.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod poll;
#[path = "../../tests/interop/presence.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "shared with the interop tests")]
mod presence;
#[path = "../../tests/interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod process;
mod site;
mod uac;

/// How often the registrar is asked how far it is.
const LOOK: Duration = Duration::from_millis(20);
/// Every so many looks the memory is weighed too, which costs the machine more.
const WEIGHED: u32 = 10;
/// Phones at a time when SIPp shows what a registrar can take.
const PARALLEL: u32 = 64;
/// Within so many seconds the first user is elsewhere when his server falls silent.
const NOTICED: f64 = 10.0;
/// When a runner has failed.
const PATIENCE: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        // `cargo test --benches` only wants to see that it builds: the peers have tests of their own.
        return ExitCode::SUCCESS;
    }
    for program in ["kamailio", "sipp"] {
        if presence::find(program).is_none() {
            eprintln!("{program} is not installed: apt install kamailio sip-tester");
            return ExitCode::from(3);
        }
    }
    let asked =
        |name: &str| words.iter().all(|word| word == "--bench") || words.iter().any(|word| word == name);
    let sizes: Vec<u64> = match std::env::var("HOMING_BENCH_USERS") {
        Ok(text) => text.split(',').map(|size| size.trim().parse().expect("a number of users")).collect(),
        Err(_) => vec![1_000, 10_000],
    };
    for users in sizes {
        if asked("cold-start") {
            cold_start(users);
        }
        if words.iter().any(|word| word == "memory") {
            memory(users);
        }
        if asked("failover") {
            failover(users);
        }
    }
    if asked("steady") {
        steady(1_000);
    }
    ExitCode::SUCCESS
}

/// How one runner did.
struct Run {
    seconds: f64,
    count: Count,
    cost: Cost,
    /// The most memory that was seen, in kB.
    peak: u64,
}

/// Watches the registrar until it holds `users` users.
fn watch(pbx: &Pbx, users: u64, started: Instant, leader: u32) -> Run {
    let mut peak = 0;
    for look in 1_u32.. {
        let count = pbx.count();
        if count.users >= users {
            let seconds = started.elapsed().as_secs_f64();
            let cost = meter::cost(leader);
            return Run { seconds, count, cost, peak: peak.max(cost.memory) };
        }
        if look.is_multiple_of(WEIGHED) {
            peak = peak.max(meter::cost(leader).memory);
        }
        assert!(started.elapsed() < PATIENCE, "{} of {users} users after {PATIENCE:?}", count.users);
        poll::rest(LOOK);
    }
    unreachable!("it looks until it sees them, or panics")
}

/// A figure beside its target, and whether it was met.
fn judge(figure: f64, target: f64, is_met: bool) -> String {
    format!("{figure:.2} (target {target}{})", if is_met { "" } else { ": MISSED" })
}

fn cold_start(users: u64) {
    println!("cold start of {users} users");
    println!(
        "  {:<24} {:>8} {:>10} {:>8} {:>8} {:>8} {:>8}",
        "", "seconds", "REGISTERs", "beyond", "copies", "CPU s", "peak MB"
    );
    let mut pbx = Pbx::start();
    let phones = Crowd::of(users, pbx::DOMAIN);
    let limit = [16, 32, PARALLEL].map(|parallel| {
        pbx.restart();
        let started = Instant::now();
        let sipp = phones.start(pbx.at(), parallel);
        let run = watch(&pbx, users, started, sipp.id());
        show(&format!("SIPp, {parallel} at a time"), users, &run);
        run.seconds
    });
    let limit = limit.into_iter().fold(f64::INFINITY, f64::min);

    pbx.restart();
    let (table, own) = uac::Table::of(users, pbx.at());
    let started = Instant::now();
    let uac = table.start(own);
    let theirs = watch(&pbx, users, started, uac.process.id());
    drop(uac);
    show("Kamailio uac", users, &theirs);

    let (idle, ours) = restart(&mut pbx, &phones, users);
    show("homing", users, &ours);
    let (faster, longer) = (theirs.seconds / ours.seconds, ours.seconds / limit);
    println!("  times as fast as uac: {}", judge(faster, 4.0, faster >= 4.0));
    println!(
        "  (the registrar under SIPp, which nobody can pass, is {:.2} times as fast)",
        theirs.seconds / limit
    );
    println!("  times as long as the registrar under SIPp: {}", judge(longer, 1.5, longer <= 1.5));
    let beyond = share_beyond(users, &ours);
    println!("  per cent of REGISTERs beyond those needed: {}", judge(beyond, 1.0, beyond <= 1.0));
    weigh(users, &idle, &ours);
}

/// A site whose phones are all known is started again beside an empty registrar: what it cost before there were any, and
/// how it did.
fn restart(pbx: &mut Pbx, phones: &Crowd, users: u64) -> (Cost, Run) {
    let site = Site::new(phones, &[pbx.at()], "1h");
    let mut process = site.serve();
    site.wait();
    let idle = meter::cost(process.id());
    phones.register(site.at());
    watch(pbx, users, Instant::now(), process.id());
    process.kill();
    pbx.restart();
    let started = Instant::now();
    let process = site.serve();
    let run = watch(pbx, users, started, process.id());
    (idle, run)
}

fn weigh(users: u64, idle: &Cost, run: &Run) {
    let each = run.cost.memory.saturating_sub(idle.memory) as f64 / users as f64;
    println!("  kB a registered user beyond the idle process: {}", judge(each, 3.0, each <= 3.0));
}

fn memory(users: u64) {
    println!("memory of {users} users");
    let mut pbx = Pbx::start();
    let phones = Crowd::of(users, pbx::DOMAIN);
    let (idle, run) = restart(&mut pbx, &phones, users);
    println!("  idle {:.1} MB, with all of them {:.1} MB", mb(&idle), mb(&run.cost));
    weigh(users, &idle, &run);
}

/// How many of the REGISTERs were not needed, in per cent: a challenge and its answer for each user are.
fn share_beyond(users: u64, run: &Run) -> f64 {
    run.count.registers.saturating_sub(2 * users) as f64 / (2 * users) as f64 * 100.0
}

/// Memory in MB.
fn mb(cost: &Cost) -> f64 {
    cost.memory as f64 / 1024.0
}

fn show(name: &str, users: u64, run: &Run) {
    println!(
        "  {name:<24} {:>8.2} {:>10} {:>6.1} % {:>8} {:>8.2} {:>8.1}",
        run.seconds,
        run.count.registers,
        share_beyond(users, run),
        run.count.copies,
        run.cost.cpu,
        run.peak as f64 / 1024.0,
    );
}

fn failover(users: u64) {
    println!("failover of {users} idle users, the primary turns into a black hole");
    let (primary, mut secondary) = (Pbx::start(), Pbx::start());
    let phones = Crowd::of(users, pbx::DOMAIN);
    let begun = Instant::now();
    let sipp = phones.start(secondary.at(), PARALLEL);
    let limit = watch(&secondary, users, begun, sipp.id()).seconds;
    drop(sipp);
    secondary.restart();
    let site = Site::new(&phones, &[primary.at(), secondary.at()], "1h");
    let process = site.serve();
    site.wait();
    phones.register(site.at());
    watch(&primary, users, Instant::now(), process.id());
    // Nobody is about to refresh, and the probes have found their rhythm.
    poll::rest(Duration::from_secs(10));
    primary.freeze();
    let started = Instant::now();
    let first = watch(&secondary, 1, started, process.id());
    let last = watch(&secondary, users, started, process.id());
    let bound = NOTICED + limit * 1.5;
    println!("  first user after {} s", judge(first.seconds, NOTICED, first.seconds <= NOTICED));
    println!(
        "  last user after {} s",
        judge(last.seconds, (bound * 10.0).round() / 10.0, last.seconds <= bound)
    );
    println!("  {} REGISTERs at the secondary for {users} users", last.count.registers);
}

fn steady(users: u64) {
    println!("steady state of {users} users, registrations of one minute");
    let pbx = Pbx::start();
    let phones = Crowd::of(users, pbx::DOMAIN);
    let site = Site::new(&phones, &[pbx.at()], "1m");
    let process = site.serve();
    site.wait();
    phones.register(site.at());
    let bound = watch(&pbx, users, Instant::now(), process.id());
    let (started, mut last, mut seconds) = (Instant::now(), bound.count.registers, Vec::new());
    for second in 1..=240_u32 {
        poll::rest(Duration::from_secs(second.into()).saturating_sub(started.elapsed()));
        let Count { users: held, registers, copies: _ } = pbx.count();
        assert_eq!(held, users, "a registration ran out");
        seconds.push(registers - last);
        last = registers;
    }
    for (part, name) in seconds.chunks(120).zip(["first two minutes", "last two minutes"]) {
        let mean = part.iter().sum::<u64>() as f64 / part.len() as f64;
        let peak = part.iter().copied().max().unwrap_or(0) as f64;
        let ratio = judge(peak / mean, 2.0, peak <= 2.0 * mean);
        println!("  {name}: {mean:.1} REGISTERs a second, the busiest {peak}, times the mean: {ratio}");
    }
}
