//! The links of an OMM: the one that a remote dials, those that a central accepts.

use actix::prelude::*;
use omm::link::dial::{Alarm, Health};
use omm::link::frame::{Facts, Open, OpenError, Purpose};
use omm::stamp::OmmId;
use omm::star::Input;

use super::OmmActor;
use crate::direct::ToDirect;
use crate::directory::ToDirectory;
use crate::doors::{Accept, Wire};
use crate::link::{DialActor, FromLink, LinkNews, LinkWays, ServeActor, ToLink};
use crate::messages::{Die, Reach};
use crate::seat::Seated;

/// Connections an OMM holds at a time: ten remotes (M-2.1.1-a), their reconnections, and strangers being refused.
/// Ours.
const CONNECTIONS_MAX: usize = 64;

/// One connection, and who is at its other end once that is known.
pub(super) struct Link {
    actor: LinkAddr,
    /// The address at the other end, without the port; empty where this side dialled.
    from: String,
    /// Who was let in; it is not [`Link::peer`] before its link is up.
    admitted: Option<OmmId>,
    pub(super) peer: Option<OmmId>,
    /// Whether the clocks of both ends are farther apart than is good.
    pub(super) apart: bool,
}

enum LinkAddr {
    Dial(Addr<DialActor>),
    Serve(Addr<ServeActor>),
}

impl Link {
    fn new(actor: LinkAddr, from: String) -> Link {
        Link { actor, from, admitted: None, peer: None, apart: false }
    }

    fn tell(&self, message: ToLink) {
        match &self.actor {
            LinkAddr::Dial(link) => link.do_send(message),
            LinkAddr::Serve(link) => link.do_send(message),
        }
    }

    /// Whether this side dialled it, and has to dial again.
    pub(super) fn is_dialled(&self) -> bool {
        matches!(self.actor, LinkAddr::Dial(_))
    }

    pub(super) fn dismiss(&self) {
        match &self.actor {
            LinkAddr::Dial(link) => link.do_send(Die),
            LinkAddr::Serve(link) => link.do_send(Die),
        }
    }
}

impl OmmActor {
    pub(super) fn tell_link(&self, peer: OmmId, message: ToLink) {
        let links = self.children.iter().flat_map(|children| children.links.values());
        for link in links.filter(|link| link.peer == Some(peer)) {
            link.tell(message.clone());
        }
    }

    /// The link that this side dials; a central has none.
    pub(super) fn tell_dialled(&self, message: ToLink) {
        let mut links = self.children.iter().flat_map(|children| children.links.values());
        if let Some(link) = links.find(|link| link.is_dialled()) {
            link.tell(message);
        }
    }

    fn link_ways(&mut self, ctx: &mut Context<Self>) -> LinkWays {
        let link = self.next_link;
        self.next_link += 1;
        LinkWays { link, news: ctx.address().recipient(), fallen: ctx.address().recipient() }
    }

    /// Hires the remote's end of the link to the central; nothing at an OMM that has none.
    pub(super) fn dial(&mut self, ctx: &mut Context<Self>) {
        let Some(attach) = self.birth.attach.clone() else { return };
        if self.birth.detached {
            self.link_health = Some((Health::Off, self.site().clock.moment()));
            self.tell_health();
            return;
        }
        let ways = self.link_ways(ctx);
        let link = ways.link;
        let actor = DialActor::new(self.site(), attach, self.birth.dial.clone(), ways).start();
        if let Some(children) = &mut self.children {
            children.links.insert(link, Link::new(LinkAddr::Dial(actor), String::new()));
        }
    }

    /// A remote introduced itself: the roster decides.
    fn knock(&mut self, link: u64, open: &Open, ctx: &mut Context<Self>) {
        let knocking = self.children.as_ref().and_then(|children| children.links.get(&link));
        let (Some(roster), Some(knocking)) = (&mut self.birth.roster, knocking) else { return };
        let clock = &self.birth.site.clock;
        let peer = open.facts.omm;
        match roster.admit(clock.moment(), clock.wall(), &knocking.from, open) {
            Ok(admission) if open.purpose == Purpose::Trial => {
                knocking.tell(ToLink::Answered(Ok(admission.facts)))
            }
            Ok(admission) => {
                if let Some(link) = self.children.as_mut().and_then(|children| children.links.get_mut(&link))
                {
                    link.admitted = Some(peer);
                }
                match admission.inscribed {
                    Some(inscribed) => self.inscribe(peer, &inscribed, link, admission.facts, ctx),
                    None => self.welcome(link, admission.facts),
                }
            }
            Err(error) => {
                self.disorder.refused += 1;
                self.disorder.turned_away += u64::from(matches!(error, OpenError::Delayed(_)));
                knocking.tell(ToLink::Answered(Err(error)));
            }
        }
    }

    /// Whoever was let in is told so; a newer connection of the same remote replaces the older one.
    pub(super) fn welcome(&mut self, link: u64, facts: Facts) {
        let Some(children) = &self.children else { return };
        let Some(welcome) = children.links.get(&link) else { return };
        let peer = welcome.admitted;
        for (_, older) in children.links.iter().filter(|(other, older)| **other < link && older.peer == peer)
        {
            older.tell(ToLink::Replaced);
        }
        welcome.tell(ToLink::Answered(Ok(facts)));
        self.introduce_all();
    }

    /// Tells every remote of all others (B-4). Ours: also when nothing has changed for it, since that is one message.
    pub(super) fn introduce_all(&self) {
        let Some(roster) = &self.birth.roster else { return };
        let all = roster.neighbours();
        let links = self.children.iter().flat_map(|children| children.links.values());
        links.for_each(|link| link.tell(ToLink::Neighbours(all.clone())));
    }

    /// Ends the connections of a remote that is on the roster no more.
    pub(super) fn hang_up(&self, remote: OmmId) {
        let links = self.children.iter().flat_map(|children| children.links.values());
        let is_its = |link: &&Link| link.admitted.is_some_and(|admitted| admitted.pari == remote.pari);
        links.filter(is_its).for_each(|link| link.tell(ToLink::Replaced));
    }

    pub(super) fn joined(&mut self, peer: OmmId) {
        if !self.joined.contains(&peer) {
            self.joined.push(peer);
        }
        self.tell_users(Reach::Up);
        self.tell_health();
    }

    fn up(&mut self, link: u64, peer: OmmId, ctx: &mut Context<Self>) {
        let known = self.children.as_mut().and_then(|children| children.links.get_mut(&link));
        let Some(link) = known else { return };
        link.peer = Some(peer);
        self.feed(Input::LinkUp(peer), ctx);
        self.tell_directory(ToDirectory::LinkUp(peer));
        self.tell_health();
    }

    /// The link does not reach `peer` any more. A replaced link may end after its successor came up: then the peer is
    /// still there.
    pub(super) fn parted(&mut self, peer: OmmId, ctx: &mut Context<Self>) {
        let mut links = self.children.iter().flat_map(|children| children.links.values());
        if links.any(|link| link.peer == Some(peer)) {
            return;
        }
        self.feed(Input::LinkDown(peer), ctx);
        self.tell_directory(ToDirectory::LinkDown(peer));
        self.joined.retain(|joined| *joined != peer);
        if self.joined.is_empty() {
            self.tell_users(Reach::Down);
        }
        self.tell_health();
    }

    fn down(&mut self, link: u64, peer: OmmId, ctx: &mut Context<Self>) {
        let known = self.children.as_mut().and_then(|children| children.links.get_mut(&link));
        if let Some(link) = known {
            link.peer = None;
        }
        self.parted(peer, ctx);
    }

    fn stands(&mut self, health: Health) {
        self.link_health = Some((health, self.site().clock.moment()));
        self.tell_direct(ToDirect::Link { in_sync: health == Health::InSync });
        self.tell_health();
    }

    fn ended(&mut self, link: u64) {
        let Some(children) = &mut self.children else { return };
        let Some(admitted) = children.links.remove(&link).and_then(|link| link.admitted) else { return };
        let stands = children.links.values().any(|link| link.admitted == Some(admitted));
        if let (false, Some(roster)) = (stands, &mut self.birth.roster) {
            roster.parted(admitted);
        }
        self.tell_health();
    }

    fn apart(&mut self, link: u64, apart: bool) {
        if let Some(link) = self.children.as_mut().and_then(|children| children.links.get_mut(&link)) {
            link.apart = apart;
        }
        self.tell_health();
    }
}

/// The address without its port: an address that guesses passwords has many ports.
fn host(peer: &str) -> String {
    peer.rsplit_once(':').map_or(peer, |(host, _)| host).to_owned()
}

impl Handler<Accept> for OmmActor {
    type Result = ResponseFuture<Option<Recipient<Wire>>>;

    /// Remotes call a central for a link, and each other for a direct channel.
    fn handle(&mut self, accept: Accept, ctx: &mut Context<Self>) -> Self::Result {
        let direct = self.children.as_ref().and_then(|children| children.direct.clone());
        match direct {
            Some(direct) => Box::pin(async move { direct.send(accept).await.ok().flatten() }),
            None => {
                let ear = self.serve(accept, ctx);
                Box::pin(async move { ear })
            }
        }
    }
}

impl OmmActor {
    /// Hires the central's end of a link.
    fn serve(&mut self, Accept { peer, line }: Accept, ctx: &mut Context<Self>) -> Option<Recipient<Wire>> {
        self.birth.roster.as_ref()?;
        if self.children.as_ref().is_none_or(|children| children.links.len() >= CONNECTIONS_MAX) {
            self.disorder.unwanted += 1;
            return None;
        }
        let ways = self.link_ways(ctx);
        let link = ways.link;
        let actor = ServeActor::new(self.site(), &peer, line, ways).start();
        let ear = actor.clone().recipient();
        self.children.as_mut()?.links.insert(link, Link::new(LinkAddr::Serve(actor), host(&peer)));
        Some(ear)
    }
}

impl Handler<FromLink> for OmmActor {
    type Result = ();

    fn handle(&mut self, FromLink { link, news }: FromLink, ctx: &mut Context<Self>) {
        match news {
            LinkNews::Up(peer) => self.up(link, peer, ctx),
            LinkNews::Downloaded(peer) => self.feed(Input::Downloaded(peer), ctx),
            LinkNews::Down(peer) => self.down(link, peer, ctx),
            LinkNews::Word { from, word } => self.feed(Input::Heard { from, word }, ctx),
            LinkNews::Learn { from, word } => self.tell_directory(ToDirectory::Heard { from, word }),
            LinkNews::Ask => self.tell_directory(ToDirectory::Ask),
            LinkNews::Knock(open) => self.knock(link, &open, ctx),
            LinkNews::Learned(sari) => self.learned(sari, ctx),
            LinkNews::Neighbours(all) => self.meet(all, ctx),
            LinkNews::Health(health) => self.stands(health),
            LinkNews::Apart(apart) => self.apart(link, apart),
            LinkNews::Alarm(Alarm::Protocol) => self.disorder.astray += 1,
            // The link's own trace line has said it.
            LinkNews::Alarm(
                Alarm::Held(_) | Alarm::NotEmpty(_) | Alarm::Clock { .. } | Alarm::Slow { .. },
            ) => {}
            LinkNews::Misread => self.disorder.misread += 1,
            LinkNews::Broken => self.disorder.broken += 1,
            LinkNews::Ended => self.ended(link),
        }
    }
}
