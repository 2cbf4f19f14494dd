//! One user at one OMM: runs [`omm::roaming`] and, beside it, [`sip::line`]. Here a "Bind" becomes a REGISTER: `omm` and
//! `sip` do not know each other.
//!
//! One actor for two machines, because there are ten thousand of them (M-2.2.1-d), and neither goes on without the other:
//! when one falls over, both start over from the record. What one wants of the other is put aside until its step is over.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use axi::transaction::Transaction;
use machine::time::Wall;
use omm::claim::{Claim, Outcome};
use omm::directory::user::User;
use omm::ids::Ipei;
use omm::roaming::policy::{Evidence, Policy};
use omm::roaming::record::{Contact, Record};
use omm::roaming::{Ask, Effect, Input, Refusal, Roaming, Sighting, State};
use omm::stamp::Stamp;
use sip::line::{self, Line};
use sip::report::{Listed, Removal};
use sip::shaper::Rank;
use sip::uri::Uri;

use crate::keeper::{Keep, Kept};
use crate::messages::{Acted, Call, Die, Fallen, Heard, Leave, Reach, Say, Verdict};
use crate::record::{self, Roam};
use crate::seat::{Flow, Seat, Seated};
use crate::site::{Kin, Login};
use front::Front;

mod front;
mod servers;

/// How many effects and goodbyes of one user may wait for the store. While the disk is broken for hours, a phone that
/// registers again and again is refused (503) instead of being remembered. Ours: an hour of a phone that comes every
/// minute, with room for the words of the other OMMs.
pub const WAITING_MAX: usize = 256;

/// A phone proved that it is here; the directory has said which handset.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Present {
    /// The handset.
    pub device: Ipei,
    /// The request that waits for the verdict.
    pub ask: Option<Ask>,
}

/// The phone left.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Absent {
    /// The handset, as the directory has it.
    pub device: Option<Ipei>,
    /// How.
    pub how: Leave,
    /// The request that waits for the verdict.
    pub ask: Option<Ask>,
}

/// What somebody who asks is told of a user.
#[derive(Message)]
#[rtype(result = "Profile")]
pub struct Look;

/// A user as one OMM sees it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Where the machine stands.
    pub state: State,
    /// The newest claim it knows.
    pub claim: Option<Claim>,
    /// The tier at which it is registered here.
    pub tier: Option<u8>,
    /// Effects that wait for the store.
    pub waiting: usize,
}

/// What waits until the step of the other machine is over.
enum Aside {
    /// The roaming wants this first, when it goes on after a restart.
    Resumed(Vec<Effect>),
    /// The line is to be told this.
    Line(line::Input),
    /// The roaming is to be told this.
    Roaming(Input),
}

/// What a user has yet to do. There is nothing nearly always, ten thousand times.
#[derive(Default)]
struct Agenda {
    /// What one machine wants of the other, in order.
    aside: VecDeque<Aside>,
    /// Phones that said goodbye and wait for the answer; one at a time in practice, at most [`WAITING_MAX`].
    goodbyes: Vec<Ask>,
}

/// The actor of one user.
pub struct UserActor {
    seat: Seat<Roaming>,
    kin: Rc<Kin>,
    login: Box<Login>,
    /// `None` for a user who was never to be registered here.
    line: Option<Box<Front>>,
    agenda: Option<Box<Agenda>>,
    reach: Reach,
    /// The tier of the last success.
    tier: Option<u8>,
    /// The epoch of our contact that may be at a registrar; kept with the record, so that a restart knows it.
    bound: Option<Stamp>,
}

/// What a user's actor is born with.
pub struct Birth<'a> {
    /// Who it is.
    pub user: &'a User,
    /// The rules of its roaming.
    pub policy: Arc<Policy>,
    /// What the store knows.
    pub roam: Option<Roam>,
    /// Whether the other OMMs can be reached.
    pub reach: Reach,
}

impl UserActor {
    /// Hires the machine of a user: from what the store knows, or new.
    pub fn new(kin: Rc<Kin>, birth: Birth<'_>) -> UserActor {
        let site = &kin.site;
        let Birth { user, policy, roam, reach } = birth;
        let bound = roam.as_ref().and_then(|roam| roam.bound);
        let mut resumed = Vec::new();
        let machine = match roam {
            Some(Roam { record, .. }) => {
                let (now, wall) = (site.clock.moment(), site.clock.wall());
                Roaming::resume(site.omm, policy, record, now, wall, &mut resumed)
            }
            None => Roaming::new(site.omm, user.number.clone(), policy),
        };
        let who = format!("user/{}", user.number);
        let login = Box::new(Login::of(user));
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        let mut actor = UserActor { seat, kin, login, line: None, agenda: None, reach, tier: None, bound };
        actor.put_aside(Aside::Resumed(resumed));
        actor
    }

    fn put_aside(&mut self, step: Aside) {
        self.agenda.get_or_insert_default().aside.push_back(step);
    }

    /// Tells the roaming.
    fn roam(&mut self, input: Input, ctx: &mut Context<Self>) {
        Seated::<Roaming>::feed(self, input, ctx);
    }

    /// Tells each machine what the other has put aside for it.
    fn go_on(&mut self, ctx: &mut Context<Self>) {
        while let Some(step) = self.agenda.as_mut().and_then(|agenda| agenda.aside.pop_front()) {
            match step {
                Aside::Resumed(effects) => Seated::<Roaming>::seated(self, effects, ctx),
                Aside::Line(input) => Seated::<Line>::feed(self, input, ctx),
                Aside::Roaming(input) => self.roam(input, ctx),
            }
        }
        self.agenda.take_if(|agenda| agenda.goodbyes.is_empty());
    }

    fn wall(&self) -> Wall {
        self.kin.site.clock.wall()
    }

    fn save(&mut self, record: Record, ctx: &mut Context<Self>) -> Flow {
        match record.contact {
            Contact::Standing => self.bound = Some(record.epoch),
            Contact::Nothing => self.bound = None,
            Contact::Leaving | Contact::Doubtful => {}
        }
        let write = record::roam(&Roam { record, bound: self.bound });
        self.kin.keeper.do_send(Keep { writes: vec![write], reply: ctx.address().recipient() });
        Flow::Hold
    }

    /// A goodbye is answered when all that followed from it is durable.
    fn say_goodbye(&mut self) {
        let goodbyes = self.agenda.as_mut().filter(|_| !self.seat.is_holding()).map(|all| &mut all.goodbyes);
        for ask in goodbyes.map(std::mem::take).unwrap_or_default() {
            self.kin.verdicts.do_send(Verdict { ask, refused: None });
            self.tell_act(Transaction::Detach);
        }
    }

    fn tell_act(&self, what: Transaction) {
        if let Some(clients) = &self.kin.acted {
            clients.do_send(Acted { user: self.seat.machine().user().clone(), what });
        }
    }

    /// The store has not answered for so long that no more can be remembered.
    fn is_jammed(&self) -> bool {
        self.seat.held() + self.agenda.as_ref().map_or(0, |agenda| agenda.goodbyes.len()) >= WAITING_MAX
    }

    fn refuse(&self, ask: Option<Ask>) {
        if let Some(ask) = ask {
            self.kin.verdicts.do_send(Verdict { ask, refused: Some(Refusal::Overtaken) });
        }
    }

    /// Whoever did not come from another OMM waits behind those who did (SM-3): it is a start-up, of a process or of
    /// a phone.
    fn hasten(&mut self) {
        if !self.seat.machine().has_taken_over() {
            self.want(line::Input::Haste(Rank::StartUp));
        }
    }

    /// Only where the registrar's list may decide anything is it asked before a refresh (SM-3).
    fn asks_before_refresh(&self) -> bool {
        self.reach == Reach::Down && self.kin.site.policy.evidence != Evidence::Off
    }
}

/// Reads the roam that a sibling's contact carries; contacts without our parameters are nobody's business (spec 10).
fn sighting(listed: &Listed) -> Option<Sighting> {
    if listed.own {
        return None;
    }
    let uri = Uri::parse(&listed.uri).ok()?;
    let owner = uri.param("hm-site")?.parse().ok()?;
    let epoch = uri.param("hm-ep")?.parse().ok()?;
    Some(Sighting { owner, epoch, contact: listed.uri.clone() })
}

fn outcome(removal: Removal) -> Outcome {
    match removal {
        Removal::Nothing => Outcome::None,
        Removal::Removed => Outcome::Removed,
        Removal::Failed(_) => Outcome::Failed,
        Removal::Unknown => Outcome::Unknown,
    }
}

impl Actor for UserActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.go_on(ctx);
    }

    /// However it ends, its bindings end with it: they have timers of their own, and would go on for ever.
    fn stopped(&mut self, _: &mut Context<Self>) {
        self.dismiss();
        if std::thread::panicking() {
            self.kin.fallen.do_send(Fallen(self.seat.machine().user().clone()));
        }
    }
}

impl Seated<Roaming> for UserActor {
    fn settled(&mut self, ctx: &mut Context<Self>) {
        self.go_on(ctx);
    }

    fn seat(&mut self) -> &mut Seat<Roaming> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Save(record) => return self.save(record, ctx),
            Effect::Admit(ask) => {
                self.kin.verdicts.do_send(Verdict { ask, refused: None });
                self.tell_act(Transaction::LocReg);
            }
            Effect::Refuse(ask, why) => self.kin.verdicts.do_send(Verdict { ask, refused: Some(why) }),
            Effect::Bind { epoch } => {
                let contact = self.kin.site.contact(self.seat.machine().user(), epoch);
                self.hasten();
                self.want(line::Input::Bind { contact });
            }
            Effect::Renew => self.want(line::Input::Renew),
            Effect::Unbind => self.want(line::Input::Unbind),
            Effect::Query => {
                self.hasten();
                self.want(line::Input::Query);
            }
            Effect::Evict(contacts) => self.want(line::Input::Evict(contacts)),
            Effect::Say(word) => self.kin.star.do_send(Say(word)),
            Effect::Watch(_) | Effect::Alarm(_) => {}
        }
        Flow::Go
    }
}

impl Handler<Kept> for UserActor {
    type Result = ();

    fn handle(&mut self, _: Kept, ctx: &mut Context<Self>) {
        Seated::<Roaming>::release(self, ctx);
        self.say_goodbye();
    }
}

impl Handler<Present> for UserActor {
    type Result = ();

    fn handle(&mut self, Present { device, ask }: Present, ctx: &mut Context<Self>) {
        if self.is_jammed() {
            return self.refuse(ask);
        }
        let (stamp, wall) = (self.kin.site.clock.stamp(), self.wall());
        self.roam(Input::Located { device, ask, stamp, wall }, ctx);
    }
}

impl Handler<Absent> for UserActor {
    type Result = ();

    fn handle(&mut self, Absent { device, how, ask }: Absent, ctx: &mut Context<Self>) {
        if self.is_jammed() {
            return self.refuse(ask);
        }
        let wall = self.wall();
        let input = match how {
            Leave::Detached => Input::Detached { device, wall },
            Leave::LoggedOut => Input::Withdrawn { wall },
        };
        self.roam(input, ctx);
        if let Some(ask) = ask {
            self.agenda.get_or_insert_default().goodbyes.push(ask);
        }
        self.say_goodbye();
    }
}

impl Handler<Heard> for UserActor {
    type Result = ();

    /// Words are said again by those who said them: one that finds no room is lost like one on a broken link.
    fn handle(&mut self, Heard(word): Heard, ctx: &mut Context<Self>) {
        if self.is_jammed() {
            return;
        }
        let (stamp, wall) = (self.kin.site.clock.stamp(), self.wall());
        self.roam(Input::Heard { word, stamp, wall }, ctx);
    }
}

impl Handler<Reach> for UserActor {
    type Result = ();

    fn handle(&mut self, reach: Reach, ctx: &mut Context<Self>) {
        self.reach = reach;
        if self.kin.site.policy.evidence != Evidence::Off {
            self.tell_line(line::Input::Caution(reach == Reach::Down));
        }
        match reach {
            Reach::Up => self.roam(Input::LinkUp, ctx),
            Reach::Down => self.go_on(ctx),
        }
    }
}

impl Handler<Call> for UserActor {
    type Result = ();

    fn handle(&mut self, call: Call, ctx: &mut Context<Self>) {
        self.tell_line(line::Input::Busy(call.active));
        let wall = self.wall();
        self.roam(Input::Call { active: call.active, wall }, ctx);
    }
}

impl Handler<Look> for UserActor {
    type Result = MessageResult<Look>;

    fn handle(&mut self, _: Look, _: &mut Context<Self>) -> Self::Result {
        let machine = self.seat.machine();
        MessageResult(Profile {
            state: machine.state(),
            claim: machine.claim(self.kin.site.clock.moment()),
            tier: self.tier,
            waiting: self.seat.held(),
        })
    }
}

impl Handler<Die> for UserActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
