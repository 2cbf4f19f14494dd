//! Logins as real clients write them.

use super::*;
use crate::error::ErrCode;

fn open(wire: &str) -> Result<Open, Complaint> {
    Open::read(&Element::read(wire.as_bytes()).unwrap())
}

#[test]
fn logins_of_four_client_families_are_understood() {
    for (wire, seq, version, sync, omp) in [
        (r#"<Open username="omm" password="omm" seq="0"/>"#, Some("0"), None, false, false),
        (
            r#"<Open username="omm" password="omm" UserDeviceSyncClient="true" seq="0"/>"#,
            Some("0"),
            None,
            true,
            false,
        ),
        (
            r#"<Open protocolVersion="45" username="omm" password="omm" UserDeviceSyncClient="true"/>"#,
            None,
            Some(45),
            true,
            false,
        ),
        (
            r#"<Open protocolVersion="45" username="omm" password="omm" OMPClient="1"/>"#,
            None,
            Some(45),
            false,
            true,
        ),
        (
            r#"<Open seq="1" username="omm" password="omm" UserDeviceSyncClient="true" />"#,
            Some("1"),
            None,
            true,
            false,
        ),
    ] {
        let open = open(wire).unwrap();
        assert_eq!((open.username.as_str(), open.password.reveal()), ("omm", "omm"));
        assert_eq!(open.seq.as_ref().map(Seq::as_str), seq, "{wire}");
        assert_eq!(
            (open.protocol_version, open.sync_client, open.omp_client),
            (version, sync, omp),
            "{wire}"
        );
        assert_eq!(open.sibling, None);
        assert_eq!(super::Open::read(&open.element()), Ok(open), "{wire}");
    }
}

#[test]
fn the_transcript_of_a_real_login_holds_byte_for_byte() {
    let client = Open {
        seq: Seq::read("1"),
        protocol_version: None,
        username: "omm".into(),
        password: Secret::new("omm"),
        sync_client: true,
        omp_client: false,
        sibling: None,
        door: None,
        purpose: Purpose::Link,
    };
    // mitel-api writes a blank before `/>`; nothing else differs.
    let theirs = r#"<Open seq="1" username="omm" password="omm" UserDeviceSyncClient="true" />"#;
    assert_eq!(client.element().to_string(), theirs.replace(" />", "/>"));
    let answer = OpenResp {
        seq: Seq::read("0"),
        public_key: Some(PublicKey { modulus: "C021".into(), exponent: "010001".into() }),
        permissions: vec![Kept::Known(Permission::AllCnfRead), Kept::Other("Flying".into())],
        ..OpenResp::default()
    };
    assert_eq!(
        answer.element().to_string(),
        "<OpenResp seq=\"0\"><publicKey modulus=\"C021\" exponent=\"010001\"/>\
         <permission>AllCnfRead</permission></OpenResp>"
    );
    let refused =
        OpenResp { seq: Seq::read("0"), refused: Some(Refused::new(ErrCode::Auth)), ..OpenResp::default() };
    assert_eq!(refused.element().to_string(), r#"<OpenResp seq="0" errCode="EAuth"/>"#);
}

#[test]
fn a_real_refusal_is_understood() {
    let wire = r#"<OpenResp ommStbState="None" ommVersion="OpenMobility Manager SIP-DECT 7.1-CK14" axiVersion="171101" ommAxiSpecVersion="7.1.1" protocolVersion="45" errCode="EAuth" />"#;
    let answer = OpenResp::read(&Element::read(wire.as_bytes()).unwrap()).unwrap();
    assert_eq!(answer.refused, Some(Refused::new(ErrCode::Auth)));
    assert_eq!(
        (answer.protocol_version, answer.standby.as_ref()),
        (Some(45), Some(&Kept::Known(Standby::None)))
    );
    assert_eq!(answer.versions.spec, "7.1.1");
    assert_eq!(OpenResp::read(&answer.element()), Ok(answer));
}

#[test]
fn capabilities_permissions_and_unknown_words_are_kept() {
    let wire = r#"<OpenResp seq="0" protocolVersion="45" ommStbState="Flying" haveSIP="1" haveUMO="0" haveSARI="true" uptime="7"><publicKey modulus="c021" exponent="010001"/><permission>Video</permission><permission>Flying</permission></OpenResp>"#;
    let answer = OpenResp::read(&Element::read(wire.as_bytes()).unwrap()).unwrap();
    assert_eq!(answer.capabilities, ["SIP", "SARI"]);
    assert_eq!(answer.permissions, [Kept::Known(Permission::Video), Kept::Other("Flying".into())]);
    assert_eq!(answer.standby, Some(Kept::Other("Flying".into())));
    assert_eq!(answer.public_key.as_ref().unwrap().modulus, "C021");
    let rewritten = answer.element().to_string();
    assert!(!rewritten.contains("Flying"), "an unknown word would hang a client: {rewritten}");
}

#[test]
fn a_bad_login_names_the_attribute() {
    let long = format!(r#"<Open username="{}" password="x"/>"#, "ü".repeat(257));
    for (wire, code, bad) in [
        (r#"<Open password="x"/>"#, ErrCode::Missing, "username"),
        (r#"<Open username="x" seq="3"/>"#, ErrCode::Missing, "password"),
        (r#"<Open username="x" password="y" protocolVersion=""/>"#, ErrCode::Inval, "protocolVersion"),
        (r#"<Open username="x" password="y" protocolVersion="9.1"/>"#, ErrCode::Inval, "protocolVersion"),
        (
            r#"<Open username="x" password="y" UserDeviceSyncClient="yes"/>"#,
            ErrCode::Inval,
            "UserDeviceSyncClient",
        ),
        (r#"<Open username="x" password="y" seq="a"/>"#, ErrCode::Inval, "seq"),
        (r#"<Open username="x" password="y" hmOmm="1"/>"#, ErrCode::Inval, "hmOmm"),
        (r#"<Open username="x" password="y" hmOmm="102A7C82"/>"#, ErrCode::Missing, "protocolVersion"),
        (long.as_str(), ErrCode::TooLong, "username"),
    ] {
        let complaint = open(wire).unwrap_err();
        assert_eq!(
            (&complaint.why.code, complaint.why.bad.as_deref()),
            (&Kept::Known(code), Some(bad)),
            "{wire}"
        );
    }
    let complaint = open(r#"<Open username="x" seq="3"/>"#).unwrap_err();
    assert_eq!(complaint.answer().to_string(), r#"<OpenResp seq="3" errCode="EMissing" bad="password"/>"#);
}

#[test]
fn a_password_never_shows() {
    let open = open(r#"<Open username="omm" password="geheim" seq="0"/>"#).unwrap();
    assert!(!format!("{open:?} {:?}", open.element()).contains("geheim"));
}
