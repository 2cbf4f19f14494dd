//! The doors of virtual hosts: what the actors of an OMM send to reaches the network from the host's own address.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use actix::{Actor, Addr, Context, Handler};
use actors::doors::{Datagram, Dial, OpenFlow, Whom};

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

/// The door for SIP streams of one site: dials from there.
pub struct Branch {
    /// The network behind the door.
    pub network: Addr<Network>,
    /// Where it stands.
    pub place: Place,
}

/// What a stream to a SIP listener is dialled by.
pub fn sip_address(addr: SocketAddr) -> String {
    format!("sip:{addr}")
}

impl Actor for Branch {
    type Context = Context<Self>;
}

impl Handler<OpenFlow> for Branch {
    type Result = ();

    fn handle(&mut self, OpenFlow { to, names: _, attempt, events }: OpenFlow, _: &mut Context<Self>) {
        // Who is who is not in question here: the names of TLS are checked on real sockets.
        let dial = Dial { address: sip_address(to.addr), whom: Whom::Central, attempt, events };
        self.network.do_send(Connect { place: self.place, dial });
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
