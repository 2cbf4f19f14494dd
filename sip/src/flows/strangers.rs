//! Connections that others open: how many, and who makes place.

use machine::time::Moment;

use super::connection::Connection;
use super::{Effect, Flows, Id};
use crate::target::Target;

/// Connections that others may open; ours: a phone each (M-2.2.1-d) and the servers.
pub const ACCEPTED_MAX: usize = 10_240;
/// Connections that one address may open; ours: phones behind one NAT.
pub const ACCEPTED_PER_ADDRESS_MAX: usize = 256;

impl Flows {
    pub(super) fn accept(&mut self, now: Moment, id: Id, peer: Target, out: &mut Vec<Effect>) {
        let from_there =
            |connection: &&Connection| !connection.is_ours() && connection.peer.addr.ip() == peer.addr.ip();
        let crowd = self.connections.values().filter(from_there).take(ACCEPTED_PER_ADDRESS_MAX).count();
        if crowd == ACCEPTED_PER_ADDRESS_MAX {
            self.counts.refused += 1;
            return out.push(Effect::Close(id));
        }
        if self.accepted >= ACCEPTED_MAX {
            let others = self.connections.iter().filter(|(_, connection)| !connection.is_ours());
            if let Some(id) = others.min_by_key(|(_, connection)| connection.heard).map(|(id, _)| *id) {
                self.counts.refused += 1;
                self.end(id, "others need its place", out);
            }
        }
        self.accepted += 1;
        self.enter(id, Connection::accepted(now, peer));
    }
}
