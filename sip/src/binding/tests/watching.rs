//! The registrar tells what it knows of the user (RFC 3680), and what the binding makes of it.

use super::*;
use crate::extension::Extensions;
use crate::name::Name;
use crate::server::Demands;

/// A user who is registered since the moment 0 and has subscribed.
fn watching() -> Story {
    let mut story = Story::new();
    let mut account = (*story.binding.account).clone();
    account.options.reg_event = true;
    story.give(Input::Account(Arc::new(account)));
    story.tell(register(1));
    let own = format!("<{}>;expires=3600", contact(1));
    let lines = story.answer(200, &[("Contact", &own), ("Service-Route", "<sip:p.example.com;lr>")]);
    assert_eq!(lines.last().map(String::as_str), Some("0 subscribe"));
    story
}

fn active() -> Story {
    let mut story = watching();
    assert!(story.answer(200, &[("Expires", "3600"), ("Contact", "<sip:192.0.2.1:5060>")]).is_empty());
    story
}

/// A NOTIFY of the dialog that the last SUBSCRIBE asked for.
fn notify(story: &Story, cseq: u32, version: u32, state: &str, contacts: &str, more: &str) -> Input {
    let asked = story.sent.iter().rev().find(|sent| sent.method() == Some("SUBSCRIBE")).expect("a SUBSCRIBE");
    let body = format!(
        "<reginfo version=\"{version}\" state=\"{state}\"><registration aor=\"sip:101@example.com\" id=\"1\" \
         state=\"active\">{contacts}</registration></reginfo>"
    );
    let bytes = Draft::request("NOTIFY", "sip:101@10.0.1.1:5060")
        .line(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn")
        .line(Name::From, "<sip:101@example.com>;tag=registrar")
        .line(Name::To, asked.header(Name::From).expect("a From"))
        .line(Name::CallId, asked.call_id().expect("a Call-ID"))
        .print(Name::CSeq, format_args!("{cseq} NOTIFY"))
        .line(Name::Contact, "<sip:192.0.2.1:5060>")
        .line(Name::SubscriptionState, if more.is_empty() { "active" } else { more })
        .body("application/reginfo+xml", body)
        .finish();
    Input::Answer(Message::parse(bytes).expect("a NOTIFY"))
}

fn entry(epoch: u32, state: &str, event: &str, more: &str) -> String {
    format!(
        "<contact id=\"{epoch}\" state=\"{state}\" event=\"{event}\"{more}><uri>{}</uri></contact>",
        contact(epoch)
    )
}

#[test]
fn a_subscription_follows_the_first_registration_by_the_way_it_was_given() {
    let story = watching();
    let asked = story.last();
    assert_eq!((asked.method(), asked.request_uri()), (Some("SUBSCRIBE"), Some("sip:101@example.com")));
    assert_eq!((asked.header(Name::Event), asked.header(Name::Expires)), (Some("reg"), Some("3761")));
    assert_eq!(asked.header(Name::Route), Some("<sip:p.example.com;lr>"));
    assert_ne!(asked.call_id(), Ok(&**story.binding.call_id()));
    // Who does not want it sends none.
    assert!(Story::registered().sent.iter().all(|sent| sent.method() == Some("REGISTER")));
}

#[test]
fn what_belongs_to_no_dialog_goes_over_the_outbound_proxy() {
    let proxy = "<sip:sbc.example.com;lr>";
    let mut story = Setup { route: Some(proxy), ..Setup::default() }.story();
    let mut account = (*story.binding.account).clone();
    account.options.reg_event = true;
    story.give(Input::Account(Arc::new(account)));
    story.tell(register(1));
    assert_eq!(story.last().header(Name::Route), Some(proxy));
    let own = format!("<{}>;expires=3600", contact(1));
    story.answer(200, &[("Contact", &own), ("Service-Route", "<sip:p.example.com;lr>")]);
    // Out of here first, then as the registrar wants it (RFC 3608 6.1).
    let routes: Vec<_> = story.last().headers(Name::Route).collect();
    assert_eq!((story.last().method(), routes), (Some("SUBSCRIBE"), vec![proxy, "<sip:p.example.com;lr>"]));
    // Where a redirection leads lies beside the way that was prescribed.
    story.tell(Order::Renew);
    assert_eq!(story.last().header(Name::Route), Some(proxy));
    story.answer(302, &[("Contact", "<sip:192.0.2.7:5080>")]);
    assert_eq!(
        (story.last().request_uri(), story.last().header(Name::Route)),
        (Some("sip:192.0.2.7:5080"), None)
    );
}

#[test]
fn it_is_challenged_like_a_register_and_renewed_inside_its_dialog() {
    let mut story = watching();
    let [(name, value)] = challenge("a", "");
    assert_eq!(story.answer(401, &[(name, &value)]), ["0 subscribe"]);
    assert!(story.last().header(Name::Authorization).is_some());
    story.answer(202, &[("Expires", "1000"), ("Contact", "<sip:192.0.2.1:5062>")]);
    assert_eq!(story.run(900_000), ["900000 subscribe"]);
    assert_eq!(story.last().request_uri(), Some("sip:192.0.2.1:5062"));
    assert!(story.last().to().unwrap().tag().is_some());
}

#[test]
fn a_server_that_does_not_know_the_package_is_never_asked_again() {
    let mut story = watching();
    assert_eq!(story.answer(489, &[]), ["lacks(extensions(8))"]);
    story.tell(Order::Renew);
    assert_eq!(story.ok().last().map(String::as_str), Some("bound 3600"));
    // Nor by another user of the site.
    let mut story = Story::new();
    let mut account = (*story.binding.account).clone();
    account.options.reg_event = true;
    story.give(Input::Account(Arc::new(account)));
    story.tell(Order::Heed(Demands { lacks: Extensions::REG_EVENT, shed: 0 }));
    story.tell(register(1));
    assert_eq!(story.ok(), ["alive", "bound 3600"]);
    assert_eq!(story.last().header(Name::Supported), Some("path"));
}

#[test]
fn what_happens_to_our_contact_is_answered() {
    for (state, event, more, expected) in [
        ("active", "refreshed", "", vec!["listed 1"]),
        ("active", "shortened", " expires=\"60\"", vec!["listed 1", "0 refresh >5060 +1:3600"]),
        ("terminated", "deactivated", "", vec!["0 refresh >5060 +1:3600"]),
        ("terminated", "unregistered", "", vec!["0 query >5060"]),
        ("terminated", "expired", "", vec!["0 query >5060"]),
        ("terminated", "rejected", "", vec!["granted nothing", "unbound rejected 403"]),
        ("terminated", "probation", " retry-after=\"600\"", vec!["granted nothing", "unbound lapsed"]),
    ] {
        let mut story = active();
        let told = notify(&story, 1, 0, "full", &entry(1, state, event, more), "");
        assert_eq!(story.give(told), expected, "{event}");
        if event == "probation" {
            assert_eq!(story.run(600_000), ["600000 initial >5060 +1:3600"]);
        }
    }
    // What becomes of others is evidence, and no more.
    let mut story = active();
    let told = notify(&story, 1, 0, "full", &entry(9, "terminated", "rejected", ""), "");
    assert!(story.give(told).is_empty());
}

#[test]
fn a_registrar_that_shortens_again_and_again_makes_no_storm() {
    let mut story = active();
    for version in 0..50 {
        let told = notify(&story, version + 1, version, "full", &entry(1, "active", "shortened", ""), "");
        story.give(told);
        if story.binding.flight.is_some() {
            story.ok();
        }
    }
    assert_eq!(story.sent.iter().filter(|sent| sent.method() == Some("REGISTER")).count(), 2);
}

#[test]
fn documents_count_in_their_order() {
    let mut story = active();
    let other = entry(9, "active", "registered", "");
    let tell = |story: &mut Story, cseq: u32, version: u32, state: &str| {
        let told = notify(story, cseq, version, state, &other, "");
        story.give(told)
    };
    assert_eq!(tell(&mut story, 1, 5, "full"), ["listed 1"]);
    assert!(tell(&mut story, 1, 6, "partial").is_empty(), "a copy");
    assert!(tell(&mut story, 2, 5, "partial").is_empty(), "an old one");
    assert_eq!(tell(&mut story, 3, 6, "partial"), ["listed 1"]);
    assert!(tell(&mut story, 4, 9, "partial").is_empty(), "a gap");
    assert_eq!(story.run(30_000), ["30000 subscribe"], "everything is asked for again");
    assert_eq!(tell(&mut story, 5, 10, "full"), ["listed 1"]);
}

#[test]
fn a_subscription_that_ends_is_taken_out_again() {
    let mut story = active();
    let told = notify(&story, 1, 0, "full", "", "terminated;reason=timeout");
    assert!(story.give(told).is_empty());
    assert_eq!(story.run(30_000), ["30000 subscribe"]);
    assert_eq!(story.last().to().unwrap().tag(), None, "a new dialog");
    let mut story = active();
    let told = notify(&story, 1, 0, "full", "", "terminated;reason=giveup;retry-after=100");
    story.give(told);
    assert_eq!(story.run(100_000), ["100000 subscribe"]);
    // Without the registration there is none.
    let mut story = active();
    story.tell(Order::Remove);
    assert!(story.binding.watch.is_none());
}
