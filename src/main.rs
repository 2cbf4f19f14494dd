//! The command `homing`.

use std::process::ExitCode;

fn main() -> ExitCode {
    homing::cli::run(std::env::args_os()).into()
}
