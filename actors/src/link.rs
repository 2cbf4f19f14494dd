//! The sync connection, one actor for each: [`DialActor`] at the remote runs [`omm::link::dial`], [`ServeActor`] at the
//! central runs [`omm::link::serve`]. Both read and write real AXI bytes.

use actix::prelude::*;
use omm::claim::Word;
use omm::directory::sync;
use omm::directory::sync::word::Have;
use omm::ids::park::Sari;
use omm::link::dial::{self, Dial as DialMachine};
use omm::link::frame::{Facts, Open, OpenError};
use omm::link::neighbour::Neighbour;
use omm::link::serve::{self, Serve};
use omm::stamp::OmmId;

use crate::doors::{Dial, ToPeer, Whom, Wire, WireEvent};
use crate::messages::{Die, Fallen};
use crate::pipe::{Heard, Pipe, complain};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// What a link tells its OMM. `link` is the number under which the OMM hired it.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct FromLink {
    /// Which link.
    pub link: u64,
    /// What.
    pub news: LinkNews,
}

/// What a link can tell.
#[derive(Clone, Debug)]
pub enum LinkNews {
    /// The peer is known; the exchange of claims may begin.
    Up(OmmId),
    /// The other side has sent everything it had.
    Downloaded(OmmId),
    /// The connection of an `Up` is gone.
    Down(OmmId),
    /// A word arrived.
    Word {
        /// From whom.
        from: OmmId,
        /// What.
        word: Word,
    },
    /// The central told the SARI of the system.
    Learned(Sari),
    /// A word about the directory arrived.
    Learn {
        /// From whom.
        from: OmmId,
        /// What.
        word: Box<sync::word::Word>,
    },
    /// What does the directory have? Answered by [`ToLink::Have`].
    Ask,
    /// A remote introduced itself: what does the roster say?
    Knock(Box<Open>),
    /// The central told of the other remotes.
    Neighbours(Vec<Neighbour>),
    /// How the link of a remote stands.
    Health(dial::Health),
    /// Whether the clocks of both sides are farther apart than is good.
    Apart(bool),
    /// Something an operator should know.
    Alarm(dial::Alarm),
    /// A message could not be understood; the connection goes on.
    Misread,
    /// What came was no message at all; the connection is over.
    Broken,
    /// An accepted connection is over; its actor has ended.
    Ended,
}

/// What an OMM tells one of its links.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum ToLink {
    /// Carry this word.
    Word(Word),
    /// Carry this word about the directory.
    Directory(Box<sync::word::Word>),
    /// What the directory has.
    Have(Box<Have>),
    /// Everything this side had has been sent.
    EndOfDownload,
    /// The roster's answer to a knock.
    Answered(Result<Facts, OpenError>),
    /// The remotes of the system, for a remote to know.
    Neighbours(Vec<Neighbour>),
    /// A newer connection of the same remote takes over.
    Replaced,
}

/// Where a link turns to.
pub struct LinkWays {
    /// The number under which it was hired.
    pub link: u64,
    /// Its OMM.
    pub news: Recipient<FromLink>,
    /// Its OMM, when it falls over.
    pub fallen: Recipient<Fallen<u64>>,
}

impl LinkWays {
    fn tell(&self, news: LinkNews) {
        self.news.do_send(FromLink { link: self.link, news });
    }
}

/// The remote's end of the link to its central.
pub struct DialActor {
    seat: Seat<DialMachine>,
    pipe: Pipe,
    door: Recipient<Dial>,
    ways: LinkWays,
}

impl DialActor {
    /// Hires the remote's end; it dials at once.
    pub fn new(site: &Site, attach: dial::Attach, door: Recipient<Dial>, ways: LinkWays) -> DialActor {
        let who = "link/central";
        let chance = site.chance(who);
        let machine = DialMachine::new(attach, chance);
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        DialActor { seat, pipe: Pipe::default(), door, ways }
    }
}

impl Actor for DialActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.feed(dial::Input::Start, ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.pipe.close();
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(self.ways.link));
        }
    }
}

impl Seated<DialMachine> for DialActor {
    fn seat(&mut self) -> &mut Seat<DialMachine> {
        &mut self.seat
    }

    fn perform(&mut self, effect: dial::Effect, ctx: &mut Context<Self>) -> Flow {
        use dial::Effect;
        match effect {
            Effect::Connect { address } => {
                self.pipe.close();
                self.pipe.attempt += 1;
                let (attempt, events) = (self.pipe.attempt, ctx.address().recipient());
                let (address, whom) = (address.to_string(), Whom::Central);
                self.door.do_send(Dial { address, whom, attempt, events });
            }
            Effect::Send(frame) => self.pipe.send(&frame),
            Effect::Close => {
                self.pipe.attempt += 1;
                self.pipe.close();
            }
            Effect::Ask => self.ways.tell(LinkNews::Ask),
            Effect::Learned(sari) => self.ways.tell(LinkNews::Learned(sari)),
            Effect::Up(peer) => self.ways.tell(LinkNews::Up(peer)),
            Effect::Downloaded(peer) => self.ways.tell(LinkNews::Downloaded(peer)),
            Effect::Down(peer) => self.ways.tell(LinkNews::Down(peer)),
            Effect::Deliver { from, word } => self.ways.tell(LinkNews::Word { from, word }),
            Effect::Learn { from, word } => self.ways.tell(LinkNews::Learn { from, word }),
            Effect::Neighbours(all) => self.ways.tell(LinkNews::Neighbours(all)),
            Effect::Health(health) => self.ways.tell(LinkNews::Health(health)),
            Effect::Apart(apart) => self.ways.tell(LinkNews::Apart(apart)),
            Effect::Alarm(alarm) => self.ways.tell(LinkNews::Alarm(alarm)),
        }
        Flow::Go
    }
}

impl Handler<Wire> for DialActor {
    type Result = ();

    fn handle(&mut self, Wire { attempt, event }: Wire, ctx: &mut Context<Self>) {
        if attempt != self.pipe.attempt {
            if let WireEvent::Opened(line) = event {
                line.do_send(ToPeer::Close);
            }
            return;
        }
        let wall = self.seat.clock().wall();
        match event {
            WireEvent::Opened(line) => {
                self.pipe.line = Some(line);
                self.feed(dial::Input::Connected { wall }, ctx);
            }
            WireEvent::Bytes(bytes) => {
                for heard in self.pipe.hear(&bytes) {
                    match heard {
                        Heard::Frame(frame, bytes) => {
                            self.feed(dial::Input::Received { frame, bytes, wall }, ctx);
                        }
                        Heard::Fault(text) => {
                            complain(&self.seat, text);
                            self.ways.tell(LinkNews::Misread);
                        }
                        Heard::Broken(text) => {
                            complain(&self.seat, text);
                            self.ways.tell(LinkNews::Broken);
                            self.feed(dial::Input::Closed, ctx);
                        }
                    }
                }
            }
            WireEvent::Closed { why: _ } => {
                self.pipe.line = None;
                self.pipe.close();
                self.feed(dial::Input::Closed, ctx);
            }
            WireEvent::Distrusted { why } => {
                // The machine says it once; what was wrong, and which certificate was shown, only the door knows.
                complain(&self.seat, why);
                self.pipe.line = None;
                self.pipe.close();
                self.feed(dial::Input::Distrusted, ctx);
            }
        }
    }
}

impl Handler<ToLink> for DialActor {
    type Result = ();

    fn handle(&mut self, message: ToLink, ctx: &mut Context<Self>) {
        match message {
            ToLink::Word(word) => self.feed(dial::Input::Say(word), ctx),
            ToLink::Directory(word) => self.feed(dial::Input::Tell(word), ctx),
            ToLink::Have(have) => self.feed(dial::Input::Have(have), ctx),
            ToLink::EndOfDownload => self.feed(dial::Input::Uploaded, ctx),
            ToLink::Answered(_) | ToLink::Replaced | ToLink::Neighbours(_) => {
                debug_assert!(false, "only a central says so");
            }
        }
    }
}

/// The central's end of the link of one remote.
pub struct ServeActor {
    seat: Seat<Serve>,
    pipe: Pipe,
    ways: LinkWays,
}

impl ServeActor {
    /// Hires the central's end for a connection that was just accepted.
    pub fn new(site: &Site, peer: &str, line: Recipient<ToPeer>, ways: LinkWays) -> ServeActor {
        let who = format!("link/{peer}");
        let seat = Seat::new(Serve::new(site.link_timing), who, site.clock.clone(), site.trace.clone());
        ServeActor { seat, pipe: Pipe::on(line), ways }
    }
}

impl Actor for ServeActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.feed(serve::Input::Accepted, ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.pipe.close();
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(self.ways.link));
        }
    }
}

impl Seated<Serve> for ServeActor {
    fn seat(&mut self) -> &mut Seat<Serve> {
        &mut self.seat
    }

    fn perform(&mut self, effect: serve::Effect, ctx: &mut Context<Self>) -> Flow {
        use serve::Effect;
        match effect {
            Effect::Knock(open) => self.ways.tell(LinkNews::Knock(open)),
            Effect::Send(frame) => self.pipe.send(&frame),
            Effect::Close => {
                self.pipe.close();
                self.ways.tell(LinkNews::Ended);
                ctx.stop();
            }
            Effect::Up(peer) => self.ways.tell(LinkNews::Up(peer)),
            Effect::Downloaded(peer) => self.ways.tell(LinkNews::Downloaded(peer)),
            Effect::Down(peer) => self.ways.tell(LinkNews::Down(peer)),
            Effect::Deliver { from, word } => self.ways.tell(LinkNews::Word { from, word }),
            Effect::Learn { from, word } => self.ways.tell(LinkNews::Learn { from, word }),
            Effect::Apart(apart) => self.ways.tell(LinkNews::Apart(apart)),
            Effect::Alarm(alarm) => self.ways.tell(LinkNews::Alarm(alarm)),
        }
        Flow::Go
    }
}

impl Handler<Wire> for ServeActor {
    type Result = ();

    fn handle(&mut self, Wire { attempt: _, event }: Wire, ctx: &mut Context<Self>) {
        let wall = self.seat.clock().wall();
        match event {
            WireEvent::Opened(_) => debug_assert!(false, "an accepted connection is open from the start"),
            WireEvent::Bytes(bytes) => {
                for heard in self.pipe.hear(&bytes) {
                    match heard {
                        Heard::Frame(frame, _) => self.feed(serve::Input::Received { frame, wall }, ctx),
                        Heard::Fault(text) => {
                            complain(&self.seat, text);
                            self.ways.tell(LinkNews::Misread);
                        }
                        Heard::Broken(text) => {
                            complain(&self.seat, text);
                            self.ways.tell(LinkNews::Broken);
                            self.feed(serve::Input::Closed, ctx);
                            self.ways.tell(LinkNews::Ended);
                            ctx.stop();
                        }
                    }
                }
            }
            WireEvent::Closed { why: _ } | WireEvent::Distrusted { why: _ } => {
                self.pipe.line = None;
                self.feed(serve::Input::Closed, ctx);
                self.ways.tell(LinkNews::Ended);
                ctx.stop();
            }
        }
    }
}

impl Handler<ToLink> for ServeActor {
    type Result = ();

    fn handle(&mut self, message: ToLink, ctx: &mut Context<Self>) {
        match message {
            ToLink::Word(word) => self.feed(serve::Input::Say(word), ctx),
            ToLink::Directory(word) => self.feed(serve::Input::Tell(word), ctx),
            ToLink::Have(_) => debug_assert!(false, "only a remote says so"),
            ToLink::EndOfDownload => self.feed(serve::Input::Served, ctx),
            ToLink::Answered(answer) => self.feed(serve::Input::Answered(answer), ctx),
            ToLink::Neighbours(all) => self.feed(serve::Input::Neighbours(all), ctx),
            ToLink::Replaced => self.feed(serve::Input::Replaced, ctx),
        }
    }
}

impl Handler<Die> for DialActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Handler<Die> for ServeActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
