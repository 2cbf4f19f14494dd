//! Unfolds the steps: repetitions, spans and shares become verbs with one moment each.
//!
//! Where a phone is and who is logged in on it is followed through the script in the order of time, so that "at A" and
//! "5% of users" mean the phones that the script has put there. What hangs on an event is taken as if the event came
//! at the moment from which it is waited for.

mod asserts;
mod whereabouts;

use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;
use sip::uas::behave::quirk::Quirk;

use super::{Assert, Leads, Plan, Step, Trigger, Verb};
use crate::script::Name;
use crate::script::action::{Action, Amend, Reply, Who};
use crate::script::assert::{self, Span};
use crate::script::complaint::Complaint;
use crate::script::edit::Order;
use crate::script::schedule::When;
use crate::script::world::Record;
use crate::script::{self, Deed, Place, Script};

/// When a site's first phone makes itself known after the site's first start: the OMM and its link are up by then (ours).
const PHONES_AFTER: Duration = Duration::from_secs(1);
/// How long a run goes on after its last step or window when the script has no `end` (ours).
const TAIL: Duration = Duration::from_secs(60);
/// The most verbs of a plan; a script that repeats more often has lost its `until`. Ours.
const VERBS_MAX: usize = 2_000_000;

/// Puts the script's steps and asserts into the plan.
///
/// # Errors
/// Steps after the end, repetitions without one, and logins that cannot be.
pub fn steps(script: &Script, plan: &mut Plan, until: Option<Duration>) -> Result<(), Vec<Complaint>> {
    let end = match until {
        Some(until) => Moment::START + until,
        None => end(script)?,
    };
    plan.end = end;
    let mut unfolding = Unfolding {
        at_site: plan.phones.iter().map(|phone| phone.site).collect(),
        on: plan.phones.iter().map(|phone| phone.user).collect(),
        silent: plan.phones.iter().map(|phone| plan.is_later(phone)).collect(),
        started: vec![false; plan.sites.len()],
        asserts: Vec::new(),
        patience: None,
        wrong: Vec::new(),
        plan,
    };
    for (at, order, trigger) in moments(script, end)? {
        let Some(step) = script.steps.get(order) else { continue };
        unfolding.step(at, order, step, trigger);
        if unfolding.plan.steps.len() > VERBS_MAX {
            unfolding.wrong.push(complain(
                step,
                "this comes to too many verbs",
                "at most two million in a run",
            ));
        }
        if !unfolding.wrong.is_empty() {
            return Err(unfolding.wrong);
        }
    }
    let file = &unfolding.plan.file;
    let place =
        script.steps.last().map_or(Place { file: Arc::clone(file), line: 0 }, |step| step.place.clone());
    // Asserts are reported in the order of the script.
    unfolding.asserts.sort_by_key(|(order, assert)| (*order, assert.from));
    unfolding.plan.asserts.extend(unfolding.asserts.into_iter().map(|(_, assert)| assert));
    unfolding.plan.steps.retain(|step| step.at < end);
    unfolding.plan.steps.sort_by_key(|step| step.at);
    unfolding.plan.steps.push(Step { at: end, place, verb: Verb::End });
    for trigger in &mut unfolding.plan.triggers {
        trigger.steps.sort_by_key(|(plus, _, _)| *plus);
    }
    Ok(())
}

fn complain(step: &script::Step, what: &str, expected: impl Into<String>) -> Complaint {
    Complaint::about(&step.place, &step.source, &step.text, what, expected)
}

/// The moment of `end`; without one, a minute after the last thing that the script names.
fn end(script: &Script) -> Result<Moment, Vec<Complaint>> {
    let is_end = |step: &&script::Step| matches!(step.deed, Deed::Act(Action::End));
    let Some(last) = script.steps.iter().find(is_end) else {
        let latest = script.steps.iter().map(latest).max().unwrap_or_default();
        return Ok(Moment::START + latest + TAIL);
    };
    let When::At(end) = last.when else {
        return Err(vec![complain(last, "the end has one moment", "`at D end`")]);
    };
    let late = script.steps.iter().find(|step| match &step.when {
        When::At(at) => *at > end,
        When::Every { from, .. } => *from > end,
        When::Run | When::On { .. } => false,
    });
    match late {
        Some(step) => Err(vec![complain(
            step,
            "this comes after the end",
            format!("a time before {}", humantime::format_duration(end)),
        )]),
        None => Ok(Moment::START + end),
    }
}

/// The last moment that a step names.
fn latest(step: &script::Step) -> Duration {
    let start = match &step.when {
        When::Run => Duration::ZERO,
        When::At(at) => *at,
        When::Every { from, until, .. } => until.unwrap_or(*from),
        When::On { trigger, plus } => trigger.armed + *plus,
    };
    let span = match &step.deed {
        Deed::Check(assert::Assert::Expect { within, .. }) => *within,
        Deed::Check(assert::Assert::Order { within, .. }) => within.unwrap_or_default(),
        Deed::Check(assert::Assert::Always { span, .. } | assert::Assert::Never { span, .. }) => match span {
            Span::For(span) => *span,
            Span::Between(_, until) => until.saturating_sub(start),
            Span::Run | Span::Onwards => Duration::ZERO,
        },
        Deed::Check(assert::Assert::Limit { .. }) => Duration::ZERO,
        Deed::Act(action) => lasts(action),
    };
    start.saturating_add(span)
}

fn lasts(action: &Action) -> Duration {
    match action {
        Action::Power { over, .. } | Action::Roam { over, .. } | Action::Edit { over, .. } => {
            over.unwrap_or_default()
        }
        Action::Cut { span, .. }
        | Action::Slow { span, .. }
        | Action::Drop { span, .. }
        | Action::DropDns { span }
        | Action::Answer { span, .. }
        | Action::Behave { span, .. } => span.unwrap_or_default(),
        Action::Flap { span, .. } | Action::Call { span, .. } => *span,
        Action::Heal { .. }
        | Action::Return { .. }
        | Action::Reset { .. }
        | Action::ReturnDns
        | Action::ChangeDns { .. }
        | Action::Failover { .. }
        | Action::Failback { .. }
        | Action::Clock { .. }
        | Action::Locate { .. }
        | Action::Detach { .. }
        | Action::Silence { .. }
        | Action::Login { .. }
        | Action::Logout { .. }
        | Action::Supply(_)
        | Action::Note(_)
        | Action::End => Duration::ZERO,
    }
}

/// A step's place in the script at one of its moments; the id and delay of the trigger when it hangs on an event.
type Due = (Moment, usize, Option<(usize, Duration)>);

/// Every step with every moment at which it is due, in the order of time and of the script.
fn moments(script: &Script, end: Moment) -> Result<Vec<Due>, Vec<Complaint>> {
    let mut due: Vec<Due> = Vec::new();
    for (order, step) in script.steps.iter().enumerate() {
        match &step.when {
            When::Run => due.push((Moment::START, order, None)),
            When::At(at) => due.push((Moment::START + *at, order, None)),
            When::Every { period, from, until } => {
                let last = until.map_or(end, |until| Moment::START + until).min(end);
                let mut at = Moment::START + *from;
                while at <= last {
                    due.push((at, order, None));
                    at = at + (*period).max(Duration::from_millis(1));
                    if due.len() > VERBS_MAX {
                        return Err(vec![complain(
                            step,
                            "this repeats too often",
                            "at most two million times",
                        )]);
                    }
                }
            }
            When::On { trigger, plus } => {
                due.push((Moment::START + trigger.armed + *plus, order, Some((trigger.id, *plus))));
            }
        }
    }
    due.sort_by_key(|(at, _, _)| *at);
    Ok(due)
}

struct Unfolding<'a> {
    plan: &'a mut Plan,
    at_site: Vec<usize>,
    on: Vec<Option<usize>>,
    silent: Vec<bool>,
    started: Vec<bool>,
    asserts: Vec<(usize, Assert)>,
    /// How long the last `expect` waits, and from when.
    patience: Option<(Moment, Duration)>,
    wrong: Vec<Complaint>,
}

impl Unfolding<'_> {
    fn step(&mut self, at: Moment, order: usize, step: &script::Step, trigger: Option<(usize, Duration)>) {
        let verbs = match &step.deed {
            Deed::Check(assert) => return self.assert(at, order, step, assert),
            Deed::Act(action) => match self.act(action, at) {
                Ok(verbs) => verbs,
                Err((what, expected)) => return self.wrong.push(complain(step, what, expected)),
            },
        };
        let place = &step.place;
        match trigger {
            None => {
                let steps =
                    verbs.into_iter().map(|(plus, verb)| Step { at: at + plus, place: place.clone(), verb });
                self.plan.steps.extend(steps);
            }
            Some((id, plus)) => {
                let When::On { trigger, .. } = &step.when else { return };
                // A trigger's id is its order in the script; several steps may hang on one.
                let armed = Moment::START + trigger.armed;
                while self.plan.triggers.len() <= id {
                    let pattern = trigger.pattern.clone();
                    self.plan.triggers.push(Trigger { armed, pattern, steps: Vec::new() });
                }
                if let Some(kept) = self.plan.triggers.get_mut(id) {
                    (kept.armed, kept.pattern) = (armed, trigger.pattern.clone());
                    kept.steps
                        .extend(verbs.into_iter().map(|(more, verb)| (plus + more, place.clone(), verb)));
                }
            }
        }
    }

    /// The verbs of an action, each so long after it.
    fn act(&mut self, action: &Action, at: Moment) -> Result<Vec<(Duration, Verb)>, (&'static str, String)> {
        let now = Duration::ZERO;
        let unknown = || ("this name leads nowhere", "a name declared above".to_string());
        let verbs = match action {
            Action::Power { verb, nodes, over } => self.power(*verb, nodes, over.unwrap_or_default()),
            Action::Cut { link, span } => {
                let link = self.link(link).ok_or_else(unknown)?;
                undone(Verb::Cut { link }, span.map(|span| (span, Verb::Heal { link })))
            }
            Action::Heal { link } => vec![(now, Verb::Heal { link: self.link(link).ok_or_else(unknown)? })],
            Action::Flap { link, every, span } => flap(self.link(link).ok_or_else(unknown)?, *every, *span),
            Action::Slow { link, quality, span } => {
                let link = self.link(link).ok_or_else(unknown)?;
                let usual = self.usual(link, *quality);
                undone(
                    Verb::Slow { link, quality: *quality },
                    span.map(|span| (span, Verb::Slow { link, quality: usual })),
                )
            }
            Action::Drop { server, span } => {
                let server = self.server(server).ok_or_else(unknown)?;
                undone(Verb::Drop { server }, span.map(|span| (span, Verb::Return { server })))
            }
            Action::Return { server } => {
                vec![(now, Verb::Return { server: self.server(server).ok_or_else(unknown)? })]
            }
            Action::Reset { site, server } => {
                let site = self.site(site).ok_or_else(unknown)?;
                vec![(now, Verb::Reset { site, server: self.server(server).ok_or_else(unknown)? })]
            }
            Action::DropDns { span } => {
                undone(Verb::Dns { up: false }, span.map(|span| (span, Verb::Dns { up: true })))
            }
            Action::ReturnDns => vec![(now, Verb::Dns { up: true })],
            Action::ChangeDns { name, change } => vec![(now, self.amend(name, change).ok_or_else(unknown)?)],
            Action::Answer { server, method, reply, span } => {
                let server = self.server(server).ok_or_else(unknown)?;
                let normal = Verb::Answer { server, method: method.clone(), reply: Reply::Normal };
                let verb = Verb::Answer { server, method: method.clone(), reply: reply.clone() };
                undone(verb, span.map(|span| (span, normal)))
            }
            Action::Failover { site, server } => {
                let (site, server) =
                    (self.site(site).ok_or_else(unknown)?, self.server(server).ok_or_else(unknown)?);
                let tiers = self.plan.sites.get(site).map(|site| site.tiers.as_slice()).unwrap_or_default();
                let tier =
                    tiers.iter().position(|tier| *tier == server).and_then(|tier| u8::try_from(tier).ok());
                let what = ("the site does not use this server", "one of its `proxies`".to_string());
                vec![(now, Verb::Drill { site, tier: Some(tier.ok_or(what)?) })]
            }
            Action::Failback { site } => {
                vec![(now, Verb::Drill { site: self.site(site).ok_or_else(unknown)?, tier: None })]
            }
            Action::Behave { server, quirks, span } => {
                let server = self.server(server).ok_or_else(unknown)?;
                if quirks.is_empty() {
                    vec![(now, Verb::Improve { server, names: None })]
                } else {
                    let names = Some(quirks.iter().map(Quirk::name).collect());
                    let quirks = quirks.iter().map(|quirk| self.addressed(quirk)).collect();
                    undone(
                        Verb::Behave { server, quirks },
                        span.map(|span| (span, Verb::Improve { server, names })),
                    )
                }
            }
            Action::Clock { site, ahead_ms, adds } => {
                let site = self.site(site).ok_or_else(unknown)?;
                vec![(now, Verb::Clock { site, ahead_ms: *ahead_ms, adds: *adds })]
            }
            Action::Locate { phone, site } => {
                let phone = self.phone(phone).ok_or_else(unknown)?;
                let site =
                    site.as_ref().and_then(|name| self.site(name)).unwrap_or_else(|| self.whereabouts(phone));
                vec![(now, self.locate(phone, site))]
            }
            Action::Detach { phone, site } => {
                let phone = self.phone(phone).ok_or_else(unknown)?;
                let site =
                    site.as_ref().and_then(|name| self.site(name)).unwrap_or_else(|| self.whereabouts(phone));
                self.hush(phone);
                vec![(now, Verb::Detach { phone, site })]
            }
            Action::Silence { phone, .. } => {
                let phone = self.phone(phone).ok_or_else(unknown)?;
                self.hush(phone);
                vec![(now, Verb::Silence { phone })]
            }
            Action::Roam { who, from, to, over } => {
                let to = self.site(to).ok_or_else(unknown)?;
                let from = from.as_ref().and_then(|name| self.site(name));
                let phones = match who {
                    Who::One(name) => vec![self.phone(name).ok_or_else(unknown)?],
                    Who::Share(share) => self.share(*share, from, to, at),
                };
                let (over, count) = (over.unwrap_or_default(), phones.len() as u32);
                (0..)
                    .zip(phones)
                    .map(|(index, phone)| (over * index / count.max(1), self.locate(phone, to)))
                    .collect()
            }
            Action::Call { user, span } => {
                let user = self.user(user).ok_or_else(unknown)?;
                undone(Verb::CallBegins { user }, Some((*span, Verb::CallEnds { user })))
            }
            Action::Login { user, site, device } => {
                vec![(now, self.login(user, site.as_ref(), device.as_ref())?)]
            }
            Action::Logout { user, site } => {
                let user_at = self.user(user).ok_or_else(unknown)?;
                let Some(phone) = self.on.iter().position(|on| *on == Some(user_at)) else {
                    return Err(("nobody is logged in by then", format!("a `login {user}` before")));
                };
                let site =
                    site.as_ref().and_then(|name| self.site(name)).unwrap_or_else(|| self.whereabouts(phone));
                if let Some(on) = self.on.get_mut(phone) {
                    *on = None;
                }
                vec![(now, Verb::Logout { user: user_at, phone, site })]
            }
            Action::Edit { orders, site, over } => {
                let site = self.site(site).ok_or_else(unknown)?;
                let (over, count) = (over.unwrap_or_default(), orders.len() as u32);
                let mut verbs = Vec::new();
                for (index, order) in (0..).zip(orders) {
                    let order = self.order(order).map_err(|device| {
                        ("this handset is not there", format!("a device other than `{device}`"))
                    })?;
                    verbs.push((over * index / count.max(1), Verb::Edit { site, order }));
                }
                verbs
            }
            Action::Supply(order) => {
                vec![(now, Verb::Supply(order.resolved(|name| self.number(name))))]
            }
            Action::Note(text) => vec![(now, Verb::Note(text.clone()))],
            Action::End => Vec::new(),
        };
        Ok(verbs)
    }
}

impl Unfolding<'_> {
    /// A user that is not declared is a number.
    fn number(&self, name: &Name) -> Name {
        let user = self.user(name).and_then(|user| self.plan.users.get(user));
        user.map_or_else(|| name.clone(), |user| user.number.clone())
    }

    fn order(&self, order: &Order) -> Result<Order, Name> {
        let number = |name: &Name| self.number(name);
        let ipei = |name: &Name| {
            let phone = self.plan.phones.iter().find(|phone| phone.name == *name)?;
            Some(phone.ipei.clone())
        };
        order.resolved(number, ipei)
    }

    fn amend(&self, name: &Name, change: &Amend) -> Option<Verb> {
        let zone = self.plan.zones.iter().position(|zone| zone.name == *name)?;
        Some(match change {
            Amend::Put(Record { odds, server, ttl }) => {
                let server = self.server(server)?;
                Verb::Amend { zone, server, record: Some(Leads { odds: *odds, server, ttl: *ttl }) }
            }
            Amend::Without(server) => Verb::Amend { zone, server: self.server(server)?, record: None },
        })
    }
}

fn undone(verb: Verb, undo: Option<(Duration, Verb)>) -> Vec<(Duration, Verb)> {
    std::iter::once((Duration::ZERO, verb)).chain(undo).collect()
}

/// Down, up, down .. and up at the end.
fn flap(link: usize, every: Duration, span: Duration) -> Vec<(Duration, Verb)> {
    let every = every.max(Duration::from_millis(100));
    let mut verbs = Vec::new();
    let (mut at, mut down) = (Duration::ZERO, false);
    while at < span && verbs.len() < VERBS_MAX {
        down = !down;
        verbs.push((at, if down { Verb::Cut { link } } else { Verb::Heal { link } }));
        at += every;
    }
    if down {
        verbs.push((span, Verb::Heal { link }));
    }
    verbs
}
