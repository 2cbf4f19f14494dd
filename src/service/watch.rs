//! The trace of the service's OMM, as log lines: what an operator must see is loud, the rest is there for `-v`.

use ::actors::trace::Seen;

/// Writes one line of the trace to the log.
pub fn log(seen: Seen<'_>) {
    let (who, note) = (seen.who, seen.note);
    match note.event {
        "alarm" | "fault" => tracing::warn!("{who} {note}"),
        "link" | "flow" | "resolved" | "absent" | "failover" | "failback" | "start" => {
            tracing::info!("{who} {note}")
        }
        _ => tracing::debug!("{who} {note}"),
    }
}
