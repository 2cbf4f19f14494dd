//! How a command ends, as a number. The numbers are part of homing's outer surface.

use std::process::ExitCode;

/// The exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All planned checks ran and passed; the service was told to stop and stopped.
    Passed = 0,
    /// An expectation or a check failed.
    Failed = 1,
    /// The command line, a configuration or a scenario is wrong.
    Usage = 2,
    /// The target or the environment is missing: no service to ask, a port taken, a disk that cannot be written.
    Missing = 3,
    /// Interrupted, or out of time before all checks ran.
    Interrupted = 4,
    /// Only known, listed deviations.
    Deviations = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
