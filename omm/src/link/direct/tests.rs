use super::*;
use crate::ids::park::{Park, Pli};
use crate::link::frame::{Mismatch, Purpose};
use crate::link::neighbour::{Door, Fingerprint};
use crate::platform::Platform;

const ME: u32 = 1;
const OTHER: u32 = 2;

fn facts(pari: u32) -> Facts {
    let park: Park = "1F102A7C82".parse().unwrap();
    let (sari, wall) = (Some(Sari::derive(park)), Wall::from_millis(7));
    let (protocol, platform, pli) = (45, Platform::Pc, Pli::FULL);
    Facts { omm: OmmId::new(pari), term: 0, protocol, platform, pli, sari, wall }
}

fn neighbour(pari: u32, fingerprint: Option<Fingerprint>) -> Neighbour {
    Neighbour {
        omm: OmmId::new(pari),
        door: Door { address: format!("site-{pari}:12622").into(), fingerprint },
    }
}

/// What it wants at these seconds, in short.
struct Bench(Direct);

impl Bench {
    fn with(plain: bool, neighbours: Vec<Neighbour>) -> Bench {
        let mut bench = Bench(Direct::new("omm".into(), Secret::new("right"), facts(ME), plain));
        bench.see(0, Input::Neighbours(neighbours), &[]);
        bench
    }

    fn new() -> Bench {
        Bench::with(true, vec![neighbour(ME, None), neighbour(OTHER, None)])
    }

    fn told(effects: Vec<Effect>) -> Vec<String> {
        let tell = |effect| match effect {
            Effect::Call(neighbour) => format!("call {}", neighbour.door.address),
            Effect::Answer { answer: Ok(_), .. } => "come in".to_owned(),
            Effect::Answer { answer: Err(why), .. } => why.to_string(),
        };
        effects.into_iter().map(tell).collect()
    }

    fn see(&mut self, second: u64, input: Input, wanted: &[&str]) {
        let mut out = Vec::new();
        self.0.on(Moment::from_millis(second * 1000), input, &mut out);
        assert_eq!(Bench::told(out), wanted, "at {second} s");
    }

    /// Lives on until `second`; the seconds at which anybody was called.
    fn calls_until(&mut self, second: u64) -> Vec<u64> {
        let mut calls = Vec::new();
        while let Some((at, _)) = self.0.deadline().filter(|(at, _)| at.as_millis() <= second * 1000) {
            let mut out = Vec::new();
            self.0.wake(at, &mut out);
            for _ in out {
                calls.push(at.as_millis() / 1000);
                self.0.on(at, Input::Down(OmmId::new(OTHER)), &mut Vec::new());
            }
        }
        calls
    }
}

fn knock(facts: Facts, password: &str) -> Input {
    let (password, purpose) = (Secret::new(password), Purpose::Direct);
    let open = Box::new(Open { user: "omm".into(), password, facts, door: None, purpose });
    Input::Knock { channel: 1, from: "192.0.2.1".into(), open, wall: Wall::from_millis(1) }
}

#[test]
fn nobody_is_called_before_the_link_was_out_of_step_for_five_seconds() {
    let (mut bench, other) = (Bench::new(), OmmId::new(OTHER));
    bench.see(0, Input::Wanted(other), &[]);
    bench.see(10, Input::Link { in_sync: false }, &[]);
    assert_eq!(bench.calls_until(14), []);
    assert_eq!(bench.calls_until(15), [15]);
}

#[test]
fn a_link_that_comes_back_in_time_leaves_the_star_a_star() {
    let (mut bench, other) = (Bench::new(), OmmId::new(OTHER));
    bench.see(10, Input::Link { in_sync: false }, &[]);
    bench.see(11, Input::Wanted(other), &[]);
    bench.see(14, Input::Link { in_sync: true }, &[]);
    assert_eq!(bench.calls_until(1_000), []);
    // What was wanted then has been said over the link.
    bench.see(1_000, Input::Link { in_sync: false }, &[]);
    assert_eq!(bench.calls_until(2_000), []);
}

#[test]
fn who_is_wanted_later_is_called_at_once_and_only_neighbours_are_called() {
    let (mut bench, other) = (Bench::new(), OmmId::new(OTHER));
    bench.see(0, Input::Link { in_sync: false }, &[]);
    assert_eq!(bench.calls_until(60), []);
    bench.see(60, Input::Wanted(OmmId::new(3)), &[]);
    bench.see(60, Input::Wanted(OmmId::new(ME)), &[]);
    bench.see(60, Input::Wanted(other), &["call site-2:12622"]);
    bench.see(60, Input::Wanted(other), &[]);
    bench.see(61, Input::Up(other), &[]);
    bench.see(62, Input::Wanted(other), &[]);
    assert_eq!(bench.calls_until(1_000), [], "a channel stands");
}

#[test]
fn who_does_not_answer_is_called_ever_less_often() {
    let (mut bench, other) = (Bench::new(), OmmId::new(OTHER));
    bench.see(0, Input::Link { in_sync: false }, &[]);
    bench.see(0, Input::Wanted(other), &[]);
    assert_eq!(bench.calls_until(240), [5, 10, 20, 40, 80, 140, 200]);
    // A channel that ends with something unsaid does not make for a storm of calls.
    bench.see(241, Input::Up(other), &[]);
    bench.see(242, Input::Down(other), &[]);
    bench.see(242, Input::Wanted(other), &[]);
    assert_eq!(bench.calls_until(260), [260]);
}

#[test]
fn a_password_is_not_sent_in_the_clear_unless_the_link_does_so_too() {
    let (plain, print) = (neighbour(OTHER, None), neighbour(OTHER, Some(Fingerprint::new([7; 32]))));
    for (allowed, neighbour, calls) in [(false, plain, vec![]), (false, print, vec![5])] {
        let mut bench = Bench::with(allowed, vec![neighbour]);
        bench.see(0, Input::Link { in_sync: false }, &[]);
        bench.see(0, Input::Wanted(OmmId::new(OTHER)), &[]);
        assert_eq!(bench.calls_until(6), calls);
    }
}

#[test]
fn only_a_remote_of_this_system_that_has_the_account_comes_in() {
    let mut bench = Bench::new();
    bench.see(0, knock(facts(OTHER), "right"), &["come in"]);
    bench.see(0, knock(facts(OTHER), "wrong"), &["wrong user or password"]);
    bench.see(0, knock(facts(3), "right"), &["not a remote of this system"]);
    let unset = Facts { sari: None, ..facts(OTHER) };
    bench.see(0, knock(unset, "right"), &["the central has no SARI"]);
    let older = Facts { protocol: 44, ..facts(OTHER) };
    bench.see(0, knock(older, "right"), &[&Mismatch::Protocol.to_string()]);
    for _ in 0..4 {
        bench.see(0, knock(facts(OTHER), "guess"), &["wrong user or password"]);
    }
    bench.see(1, knock(facts(OTHER), "right"), &["too many bad logins, wait 59 s"]);
}
