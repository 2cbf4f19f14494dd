//! The connection between a remote and its central: no network, only two ends that hand bytes to each other.

use ::actors::doors::{Accept, Dial, ToPeer, Wire, WireEvent};
use ::actors::omm::OmmActor;
use actix::prelude::*;

/// One end: what is written here is heard there.
struct End {
    attempt: u64,
    there: Option<Recipient<Wire>>,
}

impl Actor for End {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Reaches(Recipient<Wire>);

impl Handler<Reaches> for End {
    type Result = ();
    fn handle(&mut self, Reaches(there): Reaches, _: &mut Context<Self>) {
        self.there = Some(there);
    }
}

impl Handler<ToPeer> for End {
    type Result = ();
    fn handle(&mut self, message: ToPeer, ctx: &mut Context<Self>) {
        let event = match message {
            ToPeer::Bytes(bytes) => WireEvent::Bytes(bytes),
            ToPeer::Close => {
                ctx.stop();
                WireEvent::Closed { why: "closed by the other side".to_owned() }
            }
        };
        if let Some(there) = &self.there {
            there.do_send(Wire { attempt: self.attempt, event });
        }
    }
}

/// Connects a remote with the central.
pub(crate) struct Exchange(pub(crate) Addr<OmmActor>);

impl Actor for Exchange {
    type Context = Context<Self>;
}

impl Handler<Dial> for Exchange {
    type Result = ();
    fn handle(&mut self, Dial { attempt, events, .. }: Dial, ctx: &mut Context<Self>) {
        // What the central writes is heard by the remote, under the remote's number of the attempt.
        let back = End { attempt, there: Some(events.clone()) }.start();
        let forth = End { attempt: 0, there: None }.start();
        let asked = self.0.send(Accept { peer: "remote".to_owned(), line: back.recipient() });
        ctx.spawn(asked.into_actor(self).map(move |ear, _, _| {
            if let Some(ear) = ear.ok().flatten() {
                forth.do_send(Reaches(ear));
                events.do_send(Wire { attempt, event: WireEvent::Opened(forth.recipient()) });
            }
        }));
    }
}
