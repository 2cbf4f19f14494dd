//! The central dies and comes back, and ten remotes with it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{self, Client};
use crate::site::Site;
use crate::wire::{Tally, Wire};
use crate::{PATIENCE, poll};

/// Edits at each remote while the central is dead.
const EDITS: u32 = 10;
/// Between two requests of the client, and between two looks at the links.
const PAUSE: Duration = Duration::from_millis(5);
/// The client asks about so many users, one after the other.
const ASKED: u32 = 1_000;

/// Kills the central, edits at all remotes, starts the central again.
pub(crate) fn measure(central: &mut Site, remotes: &[(Site, Wire)]) {
    central.kill();
    for (site, _) in remotes {
        site.waits_for_link(false);
    }
    for (index, (site, _)) in (0..).zip(remotes) {
        let mut client = Client::log_in(site.axi()).expect("a session");
        for number in 0..EDITS {
            let name = format!("Night {index} {number}");
            client::rename(&mut client, 2 + 37 * index + number, &name);
        }
    }
    let started = Instant::now();
    central.revive();
    let over = Arc::new(AtomicBool::new(false));
    let asking = {
        let (at, over) = (central.axi(), Arc::clone(&over));
        thread::spawn(move || ask(at, started, &over))
    };
    // Each is asked only until it is up: the looks cost more than the links.
    for (site, _) in remotes {
        site.waits_for_link(true);
    }
    // A link is up when the claims are exchanged; the directory's last pages may still be on their way.
    let tallies: Vec<Tally> = remotes.iter().map(|(_, wire)| wire.quiet()).collect();
    let last = tallies.iter().filter_map(|tally| tally.last).max();
    let all = last.map_or(Duration::ZERO, |last| last - started);
    let link = tallies.iter().map(|tally| tally.time).max().unwrap_or_default();
    over.store(true, Ordering::Relaxed);
    let (first, mut answers) = asking.join().expect("the client");
    answers.sort();
    println!(
        "kill -9 of the central, {EDITS} edits at each of {} remotes, all come back at once",
        remotes.len()
    );
    println!(
        "  the central answers {:.2} s after its start; all in step after {:.2} s, the remotes' waits before they dial \
         included; {:.2} s at most from a remote's connection on",
        first.as_secs_f64(),
        all.as_secs_f64(),
        link.as_secs_f64()
    );
    if let (Some(longest), Some(median)) = (answers.last(), answers.get(answers.len() / 2)) {
        println!(
            "  {} AXI requests answered meanwhile: median {:.1} ms, longest {:.1} ms",
            answers.len(),
            median.as_secs_f64() * 1e3,
            longest.as_secs_f64() * 1e3
        );
    }
}

/// Asks the central for users until it is over: when it answered first, and how long each answer took.
fn ask(at: std::net::SocketAddr, started: Instant, over: &AtomicBool) -> (Duration, Vec<Duration>) {
    let mut client = loop {
        match Client::log_in(at) {
            Ok(client) => break client,
            Err(error) => assert!(started.elapsed() < PATIENCE, "the central does not come back: {error}"),
        }
        poll::rest(PAUSE);
    };
    let (first, mut answers) = (started.elapsed(), Vec::new());
    for uid in (1..=ASKED).cycle().take_while(|_| !over.load(Ordering::Relaxed)) {
        let began = Instant::now();
        client.ask("GetPPUser", &format!("uid=\"{uid}\" maxRecords=\"1\""), "").expect("an answer");
        answers.push(began.elapsed());
        poll::rest(PAUSE);
    }
    (first, answers)
}
