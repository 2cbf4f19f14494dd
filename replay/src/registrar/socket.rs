//! One stream to a virtual registrar: cut into messages, pings answered.

use actix::{Actor, ActorContext, Context, Handler, Message, Recipient};
use actors::doors::{Datagram, ToPeer, Wire, WireEvent};
use bytes::Bytes;
use sip::frame::{Framed, Framer, PONG};
use sip::target::Target;

/// The actor of one stream.
pub(super) struct Socket {
    registrar: Recipient<Datagram>,
    over: Recipient<Over>,
    line: Recipient<ToPeer>,
    peer: Target,
    framer: Framer,
}

impl Socket {
    pub(super) fn new(
        registrar: Recipient<Datagram>,
        over: Recipient<Over>,
        line: Recipient<ToPeer>,
        peer: Target,
    ) -> Socket {
        Socket { registrar, over, line, peer, framer: Framer::new() }
    }
}

/// The stream is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Over(pub(super) Target);

impl Actor for Socket {
    type Context = Context<Self>;
}

impl Handler<Wire> for Socket {
    type Result = ();

    fn handle(&mut self, wire: Wire, ctx: &mut Context<Self>) {
        match wire.event {
            WireEvent::Bytes(bytes) => {
                self.framer.push(&bytes);
                loop {
                    match self.framer.next() {
                        Ok(Some(Framed::Message(message))) => {
                            let bytes = message.bytes().clone();
                            self.registrar.do_send(Datagram { peer: self.peer, bytes });
                        }
                        Ok(Some(Framed::Ping)) => {
                            self.line.do_send(ToPeer::Bytes(Bytes::from_static(PONG)));
                        }
                        Ok(Some(Framed::Pong)) => {}
                        Ok(None) => return,
                        Err(_) => return self.line.do_send(ToPeer::Close),
                    }
                }
            }
            WireEvent::Opened(_) => {}
            WireEvent::Closed { .. } | WireEvent::Distrusted { .. } => {
                self.over.do_send(Over(self.peer));
                ctx.stop();
            }
        }
    }
}
