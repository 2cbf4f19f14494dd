//! What phones and calls want of an OMM: the directory says whose handset it is, the user's actor does the rest.

use actix::prelude::*;
use omm::directory::edit::Edit;
use omm::roaming::{Ask, Refusal};

use super::OmmActor;
use crate::messages::{Call, Leave, Left, Located, Verdict};
use crate::user::{Absent, Present};

impl Handler<Located> for OmmActor {
    type Result = ();

    fn handle(&mut self, Located { user, device, ask }: Located, ctx: &mut Context<Self>) {
        let device = match device {
            Some(device) => {
                let before = self.birth.directory.user_of(device).map(|other| other.number.clone());
                // Whoever reports where it is already logged in writes nothing (SM-7).
                if before.as_ref() != Some(&user) {
                    let stamp = self.site().clock.stamp();
                    let login = Edit::Login { user: user.clone(), device };
                    if let (Ok(_), Some(user)) = (self.birth.directory.edit(stamp, login), before) {
                        ctx.notify(Left { user, device: None, how: Leave::LoggedOut, ask: None });
                    }
                }
                self.birth.directory.device_of(&user).map(|device| device.ipei)
            }
            None => self.birth.directory.device_of(&user).map(|device| device.ipei),
        };
        match (device, self.user(&user)) {
            (Some(device), Some(actor)) => actor.do_send(Present { device, ask }),
            (None, _) | (_, None) => self.refuse(ask, Refusal::Unknown),
        }
    }
}

impl Handler<Left> for OmmActor {
    type Result = ();

    fn handle(&mut self, Left { user, device, how, ask }: Left, _: &mut Context<Self>) {
        if how == Leave::LoggedOut {
            // Refused for a fixed relation: such a user cannot log out, but its phone may be gone all the same.
            let stamp = self.site().clock.stamp();
            let _ = self.birth.directory.edit(stamp, Edit::Logout { user: user.clone() });
        }
        let device = self.birth.directory.handset(&user, device);
        match self.user(&user) {
            Some(actor) => actor.do_send(Absent { device, how, ask }),
            None => self.refuse(ask, Refusal::Unknown),
        }
    }
}

impl OmmActor {
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
