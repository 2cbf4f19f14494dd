//! A plan is lived through: virtual time, one thread, no I/O driver.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actors::trace::{Seen, Sink};
use machine::time::Moment;

use crate::judge::{Findings, Judge};
use crate::plan::{Plan, Verb};
use crate::site;
use crate::survey::Survey;
use crate::tally::Tally;
use crate::trace::Sight;
use crate::world::World;

/// What hears the events besides the judge: a trace file, a timeline, a ladder.
pub type Listener = Box<dyn FnMut(&Sight<'_>)>;

/// Runs `plan` with `seed` and tells what the judge found. Takes no real time but that of the computation.
///
/// The runtime has no I/O driver: a socket in a replay panics, so nothing of the real world can leak in.
pub fn run(plan: &Arc<Plan>, seed: u64, listener: Option<Listener>) -> std::io::Result<Findings> {
    Ok(virtual_time()?.block_on(live(plan.clone(), seed, listener)))
}

/// Runs `plan` with `seed` and nobody watching: no event is formatted, nothing is judged; what came of it is counted
/// and looked up at the end.
///
/// # Errors
/// A plan whose asserts or triggers would need somebody who watches.
pub fn run_unwatched(plan: &Arc<Plan>, seed: u64) -> std::io::Result<Tally> {
    if !plan.asserts.is_empty() || !plan.triggers.is_empty() {
        let why = "asserts and triggers need somebody who watches";
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
    }
    Ok(virtual_time()?.block_on(live_unwatched(plan.clone(), seed)))
}

fn virtual_time() -> std::io::Result<actix::SystemRunner> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(actix::System::with_tokio_rt(move || runtime))
}

async fn live_unwatched(plan: Arc<Plan>, seed: u64) -> Tally {
    let mut world = World::new(plan.clone(), seed, None);
    let mut agenda = Agenda::new(&plan);
    let fallen = world.fallen.clone();
    while world.now() < plan.end {
        tokio::select! {
            biased;
            () = fallen.heard() => {}
            () = until(&world, agenda.next_step(&world, &plan)) => {}
        }
        site::bury(&mut world);
        site::rehire(&mut world).await;
        while let Some(verb) = agenda.due(world.now()) {
            world.perform(&verb).await;
        }
    }
    until(&world, plan.end + Duration::from_millis(1)).await;
    world.tally().await
}

/// The judge and who else listens; told of each event as it happens.
struct Court {
    /// `None` when the run is over: actors that outlive it are not heard.
    judge: Option<Judge>,
    listener: Option<Listener>,
    /// Triggers that fired and wait to be followed.
    fired: Vec<usize>,
}

async fn live(plan: Arc<Plan>, seed: u64, listener: Option<Listener>) -> Findings {
    let court = Rc::new(RefCell::new(Court { judge: Some(Judge::new(&plan)), listener, fired: Vec::new() }));
    let bell = Rc::new(tokio::sync::Notify::new());
    let sink: Sink = {
        let (court, bell) = (court.clone(), bell.clone());
        Rc::new(move |seen: Seen<'_>| {
            let Court { judge, listener, fired } = &mut *court.borrow_mut();
            let Some(judge) = judge else { return };
            let sight = Sight::of(seen.moment, seen.node, seen.who, seen.note);
            if let Some(listener) = listener {
                listener(&sight);
            }
            judge.see(&sight);
            let just = judge.fired();
            if !just.is_empty() {
                fired.extend(just);
                bell.notify_one();
            }
        })
    };
    let mut world = World::new(plan.clone(), seed, Some(sink));
    let (mut agenda, mut survey) = (Agenda::new(&plan), Survey::new(&world));
    let fallen = world.fallen.clone();
    loop {
        tokio::select! {
            biased;
            () = bell.notified() => {}
            () = fallen.heard() => {}
            () = until(&world, agenda.next_step(&world, &plan).min(survey.next())) => {}
        }
        site::bury(&mut world);
        site::rehire(&mut world).await;
        let now = world.now();
        for trigger in std::mem::take(&mut court.borrow_mut().fired) {
            agenda.follow(now, &plan, trigger);
        }
        while let Some(verb) = agenda.due(now) {
            world.perform(&verb).await;
        }
        if let Some(judge) = &mut court.borrow_mut().judge {
            survey.look(&world, judge);
        }
        if now >= plan.end {
            break;
        }
    }
    // What the last instant still wants to say is said before it is judged.
    until(&world, plan.end + Duration::from_millis(1)).await;
    let judge = court.borrow_mut().judge.take();
    let mut judge = judge.unwrap_or_else(|| Judge::new(&plan));
    Survey::close(&world, &mut judge).await;
    judge.finish(plan.end)
}

/// Waits for a moment of virtual time; one that is past is over at once.
#[expect(
    clippy::disallowed_methods,
    reason = "the script's own times, on a paused clock: no real time passes"
)]
async fn until(world: &World, moment: Moment) {
    let pause = moment.since(world.now());
    if pause.is_zero() {
        // Even so everybody who has something to do at this moment gets his turn.
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(pause).await;
    }
}

/// What is still to be done, in the order of time; of equal times in the order of the script.
struct Agenda {
    verbs: BTreeMap<(Moment, usize), Verb>,
    entries: usize,
}

impl Agenda {
    fn new(plan: &Plan) -> Agenda {
        let mut agenda = Agenda { verbs: BTreeMap::new(), entries: 0 };
        for step in &plan.steps {
            agenda.enter(step.at, step.verb.clone());
        }
        agenda
    }

    fn enter(&mut self, at: Moment, verb: Verb) {
        self.entries += 1;
        self.verbs.insert((at, self.entries), verb);
    }

    /// The steps of a trigger whose event has just come.
    fn follow(&mut self, now: Moment, plan: &Plan, trigger: usize) {
        for (plus, _, verb) in plan.triggers.get(trigger).iter().flat_map(|trigger| &trigger.steps) {
            self.enter(now + *plus, verb.clone());
        }
    }

    /// When something is to be done: by the script, for an OMM that fell over, or because the run is over.
    fn next_step(&self, world: &World, plan: &Plan) -> Moment {
        let verb = self.verbs.first_key_value().map(|((at, _), _)| *at);
        [verb, site::next_rehire(world)].into_iter().flatten().fold(plan.end, Moment::min)
    }

    fn due(&mut self, now: Moment) -> Option<Verb> {
        let entry = self.verbs.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}
