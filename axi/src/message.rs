//! Every message of a session with an AXI client: those that are spoken here, and all others kept as they came.

use bytes::Bytes;
use omm::claim::Word;

use crate::element::Element;
use crate::error::{Complaint, ErrCode, Fault, Refused};
use crate::open::{Open, OpenResp};
use crate::ping::{Ping, PingResp};
use crate::roam;
use crate::seq::Seq;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A login.
    Open(Open),
    /// Its answer.
    OpenResp(Box<OpenResp>),
    /// "Are you there?"
    Ping(Ping),
    /// Its answer.
    PingResp(PingResp),
    /// A word about a roam, in sessions with an OMM of ours only.
    Word(Word),
    /// The end of a download or an upload, likewise.
    SyncComplete,
    /// Anything else. [`unknown`] is the answer to give.
    Other(Element<'static>),
}

impl Message {
    /// Reads one message without its NUL.
    pub fn read(message: &[u8]) -> Result<Message, Fault> {
        let element = Element::read(message)?;
        Ok(match element.name() {
            "Open" => Message::Open(Open::read(&element)?),
            "OpenResp" => Message::OpenResp(Box::new(OpenResp::read(&element)?)),
            "Ping" => Message::Ping(Ping::read(&element)?),
            "PingResp" => Message::PingResp(PingResp::read(&element)?),
            roam::END => Message::SyncComplete,
            _ => match roam::read(&element)? {
                Some(word) => Message::Word(word),
                None => Message::Other(element.into_owned()),
            },
        })
    }

    /// One message with its NUL, to be handed to the connection in one piece.
    pub fn bytes(&self) -> Bytes {
        let mut out = String::new();
        match self {
            Message::Open(open) => open.element().write(&mut out),
            Message::OpenResp(response) => response.element().write(&mut out),
            Message::Ping(ping) => ping.element().write(&mut out),
            Message::PingResp(response) => response.element().write(&mut out),
            Message::Word(word) => roam::write(word, &mut out),
            Message::SyncComplete => Element::new(roam::END).write(&mut out),
            Message::Other(element) => element.write(&mut out),
        }
        out.push('\0');
        Bytes::from(out)
    }
}

/// What to answer to a request that is not spoken here: `<XResp seq errCode="EInval" info="..."/>`. An event or a
/// response gets no answer, so that two ends cannot complain at each other for ever.
pub fn unknown(request: &Element<'_>) -> Option<Element<'static>> {
    let name = request.name();
    if name.starts_with("Event") || name.ends_with("Resp") {
        return None;
    }
    let why =
        Refused { info: Some("this message is not supported".to_owned()), ..Refused::new(ErrCode::Inval) };
    let seq = request.get("seq").and_then(Seq::read);
    Some(Complaint { message: name.into(), seq, why }.answer())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_request_is_kept_and_answered_with_its_cookie() {
        let Ok(Message::Other(request)) = Message::read(br#"<GetWeather seq="0" at="Berlin"/>"#) else {
            panic!("GetWeather is not spoken");
        };
        assert_eq!(
            unknown(&request).unwrap().to_string(),
            r#"<GetWeatherResp seq="0" errCode="EInval" info="this message is not supported"/>"#
        );
        assert_eq!(&Message::Other(request).bytes()[..], b"<GetWeather seq=\"0\" at=\"Berlin\"/>\0");
        let without = Element::new("GetWeather").with("seq", "x\"y");
        assert!(unknown(&without).unwrap().get("seq").is_none(), "only an integer is echoed");
    }

    #[test]
    fn events_and_responses_are_never_answered() {
        for name in ["EventWeather", "GetWeatherResp"] {
            assert_eq!(unknown(&Element::new(name)), None);
        }
    }

    #[test]
    fn what_is_spoken_reads_and_writes_byte_for_byte() {
        for wire in [
            "<Open seq=\"0\" username=\"omm\" password=\"omm\"/>\0",
            "<OpenResp seq=\"0\"><publicKey modulus=\"C021\" exponent=\"010001\"/></OpenResp>\0",
            "<OpenResp seq=\"0\" errCode=\"EAuth\"/>\0",
            "<Ping seq=\"1\"/>\0",
            "<PingResp seq=\"1\" timeStamp=\"1795299552\"/>\0",
            "<EventSyncComplete/>\0",
        ] {
            let message = Message::read(wire.trim_end_matches('\0').as_bytes()).unwrap();
            assert!(!matches!(message, Message::Other(_)), "{wire}");
            assert_eq!(&message.bytes()[..], wire.as_bytes());
        }
    }
}
