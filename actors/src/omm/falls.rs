//! What happens when a child falls over: a new one is hired from what the store knows, the others go on (I12). Too many
//! falls in a minute, or the fall of one without whom nothing goes on, and the whole OMM starts over.

use actix::prelude::*;
use machine::note::Note;
use omm::claim::{Claim, Word};
use omm::ids::Number;
use sip::server::{Demands, Standing};

use super::OmmActor;
use crate::messages::{Demanded, Fallen, Heard, Pillar, Stands};
use crate::record;
use crate::user::UserActor;

impl OmmActor {
    /// How often the child fell within a minute, if it may be hired again; if too many fell, the OMM starts over.
    pub(super) fn may_rehire(&mut self, who: &str, ctx: &mut Context<Self>) -> Option<usize> {
        let times = self.falls.count(self.site().clock.moment(), who);
        self.note(&Note::new("fault").text("text", format_args!("{who} fell over")));
        if self.falls.too_many() {
            self.start_over("children fall over again and again", ctx);
            return None;
        }
        self.restarts += 1;
        Some(times)
    }

    /// Hires a user's actor from what the store knows.
    pub(super) fn rehire(&mut self, number: &Number, ctx: &mut Context<Self>) -> Option<Addr<UserActor>> {
        match record::roams(self.birth.store.as_ref(), &record::roam_key(number)) {
            Ok(found) => {
                // Other numbers may begin with this one.
                let roam = found.into_iter().find(|roam| roam.record.user == *number);
                self.hire_user(number, roam)
            }
            Err(fault) => {
                self.start_over(&fault.to_string(), ctx);
                None
            }
        }
    }

    fn start_over(&self, why: &str, ctx: &mut Context<Self>) {
        let text = format_args!("the OMM starts over from its store: {why}");
        self.note(&Note::new("fault").text("text", text));
        self.birth.fallen.do_send(Fallen(self.site().node.clone()));
        ctx.stop();
    }

    /// What another OMM claims of this user, as the star knows it.
    fn foreign_claim(&self, number: &Number) -> Option<Claim> {
        let site = self.site();
        let claim = self.seat.machine().claim(site.clock.moment(), number);
        claim.filter(|claim| claim.owner != site.omm)
    }
}

impl Handler<Fallen<Number>> for OmmActor {
    type Result = ();

    /// The record decides. What the dead one had sent to the store and was not told of yet may follow in the store: it
    /// was not acknowledged to anybody, and whatever the new one decides is written after it.
    fn handle(&mut self, Fallen(number): Fallen<Number>, ctx: &mut Context<Self>) {
        if let Some(children) = &mut self.children {
            children.users.remove(&number);
        }
        let Some(times) = self.may_rehire(&format!("user/{number}"), ctx) else { return };
        let user = self.rehire(&number, ctx);
        // A word may have been lost with the dead one. Whoever falls a second time is not told again: this very word
        // may be what it cannot bear, and the links say it again when they come up.
        if let (Some(user), Some(claim), 1) = (user, self.foreign_claim(&number), times) {
            user.do_send(Heard(Word::Claim(claim)));
        }
    }
}

impl Handler<Fallen<u8>> for OmmActor {
    type Result = ();

    /// The new health believes its server usable until it learns otherwise; so does everybody else from now on.
    fn handle(&mut self, Fallen(tier): Fallen<u8>, ctx: &mut Context<Self>) {
        if self.may_rehire(&format!("the health of tier {tier}"), ctx).is_none() {
            return;
        }
        let at = usize::from(tier);
        let Some(children) = &self.children else { return };
        let (endpoint, sip) = (&children.endpoint, &children.kin.sip);
        let Some(actor) = self.hire_server(at, endpoint, sip, &children.locators, ctx) else { return };
        let Some(children) = &mut self.children else { return };
        if let Some(slot) = children.kin.health.borrow_mut().get_mut(at) {
            *slot = actor.clone().recipient();
        }
        if let Some(slot) = children.servers.get_mut(at) {
            *slot = actor;
        }
        ctx.notify(Stands { tier, standing: Standing::Usable });
        ctx.notify(Demanded { tier, demands: Demands::default() });
    }
}

impl Handler<Fallen<u64>> for OmmActor {
    type Result = ();

    /// A link that fell over is a link that broke.
    fn handle(&mut self, Fallen(link): Fallen<u64>, ctx: &mut Context<Self>) {
        let gone = self.children.as_mut().and_then(|children| children.links.remove(&link));
        let Some(gone) = gone else { return };
        if let Some(peer) = gone.peer {
            self.parted(peer, ctx);
        }
        if self.may_rehire("a link", ctx).is_some() && gone.is_dialled() {
            self.dial(ctx);
        }
    }
}

impl Handler<Fallen<Pillar>> for OmmActor {
    type Result = ();

    fn handle(&mut self, Fallen(pillar): Fallen<Pillar>, ctx: &mut Context<Self>) {
        let why = match pillar {
            Pillar::Directory => "the directory fell over",
            Pillar::Endpoint => "the endpoint fell over",
            Pillar::Flows => "the flows fell over",
            Pillar::Keeper => "the keeper of the store fell over",
            Pillar::Shaper => "the shaper of a server fell over",
        };
        self.start_over(why, ctx);
    }
}
