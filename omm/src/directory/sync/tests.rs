//! Stars of OMMs whose directories are kept in step over links that break.

use std::collections::VecDeque;

use machine::chance::Chance;
use machine::secret::Secret;

use super::*;
use crate::directory::edit::{NewDevice, NewUser, UserChange};
use crate::directory::key::Uid;
use crate::ids::{Ipei, Number};
use crate::platform::Platform;
use crate::stamp::Hlc;

mod alarms;
mod having;
mod losses;
mod nights;

const START: u64 = 1_790_000_000_000;
const DAY: u64 = 24 * 3_600_000;

/// What the disk of an OMM holds.
#[derive(Clone, Default)]
struct Disk {
    pieces: BTreeMap<Subject, Piece>,
    state: State,
}

/// One OMM: the machine, its clock, its disk.
struct Site {
    sync: Sync,
    directory: Shared,
    clock: Hlc,
    skew: u64,
    disk: Disk,
    omm: OmmId,
    asked: u64,
    answers: Vec<Result<Done, Refusal>>,
    in_step: u32,
    alarms: Vec<Alarm>,
    /// Words by kind: pages, pieces in them, acknowledgements.
    sent: (usize, usize, usize),
}

/// A star: site 0 is the central.
struct Star {
    now: u64,
    sites: Vec<Site>,
    /// Words under way from a site to a site, in order.
    wires: BTreeMap<(usize, usize), VecDeque<Word>>,
    planted: u32,
}

fn number(n: u32) -> Number {
    Number::new(&n.to_string()).unwrap()
}

fn create(n: u32) -> Edit {
    Edit::CreateUser(Box::new(NewUser::new(number(n), Secret::new("geheim"))))
}

fn name(directory: &Directory, n: u32, name: &str) -> Option<Edit> {
    let change = UserChange { name: Some(name.into()), ..UserChange::default() };
    Some(Edit::SetUser { uid: directory.uid_of(&number(n))?, change: Box::new(change) })
}

fn directory(planted: u32) -> Shared {
    let mut directory = Directory::new(Platform::Pc);
    for n in 0..planted {
        directory.plant_user(NewUser::new(number(n), Secret::new("file"))).unwrap();
    }
    Rc::new(RefCell::new(directory))
}

impl Star {
    /// A central and so many remotes; so many users are in every site's file.
    fn new(remotes: usize, planted: u32) -> Star {
        let mut star = Star { now: 0, sites: Vec::new(), wires: BTreeMap::new(), planted };
        for at in 0..=remotes {
            star.sites.push(star.born(at, Disk::default()));
        }
        star
    }

    fn born(&self, at: usize, disk: Disk) -> Site {
        let omm = OmmId::new(0x1000 + at as u32);
        let role = if at == 0 { Role::Central } else { Role::Remote };
        let directory = directory(self.planted);
        let stored = (disk.pieces.values().cloned().collect(), disk.state.clone());
        let wall = Wall::from_millis(START + self.now);
        let sync = Sync::resume(omm, role, directory.clone(), stored, Moment::from_millis(self.now), wall);
        let mut clock = Hlc::new(omm);
        directory.borrow().latest().into_iter().for_each(|latest| clock.observe(latest));
        Site {
            sync,
            directory,
            clock,
            skew: 0,
            disk,
            omm,
            asked: 0,
            answers: Vec::new(),
            in_step: 0,
            alarms: Vec::new(),
            sent: (0, 0, 0),
        }
    }

    fn feed(&mut self, at: usize, input: Input) {
        let mut out = Vec::new();
        self.sites[at].sync.on(Moment::from_millis(self.now), input, &mut out);
        self.perform(at, out);
    }

    fn pass(&mut self, millis: u64) {
        self.now += millis;
        let now = Moment::from_millis(self.now);
        for at in 0..self.sites.len() {
            if self.sites[at].sync.deadline().is_some_and(|(due, _)| due <= now) {
                let mut out = Vec::new();
                self.sites[at].sync.wake(now, &mut out);
                self.perform(at, out);
            }
        }
    }

    fn perform(&mut self, at: usize, effects: Vec<Effect>) {
        for effect in effects {
            let site = &mut self.sites[at];
            match effect {
                Effect::Save(save) => {
                    for piece in save.pieces {
                        site.disk.pieces.insert(piece.subject(), piece);
                    }
                    save.gone.iter().for_each(|subject| drop(site.disk.pieces.remove(subject)));
                    site.disk.state = save.state;
                }
                Effect::Answer { result, .. } => site.answers.push(result),
                Effect::Observe(stamp) => site.clock.observe(stamp),
                Effect::Send { peer, word } => {
                    match &word {
                        Word::Page(page) => {
                            site.sent.0 += 1;
                            site.sent.1 += page.pieces.len();
                        }
                        Word::Ack { .. } => site.sent.2 += 1,
                        Word::Have(_) | Word::Horizon(_) | Word::Forgotten(_) => {}
                    }
                    let to = self.sites.iter().position(|site| site.omm == peer).unwrap();
                    // A word for a link that is cut is lost.
                    if let Some(wire) = self.wires.get_mut(&(at, to)) {
                        wire.push_back(word);
                    }
                }
                Effect::Have(have) => self.wires.get_mut(&(at, 0)).unwrap().push_back(Word::Have(have)),
                Effect::InStep { .. } => site.in_step += 1,
                Effect::Alarm(alarm) => site.alarms.push(alarm),
                Effect::Changed(_) | Effect::Progress { .. } | Effect::Forgotten(_) => {}
            }
        }
    }

    fn edit(&mut self, at: usize, edit: Edit) -> Result<Done, Refusal> {
        self.now += 1;
        let site = &mut self.sites[at];
        let stamp = site.clock.next(Wall::from_millis(START + self.now + site.skew));
        site.asked += 1;
        let ask = site.asked;
        self.feed(at, Input::Edit { ask, stamp, edit: Box::new(edit) });
        self.sites[at].answers.last().cloned().unwrap()
    }

    fn link(&mut self, remote: usize) {
        if self.wires.contains_key(&(0, remote)) {
            return;
        }
        self.wires.insert((0, remote), VecDeque::new());
        self.wires.insert((remote, 0), VecDeque::new());
        let (central, other) = (self.sites[0].omm, self.sites[remote].omm);
        self.feed(remote, Input::Ask);
        self.feed(0, Input::LinkUp(other));
        self.feed(remote, Input::LinkUp(central));
    }

    /// The link breaks; what is under way is lost.
    fn cut(&mut self, remote: usize) {
        self.wires.remove(&(0, remote));
        if self.wires.remove(&(remote, 0)).is_some() {
            let (central, other) = (self.sites[0].omm, self.sites[remote].omm);
            self.feed(0, Input::LinkDown(other));
            self.feed(remote, Input::LinkDown(central));
        }
    }

    /// The process dies and begins anew from its disk.
    fn restart(&mut self, at: usize) {
        for remote in 1..self.sites.len() {
            if at == 0 || at == remote {
                self.cut(remote);
            }
        }
        self.sites[at] = self.born(at, self.sites[at].disk.clone());
    }

    /// One word arrives; false when none is under way.
    fn deliver(&mut self, pick: u64) -> bool {
        let busy: Vec<(usize, usize)> =
            self.wires.iter().filter(|(_, wire)| !wire.is_empty()).map(|(ends, _)| *ends).collect();
        let Some((from, to)) = busy.get((pick % busy.len().max(1) as u64) as usize).copied() else {
            return false;
        };
        let word = self.wires.get_mut(&(from, to)).and_then(VecDeque::pop_front).unwrap();
        let wall = Wall::from_millis(START + self.now + self.sites[to].skew);
        self.feed(to, Input::Heard { from: self.sites[from].omm, word, wall });
        true
    }

    fn settle(&mut self) {
        let mut words = 0;
        while self.deliver(0) {
            words += 1;
            assert!(words < 200_000, "they never stop talking");
        }
    }

    fn assert_alike(&self, what: &str) {
        let digest = |site: &Site| site.directory.borrow().digest();
        for (at, site) in self.sites.iter().enumerate() {
            assert_eq!(digest(site), digest(&self.sites[0]), "site {at} differs: {what}");
            let mut reborn = Directory::new(Platform::Pc);
            (0..self.planted).for_each(|n| {
                drop(reborn.plant_user(NewUser::new(number(n), Secret::new("file"))));
            });
            reborn.merge_stored(site.disk.pieces.values().cloned());
            assert_eq!(reborn.digest(), digest(site), "the disk of {at} differs: {what}");
        }
    }

    fn names(&self, at: usize) -> Vec<String> {
        self.sites[at].directory.borrow().users().map(|user| user.admin.name.clone()).collect()
    }
}

#[test]
fn y7_a_change_at_a_remote_reaches_all_others_and_does_not_come_back() {
    let mut star = Star::new(3, 0);
    (1..=3).for_each(|remote| star.link(remote));
    star.settle();
    assert!(star.sites.iter().skip(1).all(|site| site.in_step == 1));
    assert_eq!(star.sites[0].in_step, 3);
    star.sites.iter_mut().for_each(|site| site.sent = (0, 0, 0));
    star.edit(1, create(101)).unwrap();
    star.settle();
    star.assert_alike("after one change");
    // The remote: one page. The central: a page to each other remote, and the acknowledgement.
    let sent: Vec<_> = star.sites.iter().map(|site| site.sent).collect();
    assert_eq!(sent, [(2, 2, 1), (1, 1, 0), (0, 0, 1), (0, 0, 1)]);
}

#[test]
fn y5_after_an_outage_only_what_changed_is_sent() {
    let mut star = Star::new(2, 1_000);
    (1..=2).for_each(|remote| star.link(remote));
    for n in 1_000..1_200 {
        star.edit(0, create(n)).unwrap();
    }
    star.settle();
    star.cut(1);
    for n in 0..10 {
        let edit = name(&star.sites[2].directory.borrow(), n * 100, "offline").unwrap();
        star.edit(2, edit).unwrap();
    }
    let edit = name(&star.sites[1].directory.borrow(), 7, "at the remote").unwrap();
    star.edit(1, edit).unwrap();
    star.settle();
    star.sites.iter_mut().for_each(|site| site.sent = (0, 0, 0));
    star.link(1);
    star.settle();
    star.assert_alike("after the outage");
    let pieces: Vec<_> = star.sites.iter().map(|site| site.sent.1).collect();
    assert_eq!(pieces, [10 + 1, 1, 0], "ten to the remote, its one to the other");
}

#[test]
fn the_same_file_everywhere_costs_nothing_and_another_one_is_sent_once() {
    let mut star = Star::new(2, 50);
    (1..=2).for_each(|remote| star.link(remote));
    star.settle();
    assert_eq!(star.sites.iter().map(|site| site.sent.1).sum::<usize>(), 0);
    // The second remote has another file.
    star.cut(2);
    let other = directory(60);
    let wall = Wall::from_millis(START);
    let omm = star.sites[2].omm;
    star.sites[2].sync =
        Sync::resume(omm, Role::Remote, other.clone(), Default::default(), Moment::START, wall);
    star.sites[2].directory = other;
    for round in 0..3 {
        star.sites.iter_mut().for_each(|site| site.sent = (0, 0, 0));
        star.link(2);
        star.settle();
        let pieces: Vec<_> = star.sites.iter().map(|site| site.sent.1).collect();
        assert_eq!(pieces, if round == 0 { [50 + 10, 0, 60] } else { [0, 0, 0] }, "round {round}");
        assert!(star.sites.iter().all(|site| site.directory.borrow().users().len() == 60));
        star.cut(2);
    }
}

#[test]
fn an_interrupted_download_goes_on_where_it_was() {
    let mut star = Star::new(1, 0);
    for n in 0..400 {
        star.edit(0, create(n)).unwrap();
    }
    let mut rounds = 0;
    while star.sites[1].directory.borrow().users().len() < 400 {
        star.link(1);
        for _ in 0..12 {
            star.deliver(0);
        }
        star.cut(1);
        if rounds % 3 == 0 {
            star.restart(1);
        }
        rounds += 1;
        assert!(rounds < 30, "it begins anew each time");
    }
    assert!(rounds > 2, "nothing was interrupted");
    // Each page twice at the most: what was under way when the link broke is sent again.
    assert!(star.sites[0].sent.1 <= 400 + rounds * PAGES_UNDER_WAY, "{} pieces", star.sites[0].sent.1);
}

/// Pieces that may be under way on one link.
const PAGES_UNDER_WAY: usize = word::PAGE * word::WINDOW;

#[test]
fn a_slow_remote_holds_up_nobody_and_costs_bounded_memory() {
    let mut star = Star::new(2, 0);
    (1..=2).for_each(|remote| star.link(remote));
    star.settle();
    // Remote 1 takes nothing any more; the central goes on.
    let frozen = star.wires.remove(&(0, 1)).unwrap();
    assert!(frozen.is_empty());
    star.wires.insert((0, 1), VecDeque::new());
    for n in 0..3_000 {
        star.edit(0, create(n)).unwrap();
        for _ in 0..4 {
            star.wires.get_mut(&(1, 0)).unwrap().clear();
            let wall = Wall::from_millis(START + star.now);
            let Some(word) = star.wires.get_mut(&(0, 2)).unwrap().pop_front() else { break };
            star.feed(2, Input::Heard { from: star.sites[0].omm, word, wall });
            while let Some(word) = star.wires.get_mut(&(2, 0)).unwrap().pop_front() {
                star.feed(0, Input::Heard { from: star.sites[2].omm, word, wall });
            }
        }
        assert!(star.wires[&(0, 1)].len() <= word::WINDOW);
    }
    star.settle();
    star.assert_alike("when the slow one is through");
}

#[test]
fn too_much_news_is_dropped_and_the_tables_are_compared_again() {
    let mut star = Star::new(1, 0);
    star.link(1);
    star.settle();
    for n in 0..6_000 {
        star.edit(0, create(n)).unwrap();
        // A user takes two places, its row and what the administrator wrote, unless both have one stamp.
        let edit = name(&star.sites[0].directory.borrow(), n, "x").unwrap();
        star.edit(0, edit).unwrap();
    }
    assert_eq!(star.wires[&(0, 1)].len(), word::WINDOW);
    star.settle();
    star.assert_alike("after the flood");
    assert_eq!(star.sites[1].directory.borrow().users().len(), 6_000);
}

#[test]
fn l6_a_stamp_of_the_future_waits_until_its_time_has_come() {
    let mut star = Star::new(2, 0);
    star.sites[1].skew = 600_000;
    star.edit(1, create(101)).unwrap();
    star.sites[1].skew = 0;
    (1..=2).for_each(|remote| star.link(remote));
    star.edit(2, create(102)).unwrap();
    star.settle();
    let users = |star: &Star, at: usize| star.sites[at].directory.borrow().users().len();
    assert_eq!((users(&star, 0), users(&star, 1), users(&star, 2)), (1, 2, 1));
    let waits = |alarm: &Alarm| matches!(alarm, Alarm::Quarantined { waiting: 1, .. });
    assert_eq!(star.sites[0].alarms.iter().filter(|alarm| waits(alarm)).count(), 1);
    // Links that break meanwhile change nothing about it.
    star.cut(1);
    star.link(1);
    star.settle();
    assert_eq!(users(&star, 0), 1);
    star.pass(600_000);
    star.settle();
    star.assert_alike("when the future has come");
    assert_eq!(users(&star, 2), 2);
}
