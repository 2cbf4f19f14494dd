//! One user at one OMM: runs [`omm::roaming`]. Here a "Bind" becomes a REGISTER: `omm` and `sip` do not know each other.

use std::rc::Rc;

use actix::prelude::*;
use machine::time::{Moment, Wall};
use omm::claim::Outcome;
use omm::directory::user::User;
use omm::ids::Ipei;
use omm::roaming::{Ask, Effect, Input, Record, Roaming, Sighting};
use sip::line;
use sip::report::{Listed, Removal};
use sip::server::Standing;
use sip::uri::Uri;

use crate::keeper::{Keep, Kept};
use crate::line::{LineActor, LineNews, LineWays, Want};
use crate::messages::{Call, Fallen, Heard, Leave, Reach, Say, Stands, Verdict};
use crate::record;
use crate::seat::{Flow, Seat, Seated};
use crate::site::{Kin, Site};

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
#[derive(MessageResponse, Clone, Debug)]
pub struct Profile {
    /// The machine's state in one word.
    pub state: &'static str,
    /// What it would save.
    pub record: Option<Record>,
    /// The tier at which it is registered here.
    pub tier: Option<u8>,
}

/// The actor of one user.
pub struct UserActor {
    seat: Seat<Roaming>,
    site: Rc<Site>,
    kin: Rc<Kin>,
    user: Rc<User>,
    line: Option<Addr<LineActor>>,
    standings: Vec<Standing>,
    reach: Reach,
    tier: Option<u8>,
    fallen: Recipient<Fallen<omm::ids::Number>>,
}

impl UserActor {
    /// Hires the machine of `user`: from what the store knows, or new.
    pub fn new(
        site: Rc<Site>,
        kin: Rc<Kin>,
        user: Rc<User>,
        record: Option<Record>,
        standings: Vec<Standing>,
        reach: Reach,
        fallen: Recipient<Fallen<omm::ids::Number>>,
        pari_only: Option<omm::stamp::OmmId>,
    ) -> UserActor {
        let policy = site.policy.of_device(pari_only);
        let machine = match record {
            Some(record) => Roaming::resume(site.omm, record, policy, site.clock.moment(), site.clock.wall()),
            None => Roaming::new(site.omm, user.number.clone(), policy),
        };
        let who = format!("user/{}", user.number);
        let seat = Seat::new(machine, who, site.clock.clone(), site.trace.clone());
        UserActor { seat, site, kin, user, line: None, standings, reach, tier: None, fallen }
    }

    fn wall(&self) -> Wall {
        self.site.clock.wall()
    }

    fn tell_line(&mut self, input: line::Input, ctx: &mut Context<Self>) {
        self.line(ctx).do_send(Want(input));
    }

    /// The line, hired on first need and told how the servers stand.
    fn line(&mut self, ctx: &mut Context<Self>) -> Addr<LineActor> {
        if let Some(line) = &self.line {
            return line.clone();
        }
        let ways = LineWays { news: ctx.address().recipient(), fallen: ctx.address().recipient() };
        let line = LineActor::new(self.site.clone(), self.kin.clone(), self.user.clone(), ways).start();
        for (tier, standing) in (0u8..).zip(&self.standings) {
            if *standing != Standing::Usable {
                line.do_send(Want(line::Input::Server { tier, standing: *standing }));
            }
        }
        if self.reach == Reach::Down && self.site.policy.asks_before_refresh() {
            line.do_send(Want(line::Input::Caution(true)));
        }
        self.line = Some(line.clone());
        line
    }

    /// What the registrar lists besides our own contact, as evidence for the roaming machine (S-04, B-2).
    fn sightings(&self, listed: &[Listed]) -> Vec<Sighting> {
        listed.iter().filter(|contact| !contact.own).filter_map(|contact| sighting(&contact.uri)).collect()
    }
}

/// Reads the roam that a sibling's contact carries; contacts without our parameters are nobody's business (spec 10).
fn sighting(contact: &str) -> Option<Sighting> {
    let uri = Uri::parse(contact).ok()?;
    let owner = uri.param("hm-site")?.parse().ok()?;
    let epoch = uri.param("hm-ep")?.parse().ok()?;
    Some(Sighting { owner, epoch, contact: contact.to_owned() })
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
        self.seated(ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if std::thread::panicking() {
            self.fallen.do_send(Fallen(self.user.number.clone()));
        }
    }
}
