//! Foreign crates that may go away one day are spoken to in one place each.

use crate::tree::{Tree, names};

/// A crate as code names it, and the files or folders where it may be named.
const HOSTS: &[(&str, &[&str])] = &[
    // The resolver answers in rsip's words, because rsip-dns does; the benchmark sets ours beside theirs.
    ("rsip", &["sip/src/message.rs", "sip/benches/", "src/resolver.rs"]),
    ("rsip_dns", &["src/resolver.rs", "src/resolver/"]),
    ("sled", &["src/store.rs", "src/store/sled.rs"]),
    ("redb", &["src/store.rs", "src/store/redb.rs"]),
    (
        "actix",
        &[
            "actors/",
            "replay/",
            "src/service.rs",
            "src/service/",
            "src/registrar.rs",
            "src/registrar/",
            "src/demo.rs",
            "src/demo/",
            "src/connection.rs",
            "src/sockets.rs",
            "src/sockets/",
            "src/keys.rs",
            "src/hash.rs",
            "src/epr.rs",
            "src/epr/",
            "src/peer.rs",
            "src/peer/",
        ],
    ),
    ("rsa", &["src/keys.rs"]),
    ("argon2", &["src/hash.rs"]),
    ("hyper", &["src/epr.rs", "src/config/epr.rs"]),
    ("hyper_util", &["src/epr.rs"]),
    ("csv", &["src/provision/table.rs"]),
    ("quick_xml", &["axi/src/element/", "sip/src/subscription/reginfo.rs"]),
    // SIP's TLS, AXI's TLS, and the certificate of one's own making. The doors hold its streams.
    (
        "tokio_rustls",
        &["src/sockets/tls.rs", "src/sockets/tls/", "src/sockets/streams.rs", "src/peer.rs", "src/peer/"],
    ),
    ("rustls_pki_types", &["src/sockets/tls.rs", "src/sockets/tls/", "src/peer/"]),
    ("webpki", &["src/sockets/tls.rs", "src/sockets/tls/"]),
    ("rcgen", &["src/peer/badge.rs"]),
    // Only with the feature of its name.
    ("openssl", &["src/peer/static_rsa.rs", "src/peer/tests/"]),
    ("tokio_openssl", &["src/peer/static_rsa.rs", "src/peer/tests/"]),
];

/// Complaints about crates that are named elsewhere.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, at, code) in tree.code() {
        for (foreign, hosts) in HOSTS {
            // A module of another crate may have a guest's name.
            let code = code.replace(&format!("::{foreign}::"), "::");
            let spoken = names(&code, &format!("{foreign}::")) || names(&code, &format!("use {foreign};"));
            if spoken
                && !hosts.iter().any(|host| path == *host || host.ends_with('/') && path.starts_with(host))
            {
                complaints.push(format!("{path}:{at}: {foreign} is spoken to only in {}", hosts.join(", ")));
            }
        }
    }
    complaints
}

#[test]
fn a_guest_outside_its_host_is_found() {
    let found = check(&Tree::of(&[
        ("sip/src/message.rs", "use rsip::Uri;"),
        ("sip/src/uri.rs", "use rsip::Uri;\n// rsip::Uri is fine in a comment\nlet x = my_rsip::f();"),
        ("src/resolver.rs", "use rsip_dns::DnsClient;"),
        ("src/peer/old.rs", "use openssl_like::rsa::Rsa;"),
        ("src/main.rs", "let db: sled::Db;\nuse actix;"),
        ("axi/src/open.rs", "    quick_xml::Reader::from_str(x)"),
    ]));
    let places: Vec<&str> = found.iter().filter_map(|complaint| complaint.split(": ").next()).collect();
    assert_eq!(places, ["axi/src/open.rs:1", "sip/src/uri.rs:1", "src/main.rs:1", "src/main.rs:2"]);
}
