//! Looks at the directories of the running sites, for the judge: what they hold is no event, and not all of it is told.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actors::omm::inspect::Inspect;
use machine::time::Moment;

use crate::invariants::directories::{Last, Look};
use crate::judge::Judge;
use crate::memory::Memory;
use crate::world::{SiteNode, World};

/// How long nobody need look while only messages are exchanged. Ours.
const REST: Duration = Duration::from_secs(60);

/// What was seen of a site last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    starts: u32,
    wipes: u32,
    runs: bool,
    /// [`omm::directory::Directory::turns`].
    turns: u64,
}

/// Who looks.
pub(crate) struct Survey {
    seen: Vec<Seen>,
    next: Moment,
}

impl Survey {
    /// Nobody was looked at yet.
    pub(crate) fn new(world: &World) -> Survey {
        Survey { seen: vec![Seen::default(); world.sites.len()], next: Moment::START }
    }

    /// When to look, whatever happens.
    pub(crate) fn next(&self) -> Moment {
        self.next
    }

    /// Looks at every site that is another one than it was.
    pub(crate) fn look(&mut self, world: &World, judge: &mut Judge) {
        let now = world.now();
        self.next = now + REST;
        for (at, (site, seen)) in world.sites.iter().zip(&mut self.seen).enumerate() {
            let turns = site.process.as_ref().map_or(0, |process| process.directory.borrow().turns());
            let (starts, wipes, runs) = (site.starts, site.wipes, site.process.is_some());
            let new = Seen { starts, wipes, runs, turns };
            let before = std::mem::replace(seen, new);
            if (before.starts, before.wipes, before.runs) != (starts, wipes, runs) {
                judge.turn(now, at, before.wipes != wipes);
            }
            if before != new {
                look_at(site, at, now, None, judge);
            }
        }
    }

    /// The run is over: looks at all of them once more, how they differ, and whom they believe to own whom.
    pub(crate) async fn close(world: &World, judge: &mut Judge) {
        for (at, site) in world.sites.iter().enumerate() {
            let Some(process) = &site.process else { continue };
            // An OMM that is going away at this moment believes nothing.
            let Ok(status) = process.omm.send(Inspect).await else { continue };
            let owners = status.claims.into_iter().map(|claim| (claim.user, claim.owner)).collect();
            let digest = process.directory.borrow().digest();
            look_at(site, at, world.now(), Some(Last { digest, owners }), judge);
        }
    }
}

fn look_at(site: &SiteNode, at: usize, now: Moment, last: Option<Last>, judge: &mut Judge) {
    let Some(process) = &site.process else { return };
    let disk = Memory::new(site.disk.clone(), Rc::new(Cell::new(true)), Duration::ZERO);
    // A disk that cannot be read is a fault of its own, which the next start tells.
    let sari = actors::identity::sari(&disk).ok().flatten();
    let look = Look { last, ..Look::at(&process.directory.borrow(), sari) };
    judge.visit(now, at, &look);
}
