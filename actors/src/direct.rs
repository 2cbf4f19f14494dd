//! Roams without a central (B-4): runs [`omm::link::direct`] at a remote and hires the channels that it wants.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use omm::claim::Word;
use omm::ids::park::Sari;
use omm::link::channel::Caller;
use omm::link::dial::Attach;
use omm::link::direct::{Direct, Effect, Input};
use omm::link::frame::Open;
use omm::link::neighbour::Neighbour;
use omm::stamp::OmmId;

use crate::channel::{ChannelActor, ChannelNews, ChannelWays, FromChannel, ToChannel};
use crate::doors::{Accept, Dial, Wire};
use crate::messages::{Die, Fallen};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// Channels at a time. Ours: nine other remotes that call and are called at the same time, and strangers being refused.
const CHANNELS_MAX: usize = 32;

/// How remotes may speak with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The password may go to a neighbour without TLS, because it goes to the central without.
    pub plain: bool,
}

/// What the OMM tells.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToDirect {
    /// Whether the link to the central is in step.
    Link {
        /// It is.
        in_sync: bool,
    },
    /// The remotes of the system.
    Neighbours(Vec<Neighbour>),
    /// The SARI is known now.
    Learned(Sari),
    /// This OMM has to be spoken with.
    Wanted(OmmId),
    /// Carry this word, if a channel stands.
    Word {
        /// To whom.
        peer: OmmId,
        /// What.
        word: Word,
    },
}

/// What the OMM is told.
#[derive(Message)]
#[rtype(result = "()")]
pub enum FromDirect {
    /// A channel stands.
    Up(OmmId),
    /// The last one with this OMM is over.
    Down(OmmId),
    /// A word arrived.
    Word {
        /// From whom.
        from: OmmId,
        /// What.
        word: Word,
    },
}

/// The actor of direct channels fell over.
#[derive(Clone, Copy, Debug)]
pub struct DirectFell;

/// Where it turns to.
pub struct DirectWays {
    /// The AXI door.
    pub dial: Recipient<Dial>,
    /// Its OMM.
    pub news: Recipient<FromDirect>,
    /// Its OMM, when it falls over.
    pub fallen: Recipient<Fallen<DirectFell>>,
}

/// One channel.
struct Line {
    actor: Addr<ChannelActor>,
    /// The address at the other end, without the port; empty where this side called.
    from: Arc<str>,
    /// Who was called, or who was let in.
    peer: Option<OmmId>,
    stands: bool,
}

/// Who calls whom when the central is gone.
pub struct DirectActor {
    seat: Seat<Direct>,
    site: Rc<Site>,
    attach: Attach,
    lines: BTreeMap<u64, Line>,
    next: u64,
    ways: DirectWays,
}

impl DirectActor {
    /// Hires it; the link counts as out of step until it is said to be in step.
    pub fn new(site: &Rc<Site>, attach: Attach, manner: Manner, ways: DirectWays) -> DirectActor {
        let (user, password) = (attach.user.clone(), attach.password.clone());
        let machine = Direct::new(user, password, attach.facts, manner.plain);
        let seat = Seat::new(machine, "direct", site.clock.clone(), site.trace.clone());
        DirectActor { seat, site: site.clone(), attach, lines: BTreeMap::new(), next: 1, ways }
    }

    fn channel_ways(&mut self, ctx: &mut Context<Self>) -> ChannelWays {
        let channel = self.next;
        self.next += 1;
        ChannelWays { channel, news: ctx.address().recipient(), fallen: ctx.address().recipient() }
    }

    fn call(&mut self, to: Neighbour, ctx: &mut Context<Self>) {
        let Attach { user, password, facts, .. } = self.attach.clone();
        let ways = self.channel_ways(ctx);
        let (channel, peer) = (ways.channel, to.omm);
        let caller = Caller { user, password, facts, to };
        let actor = ChannelActor::calling(&self.site, caller, self.ways.dial.clone(), ways).start();
        self.lines.insert(channel, Line { actor, from: "".into(), peer: Some(peer), stands: false });
    }

    fn stands(&self, peer: OmmId) -> bool {
        self.lines.values().any(|line| line.stands && line.peer == Some(peer))
    }

    fn up(&mut self, channel: u64, peer: OmmId, ctx: &mut Context<Self>) {
        let is_news = !self.stands(peer);
        let Some(line) = self.lines.get_mut(&channel) else { return };
        (line.peer, line.stands) = (Some(peer), true);
        self.feed(Input::Up(peer), ctx);
        if is_news {
            self.ways.news.do_send(FromDirect::Up(peer));
        }
    }

    fn ended(&mut self, channel: u64, ctx: &mut Context<Self>) {
        let Some(line) = self.lines.remove(&channel) else { return };
        let Some(peer) = line.peer.filter(|peer| !self.stands(*peer)) else { return };
        self.feed(Input::Down(peer), ctx);
        if line.stands {
            self.ways.news.do_send(FromDirect::Down(peer));
        }
    }

    fn say(&self, peer: OmmId, word: Word) {
        let newest = self.lines.values().rev().find(|line| line.stands && line.peer == Some(peer));
        if let Some(line) = newest {
            line.actor.do_send(ToChannel::Word(word));
        }
    }

    fn knock(&mut self, channel: u64, open: Box<Open>, ctx: &mut Context<Self>) {
        let Some(from) = self.lines.get(&channel).map(|line| line.from.clone()) else { return };
        let wall = self.site.clock.wall();
        self.feed(Input::Knock { channel, from, open, wall }, ctx);
    }
}

impl Actor for DirectActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.feed(Input::Link { in_sync: false }, ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        for line in self.lines.values() {
            line.actor.do_send(Die);
        }
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(DirectFell));
        }
    }
}

impl Seated<Direct> for DirectActor {
    fn seat(&mut self) -> &mut Seat<Direct> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Call(neighbour) => self.call(neighbour, ctx),
            Effect::Answer { channel, answer } => {
                if let Some(line) = self.lines.get(&channel) {
                    line.actor.do_send(ToChannel::Answered(answer));
                }
            }
        }
        Flow::Go
    }
}

impl Handler<ToDirect> for DirectActor {
    type Result = ();

    fn handle(&mut self, message: ToDirect, ctx: &mut Context<Self>) {
        match message {
            ToDirect::Link { in_sync } => self.feed(Input::Link { in_sync }, ctx),
            ToDirect::Neighbours(all) => self.feed(Input::Neighbours(all), ctx),
            ToDirect::Learned(sari) => {
                self.attach.facts.sari = Some(sari);
                self.feed(Input::Learned(sari), ctx);
            }
            ToDirect::Wanted(peer) => self.feed(Input::Wanted(peer), ctx),
            ToDirect::Word { peer, word } => self.say(peer, word),
        }
    }
}

impl Handler<Accept> for DirectActor {
    type Result = Option<Recipient<Wire>>;

    fn handle(&mut self, Accept { peer, line }: Accept, ctx: &mut Context<Self>) -> Self::Result {
        if self.lines.len() >= CHANNELS_MAX {
            return None;
        }
        let ways = self.channel_ways(ctx);
        let channel = ways.channel;
        let actor = ChannelActor::called(&self.site, &peer, line, ways).start();
        let ear = actor.clone().recipient();
        let from = peer.rsplit_once(':').map_or(peer.as_str(), |(host, _)| host).into();
        self.lines.insert(channel, Line { actor, from, peer: None, stands: false });
        Some(ear)
    }
}

impl Handler<FromChannel> for DirectActor {
    type Result = ();

    fn handle(&mut self, FromChannel { channel, news }: FromChannel, ctx: &mut Context<Self>) {
        match news {
            ChannelNews::Knock(open) => self.knock(channel, open, ctx),
            ChannelNews::Up(peer) => self.up(channel, peer, ctx),
            ChannelNews::Word { from, word } => self.ways.news.do_send(FromDirect::Word { from, word }),
            ChannelNews::Ended => self.ended(channel, ctx),
        }
    }
}

impl Handler<Fallen<u64>> for DirectActor {
    type Result = ();

    /// A channel that fell over is a channel that broke.
    fn handle(&mut self, Fallen(channel): Fallen<u64>, ctx: &mut Context<Self>) {
        self.ended(channel, ctx);
    }
}

impl Handler<Die> for DirectActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
