//! One OPTIONS at a time, its copies, and what its answer says about the server.

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
    /// The probe is over, with this evidence.
    Ended(Evidence),
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
    flight: Option<Flight>,
}

#[derive(Debug)]
struct Flight {
    client: Client,
    to: Target,
    bytes: Bytes,
}

impl Probe {
    pub(super) fn new(local: Arc<Local>, uri: String, route: Option<Arc<str>>, mut chance: Chance) -> Probe {
        let call_id = format!("{}@{}", chance.hex(24), local.host);
        let tag = chance.hex(10);
        Probe { local, uri, route, chance, call_id, tag, cseq: 0, flight: None }
    }

    pub(super) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The next OPTIONS, its first copy. A probe that is still under way is given up.
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
        self.flight = Some(Flight { client, to, bytes: bytes.clone() });
        bytes
    }

    /// Takes an answer; `None` when it belongs to no probe under way.
    pub(super) fn hear(&mut self, now: Moment, message: &Message) -> Option<Outcome> {
        let flight = self.flight.as_mut()?;
        let (code, cseq) = (message.code()?, message.cseq().ok()?);
        if cseq.number != self.cseq {
            return None;
        }
        match flight.client.hear(now, message.via().ok()?.branch()?, cseq.method, code) {
            Heard::Provisional => Some(Outcome::Pending),
            Heard::Final => {
                self.flight = None;
                Some(Outcome::Ended(judge(code, message)))
            }
            Heard::Repeated | Heard::Foreign => None,
        }
    }

    /// Gives the probe up; false when none was under way.
    pub(super) fn end(&mut self) -> bool {
        self.flight.take().is_some()
    }

    pub(super) fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.flight.as_ref()?.client.deadline()
    }

    /// The copy that is due. The owner gives up long before Timer F, so that its end is none of ours.
    pub(super) fn wake(&mut self, now: Moment) -> Option<(Target, Bytes)> {
        let flight = self.flight.as_mut()?;
        match flight.client.wake(now)? {
            Due::Resend => Some((flight.to, flight.bytes.clone())),
            Due::TimedOut | Due::Over => None,
        }
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
