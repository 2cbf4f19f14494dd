//! Every message of RFC 4475 and RFC 5118, and what has to become of it.

mod torture;

use bytes::Bytes;
use sip::check::{Fault, Terms};
use sip::contact::Contacts;
use sip::frame::{Framed, Framer};
use sip::malformed::Malformed;
use sip::message::Message;
use sip::name::Name;
use sip::uri::{self, Uri};
use torture::{Case, RFC_4475, RFC_5118, message};

/// An endpoint that is a registrar too, and knows no extension.
const ENDPOINT: Terms<'_> = Terms {
    methods: &["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "MESSAGE"],
    extensions: &[],
    media: &["application/sdp", "multipart/mixed"],
};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is served.
    Serve,
    /// It is answered with this status.
    Answer(u16),
    /// It is thrown away.
    Drop,
}
use Fate::{Answer, Drop, Serve};

fn fate(bytes: &[u8], judge: impl Fn(&Message) -> Result<(), Fault>) -> Fate {
    match Message::parse(Bytes::copy_from_slice(bytes)).map(|message| judge(&message)) {
        Ok(Ok(())) => Serve,
        Ok(Err(Fault::Answer { code, .. })) => Answer(code),
        Ok(Err(Fault::Drop(_))) | Err(_) => Drop,
    }
}

/// For each message: its fate anywhere, its fate at [`ENDPOINT`], and the section that says so.
const FATES_4475: [(&str, Fate, Fate, &str); 50] = [
    ("wsinv", Serve, Serve, "3.1.1.1"),
    ("intmeth", Serve, Answer(501), "3.1.1.2"),
    ("esc01", Serve, Serve, "3.1.1.3"),
    ("escnull", Serve, Serve, "3.1.1.4"),
    ("esc02", Serve, Answer(501), "3.1.1.5"),
    ("lwsdisp", Serve, Serve, "3.1.1.6"),
    ("longreq", Serve, Serve, "3.1.1.7"),
    ("dblreq", Serve, Serve, "3.1.1.8"),
    ("semiuri", Serve, Serve, "3.1.1.9"),
    ("transports", Serve, Serve, "3.1.1.10"),
    ("mpart01", Serve, Serve, "3.1.1.11"),
    ("unreason", Serve, Serve, "3.1.1.12"),
    ("noreason", Serve, Serve, "3.1.1.13"),
    ("badinv01", Answer(400), Answer(400), "3.1.2.1"),
    ("clerr", Answer(400), Answer(400), "3.1.2.2"),
    ("ncl", Answer(400), Answer(400), "3.1.2.3"),
    ("scalar02", Answer(400), Answer(400), "3.1.2.4"),
    ("scalarlg", Drop, Drop, "3.1.2.5"),
    ("quotbal", Answer(400), Answer(400), "3.1.2.6"),
    ("ltgtruri", Answer(400), Answer(400), "3.1.2.7"),
    ("lwsruri", Answer(400), Answer(400), "3.1.2.8"),
    ("lwsstart", Answer(400), Answer(400), "3.1.2.9: acceptable"),
    ("trws", Answer(400), Answer(400), "3.1.2.10: acceptable"),
    ("escruri", Answer(400), Answer(400), "3.1.2.11: acceptable"),
    ("baddate", Serve, Serve, "3.1.2.12: unless the date matters"),
    ("regbadct", Answer(400), Answer(400), "3.1.2.13"),
    ("badaspec", Answer(400), Answer(400), "3.1.2.14"),
    ("baddn", Answer(400), Answer(400), "3.1.2.15"),
    ("badvers", Answer(505), Answer(505), "3.1.2.16"),
    ("mismatch01", Answer(400), Answer(400), "3.1.2.17"),
    ("mismatch02", Answer(501), Answer(501), "3.1.2.18"),
    ("bigcode", Drop, Drop, "3.1.2.19"),
    ("badbranch", Answer(400), Answer(400), "3.2.1: could"),
    ("insuf", Answer(400), Answer(400), "3.3.1"),
    ("unkscm", Answer(416), Answer(416), "3.3.2"),
    ("novelsc", Answer(416), Answer(416), "3.3.3: never meaningful here"),
    ("unksm2", Answer(400), Answer(400), "3.3.4: a registrar"),
    ("bext01", Serve, Answer(420), "3.3.5"),
    ("invut", Serve, Answer(415), "3.3.6"),
    ("regaut01", Serve, Serve, "3.3.7: the registrar's to say"),
    ("multi01", Answer(400), Answer(400), "3.3.8"),
    ("mcl01", Answer(400), Answer(400), "3.3.9"),
    ("bcast", Drop, Drop, "3.3.10"),
    ("zeromf", Serve, Serve, "3.3.11: an endpoint"),
    ("cparam01", Serve, Serve, "3.3.12"),
    ("cparam02", Serve, Serve, "3.3.13"),
    ("regescrt", Serve, Serve, "3.3.14"),
    ("sdp01", Serve, Serve, "3.3.15: 406 is for whoever makes the answer"),
    ("inv2543", Serve, Serve, "3.4.1"),
    ("test", Drop, Drop, "only in the archive: the request line has no version"),
];

const FATES_5118: [(&str, Fate, Fate, &str); 12] = [
    ("ipv6-good", Serve, Serve, "4.1"),
    ("ipv6-bad", Answer(400), Answer(400), "4.2"),
    ("port-ambiguous", Serve, Serve, "4.3: well-formed"),
    ("port-unambiguous", Serve, Serve, "4.4"),
    ("via-received-param-with-delim", Serve, Serve, "4.5"),
    ("via-received-param-no-delim", Serve, Serve, "4.5"),
    ("ipv6-in-sdp", Answer(400), Answer(400), "4.6: but Content-Length is larger than the body"),
    ("mult-ip-in-header", Serve, Serve, "4.7"),
    ("mult-ip-in-sdp", Serve, Serve, "4.8"),
    ("ipv4-mapped-ipv6", Serve, Serve, "4.9"),
    ("ipv6-bug-abnf-3-colons", Serve, Serve, "4.10: must be tolerated"),
    ("ipv6-correct-abnf-2-colons", Serve, Serve, "4.10"),
];

fn check(cases: &[Case], fates: &[(&str, Fate, Fate, &str)]) {
    assert_eq!(cases.len(), fates.len(), "every message has its row");
    for (name, anywhere, at_endpoint, section) in fates {
        let (_, bytes) = cases.iter().find(|case| case.0 == *name).expect("a message of that name");
        assert_eq!(fate(bytes, Message::verdict), *anywhere, "{name}, section {section}");
        let judge = |message: &Message| message.verdict_on(&ENDPOINT);
        assert_eq!(fate(bytes, judge), *at_endpoint, "{name} at an endpoint, section {section}");
    }
}

#[test]
fn every_message_of_rfc_4475_meets_its_fate() {
    check(RFC_4475, &FATES_4475);
}

#[test]
fn every_message_of_rfc_5118_meets_its_fate() {
    check(RFC_5118, &FATES_5118);
}

#[test]
fn what_is_read_is_printed_again() {
    for (name, bytes) in RFC_4475.iter().chain(RFC_5118) {
        match Message::parse(Bytes::from_static(bytes)) {
            // Bytes behind the body are noise, and Content-Length says where it ends.
            Ok(message) if ["dblreq", "ipv4-mapped-ipv6", "mult-ip-in-sdp"].contains(name) => {
                assert!(bytes.starts_with(message.bytes()), "{name}");
            }
            Ok(message) => assert_eq!(message.bytes(), bytes, "{name}"),
            Err(why) => assert!(["bigcode", "test"].contains(name), "{name}: {why}"),
        }
    }
}

#[test]
fn framing_does_not_depend_on_how_the_bytes_arrive() {
    for (name, bytes) in RFC_4475.iter().chain(RFC_5118) {
        let framed = |split: usize| {
            let (mut framer, mut seen) = (Framer::new(), Vec::new());
            for part in [bytes.get(..split), bytes.get(split..)] {
                framer.push(part.expect("a part"));
                loop {
                    match framer.next() {
                        Ok(Some(Framed::Message(message))) => seen.push(message.bytes().to_vec()),
                        Ok(Some(framed)) => seen.push(format!("{framed:?}").into_bytes()),
                        Ok(None) => break,
                        Err(why) => {
                            seen.push(why.to_string().into_bytes());
                            break;
                        }
                    }
                }
            }
            // A single line end is a pong when nothing follows it yet, and nothing at all otherwise.
            seen.retain(|seen| seen != b"Pong");
            seen.dedup();
            seen
        };
        let whole = framed(0);
        for split in 1..=bytes.len() {
            assert!(framed(split) == whole, "{name} cut at {split}");
        }
    }
}

#[test]
fn a_stream_ends_where_it_cannot_be_followed() {
    for (name, why) in [
        ("ncl", Malformed::Syntax("Content-Length")),
        ("mcl01", Malformed::Repeated("Content-Length")),
        ("inv2543", Malformed::Missing("Content-Length")),
    ] {
        let mut framer = Framer::new();
        framer.push(message(name).bytes());
        assert!(matches!(framer.next(), Ok(Some(Framed::Message(_)))), "{name} can be answered");
        assert_eq!(framer.next(), Err(why), "{name}");
    }
    let mut framer = Framer::new();
    framer.push(message("clerr").bytes());
    assert_eq!(framer.next(), Ok(None), "more of the body may come");
}

#[test]
fn wsinv_is_read_through_all_its_white_space() {
    let seen = message("wsinv");
    let to = seen.to().expect("a To");
    assert_eq!((to.address, to.tag()), ("sip:vivekg@chair-dnrc.example.com", Some("1918181833n")));
    let from = seen.from().expect("a From");
    assert_eq!((from.display, from.tag()), (Some(r#""J Rosenberg \\\"""#), Some("98asjd8")));
    assert_eq!(seen.cseq().map(|cseq| (cseq.number, cseq.method)), Ok((9, "INVITE")));
    assert_eq!((seen.max_forwards(), seen.header(Name::Subject)), (Some(Ok(68)), Some("")));
    let vias: Vec<_> = seen.values(Name::Via).map(|via| sip::via::Via::parse(via).expect("a Via")).collect();
    let hops: Vec<_> = vias.iter().map(|via| (via.transport, via.host.to_string(), via.branch())).collect();
    let expected = [
        ("UDP", "192.0.2.2".to_owned(), Some("390skdjuw")),
        ("TCP", "spindle.example.com".to_owned(), Some("z9hG4bK9ikj8")),
        ("UDP", "192.168.255.111".to_owned(), Some("z9hG4bK30239")),
    ];
    assert_eq!(hops, expected);
    assert_eq!(seen.other("unknownheaderwithunusualvalue").collect::<Vec<_>>(), [";;,,;;,;"]);
    let contacts = seen.contacts().expect("contacts");
    let contact = contacts.list().first().expect("one Contact");
    assert_eq!((contact.addr.display, contact.q()), (Some(r#""Quoted string \"\"""#), 330));
    assert_eq!((contact.param("newparam"), contact.param("secondparam")), (Some("newvalue"), Some("")));
    assert_eq!(
        Uri::parse(seen.request_uri().unwrap_or("")).map(|uri| uri.param("unknownparam")),
        Ok(Some(""))
    );
}

#[test]
fn every_character_is_taken_for_what_it_is_where_it_stands() {
    let seen = message("intmeth");
    assert_eq!(seen.method(), Some("!interesting-Method0123456789_*+`.%indeed'~"));
    let uri = Uri::parse(seen.request_uri().unwrap_or("")).expect("a URI");
    assert_eq!(uri.user, Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(uri.password, Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    assert_eq!(seen.to().expect("a To").display, Some("\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\""));
    let from = seen.from().expect("a From");
    assert_eq!(
        (from.display, from.tag()),
        (Some("token1~` token2'+_ token3*%!.-"), Some("_token~1'+`*%!-."))
    );
    assert_eq!(from.param("fromParam''~+*_!.-%"), Some("\"работающий\""));
    assert_eq!(seen.call_id(), Ok(r#"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#));
    assert_eq!(seen.via().expect("a Via").branch(), Some("z9hG4bK-.!%66*_+`'~"));

    let percent = message("esc02");
    assert_eq!((percent.method(), percent.has_known_method()), (Some("RE%47IST%45R"), false));
    assert_eq!(percent.to().expect("a To").display, Some("\"%Z%45\""));
    assert_eq!(percent.contacts().expect("contacts").list().len(), 2);
    assert_eq!(percent.other("C%6Fntact").count(), 1);
}

#[test]
fn escapes_are_undone_where_they_are_escapes() {
    let seen = message("esc01");
    let uri = Uri::parse(seen.request_uri().unwrap_or("")).expect("a URI");
    assert_eq!(
        (uri.user_unescaped().as_deref(), uri.host.to_string().as_str()),
        (Some("sips:user@example.com"), "example.net")
    );
    let to = seen.to().expect("a To").uri().expect("a URI");
    assert!(uri::equal(&to, &Uri::parse("sip:user@example.com").expect("a URI")));
    let contacts = seen.contacts().expect("contacts");
    let contact = contacts.list().first().expect("one Contact").uri().expect("a URI");
    let valued = |value: &str| format!("sip:caller@host5.example.net;lr;name={value}");
    assert!(uri::equal(&contact, &Uri::parse(&valued("value%2541")).expect("a URI")));
    assert!(!uri::equal(&contact, &Uri::parse(&valued("valueA")).expect("a URI")));

    let nulls = message("escnull");
    let contacts = nulls.contacts().expect("contacts");
    let uris: Vec<Uri<'_>> = contacts.list().iter().map(|contact| contact.uri().expect("a URI")).collect();
    assert_eq!(
        uris.iter().map(|uri| uri.user_unescaped().unwrap_or_default().len()).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(!uris.windows(2).any(|pair| uri::equal(&pair[0], &pair[1])));
    assert_eq!(
        nulls.to().expect("a To").uri().expect("a URI").user_unescaped().as_deref(),
        Some("null-\0-null")
    );
}

#[test]
fn long_values_and_many_vias_are_kept_whole() {
    let seen = message("longreq");
    assert_eq!(seen.values(Name::Via).count(), 34);
    assert_eq!(seen.from().expect("a From").tag().map(str::len), Some(2 + 3 * 50 + 3));
    assert_eq!(seen.via().expect("a Via").host.to_string(), "sip33.example.com");
    assert_eq!(
        message("transports").values(Name::Via).nth(3),
        Some("SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en")
    );
}

#[test]
fn a_body_is_what_content_length_says() {
    assert!(message("dblreq").body().is_empty());
    assert!(message("dblreq").bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
    let parts = message("mpart01");
    assert_eq!(parts.body().len(), 553);
    assert!(parts.body().contains(&0));
    assert_eq!(message("inv2543").body().len(), 105);
    assert_eq!(message("mcl01").body().len(), 67, "all of it, when nobody knows");
}

#[test]
fn responses_may_say_anything_or_nothing() {
    assert_eq!(message("noreason").reason(), Some(""));
    assert!(message("unreason").reason().is_some_and(|reason| reason.starts_with("= 2**3 * 5**2 но сто")));
    assert_eq!(message("bcast").values(Name::Via).count(), 2);
    let large = message("scalarlg");
    assert_eq!(large.retry_after().map(|it| it.map(|it| it.seconds)), Some(Ok(u32::MAX)));
    assert_eq!(large.cseq(), Err(Malformed::Range("CSeq")));
}

#[test]
fn parameters_belong_to_the_uri_or_to_the_header() {
    let of = |name: &str| {
        let seen = message(name);
        let Ok(Contacts::List(list)) = seen.contacts() else { panic!("{name} has no contacts") };
        let contact = list.first().expect("one Contact");
        let uri = contact.uri().expect("a URI");
        (
            contact.param("unknownparam").is_some(),
            uri.param("unknownparam").is_some(),
            uri.headers.map(str::to_owned),
        )
    };
    assert_eq!(of("cparam01"), (true, false, None));
    assert_eq!(of("cparam02"), (false, true, None));
    assert_eq!(of("regescrt"), (false, false, Some("Route=%3Csip:sip.example.com%3E".to_owned())));
    let user = message("semiuri");
    let uri = Uri::parse(user.request_uri().unwrap_or("")).expect("a URI");
    assert_eq!(
        (uri.user_unescaped().as_deref(), uri.host.to_string().as_str()),
        (Some("user;par=u@example.net"), "example.com")
    );
}

#[test]
fn numbers_out_of_range_are_told_from_numbers() {
    assert_eq!(message("zeromf").max_forwards(), Some(Ok(0)));
    let large = message("scalar02");
    assert_eq!(large.max_forwards(), Some(Err(Malformed::Range("Max-Forwards"))));
    assert_eq!(large.expires(), Some(Ok(u32::MAX)));
    assert_eq!(large.contacts().expect("contacts").list()[0].expires(), Some(u32::MAX));
}

#[test]
fn an_answer_names_the_unsupported_extensions() {
    let seen = message("bext01");
    let unsupported: Vec<&str> = seen.unsupported(ENDPOINT.extensions).collect();
    assert_eq!(unsupported, ["nothingSupportsThis", "nothingSupportsThisEither"]);
}

#[test]
fn ipv6_addresses_are_told_from_their_ports() {
    let target = |name: &str| {
        let seen = message(name);
        let uri = Uri::parse(seen.request_uri().unwrap_or("")).expect("a URI");
        (uri.host.to_string(), uri.port)
    };
    assert_eq!(target("port-ambiguous"), ("[2001:db8::10:5070]".to_owned(), None));
    assert_eq!(target("port-unambiguous"), ("[2001:db8::10]".to_owned(), Some(5070)));
    assert_eq!(target("ipv6-bug-abnf-3-colons"), target("ipv6-correct-abnf-2-colons"));
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        assert_eq!(message(name).via().expect("a Via").received(), "2001:db8::9:255".parse().ok(), "{name}");
    }
    let mapped = message("ipv4-mapped-ipv6");
    let via = mapped.via().expect("a Via");
    assert_eq!((via.host.ip(), via.port), ("::ffff:192.0.2.10".parse().ok(), Some(19_823)));
    let mixed = message("mult-ip-in-header");
    let last = sip::via::Via::parse(mixed.values(Name::Via).nth(2).unwrap_or("")).expect("a Via");
    assert_eq!(
        (last.host.to_string().as_str(), last.received()),
        ("[2001:db8::9:255]", "192.0.2.200".parse().ok())
    );
}

#[test]
fn ipv6_in_sdp_is_served_when_its_length_is_right() {
    let (_, bytes) = RFC_5118.iter().find(|case| case.0 == "ipv6-in-sdp").expect("the message");
    let text = String::from_utf8_lossy(bytes).replace("Content-Length: 268", "Content-Length: 251");
    assert_eq!(fate(text.as_bytes(), |message| message.verdict_on(&ENDPOINT)), Serve);
}
