//! Directories of random worlds: sites are cut off, restarted, killed and lied to by their clocks while administrators
//! edit everywhere. When all is well again every site has the same directory, and every invariant held.
//!
//! A few seeds run always. `HOMING_SEEDS=1000 cargo test --test worlds` runs a thousand;
//! `HOMING_SEED=17` runs that one. `HOMING_USERS=10000` fills the world of eleven sites.

use std::fmt::Write;
use std::sync::Arc;

use machine::chance::Chance;
use replay::plan::{self, Override};
use replay::report::Report;
use replay::run;
use replay::script::reader;

/// Seeds of an ordinary test run.
const USUAL: u64 = 12;
/// Users of the world of eleven sites in an ordinary test run.
const CROWD: u32 = 150;
/// Users that every site's file has; their numbers begin at 101.
const PLANTED: u64 = 8;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// `central` and so many remotes.
fn star(text: &mut String, remotes: u64) {
    text.push_str("site central central\n");
    for n in 1..=remotes {
        let _ = writeln!(text, "site r{n}");
    }
    text.push_str("registrar pbx\n");
    for n in 1..=remotes {
        let _ = writeln!(text, "link r{n}-central latency {}ms jitter 5ms", 5 + n);
    }
}

/// A random world as a script.
fn world(seed: u64) -> String {
    let mut chance = Chance::of(seed, "worlds");
    let remotes = 2 + chance.below(3);
    let mut text = format!("scenario \"A random world\"\nseed {seed}\n");
    star(&mut text, remotes);
    let site = |chance: &mut Chance| match chance.below(remotes + 1) {
        0 => "central".to_owned(),
        n => format!("r{n}"),
    };
    for n in 0..PLANTED {
        let _ = writeln!(text, "user u{n} number {} home {}", 101 + n, site(&mut chance));
    }
    text.push_str("users 40 later\nset link_backoff_max 5s\nset t_connect 2s\nat 0s start all\n");
    let mut at = 60_000;
    for _ in 0..60 + chance.below(60) {
        at += 200 + chance.below(15_000);
        let _ = write!(text, "at {at}ms ");
        turn(&mut text, &mut chance, remotes, &site);
    }
    // All is well again; what carries stamps of the future waits for ten minutes at the most.
    let _ = writeln!(text, "at {}ms start all", at + 60_000);
    text.push_str("  skew clock central by 0s\n");
    for n in 1..=remotes {
        let _ = writeln!(text, "  heal link r{n}-central\n  skew clock r{n} by 0s");
    }
    let _ = writeln!(text, "at {}ms expect directories equal within 5m", at + 60_000 + 720_000);
    for n in 1..=remotes {
        let _ = writeln!(text, "  expect sync r{n} complete");
    }
    let _ = writeln!(text, "at {}ms end", at + 60_000 + 720_000 + 360_000);
    text
}

/// One line: something breaks or heals, or somebody edits.
fn turn(text: &mut String, chance: &mut Chance, remotes: u64, site: &dyn Fn(&mut Chance) -> String) {
    let remote = 1 + chance.below(remotes);
    let (here, user) = (site(chance), 101 + chance.below(PLANTED + 4));
    let crowd = 10_001 + chance.below(40);
    let done = match chance.below(20) {
        0 | 1 => writeln!(text, "cut link r{remote}-central"),
        2..=4 => writeln!(text, "heal link r{remote}-central"),
        5 => writeln!(text, "restart {here}"),
        6 => writeln!(text, "kill {here}\n  start {here}"),
        7 => {
            let by = chance.below(1200) as i64 - 600;
            writeln!(text, "skew clock {here} by {by:+}s")
        }
        8 => writeln!(text, "skew clock {here} by 0s"),
        9 => writeln!(text, "flap link r{remote}-central every 2s for 20s"),
        10 => writeln!(text, "delete user {user} at {here}"),
        11 => writeln!(text, "edit user {user} number {} at {here}", 101 + chance.below(PLANTED + 4)),
        12 => writeln!(text, "unbind user {user} at {here}"),
        13 => {
            let device = chance.below(PLANTED);
            writeln!(text, "bind user {user} to u{device} at {here}")
        }
        14 | 15 => writeln!(text, "create user {crowd} at {here}"),
        16 => writeln!(text, "delete user {crowd} at {here}"),
        _ => writeln!(text, "edit user {user} name \"{}\" at {here}", chance.below(1000)),
    };
    done.unwrap();
}

/// Lives through a script; what was wrong, if anything was.
fn wrong(name: &str, text: &str, seed: u64) -> Option<String> {
    let script = reader::read(name, text, &mut |_| Err("none".to_owned()));
    let plan = script.and_then(|script| plan::make(&script, Override::default()));
    let plan = Arc::new(plan.unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}")));
    let findings = run::run(&plan, seed, None).unwrap();
    assert!(findings.counts.events > 500, "nothing happened in the world of {name}");
    let report = Report::new(&plan, &findings);
    (report.exit_code() != 0).then(|| report.console())
}

#[test]
fn random_worlds_end_with_equal_directories() {
    let seeds = match from_env("HOMING_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..from_env("HOMING_SEEDS").unwrap_or(USUAL) + 1,
    };
    let mut failed = Vec::new();
    for seed in seeds.clone() {
        let text = world(seed);
        if let Some(why) = wrong(&format!("seed {seed}"), &text, seed) {
            if seeds.end - seeds.start == 1 {
                println!("{text}");
            }
            failed.push(format!(
                "{why}replay it: HOMING_SEED={seed} cargo test --test worlds random -- --nocapture"
            ));
        }
    }
    assert!(failed.is_empty(), "{} of {seeds:?} failed:\n{}", failed.len(), failed.join("\n"));
}

/// Every site creates its share while five of ten remotes are cut off, and one is restarted on the way.
#[test]
fn eleven_sites_end_with_equal_directories() {
    let users = from_env("HOMING_USERS").map_or(CROWD, |users| users as u32);
    let share = users / 11;
    let mut text = "scenario \"Eleven sites\"\nseed 11\n".to_owned();
    star(&mut text, 10);
    let _ = writeln!(text, "users {users} later\nset link_backoff_max 5s\nset t_connect 2s\nat 0s start all");
    text.push_str("at 1m note \"five are cut off\"\n");
    for n in 1..=5 {
        let _ = writeln!(text, "  cut link r{n}-central");
    }
    text.push_str("at 2m note \"all create\"\n");
    for n in 0..11 {
        let (first, last) = (10_001 + n * share, 10_000 + (n + 1) * share);
        let site = if n == 0 { "central".to_owned() } else { format!("r{n}") };
        let _ = writeln!(text, "  create users {first} to {last} at {site} over 5m");
    }
    text.push_str("at 4m restart r7\nat 5m kill r3\nat 6m start r3\nat 10m note \"they are back\"\n");
    for n in 1..=5 {
        let _ = writeln!(text, "  heal link r{n}-central");
    }
    // Orders that nobody was there to take are lost; the rest is everywhere.
    text.push_str("at 15m expect directories equal within 1m\n");
    let least = u64::from(share) * 10;
    let _ = writeln!(text, "  expect users at central >= {least}\n  expect users at r10 >= {least}");
    text.push_str("at 17m end\n");
    if let Some(why) = wrong("eleven sites", &text, 11) {
        panic!("{why}replay it: HOMING_USERS={users} cargo test --test worlds eleven");
    }
}
