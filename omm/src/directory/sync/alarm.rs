//! What administrators have to know of the directory (spec SM-7, spec 12): conflicts are resolved alike everywhere and
//! nothing is deleted for one, but somebody lost a number, or cannot be used.

use std::fmt;

use super::{Effect, Sync};
use crate::directory::Directory;
use crate::directory::edit::{Changed, Edit};
use crate::directory::status::Status;
use crate::stamp::OmmId;
use crate::star::Role;

/// How many names an alarm lists; the rest is counted. Ours: a line that people read.
const NAMED_MAX: usize = 5;

/// What is told once, when it begins. How many there are at any time, the status tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// These are shown and may not be used: `what` they are, and why.
    Idle {
        /// `user` or `handset`.
        what: &'static str,
        /// Why.
        why: Status,
        /// Numbers or IPEIs that were asked for, [`NAMED_MAX`] at most.
        named: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// So many pieces of this OMM carry stamps of the future and wait: its clock is, or was, wrong.
    Quarantined {
        /// Who sent them.
        from: OmmId,
        /// How many wait now.
        waiting: usize,
    },
    /// The central is out of reach, and this was done all the same (M-2.1.5-e): the name of the edit. It is kept and
    /// told later; another site may do the like meanwhile. Told once in an outage.
    Offline(&'static str),
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alarm::Idle { what, why, named, count } => {
                let s = if *count == 1 { "" } else { "s" };
                write!(f, "{count} {what}{s} cannot be used, {}: {}", because(*why), named.join(", "))?;
                if *count > named.len() { write!(f, " and {} more", count - named.len()) } else { Ok(()) }
            }
            Alarm::Quarantined { from, waiting } => {
                write!(f, "{waiting} records of {from} carry stamps of the future and wait")
            }
            Alarm::Offline(edit) => {
                write!(f, "{edit} while the central is out of reach: another site may do the like meanwhile")
            }
        }
    }
}

impl Sync {
    /// Whoever is here is told what is shown differently now, and administrators who cannot be used any more.
    pub(super) fn shows(&self, changed: Changed, out: &mut Vec<Effect>) {
        if changed.is_empty() {
            return;
        }
        let alarms = idle(&self.directory.borrow(), &changed);
        out.push(Effect::Changed(changed));
        out.extend(alarms.into_iter().map(Effect::Alarm));
    }

    /// Warns whoever makes or deletes something while the central is out of reach, once in an outage.
    pub(super) fn warn_offline(&mut self, edit: &'static str, out: &mut Vec<Effect>) {
        let is_cut_off = match self.role {
            Role::Central => false,
            // One that has never belonged to a system is cut off from nothing.
            Role::Remote => self.state.joined && self.links.is_empty(),
        };
        if is_cut_off && !std::mem::replace(&mut self.warned, true) {
            out.push(Effect::Alarm(Alarm::Offline(edit)));
        }
    }
}

fn because(why: Status) -> &'static str {
    match why {
        Status::Active => "and yet active",
        Status::Conflict => "another one has the number or IPEI",
        Status::OverLimit => "there are more than the platform holds",
    }
}

/// Who may not be used any more, of all that is shown differently now.
fn idle(directory: &Directory, changed: &Changed) -> Vec<Alarm> {
    let users = changed.users.iter().filter_map(|(uid, before)| {
        let now = directory.user_at(*uid)?;
        let stood = before.as_ref().map(|before| before.status);
        (stood != Some(now.status)).then(|| (now.status, now.admin.number.to_string()))
    });
    let devices = changed.devices.iter().filter_map(|(ppn, before)| {
        let now = directory.device_at(*ppn)?;
        let stood = before.as_ref().map(|before| before.status);
        (stood != Some(now.status)).then(|| (now.status, now.ipei.to_string()))
    });
    let (users, devices): (Vec<_>, Vec<_>) = (users.collect(), devices.collect());
    let mut alarms = Vec::new();
    for why in [Status::Conflict, Status::OverLimit] {
        for (what, all) in [("user", &users), ("handset", &devices)] {
            let mut named: Vec<String> =
                all.iter().filter(|(status, _)| *status == why).map(|(_, name)| name.clone()).collect();
            let count = named.len();
            named.truncate(NAMED_MAX);
            if count > 0 {
                alarms.push(Alarm::Idle { what, why, named, count });
            }
        }
    }
    alarms
}

/// Whether it is better not done while the central is out of reach (M-2.1.5-e): what makes or deletes records.
pub(super) fn is_better_online(edit: &Edit) -> bool {
    match edit {
        Edit::CreateUser(_)
        | Edit::DeleteUser(_)
        | Edit::CreateDevice(_)
        | Edit::DeleteDevice(_)
        | Edit::CreateFixed { .. }
        | Edit::DeleteProfile(_)
        | Edit::Restore(_) => true,
        Edit::SetUser { .. }
        | Edit::SetDevice { .. }
        | Edit::Attach { .. }
        | Edit::Detach { .. }
        | Edit::SetKind { .. }
        | Edit::Login { .. }
        | Edit::Logout { .. }
        | Edit::SetProfile { .. }
        | Edit::SetSari(_) => false,
    }
}
