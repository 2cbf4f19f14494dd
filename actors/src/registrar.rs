//! A registrar that stands alone: the same [`sip::uas`] that answers phones in an OMM, behind whatever door the host
//! has: the network of a replay, the socket of the demo and of `homing registrar`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult, Recipient};
use machine::note::Note;
use sip::registrar::Fate;
use sip::uas::{Effect, Input, Uas};

use crate::clock::Clock;
use crate::doors::{Datagram, Undelivered};
use crate::seat::{Flow, Seat, Seated};
use crate::trace::Trace;

/// The actor of one registrar.
pub struct Registrar {
    seat: Seat<Uas>,
    door: Recipient<Datagram>,
    waiting: usize,
    /// Every answer is told to the trace.
    talkative: bool,
    served: Served,
}

/// What a registrar has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Datagrams that arrived.
    pub heard: u64,
    /// Answers by status code.
    pub answers: BTreeMap<u16, u64>,
    /// Contacts bound, for the first time or again.
    pub bound: u64,
    /// Contacts removed on request.
    pub removed: u64,
    /// Contacts thrown out by others.
    pub replaced: u64,
    /// Contacts whose time was over.
    pub expired: u64,
    /// Contacts forgotten in a crash.
    pub lost: u64,
    /// Datagrams without an answer, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Contacts that are bound now.
    pub contacts: usize,
}

impl Registrar {
    /// A registrar that answers through `door` and lets so many datagrams wait.
    pub fn new(
        uas: Uas,
        door: Recipient<Datagram>,
        waiting: usize,
        clock: Rc<Clock>,
        trace: Trace,
    ) -> Registrar {
        let seat = Seat::new(uas, "registrar", clock, trace);
        Registrar { seat, door, waiting, talkative: false, served: Served::default() }
    }

    /// The same one, which tells its trace of every answer.
    pub fn talking(mut self) -> Registrar {
        self.talkative = true;
        self
    }

    fn answered(&mut self, datagram: &Datagram) {
        let code = datagram.bytes.get(8..11).and_then(|code| std::str::from_utf8(code).ok());
        let Some(code) = code.and_then(|code| code.parse::<u16>().ok()) else { return };
        *self.served.answers.entry(code).or_default() += 1;
        if self.talkative {
            let note = Note::new("answer").number("code", code).text("to", datagram.peer);
            self.seat.trace().tell(self.seat.clock().moment(), self.seat.who(), &note);
        }
    }
}

impl Actor for Registrar {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(self.waiting);
        self.seated(Vec::new(), ctx);
    }
}

impl Seated<Uas> for Registrar {
    fn seat(&mut self) -> &mut Seat<Uas> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, _: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { to, bytes } => {
                let datagram = Datagram { peer: to, bytes };
                self.answered(&datagram);
                self.door.do_send(datagram);
            }
            Effect::Table(change) => {
                *match change.fate {
                    Fate::Bound => &mut self.served.bound,
                    Fate::Replaced => &mut self.served.replaced,
                    Fate::Removed => &mut self.served.removed,
                    Fate::Expired => &mut self.served.expired,
                    Fate::Lost => &mut self.served.lost,
                } += 1;
            }
            Effect::Response(_) | Effect::Notified(_) | Effect::Dropped(_) => {}
            Effect::Asked { .. } | Effect::Stranger { .. } => {
                debug_assert!(false, "a registrar decides by itself")
            }
        }
        Flow::Go
    }
}

impl Handler<Datagram> for Registrar {
    type Result = ();

    fn handle(&mut self, Datagram { peer, bytes }: Datagram, ctx: &mut Context<Self>) {
        self.served.heard += 1;
        self.feed(Input::Datagram { from: peer, bytes }, ctx);
    }
}

impl Handler<Undelivered> for Registrar {
    type Result = ();

    /// An answer that could not be sent is the asker's to miss.
    fn handle(&mut self, _: Undelivered, _: &mut Context<Self>) {}
}

/// Changes how the registrar behaves, or who is known to it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Behave(pub Input);

impl Handler<Behave> for Registrar {
    type Result = ();

    fn handle(&mut self, Behave(input): Behave, ctx: &mut Context<Self>) {
        self.feed(input, ctx);
    }
}

/// The same, so long from now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct BehaveLater(pub Duration, pub Input);

impl Handler<BehaveLater> for Registrar {
    type Result = ();

    fn handle(&mut self, BehaveLater(after, input): BehaveLater, ctx: &mut Context<Self>) {
        ctx.run_later(after, |actor, ctx| actor.feed(input, ctx));
    }
}

/// Asks which contacts are bound for each of these addresses of record.
#[derive(Message)]
#[rtype(result = "Vec<Vec<Arc<str>>>")]
pub struct Bound(pub Vec<String>);

impl Handler<Bound> for Registrar {
    type Result = MessageResult<Bound>;

    fn handle(&mut self, Bound(aors): Bound, _: &mut Context<Self>) -> Self::Result {
        let contacts = |aor: &String| {
            let bindings = self.seat.machine().bindings(aor);
            bindings.iter().map(|binding| binding.uri.clone()).collect()
        };
        MessageResult(aors.iter().map(contacts).collect())
    }
}

/// Asks what was done so far.
#[derive(Message)]
#[rtype(result = "Served")]
pub struct Tell;

impl Handler<Tell> for Registrar {
    type Result = MessageResult<Tell>;

    fn handle(&mut self, _: Tell, _: &mut Context<Self>) -> Self::Result {
        let uas = self.seat.machine();
        let (dropped, (contacts, _)) = (uas.dropped().into_iter().collect(), uas.load());
        MessageResult(Served { dropped, contacts, ..self.served.clone() })
    }
}
