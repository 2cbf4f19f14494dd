//! The whole, shown: three OMMs, a PBX and some phones in one process.
use crate::exit::Exit;
use std::time::Duration;
/// Runs it.
pub fn run(_limit: Option<Duration>, _json: bool) -> Exit {
    Exit::Missing
}
