//! Checks that need the network: ports of our own, SIP servers, the central.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ::actors::clock::Origin;
use ::actors::doors::Fetched;
use ::axi::provision::external;
use bytes::Bytes;
use machine::chance::Chance;
use machine::time::Moment;
use omm::epr::File;
use sip::draft::Draft;
use sip::frame::{Framed, Framer};
use sip::message::Message;
use sip::name::Name;
use sip::target::{Target, Transport};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use super::{Finding, Verdict};
use crate::config::epr::Epr;
use crate::config::server::{Server, Where};
use crate::config::site::Site;
use crate::config::tier::Tier;
use crate::epr::Provisioner;
use crate::resolver::{Resolver, Unresolved};
use crate::sockets::tls::Trust;

/// First wait before an OPTIONS is repeated, then doubled (RFC 3261 17.1.2.2: T1).
const T1: Duration = Duration::from_millis(500);

/// Whether the address can be bound for UDP.
pub(super) async fn bind_udp(at: SocketAddr) -> io::Result<()> {
    UdpSocket::bind(at).await.map(drop)
}

/// Whether the provisioning server answers: with its common file where there is one, otherwise with anything.
pub(super) async fn epr(epr: &Epr) -> Finding {
    let (what, place) = ("epr", &epr.source);
    let fail = |why: &str| Finding::new(what, Verdict::Fail, format!("{place}: {why}"));
    let door = match Provisioner::new(epr) {
        Ok(door) => door,
        Err(unfit) => return fail(&unfit.to_string()),
    };
    match (door.fetch(File::Common.name()).await, epr.policy.common) {
        (Fetched::Text(text), _) => match external::read(text.reveal()) {
            Ok(_) => Finding::new(what, Verdict::Pass, format!("{place} has {}", File::Common.name())),
            Err(mistake) => fail(&format!("{}:{}: {mistake}", File::Common.name(), mistake.line)),
        },
        (Fetched::Missing, false) => Finding::new(what, Verdict::Pass, format!("{place} answers")),
        (Fetched::Missing, true) => fail(&format!("there is no {}", File::Common.name()))
            .hint("put it there, or write common = false: as long as it is missing no user is read"),
        (Fetched::Failed(why), _) => fail(&why),
    }
}

/// Whether the address can be bound for TCP.
pub(super) async fn bind_tcp(at: SocketAddr) -> io::Result<()> {
    TcpListener::bind(at).await.map(drop)
}

/// Whether the server of a tier is found, and any of its targets answers an OPTIONS; any answer will do.
pub(super) async fn tier(
    what: String,
    site: &Site,
    tier: &Tier,
    dns: Option<&Resolver>,
    seed: u64,
) -> Finding {
    let targets = match resolve(tier.hop(), dns).await {
        Ok(targets) => targets,
        Err(error) => return Finding::new(what, Verdict::Fail, format!("{}: {error}", tier.hop())),
    };
    let origin = Origin::now();
    let mut told = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        let call = Chance::of(seed, &format!("check/{}/{index}", tier.name)).hex(24);
        let sent = origin.moment();
        match options(site, tier, target, &call).await {
            Ok(code) => {
                let text = format!("{target} answers {code} after {}", elapsed(&origin, sent));
                let silent =
                    if told.is_empty() { String::new() } else { format!("; silent: {}", told.join(", ")) };
                let verdict = if told.is_empty() { Verdict::Pass } else { Verdict::Warn };
                return Finding::new(what, verdict, format!("{text}{silent}"));
            }
            Err(error) => told.push(format!("{target} ({error})")),
        }
    }
    Finding::new(what, Verdict::Fail, format!("no answer to OPTIONS from {}", told.join(", ")))
        .hint("is the server running, and is UDP to and from it let through?")
}

fn elapsed(origin: &Origin, sent: Moment) -> String {
    format!("{} ms", origin.moment().since(sent).as_millis())
}

async fn resolve(server: &Server, dns: Option<&Resolver>) -> Result<Vec<Target>, Unresolved> {
    match (dns, &server.host) {
        (Some(dns), _) => dns.resolve(server).await.map(|(targets, _)| targets),
        (None, Where::Address(ip)) => {
            let transport = server.transport.unwrap_or(Transport::Udp);
            let port = server.port.unwrap_or(transport.default_port());
            Ok(vec![Target::new(transport, SocketAddr::new(*ip, port))])
        }
        (None, Where::Name(_)) => Err(Unresolved::Dns("not configured".into())),
    }
}

/// The status of the answer to an OPTIONS.
async fn options(site: &Site, tier: &Tier, target: &Target, call: &str) -> Result<u16, String> {
    if target.transport.is_reliable() {
        let asked = timeout(site.timers.failover, over_stream(site, tier, target, call)).await;
        return asked.unwrap_or_else(|_| Err("no answer".into()));
    }
    let socket =
        UdpSocket::bind(SocketAddr::new(site.sip.listen.ip(), 0)).await.map_err(|error| error.to_string())?;
    // A connected socket hears from the kernel that nobody listens there.
    socket.connect(target.addr).await.map_err(|error| error.to_string())?;
    let own = socket.local_addr().map_err(|error| error.to_string())?;
    let request = request(tier, Transport::Udp, own, &site.sip.domain, call);
    timeout(site.timers.failover, exchange(&socket, &request, call))
        .await
        .unwrap_or_else(|_| Err(format!("silent for {}", humantime::format_duration(site.timers.failover))))
}

/// The same over a connection of its own; over TLS, whoever answers must be who was asked for.
async fn over_stream(site: &Site, tier: &Tier, target: &Target, call: &str) -> Result<u16, String> {
    let stream = TcpStream::connect(target.addr).await.map_err(|error| error.to_string())?;
    let own = stream.local_addr().map_err(|error| error.to_string())?;
    let request = request(tier, target.transport, own, &site.sip.domain, call);
    if target.transport == Transport::Tcp {
        return converse(stream, &request, call).await;
    }
    let trust = Trust::read(site.sip.ca.as_deref()).map_err(|unfit| unfit.to_string())?;
    let name = match &tier.hop().host {
        Where::Name(name) => name.clone(),
        Where::Address(ip) => ip.to_string(),
    };
    let secret = trust.greet(stream, &[name.into()]).await.map_err(|error| error.to_string())?;
    converse(secret, &request, call).await
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &Bytes,
    call: &str,
) -> Result<u16, String> {
    stream.write_all(request).await.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())?;
    let (mut framer, mut buffer) = (Framer::new(), vec![0; 4096]);
    loop {
        while let Some(framed) = framer.next().map_err(|why| why.to_string())? {
            if let Framed::Message(message) = framed
                && let (Some(code), Ok(id)) = (message.code(), message.call_id())
                && id == call
            {
                return Ok(code);
            }
        }
        match stream.read(&mut buffer).await.map_err(|error| error.to_string())? {
            0 => return Err("closed by the other side".into()),
            len => framer.push(buffer.get(..len).unwrap_or_default()),
        }
    }
}

async fn exchange(socket: &UdpSocket, request: &Bytes, call: &str) -> Result<u16, String> {
    let mut buffer = vec![0; 65_535];
    let mut wait = T1;
    loop {
        socket.send(request).await.map_err(|error| error.to_string())?;
        match timeout(wait, heard(socket, &mut buffer, call)).await {
            Ok(answer) => return answer,
            Err(_) => wait *= 2,
        }
    }
}

/// Waits for an answer to our own request; provisional answers will do as well.
async fn heard(socket: &UdpSocket, buffer: &mut [u8], call: &str) -> Result<u16, String> {
    loop {
        let len = socket.recv(buffer).await.map_err(|error| error.to_string())?;
        let bytes = Bytes::copy_from_slice(buffer.get(..len).unwrap_or_default());
        if let Ok(message) = Message::parse(bytes)
            && let (Some(code), Ok(id)) = (message.code(), message.call_id())
            && id == call
        {
            return Ok(code);
        }
    }
}

fn request(tier: &Tier, transport: Transport, own: SocketAddr, domain: &str, call: &str) -> Bytes {
    let uri = tier.request_uri().unwrap_or_else(|| tier.server.address());
    Draft::request("OPTIONS", &uri)
        .print(Name::Via, format_args!("SIP/2.0/{} {own};branch=z9hG4bK{call};rport", transport.via()))
        .line(Name::MaxForwards, "70")
        .maybe(Name::Route, tier.route().as_deref())
        .print(Name::From, format_args!("<sip:check@{domain}>;tag={call}"))
        .print(Name::To, format_args!("<{uri}>"))
        .line(Name::CallId, call)
        .line(Name::CSeq, "1 OPTIONS")
        .line(Name::Accept, "application/sdp")
        .print(Name::UserAgent, format_args!("homing/{}", env!("CARGO_PKG_VERSION")))
        .finish()
}
