//! One OMM: runs [`omm::star`]; hires, re-hires and dismisses everybody else.
//!
//! - [`beside`]: remotes without a central. [`canvass`]: what the servers want of the users. [`changes`]: what follows from edits. [`drill`]: an operator moves
//!   the site. [`family`]: the children. [`links`]: those of them that are connections, [`knocks`] whom they let in. [`reception`]: AXI clients.
//!   [`errands`]: what is asked of other OMMs. [`external`]: users of a provisioning server. [`falls`]: what happens when one falls over. [`identity`]: SARI, roster, attachment. [`phones`]: what phones and
//!   calls want. [`steer`]: what a portal wants of the OMM as a whole. [`inspect`]: how it stands, for whoever asks, and [`roll`] how its users do.
//!
//! An OMM that starts over, because it was told to [`Die`], fell over itself, or its children fall over again and
//! again, takes every child with it; whoever hired it hires a new one, and the store decides what that one knows.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use axi::health::Wellbeing;
use axi::health::reading::Reading;
use axi::transaction::Transaction;
use machine::note::Note;
use machine::time::Moment;
use omm::claim::Word;
use omm::directory::Directory;
use omm::directory::sync::{Shared, Sync};
use omm::ids::park::Sari;
use omm::ids::{Ipei, Number};
use omm::link::census::Census;
use omm::link::dial::{Attach, Health};
use omm::link::neighbour::Neighbour;
use omm::link::roster::Roster;
use omm::stamp::{ORIGIN, OmmId};
use omm::star::{Effect, Input, Role, Star};
use sip::uas::Uas;

use crate::binding::Moved;
use crate::direct::{Manner, ToDirect};
use crate::disorder::Disorder;
use crate::doors::{Datagram, Dial, Enter, OpenFlow, Resolve, Seek, Wire};
use crate::epr::Provisioning;
use crate::errands::Recall;
use crate::falls::Falls;
use crate::flows::Known;
use crate::link::ToLink;
use crate::messages::{Die, Fallen, Heard, Say, Stands};
use crate::office::Reception;
use crate::record::{self, Roam};
use crate::seat::{Flow, Seat, Seated};
use crate::site::Site;
use crate::store::{Store, StoreFault};
use family::Children;
use identity::Debts;

mod beside;
mod canvass;
mod changes;
pub mod drill;
pub mod errands;
mod external;
mod falls;
mod family;
pub mod identity;
pub mod inspect;
mod knocks;
mod links;
mod phones;
mod reception;
pub mod revise;
pub mod roll;
pub mod steer;

/// What an OMM is born with.
pub struct Birth {
    /// Who it is and how it is set.
    pub site: Rc<Site>,
    /// Its place in the star.
    pub role: Role,
    /// Users and handsets, as the file says; what the store knows comes on top.
    pub directory: Shared,
    /// What answers phones; its accounts are the directory's.
    pub uas: Uas,
    /// A remote's way to its central; `None` at the central, and at a remote that stands alone.
    pub attach: Option<Attach>,
    /// A remote that does not go to its central for now. The store decides.
    pub detached: bool,
    /// How this remote may speak with others when the central is gone (B-4); `None` is not at all.
    pub direct: Option<Manner>,
    /// What a central's SARI is to be from its first start on; one that is in the store already counts instead.
    pub sari: Option<Sari>,
    /// The central's list of remotes.
    pub roster: Option<Roster>,
    /// The SIP door.
    pub sip: Recipient<Datagram>,
    /// The door that opens SIP streams; `None` where only UDP is spoken.
    pub streams: Option<Recipient<OpenFlow>>,
    /// The DNS, a door for each tier whose server has a name.
    pub dns: BTreeMap<u8, Recipient<Resolve>>,
    /// The DNS, for places to which servers send us; without one only numbers are followed.
    pub places: Option<Recipient<Seek>>,
    /// The AXI door.
    pub dial: Recipient<Dial>,
    /// What it takes to receive AXI clients; `None` where none are wanted.
    pub reception: Option<Reception>,
    /// What it takes to have external users; `None` where none are wanted.
    pub provisioning: Option<Provisioning>,
    /// Who knows what happened to a user lately; `None` where nobody keeps it.
    pub stories: Option<Recipient<Recall>>,
    /// The store.
    pub store: Rc<dyn Store>,
    /// Who hires a new OMM when this one has to start over. The old one is told to [`Die`] first.
    pub fallen: Recipient<Fallen<Arc<str>>>,
}

/// Users that are hired at a stroke when the process starts. Ours: about a millisecond's work, so that answers are heard
/// in between.
const RESUMED_AT_ONCE: usize = 64;

/// The actor of one OMM.
pub struct OmmActor {
    seat: Seat<Star>,
    birth: Birth,
    /// The directory's machine, as it is at the start: its actor is hired with it.
    sync: Sync,
    /// Who was in the file, and is there no more.
    missing: Vec<Number>,
    /// The user who asked last on behalf of a server's health.
    canvassed: Option<Number>,
    /// By tier, the user who looked last whether the server still lists it.
    audited: BTreeMap<u8, Number>,
    /// How the link stands, and since when.
    link_health: Option<(Health, Moment)>,
    /// How sessions were told that all parts do.
    told_health: Option<Wellbeing>,
    /// Remotes whose password is being compared.
    knocks: knocks::Knocks,
    /// What became of the files of external users.
    files: Reading,
    /// What handsets did last here.
    acted: BTreeMap<Ipei, (Transaction, Moment)>,
    /// The system's shared identity, once it is known.
    sari: Option<Sari>,
    /// The one that the store had at the start.
    stored_sari: Option<Sari>,
    /// Who is told of what the store is still writing.
    debts: Debts,
    /// The OMMs with which this one is in step.
    joined: Vec<OmmId>,
    /// The other remotes, as the central told last.
    neighbours: Vec<Neighbour>,
    /// The remotes with which a direct channel stands.
    beside: BTreeSet<OmmId>,
    next_link: u64,
    falls: Falls,
    restarts: u32,
    disorder: Disorder,
    /// What sessions are to be told the number of.
    recount: reception::Recount,
    /// `None` before the start and after the end.
    children: Option<Children>,
    /// What the store knew at the start about users who are not hired yet.
    roams: BTreeMap<Number, Roam>,
}

impl OmmActor {
    /// An OMM that knows what its store knows.
    ///
    /// # Errors
    /// The store cannot be read, or holds a record that cannot: an OMM that forgot a claim would do harm.
    pub fn new(mut birth: Birth) -> Result<OmmActor, StoreFault> {
        let stored_sari = identity::recall(&mut birth)?;
        let site = birth.site.clone();
        let roams = record::roams(birth.store.as_ref(), record::ROAM)?;
        for roam in &roams {
            site.clock.observe(roam.record.epoch);
        }
        let stored = record::stored(birth.store.as_ref())?;
        let planted: Vec<Number> = birth.directory.borrow().users().map(|user| user.number.clone()).collect();
        let (now, wall) = (site.clock.moment(), site.clock.wall());
        let sync = Sync::resume(site.omm, birth.role, birth.directory.clone(), stored, now, wall);
        let missing = {
            let directory = birth.directory.borrow();
            directory.latest().into_iter().for_each(|latest| site.clock.observe(latest));
            planted.into_iter().filter(|number| directory.user(number).is_none()).collect()
        };
        if let Some(attach) = &mut birth.attach {
            attach.census = census(&birth.directory.borrow());
        }
        let neighbours = crate::identity::neighbours(birth.store.as_ref())?;
        let seat = Seat::new(Star::new(site.omm, birth.role), "star", site.clock.clone(), site.trace.clone());
        Ok(OmmActor {
            seat,
            sari: stored_sari.or(birth.sari),
            stored_sari,
            debts: Debts::default(),
            birth,
            sync,
            missing,
            canvassed: None,
            audited: BTreeMap::new(),
            link_health: None,
            told_health: None,
            knocks: knocks::Knocks::default(),
            files: Reading::default(),
            acted: BTreeMap::new(),
            joined: Vec::new(),
            neighbours,
            beside: BTreeSet::new(),
            next_link: 1,
            falls: Falls::default(),
            restarts: 0,
            disorder: Disorder::default(),
            recount: reception::Recount::default(),
            children: None,
            roams: roams.into_iter().map(|roam| (roam.record.user.clone(), roam)).collect(),
        })
    }

    fn site(&self) -> &Rc<Site> {
        &self.birth.site
    }

    /// Puts a line into the trace that no machine has written.
    fn note(&self, note: &Note) {
        let site = self.site();
        site.trace.tell(site.clock.moment(), "omm", note);
    }

    /// Hires some of the users that the store knows, and comes back for the others: the first are registered while the
    /// last are still being hired.
    fn resume(&mut self, ctx: &mut Context<Self>) {
        for _ in 0..RESUMED_AT_ONCE {
            let Some((number, roam)) = self.roams.pop_first() else { return };
            if self.hire_user(&number, Some(roam)).is_none() {
                let text = format_args!("user {number} is in the store but not in the directory");
                self.note(&Note::new("alarm").text("text", text));
            }
        }
        if !self.roams.is_empty() {
            // A message to oneself would be handled before anybody else has a turn.
            let turn = tokio::task::yield_now().into_actor(self);
            ctx.spawn(turn.map(|(), omm, ctx| omm.resume(ctx)));
        }
    }

    fn deliver(&mut self, word: Word) {
        match &word {
            Word::Claim(claim) => self.site().clock.observe(claim.epoch),
            Word::Stale(stale) => self.site().clock.observe(stale.claim.epoch),
            Word::Confirm(_) | Word::Bound(_) => {}
        }
        // A word about a user that this OMM's directory does not know (yet) stays in the star's table.
        if let Some(user) = self.user(&word.user().clone()) {
            user.do_send(Heard(word));
        }
    }
}

/// What the directory has beside what every site has in its file.
fn census(directory: &Directory) -> Census {
    let users = directory.users().filter(|user| user.edited.omm != ORIGIN).count();
    let devices = directory.devices().filter(|device| device.edited.omm != ORIGIN).count();
    Census { users, devices }
}

impl Actor for OmmActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.hire_family(ctx);
        self.hire_office(ctx);
        self.hire_epr(ctx);
        self.hire_errands(ctx);
        self.enrol_all();
        let wall = self.site().clock.wall();
        // A claim that somebody has yet to confirm is announced by its user, behind its REGISTER.
        let told = self.roams.values().filter(|roam| roam.record.awaited.is_empty());
        let claims: Vec<_> = told.map(|roam| roam.record.claim(wall)).collect();
        for claim in claims {
            self.feed(Input::Restored(claim), ctx);
        }
        self.resume(ctx);
        self.settle_sari(self.stored_sari, ctx);
        self.hire_direct(ctx);
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

impl Seated<Star> for OmmActor {
    fn seat(&mut self) -> &mut Seat<Star> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Send { peer, word } => self.tell_link(peer, ToLink::Word(word)),
            Effect::SendBeside { peer, word } => self.tell_direct(ToDirect::Word { peer, word }),
            Effect::Wanted(peer) => self.tell_direct(ToDirect::Wanted(peer)),
            Effect::Deliver(word) => self.deliver(word),
            Effect::EndOfDownload { peer } => self.tell_link(peer, ToLink::EndOfDownload),
            Effect::Joined { peer } => self.joined(peer),
            Effect::Shown(user) => self.tell_placed(&user, ctx),
        }
        Flow::Go
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
        let (now, tier) = (self.site().clock.moment(), usize::from(stands.tier));
        let Some(children) = &mut self.children else { return };
        if let Some(slot) = children.kin.standings.borrow_mut().get_mut(tier) {
            // Another wait is no other state.
            let is_other = discriminant(slot) != discriminant(&stands.standing);
            if let Some(turned) = children.turned.get_mut(tier).filter(|_| is_other) {
                *turned = now;
            }
            *slot = stands.standing;
        }
        self.tell_users(stands);
    }
}

impl Handler<Enter> for OmmActor {
    type Result = ResponseFuture<Option<(u64, Recipient<Wire>)>>;

    fn handle(&mut self, enter: Enter, _: &mut Context<Self>) -> Self::Result {
        let flows = self.children.as_ref().map(|children| children.flows.clone());
        Box::pin(async move { flows?.send(enter).await.ok().flatten() })
    }
}

impl Handler<Moved> for OmmActor {
    type Result = ();

    /// The server of a tier is found elsewhere: its health, the flows, and every user's line have to know.
    fn handle(&mut self, Moved(server): Moved, _: &mut Context<Self>) {
        let (tier, Some(children)) = (usize::from(server.tier), &self.children) else { return };
        match children.kin.servers.borrow_mut().get_mut(tier) {
            Some(known) => *known = server.clone(),
            None => return,
        }
        children.flows.do_send(Known(server.clone()));
        if let Some(health) = children.servers.get(tier) {
            health.do_send(Moved(server.clone()));
        }
        self.tell_users(Moved(server));
    }
}

impl Handler<Die> for OmmActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
