//! What an OMM does for its AXI clients: hires their office, knows what they ask, changes what they may change.

use std::time::Duration;

use actix::prelude::*;
use axi::edits::edits;
use axi::error::{ErrCode, Refused};
use axi::health::{Condition, Progress, Remote};
use axi::look::{self, Registered, View};
use axi::news::News;
use axi::reply::Reply;
use axi::request::Look;
use axi::showing;
use axi::system;
use machine::note::Note;
use omm::claim::{Bound, Place, Word};
use omm::directory::edit::Changed;
use omm::ids::Number;
use omm::stamp::OmmId;
use omm::star::Input;

use super::OmmActor;
use crate::directory::Change;
use crate::doors::{Visit, Wire};
use crate::messages::{Fallen, Placed};
use crate::office::{Amend, Glance, Happened, Misbehaved, OfficeActor, OfficeFell, OfficeWays};
use crate::seat::Seated;
use crate::settings;

/// How soon sessions are told how many users and handsets there are, after the first change. Ours: whoever brings in ten
/// thousand users must not have all of them counted for each.
const RECOUNT: Duration = Duration::from_millis(200);

/// The same when registrations come and go. Ours: a cold start has thousands a second.
const REGISTRATIONS: Duration = Duration::from_secs(2);

/// Of what there are more or fewer than sessions were told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recount {
    users: bool,
    devices: bool,
}

impl OmmActor {
    /// Hires the office of AXI clients; nothing at an OMM that has none.
    pub(super) fn hire_office(&mut self, ctx: &mut Context<Self>) {
        let Some(reception) = self.birth.reception.clone() else { return };
        let settings = match settings::read(self.birth.store.as_ref()) {
            Ok(settings) => settings,
            Err(fault) => return self.note(&Note::new("alarm").text("text", fault)),
        };
        let site = self.site().clone();
        let Some(children) = &mut self.children else { return };
        let own = ctx.address();
        let ways = OfficeWays {
            glance: own.clone().recipient(),
            amend: own.clone().recipient(),
            import: own.clone().recipient(),
            links: own.clone().recipient(),
            misbehaved: own.clone().recipient(),
            keeper: children.kin.keeper.clone(),
            fallen: own.recipient(),
        };
        children.office = Some(OfficeActor::new(site, reception, settings, ways).start());
    }

    fn glance(&self, look: &Look, sync: bool) -> Result<Reply, Refused> {
        match look {
            Look::Sari => Ok(system::sari(self.birth.directory.borrow().sari().or(self.sari))),
            Look::Health => Ok(self.condition().reply()),
            look => {
                let directory = self.birth.directory.borrow();
                let view = View {
                    directory: &directory,
                    roam: &|user| self.seat.machine().claim(self.site().clock.moment(), user),
                    registered: &|user| self.registered(user),
                };
                // What is not in the directory is known to the office, which has not asked for it.
                look::look(look, sync, &view).unwrap_or_else(|| Err(Refused::new(ErrCode::Failed)))
            }
        }
    }

    /// Where a user is registered from here.
    fn bound(&self, user: &Number) -> Option<Place> {
        let kin = &self.children.as_ref()?.kin;
        let tier = *kin.bound.borrow().get(user)?;
        let servers = kin.servers.borrow();
        let target = servers.get(usize::from(tier))?.targets.first()?;
        Some(Place { tier, server: target.addr })
    }

    /// Where a user is registered: by the OMM that owns it, as far as this one was told (B-10).
    fn registered(&self, user: &Number) -> Option<Registered> {
        let star = self.seat.machine();
        let owner = star.claim(self.site().clock.moment(), user)?.owner;
        star.bounds(user).find(|(by, _)| *by == owner).map(|(_, at)| registered(at))
    }

    /// Tells the sessions that a phone is registered elsewhere, or not any more (axi 5: `EventPPState`).
    pub(super) fn tell_placed(&mut self, user: &Number, ctx: &mut Context<Self>) {
        let Some(office) = self.children.as_ref().and_then(|children| children.office.as_ref()) else {
            return;
        };
        if let Some(device) = self.birth.directory.borrow().device_of(user) {
            let changed = look::placed(self.registered(user));
            office.do_send(Happened(vec![News::State { ppn: device.ppn.get(), changed }]));
        }
        // One more or fewer is registered (`nSipRegistration`).
        self.recount_after(REGISTRATIONS, Recount { users: true, devices: false }, ctx);
    }

    /// Counts, and tells the sessions; what has to be counted by then is counted together.
    fn recount_after(&mut self, pause: Duration, recount: Recount, ctx: &mut Context<Self>) {
        let is_set = self.recount.users || self.recount.devices;
        self.recount.users |= recount.users;
        self.recount.devices |= recount.devices;
        if !is_set && (recount.users || recount.devices) {
            ctx.run_later(pause, |omm, _| omm.recount());
        }
    }

    /// How the link to the central does; at a central those to its remotes.
    fn condition(&self) -> Condition {
        let links = || self.children.iter().flat_map(|children| children.links.values());
        if let Some((health, _)) = self.link_health {
            return Condition::of_link(health, links().any(|link| link.is_dialled() && link.apart));
        }
        let roster = self.birth.roster.iter().flat_map(|roster| roster.remotes());
        Condition::of_remotes(roster.map(|(remote, _, _)| {
            let is_its = |omm: OmmId| omm.pari == remote.pari;
            let mut its = links().filter(|link| link.peer.is_some_and(is_its)).peekable();
            let progress = match its.peek() {
                None => Progress::Away,
                Some(_) if self.joined.iter().copied().any(is_its) => Progress::InStep,
                Some(_) => Progress::Synchronising,
            };
            Remote { progress, apart: its.any(|link| link.apart) }
        }))
    }

    /// Tells the sessions how the links do now, if they do otherwise (axi 5: `EventHealthState`).
    pub(super) fn tell_health(&mut self) {
        let condition = self.condition();
        let Some(office) = self.children.as_ref().and_then(|children| children.office.as_ref()) else {
            return;
        };
        if self.told_health.replace(condition) != Some(condition) {
            office.do_send(Happened(vec![News::Health(condition.reply())]));
        }
    }

    /// Tells the sessions that the SARI is known now (axi 5: `EventSARICnf`).
    pub(super) fn tell_sari(&self) {
        if let Some(office) = self.children.as_ref().and_then(|children| children.office.as_ref()) {
            let sari = self.birth.directory.borrow().sari().or(self.sari);
            office.do_send(Happened(vec![News::Sari(system::sari(sari))]));
        }
    }

    /// Tells the sessions what is shown differently now.
    pub(super) fn tell_office(&mut self, changed: &Changed, ctx: &mut Context<Self>) {
        let Some(office) = self.children.as_ref().and_then(|children| children.office.as_ref()) else {
            return;
        };
        let directory = self.birth.directory.borrow();
        let roam = |user: &Number| self.seat.machine().claim(self.site().clock.moment(), user);
        let mut news = showing::news(changed, &directory, &roam);
        if changed.sari {
            news.push(News::Sari(system::sari(directory.sari())));
        }
        office.do_send(Happened(news));
        let came = |before: bool, now: bool| before != now;
        let mut users = changed.users.iter();
        let mut devices = changed.devices.iter();
        let recount = Recount {
            users: users.any(|(uid, before)| came(before.is_some(), directory.user_at(*uid).is_some())),
            devices: devices.any(|(ppn, before)| came(before.is_some(), directory.device_at(*ppn).is_some())),
        };
        drop(directory);
        self.recount_after(RECOUNT, recount, ctx);
    }

    /// Tells the sessions how many there are now.
    fn recount(&mut self) {
        let Recount { users, devices } = std::mem::take(&mut self.recount);
        let Some(office) = self.children.as_ref().and_then(|children| children.office.as_ref()) else {
            return;
        };
        let directory = &*self.birth.directory.borrow();
        let roam = |user: &Number| self.seat.machine().claim(self.site().clock.moment(), user);
        let view = View { directory, roam: &roam, registered: &|user| self.registered(user) };
        let users = users.then(|| News::UserSummary(look::user_summary(&view)));
        let devices = devices.then(|| News::DeviceSummary(look::device_summary(directory)));
        office.do_send(Happened(users.into_iter().chain(devices).collect()));
    }
}

/// A place as it is shown.
pub(super) fn registered(Place { tier, server }: Place) -> Registered {
    Registered { tier, host: server.ip().to_string(), port: server.port() }
}

impl Handler<Visit> for OmmActor {
    type Result = ResponseFuture<Option<Recipient<Wire>>>;

    fn handle(&mut self, visit: Visit, _: &mut Context<Self>) -> Self::Result {
        let office = self.children.as_ref().and_then(|children| children.office.clone());
        Box::pin(async move { office?.send(visit).await.ok().flatten() })
    }
}

impl Handler<Glance> for OmmActor {
    type Result = Result<Reply, Refused>;

    fn handle(&mut self, Glance { look, sync }: Glance, _: &mut Context<Self>) -> Self::Result {
        self.glance(&look, sync)
    }
}

impl Handler<Amend> for OmmActor {
    type Result = ResponseFuture<Result<(u32, u32), Refused>>;

    /// One edit after the other; what is behind a refused one is not done. The answer comes when the store has them.
    fn handle(&mut self, Amend(change): Amend, _: &mut Context<Self>) -> Self::Result {
        let edits = edits(&change, &self.birth.directory.borrow(), self.site().omm);
        let directory = self.children.as_ref().map(|children| children.directory.clone());
        Box::pin(async move {
            let gone = || Refused::new(ErrCode::Failed);
            let directory = directory.ok_or_else(gone)?;
            let (mut uid, mut ppn) = (0, 0);
            for edit in edits? {
                let done = directory.send(Change(edit)).await.ok().flatten().ok_or_else(gone)?;
                let done = done.map_err(|refusal| Refused::from(&refusal))?;
                uid = done.uid.map_or(uid, |done| done.get());
                ppn = done.ppn.map_or(ppn, |done| done.get());
            }
            Ok((uid, ppn))
        })
    }
}

impl Handler<Placed> for OmmActor {
    type Result = ();

    fn handle(&mut self, Placed(user): Placed, ctx: &mut Context<Self>) {
        let (by, at) = (self.site().omm, self.bound(&user));
        self.feed(Input::Say(Word::Bound(Bound { user: user.clone(), by, at })), ctx);
        self.tell_placed(&user, ctx);
    }
}

impl Handler<Misbehaved> for OmmActor {
    type Result = ();

    fn handle(&mut self, misbehaved: Misbehaved, _: &mut Context<Self>) {
        let count = match misbehaved {
            Misbehaved::Misread => &mut self.disorder.misread,
            Misbehaved::Astray => &mut self.disorder.astray,
            Misbehaved::Broken => &mut self.disorder.broken,
            Misbehaved::Refused => &mut self.disorder.refused,
            Misbehaved::TurnedAway => {
                self.disorder.refused += 1;
                &mut self.disorder.turned_away
            }
            Misbehaved::Unwanted => &mut self.disorder.unwanted,
        };
        *count += 1;
    }
}

impl Handler<Fallen<OfficeFell>> for OmmActor {
    type Result = ();

    fn handle(&mut self, _: Fallen<OfficeFell>, ctx: &mut Context<Self>) {
        if self.may_rehire("the office of AXI clients", ctx).is_some() {
            self.hire_office(ctx);
        }
    }
}
