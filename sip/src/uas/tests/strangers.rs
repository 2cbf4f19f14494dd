//! Phones that nobody enrolled, where the host may know more.

use super::*;

const AOR: &str = "sip:101@example.com";

/// An answerer that holds REGISTERs and asks about strangers; 101 is one.
fn asking() -> World {
    let auth = Some(Auth::new("example.com"));
    let mut world = world(Profile { auth, hold: true, strangers: true, ..plain() });
    assert!(world.step(Input::Forget(AOR.to_owned())).is_empty());
    world
}

/// A REGISTER with the answer to this challenge.
fn signed(world: &mut World, challenges: &Message) -> Vec<Effect> {
    let request = Request { method: "REGISTER", uri: "sip:example.com", body: b"" };
    let mut credentials =
        Credentials::new("u101", Secret::new("hunter2"), Chance::of(world.turn.into(), "u101"));
    let values = challenges.headers(Name::WwwAuthenticate).map(|value| (Scope::Registrar, value));
    let Answer::Lines(lines) = credentials.answer(values, &request) else { panic!("no answer") };
    let lines = format!("Contact: {A}\r\nAuthorization: {}\r\n", lines[0].value);
    let text = world.request("REGISTER", "sip:example.com", &lines);
    world.hear(&text)
}

fn stranger(effects: &[Effect]) -> u64 {
    match effects {
        [Effect::Stranger { ask, user }] if user == "101" => *ask,
        other => panic!("{other:?}"),
    }
}

fn account() -> Input {
    let (aor, username) = (AOR.to_owned(), "u101".to_owned());
    Input::Account(Subscriber { aor, username, password: Secret::new("hunter2") })
}

#[test]
fn a_stranger_whom_the_host_gets_to_know_is_let_in_without_asking_again() {
    let mut world = asking();
    let challenge = world.register(A, 600);
    assert_eq!(challenge.code(), Some(401), "who has answered nothing yet is not asked about");
    let ask = stranger(&signed(&mut world, &challenge));
    assert_eq!(world.uas.load(), (0, 1));
    world.step(account());
    let effects = world.step(Input::Verdict { ask, refused: None });
    let [Effect::Asked { ask, user, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(user, "101");
    let granted = world.step(Input::Verdict { ask: *ask, refused: None });
    assert!(granted.iter().any(|effect| matches!(effect, Effect::Table(_))), "{granted:?}");
    assert_eq!(world.uas.load(), (1, 0));
}

#[test]
fn a_stranger_whom_the_host_does_not_know_either_is_asked_for_a_password_and_one_nobody_could_ask_about_comes_back()
 {
    let mut world = asking();
    let challenge = world.register(A, 600);
    let ask = stranger(&signed(&mut world, &challenge));
    let refused = answer(&world.step(Input::Verdict { ask, refused: None }));
    assert_eq!(refused.code(), Some(401));
    let ask = stranger(&signed(&mut world, &refused));
    let later = Refused { code: 503, retry_after: Some(Duration::from_secs(30)) };
    let later = answer(&world.step(Input::Verdict { ask, refused: Some(later) }));
    assert_eq!((later.code(), later.header(Name::RetryAfter)), (Some(503), Some("30")));
    // A host that says nothing.
    let ask = stranger(&signed(&mut world, &refused));
    let effects = world.wait(25_000);
    assert!(effects.len() == 2 && world.uas.load() == (0, 0), "100, then 503: {effects:?}");
    assert!(world.step(Input::Verdict { ask, refused: None }).is_empty());
}

#[test]
fn nobody_is_asked_about_who_is_known_or_has_heard_no_challenge_of_ours() {
    let mut world = asking();
    let challenge = world.register(A, 600);
    world.wait(300_000);
    assert_eq!(answer(&signed(&mut world, &challenge)).code(), Some(401), "that challenge is too old");
    let forged = "Contact: <sip:101@10.0.1.1:5062>\r\nAuthorization: Digest username=\"101\", realm=\"example.com\", \
        nonce=\"1.1.0\", uri=\"sip:example.com\", response=\"00000000000000000000000000000000\"\r\n";
    assert_eq!(world.ask("REGISTER", forged).code(), Some(401));
    // Known, with another password.
    let challenge = world.register(A, 600);
    let Input::Account(known) = account() else { panic!("an account") };
    world.step(Input::Account(Subscriber { password: Secret::new("other"), ..known }));
    assert_eq!(answer(&signed(&mut world, &challenge)).code(), Some(401));
    // Elsewhere strangers are refused as ever.
    let mut other = super::world(Profile { auth: Some(Auth::new("example.com")), hold: true, ..plain() });
    other.step(Input::Forget(AOR.to_owned()));
    let challenge = other.register(A, 600);
    assert_eq!(answer(&signed(&mut other, &challenge)).code(), Some(401));
}
