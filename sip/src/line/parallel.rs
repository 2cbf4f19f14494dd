//! Registered at every tier at once: the loss of one moves nobody, because everybody is at the others already (ours).
//!
//! `current` is the first tier at which the user is registered. It says where calls come from in order of preference, and
//! nothing is sent when it changes. Each binding has its own Call-ID and reg-id, refreshes and backs off by itself.

use machine::time::Moment;

use super::{Effect, Line, State};
use crate::binding::Order;
use crate::report::{Failure, Report};
use crate::server::Standing;
use crate::shaper::Rank;

impl Line {
    fn all(&self) -> std::ops::Range<u8> {
        0..u8::try_from(self.tiers.len()).unwrap_or(0)
    }

    /// Registers wherever somebody could answer; at the first tier when nobody could.
    pub(super) fn engage_all(&mut self, now: Moment, rank: Rank, out: &mut Vec<Effect>) {
        let fit: Vec<u8> = self.all().filter(|tier| self.is_fit(*tier)).collect();
        if fit.is_empty() {
            return self.engage(now, 0, rank, out);
        }
        for tier in fit {
            self.engage(now, tier, rank, out);
        }
    }

    /// Tells every binding that there is.
    pub(super) fn tell_all(&mut self, order: &Order, out: &mut Vec<Effect>) {
        for tier in self.all() {
            if self.tier(tier).is_some_and(|entry| entry.hired) {
                self.tell(tier, order.clone(), out);
            }
        }
    }

    /// Tells every binding that there is whether another tier serves the user now.
    fn shelter_all(&mut self, out: &mut Vec<Effect>) {
        for tier in self.all() {
            if self.tier(tier).is_some_and(|entry| entry.hired) {
                self.shelter(tier, out);
            }
        }
    }

    fn is_fit(&self, tier: u8) -> bool {
        self.tiers.get(usize::from(tier)).is_some_and(|entry| entry.standing.is_fit())
    }

    fn is_bound(&self, tier: u8) -> bool {
        self.tiers.get(usize::from(tier)).is_some_and(|entry| entry.bound)
    }

    /// The first tier at which the user is registered becomes the current one.
    fn prefer(&mut self, out: &mut Vec<Effect>) {
        let Some(to) = self.all().find(|tier| self.is_bound(*tier)) else { return };
        let State::On { current, .. } = &mut self.state else { return };
        let from = std::mem::replace(current, to);
        if to > from {
            out.push(Effect::Failover { from, to });
        } else if to < from {
            out.push(Effect::Failback { from, to });
        }
    }

    /// How the server of a tier stands has changed.
    pub(super) fn parallel_stands(
        &mut self,
        now: Moment,
        tier: u8,
        standing: Standing,
        out: &mut Vec<Effect>,
    ) {
        let State::On { .. } = self.state else { return };
        match standing {
            Standing::Usable | Standing::Recovering => {
                if !self.is_bound(tier) {
                    self.engage(now, tier, Rank::Refresh, out);
                }
            }
            Standing::Down | Standing::Draining(_) | Standing::Drilled => {
                // Where nobody else serves, the binding goes on with its own back-off.
                if self.all().any(|other| other != tier && self.is_fit(other)) {
                    self.leave(tier, out);
                }
                self.shelter_all(out);
                self.prefer(out);
            }
        }
    }

    /// What the binding of a tier reports while the user is to be registered everywhere.
    pub(super) fn parallel_reported(&mut self, tier: u8, report: Report, out: &mut Vec<Effect>) {
        match report {
            Report::Registered { granted, listed } => {
                if let Some(entry) = self.tier(tier) {
                    (entry.bound, entry.failed, entry.failing) = (true, false, false);
                }
                self.haste = None;
                self.shelter_all(out);
                self.prefer(out);
                out.push(Effect::Bound { tier, granted });
                out.push(Effect::Listed(listed));
            }
            Report::Listed(listed) => out.push(Effect::Listed(listed)),
            Report::Granted(grant) => out.push(Effect::Granted { tier, grant }),
            Report::Failed(failure) => self.parallel_failed(tier, failure, out),
            Report::Removed(outcome) => self.removed(tier, outcome, out),
            // It is needed again when its server is back.
            Report::Done => {}
        }
    }

    fn parallel_failed(&mut self, tier: u8, failure: Failure, out: &mut Vec<Effect>) {
        if let Some(entry) = self.tier(tier) {
            (entry.bound, entry.failing) = (false, failure.server_side());
        }
        self.shelter_all(out);
        if self.all().any(|other| self.is_bound(other)) {
            self.prefer(out);
        } else {
            out.push(Effect::Failed { tier, failure });
        }
    }
}
