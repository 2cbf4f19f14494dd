//! Users and handsets from files, by the commands, into a process that runs.

use std::fs;

use tempfile::TempDir;

use crate::address;
use crate::omm::{Omm, Place, Plan};

const FILE: &str = "# the site\n<SetPARK park=1F102F0E86 />\n\
    <CreatePPUser plainText=1 replaceData=1><user num=\"200\" name=\"Anna\" sipPw=\"geheim\"/></CreatePPUser>\n\
    <CreateFixedPP plainText=\"1\" replaceData=\"1\">\n  <user num=\"201\" name=\"Bert\"/><pp ipei=\"0000100000016\"/>\n</CreateFixedPP>\n";

#[test]
fn a_file_is_imported_twice_and_its_users_are_exported() {
    let listen = (address::fresh(), crate::system::AXI).into();
    let omm = Omm::start(Plan {
        name: "central",
        park: "1F102F0E86",
        sip: address::sip(),
        pbx: "sip:127.0.0.1:9;transport=udp".into(),
        place: Place::Central { listen, remotes: Vec::new() },
    });
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let put = |name: &str, text: &str| {
        fs::write(path(name), text).expect("a file");
        path(name)
    };
    let last = |told: &str| told.lines().last().unwrap_or_default().to_owned();
    let cfg = put("ipdect.cfg", FILE);

    let (code, told) = omm.command(&["import", &cfg, "--dry-run"]);
    let tried = "2 created, 0 changed, 0 deleted, 0 unchanged, 1 ignored, 0 refused; this was a trial, nothing was changed";
    assert_eq!((code, last(&told).as_str()), (Some(0), tried), "{told}");
    let (code, told) = omm.command(&["import", &cfg]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("ipdect.cfg:2: ignored   SetPARK: not about users and handsets"), "{told}");
    assert!(told.contains("ipdect.cfg:3: created   user 200"), "{told}");
    assert!(told.contains("ipdect.cfg:4: created   user 201, device 0000100000016"), "{told}");
    let (code, told) = omm.command(&["import", &cfg]);
    let same = "0 created, 0 changed, 0 deleted, 2 unchanged, 1 ignored, 0 refused";
    assert_eq!((code, last(&told).as_str()), (Some(0), same), "{told}");

    // What comes out goes in again; passwords only when they are asked for.
    let (code, told) = omm.command(&["export", &path("users.csv"), "--secrets"]);
    assert_eq!(code, Some(0), "{told}");
    let sheet = fs::read_to_string(path("users.csv")).expect("a sheet");
    assert!(sheet.lines().any(|line| line.contains(",Anna,") && line.contains("geheim")), "{sheet}");
    let (code, told) = omm.command(&["export", &path("users.csv")]);
    assert!(code == Some(3) && told.contains("exists already"), "{told}");
    let (_, bare) = omm.command(&["export", "-"]);
    assert!(bare.contains("Anna") && !bare.contains("geheim"), "{bare}");
    let (code, told) = omm.command(&["import", &path("users.csv")]);
    assert!(code == Some(0) && last(&told).starts_with("0 created, 0 changed, 0 deleted"), "{told}");

    // A refusal costs its entry, a mistake the whole file, and each says where.
    let bulk =
        put("pp.txt", "start_number = 300\ndata_sequence\n;Cora\n200;Anna B\n301;Dora;;0000100000017\n");
    let (code, told) = omm.command(&["import", &bulk]);
    assert!(code == Some(1) && told.contains("pp.txt:5: refused   user 301"), "{told}");
    assert!(told.contains("1 created, 1 changed, 0 deleted, 0 unchanged, 0 ignored, 1 refused"), "{told}");
    let wrong = put("wrong.csv", "num,colour\n400,red\n");
    let (code, told) = omm.command(&["import", &wrong]);
    assert!(
        code == Some(2) && told.contains("wrong.csv:1: read a column \"colour\", expected names"),
        "{told}"
    );
    let (code, told) = omm.command(&["import", &path("nowhere.cfg")]);
    assert!(code == Some(2) && told.contains("cannot read"), "{told}");
}
