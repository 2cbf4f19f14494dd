//! The SIP side of one OMM: every message from the SIP door passes here. Runs [`sip::uas`] for what phones and other
//! requests want; hands responses to whoever owns their Call-ID.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::WeakRecipient;
use actix::prelude::*;
use omm::ids::{Ipei, Number};
use omm::roaming::{Ask, Refusal};
use sip::flows::promise::promise;
use sip::message::Message as SipMessage;
use sip::registrar::subscriber::Subscriber;
use sip::stun;
use sip::target::Transport;
use sip::uas::hold::Refused;
use sip::uas::{Effect, Input, Uas};

use crate::doors::{Datagram, Undelivered, Ways};
use crate::messages::{
    Broken, Brought, Die, Fallen, Leave, Left, Located, Met, Pillar, Route, Stranger, TellAll, Upkeep,
    Verdict,
};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// Datagrams that may wait for the endpoint; more are refused at the socket and counted there. Ours: about a second
/// of a full registration storm.
const WAITING_MAX: usize = 8192;

/// What a phone is told whose user the provisioning server could not be asked for. Half a minute is ours: as long as phones
/// wait anyhow.
const UNANSWERED: Refused = Refused { code: 503, retry_after: Some(Duration::from_secs(30)) };

/// Where the endpoint turns to.
pub struct EndpointWays {
    /// The SIP doors.
    pub sip: Ways,
    /// Who keeps flows alive.
    pub upkeep: Recipient<Upkeep>,
    /// The OMM, when a phone shows up.
    pub located: Recipient<Located>,
    /// The OMM, when a phone comes that nobody knows.
    pub strangers: Recipient<Stranger>,
    /// The OMM, when a phone leaves.
    pub left: Recipient<Left>,
    /// The OMM, when the endpoint falls over.
    pub fallen: Recipient<Fallen<Pillar>>,
}

/// What became of datagrams that nobody could be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Responses with a Call-ID that nobody owns: late ones of a retired binding, or forged ones.
    pub strays: u64,
    /// What the UAS dropped, by reason.
    pub dropped: Vec<(&'static str, u64)>,
}

/// The phone of this user may come from now on, under this name and with this password.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Enrol {
    /// Whose phone.
    pub user: Number,
    /// The user part of its address of record.
    pub name: Number,
    /// What it proves itself with.
    pub subscriber: Subscriber,
}

/// Nobody's phone may come under this name any more.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Expel {
    /// The user part.
    pub name: Number,
    /// The address of record.
    pub aor: String,
}

/// Asks for the counts.
#[derive(Message)]
#[rtype(result = "Counts")]
pub struct Count;

/// The actor of the SIP side.
pub struct EndpointActor {
    seat: Seat<Uas>,
    /// Looked up; whoever goes through all of them sorts them first, so that order cannot be seen.
    routes: HashMap<Arc<str>, WeakRecipient<Brought>>,
    /// Who is meant by a name that is not a number; looked up, never iterated.
    named: HashMap<Number, Number>,
    strays: u64,
    /// The server whose datagram is being taken.
    answering: Option<SocketAddr>,
    ways: EndpointWays,
}

impl EndpointActor {
    /// Hires the endpoint around a UAS.
    pub fn new(site: &Site, uas: Uas, ways: EndpointWays) -> EndpointActor {
        let seat = Seat::new(uas, "endpoint", site.clock.clone(), site.trace.clone());
        EndpointActor {
            seat,
            routes: HashMap::new(),
            named: HashMap::new(),
            strays: 0,
            answering: None,
            ways,
        }
    }

    /// Who owns the Call-ID of this message.
    fn owner(&self, message: &SipMessage) -> Option<Recipient<Brought>> {
        message.call_id().ok().and_then(|call_id| self.routes.get(call_id))?.upgrade()
    }

    fn hand_out(&mut self, message: SipMessage) {
        if let Some((server, interval)) = self.answering.zip(promise(&message)) {
            self.ways.upkeep.do_send(Upkeep::Promised { server, interval });
        }
        match self.owner(&message) {
            Some(owner) => owner.do_send(Brought::Answer(message)),
            None => self.strays += 1,
        }
    }

    /// An authenticated phone: expires 0 is a goodbye, anything else a location registration (M-2.1.4.3-a).
    fn asked(&mut self, ask: Ask, user: &str, instance: Option<&str>, goodbye: bool) {
        let Ok(name) = Number::new(user) else {
            debug_assert!(false, "the UAS knows only accounts of the directory");
            return;
        };
        let user = self.named.get(&name).cloned().unwrap_or(name);
        let (device, ask) = (instance.and_then(handset), Some(ask));
        if goodbye {
            self.ways.left.do_send(Left { user, device, how: Leave::Detached, ask });
        } else {
            self.ways.located.do_send(Located { user, device, ask });
        }
    }
}

impl Actor for EndpointActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(WAITING_MAX);
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(Pillar::Endpoint));
        }
    }
}

impl Seated<Uas> for EndpointActor {
    fn seat(&mut self) -> &mut Seat<Uas> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, _: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { to, bytes } => {
                // What is lost at a full door, the phone asks for again.
                self.ways.sip.send(Datagram { peer: to, bytes });
            }
            Effect::Response(message) | Effect::Notified(message) => self.hand_out(message),
            Effect::Asked { ask, user, contact: _, instance, expires } => {
                self.asked(Ask(ask), &user, instance.as_deref(), expires.is_zero());
            }
            Effect::Stranger { ask, user } => self.ways.strangers.do_send(Stranger { user, ask: Ask(ask) }),
            Effect::Table(_) | Effect::Dropped(_) => {}
        }
        Flow::Go
    }
}

impl Handler<Datagram> for EndpointActor {
    type Result = ();

    fn handle(&mut self, Datagram { peer, bytes }: Datagram, ctx: &mut Context<Self>) {
        if peer.transport == Transport::Udp {
            if stun::is_stun(&bytes) {
                return self.ways.upkeep.do_send(Upkeep::Stun(Datagram { peer, bytes }));
            }
            self.answering = Some(peer.addr);
        }
        self.feed(Input::Datagram { from: peer, bytes }, ctx);
        self.answering = None;
    }
}

impl Handler<TellAll> for EndpointActor {
    type Result = ();

    /// In an order that is the same in every run.
    fn handle(&mut self, TellAll(what): TellAll, _: &mut Context<Self>) {
        let mut owners: Vec<_> = self.routes.iter().collect();
        owners.sort_by_key(|(call_id, _)| *call_id);
        for owner in owners.into_iter().filter_map(|(_, owner)| owner.upgrade()) {
            owner.do_send(Brought::Broken(what));
        }
    }
}

impl Handler<Verdict> for EndpointActor {
    type Result = ();

    fn handle(&mut self, Verdict { ask, refused }: Verdict, ctx: &mut Context<Self>) {
        let refused = refused.map(|refusal| code(refusal).into());
        self.feed(Input::Verdict { ask: ask.0, refused }, ctx);
    }
}

impl Handler<Met> for EndpointActor {
    type Result = ();

    /// Whom the server knows the directory knows by now; whoever could not be asked has said nothing.
    fn handle(&mut self, Met { ask, is_answered }: Met, ctx: &mut Context<Self>) {
        let refused = (!is_answered).then_some(UNANSWERED);
        self.feed(Input::Verdict { ask: ask.0, refused }, ctx);
    }
}

/// A phone that knows its IPEI says it as its instance, `<urn:ipei:0123456789012>` (ours: no RFC names DECT handsets).
/// Without it the directory knows which handset the user is with.
fn handset(instance: &str) -> Option<Ipei> {
    let urn = instance.trim_start_matches('<').trim_end_matches('>');
    urn.strip_prefix("urn:ipei:")?.parse().ok()
}

/// The status that tells a phone why it is sent away.
fn code(refusal: Refusal) -> u16 {
    match refusal {
        Refusal::PariOnlyElsewhere => 403,
        Refusal::Unknown => 404,
        Refusal::Overtaken => 503,
    }
}

impl Handler<Route> for EndpointActor {
    type Result = ();

    fn handle(&mut self, Route { call_id, subscribed, to }: Route, ctx: &mut Context<Self>) {
        if subscribed {
            self.feed(Input::Dialog { call_id: call_id.clone(), open: to.is_some() }, ctx);
        }
        match to {
            Some(owner) => self.routes.insert(call_id, owner),
            None => self.routes.remove(&call_id),
        };
    }
}

impl Handler<Undelivered> for EndpointActor {
    type Result = ();

    /// Only requests of ours have somebody who wants to know; an answer that could not be sent is the phone's to miss.
    fn handle(&mut self, Undelivered(datagram): Undelivered, _: &mut Context<Self>) {
        let Ok(message) = SipMessage::parse(datagram.bytes) else { return };
        if let Some(owner) = self.owner(&message).filter(|_| message.is_request()) {
            owner.do_send(Brought::Broken(Broken::Request(datagram.peer.addr)));
        }
    }
}

impl Handler<Enrol> for EndpointActor {
    type Result = ();

    /// What the one who was called so before has left is not the other's.
    fn handle(&mut self, Enrol { user, name, subscriber }: Enrol, ctx: &mut Context<Self>) {
        let former = self.named.remove(&name);
        if former.is_some_and(|former| former != user) {
            self.feed(Input::Forget(subscriber.aor.clone()), ctx);
        }
        if user != name {
            self.named.insert(name, user);
        }
        self.feed(Input::Account(subscriber), ctx);
    }
}

impl Handler<Expel> for EndpointActor {
    type Result = ();

    fn handle(&mut self, Expel { name, aor }: Expel, ctx: &mut Context<Self>) {
        self.named.remove(&name);
        self.feed(Input::Forget(aor), ctx);
    }
}

impl Handler<Count> for EndpointActor {
    type Result = MessageResult<Count>;

    fn handle(&mut self, _: Count, _: &mut Context<Self>) -> Self::Result {
        MessageResult(Counts { strays: self.strays, dropped: self.seat.machine().dropped() })
    }
}

impl Handler<Die> for EndpointActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
