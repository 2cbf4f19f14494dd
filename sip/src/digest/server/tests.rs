//! The gate as clients meet it.

use super::super::client::{Answer, Credentials, Scope};
use super::*;
use machine::chance::Chance;

const REGISTER: Request<'static> = Request { method: "REGISTER", uri: "sip:example.com", body: b"" };

struct World {
    gate: Gate,
    anna: Credentials,
    password: Secret,
}

fn at(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1000)
}

fn world(algorithms: &[&str], typed: &str) -> World {
    let algorithms = algorithms.iter().map(|token| Algorithm::read(token).unwrap()).collect();
    let anna = Credentials::new("anna", Secret::new(typed), Chance::of(1, "anna"));
    World { gate: Gate::new("pbx", algorithms, Secret::new("k")), anna, password: Secret::new("hunter2") }
}

impl World {
    fn challenge(&mut self, now: u64, stale: bool) -> Answer {
        let challenges = self.gate.challenge(at(now), stale);
        self.anna.answer(challenges.iter().map(|value| (Scope::Registrar, value.as_str())), &REGISTER)
    }

    fn check(&mut self, now: u64, value: &str) -> Outcome {
        let password = &self.password;
        self.gate.check(at(now), [value], &REGISTER, |user| (user == "anna").then_some(password))
    }

    fn ahead(&mut self, now: u64) -> Outcome {
        self.anna.accepted();
        let value = self.anna.preempt(&REGISTER)[0].value.clone();
        self.check(now, &value)
    }
}

fn value(answer: Answer) -> String {
    let Answer::Lines(lines) = answer else { panic!("{answer:?}") };
    lines[0].value.clone()
}

fn passed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Passed { user, .. } if user == "anna")
}

#[test]
fn every_algorithm_passes_its_own_check_and_a_wrong_password_none() {
    for token in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"] {
        let mut good = world(&[token], "hunter2");
        let answer = value(good.challenge(0, false));
        assert!(passed(&good.check(0, &answer)), "{token}");
        let mut bad = world(&[token], "hunter3");
        let answer = value(bad.challenge(0, false));
        assert_eq!(bad.check(0, &answer), Outcome::Wrong { user: "anna".into() }, "{token}");
    }
}

#[test]
fn algorithms_are_offered_in_order_and_others_are_refused() {
    let mut world = world(&["SHA-256", "MD5"], "hunter2");
    let offered = world.gate.challenge(at(0), false);
    assert!(offered[0].contains("algorithm=SHA-256,") && offered[1].contains("algorithm=MD5,"));
    assert!(offered.iter().all(|value| value.contains("qop=\"auth\"")));
    let answer = value(world.challenge(0, false)).replace("SHA-256", "SHA-512-256");
    assert_eq!(world.check(0, &answer), Outcome::Missing);
}

#[test]
fn a_count_has_to_grow() {
    let mut world = world(&["SHA-256"], "hunter2");
    let first = value(world.challenge(0, false));
    assert!(passed(&world.check(0, &first)));
    assert_eq!(world.check(1, &first), Outcome::Stale, "a replay");
    assert!(passed(&world.ahead(2)));
    let again = value(world.challenge(3, true));
    assert!(passed(&world.check(3, &again)));
}

#[test]
fn a_nonce_lives_for_its_life_and_then_is_stale() {
    let mut world = world(&["SHA-256"], "hunter2");
    let first = value(world.challenge(0, false));
    assert!(passed(&world.check(0, &first)));
    assert!(passed(&world.ahead(299)));
    assert_eq!(world.ahead(300), Outcome::Stale);
    assert!(world.gate.counts.is_empty());
}

#[test]
fn a_nonce_of_another_process_is_stale_only_with_the_right_password() {
    let mut world = world(&["SHA-256"], "hunter2");
    let answer = value(world.challenge(0, false));
    world.gate = Gate::new("pbx", vec![Algorithm::SHA_256], Secret::new("another key"));
    assert_eq!(world.check(1, &answer), Outcome::Stale);
    world.password = Secret::new("changed");
    assert_eq!(world.check(1, &answer), Outcome::Wrong { user: "anna".into() });
}

#[test]
fn what_does_not_add_up_is_malformed_or_missing() {
    let mut world = world(&["SHA-256"], "hunter2");
    let good = value(world.challenge(0, false));
    assert_eq!(world.check(0, &good.replace("realm=\"pbx\"", "realm=\"abc\"")), Outcome::Missing);
    assert_eq!(world.check(0, "Basic YTpi"), Outcome::Missing);
    let other_spelling = good.replace("uri=\"sip:example.com\"", "uri=\"sip:EXAMPLE.com\"");
    assert!(matches!(world.check(0, &other_spelling), Outcome::Wrong { .. }), "same URI, other digest");
    for (from, to) in [
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=0000000g"),
        ("username=", "name="),
        ("qop=auth", "qop=auth-conf"),
        ("uri=\"sip:example.com\"", "uri=\"sip:example.org\""),
    ] {
        assert_eq!(world.check(0, &good.replace(from, to)), Outcome::Malformed, "{to}");
    }
    let unknown = good.replace("anna", "otto");
    assert_eq!(world.check(0, &unknown), Outcome::Wrong { user: "otto".into() });
}

#[test]
fn an_old_phone_without_qop_passes() {
    let mut world = world(&["MD5"], "hunter2");
    let challenge = world.gate.challenge(at(0), false)[0].replace(", qop=\"auth\"", "");
    let answer = value(world.anna.answer([(Scope::Registrar, challenge.as_str())], &REGISTER));
    let outcome = world.check(0, &answer);
    assert_eq!(outcome, Outcome::Passed { user: "anna".into(), info: None });
    assert!(passed(&world.check(1, &answer)));
    assert_eq!(world.check(300, &answer), Outcome::Stale);
}

#[test]
fn a_rotating_gate_names_the_next_nonce_and_takes_it() {
    let mut world = world(&["SHA-256"], "hunter2");
    world.gate = world.gate.clone().rotating();
    let first = value(world.challenge(0, false));
    for now in 0..3 {
        let outcome = if now == 0 { world.check(0, &first) } else { world.ahead(now) };
        let Outcome::Passed { info: Some(info), .. } = outcome else { panic!("{outcome:?}") };
        world.anna.learn(Scope::Registrar, &info);
    }
    assert_eq!(world.gate.counts.len(), 3);
}

#[test]
fn the_table_of_counts_is_bounded_and_what_fell_out_is_stale() {
    let mut world = world(&["MD5"], "hunter2");
    let first = value(world.challenge(0, false));
    assert!(passed(&world.check(0, &first)));
    for serial in 2..2 + NONCES_MAX as u64 {
        world.gate.counts.insert(serial, Count { issued: at(0), last: 1 });
    }
    world.gate.serial = NONCES_MAX as u64 + 5;
    let newest = value(world.challenge(1, true));
    world.gate.counts.remove(&2);
    assert!(passed(&world.check(1, &newest)));
    assert_eq!(world.gate.counts.len(), NONCES_MAX);
    assert_eq!(world.check(1, &first), Outcome::Stale);
}
