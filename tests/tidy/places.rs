//! What may be done in one place only: reading a clock, sleeping, re-exporting nothing.

use crate::tree::{Tree, names};

/// A thing done, the files or folders where it may be done, and the sentence.
struct Place {
    calls: &'static [&'static str],
    allowed: &'static [&'static str],
    rule: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        calls: &[
            "Instant::now",
            "SystemTime::now",
            "Utc::now",
            "Local::now",
            "Timestamp::now",
            "OffsetDateTime::now",
        ],
        allowed: &[
            "actors/src/clock.rs",
            // Tests against real programs wait in real time, with a limit.
            "tests/interop/",
            "tests/wire.rs",
            "tests/wire/",
            // Measurements.
            "benches/",
            "axi/src/link/tests.rs",
        ],
        rule: "only actors/src/clock.rs reads a clock; time is an argument",
    },
    Place {
        calls: &["thread::sleep", "time::sleep", "time::sleep_until", "sleep(", "park_timeout("],
        // In the replay and on the actors' paused test clock time is virtual: a nap costs nothing and every run naps alike.
        allowed: &["tests/interop/poll.rs", "replay/", "actors/src/seat/tests.rs", "actors/tests/"],
        rule: "nothing waits by sleeping; machines have deadlines",
    },
];

/// Complaints about things done elsewhere.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, at, code) in tree.code() {
        for place in PLACES {
            let done = place.calls.iter().any(|call| names(code, call));
            let allowed = |host: &&str| path == *host || host.ends_with('/') && path.starts_with(*host);
            if done && !place.allowed.iter().any(allowed) {
                complaints.push(format!("{path}:{at}: {}", place.rule));
            }
        }
        if path.ends_with("src/lib.rs") && names(code, "pub use ") {
            complaints.push(format!(
                "{path}:{at}: lib.rs re-exports nothing; a thing is imported from where it lives"
            ));
        }
    }
    complaints
}

#[test]
fn a_clock_a_nap_and_a_facade_are_found() {
    let found = check(&Tree::of(&[
        ("actors/src/clock.rs", "tokio::time::Instant::now()"),
        ("actors/src/seat.rs", "let now = Instant::now();\nlet later = now; // not SystemTime::now()"),
        ("omm/src/lib.rs", "pub mod x;\npub use x::Y;"),
        ("replay/src/memory.rs", "tokio::time::sleep(d).await;"),
        ("sip/src/line.rs", "asleep(1);\ntokio::time::sleep(d).await;"),
        ("src/main.rs", "std::thread::sleep(d);\nsleep(d).await;"),
        ("tests/interop/poll.rs", "thread::sleep(REST); Instant::now();"),
    ]));
    let places: Vec<&str> = found.iter().filter_map(|complaint| complaint.split(": ").next()).collect();
    assert_eq!(
        places,
        ["actors/src/seat.rs:1", "omm/src/lib.rs:2", "sip/src/line.rs:2", "src/main.rs:1", "src/main.rs:2"]
    );
}
