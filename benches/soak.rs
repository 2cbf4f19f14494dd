//! Thirty days with an outage a day, and a dead DNS once a week: for how long could nobody be called although some server was up?
//!
//! ```text
//! cargo bench --bench soak
//! HOMING_SOAK_DAYS=365 HOMING_SOAK_USERS=50 HOMING_SOAK_SEED=7 cargo bench --bench soak
//! ```
//!
//! Two sites, each with a primary and a tertiary server outside and a secondary of its own. Every day one outage: of the
//! primary, a secondary, the tertiary, or of the primary together with both secondaries; for five minutes to three hours
//! a black hole, a process that hears nothing, or a storm of 503; a black hole of 2 to 20 seconds; or a restart that takes no
//! time, or 2 to 20 seconds, and forgets every contact. A user is reachable when a server that is up lists a contact of the
//! user. What is counted are the seconds in which a user was not, although a server of the site was up. The bound is that
//! of detection: 10 s for silent servers (M-2.2.5-d), and 2 s to move everybody; where contacts are forgotten, half a
//! minute more, in which an audit finds it.
//! The servers outside have names, which live for five minutes; once a week the DNS is dead for hours, and an outage of
//! that day may fall into it. That shall cost nobody anything.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use machine::chance::Chance;
use machine::time::Moment;
use replay::plan::{self, Override, Plan};
use replay::run;
use replay::script::reader;
use replay::trace::Sight;

/// Servers, in the order of the plan.
const SERVERS: [&str; 4] = ["p", "t", "s-central", "s-berlin"];
/// Which of them each site uses.
const TIERS: [[usize; 3]; 2] = [[0, 2, 1], [0, 3, 1]];
/// What may be down together.
const TOGETHER: [&[usize]; 6] = [&[0], &[0], &[0], &[2, 3], &[1], &[0, 2, 3]];
/// How a server can be out.
const WAYS: [Way; 6] = [
    Way { begins: "drop proxy {} for ", ends: "", span: LONG, forgets: false },
    Way { begins: "behave {} silence for ", ends: "", span: LONG, forgets: false },
    Way { begins: "behave {} storm 503 for ", ends: "", span: LONG, forgets: false },
    Way { begins: "drop proxy {} for ", ends: "", span: BRIEF, forgets: false },
    Way { begins: "drop proxy {} for ", ends: "behave {} crash", span: BRIEF, forgets: true },
    Way { begins: "behave {} crash", ends: "", span: (0, 0), forgets: true },
];
/// From five minutes to three hours, in seconds.
const LONG: (u64, u64) = (300, 10_800);
/// About as long as it takes to notice.
const BRIEF: (u64, u64) = (2, 20);
/// Detection, and the time in which everybody moves.
const BOUND: Duration = Duration::from_secs(12);
/// How often a user looks whether it is still listed.
const AUDIT: Duration = Duration::from_secs(30);

/// How a server can be out, as the script spells it.
struct Way {
    /// Its first words; a duration follows where they end with a blank.
    begins: &'static str,
    /// What happens at its end besides.
    ends: &'static str,
    /// How long it lasts, seconds.
    span: (u64, u64),
    /// Its contacts are lost.
    forgets: bool,
}

/// One outage.
struct Outage {
    from: Moment,
    until: Moment,
    servers: &'static [usize],
    way: &'static Way,
}

impl Outage {
    /// For how long a user may be unreachable.
    fn bound(&self) -> Duration {
        if self.way.forgets { BOUND + AUDIT } else { BOUND }
    }
}

/// A registrar changed its mind about a user.
struct Word {
    at: Moment,
    server: usize,
    user: usize,
    contact: String,
    listed: bool,
}

/// What changes a user's reachability.
enum Event<'a> {
    Said(&'a Word),
    Fell { number: usize, server: usize },
    Rose { number: usize, server: usize },
}

fn main() {
    let testing = !std::env::args().any(|word| word == "--bench");
    let size = |name: &str, full: u64, test: u64| {
        let given = std::env::var(name).ok().map(|text| text.parse().expect("a whole number"));
        given.unwrap_or(if testing { test } else { full })
    };
    let (days, users) = (size("HOMING_SOAK_DAYS", 30, 2), size("HOMING_SOAK_USERS", 20, 4));
    let seed = size("HOMING_SOAK_SEED", 1, 1);
    let outages = outages(days, seed);
    let plan = Arc::new(plan_of(&script(days, users, seed, &outages), seed));
    let words = live(&plan);
    let ledger = count(&plan, &outages, &words);
    report(&plan, days, &outages, &ledger);
    for ((number, _), span) in &ledger {
        let bound = outages.get(*number).map_or(BOUND, Outage::bound);
        assert!(*span <= bound, "a user was unreachable for {span:?} in outage {number}, bound {bound:?}");
    }
    assert!(!words.is_empty() && ledger.len() <= outages.len() * users as usize);
}

fn outages(days: u64, seed: u64) -> Vec<Outage> {
    let mut chance = Chance::of(seed, "outages");
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let day = |number: u64| {
        let from =
            Moment::START + minutes(24 * 60) * number as u32 + chance.between(minutes(30), minutes(20 * 60));
        let servers = TOGETHER[chance.below(TOGETHER.len() as u64) as usize];
        let way = &WAYS[chance.below(WAYS.len() as u64) as usize];
        let (least, most) = way.span;
        let until = from + chance.between(Duration::from_secs(least), Duration::from_secs(most));
        Outage { from, until, servers, way }
    };
    (0..days).map(day).collect()
}

fn script(days: u64, users: u64, seed: u64, outages: &[Outage]) -> String {
    let mut text = format!(
        "scenario \"Soak\"\nsite central central\nsite berlin\nlink berlin-central latency 18ms\n\
         registrar p\nregistrar t\nproxy s-central at central\nproxy s-berlin at berlin\n\
         dns p.example srv 10 0 p ttl 5m\ndns t.example a t ttl 5m\n\
         proxies central: p.example, s-central, t.example\nproxies berlin: p.example, s-berlin, t.example\n\
         users {users} home central 50%, berlin 50%\nat 0s start all over 1m\n"
    );
    for outage in outages {
        for server in outage.servers {
            let verb = |words: &str| words.replace("{}", SERVERS[*server]);
            let (at, until) = (outage.from.as_millis(), outage.until.as_millis());
            let (begins, ends) = (verb(outage.way.begins), verb(outage.way.ends));
            let span = if begins.ends_with(' ') { format!("{}ms", until - at) } else { String::new() };
            // Writing to a String cannot fail.
            _ = writeln!(text, "at {at}ms {begins}{span}");
            if !ends.is_empty() {
                _ = writeln!(text, "at {until}ms {ends}");
            }
        }
    }
    let mut chance = Chance::of(seed, "dns");
    for week in 0..days.div_ceil(7) {
        let hours = |hours: u64| Duration::from_secs(3600 * hours);
        let from = hours(24 * 7 * week) + chance.between(hours(1), hours(30));
        let span = chance.between(hours(1), hours(12));
        _ = writeln!(text, "at {}ms drop dns for {}ms", from.as_millis(), span.as_millis());
    }
    _ = writeln!(text, "at {days}d end");
    text
}

fn plan_of(text: &str, seed: u64) -> Plan {
    let script = reader::read("soak.scn", text, &mut |_| Err(String::new()))
        .unwrap_or_else(|wrong| panic!("{}", wrong.iter().map(ToString::to_string).collect::<String>()));
    plan::make(&script, Override { seed: Some(seed), until: None }).expect("a plan")
}

/// Lives through the plan and writes down what the registrars say.
fn live(plan: &Arc<Plan>) -> Vec<Word> {
    let words = Rc::new(RefCell::new(Vec::new()));
    let (book, known) = (words.clone(), plan.clone());
    let listener = move |sight: &Sight<'_>| {
        let listed = match sight.event {
            "bound" => true,
            "replaced" | "removed" | "expired" | "lost" => false,
            _ => return,
        };
        let Some(server) = known.servers.iter().position(|server| *server.name == *sight.node) else {
            return;
        };
        let (Some(aor), Some(contact)) = (sight.text("aor"), sight.text("contact")) else { return };
        let number = aor.strip_prefix("sip:").and_then(|rest| rest.split('@').next()).unwrap_or("");
        let Some(user) = known.users.iter().position(|user| &*user.number == number) else { return };
        book.borrow_mut().push(Word { at: sight.at, server, user, contact: contact.to_owned(), listed });
    };
    let findings = run::run(plan, plan.seed, Some(Box::new(listener))).expect("a run");
    let report = replay::report::Report::new(plan, &findings);
    assert_eq!(report.exit_code(), 0, "{}", report.console());
    words.take()
}

/// For how long each user was unreachable in each outage although a server was up, and outside of all outages under
/// the number behind the last.
fn count(plan: &Plan, outages: &[Outage], words: &[Word]) -> BTreeMap<(usize, usize), Duration> {
    let names: Vec<&str> = plan.servers.iter().map(|server| &*server.name).collect();
    assert_eq!(names, SERVERS, "the plan has the servers in this order");
    let mut ledger = BTreeMap::new();
    for (user, who) in plan.users.iter().enumerate() {
        let tiers = TIERS[who.home];
        let own = words.iter().filter(|word| word.user == user);
        let mut events: Vec<(Moment, Event<'_>)> = own.map(|word| (word.at, Event::Said(word))).collect();
        for (number, outage) in outages.iter().enumerate() {
            for server in outage.servers.iter().copied() {
                events.push((outage.from, Event::Fell { number, server }));
                events.push((outage.until, Event::Rose { number, server }));
            }
        }
        events.sort_by_key(|(at, _)| *at);
        let mut up = [true; SERVERS.len()];
        let mut listed: BTreeSet<(usize, &str)> = BTreeSet::new();
        let (mut during, mut arrived, mut since) = (outages.len(), false, None::<Moment>);
        for (at, event) in events {
            let lost = arrived
                && tiers.iter().any(|tier| up[*tier])
                && !listed.iter().any(|(server, _)| up[*server]);
            if let Some(from) = since.take().filter(|_| lost) {
                *ledger.entry((during, user)).or_default() += at.since(from);
            }
            match event {
                Event::Said(word) if word.listed => {
                    arrived = true;
                    listed.insert((word.server, &word.contact));
                }
                Event::Said(word) => _ = listed.remove(&(word.server, &*word.contact)),
                Event::Fell { number, server } => (up[server], during) = (false, number),
                Event::Rose { number, server } => (up[server], during) = (true, number),
            }
            since = Some(at);
        }
    }
    ledger
}

fn report(plan: &Plan, days: u64, outages: &[Outage], ledger: &BTreeMap<(usize, usize), Duration>) {
    println!("soak: {days} days, {} users, {} outages, seed {}", plan.users.len(), outages.len(), plan.seed);
    println!("  outage                                                        users  mean s  worst s");
    for (number, outage) in outages.iter().enumerate() {
        let hit: Vec<f64> =
            ledger.range((number, 0)..(number + 1, 0)).map(|(_, span)| span.as_secs_f64()).collect();
        let names: Vec<&str> = outage.servers.iter().map(|server| SERVERS[*server]).collect();
        let (worst, mean) = (hit.iter().copied().fold(0.0, f64::max), mean(&hit));
        println!(
            "  {} {:>6}  {:<28} {:<16} {:>5}  {mean:>6.2}  {worst:>7.2}",
            outage.from,
            match outage.until.since(outage.from).as_secs() {
                seconds @ ..60 => format!("{seconds}s"),
                seconds => format!("{}m", seconds / 60),
            },
            names.join(", "),
            outage.way.begins.replace(" {}", "").trim_end_matches(" for "),
            hit.len(),
        );
    }
    println!("  user     total s   worst outage s");
    for (user, who) in plan.users.iter().enumerate() {
        let hit: Vec<f64> =
            ledger.iter().filter(|((_, of), _)| *of == user).map(|(_, span)| span.as_secs_f64()).collect();
        let (total, worst) = (hit.iter().sum::<f64>(), hit.iter().copied().fold(0.0, f64::max));
        println!("  {:<8} {total:>7.2}   {worst:>7.2}", who.number);
    }
    let total: f64 = ledger.values().map(Duration::as_secs_f64).sum();
    let lived = days as f64 * 86_400.0 * plan.users.len() as f64;
    println!(
        "  unreachable although a server was up: {total:.1} user-seconds of {lived:.0}, {:.4} %",
        total / lived * 100.0
    );
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}
