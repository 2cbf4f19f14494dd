//! 503 with Retry-After: 0 (S-22): the same request once more now, where the DNS says that the server is now.

use machine::time::Moment;

use super::flight::Errand;
use super::redirect::PATIENCE;
use super::{Binding, Effect, Timer};
use crate::report::{Evidence, Failure};

impl Binding {
    /// The server wants to be asked again at once. Where a redirection led is known from just now.
    pub(super) fn retry_afresh(&mut self, now: Moment, mut errand: Errand, out: &mut Vec<Effect>) {
        errand.again = true;
        if !errand.detours.is_empty() {
            return self.attempt(now, errand, out);
        }
        self.timers.set(Timer::Seek, now + PATIENCE);
        self.seeking = Some(Box::new(errand));
        out.push(Effect::Check);
    }

    /// The DNS has said where the server is, or nothing at all: then it is believed where it was.
    pub(super) fn checked(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let Some(mut errand) = self.seeking.take_if(|errand| errand.detours.is_empty()) else { return };
        self.timers.stop(Timer::Seek);
        if !self.is_wanted(&errand) {
            return;
        }
        if self.timers.at(Timer::Hold).is_some() {
            let told = (Failure::Refused(503), Evidence::Overloaded(std::time::Duration::ZERO));
            return self.elsewhere(now, *errand, told, out);
        }
        errand.at = errand.at.filter(|at| self.targets().contains(at));
        self.attempt(now, *errand, out);
    }
}
