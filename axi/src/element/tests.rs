//! Elements that are read and written.

use machine::chance::Chance;

use super::*;

fn read(text: &str) -> Result<Element<'_>, Malformed> {
    Element::read(text.as_bytes())
}

#[test]
fn a_real_message_reads_and_writes_byte_for_byte() {
    for wire in [
        r#"<Open username="omm" password="omm" seq="0"/>"#,
        r#"<PingResp seq="1" timeStamp="1795299552"/>"#,
        r#"<Subscribe seq="2"><e cmd="On" eventType="PPDevCnf" ppn="-1"/><e cmd="On" eventType="PPUserCnf" uid="-1"/></Subscribe>"#,
        r#"<OpenResp seq="0"><publicKey modulus="C021" exponent="010001"/><permission>AllCnfRead</permission></OpenResp>"#,
        r#"<EventPPCnf deletedUser="1"><user uid="25" uidSec="0"/></EventPPCnf>"#,
    ] {
        assert_eq!(read(wire).unwrap().to_string(), wire);
        assert_eq!(read(wire).unwrap().into_owned().to_string(), wire);
    }
}

#[test]
fn the_spellings_of_other_writers_read_the_same() {
    let ours = read(r#"<a b="c"><d/>x</a>"#).unwrap();
    for theirs in
        ["<a b='c'>\n <d />x</a>", "<a  b = \"c\" ><d></d>x</a>", "\n<a b=\"&#99;\"><d/>&#x78;</a>\n"]
    {
        let mut element = read(theirs).unwrap();
        element.text = Cow::Owned(element.text().trim().to_owned());
        assert_eq!(element, ours, "{theirs}");
    }
    assert_eq!(read("<a>\n  <b/>\n</a>").unwrap().to_string(), "<a><b/></a>");
    assert_eq!(read("<a b=\"1&#9;2\n3\"/>").unwrap().get("b"), Some("1\t2 3"), "raw blanks become spaces");
    assert_eq!(read("<a>x &lt;&amp;&gt; y</a>").unwrap().text(), "x <&> y");
}

#[test]
fn whatever_a_value_holds_it_reads_back_the_same() {
    let mut chance = Chance::of(4711, "escape");
    for _ in 0..5000 {
        let value: String = (0..chance.below(12))
            .map(|_| match chance.below(4) {
                0 => char::from(b"<>&\"'\t\n\r ;#="[chance.below(12) as usize]),
                1 => char::from_u32(chance.below(0x11_0000) as u32).unwrap_or('x'),
                _ => char::from(32 + chance.below(95) as u8),
            })
            .filter(|c| !matches!(c, '\0'..'\t' | '\x0b'..='\x0c' | '\x0e'..' ' | '\u{fffe}' | '\u{ffff}'))
            .collect();
        let element = Element::new("a").with("v", value.clone()).with_text(value.clone());
        let wire = element.to_string();
        let back = read(&wire).unwrap();
        assert_eq!((back.get("v"), back.text()), (Some(value.as_str()), value.as_str()), "{wire}");
        assert_eq!(back.to_string(), wire);
    }
}

#[test]
fn what_xml_cannot_carry_is_replaced_and_never_a_nul() {
    let wire = Element::new("a").with("b", "x\0y\u{1}z\u{ffff}").to_string();
    assert_eq!(wire, "<a b=\"x\u{fffd}y\u{fffd}z\u{fffd}\"/>");
}

#[test]
fn hostile_input_is_an_error_with_a_name() {
    let deep = "<a>".repeat(5000) + &"</a>".repeat(5000);
    let many = format!("<a>{}</a>", "<b/>".repeat(5000));
    let wide = format!("<a{}/>", (0..9000).map(|n| format!(" a{n}=\"\"")).collect::<String>());
    let twice_far = format!("<a{} a3=\"\"/>", (0..100).map(|n| format!(" a{n}=\"\"")).collect::<String>());
    let bomb = r#"<!DOCTYPE a [<!ENTITY x "xxxx"><!ENTITY y "&x;&x;">]><a b="&y;"/>"#;
    let long_name = format!("<{}/>", "n".repeat(NAME_MAX + 1));
    let twice = |name: &str| Malformed::Duplicate { attribute: name.to_owned() };
    for (wire, error) in [
        ("", Malformed::NotOneElement),
        ("   ", Malformed::NotOneElement),
        ("hello", Malformed::NotOneElement),
        ("<a/><b/>", Malformed::NotOneElement),
        ("<a/>x", Malformed::NotOneElement),
        ("<a/>&amp;", Malformed::NotOneElement),
        ("<a", Malformed::Truncated { read: 2 }),
        ("<a b=\"c", Malformed::Truncated { read: 7 }),
        ("<a><b/>", Malformed::Truncated { read: 7 }),
        ("<a></b>", Malformed::Xml { at: 3 }),
        ("</a>", Malformed::Xml { at: 0 }),
        ("<a b=c/>", Malformed::Xml { at: 0 }),
        ("<a b/>", Malformed::Xml { at: 0 }),
        ("<a b=\"1\" b=\"2\"/>", twice("b")),
        (twice_far.as_str(), twice("a3")),
        ("<a b=\"&x;\"/>", Malformed::Entity),
        ("<a>&x;</a>", Malformed::Entity),
        ("<a>x & y</a>", Malformed::Entity),
        ("<a b=\"&#0;\"/>", Malformed::Character),
        ("<a b=\"&#1;\"/>", Malformed::Character),
        ("<a>&#xFFFF;</a>", Malformed::Character),
        ("<a>&#xD800;</a>", Malformed::Character),
        ("<a b=\"\x01\"/>", Malformed::Character),
        ("<a b=\"\0\"/>", Malformed::Character),
        (bomb, Malformed::Forbidden("a DTD")),
        ("<?xml version=\"1.0\"?><a/>", Malformed::Forbidden("an XML declaration")),
        ("<?php x?><a/>", Malformed::Forbidden("a processing instruction")),
        ("<a><!-- x --></a>", Malformed::Forbidden("a comment")),
        ("<a><![CDATA[x]]></a>", Malformed::Forbidden("CDATA")),
        (deep.as_str(), Malformed::Deep { limit: DEPTH_MAX }),
        (many.as_str(), Malformed::Elements { limit: ELEMENTS_MAX }),
        (wide.as_str(), Malformed::Attributes { limit: ATTRIBUTES_MAX }),
        ("<1a/>", Malformed::Name),
        ("<a<b/>", Malformed::Name),
        ("<ä/>", Malformed::Name),
        ("<a b;c=\"d\"/>", Malformed::Name),
        (long_name.as_str(), Malformed::Name),
    ] {
        let shown = wire.chars().take(60).collect::<String>();
        assert_eq!(read(wire).map(|element| element.to_string()), Err(error), "{shown}");
    }
    assert_eq!(Element::read(b"<a b=\"\xff\"/>").unwrap_err(), Malformed::Utf8 { at: 6 });
}

#[test]
fn a_debug_print_hides_secrets() {
    let element =
        read(r#"<Set><user num="101" sipPw="geheim" pin="4711"/><account password="geheim"/></Set>"#)
            .unwrap();
    let shown = format!("{element:?}");
    assert!(shown.contains("101") && !shown.contains("geheim") && !shown.contains("4711"), "{shown}");
}

#[test]
fn mutated_messages_read_or_fail_but_never_panic() {
    let seeds = [
        r#"<OpenResp seq="0" sari="1F10187326"><publicKey modulus="C021" exponent="010001"/><permission>AllCnfRead</permission></OpenResp>"#,
        r#"<SetPP seq="4"><user uid="1" ppn="2" relType="Dynamic"/><pp ppn="2" uid="1" relType="Dynamic"/></SetPP>"#,
    ];
    let mut chance = Chance::of(4711, "mutation");
    let (mut good, mut bad) = (0, 0);
    for round in 0..40_000_usize {
        let mut bytes = seeds[round % 2].as_bytes().to_vec();
        for _ in 0..=chance.below(4) {
            if bytes.is_empty() {
                break;
            }
            let at = chance.below(bytes.len() as u64) as usize;
            match chance.below(4) {
                0 => bytes[at] = chance.next() as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"<>&\"'/=\0 !?;[]-#"[chance.below(16) as usize]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        match Element::read(&bytes) {
            // What reads must also write in a way that reads the same.
            Ok(element) => {
                let wire = element.to_string();
                assert_eq!(read(&wire).as_ref(), Ok(&element), "{wire}");
                good += 1;
            }
            Err(_) => bad += 1,
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} read, {bad} failed");
}
