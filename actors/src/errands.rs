//! What other OMMs are asked, and what they ask (B-11, B-16): runs [`omm::errand`].

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::*;
use axi::inquiry::{Inquiry, Line};
use omm::errand::{Effect, Errand, Errands, Input};
use omm::ids::Number;
use omm::stamp::OmmId;
use omm::star::Role;
use tokio::sync::oneshot;

use crate::messages::{Die, Fallen};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// Asks another OMM; `None` when nobody can tell, after [`omm::errand::PATIENCE`] at the latest.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Option<Arc<str>>")]
pub struct Inquire {
    /// Whom.
    pub to: OmmId,
    /// What.
    pub inquiry: Inquiry,
}

/// What the OMM tells of its links.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum ToErrands {
    /// The link with this OMM is open.
    LinkUp(OmmId),
    /// It is gone.
    LinkDown(OmmId),
    /// An errand came over it.
    Heard {
        /// From whom.
        from: OmmId,
        /// What.
        errand: Box<Errand>,
    },
}

/// Send this over the link.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Carry {
    /// Over which one.
    pub peer: OmmId,
    /// What.
    pub errand: Box<Errand>,
}

/// Another OMM asks this; `None` when nobody here can tell.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Option<String>")]
pub struct Attend(pub Inquiry);

/// Asks what happened to a user here lately, oldest first.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Vec<Line>")]
pub struct Recall(pub Number);

/// The actor of errands fell over.
#[derive(Clone, Copy, Debug)]
pub struct ErrandsFell;

/// Where it turns to.
pub struct ErrandsWays {
    /// Its OMM, which has the links.
    pub carry: Recipient<Carry>,
    /// Its OMM, which answers.
    pub attend: Recipient<Attend>,
    /// Its OMM, when it falls over.
    pub fallen: Recipient<Fallen<ErrandsFell>>,
}

/// The actor.
pub struct ErrandsActor {
    seat: Seat<Errands>,
    /// Who waits, by the number of the errand: as many as the machine lets wait.
    asking: BTreeMap<u64, oneshot::Sender<Option<Arc<str>>>>,
    next: u64,
    ways: ErrandsWays,
}

impl ErrandsActor {
    /// Hires it, without links.
    pub fn new(site: &Site, role: Role, ways: ErrandsWays) -> ErrandsActor {
        let seat = Seat::new(Errands::new(site.omm, role), "errands", site.clock.clone(), site.trace.clone());
        // An answer to a former life finds nobody: no life asks a thousand times a millisecond.
        let next = site.clock.wall().as_millis().saturating_mul(1000);
        ErrandsActor { seat, asking: BTreeMap::new(), next, ways }
    }
}

impl Actor for ErrandsActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(ErrandsFell));
        }
    }
}

impl Seated<Errands> for ErrandsActor {
    fn seat(&mut self) -> &mut Seat<Errands> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { peer, errand } => {
                self.ways.carry.do_send(Carry { peer, errand: Box::new(errand) });
            }
            Effect::Attend { ticket, text } => {
                let inquiry = Inquiry::read(&text);
                let attend = self.ways.attend.clone();
                let told = async move { attend.send(Attend(inquiry?)).await.ok().flatten() };
                ctx.spawn(told.into_actor(self).map(move |text, errands, ctx| {
                    errands.feed(Input::Attended { ticket, text: text.map(Into::into) }, ctx);
                }));
            }
            Effect::Told { number, text } => {
                if let Some(answer) = self.asking.remove(&number) {
                    // Whoever hung up does not want to know.
                    let _ = answer.send(text);
                }
            }
        }
        Flow::Go
    }
}

impl Handler<Inquire> for ErrandsActor {
    type Result = ResponseFuture<Option<Arc<str>>>;

    fn handle(&mut self, Inquire { to, inquiry }: Inquire, ctx: &mut Context<Self>) -> Self::Result {
        let (answer, told) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        self.asking.insert(number, answer);
        self.feed(Input::Ask { number, to, text: inquiry.write().into() }, ctx);
        Box::pin(async move { told.await.ok().flatten() })
    }
}

impl Handler<ToErrands> for ErrandsActor {
    type Result = ();

    fn handle(&mut self, message: ToErrands, ctx: &mut Context<Self>) {
        let input = match message {
            ToErrands::LinkUp(peer) => Input::LinkUp(peer),
            ToErrands::LinkDown(peer) => Input::LinkDown(peer),
            ToErrands::Heard { from, errand } => Input::Heard { from, errand: *errand },
        };
        self.feed(input, ctx);
    }
}

impl Handler<Die> for ErrandsActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
