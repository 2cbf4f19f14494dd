//! Words on the wire.

use machine::chance::Chance;
use omm::ids::Ipei;

use super::*;

const BERLIN: OmmId = OmmId::new(0x102A_7C82);
const AACHEN: OmmId = OmmId::new(0x102A_F12C);

fn claim() -> Claim {
    Claim {
        user: Number::new("101").unwrap(),
        device: "03074 0220259 3".parse().unwrap(),
        epoch: Stamp { ms: 1_790_000_000_123, ctr: 0, omm: AACHEN },
        owner: AACHEN,
        former: Some(BERLIN),
        phase: Phase::Here,
        age: Duration::from_millis(250),
    }
}

fn bound(at: Option<Place>) -> Bound {
    Bound { user: Number::new("101").unwrap(), by: AACHEN, at }
}

fn wire(word: &Word) -> String {
    let mut out = String::new();
    write(word, &mut out);
    out
}

fn hear(wire: &str) -> Result<Word, Complaint> {
    read(&Element::read(wire.as_bytes()).unwrap()).map(Option::unwrap)
}

#[test]
fn the_samples_of_the_story_hold() {
    let story = include_str!("../roam.rs");
    let settled = Claim { former: None, age: Duration::ZERO, ..claim() };
    let user = Number::new("101").unwrap();
    let confirm = Confirm { user, epoch: claim().epoch, from: BERLIN, outcome: Outcome::Removed };
    for word in [
        Word::Claim(claim()),
        Word::Claim(settled.clone()),
        Word::Claim(Claim { phase: Phase::Gone, ..settled }),
        Word::Confirm(confirm),
        Word::Bound(bound(Some(Place { tier: 1, server: "192.0.2.9:5060".parse().unwrap() }))),
        Word::Bound(bound(None)),
    ] {
        assert!(story.contains(&format!("//! {}\n", wire(&word))), "{}", wire(&word));
    }
    let stale = wire(&Word::Stale(Stale { to: BERLIN, claim: claim() }));
    let claimed = wire(&Word::Claim(claim()));
    assert_eq!(stale, claimed.replace("<EventRoaming ", "<EventRoamingStale hmTo=\"102A7C82\" "));
}

#[test]
fn what_a_vendor_would_write_is_understood_in_whole_seconds() {
    let heard = hear(
        r#"<EventRoaming num="101" ipei="03074 0220259 3" ommId="102AF12C" ommIdAck="102A7C82" timeStampRoaming="1790000000"/>"#,
    );
    let epoch = Stamp { ms: 1_790_000_000_000, ctr: 0, omm: AACHEN };
    assert_eq!(heard, Ok(Word::Claim(Claim { epoch, age: Duration::ZERO, ..claim() })));
}

#[test]
fn an_extension_that_disagrees_with_the_vendors_attribute_does_not_count() {
    let whole = wire(&Word::Claim(claim()));
    let later = whole.replace("timeStampRoaming=\"1790000000\"", "timeStampRoaming=\"1790000005\"");
    let Ok(Word::Claim(heard)) = hear(&later) else { panic!("{later}") };
    assert_eq!(heard.epoch, Stamp { ms: 1_790_000_005_000, ctr: 0, omm: AACHEN });
    let moved = wire(&Word::Claim(Claim { owner: OmmId { member: 2, ..AACHEN }, ..claim() }));
    let moved = moved.replace("ommId=\"102AF12C\"", "ommId=\"10187326\"");
    let Ok(Word::Claim(heard)) = hear(&moved) else { panic!("{moved}") };
    assert_eq!(heard.owner, OmmId::new(0x1018_7326));
}

#[test]
fn a_bad_word_names_the_attribute() {
    let whole = wire(&Word::Claim(claim()));
    for (from, to, bad) in [
        (" num=\"101\"", "", "num"),
        ("num=\"101\"", "num=\"\"", "num"),
        ("num=\"101\"", "num=\"a b\"", "num"),
        ("03074 0220259 3", "03074 0220259 4", "ipei"),
        ("ommId=\"102AF12C\"", "ommId=\"102AF\"", "ommId"),
        ("ommIdAck=\"102A7C82\"", "ommIdAck=\"\"", "ommIdAck"),
        ("timeStampRoaming=\"1790000000\"", "timeStampRoaming=\"\"", "timeStampRoaming"),
        (" timeStampRoaming=\"1790000000\"", "", "timeStampRoaming"),
        ("hmEpoch=\"", "hmEpoch=\"x", "hmEpoch"),
        ("hmAge=\"250\"", "hmAge=\"-1\"", "hmAge"),
        ("hmAge=\"250\"", "hmAge=\"250\" hmPhase=\"away\"", "hmPhase"),
    ] {
        let broken = whole.replace(from, to);
        assert_ne!(broken, whole, "{from}");
        assert_eq!(hear(&broken).unwrap_err().why.bad.as_deref(), Some(bad), "{broken}");
    }
}

/// A number that needs escaping now and then, and everything else over its whole range.
pub(crate) fn any_word(chance: &mut Chance) -> Word {
    let marks = b"0123456789abcXYZ-_.!~*'()+&=$";
    let len = 1 + chance.below(64);
    let number: String =
        (0..len).map(|_| char::from(marks[chance.below(marks.len() as u64) as usize])).collect();
    let user = Number::new(&number).unwrap();
    let omm = |chance: &mut Chance| OmmId {
        pari: [0, 1, 0x102A_7C82, 0x102A_F12C, u32::MAX][chance.below(5) as usize],
        member: 1 + chance.below(2) as u8,
    };
    let (writer, owner) = (omm(chance), omm(chance));
    let ms = [0, 999, 1000, 1_790_000_000_123, u64::MAX, chance.next()][chance.below(6) as usize];
    let epoch = Stamp { ms, ctr: chance.next() as u16, omm: writer };
    let claim = Claim {
        user: user.clone(),
        device: Ipei::from_bits(chance.below(1 << 36)).unwrap(),
        epoch,
        owner,
        former: chance.happens(600_000).then(|| omm(chance)),
        phase: if chance.happens(500_000) { Phase::Here } else { Phase::Gone },
        age: Duration::from_millis([0, 1, 9_000_000, u64::MAX][chance.below(4) as usize]),
    };
    match chance.below(4) {
        3 => {
            let servers = ["192.0.2.9:5060", "[2001:db8::9]:5061"];
            let server = servers[chance.below(2) as usize].parse().unwrap();
            let at = chance.happens(700_000).then(|| Place { tier: chance.below(3) as u8, server });
            Word::Bound(Bound { user, by: owner, at })
        }
        0 => Word::Claim(claim),
        1 => Word::Stale(Stale { to: omm(chance), claim }),
        _ => {
            let outcomes = [Outcome::Removed, Outcome::None, Outcome::Failed, Outcome::Unknown];
            Word::Confirm(Confirm {
                user,
                epoch,
                from: omm(chance),
                outcome: outcomes[chance.below(4) as usize],
            })
        }
    }
}

#[test]
fn every_word_reads_back_the_same() {
    let mut chance = Chance::of(4711, "words");
    for _ in 0..20_000 {
        let word = any_word(&mut chance);
        let wire = wire(&word);
        assert_eq!(hear(&wire), Ok(word), "{wire}");
        assert_eq!(
            Element::read(wire.as_bytes()).unwrap().to_string(),
            wire,
            "the direct writer is the writer"
        );
    }
}
