//! What a power cut leaves of the store: `scripts/power-cuts` kills this program, drops from the disk what was not
//! synced, and has what is left examined.
//!
//! `write DIR ENGINE` commits one batch after the other and prints the number of each that was acknowledged.
//! `examine DIR ENGINE` prints the number of the last batch, and fails when a batch is there in part.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use actors::store::{Store, Write};
use homing::store::{ENGINES, open};

/// Keys of one batch: enough to fill more than one page of any engine.
const KEYS: u64 = 64;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [act, dir, engine] = &words[..] else { return usage() };
    let Some((_, engine)) = ENGINES.iter().find(|(word, _)| word == engine) else { return usage() };
    let done =
        open(*engine, Path::new(dir), "power cuts").map_err(|fault| fault.0).and_then(
            |store| match &act[..] {
                "write" => write(&*store),
                "examine" => examine(&*store),
                _ => Err("expected write or examine".to_owned()),
            },
        );
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: power_cuts write|examine DIR sled|redb");
    ExitCode::from(2)
}

/// The number that all keys hold; 0 when there are none.
fn last(store: &dyn Store) -> Result<u64, String> {
    let pairs = store.load(b"k").map_err(|fault| fault.0)?;
    let number = |value: &[u8]| String::from_utf8_lossy(value).trim_end_matches('x').parse::<u64>().ok();
    let numbers: Vec<u64> = pairs.iter().filter_map(|(_, value)| number(value)).collect();
    match numbers.first() {
        None if pairs.is_empty() => Ok(0),
        Some(first) if numbers.len() as u64 == KEYS && numbers.iter().all(|number| number == first) => {
            Ok(*first)
        }
        _ => Err(format!("torn: {} keys hold {numbers:?}", pairs.len())),
    }
}

fn write(store: &dyn Store) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let from = last(store)? + 1;
    for number in from.. {
        let value = format!("{number}{}", "x".repeat(200));
        let put = |key| Write::Put(format!("k{key:02}").into_bytes(), value.clone().into_bytes());
        runtime.block_on(store.commit((0..KEYS).map(put).collect())).map_err(|fault| fault.0)?;
        println!("{number}");
        stdout().flush().map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn examine(store: &dyn Store) -> Result<(), String> {
    println!("{}", last(store)?);
    Ok(())
}
