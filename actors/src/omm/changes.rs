//! What follows from a change of the directory, whether it was made here or came from another OMM: who is hired, told,
//! dismissed, and whose phone may come.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use omm::directory::login::Variant;
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
        let by = self.site().login;
        // Of those in the file the phones' side knows the numbers already.
        let edited = |user: &&Arc<User>| {
            (user.edited.omm != omm::stamp::ORIGIN || by == Variant::Id) && user.status == Status::Active
        };
        let names = directory.names_touched(directory.users().filter(edited), by);
        names.iter().for_each(|name| self.enrol(name));
    }

    /// The phone of whoever logs in under this name may come; nobody's, if nobody does.
    fn enrol(&self, name: &Number) {
        let directory = self.birth.directory.borrow();
        let called = directory.called(name, self.site().login);
        let Some(user) = called.filter(|user| user.status == Status::Active) else {
            return self.expel(name);
        };
        let username = user.admin.sip_auth_id.as_deref().unwrap_or(name.as_str());
        let subscriber = Subscriber {
            aor: self.aor(name),
            username: username.to_owned(),
            password: user.admin.password.clone(),
        };
        if let Some(children) = &self.children {
            children.endpoint.do_send(Enrol { user: user.number.clone(), name: name.clone(), subscriber });
        }
    }

    fn aor(&self, name: &Number) -> String {
        format!("sip:{name}@{}", self.site().domain.to_ascii_lowercase())
    }

    fn expel(&self, name: &Number) {
        if let Some(children) = &self.children {
            children.endpoint.do_send(Expel { name: name.clone(), aor: self.aor(name) });
        }
    }

    /// Whose names have changed: phones come under the new ones from now on.
    fn rename(&self, before: Option<&Arc<User>>, now: Option<&Arc<User>>) {
        let (directory, by) = (self.birth.directory.borrow(), self.site().login);
        let former = directory.names_touched(before, by);
        for name in directory.names_touched(before.into_iter().chain(now), by) {
            // What was registered under a name goes with whoever had it.
            if former.contains(&name) && directory.called(&name, by).is_some() {
                self.expel(&name);
            }
            self.enrol(&name);
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
                let by_id = self.site().login == Variant::Id;
                if by_id && before.admin.add_id != now.admin.add_id {
                    self.rename(Some(&before), Some(&now));
                } else if before.auth_id() != now.auth_id() || before.admin.password != now.admin.password {
                    let name = self.birth.directory.borrow().login_name(&now, self.site().login);
                    name.iter().for_each(|name| self.enrol(name));
                }
                if before.relation != now.relation && by != Some(&now.number) {
                    self.moved(&before, &now, ctx);
                }
                if account(&before) != account(&now) {
                    self.replace(&now.number, ctx);
                }
            }
            (before, now) => {
                self.rename(before.as_ref(), now.as_ref());
                before.into_iter().for_each(|before| self.retire(&before, ctx));
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
            FromDirectory::Have(have) => self.tell_dialled(ToLink::Have(have)),
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
