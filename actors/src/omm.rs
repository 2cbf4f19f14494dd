//! One OMM: runs [`omm::star`]; hires and re-hires everybody else. Children by number, link, tier.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use machine::note::Note;
use machine::time::Moment;
use omm::claim::Word;
use omm::directory::Directory;
use omm::ids::Number;
use omm::link::dial::{Alarm, Attach, Health};
use omm::link::roster::Roster;
use omm::roaming::{Ask, Refusal};
use omm::stamp::OmmId;
use omm::star::{Effect, Input, Role, Star};
use sip::server::Standing;
use sip::uas::Uas;

use crate::disorder::Disorder;
use crate::doors::{Accept, Datagram, Dial, Wire};
use crate::endpoint::{EndpointActor, EndpointWays};
use crate::keeper::Keeper;
use crate::link::{DialActor, FromLink, LinkNews, LinkWays, ServeActor, ToLink};
use crate::messages::{Call, Die, Fallen, Heard, Leave, Left, Located, Reach, Say, Stands, Verdict};
use crate::record::{self, Roam};
use crate::seat::{Flow, Seat, Seated};
use crate::server::{HealthWays, ServerActor};
use crate::site::{Kin, Site};
use crate::store::{Store, StoreFault};
use crate::user::{Absent, Birth as UserBirth, Present, UserActor};

/// Times a child may fall over within [`INTENSITY_WINDOW`] before it is left alone (restart intensity as in OTP).
const INTENSITY: usize = 5;
/// The window of [`INTENSITY`].
const INTENSITY_WINDOW: Duration = Duration::from_secs(60);
/// Connections an OMM holds at a time: ten remotes (M-2.1.1-a), their reconnections, and strangers being refused.
const CONNECTIONS_MAX: usize = 64;
/// Messages from outside that may wait for the OMM.
const MAILBOX: usize = 1024;

/// What an OMM is born with.
pub struct Birth {
    /// Who it is and how it is set.
    pub site: Rc<Site>,
    /// Its place in the star.
    pub role: Role,
    /// Users and handsets.
    pub directory: Directory,
    /// What answers phones; its accounts are the directory's.
    pub uas: Uas,
    /// A remote's way to its central; `None` at the central, and at a remote that stands alone.
    pub attach: Option<Attach>,
    /// The central's list of remotes.
    pub roster: Option<Roster>,
    /// The SIP door.
    pub sip: Recipient<Datagram>,
    /// The AXI door.
    pub dial: Recipient<Dial>,
    /// The store.
    pub store: Rc<dyn Store>,
    /// Who hires a new OMM when this one has to start over.
    pub fallen: Recipient<Fallen<Arc<str>>>,
}

/// Asks how the OMM stands.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct Inspect;

/// How an OMM stands.
#[derive(Clone, Debug)]
pub struct Status {
    /// Who it is.
    pub omm: OmmId,
    /// Its place in the star.
    pub role: Role,
    /// Its link to the central; `None` at the central.
    pub link: Option<Health>,
    /// The OMMs it is in step with.
    pub joined: Vec<OmmId>,
    /// Its servers and how they stand, by tier.
    pub servers: Vec<(Arc<str>, Standing)>,
    /// The newest claim of every user that was ever seen.
    pub claims: Vec<omm::claim::Claim>,
    /// Users in the directory.
    pub users: usize,
    /// Children that fell over and were hired again since the start.
    pub restarts: u32,
    /// What strangers and broken peers brought over AXI.
    pub disorder: Disorder,
}

/// Asks for the address of the endpoint: the SIP door brings its datagrams there.
#[derive(Message)]
#[rtype(result = "Option<Addr<EndpointActor>>")]
pub struct Entrance;

/// Asks for the actor of a user, to look at it.
#[derive(Message)]
#[rtype(result = "Option<Addr<UserActor>>")]
pub struct Find(pub Number);

enum LinkAddr {
    Dial(Addr<DialActor>),
    Serve(Addr<ServeActor>),
}

impl LinkAddr {
    fn tell(&self, message: ToLink) {
        match self {
            LinkAddr::Dial(link) => link.do_send(message),
            LinkAddr::Serve(link) => link.do_send(message),
        }
    }
}

struct Children {
    kin: Rc<Kin>,
    endpoint: Addr<EndpointActor>,
    servers: Vec<Addr<ServerActor>>,
    users: BTreeMap<Number, Addr<UserActor>>,
    links: BTreeMap<u64, (LinkAddr, Option<OmmId>)>,
}

/// The actor of one OMM.
pub struct OmmActor {
    seat: Seat<Star>,
    birth: Birth,
    standings: Vec<Standing>,
    link_health: Option<Health>,
    joined: Vec<OmmId>,
    next_link: u64,
    falls: Vec<Moment>,
    restarts: u32,
    disorder: Disorder,
    children: Option<Children>,
    /// What the store knew at the start, until `started` has hired the users of it.
    roams: Vec<Roam>,
}

impl OmmActor {
    /// An OMM that knows what its store knows. Fails when the store cannot be read.
    pub fn new(birth: Birth) -> Result<OmmActor, StoreFault> {
        let site = birth.site.clone();
        let mut roams = Vec::new();
        for (key, value) in birth.store.load(record::ROAM)? {
            match record::read_roam(&value) {
                Ok(roam) => {
                    site.clock.observe(roam.record.epoch);
                    roams.push(roam);
                }
                Err(fault) => {
                    let key = String::from_utf8_lossy(&key);
                    return Err(StoreFault(format!("the record `{key}` cannot be read: {fault}")));
                }
            }
        }
        let seat = Seat::new(Star::new(site.omm, birth.role), "star", site.clock.clone(), site.trace.clone());
        let standings = vec![Standing::Usable; site.servers.len()];
        Ok(OmmActor {
            seat,
            birth,
            standings,
            link_health: None,
            joined: Vec::new(),
            next_link: 1,
            falls: Vec::new(),
            restarts: 0,
            disorder: Disorder::default(),
            children: None,
            roams,
        })
    }

    fn site(&self) -> &Rc<Site> {
        &self.birth.site
    }

    fn hire_family(&mut self, ctx: &mut Context<Self>) {
        let site = self.birth.site.clone();
        let own = ctx.address();
        let ways = EndpointWays {
            sip: self.birth.sip.clone(),
            located: own.clone().recipient(),
            left: own.clone().recipient(),
            fallen: own.clone().recipient(),
        };
        let endpoint = EndpointActor::new(&site, self.birth.uas.clone(), ways).start();
        let keeper = Keeper::new(self.birth.store.clone(), site.clock.clone(), site.trace.clone()).start();
        let mut servers = Vec::new();
        for server in &site.servers {
            let ways = HealthWays {
                stands: own.clone().recipient(),
                fallen: own.clone().recipient(),
                sip: self.birth.sip.clone(),
                routes: endpoint.clone().recipient(),
            };
            servers.push(ServerActor::new(&site, server.clone(), ways).start());
        }
        let kin = Rc::new(Kin {
            sip: self.birth.sip.clone(),
            routes: endpoint.clone().recipient(),
            verdicts: endpoint.clone().recipient(),
            keeper: keeper.recipient(),
            health: RefCell::new(servers.iter().map(|server| server.clone().recipient()).collect()),
            star: own.recipient(),
        });
        let (users, links) = (BTreeMap::new(), BTreeMap::new());
        self.children = Some(Children { kin, endpoint, servers, users, links });
    }

    /// A user's actor, hired on first need. `None` when the directory does not know the number.
    fn user(
        &mut self,
        number: &Number,
        roam: Option<Roam>,
        ctx: &mut Context<Self>,
    ) -> Option<Addr<UserActor>> {
        let children = self.children.as_mut()?;
        if let Some(user) = children.users.get(number) {
            return Some(user.clone());
        }
        let site = self.birth.site.clone();
        let user = Rc::new(self.birth.directory.user(number)?.clone());
        let device = self.birth.directory.device_of(number);
        let reach = if self.joined.is_empty() { Reach::Down } else { Reach::Up };
        let policy = site.policy_of(device);
        let standings = self.standings.clone();
        let birth = UserBirth { user, policy, roam, standings, reach, fallen: ctx.address().recipient() };
        let actor = UserActor::new(site, children.kin.clone(), birth).start();
        children.users.insert(number.clone(), actor.clone());
        Some(actor)
    }

    fn tell_users<M>(&self, message: M)
    where
        M: actix::Message<Result = ()> + Send + Clone + 'static,
        UserActor: Handler<M>,
    {
        for user in self.children.iter().flat_map(|children| children.users.values()) {
            user.do_send(message.clone());
        }
    }

    fn tell_link(&self, peer: OmmId, message: ToLink) {
        let links = self.children.iter().flat_map(|children| children.links.values());
        for (link, _) in links.filter(|(_, there)| *there == Some(peer)) {
            link.tell(message.clone());
        }
    }

    fn link_ways(&mut self, ctx: &mut Context<Self>) -> LinkWays {
        let link = self.next_link;
        self.next_link += 1;
        LinkWays { link, news: ctx.address().recipient(), fallen: ctx.address().recipient() }
    }

    fn dial(&mut self, ctx: &mut Context<Self>) {
        let Some(attach) = self.birth.attach.clone() else { return };
        let ways = self.link_ways(ctx);
        let link = ways.link;
        let actor = DialActor::new(self.site(), attach, self.birth.dial.clone(), ways).start();
        if let Some(children) = &mut self.children {
            children.links.insert(link, (LinkAddr::Dial(actor), None));
        }
    }

    /// The other side of a knock: the roster decides; a newer connection of the same remote replaces the older one.
    fn knock(&mut self, link: u64, open: &omm::link::frame::Open) {
        let Some(roster) = &mut self.birth.roster else { return };
        let wall = self.birth.site.clock.wall();
        let answer = roster.admit(self.birth.site.clock.moment(), wall, open);
        let Some(children) = &mut self.children else { return };
        if answer.is_err() {
            self.disorder.refused += 1;
        }
        if answer.is_ok() {
            let peer = open.facts.omm;
            for (older, _) in children.links.values().filter(|(_, there)| *there == Some(peer)) {
                older.tell(ToLink::Replaced);
            }
        }
        if let Some((actor, _)) = children.links.get(&link) {
            actor.tell(ToLink::Answered(answer));
        }
    }

    fn joined(&mut self, peer: OmmId) {
        if !self.joined.contains(&peer) {
            self.joined.push(peer);
        }
        self.tell_users(Reach::Up);
    }

    fn parted(&mut self, peer: OmmId) {
        self.joined.retain(|joined| *joined != peer);
        if self.joined.is_empty() {
            self.tell_users(Reach::Down);
        }
    }

    /// Whether a child that fell over may be hired again; if too many fell, the whole OMM starts over.
    fn may_rehire(&mut self, who: &str, ctx: &mut Context<Self>) -> bool {
        let now = self.site().clock.moment();
        self.restarts += 1;
        self.falls.retain(|fall| now.since(*fall) < INTENSITY_WINDOW);
        self.falls.push(now);
        let note = Note::new("fault").text("text", format_args!("{who} fell over and is hired again"));
        self.site().trace.tell(now, "omm", &note);
        let may = self.falls.len() <= INTENSITY;
        if !may {
            self.start_over(ctx);
        }
        may
    }

    fn start_over(&mut self, ctx: &mut Context<Self>) {
        let now = self.site().clock.moment();
        self.site().trace.tell(
            now,
            "omm",
            &Note::new("fault").text("text", "the OMM starts over from its store"),
        );
        self.birth.fallen.do_send(Fallen(self.site().node.clone()));
        ctx.stop();
    }

    fn dismiss(&mut self) {
        let Some(children) = self.children.take() else { return };
        for user in children.users.values() {
            user.do_send(Die);
        }
        for server in &children.servers {
            server.do_send(Die);
        }
        for (link, _) in children.links.values() {
            match link {
                LinkAddr::Dial(link) => link.do_send(Die),
                LinkAddr::Serve(link) => link.do_send(Die),
            }
        }
        children.endpoint.do_send(Die);
    }
}

impl Actor for OmmActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.hire_family(ctx);
        let wall = self.site().clock.wall();
        for roam in std::mem::take(&mut self.roams) {
            self.feed(Input::Restored(roam.record.claim(wall)), ctx);
            let number = roam.record.user.clone();
            if self.user(&number, Some(roam), ctx).is_none() {
                let note = Note::new("alarm")
                    .text("text", format_args!("user {number} is in the store but not in the directory"));
                self.site().trace.tell(self.site().clock.moment(), "omm", &note);
            }
        }
        self.dial(ctx);
        self.seated(Vec::new(), ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.dismiss();
        if std::thread::panicking() {
            self.birth.fallen.do_send(Fallen(self.site().node.clone()));
        }
    }
}

impl Seated for OmmActor {
    type Machine = Star;

    fn seat(&mut self) -> &mut Seat<Star> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { peer, word } => self.tell_link(peer, ToLink::Word(word)),
            Effect::Deliver(word) => self.deliver(word, ctx),
            Effect::EndOfDownload { peer } => self.tell_link(peer, ToLink::EndOfDownload),
            Effect::Joined { peer } => self.joined(peer),
        }
        Flow::Go
    }
}

impl OmmActor {
    fn deliver(&mut self, word: Word, ctx: &mut Context<Self>) {
        match &word {
            Word::Claim(claim) => self.site().clock.observe(claim.epoch),
            Word::Stale(stale) => self.site().clock.observe(stale.claim.epoch),
            Word::Confirm(_) => {}
        }
        // A word about a user that this OMM's directory does not know (yet) stays in the star's table.
        if let Some(user) = self.user(&word.user().clone(), None, ctx) {
            user.do_send(Heard(word));
        }
    }
}

impl Handler<Located> for OmmActor {
    type Result = ();

    fn handle(&mut self, Located { user, device, ask }: Located, ctx: &mut Context<Self>) {
        let device = match device {
            Some(device) => {
                let moved = self.birth.directory.login(&user, device);
                if let Some(displaced) = moved.ok().and_then(|moved| moved.displaced) {
                    let left = Left { user: displaced, how: Leave::LoggedOut, ask: None };
                    ctx.notify(left);
                }
                self.birth.directory.device_of(&user).map(|device| device.ipei)
            }
            None => self.birth.directory.device_of(&user).map(|device| device.ipei),
        };
        match (device, self.user(&user, None, ctx)) {
            (Some(device), Some(actor)) => actor.do_send(Present { device, ask }),
            (None, _) | (_, None) => self.refuse(ask, Refusal::Unknown),
        }
    }
}

impl Handler<Left> for OmmActor {
    type Result = ();

    fn handle(&mut self, Left { user, how, ask }: Left, ctx: &mut Context<Self>) {
        if how == Leave::LoggedOut {
            // Refused for a fixed relation: such a user cannot log out, but its phone may be gone all the same.
            let _ = self.birth.directory.logout(&user);
        }
        match self.user(&user, None, ctx) {
            Some(actor) => actor.do_send(Absent { how, ask }),
            None => self.refuse(ask, Refusal::Unknown),
        }
    }
}

impl OmmActor {
    fn refuse(&self, ask: Option<Ask>, why: Refusal) {
        if let (Some(ask), Some(children)) = (ask, &self.children) {
            children.kin.verdicts.do_send(Verdict { ask, refused: Some(why) });
        }
    }
}

impl Handler<Call> for OmmActor {
    type Result = ();

    fn handle(&mut self, call: Call, ctx: &mut Context<Self>) {
        if let Some(actor) = self.user(&call.user.clone(), None, ctx) {
            actor.do_send(call);
        }
    }
}

impl Handler<Say> for OmmActor {
    type Result = ();

    fn handle(&mut self, Say(word): Say, ctx: &mut Context<Self>) {
        self.feed(Input::Say(word), ctx);
    }
}

impl Handler<Stands> for OmmActor {
    type Result = ();

    fn handle(&mut self, stands: Stands, _: &mut Context<Self>) {
        if let Some(slot) = self.standings.get_mut(usize::from(stands.tier)) {
            *slot = stands.standing;
        }
        self.tell_users(stands);
    }
}

impl Handler<Accept> for OmmActor {
    type Result = Option<Recipient<Wire>>;

    fn handle(&mut self, Accept { peer, line }: Accept, ctx: &mut Context<Self>) -> Self::Result {
        self.birth.roster.as_ref()?;
        if self.children.as_ref().is_none_or(|children| children.links.len() >= CONNECTIONS_MAX) {
            self.disorder.unwanted += 1;
            return None;
        }
        let ways = self.link_ways(ctx);
        let link = ways.link;
        let actor = ServeActor::new(self.site(), &peer, line, ways).start();
        let ear = actor.clone().recipient();
        self.children.as_mut()?.links.insert(link, (LinkAddr::Serve(actor), None));
        Some(ear)
    }
}

impl Handler<FromLink> for OmmActor {
    type Result = ();

    fn handle(&mut self, FromLink { link, news }: FromLink, ctx: &mut Context<Self>) {
        match news {
            LinkNews::Up(peer) => {
                if let Some((_, there)) =
                    self.children.as_mut().and_then(|children| children.links.get_mut(&link))
                {
                    *there = Some(peer);
                }
                self.feed(Input::LinkUp(peer), ctx);
            }
            LinkNews::Downloaded(peer) => self.feed(Input::Downloaded(peer), ctx),
            LinkNews::Down(peer) => {
                if let Some((_, there)) =
                    self.children.as_mut().and_then(|children| children.links.get_mut(&link))
                {
                    *there = None;
                }
                self.feed(Input::LinkDown(peer), ctx);
                self.parted(peer);
            }
            LinkNews::Word { from, word } => self.feed(Input::Heard { from, word }, ctx),
            LinkNews::Knock(open) => self.knock(link, &open),
            LinkNews::Health(health) => self.link_health = Some(health),
            LinkNews::Alarm(Alarm::Protocol) => self.disorder.astray += 1,
            LinkNews::Alarm(Alarm::Held(_) | Alarm::Clock { .. } | Alarm::Slow) => {}
            LinkNews::Misread => self.disorder.misread += 1,
            LinkNews::Broken => self.disorder.broken += 1,
            LinkNews::Ended => {
                if let Some(children) = &mut self.children {
                    children.links.remove(&link);
                }
            }
        }
    }
}

impl Handler<Fallen<Number>> for OmmActor {
    type Result = ();

    fn handle(&mut self, Fallen(number): Fallen<Number>, ctx: &mut Context<Self>) {
        if let Some(children) = &mut self.children {
            children.users.remove(&number);
        }
        if !self.may_rehire(&format!("user/{number}"), ctx) {
            return;
        }
        let stored = self.birth.store.load(&record::roam_key(&number)).ok();
        let roam =
            stored.and_then(|found| found.into_iter().find_map(|(_, value)| record::read_roam(&value).ok()));
        self.user(&number, roam.filter(|roam| roam.record.user == number), ctx);
    }
}

impl Handler<Fallen<u8>> for OmmActor {
    type Result = ();

    fn handle(&mut self, Fallen(tier): Fallen<u8>, ctx: &mut Context<Self>) {
        if !self.may_rehire(&format!("the health of tier {tier}"), ctx) {
            return;
        }
        let Some(server) = self.site().servers.get(usize::from(tier)).cloned() else { return };
        let site = self.birth.site.clone();
        let Some(children) = &mut self.children else { return };
        let own = ctx.address();
        let ways = HealthWays {
            stands: own.clone().recipient(),
            fallen: own.recipient(),
            sip: self.birth.sip.clone(),
            routes: children.endpoint.clone().recipient(),
        };
        let actor = ServerActor::new(&site, server, ways).start();
        if let Some(slot) = children.kin.health.borrow_mut().get_mut(usize::from(tier)) {
            *slot = actor.clone().recipient();
        }
        if let Some(slot) = children.servers.get_mut(usize::from(tier)) {
            *slot = actor;
        }
        // The new machine believes the server usable until it learns otherwise; so does everybody else from now on.
        ctx.notify(Stands { tier, standing: Standing::Usable });
    }
}

impl Handler<Fallen<u64>> for OmmActor {
    type Result = ();

    /// A link that fell over is a link that broke.
    fn handle(&mut self, Fallen(link): Fallen<u64>, ctx: &mut Context<Self>) {
        let gone = self.children.as_mut().and_then(|children| children.links.remove(&link));
        let Some((actor, peer)) = gone else { return };
        if let Some(peer) = peer {
            self.feed(Input::LinkDown(peer), ctx);
            self.parted(peer);
        }
        let dialled = matches!(actor, LinkAddr::Dial(_));
        if self.may_rehire("a link", ctx) && dialled {
            self.dial(ctx);
        }
    }
}

impl Handler<Fallen<()>> for OmmActor {
    type Result = ();

    /// Every binding knows the endpoint: without it the whole family starts over.
    fn handle(&mut self, _: Fallen<()>, ctx: &mut Context<Self>) {
        self.start_over(ctx);
    }
}

impl Handler<Die> for OmmActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Handler<Inspect> for OmmActor {
    type Result = MessageResult<Inspect>;

    fn handle(&mut self, _: Inspect, _: &mut Context<Self>) -> Self::Result {
        let site = self.site();
        let names = site.servers.iter().map(|server| server.name.clone());
        MessageResult(Status {
            omm: site.omm,
            role: self.birth.role,
            link: self.link_health,
            joined: self.joined.clone(),
            servers: names.zip(self.standings.iter().copied()).collect(),
            claims: self.seat.machine().claims(site.clock.moment()).collect(),
            users: self.birth.directory.users().len(),
            restarts: self.restarts,
            disorder: self.disorder,
        })
    }
}

impl Handler<Entrance> for OmmActor {
    type Result = MessageResult<Entrance>;

    fn handle(&mut self, _: Entrance, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.children.as_ref().map(|children| children.endpoint.clone()))
    }
}

impl Handler<Find> for OmmActor {
    type Result = MessageResult<Find>;

    fn handle(&mut self, Find(number): Find, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.children.as_ref().and_then(|children| children.users.get(&number).cloned()))
    }
}
