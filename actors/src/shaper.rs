//! Who may send a REGISTER to one server, and when: runs [`sip::shaper`].

use std::collections::BTreeMap;
use std::time::Duration;

use actix::prelude::*;
use sip::server::Server;
use sip::shaper::{Effect, Input, Shaper, Ticket, Wish};

use crate::messages::{Die, Fallen, Pillar};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// What a binding wants of the shaper of its server.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Wishes {
    /// Who.
    pub who: Ticket,
    /// What.
    pub wish: Wish,
    /// Where the answer goes, when there is one.
    pub reply: Option<Recipient<Turn>>,
}

/// What the shaper answers.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub enum Turn {
    /// Send now.
    Granted,
    /// Refresh so long from now.
    Booked(Duration),
}

/// The actor of one server's shaper.
pub struct ShaperActor {
    seat: Seat<Shaper>,
    /// Those who wait for a slot.
    replies: BTreeMap<Ticket, Recipient<Turn>>,
    /// Whoever books just now.
    booker: Option<Recipient<Turn>>,
    fallen: Recipient<Fallen<Pillar>>,
}

impl ShaperActor {
    /// Hires the shaper of `server`.
    pub fn new(site: &Site, server: &Server, fallen: Recipient<Fallen<Pillar>>) -> ShaperActor {
        let who = format!("shaper/{}", server.name);
        let machine = Shaper::new(site.shape, site.chance(&who));
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        ShaperActor { seat, replies: BTreeMap::new(), booker: None, fallen }
    }
}

impl Actor for ShaperActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.seated(Vec::new(), ctx);
    }

    /// Those who wait are known only here, and would wait for ever.
    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.fallen.do_send(Fallen(Pillar::Shaper));
        }
    }
}

impl Seated<Shaper> for ShaperActor {
    fn seat(&mut self) -> &mut Seat<Shaper> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, _: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Grant(who) => {
                if let Some(reply) = self.replies.remove(&who) {
                    reply.do_send(Turn::Granted);
                }
            }
            Effect::Booked(_, at) => {
                if let Some(reply) = self.booker.take() {
                    reply.do_send(Turn::Booked(at));
                }
            }
        }
        Flow::Go
    }
}

impl Handler<Wishes> for ShaperActor {
    type Result = ();

    fn handle(&mut self, Wishes { who, wish, reply }: Wishes, ctx: &mut Context<Self>) {
        match (wish, reply) {
            (Wish::Queue(_), Some(reply)) => _ = self.replies.insert(who, reply),
            (Wish::Book { .. }, reply) => self.booker = reply,
            (Wish::Leave, _) => _ = self.replies.remove(&who),
            (Wish::Queue(_) | Wish::Again | Wish::Told(_) | Wish::Over(_), _) => {}
        }
        self.feed(Input { who, wish }, ctx);
    }
}

impl Handler<Die> for ShaperActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
