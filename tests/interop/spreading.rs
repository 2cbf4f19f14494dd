//! What one administrator writes at one site is so at every other site, down to the phone and the PBX.

use std::time::Duration;

use crate::axi::{Client, has};
use crate::journeys::{AT_ONCE, only};
use crate::kamailio::password;
use crate::phone::Phone;
use crate::poll;
use crate::presence::needs;
use crate::session::{Session, attribute};
use crate::system::System;

/// How long an edit may take to the other sites, on a busy machine; alone it is some milliseconds.
const SPREAD: Duration = Duration::from_secs(10);
/// A user that is in no file, and its handset.
const USER: &str = "110";
const IPEI: &str = "00001 0000017 1";

#[test]
fn a_user_made_at_one_site_registers_its_phone_at_another_and_is_gone_everywhere_when_deleted() {
    needs!("kamailio", "kamcmd", "sipp", "ommclient2");
    let system = System::start();
    let (here, there) = (Client::new(system.a.clients()), Client::new(system.b.clients()));
    let mut own = Session::open(system.a.clients()).unwrap_or_else(|| panic!("a session at A"));
    let mut other = Session::open(system.b.clients()).unwrap_or_else(|| panic!("a session at B"));

    let phone = Phone::new(USER, &password(USER));
    assert_eq!(phone.register(system.b.sip()).codes.last(), Some(&401), "nobody knows it yet");

    // Made with the published client, and with what that has no command for.
    let made = here.does(&format!("create_user {USER}"));
    let uid = made.lines().find_map(|line| line.strip_prefix("uid").map(str::trim)).map(str::to_owned);
    let uid = uid.unwrap_or_else(|| panic!("no uid in {made}"));
    here.does(&format!("set_user_name {uid} Ada"));
    here.does(&format!("set_user_sipauth {uid} {USER} {}", password(USER)));
    let device = own.does(&format!("<CreatePPDev seq=\"1\"><pp ipei=\"{IPEI}\" s=\"Yes\"/></CreatePPDev>"));
    let ppn = attribute(&device, "ppn").unwrap_or_else(|| panic!("no ppn in {device}"));
    here.does(&format!("--ommsync attach_user_device {uid} {ppn}"));
    let seen = |session: &mut Session| {
        let user = session.user(USER)?;
        Some((attribute(&user, "name")?, attribute(&user, "ppn")?))
    };
    let wanted = Some(("Ada".to_owned(), ppn.clone()));
    poll::until(SPREAD, "B shows Ada with her handset", || seen(&mut other), |seen| *seen == wanted);
    let shown = there.does(&format!("get_user {uid}"));
    assert!(has(&shown, "num", USER) && has(&shown, "sipAuthId", USER), "{shown}");
    assert!(has(&there.does(&format!("get_device {ppn}")), "uid", &uid));

    // Its phone comes to B with the password that A was told, and B takes it to the PBX.
    let watch = system.watch(USER);
    assert_eq!(phone.register(system.b.sip()).codes, [401, 200]);
    only(&watch, AT_ONCE, &["site-b"]);
    system.agree(USER, "site-b");
    let told = system.b.show(USER).unwrap_or_else(|| panic!("B shows {USER}"));
    assert_eq!((&told["owner"], &told["place"]), (&"site-b".into(), &"here".into()), "{told}");
    assert_eq!(told["registered"][0]["server"], "pbx", "{told}");
    assert_eq!(told["relation"], "dynamic", "{told}");
    assert!(told["edited"]["at"].is_string(), "{told}");
    // Every site shows it (B-10), and to AXI clients too.
    for site in [&system.a, &system.central] {
        let registered = || Some(site.show(USER)?["registered"][0]["by"].as_str()?.to_owned());
        poll::until(SPREAD, "everybody knows where it is registered", registered, |by| {
            by.as_deref() == Some("site-b") || by.as_deref() == Some("102A7C82")
        });
    }
    let state = own.does(&format!("<GetPPState seq=\"3\" ppn=\"{ppn}\"/>"));
    assert_eq!(attribute(&state, "regServerType").as_deref(), Some("Primary"), "{state}");
    // What happened to it is told at every site, with the names of those that told it (B-16).
    for site in [&system.a, &system.central] {
        let (_, told) = site.command(&["why", USER]);
        let let_in = told.lines().find(|line| line.contains("the phone was let in"));
        assert!(let_in.is_some_and(|line| line.contains("  site-b ")), "{told}");
    }
    // The central knows what everybody has acknowledged.
    let acked = || Some(system.central.show(USER)?["acked_by"].as_array()?.len());
    poll::until(SPREAD, "both remotes have acknowledged it", acked, |acked| *acked == Some(2));

    // It goes home, and is a user like those of the file.
    assert_eq!(phone.register(system.a.sip()).codes, [401, 200]);
    only(&watch, AT_ONCE, &["site-a"]);
    system.agree(USER, "site-a");
    let registered = || Some(system.central.show(USER)?["registered"].as_array()?.len());
    poll::until(SPREAD, "B's registration is shown no more", registered, |places| *places == Some(1));

    // A deletion at B ends it at A, where it is registered, and everywhere.
    other.does(&format!("<DeletePPUser seq=\"2\" uid=\"{uid}\"/>"));
    poll::until(SPREAD, "A has forgotten it", || own.user(USER), Option::is_none);
    assert!(here.fails(&format!("get_user {uid}")).contains("ENoEnt"));
    only(&watch, AT_ONCE, &[]);
    for site in [&system.a, &system.b, &system.central] {
        let answer = || phone.register(site.sip()).codes;
        poll::until(SPREAD, "the phone is refused", answer, |codes| !codes.contains(&200));
        assert!(site.show(USER).is_none(), "{} still shows it", site.name());
    }
}
