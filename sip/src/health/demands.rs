//! What one user learned that the server demands of all (420, 439, RFC 7339).

use std::time::Duration;

use machine::time::Moment;

use super::{Effect, Health, Timer};
use crate::message::Message;
use crate::overload::Feedback;
use crate::server::Demands;

/// The least time between two tellings. Ours: every line of the site hears each of them.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Shares are told in steps of so many percent, rounded up. Ours, for the same reason.
const STEP: u8 = 5;

impl Health {
    /// What the Via of a probe's answer says.
    pub(super) fn hear_load(&mut self, now: Moment, message: &Message, out: &mut Vec<Effect>) {
        if let Some(load) = message.via().ok().and_then(|via| Feedback::read(&via)) {
            self.weigh_load(now, load, out);
        }
    }

    /// The later answer counts, in whichever order they arrive (RFC 7339 4.4, 5.4).
    pub(super) fn weigh_load(&mut self, now: Moment, load: Feedback, out: &mut Vec<Effect>) {
        let (_, latest) = self.load;
        if load.seq.is_some() && load.seq <= latest {
            return;
        }
        self.load = (now + load.validity.min(self.timing.retry_after_max), load.seq.or(latest));
        self.demands.shed = load.share.div_ceil(STEP) * STEP;
        self.demand(now, out);
    }

    /// Tells what is demanded now, unless it is known or was told only just now.
    pub(super) fn demand(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let (until, _) = self.load;
        if self.demands.shed > 0 && until <= now {
            self.demands.shed = 0;
        }
        let (told, at) = self.told;
        let is_fresh = told != Demands::default() && now.since(at) < TELL_EVERY;
        if self.demands != told && !is_fresh {
            self.told = (self.demands, now);
            let (server, tier) = (self.server.name.clone(), self.server.tier);
            out.push(Effect::Demands { server, tier, demands: self.demands });
        }
        let (told, at) = self.told;
        let later = (told != self.demands).then_some(at + TELL_EVERY);
        let end = (self.demands.shed > 0).then_some(until);
        match later.into_iter().chain(end).min() {
            Some(next) => self.timers.set(Timer::Demands, next),
            None => self.timers.stop(Timer::Demands),
        }
    }
}
