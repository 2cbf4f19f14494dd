//! What it costs to read a REGISTER and to print it again: ours, rsip's and sipx-sip's way, on the same messages.
//!
//! One implementation a run, so that an instruction counter can look at it alone; `scripts/bench-register` does.
//!
//! ```text
//! register ours|rsip|sipx pass|read ROUNDS
//! ```
//!
//! `pass` is read and print. `read` looks besides at what a registrar needs: the topmost Via's branch, the tags, the
//! Call-ID, the CSeq, the expiry, and the first Contact's URI. A round is one REGISTER; they take turns.

use std::hint::black_box;

use bytes::Bytes;

/// A short one, one with credentials and RFC 5626 parameters that rsip can read, and one with many fields.
const REGISTERS: [&str; 3] = [
    "REGISTER sip:pbx.example.com SIP/2.0\r\n\
     Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK74b43a1f;rport\r\n\
     Max-Forwards: 70\r\n\
     From: <sip:4711@pbx.example.com>;tag=9fxced76sl\r\n\
     To: <sip:4711@pbx.example.com>\r\n\
     Call-ID: 3848276298220188511@192.0.2.10\r\n\
     CSeq: 1826 REGISTER\r\n\
     Contact: <sip:4711@192.0.2.10:5060;hm-site=102A7C82;hm-ep=17>;expires=3600\r\n\
     Expires: 3600\r\n\
     Content-Length: 0\r\n\r\n",
    "REGISTER sip:pbx.example.com SIP/2.0\r\n\
     Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK1d32hash0;rport\r\n\
     Max-Forwards: 70\r\n\
     From: \"Anna Schmidt\" <sip:4711@pbx.example.com>;tag=9fxced76sl\r\n\
     To: \"Anna Schmidt\" <sip:4711@pbx.example.com>\r\n\
     Call-ID: 3848276298220188511@192.0.2.10\r\n\
     CSeq: 1827 REGISTER\r\n\
     Contact: <sip:4711@192.0.2.10:5060;transport=tcp>;expires=3600;q=0.5\r\n\
     Authorization: Digest username=\"4711\", realm=\"pbx.example.com\", nonce=\"1cec4341ae6cbe5a359ea9c8e88df84f\", \
     uri=\"sip:pbx.example.com\", response=\"71ba27c64bd01de719686aa4590d5824\", algorithm=MD5\r\n\
     Expires: 3600\r\n\
     Content-Length: 0\r\n\r\n",
    "REGISTER sip:pbx.example.com SIP/2.0\r\n\
     Via: SIP/2.0/UDP proxy.example.com:5060;branch=z9hG4bKa7c6a8dlze.1\r\n\
     Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK74b43a20;received=192.0.2.11;rport=5062\r\n\
     Max-Forwards: 69\r\n\
     From: <sip:4711@pbx.example.com>;tag=9fxced76sm\r\n\
     To: <sip:4711@pbx.example.com>\r\n\
     Call-ID: 3848276298220188512@192.0.2.10\r\n\
     CSeq: 12 REGISTER\r\n\
     Contact: <sip:4711@192.0.2.10:5060>;expires=600\r\n\
     Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n\
     Supported: path, outbound, gruu, replaces, timer\r\n\
     User-Agent: Desk Phone 12.4.1\r\n\
     Expires: 600\r\n\
     Content-Length: 0\r\n\r\n",
];

fn ours(bytes: &Bytes, looks: bool) -> Bytes {
    let message = sip::message::Message::parse(bytes.clone()).expect("a REGISTER");
    if looks {
        black_box(message.via().expect("a Via").branch());
        black_box((message.from().expect("a From").tag(), message.to().expect("a To").tag()));
        black_box((message.call_id().expect("a Call-ID"), message.cseq().expect("a CSeq")));
        black_box(message.expires());
        let contacts = message.contacts().expect("contacts");
        black_box(contacts.list().first().expect("one Contact").uri().expect("a URI").user);
    }
    // The bytes are kept; a copy makes it the same work as theirs.
    Bytes::copy_from_slice(message.bytes())
}

fn rsip(bytes: &Bytes, looks: bool) -> Bytes {
    use rsip::prelude::*;
    let message = rsip::SipMessage::try_from(bytes.as_ref()).expect("a REGISTER");
    if looks {
        black_box(message.via_header().expect("a Via").typed().expect("a Via").branch());
        black_box(message.from_header().expect("a From").typed().expect("a From").tag());
        black_box(message.to_header().expect("a To").typed().expect("a To").tag());
        black_box(message.call_id_header().expect("a Call-ID").value());
        black_box(message.cseq_header().expect("a CSeq").typed().expect("a CSeq"));
        black_box(message.expires_header().map(|expires| expires.seconds()));
        black_box(message.contact_header().expect("a Contact").typed().expect("a Contact").uri.auth);
    }
    message.into()
}

fn sipx(bytes: &Bytes, looks: bool) -> Bytes {
    use sipx_sip::headers::{CSeq, CallId, ContactValue, Expires, From, To, Via};
    let message = sipx_sip::parse_datagram(bytes.clone(), &sipx_sip::Limits::datagram()).expect("a REGISTER");
    if looks {
        let headers = message.headers();
        black_box(headers.typed::<Via>().expect("a Via").expect("a Via").branch());
        black_box(headers.typed::<From>().expect("a From").expect("a From").0.tag());
        black_box(headers.typed::<To>().expect("a To").expect("a To").0.tag());
        black_box(headers.typed::<CallId>().expect("a Call-ID").expect("a Call-ID"));
        black_box(headers.typed::<CSeq>().expect("a CSeq").expect("a CSeq"));
        black_box(headers.typed::<Expires>().map(|expires| expires.expect("an Expires")));
        black_box(headers.typed::<ContactValue>().expect("a Contact").expect("a Contact"));
    }
    message.to_bytes()
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (name, looks, rounds) = match words.as_slice() {
        // `cargo test --benches` and a plain `cargo bench`: everything once, to see that all three read them all.
        [] => ("all", true, REGISTERS.len()),
        [name, "pass", rounds] => (*name, false, rounds.parse().expect("a number of rounds")),
        [name, "read", rounds] => (*name, true, rounds.parse().expect("a number of rounds")),
        _ => panic!("register ours|rsip|sipx pass|read ROUNDS"),
    };
    let readers: &[fn(&Bytes, bool) -> Bytes] = match name {
        "ours" => &[ours],
        "rsip" => &[rsip],
        "sipx" => &[sipx],
        _ => &[ours, rsip, sipx],
    };
    // As a socket hands them over: each in a buffer of its own that is shared, not copied.
    let registers = REGISTERS.map(|text| Bytes::from_static(text.as_bytes()));
    for reader in readers {
        for (_, bytes) in (0..rounds).zip(registers.iter().cycle()) {
            let printed = reader(black_box(bytes), looks);
            assert!(printed.len() == bytes.len(), "printed as it was read");
            black_box(printed);
        }
    }
}
