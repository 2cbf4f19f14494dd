//! Who hears what about roams (M-2.1.1-a, M-2.1.2.2-b, AMB-1).
//!
//! ```text
//!              remote B                          One central, at most ten remotes, no links among them. The
//!                 |                              central passes every word on unchanged and in order.
//! remote A --- central --- remote C
//!                              LinkUp            Both ends keep the newest claim of every user, and when they
//! central:  claims, then "end" ------> remote    heard it. A link that comes up compares these tables: download
//!           <------- claims, then "end"          first, upload second (M-2.2.8-a). Nothing is queued for a link
//!                                    Joined      that is down.
//! ```
//!
//! Claims are idempotent by epoch, and the newest wins. An older one goes on only to the owner it contradicts, who is
//! to answer it (B-9); one that is known already goes on too, because its owner repeats it on purpose.

use std::collections::{BTreeMap, BTreeSet};

use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;

use crate::claim::{Claim, Phase, Word};
use crate::ids::{Ipei, Number};
use crate::presence::Presence;
use crate::stamp::{OmmId, Stamp};
use beside::Beside;
use bounds::Bounds;

/// How many users' claims are kept: twice the most phones of a system (M-2.2.1-d), since deleted users linger. Ours.
pub const CLAIMS_MAX: usize = 20_000;

/// Which place in the star an OMM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The hub.
    Central,
    /// One of at most ten around it.
    Remote,
}

/// What can happen to the star at one OMM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The link with this OMM is open ([`crate::link`]).
    LinkUp(OmmId),
    /// It is gone.
    LinkDown(OmmId),
    /// A word came over a link.
    Heard {
        /// Over which one.
        from: OmmId,
        /// What.
        word: Word,
    },
    /// The other side has sent all that it had for us.
    Downloaded(OmmId),
    /// A user's machine of this OMM has something to say.
    Say(Word),
    /// A claim out of the store, at the start of the process; nobody is told.
    Restored(Claim),
    /// The user was deleted.
    Forgotten(Number),
    /// A direct claim channel with another remote stands ([`crate::link::channel`]).
    BesideUp(OmmId),
    /// It is over.
    BesideDown(OmmId),
    /// A word came over it.
    HeardBeside {
        /// From whom.
        from: OmmId,
        /// What.
        word: Word,
    },
}

/// What the star wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this over the link.
    Send {
        /// Over which one.
        peer: OmmId,
        /// What.
        word: Word,
    },
    /// Send this over the direct channel.
    SendBeside {
        /// To whom.
        peer: OmmId,
        /// What.
        word: Word,
    },
    /// Somebody has to hear of a roam, and there is no way to it ([`crate::link::direct`]).
    Wanted(OmmId),
    /// Give this to the user's machine here.
    Deliver(Word),
    /// Where this user is registered elsewhere is shown differently now ([`Star::bounds`]).
    Shown(Number),
    /// Tell the other side that it has been sent all that we had.
    EndOfDownload {
        /// Over which link.
        peer: OmmId,
    },
    /// Both sides know each other's claims: tell the users [`crate::roaming::Input::LinkUp`].
    Joined {
        /// Over which link.
        peer: OmmId,
    },
}

/// The newest claim of one user, without the user.
#[derive(Clone, Debug)]
struct Held {
    device: Ipei,
    epoch: Stamp,
    owner: OmmId,
    former: Option<OmmId>,
    phase: Phase,
    /// The claim's age counts from here.
    presence: Presence,
    /// Whether the central has sent us just this claim since the link came up.
    echoed: bool,
}

/// The star as one OMM sees it.
#[derive(Clone, Debug)]
pub struct Star {
    me: OmmId,
    role: Role,
    live: BTreeSet<OmmId>,
    /// Whether the central's download is still coming in.
    downloading: bool,
    claims: BTreeMap<Number, Held>,
    bounds: Bounds,
    beside: Beside,
}

/// What is to be done with a claim.
enum News {
    /// Nobody knew it.
    Newer,
    /// It is said again.
    Again,
    /// It contradicts this owner's newer claim.
    Contradicts(OmmId),
    /// It is of no interest.
    Old,
}

impl Star {
    /// A star without links and claims.
    pub fn new(me: OmmId, role: Role) -> Star {
        let (live, claims, bounds) = (BTreeSet::new(), BTreeMap::new(), Bounds::default());
        Star { me, role, live, downloading: false, claims, bounds, beside: Beside::default() }
    }

    /// The newest claim known of a user, with its age at `now`.
    pub fn claim(&self, now: Moment, user: &Number) -> Option<Claim> {
        self.claims.get(user).map(|held| held.claim(user, now))
    }

    /// All claims known, by number.
    pub fn claims(&self, now: Moment) -> impl Iterator<Item = Claim> {
        self.claims.iter().map(move |(user, held)| held.claim(user, now))
    }

    /// The links that are open.
    pub fn live(&self) -> impl Iterator<Item = OmmId> {
        self.live.iter().copied()
    }

    /// Keeps the claim if it is news, and tells what it is.
    fn keep(&mut self, now: Moment, claim: &Claim) -> News {
        let room = self.claims.len() < CLAIMS_MAX;
        match self.claims.get_mut(&claim.user) {
            None => {
                if room {
                    self.claims.insert(claim.user.clone(), Held::new(claim, now));
                }
                News::Newer
            }
            Some(held) if claim.rank() > held.rank() => {
                *held = Held::new(claim, now);
                News::Newer
            }
            Some(held) if claim.rank() == held.rank() => {
                if claim.age < held.presence.age(now) {
                    held.presence = Presence::aged(claim.age, now); // The phone has reported since.
                }
                News::Again
            }
            Some(held) if held.owner != claim.owner && claim.phase == Phase::Here => {
                News::Contradicts(held.owner)
            }
            Some(_) => News::Old,
        }
    }

    /// To every link but the one it came from.
    fn relay(&self, word: &Word, except: Option<OmmId>, out: &mut Vec<Effect>) {
        let peers = self.live.iter().copied().filter(|peer| Some(*peer) != except);
        out.extend(peers.map(|peer| Effect::Send { peer, word: word.clone() }));
    }

    /// To this OMM only, as far as the star reaches it from here.
    fn direct(&self, to: OmmId, word: Word, out: &mut Vec<Effect>) {
        if to == self.me {
            out.push(Effect::Deliver(word));
            return;
        }
        let peer = match self.role {
            Role::Central => self.live.get(&to),
            Role::Remote => self.live.first(),
        };
        out.extend(peer.map(|peer| Effect::Send { peer: *peer, word }));
    }

    fn link_up(&mut self, now: Moment, peer: OmmId, out: &mut Vec<Effect>) {
        self.doubt(peer);
        match self.role {
            Role::Central => {
                self.live.insert(peer);
                let claims = self.claims.iter().map(|(user, held)| Word::Claim(held.claim(user, now)));
                out.extend(claims.map(|word| Effect::Send { peer, word }));
                self.tell_bounds(peer, out);
                out.push(Effect::EndOfDownload { peer });
            }
            Role::Remote => {
                // A remote has one link; the central may have moved to its other member.
                self.live = BTreeSet::from([peer]);
                self.downloading = true;
                self.leave_beside();
                self.claims.values_mut().for_each(|held| held.echoed = false);
            }
        }
    }

    fn heard(&mut self, now: Moment, from: OmmId, word: Word, out: &mut Vec<Effect>) {
        match &word {
            Word::Claim(claim) => {
                let news = self.keep(now, claim);
                self.pass_on(from, word, news, out);
            }
            Word::Confirm(confirm) => {
                self.confirmed_beside(confirm);
                self.hub_relay(&word, from, out);
                out.push(Effect::Deliver(word));
            }
            Word::Stale(stale) => {
                let to = stale.to;
                match self.role {
                    Role::Remote if to != self.me => {}
                    Role::Remote | Role::Central => self.direct(to, word, out),
                }
            }
            Word::Bound(bound) => self.hear_bound(from, bound.clone(), out),
        }
    }

    fn pass_on(&mut self, from: OmmId, word: Word, news: News, out: &mut Vec<Effect>) {
        match news {
            News::Newer => {
                self.hub_relay(&word, from, out);
                out.push(Effect::Deliver(word));
            }
            News::Again => {
                if self.downloading {
                    // Only the comparison of the tables; an owner that still waits for an answer asks by itself.
                    self.claims.entry(word.user().clone()).and_modify(|held| held.echoed = true);
                    return;
                }
                self.hub_relay(&word, from, out);
                out.push(Effect::Deliver(word));
            }
            News::Contradicts(owner) => match self.role {
                Role::Remote if owner != self.me => {}
                Role::Central if owner == from => {}
                Role::Remote | Role::Central => self.direct(owner, word, out),
            },
            News::Old => {}
        }
    }

    /// Only the hub passes words on; a remote has nobody behind it.
    fn hub_relay(&self, word: &Word, from: OmmId, out: &mut Vec<Effect>) {
        match self.role {
            Role::Central => self.relay(word, Some(from), out),
            Role::Remote => {}
        }
    }

    /// The central has sent its claims. Now ours, as far as it does not have them.
    fn downloaded(&mut self, now: Moment, peer: OmmId, out: &mut Vec<Effect>) {
        if !self.live.contains(&peer) {
            return;
        }
        match self.role {
            Role::Central => {}
            Role::Remote => {
                self.downloading = false;
                let own = self.claims.iter().filter(|(_, held)| held.owner == self.me && !held.echoed);
                let words = own.map(|(user, held)| Word::Claim(held.claim(user, now)));
                out.extend(words.map(|word| Effect::Send { peer, word }));
                self.tell_bounds(peer, out);
                out.push(Effect::EndOfDownload { peer });
            }
        }
        self.settle_bounds(peer, out);
        out.push(Effect::Joined { peer });
    }

    fn say(&mut self, now: Moment, word: Word, out: &mut Vec<Effect>) {
        match &word {
            Word::Claim(claim) => match self.keep(now, claim) {
                // What is said during the download goes with the upload.
                News::Newer | News::Again if self.downloading => {}
                News::Newer | News::Again => {
                    self.relay(&word, None, out);
                    self.say_beside(&word, out);
                }
                // Overtaken by a newer claim that is on its way to the user's machine.
                News::Contradicts(_) | News::Old => {}
            },
            Word::Confirm(_) => {
                self.relay(&word, None, out);
                self.say_beside(&word, out);
            }
            Word::Stale(stale) => {
                let to = stale.to;
                self.say_beside(&word, out);
                self.direct(to, word, out);
            }
            Word::Bound(bound) => self.say_bound(bound.clone(), out),
        }
    }
}

impl Held {
    fn new(claim: &Claim, now: Moment) -> Held {
        Held {
            device: claim.device,
            epoch: claim.epoch,
            owner: claim.owner,
            former: claim.former,
            phase: claim.phase,
            presence: Presence::aged(claim.age, now),
            echoed: false,
        }
    }

    /// The same as [`Claim::rank`].
    fn rank(&self) -> (Stamp, Phase) {
        (self.epoch, self.phase)
    }

    fn claim(&self, user: &Number, now: Moment) -> Claim {
        Claim {
            user: user.clone(),
            device: self.device,
            epoch: self.epoch,
            owner: self.owner,
            former: self.former,
            phase: self.phase,
            age: self.presence.age(now),
        }
    }
}

impl Machine for Star {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::LinkUp(peer) => self.link_up(now, peer, out),
            Input::LinkDown(peer) => {
                self.live.remove(&peer);
                self.downloading &= !self.live.is_empty();
                self.look_beside(out);
            }
            Input::Heard { from, word } if self.live.contains(&from) => self.heard(now, from, word, out),
            Input::Heard { .. } => {} // The last words of a link that is gone.
            Input::Downloaded(peer) => self.downloaded(now, peer, out),
            Input::Say(word) => self.say(now, word, out),
            Input::Restored(claim) => {
                self.keep(now, &claim);
            }
            Input::Forgotten(user) => {
                self.claims.remove(&user);
                self.bounds.forget(&user);
                self.beside.forget(&user);
            }
            Input::BesideUp(peer) => self.beside_up(now, peer, out),
            Input::BesideDown(peer) => self.beside_down(peer, out),
            Input::HeardBeside { from, word } => self.heard_beside(now, from, word, out),
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        None
    }

    fn wake(&mut self, _now: Moment, _out: &mut Vec<Effect>) {}

    fn note_input(input: &Input) -> Option<Note> {
        match input {
            Input::LinkUp(peer) => Some(Note::new("sync").text("state", "up").text("peer", peer)),
            Input::LinkDown(peer) => Some(Note::new("sync").text("state", "down").text("peer", peer)),
            Input::Downloaded(peer) => Some(Note::new("sync").text("state", "downloaded").text("peer", peer)),
            // The users' machines tell what they say and hear.
            Input::Heard { .. }
            | Input::Say(_)
            | Input::Restored(_)
            | Input::Forgotten(_)
            | Input::BesideUp(_)
            | Input::BesideDown(_)
            | Input::HeardBeside { .. } => None,
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::EndOfDownload { peer } => {
                Some(Note::new("sync").text("state", "sent").text("peer", peer))
            }
            Effect::Joined { peer } => Some(Note::new("sync").text("state", "joined").text("peer", peer)),
            Effect::Send { .. }
            | Effect::SendBeside { .. }
            | Effect::Wanted(_)
            | Effect::Deliver(_)
            | Effect::Shown(_) => None,
        }
    }
}

mod beside;
mod bounds;
#[cfg(test)]
mod tests;
mod whereabouts;
