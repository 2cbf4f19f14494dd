//! The actor in front of the store: gathers what everybody wants durable while one commit is under way, and commits
//! it as one (group commit), so that ten thousand phones at once cost a handful of disk flushes.
//!
//! What comes first is written first, and nobody is told before what he asked for is durable. A commit that fails is
//! tried again until it succeeds; what came in the meantime goes behind it.

use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;
use machine::note::Note;

use crate::clock::Clock;
use crate::messages::{Die, Fallen, Pillar};
use crate::store::{Store, StoreFault, Write};
use crate::trace::Trace;

/// How long to wait after a failed commit before it is tried again. No figure is given; this one is ours: short
/// enough for a phone's retransmissions to survive a hiccup, long enough not to hammer a full disk.
pub const RETRY: Duration = Duration::from_secs(1);

/// Makes these writes durable, then tells `reply`.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Keep {
    /// What to write, as one change.
    pub writes: Vec<Write>,
    /// Who waits for it, and asks for nothing more until it is told.
    pub reply: Recipient<Kept>,
}

/// The writes are on the disk.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Kept;

/// Where the keeper turns to.
pub struct KeeperWays {
    /// Its OMM, when it falls over.
    pub fallen: Recipient<Fallen<Pillar>>,
}

/// Owns the store of one OMM.
pub struct Keeper {
    store: Rc<dyn Store>,
    clock: Rc<Clock>,
    trace: Trace,
    /// What the next commit will hold, and who waits for it: at most one entry of each user.
    writes: Vec<Write>,
    waiting: Vec<Recipient<Kept>>,
    /// A commit is under way, or waits to be tried again.
    busy: bool,
    ways: KeeperWays,
}

impl Keeper {
    /// Hires a keeper for `store`.
    pub fn new(store: Rc<dyn Store>, clock: Rc<Clock>, trace: Trace, ways: KeeperWays) -> Keeper {
        Keeper { store, clock, trace, writes: Vec::new(), waiting: Vec::new(), busy: false, ways }
    }

    fn commit(&mut self, ctx: &mut Context<Self>) {
        if self.busy || self.waiting.is_empty() {
            return;
        }
        self.busy = true;
        let batch = std::mem::take(&mut self.writes);
        let waiting = std::mem::take(&mut self.waiting);
        let done = self.store.commit(batch.clone());
        ctx.spawn(
            done.into_actor(self)
                .map(move |result, keeper, ctx| keeper.committed(result, batch, waiting, ctx)),
        );
    }

    fn committed(
        &mut self,
        result: Result<(), StoreFault>,
        batch: Vec<Write>,
        waiting: Vec<Recipient<Kept>>,
        ctx: &mut Context<Self>,
    ) {
        match result {
            Ok(()) => {
                self.busy = false;
                for reply in waiting {
                    reply.do_send(Kept);
                }
                self.commit(ctx);
            }
            Err(fault) => {
                self.trace.tell(self.clock.moment(), "store", &Note::new("alarm").text("text", &fault));
                self.writes.splice(0..0, batch);
                self.waiting.splice(0..0, waiting);
                ctx.run_later(RETRY, |keeper, ctx| {
                    keeper.busy = false;
                    keeper.commit(ctx);
                });
            }
        }
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(Pillar::Keeper));
        }
    }
}

impl Handler<Keep> for Keeper {
    type Result = ();

    fn handle(&mut self, Keep { writes, reply }: Keep, ctx: &mut Context<Self>) {
        self.writes.extend(writes);
        self.waiting.push(reply);
        self.commit(ctx);
    }
}

impl Handler<Die> for Keeper {
    type Result = ();

    /// What waits was promised to nobody. It must not be written later, over what a new OMM has decided.
    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
