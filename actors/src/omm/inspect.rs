//! How an OMM stands, for whoever asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use machine::time::Wall;
use omm::claim::Claim;
use omm::directory::Directory;
use omm::ids::Number;
use omm::ids::park::Sari;
use omm::link::dial::Health;
use omm::stamp::OmmId;
use omm::star::Role;
use sip::grant::Grant;
use sip::server::Standing;

use super::OmmActor;
use crate::directory::DirectoryActor;
use crate::disorder::Disorder;
use crate::endpoint::EndpointActor;
use crate::user::UserActor;

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
    /// Its link to the central, and for how long and since when it stands like that; `None` at the central.
    pub link: Option<(Health, Duration, Wall)>,
    /// The system's shared identity, once it is known.
    pub sari: Option<Sari>,
    /// The central's roster: remotes by PARI, since when they are on it, and whether they are connected.
    pub remotes: Vec<(OmmId, Wall, bool)>,
    /// The OMMs it is in step with.
    pub joined: Vec<OmmId>,
    /// The remotes with which it speaks without the central (B-4).
    pub beside: Vec<OmmId>,
    /// Its servers, how they stand and since when, by tier.
    pub servers: Vec<(Arc<str>, Standing, Wall)>,
    /// What registrars grant beside the lifetime, by user and tier.
    pub grants: BTreeMap<(Number, u8), Arc<Grant>>,
    /// The newest claim of every user that was ever seen.
    pub claims: Vec<Claim>,
    /// Users in the directory.
    pub users: usize,
    /// Children that fell over and were hired again since the start.
    pub restarts: u32,
    /// What strangers and broken peers brought over AXI.
    pub disorder: Disorder,
}

/// Asks for a copy of the directory: to be exported, backed up, or tried on.
#[derive(Message)]
#[rtype(result = "Directory")]
pub struct Survey;

/// Asks for the address of the endpoint: the SIP door brings its datagrams there.
#[derive(Message)]
#[rtype(result = "Option<Addr<EndpointActor>>")]
pub struct Entrance;

/// Asks for the actor of a user, to look at it.
#[derive(Message)]
#[rtype(result = "Option<Addr<UserActor>>")]
pub struct Find(pub Number);

/// Asks for the actor of the directory, to change it.
#[derive(Message)]
#[rtype(result = "Option<Addr<DirectoryActor>>")]
pub struct Writer;

impl Handler<Inspect> for OmmActor {
    type Result = MessageResult<Inspect>;

    fn handle(&mut self, _: Inspect, _: &mut Context<Self>) -> Self::Result {
        let site = self.site();
        let names = site.servers.iter().map(|server| server.name.clone());
        // By today's calendar, also where the clock was set meanwhile.
        let for_so_long = |moment| site.clock.moment().since(moment);
        let when = |moment| site.clock.wall().back(for_so_long(moment));
        let servers = self.children.as_ref().map(|all| {
            let standings = all.kin.standings.borrow();
            let stood = names.zip(standings.iter()).zip(&all.turned);
            stood.map(|((name, standing), turned)| (name, *standing, when(*turned))).collect()
        });
        MessageResult(Status {
            omm: site.omm,
            role: self.birth.role,
            link: self.link_health.map(|(health, since)| (health, for_so_long(since), when(since))),
            sari: self.sari,
            remotes: self.birth.roster.iter().flat_map(|roster| roster.remotes()).collect(),
            joined: self.joined.clone(),
            beside: self.beside.iter().copied().collect(),
            servers: servers.unwrap_or_default(),
            grants: self.children.iter().flat_map(|all| all.kin.grants.borrow().clone()).collect(),
            claims: self.seat.machine().claims(site.clock.moment()).collect(),
            users: self.birth.directory.borrow().users().len(),
            restarts: self.restarts,
            disorder: self.disorder,
        })
    }
}

impl Handler<Survey> for OmmActor {
    type Result = MessageResult<Survey>;

    fn handle(&mut self, _: Survey, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.birth.directory.borrow().clone())
    }
}

impl Handler<Entrance> for OmmActor {
    type Result = MessageResult<Entrance>;

    fn handle(&mut self, _: Entrance, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.children.as_ref().map(|children| children.endpoint.clone()))
    }
}

impl Handler<Writer> for OmmActor {
    type Result = MessageResult<Writer>;

    fn handle(&mut self, _: Writer, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.children.as_ref().map(|children| children.directory.clone()))
    }
}

impl Handler<Find> for OmmActor {
    type Result = MessageResult<Find>;

    fn handle(&mut self, Find(number): Find, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.children.as_ref().and_then(|children| children.users.get(&number).cloned()))
    }
}
