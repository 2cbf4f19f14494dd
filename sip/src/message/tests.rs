//! What a message is read as, and that it stays what it was.

use super::*;
use crate::contact::Contacts;

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap_or_else(|why| panic!("{why}: {text}"))
}

const REGISTER: &str = "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
    f: <sip:101@example.com>;tag=a\r\nTO: <sip:101@example.com>\r\ni: x@192.0.2.1\r\nCSeq: 7 REGISTER\r\n\
    m: <sip:101@192.0.2.1>;expires=60, \"B, C\" <sip:101@192.0.2.2>\r\nContact: <sip:101@192.0.2.3>\r\n\
    X-Odd: one\r\n two\r\nl: 3\r\n\r\nabc";

#[test]
fn a_message_is_read_and_stays_what_it_was() {
    let seen = message(REGISTER);
    assert_eq!(seen.bytes().as_ref(), REGISTER.as_bytes());
    assert_eq!((seen.method(), seen.request_uri()), (Some("REGISTER"), Some("sip:example.com")));
    assert_eq!((seen.code(), seen.version(), seen.body()), (None, "SIP/2.0", b"abc".as_slice()));
    assert_eq!(seen.via().expect("a Via").unique_branch(), Some("z9hG4bK1"));
    assert_eq!(seen.from().expect("a From").tag(), Some("a"));
    assert_eq!(seen.to().expect("a To").tag(), None);
    assert_eq!(seen.call_id(), Ok("x@192.0.2.1"));
    assert_eq!(seen.cseq().map(|cseq| (cseq.number, cseq.method)), Ok((7, "REGISTER")));
    let contacts = seen.contacts().expect("contacts");
    let addresses: Vec<&str> = contacts.list().iter().map(|contact| contact.addr.address).collect();
    assert_eq!(addresses, ["sip:101@192.0.2.1", "sip:101@192.0.2.2", "sip:101@192.0.2.3"]);
    assert_eq!(seen.other("x-odd").collect::<Vec<_>>(), ["one   two"]);
    assert!(matches!(message("A sip:b SIP/2.0\r\nm: *\r\n\r\n").contacts(), Ok(Contacts::Star)));
}

#[test]
fn a_response_has_a_code_and_perhaps_a_reason() {
    for (line, reason) in [("SIP/2.0 200 All right", "All right"), ("SIP/2.0 200 ", ""), ("SIP/2.0 200", "")]
    {
        let seen = message(&format!("{line}\r\n\r\n"));
        assert_eq!((seen.code(), seen.reason(), seen.method()), (Some(200), Some(reason), None));
    }
    for bad in [
        "SIP/2.0 4294967301 x",
        "SIP/2.0 99 x",
        "SIP/2.0 700 x",
        "SIP/2.0 20x x",
        "SIP/2.0",
        "SIP/2.0  200 x",
    ] {
        let seen = Message::parse(Bytes::from(format!("{bad}\r\n\r\n")));
        assert_eq!(seen, Err(Malformed::StartLine), "{bad}");
    }
}

#[test]
fn what_no_answer_could_be_made_to_is_refused() {
    for (bytes, why) in [
        ("", Malformed::Empty),
        ("\r\n\r\n", Malformed::Empty),
        ("hello\r\n\r\n", Malformed::StartLine),
        ("A b\r\n\r\n", Malformed::StartLine),
        ("A sip:b SIP/2.0\r\nTo: x", Malformed::Unterminated),
        ("A sip:b SIP/2.0", Malformed::Unterminated),
    ] {
        assert_eq!(Message::parse(Bytes::from_static(bytes.as_bytes())), Err(why), "{bytes}");
    }
    let many = format!("A sip:b SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(257));
    assert_eq!(Message::parse(Bytes::from(many)), Err(Malformed::TooLarge("number of header fields")));
    let long = format!("A sip:b SIP/2.0\r\nX: {}\r\n\r\n", "y".repeat(40_000));
    assert_eq!(Message::parse(Bytes::from(long)), Err(Malformed::TooLarge("header")));
    assert_eq!(Message::parse(Bytes::from(vec![b'x'; 65_536])), Err(Malformed::TooLarge("message")));
}

#[test]
fn bytes_that_are_no_text_stay_and_keep_their_place() {
    let bytes =
        Bytes::from_static(b"\r\nA sip:b SIP/2.0\r\nSubject: caf\xe9\r\n\tau lait\r\nl: 2\r\n\r\n\xff\0rest");
    let seen = Message::parse(bytes.clone()).expect("a message");
    assert_eq!(seen.bytes(), &bytes.slice(2..bytes.len() - 4));
    assert_eq!(seen.header(Name::Subject), Some("caf\x7f   au lait"));
    assert_eq!(seen.raw(Name::Subject).next(), Some(b"caf\xe9\r\n\tau lait".as_slice()));
    assert_eq!(seen.body(), b"\xff\0");
}

#[test]
fn phrases_are_those_of_the_rfcs() {
    assert_eq!((phrase(200), phrase(404), phrase(423)), ("OK", "Not Found", "Interval Too Brief"));
    assert_eq!((phrase(499), phrase(199), phrase(799)), ("Bad Request", "Early Dialog Terminated", ""));
    assert!(is_known_method("REGISTER") && !is_known_method("Register") && !is_known_method("NEWMETHOD"));
}
