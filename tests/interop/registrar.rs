//! What the registrar does, seen without homing: the ground the journeys stand on.

use std::time::Duration;

use crate::baresip::Baresip;
use crate::kamailio::{Kamailio, Model, password};
use crate::phone::{Phone, Step};
use crate::poll::{self, Watch};
use crate::presence::needs;

const SOON: Duration = Duration::from_secs(5);

fn phone(user: &str) -> Phone {
    Phone::new(user, &password(user))
}

/// The URI inside a Contact value.
fn uri(contact: &str) -> &str {
    contact.split(['<', '>']).nth(1).unwrap_or_default()
}

#[test]
fn a_phone_registers_and_leaves() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::Multi);
    let phone = phone("101");
    let outcome = phone.register(pbx.at());
    assert_eq!(outcome.codes, [401, 200], "{}", outcome.transcript);
    let table = pbx.table();
    assert_eq!(table.uris("101"), [uri(&phone.contact("", 120))]);
    assert!((115..=120).contains(&table.of("101")[0].expires), "{table:?}");
    let outcome = phone.leave(pbx.at());
    assert_eq!((outcome.code(), outcome.contacts.len()), (Some(200), 0), "{}", outcome.transcript);
    assert!(pbx.table().of("101").is_empty());
}

#[test]
fn a_wrong_password_is_challenged_again_and_binds_nothing() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::Multi);
    let outcome = Phone::new("101", "guess").register(pbx.at());
    assert_eq!(outcome.codes, [401, 401], "{}", outcome.transcript);
    assert!(pbx.table().of("101").is_empty());
}

#[test]
fn baresip_registers_and_leaves_when_it_quits() {
    needs!("kamailio", "kamcmd", "baresip");
    let pbx = Kamailio::start(Model::Multi);
    let baresip = Baresip::start("102", &password("102"), pbx.at());
    poll::until(SOON, "baresip's contact", || pbx.table().uris("102"), |uris| uris.len() == 1);
    baresip.quit();
    poll::until(SOON, "no contact of baresip", || pbx.table().uris("102"), Vec::is_empty);
}

#[test]
fn parameters_of_a_contact_survive_and_are_part_of_its_name() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::Multi);
    let phone = phone("101");
    let (first, second) =
        (phone.contact(";hm-site=102A7C82;hm-ep=17", 60), phone.contact(";hm-site=102A7C82;hm-ep=18", 60));
    phone.challenged(pbx.at(), std::slice::from_ref(&first));
    assert_eq!(pbx.table().uris("101"), [uri(&first)]);
    // A new epoch at the same address is a second binding, not a refresh of the first ...
    phone.challenged(pbx.at(), std::slice::from_ref(&second));
    assert_eq!(pbx.table().uris("101"), [uri(&first), uri(&second)]);
    // ... so whoever writes a new one has to remove the old one, best in the same request.
    let outcome = phone.challenged(pbx.at(), &[second.clone(), first.replace("expires=60", "expires=0")]);
    assert_eq!(outcome.code(), Some(200), "{}", outcome.transcript);
    assert_eq!(pbx.table().uris("101"), [uri(&second)]);
}

#[test]
fn a_stranger_removes_a_contact_and_adds_its_own_in_one_step() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::Multi);
    let (a, b) = (phone("101"), phone("101"));
    a.register(pbx.at());
    let ctl = pbx.ctl();
    let watch = Watch::begin(move || ctl.table().map(|table| table.uris("101")));
    // Another address, Call-ID and CSeq than the contact that goes.
    let outcome = b.challenged(pbx.at(), &[b.contact("", 60), a.contact("", 0)]);
    assert_eq!(outcome.code(), Some(200), "{}", outcome.transcript);
    assert_eq!(outcome.contacts.len(), 1, "{outcome:?}");
    watch.until(SOON, "only B", |uris| uris == &[uri(&b.contact("", 60)).to_owned()]);
    watch.since(|uris| !uris.is_empty(), "101 can be reached", |uris| !uris.is_empty());
}

#[test]
fn max_contacts_1_refuses_a_second_contact_with_503_unless_the_first_goes_with_it() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::SingleReject);
    let (a, b) = (phone("101"), phone("101"));
    a.register(pbx.at());
    let outcome = b.register(pbx.at());
    // A 503 that is no sign of a sick server: it names the reason and who is there.
    assert_eq!(outcome.codes, [401, 503], "{}", outcome.transcript);
    assert!(
        outcome.transcript.contains("P-Registrar-Error: Too many registered contacts"),
        "{}",
        outcome.transcript
    );
    assert!(!outcome.transcript.contains("Retry-After"), "{}", outcome.transcript);
    assert_eq!(
        outcome.contacts.iter().map(|contact| uri(contact)).collect::<Vec<_>>(),
        [uri(&a.contact("", 1))]
    );
    assert_eq!(pbx.table().uris("101"), [uri(&a.contact("", 1))]);
    let outcome = b.challenged(pbx.at(), &[b.contact("", 60), a.contact("", 0)]);
    assert_eq!(outcome.code(), Some(200), "{}", outcome.transcript);
    assert_eq!(pbx.table().uris("101"), [uri(&b.contact("", 1))]);
}

#[test]
fn a_replacing_registrar_keeps_only_the_newest_contact() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::SingleReplace);
    let (a, b) = (phone("101"), phone("101"));
    a.register(pbx.at());
    assert_eq!(b.register(pbx.at()).contacts.len(), 1);
    assert_eq!(pbx.table().uris("101"), [uri(&b.contact("", 1))]);
    // The late removal by the former owner does not touch the new one.
    assert_eq!(a.leave(pbx.at()).code(), Some(200));
    assert_eq!(pbx.table().uris("101"), [uri(&b.contact("", 1))]);
}

#[test]
fn a_short_life_is_raised_to_the_least_there_is() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::Multi);
    let phone = phone("101");
    // min_expires is 10; RFC 3261 10.3 would allow a 423.
    let outcome = phone.challenged(pbx.at(), &[phone.contact("", 1)]);
    assert_eq!(outcome.codes, [401, 200], "{}", outcome.transcript);
    assert!(outcome.contacts[0].contains("expires=10"), "{outcome:?}");
}

#[test]
fn instance_and_reg_id_name_a_binding_in_every_model() {
    needs!("kamailio", "kamcmd", "sipp");
    for model in [Model::Multi, Model::Outbound] {
        let pbx = Kamailio::start(model);
        let (a, b) = (phone("101"), phone("101"));
        let with = |contact: String, reg_id| {
            format!(
                "{contact};+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000000000001>\";reg-id={reg_id}"
            )
        };
        a.challenged(pbx.at(), &[with(a.contact("", 60), 1)]);
        b.challenged(pbx.at(), &[with(b.contact("", 60), 7)]);
        let table = pbx.table();
        let mut ids: Vec<_> =
            table.of("101").iter().map(|contact| (contact.instance.clone(), contact.reg_id)).collect();
        // Kamailio lists contacts of one second in any order.
        ids.sort();
        let instance = Some("<urn:uuid:00000000-0000-1000-8000-000000000001>".to_owned());
        assert_eq!(ids, [(instance.clone(), 1), (instance, 7)], "{model:?} keeps other reg-ids side by side");
        // The same reg-id from another address takes the binding over: why reg-ids differ by site (spec 3.7).
        b.challenged(pbx.at(), &[with(b.contact("", 60), 1)]);
        assert!(!pbx.table().uris("101").contains(&uri(&a.contact("", 1)).to_owned()), "{model:?}");
    }
}

#[test]
fn a_counted_nonce_serves_many_requests() {
    needs!("kamailio", "kamcmd", "sipp");
    let pbx = Kamailio::start(Model::Multi);
    let phone = phone("101");
    let register = |signed| Step::Register { contacts: vec![phone.contact("", 60)], signed };
    let (ask, answer) = (register(false), register(true));
    let steps = [
        ask,
        Step::Expect(401),
        answer.clone(),
        Step::Expect(200),
        answer.clone(),
        Step::Expect(200),
        answer,
        Step::Expect(200),
    ];
    let outcome = phone.run(pbx.at(), &steps);
    assert_eq!(outcome.codes, [401, 200, 200, 200], "{}", outcome.transcript);
    assert!(outcome.transcript.contains("nc=00000003"), "{}", outcome.transcript);
}

#[test]
fn a_restarted_registrar_has_forgotten_everybody_and_a_frozen_one_is_silent() {
    needs!("kamailio", "kamcmd", "sipp");
    let mut pbx = Kamailio::start(Model::Multi);
    let phone = phone("101");
    phone.register(pbx.at());
    pbx.restart();
    assert!(pbx.table().of("101").is_empty());
    pbx.freeze();
    assert!(!crate::kamailio::answers_options(pbx.at()));
    pbx.thaw();
    poll::until(SOON, "answers again", || crate::kamailio::answers_options(pbx.at()), |yes| *yes);
    assert_eq!(phone.register(pbx.at()).code(), Some(200));
}
