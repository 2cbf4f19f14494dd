//! What phones and calls want of an OMM: the directory says whose handset it is, the user's actor does the rest.

use actix::prelude::*;
use omm::directory::edit::Edit;
use omm::ids::Number;
use omm::roaming::{Ask, Refusal};

use super::OmmActor;
use crate::directory::Change;
use crate::messages::{Call, Leave, Left, Located, Verdict};
use crate::user::{Absent, Present};

impl Handler<Located> for OmmActor {
    type Result = ();

    /// A phone that shows a handset at which its user is not logged in yet logs it in. That is durable, and spread,
    /// before anybody is told where the phone is; a refused login leaves the user where it is.
    fn handle(&mut self, Located { user, device, ask }: Located, ctx: &mut Context<Self>) {
        let login = device.filter(|device| {
            let directory = self.birth.directory.borrow();
            // Whoever reports where it is already logged in writes nothing (SM-7).
            directory.user_of(*device).is_none_or(|holder| holder.number != user)
        });
        match login {
            Some(device) => {
                let edit = Edit::Login { user: user.clone(), device };
                self.change(edit, ctx, move |omm| omm.present(&user, ask));
            }
            None => self.present(&user, ask),
        }
    }
}

impl Handler<Left> for OmmActor {
    type Result = ();

    fn handle(&mut self, Left { user, device, how, ask }: Left, ctx: &mut Context<Self>) {
        let leaver = user.clone();
        let absent = move |omm: &mut OmmActor| {
            let device = omm.birth.directory.borrow().handset(&user, device);
            match omm.user(&user) {
                Some(actor) => actor.do_send(Absent { device, how, ask }),
                None => omm.refuse(ask, Refusal::Unknown),
            }
        };
        match how {
            // Refused for a fixed relation: such a user cannot log out, but its phone may be gone all the same.
            Leave::LoggedOut => {
                let edit = Edit::Logout { user: leaver };
                self.change(edit, ctx, absent);
            }
            Leave::Detached => absent(self),
        }
    }
}

impl OmmActor {
    /// Does the edit, and goes on when it is durable or refused.
    fn change(&self, edit: Edit, ctx: &mut Context<Self>, next: impl FnOnce(&mut OmmActor) + 'static) {
        let Some(children) = &self.children else { return };
        let changed = children.directory.send(Change(edit)).into_actor(self);
        ctx.spawn(changed.map(move |_, omm, _| next(omm)));
    }

    /// The phone of this user is here.
    fn present(&mut self, user: &Number, ask: Option<Ask>) {
        let device = self.birth.directory.borrow().device_of(user).map(|device| device.ipei);
        match (device, self.user(user)) {
            (Some(device), Some(actor)) => actor.do_send(Present { device, ask }),
            (None, _) | (_, None) => self.refuse(ask, Refusal::Unknown),
        }
    }

    fn refuse(&self, ask: Option<Ask>, why: Refusal) {
        if let (Some(ask), Some(children)) = (ask, &self.children) {
            children.kin.verdicts.do_send(Verdict { ask, refused: Some(why) });
        }
    }
}

impl Handler<Call> for OmmActor {
    type Result = ();

    fn handle(&mut self, call: Call, _: &mut Context<Self>) {
        if let Some(actor) = self.user(&call.user.clone()) {
            actor.do_send(call);
        }
    }
}
