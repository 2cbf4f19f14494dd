//! The hard rules of axi 7.1, each of which hangs or crashes a real client when it is broken, held against every answer and
//! every event of a whole server: sessions, office and directory, without a socket between them.

mod requests;
mod rules;
mod world;

use std::collections::BTreeSet;

use axi::element::Element;
use axi::health::{Condition, Files, Wellbeing};
use axi::look::{Registered, placed};
use axi::news::News;
use axi::system;
use axi::transaction::Transaction;
use omm::ids::park::Sari;
use omm::link::dial::Health;
use requests::{EVERYTHING, REQUESTS, Request};
use rules::{answer, event, is_event};
use world::{Mode, World};

/// How a client counts its requests.
const COOKIES: [Option<&str>; 3] = [None, Some("0"), Some("007")];

/// Says it, holds everything that is heard against the rules, and returns the answer.
fn say(world: &mut World, xml: &str, heard: &mut BTreeSet<String>) -> Element<'static> {
    let mut told = world.say(xml);
    assert!(!told.is_empty(), "no answer to {xml}");
    let first = told.remove(0);
    let answered = answer(xml, &first);
    for told in told {
        heard.insert(event(&told).name().to_owned());
    }
    answered
}

fn with_cookie(xml: &str, cookie: Option<&str>) -> String {
    let Some(cookie) = cookie else { return xml.to_owned() };
    let end = xml.find([' ', '/', '>']).expect("a name");
    format!("{} seq=\"{cookie}\"{}", &xml[..end], &xml[end..])
}

#[test]
fn every_answer_and_every_event_keeps_the_hard_rules() {
    let mut heard = BTreeSet::new();
    for (mode, cookie) in Mode::ALL.into_iter().flat_map(|mode| COOKIES.map(|cookie| (mode, cookie))) {
        let mut world = World::filled(mode);
        say(&mut world, EVERYTHING, &mut heard);
        for Request { xml, plain, sync } in REQUESTS {
            let expected = if mode == Mode::Sync { sync.unwrap_or(plain) } else { plain };
            let told = say(&mut world, &with_cookie(xml, cookie), &mut heard);
            assert_eq!(told.get("errCode").unwrap_or_default(), expected, "{mode:?} {xml}: {told}");
        }
        for news in elsewhere() {
            for told in world.happened(news) {
                heard.insert(event(&told).name().to_owned());
            }
        }
    }
    let promised = system::versions().attributes.into_iter().map(|(name, _)| name.to_owned());
    let promised: BTreeSet<String> = promised.filter(|name| is_event(name)).collect();
    assert_eq!(promised, heard, "the events of GetVersions, and those that were heard");
}

/// What happens without a request of a client.
fn elsewhere() -> Vec<News> {
    let server = Registered { tier: 0, host: "192.0.2.9".to_owned(), port: 5060 };
    let files = Files { read: true, common_failed: true, user_failed: false };
    let lost = Wellbeing { link: Condition::of_link(Health::Lost, true), files };
    vec![
        News::State { ppn: 1, changed: placed(Some(server)) },
        News::State { ppn: 1, changed: placed(None) },
        News::Import { filename: "101.cfg".into(), done: true },
        News::Import { filename: "102.cfg".into(), done: false },
        News::Sari(system::sari(Sari::read("1F10187326").expect("a SARI"))),
        News::Health(lost.reply()),
        News::Transaction { ppn: 1, what: Transaction::LocReg },
        News::Transaction { ppn: 1, what: Transaction::Detach },
    ]
}

/// What is never answered well in an open session: a second login, and lists that have no records here.
const ALWAYS_REFUSED: [&str; 3] = ["Open", "GetRFP", "GetActivePPDev"];

#[test]
fn every_message_of_get_versions_is_answered_and_every_answered_one_is_there() {
    let name = |xml: &str| Element::read(xml.as_bytes()).expect("a request").name().to_owned();
    let promised: BTreeSet<String> =
        system::versions().attributes.into_iter().map(|(name, _)| name.to_owned()).collect();
    let swept: BTreeSet<String> = REQUESTS.iter().map(|request| name(request.xml)).collect();
    let fine = REQUESTS.iter().filter(|request| request.plain.is_empty() || request.sync == Some(""));
    let fine: BTreeSet<String> =
        fine.map(|request| name(request.xml)).chain(ALWAYS_REFUSED.map(str::to_owned)).collect();
    let unanswered: Vec<&String> =
        promised.iter().filter(|name| !is_event(name) && !fine.contains(*name)).collect();
    assert!(unanswered.is_empty(), "promised, and never answered well here: {unanswered:?}");
    let mut world = World::filled(Mode::Sync);
    for name in swept.iter().filter(|name| !promised.contains(*name)) {
        let told = answer(&format!("<{name}/>"), &world.say(&format!("<{name}/>"))[0]);
        assert_eq!(
            told.get("info"),
            Some("this message is not supported"),
            "{name} is answered and not promised"
        );
    }
}

#[test]
fn a_list_without_records_is_its_end_and_never_an_empty_answer() {
    for mode in Mode::ALL {
        let mut world = World::empty(mode);
        for xml in [
            "<GetPPUser uid=\"0\" maxRecords=\"20\"/>",
            "<GetPPDev ppn=\"0\" maxRecords=\"20\"/>",
            "<GetPpProfile id=\"0\" maxRecords=\"20\"/>",
            "<GetRFP id=\"0\" maxRecords=\"20\"/>",
            "<GetAccount id=\"1001\" maxRecords=\"20\"/>",
            "<GetPPUserByNumber num=\"101\"/>",
            "<GetPPDevByIPEI ipei=\"03074 0220259 3\"/>",
            "<GetPP uid=\"1\" ppn=\"1\"/>",
            "<GetLastPPDevAction ppn=\"1\"/>",
        ] {
            let told = say(&mut world, xml, &mut BTreeSet::new());
            assert_eq!((told.get("errCode"), told.children().len()), (Some("ENoEnt"), 0), "{xml}: {told}");
        }
    }
}

/// What clients write, and worse.
const VALUES: [&str; 12] = [
    "",
    "0",
    "1",
    "-1",
    "2",
    "x",
    "True",
    "99999999999999999999",
    "4294967296",
    "Dynamic",
    "größe <&> \u{1F4DE}",
    " ",
];

#[test]
fn whatever_a_client_writes_the_answer_keeps_the_rules() {
    let long = "9".repeat(5000);
    let mut heard = BTreeSet::new();
    for (mode, request) in Mode::ALL.into_iter().flat_map(|mode| REQUESTS.iter().map(move |one| (mode, one)))
    {
        let whole = Element::read(request.xml.as_bytes()).expect("a request").into_owned();
        // One world for all that is done to one request: whatever came of it before, the rules hold.
        let mut world = World::filled(mode);
        say(&mut world, EVERYTHING, &mut heard);
        for value in VALUES.into_iter().chain([long.as_str()]) {
            for xml in rules::spoilt(&whole, value) {
                say(&mut world, &xml, &mut heard);
                // Whatever came of it, what is there now is told as it has to be.
                for xml in [
                    "<GetPPUser uid=\"0\" maxRecords=\"20\"/>",
                    "<GetPPDev ppn=\"0\" maxRecords=\"20\"/>",
                    "<GetAccount id=\"0\" maxRecords=\"20\"/>",
                ] {
                    say(&mut world, xml, &mut heard);
                }
            }
        }
    }
}

#[test]
fn what_only_newer_clients_know_is_told_only_when_somebody_has_set_it() {
    let mut world = World::filled(Mode::Plain);
    let newer = |world: &mut World| {
        let told = world.say("<GetPPUser uid=\"1\"/>").remove(0);
        ["altDisplayNum", "sipProfileId", "pickupGroupNum"].map(|name| told.contains(name))
    };
    assert_eq!(newer(&mut world), [false; 3]);
    world.say("<SetPPUser><user uid=\"1\" altDisplayNum=\"7\" sipProfileId=\"0\"/></SetPPUser>");
    assert_eq!(newer(&mut world), [true, false, false]);
}

#[test]
fn a_stranger_s_answers_keep_the_rules_too() {
    for (cookie, request) in
        COOKIES.into_iter().flat_map(|cookie| REQUESTS.iter().map(move |one| (cookie, one)))
    {
        let xml = with_cookie(request.xml, cookie);
        let told = World::stranger().say(&xml);
        let told = answer(&xml, &told[0]);
        let may = ["Open", "Ping", "GetVersions"].iter().any(|name| told.name() == format!("{name}Resp"));
        assert_eq!(told.get("errCode").is_none(), may, "{told}");
    }
    for password in ["wrong", ""] {
        let open = format!("<Open username=\"omm\" password=\"{password}\" seq=\"0\"/>");
        let told = answer(&open, &World::stranger().say(&open)[0]);
        assert_eq!(told.get("errCode"), Some("EAuth"));
    }
}
