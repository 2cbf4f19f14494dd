//! The direct claim channels of a remote (B-4): what the star wants of them, and what they bring.

use actix::prelude::*;
use omm::link::neighbour::Neighbour;
use omm::star::Input;

use super::OmmActor;
use super::identity::Owed;
use crate::direct::{DirectActor, DirectFell, DirectWays, FromDirect, ToDirect};
use crate::identity;
use crate::messages::Fallen;
use crate::seat::Seated;

impl OmmActor {
    /// Hires whoever calls other remotes; nothing at a central, and where an administrator does not want it.
    pub(super) fn hire_direct(&mut self, ctx: &mut Context<Self>) {
        let (Some(manner), Some(attach)) = (self.birth.direct, self.birth.attach.clone()) else { return };
        if self.birth.detached {
            return;
        }
        let own = ctx.address();
        let ways = DirectWays {
            dial: self.birth.dial.clone(),
            news: own.clone().recipient(),
            fallen: own.recipient(),
        };
        let actor = DirectActor::new(self.site(), attach, manner, ways).start();
        actor.do_send(ToDirect::Neighbours(self.neighbours.clone()));
        if let Some(children) = &mut self.children {
            children.direct = Some(actor);
        }
    }

    pub(super) fn tell_direct(&self, message: ToDirect) {
        if let Some(direct) = self.children.as_ref().and_then(|children| children.direct.as_ref()) {
            direct.do_send(message);
        }
    }

    /// The central told who the other remotes are and where they can be called. Kept, so that a restart without the
    /// central does not forget it.
    pub(super) fn meet(&mut self, neighbours: Vec<Neighbour>, ctx: &mut Context<Self>) {
        if self.birth.direct.is_none() || self.neighbours == neighbours {
            return;
        }
        self.keep(identity::keep_neighbours(&neighbours), Owed::Nobody, ctx);
        self.tell_direct(ToDirect::Neighbours(neighbours.clone()));
        self.neighbours = neighbours;
    }
}

impl Handler<FromDirect> for OmmActor {
    type Result = ();

    fn handle(&mut self, news: FromDirect, ctx: &mut Context<Self>) {
        match news {
            FromDirect::Up(peer) => {
                self.beside.insert(peer);
                self.feed(Input::BesideUp(peer), ctx);
            }
            FromDirect::Down(peer) => {
                self.beside.remove(&peer);
                self.feed(Input::BesideDown(peer), ctx);
            }
            FromDirect::Word { from, word } => self.feed(Input::HeardBeside { from, word }, ctx),
        }
    }
}

impl Handler<Fallen<DirectFell>> for OmmActor {
    type Result = ();

    fn handle(&mut self, _: Fallen<DirectFell>, ctx: &mut Context<Self>) {
        if self.may_rehire("the caller of other remotes", ctx).is_none() {
            return;
        }
        self.hire_direct(ctx);
        for peer in std::mem::take(&mut self.beside) {
            self.feed(Input::BesideDown(peer), ctx);
        }
    }
}
