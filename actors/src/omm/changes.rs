//! What follows from a change of the directory, whether it was made here or came from another OMM: who is hired, told,
//! dismissed, and whose phone may come.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use omm::directory::status::Status;
use omm::directory::user::User;
use omm::ids::Number;
use omm::star::Input;
use sip::registrar::subscriber::Subscriber;

use super::OmmActor;
use super::identity::Owed;
use crate::directory::{FromDirectory, ToDirectory};
use crate::endpoint::{Enrol, Expel};
use crate::link::ToLink;
use crate::messages::{Die, Leave};
use crate::record;
use crate::seat::Seated;
use crate::store::Write;
use crate::user::{Absent, UserActor};

/// How long the actor of a user who is no more may still remove its registration. Ours: longer than the longest
/// transaction (Timer F, 32 s), after which there is no answer to wait for.
const FAREWELL: Duration = Duration::from_secs(40);

impl OmmActor {
    pub(super) fn tell_directory(&self, message: ToDirectory) {
        if let Some(children) = &self.children {
            children.directory.do_send(message);
        }
    }

    /// At the start: the phones of those whom the file does not know, or knows otherwise.
    pub(super) fn enrol_all(&self) {
        let directory = self.birth.directory.borrow();
        for number in &self.missing {
            self.expel(number);
        }
        let edited =
            |user: &&Arc<User>| user.edited.omm != omm::stamp::ORIGIN && user.status == Status::Active;
        directory.users().filter(edited).for_each(|user| self.enrol(user));
    }

    fn aor(&self, number: &Number) -> String {
        format!("sip:{number}@{}", self.site().domain.to_ascii_lowercase())
    }

    fn enrol(&self, user: &User) {
        let subscriber = Subscriber {
            aor: self.aor(&user.number),
            username: user.auth_id().to_owned(),
            password: user.admin.password.clone(),
        };
        if let Some(children) = &self.children {
            children.endpoint.do_send(Enrol(subscriber));
        }
    }

    fn expel(&self, number: &Number) {
        if let Some(children) = &self.children {
            children.endpoint.do_send(Expel(self.aor(number)));
        }
    }

    /// What follows for one user. `by` has logged in or out at a phone here: the phone says where it is.
    fn turned(
        &mut self,
        before: Option<Arc<User>>,
        now: Option<Arc<User>>,
        by: Option<&Number>,
        ctx: &mut Context<Self>,
    ) {
        let active = |user: &Arc<User>| user.status == Status::Active;
        match (before.filter(active), now.filter(active)) {
            (Some(before), Some(now)) if before.number == now.number => {
                if before.auth_id() != now.auth_id() || before.admin.password != now.admin.password {
                    self.enrol(&now);
                }
                if before.relation != now.relation && by != Some(&now.number) {
                    self.moved(&before, &now, ctx);
                }
                if account(&before) != account(&now) {
                    self.replace(&now.number, ctx);
                }
            }
            (before, now) => {
                before.into_iter().for_each(|before| self.retire(&before, ctx));
                now.into_iter().for_each(|now| self.enrol(&now));
            }
        }
    }

    /// The relation was edited: whoever served the user on the handset that it left does so no more (spec 6.4).
    fn moved(&self, before: &User, now: &User, _: &mut Context<Self>) {
        let actor = self.children.as_ref().and_then(|children| children.users.get(&now.number));
        if let (Some(actor), Some(device)) = (actor, before.device())
            && now.device() != Some(device)
        {
            actor.do_send(Absent { device: Some(device), how: Leave::LoggedOut, ask: None });
        }
    }

    /// The account is another one: a new actor goes on from what the store knows.
    fn replace(&mut self, number: &Number, ctx: &mut Context<Self>) {
        let gone = self.children.as_mut().and_then(|children| children.users.remove(number));
        if let Some(gone) = gone {
            gone.do_send(Die);
            self.rehire(number, ctx);
        }
    }

    /// The user is no more, or has another number: its registration is removed, and then it is forgotten.
    fn retire(&mut self, user: &User, ctx: &mut Context<Self>) {
        self.expel(&user.number);
        let Some(children) = &mut self.children else { return };
        let Some(actor) = children.users.remove(&user.number) else { return };
        actor.do_send(Absent { device: user.device(), how: Leave::LoggedOut, ask: None });
        let number = user.number.clone();
        ctx.run_later(FAREWELL, move |omm, ctx| omm.forget(&number, &actor, ctx));
    }

    fn forget(&mut self, number: &Number, actor: &Addr<UserActor>, ctx: &mut Context<Self>) {
        actor.do_send(Die);
        if self.birth.directory.borrow().user(number).is_some() {
            return; // The number was given to somebody else meanwhile.
        }
        self.feed(Input::Forgotten(number.clone()), ctx);
        self.keep(Write::Delete(record::roam_key(number)), Owed::Nobody, ctx);
    }
}

/// What a registration is made of.
fn account(user: &User) -> (&str, &machine::secret::Secret, Option<Duration>, bool) {
    (user.auth_id(), &user.admin.password, user.admin.expires, user.admin.vip)
}

impl Handler<FromDirectory> for OmmActor {
    type Result = ();

    fn handle(&mut self, message: FromDirectory, ctx: &mut Context<Self>) {
        match message {
            FromDirectory::Send { peer, word } => self.tell_link(peer, ToLink::Directory(word)),
            FromDirectory::Changed { changed, by } => {
                self.tell_office(&changed, ctx);
                for (uid, before) in changed.users {
                    let now = self.birth.directory.borrow().user_at(uid).cloned();
                    self.turned(before, now, by.as_ref(), ctx);
                }
            }
        }
    }
}
