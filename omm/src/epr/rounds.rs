//! Whose files are read without being asked for: everybody's in a round, a suspect's a second time; and what is given up.

use std::collections::BTreeSet;
use std::sync::Arc;

use machine::time::Moment;

use super::{Base, Effect, Epr, Outcome, SECOND_READ, Stage};
use crate::directory::user::User;
use crate::ids::Number;

impl Epr {
    /// The names of the users that came from the server, in order. One that can log in under none has its number's file.
    pub(super) fn externals(&self) -> Vec<Number> {
        let directory = self.directory.borrow();
        let name = |user: &Arc<User>| directory.login_name(user, self.login).unwrap_or(user.number.clone());
        directory.users().filter(|user| user.admin.external).map(name).collect()
    }

    pub(super) fn external(&self, name: &Number) -> Option<Arc<User>> {
        let directory = self.directory.borrow();
        let mut all = [directory.called(name, self.login), directory.user(name)].into_iter().flatten();
        all.find(|user| user.admin.external).cloned()
    }

    /// Everybody external is to be read, behind those who wait already.
    pub(super) fn begin_round(&mut self) {
        let known: BTreeSet<Number> = self.waiting.iter().chain(self.busy.keys()).cloned().collect();
        let others = self.externals().into_iter().filter(|number| !known.contains(number));
        self.waiting.extend(others);
    }

    /// Those who have waited long enough.
    pub(super) fn give_up(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let silent = || Outcome::Failed("the server did not answer".into());
        if matches!(self.base, Base::Reading(until) if until <= now) {
            self.common(silent(), out);
        }
        let late = |(_, stage): &(&Number, &Stage)| matches!(stage, Stage::Reading(until) if *until <= now);
        let late: Vec<Number> = self.busy.iter().filter(late).map(|(number, _)| number.clone()).collect();
        for number in late {
            self.read(now, number, silent(), out);
        }
    }

    /// Suspects whose second read is due.
    pub(super) fn look_again(&mut self, now: Moment) {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.retain(|name, _| self.external(name).is_some());
        self.suspects = suspects;
        for (number, suspect) in self.suspects.iter_mut().filter(|(_, suspect)| suspect.again <= now) {
            suspect.again = now + SECOND_READ;
            if !self.busy.contains_key(number) && !self.waiting.contains(number) {
                self.waiting.push_front(number.clone());
            }
        }
    }
}
