//! External users as stories: what a server says, and what becomes of the users.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use machine::secret::Secret;
use machine::time::Wall;

use super::strangers::{REST, STRANGERS_AT_ONCE, STRANGERS_MAX};
use super::*;
use crate::directory::Directory;
use crate::directory::edit::NewUser;
use crate::platform::Platform;
use crate::stamp::{OmmId, Stamp};

/// What a virtual server has: a file by number, `None` for an error; who is not in it is not there.
type Shelf = BTreeMap<&'static str, Option<&'static str>>;

struct Bench {
    epr: Epr,
    directory: Shared,
    now: Moment,
    stamp: u64,
    /// The common file; `None` is missing.
    common: Option<UserChange>,
    shelf: Shelf,
    told: Vec<String>,
    /// Requests of strangers that wait no more, and whether the server has said something.
    met: Vec<(u64, bool)>,
    reads: usize,
    most: usize,
}

fn number(text: &str) -> Number {
    Number::new(text).expect("a number")
}

const POLICY: Policy =
    Policy { enabled: true, authority: true, common: false, interval: Duration::from_secs(3600) };

impl Bench {
    fn new(policy: Policy) -> Bench {
        Bench::called_by(Variant::Number, policy)
    }

    fn called_by(login: Variant, policy: Policy) -> Bench {
        let directory: Shared = Rc::new(RefCell::new(Directory::new(Platform::Pc)));
        let now = Moment::START;
        Bench {
            epr: Epr::new(now, policy, login, directory.clone()),
            directory,
            now,
            stamp: 1,
            common: Some(UserChange::default()),
            shelf: Shelf::new(),
            told: Vec::new(),
            met: Vec::new(),
            reads: 0,
            most: 0,
        }
    }

    /// Somebody is in the directory: external, or made by an administrator.
    fn with(mut self, text: &str, external: bool) -> Bench {
        let mut new = NewUser::new(number(text), Secret::new("old"));
        new.fields.external = Some(external);
        self.edit(Edit::CreateUser(Box::new(new))).expect("a user");
        self
    }

    fn edit(&mut self, edit: Edit) -> Result<bool, Refusal> {
        self.stamp += 1;
        let wall = Wall::from_millis(1_000 * self.stamp);
        let stamp = Stamp { ms: wall.as_millis(), ctr: 0, omm: OmmId::new(1) };
        self.directory.borrow_mut().edit(stamp, edit).map(|done| !done.changed.is_empty())
    }

    fn answer(&self, file: &File) -> Outcome {
        match file {
            File::Common => match &self.common {
                Some(base) => Outcome::Found(Box::new(base.clone())),
                None => Outcome::Missing,
            },
            File::Of(number) => match self.shelf.get(number.as_str()) {
                None => Outcome::Missing,
                Some(None) => Outcome::Failed("500".into()),
                Some(Some(name)) => Outcome::Found(Box::new(UserChange {
                    name: Some((*name).to_owned()),
                    password: Some(Secret::new("geheim")),
                    ..UserChange::default()
                })),
            },
        }
    }

    /// Gives the machine an input and does what it wants, until it wants nothing more.
    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.epr.on(self.now, input, &mut out);
        self.perform(out);
    }

    fn perform(&mut self, mut effects: Vec<Effect>) {
        while !effects.is_empty() {
            let is_work = |effect: &&Effect| matches!(effect, Effect::Read(_) | Effect::Write { .. });
            let under_way = effects.iter().filter(is_work).count();
            self.most = self.most.max(under_way);
            let mut next = Vec::new();
            for effect in effects {
                let input = match effect {
                    Effect::Read(file) => {
                        self.reads += 1;
                        let outcome = self.answer(&file);
                        Input::Read { file, outcome }
                    }
                    Effect::Write { user, edit } => Input::Written { user, result: Some(self.edit(*edit)) },
                    Effect::Met { ask, is_answered } => {
                        self.met.push((ask.0, is_answered));
                        continue;
                    }
                    Effect::Told { file, fate } => {
                        self.told.push(format!("{} {}", file.name(), fate.word()));
                        continue;
                    }
                };
                self.epr.on(self.now, input, &mut next);
            }
            effects = next;
        }
    }

    /// Time passes, and every alarm on the way rings.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some((at, _)) = self.epr.deadline().filter(|(at, _)| *at <= end) {
            self.now = at;
            let mut out = Vec::new();
            self.epr.wake(at, &mut out);
            self.perform(out);
        }
        self.now = end;
    }

    fn names(&self) -> Vec<String> {
        let directory = self.directory.borrow();
        directory.users().map(|user| format!("{}={}", user.number, user.admin.name)).collect()
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }
}

#[test]
fn a_user_that_somebody_wishes_for_is_made_as_its_file_says_and_follows_it_from_round_to_round() {
    let mut bench = Bench::new(POLICY);
    bench.shelf.insert("101", Some("Anna"));
    bench.feed(Input::Wish(number("101")));
    assert_eq!((bench.names(), bench.told()), (vec!["101=Anna".into()], vec!["101.cfg created".into()]));
    bench.pass(FIRST);
    assert_eq!(bench.told(), ["101.cfg unchanged"], "the round finds what is so already");
    bench.shelf.insert("101", Some("Anna B"));
    bench.pass(POLICY.interval);
    assert_eq!((bench.names(), bench.told()), (vec!["101=Anna B".into()], vec!["101.cfg changed".into()]));
}

#[test]
fn at_the_authority_a_file_that_is_not_there_deletes_the_user_and_an_error_never_does() {
    let mut bench = Bench::new(POLICY).with("101", true).with("102", true);
    bench.shelf.insert("102", None);
    bench.pass(FIRST);
    assert_eq!(bench.told(), ["102.cfg failed", "101.cfg deleted"]);
    bench.pass(POLICY.interval * 100);
    assert_eq!(bench.names(), ["102="]);
}

#[test]
fn elsewhere_two_reads_a_minute_apart_have_to_find_nothing() {
    let policy = Policy { authority: false, ..POLICY };
    let mut bench = Bench::new(policy).with("101", true);
    bench.feed(Input::Wish(number("101")));
    // However often it is asked for within the minute.
    bench.pass(SECOND_READ / 2);
    bench.feed(Input::Wish(number("101")));
    assert_eq!((bench.names(), bench.told()), (vec!["101=".into()], vec!["101.cfg suspected".into(); 2]));
    bench.pass(SECOND_READ / 2);
    assert_eq!((bench.names(), bench.told()), (vec![], vec!["101.cfg deleted".into()]));
}

#[test]
fn a_file_that_is_back_clears_the_suspicion_and_an_error_decides_nothing() {
    let policy = Policy { authority: false, ..POLICY };
    let mut bench = Bench::new(policy).with("101", true);
    bench.feed(Input::Wish(number("101")));
    bench.shelf.insert("101", None);
    bench.pass(SECOND_READ * 10);
    assert_eq!(bench.names(), ["101="], "ten errors are no second \"not found\"");
    bench.shelf.insert("101", Some("Anna"));
    bench.pass(SECOND_READ);
    bench.shelf.remove("101");
    bench.feed(Input::Wish(number("101")));
    assert_eq!(bench.told().last().map(String::as_str), Some("101.cfg suspected"), "counted from anew");
    assert_eq!(bench.names(), ["101=Anna"]);
}

#[test]
fn whoever_is_no_authority_makes_no_rounds() {
    let mut bench = Bench::new(Policy { authority: false, ..POLICY }).with("101", true);
    bench.pass(POLICY.interval * 10);
    assert_eq!((bench.reads, bench.names().len()), (0, 1));
}

#[test]
fn switched_off_deletes_external_users_at_the_authority_and_nobody_elsewhere() {
    for (authority, left) in [(true, vec!["102="]), (false, vec!["101=", "102="])] {
        let policy = Policy { enabled: false, authority, ..POLICY };
        let mut bench = Bench::new(policy).with("101", true).with("102", false);
        bench.pass(POLICY.interval * 2);
        assert_eq!((bench.names(), bench.reads), (left.iter().map(ToString::to_string).collect(), 0));
    }
}

#[test]
fn a_user_that_an_administrator_made_is_neither_changed_nor_deleted() {
    let mut bench = Bench::new(POLICY).with("101", false).with("102", false);
    bench.shelf.insert("101", Some("Anna"));
    bench.feed(Input::Wish(number("101")));
    bench.feed(Input::Wish(number("102")));
    bench.pass(POLICY.interval);
    assert_eq!(bench.told(), ["101.cfg failed", "102.cfg failed"]);
    assert_eq!(bench.names(), ["101=", "102="]);
}

#[test]
fn while_the_common_file_is_missing_nobody_is_deleted() {
    let mut bench = Bench::new(Policy { common: true, ..POLICY }).with("101", true).with("102", true);
    bench.common = None;
    bench.pass(POLICY.interval * 3);
    assert_eq!(bench.names().len(), 2);
    assert_eq!(bench.told(), vec!["user_common.cfg failed"; 3]);
    bench.common = Some(UserChange::default());
    bench.pass(POLICY.interval);
    assert_eq!(bench.names().len(), 0, "now it is believed");
}

#[test]
fn what_the_common_file_says_holds_unless_the_user_s_own_says_otherwise() {
    let mut bench = Bench::new(Policy { common: true, ..POLICY });
    let extras = [("sosNum".into(), "112".into())].into();
    bench.common =
        Some(UserChange { name: Some("Nobody".into()), vip: Some(true), extras, ..UserChange::default() });
    bench.shelf.insert("101", Some("Anna"));
    bench.feed(Input::Wish(number("101")));
    let user = bench.directory.borrow().user(&number("101")).cloned().expect("a user");
    assert_eq!((user.admin.name.as_str(), user.admin.vip), ("Anna", true));
    assert_eq!(user.admin.extras.get("sosNum").map(|value| &**value), Some("112"));
}

#[test]
fn a_file_that_names_somebody_else_or_no_password_makes_nobody() {
    let mut bench = Bench::new(POLICY);
    let found = |change: UserChange| Outcome::Found(Box::new(change));
    let stranger = UserChange { number: Some(number("7")), ..UserChange::default() };
    for fields in [stranger, UserChange { name: Some("Anna".into()), ..UserChange::default() }] {
        let mut out = Vec::new();
        bench.epr.on(bench.now, Input::Wish(number("101")), &mut out);
        assert_eq!(out, [Effect::Read(File::Of(number("101")))]);
        bench.feed(Input::Read { file: File::Of(number("101")), outcome: found(fields) });
        assert_eq!((bench.told(), bench.names().len()), (vec!["101.cfg failed".into()], 0));
    }
}

#[test]
fn a_server_that_says_nothing_is_waited_for_no_longer_than_that_and_heard_no_more_afterwards() {
    let mut bench = Bench::new(POLICY).with("101", true);
    let mut out = Vec::new();
    bench.epr.on(bench.now, Input::Wish(number("101")), &mut out);
    bench.shelf.insert("101", None);
    bench.pass(SILENCE);
    assert_eq!(bench.told().first().map(String::as_str), Some("101.cfg failed"));
    bench.feed(Input::Read { file: File::Of(number("101")), outcome: Outcome::Missing });
    assert_eq!(bench.names().len(), 1, "a late \"not found\" deletes nobody");
}

#[test]
fn a_round_of_thousands_keeps_a_few_under_way_and_wishes_have_a_bound() {
    let mut bench = Bench::new(Policy { enabled: false, ..POLICY });
    for index in 0..5_000 {
        bench = bench.with(&format!("{}", 10_000 + index), true);
    }
    bench.pass(FIRST);
    assert_eq!((bench.names().len(), bench.most), (0, AT_ONCE));

    let mut bench = Bench::new(POLICY);
    let mut out = Vec::new();
    for index in 0..2 * WISHES_MAX {
        bench.epr.on(bench.now, Input::Wish(number(&format!("{index}"))), &mut out);
    }
    let refused = out.iter().filter(|effect| matches!(effect, Effect::Told { .. })).count();
    assert_eq!(refused, WISHES_MAX - AT_ONCE);
}

#[test]
fn whoever_is_wished_for_while_it_is_being_read_or_written_is_read_once_more() {
    let mut bench = Bench::new(POLICY);
    let say = |bench: &mut Bench, input: Input| {
        let mut out = Vec::new();
        bench.epr.on(bench.now, input, &mut out);
        out
    };
    let wish = || Input::Wish(number("300"));
    let reads = |out: &[Effect]| out == [Effect::Read(File::Of(number("300")))];
    bench.shelf.insert("300", Some("Anna"));
    assert!(reads(&say(&mut bench, wish())));
    assert!(say(&mut bench, wish()).is_empty() && say(&mut bench, wish()).is_empty(), "once more will do");
    let found = bench.answer(&File::Of(number("300")));
    let out = say(&mut bench, Input::Read { file: File::Of(number("300")), outcome: found });
    let [Effect::Write { edit, .. }] = out.as_slice() else { panic!("{out:?}") };
    let result = bench.edit((**edit).clone());
    let out = say(&mut bench, Input::Written { user: number("300"), result: Some(result) });
    assert!(matches!(out.as_slice(), [Effect::Told { .. }, Effect::Read(_)]), "{out:?}");
    // And again while the directory writes: what the file says by now is not forgotten.
    bench.shelf.insert("300", Some("Anna B"));
    let found = bench.answer(&File::Of(number("300")));
    let out = say(&mut bench, Input::Read { file: File::Of(number("300")), outcome: found });
    assert!(matches!(out.as_slice(), [Effect::Write { .. }]), "{out:?}");
    assert!(say(&mut bench, wish()).is_empty());
    let out = say(&mut bench, Input::Written { user: number("300"), result: Some(Ok(true)) });
    assert!(matches!(out.as_slice(), [Effect::Told { .. }, Effect::Read(_)]), "{out:?}");
}

#[test]
fn where_users_log_in_by_id_the_file_is_called_by_the_id_and_says_the_number() {
    let mut bench = Bench::called_by(Variant::Id, POLICY);
    let file = |number: Option<&str>| {
        let number = number.map(|text| Number::new(text).expect("a number"));
        let password = Some(Secret::new("geheim"));
        Outcome::Found(Box::new(UserChange { number, password, ..UserChange::default() }))
    };
    let read = |bench: &mut Bench, name: &str, outcome: Outcome| {
        let mut out = Vec::new();
        bench.epr.on(bench.now, Input::Wish(number(name)), &mut out);
        assert_eq!(out, [Effect::Read(File::Of(number(name)))]);
        bench.feed(Input::Read { file: File::Of(number(name)), outcome });
        bench.told().pop().expect("a fate")
    };
    assert_eq!(read(&mut bench, "7701", file(None)), "7701.cfg failed", "nobody knows whose it is");
    assert_eq!(read(&mut bench, "7701", file(Some("101"))), "7701.cfg created");
    assert_eq!(read(&mut bench, "7701", file(Some("101"))), "7701.cfg unchanged");
    // A user may get another id, or another number.
    assert_eq!(read(&mut bench, "7702", file(Some("101"))), "7702.cfg changed");
    assert_eq!(read(&mut bench, "7702", file(Some("102"))), "7702.cfg changed");
    // Whoever has no id is called by the number.
    assert_eq!(read(&mut bench, "103", file(Some("103"))), "103.cfg created");
    {
        let directory = bench.directory.borrow();
        let users = directory.users().map(|user| (user.number.as_str(), user.admin.add_id.as_deref()));
        assert_eq!(users.collect::<Vec<_>>(), [("102", Some("7702")), ("103", None)]);
    }
    bench.pass(FIRST);
    assert_eq!(bench.told(), ["7702.cfg deleted", "103.cfg deleted"], "the round asks for their files");
}

fn stranger(name: &str, ask: u64) -> Input {
    Input::Stranger { name: number(name), ask: Ask(ask) }
}

#[test]
fn a_phone_that_nobody_knows_gets_its_user_if_the_server_has_one() {
    let mut bench = Bench::new(Policy { authority: false, ..POLICY });
    bench.shelf.insert("101", Some("Anna"));
    bench.feed(stranger("101", 1));
    assert_eq!((bench.names(), bench.told()), (vec!["101=Anna".into()], vec!["101.cfg created".into()]));
    bench.feed(stranger("102", 2));
    assert_eq!((bench.reads, bench.names().len()), (2, 1));
    assert_eq!(bench.met, [(1, true), (2, true)]);
    // Whom the server does not know it is not asked for again and again; a wish of an administrator asks.
    bench.feed(stranger("102", 3));
    assert_eq!((bench.reads, bench.met.last()), (2, Some(&(3, true))));
    bench.shelf.insert("102", Some("Ben"));
    bench.pass(REST);
    bench.feed(stranger("102", 4));
    assert_eq!((bench.reads, bench.names().len(), bench.met.last()), (3, 2, Some(&(4, true))));
}

#[test]
fn a_server_that_cannot_be_asked_has_said_nothing_about_a_stranger() {
    let mut bench = Bench::new(Policy { common: true, ..POLICY });
    bench.shelf.insert("101", None);
    bench.feed(stranger("101", 1));
    bench.common = None;
    bench.feed(stranger("101", 2));
    let mut out = Vec::new();
    bench.common = Some(UserChange::default());
    bench.epr.on(bench.now, stranger("101", 3), &mut out);
    bench.pass(SILENCE);
    assert_eq!(bench.met, [(1, false), (2, false), (3, false)]);
    let mut off = Bench::new(Policy { enabled: false, ..POLICY });
    off.feed(stranger("101", 1));
    assert_eq!((off.met.as_slice(), off.reads), ([(1, true)].as_slice(), 0));
}

#[test]
fn strangers_are_bounded_and_hold_up_neither_wishes_nor_rounds() {
    let mut bench = Bench::new(POLICY);
    let mut out = Vec::new();
    // The last two are of one name; then there is no room any more.
    let last = STRANGERS_MAX as u64;
    for ask in 0..=last {
        let name = 1_000 + ask % (last - 1);
        bench.epr.on(bench.now, stranger(&name.to_string(), ask), &mut out);
    }
    let reads = |out: &[Effect]| out.iter().filter(|effect| matches!(effect, Effect::Read(_))).count();
    assert_eq!(reads(&out), STRANGERS_AT_ONCE);
    assert!(out.contains(&Effect::Met { ask: Ask(last), is_answered: false }), "one too many");
    bench.epr.on(bench.now, Input::Wish(number("7")), &mut out);
    assert_eq!(reads(&out), STRANGERS_AT_ONCE + 1, "there is room for a wish");
    // All others are answered in the end, two of one name by one read.
    bench.perform(out);
    bench.met.sort_unstable();
    let wanted: Vec<(u64, bool)> = (0..=last).map(|ask| (ask, ask < last)).collect();
    assert_eq!((bench.met.as_slice(), bench.reads), (wanted.as_slice(), STRANGERS_MAX));
}
