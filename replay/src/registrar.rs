//! What stands before a virtual registrar: its datagrams, and the streams that sites open to it.

use std::collections::BTreeMap;

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};
use actors::doors::{Accept, Datagram, ToPeer};
use sip::target::{Target, Transport};

use socket::{Over, Socket};

mod socket;

/// The actor before one registrar.
pub struct Front {
    port: Recipient<Datagram>,
    /// What streams are spoken over: TCP, or TLS, which is the same here.
    transport: Transport,
    registrar: Recipient<Datagram>,
    streams: BTreeMap<Target, Recipient<ToPeer>>,
    accepted: u16,
}

impl Front {
    /// The front of `registrar`: datagrams leave through `port`, streams are those that were accepted.
    pub fn new(port: Recipient<Datagram>, transport: Transport, registrar: Recipient<Datagram>) -> Front {
        Front { port, transport, registrar, streams: BTreeMap::new(), accepted: 0 }
    }
}

impl Actor for Front {
    type Context = Context<Self>;
}

impl Handler<Datagram> for Front {
    type Result = ();

    /// The registrar answers somebody. The answer to somebody who has hung up is lost.
    fn handle(&mut self, datagram: Datagram, _: &mut Context<Self>) {
        match datagram.peer.transport {
            Transport::Udp => self.port.do_send(datagram),
            Transport::Tcp | Transport::Tls => {
                if let Some(line) = self.streams.get(&datagram.peer) {
                    line.do_send(ToPeer::Bytes(datagram.bytes));
                }
            }
        }
    }
}

impl Handler<Accept> for Front {
    type Result = MessageResult<Accept>;

    fn handle(&mut self, Accept { peer: _, line }: Accept, ctx: &mut Context<Self>) -> Self::Result {
        self.accepted = self.accepted.wrapping_add(1);
        // Where a stream comes from is of no account here; it only has to have a name of its own.
        let peer = Target::new(self.transport, ([10, 255, 0, 1], self.accepted).into());
        self.streams.insert(peer, line.clone());
        let over = ctx.address().recipient();
        MessageResult(Some(Socket::new(self.registrar.clone(), over, line, peer).start().recipient()))
    }
}

impl Handler<Over> for Front {
    type Result = ();

    fn handle(&mut self, Over(peer): Over, _: &mut Context<Self>) {
        self.streams.remove(&peer);
    }
}
