//! External users of one OMM: runs [`omm::epr`] between the provisioning server and the directory.

use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use axi::provision::external;
use omm::directory::edit::Edit;
use omm::directory::sync::Shared;
use omm::epr::{Effect, Epr, Fate, File, Input, Outcome, Policy};
use omm::ids::Number;

use crate::directory::Change;
use crate::doors::{Fetch, Fetched};
use crate::messages::{Die, Fallen, Met, Stranger};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// What an OMM needs to have external users.
#[derive(Clone)]
pub struct Provisioning {
    /// How they are wanted.
    pub policy: Policy,
    /// Who reads files of the provisioning server.
    pub door: Recipient<Fetch>,
}

/// Somebody wants a user's file read; everybody's without a number. The answer is whether there are external users here.
#[derive(Message, Clone, Debug)]
#[rtype(result = "bool")]
pub struct Import(pub Option<Number>);

/// This became of a file (axi 4.5 `EventUserDataImport`).
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Imported {
    /// Which.
    pub file: File,
    /// Whether its user is now as it says.
    pub done: bool,
    /// Whether it was not to be had, or makes no sense.
    pub failed: bool,
}

/// Where it turns to.
pub struct EprWays {
    /// Who changes users.
    pub changes: Recipient<Change>,
    /// Its OMM, which has clients to tell.
    pub imported: Recipient<Imported>,
    /// Its OMM, when a phone need not wait any more.
    pub met: Recipient<Met>,
    /// Its OMM, when it falls over.
    pub fallen: Recipient<Fallen<EprFell>>,
}

/// Says that it was the actor of external users that fell over.
#[derive(Clone, Copy, Debug)]
pub struct EprFell;

/// The actor of external users.
pub struct EprActor {
    seat: Seat<Epr>,
    door: Recipient<Fetch>,
    ways: EprWays,
}

impl EprActor {
    /// Hires it for an OMM with this directory.
    pub fn new(site: &Rc<Site>, given: &Provisioning, directory: Shared, ways: EprWays) -> EprActor {
        let machine = Epr::new(site.clock.moment(), given.policy, site.login, directory);
        let seat = Seat::new(machine, "epr", site.clock.clone(), site.trace.clone());
        EprActor { seat, door: given.door.clone(), ways }
    }

    /// Asks the door. One that is gone or full is a server that cannot be reached.
    fn read(&self, file: File, ctx: &mut Context<Self>) {
        let fetched = self.door.send(Fetch { file: file.name() });
        ctx.spawn(fetched.into_actor(self).map(|fetched, epr, ctx| {
            let outcome = fetched.map_or_else(|_| Outcome::Failed("nobody reads files".into()), outcome);
            epr.feed(Input::Read { file, outcome }, ctx);
        }));
    }

    fn write(&self, user: Number, edit: Edit, ctx: &mut Context<Self>) {
        let done = self.ways.changes.send(Change(edit));
        ctx.spawn(done.into_actor(self).map(|done, epr, ctx| {
            let result = done.ok().flatten().map(|done| done.map(|done| !done.changed.is_empty()));
            epr.feed(Input::Written { user, result }, ctx);
        }));
    }
}

/// What a file of the server says.
fn outcome(fetched: Fetched) -> Outcome {
    match fetched {
        Fetched::Text(text) => match external::read(text.reveal()) {
            Ok(change) => Outcome::Found(Box::new(change)),
            Err(mistake) => Outcome::Failed(format!("line {}: {mistake}", mistake.line).into()),
        },
        Fetched::Missing => Outcome::Missing,
        Fetched::Failed(why) => Outcome::Failed(Arc::from(why)),
    }
}

impl Actor for EprActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(EprFell));
        }
    }
}

impl Seated<Epr> for EprActor {
    fn seat(&mut self) -> &mut Seat<Epr> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Read(file) => self.read(file, ctx),
            Effect::Write { user, edit } => self.write(user, *edit, ctx),
            Effect::Met { ask, is_answered } => self.ways.met.do_send(Met { ask, is_answered }),
            Effect::Told { file, fate } => {
                let failed = matches!(fate, Fate::Failed(_));
                self.ways.imported.do_send(Imported { file, done: is_done(&fate), failed });
            }
        }
        Flow::Go
    }
}

fn is_done(fate: &Fate) -> bool {
    match fate {
        Fate::Created | Fate::Changed | Fate::Unchanged => true,
        Fate::Deleted | Fate::Suspected | Fate::Failed(_) => false,
    }
}

impl Handler<Import> for EprActor {
    type Result = bool;

    fn handle(&mut self, Import(user): Import, ctx: &mut Context<Self>) -> bool {
        self.feed(user.map_or(Input::WishAll, Input::Wish), ctx);
        true
    }
}

impl Handler<Stranger> for EprActor {
    type Result = ();

    /// Who has no name that could be a user's has no file.
    fn handle(&mut self, Stranger { user, ask }: Stranger, ctx: &mut Context<Self>) {
        match Number::new(&user) {
            Ok(name) => self.feed(Input::Stranger { name, ask }, ctx),
            Err(_) => self.ways.met.do_send(Met { ask, is_answered: true }),
        }
    }
}

impl Handler<Die> for EprActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
