//! The users of the directory and how each of them stands, for whoever asks (B-10).

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::*;
use axi::look::Registered;
use omm::claim::Claim;
use omm::directory::content::Digest;
use omm::directory::status::Status;
use omm::directory::user::User;
use omm::ids::Number;
use omm::stamp::OmmId;

use super::OmmActor;
use super::reception::registered;
use crate::directory::{Having, Waiting};

/// Asks how much is in the directory, and for its digest; `None` while there is no directory.
#[derive(Message)]
#[rtype(result = "Option<Survey>")]
pub struct Measure;

/// How much is in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Of all records: equal at two OMMs that know the same (I6).
    pub digest: Digest,
    /// Users that are shown.
    pub users: usize,
    /// Handsets that are shown.
    pub devices: usize,
    /// Deleted records that are kept, so that their deletion can be told (SM-7).
    pub tombstones: usize,
    /// Users and handsets that are shown and cannot be used, because another one has the number or IPEI (SM-7).
    pub conflicts: usize,
    /// The same, because there are more than the platform holds (SM-7).
    pub over_limit: usize,
    /// Pieces that wait because they carry stamps of the future (SM-7).
    pub quarantined: usize,
}

/// Asks for all users of the directory, by number.
#[derive(Message)]
#[rtype(result = "Vec<Entry>")]
pub struct Roll;

/// Asks for the user with this number; `None` when there is none.
#[derive(Message)]
#[rtype(result = "Option<(Entry, BTreeMap<OmmId, bool>)>")]
pub struct Show(pub Number);

/// A user, and how it stands.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The user.
    pub user: Arc<User>,
    /// The newest claim about it: who owns it, since when, and when its phone was last seen.
    pub claim: Option<Claim>,
    /// Where it is registered, by the OMM that registered it; what others registered is as they told it last.
    pub registered: BTreeMap<OmmId, Registered>,
}

impl OmmActor {
    fn entry(&self, user: &Arc<User>) -> Entry {
        let star = self.seat.machine();
        Entry {
            user: user.clone(),
            claim: star.claim(self.site().clock.moment(), &user.number),
            registered: star.bounds(&user.number).map(|(by, at)| (by, registered(at))).collect(),
        }
    }
}

impl Handler<Measure> for OmmActor {
    type Result = ResponseFuture<Option<Survey>>;

    fn handle(&mut self, _: Measure, _: &mut Context<Self>) -> Self::Result {
        let directory = self.birth.directory.borrow();
        let users = directory.users().map(|user| user.status);
        let stood: Vec<Status> = users.chain(directory.devices().map(|device| device.status)).collect();
        let count = |wanted: Status| stood.iter().filter(|status| **status == wanted).count();
        let survey = Survey {
            digest: directory.digest(),
            users: directory.users().len(),
            devices: directory.devices().len(),
            tombstones: directory.tombstones(),
            conflicts: count(Status::Conflict),
            over_limit: count(Status::OverLimit),
            quarantined: 0,
        };
        let writer = self.children.as_ref().map(|children| children.directory.clone());
        Box::pin(async move { Some(Survey { quarantined: writer?.send(Waiting).await.ok()?, ..survey }) })
    }
}

impl Handler<Roll> for OmmActor {
    type Result = MessageResult<Roll>;

    fn handle(&mut self, _: Roll, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.birth.directory.borrow().users().map(|user| self.entry(user)).collect())
    }
}

impl Handler<Show> for OmmActor {
    type Result = ResponseFuture<Option<(Entry, BTreeMap<OmmId, bool>)>>;

    fn handle(&mut self, Show(number): Show, _: &mut Context<Self>) -> Self::Result {
        let entry = self.birth.directory.borrow().user(&number).map(|user| self.entry(user));
        let directory = self.children.as_ref().map(|children| children.directory.clone());
        Box::pin(async move {
            let entry = entry?;
            let having = directory?.send(Having(entry.user.clone())).await.unwrap_or_default();
            Some((entry, having))
        })
    }
}
