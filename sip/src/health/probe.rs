//! The OPTIONS to one server, one at a time to a target, their copies, and what an answer says about the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use machine::chance::Chance;
use machine::time::Moment;

use crate::draft::Draft;
use crate::message::Message;
use crate::name::Name;
use crate::report::Evidence;
use crate::server::Local;
use crate::target::Target;
use crate::transaction::client::{Client, Due, Heard};
use crate::via::MAGIC_COOKIE;

const METHOD: &str = "OPTIONS";

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A 1xx: the final answer may still come in time.
    Pending,
    /// The probe of this target is over, with this evidence.
    Ended(Target, Evidence),
}

/// The client side of the probes of one server.
#[derive(Debug)]
pub(super) struct Probe {
    local: Arc<Local>,
    uri: String,
    route: Option<Arc<str>>,
    chance: Chance,
    call_id: String,
    tag: String,
    cseq: u32,
    /// At most one to each target.
    flights: Vec<Flight>,
}

#[derive(Debug)]
struct Flight {
    client: Client,
    cseq: u32,
    to: Target,
    bytes: Bytes,
}

impl Probe {
    pub(super) fn new(local: Arc<Local>, uri: String, route: Option<Arc<str>>, mut chance: Chance) -> Probe {
        let call_id = format!("{}@{}", chance.hex(24), local.host);
        let tag = chance.hex(10);
        Probe { local, uri, route, chance, call_id, tag, cseq: 0, flights: Vec::new() }
    }

    pub(super) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The next OPTIONS, its first copy. A probe of this target that is still under way is given up.
    pub(super) fn send(&mut self, now: Moment, to: Target) -> Bytes {
        self.cseq += 1;
        let branch = format!("{MAGIC_COOKIE}{}", self.chance.hex(16));
        let bytes = Draft::request(METHOD, &self.uri)
            .print(Name::Via, self.local.via(to.transport, &branch))
            .line(Name::MaxForwards, "70")
            .maybe(Name::Route, self.route.as_deref())
            .print(Name::From, format_args!("<sip:{}>;tag={}", self.local.host, self.tag))
            .print(Name::To, format_args!("<{}>", self.uri))
            .line(Name::CallId, &self.call_id)
            .print(Name::CSeq, format_args!("{} {METHOD}", self.cseq))
            .line(Name::Accept, "application/sdp")
            .line(Name::UserAgent, &self.local.agent)
            .finish();
        let client = Client::start(now, branch, METHOD, to.transport.is_reliable());
        self.flights.retain(|flight| flight.to != to);
        self.flights.push(Flight { client, cseq: self.cseq, to, bytes: bytes.clone() });
        bytes
    }

    /// Takes an answer; `None` when it belongs to no probe under way.
    pub(super) fn hear(&mut self, now: Moment, message: &Message) -> Option<Outcome> {
        let (code, cseq) = (message.code()?, message.cseq().ok()?);
        let at = self.flights.iter().position(|flight| flight.cseq == cseq.number)?;
        let flight = self.flights.get_mut(at)?;
        match flight.client.hear(now, message.via().ok()?.branch()?, cseq.method, code) {
            Heard::Provisional => Some(Outcome::Pending),
            Heard::Final => {
                let to = self.flights.remove(at).to;
                Some(Outcome::Ended(to, judge(code, message)))
            }
            Heard::Repeated | Heard::Foreign => None,
        }
    }

    /// The transport could not send to this address: whose probe that was, if one was under way.
    pub(super) fn unsent(&mut self, addr: SocketAddr) -> Option<Target> {
        let at = self.flights.iter().position(|flight| flight.to.addr == addr)?;
        Some(self.flights.remove(at).to)
    }

    /// Gives all probes up, and says whom they asked.
    pub(super) fn end(&mut self) -> Vec<Target> {
        self.flights.drain(..).map(|flight| flight.to).collect()
    }

    pub(super) fn is_over(&self) -> bool {
        self.flights.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.flights.iter().filter_map(|flight| flight.client.deadline()).min_by_key(|(at, _)| *at)
    }

    /// The copies that are due. The owner gives up long before Timer F, so that its end is none of ours.
    pub(super) fn wake(&mut self, now: Moment) -> Vec<(Target, Bytes)> {
        let copy = |flight: &mut Flight| match flight.client.wake(now)? {
            Due::Resend => Some((flight.to, flight.bytes.clone())),
            Due::TimedOut | Due::Over => None,
        };
        self.flights.iter_mut().filter_map(copy).collect()
    }
}

/// Any answer that is not 408 and not a 5xx proves the server alive (SM-3H, Probing).
fn judge(code: u16, message: &Message) -> Evidence {
    match code {
        503 => match message.retry_after() {
            Some(Ok(after)) => Evidence::Overloaded(Duration::from_secs(after.seconds.into())),
            Some(Err(_)) | None => Evidence::Broken(code),
        },
        408 | 500..600 => Evidence::Broken(code),
        _ => Evidence::Alive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Listening;
    use crate::target::Transport;

    #[test]
    fn a_probe_goes_over_the_outbound_proxy_to_what_its_users_ask_for() {
        for route in [None, Some("<sip:sbc.example.com;lr>")] {
            let (sent_by, host, agent) = ("10.0.1.1:5060".into(), "10.0.1.1".into(), "homing".into());
            let local = Local { sent_by, host, agent, overload: true, listening: Listening::default() };
            let (uri, chance) = ("sip:reg.example.com".to_owned(), Chance::of(1, "pbx"));
            let mut probe = Probe::new(Arc::new(local), uri, route.map(Arc::from), chance);
            let to = Target::new(Transport::Udp, ([192, 0, 2, 1], 5060).into());
            let sent = Message::parse(probe.send(Moment::START, to)).expect("an OPTIONS");
            assert_eq!((sent.request_uri(), sent.header(Name::Route)), (Some("sip:reg.example.com"), route));
        }
    }
}
