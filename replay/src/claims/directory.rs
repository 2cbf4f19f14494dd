//! Claims about what the sites' directories show.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::site;
use crate::ledger::Ledger;
use crate::ledger::rows::Row;
use crate::plan::Plan;
use crate::script::Name;
use crate::script::claim::{Op, Shown};

/// One claim, with numbers and IPEIs in the place of names.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// How a number is shown at a site, or at all that run.
    User {
        /// The number.
        number: Arc<str>,
        /// What is claimed of it.
        is: Is,
        /// The site; a place in the plan.
        at: Option<usize>,
    },
    /// How many users a site serves.
    Users {
        /// The site; a place in the plan.
        at: usize,
        /// The comparison.
        op: Op,
        /// With what.
        count: u64,
    },
    /// All that run told the same digest.
    Equal,
}

/// How a number is shown.
#[derive(Clone, Debug)]
pub(super) enum Is {
    /// Somehow.
    There,
    /// Not at all.
    Absent,
    /// With this value in this field.
    With(&'static str, Arc<str>),
}

impl Question {
    /// The claim about one user; a user that is not declared is a number.
    pub(super) fn user(plan: &Plan, user: &Name, is: &Shown, at: Option<&Name>) -> Question {
        let declared = plan.users.iter().find(|known| known.name == *user);
        let ipei = |name: &Name| {
            let phone = plan.phones.iter().find(|phone| phone.name == *name);
            phone.map_or_else(|| Arc::clone(name), |phone| Arc::clone(&phone.ipei))
        };
        let is = match is {
            Shown::There => Is::There,
            Shown::Absent => Is::Absent,
            Shown::With(key, value) => Is::With(key, Arc::clone(value)),
            Shown::Device(device) => Is::With("device", device.as_ref().map_or("none".into(), ipei)),
        };
        Question::User {
            number: Arc::clone(declared.map_or(user, |declared| &declared.number)),
            is,
            // A site that is not there never shows anybody.
            at: at.map(|name| plan.sites.iter().position(|site| site.name == *name).unwrap_or(usize::MAX)),
        }
    }

    /// Whether it is so. Nothing is so of sites when none runs.
    pub(super) fn holds(&self, ledger: &Ledger) -> bool {
        let running = || (0..ledger.plan.sites.len()).filter(|at| ledger.runs(*at));
        match self {
            Question::User { number, is, at: Some(at) } => is.fits(ledger.rows().row(*at, number)),
            Question::User { number, is, at: None } => {
                running().count() > 0 && running().all(|at| is.fits(ledger.rows().row(at, number)))
            }
            Question::Users { at, op, count } => op.holds(ledger.rows().active(*at), *count),
            Question::Equal => {
                let digests: BTreeSet<Option<&str>> = running().map(|at| ledger.rows().digest(at)).collect();
                digests.len() == 1 && !digests.contains(&None)
            }
        }
    }

    /// What is so instead.
    pub(super) fn tell(&self, ledger: &Ledger) -> String {
        let plan = &ledger.plan;
        let each = |tell: &dyn Fn(usize) -> String| {
            let running = (0..plan.sites.len()).filter(|at| ledger.runs(*at));
            running.map(|at| format!("{} {}", site(plan, at), tell(at))).collect::<Vec<_>>().join(", ")
        };
        match self {
            Question::User { number, is, .. } => each(&|at| is.tell(number, ledger.rows().row(at, number))),
            Question::Users { .. } => each(&|at| format!("serves {}", ledger.rows().active(at))),
            Question::Equal => {
                each(&|at| format!("has {}", ledger.rows().digest(at).unwrap_or("told nothing")))
            }
        }
    }
}

impl Is {
    fn fits(&self, row: Option<&Row>) -> bool {
        match self {
            Is::There => row.is_some(),
            Is::Absent => row.is_none(),
            Is::With(key, value) => row.and_then(|row| row.field(key)) == Some(&**value),
        }
    }

    fn tell(&self, number: &str, row: Option<&Row>) -> String {
        match (self, row) {
            (_, None) => format!("shows no {number}"),
            (Is::With(key, _), Some(row)) => {
                format!("shows {number} with {key} {:?}", row.field(key).unwrap_or_default())
            }
            (Is::There | Is::Absent, Some(_)) => format!("shows {number}"),
        }
    }
}
