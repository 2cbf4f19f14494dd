//! An edit at one site, and when ten others have told their clients.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{self, Client};
use crate::poll;
use crate::site::Site;

/// How many edits.
const EDITS: u32 = 300;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(20);
/// When an event will not come any more.
const LATE: Duration = Duration::from_secs(20);
/// The 99th percentile should be below (issue 4).
const TARGET: Duration = Duration::from_millis(50);

/// Edits at the first of `remotes`; the others and the central listen.
pub(crate) fn measure(central: &Site, remotes: &[&Site], users: u32) {
    let [editor, others @ ..] = remotes else { return };
    let (tell, told) = channel();
    let listeners: Vec<&Site> = others.iter().copied().chain([central]).collect();
    for listener in &listeners {
        listen(listener, tell.clone());
    }
    let mut client = Client::log_in(editor.axi()).expect("a session");
    let mut seen = Vec::new();
    let mut answers = Vec::new();
    for number in 0..EDITS {
        let uid = 2 + number * 31 % (users - 1);
        let started = Instant::now();
        client::rename(&mut client, uid, &format!("{MARK}{number}"));
        answers.push(started.elapsed());
        collect(&told, number, started, listeners.len(), &mut seen);
        poll::rest(PAUSE);
    }
    answers.sort();
    seen.sort();
    println!(
        "{EDITS} edits at one of ten remotes, seen at the nine others and the central, {} sightings",
        seen.len()
    );
    show("the editor's own answer", &answers);
    show("seen elsewhere", &seen);
    let ratio = at(&seen, 99).as_secs_f64() / TARGET.as_secs_f64();
    println!("  99th percentile: {ratio:.2} of the target {TARGET:?}");
}

/// The names that edits give begin so.
const MARK: &str = "Edit ";

/// A client that hears of users, and tells when it heard of which edit.
fn listen(site: &Site, tell: Sender<(u32, Instant)>) {
    let mut client = Client::log_in(site.axi()).expect("a session");
    let wish = "<e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"-1\"/>";
    client.ask("Subscribe", "", wish).expect("a subscription");
    thread::spawn(move || {
        while let Ok(event) = client.hear() {
            let at = Instant::now();
            let name =
                event.split_once(&format!(" name=\"{MARK}")).and_then(|(_, rest)| rest.split('"').next());
            if let Some(number) = name.and_then(|name| name.parse().ok())
                && tell.send((number, at)).is_err()
            {
                return;
            }
        }
    });
}

/// Waits until all have heard of this edit.
fn collect(
    told: &Receiver<(u32, Instant)>,
    number: u32,
    started: Instant,
    listeners: usize,
    seen: &mut Vec<Duration>,
) {
    for heard in 0..listeners {
        let (which, at) = told.recv_timeout(LATE).unwrap_or_else(|_| {
            panic!("edit {number} was seen at {heard} of {listeners} others after {LATE:?}")
        });
        assert_eq!(which, number, "an edit is told once");
        seen.push(at.saturating_duration_since(started));
    }
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn show(what: &str, sorted: &[Duration]) {
    let [half, most, last] = [50, 99, 100].map(|percent| at(sorted, percent).as_secs_f64() * 1e3);
    println!("  {what:<24} median {half:.1} ms, 99th percentile {most:.1} ms, longest {last:.1} ms");
}
