//! The trace of the service's OMM: into the diary, and as log lines, where what an operator must see is loud and the
//! rest is there for `-v`.

use std::rc::Rc;

use ::actors::clock::Clock;
use ::actors::trace::{Seen, Sink};

use crate::diary::Diary;

/// Listens to the trace: writes the diary, and the log.
pub fn listener(diary: Rc<Diary>, clock: Rc<Clock>) -> Sink {
    Rc::new(move |seen| {
        diary.write(clock.wall(), seen.who, seen.note);
        log(seen);
    })
}

/// Writes one line of the trace to the log.
fn log(seen: Seen<'_>) {
    let (who, note) = (seen.who, seen.note);
    match note.event {
        // That a provisioning server deletes users, or cannot be read, is for an operator to see (M-2.2.7.1-b).
        "alarm" | "fault" | "external" => tracing::warn!("{who} {note}"),
        "link" | "flow" | "resolved" | "absent" | "rests" | "failover" | "failback" | "start" => {
            tracing::info!("{who} {note}")
        }
        _ => tracing::debug!("{who} {note}"),
    }
}
