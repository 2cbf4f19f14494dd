//! The contact says over which transport calls come back.

use super::*;

const BASE: &str = "10.0.1.1";
const BOTH: Listening = Listening { tcp: Some(5060), tls: Some(5061) };

fn over(transport: Transport) -> Setup {
    Setup { transport, listening: BOTH, ..Setup::default() }
}

/// The contacts of the last REGISTER, without our marks.
fn told(story: &Story) -> Vec<String> {
    let contacts = story.last().contacts().expect("contacts");
    let text = |contact: &crate::contact::Contact<'_>| {
        let removed = if contact.expires() == Some(0) { "-" } else { "" };
        format!("{removed}{}", contact.addr.address.replace(";hm-site=1;hm-ep=", " "))
    };
    contacts.list().iter().map(text).collect()
}

fn contact_of(setup: Setup) -> String {
    let mut story = setup.story();
    story.tell(register(1));
    told(&story).remove(0)
}

#[test]
fn calls_come_back_by_the_transport_over_which_the_server_is_asked() {
    assert_eq!(contact_of(over(Transport::Udp)), format!("sip:101@{BASE}:5060 1"));
    assert_eq!(contact_of(over(Transport::Tcp)), format!("sip:101@{BASE}:5060;transport=tcp 1"));
    assert_eq!(contact_of(over(Transport::Tls)), format!("sip:101@{BASE}:5061;transport=tls 1"));
    let secure = Setup { secure: true, ..over(Transport::Tls) };
    assert_eq!(contact_of(secure), format!("sips:101@{BASE}:5061 1"));
}

#[test]
fn where_nobody_listens_the_contact_says_udp_but_never_less_than_tls() {
    let deaf = |transport| Setup { listening: Listening::default(), ..over(transport) };
    assert_eq!(contact_of(deaf(Transport::Tcp)), format!("sip:101@{BASE}:5060 1"));
    assert_eq!(contact_of(deaf(Transport::Tls)), format!("sip:101@{BASE};transport=tls 1"));
    let secure = Setup { secure: true, ..deaf(Transport::Tls) };
    assert_eq!(contact_of(secure), format!("sips:101@{BASE} 1"));
}

#[test]
fn every_register_names_the_same_contact_and_a_new_roam_removes_it_as_it_was() {
    let mut story = over(Transport::Tcp).story();
    story.tell(register(1));
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    story.tell(Order::Renew);
    assert_eq!(told(&story), [format!("sip:101@{BASE}:5060;transport=tcp 1")]);
    story.ok();
    story.tell(register(2));
    let both =
        [format!("-sip:101@{BASE}:5060;transport=tcp 1"), format!("sip:101@{BASE}:5060;transport=tcp 2")];
    assert_eq!(told(&story), both);
    story.ok();
    story.tell(Order::Remove);
    assert_eq!(told(&story), [format!("-sip:101@{BASE}:5060;transport=tcp 2")]);
}

#[test]
fn a_large_register_that_goes_over_tcp_for_its_size_keeps_the_contact() {
    let mut story = Setup { free: true, ..over(Transport::Udp) }.story();
    story.tell(register(1));
    story.ok();
    let long = "a".repeat(200);
    story.tell(Order::Evict((0..5).map(|n| format!("sip:{n}@{long}.example")).collect()));
    assert_eq!(story.targets.last().map(|to| to.transport), Some(Transport::Tcp));
    assert_eq!(told(&story).last(), Some(&format!("sip:101@{BASE}:5060 1")));
}

#[test]
fn a_server_that_moves_to_tcp_gets_the_new_contact_and_loses_the_old_one() {
    let mut story = over(Transport::Udp).story();
    story.tell(register(1));
    story.ok();
    let mut server = (*story.binding.server).clone();
    server.targets = vec![Target::new(Transport::Tcp, server.targets[0].addr)];
    story.give(Input::Resolved(Arc::new(server)));
    assert_eq!(story.run(30_000).len(), 1, "within half a minute");
    assert_eq!(
        told(&story),
        [format!("-sip:101@{BASE}:5060 1"), format!("sip:101@{BASE}:5060;transport=tcp 1")]
    );
}

#[test]
fn a_registrar_that_spells_our_contact_in_its_own_way_has_stored_it_all_the_same() {
    for theirs in [
        "<sip:101@10.0.1.1:5060;hm-ep=1;hm-site=1>",
        "<sip:101@10.0.1.1:40000;transport=TCP;hm-site=1;hm-ep=1>",
        "<sips:101@10.0.1.1;hm-site=1;hm-ep=1>",
    ] {
        let mut story = over(Transport::Tcp).story();
        story.tell(register(1));
        let lines = story.answer(200, &[("Contact", &format!("{theirs};expires=600"))]);
        assert_eq!(lines, ["alive", "bound 600"], "{theirs}");
        story.tell(Order::Renew);
        assert_eq!(told(&story).len(), 1, "nothing to remove: {theirs}");
    }
    for foreign in [
        "<sip:101@10.0.1.1:5060>",
        "<sip:101@10.0.1.1:5060;hm-site=2;hm-ep=1>",
        "<sip:101@10.0.1.1:5060;hm-site=1;hm-ep=2>",
        "<sip:101@10.0.9.9:5060;hm-site=1;hm-ep=1>",
    ] {
        let mut story = over(Transport::Tcp).story();
        story.tell(register(1));
        let lines = story.answer(200, &[("Contact", &format!("{foreign};expires=600"))]);
        assert_eq!(lines, ["alive", "unbound not stored"], "{foreign}");
    }
}

#[test]
fn what_a_former_life_registered_over_another_transport_is_found_and_removed_as_it_is_listed() {
    let mut story = over(Transport::Tls).story();
    let leftover = Leftover { contacts: vec![contact(1)], remaining: seconds(3600) };
    story.tell(Order::Inherit(leftover));
    story.tell(Order::Query);
    story.answer(200, &[("Contact", &format!("<{}>;expires=900", contact(1)))]);
    story.tell(register(1));
    let told = told(&story);
    assert!(told.contains(&format!("-sip:101@{BASE}:5060 1")), "{told:?}");
    assert_eq!(told.last(), Some(&format!("sip:101@{BASE}:5061;transport=tls 1")));
}
