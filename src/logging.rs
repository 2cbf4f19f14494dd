//! What the service writes while it runs: to standard error, as text or as JSON, one event a line.

use std::io::{IsTerminal, stderr};
use std::str::FromStr;

use tracing_subscriber::filter::LevelFilter;

/// The environment variable that sets the level when no `-v` does: `error`, `warn`, `info`, `debug`, `trace`, `off`.
pub const VARIABLE: &str = "HOMING_LOG";

/// How to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Begins to write. `verbose` counts the `-v`s, which win over [`VARIABLE`]; `quiet` writes nothing unless asked.
///
/// # Errors
/// [`VARIABLE`] holds no level; the message says what it may hold.
pub fn start(verbose: u8, form: Form, quiet: bool) -> Result<(), String> {
    let usual = if quiet { LevelFilter::OFF } else { LevelFilter::INFO };
    let level = level(verbose, std::env::var(VARIABLE).ok().as_deref(), usual)?;
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(stderr).with_target(false);
    // A second start (tests in one process) keeps the first.
    let _ = match form {
        Form::Json => builder.json().flatten_event(true).try_init(),
        Form::Text => builder.with_ansi(colours(stderr().is_terminal())).try_init(),
    };
    Ok(())
}

/// Whether to use colours on a stream: only on a terminal, and never when `NO_COLOR` is set and not empty.
pub fn colours(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn level(verbose: u8, variable: Option<&str>, usual: LevelFilter) -> Result<LevelFilter, String> {
    match (verbose, variable.filter(|word| !word.is_empty())) {
        (0, Some(word)) => LevelFilter::from_str(word)
            .map_err(|_| format!("{VARIABLE} is {word:?}; expected error, warn, info, debug, trace or off")),
        (0, None) => Ok(usual),
        (1, _) => Ok(LevelFilter::DEBUG),
        (2.., _) => Ok(LevelFilter::TRACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_variable_and_nonsense_is_refused() {
        let level = |verbose, variable| level(verbose, variable, LevelFilter::INFO);
        assert_eq!(level(0, None), Ok(LevelFilter::INFO));
        assert_eq!(level(0, Some("")), Ok(LevelFilter::INFO));
        assert_eq!(level(0, Some("warn")), Ok(LevelFilter::WARN));
        assert_eq!(level(1, Some("warn")), Ok(LevelFilter::DEBUG));
        assert_eq!(level(9, None), Ok(LevelFilter::TRACE));
        let said = level(0, Some("loud")).expect_err("no level");
        assert_eq!(said, "HOMING_LOG is \"loud\"; expected error, warn, info, debug, trace or off");
    }
}
