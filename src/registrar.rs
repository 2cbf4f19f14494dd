//! `homing registrar`: the registrar of scenarios and demo, alone on a real socket, well-behaved or not.
//!
//! - [`stand`]: a registrar behind a door; the demo's PBX is one too.
//! - [`args`]: its words on the command line. [`users`]: who is known to it. [`order`]: `--behave "WORDS [after D] [for D]"`. [`counts`]: what it has done.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use ::actors::clock::{Calendar, Clock, Origin};
use ::actors::registrar::{Registrar, Served, Tell};
use ::actors::trace::Trace;
use actix::{Actor, Addr, Context, Handler, System};
use machine::chance::Chance;
use machine::secret::Secret;
use omm::stamp::OmmId;
use replay::trace::Sight;
use sip::digest::Algorithm;
use sip::registrar::{Model, Policy};
use sip::uas::Uas;
use sip::uas::profile::{Auth, Profile};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::console::{complain, say};
use crate::entropy;
use crate::exit::Exit;
use crate::service::birth::AGENT;
use crate::sockets::{CountDoor, Counts, Deserted, Inside, UdpDoor};

pub mod args;
mod counts;
mod order;
mod users;

use order::Order;
use users::Known;

/// Transactions that are remembered. Ours: 32 s of 8,000 requests a second, so that 10,000 users may all come at once.
const TRANSACTIONS_MAX: usize = 262_144;
/// Datagrams that may wait to be read. Ours: the first REGISTER of 10,000 users and its answer to the challenge.
const WAITING_MAX: usize = 32_768;

/// What `homing registrar` was asked for.
#[derive(Debug)]
struct Request {
    /// Where to listen.
    listen: SocketAddr,
    /// The domains of the users; none for any.
    domains: Vec<String>,
    /// How contacts of one user get on.
    model: Model,
    /// Who is known.
    known: Known,
    /// The digest algorithms, the best first.
    algorithms: Vec<Algorithm>,
    /// The shortest and the longest registration.
    expires: (Duration, Duration),
    /// What it is told to do wrong, and when.
    orders: Vec<Order>,
    /// How often to say what was done.
    every: Option<Duration>,
    /// End by itself.
    limit: Option<Duration>,
    /// JSON objects instead of text.
    json: bool,
    /// 1: a line per event; 2: a line per answer too.
    verbose: u8,
}

/// Runs until Ctrl-C or SIGTERM.
fn run(request: Request) -> Exit {
    let (Some(seed), Some(key)) = (entropy::seed(), entropy::key()) else { return Exit::Missing };
    System::new().block_on(async move {
        match serve(&request, seed, key).await {
            Ok(()) => Exit::Passed,
            Err(error) => {
                complain(&format!("cannot listen on udp:{}: {error}", request.listen));
                Exit::Missing
            }
        }
    })
}

/// Starts a registrar behind a door.
pub(crate) fn stand(
    uas: Uas,
    door: &Addr<UdpDoor>,
    clock: Rc<Clock>,
    trace: Trace,
    talkative: bool,
) -> Addr<Registrar> {
    let registrar = Registrar::new(uas, door.clone().recipient(), WAITING_MAX, clock, trace);
    let registrar = if talkative { registrar.talking() } else { registrar }.start();
    door.do_send(Inside {
        datagrams: registrar.clone().recipient(),
        undelivered: registrar.clone().recipient(),
        deserted: registrar.clone().recipient(),
    });
    registrar
}

impl Handler<Deserted> for Registrar {
    type Result = ();

    fn handle(&mut self, _: Deserted, _: &mut Context<Self>) {}
}

async fn serve(request: &Request, seed: u64, key: Secret) -> std::io::Result<()> {
    let origin = Origin::now();
    let (door, at) = UdpDoor::open(request.listen).await?;
    let clock = Rc::new(Clock::new(origin, Calendar::System, OmmId::new(0)));
    let uas = answerer(request, &clock, seed, key);
    let registrar = stand(uas, &door, clock, trace(request), request.verbose > 1);
    if request.json {
        say(&serde_json::json!({"event": "listening", "at": format!("udp:{at}")}).to_string());
    } else {
        say(&format!("listening on udp:{at}, {}", request.known));
    }
    for order in &request.orders {
        order::give(order, &registrar);
        if !request.json {
            say(&format!("misbehaves: {order}"));
        }
    }
    let watch = watch(request, &door, &registrar);
    match request.limit {
        Some(limit) => _ = timeout(limit, watch).await,
        None => watch.await,
    }
    tell(request, &door, &registrar, "end").await;
    Ok(())
}

fn answerer(request: &Request, clock: &Clock, seed: u64, key: Secret) -> Uas {
    let (min, max) = request.expires;
    let mut domains = request.domains.clone();
    if !domains.is_empty() {
        // Whoever was told an address only asks for that.
        domains.push(request.listen.ip().to_string());
    }
    let realm = request.domains.first().map_or("homing", String::as_str);
    let auth = Auth { algorithms: request.algorithms.clone(), key: Some(key), ..Auth::new(realm) };
    let profile = Profile {
        server: Some(AGENT.into()),
        domains,
        policy: Policy { model: request.model, min, max, default: max },
        auth: (!request.known.is_open()).then_some(auth),
        open: request.known.is_open(),
        everybody: request.known.common(),
        transactions: Some(TRANSACTIONS_MAX),
        began: Some(clock.wall()),
        ..Profile::default()
    };
    let mut uas = Uas::new(profile, Chance::of(seed, "registrar"));
    request.known.enrol(&mut uas);
    uas
}

fn trace(request: &Request) -> Trace {
    if request.verbose == 0 {
        return Trace::silent("registrar");
    }
    let json = request.json;
    Trace::new(
        "registrar",
        Rc::new(move |seen| {
            let sight = Sight::of(seen.moment, seen.node, seen.who, seen.note);
            let mut line = Vec::new();
            if !json {
                say(&format!("{}  {}", seen.moment, seen.note));
            } else if sight.write_json(&mut line).is_ok() {
                say(String::from_utf8_lossy(&line).trim_end());
            }
        }),
    )
}

/// Says now and then what was done, until somebody says stop.
async fn watch(request: &Request, door: &Addr<UdpDoor>, registrar: &Addr<Registrar>) {
    let mut stop = signal(SignalKind::terminate()).ok();
    let mut ticks = request.every.map(|every| {
        let mut ticks = interval(every.max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    });
    if let Some(ticks) = &mut ticks {
        ticks.tick().await;
    }
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return,
            () = told(&mut stop) => return,
            () = ticked(&mut ticks) => tell(request, door, registrar, "stats").await,
        }
    }
}

async fn told(stop: &mut Option<Signal>) {
    match stop {
        Some(stop) => _ = stop.recv().await,
        None => std::future::pending().await,
    }
}

async fn ticked(ticks: &mut Option<Interval>) {
    match ticks {
        Some(ticks) => _ = ticks.tick().await,
        None => std::future::pending().await,
    }
}

async fn tell(request: &Request, door: &Addr<UdpDoor>, registrar: &Addr<Registrar>, event: &str) {
    let served: Served = registrar.send(Tell).await.unwrap_or_default();
    let socket: Counts = door.send(CountDoor).await.unwrap_or_default();
    say(&if request.json {
        counts::json(event, &served, socket).to_string()
    } else {
        counts::text(&served, socket)
    });
}

#[cfg(test)]
mod tests {
    use tokio::net::UdpSocket;

    use super::*;

    fn request() -> Request {
        Request {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            domains: vec!["example.com".into()],
            model: Model::Multi,
            known: Known::Everybody(Secret::new("x")),
            algorithms: vec![Algorithm::MD5],
            expires: (Duration::from_secs(60), Duration::from_secs(3600)),
            orders: Vec::new(),
            every: None,
            limit: None,
            json: false,
            verbose: 0,
        }
    }

    async fn ask(client: &UdpSocket, at: SocketAddr, turn: u32) -> Option<String> {
        let own = client.local_addr().expect("an address");
        let text = format!(
            "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{turn}\r\nMax-Forwards: 70\r\n\
             From: <sip:101@example.com>;tag=f\r\nTo: <sip:101@example.com>\r\nCall-ID: c\r\n\
             CSeq: {turn} REGISTER\r\nContact: <sip:101@{own}>\r\nContent-Length: 0\r\n\r\n"
        );
        client.send_to(text.as_bytes(), at).await.expect("a socket");
        let mut buffer = [0; 2048];
        let (len, _) = timeout(Duration::from_millis(500), client.recv_from(&mut buffer)).await.ok()?.ok()?;
        Some(String::from_utf8_lossy(&buffer[..len]).lines().next().unwrap_or("").to_owned())
    }

    #[test]
    fn it_answers_on_a_real_socket_and_misbehaves_when_told() {
        System::new().block_on(async {
            let request = request();
            let (door, at) = UdpDoor::open(request.listen).await.expect("a socket");
            let clock = Rc::new(Clock::new(Origin::now(), Calendar::System, OmmId::new(0)));
            let uas = answerer(&request, &clock, 1, Secret::new("key"));
            let registrar = stand(uas, &door, clock, trace(&request), false);
            let client = UdpSocket::bind(request.listen).await.expect("a socket");
            assert_eq!(ask(&client, at, 1).await.as_deref(), Some("SIP/2.0 401 Unauthorized"));
            order::give(&order::read("storm 500").expect("an order"), &registrar);
            // An order may be given while a request is on its way: the first one that is answered so proves it.
            let mut seen = None;
            for turn in 2..50 {
                seen = ask(&client, at, turn).await;
                if seen.as_deref().is_some_and(|line| line.starts_with("SIP/2.0 500")) {
                    break;
                }
            }
            assert_eq!(seen.as_deref(), Some("SIP/2.0 500 Server Internal Error"));
            let served = registrar.send(Tell).await.expect("a registrar");
            assert_eq!((served.answers.get(&500), served.contacts), (Some(&1), 0));
        });
    }
}
