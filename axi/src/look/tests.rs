//! Stories about what clients change and see, with a real directory.

use std::time::Duration;

use omm::claim::Phase;
use omm::directory::edit::{DeviceChange, Edit};
use omm::platform::Platform;
use omm::stamp::{OmmId, Stamp};
use omm::star::Role;

use super::*;
use crate::edits::{Here, edits};
use crate::element::Element;
use crate::request::{Body, Request};
use crate::transaction::Transaction;

const HERE: OmmId = OmmId::new(0x102A_7C82);
const THERE: OmmId = OmmId::new(0x102A_F12C);
/// The stamps of these stories begin at this second.
const BEGAN: u64 = 1_520_386_972;

/// A directory, a clock, and a phone that may be somewhere.
struct World {
    directory: Directory,
    stamps: u64,
    roam: Option<Claim>,
    registered: Option<Registered>,
    acted: Option<(Ipei, Last)>,
    role: Role,
}

impl World {
    fn new() -> World {
        World {
            directory: Directory::new(Platform::Pc),
            stamps: 0,
            roam: None,
            registered: None,
            acted: None,
            role: Role::Remote,
        }
    }

    /// Two users and two handsets.
    fn filled() -> World {
        let mut world = World::new();
        for number in ["101", "102"] {
            world.change(&format!(
                "<CreatePPUser plainText=\"1\"><user num=\"{number}\" sipPw=\"geheim\"/></CreatePPUser>"
            ));
        }
        for ipei in ["03074 0220259 3", "02914 0376663 7"] {
            world.change(&format!("<CreatePPDev><pp ipei=\"{ipei}\" s=\"Yes\"/></CreatePPDev>"));
        }
        world
    }

    fn request(xml: &str) -> Body {
        let element = Element::read(xml.as_bytes()).unwrap();
        Request::read(&element, true).unwrap().unwrap().body
    }

    fn try_change(&mut self, xml: &str) -> Result<(), String> {
        let Body::Change(change) = World::request(xml) else { panic!("{xml}") };
        let text = |refused: Refused| format!("{} {}", refused.code, refused.bad.unwrap_or_default());
        for edit in edits(&change, &self.directory, Here { omm: HERE, role: self.role }).map_err(text)? {
            self.stamps += 1;
            let stamp = Stamp { ms: (BEGAN + self.stamps) * 1000, ctr: 0, omm: HERE };
            self.directory.edit(stamp, edit).map_err(|refusal| text(Refused::from(&refusal)))?;
        }
        Ok(())
    }

    fn change(&mut self, xml: &str) {
        self.try_change(xml).unwrap_or_else(|why| panic!("{xml}: {why}"));
    }

    fn look(&self, xml: &str) -> Result<Vec<String>, String> {
        let Body::Look(look) = World::request(xml) else { panic!("{xml}") };
        let roam = |_: &Number| self.roam.clone();
        let registered = |_: &Number| self.registered.clone();
        let acted = |ipei: Ipei| self.acted.filter(|(by, _)| *by == ipei).map(|(_, last)| last);
        let view = View { directory: &self.directory, roam: &roam, registered: &registered, acted: &acted };
        let reply = super::look(&look, false, &view).expect("it is in the directory");
        let reply = reply.map_err(|refused| refused.code.to_string())?;
        let mut told: Vec<String> =
            reply.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        told.extend(reply.children.iter().map(ToString::to_string));
        Ok(told)
    }

    fn sees(&self, xml: &str) -> String {
        self.look(xml).unwrap_or_else(|why| panic!("{xml}: {why}")).join(" ")
    }
}

#[test]
fn a_new_user_is_told_without_what_nobody_has_set_and_without_its_password() {
    let mut world = World::new();
    world.change("<CreatePPUser plainText=\"1\"><user uid=\"0\" ppn=\"0\" num=\"101\" name=\"Ada\" sipPw=\"geheim\"/></CreatePPUser>");
    assert_eq!(
        world.sees("<GetPPUser uid=\"0\"/>"),
        "<user uid=\"1\" relType=\"Unbound\" ppn=\"0\" timeStamp=\"1520386973\" name=\"Ada\" num=\"101\" \
         timeStampAdmin=\"1520386973\"/>"
    );
    let number = Number::new("101").unwrap();
    assert_eq!(world.directory.user(&number).unwrap().admin.password.reveal(), "geheim");
}

#[test]
fn pages_begin_at_the_next_key_and_the_end_of_a_list_is_no_entry() {
    let mut world = World::new();
    for number in 1..=45 {
        world.change(&format!("<CreatePPUser><user num=\"{number}\"/></CreatePPUser>"));
    }
    world.change("<DeletePPUser uid=\"21\"/>");
    let page = |from: u32| world.look(&format!("<GetPPUser uid=\"{from}\" maxRecords=\"20\"/>"));
    assert_eq!(page(0).unwrap().len(), 20);
    let second = page(21).unwrap();
    assert!(second.len() == 20 && second[0].starts_with("<user uid=\"22\""), "{}", second[0]);
    assert_eq!(page(42).unwrap().len(), 4);
    assert_eq!(page(46), Err("ENoEnt".into()));
    assert_eq!(world.look("<GetPPUser uid=\"1\" maxRecords=\"0\"/>").unwrap().len(), 1);
    assert_eq!(world.look("<GetPPDev ppn=\"0\"/>"), Err("ENoEnt".into()));
}

#[test]
fn a_pair_is_bound_made_firm_and_parted() {
    let mut world = World::filled();
    world.change(
        "<SetPP><user uid=\"1\" ppn=\"2\" relType=\"Dynamic\"/><pp ppn=\"2\" uid=\"1\" relType=\"Dynamic\"/></SetPP>",
    );
    let told = world.sees("<GetPP uid=\"1\" ppn=\"2\"/>");
    assert!(told.contains("<user uid=\"1\" relType=\"Dynamic\" ppn=\"2\""), "{told}");
    assert!(told.contains("<pp ppn=\"2\" relType=\"Dynamic\" uid=\"1\""), "{told}");
    world.change("<SetPPUserDevRelation uid=\"1\" relType=\"Fixed\"/>");
    assert!(world.sees("<GetPPUser uid=\"1\"/>").contains("relType=\"Fixed\""));
    world.change("<SetPP><user uid=\"1\" ppn=\"0\" relType=\"Unbound\"/><pp ppn=\"2\" uid=\"0\" relType=\"Unbound\"/></SetPP>");
    assert!(world.sees("<GetPPDev ppn=\"2\"/>").contains("relType=\"Unbound\" uid=\"0\""));
    let unequal = "<SetPP><user uid=\"1\" ppn=\"2\" relType=\"Dynamic\"/><pp ppn=\"1\" uid=\"1\"/></SetPP>";
    assert_eq!(world.try_change(unequal), Err("EInval ppn".into()));
}

#[test]
fn refusals_have_the_codes_that_clients_know() {
    let mut world = World::filled();
    let mut refused = |xml: &str| world.try_change(xml).unwrap_err();
    assert_eq!(refused("<CreatePPUser><user num=\"101\"/></CreatePPUser>"), "EExist num");
    assert_eq!(refused("<SetPPUser><user uid=\"9\" name=\"x\"/></SetPPUser>"), "ENoEnt uid");
    assert_eq!(refused("<SetPPUser><user uid=\"2\" num=\"101\"/></SetPPUser>"), "EExist num");
    assert_eq!(refused("<DeletePPUser num=\"999\"/>"), "ENoEnt num");
    assert_eq!(refused("<CreatePPDev><pp ipei=\"03074 0220259 3\"/></CreatePPDev>"), "EExist ipei");
    assert_eq!(refused("<CreatePPDev><pp encrypt=\"1\"/></CreatePPDev>"), "EMissing ipei");
    assert_eq!(refused("<CreatePPDev><pp ipei=\"03074 0220259 4\"/></CreatePPDev>"), "EInval ipei");
    assert_eq!(refused("<SetPPUserDevRelation uid=\"1\" relType=\"Unbound\"/>"), "EInval relType");
    assert_eq!(world.look("<GetPPUserByNumber num=\"999\"/>"), Err("ENoEnt".into()));
    assert_eq!(world.look("<GetPPDevByIPEI ipei=\"nonsense\"/>"), Err("ENoEnt".into()));
    assert_eq!(world.look("<GetPP uid=\"1\" ppn=\"9\"/>"), Err("ENoEnt".into()));
}

#[test]
fn a_handset_is_kept_from_roaming_with_a_fixed_user_and_not_at_the_central() {
    let mut world = World::filled();
    let set = "<SetPPDev><pp ppn=\"1\" subscribeToPARIOnly=\"1\"/></SetPPDev>";
    let forbidden = Err("EForbidden subscribeToPARIOnly".to_owned());
    let pair = |relation: &str, more: &str| {
        format!(
            "<SetPP><user uid=\"1\" ppn=\"1\" relType=\"{relation}\"/>\
             <pp ppn=\"1\" uid=\"1\" relType=\"{relation}\"{more}/></SetPP>"
        )
    };
    let only = " subscribeToPARIOnly=\"1\"";
    assert_eq!(world.try_change(set), forbidden, "nobody is with it");
    world.change(&pair("Dynamic", ""));
    assert_eq!(world.try_change(set), forbidden, "its user may leave it");
    assert_eq!(world.try_change(&pair("Dynamic", only)), forbidden);
    let new = "<CreatePPDev><pp ipei=\"01032 0345625 0\" subscribeToPARIOnly=\"1\"/></CreatePPDev>";
    assert_eq!(world.try_change(new), forbidden);
    world.role = Role::Central;
    assert_eq!(world.try_change(&pair("Fixed", only)), forbidden, "the central's PARI is the SARI");
    world.role = Role::Remote;
    world.change(&pair("Fixed", only));
    assert!(world.sees("<GetPPDev ppn=\"1\"/>").contains(only));
    assert_eq!(world.try_change(&pair("Dynamic", "")), Err("EForbidden relType".to_owned()));
    world.change("<CreateFixedPP><user num=\"103\"/><pp ipei=\"01032 0345625 0\" subscribeToPARIOnly=\"1\"/></CreateFixedPP>");

    // A file may fix the user and keep the handset at once, but not keep it and leave the user free.
    let file = |relation: &str| {
        format!(
            "<CreateFixedPP replaceData=\"1\"><user num=\"102\" relType=\"{relation}\"/>\
             <pp ipei=\"02914 0376663 7\" subscribeToPARIOnly=\"1\"/></CreateFixedPP>"
        )
    };
    world.change("<SetPP><user uid=\"2\" ppn=\"2\" relType=\"Dynamic\"/><pp ppn=\"2\" uid=\"2\" relType=\"Dynamic\"/></SetPP>");
    assert_eq!(world.try_change(&file("Unbound")), forbidden);
    assert_eq!(world.try_change(&file("Dynamic")), forbidden);
    world.change(&file("Fixed"));
    assert!(world.sees("<GetPPDev ppn=\"2\"/>").contains(only));
}

#[test]
fn a_record_that_is_sent_back_at_another_site_moves_no_handset_there() {
    let mut world = World::filled();
    world.change(
        "<SetPP><user uid=\"1\" ppn=\"1\" relType=\"Fixed\"/><pp ppn=\"1\" uid=\"1\" relType=\"Fixed\"/></SetPP>",
    );
    let ppn = Ppn::new(1).unwrap();
    let change = DeviceChange { pari_only: Some(Some(THERE)), ..DeviceChange::default() };
    let stamp = Stamp { ms: (BEGAN + 100) * 1000, ctr: 0, omm: THERE };
    world.directory.edit(stamp, Edit::SetDevice { ppn, change: Box::new(change) }).unwrap();
    world.stamps = 200;
    for role in [Role::Remote, Role::Central] {
        world.role = role;
        world.change("<SetPPDev><pp ppn=\"1\" encrypt=\"1\" subscribeToPARIOnly=\"1\"/></SetPPDev>");
        assert_eq!(world.directory.device_at(ppn).unwrap().admin.pari_only, Some(THERE), "{role:?}");
    }
    world.change("<SetPPDev><pp ppn=\"1\" subscribeToPARIOnly=\"0\"/></SetPPDev>");
    assert_eq!(world.directory.device_at(ppn).unwrap().admin.pari_only, None);
}

#[test]
fn an_attribute_that_no_rule_reads_is_kept_and_told_until_it_is_the_default_again() {
    let mut world = World::filled();
    world.change(
        "<SetPPUser><user uid=\"1\" hierarchy1=\"GURU_MGR\" msgRight=\"0\" forwardTime=\"20\"/></SetPPUser>",
    );
    let told = world.sees("<GetPPUser uid=\"1\"/>");
    assert!(told.contains(" hierarchy1=\"GURU_MGR\" forwardTime=\"20\" msgRight=\"0\""), "{told}");
    world.change("<SetPPUser><user uid=\"1\" hierarchy1=\"\" msgRight=\"True\"/></SetPPUser>");
    let told = world.sees("<GetPPUser uid=\"1\"/>");
    assert!(
        !told.contains("hierarchy1") && !told.contains("msgRight") && told.contains("forwardTime"),
        "{told}"
    );
    world.change(
        "<SetPPDev><pp ppn=\"1\" modicType=\"01\" locationData=\"000001000000\" hwType=\"GAP\"/></SetPPDev>",
    );
    let told = world.sees("<GetPPDevByIPEI ipei=\"03074 0220259 3\"/>");
    assert!(told.contains("hwType=\"GAP\"") && told.contains("locationData=\"000001000000\""), "{told}");
}

#[test]
fn what_a_provisioning_file_says_again_replaces_the_record_and_an_empty_number_is_the_row() {
    let mut world = World::new();
    let file = "<CreatePPUser plainText=\"1\" replaceData=\"1\"><user uid=\"7\" name=\"\" num=\"\" addId=\"\" \
                sipAuthId=\"\" sipPw=\"\" pin=\"\" fixedSipPort=\"0\"/></CreatePPUser>";
    world.change(file);
    assert!(world.sees("<GetPPUser uid=\"7\"/>").contains("num=\"uid7\""));
    world.change("<SetPPUser><user uid=\"7\" num=\"107\" name=\"Ada\"/></SetPPUser>");
    world.change(file);
    let told = world.sees("<GetPPUser uid=\"7\"/>");
    assert!(told.contains("name=\"\" num=\"uid7\""), "{told}");
    assert_eq!(world.directory.users().len(), 1);
}

#[test]
fn where_a_phone_is_shows_at_every_omm_and_its_registration_where_it_is() {
    let mut world = World::filled();
    world.change(
        "<SetPP><user uid=\"1\" ppn=\"1\" relType=\"Dynamic\"/><pp ppn=\"1\" uid=\"1\" relType=\"Dynamic\"/></SetPP>",
    );
    world.roam = Some(Claim {
        user: Number::new("101").unwrap(),
        device: "03074 0220259 3".parse().unwrap(),
        epoch: Stamp { ms: 1_510_486_477_000, ctr: 0, omm: THERE },
        owner: THERE,
        former: Some(HERE),
        phase: Phase::Here,
        age: Duration::ZERO,
    });
    let told = world.sees("<GetPPDev ppn=\"1\"/>");
    assert!(
        told.contains("ommId=\"102AF12C\" ommIdAck=\"102A7C82\"") && !told.contains("roaming="),
        "{told}"
    );
    assert!(told.contains("timeStampRoaming=\"1510486477\""), "{told}");
    assert_eq!(world.sees("<GetPPState ppn=\"1\"/>"), "ppn=1 callState=none registered=0 regServerType=None");
    world.roam = world.roam.map(|claim| Claim { former: None, ..claim });
    assert!(world.sees("<GetPPDev ppn=\"1\"/>").contains("ommIdAck=\"102AF12C\""));
    assert!(world.sees("<GetPPDev ppn=\"1\"/>").contains("roaming=\"RoamingComplete\""));
    world.registered = Some(Registered { tier: 1, host: "192.0.2.9".into(), port: 5060 });
    assert_eq!(
        world.sees("<GetPPState ppn=\"1\"/>"),
        "ppn=1 callState=none registered=1 regServerType=Secondary regServerAddr=192.0.2.9 regServerPort=5060"
    );
    assert_eq!(world.sees("<GetPPState ppn=\"2\"/>"), "ppn=2 callState=none", "only if a user is bound");
}

#[test]
fn what_a_handset_did_last_is_told_of_those_that_were_seen() {
    let mut world = World::filled();
    let ask = "<GetLastPPDevAction id=\"0\" maxRecords=\"20\"/>";
    assert_eq!(world.look(ask), Err("ENoEnt".into()), "nobody was seen yet");
    let last = Last { what: Transaction::Detach, ago: Duration::from_millis(61_900) };
    world.acted = Some(("02914 0376663 7".parse().unwrap(), last));
    let told = "<pp ppn=\"2\" trType=\"Detach\" relTime=\"61\"/>";
    assert_eq!(world.sees(ask), told);
    assert_eq!(world.sees("<GetLastPPDevAction ppn=\"2\"/>"), told);
    assert_eq!(world.look("<GetLastPPDevAction ppn=\"3\"/>"), Err("ENoEnt".into()));
}

#[test]
fn summaries_count() {
    let mut world = World::filled();
    world.change("<SetPPUser><user uid=\"2\" locatable=\"1\" monitoringMode=\"Active\"/></SetPPUser>");
    let told = world.sees("<GetPPUserSummary/>");
    assert!(told.starts_with("nRecords=2 uidFirst=1 nSipRegistration=0 nLocatable=1"), "{told}");
    assert!(told.contains("usersActiveMonitored=1"), "{told}");
    assert_eq!(world.sees("<GetPPDevSummary/>"), "nRecords=2 ppnFirst=1 subscribedDevs=2 subscribed=2");
}

#[test]
fn profiles_are_written_read_page_by_page_and_deleted() {
    let mut world = World::new();
    world.change("<SetPpProfile><ppProfile id=\"3\" name=\"Ward\" ppData=\"UD_DispFont=2\"/></SetPpProfile>");
    world.change("<CreatePpProfile><ppProfile id=\"20\" name=\"Lab\"/></CreatePpProfile>");
    world.change("<SetPpProfile><ppProfile id=\"3\" name=\"Ward 7\"/></SetPpProfile>");
    let ward = "<ppProfile id=\"3\" name=\"Ward 7\" ppData=\"UD_DispFont=2\" timeStamp=\"1520386975\"/>";
    assert_eq!(world.sees("<GetPpProfile Id=\"0\"/>"), ward);
    let both = world.sees("<GetPpProfile id=\"1\" maxRecords=\"20\"/>");
    assert!(both.starts_with(ward) && both.contains("name=\"Lab\""), "{both}");
    assert_eq!(world.look("<GetPpProfile Id=\"21\"/>"), Err("ENoEnt".into()));
    let create = "<CreatePpProfile><ppProfile id=\"3\" name=\"Again\"/></CreatePpProfile>";
    assert_eq!(world.try_change(create), Err("EExist id".into()));
    world.change("<DeletePpProfile id=\"3\"/>");
    assert_eq!(world.try_change("<DeletePpProfile id=\"3\"/>"), Err("ENoEnt id".into()));
    assert!(world.sees("<GetPpProfile Id=\"0\"/>").contains("name=\"Lab\""));
}

#[test]
fn there_are_twenty_profiles_and_their_lines_have_a_length() {
    let refused = |xml: &str| {
        let element = Element::read(xml.as_bytes()).unwrap();
        Request::read(&element, true).unwrap_err().answer().to_string()
    };
    for id in ["0", "21", "x", "-1"] {
        let told = refused(&format!("<SetPpProfile><ppProfile id=\"{id}\"/></SetPpProfile>"));
        assert!(told.contains("EInval") && told.contains("bad=\"id\""), "{told}");
    }
    let long = "x".repeat(4097);
    let told = refused(&format!("<SetPpProfile><ppProfile id=\"1\" ppData=\"{long}\"/></SetPpProfile>"));
    assert!(
        told.contains("ETooLong") && told.contains("maxLen=\"4096\"") && told.contains("bad=\"ppData\""),
        "{told}"
    );
}
