//! Datagram flows to servers that promised to answer STUN (RFC 5626 4.4.2, RFC 6223).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use machine::chance::Chance;
use machine::time::Moment;

use super::{DIALLED_MAX, Effect};
use crate::flow::{DATAGRAMS, Due, Flow, Manner};
use crate::stun::{self, Id};
use crate::target::{Target, Transport};

/// How long a promise holds that nobody repeats; ours: the longest life of a registration (SM-3: 86,400 s).
const PROMISE: Duration = Duration::from_secs(86_400);

/// The flows, by the server's address.
#[derive(Debug, Default)]
pub(super) struct Beats(BTreeMap<SocketAddr, Beat>);

#[derive(Debug)]
struct Beat {
    flow: Flow,
    id: Id,
    asked: bool,
    until: Moment,
}

impl Beats {
    /// A server promised, once more or for the first time.
    pub(super) fn promised(
        &mut self,
        now: Moment,
        server: SocketAddr,
        interval: Option<Duration>,
        chance: &mut Chance,
    ) {
        if !self.0.contains_key(&server) {
            if self.0.len() == DIALLED_MAX {
                return;
            }
            let flow = Flow::new(now, Manner::Stun, chance);
            self.0.insert(server, Beat { flow, id: id(chance), asked: false, until: now });
        }
        if let Some(beat) = self.0.get_mut(&server) {
            beat.until = now + PROMISE;
            beat.flow.negotiate(now, interval.unwrap_or(DATAGRAMS).min(DATAGRAMS), chance);
        }
    }

    /// An answer came; only one to what was asked counts.
    pub(super) fn heard(&mut self, now: Moment, from: SocketAddr, heard: Id, chance: &mut Chance) {
        if let Some(beat) = self.0.get_mut(&from).filter(|beat| beat.asked && beat.id == heard) {
            beat.flow.pong(now, chance);
            (beat.id, beat.asked) = (id(chance), false);
        }
    }

    pub(super) fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.0.values().filter_map(|beat| beat.flow.deadline()).min_by_key(|(at, _)| *at)
    }

    pub(super) fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.0.retain(|server, beat| {
            while let Some(due) = beat.flow.wake(now) {
                match due {
                    Due::Ping if now >= beat.until => return false,
                    Due::Ping => {
                        beat.asked = true;
                        out.push(Effect::Datagram { to: *server, bytes: stun::request(beat.id) });
                    }
                    // The registrations that follow bring the promise back, if there is one.
                    Due::Failed => {
                        let to = Target::new(Transport::Udp, *server);
                        out.push(Effect::Lost { to, why: "no answer to STUN within 10 s".to_owned() });
                        return false;
                    }
                }
            }
            true
        });
    }
}

/// Chance enough that nobody off the path guesses it.
fn id(chance: &mut Chance) -> Id {
    let (high, low) = (chance.next().to_be_bytes(), chance.next().to_be_bytes());
    let mut id = Id::default();
    id.iter_mut().zip(high.into_iter().chain(low)).for_each(|(to, from)| *to = from);
    id
}
