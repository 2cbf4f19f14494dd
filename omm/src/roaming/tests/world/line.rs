//! The line of a site, and the registrar at its other end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Binding, Event, Request, World, omm};
use crate::claim::Outcome;
use crate::roaming::{Input, Sighting};

impl World {
    pub(super) fn request(&mut self, site: usize, request: Request) {
        let line = &mut self.sites[site].line;
        if !line.queue.contains(&request) {
            line.queue.push_back(request);
        }
        self.next_request(site);
    }

    pub(super) fn next_request(&mut self, site: usize) {
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

    pub(super) fn reach(&mut self, site: usize, request: Request) {
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

    pub(super) fn answer(&mut self, site: usize, life: u32, request: Request, silent: bool) {
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
}
