//! The processes of the sites: what their machines want done, and how they die.

use std::time::Duration;

use machine::step::Machine;

use super::{Event, Line, Request, World, omm, role, user};
use crate::claim::{Outcome, Word};
use crate::roaming::{Alarm, Ask, Effect, Input, Roaming, State};
use crate::stamp::{Hlc, Stamp};
use crate::star::{self, Star};

impl World {
    /// Feeds the user's machine of a site.
    pub(in crate::roaming::tests) fn step(&mut self, site: usize, input: Input) {
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
    pub(super) fn expect_renewal(&mut self, site: usize, input: &Input) {
        let Input::Heard { word: Word::Confirm(confirm), .. } = input else { return };
        let at = &mut self.sites[site];
        let owner = matches!(at.roaming.state(), State::Claiming | State::Unconfirmed | State::Settled);
        let mine = at.roaming.claim(self.now).is_some_and(|claim| confirm.epoch <= claim.epoch);
        if owner && mine && confirm.outcome != Outcome::None {
            at.renewal_due.get_or_insert(self.now + Duration::from_secs(2));
        }
    }

    pub(super) fn perform(&mut self, site: usize, effects: Vec<Effect>) {
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
                    self.sites[site].renewal_due = None; // It registers as well.
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
    pub(super) fn check_saved_first(&self, site: usize, effect: &Effect) {
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

    /// The process of a site dies and comes back.
    pub(in crate::roaming::tests) fn crash(&mut self, site: usize, back: Duration) {
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

    pub(super) fn restart(&mut self, site: usize) {
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
}
