//! `homing serve`: one OMM in the real world.
//!
//! ```text
//! SIP socket --> endpoint --+            +--> AXI connections
//! AXI listener -> boss ----> OMM actors --+--> SIP socket
//! control socket -> boss ----+            +--> store
//! ```
//!
//! The [`Boss`] hires the OMM, and hires a new one when it had to start over. Everything the new one needs to know is
//! in the store.

use std::rc::Rc;

use ::actors::clock::{Calendar, Clock, Origin};
use ::actors::doors::TellKey;
use ::actors::trace::Trace;
use actix::{Actor, System};
use serde_json::{Value, json};
use sip::target::Transport;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::config::site::Site;
use crate::control;
use crate::diary::Diary;
use crate::entropy;
use crate::epr::Provisioner;
use crate::exit::Exit;
use crate::keys::Vault;
use crate::peer::tls::Greeter;
use crate::peer::{self, Dialer, Greeting, badge};
use crate::sockets::UdpDoor;
use crate::sockets::streams::{self, StreamDoor};
use crate::sockets::tls::{Badge, Trust};
use crate::store;

pub mod ask;
pub mod birth;
pub mod boss;
pub mod drill;
pub mod office;
pub mod seeker;
pub mod servers;
pub mod supply;
pub mod watch;

use ask::Ask;
use boss::{Boss, Outfit, Quit};

/// Runs the OMM of `site` until it is told to stop.
pub fn run(site: Site) -> Exit {
    System::new().block_on(async move {
        match serve(site).await {
            Ok(()) => Exit::Passed,
            Err(why) => {
                tracing::error!("{why}");
                Exit::Missing
            }
        }
    })
}

async fn serve(site: Site) -> Result<(), String> {
    let what = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
    let site = Rc::new(site);
    let (seed, key) = entropy::seed().zip(entropy::key()).ok_or("the system gives no random numbers")?;
    let owner = format!("homing serve, site {}", site.name);
    let store = store::open(site.engine, &site.data_dir, &owner).map_err(|fault| fault.to_string())?;
    let (door, bound) = UdpDoor::open_both(site.sip.listen, site.sip.listen_other)
        .await
        .map_err(what("the SIP socket cannot be opened"))?;
    let clock = Rc::new(Clock::new(Origin::now(), Calendar::System, birth::identity(&site)));
    let diary = Rc::new(Diary::default());
    let trace = Trace::new(&site.name, watch::listener(diary.clone(), clock.clone()));
    let (gave_up, mut given_up) = mpsc::channel(1);
    let streams = StreamDoor::new(trust(&site)?).start();
    let greeter = site.link.as_ref().and_then(|link| link.tls.as_ref()).map(Greeter::new);
    let greeter = greeter.transpose().map_err(|unfit| format!("no central can be believed: {unfit}"))?;
    let dialer = Dialer::new(greeter).start();
    let entrance = badge::door(&site).map_err(|unfit| format!("AXI has no certificate to show: {unfit}"))?;
    let vault = Vault::default().start();
    let provisioner = site.epr.as_ref().map(Provisioner::new).transpose();
    let provisioner = provisioner
        .map_err(|unfit| format!("no provisioning server can be believed: {unfit}"))?
        .map(Actor::start);
    if site.axi.is_some() {
        // So that the first client need not wait for it.
        vault.do_send(TellKey);
    }
    let outfit = Outfit {
        site: site.clone(),
        clock,
        trace,
        diary,
        seed,
        key,
        door,
        streams,
        dialer,
        entrance,
        vault,
        provisioner,
        store,
        gave_up,
    };
    let boss = Boss::new(outfit).start();
    listen(&site, &boss).await?;
    listen_axi(&site, &boss).await?;
    let asked = boss.clone();
    let socket = control::listen(&site.control, move |request| answer(asked.clone(), request)).await;
    let _socket = socket.map_err(what("the control socket cannot be opened"))?;
    tracing::info!(site = %site.name, role = site.role.word(), park = %site.park, sip = %bound, "in service");

    let mut term = signal(SignalKind::terminate()).map_err(what("signals cannot be heard"))?;
    let ended = tokio::select! {
        why = given_up.recv() => Err(why.unwrap_or_default()),
        heard = tokio::signal::ctrl_c() => heard.map_err(what("signals cannot be heard")),
        _ = term.recv() => Ok(()),
    };
    tracing::info!("stopping; registrations are left as they are");
    let _ = boss.send(Quit).await;
    ended
}

/// Whom to believe over TLS. Without any authority the service runs on, unless a server is asked for by TLS.
fn trust(site: &Site) -> Result<Option<Trust>, String> {
    let is_needed = site.tiers.iter().any(|tier| tier.hop().transport == Some(Transport::Tls));
    match Trust::read(site.sip.ca.as_deref()) {
        Ok(trust) => Ok(Some(trust)),
        Err(unfit) if is_needed || site.sip.ca.is_some() => Err(format!("nobody can be believed: {unfit}")),
        Err(_) => Ok(None),
    }
}

/// Listens for SIP over TCP and TLS, where the site wants it.
async fn listen(site: &Site, boss: &actix::Addr<Boss>) -> Result<(), String> {
    let told = |error: std::io::Error| format!("a SIP listener cannot be opened: {error}");
    if let Some(at) = site.sip.listen_tcp {
        let bound = streams::listen(at, None, boss.clone().recipient()).await.map_err(told)?;
        tracing::info!(%bound, "listening for SIP over TCP");
    }
    if let Some(secure) = &site.sip.listen_tls {
        let badge = Badge::read(&secure.certificate, &secure.key).map_err(|unfit| unfit.to_string())?;
        let bound =
            streams::listen(secure.listen, Some(badge), boss.clone().recipient()).await.map_err(told)?;
        tracing::info!(%bound, "listening for SIP over TLS");
    }
    Ok(())
}

/// Listens for other OMMs and applications, where the site wants it.
async fn listen_axi(site: &Site, boss: &actix::Addr<Boss>) -> Result<(), String> {
    let told = |error: std::io::Error| format!("an AXI listener cannot be opened: {error}");
    let Some(axi) = &site.axi else { return Ok(()) };
    if let Some(at) = axi.listen {
        let badge::Shown { badge, file, fingerprint, .. } =
            badge::show(site).map_err(|unfit| format!("AXI has no certificate to show: {unfit}"))?;
        let bound = peer::listen(at, Greeting::Tls(badge), boss.clone().recipient()).await.map_err(told)?;
        tracing::info!(%bound, certificate = %file.display(), %fingerprint, "listening for AXI over TLS");
    }
    if let Some(at) = axi.listen_plain {
        let bound = peer::listen(at, Greeting::Plain, boss.clone().recipient()).await.map_err(told)?;
        tracing::warn!(%bound, "listening for AXI without TLS: passwords can be read on the way");
    }
    #[cfg(feature = "openssl")]
    if let Some(at) = axi.listen_static_rsa {
        let (badge, file) = peer::static_rsa::RsaBadge::of(site)
            .map_err(|unfit| format!("AXI with static RSA has no certificate to show: {unfit}"))?;
        let bound =
            peer::listen(at, Greeting::StaticRsa(badge), boss.clone().recipient()).await.map_err(told)?;
        tracing::warn!(%bound, certificate = %file.display(), "listening for AXI over TLS without forward secrecy");
    }
    Ok(())
}

/// What the control socket answers.
async fn answer(boss: actix::Addr<Boss>, request: Value) -> Value {
    let ask = match Ask::read(&request) {
        Ok(ask) => ask,
        Err(why) => return json!({"error": why}),
    };
    boss.send(ask).await.unwrap_or_else(|_| json!({"error": "the service is stopping"}))
}
