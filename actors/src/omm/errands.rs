//! What is asked of other OMMs about phones that are there, and answered to them (B-11, B-16).

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::prelude::*;
use axi::error::Refused;
use axi::inquiry::{self, Inquiry, Story};
use axi::reply::Reply;
use axi::request::Look;
use omm::directory::key::Ppn;
use omm::ids::Number;
use omm::stamp::OmmId;

use super::OmmActor;
use crate::errands::{Attend, Carry, ErrandsActor, ErrandsFell, ErrandsWays, Inquire, Recall, ToErrands};
use crate::link::ToLink;
use crate::messages::Fallen;
use crate::office::Glance;

/// Asks what happened to a user lately at every other OMM that may have had to do with it, as far as they answer.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Vec<Story>")]
pub struct Recount(pub Number);

impl OmmActor {
    /// Hires the actor of errands, which learns which links stand.
    pub(super) fn hire_errands(&mut self, ctx: &mut Context<Self>) {
        let own = ctx.address();
        let ways = ErrandsWays {
            carry: own.clone().recipient(),
            attend: own.clone().recipient(),
            fallen: own.recipient(),
        };
        let actor = ErrandsActor::new(self.site(), self.birth.role, ways).start();
        let Some(children) = &mut self.children else { return };
        let peers = children.links.values().filter_map(|link| link.peer);
        peers.for_each(|peer| actor.do_send(ToErrands::LinkUp(peer)));
        children.errands = Some(actor);
    }

    pub(super) fn tell_errands(&self, message: ToErrands) {
        if let Some(errands) = self.children.as_ref().and_then(|children| children.errands.as_ref()) {
            errands.do_send(message);
        }
    }

    /// The OMM where the user in this row of handsets is now, when it is another one.
    fn elsewhere(&self, ppn: u32) -> Option<OmmId> {
        let directory = self.birth.directory.borrow();
        let user = directory.user_at(directory.device_at(Ppn::new(ppn)?)?.uid?)?;
        self.seat.machine().elsewhere(self.site().clock.moment(), &user.number)
    }

    /// What has to be asked elsewhere, where, and about which row of handsets.
    fn inquiry(&self, look: &Look) -> Option<(Inquire, u32)> {
        let inquiry = Inquiry::of(look)?;
        let (Inquiry::State(ppn) | Inquiry::LastAction(ppn)) = inquiry else { return None };
        Some((Inquire { to: self.elsewhere(ppn)?, inquiry }, ppn))
    }

    /// Whom to ask what happened to this user: all remotes that are known, too.
    fn witnesses(&self, user: &Number) -> BTreeSet<OmmId> {
        let mut all = self.seat.machine().witnesses(self.site().clock.moment(), user);
        let neighbours = self.neighbours.iter().map(|neighbour| neighbour.omm);
        all.extend(neighbours.filter(|neighbour| *neighbour != self.site().omm));
        all
    }
}

impl Handler<Glance> for OmmActor {
    type Result = ResponseFuture<Result<Reply, Refused>>;

    /// What is asked about a phone that is elsewhere is asked there; what is known here is the answer if nobody tells.
    fn handle(&mut self, Glance { look, sync }: Glance, _: &mut Context<Self>) -> Self::Result {
        let known = self.glance(&look, sync);
        let errands = self.children.as_ref().and_then(|children| children.errands.clone());
        let inquiry = self.inquiry(&look);
        Box::pin(async move {
            let (Some(errands), Some((inquiry, ppn))) = (errands, inquiry) else { return known };
            let told = errands.send(inquiry).await.ok().flatten();
            told.and_then(|text| inquiry::read_phone(&text, ppn)).unwrap_or(known)
        })
    }
}

impl Handler<Attend> for OmmActor {
    type Result = ResponseFuture<Option<String>>;

    fn handle(&mut self, Attend(inquiry): Attend, _: &mut Context<Self>) -> Self::Result {
        if let Inquiry::Story(number) = inquiry {
            let (stories, site) = (self.birth.stories.clone(), self.site().node.to_string());
            return Box::pin(async move {
                let lines = stories?.send(Recall(number)).await.ok()?;
                Some(inquiry::write_story(&Story { site, lines }))
            });
        }
        let told = inquiry.look().map(|look| inquiry::write_phone(&self.glance(&look, false)));
        Box::pin(std::future::ready(told))
    }
}

impl Handler<Recount> for OmmActor {
    type Result = ResponseFuture<Vec<Story>>;

    fn handle(&mut self, Recount(user): Recount, _: &mut Context<Self>) -> Self::Result {
        let errands = self.children.as_ref().and_then(|children| children.errands.clone());
        let Some(errands) = errands else { return Box::pin(std::future::ready(Vec::new())) };
        // All are asked at once; a message is sent when `send` is called, not when it is waited for.
        let asked: Vec<_> = self
            .witnesses(&user)
            .into_iter()
            .map(|to| errands.send(Inquire { to, inquiry: Inquiry::Story(user.clone()) }))
            .collect();
        Box::pin(async move {
            let mut all = Vec::new();
            for told in asked {
                let text: Option<Arc<str>> = told.await.ok().flatten();
                all.extend(text.and_then(|text| inquiry::read_story(&text)));
            }
            all
        })
    }
}

impl Handler<Carry> for OmmActor {
    type Result = ();

    fn handle(&mut self, Carry { peer, errand }: Carry, _: &mut Context<Self>) {
        self.tell_link(peer, ToLink::Errand(errand));
    }
}

impl Handler<Fallen<ErrandsFell>> for OmmActor {
    type Result = ();

    fn handle(&mut self, _: Fallen<ErrandsFell>, ctx: &mut Context<Self>) {
        if self.may_rehire("the actor of errands", ctx).is_some() {
            self.hire_errands(ctx);
        }
    }
}
