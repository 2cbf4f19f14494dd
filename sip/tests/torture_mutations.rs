//! Nothing that anybody sends can make the wire layer panic: seeded damage to every torture message, and all views of
//! what is left. Integer overflow panics here, because tests are built with overflow checks.
//!
//! `HOMING_MUTATIONS` sets how many damaged messages are tried, `HOMING_SEED` where the series begins.

mod torture;

use bytes::Bytes;
use machine::chance::Chance;
use sip::check::Terms;
use sip::contact::Contacts;
use sip::draft::Draft;
use sip::frame::{Framed, Framer};
use sip::message::Message;
use sip::name::Name;
use sip::uri::{self, Uri};
use sip::{cseq, delta, via};
use torture::{RFC_4475, RFC_5118};

const MUTATIONS: u64 = 200_000;
const TERMS: Terms<'_> =
    Terms { methods: &["REGISTER", "INVITE"], extensions: &["path"], media: &["application/sdp"] };

/// What breaks parsers.
const WORDS: [&[u8]; 34] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\r\n ",
    b" ",
    b"\t",
    b"\0",
    b"\xff",
    b"\xc3\xa4",
    b"\x7f",
    b"\"",
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b":",
    b"=",
    b"@",
    b"?",
    b"&",
    b"%",
    b"%0",
    b"[",
    b"]",
    b"[::1]",
    b":::",
    b"*",
    b"-1",
    b"99999999999999999999999",
    b"SIP/2.0",
    b"\r\nContent-Length: 4294967296\r\n",
    b"\r\nRetry-After: 5 (a\\",
];

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A place in a text of that length, its end included.
fn place(chance: &mut Chance, len: usize) -> usize {
    chance.below(len as u64 + 1) as usize
}

fn stretch(chance: &mut Chance, len: usize) -> std::ops::Range<usize> {
    let start = place(chance, len);
    start..(start + place(chance, 40)).min(len)
}

fn damage(chance: &mut Chance, bytes: &mut Vec<u8>, other: &[u8]) {
    let range = stretch(chance, bytes.len());
    match chance.below(8) {
        0 => {
            if let Some(byte) = bytes.get_mut(range.start) {
                *byte ^= 1 << chance.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(range.start) {
                *byte = chance.below(256) as u8;
            }
        }
        2 => drop(bytes.drain(range)),
        3 => {
            let again = bytes[range.clone()].to_vec();
            bytes.splice(range.start..range.start, again);
        }
        4 => {
            let foreign = stretch(chance, other.len());
            bytes.splice(range, other[foreign].iter().copied());
        }
        5 if chance.happens(200_000) => bytes.truncate(range.start),
        _ => {
            let word = WORDS[chance.below(WORDS.len() as u64) as usize];
            bytes.splice(range.start..range.start, word.iter().copied());
        }
    }
}

/// Looks at everything there is to see, and says how much could be read.
fn look(message: &Message) -> usize {
    let mut seen = usize::from(message.verdict_on(&TERMS).is_ok());
    for name in [Name::Via, Name::Contact, Name::Route, Name::Other] {
        seen += message.values(name).count() + message.raw(name).count();
    }
    for (_, label, value) in message.all_headers() {
        seen += label.len() + value.len();
        seen += usize::from(via::Via::parse(value).is_ok()) + usize::from(cseq::Cseq::parse(value).is_ok());
        seen += usize::from(delta::RetryAfter::parse(value).is_ok());
    }
    let addresses = [message.from(), message.to()];
    let uris = addresses
        .iter()
        .flatten()
        .map(|addr| addr.uri())
        .chain([Uri::parse(message.request_uri().unwrap_or(""))]);
    let uris: Vec<Uri<'_>> = uris.flatten().collect();
    for one in &uris {
        assert!(uri::equal(one, one), "a URI is itself: {}", one.text);
        seen += uris.iter().filter(|other| uri::equal(one, other) == uri::equal(other, one)).count();
        seen += one.user_unescaped().map_or(0, |user| user.len());
    }
    if let Ok(via) = message.via() {
        seen += [
            via.received().is_some(),
            via.rport().is_some(),
            via.maddr().is_some(),
            via.unique_branch().is_some(),
        ]
        .into_iter()
        .filter(|is| *is)
        .count();
    }
    if let Ok(Contacts::List(list)) = message.contacts() {
        for contact in list {
            seen += usize::from(contact.q()) + contact.expires().unwrap_or(0) as usize % 7;
            seen += contact.instance().map_or(0, str::len) + contact.reg_id().unwrap_or(0) as usize % 7;
        }
    }
    seen += message.readable_contacts().count() + message.body().len();
    seen += usize::from(message.expires().is_some()) + usize::from(message.min_expires().is_some());
    seen += usize::from(message.retry_after().is_some()) + usize::from(message.max_forwards().is_some());
    seen + message.to_string().len() + format!("{message:?}").len()
}

/// What we answer must be readable and name the same transaction.
fn answer(request: &Message, is_sound: bool) {
    let source = "[2001:db8::7]:5060".parse().expect("an address");
    let response = Draft::response(request, 200, "OK").tag("t").heard_from(source).finish();
    let response = Message::parse(response).expect("our own response can be read");
    assert_eq!((response.code(), response.cseq()), (Some(200), request.cseq()));
    assert_eq!(response.call_id().ok(), request.call_id().ok());
    if is_sound {
        assert_eq!(response.verdict(), Ok(()), "{request}\n{response}");
        assert!(response.to().is_ok_and(|to| to.tag().is_some()));
        let (asked, noted) = (request.via().expect("a Via"), response.via().expect("a Via"));
        assert_eq!((noted.branch(), noted.host, noted.port), (asked.branch(), asked.host, asked.port));
    }
}

fn stream(chance: &mut Chance, bytes: &[u8]) {
    let mut framer = Framer::new();
    let cut = place(chance, bytes.len());
    for part in [&bytes[..cut], &bytes[cut..]] {
        framer.push(part);
        // Each round takes bytes away or ends: so many rounds are always enough.
        for _ in 0..=bytes.len() {
            match framer.next() {
                Ok(Some(Framed::Message(message))) => drop(message.verdict()),
                Ok(Some(Framed::Ping | Framed::Pong)) => {}
                Ok(None) | Err(_) => break,
            }
        }
    }
}

/// How many damaged messages of a series could be read, and how many of these were well-formed still.
fn series(name: &str, count: u64) -> (u64, u64) {
    let cases: Vec<&[u8]> = RFC_4475.iter().chain(RFC_5118).map(|case| case.1).collect();
    let mut chance = Chance::of(number("HOMING_SEED", 4475), name);
    let (mut read, mut sound) = (0, 0);
    for round in 0..count {
        let [one, other] = [0, 1].map(|_| cases[chance.below(cases.len() as u64) as usize]);
        let mut bytes = one.to_vec();
        for _ in 0..=chance.below(4) {
            damage(&mut chance, &mut bytes, other);
        }
        if round % 4 == 0 {
            stream(&mut chance, &bytes);
        }
        let Ok(message) = Message::parse(Bytes::from(bytes)) else { continue };
        read += 1;
        let verdict = message.verdict();
        sound += u64::from(verdict.is_ok());
        assert!(look(&message) > 0);
        if message.is_request() {
            answer(&message, verdict.is_ok());
        }
        let again = Message::parse(message.bytes().clone()).expect("what was read can be read again");
        assert_eq!((again.bytes(), again.verdict()), (message.bytes(), verdict));
    }
    (read, sound)
}

#[test]
fn damage_is_survived() {
    let half = number("HOMING_MUTATIONS", MUTATIONS).div_ceil(2);
    let sums = std::thread::scope(|scope| {
        let threads = ["sip/torture/1", "sip/torture/2"].map(|name| scope.spawn(move || series(name, half)));
        threads.map(|thread| thread.join().expect("a series without a panic"))
    });
    for (read, sound) in sums {
        // The damage must leave enough to look at, or the test looks at nothing.
        assert!(read * 2 > half && sound * 20 > half, "{read} of {half} read, {sound} sound");
    }
}
