use super::*;

const DOCUMENT: Request<'static> = Request { method: "GET", uri: "/dir/index.html", body: b"" };
const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

fn mufasa(
    algorithm: Algorithm,
    turn: Option<(Qop, &str, &str)>,
    nonce: &str,
    realm: &str,
    password: &str,
) -> String {
    let cnonce = turn.map_or("", |(_, _, cnonce)| cnonce);
    let key = key(algorithm, ("Mufasa", realm, &Secret::new(password)), nonce, cnonce);
    response(algorithm.hash, &key, nonce, turn, &DOCUMENT)
}

#[test]
fn rfc_7616_3_9_1() {
    let turn = Some((Qop::Auth, "00000001", CNONCE));
    let answer = |algorithm| mufasa(algorithm, turn, NONCE, "http-auth@example.org", "Circle of Life");
    assert_eq!(answer(Algorithm::MD5), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(
        answer(Algorithm::SHA_256),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    );
}

/// RFC 7616 3.9.2 as its errata correct it: the printed values are those of a truncated SHA-512.
#[test]
fn rfc_7616_3_9_2_corrected() {
    let user = "J\u{e4}s\u{f8}n Doe";
    let (realm, nonce) = ("api@example.org", "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK");
    let request = Request { method: "GET", uri: "/doe.json", body: b"" };
    let key = key(Algorithm::SHA_512_256, (user, realm, &Secret::new("Secret, or not?")), nonce, "");
    let turn = Some((Qop::Auth, "00000001", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"));
    assert_eq!(
        response(Hash::Sha512To256, &key, nonce, turn, &request),
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    );
}

/// RFC 2617 3.5, the example of RFC 3261's time.
#[test]
fn rfc_2617_3_5() {
    let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    let turn = Some((Qop::Auth, "00000001", "0a4f113b"));
    let answer = mufasa(Algorithm::MD5, turn, nonce, "testrealm@host.com", "Circle Of Life");
    assert_eq!(answer, "6629fae49393a05397450978507c4ef1");
}

/// RFC 2069 2.4, as its errata correct it: no qop, no count.
#[test]
fn rfc_2069_2_4_without_qop() {
    let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    let answer = mufasa(Algorithm::MD5, None, nonce, "testrealm@host.com", "CircleOfLife");
    assert_eq!(answer, "1949323746fe6a43ef61f9606e7febea");
}

/// RFC 8760 2.6, bullet 7.
#[test]
fn the_hash_of_an_empty_body() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Hash::Sha256.hex(&[b""]), empty);
    let request = Request { method: "REGISTER", uri: "sip:example.com", body: b"" };
    let what = Hash::Sha256.hex(&[b"REGISTER", b"sip:example.com", empty.as_bytes()]);
    let expected = Hash::Sha256.hex(&[b"k", b"n", b"00000001", b"c", b"auth-int", what.as_bytes()]);
    let turn = Some((Qop::AuthInt, "00000001", "c"));
    assert_eq!(response(Hash::Sha256, &Secret::new("k"), "n", turn, &request), expected);
}

/// RFC 7616 3.4.2: H(H(user:realm:password):nonce:cnonce).
#[test]
fn a_session_key_covers_nonce_and_cnonce() {
    let algorithm = Algorithm::read("MD5-sess").unwrap();
    let base = Hash::Md5.hex(&[b"bob", b"biloxi.com", b"zanzibar"]);
    let expected = Hash::Md5.hex(&[base.as_bytes(), b"nonce", b"cnonce"]);
    let key = key(algorithm, ("bob", "biloxi.com", &Secret::new("zanzibar")), "nonce", "cnonce");
    assert_eq!(key.reveal(), expected);
}

#[test]
fn algorithm_tokens_are_read_and_printed() {
    for token in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"] {
        assert_eq!(Algorithm::read(token).unwrap().to_string(), token);
        assert_eq!(Algorithm::read(&token.to_lowercase()), Algorithm::read(token));
    }
    for token in ["", "-sess", "SHA-1", "SHA-512", "MD5-", "\u{e4}\u{e4}\u{e4}"] {
        assert_eq!(Algorithm::read(token), None, "{token}");
    }
}
