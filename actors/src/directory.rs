//! The directory of one OMM: runs [`omm::directory::sync`]. It is the only writer; everybody else reads what it shows.

pub mod shown;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::*;
use omm::directory::edit::{Changed, Done, Edit};
use omm::directory::refusal::Refusal;
use omm::directory::sync::word::{Have, Word};
use omm::directory::sync::{Effect, Input, Shared, Sync};
use omm::directory::user::User;
use omm::ids::Number;
use omm::stamp::{OmmId, Stamp};
use tokio::sync::oneshot;

use crate::keeper::{Keep, Kept};
use crate::messages::{Die, Fallen, Pillar};
use crate::record;
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// How many edits may wait for the store. While the disk is broken for hours, phones that log in again and again are
/// not remembered without end. Ours: more than there are sessions, with room for a shift that logs in at once.
pub const ASKING_MAX: usize = 4096;

/// Somebody wants something changed. The answer comes when the store has it (the answer of an edit that is refused, or
/// changes nothing, at once); `None` when the OMM is going away, or when [`ASKING_MAX`] others wait.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Option<Result<Done, Refusal>>")]
pub struct Change(pub Edit);

/// Asks which neighbours are known to have all that was written about a user: [`Sync::having`].
#[derive(Message, Clone, Debug)]
#[rtype(result = "BTreeMap<OmmId, bool>")]
pub struct Having(pub Arc<User>);

/// Asks how many pieces wait because they carry stamps of the future: [`Sync::quarantined`].
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "usize")]
pub struct Waiting;

/// What the OMM tells its directory of the links.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum ToDirectory {
    /// A link comes up: what is the central to be told first? Answered by [`FromDirectory::Have`].
    Ask,
    /// The link with this OMM is open.
    LinkUp(OmmId),
    /// It is gone.
    LinkDown(OmmId),
    /// A word came over it.
    Heard {
        /// From whom.
        from: OmmId,
        /// What.
        word: Box<Word>,
    },
    /// The administrator took this remote off the list.
    Removed(OmmId),
}

/// What the directory tells its OMM.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum FromDirectory {
    /// What the directory has.
    Have(Box<Have>),
    /// Send this over the link.
    Send {
        /// Over which one.
        peer: OmmId,
        /// What.
        word: Box<Word>,
    },
    /// This is shown differently now, and durably.
    Changed {
        /// What, and how it was.
        changed: Changed,
        /// Who has just logged in or out at a phone here, when it is that: the phone itself says what follows.
        by: Option<Number>,
    },
}

/// Where the directory turns to.
pub struct DirectoryWays {
    /// The store.
    pub keeper: Recipient<Keep>,
    /// Its OMM.
    pub news: Recipient<FromDirectory>,
    /// Its OMM, when it falls over.
    pub fallen: Recipient<Fallen<Pillar>>,
}

/// Somebody who waits for the answer to an edit.
struct Asking {
    answer: oneshot::Sender<Result<Done, Refusal>>,
    /// Who logs in or out with it.
    by: Option<Number>,
}

/// The actor of the directory.
pub struct DirectoryActor {
    seat: Seat<Sync>,
    /// What it shows.
    shared: Shared,
    /// Who waits, by the number of the edit: at most [`ASKING_MAX`].
    asking: BTreeMap<u64, Asking>,
    asks: u64,
    /// Whose login was answered last: the change that follows in the same step is of it.
    by: Option<Number>,
    ways: DirectoryWays,
}

impl DirectoryActor {
    /// Hires the directory around its machine.
    pub fn new(site: &Site, machine: Sync, shared: Shared, ways: DirectoryWays) -> DirectoryActor {
        let seat = Seat::new(machine, "directory", site.clock.clone(), site.trace.clone());
        DirectoryActor { seat, shared, asking: BTreeMap::new(), asks: 0, by: None, ways }
    }

    fn tell_shown(&self, changed: &Changed) {
        let trace = self.seat.trace();
        if trace.listening() {
            let now = self.seat.clock().moment();
            let notes = shown::notes(&self.shared.borrow(), changed);
            notes.iter().for_each(|note| trace.tell(now, self.seat.who(), note));
        }
    }
}

impl Actor for DirectoryActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(Pillar::Directory));
        }
    }
}

impl Seated<Sync> for DirectoryActor {
    fn seat(&mut self) -> &mut Seat<Sync> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Save(save) => {
                let writes = record::directory(&save);
                self.ways.keeper.do_send(Keep { writes, reply: ctx.address().recipient() });
                return Flow::Hold;
            }
            Effect::Answer { ask, result } => {
                if let Some(asking) = self.asking.remove(&ask) {
                    // Only what changes something is followed by a change of its own.
                    let changes = result.as_ref().is_ok_and(|done| !done.changed.is_empty());
                    self.by = asking.by.filter(|_| changes);
                    // Whoever hung up does not want to know.
                    let _ = asking.answer.send(result);
                }
            }
            Effect::Changed(changed) => {
                self.tell_shown(&changed);
                self.ways.news.do_send(FromDirectory::Changed { changed, by: self.by.take() });
            }
            Effect::Send { peer, word } => {
                self.ways.news.do_send(FromDirectory::Send { peer, word: Box::new(word) });
            }
            Effect::Have(have) => self.ways.news.do_send(FromDirectory::Have(Box::new(have))),
            Effect::Observe(stamp) => self.seat.clock().observe(stamp),
            Effect::Progress { .. } | Effect::InStep { .. } | Effect::Forgotten(_) | Effect::Alarm(_) => {}
        }
        Flow::Go
    }
}

impl Handler<Kept> for DirectoryActor {
    type Result = ();

    fn handle(&mut self, _: Kept, ctx: &mut Context<Self>) {
        self.release(ctx);
    }
}

impl Handler<Change> for DirectoryActor {
    type Result = ResponseFuture<Option<Result<Done, Refusal>>>;

    fn handle(&mut self, Change(edit): Change, ctx: &mut Context<Self>) -> Self::Result {
        if self.asking.len() >= ASKING_MAX {
            return Box::pin(async { None });
        }
        let by = match &edit {
            Edit::Login { user, .. } | Edit::Logout { user } => Some(user.clone()),
            Edit::CreateUser(_)
            | Edit::SetUser { .. }
            | Edit::DeleteUser(_)
            | Edit::CreateDevice(_)
            | Edit::SetDevice { .. }
            | Edit::DeleteDevice(_)
            | Edit::CreateFixed { .. }
            | Edit::Attach { .. }
            | Edit::Detach { .. }
            | Edit::SetKind { .. }
            | Edit::SetProfile { .. }
            | Edit::DeleteProfile(_)
            | Edit::SetSari(_)
            | Edit::Restore(_) => None,
        };
        let (answer, told) = oneshot::channel();
        self.asks += 1;
        let (ask, stamp) = (self.asks, self.seat.clock().stamp());
        self.asking.insert(ask, Asking { answer, by });
        self.feed(Input::Edit { ask, stamp, edit: Box::new(edit) }, ctx);
        Box::pin(async move { told.await.ok() })
    }
}

impl Handler<Having> for DirectoryActor {
    type Result = MessageResult<Having>;

    fn handle(&mut self, Having(user): Having, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.seat.machine().having(&user))
    }
}

impl Handler<Waiting> for DirectoryActor {
    type Result = usize;

    fn handle(&mut self, _: Waiting, _: &mut Context<Self>) -> usize {
        self.seat.machine().quarantined()
    }
}

impl Handler<ToDirectory> for DirectoryActor {
    type Result = ();

    fn handle(&mut self, message: ToDirectory, ctx: &mut Context<Self>) {
        let input = match message {
            ToDirectory::Ask => Input::Ask,
            ToDirectory::LinkUp(peer) => Input::LinkUp(peer),
            ToDirectory::LinkDown(peer) => Input::LinkDown(peer),
            ToDirectory::Heard { from, word } => {
                Input::Heard { from, word: *word, wall: self.seat.clock().wall() }
            }
            ToDirectory::Removed(remote) => Input::Removed(remote),
        };
        self.feed(input, ctx);
    }
}

/// Asks for the latest stamp that it knows. What was said to it before has had its effect on the directory by then,
/// though it need not be durable.
#[derive(Message)]
#[rtype(result = "Option<Stamp>")]
pub struct Latest;

impl Handler<Latest> for DirectoryActor {
    type Result = Option<Stamp>;

    fn handle(&mut self, _: Latest, _: &mut Context<Self>) -> Option<Stamp> {
        self.shared.borrow().latest()
    }
}

impl Handler<Die> for DirectoryActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
