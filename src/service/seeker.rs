//! The door by which an OMM asks where a place is to which a server sends its users (RFC 3261 8.1.3.4, RFC 3263).
//!
//! A server that sends one user elsewhere soon sends all: who asks for a place that is being looked up waits for the same
//! answer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ::actors::doors::{Seek, Sought};
use actix::prelude::*;
use sip::place::Place;
use sip::target::Target;

use super::servers::{Dns, resolve};
use crate::config::server::{Server as Uri, Where};
use crate::resolver::Unresolved;

/// Questions that may wait for one place; ours: every user of the largest site at once (M-2.2.1-d).
const WAITING_MAX: usize = 10_000;
/// Places that are looked up at a time; ours: a server that names a new one for each user is not followed further.
const PLACES_MAX: usize = 64;

/// The actor of the door.
pub struct Seeker {
    dns: Dns,
    waiting: BTreeMap<Arc<Place>, Vec<Recipient<Sought>>>,
}

impl Seeker {
    /// A door to this DNS.
    pub fn new(dns: Dns) -> Seeker {
        Seeker { dns, waiting: BTreeMap::new() }
    }

    fn found(&mut self, place: &Arc<Place>, found: Result<Vec<Target>, Unresolved>) {
        let targets = found.unwrap_or_else(|error| {
            tracing::warn!(%place, %error, "a server sends its users to a place that was not found");
            Vec::new()
        });
        for asker in self.waiting.remove(place).unwrap_or_default() {
            asker.do_send(Sought { place: place.clone(), targets: targets.clone() });
        }
    }
}

impl Actor for Seeker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(WAITING_MAX);
    }
}

impl Handler<Seek> for Seeker {
    type Result = ();

    fn handle(&mut self, Seek { place, to }: Seek, ctx: &mut Context<Self>) {
        let places = self.waiting.len();
        match self.waiting.get_mut(&place) {
            Some(askers) if askers.len() < WAITING_MAX => return askers.push(to),
            None if places < PLACES_MAX => {}
            Some(_) | None => return to.do_send(Sought { place, targets: Vec::new() }),
        }
        self.waiting.insert(place.clone(), vec![to]);
        let (server, dns) = (server(&place), self.dns.clone());
        let question = async move { resolve(&server, &dns).await.map(|(targets, _)| targets) };
        let answer = question.into_actor(self);
        ctx.spawn(answer.map(move |found, seeker, _| seeker.found(&place, found)));
    }
}

fn server(place: &Place) -> Uri {
    let host = match place.host.parse::<IpAddr>() {
        Ok(ip) => Where::Address(ip),
        Err(_) => Where::Name(place.host.to_string()),
    };
    Uri { host, port: place.port, transport: place.transport, secure: place.secure }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use sip::uri::Uri as SipUri;
    use tokio::sync::mpsc;

    use super::*;

    /// Somebody who asks, and passes on how many targets were found.
    struct Asker(mpsc::Sender<(String, usize)>);

    impl Actor for Asker {
        type Context = Context<Self>;
    }

    impl Handler<Sought> for Asker {
        type Result = ();

        fn handle(&mut self, Sought { place, targets }: Sought, _: &mut Context<Self>) {
            self.0.try_send((place.to_string(), targets.len())).expect("room");
        }
    }

    #[actix::test]
    async fn everybody_who_asks_is_answered_and_without_a_dns_numbers_are_found() {
        let seeker = Seeker::new(Rc::new(Err(Unresolved::Dns("there is none".to_owned())))).start();
        let (told, mut hear) = mpsc::channel(8);
        let (number, name) = ("sip:192.0.2.7:5070;transport=tcp", "sip:pbx.example.com");
        for text in [number, name, number] {
            let place = Arc::new(Place::of(&SipUri::parse(text).unwrap()).unwrap());
            seeker.do_send(Seek { place, to: Asker(told.clone()).start().recipient() });
        }
        let mut heard = Vec::new();
        while heard.len() < 3 {
            heard.push(hear.recv().await.unwrap());
        }
        heard.sort();
        assert_eq!(heard, [(number.to_owned(), 1), (number.to_owned(), 1), (name.to_owned(), 0)]);
    }
}
