//! The servers of a site, as its file tells them.

use super::*;

#[test]
fn a_tier_may_have_a_registrar_and_an_outbound_proxy_of_its_own() {
    let tier = |more: &str| {
        let (site, _, faults) = read_site("site.toml", &format!("{GOOD}{more}"), Path::new(""));
        assert_eq!(faults.len(), 0, "{more}");
        let tier = site.expect("a site").tiers.remove(0);
        (tier.hop().to_string(), tier.request_uri(), tier.route())
    };
    let proxy = "outbound_proxy = \"sip:sbc.example.com;transport=tcp\"\n";
    let route = Some("<sip:sbc.example.com;transport=tcp;lr>".to_owned());
    assert_eq!(tier(""), ("sip:pbx.example.com".into(), None, None));
    assert_eq!(
        tier("registrar = \"sip:reg.example.com\"\n"),
        ("sip:pbx.example.com".into(), Some("sip:reg.example.com".into()), None)
    );
    // Behind a proxy that may lead to more than one, a server goes by its own name.
    assert_eq!(
        tier(proxy),
        ("sip:sbc.example.com;transport=tcp".into(), Some("sip:pbx.example.com".into()), route.clone())
    );
    assert_eq!(
        tier(&format!("{proxy}registrar = \"sip:reg.example.com:5070\"\n")),
        ("sip:sbc.example.com;transport=tcp".into(), Some("sip:reg.example.com:5070".into()), route)
    );
}

#[test]
fn a_tier_is_as_safe_at_its_proxy_as_at_its_server() {
    let other = "uri = \"sips:pbx.example.com\"\nregistrar = \"sip:pbx.example.com;transport=tcp\"\noutbound_proxy = \"sip:sbc.example.com\"";
    let expected = r#"site.toml:17:13: `registrar` of [[tier]] cannot be used: nothing is sent there, so transport=tcp means nothing here
  17 | registrar = "sip:pbx.example.com;transport=tcp"
     |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     read:     "sip:pbx.example.com;transport=tcp"
     expected: sip:host[:port] or sips:host[:port]
site.toml:18:18: it is not as safe as the tier's `uri`, sips:pbx.example.com (RFC 5630)
  18 | outbound_proxy = "sip:sbc.example.com"
     |                  ^^^^^^^^^^^^^^^^^^^^^
     read:     "sip:sbc.example.com"
     expected: a sips: URI
     hint:     write sips: for all of a tier's servers, or for none
"#;
    assert_eq!(instead("uri = \"sip:pbx.example.com\"", other), expected);
}
