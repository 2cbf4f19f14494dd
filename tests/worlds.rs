//! Random worlds: sites are cut off, restarted, killed and lied to by their clocks while phones walk about and administrators
//! create, edit and delete everywhere. When all is well again every site has the same directory, one OMM serves each user,
//! and every invariant held.
//!
//! A few seeds run always. `HOMING_SEEDS=1000 cargo test --release --test worlds` runs a thousand;
//! `HOMING_SEED=17` runs that one. `HOMING_USERS=10000` fills the worlds of eleven sites.

use std::fmt::Write;
use std::sync::Arc;

use machine::chance::Chance;
use replay::plan::{self, Override};
use replay::report::Report;
use replay::run;
use replay::script::reader;

/// The first user of the crowd.
const FIRST: u64 = 10_001;
/// Clocks are wrong by up to ten minutes, in seconds.
const SKEW: u64 = 600;
/// What carries stamps of the future waits for as long as a clock was wrong, at most, and is told within five minutes.
const TRUTH: u64 = 720_000;
/// The world is left alone until every phone has reported once more, which it does every two hours: a registrar's list
/// tells no ages, so who believed it and died again may be wrong about the owner until then. In milliseconds.
const REST: u64 = 9_400_000;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// How large a world is, and how long it is troubled.
struct Shape {
    remotes: u64,
    /// Users that every site's file has, with phones that walk about; their numbers begin at 101.
    walkers: u64,
    /// The same, but nobody walks: they are renumbered.
    planted: u64,
    /// Users that are created by and by.
    crowd: u64,
    /// How often something happens.
    turns: u64,
    /// How long nothing happens between two of these, in milliseconds at most.
    pause: u64,
}

/// One world on its way to be a script.
struct Author {
    shape: Shape,
    chance: Chance,
    text: String,
    /// Milliseconds.
    at: u64,
}

impl Author {
    fn new(seed: u64, name: &str, shape: impl FnOnce(&mut Chance) -> Shape) -> Author {
        let mut chance = Chance::of(seed, name);
        let shape = shape(&mut chance);
        let text = format!("scenario \"A random world\"\nseed {seed}\n");
        Author { shape, chance, text, at: 60_000 }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.write_fmt(line).and_then(|()| self.text.write_char('\n')).expect("a text grows");
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.chance.below(bound)
    }

    fn site(&mut self) -> String {
        match self.below(self.shape.remotes + 1) {
            0 => "central".to_owned(),
            n => format!("r{n}"),
        }
    }

    /// Sites in a star, and who is there from the start.
    fn lay(&mut self) {
        self.line(format_args!("site central central"));
        for n in 1..=self.shape.remotes {
            self.line(format_args!("site r{n}"));
        }
        self.line(format_args!("registrar pbx"));
        for n in 1..=self.shape.remotes {
            self.line(format_args!("link r{n}-central latency {}ms jitter 5ms", 5 + n));
        }
        for n in 0..self.shape.walkers + self.shape.planted {
            let home = self.site();
            self.line(format_args!("user u{n} number {} home {home}", 101 + n));
        }
        let crowd = self.shape.crowd;
        self.line(format_args!("users {crowd} later"));
        self.line(format_args!("set link_backoff_max 5s\nset t_connect 2s\nat 0s start all"));
    }

    /// So many things happen.
    fn trouble(&mut self) {
        for _ in 0..self.shape.turns {
            self.at += 200 + self.below(self.shape.pause);
            let at = self.at;
            write!(self.text, "at {at}ms ").expect("a text grows");
            self.turn();
        }
    }

    /// One line: something breaks or heals, somebody walks or edits.
    fn turn(&mut self) {
        let remote = 1 + self.below(self.shape.remotes);
        let here = self.site();
        let everybody = self.shape.walkers + self.shape.planted;
        let (number, name) = (101 + self.below(everybody), self.below(1000));
        let walker = self.below(self.shape.walkers);
        let renumbered = match self.below(2) {
            0 => 101 + self.shape.walkers + self.below(self.shape.planted),
            _ => FIRST + self.below(self.shape.crowd),
        };
        let (crowd, spare) = (FIRST + self.below(self.shape.crowd), 901 + self.below(4));
        let profile = 1 + self.below(3);
        match self.below(32) {
            0..=2 => self.line(format_args!("cut link r{remote}-central")),
            3..=6 => self.line(format_args!("heal link r{remote}-central")),
            7 => self.line(format_args!("restart {here}")),
            8 => self.line(format_args!("kill {here}\n  start {here}")),
            9 | 10 => {
                let by = self.below(2 * SKEW + 1) as i64 - SKEW as i64;
                self.line(format_args!("skew clock {here} by {by:+}s"));
            }
            11 => self.line(format_args!("skew clock {here} by 0s")),
            12 => self.line(format_args!("flap link r{remote}-central every 2s for 20s")),
            13..=17 => self.line(format_args!("roam u{walker} to {here}")),
            18 => self.line(format_args!("delete user {number} at {here}")),
            19 => self.line(format_args!("delete device u{} at {here}", number - 101)),
            20 => self.line(format_args!("create device u{} at {here}", number - 101)),
            21 => self.line(format_args!("edit device u{} encrypt on at {here}", number - 101)),
            22 => self.line(format_args!("edit user {renumbered} number {spare} at {here}")),
            23 => self.line(format_args!("unbind user {number} at {here}")),
            24 => self.line(format_args!("bind user {number} to u{walker} at {here}")),
            25 => self.line(format_args!("delete user {crowd} at {here}")),
            26 => self.line(format_args!("create profile {profile} name \"{name}\" at {here}")),
            27 => self.line(format_args!("delete profile {profile} at {here}")),
            28 => self.line(format_args!("edit user {spare} name \"{name}\" at {here}")),
            29 | 30 => self.line(format_args!("create user {crowd} at {here}")),
            _ => self.line(format_args!("edit user {number} name \"{name}\" at {here}")),
        }
    }

    /// All is well again, and stays so.
    fn recover(mut self, least: u64) -> String {
        let well = self.at + 60_000;
        self.line(format_args!("at {well}ms start all\n  skew clock central by 0s"));
        for n in 1..=self.shape.remotes {
            self.line(format_args!("  heal link r{n}-central\n  skew clock r{n} by 0s"));
        }
        self.line(format_args!("at {}ms expect directories equal within 5m", well + TRUTH));
        for n in 1..=self.shape.remotes {
            self.line(format_args!("  expect sync r{n} complete"));
        }
        self.line(format_args!("  expect users at central >= {least}"));
        self.line(format_args!("at {}ms end", well + TRUTH + REST));
        self.text
    }
}

/// A world of three to five sites.
fn small(seed: u64) -> String {
    let mut author = Author::new(seed, "worlds", |chance| Shape {
        remotes: 2 + chance.below(3),
        walkers: 6,
        planted: 4,
        crowd: 40,
        turns: 80 + chance.below(80),
        pause: 15_000,
    });
    author.lay();
    author.trouble();
    author.recover(1)
}

/// A world of eleven sites, M-2.1.1-a: one central and ten remotes. Every site creates its share of the users.
fn large(seed: u64, users: u64) -> String {
    let mut author = Author::new(seed, "eleven", |chance| Shape {
        remotes: 10,
        walkers: 22,
        planted: 11,
        crowd: users.max(11),
        turns: 150 + chance.below(100),
        pause: 8_000,
    });
    author.lay();
    let share = author.shape.crowd / 11;
    for n in 0..11 {
        let (first, last) = (FIRST + n * share, FIRST + (n + 1) * share - 1);
        let site = if n == 0 { "central".to_owned() } else { format!("r{n}") };
        let at = 60_000 + author.below(300_000);
        author.line(format_args!("at {at}ms create users {first} to {last} at {site} over 5m"));
    }
    author.trouble();
    // Orders that nobody was there to take are lost, and some are deleted again.
    let least = author.shape.crowd / 2;
    author.recover(least)
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

/// Lives through the worlds of all seeds that are asked for, `usual` when none are.
fn all(test: &str, usual: u64, world: impl Fn(u64) -> String) {
    let seeds = match from_env("HOMING_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..from_env("HOMING_SEEDS").unwrap_or(usual) + 1,
    };
    let mut failed = Vec::new();
    for seed in seeds.clone() {
        let text = world(seed);
        if let Some(why) = wrong(&format!("seed {seed}"), &text, seed) {
            if seeds.end - seeds.start == 1 {
                println!("{text}");
            }
            failed.push(format!(
                "{why}replay it: HOMING_SEED={seed} cargo test --test worlds {test} -- --nocapture"
            ));
        }
    }
    assert!(failed.is_empty(), "{} of {seeds:?} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn random_worlds_end_with_equal_directories() {
    all("random", 12, small);
}

#[test]
fn eleven_sites_end_with_equal_directories() {
    let users = from_env("HOMING_USERS").unwrap_or(66);
    all("eleven", 3, |seed| large(seed, users));
}
