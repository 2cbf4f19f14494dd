//! What a judge makes of directories: each test shows it one that keeps an invariant, and one that does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::secret::Secret;
use machine::time::Moment;
use omm::directory::Directory;
use omm::directory::edit::{Edit, NewDevice, NewUser, UserChange};
use omm::directory::key::{Ppn, Uid};
use omm::directory::status::Status;
use omm::directory::user::Kind;
use omm::ids::park::Sari;
use omm::ids::{Ipei, Number};
use omm::platform::Platform;
use omm::stamp::{OmmId, Stamp};
use replay::invariants::Outcome;
use replay::invariants::directories::{Last, Look};
use replay::judge::Judge;
use replay::plan::{self, Override};
use replay::script::reader;
use replay::trace::Entry;

const WORLD: &str = "scenario \"Directories\"\nsite central central\nsite aachen\nregistrar pbx\nlink aachen-central\n\
     user anna number 101 home aachen\nat 0s start all\nat 6h end\n";
const AACHEN: usize = 1;

fn judge() -> Judge {
    let script = reader::read("case.scn", WORLD, &mut |_| Err(String::new())).unwrap();
    Judge::new(&Arc::new(plan::make(&script, Override::default()).unwrap()))
}

fn second(second: u64) -> Moment {
    Moment::from_millis(second * 1000)
}

/// What was broken, and how: `I1: at aachen ..`.
fn broken(judge: Judge) -> Vec<String> {
    let findings = judge.finish(second(6 * 3600)).invariants;
    assert!(findings.iter().any(|finding| finding.id == "I7"), "somebody has looked");
    let broken = findings.into_iter().filter_map(|finding| match finding.outcome {
        Outcome::Broken { first, .. } => Some(format!("{}: {}", finding.id, first[0].1)),
        Outcome::Held | Outcome::NotJudged { .. } => None,
    });
    broken.collect()
}

/// What is broken in a directory that is seen like this once.
fn seen(look: &Look) -> Vec<String> {
    let mut judge = judge();
    judge.visit(second(60), AACHEN, look);
    broken(judge)
}

fn ipei(n: u32) -> Ipei {
    Ipei::new(3074, n).unwrap()
}

/// Edited at this second.
fn edit(directory: &mut Directory, second: u64, edit: Edit) {
    let stamp = Stamp { ms: 1_790_000_000_000 + second * 1000, ctr: 0, omm: OmmId::new(0x102A_7020) };
    directory.edit(stamp, edit).unwrap();
}

/// Users 101 and 102, who are with the handsets 1 and 2.
fn two() -> Directory {
    let mut directory = Directory::new(Platform::Rfp);
    for n in [1, 2] {
        let number = Number::new(&format!("10{n}")).unwrap();
        edit(&mut directory, n, Edit::CreateUser(Box::new(NewUser::new(number, Secret::default()))));
        edit(&mut directory, n + 2, Edit::CreateDevice(Box::new(NewDevice::new(ipei(n as u32)))));
        let (uid, ppn) = (Uid::new(n as u32).unwrap(), Ppn::new(n as u32).unwrap());
        edit(&mut directory, n + 4, Edit::Attach { uid, ppn, kind: Kind::Dynamic });
    }
    directory
}

#[test]
fn a_directory_of_ours_keeps_all_of_them() {
    assert_eq!(seen(&Look::at(&two(), None)), [""; 0]);
}

#[test]
fn i1_sees_a_number_and_an_ipei_twice() {
    let mut look = Look::at(&two(), None);
    let number = look.users[0].number.clone();
    Arc::make_mut(&mut look.users[1]).number = number;
    assert_eq!(seen(&look), ["I1: at aachen two users have the number 101"]);
    let mut look = Look::at(&two(), None);
    Arc::make_mut(&mut look.devices[1]).ipei = ipei(1);
    assert_eq!(seen(&look).len(), 1, "{:?}", seen(&look));
    assert!(seen(&look)[0].starts_with("I1: at aachen two handsets have the IPEI 03074 0000001"));
    // Who asks for an IPEI that another one has is shown with it all the same, and is out of use.
    Arc::make_mut(&mut look.devices[1]).status = Status::Conflict;
    assert_eq!(seen(&look), [""; 0]);
}

#[test]
fn i2_sees_a_handset_with_two_users_and_one_whose_user_is_elsewhere() {
    let mut look = Look::at(&two(), None);
    Arc::make_mut(&mut look.users[1]).ppn = look.users[0].ppn;
    assert_eq!(seen(&look), ["I2: at aachen 102 has a handset that another one has, or nobody"]);
    let mut look = Look::at(&two(), None);
    Arc::make_mut(&mut look.users[1]).ppn = None;
    assert!(seen(&look)[0].starts_with("I2: at aachen the user of 03074 0000002"), "{:?}", seen(&look));
}

#[test]
fn i3_sees_two_check_users() {
    let mut look = Look::at(&two(), None);
    Arc::make_mut(&mut look.users[0]).check_user = true;
    assert_eq!(seen(&look), [""; 0]);
    Arc::make_mut(&mut look.users[1]).check_user = true;
    assert_eq!(seen(&look), ["I3: at aachen they are 101 and 102"]);
}

#[test]
fn i4_sees_a_sari_that_changes_or_is_lost_but_for_a_new_beginning() {
    let sari = |park: &str| Some(Sari::derive(park.parse().unwrap()));
    let (one, other) = (sari("1F102A7C82"), sari("1F102AF12C"));
    let lived = |saris: &[Option<Sari>], wiped: bool| {
        let mut judge = judge();
        for (at, sari) in (1..).zip(saris) {
            judge.visit(second(at * 60), AACHEN, &Look::at(&two(), *sari));
            judge.turn(second(at * 60 + 30), AACHEN, wiped);
        }
        broken(judge)
    };
    assert_eq!(lived(&[None, one, one], false), [""; 0]);
    assert_eq!(lived(&[one, other], false).len(), 1);
    assert_eq!(lived(&[one, None], false), [format!("I4: at aachen it was {} and is none", one.unwrap())]);
    assert_eq!(lived(&[one, other], true), [""; 0]);
}

#[test]
fn i6_sees_two_directories_and_two_beliefs_in_a_world_at_rest() {
    let (here, there) = (OmmId::new(0x102A_7010), OmmId::new(0x102A_7020));
    let judged = |digest: [u8; 32], owner: OmmId| {
        let mut judge = judge();
        // Her phone is off, so nobody need serve her.
        let (node, who, event) = ("aachen".into(), "user/101".into(), "detached".into());
        judge.see(&Entry { at: second(60), node, who, event, fields: Vec::new() }.sight());
        for (site, digest, owner) in [(0, [7; 32], there), (AACHEN, digest, owner)] {
            let owners = BTreeMap::from([(Number::new("101").unwrap(), owner)]);
            let look = Look { last: Some(Last { digest, owners }), ..Look::at(&two(), None) };
            judge.visit(second(6 * 3600), site, &look);
        }
        broken(judge)
    };
    assert_eq!(judged([7; 32], there), [""; 0]);
    assert_eq!(judged([8; 32], there), ["I6: central and aachen have different directories"]);
    assert_eq!(
        judged([7; 32], here),
        ["I6: anna: central says that aachen is the owner, aachen says central"]
    );
}

#[test]
fn i7_sees_what_comes_back_from_the_dead_and_not_what_an_administrator_brings_back() {
    let before = two();
    let mut deleted = before.clone();
    edit(&mut deleted, 10, Edit::DeleteUser(Uid::new(1).unwrap()));
    edit(&mut deleted, 11, Edit::DeleteDevice(Ppn::new(2).unwrap()));
    edit(&mut deleted, 12, Edit::SetProfile { id: 1, name: Some("night".into()), data: None });
    edit(&mut deleted, 13, Edit::DeleteProfile(1));
    let lived = |pause: u64, then: &Directory, turns: bool| {
        let mut judge = judge();
        judge.visit(second(20), AACHEN, &Look::at(&deleted, None));
        if turns {
            judge.turn(second(20 + pause), AACHEN, false);
        }
        judge.visit(second(20 + pause), AACHEN, &Look::at(then, None));
        broken(judge)
    };
    assert_eq!(lived(60, &deleted, true), [""; 0]);
    for turns in [false, true] {
        let found = lived(60, &before, turns);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("I7: at aachen the handset created at 1790000004000.0.102A7020"),
            "{found:?}"
        );
    }
    assert_eq!(lived(1, &before, true), [""; 0], "a crash may undo what the disk did not have yet");
    // At another site somebody edits both, later and without knowing of the deletion: both are back.
    let mut revived = before.clone();
    let change = UserChange { name: Some("Anna".into()), ..UserChange::default() };
    edit(&mut revived, 30, Edit::SetUser { uid: Uid::new(1).unwrap(), change: Box::new(change) });
    revived.merge(deleted.pieces());
    assert!(revived.user(&Number::new("101").unwrap()).is_some());
    assert_eq!(lived(60, &revived, false), [""; 0]);
    let mut profile = before;
    edit(&mut profile, 12, Edit::SetProfile { id: 1, name: Some("night".into()), data: None });
    assert!(!lived(60, &profile, false).is_empty());
}
