//! What a message deserves: to be served, to be answered with an error, or to be dropped.
//!
//! ```text
//!   bytes --Message::parse--> Malformed: drop
//!            '-> Message --verdict()--> Ok: well-formed
//!                             |--> Answer 400, 416, 501, 505
//!                             '--> Drop: a response, an ACK, or nowhere to send an answer
//!                          --verdict_on(terms)--> besides 405, 415, 420, 501: well-formed, but not for us
//! ```
//!
//! Follows RFC 4475 and RFC 5118 where those say what to do, RFC 3261 8.1.3.3, 8.2, 16.3 and 18.3 elsewhere. Strict
//! where a guess would be needed (quotes, brackets, spaces in the start line), lenient where the value does not
//! matter to us (Date, Max-Forwards above 255, unreadable expiries, text that is not UTF-8).

use std::net::Ipv4Addr;

use crate::address::NameAddr;
use crate::contact::Contact;
use crate::cseq::Cseq;
use crate::grammar;
use crate::head::Length;
use crate::host::Host;
use crate::malformed::Malformed;
use crate::message::{self, Message};
use crate::name::Name;
use crate::uri::{Scheme, Uri};
use crate::via::{MAGIC_COOKIE, Via};

/// What is wrong with a message, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answer the request with this status.
    Answer {
        /// 400 ... 505.
        code: u16,
        /// The reason phrase, which says what is wrong (RFC 3261 21.4.1).
        reason: String,
    },
    /// Do nothing: a response that cannot be used, an ACK, or a request that nobody could be answered to.
    Drop(Malformed),
}

/// What one of our servers serves (RFC 3261 8.2).
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Methods it serves. Others get 405, methods that no RFC defines get 501.
    pub methods: &'a [&'a str],
    /// Option tags it understands. A request that requires others gets 420.
    pub extensions: &'a [&'a str],
    /// Media types of bodies it reads: `application/sdp`. Others get 415.
    pub media: &'a [&'a str],
}

/// A status code and what it is for.
struct Complaint(u16, Malformed);

impl From<Malformed> for Complaint {
    fn from(why: Malformed) -> Complaint {
        Complaint(400, why)
    }
}

/// Fields of which a message has one at most, besides Content-Length (RFC 3261 7.3.1, RFC 4475 3.3.8).
const SINGLE: [Name; 11] = [
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::MaxForwards,
    Name::Expires,
    Name::MinExpires,
    Name::RetryAfter,
    Name::ContentType,
    Name::Event,
    Name::SubscriptionState,
];

impl Message {
    /// What is wrong with the message itself, whoever receives it.
    pub fn verdict(&self) -> Result<(), Fault> {
        self.well_formed().map_err(|complaint| self.fault(complaint))
    }

    /// What is wrong with it for an endpoint with these terms: all that [`Message::verdict`] finds, then in the order
    /// of RFC 3261 8.2 the method, what the request requires, and the body. A response that still has somebody else's
    /// Via is not for an endpoint (8.1.3.3).
    pub fn verdict_on(&self, terms: &Terms<'_>) -> Result<(), Fault> {
        self.verdict()?;
        self.acceptable(terms).map_err(|complaint| self.fault(complaint))
    }

    /// The option tags in Require that are not among `ours`: the Unsupported of a 420 (RFC 3261 8.2.2.3).
    pub fn unsupported<'m>(&'m self, ours: &[&str]) -> impl Iterator<Item = &'m str> {
        self.values(Name::Require)
            .filter(|tag| !tag.is_empty() && !ours.iter().any(|it| it.eq_ignore_ascii_case(tag)))
    }

    fn fault(&self, Complaint(code, why): Complaint) -> Fault {
        let is_answerable =
            why != Malformed::Missing("Via") && self.method().is_some_and(|method| method != "ACK");
        if is_answerable {
            Fault::Answer { code, reason: format!("{}: {why}", message::phrase(code)) }
        } else {
            Fault::Drop(why)
        }
    }

    fn well_formed(&self) -> Result<(), Complaint> {
        if !self.version().eq_ignore_ascii_case("SIP/2.0") {
            return Err(Complaint(505, Malformed::Unsupported("SIP version")));
        }
        if let Some(fault) = self.scan_fault() {
            return Err(fault.into());
        }
        self.single_fields()?;
        self.vias()?;
        known_address(self.from()?)?;
        known_address(self.to()?)?;
        self.call_id()?;
        let cseq = self.cseq()?;
        self.whole_body()?;
        if self.is_request() { self.request(cseq) } else { Ok(()) }
    }

    fn single_fields(&self) -> Result<(), Malformed> {
        let mut seen = [false; SINGLE.len()];
        for name in self.names() {
            if let Some((name, seen)) = SINGLE.iter().zip(&mut seen).find(|(single, _)| **single == name)
                && std::mem::replace(seen, true)
            {
                return Err(Malformed::Repeated(name.as_str()));
            }
        }
        Ok(())
    }

    fn vias(&self) -> Result<(), Malformed> {
        let mut values = self.values(Name::Via).peekable();
        values.peek().ok_or(Malformed::Missing("Via"))?;
        for value in values {
            let via = Via::parse(value)?;
            // A response to everybody is an attack (RFC 4475 3.3.10).
            if via.host == Host::V4(Ipv4Addr::BROADCAST) {
                return Err(Malformed::Syntax("Via: broadcast address"));
            }
            // The cookie promises a unique branch, and none follows (RFC 4475 3.2.1).
            if via.branch().is_some_and(|branch| branch.eq_ignore_ascii_case(MAGIC_COOKIE)) {
                return Err(Malformed::Syntax("Via: empty branch"));
            }
        }
        Ok(())
    }

    fn whole_body(&self) -> Result<(), Malformed> {
        match self.length() {
            (Length::Bad(why), _) => Err(why),
            (Length::Given(_), false) => Err(Malformed::Syntax("Content-Length: larger than the message")),
            (Length::Given(_) | Length::Absent, _) => Ok(()),
        }
    }

    fn request(&self, cseq: Cseq<'_>) -> Result<(), Complaint> {
        let method = self.method().unwrap_or("");
        if !grammar::is_token(method) {
            return Err(Malformed::Syntax("method").into());
        }
        let uri = Uri::parse(self.request_uri().unwrap_or(""))?;
        if matches!(uri.scheme, Scheme::Other(_)) {
            return Err(Complaint(416, Malformed::Unsupported("URI scheme")));
        }
        if uri.headers.is_some() {
            return Err(Malformed::Syntax("Request-URI: has header fields").into());
        }
        if cseq.method != method {
            // 501 "has better future-proof characteristics" for a method nobody knows (RFC 4475 3.1.2.18).
            let code = if self.has_known_method() { 400 } else { 501 };
            return Err(Complaint(code, Malformed::Syntax("CSeq: another method")));
        }
        if let Some(Err(why @ Malformed::Syntax(_))) = self.max_forwards() {
            return Err(why.into());
        }
        self.contact_values()?;
        // An AOR is a SIP or SIPS URI (RFC 3261 10.3, RFC 4475 3.3.4).
        if method == "REGISTER" && !self.to()?.uri()?.is_sip() {
            return Err(Malformed::Syntax("To: no SIP URI").into());
        }
        Ok(())
    }

    /// In requests only: a registrar's 200 lists what others registered, and must not be lost for it.
    fn contact_values(&self) -> Result<(), Malformed> {
        let (mut count, mut has_star) = (0_usize, false);
        for value in self.values(Name::Contact) {
            count += 1;
            if value == "*" {
                has_star = true;
            } else {
                known_address(Contact::parse(value)?.addr)?;
            }
        }
        if has_star && count > 1 { Err(Malformed::Syntax("Contact: a star among others")) } else { Ok(()) }
    }

    fn acceptable(&self, terms: &Terms<'_>) -> Result<(), Complaint> {
        let Some(method) = self.method() else {
            let is_ours = self.values(Name::Via).nth(1).is_none();
            return if is_ours { Ok(()) } else { Err(Malformed::Repeated("Via").into()) };
        };
        if !terms.methods.contains(&method) {
            let code = if self.has_known_method() { 405 } else { 501 };
            return Err(Complaint(code, Malformed::Unsupported("method")));
        }
        // Neither an ACK nor a CANCEL is refused for what it requires (RFC 3261 8.2.2.3).
        if !matches!(method, "ACK" | "CANCEL") && self.unsupported(terms.extensions).next().is_some() {
            return Err(Complaint(420, Malformed::Unsupported("extension")));
        }
        if self.body().is_empty() || self.is_body_optional() || self.reads_body(terms) {
            return Ok(());
        }
        Err(Complaint(415, Malformed::Unsupported("body")))
    }

    fn reads_body(&self, terms: &Terms<'_>) -> bool {
        let media = |text: &str| grammar::trim(text.split(';').next().unwrap_or("")).to_ascii_lowercase();
        let is_plain =
            self.values(Name::ContentEncoding).all(|coding| coding.eq_ignore_ascii_case("identity"));
        // Without a Content-Type nobody knows what it is; RFC 3261 7.4.1 wants one.
        let kind = self.header(Name::ContentType).map(media);
        is_plain && kind.is_some_and(|kind| terms.media.iter().any(|ours| kind == *ours))
    }

    /// Whether the sender says that the body may be ignored (RFC 3261 20.11).
    fn is_body_optional(&self) -> bool {
        let disposition = self.header(Name::ContentDisposition).unwrap_or("");
        let handling =
            disposition.find(';').and_then(|at| disposition.get(at..)).map(crate::param::Params::lazy);
        handling
            .and_then(|params| params.get("handling"))
            .is_some_and(|it| it.eq_ignore_ascii_case("optional"))
    }
}

/// Whether the URI inside can be read; its scheme does not matter here.
fn known_address(addr: NameAddr<'_>) -> Result<(), Malformed> {
    addr.uri().map(drop)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const TERMS: Terms<'_> =
        Terms { methods: &["REGISTER", "ACK"], extensions: &["path"], media: &["text/plain"] };

    /// A REGISTER with some of its lines replaced, or with further lines.
    fn register(changes: &[(&str, &str)]) -> Message {
        let mut lines = vec![
            ("", "REGISTER sip:example.com SIP/2.0"),
            ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
            ("From", "<sip:101@example.com>;tag=a"),
            ("To", "<sip:101@example.com>"),
            ("Call-ID", "x@192.0.2.1"),
            ("CSeq", "7 REGISTER"),
        ];
        for change in changes {
            match lines.iter_mut().find(|(name, _)| *name == change.0) {
                Some(line) => *line = *change,
                None => lines.push(*change),
            }
        }
        let text: String = lines
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(
                |(name, value)| {
                    if name.is_empty() { format!("{value}\r\n") } else { format!("{name}: {value}\r\n") }
                },
            )
            .collect();
        Message::parse(Bytes::from(text + "\r\nbody")).expect("a message")
    }

    /// 0 for a message that is served, 1 for one that is dropped, the status otherwise.
    fn code(verdict: Result<(), Fault>) -> u16 {
        match verdict {
            Ok(()) => 0,
            Err(Fault::Drop(_)) => 1,
            Err(Fault::Answer { code, .. }) => code,
        }
    }

    #[test]
    fn every_fault_has_its_answer() {
        let rows = [
            ("Subject", "all is well", 0),
            ("X-New!", "too", 0),
            ("X New", "is no name", 400),
            ("Via", "", 1),
            ("Via", "SIP/2.0/UDP 255.255.255.255", 400),
            ("From", "", 400),
            ("To", "<tel:+49301234>", 400),
            ("Call-ID", "", 400),
            ("Call-ID", "a@b@c", 400),
            ("CSeq", "7 INVITE", 400),
            ("CSeq", "", 400),
            ("to", "<sip:102@example.com>", 400),
            ("Contact", "*", 0),
            ("Contact", "*, <sip:a@h>", 400),
            ("Contact", "<sip:a@h>, <sip:b@ h>", 400),
            ("Max-Forwards", "300", 0),
            ("Max-Forwards", "many", 400),
            ("Expires", "soon", 0),
            ("Content-Length", "5", 400),
            ("", "REGISTER sip:example.com SIP/3.0", 505),
            ("", "REGISTER mailto:a@b SIP/2.0", 416),
            ("", "REGISTER sip:example.com?a=b SIP/2.0", 400),
            ("", "ACK sip:example.com SIP/2.0", 1),
            ("", "SIP/2.0 200 OK", 0),
            ("", "SIP/3.0 200 OK", 1),
        ];
        for (name, value, expected) in rows {
            assert_eq!(code(register(&[(name, value)]).verdict()), expected, "{name}: {value}");
        }
        let reason = Fault::Answer { code: 400, reason: "Bad Request: Call-ID missing".to_owned() };
        assert_eq!(register(&[("Call-ID", "")]).verdict(), Err(reason));
    }

    #[test]
    fn an_endpoint_serves_on_its_own_terms() {
        let plain = ("Content-Type", "Text/Plain;charset=utf-8");
        let rows: [(&[(&str, &str)], u16); 10] = [
            (&[plain], 0),
            (&[plain, ("Require", "path")], 0),
            (&[plain, ("Require", "Path, outbound")], 420),
            (&[], 415),
            (&[("Content-Type", "application/sdp")], 415),
            (&[("Content-Type", "a/b"), ("Content-Disposition", "session; handling=Optional")], 0),
            (&[plain, ("Content-Encoding", "gzip")], 415),
            (&[("", "OPTIONS sip:h SIP/2.0"), ("CSeq", "1 OPTIONS")], 405),
            (&[("", "NEW sip:h SIP/2.0"), ("CSeq", "1 NEW")], 501),
            (&[plain, ("", "ACK sip:h SIP/2.0"), ("CSeq", "1 ACK"), ("Require", "x")], 0),
        ];
        for (changes, expected) in rows {
            assert_eq!(code(register(changes).verdict_on(&TERMS)), expected, "{changes:?}");
        }
        let foreign = [("", "SIP/2.0 200 OK"), ("v", "SIP/2.0/UDP h")];
        assert_eq!(code(register(&foreign).verdict()), 0);
        assert_eq!(code(register(&foreign).verdict_on(&TERMS)), 1);
        let asked = register(&[("Require", "path, outbound, gruu")]);
        assert_eq!(asked.unsupported(TERMS.extensions).collect::<Vec<_>>(), ["outbound", "gruu"]);
    }
}
