//! `[axi]` and `[link]`: who listens, who is believed.

use std::path::Path;

use super::{GOOD, said};
use crate::config::link::{Axi, Belief, Link};
use crate::config::read_site;

/// The link of the good site with this in the place of `tls = false`.
fn link_with(line: &str) -> Link {
    let text = GOOD.replace("tls = false", line).replace(":12622", "");
    let (site, _, faults) = read_site("site.toml", &text, Path::new("here"));
    assert!(faults.is_empty(), "{line}: {faults:?}");
    site.and_then(|site| site.link).expect("a link")
}

#[test]
fn a_link_is_tls_to_whom_the_system_believes_unless_something_else_is_said() {
    assert_eq!(link_with("").tls, Some(Belief::System));
    assert_eq!(link_with("verify = false").tls, Some(Belief::Anybody));
    assert_eq!(link_with("ca = \"ca.pem\"").tls, Some(Belief::Authorities("here/ca.pem".into())));
    let pin = "AB".repeat(32);
    assert_eq!(
        link_with(&format!("fingerprint = \"{pin}\"")).tls,
        Some(Belief::Pinned(pin.parse().expect("a pin")))
    );
    // Each has its own usual port (spec 8).
    assert_eq!(link_with("").omm1, "central.example:12622");
    let plain = link_with("tls = false");
    assert_eq!((plain.tls, plain.omm1.as_str()), (None, "central.example:12621"));
}

/// The `[axi]` of a central with these lines in it; faults as text.
fn axi_with(lines: &str) -> Result<Axi, String> {
    let (head, rest) = GOOD.split_once("[link]").expect("a link");
    let (_, tail) = rest.split_once("tls = false\n").expect("its end");
    let head = head.replace("remote", "central");
    let text = format!("{head}[axi]\nuser = \"u\"\npassword = \"p\"\n{lines}\n{tail}");
    let (site, _, faults) = read_site("site.toml", &text, Path::new("here"));
    match faults.first() {
        None => Ok(site.and_then(|site| site.axi).expect("a listener")),
        Some(fault) => Err(fault.what.clone()),
    }
}

#[test]
fn a_central_listens_for_tls_and_without_it_only_where_that_is_written_down() {
    let at = |text: &str| Some(text.parse().expect("an address"));
    let usual = axi_with("").expect("good");
    assert_eq!((usual.listen, usual.listen_plain, usual.certificate), (at("0.0.0.0:12622"), None, None));
    let plain = axi_with("tls = false").expect("good");
    assert_eq!((plain.listen, plain.listen_plain), (None, at("0.0.0.0:12621")));
    let both = axi_with("listen_plain = \"127.0.0.1:1\"\ncertificate = \"a\"\nkey = \"b\"").expect("good");
    assert_eq!((both.listen, both.listen_plain), (at("0.0.0.0:12622"), at("127.0.0.1:1")));
    assert_eq!(both.certificate, Some(("here/a".into(), "here/b".into())));
    assert!(!both.generate_sari);
    assert!(axi_with("sari = \"generate\"").expect("good").generate_sari);
    for (lines, what) in [
        ("certificate = \"a\"", "`certificate` and `key` of [axi] need each other"),
        ("key = \"a\"", "`certificate` and `key` of [axi] need each other"),
        ("tls = false\ncertificate = \"a\"\nkey = \"b\"", "a certificate without TLS is shown to nobody"),
        ("tls = false\nlisten_plain = \"127.0.0.1:1\"", "`listen` is plain already"),
    ] {
        assert_eq!(axi_with(lines), Err(what.into()), "{lines}");
    }
}

#[test]
fn static_rsa_is_listened_for_only_where_it_is_written_down_and_built_in() {
    assert_eq!(axi_with("").expect("good").listen_static_rsa, None);
    let asked = axi_with("listen_static_rsa = \"0.0.0.0:12623\"");
    if cfg!(feature = "openssl") {
        let at = "0.0.0.0:12623".parse().expect("an address");
        assert_eq!(asked.expect("good").listen_static_rsa, Some(at));
    } else {
        let why = "`listen_static_rsa` needs OpenSSL, which this homing was built without";
        assert_eq!(asked, Err(why.into()));
    }
}

#[test]
fn remotes_need_a_listener_and_a_single_site_none() {
    let (head, rest) = GOOD.split_once("[link]").expect("a link");
    let (_, tail) = rest.split_once("tls = false\n").expect("its end");
    let single = format!("{head}{tail}").replace("remote", "central");
    assert_eq!(said(&single), "");
    let deaf = said(&format!("{single}[[remote]]\nname = \"r1\"\npark = \"1F102F0001\"\n"));
    assert!(deaf.contains("remotes without an AXI listener"), "{deaf}");
}
