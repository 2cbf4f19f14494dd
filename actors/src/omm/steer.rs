//! What AXI clients want of the OMM as a whole: another identity of the system, another use of the sync link (M-2.3.1.1-a,
//! M-2.3.1.2-b). The same as `homing sari generate`, `homing attach` and `homing detach`, in a portal's words.

use actix::prelude::*;
use axi::error::{ErrCode, Refused};
use axi::portal::{agree, sync_link};
use axi::reply::Reply;
use axi::request::orders::Order;
use axi::system;
use omm::ids::park::Sari;
use omm::star::Role;

use super::OmmActor;
use super::identity::{SetAttachment, SetSari, Unchanged};
use crate::identity::Attachment;

/// Has the OMM do this.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Done, Refused>")]
pub struct Steer(pub Order);

/// It is so now, and durable.
#[derive(Clone, Debug)]
pub struct Done {
    /// How it is.
    pub reply: Reply,
    /// Whether the OMM has to start over for it, once the client has its answer.
    pub starts_over: bool,
}

/// Who decides where the central is.
const LINK: &str = "this stands in [link] of the site's file; change it there and start the OMM again";

impl OmmActor {
    /// `GetUserDeviceSyncOMMResp`, when the link is used or not used like this.
    fn link_used(&self, enabled: bool) -> Reply {
        match &self.birth.attach {
            Some(attach) => sync_link(enabled, &attach.addresses, Some(&attach.user)),
            None => sync_link(false, &[] as &[&str], None),
        }
    }

    /// The link to the central, as portals see it.
    pub(super) fn link_shown(&self) -> Reply {
        self.link_used(!self.birth.detached)
    }

    /// The number of the user by whom a standby pair looks whether the SIP servers answer.
    pub(super) fn basic_sip(&self) -> Result<Reply, Refused> {
        let directory = self.birth.directory.borrow();
        let check = directory.users().find(|user| user.check_user).map(|user| &user.number);
        let file = self.birth.reception.as_ref().map(|reception| &reception.file);
        file.map(|file| file.basic(check)).ok_or_else(|| Refused::new(ErrCode::Failed))
    }

    fn set_sari(&mut self, wanted: Sari, ctx: &mut Context<Self>) -> ResponseFuture<Result<Done, Refused>> {
        let known = self.birth.directory.borrow().sari().or(self.sari);
        let reply = system::sari(Some(wanted));
        if known == Some(wanted) {
            return done(Ok(Done { reply, starts_over: false }));
        }
        if let (Role::Central, None, Some(reception)) = (self.birth.role, known, &self.birth.reception)
            && let Err(why) = reception.file.first_sari(wanted)
        {
            return done(Err(why));
        }
        let set = Handler::<SetSari>::handle(self, SetSari(wanted), ctx);
        Box::pin(async move { set.await.map_err(unchanged).map(|()| Done { reply, starts_over: true }) })
    }

    fn use_link(
        &mut self,
        enable: bool,
        stated: &[(String, String)],
        ctx: &mut Context<Self>,
    ) -> ResponseFuture<Result<Done, Refused>> {
        let reply = self.link_used(enable);
        if let Err(why) = agree(&reply, stated, LINK) {
            return done(Err(why));
        }
        let is_used = self.birth.attach.is_some() && !self.birth.detached;
        if enable == is_used {
            return done(Ok(Done { reply, starts_over: false }));
        }
        let wish = Attachment { attached: enable, adopt: false };
        let set = Handler::<SetAttachment>::handle(self, SetAttachment(wish), ctx);
        Box::pin(async move { set.await.map_err(unchanged).map(|()| Done { reply, starts_over: true }) })
    }
}

impl Handler<Steer> for OmmActor {
    type Result = ResponseFuture<Result<Done, Refused>>;

    fn handle(&mut self, Steer(order): Steer, ctx: &mut Context<Self>) -> Self::Result {
        match order {
            Order::Sari(sari) => self.set_sari(sari, ctx),
            Order::Sync { enable, stated } => self.use_link(enable, &stated, ctx),
        }
    }
}

fn done(result: Result<Done, Refused>) -> ResponseFuture<Result<Done, Refused>> {
    Box::pin(async move { result })
}

fn refused(code: ErrCode, bad: &str, info: String) -> Refused {
    Refused { bad: Some(bad.to_owned()), info: Some(info), ..Refused::new(code) }
}

fn unchanged(why: Unchanged) -> Refused {
    let forbidden = |bad, info: &str| refused(ErrCode::Forbidden, bad, info.to_owned());
    match why {
        Unchanged::NoCentral => forbidden("sari", "this is a remote: its central decides (M-2.3.1.1-a)"),
        Unchanged::NoRemote => forbidden("enable", "this OMM has no [link] to a central in its site's file"),
        Unchanged::SariSet(sari) => {
            refused(ErrCode::Forbidden, "sari", format!("the SARI is {sari} for good (M-2.1.2.1-e)"))
        }
        Unchanged::NotEmpty(census) => refused(
            ErrCode::Forbidden,
            "enable",
            format!(
                "this OMM has {census} of its own, and has to be empty to be attached for the first time (M-2.3.1.2-a)"
            ),
        ),
        Unchanged::NoSuchRemote | Unchanged::Ended => Refused::new(ErrCode::Failed),
    }
}
