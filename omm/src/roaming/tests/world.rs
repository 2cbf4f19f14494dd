//! A small world for one user: OMMs around a central, one registrar, one phone, and everything that can go wrong.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use machine::chance::Chance;
use machine::step::Machine;
use machine::time::{Moment, Wall};

use crate::claim::{Phase, Word};
use crate::ids::{Ipei, Number};
use crate::roaming::policy::Policy;
use crate::roaming::record::Record;
use crate::roaming::{Ask, Input, Roaming, State};
use crate::stamp::{Hlc, OmmId, Stamp};
use crate::star::{Role, Star};
use crate::watchdog::Class;

mod line;
mod net;
mod process;

/// The calendar when the world begins; far enough from zero for any skew.
pub(super) const EPOCH_MS: u64 = 1_790_000_000_000;

pub(super) fn user() -> Number {
    Number::new("101").expect("a number")
}

pub(super) fn handset() -> Ipei {
    Ipei::new(0x17, 5).expect("an IPEI")
}

pub(super) const fn omm(site: usize) -> OmmId {
    OmmId::new(0x1000_0000 + site as u32)
}

/// How the registrar treats several contacts of one address of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// Keeps them side by side; a removal removes its own.
    Multi,
    /// Keeps the last; any removal removes whatever there is.
    RemovesAny,
}

/// What may go wrong, and how often (per million of the occasions).
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults {
    /// A frame is delivered once more, later.
    pub(super) again: u32,
    /// The process dies between two effects.
    pub(super) crash: u32,
    /// A removal gets no answer for 32 s.
    pub(super) silence: u32,
    /// A query after a restart fails.
    pub(super) blind: u32,
    /// The longest journey of a frame or a request, in ms.
    pub(super) slow_ms: u64,
}

pub(super) const CALM: Faults = Faults { again: 0, crash: 0, silence: 0, blind: 0, slow_ms: 40 };

#[derive(Clone, Debug)]
enum Frame {
    Word(Word),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Register(Stamp),
    Remove,
    Query,
}

#[derive(Clone, Debug)]
enum Event {
    Frame {
        from: usize,
        to: usize,
        connection: u32,
        frame: Frame,
    },
    /// The registrar acts on a request, and its answer comes back.
    Reach {
        site: usize,
        request: Request,
    },
    Answer {
        site: usize,
        life: u32,
        request: Request,
        silent: bool,
    },
    /// A removal that timed out is tried again.
    CleanUp {
        site: usize,
        life: u32,
    },
    Notice {
        site: usize,
        remote: usize,
        connection: u32,
    },
    Reconnect {
        remote: usize,
    },
    Restart {
        site: usize,
    },
    /// The phone has waited for an answer long enough.
    Impatient {
        site: usize,
        visit: u32,
    },
    /// The phone reports where it is, unless it has moved on.
    Phone {
        site: usize,
        visit: u32,
    },
}

/// One REGISTER at a time; the rest waits (I8).
#[derive(Default)]
struct Line {
    flying: bool,
    queue: VecDeque<Request>,
    epoch: Option<Stamp>,
    removing: bool,
}

pub(super) struct Site {
    pub(super) roaming: Roaming,
    pub(super) star: Star,
    pub(super) store: Option<Record>,
    pub(super) up: bool,
    clock: Hlc,
    skew_ms: i64,
    life: u32,
    line: Line,
    /// Until when a renewal must follow a confirmation.
    renewal_due: Option<Moment>,
}

/// A remote's link to the central.
#[derive(Clone, Copy, Default)]
struct Link {
    /// Frames of earlier connections are lost; a cut ends a connection before anybody notices.
    connection: u32,
    intact: bool,
    central_up: bool,
    remote_up: bool,
}

pub(super) struct World {
    pub(super) now: Moment,
    pub(super) sites: Vec<Site>,
    pub(super) contacts: BTreeMap<usize, Stamp>,
    pub(super) log: Vec<String>,
    pub(super) faults: Faults,
    /// Where the phone is, if it is anywhere.
    pub(super) phone: Option<usize>,
    pub(super) period: Option<Duration>,
    links: Vec<Link>,
    binding: Binding,
    policy: Arc<Policy>,
    chance: Chance,
    queue: BinaryHeap<Reverse<(Moment, u64)>>,
    events: BTreeMap<u64, Event>,
    seq: u64,
    latest: BTreeMap<(usize, usize), Moment>,
    visit: u32,
    /// Whether the phone's latest report was answered with yes.
    answered: bool,
}

impl World {
    /// OMMs with these clock errors, the first of them the central; all links are up.
    pub(super) fn new(seed: u64, skews_ms: &[i64], binding: Binding, policy: Policy) -> World {
        let policy = Arc::new(policy);
        let sites = skews_ms.iter().enumerate().map(|(site, skew_ms)| Site {
            roaming: Roaming::new(omm(site), user(), policy.clone()),
            star: Star::new(omm(site), role(site)),
            store: None,
            up: true,
            clock: Hlc::new(omm(site)),
            skew_ms: *skew_ms,
            life: 0,
            line: Line::default(),
            renewal_due: None,
        });
        let mut world = World {
            now: Moment::from_millis(1_000),
            sites: sites.collect(),
            contacts: BTreeMap::new(),
            log: Vec::new(),
            faults: CALM,
            phone: None,
            period: None,
            links: vec![Link::default(); skews_ms.len()],
            binding,
            policy,
            chance: Chance::of(seed, "world"),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            seq: 0,
            latest: BTreeMap::new(),
            visit: 0,
            answered: true,
        };
        for remote in 1..skews_ms.len() {
            world.reconnect(remote);
        }
        world
    }

    fn at(&mut self, moment: Moment, event: Event) {
        self.queue.push(Reverse((moment, self.seq)));
        self.events.insert(self.seq, event);
        self.seq += 1;
    }

    fn journey(&mut self) -> Duration {
        let slow = self.faults.slow_ms;
        self.chance.between(Duration::from_millis(1), Duration::from_millis(slow))
    }

    fn wall(&self, site: usize) -> Wall {
        let base = EPOCH_MS + self.now.as_millis();
        Wall::from_millis(base.saturating_add_signed(self.sites[site].skew_ms))
    }

    /// The phone appears at a site and goes on reporting there.
    pub(super) fn roam(&mut self, site: usize) {
        self.visit += 1;
        self.phone = Some(site);
        self.report(site, self.visit);
    }

    /// The phone is out of reach of every site from now on.
    pub(super) fn vanish(&mut self) {
        self.visit += 1;
        self.phone = None;
    }

    fn report(&mut self, site: usize, visit: u32) {
        if visit != self.visit {
            return;
        }
        let wait = if self.sites[site].up {
            let stamp = self.stamp(site);
            let ask = Some(Ask(u64::from(visit)));
            let wall = self.wall(site);
            self.answered = false;
            self.step(site, Input::Located { device: handset(), ask, stamp, wall });
            if !self.answered {
                let then = self.now + Duration::from_secs(40);
                self.at(then, Event::Impatient { site, visit });
            }
            self.period
        } else {
            Some(Duration::from_secs(20))
        };
        if let Some(wait) = wait {
            let then = self.now + wait;
            self.at(then, Event::Phone { site, visit });
        }
    }

    fn stamp(&mut self, site: usize) -> Stamp {
        let wall = self.wall(site);
        self.sites[site].clock.next(wall)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Frame { from, to, connection, frame } => self.arrive(from, to, connection, frame),
            Event::Reach { site, request } => self.reach(site, request),
            Event::Answer { site, life, request, silent } => self.answer(site, life, request, silent),
            Event::CleanUp { site, life } => {
                if life == self.sites[site].life && self.sites[site].line.removing {
                    self.request(site, Request::Remove);
                }
            }
            Event::Notice { site, remote, connection } => self.notice(site, remote, connection),
            Event::Reconnect { remote } => self.reconnect(remote),
            Event::Restart { site } => self.restart(site),
            Event::Phone { site, visit } => self.report(site, visit),
            Event::Impatient { site, visit } => {
                if !self.answered {
                    self.report(site, visit);
                }
            }
        }
    }

    fn wake(&mut self, site: usize) {
        let (now, mut out) = (self.now, Vec::new());
        self.sites[site].roaming.wake(now, &mut out);
        self.perform(site, out);
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let alarms = self.sites.iter().enumerate().filter(|(_, site)| site.up);
            let alarm =
                alarms.filter_map(|(site, at)| at.roaming.deadline().map(|(due, _)| (due, site))).min();
            let event = self.queue.peek().map(|Reverse((due, _))| *due);
            match (event, alarm) {
                (Some(due), _) if due <= end && alarm.is_none_or(|(alarm, _)| due <= alarm) => {
                    self.now = self.now.max(due);
                    let Some(Reverse((_, seq))) = self.queue.pop() else { return };
                    if let Some(event) = self.events.remove(&seq) {
                        self.happen(event);
                    }
                }
                (_, Some((due, site))) if due <= end => {
                    self.now = self.now.max(due);
                    self.wake(site);
                }
                (_, _) => break,
            }
            for (site, at) in self.sites.iter_mut().enumerate() {
                if !at.roaming.serves() {
                    at.renewal_due = None;
                }
                let late = at.renewal_due.is_some_and(|due| self.now > due);
                assert!(!late, "{site} has not renewed after a confirmation");
            }
        }
        self.now = end;
    }

    /// Which sites believe that they serve the user.
    pub(super) fn owners(&self) -> Vec<usize> {
        (0..self.sites.len()).filter(|site| self.sites[*site].roaming.serves()).collect()
    }

    /// How often this text stands in the log.
    pub(super) fn count(&self, text: &str) -> usize {
        self.log.iter().filter(|line| line.contains(text)).count()
    }

    /// Everybody agrees: the phone is served where it is and nowhere else, and the registrar knows it.
    pub(super) fn check_agreement(&self) {
        let owner: Vec<usize> = self.phone.into_iter().collect();
        assert_eq!(self.owners(), owner, "owners");
        assert_eq!(self.contacts.keys().copied().collect::<Vec<_>>(), owner, "contacts");
        let newest =
            self.sites[0].roaming.claim(self.now).map(|claim| (claim.epoch, claim.owner, claim.phase));
        for (site, at) in self.sites.iter().enumerate() {
            let known = at.roaming.claim(self.now).map(|claim| (claim.epoch, claim.owner, claim.phase));
            assert_eq!(known, newest, "what {site} knows");
            let starred =
                at.star.claim(self.now, &user()).map(|claim| (claim.epoch, claim.owner, claim.phase));
            assert_eq!(starred, newest, "what the star at {site} knows");
            match (at.roaming.state(), newest) {
                (State::Settled, Some((_, owner, Phase::Here))) => assert_eq!(owner, omm(site)),
                (State::Absent | State::Gone, _) => {}
                (state, _) => panic!("{site} is still {state:?}"),
            }
        }
    }
}

/// The defaults of the specification, with a watchdog.
pub(super) fn watched() -> Policy {
    Policy { watchdog: Some(Class::PERIODIC), ..Policy::default() }
}

fn role(site: usize) -> Role {
    if site == 0 { Role::Central } else { Role::Remote }
}

fn index(omm: OmmId) -> usize {
    (omm.pari - 0x1000_0000) as usize
}
