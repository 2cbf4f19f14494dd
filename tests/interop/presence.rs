//! Which peers this machine has, and what a test says when one is missing.

use std::env;
use std::io::Write;
use std::path::PathBuf;

/// Ends the calling test with a counted line if a program it needs is not installed.
macro_rules! needs {
    ($($program:literal),+) => {
        fn here() {}
        if $crate::presence::skipped(std::any::type_name_of_val(&here), &[$($program),+]) {
            return;
        }
    };
}
pub(crate) use needs;

/// Where `scripts/test` puts programs that come from the Python package index.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/axi-client/bin");

/// Where `program` is. Debian keeps Kamailio in `/usr/sbin`, which is not in the PATH of everybody.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), PYTHON.into()])
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

/// Says by name what is missing for the test that `here` lies in; `scripts/test` counts these lines.
///
/// # Panics
/// With `CI=true`, where nothing may be skipped.
pub(crate) fn skipped(here: &str, programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| find(program).is_none()).copied().collect();
    if missing.is_empty() {
        return false;
    }
    let test = here.trim_start_matches("interop::").trim_end_matches("::here");
    let line = format!("skipped: {test} (not installed: {})", missing.join(", "));
    assert!(env::var("CI").as_deref() != Ok("true"), "{line}, and CI=true lets nothing be skipped");
    // Straight to stderr and in one piece: `eprintln!` of a passing test is swallowed by the test runner.
    let _ = std::io::stderr().write_all(format!("\n{line}\n").as_bytes());
    true
}
