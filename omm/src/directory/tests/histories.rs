//! Random histories of three sites that edit, delete and merge as they like, with clocks that differ by hours.
//!
//! `HISTORIES=1000000 cargo test -p omm histories --release` lives through more of them; a history that fails prints
//! its seed, and `HISTORY=<seed>` lives through that one alone.

use std::collections::BTreeMap;

use machine::time::Wall;

use super::*;
use crate::directory::device::Subscribed;
use crate::directory::edit::{SubscriptionChange, UserChange};
use crate::directory::piece::{Lacking, Piece, Subject};
use crate::directory::record::Record;
use crate::stamp::Hlc;

/// So many in a run of the test suite.
const HISTORIES: u64 = 100_000;

const SITES: usize = 3;
const START: u64 = 1_790_000_000_000;
const HOUR: u64 = 3_600_000;

/// Which register of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Register {
    Row,
    Deleted,
    Merged,
    Admin,
    Second,
}

/// One write, and what its author knew of other writes (a bit for each).
#[derive(Clone, Debug)]
struct Written {
    stamp: Stamp,
    past: u128,
    bit: u128,
}

/// What was ever written, and by whom it was known.
#[derive(Default)]
struct Chronicle {
    registers: BTreeMap<(Subject, Register), Vec<Written>>,
    count: u32,
    deletions: Vec<Deletion>,
}

/// A deletion that was not refused: of these records, as one.
struct Deletion {
    subjects: Vec<Subject>,
    stamp: Stamp,
}

struct Replica {
    directory: Directory,
    clock: Hlc,
    skew: u64,
    known: u128,
}

struct World {
    seed: u64,
    chance: Chance,
    now: u64,
    replicas: Vec<Replica>,
    chronicle: Chronicle,
}

fn registers(piece: &Piece) -> Vec<(Register, Stamp)> {
    fn of<A, S>(record: &Record<A, S>) -> Vec<(Register, Stamp)> {
        let all = [
            (Register::Row, record.row.as_ref().map(|group| group.stamp)),
            (Register::Deleted, record.deleted),
            (Register::Merged, record.merged.as_ref().map(|group| group.stamp)),
            (Register::Admin, record.admin.as_ref().map(|group| group.stamp)),
            (Register::Second, record.second.as_ref().map(|group| group.stamp)),
        ];
        all.into_iter().filter_map(|(register, stamp)| Some((register, stamp?))).collect()
    }
    match piece {
        Piece::Sari(group) => vec![(Register::Admin, group.stamp)],
        Piece::Profile(_, group) => vec![(Register::Admin, group.stamp)],
        Piece::Device(record) => of(record),
        Piece::User(record) => of(record),
    }
}

impl Chronicle {
    /// What somebody knows who has received this.
    fn known(&self, piece: &Piece) -> u128 {
        let mut known = 0;
        for (register, stamp) in registers(piece) {
            let all = self.registers.get(&(piece.subject(), register));
            for written in all.into_iter().flatten().filter(|written| written.stamp == stamp) {
                known |= written.bit | written.past;
            }
        }
        known
    }
}

impl Replica {
    /// Which records this edit would delete.
    fn deleted(&self, edit: &Edit) -> Vec<Subject> {
        let directory = &self.directory;
        match edit {
            Edit::DeleteUser(uid) => {
                let parts = directory.user_at(*uid).map(|user| directory.users.parts(user.id));
                parts.into_iter().flatten().map(Subject::User).collect()
            }
            Edit::DeleteDevice(ppn) => {
                let parts = directory.device_at(*ppn).map(|device| directory.devices.parts(device.id));
                parts.into_iter().flatten().map(Subject::Device).collect()
            }
            Edit::DeleteProfile(id) => vec![Subject::Profile(*id)],
            _ => Vec::new(),
        }
    }

    /// When this record was deleted last.
    fn grave(&self, subject: Subject) -> Option<Stamp> {
        match self.directory.piece(subject)? {
            Piece::Sari(_) => None,
            Piece::Profile(_, group) => Some(group.stamp).filter(|_| group.value.is_none()),
            Piece::Device(record) => record.deleted,
            Piece::User(record) => record.deleted,
        }
    }
}

impl World {
    fn new(seed: u64) -> World {
        let mut chance = Chance::of(seed, "histories");
        let replicas = (0..SITES).map(|site| Replica {
            directory: Directory::new(Platform::Rfp),
            clock: Hlc::new(OmmId::new(0x1000 + site as u32)),
            skew: chance.below(6 * HOUR),
            known: 0,
        });
        let replicas = replicas.collect();
        World { seed, chance, now: START, replicas, chronicle: Chronicle::default() }
    }

    fn live(seed: u64) {
        let mut world = World::new(seed);
        // Some things are there at all sites, so that they quarrel about the same.
        for _ in 0..2 {
            world.edit(0);
        }
        world.share(0, 1);
        world.share(0, 2);
        for _ in 0..10 {
            let site = world.chance.below(SITES as u64) as usize;
            match world.chance.below(8) {
                0 => world.share(site, (site + 1) % SITES),
                1 => world.leak(site, (site + 2) % SITES),
                _ => world.edit(site),
            }
        }
        world.judge();
    }

    fn random_edit(&mut self, site: usize) -> Edit {
        let chance = &mut self.chance;
        let (n, m) = (chance.below(3) as u32 + 1, chance.below(3) as u32 + 1);
        let directory = &self.replicas[site].directory;
        let uid = directory.users_from(uid(1)).nth(chance.below(3) as usize).map_or(uid(1), |user| user.uid);
        let ppn = directory.devices().nth(chance.below(3) as usize).map_or(ppn(1), |device| device.ppn);
        let kind = if chance.happens(500_000) { Kind::Dynamic } else { Kind::Fixed };
        let user = |change| Edit::SetUser { uid, change: Box::new(change) };
        match chance.below(18) {
            0..=2 => Edit::CreateUser(Box::new(NewUser::new(number(n), Secret::new("x")))),
            3..=4 => Edit::CreateDevice(Box::new(NewDevice::new(ipei(m)))),
            5..=6 => user(UserChange { name: Some(self.now.to_string()), ..UserChange::default() }),
            7 => user(UserChange { number: Some(number(n)), ..UserChange::default() }),
            8 => user(UserChange { check_user: Some(chance.happens(700_000)), ..UserChange::default() }),
            9 => Edit::DeleteUser(uid),
            10 => Edit::DeleteDevice(ppn),
            11 => Edit::Attach { uid, ppn, kind },
            12 => Edit::Detach { uid },
            13 => Edit::Login { user: number(n), device: ipei(m) },
            14 => {
                let mut change = DeviceChange { ipei: Some(ipei(m)), ..DeviceChange::default() };
                let state = if chance.happens(500_000) { Subscribed::Yes } else { Subscribed::Unconfirmed };
                change.subscription =
                    SubscriptionChange { state: Some(state), ..SubscriptionChange::default() };
                Edit::SetDevice { ppn, change: Box::new(change) }
            }
            15 => Edit::DeleteProfile(1),
            _ => Edit::SetProfile { id: 1, name: Some(self.now.to_string()), data: None },
        }
    }

    fn edit(&mut self, site: usize) {
        self.now += 1 + self.chance.below(HOUR / 4);
        let edit = self.random_edit(site);
        let deleted = self.replicas[site].deleted(&edit);
        let replica = &mut self.replicas[site];
        let stamp = replica.clock.next(Wall::from_millis(self.now + replica.skew));
        let told = std::env::var_os("HISTORY").map(|_| format!("{site}: {stamp} {edit:?}"));
        let done = replica.directory.edit(stamp, edit);
        told.into_iter()
            .for_each(|told| eprintln!("{told} {:?}", done.as_ref().map(|done| (done.uid, done.ppn))));
        if done.is_err() {
            return;
        }
        let past = replica.known;
        for (at, subject) in replica.directory.take_fresh() {
            replica.clock.observe(at);
            let piece = replica.directory.piece(subject).unwrap();
            for (register, stamp) in registers(&piece).into_iter().filter(|(_, stamp)| *stamp == at) {
                let bit = 1 << self.chronicle.count;
                self.chronicle.count += 1;
                let all = self.chronicle.registers.entry((subject, register)).or_default();
                all.push(Written { stamp, past, bit });
                replica.known |= bit;
            }
        }
        let stamp = deleted.iter().filter_map(|subject| replica.grave(*subject)).max();
        if let Some(stamp) = stamp {
            self.chronicle.deletions.push(Deletion { subjects: deleted, stamp });
        }
        self.check(site);
    }

    /// All that one site knows comes to another, at once or by and by and twice.
    fn share(&mut self, from: usize, to: usize) {
        let mut pieces: Vec<Piece> = self.replicas[from].directory.pieces().collect();
        for at in (1..pieces.len()).rev() {
            pieces.swap(at, self.chance.below(at as u64 + 1) as usize);
        }
        self.receive(to, pieces);
    }

    /// Only some groups of some records come over, in no order.
    fn leak(&mut self, from: usize, to: usize) {
        let directory = &self.replicas[from].directory;
        let (all, _) = directory.delta(None, &Lacking::default(), usize::MAX);
        let slots =
            all.iter().flat_map(|piece| piece.stamps().into_iter().map(|stamp| (stamp, piece.subject())));
        let some = slots.filter(|_| self.chance.happens(400_000)).collect();
        let pieces = directory.pieces_of(&some);
        self.receive(to, pieces);
    }

    fn receive(&mut self, to: usize, pieces: Vec<Piece>) {
        let replica = &mut self.replicas[to];
        if std::env::var_os("HISTORY").is_some() {
            eprintln!("{to} hears {pieces:#?}");
        }
        for piece in &pieces {
            replica.known |= self.chronicle.known(piece);
            piece.stamps().into_iter().for_each(|stamp| replica.clock.observe(stamp));
        }
        replica.directory.merge(pieces);
        replica.directory.take_fresh();
        self.check(to);
    }

    /// I1, I2 and I3 hold in what is shown, at any time.
    fn check(&self, site: usize) {
        let (directory, seed) = (&self.replicas[site].directory, self.seed);
        let rows = directory.users_from(uid(1)).count();
        assert_eq!(rows, directory.users().len(), "I1: a number twice, seed {seed}");
        assert!(directory.users().filter(|user| user.check_user).count() <= 1, "I3: seed {seed}");
        for user in directory.users() {
            let device = user.ppn.map(|ppn| directory.device_at(ppn).unwrap());
            assert_eq!(user.device(), device.map(|device| device.ipei), "I2: seed {seed}");
            assert!(device.is_none_or(|device| device.uid == Some(user.uid)), "I2: seed {seed}");
        }
        for device in directory.devices().filter(|device| device.status != Status::Conflict) {
            assert_eq!(directory.device(device.ipei), Some(device), "I1: an IPEI twice, seed {seed}");
        }
    }

    fn judge(&mut self) {
        let seed = self.seed;
        let whole = |directory: &Directory| directory.pieces().collect::<Vec<Piece>>();
        let states: Vec<Vec<Piece>> = self.replicas.iter().map(|replica| whole(&replica.directory)).collect();
        let united = |order: &[usize]| {
            let mut directory = Directory::new(Platform::Rfp);
            order.iter().for_each(|at| drop(directory.merge(states[*at].clone())));
            directory
        };
        // I10, for these three states: (a b) c = a (b c) = c (b a), and nothing changes when it comes again.
        let mut abc = united(&[0, 1, 2]);
        let digest = abc.digest();
        let bc = united(&[1, 2]);
        let mut a_bc = united(&[0]);
        a_bc.merge(whole(&bc));
        assert_eq!(digest, a_bc.digest(), "associative, seed {seed}");
        assert_eq!(digest, united(&[2, 1, 0]).digest(), "commutative, seed {seed}");
        assert!(abc.merge(states[1].clone()).is_empty(), "idempotent, seed {seed}");
        assert_eq!(digest, abc.digest(), "idempotent, seed {seed}");
        // I6: whoever hears all shows the same, whatever he knew before and in whatever order it comes.
        for site in 0..SITES {
            for other in (0..SITES).filter(|other| *other != site) {
                self.share(other, site);
            }
            let replica = &self.replicas[site];
            if std::env::var_os("HISTORY").is_some() && replica.directory.shown != abc.shown {
                eprintln!("at {site}: {:#?}\nshould be {:#?}", replica.directory.shown, abc.shown);
            }
            assert_eq!(replica.directory.digest(), digest, "site {site}, seed {seed}");
            assert!(
                replica.directory.shown == abc.shown,
                "what is shown at {site} depends on the way, seed {seed}"
            );
        }
        self.judge_causes(&abc);
    }

    /// No write is lost against one that its author knew, and nothing that was deleted is there again (I7).
    fn judge_causes(&self, end: &Directory) {
        let seed = self.seed;
        for ((subject, register), all) in &self.chronicle.registers {
            let piece = end.piece(*subject).unwrap();
            let stands = registers(&piece).into_iter().find(|(other, _)| other == register);
            let Some((_, stamp)) = stands else { continue };
            let winner = all.iter().find(|written| written.stamp == stamp).unwrap();
            let later = all.iter().find(|written| written.past & winner.bit != 0);
            assert!(later.is_none(), "{subject:?} {register:?}: {later:?} is lost, seed {seed}");
        }
        for Deletion { subjects, stamp } in &self.chronicle.deletions {
            for subject in subjects {
                let is_shown = match subject {
                    Subject::Sari => continue,
                    Subject::Profile(id) => end.profile(*id).is_some(),
                    Subject::Device(id) => end.devices.is_shown(*id),
                    Subject::User(id) => end.users.is_shown(*id),
                };
                assert!(
                    !is_shown || self.is_revived(end, *subject, *stamp),
                    "I7: {subject:?} came back, seed {seed}"
                );
            }
        }
    }

    /// Whether an administrator wrote the record, or a part that it has by now, later than it was deleted. Who is with
    /// which handset, and what a handset has subscribed, revive nobody.
    fn is_revived(&self, end: &Directory, subject: Subject, deleted: Stamp) -> bool {
        let parts: Vec<Subject> = match subject {
            Subject::Sari | Subject::Profile(_) => vec![subject],
            Subject::Device(id) => end.devices.parts(id).into_iter().map(Subject::Device).collect(),
            Subject::User(id) => end.users.parts(id).into_iter().map(Subject::User).collect(),
        };
        let edits =
            parts.into_iter().filter_map(|part| self.chronicle.registers.get(&(part, Register::Admin)));
        edits.flatten().any(|written| written.stamp > deleted)
    }
}

#[test]
fn a_hundred_thousand_histories_end_alike_at_every_site() {
    if let Some(seed) = std::env::var("HISTORY").ok().and_then(|seed| seed.parse().ok()) {
        return World::live(seed);
    }
    let histories = std::env::var("HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(HISTORIES);
    // As many threads as a small machine has.
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || (half..histories).step_by(2).for_each(World::live));
        }
    });
}
