//! What keeping eleven sites in step costs: real `homing serve` processes on loopback, TLS between them, the central filled
//! over AXI, every byte between two sites counted by a relay.
//!
//! ```text
//! cargo bench --bench sync                           everything, 9,999 users and as many handsets beside the planted one
//! HOMING_BENCH_USERS=1000 cargo bench --bench sync -- download edits
//! ```
//!
//! - **download**: an empty remote attaches. The clock runs from its connection at the relay to the last byte before
//!   both sides are in step; bytes are all that TCP carries, both ways, TLS included.
//! - **slowly**: the same over 1,000 kbit/s each way (the vendor's guideline for 10,000 users, M-2.2.8-f).
//! - **reconnect**: the wire is cut and heals, nothing was changed meanwhile; then with 1 % of users and handsets changed,
//!   the users at the central, the handsets at the remote. Bytes are those after the TLS handshake, both ways; a round
//!   trip is a flight of the remote that is followed by one of the central; the login is one. The wire takes 40 ms each
//!   way meanwhile, so that what is sent together is one flight.
//! - **edits**: ten remotes; a user is renamed at one, over AXI, and all ten other OMMs tell their clients so. The clock runs
//!   from the request to each event.
//! - **restart**: `kill -9` of the central, edits at every remote meanwhile, and all ten come back at once. A client asks the
//!   central for users all the time.
//!
//! After each part the users and handsets of both ends are read over AXI, and have to be the same.
//!
//! Targets: download within 5 s and 12 MB (the vendor: 30 MB), within 100 s at 1,000 kbit/s (the vendor: 240 s); reconnect
//! with 4 kB and two round trips, with 1 % changed 0.4 MB; an edit visible within 50 ms at the 99th percentile. Times on a
//! busy machine are worth little, bytes and ratios more.
#![expect(clippy::disallowed_methods, reason = "real peers live in real time")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::site::Site;
use crate::wire::{Tally, Wire};

#[path = "../../tests/interop/address.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod address;
mod client;
mod edits;
#[path = "../peers/meter.rs"]
mod meter;
#[path = "../../tests/interop/poll.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod poll;
#[path = "../../tests/interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod process;
mod restart;
mod site;
mod wire;

/// When a part has failed.
const PATIENCE: Duration = Duration::from_secs(300);
/// Remotes of a full system (M-2.1.1-c).
const REMOTES: usize = 10;
/// How long a byte takes over the wire of a link that comes back, each way: far more than either side needs to answer.
const WAY: Duration = Duration::from_millis(40);
/// The vendor's guideline for 10,000 users, in bits a second (M-2.2.8-f).
const SLOW: u64 = 1_000_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        // `cargo test --benches` only wants to see that it builds.
        return ExitCode::SUCCESS;
    }
    let asked =
        |name: &str| words.iter().all(|word| word == "--bench") || words.iter().any(|word| word == name);
    let users = match std::env::var("HOMING_BENCH_USERS") {
        Ok(text) => text.trim().parse().expect("a number of users"),
        // The planted one is the last that the platform holds (M-2.2.1-d).
        Err(_) => 9_999,
    };
    let mut central = Site::central();
    let idle = meter::cost(central.id());
    let started = Instant::now();
    client::fill(central.axi(), users);
    let full = meter::cost(central.id());
    println!(
        "{users} users with handsets made over AXI in {:.1} s; the central: {:.1} MB idle, {:.1} MB with them",
        started.elapsed().as_secs_f64(),
        idle.memory as f64 / 1024.0,
        full.memory as f64 / 1024.0
    );
    let mut remotes = Vec::new();
    if asked("download") || asked("reconnect") {
        remotes.push(download(&central, users, None));
    }
    if asked("slowly") {
        remotes.push(download(&central, users, Some(SLOW)));
    }
    if asked("reconnect") {
        let (remote, wire) = &remotes[0];
        reconnect(&central, remote, wire);
        change(&central, remote, wire, users);
        wire.lengthen(Duration::ZERO);
    }
    if asked("edits") || asked("restart") {
        let rest = (remotes.len()..REMOTES).map(|index| {
            let wire = Wire::lay(central.link(), None);
            (Site::remote(index, wire.at()), wire)
        });
        remotes.extend(rest.collect::<Vec<_>>());
        for (remote, _) in &remotes {
            remote.waits_for_link(true);
        }
        if asked("edits") {
            let sites: Vec<&Site> = remotes.iter().map(|(site, _)| site).collect();
            edits::measure(&central, &sites, users);
        }
        if asked("restart") {
            restart::measure(&mut central, &remotes);
        }
        for (site, _) in &remotes {
            same(&central, site);
        }
    }
    ExitCode::SUCCESS
}

/// An empty remote downloads everything.
fn download(central: &Site, users: u32, rate: Option<u64>) -> (Site, Wire) {
    let wire = Wire::lay(central.link(), rate);
    let before = meter::cost(central.id());
    let remote = Site::remote(usize::from(rate.is_some()), wire.at());
    remote.waits_for_link(true);
    let tally = wire.quiet();
    let (there, here) = (meter::cost(central.id()), meter::cost(remote.id()));
    let (seconds, bytes) = (tally.time.as_secs_f64(), tally.bytes() as f64 / 1e6);
    let (name, target, vendor) = match rate {
        None => ("loopback", 5.0, None),
        Some(_) => ("1,000 kbit/s", 100.0, Some(240.0)),
    };
    println!("first download of {users} users and handsets, {name}");
    println!("  {seconds:.2} s: {:.2} of the target {target} s", seconds / target);
    if let Some(vendor) = vendor {
        println!("  {:.1} times as fast as the vendor's {vendor} s", vendor / seconds);
    }
    println!(
        "  {bytes:.2} MB: {:.2} of the target 12 MB, {:.2} of the vendor's 30 MB",
        bytes / 12.0,
        bytes / 30.0
    );
    println!(
        "  down {} B, up {} B; CPU: central {:.2} s, remote {:.2} s; the remote's memory {:.1} MB",
        tally.down,
        tally.up,
        there.cpu - before.cpu,
        here.cpu,
        here.memory as f64 / 1024.0
    );
    same(central, &remote);
    (remote, wire)
}

fn reconnect(central: &Site, remote: &Site, wire: &Wire) {
    wire.lengthen(WAY);
    println!("reconnect, nothing changed");
    for _ in 0..3 {
        let tally = again(remote, wire, || ());
        let bytes = tally.said();
        println!(
            "  {} B down, {} B up after the handshake: {:.2} of the target 4 kB; {} round trips, one of them the login (target 2); {:.0} ms",
            tally.said_down,
            tally.said_up,
            bytes as f64 / 4_000.0,
            tally.round_trips,
            tally.time.as_secs_f64() * 1e3
        );
    }
    same(central, remote);
}

fn change(central: &Site, remote: &Site, wire: &Wire, users: u32) {
    let count = users / 100;
    let tally = again(remote, wire, || client::touch(central.axi(), remote.axi(), count));
    println!("reconnect, {count} users changed at the central and {count} handsets at the remote");
    println!(
        "  {} B down, {} B up after the handshake: {:.2} of the target 0.4 MB; {} round trips; {:.0} ms",
        tally.said_down,
        tally.said_up,
        tally.said() as f64 / 400_000.0,
        tally.round_trips,
        tally.time.as_secs_f64() * 1e3
    );
    same(central, remote);
}

/// Cuts the wire, does something meanwhile, and heals it: what the new connection carried.
fn again(remote: &Site, wire: &Wire, meanwhile: impl FnOnce()) -> Tally {
    wire.cut();
    remote.waits_for_link(false);
    meanwhile();
    wire.heal();
    remote.waits_for_link(true);
    wire.quiet()
}

/// Both sites show the same users and handsets.
fn same(one: &Site, other: &Site) {
    let [ours, theirs] = [one, other].map(|site| client::everything(site.axi()));
    assert!(ours == theirs, "the directories of {} and {} differ", one.name(), other.name());
}
