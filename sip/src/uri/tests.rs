//! What a URI is, and which URIs are the same.

use super::*;

fn uri(text: &str) -> Uri<'_> {
    Uri::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

#[test]
fn the_parts_of_a_uri_are_told_apart() {
    let seen = uri("sips:alice;day=tue:pw@[2001:db8::1]:5062;transport=tcp;lr?subject=a%20b&x=");
    assert_eq!(seen.scheme, Scheme::Sips);
    assert_eq!((seen.user, seen.password), (Some("alice;day=tue"), Some("pw")));
    assert_eq!((seen.host.to_string().as_str(), seen.port), ("[2001:db8::1]", Some(5062)));
    assert_eq!((seen.param("Transport"), seen.param("lr"), seen.param("x")), (Some("tcp"), Some(""), None));
    assert_eq!(seen.headers, Some("subject=a%20b&x="));
}

#[test]
fn unknown_schemes_are_kept() {
    assert_eq!(uri("nobodyKnowsThisScheme:totallyopaquecontent").scheme.as_str(), "nobodyKnowsThisScheme");
    assert_eq!(uri("tel:+1-650-555;phone-context=x").user, Some("+1-650-555"));
}

#[test]
fn broken_uris_are_refused() {
    let bad =
        ["", "sip", "sip:", ":a", "1sip:a", "sip:@h", "sip:a b@h", "sip:a@h p", "sip:a%4@h", "sip:a@h:70000"];
    let more = [
        "sip:2001:db8::10",
        "sip:a@h;;x",
        "sip:a@h;x=",
        "sip:a@h?x",
        "sip:u@h; lr",
        "x:",
        "http:a b",
        "tel:",
    ];
    for text in bad.into_iter().chain(more) {
        assert!(Uri::parse(text).is_err(), "{text}");
    }
}

#[test]
fn escapes_are_undone_once() {
    assert_eq!(
        uri("sip:sips%3Auser%40example.com@example.net").user_unescaped().as_deref(),
        Some("sips:user@example.com")
    );
    assert_eq!(uri("sip:%00%00@h").user_unescaped().as_deref(), Some("\0\0"));
    assert_eq!(unescaped("%2541"), "%41");
}

#[test]
fn equality_follows_the_examples_of_rfc_3261_19_1_4() {
    let same = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@h;x=1;x=2", "sip:a@h;X=1"),
        ("sip:a@[2001:DB8:0::1]", "sip:a@[2001:db8::1]"),
    ];
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "sip:h"),
        ("sip:a:p@h", "sip:a@h"),
        ("sip:a@h;maddr=1.2.3.4", "sip:a@h"),
        ("sip:a%3Bb@h", "sip:a;b@h"),
    ];
    for (ours, theirs) in same {
        assert!(equal(&uri(ours), &uri(theirs)) && equal(&uri(theirs), &uri(ours)), "{ours} {theirs}");
    }
    for (ours, theirs) in different {
        assert!(!equal(&uri(ours), &uri(theirs)) && !equal(&uri(theirs), &uri(ours)), "{ours} {theirs}");
    }
}
