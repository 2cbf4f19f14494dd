//! Whether a claim holds by the ledger, and what is so instead.

mod directory;

use std::time::Duration;

use machine::time::Moment;

use crate::claims::directory::Question;
use crate::ledger::Ledger;
use crate::ledger::links::View;
use crate::ledger::person::Person;
use crate::plan::Plan;
use crate::script::Name;
use crate::script::claim::{Claim, LinkState, Op, Whose};

/// A claim whose names are places in the plan.
#[derive(Clone, Debug)]
pub struct Check {
    what: What,
    /// The user that made the claim false when it was last looked at: of ten thousand users one is looked at again
    /// before all are.
    witness: Option<usize>,
    /// Whether all users were right at the last look; then only those that were touched since are looked at.
    all_right: bool,
}

#[derive(Clone, Debug)]
enum What {
    One { user: usize, at: Option<usize>, via: Option<usize>, holds: bool },
    All { at: Option<usize>, via: Option<usize> },
    Bound { user: usize, times: u64, server: usize },
    Roam { user: usize, confirmed: bool },
    Owned { user: usize, by: usize },
    Synced { site: usize },
    Link { a: usize, b: usize, state: LinkState },
    Registers { server: usize, op: Op, count: u64, per: Option<Duration> },
    Duplicates { op: Op, count: u64 },
    Directory(Question),
}

impl Check {
    /// The claim with its names looked up; names that the plan does not have lead nowhere and never hold.
    pub fn new(claim: &Claim, plan: &Plan) -> Check {
        let user = |name: &Name| plan.users.iter().position(|user| user.name == *name).unwrap_or(usize::MAX);
        let site = |name: &Name| plan.sites.iter().position(|site| site.name == *name).unwrap_or(usize::MAX);
        let server =
            |name: &Name| plan.servers.iter().position(|server| server.name == *name).unwrap_or(usize::MAX);
        let what = match claim {
            Claim::Registered { whose: Whose::User(name), at, via, holds } => What::One {
                user: user(name),
                at: at.as_ref().map(site),
                via: via.as_ref().map(server),
                holds: *holds,
            },
            Claim::Registered { whose: Whose::All, at, via, .. } => {
                What::All { at: at.as_ref().map(site), via: via.as_ref().map(server) }
            }
            Claim::Bound { user: name, times, server: at } => {
                What::Bound { user: user(name), times: *times, server: server(at) }
            }
            Claim::Roam { user: name, confirmed } => What::Roam { user: user(name), confirmed: *confirmed },
            Claim::Owned { user: name, by } => What::Owned { user: user(name), by: site(by) },
            Claim::Synced { site: name } => What::Synced { site: site(name) },
            Claim::Link { link, state } => {
                What::Link { a: site(&link.0), b: site(&link.1), state: state.clone() }
            }
            Claim::Registers { server: at, op, count, per } => {
                What::Registers { server: server(at), op: *op, count: *count, per: *per }
            }
            Claim::User { user, is, at } => What::Directory(Question::user(plan, user, is, at.as_ref())),
            Claim::Users { at, op, count } => {
                What::Directory(Question::Users { at: site(at), op: *op, count: *count })
            }
            Claim::Equal => What::Directory(Question::Equal),
            Claim::Duplicates { op, count } => What::Duplicates { op: *op, count: *count },
        };
        Check { what, witness: None, all_right: false }
    }

    /// The user it is about, to find the event that broke it.
    pub fn user(&self) -> Option<usize> {
        match &self.what {
            What::One { user, .. }
            | What::Bound { user, .. }
            | What::Roam { user, .. }
            | What::Owned { user, .. } => Some(*user),
            What::All { .. } => self.witness,
            What::Synced { .. }
            | What::Link { .. }
            | What::Registers { .. }
            | What::Duplicates { .. }
            | What::Directory(_) => None,
        }
    }

    /// Whether the claim holds at `now`.
    pub fn holds(&mut self, ledger: &Ledger, now: Moment) -> bool {
        match &self.what {
            What::One { user, at, via, holds } => {
                ledger.person(*user).is_some_and(|person| person.registered(*at, *via) == *holds)
            }
            What::All { at, via } => {
                let wrong = |person: &Person| is_meant(person, *at) && !person.registered(*at, *via);
                if let Some(person) = self.witness.and_then(|user| ledger.person(user))
                    && wrong(person)
                {
                    return false;
                }
                self.witness = match self.all_right {
                    true => {
                        ledger.touched().iter().copied().find(|user| ledger.person(*user).is_some_and(wrong))
                    }
                    false => ledger.people().iter().position(wrong),
                };
                self.all_right = self.witness.is_none();
                self.all_right
            }
            What::Bound { user, times, server } => {
                ledger.person(*user).is_some_and(|person| person.times_bound(*server) == *times)
            }
            What::Roam { user, confirmed } => ledger
                .person(*user)
                .and_then(|person| person.roam.as_ref())
                .is_some_and(|roam| match confirmed {
                    true => roam.confirmed,
                    false => !roam.confirmed && now >= roam.since + ledger.t_confirm(),
                }),
            What::Owned { user, by } => ledger.person(*user).is_some_and(|person| {
                let views = person.views.iter().enumerate().filter(|(site, _)| ledger.runs(*site));
                views.clone().count() > 0
                    && views.into_iter().all(|(_, view)| matches!(view, Some((_, owner)) if owner == by))
            }),
            What::Synced { site } => ledger.links().synced(*site),
            What::Link { a, b, state } => match (state, ledger.links().between(*a, *b)) {
                (LinkState::Up, view) => *view == View::Up,
                (LinkState::Down, view) => *view == View::Down,
                (LinkState::Held(reason), View::Held(known)) => {
                    known.to_lowercase().contains(&reason.to_lowercase())
                }
                (LinkState::Held(_), View::Up | View::Down) => false,
            },
            What::Registers { server, op, count, per } => {
                op.holds(ledger.registers(*server, *per, now), *count)
            }
            What::Duplicates { op, count } => op.holds(ledger.duplicates(), *count),
            What::Directory(question) => question.holds(ledger),
        }
    }

    /// What is so at `now`, as a sentence.
    pub fn tell(&self, ledger: &Ledger, now: Moment) -> String {
        let plan = &ledger.plan;
        let name = |user: usize| plan.users.get(user).map_or("nobody", |user| &*user.name);
        match &self.what {
            What::One { user, .. } | What::Bound { user, .. } => {
                format!("{} is registered {}", name(*user), registrations(ledger, *user))
            }
            What::All { at, via } => {
                let wrong = |person: &&Person| is_meant(person, *at) && !person.registered(*at, *via);
                let count = ledger.people().iter().filter(wrong).count();
                match self.witness {
                    None => "all users are registered".into(),
                    Some(user) => format!(
                        "{count} {} not; the first is {}, who is registered {}",
                        if count == 1 { "user is" } else { "users are" },
                        name(user),
                        registrations(ledger, user)
                    ),
                }
            }
            What::Roam { user, .. } => match ledger.person(*user).and_then(|person| person.roam.as_ref()) {
                None => format!("nobody has claimed {}", name(*user)),
                Some(roam) => format!(
                    "{} was claimed by {} {} before and is {}",
                    name(*user),
                    site(plan, roam.owner),
                    humantime::format_duration(now.since(roam.since)),
                    if roam.confirmed { "confirmed" } else { "not confirmed" }
                ),
            },
            What::Owned { user, .. } => {
                let views = ledger.person(*user).map(|person| person.views.as_slice()).unwrap_or_default();
                let told: Vec<String> = (0..)
                    .zip(views)
                    .filter(|(at, _)| ledger.runs(*at))
                    .map(|(at, view)| {
                        let owner = view.as_ref().map_or("nobody", |(_, owner)| site(plan, *owner));
                        format!("{} says {owner}", site(plan, at))
                    })
                    .collect();
                told.join(", ")
            }
            What::Synced { site: at } => format!("{} is not in step", site(plan, *at)),
            What::Link { a, b, .. } => match ledger.links().between(*a, *b) {
                View::Up => "the link is up".into(),
                View::Down => "the link is down".into(),
                View::Held(reason) => format!("the link is held: {reason}"),
            },
            What::Registers { server, per, .. } => {
                let count = ledger.registers(*server, *per, now);
                format!("there were {count} REGISTER requests")
            }
            What::Directory(question) => question.tell(ledger),
            What::Duplicates { .. } => {
                let most = ledger
                    .people()
                    .iter()
                    .enumerate()
                    .max_by_key(|(at, person)| (person.surplus(), usize::MAX - at));
                match most {
                    Some((user, person)) if person.surplus() > 0 => {
                        format!("{} is registered {}", name(user), registrations(ledger, user))
                    }
                    _ => "no user is registered by two OMMs".into(),
                }
            }
        }
    }
}

/// Whether `all users [at S]` speaks about this one.
fn is_meant(person: &Person, at: Option<usize>) -> bool {
    person.present && at.is_none_or(|at| person.at == at)
}

fn site(plan: &Plan, at: usize) -> &str {
    plan.sites.get(at).map_or("?", |site| &*site.name)
}

/// `at berlin via pbx, at aachen via gw-aac`, or `nowhere`.
pub(crate) fn registrations(ledger: &Ledger, user: usize) -> String {
    let plan = &ledger.plan;
    let held = ledger.person(user).map(|person| person.held.as_slice()).unwrap_or_default();
    let told: Vec<String> = held
        .iter()
        .map(|held| {
            let server = plan.servers.get(held.server).map_or("?", |server| &*server.name);
            match held.site {
                Some(at) => format!("at {} via {server}", site(plan, at)),
                None => format!("as {} via {server}", held.contact),
            }
        })
        .collect();
    if told.is_empty() { "nowhere".into() } else { told.join(", ") }
}
