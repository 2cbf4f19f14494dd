//! What must hold in every run (spec 6.3).
//!
//! - I5, I6: judged at the end, and only when the world has been left alone long enough ([`calm`]).
//! - I8, I9, I12 and the bound on double registrations: judged all the time, by events.
//! - I1 to I4, I7: judged whenever somebody looks at a directory ([`directories`]), which no event tells whole.
//! - I10 is no matter of a run: `omm/src/directory/tests/histories.rs` judges it over random histories. I11 is what
//!   `--check-determinism` shows: two runs of one seed, byte by byte.

pub mod calm;
pub mod directories;
pub mod rest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

use crate::ledger::Ledger;
use crate::plan::{Plan, Server};
use crate::script::setting::Setting;
use crate::trace::Sight;
use directories::{Directories, Look};

/// How many breaches of one invariant are kept with their words; the rest is counted.
const KEPT: usize = 5;
/// How long a REGISTER can be in flight: Timer F (RFC 3261 17.1.2.2).
const TIMER_F: Duration = Duration::from_secs(32);
/// When a silent phone is believed gone (M-2.1.4.3).
const LOCATION_STOP: Duration = Duration::from_secs(9000);
/// The registration time asked for (spec section 8).
const EXPIRES: Duration = Duration::from_secs(3600);

/// What became of one invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `I8`, or `SM-2` for the bound on double registrations.
    pub id: &'static str,
    /// What it says.
    pub says: &'static str,
    /// How it came out.
    pub outcome: Outcome,
}

/// How an invariant came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    Held,
    /// It did not.
    Broken {
        /// How often.
        times: u64,
        /// The first ones: when, and what was seen.
        first: Vec<(Moment, String)>,
    },
    /// It could not be judged.
    NotJudged {
        /// Why.
        why: String,
    },
}

/// The invariants of a run.
#[derive(Debug)]
pub struct Invariants {
    plan: Arc<Plan>,
    /// REGISTERs that wait for their answer, by binding: since when, and at which registrar.
    in_flight: BTreeMap<Flight, (Moment, Option<usize>)>,
    overlapping: Breaches,
    stars: Breaches,
    /// Whether a user's own machine has asked for the removal of what it once asked to bind, by site and user.
    wants: BTreeMap<(usize, usize), Wants>,
    meddled: Breaches,
    directories: Directories,
}

/// A binding: its site, its user, its server; places in the plan, names of the DNS behind the servers.
type Flight = (usize, usize, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    Bound,
    Removed,
}

#[derive(Clone, Debug, Default)]
struct Breaches {
    times: u64,
    first: Vec<(Moment, String)>,
}

impl Breaches {
    fn add(&mut self, at: Moment, tell: impl FnOnce() -> String) {
        self.times += 1;
        if self.first.len() < KEPT {
            self.first.push((at, tell()));
        }
    }

    fn outcome(self) -> Outcome {
        if self.times == 0 { Outcome::Held } else { Outcome::Broken { times: self.times, first: self.first } }
    }
}

impl Invariants {
    /// Nothing was seen yet.
    pub fn new(plan: &Arc<Plan>) -> Invariants {
        Invariants {
            plan: Arc::clone(plan),
            in_flight: BTreeMap::new(),
            overlapping: Breaches::default(),
            stars: Breaches::default(),
            wants: BTreeMap::new(),
            meddled: Breaches::default(),
            directories: Directories::new(plan.sites.iter().map(|site| site.name.clone()).collect()),
        }
    }

    /// Takes in what a site's directory holds.
    pub fn look(&mut self, now: Moment, site: usize, look: &Look) {
        self.directories.look(now, site, look);
    }

    /// A site begins or ends; `wiped` when its disk is empty now.
    pub fn turn(&mut self, now: Moment, site: usize, wiped: bool) {
        self.directories.turn(now, site, wiped);
    }

    /// Takes an event in, after the book has it.
    pub fn see(&mut self, sight: &Sight<'_>, ledger: &Ledger) {
        let Some(site) = ledger.site(sight.node) else { return };
        match sight.event {
            "register" => self.register(site, sight, ledger),
            "answer" | "bound" | "unbound" | "removed" | "silence" => self.answered(site, sight, ledger),
            "bind" => self.want(site, sight, ledger, Wants::Bound),
            "unbind" | "withdrawn" | "failover" | "failback" | "evict" => {
                self.want(site, sight, ledger, Wants::Removed)
            }
            "flow" if sight.text("state") == Some("lost") => self.flow_lost(site, sight),
            "stop" | "crash" | "start" => {
                self.in_flight.retain(|(at, _, _), _| *at != site);
                // What a restarted OMM cleans up was asked for before: not judged until it binds again.
                self.wants.retain(|(at, _), _| *at != site);
            }
            _ => {}
        }
    }

    fn register(&mut self, site: usize, sight: &Sight<'_>, ledger: &Ledger) {
        let flight = self.flight(site, sight, ledger);
        let sent = (sight.at, ledger.registrar(site, sight));
        if let Some((before, _)) = flight.and_then(|flight| self.in_flight.insert(flight, sent))
            && sight.at.since(before) < TIMER_F
        {
            self.overlapping.add(sight.at, || {
                format!("{} sent a REGISTER while that of {before} was unanswered: {sight}", sight.who)
            });
        }
        if sight.text("contact") == Some("*") {
            self.stars.add(sight.at, || format!("`Contact: *` was sent: {sight}"));
        }
        if sight.text("kind") == Some("remove")
            && let Some(user) = ledger.user_of(sight)
            && self.wants.get(&(site, user)) == Some(&Wants::Bound)
        {
            self.meddled.add(sight.at, || {
                format!("nothing had happened to this user, still it was removed: {sight}")
            });
        }
    }

    fn answered(&mut self, site: usize, sight: &Sight<'_>, ledger: &Ledger) {
        if let Some(flight) = self.flight(site, sight, ledger) {
            self.in_flight.remove(&flight);
        }
    }

    /// A transaction ends with the stream that it was sent on (RFC 3261 17.1.4).
    fn flow_lost(&mut self, site: usize, sight: &Sight<'_>) {
        let servers = &self.plan.servers;
        let is_there = |server: &Server| {
            sight.text("to").is_some_and(|to| to == format!("{}:{}", server.transport, server.address))
        };
        self.in_flight.retain(|(at, _, _), (_, to)| {
            *at != site || !to.and_then(|to| servers.get(to)).is_some_and(is_there)
        });
    }

    /// The binding that an event is about.
    fn flight(&self, site: usize, sight: &Sight<'_>, ledger: &Ledger) -> Option<Flight> {
        let (_, server) = sight.who.strip_prefix("binding/")?.split_once('@')?;
        let names = self.plan.servers.iter().map(|known| &known.name);
        let mut names = names.chain(self.plan.zones.iter().map(|zone| &zone.name));
        let server = names.position(|known| **known == *server)?;
        Some((site, ledger.user_of(sight)?, server))
    }

    fn want(&mut self, site: usize, sight: &Sight<'_>, ledger: &Ledger, wants: Wants) {
        if let Some(user) = ledger.user_of(sight) {
            self.wants.insert((site, user), wants);
        }
    }

    /// The run is over. `fired` says when the triggers did what they do.
    pub fn finish(self, ledger: &Ledger, fired: &[Option<Moment>], end: Moment) -> Vec<Finding> {
        let unrest = calm::unrest(&self.plan, fired, end);
        let settled = |told: Vec<String>| match &unrest {
            Some(why) => Outcome::NotJudged { why: why.clone() },
            None => {
                let times = told.len() as u64;
                let first = told.into_iter().take(KEPT).map(|told| (end, told)).collect();
                Breaches { times, first }.outcome()
            }
        };
        let mut agreed = rest::disagreements(ledger, &self.directories);
        agreed.extend(self.directories.differing());
        let mut findings = self.directories.findings();
        findings.extend([
            Finding {
                id: "I5",
                says: "a binding at an OMM belongs to a user that the OMM owns",
                outcome: settled(rest::strays(ledger)),
            },
            Finding {
                id: "I6",
                says: "one OMM serves each user whose phone is on, all agree which, and have one directory",
                outcome: settled(agreed),
            },
            Finding {
                id: "I8",
                says: "a binding never has two REGISTERs in flight",
                outcome: self.overlapping.outcome(),
            },
            Finding { id: "I9", says: "`Contact: *` is never sent", outcome: self.stars.outcome() },
            Finding {
                id: "I12",
                says: "what happens to one user changes no other user's binding",
                outcome: self.meddled.outcome(),
            },
            Finding {
                id: "SM-2",
                says: "a double registration ends in time",
                outcome: doubles(&self.plan, ledger, end).outcome(),
            },
        ]);
        findings
    }
}

/// Double registrations that lasted longer than the watchdog and one registration together (bound of SM-2).
fn doubles(plan: &Plan, ledger: &Ledger, end: Moment) -> Breaches {
    let stop = time(plan, "location_stop", LOCATION_STOP);
    let expires = time(plan, "expires", EXPIRES);
    let mut breaches = Breaches::default();
    for (user, person) in plan.users.iter().zip(ledger.people()) {
        let bound = stop + user.expires.unwrap_or(expires);
        let running = person.double_since.map(|since| (end.since(since), since));
        let longest = running.into_iter().chain([person.double_longest]).max().unwrap_or_default();
        if longest.0 > bound {
            let span = humantime::format_duration(longest.0);
            let most = humantime::format_duration(bound);
            breaches.add(longest.1, || {
                format!("{} was registered by two OMMs for {span}, at most {most}", user.name)
            });
        }
    }
    breaches
}

fn time(plan: &Plan, key: &str, usual: Duration) -> Duration {
    match plan.settings.get(key) {
        Some(Setting::Time(span)) => *span,
        _ => usual,
    }
}
