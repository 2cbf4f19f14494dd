//! Words about the directory as bytes.

use machine::chance::Chance;
use omm::directory::Directory;
use omm::directory::device::Subscribed;
use omm::directory::edit::{Edit, NewDevice, NewUser};
use omm::directory::piece::Lacking;
use omm::directory::user::{Kind, Monitoring};
use omm::ids::{Ipei, Number};
use omm::link::frame::Frame;
use omm::platform::Platform;

use super::*;
use crate::link::{decode, encode};

const OMM: OmmId = OmmId { pari: 0x102A_7C82, member: 1 };

fn stamp(ms: u64) -> Stamp {
    Stamp { ms: 1_790_000_000_000 + ms, ctr: 0, omm: OMM }
}

/// A directory of so many users, each with a handset, as administrators fill them in.
fn realistic(users: u32) -> Directory {
    let mut directory = Directory::new(Platform::Pc);
    let mut chance = Chance::of(4711, "realistic");
    for n in 0..users {
        let mut user =
            NewUser::new(Number::new(&format!("{}", 20_000 + n)).unwrap(), Secret::new(chance.hex(16)));
        user.fields.name = Some(format!("Müller-Lüdenscheidt {n}, Station \"{}\"", n % 40));
        user.fields.sip_auth_id = Some(format!("dect{}", 20_000 + n));
        user.fields.add_id = Some(format!("{n:05}"));
        user.fields.pin = Some(Secret::new("4711"));
        user.fields.vip = Some(n % 10 == 0);
        user.fields.monitoring = Some(if n % 5 == 0 { Monitoring::Active } else { Monitoring::Off });
        for (name, value) in [
            ("hierarchy1", "Intensivstation"),
            ("hierarchy2", "Haus 3"),
            ("lang", "German"),
            ("sosNum", "112"),
            ("voiceboxNum", "9999"),
        ] {
            user.fields.extras.insert(name.into(), value.into());
        }
        let mut device = NewDevice::new(Ipei::new(3074, n).unwrap());
        device.fields.ac = Some(Secret::new("1234"));
        device.fields.hw_type = Some("622d".into());
        device.fields.encrypt = Some(true);
        device.fields.subscription.state = Some(Subscribed::Yes);
        device.fields.subscription.uak = Some(Secret::new(chance.hex(32)));
        device.fields.subscription.identity = Some("1F102A7C82".into());
        device.fields.subscription.extras.insert("modicType".into(), "01".into());
        let done = directory.edit(stamp(u64::from(n) * 10), Edit::CreateDevice(Box::new(device))).unwrap();
        user.relation = done.ppn.map(|ppn| (Kind::Dynamic, ppn));
        directory.edit(stamp(u64::from(n) * 10 + 5), Edit::CreateUser(Box::new(user))).unwrap();
    }
    directory
}

fn over_the_wire(word: Word) -> (usize, Word) {
    let bytes = encode(&Frame::Directory(Box::new(word)));
    match decode(&bytes[..bytes.len() - 1]).unwrap() {
        Frame::Directory(word) => (bytes.len(), *word),
        other => panic!("{other:?}"),
    }
}

/// Pages with everything in it, and with everything deleted.
fn words() -> Vec<Word> {
    let mut directory = realistic(3);
    let row =
        |directory: &Directory, n: u32| directory.uid_of(&Number::new(&n.to_string()).unwrap()).unwrap();
    let edits = [
        Edit::DeleteUser(row(&directory, 20_000)),
        Edit::DeleteDevice(directory.device(Ipei::new(3074, 1).unwrap()).unwrap().ppn),
        Edit::Detach { uid: row(&directory, 20_002) },
        Edit::SetSari(Sari::read("1F102A7C82").unwrap().unwrap()),
        Edit::SetProfile { id: 3, name: Some("a\"b".into()), data: Some("UD_A=1\nUD_B=<2>\r\n".into()) },
        Edit::SetProfile { id: 4, name: Some("gone".into()), data: None },
        Edit::DeleteProfile(4),
    ];
    for (ms, edit) in (100_000..).zip(edits) {
        directory.edit(stamp(ms), edit).unwrap();
    }
    let vector = Vector::from_iter([(OMM, stamp(7)), (OmmId::new(5), stamp(9))]);
    let horizon = Horizon { known: vector.clone(), before: 77 };
    let origins = BTreeSet::from([directory.digest(), [0; 32]]);
    let end =
        End { vector: vector.clone(), origins: origins.clone(), horizon: Some(horizon.clone()), full: true };
    let pieces: Vec<Piece> = directory.pieces().collect();
    vec![
        Word::Have(Have { vector: vector.clone(), origins }),
        Word::Have(Have::default()),
        Word::Page(Box::new(Page { number: 7, pieces, upto: vector, percent: Some(40), end: Some(end) })),
        Word::Page(Box::new(Page { end: Some(End::default()), ..Page::default() })),
        Word::Ack { number: u32::MAX, whole: true },
        Word::Ack { number: 0, whole: false },
        Word::Horizon(horizon),
        Word::Forgotten(vec![
            (Subject::User(Id(stamp(1))), stamp(2)),
            (Subject::Device(Id(stamp(3))), stamp(4)),
        ]),
    ]
}

#[test]
fn every_word_survives_the_wire() {
    for word in words() {
        assert_eq!(over_the_wire(word.clone()).1, word);
    }
}

#[test]
fn parts_of_records_survive_the_wire() {
    let directory = realistic(2);
    for piece in directory.pieces() {
        for at in piece.stamps() {
            let part = directory.pieces_of(&BTreeSet::from([(at, piece.subject())]));
            let page = Word::Page(Box::new(Page { pieces: part, ..Page::default() }));
            assert_eq!(over_the_wire(page.clone()).1, page);
        }
    }
}

#[test]
fn a_full_system_fits_into_12_megabytes() {
    let directory = realistic(10_000);
    let (mut bytes, mut records, mut after) = (0, 0, None);
    let mut copy = Directory::new(Platform::Pc);
    loop {
        let (pieces, reached) = directory.delta(after, &Lacking::default(), 20);
        records += pieces.len();
        let (len, word) = over_the_wire(Word::Page(Box::new(Page { pieces, ..Page::default() })));
        assert!(len < 64 * 1024, "a page of {len} bytes");
        bytes += len;
        let Word::Page(page) = word else { panic!() };
        copy.merge(page.pieces);
        after = reached;
        if reached.is_none() {
            break;
        }
    }
    assert_eq!(records, 20_000);
    assert!(bytes < 12_000_000, "{bytes} bytes");
    assert!(bytes > 2_000_000, "{bytes} bytes is no realistic directory");
    assert_eq!(copy.digest(), directory.digest());
}

#[test]
fn what_is_wrong_is_named() {
    for (message, blamed) in [
        ("<hmPage/>", "n"),
        ("<hmPage n=\"1\"><user/></hmPage>", "id"),
        ("<hmPage n=\"1\"><user id=\"1.0.102A7C82\" at=\"=\"/></hmPage>", "num"),
        ("<hmPage n=\"1\"><user id=\"1.0.102A7C82\" relAt=\"=\" rel=\"X\"/></hmPage>", "rel"),
        ("<hmPage n=\"1\" upto=\"x\"/>", "upto"),
        ("<hmHave origins=\"abc\"/>", "origins"),
        ("<hmPage n=\"1\"><sari at=\"1.0.102A7C82\" sari=\"0000000000\"/></hmPage>", "sari"),
    ] {
        let element = Element::read(message.as_bytes()).unwrap();
        let complaint = read(&element).unwrap_err();
        assert_eq!(complaint.why.bad.as_deref(), Some(blamed), "{message}");
    }
    let later = "<hmPage n=\"1\"><somethingNew id=\"1\"/></hmPage>";
    let element = Element::read(later.as_bytes()).unwrap();
    assert!(matches!(read(&element), Ok(Some(Word::Page(page))) if page.pieces.is_empty()));
}

#[test]
fn no_secret_shows_in_a_debug_print() {
    for word in words() {
        let printed = format!("{:?} {word:?}", element(&word));
        for secret in ["4711\"", "1234\"", "sipPw=\""] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
    }
}
