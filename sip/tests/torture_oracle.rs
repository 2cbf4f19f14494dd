//! The same messages before another stack, `sipx-sip`: where it reads, judges or prints differently, the difference
//! stands here with its reason.

mod torture;

use std::collections::BTreeMap;

use bytes::Bytes;
use sip::message::Message;
use torture::{RFC_4475, RFC_5118};

/// What a stack makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It cannot be read.
    Unread,
    /// It can be read, and something is wrong with it.
    Faulty,
    /// Nothing is wrong with it.
    Sound,
}
use Reading::{Faulty, Sound, Unread};

fn ours(bytes: &'static [u8]) -> (Reading, Option<Bytes>) {
    match Message::parse(Bytes::from_static(bytes)) {
        Err(_) => (Unread, None),
        Ok(message) => {
            (if message.verdict().is_ok() { Sound } else { Faulty }, Some(message.bytes().clone()))
        }
    }
}

fn theirs(bytes: &'static [u8]) -> (Reading, Option<Bytes>) {
    match sipx_sip::parse_datagram(Bytes::from_static(bytes), &sipx_sip::Limits::datagram()) {
        Err(_) => (Unread, None),
        Ok(message) => {
            let faults =
                sipx_sip::validate(&message).into_iter().filter(|finding| !finding.is_repairable()).count();
            (if faults == 0 { Sound } else { Faulty }, Some(message.to_bytes()))
        }
    }
}

/// Ours, theirs, and why.
const DIFFERENCES: [(&str, Reading, Reading, &str); 16] = [
    ("baddn", Faulty, Unread, "its archive lacks the empty line: we read what is there to answer 400"),
    ("clerr", Faulty, Unread, "a body cut short is answered 400 (RFC 3261 18.3), so it must be read"),
    ("ipv6-in-sdp", Faulty, Unread, "the same: its Content-Length is 17 bytes too large"),
    ("mcl01", Faulty, Unread, "the same for two Content-Lengths"),
    ("ncl", Faulty, Unread, "the same for a Content-Length that is no number"),
    ("ipv6-bad", Faulty, Unread, "a Request-URI is read when somebody asks, so 400 can be answered"),
    ("ltgtruri", Faulty, Unread, "the same"),
    ("lwsruri", Faulty, Unread, "the same"),
    ("lwsstart", Faulty, Unread, "the same for spaces in the request line"),
    ("trws", Faulty, Unread, "the same"),
    ("badbranch", Faulty, Sound, "we answer 400 to an empty branch, they leave it to transactions"),
    ("bcast", Faulty, Sound, "we drop responses to everybody, they leave it to proxies"),
    ("novelsc", Faulty, Sound, "we answer 416, they leave schemes to the application"),
    ("unkscm", Faulty, Sound, "the same"),
    ("regbadct", Faulty, Sound, "we look into the Contacts of a request, they when somebody asks"),
    ("unksm2", Faulty, Sound, "we hold a REGISTER to RFC 3261 10.3, they leave it to a registrar"),
];

#[test]
fn readings_differ_only_where_we_know_why() {
    let differences: BTreeMap<&str, (Reading, Reading)> = RFC_4475
        .iter()
        .chain(RFC_5118)
        .map(|(name, bytes)| (*name, (ours(bytes).0, theirs(bytes).0)))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .collect();
    let known: BTreeMap<&str, (Reading, Reading)> =
        DIFFERENCES.iter().map(|(name, ours, theirs, _)| (*name, (*ours, *theirs))).collect();
    assert_eq!(differences, known);
}

#[test]
fn what_both_read_both_print_alike() {
    let mut both = 0;
    for (name, bytes) in RFC_4475.iter().chain(RFC_5118) {
        if let (Some(ours), Some(theirs)) = (ours(bytes).1, theirs(bytes).1) {
            assert_eq!(ours, theirs, "{name}");
            both += 1;
        }
    }
    assert_eq!(both, 50, "so many messages are read by both");
}
