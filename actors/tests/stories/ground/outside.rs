//! What an OMM speaks SIP with: two registrars that can fall silent, and phones that only listen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ::actors::clock::Origin;
use ::actors::doors::{Datagram, Dial};
use ::actors::errands::Recall;
use actix::prelude::*;
use axi::inquiry::Line;
use bytes::Bytes;
use machine::chance::Chance;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use omm::watchdog::Class as Watch;
use sip::registrar::Policy as Grants;
use sip::target::{Target, Transport};
use sip::uas::profile::Profile;
use sip::uas::{Effect, Input, Uas};

use super::{PBX, SPARE};

pub(crate) const DOMAIN: &str = "sip.example";
/// How long a datagram travels.
const WAY: Duration = Duration::from_millis(5);

pub(crate) struct Outside {
    origin: Origin,
    registrars: BTreeMap<SocketAddr, (Uas, bool)>,
    inside: Option<Recipient<Datagram>>,
    /// Everything the OMM sent.
    heard: Vec<Heard>,
}

/// A datagram of the OMM.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Moment,
    pub(crate) to: SocketAddr,
    pub(crate) text: String,
}

impl Outside {
    pub(crate) fn new(origin: Origin) -> Outside {
        let registrar = |addr: &str| {
            let profile = Profile { domains: vec![DOMAIN.to_owned()], open: true, ..Profile::default() };
            (addr.parse().expect("an address"), (Uas::new(profile, Chance::of(1, addr)), true))
        };
        let registrars = [PBX, SPARE].map(registrar).into();
        Outside { origin, registrars, inside: None, heard: Vec::new() }
    }

    fn tell(&self, peer: SocketAddr, bytes: Bytes, ctx: &mut Context<Self>) {
        ctx.run_later(WAY, move |outside, _| {
            if let Some(inside) = &outside.inside {
                inside.do_send(Datagram { peer: Target::new(Transport::Udp, peer), bytes });
            }
        });
    }
}

impl Actor for Outside {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(10_000);
    }
}

/// The endpoint of the OMM that lives now.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Inside(pub(crate) Recipient<Datagram>);

impl Handler<Inside> for Outside {
    type Result = ();
    fn handle(&mut self, Inside(inside): Inside, _: &mut Context<Self>) {
        self.inside = Some(inside);
    }
}

/// A registrar falls silent, or speaks again.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Speaks(pub(crate) &'static str, pub(crate) bool);

impl Handler<Speaks> for Outside {
    type Result = ();
    fn handle(&mut self, Speaks(addr, speaks): Speaks, _: &mut Context<Self>) {
        let addr: SocketAddr = addr.parse().expect("an address");
        if let Some((_, speaking)) = self.registrars.get_mut(&addr) {
            *speaking = speaks;
        }
    }
}

/// A phone says this to the OMM.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Phone(pub(crate) SocketAddr, pub(crate) String);

impl Handler<Phone> for Outside {
    type Result = ();
    fn handle(&mut self, Phone(from, text): Phone, ctx: &mut Context<Self>) {
        self.tell(from, Bytes::from(text), ctx);
    }
}

/// Asks for everything that the OMM has sent since then.
#[derive(Message)]
#[rtype(result = "Vec<Heard>")]
pub(crate) struct Since(pub(crate) Moment);

impl Handler<Since> for Outside {
    type Result = Vec<Heard>;
    fn handle(&mut self, Since(moment): Since, _: &mut Context<Self>) -> Vec<Heard> {
        self.heard.iter().filter(|heard| heard.at >= moment).cloned().collect()
    }
}

/// Asks which contacts a registrar lists for a user.
#[derive(Message)]
#[rtype(result = "Vec<String>")]
pub(crate) struct Listed(pub(crate) &'static str, pub(crate) &'static str);

impl Handler<Listed> for Outside {
    type Result = Vec<String>;
    fn handle(&mut self, Listed(addr, user): Listed, _: &mut Context<Self>) -> Vec<String> {
        let addr: SocketAddr = addr.parse().expect("an address");
        let (uas, _) = self.registrars.get_mut(&addr).expect("a registrar");
        uas.wake(self.origin.moment(), &mut Vec::new());
        let aor = format!("sip:{user}@{DOMAIN}");
        uas.bindings(&aor).iter().map(|binding| binding.uri.to_string()).collect()
    }
}

impl Handler<Datagram> for Outside {
    type Result = ();

    fn handle(&mut self, Datagram { peer, bytes }: Datagram, ctx: &mut Context<Self>) {
        let (now, to) = (self.origin.moment(), peer.addr);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.heard.push(Heard { at: now, to, text });
        let Some((uas, true)) = self.registrars.get_mut(&to) else { return };
        let mut effects = Vec::new();
        let from = Target::new(Transport::Udp, super::OMM.parse().expect("an address"));
        uas.on(now, Input::Datagram { from, bytes }, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { to: _, bytes } => self.tell(to, bytes, ctx),
                Effect::Response(_)
                | Effect::Notified(_)
                | Effect::Asked { .. }
                | Effect::Stranger { .. } => {}
                Effect::Table(_) | Effect::Dropped(_) => {}
            }
        }
    }
}

impl Handler<Recall> for Outside {
    type Result = Vec<Line>;

    /// It remembers one thing of everybody.
    fn handle(&mut self, Recall(user): Recall, _: &mut Context<Self>) -> Self::Result {
        vec![Line { at: Wall::default(), what: format!("{user} was born"), rule: "SM-2".to_owned() }]
    }
}

impl Handler<Dial> for Outside {
    type Result = ();
    /// Nobody is at the other end.
    fn handle(&mut self, _: Dial, _: &mut Context<Self>) {}
}

/// How the OMM answers phones: everybody is let in, by a verdict.
pub(crate) fn phones() -> Profile {
    let stop = Watch::PERIODIC.stop;
    Profile {
        domains: vec![DOMAIN.to_owned()],
        policy: Grants { max: stop, default: stop, ..Grants::default() },
        open: true,
        hold: true,
        ..Profile::default()
    }
}
