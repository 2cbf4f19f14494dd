//! A small world for one user: OMMs around a central, one registrar, one phone, and everything that can go wrong.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use machine::chance::Chance;
use machine::step::Machine;
use machine::time::{Moment, Wall};

use crate::claim::{Outcome, Phase, Word};
use crate::ids::{Ipei, Number};
use crate::roaming::policy::Policy;
use crate::roaming::record::Record;
use crate::roaming::{Alarm, Ask, Effect, Input, Roaming, Sighting, State};
use crate::stamp::{Hlc, OmmId, Stamp};
use crate::star::{self, Role, Star};
use crate::watchdog::Class;

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

    /// Feeds the user's machine of a site.
    pub(super) fn step(&mut self, site: usize, input: Input) {
        self.expect_renewal(site, &input);
        self.log.push(match Roaming::note_input(&input) {
            Some(note) => format!("{} {site} < {note}", self.now),
            None => format!("{} {site} < {input:?}", self.now),
        });
        let mut out = Vec::new();
        let now = self.now;
        self.sites[site].roaming.on(now, input, &mut out);
        self.perform(site, out);
    }

    /// M-2.1.4.1-e: after whatever an owner hears of a removal, a renewal follows within the coalescing time.
    fn expect_renewal(&mut self, site: usize, input: &Input) {
        let Input::Heard { word: Word::Confirm(confirm), .. } = input else { return };
        let at = &mut self.sites[site];
        let owner = matches!(at.roaming.state(), State::Claiming | State::Unconfirmed | State::Settled);
        let mine = at.roaming.claim(self.now).is_some_and(|claim| confirm.epoch <= claim.epoch);
        if owner && mine && confirm.outcome != Outcome::None {
            at.renewal_due.get_or_insert(self.now + Duration::from_secs(2));
        }
    }

    fn perform(&mut self, site: usize, effects: Vec<Effect>) {
        for effect in effects {
            let crash = self.faults.crash;
            if self.chance.happens(crash) {
                return self.crash(site, Duration::from_secs(30));
            }
            self.log.push(match Roaming::note_effect(&effect) {
                Some(note) => format!("{} {site} > {note}", self.now),
                None => format!("{} {site} > save", self.now),
            });
            self.check_saved_first(site, &effect);
            match effect {
                Effect::Save(record) => self.sites[site].store = Some(record),
                Effect::Admit(Ask(visit)) => self.answered |= visit == u64::from(self.visit),
                Effect::Watch(_) => {}
                Effect::Refuse(Ask(visit), _) => {
                    // The phone tries again, if it is still there.
                    let then = self.now + Duration::from_secs(30);
                    self.at(then, Event::Phone { site, visit: visit as u32 });
                }
                Effect::Bind { epoch } => {
                    let line = &mut self.sites[site].line;
                    line.epoch = Some(epoch);
                    line.removing = false;
                    line.queue.retain(|request| *request == Request::Query);
                    self.request(site, Request::Register(epoch));
                }
                Effect::Renew => {
                    self.sites[site].renewal_due = None;
                    if let Some(epoch) = self.sites[site].line.epoch {
                        self.request(site, Request::Register(epoch));
                    }
                }
                Effect::Unbind => {
                    let line = &mut self.sites[site].line;
                    line.epoch = None;
                    line.removing = true;
                    line.queue.clear();
                    self.request(site, Request::Remove);
                }
                Effect::Query => self.request(site, Request::Query),
                Effect::Evict(_) => {}
                Effect::Say(word) => self.star(site, star::Input::Say(word)),
                Effect::Alarm(alarm) => assert_ne!(alarm, Alarm::PariOnlySeen),
            }
        }
    }

    /// What others can see is durable first.
    fn check_saved_first(&self, site: usize, effect: &Effect) {
        let store = self.sites[site].store.as_ref();
        let saved =
            |epoch: Stamp| store.is_some_and(|record| record.epoch == epoch && record.owner == omm(site));
        match effect {
            Effect::Bind { epoch } => assert!(saved(*epoch), "bound before it was saved"),
            Effect::Say(Word::Claim(claim)) => {
                assert!(saved(claim.epoch), "said before it was saved");
                assert_eq!(store.map(|record| record.phase), Some(claim.phase));
            }
            Effect::Admit(_) => {
                let wall = self.wall(site);
                assert!(
                    store.is_some_and(|record| record.age(wall) < Duration::from_secs(90)),
                    "admitted unsaved"
                );
            }
            _ => {}
        }
    }

    fn request(&mut self, site: usize, request: Request) {
        let line = &mut self.sites[site].line;
        if !line.queue.contains(&request) {
            line.queue.push_back(request);
        }
        self.next_request(site);
    }

    fn next_request(&mut self, site: usize) {
        if self.sites[site].line.flying {
            return;
        }
        let Some(request) = self.sites[site].line.queue.pop_front() else { return };
        self.sites[site].line.flying = true;
        let (there, back) = (self.journey(), self.journey());
        let silence = self.faults.silence;
        let silent = request == Request::Remove && self.chance.happens(silence);
        let there = if silent { self.chance.between(there, Duration::from_secs(32)) } else { there };
        let back = if silent { Duration::from_secs(32) } else { there + back };
        let (now, life) = (self.now, self.sites[site].life);
        self.at(now + there, Event::Reach { site, request });
        self.at(now + back, Event::Answer { site, life, request, silent });
    }

    fn reach(&mut self, site: usize, request: Request) {
        match (request, self.binding) {
            (Request::Register(epoch), Binding::Multi) => {
                self.contacts.insert(site, epoch);
            }
            (Request::Register(epoch), Binding::RemovesAny) => {
                self.contacts = BTreeMap::from([(site, epoch)]);
            }
            (Request::Remove, Binding::Multi) => {
                self.contacts.remove(&site);
            }
            (Request::Remove, Binding::RemovesAny) => self.contacts.clear(),
            (Request::Query, _) => return,
        }
        self.log.push(format!(
            "{} registrar: {request:?} of {site}, now {:?}",
            self.now,
            self.contacts.keys()
        ));
    }

    fn answer(&mut self, site: usize, life: u32, request: Request, silent: bool) {
        if life != self.sites[site].life || !self.sites[site].up {
            return;
        }
        self.sites[site].line.flying = false;
        self.next_request(site);
        match request {
            Request::Register(_) => self.step(site, Input::Bound),
            Request::Remove if !self.sites[site].line.removing => {} // Called off by a later Bind.
            Request::Remove if silent => {
                let then = self.now + Duration::from_secs(20);
                self.at(then, Event::CleanUp { site, life });
                self.step(site, Input::Released(Outcome::Unknown));
            }
            Request::Remove => {
                self.sites[site].line.removing = false;
                self.step(site, Input::Released(Outcome::Removed));
            }
            Request::Query => {
                let blind = self.faults.blind;
                if self.chance.happens(blind) {
                    return self.step(site, Input::Unbound);
                }
                let seen = self.contacts.iter().filter(|(other, _)| **other != site);
                let sightings = seen.map(|(other, epoch)| Sighting {
                    owner: omm(*other),
                    epoch: *epoch,
                    contact: format!("sip:101@{other}"),
                });
                let (sightings, stamp, wall) = (sightings.collect(), self.stamp(site), self.wall(site));
                self.step(site, Input::Sighted { sightings, stamp, wall });
            }
        }
    }

    /// Feeds the star of a site.
    fn star(&mut self, site: usize, input: star::Input) {
        let mut out = Vec::new();
        let (now, life) = (self.now, self.sites[site].life);
        self.sites[site].star.on(now, input, &mut out);
        for effect in out {
            if self.sites[site].life != life {
                return; // It died of what it was told.
            }
            match effect {
                star::Effect::Send { peer, word } => self.send(site, index(peer), Frame::Word(word)),
                star::Effect::EndOfDownload { peer } => self.send(site, index(peer), Frame::End),
                star::Effect::Joined { .. } => self.step(site, Input::LinkUp),
                star::Effect::Deliver(word) => {
                    let epoch = match &word {
                        Word::Claim(claim) => claim.epoch,
                        Word::Confirm(confirm) => confirm.epoch,
                        Word::Stale(stale) => stale.claim.epoch,
                    };
                    self.sites[site].clock.observe(epoch);
                    let (stamp, wall) = (self.stamp(site), self.wall(site));
                    self.step(site, Input::Heard { word, stamp, wall });
                }
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, frame: Frame) {
        let link = self.links[from.max(to)];
        if !link.intact {
            return; // Into the void; nobody has noticed yet.
        }
        let connection = link.connection;
        let journey = self.journey();
        // One connection keeps the order.
        let last = self.latest.get(&(from, to)).copied().unwrap_or_default();
        let arrival = last.max(self.now + journey);
        self.latest.insert((from, to), arrival);
        let again = self.faults.again;
        if matches!(frame, Frame::Word(_)) && self.chance.happens(again) {
            let late = arrival + self.chance.between(Duration::ZERO, Duration::from_secs(5));
            self.at(late, Event::Frame { from, to, connection, frame: frame.clone() });
        }
        self.at(arrival, Event::Frame { from, to, connection, frame });
    }

    fn arrive(&mut self, from: usize, to: usize, connection: u32, frame: Frame) {
        let link = self.links[from.max(to)];
        let open = if to == 0 { link.central_up } else { link.remote_up };
        if link.connection != connection || !link.intact || !open {
            return;
        }
        self.star(
            to,
            match frame {
                Frame::Word(word) => star::Input::Heard { from: omm(from), word },
                Frame::End => star::Input::Downloaded(omm(from)),
            },
        );
    }

    /// Cuts a remote's link. Each end notices at its own time; then they connect again when `back` is over.
    pub(super) fn cut(&mut self, remote: usize, notice_max: Duration, back: Option<Duration>) {
        if !self.links[remote].intact {
            return;
        }
        self.log.push(format!("{} cut {remote}", self.now));
        self.links[remote].intact = false;
        let connection = self.links[remote].connection;
        for site in [0, remote] {
            let then = self.now + self.chance.between(Duration::ZERO, notice_max);
            self.at(then, Event::Notice { site, remote, connection });
        }
        if let Some(back) = back {
            let then = self.now + back;
            self.at(then, Event::Reconnect { remote });
        }
    }

    fn notice(&mut self, site: usize, remote: usize, connection: u32) {
        let link = &mut self.links[remote];
        if link.connection != connection || link.intact {
            return;
        }
        let (end, peer) = if site == 0 { (&mut link.central_up, remote) } else { (&mut link.remote_up, 0) };
        if std::mem::take(end) && self.sites[site].up {
            self.star(site, star::Input::LinkDown(omm(peer)));
        }
    }

    /// Connects a remote anew, if both ends live; an end that has not noticed the cut notices it by this.
    pub(super) fn reconnect(&mut self, remote: usize) {
        if self.links[remote].intact {
            return;
        }
        if !self.sites[0].up || !self.sites[remote].up {
            let then = self.now + Duration::from_secs(20);
            return self.at(then, Event::Reconnect { remote });
        }
        let connection = self.links[remote].connection;
        self.notice(0, remote, connection);
        self.notice(remote, remote, connection);
        if !self.sites[0].up || !self.sites[remote].up || self.links[remote].intact {
            return self.reconnect(remote);
        }
        let connection = connection + 1;
        self.links[remote] = Link { connection, intact: true, central_up: true, remote_up: true };
        self.log.push(format!("{} link {remote} up", self.now));
        self.star(remote, star::Input::LinkUp(omm(0)));
        if self.links[remote].connection == connection && self.links[remote].intact {
            self.star(0, star::Input::LinkUp(omm(remote)));
        }
    }

    /// The process of a site dies and comes back.
    pub(super) fn crash(&mut self, site: usize, back: Duration) {
        if !self.sites[site].up {
            return;
        }
        self.log.push(format!("{} {site} crashes", self.now));
        let at = &mut self.sites[site];
        at.up = false;
        at.life += 1;
        at.line = Line::default();
        at.renewal_due = None;
        let mine = if site == 0 { 1..self.links.len() } else { site..site + 1 };
        for remote in mine {
            let link = &mut self.links[remote];
            let end = if site == 0 { &mut link.central_up } else { &mut link.remote_up };
            *end = false;
            self.cut(remote, Duration::from_secs(90), Some(back + Duration::from_secs(5)));
        }
        let then = self.now + back;
        self.at(then, Event::Restart { site });
    }

    fn restart(&mut self, site: usize) {
        let (now, wall) = (self.now, self.wall(site));
        self.log.push(format!("{now} {site} starts"));
        let mut out = Vec::new();
        let policy = self.policy.clone();
        let at = &mut self.sites[site];
        at.up = true;
        at.clock = Hlc::new(omm(site));
        at.star = Star::new(omm(site), role(site));
        at.roaming = match at.store.clone() {
            Some(record) => {
                at.clock.observe(record.epoch);
                at.star.on(now, star::Input::Restored(record.claim(wall)), &mut Vec::new());
                Roaming::resume(omm(site), policy, record, now, wall, &mut out)
            }
            None => Roaming::new(omm(site), user(), policy),
        };
        self.perform(site, out);
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
