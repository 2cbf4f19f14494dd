//! What the OMM is and whom it knows: its SARI, the remotes on its roster, whether it goes to its central.
//!
//! Each of these is durable before anybody is told of it. A remote takes the SARI that it learns into use at once, in
//! its place (ours: nobody here broadcasts it by radio, so nothing has to start over for it); what an administrator
//! changes starts the OMM over, which leaves registrations as they are (AMB-16, X-1).

use std::collections::VecDeque;

use actix::prelude::*;
use machine::note::Note;
use omm::ids::park::Sari;
use omm::link::frame::Facts;
use omm::link::roster::Inscription;
use omm::stamp::OmmId;
use omm::star::Role;
use tokio::sync::oneshot;

use super::{Birth, OmmActor};
use crate::direct::ToDirect;
use crate::directory::ToDirectory;
use crate::identity::{self, Attachment};
use crate::keeper::{Keep, Kept};
use crate::store::{StoreFault, Write};

/// Gives a central its SARI (M-2.3.1.1-a).
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Result<(), Unchanged>")]
pub struct SetSari(pub Sari);

/// Takes a remote off the roster; its connection ends (SM-1C).
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Result<(), Unchanged>")]
pub struct Expel(pub OmmId);

/// Attaches a remote to its central, or detaches it. It counts when the OMM has started over.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Result<(), Unchanged>")]
pub struct SetAttachment(pub Attachment);

/// Why everything is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// Only a central generates a SARI and has a roster.
    NoCentral,
    /// Only a remote with a link is attached.
    NoRemote,
    /// The SARI is this one, for good (M-2.1.2.1-e).
    SariSet(Sari),
    /// No such remote is on the roster.
    NoSuchRemote,
    /// It has so many users and handsets of its own (M-2.3.1.2-a).
    NotEmpty(omm::link::census::Census),
    /// The OMM ended before the store had it.
    Ended,
}

/// Who is told when the store has what was asked for.
pub(super) enum Owed {
    Nobody,
    /// A remote of which the roster says something new.
    Answer {
        link: u64,
        facts: Box<Facts>,
    },
    Asker(oneshot::Sender<Result<(), Unchanged>>),
    /// The sessions of clients, of the SARI.
    Clients,
}

/// What is owed, in the order in which it was asked for, which is that of the store.
pub(super) type Debts = VecDeque<Owed>;

/// What the store knows of who this OMM is; changes `birth` accordingly.
pub(super) fn recall(birth: &mut Birth) -> Result<Option<Sari>, StoreFault> {
    let stored = identity::sari(birth.store.as_ref())?;
    let sari = stored.or(birth.sari);
    if let (Some(roster), Some(sari)) = (&mut birth.roster, sari) {
        roster.learn(sari);
    }
    if let Some(roster) = &mut birth.roster {
        for (remote, inscribed) in identity::remotes(birth.store.as_ref())? {
            roster.restore(remote, inscribed);
        }
    }
    if let Some(attach) = &mut birth.attach {
        attach.facts.sari = sari;
        attach.adopt = identity::attachment(birth.store.as_ref())?.adopt;
    }
    birth.detached = !identity::attachment(birth.store.as_ref())?.attached;
    Ok(stored)
}

impl OmmActor {
    /// Makes it durable, and then pays.
    pub(super) fn keep(&mut self, write: Write, owed: Owed, ctx: &mut Context<Self>) {
        let Some(children) = &self.children else { return };
        self.debts.push_back(owed);
        children.kin.keeper.do_send(Keep { writes: vec![write], reply: ctx.address().recipient() });
    }

    /// A central that is configured to have the SARI of its PARK has it for good from its first start on.
    pub(super) fn settle_sari(&mut self, stored: Option<Sari>, ctx: &mut Context<Self>) {
        match (stored, self.birth.sari) {
            (None, Some(sari)) => {
                let wall = self.site().clock.wall();
                self.keep(identity::keep_sari(sari, wall), Owed::Nobody, ctx);
            }
            (Some(stored), Some(derived)) if stored != derived => {
                let text = format_args!(
                    "the SARI is {stored} for good, although the PARK has changed (M-2.1.2.1-e)"
                );
                self.note(&Note::new("alarm").text("text", text));
            }
            (_, _) => {}
        }
    }

    /// The central told this remote the SARI of the system (M-2.1.2.1-c).
    pub(super) fn learned(&mut self, sari: Sari, ctx: &mut Context<Self>) {
        let is_news = self.sari.replace(sari) != Some(sari);
        if let Some(attach) = &mut self.birth.attach {
            attach.facts.sari = Some(sari);
        }
        self.tell_direct(ToDirect::Learned(sari));
        let wall = self.site().clock.wall();
        let owed = if is_news { Owed::Clients } else { Owed::Nobody };
        self.keep(identity::keep_sari(sari, wall), owed, ctx);
    }

    /// The roster says something new of a remote; it is answered when the store has it.
    pub(super) fn inscribe(
        &mut self,
        remote: OmmId,
        inscribed: &Inscription,
        link: u64,
        facts: Facts,
        ctx: &mut Context<Self>,
    ) {
        let owed = Owed::Answer { link, facts: Box::new(facts) };
        self.keep(identity::keep_remote(remote, inscribed), owed, ctx);
    }

    fn promise(&mut self, write: Write, ctx: &mut Context<Self>) -> ResponseFuture<Result<(), Unchanged>> {
        let (tell, told) = oneshot::channel();
        self.keep(write, Owed::Asker(tell), ctx);
        Box::pin(async move { told.await.unwrap_or(Err(Unchanged::Ended)) })
    }
}

fn refuse(why: Unchanged) -> ResponseFuture<Result<(), Unchanged>> {
    Box::pin(async move { Err(why) })
}

impl Handler<Kept> for OmmActor {
    type Result = ();

    fn handle(&mut self, _: Kept, _: &mut Context<Self>) {
        match self.debts.pop_front() {
            Some(Owed::Answer { link, facts }) => self.welcome(link, *facts),
            // Who asked and went away again is owed nothing.
            Some(Owed::Asker(tell)) => drop(tell.send(Ok(()))),
            Some(Owed::Clients) => self.tell_sari(),
            Some(Owed::Nobody) | None => {}
        }
    }
}

impl Handler<SetSari> for OmmActor {
    type Result = ResponseFuture<Result<(), Unchanged>>;

    fn handle(&mut self, SetSari(sari): SetSari, ctx: &mut Context<Self>) -> Self::Result {
        if self.birth.role != Role::Central {
            return refuse(Unchanged::NoCentral);
        }
        if let Some(own) = self.sari {
            return refuse(Unchanged::SariSet(own));
        }
        // Of two who ask at a time the second finds it set.
        self.sari = Some(sari);
        let wall = self.site().clock.wall();
        self.promise(identity::keep_sari(sari, wall), ctx)
    }
}

impl Handler<Expel> for OmmActor {
    type Result = ResponseFuture<Result<(), Unchanged>>;

    fn handle(&mut self, Expel(remote): Expel, ctx: &mut Context<Self>) -> Self::Result {
        let Some(roster) = &mut self.birth.roster else { return refuse(Unchanged::NoCentral) };
        if !roster.remove(remote) {
            return refuse(Unchanged::NoSuchRemote);
        }
        self.hang_up(remote);
        self.introduce_all();
        self.tell_health();
        self.tell_directory(ToDirectory::Removed(remote));
        self.promise(identity::forget_remote(remote), ctx)
    }
}

impl Handler<SetAttachment> for OmmActor {
    type Result = ResponseFuture<Result<(), Unchanged>>;

    fn handle(&mut self, SetAttachment(wish): SetAttachment, ctx: &mut Context<Self>) -> Self::Result {
        if self.birth.attach.is_none() {
            return refuse(Unchanged::NoRemote);
        }
        // As it is now: what was in the way at the start may have been deleted since.
        let census = super::census(&self.birth.directory.borrow());
        let is_full = census != omm::link::census::Census::default();
        if wish.attached && !wish.adopt && self.sari.is_none() && is_full {
            return refuse(Unchanged::NotEmpty(census));
        }
        self.promise(identity::keep_attachment(wish), ctx)
    }
}
