//! One direct claim channel (B-4): runs [`omm::link::channel`] at either end. Its boss is [`crate::direct`].

use actix::prelude::*;
use omm::claim::Word;
use omm::link::channel::{Caller, Channel, Effect, Input};
use omm::link::frame::{Facts, Open, OpenError};
use omm::stamp::OmmId;

use crate::doors::{Dial, ToPeer, Whom, Wire, WireEvent};
use crate::messages::{Die, Fallen};
use crate::pipe::{Heard, Pipe, complain};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// What a channel tells. `channel` is the number under which it was hired.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromChannel {
    /// Which.
    pub channel: u64,
    /// What.
    pub news: ChannelNews,
}

/// What a channel can tell.
pub enum ChannelNews {
    /// Somebody introduced itself: may it come in?
    Knock(Box<Open>),
    /// It stands.
    Up(OmmId),
    /// A word arrived.
    Word {
        /// From whom.
        from: OmmId,
        /// What.
        word: Word,
    },
    /// It is over; its actor has ended.
    Ended,
}

/// What a channel is told.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToChannel {
    /// Carry this word.
    Word(Word),
    /// Whether whoever knocked may come in.
    Answered(Result<Facts, OpenError>),
}

/// Where a channel turns to.
pub struct ChannelWays {
    /// The number under which it was hired.
    pub channel: u64,
    /// Its boss.
    pub news: Recipient<FromChannel>,
    /// Its boss, when it falls over.
    pub fallen: Recipient<Fallen<u64>>,
}

/// One end of a channel.
pub struct ChannelActor {
    seat: Seat<Channel>,
    pipe: Pipe,
    /// `None` at the end that was called.
    door: Option<Recipient<Dial>>,
    ways: ChannelWays,
}

impl ChannelActor {
    /// Hires the end that calls.
    pub fn calling(site: &Site, caller: Caller, door: Recipient<Dial>, ways: ChannelWays) -> ChannelActor {
        let who = format!("direct/{}", caller.to.omm);
        let machine = Channel::calling(caller, site.link_timing);
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        ChannelActor { seat, pipe: Pipe::default(), door: Some(door), ways }
    }

    /// Hires the end that was called from the address `peer`.
    pub fn called(site: &Site, peer: &str, line: Recipient<ToPeer>, ways: ChannelWays) -> ChannelActor {
        let (who, machine) = (format!("direct/{peer}"), Channel::called(site.link_timing));
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        ChannelActor { seat, pipe: Pipe::on(line), door: None, ways }
    }

    fn tell(&self, news: ChannelNews) {
        self.ways.news.do_send(FromChannel { channel: self.ways.channel, news });
    }
}

impl Actor for ChannelActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.feed(Input::Start, ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.pipe.close();
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(self.ways.channel));
        }
    }
}

impl Seated<Channel> for ChannelActor {
    fn seat(&mut self) -> &mut Seat<Channel> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Connect(door) => {
                self.pipe.attempt += 1;
                let (attempt, events) = (self.pipe.attempt, ctx.address().recipient());
                let (address, whom) = (door.address.to_string(), Whom::Neighbour(door.fingerprint));
                let dial = Dial { address, whom, attempt, events };
                self.door.iter().for_each(|door| door.do_send(dial.clone()));
            }
            Effect::Knock(open) => self.tell(ChannelNews::Knock(open)),
            Effect::Send(frame) => self.pipe.send(&frame),
            Effect::Up(peer) => self.tell(ChannelNews::Up(peer)),
            Effect::Deliver { from, word } => self.tell(ChannelNews::Word { from, word }),
            Effect::End => {
                self.pipe.close();
                self.tell(ChannelNews::Ended);
                ctx.stop();
            }
            // The trace line has said it.
            Effect::Alarm(_) => {}
        }
        Flow::Go
    }
}

impl Handler<Wire> for ChannelActor {
    type Result = ();

    fn handle(&mut self, Wire { attempt: _, event }: Wire, ctx: &mut Context<Self>) {
        match event {
            WireEvent::Opened(line) => {
                self.pipe.line = Some(line);
                let wall = self.seat.clock().wall();
                self.feed(Input::Connected { wall }, ctx);
            }
            WireEvent::Bytes(bytes) => {
                for heard in self.pipe.hear(&bytes) {
                    match heard {
                        Heard::Frame(frame, _) => self.feed(Input::Received(frame), ctx),
                        Heard::Fault(text) => complain(&self.seat, text),
                        Heard::Broken(text) => {
                            complain(&self.seat, text);
                            self.feed(Input::Closed, ctx);
                        }
                    }
                }
            }
            WireEvent::Closed { why: _ } => {
                self.pipe.line = None;
                self.feed(Input::Closed, ctx);
            }
            WireEvent::Distrusted { why } => {
                complain(&self.seat, why);
                self.pipe.line = None;
                self.feed(Input::Distrusted, ctx);
            }
        }
    }
}

impl Handler<ToChannel> for ChannelActor {
    type Result = ();

    fn handle(&mut self, message: ToChannel, ctx: &mut Context<Self>) {
        match message {
            ToChannel::Word(word) => self.feed(Input::Say(word), ctx),
            ToChannel::Answered(answer) => self.feed(Input::Answered(answer), ctx),
        }
    }
}

impl Handler<Die> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
