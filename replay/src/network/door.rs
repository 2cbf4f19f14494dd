//! The doors of virtual hosts: what the actors of an OMM send to reaches the network from the host's own address.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use actix::{Actor, Addr, Context, Handler};
use actors::doors::{Datagram, Dial};

use super::stream::Connect;
use super::{Network, Place, Post};

/// The SIP door of one host: whatever is sent to it leaves from the host's address.
pub struct Port {
    /// The network behind the door.
    pub network: Addr<Network>,
    /// The host's own address.
    pub addr: SocketAddr,
    /// Whether the process behind it lives: a dead one sends nothing, whatever is still in its mailboxes.
    pub alive: Rc<Cell<bool>>,
}

impl Actor for Port {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // The network itself decides what is lost; a full mailbox must not.
        ctx.set_mailbox_capacity(1 << 20);
    }
}

impl Handler<Datagram> for Port {
    type Result = ();

    fn handle(&mut self, datagram: Datagram, _: &mut Context<Self>) {
        if self.alive.get() {
            self.network.do_send(Post { from: self.addr, to: datagram.peer.addr, bytes: datagram.bytes });
        }
    }
}

/// The AXI door of one site: dials from there.
pub struct Trunk {
    /// The network behind the door.
    pub network: Addr<Network>,
    /// Where it stands.
    pub place: Place,
}

impl Actor for Trunk {
    type Context = Context<Self>;
}

impl Handler<Dial> for Trunk {
    type Result = ();

    fn handle(&mut self, dial: Dial, _: &mut Context<Self>) {
        self.network.do_send(Connect { place: self.place, dial });
    }
}
