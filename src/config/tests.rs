//! Complete messages, as an operator sees them.

use super::*;
use std::path::Path;

mod accounts;
mod link;
mod tier;

const GOOD: &str = r#"name = "berlin"
role = "remote"
platform = "pc"
park = "1F102F0E86"
data_dir = "data"
[link]
omm1 = "central.example:12622"
user = "sync"
password = "s3cret"
tls = false
[sip]
listen = "192.0.2.7:5060"
domain = "example.com"
[[tier]]
name = "pbx"
uri = "sip:pbx.example.com"
"#;

/// What is said about `text`.
fn said(text: &str) -> String {
    let (site, _, faults) = read_site("site.toml", text, Path::new(""));
    assert!(site.is_some() || !faults.is_empty(), "neither a site nor a fault");
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

/// What is said about the good site with one line replaced, dropped or added.
fn instead(line: &str, other: &str) -> String {
    assert!(GOOD.contains(line), "{line}");
    said(&GOOD.replace(line, other))
}

/// The good site, one line of it replaced, and everything that is said about it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "listen = \"192.0.2.7:5060\"",
        "lisen = \"192.0.2.7:5060\"",
        r#"site.toml:11:1: `listen` is missing in [sip]
  11 | [sip]
     | ^^^^^
     expected: address:port, such as "192.0.2.7:5060"
site.toml:12:1: unknown key `lisen` in [sip]
  12 | lisen = "192.0.2.7:5060"
     | ^^^^^
     read:     `lisen`
     expected: one of `ca`, `certificate`, `contact`, `digest`, `domain`, `key`, `listen`, `listen_other`, `listen_tcp`, `listen_tls`, `login`, `shaping`
     hint:     did you mean `listen`?
"#,
    ),
    (
        "role = \"remote\"",
        "role = \"remot\"",
        r#"site.toml:2:8: `role` of the site's file has an unknown value
  2 | role = "remot"
    |        ^^^^^^^
    read:     "remot"
    expected: one of `central`, `remote`
    hint:     did you mean `remote`?
"#,
    ),
    (
        "role = \"remote\"",
        "",
        r#"site.toml:1:1: `role` is missing in the site's file
  1 | name = "berlin"
    | ^
    expected: one of `central`, `remote`
"#,
    ),
    (
        "role = \"remote\"",
        "role = \"central\"",
        r#"site.toml:6:1: a central dials nobody: remotes connect to it (M-2.2.9-a)
  6 | [link]
    | ^^^^^^
    read:     [link]
    expected: no [link]
    hint:     write role = "remote"?
"#,
    ),
    (
        "role = \"remote\"",
        "role = remote",
        r#"site.toml:2:8: not TOML: string values must be quoted, expected literal string
  2 | role = remote
    |        ^^^^^^
    expected: valid TOML
"#,
    ),
    (
        "name = \"berlin\"",
        "name = \"Berlin\"",
        r#"site.toml:1:8: `name` of the site's file cannot be used: 'B' is not allowed; names are made of a-z, 0-9 and -
  1 | name = "Berlin"
    |        ^^^^^^^^
    read:     "Berlin"
    expected: the site's name, such as "berlin"
"#,
    ),
    (
        "park = \"1F102F0E86\"",
        "park = \"1F102F0E8\"",
        r#"site.toml:4:8: `park` of the site's file cannot be used: "1F102F0E8"; expected 10 hexadecimal digits, or 2 decimal and 11 octal digits (an ommId: 8 hexadecimal digits)
  4 | park = "1F102F0E8"
    |        ^^^^^^^^^^^
    read:     "1F102F0E8"
    expected: a PARK: 10 hexadecimal digits such as "1F102F0E86", or 13 decimal digits
"#,
    ),
    (
        "park = \"1F102F0E86\"",
        "park = \"1F102F0E86\"\npli = 27",
        r#"site.toml:5:7: `pli` contradicts the PARK (M-2.1.2.1-f)
  5 | pli = 27
    |       ^^
    read:     27
    expected: 31, as the PARK says
    hint:     leave `pli` out
"#,
    ),
    (
        "tls = false\n",
        "fingerprint = \"AB:CD\"\n",
        r#"site.toml:10:15: `fingerprint` of [link] cannot be used: it has 4 hexadecimal digits, a SHA-256 has 64
  10 | fingerprint = "AB:CD"
     |               ^^^^^^^
     read:     "AB:CD"
     expected: the SHA-256 of the server's certificate; `homing check` at a central prints its own
"#,
    ),
    (
        "tls = false\n",
        "tls = false\nca = \"ca.pem\"\n",
        r#"site.toml:11:6: whom to believe is a question of TLS
  11 | ca = "ca.pem"
     |      ^^^^^^^^
     read:     a connection without TLS
     expected: one with TLS
"#,
    ),
    (
        "tls = false\n",
        "ca = \"ca.pem\"\nverify = false\n",
        r#"site.toml:11:10: a server is believed in one way
  11 | verify = false
     |          ^^^^^
     expected: one of `ca`, `fingerprint`, verify = false
"#,
    ),
    (
        "omm1 = \"central.example:12622\"",
        "omm1 = \"central.example:0\"",
        r#"site.toml:7:8: `omm1` of [link] cannot be used: port 0 is nobody's
  7 | omm1 = "central.example:0"
    |        ^^^^^^^^^^^^^^^^^^^
    read:     "central.example:0"
    expected: host or host:port of the central, such as "central.example:12622"
"#,
    ),
    (
        "password = \"s3cret\"",
        "password = 12345",
        r#"site.toml:9:12: `password` of [link] has the wrong type
  9 | password = ...
    |            ^^^
    read:     a whole number
    expected: its password
    hint:     put it in quotes: password = "..."
"#,
    ),
    (
        "password = \"s3cret\"",
        "pasword = \"12345\"",
        r#"site.toml:6:1: `password` is missing in [link]
  6 | [link]
    | ^^^^^^
    expected: its password
site.toml:9:1: unknown key `pasword` in [link]
  9 | pasword = ...
    | ^^^^^^^
    read:     `pasword`
    expected: one of `ca`, `direct`, `fingerprint`, `omm1`, `omm2`, `password`, `tls`, `user`, `verify`
    hint:     did you mean `password`?
"#,
    ),
    (
        "listen = \"192.0.2.7:5060\"",
        "listen = \"0.0.0.0:5060\"",
        r#"site.toml:12:10: `contact` is missing in [sip], and `listen` names no address that others could reach
  12 | listen = "0.0.0.0:5060"
     |          ^^^^^^^^^^^^^^
     read:     0.0.0.0:5060
     expected: `contact` as well
     hint:     add contact = "the host that others reach this OMM at"
"#,
    ),
    (
        "listen = \"192.0.2.7:5060\"",
        "listen = \"pbx:5060\"",
        r#"site.toml:12:10: `listen` of [sip] cannot be used: invalid socket address syntax
  12 | listen = "pbx:5060"
     |          ^^^^^^^^^^
     read:     "pbx:5060"
     expected: address:port, such as "192.0.2.7:5060"
"#,
    ),
    (
        "uri = \"sip:pbx.example.com\"",
        "uri = \"sips:pbx.example.com;transport=udp\"\nmodle = \"multy\"",
        r#"site.toml:16:7: `uri` of [[tier]] cannot be used: sips: never goes over UDP
  16 | uri = "sips:pbx.example.com;transport=udp"
     |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     read:     "sips:pbx.example.com;transport=udp"
     expected: sip:host[:port][;transport=udp|tcp|tls] or sips:host[:port]
site.toml:17:1: unknown key `modle` in [[tier]]
  17 | modle = "multy"
     | ^^^^^
     read:     `modle`
     expected: one of `name`, `outbound_proxy`, `registrar`, `uri`
"#,
    ),
    (
        "domain = \"example.com\"",
        "domain = \"example.com\"\nlisten_other = \"192.0.2.8:5060\"",
        r#"site.toml:14:16: `listen_other` is an address of the same family as `listen`
  14 | listen_other = "192.0.2.8:5060"
     |                ^^^^^^^^^^^^^^^^
     read:     192.0.2.8:5060
     expected: an IPv6 address
"#,
    ),
    (
        "domain = \"example.com\"",
        "domain = \"example.com\"\nlisten_tls = \"192.0.2.7:5061\"\ncertificate = \"sip.pem\"",
        r#"site.toml:11:1: `key` is missing in [sip]
  11 | [sip]
     | ^^^^^
     expected: a file in PEM
"#,
    ),
    (
        "[sip]",
        "[timers]\nwatchdog = 9000\nconfirm = \"50s\"\n[sip]",
        r#"site.toml:12:12: `watchdog` of [timers] has the wrong type
  12 | watchdog = 9000
     |            ^^^^
     read:     a whole number
     expected: a duration from 1s 500ms to 2days, such as "2h 30m" or "250ms"
     hint:     a bare number has no unit; write watchdog = "9000s" for seconds
site.toml:13:11: `confirm_again` must be longer than `confirm` (AMB-3)
  13 | confirm = "50s"
     |           ^^^^^
     read:     confirm = "50s", confirm_again = "45s"
     expected: confirm < confirm_again
"#,
    ),
    (
        "[sip]",
        "[timers]\nwatchdog = \"9000 parsec\"\nfailover=\"1h\"\n[sip]",
        r#"site.toml:12:12: `watchdog` of [timers] cannot be used: unknown time unit "parsec", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, months, years (and few variations)
  12 | watchdog = "9000 parsec"
     |            ^^^^^^^^^^^^^
     read:     "9000 parsec"
     expected: a duration from 1s 500ms to 2days, such as "2h 30m" or "250ms"
site.toml:13:10: `failover` of [timers] is out of bounds
  13 | failover="1h"
     |          ^^^^
     read:     "1h"
     expected: a duration from 500ms to 32s, such as "2h 30m" or "250ms"
"#,
    ),
    (
        "[[tier]]\nname = \"pbx\"\nuri = \"sip:pbx.example.com\"\n",
        "",
        r#"site.toml:1:1: there is no [[tier]]
  1 | name = "berlin"
    | ^
    expected: 1 to 3 SIP servers (M-2.2.5-a)
    hint:     add [[tier]] with name = "pbx" and uri = "sip:HOST"
"#,
    ),
    (
        "[[tier]]",
        "[tier]",
        r#"site.toml:14:1: `tier` of the site's file has the wrong type
  14 | [tier]
     | ^^^^^^
     read:     a table
     expected: tables that begin with [[tier]]
     hint:     write [[tier]], twice bracketed
"#,
    ),
    (
        "[sip]",
        "[[user]]\nnumber=\"1 1\"\npassword=\"x\"\n[[user]]\nnumber=\"101\"\npassword=\"x\"\n[[user]]\nnumber=\"101\"\npassword=\"x\"\npari_only=\"1F102F0E87\"\ndevice=\"03074 0220259 4\"\n[sip]",
        r#"site.toml:12:8: `number` of [[user]] cannot be used: number "1 1" holds ' '; expected letters, digits and -_.!~*'()+&=$
  12 | number="1 1"
     |        ^^^^^
     read:     "1 1"
     expected: the number of a user, such as "101"
site.toml:18:8: number 101 is used twice, first in line 15 (M-2.2.5-b)
  18 | number="101"
     |        ^^^^^
     read:     101
     expected: another number
site.toml:21:8: `device` of [[user]] cannot be used: IPEI check character '4'; expected '3'
  21 | device="03074 0220259 4"
     |        ^^^^^^^^^^^^^^^^^
     read:     "03074 0220259 4"
     expected: an IPEI, such as "03074 0220259 3"
"#,
    ),
    (
        "data_dir = \"data\"",
        "data_dir = \"data\"\nusers=\"u.toml\"\nuser=[{number=\"1\", password=\"hunter2\", nam=\"x\"}]",
        r#"site.toml:6:7: users are either in a file of their own or in [[user]] tables, not both
  6 | users="u.toml"
    |       ^^^^^^^^
    read:     "u.toml"
    expected: one of the two
site.toml:7:40: unknown key `nam` in [[user]]
  7 | user=[{number="1", password= ...
    |                                        ^
    read:     `nam`
    expected: one of `auth`, `class`, `device`, `expires`, `name`, `number`, `pari_only`, `password`, `vip`
    hint:     did you mean `name`?
"#,
    ),
    (
        "[sip]",
        "[registration]\nevidence = \"evct\"\nexpires = \"30s\"\n[sip]",
        r#"site.toml:12:12: `evidence` of [registration] has an unknown value
  12 | evidence = "evct"
     |            ^^^^^^
     read:     "evct"
     expected: one of `off`, `yield`, `evict`
     hint:     did you mean `evict`?
site.toml:13:11: `expires` of [registration] is out of bounds
  13 | expires = "30s"
     |           ^^^^^
     read:     "30s"
     expected: a duration from 1m to 1day, such as "2h 30m" or "250ms"
"#,
    ),
    (
        "[sip]",
        "[registration]\ngruu = true\n[sip]",
        r#"site.toml:12:8: `gruu` needs the instance that only `outbound` registers (RFC 5627 4.1)
  12 | gruu = true
     |        ^^^^
     read:     gruu = true
     expected: `outbound` as well
     hint:     add outbound = the site's own number, 0 to 10
"#,
    ),
];

#[test]
fn every_mistake_is_told_with_its_place_and_its_cure() {
    for (line, other, expected) in CASES {
        assert_eq!(instead(line, other), *expected, "{line} -> {other}");
    }
}

#[test]
fn an_empty_file_lacks_everything_at_once() {
    assert_eq!(said("").matches("is missing").count(), 6);
    assert_eq!(said(GOOD), "");
}

#[test]
fn the_eleventh_remote_is_refused_in_its_line() {
    let central = GOOD.replace("remote", "central").replace("[link]\nomm1 = \"central.example:12622\"", AXI);
    let remote = |index: usize| format!("[[remote]]\nname = \"r{index}\"\npark = \"1F102F{index:04X}\"\n");
    let ten: String = (1..=10).map(remote).collect();
    assert_eq!(said(&format!("{central}{ten}")), "");
    assert_eq!(
        said(&format!("{central}{ten}{}", remote(11))),
        "site.toml:47:1: a central has at most 10 remotes (M-2.1.1-a)\n  47 | [[remote]]\n     | ^^^^^^^^^^\n     \
         read:     remote 11\n     expected: no more remotes\n"
    );
    let own = said(&format!("{central}{}", remote(1).replace("0001", "0E86")));
    assert!(own.contains("this PARK is that of berlin itself (M-2.1.2.1-a)"), "{own}");
    let twice = said(&format!("{central}{}{}", remote(1), remote(2).replace("0002", "0001")));
    assert!(twice.contains("this PARK is that of r1 (M-2.1.2.1-a)"), "{twice}");
}

const AXI: &str = "[axi]\nlisten = \"0.0.0.0:12622\"";

#[test]
fn the_system_s_limit_of_phones_is_refused_in_its_line() {
    let users = |count: usize| {
        let user = |number| format!("[[user]]\nnumber = \"{number}\"\npassword = \"x\"\n");
        (0..count).map(user).collect::<String>()
    };
    let rfp = GOOD.replace("\"pc\"", "\"rfp\"");
    assert_eq!(said(&format!("{rfp}{}", users(512))), "");
    let more = said(&format!("{rfp}{}", users(514)));
    assert!(
        more.starts_with("site.toml:1553:1: too many users: a system of platform rfp has at most 512\n"),
        "{more}"
    );
    assert!(more.ends_with("hint:     the limit is M-2.2.1-b\n"), "{more}");
}

#[test]
fn a_user_cannot_be_bound_to_the_central_alone() {
    let user = "[[user]]\nnumber = \"1\"\npassword = \"x\"\ndevice = \"03074 0220259 3\"\npari_only = \"1F102F0E86\"\n";
    assert_eq!(said(&format!("{GOOD}{user}")), "");
    let central = GOOD.replace("remote", "central").replace("[link]\nomm1 = \"central.example:12622\"", AXI);
    let text = said(&format!("{central}{user}"));
    assert!(text.contains("(M-2.3.4.1-a)"), "{text}");
}

#[test]
fn the_examples_are_valid_and_complete() {
    let site = load(Path::new("examples/site.toml")).expect("the example is valid");
    assert_eq!((site.name.as_str(), site.role, site.users.len()), ("berlin", Role::Remote, 4));
    assert_eq!((site.sip.contact.as_str(), site.tiers.len()), ("10.20.0.2:5060", 2));
    assert_eq!(site.control, Path::new("examples/data/berlin/control.sock"));
    // The example shows every timer, each with its default.
    assert_eq!(site.timers, timers::Timers::default());
    let text = include_str!("../../examples/site.toml");
    for (key, _) in site.timers.list() {
        assert!(text.lines().any(|line| line.split_whitespace().next() == Some(key)), "{key}");
    }
    assert!(!format!("{site:?}").contains("change-me"), "a secret shows");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let faults = load(Path::new("nowhere/site.toml")).expect_err("there is no such file");
    assert_eq!(
        faults.iter().map(|fault| fault.to_string()).collect::<Vec<_>>(),
        [
            "nowhere/site.toml: cannot be read: No such file or directory (os error 2)\n  expected: a TOML file that \
          can be read\n  hint:     examples/site.toml is one to start from"
        ]
    );
}
