//! Whether a world was left alone long enough before its end to have come to rest.

use std::collections::BTreeSet;
use std::time::Duration;

use machine::time::Moment;
use sip::uas::behave::quirk::Quirk;

use crate::plan::{Node, Plan, Verb};
use crate::script::action::Reply;
use crate::script::operate::Operation;

/// How long: every binding that nobody wants has aged out, and ten minutes more (ours; 3600 s by spec section 8).
const QUIET: Duration = Duration::from_secs(4200);

/// Why the world has not come to rest at `end`; `None` when it has.
pub fn unrest(plan: &Plan, fired: &[Option<Moment>], end: Moment) -> Option<String> {
    let mut verbs: Vec<(Moment, &Verb)> = plan.steps.iter().map(|step| (step.at, &step.verb)).collect();
    for (trigger, at) in plan.triggers.iter().zip(fired) {
        if let Some(at) = at {
            verbs.extend(trigger.steps.iter().map(|(plus, _, verb)| (*at + *plus, verb)));
        }
    }
    verbs.retain(|(at, verb)| *at <= end && !matches!(verb, Verb::Note(_) | Verb::Weigh | Verb::End));
    verbs.sort_by_key(|(at, _)| *at);
    let last = verbs.last().map_or(Moment::START, |(at, _)| *at);
    if let Some(name) = broken(plan, &verbs) {
        return Some(format!("{name} at the end"));
    }
    let quiet = end.since(last);
    (quiet < QUIET).then(|| {
        let (left, wanted) = (humantime::format_duration(quiet), humantime::format_duration(QUIET));
        format!("the world was left alone for {left} only; {wanted} are needed to come to rest")
    })
}

/// What is still broken after all verbs.
fn broken(plan: &Plan, verbs: &[(Moment, &Verb)]) -> Option<String> {
    let mut sites = vec![Some("has not started"); plan.sites.len()];
    let mut servers: Vec<Option<&str>> = vec![None; plan.servers.len()];
    let mut answers: Vec<Option<&str>> = vec![None; plan.servers.len()];
    let mut odd: BTreeSet<(usize, &str)> = BTreeSet::new();
    let mut links: Vec<Option<&str>> = vec![None; plan.links.len()];
    let mut alone: Vec<Option<&str>> = vec![None; plan.sites.len()];
    let mut dns_is_up = true;
    let mut clocks = vec![0_i64; plan.sites.len()];
    let put = |list: &mut Vec<Option<&'static str>>, at: usize, state| {
        if let Some(slot) = list.get_mut(at) {
            *slot = state;
        }
    };
    for (_, verb) in verbs {
        let (node, state) = match verb {
            Verb::Start(node) => (node, None),
            Verb::Stop(node) => (node, Some("is stopped")),
            Verb::Kill(node) => (node, Some("is dead")),
            Verb::Cut { link } => {
                put(&mut links, *link, Some("is cut"));
                continue;
            }
            Verb::Heal { link } => {
                put(&mut links, *link, None);
                continue;
            }
            Verb::Drop { server } => {
                put(&mut servers, *server, Some("is unreachable"));
                continue;
            }
            Verb::Return { server } => {
                put(&mut servers, *server, None);
                continue;
            }
            Verb::Answer { server, reply, .. } => {
                put(&mut answers, *server, (*reply != Reply::Normal).then_some("answers wrongly"));
                continue;
            }
            Verb::Behave { server, quirks } => {
                let names = quirks.iter().filter(|quirk| !quirk.is_once()).map(Quirk::name);
                odd.extend(names.map(|name| (*server, name)));
                continue;
            }
            Verb::Improve { server, names } => {
                odd.retain(|(at, name)| {
                    at != server || names.as_ref().is_some_and(|names| !names.contains(name))
                });
                continue;
            }
            Verb::Clock { site, ahead_ms, adds } => {
                if let Some(clock) = clocks.get_mut(*site) {
                    *clock = if *adds { *clock + ahead_ms } else { *ahead_ms };
                }
                continue;
            }
            Verb::Dns { up } => {
                dns_is_up = *up;
                continue;
            }
            Verb::Operate { site, operation } => {
                match operation {
                    Operation::Detach => put(&mut alone, *site, Some("is detached")),
                    Operation::Attach { .. } => put(&mut alone, *site, None),
                    Operation::GenerateSari
                    | Operation::Remove { .. }
                    | Operation::Reinitialise
                    | Operation::Backup
                    | Operation::Restore { .. }
                    | Operation::Alter(_) => {}
                }
                continue;
            }
            Verb::Edit { .. } | Verb::Supply(_) | Verb::Weigh => continue,
            Verb::Slow { .. }
            | Verb::Drill { .. }
            | Verb::Reset { .. }
            | Verb::Amend { .. }
            | Verb::Locate { .. }
            | Verb::Detach { .. }
            | Verb::Silence { .. }
            | Verb::CallBegins { .. }
            | Verb::CallEnds { .. }
            | Verb::Login { .. }
            | Verb::Logout { .. }
            | Verb::Note(_)
            | Verb::End => continue,
        };
        match node {
            Node::Site(site) => put(&mut sites, *site, state),
            Node::Server(server) => put(&mut servers, *server, state),
        }
    }
    odd.into_iter().for_each(|(server, _)| put(&mut answers, server, Some("misbehaves")));
    let named = |names: Vec<String>, states: Vec<Option<&str>>| {
        names.into_iter().zip(states).find_map(|(name, state)| state.map(|state| format!("{name} {state}")))
    };
    let wrong = clocks
        .into_iter()
        .map(|ahead| (ahead.unsigned_abs() > 30_000).then_some("has a wrong clock"))
        .collect();
    let site_names = || plan.sites.iter().map(|site| site.name.to_string()).collect::<Vec<_>>();
    let server_names = || plan.servers.iter().map(|server| server.name.to_string()).collect::<Vec<_>>();
    let site = |at: usize| plan.sites.get(at).map_or("?", |site| &*site.name);
    let link_names =
        plan.links.iter().map(|link| format!("link {}-{}", site(link.ends.0), site(link.ends.1))).collect();
    named(site_names(), sites)
        .or_else(|| named(site_names(), alone))
        .or_else(|| named(server_names(), servers))
        .or_else(|| named(server_names(), answers))
        .or_else(|| named(link_names, links))
        .or_else(|| named(site_names(), wrong))
        .or_else(|| (!dns_is_up).then(|| "the DNS is dead".to_owned()))
}
