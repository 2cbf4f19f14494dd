//! A backup is taken, and put back in each mode, by the commands, into a process that runs (L-7).

use std::fs;

use tempfile::TempDir;

use crate::address;
use crate::omm::{Omm, Place, Plan};

#[test]
fn a_backup_brings_deleted_users_back_only_when_it_is_asked_to_and_shows_its_secrets_to_nobody() {
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
    let run = |words: &[&str]| {
        let (code, told) = omm.command(words);
        assert_eq!(code, Some(0), "{words:?}: {told}");
        told
    };
    let anna = || omm.command(&["export", "-", "--secrets"]).1.contains(",Anna,");

    run(&["import", &put("users.csv", "num,name,sipPw\n200,Anna,geheim\n")]);
    let (secret, kept) = (put("passphrase", "correct horse\n"), path("kept.backup"));
    run(&["backup", &kept, "--passphrase-file", &secret]);
    let file = fs::read_to_string(&kept).expect("a backup");
    assert!(!file.contains("geheim") && !file.contains("Anna"), "{file}");
    run(&["import", &put("delete.cfg", "<DeletePPUser num=\"200\"/>")]);
    assert!(!anna());
    let restore = |mode| run(&["restore", &kept, "--mode", mode, "--passphrase-file", &secret]);
    restore("merge");
    assert!(!anna(), "a deletion is newer than the backup");
    let told = restore("mitel");
    assert!(anna() && told.starts_with("restored: 1 users"), "{told}");
    run(&["import", &put("bert.csv", "num,name\n201,Bert\n")]);
    run(&["import", &path("delete.cfg")]);
    restore("authoritative");
    let sheet = run(&["export", "-", "--secrets"]);
    assert!(sheet.contains("Anna") && sheet.contains("geheim") && !sheet.contains("Bert"), "{sheet}");

    let (code, told) = omm.command(&["restore", &kept, "--mode", "merge"]);
    assert!(code == Some(2) && told.contains("the passphrase is needed"), "{told}");
    let (code, told) = omm.command(&["backup", &path("other.backup")]);
    assert!(code == Some(2) && told.contains("--without-secrets"), "{told}");
    run(&["backup", &path("bare.backup"), "--without-secrets"]);
    let bare = fs::read_to_string(path("bare.backup")).expect("a backup");
    assert!(bare.contains("Anna") && !bare.contains("geheim"), "{bare}");
}
