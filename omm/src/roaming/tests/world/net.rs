//! The links, and what travels over them.

use std::time::Duration;

use machine::step::Machine;

use super::{Event, Frame, Link, World, index, omm};
use crate::claim::Word;
use crate::roaming::Input;
use crate::star;

impl World {
    /// Feeds the star of a site.
    pub(super) fn star(&mut self, site: usize, input: star::Input) {
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
                // Users of this world have no lines.
                star::Effect::Shown(_) | star::Effect::Deliver(Word::Bound(_)) => {}
                // There are no direct channels in this world.
                star::Effect::SendBeside { .. } | star::Effect::Wanted(_) => {}
                star::Effect::Deliver(word) => {
                    let epoch = match &word {
                        Word::Claim(claim) => claim.epoch,
                        Word::Confirm(confirm) => confirm.epoch,
                        Word::Stale(stale) => stale.claim.epoch,
                        Word::Bound(_) => unreachable!("it is kept by the star"),
                    };
                    self.sites[site].clock.observe(epoch);
                    let (stamp, wall) = (self.stamp(site), self.wall(site));
                    self.step(site, Input::Heard { word, stamp, wall });
                }
            }
        }
    }

    pub(super) fn send(&mut self, from: usize, to: usize, frame: Frame) {
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
            // A journey is not part of an age, so a late copy makes a sighting look younger than it is.
            let late = arrival + self.chance.between(Duration::ZERO, Duration::from_secs(3));
            self.at(late, Event::Frame { from, to, connection, frame: frame.clone() });
        }
        self.at(arrival, Event::Frame { from, to, connection, frame });
    }

    pub(super) fn arrive(&mut self, from: usize, to: usize, connection: u32, frame: Frame) {
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
    pub(in crate::roaming::tests) fn cut(
        &mut self,
        remote: usize,
        notice_max: Duration,
        back: Option<Duration>,
    ) {
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

    pub(super) fn notice(&mut self, site: usize, remote: usize, connection: u32) {
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
    pub(in crate::roaming::tests) fn reconnect(&mut self, remote: usize) {
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
}
