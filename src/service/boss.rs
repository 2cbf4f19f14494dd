//! Who hires the OMM, keeps its doors open, and hires a new one when it had to start over.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::actors::clock::Clock;
use ::actors::doors::{Accept, Enter, Resolve, StartOver, Visit, Wire};
use ::actors::endpoint::Count;
use ::actors::falls::Falls;
use ::actors::messages::{Die, Fallen};
use ::actors::omm::OmmActor;
use ::actors::omm::inspect::{Entrance, Inspect};
use ::actors::omm::roll::Measure;
use ::actors::store::Store;
use ::actors::trace::Trace;
use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, ResponseFuture,
    WrapFuture,
};
use machine::secret::Secret;
use machine::time::Moment;
use omm::link::neighbour::Door;
use serde_json::{Value, json};
use sip::server::Server;
use tokio::sync::mpsc;

use super::ask::{Ask, rehearse, roll_call};
use super::birth::{Midwife, birth};
use super::seeker::Seeker;
use super::servers::{self, Finder};
use crate::config::site::Site;
use crate::config::tier::Tier;
use crate::diary::Diary;
use crate::epr::Provisioner;
use crate::keys::Vault;
use crate::peer::Dialer;
use crate::resolver::Resolver;
use crate::sockets::streams::StreamDoor;
use crate::sockets::{CountDoor, Deserted, Inside, UdpDoor};
use crate::status;
use crate::why;

/// How often the DNS is asked while no server at all was found; ours.
const DNS_SOON: Duration = Duration::from_secs(10);
/// Wait before a new OMM is hired in the place of another: what that one was writing has reached the disk by then, and
/// the new one reads it. Ours.
const REHIRE: Duration = Duration::from_secs(1);

/// What the boss is given.
pub struct Outfit {
    /// The configuration.
    pub site: Rc<Site>,
    /// The OMM's clocks; they outlive an OMM, so that its stamps never run backwards.
    pub clock: Rc<Clock>,
    /// Whoever watches.
    pub trace: Trace,
    /// What was watched lately.
    pub diary: Rc<Diary>,
    /// From the operating system.
    pub seed: u64,
    /// The key of the nonces, from the operating system.
    pub key: Secret,
    /// The SIP door.
    pub door: Addr<UdpDoor>,
    /// The door for SIP streams.
    pub streams: Addr<StreamDoor>,
    /// The AXI door.
    pub dialer: Addr<Dialer>,
    /// Where other OMMs can call this one.
    pub entrance: Option<Door>,
    /// Who holds the key of the AXI server.
    pub vault: Addr<Vault>,
    /// Who reads files of external users.
    pub provisioner: Option<Addr<Provisioner>>,
    /// The store.
    pub store: Rc<dyn Store>,
    /// Hears why the service gives up.
    pub gave_up: mpsc::Sender<String>,
}

/// The actor that hires.
pub struct Boss {
    outfit: Outfit,
    dns: servers::Dns,
    servers: Vec<Arc<Server>>,
    omm: Option<Addr<OmmActor>>,
    hired: u64,
    falls: Falls,
}

/// Ends the OMM at once; registrations stay.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Quit;

impl Boss {
    /// A boss who hires as soon as a SIP server is found.
    pub fn new(outfit: Outfit) -> Boss {
        let sip = &outfit.site.sip;
        let v4_only = sip.listen.is_ipv4() && sip.listen_other.is_none();
        let dns = Rc::new(Resolver::system(outfit.seed, v4_only));
        Boss { outfit, dns, servers: Vec::new(), omm: None, hired: 0, falls: Falls::default() }
    }

    /// Looks for the servers, until one is found. From then on the OMM itself follows them.
    fn look_for_servers(&mut self, ctx: &mut Context<Self>) {
        let (site, dns) = (self.outfit.site.clone(), self.dns.clone());
        let found = async move { servers::find(&site, &dns).await };
        ctx.spawn(found.into_actor(self).map(|found, boss, ctx| match found {
            Some(servers) => {
                for server in &servers {
                    tracing::info!(tier = server.tier, name = %server.name, targets = ?server.targets, "a SIP server");
                }
                boss.servers = servers;
                boss.hire(ctx);
            }
            None => _ = ctx.run_later(DNS_SOON, Boss::look_for_servers),
        }));
    }

    /// Ends the OMM, if there is one.
    fn dismiss(&mut self) {
        if let Some(omm) = self.omm.take() {
            omm.do_send(Die);
        }
    }

    /// The DNS, for each tier whose server has a name.
    fn finders(&self) -> BTreeMap<u8, Recipient<Resolve>> {
        let tiers = (0..).zip(&self.outfit.site.tiers);
        let finder = |(number, tier): (u8, &Tier)| {
            Some((number, Finder::of(tier.hop(), &self.dns)?.start().recipient()))
        };
        tiers.filter_map(finder).collect()
    }

    fn hire_soon(&self, ctx: &mut Context<Self>) {
        ctx.run_later(REHIRE, |boss, ctx| {
            if boss.omm.is_none() {
                boss.hire(ctx);
            }
        });
    }

    fn hire(&mut self, ctx: &mut Context<Self>) {
        let own = ctx.address();
        let outfit = &self.outfit;
        self.hired += 1;
        let midwife = Midwife {
            servers: self.servers.clone(),
            clock: outfit.clock.clone(),
            trace: outfit.trace.clone(),
            // Branches and Call-IDs must not repeat those of a former life.
            seed: outfit.seed.wrapping_add(self.hired),
            key: outfit.key.clone(),
            sip: outfit.door.clone().recipient(),
            streams: outfit.streams.clone().recipient(),
            dns: self.finders(),
            places: Seeker::new(self.dns.clone()).start().recipient(),
            dial: outfit.dialer.clone().recipient(),
            door: outfit.entrance.clone(),
            vault: outfit.vault.clone(),
            provisioner: outfit.provisioner.clone().map(Addr::recipient),
            store: outfit.store.clone(),
            fallen: own.clone().recipient(),
            start_over: own.recipient(),
        };
        let born = birth(&outfit.site, midwife)
            .map_err(|refusal| format!("the users contradict each other: {refusal}"));
        match born.and_then(|birth| OmmActor::new(birth).map_err(|fault| fault.to_string())) {
            Ok(omm) => {
                self.omm = Some(omm.start());
                self.show_in(ctx);
            }
            Err(why) => {
                let _ = self.outfit.gave_up.try_send(why);
            }
        }
    }

    /// Tells the SIP door who is inside now.
    fn show_in(&mut self, ctx: &mut Context<Self>) {
        let Some(omm) = self.omm.clone() else { return };
        let asked = async move { omm.send(Entrance).await.ok().flatten() };
        ctx.spawn(asked.into_actor(self).map(|endpoint, boss, ctx| {
            if let Some(endpoint) = endpoint {
                boss.outfit.door.do_send(Inside {
                    datagrams: endpoint.clone().recipient(),
                    undelivered: endpoint.recipient(),
                    deserted: ctx.address().recipient(),
                });
            }
        }));
    }
}

impl Actor for Boss {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.look_for_servers(ctx);
    }
}

impl Handler<Fallen<Arc<str>>> for Boss {
    type Result = ();

    fn handle(&mut self, _: Fallen<Arc<str>>, ctx: &mut Context<Self>) {
        // Whichever OMM it was that fell: never are there two on one store.
        self.dismiss();
        self.falls.count(self.outfit.clock.moment(), "omm");
        if self.falls.too_many() {
            let _ = self.outfit.gave_up.try_send("the OMM falls over again and again".into());
            return;
        }
        tracing::error!("the OMM fell over and is hired again");
        self.hire_soon(ctx);
    }
}

impl Handler<Deserted> for Boss {
    type Result = ();

    fn handle(&mut self, _: Deserted, ctx: &mut Context<Self>) {
        self.show_in(ctx);
    }
}

impl Handler<Accept> for Boss {
    type Result = ResponseFuture<Option<Recipient<Wire>>>;

    fn handle(&mut self, accept: Accept, _: &mut Context<Self>) -> Self::Result {
        let (omm, Accept { peer, line }) = (self.omm.clone(), accept);
        Box::pin(async move { omm?.send(Visit { peer, line }).await.ok().flatten() })
    }
}

impl Handler<Enter> for Boss {
    type Result = ResponseFuture<Option<(u64, Recipient<Wire>)>>;

    fn handle(&mut self, enter: Enter, _: &mut Context<Self>) -> Self::Result {
        let omm = self.omm.clone();
        Box::pin(async move { omm?.send(enter).await.ok().flatten() })
    }
}

impl Handler<Ask> for Boss {
    type Result = ResponseFuture<Value>;

    fn handle(&mut self, ask: Ask, ctx: &mut Context<Self>) -> Self::Result {
        let own = ctx.address();
        let (site, omm, door) = (self.outfit.site.clone(), self.omm.clone(), self.outfit.door.clone());
        let up = self.outfit.clock.moment().since(Moment::START);
        let diary = self.outfit.diary.clone();
        Box::pin(async move {
            let (standing, endpoint) = match &omm {
                Some(omm) => (omm.send(Inspect).await.ok(), omm.send(Entrance).await.ok().flatten()),
                None => (None, None),
            };
            if let Ask::Why(number) = &ask {
                let name = |omm: &str| status::name_of_text(&site, omm);
                return why::to_json(&site.name, number, &diary.about(number), name);
            }
            let (Some(standing), Some(omm)) = (standing, omm) else {
                return json!({"error": "the OMM is not there yet: no SIP server was found, or it is restarting"});
            };
            if let Ask::Order(order) = &ask {
                return match order.carry_out(&site, &omm).await {
                    Ok(done) => {
                        if order.restarts() {
                            own.do_send(StartOver);
                        }
                        json!({"done": done, "restarting": order.restarts()})
                    }
                    Err(why) => json!({"error": why}),
                };
            }
            if let Some(answer) = roll_call(&ask, &site, &omm, &standing).await {
                return answer;
            }
            if let Ask::Supply(supply) = &ask {
                return supply.carry_out(&site, &omm).await;
            }
            if let Ask::Drill(drill) = ask {
                return rehearse(&site, &omm, &drill).await;
            }
            let counts = door.send(CountDoor).await.unwrap_or_default();
            let inside = match endpoint {
                Some(endpoint) => endpoint.send(Count).await.ok(),
                None => None,
            };
            let dropped =
                inside.map_or(0, |inside| inside.strays + inside.dropped.iter().map(|(_, n)| n).sum::<u64>());
            match ask {
                Ask::Status => match omm.send(Measure).await {
                    Ok(Some(survey)) => status::to_json(&site, (&standing, &survey), counts, dropped, up),
                    Ok(None) | Err(_) => json!({"error": "the OMM is restarting"}),
                },
                Ask::Users | Ask::Show(_) | Ask::Drill(_) | Ask::Order(_) | Ask::Supply(_) | Ask::Why(_) => {
                    Value::Null
                }
            }
        })
    }
}

impl Handler<StartOver> for Boss {
    type Result = ();

    fn handle(&mut self, _: StartOver, ctx: &mut Context<Self>) {
        tracing::info!("the OMM starts over; registrations stay as they are");
        self.dismiss();
        self.hire_soon(ctx);
    }
}

impl Handler<Quit> for Boss {
    type Result = ();

    fn handle(&mut self, _: Quit, _: &mut Context<Self>) {
        self.dismiss();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::net::SocketAddr;

    use ::actors::clock::{Calendar, Origin};
    use ::actors::trace::Seen;
    use actix::System;
    use tokio::net::UdpSocket;
    use tokio::time::timeout;

    use super::*;
    use crate::config;
    use crate::service::birth::identity;
    use crate::store::{self, Engine};

    const SITE: &str = "name = \"berlin\"\nrole = \"remote\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\n\
        data_dir = \"data\"\n[link]\nomm1 = \"127.0.0.1:9\"\nuser = \"sync\"\npassword = \"s3cret\"\ntls = false\n\
        [sip]\nlisten = \"127.0.0.1:5060\"\ndomain = \"example.com\"\n\
        [[tier]]\nname = \"pbx\"\nuri = \"sip:127.0.0.1:9\"\n";

    const OPTIONS: &str = "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKx\r\n\
        Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=a\r\nTo: <sip:example.com>\r\nCall-ID: a@here\r\n\
        CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    /// Asks until there is an answer; the phones do the same.
    async fn answer(socket: &UdpSocket, omm: SocketAddr) -> Option<String> {
        let mut buffer = [0; 2048];
        for _ in 0..100 {
            socket.send_to(OPTIONS.as_bytes(), omm).await.expect("a loopback");
            if let Ok(Ok(len)) = timeout(Duration::from_millis(100), socket.recv(&mut buffer)).await {
                return Some(String::from_utf8_lossy(&buffer[..len]).into_owned());
            }
        }
        None
    }

    #[test]
    fn an_omm_that_falls_over_is_hired_again_and_answers_at_the_same_door() {
        System::new().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("site.toml");
            std::fs::write(&file, SITE).expect("a file");
            let site = Rc::new(config::load(&file).expect("a good site"));
            let store = store::open(Engine::Sled, &site.data_dir, "test").expect("a store");
            let (door, omm) =
                UdpDoor::open("127.0.0.1:0".parse().expect("an address")).await.expect("a socket");
            let clock = Rc::new(Clock::new(Origin::now(), Calendar::System, identity(&site)));
            // A listener that panics stands for any bug: it does so inside the step that it listens to.
            let (armed, faults) = (Rc::new(Cell::new(true)), Rc::new(RefCell::new(Vec::new())));
            let (bomb, heard) = (armed.clone(), faults.clone());
            let sink = move |seen: Seen<'_>| {
                if seen.note.event == "fault" {
                    heard.borrow_mut().push(seen.note.to_string());
                }
                if seen.who == "endpoint" && bomb.replace(false) {
                    panic!("a bug in the endpoint (this test makes it)");
                }
            };
            let (gave_up, mut given_up) = mpsc::channel(1);
            let boss = Boss::new(Outfit {
                clock,
                trace: Trace::new("berlin", Rc::new(sink)),
                diary: Rc::default(),
                seed: 1,
                key: Secret::new("0123456789abcdef"),
                door,
                streams: StreamDoor::new(None).start(),
                dialer: Dialer::new(None).start(),
                entrance: None,
                vault: Vault::default().start(),
                provisioner: None,
                store,
                gave_up,
                site,
            })
            .start();
            let phone = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
            assert!(answer(&phone, omm).await.is_some_and(|text| text.starts_with("SIP/2.0 200")));
            assert!(armed.get(), "an OPTIONS is no event");
            phone.send_to(b"?", omm).await.expect("a loopback");
            // Whatever answers from now on is another OMM.
            while armed.get() {
                tokio::task::yield_now().await;
            }
            assert!(answer(&phone, omm).await.is_some_and(|text| text.starts_with("SIP/2.0 200")));
            let starts_over = "fault text=the OMM starts over from its store: the endpoint fell over";
            assert_eq!(*faults.borrow(), [starts_over]);
            assert!(boss.send(Ask::Status).await.expect("a boss").get("error").is_none());
            assert!(given_up.try_recv().is_err());
        });
    }
}
