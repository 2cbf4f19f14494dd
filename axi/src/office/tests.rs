//! Stories about an office.

use super::*;
use crate::account::{OMM, implied};
use crate::open::Permission;

fn office() -> Office {
    let permissions = implied([Permission::AllCnfWrite]);
    let account = Account { id: OMM, username: "omm".into(), password: Secret::new("geheim"), permissions };
    Office::new(Accounts::of([account]), Settings::default())
}

fn at(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1000)
}

fn on(office: &mut Office, seconds: u64, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    office.on(at(seconds), input, &mut out);
    out
}

fn wake(office: &mut Office) -> Vec<Effect> {
    let (now, _) = office.deadline().unwrap();
    let mut out = Vec::new();
    office.wake(now, &mut out);
    out
}

fn login(office: &mut Office, desk: DeskId, password: &str) -> Vec<Effect> {
    let (username, password) = ("omm".into(), Secret::new(password));
    on(office, 1, Input::Login { desk, address: "192.0.2.7".into(), username, password })
}

fn mode(mode: Mode, minutes: u32) -> Input {
    Input::Set { desk: 1, setting: Setting::Mode { mode, minutes } }
}

#[test]
fn after_five_bad_logins_not_even_the_right_password_is_looked_at() {
    let mut office = office();
    for _ in 0..5 {
        let [Effect::Deny { wait: Duration::ZERO, .. }] = login(&mut office, 1, "x")[..] else {
            panic!("denied at once")
        };
    }
    let denied = login(&mut office, 1, "geheim");
    assert!(
        matches!(denied[..], [Effect::Deny { wait, .. }] if wait == Duration::from_secs(1)),
        "{denied:?}"
    );
    assert_eq!(office.inside(), 0);
}

#[test]
fn a_hundred_clients_are_let_in_and_a_place_that_is_left_is_given_again() {
    let mut office = office();
    for desk in 0..CLIENTS_MAX as u64 {
        assert!(matches!(login(&mut office, desk, "geheim")[..], [Effect::Admit { .. }]), "{desk}");
    }
    let full = login(&mut office, 500, "geheim");
    assert!(matches!(&full[..], [Effect::Deny { why, .. }] if why.code.to_string() == "ENoMem"), "{full:?}");
    on(&mut office, 1, Input::Left(7));
    assert!(matches!(login(&mut office, 500, "geheim")[..], [Effect::Admit { .. }]));
}

#[test]
fn wildcard_lasts_its_minutes_and_each_subscription_begins_them_anew() {
    let mut office = office();
    assert_eq!(
        on(&mut office, 0, mode(Mode::Wildcard, 3)),
        [Effect::Done(1), Effect::Announce(Mode::Wildcard)]
    );
    assert_eq!(office.deadline(), Some((at(180), "wildcard")));
    on(&mut office, 100, Input::Subscribed);
    assert_eq!(office.deadline(), Some((at(280), "wildcard")));
    assert_eq!(wake(&mut office), [Effect::Announce(Mode::Configured)]);
    assert_eq!(office.deadline(), Some((at(24 * 3600), "configured")));
    assert_eq!(wake(&mut office), [Effect::Announce(Mode::Off)]);
    assert_eq!(office.deadline(), None);
}

#[test]
fn configured_lasts_a_day_and_the_same_mode_again_is_not_announced() {
    let mut office = office();
    on(&mut office, 0, mode(Mode::Configured, 3));
    assert_eq!(on(&mut office, 60, mode(Mode::Configured, 3)), [Effect::Done(1)]);
    assert_eq!(office.deadline(), Some((at(60 + 24 * 3600), "configured")));
    on(&mut office, 61, Input::Subscribed);
    assert_eq!(on(&mut office, 62, mode(Mode::Off, 3)), [Effect::Done(1), Effect::Announce(Mode::Off)]);
}

#[test]
fn what_is_set_is_durable_before_it_is_answered_and_the_same_again_is_not_written() {
    let mut office = office();
    let set = Input::Set { desk: 1, setting: Setting::AutoCreate(true) };
    let kept = Settings { auto_create: true, ..Settings::default() };
    assert_eq!(on(&mut office, 0, set.clone()), [Effect::Save(kept), Effect::Done(1)]);
    assert_eq!(on(&mut office, 0, set), [Effect::Done(1)]);
}
