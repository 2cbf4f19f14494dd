//! One AXI connection that somebody else opened: runs [`axi::desk`]. When it turns out to be another OMM of ours, its
//! bytes are handed on to the link that the OMM hires for it.

use std::sync::Arc;

use actix::prelude::*;
use axi::desk::{Answer, Ask, Desk, Effect, Input};
use axi::element::Element;
use axi::frame::Frames;
use axi::news::News;
use axi::office::DeskId;
use bytes::{BufMut, Bytes, BytesMut};

use crate::doors::{Accept, ToPeer, Wire, WireEvent};
use crate::messages::Die;
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;

/// The longest message of a client, in bytes. The longest that is spoken holds a profile of 4 kB (axi 4.1). Ours.
const MESSAGE_MAX: usize = 64 * 1024;

/// What a session tells its office.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromDesk {
    /// Which.
    pub desk: DeskId,
    /// What.
    pub word: DeskWord,
}

/// What a session can tell.
pub enum DeskWord {
    /// It has to know something.
    Asks(Ask),
    /// What came was no message; why. The connection is over.
    Broken(String),
    /// It is over, or another OMM's link has taken it over.
    Ended,
}

/// What an office tells its sessions.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToDesk {
    /// What became of its [`Ask`].
    Answered(Answer),
    /// Something happened.
    Happened(Arc<News>),
}

/// Where a session turns to.
pub struct DeskWays {
    /// Under which number it was hired.
    pub desk: DeskId,
    /// By whom.
    pub office: Recipient<FromDesk>,
    /// Who hires links for other OMMs.
    pub links: Recipient<Accept>,
}

/// One connection.
pub struct DeskActor {
    seat: Seat<Desk>,
    peer: String,
    line: Option<Recipient<ToPeer>>,
    frames: Frames,
    /// The message that is being read, for the link that may have to read it again.
    message: Bytes,
    /// The link of another OMM that has taken over.
    link: Option<Recipient<Wire>>,
    ways: DeskWays,
}

impl DeskActor {
    /// Hires a session for a connection that was just accepted.
    pub fn new(site: &Site, peer: String, line: Recipient<ToPeer>, ways: DeskWays) -> DeskActor {
        let who = format!("axi/{}", ways.desk);
        DeskActor {
            seat: Seat::new(Desk::new(), who, site.clock.clone(), site.trace.clone()),
            peer,
            line: Some(line),
            frames: Frames::with_limit(MESSAGE_MAX),
            message: Bytes::new(),
            link: None,
            ways,
        }
    }

    fn tell(&self, word: DeskWord) {
        self.ways.office.do_send(FromDesk { desk: self.ways.desk, word });
    }

    /// Each message is one write, so that each is one TLS record (axi 4.3). A full door means that the other side does
    /// not read: the connection is given up.
    fn send(&mut self, element: &Element<'_>) {
        let mut text = element.to_string();
        text.push('\0');
        if let Some(line) = &self.line
            && line.try_send(ToPeer::Bytes(Bytes::from(text))).is_err()
        {
            self.hang_up();
        }
    }

    fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            line.do_send(ToPeer::Close);
        }
        self.frames = Frames::default();
    }

    fn hear(&mut self, bytes: &[u8], ctx: &mut Context<Self>) {
        let mut broken = self.frames.push(bytes).err();
        while broken.is_none() && self.line.is_some() {
            let message = match self.frames.next() {
                None => return,
                Some(Ok(message)) => message,
                Some(Err(why)) => {
                    broken = Some(why);
                    break;
                }
            };
            self.message = message.clone();
            match Element::read(&message) {
                Ok(element) => {
                    let wall = self.seat.clock().wall();
                    let (element, length) = (Box::new(element.into_owned()), message.len());
                    self.feed(Input::Received { element, length, wall }, ctx);
                }
                Err(why) => broken = Some(why),
            }
        }
        if let Some(why) = broken {
            self.tell(DeskWord::Broken(why.to_string()));
            self.feed(Input::Closed, ctx);
            self.hang_up();
            ctx.stop();
        }
    }

    /// Another OMM: whatever it said and will say is for the link that the OMM hires for it.
    fn hand_over(&mut self, ctx: &mut Context<Self>) {
        let Some(line) = self.line.take() else { return };
        let mut said = BytesMut::from(&*self.message);
        said.put_u8(0);
        said.extend_from_slice(&self.frames.rest());
        let accept = Accept { peer: self.peer.clone(), line: line.clone() };
        let hired = self.ways.links.send(accept);
        let event = WireEvent::Bytes(said.freeze());
        let handed = async move {
            let link = hired.await.ok().flatten()?;
            link.send(Wire { attempt: 0, event }).await.ok()?;
            Some(link)
        };
        // Nothing else is heard until the link has heard the beginning.
        ctx.wait(handed.into_actor(self).map(move |link, desk, ctx| {
            desk.tell(DeskWord::Ended);
            if link.is_none() {
                line.do_send(ToPeer::Close);
                ctx.stop();
            }
            desk.link = link;
        }));
    }
}

impl Actor for DeskActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.feed(Input::Accepted, ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.hang_up();
        if self.link.is_none() {
            self.tell(DeskWord::Ended);
        }
    }
}

impl Seated<Desk> for DeskActor {
    fn seat(&mut self) -> &mut Seat<Desk> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send(element) => self.send(&element),
            Effect::Ask(ask) => self.tell(DeskWord::Asks(ask)),
            Effect::Sibling => self.hand_over(ctx),
            Effect::Close(_) => {
                self.hang_up();
                ctx.stop();
            }
        }
        Flow::Go
    }
}

impl Handler<Wire> for DeskActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, wire: Wire, ctx: &mut Context<Self>) -> Self::Result {
        if let Some(link) = &self.link {
            let closed = matches!(wire.event, WireEvent::Closed { .. } | WireEvent::Distrusted { .. });
            let heard = link.send(wire);
            if closed {
                ctx.stop();
            }
            return Box::pin(async move {
                let _ = heard.await;
            });
        }
        match wire.event {
            WireEvent::Opened(_) => debug_assert!(false, "an accepted connection is open from the start"),
            WireEvent::Bytes(bytes) => self.hear(&bytes, ctx),
            WireEvent::Closed { why: _ } | WireEvent::Distrusted { why: _ } => {
                self.line = None;
                self.feed(Input::Closed, ctx);
                ctx.stop();
            }
        }
        Box::pin(std::future::ready(()))
    }
}

impl Handler<ToDesk> for DeskActor {
    type Result = ();

    fn handle(&mut self, message: ToDesk, ctx: &mut Context<Self>) {
        match message {
            ToDesk::Answered(answer) => self.feed(Input::Answered(answer), ctx),
            ToDesk::Happened(news) => self.feed(Input::Happened(news), ctx),
        }
    }
}

impl Handler<Die> for DeskActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
