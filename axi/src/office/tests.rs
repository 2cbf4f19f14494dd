//! Stories about an office.

use super::*;
use crate::account::{KEPT, OMM, PASSWORDS, Proof, implied};
use crate::open::Permission;
use crate::request::accounts::Deed;

fn office() -> Office {
    let permissions = implied([Permission::AllCnfWrite]);
    let password = Proof::Clear(Secret::new("geheim"));
    let account = Account { id: OMM, username: "omm".into(), password, permissions, active: true };
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
fn a_client_that_goes_on_asking_with_the_right_password_is_heard_after_a_minute() {
    let mut office = office();
    let mut login = |second, password| {
        let (username, password) = ("omm".into(), Secret::new(password));
        let login = Input::Login { desk: 1, address: "192.0.2.7".into(), username, password };
        matches!(on(&mut office, second, login)[..], [Effect::Admit { .. }])
    };
    for second in 0..5 {
        assert!(!login(second, "x"));
    }
    let heard = (5..1000).step_by(10).find(|second| login(*second, "geheim"));
    assert_eq!(heard, Some(65));
}

#[test]
fn a_login_that_succeeds_forgives_those_before_it() {
    let mut office = office();
    exporter(&mut office);
    for password in ["x", "x", "x", "x", "geheim", "x", "x", "x", "x"] {
        login(&mut office, 1, password);
    }
    assert!(matches!(login(&mut office, 1, "geheim")[..], [Effect::Admit { .. }]));
    // The same with a password that has to be compared with a hash.
    for right in [false, false, false, false, true, false, false, false, false, true] {
        let asked = enter(&mut office, 2, "192.0.2.9", "geheim geheim");
        assert!(matches!(asked[..], [Effect::Verify { .. }]), "{asked:?}");
        on(&mut office, 1, Input::Verified(right));
    }
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

/// What stands for a hash here.
fn hash(password: &str) -> Secret {
    Secret::new(format!("#{password}"))
}

fn change(deed: Deed) -> AccountChange {
    AccountChange { deed, username: None, password: None, permissions: None, active: None }
}

fn edit(office: &mut Office, change: AccountChange) -> Vec<Effect> {
    on(office, 1, Input::Edit { desk: 1, change: Box::new(change) })
}

/// Makes the account `exporter`, as session 1.
fn exporter(office: &mut Office) -> Vec<Effect> {
    let (username, password) = (Some("exporter".into()), Some("geheim geheim".into()));
    let permissions = Some(vec![Permission::Monitoring]);
    let asked = edit(office, AccountChange { username, password, permissions, ..change(Deed::Create) });
    assert_eq!(
        asked,
        [Effect::Hash { desk: 1, password: Secret::new("geheim geheim") }],
        "nothing is known yet"
    );
    on(office, 1, Input::Hashed { desk: 1, hash: Some(hash("geheim geheim")) })
}

fn enter(office: &mut Office, desk: DeskId, address: &str, password: &str) -> Vec<Effect> {
    let (username, password) = ("exporter".into(), Secret::new(password));
    on(office, 1, Input::Login { desk, address: address.into(), username, password })
}

#[test]
fn an_account_is_hashed_saved_answered_and_told_in_this_order() {
    let mut office = office();
    let [Effect::Keep(kept), Effect::Edited { desk: 1, id: KEPT }, Effect::AccountIs(told)] =
        &exporter(&mut office)[..]
    else {
        panic!("in another order")
    };
    assert_eq!((kept, &kept.password), (told, &Proof::Hashed(hash("geheim geheim"))));
    assert!(kept.permissions.contains(&Permission::AllCnfRead), "what is implied is granted");
}

#[test]
fn hashes_are_compared_one_at_a_time_and_each_login_has_its_own_answer() {
    let mut office = office();
    exporter(&mut office);
    let compare = Effect::Verify { password: Secret::new("geheim geheim"), hash: hash("geheim geheim") };
    assert_eq!(enter(&mut office, 7, "192.0.2.7", "geheim geheim"), [compare]);
    assert_eq!(enter(&mut office, 8, "192.0.2.8", "wrong"), [], "it waits");
    assert_eq!(enter(&mut office, 9, "192.0.2.9", "geheim geheim"), [], "it waits");
    let next = on(&mut office, 1, Input::Verified(true));
    assert!(
        matches!(&next[..], [Effect::Admit { desk: 7, .. }, Effect::Verify { password, .. }] if password.reveal() == "wrong")
    );
    on(&mut office, 1, Input::Left(9));
    let last = on(&mut office, 1, Input::Verified(false));
    assert!(
        matches!(&last[..], [Effect::Deny { desk: 8, .. }]),
        "whoever hung up is not waited for: {last:?}"
    );
    assert_eq!(office.inside(), 1);
}

#[test]
fn whoever_hangs_up_while_its_hash_is_compared_takes_no_place() {
    let mut office = office();
    exporter(&mut office);
    enter(&mut office, 7, "192.0.2.7", "geheim geheim");
    on(&mut office, 1, Input::Left(7));
    assert_eq!((on(&mut office, 1, Input::Verified(true)), office.inside()), (vec![], 0));
}

#[test]
fn guesses_that_wait_behind_each_other_are_throttled_before_they_are_compared() {
    let mut office = office();
    exporter(&mut office);
    let mut compared = 0;
    for desk in 0..20 {
        enter(&mut office, desk, "192.0.2.7", "guess");
    }
    loop {
        compared += 1;
        let next = on(&mut office, 1, Input::Verified(false));
        if !next.iter().any(|effect| matches!(effect, Effect::Verify { .. })) {
            break;
        }
    }
    assert_eq!(compared, 5);
}

#[test]
fn an_account_that_ends_is_forgotten_before_anybody_is_told() {
    let mut office = office();
    exporter(&mut office);
    let gone = edit(&mut office, change(Deed::Delete(KEPT)));
    assert_eq!(gone, [Effect::Forget(KEPT), Effect::Edited { desk: 1, id: KEPT }, Effect::AccountGone(KEPT)]);
    assert!(matches!(&enter(&mut office, 7, "192.0.2.7", "geheim geheim")[..], [Effect::Deny { .. }]));
}

#[test]
fn one_that_may_not_log_in_any_more_is_denied_and_the_same_again_changes_nothing() {
    let mut office = office();
    exporter(&mut office);
    let off = || AccountChange { active: Some(false), ..change(Deed::Set(KEPT)) };
    assert_eq!(edit(&mut office, off()).len(), 3);
    assert_eq!(edit(&mut office, off()), [Effect::Edited { desk: 1, id: KEPT }]);
    assert!(matches!(&enter(&mut office, 7, "192.0.2.7", "geheim geheim")[..], [Effect::Deny { .. }]));
}

#[test]
fn what_cannot_be_is_refused_by_its_field_and_never_hashed() {
    let mut office = office();
    exporter(&mut office);
    let text = |text: &str| Some(text.to_owned());
    let long = "x".repeat(PASSWORDS.1 + 1);
    for (change, code, bad) in [
        (AccountChange { active: Some(false), ..change(Deed::Set(OMM)) }, "EForbidden", "id"),
        (change(Deed::Delete(OMM)), "EForbidden", "id"),
        (change(Deed::Delete(7)), "ENoEnt", "id"),
        (change(Deed::Create), "EMissing", "username"),
        (AccountChange { username: text("a"), ..change(Deed::Create) }, "EPwEmpty", "password"),
        (
            AccountChange { username: text("omm"), password: text("geheim geheim"), ..change(Deed::Create) },
            "EExist",
            "username",
        ),
        (AccountChange { password: text("short"), ..change(Deed::Set(KEPT)) }, "EPwTooShort", "password"),
        (AccountChange { password: text(&long), ..change(Deed::Set(KEPT)) }, "ETooLong", "password"),
    ] {
        let done = edit(&mut office, change.clone());
        let [Effect::Refuse { desk: 1, why }] = &done[..] else { panic!("{change:?}: {done:?}") };
        assert_eq!((why.code.to_string().as_str(), why.bad.as_deref()), (code, Some(bad)), "{change:?}");
    }
}

#[test]
fn a_login_with_the_account_one_has_forgives_no_guess_at_another() {
    let mut office = office();
    exporter(&mut office);
    let mut compared = 0;
    for _ in 0..12 {
        let denied = login(&mut office, 7, "guess");
        compared += usize::from(matches!(denied[..], [Effect::Deny { wait: Duration::ZERO, .. }]));
        if !enter(&mut office, 8, "192.0.2.7", "geheim geheim").is_empty() {
            on(&mut office, 1, Input::Verified(true));
        }
    }
    assert_eq!(compared, 5, "guesses that were looked at");
}

#[test]
fn a_password_that_is_changed_while_the_old_one_is_compared_lets_nobody_in_by_the_old_one() {
    let mut office = office();
    exporter(&mut office);
    enter(&mut office, 7, "192.0.2.7", "geheim geheim");
    let password = Some("another secret".into());
    edit(&mut office, AccountChange { password, ..change(Deed::Set(KEPT)) });
    on(&mut office, 1, Input::Hashed { desk: 1, hash: Some(hash("another secret")) });
    let again = on(&mut office, 1, Input::Verified(true));
    let compare = Effect::Verify { password: Secret::new("geheim geheim"), hash: hash("another secret") };
    assert_eq!(again, [compare], "what was right was the old one");
    let denied = on(&mut office, 1, Input::Verified(false));
    assert!(matches!(&denied[..], [Effect::Deny { desk: 7, .. }]), "{denied:?}");
}
