//! Frames as bytes.

use std::time::Instant;

use machine::chance::Chance;
use machine::secret::Secret;
use machine::time::Wall;
use omm::ids::park::{Pli, Sari};
use omm::link::frame::Purpose;
use omm::link::neighbour::{Door, Fingerprint, Neighbour};
use omm::platform::Platform;
use omm::stamp::OmmId;

use super::*;
use crate::error::Malformed;
use crate::frame::Frames;
use crate::roam::tests::any_word;

fn facts() -> Facts {
    Facts {
        omm: OmmId { pari: 0x102A_F12C, member: 2 },
        term: 0,
        protocol: 1,
        platform: Platform::Rfp4g,
        pli: Pli::FULL,
        sari: Sari::read("1F10187326").unwrap(),
        wall: Wall::from_millis(1_790_000_000_123),
    }
}

fn door(print: Option<u8>) -> Door {
    let fingerprint = print.map(|byte| Fingerprint::new([byte; 32]));
    Door { address: "site-b.example:12622".into(), fingerprint }
}

fn neighbour(pari: u32, print: Option<u8>) -> Neighbour {
    Neighbour { omm: OmmId::new(pari), door: door(print) }
}

#[test]
fn more_neighbours_than_a_system_has_remotes_are_none() {
    let all = |count| (1..=count).map(|pari| neighbour(pari, None)).collect();
    let read = |frame| decode(encode(&frame).strip_suffix(b"\0").unwrap());
    assert!(matches!(read(Frame::Neighbours(all(10))), Ok(Frame::Neighbours(read)) if read.len() == 10));
    assert!(matches!(read(Frame::Neighbours(all(11))), Err(Fault::Complaint(_))));
    let nowhere: &[u8] = b"<EventNeighbours><omm hmOmm=\"00000001\"/></EventNeighbours>";
    assert!(matches!(decode(nowhere), Err(Fault::Complaint(_))));
}

fn open() -> Frame {
    Frame::Open(Box::new(Open {
        user: "omm".into(),
        password: Secret::new("ge\"heim<&>"),
        facts: facts(),
        door: None,
        purpose: Purpose::Link,
    }))
}

/// One frame of every kind.
fn frames() -> Vec<Frame> {
    let outranks = Facts { term: 7, ..facts() };
    let mut frames = vec![
        open(),
        Frame::Open(Box::new(Open {
            user: "omm".into(),
            password: Secret::new(""),
            facts: outranks,
            door: Some(door(None)),
            purpose: Purpose::Trial,
        })),
        Frame::Open(Box::new(Open {
            user: "omm".into(),
            password: Secret::new(""),
            facts: facts(),
            door: Some(door(Some(7))),
            purpose: Purpose::Direct,
        })),
        Frame::Neighbours(vec![]),
        Frame::Neighbours(vec![neighbour(1, None), neighbour(2, Some(9))]),
        Frame::OpenResult(Err(OpenError::Stranger)),
        Frame::OpenResult(Err(OpenError::Inactive)),
        Frame::OpenResult(Err(OpenError::Outranked)),
        Frame::OpenResult(Ok(facts())),
        Frame::OpenResult(Ok(Facts { sari: None, platform: Platform::Pc, pli: Pli::XXL, ..facts() })),
        Frame::OpenResult(Err(OpenError::Auth)),
        Frame::OpenResult(Err(OpenError::Delayed(Duration::from_millis(1500)))),
        Frame::OpenResult(Err(OpenError::Full)),
        Frame::OpenResult(Err(OpenError::NoSari)),
        Frame::Ping { seq: 0 },
        Frame::Ping { seq: u32::MAX },
        Frame::Pong { seq: 7, wall: Wall::from_millis(1_790_000_000_123) },
        Frame::EndOfDownload,
    ];
    frames.extend(MISMATCHES.map(|mismatch| Frame::OpenResult(Err(OpenError::Mismatch(mismatch)))));
    let mut chance = Chance::of(4711, "frames");
    frames.extend((0..100).map(|_| Frame::Word(any_word(&mut chance))));
    frames
}

fn text(frame: &Frame) -> String {
    String::from_utf8(encode(frame).to_vec()).unwrap()
}

#[test]
fn every_frame_survives_the_wire() {
    let frames = frames();
    let stream: Vec<u8> = frames.iter().flat_map(|frame| encode(frame).to_vec()).collect();
    let mut reader = Frames::default();
    let mut read = Vec::new();
    for chunk in stream.chunks(97) {
        reader.push(chunk).unwrap();
        while let Some(message) = reader.next() {
            read.push(decode(&message.unwrap()).unwrap());
        }
    }
    assert_eq!(read, frames);
    assert_eq!(reader.end(), Ok(()));
}

#[test]
fn the_samples_of_the_story_hold() {
    assert_eq!(
        text(&open()),
        "<Open seq=\"0\" protocolVersion=\"1\" username=\"omm\" password=\"ge&quot;heim&lt;&amp;&gt;\" \
         UserDeviceSyncClient=\"true\" sari=\"1F10187326\" hmOmm=\"102AF12C-2\" hmPlatform=\"rfp4g\" hmPli=\"31\" \
         hmClock=\"1790000000123\"/>\0"
    );
    let full = text(&Frame::OpenResult(Err(OpenError::Full)));
    assert_eq!(full, "<OpenResp seq=\"0\" errCode=\"EForbidden\" info=\"remote limit 10\"/>\0");
    let version = text(&Frame::OpenResult(Err(OpenError::Mismatch(Mismatch::Protocol))));
    assert!(
        version.contains("errCode=\"EInval\"") && version.contains("bad=\"protocolVersion\""),
        "{version}"
    );
    let pong = text(&Frame::Pong { seq: 7, wall: Wall::from_millis(1_790_000_000_012) });
    assert_eq!(pong, "<PingResp seq=\"7\" timeStamp=\"1790000000\" hmClock=\"1790000000012\"/>\0");
    assert_eq!(text(&Frame::EndOfDownload), "<EventSyncComplete/>\0");
}

#[test]
fn a_password_shows_on_the_wire_only() {
    let frame = open();
    assert!(text(&frame).contains("heim"));
    assert!(!format!("{frame:?}").contains("heim"));
}

#[test]
fn what_has_no_place_on_a_link_is_named() {
    for (wire, what) in [
        (r#"<GetSARI seq="1"/>"#, "GetSARI"),
        (r#"<Open seq="1" username="omm" password="omm"/>"#, "Open without hmOmm"),
        (r#"<OpenResp seq="1" protocolVersion="45"/>"#, "OpenResp without hmOmm"),
    ] {
        assert_eq!(decode(wire.as_bytes()), Err(Fault::Unsupported(what.to_owned())));
    }
    let strange = Refused::new(ErrCode::License);
    assert_eq!(decode(br#"<OpenResp seq="0" errCode="ELicense"/>"#), Err(Fault::Refused(strange)));
    assert_eq!(decode(b"<Ping"), Err(Fault::Malformed(Malformed::Truncated { read: 5 })));
    let Err(Fault::Complaint(complaint)) = decode(b"<Ping/>") else {
        panic!("a ping on a link has a cookie")
    };
    assert_eq!(complaint.answer().to_string(), r#"<PingResp errCode="EMissing" bad="seq"/>"#);
}

#[test]
fn mutated_frames_decode_or_fail_but_never_panic() {
    let frames = frames();
    let mut chance = Chance::of(4711, "mutated frames");
    let (mut good, mut bad) = (0, 0);
    for round in 0..60_000 {
        let mut bytes = encode(&frames[round % frames.len()]).to_vec();
        bytes.pop();
        for _ in 0..=chance.below(2) {
            let at = chance.below(bytes.len() as u64) as usize;
            match chance.below(3) {
                0 => bytes[at] ^= 1 << chance.below(8),
                1 => bytes[at] = b"0123456789<>&\"'/= -."[chance.below(20) as usize],
                _ => bytes.insert(at, chance.next() as u8),
            }
        }
        match decode(&bytes) {
            // What was understood is said again in words that mean the same.
            Ok(frame) => {
                let again = encode(&frame);
                assert_eq!(decode(&again[..again.len() - 1]), Ok(frame));
                good += 1;
            }
            Err(fault) => {
                assert!(fault.to_string().len() < 1000);
                bad += 1;
            }
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} read, {bad} failed");
}

/// `cargo test --release -p axi -- --ignored --nocapture a_million`: what one frame costs.
#[test]
#[ignore = "a measurement, not a check"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_million_frames() {
    let mut chance = Chance::of(4711, "bench");
    let frames: Vec<Frame> = (0..1000).map(|_| Frame::Word(any_word(&mut chance))).collect();
    let start = Instant::now();
    let encoded: Vec<Bytes> = (0..1_000_000).map(|n| encode(&frames[n % 1000])).take(1_000_000).collect();
    let writing = start.elapsed();
    let start = Instant::now();
    for bytes in &encoded {
        decode(&bytes[..bytes.len() - 1]).unwrap();
    }
    println!("encode {:?}, decode {:?} a frame", writing / 1_000_000, start.elapsed() / 1_000_000);
}
