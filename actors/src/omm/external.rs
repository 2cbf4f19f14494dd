//! What an OMM does for external users: hires who reads their files, and tells AXI clients what became of it.

use std::collections::BTreeSet;

use actix::prelude::*;
use axi::health::Files;
use axi::news::News;
use omm::directory::Directory;
use omm::directory::login::Variant;
use omm::epr::File;
use omm::ids::Number;

use super::OmmActor;
use crate::epr::{EprActor, EprFell, EprWays, Import, Imported};
use crate::messages::{Fallen, Met, Stranger};
use crate::office::Happened;

/// What became of the files of external users, as far as their health shows it.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Whether the server answered at all since the start.
    read: bool,
    common_failed: bool,
    /// Of external users, by the names of their files.
    failed: BTreeSet<Number>,
}

impl OmmActor {
    /// How the files were to be had (axi 4.4 `uds`).
    pub(super) fn files_read(&self) -> Files {
        let directory = self.birth.directory.borrow();
        let user_failed =
            self.files.failed.iter().any(|name| is_external(&directory, name, self.site().login));
        Files { read: self.files.read, common_failed: self.files.common_failed, user_failed }
    }

    /// What is read of users who are not external says nothing of the server: phones that nobody knows ask for files, too.
    fn note_reading(&mut self, file: &File, failed: bool) {
        let File::Of(name) = file else {
            self.files.common_failed = failed;
            return;
        };
        // Nobody's file is read before the common one is.
        self.files.common_failed = false;
        if failed && is_external(&self.birth.directory.borrow(), name, self.birth.site.login) {
            self.files.failed.insert(name.clone());
        } else {
            self.files.read |= !failed;
            self.files.failed.remove(name);
        }
    }

    /// Hires who reads their files; nothing at an OMM that has none.
    pub(super) fn hire_epr(&mut self, ctx: &mut Context<Self>) {
        let Some(given) = &self.birth.provisioning else { return };
        let Some(children) = &mut self.children else { return };
        let own = ctx.address();
        let ways = EprWays {
            changes: children.kin.changes.clone(),
            imported: own.clone().recipient(),
            met: own.clone().recipient(),
            fallen: own.recipient(),
        };
        let directory = self.birth.directory.clone();
        children.epr = Some(EprActor::new(&self.birth.site, given, directory, ways).start());
    }
}

fn is_external(directory: &Directory, name: &Number, by: Variant) -> bool {
    directory.called(name, by).is_some_and(|user| user.admin.external)
}

impl Handler<Import> for OmmActor {
    type Result = bool;

    fn handle(&mut self, import: Import, _: &mut Context<Self>) -> bool {
        let epr = self.children.as_ref().and_then(|children| children.epr.as_ref());
        epr.map(|epr| epr.do_send(import)).is_some()
    }
}

impl Handler<Imported> for OmmActor {
    type Result = ();

    fn handle(&mut self, Imported { file, done, failed }: Imported, _: &mut Context<Self>) {
        self.note_reading(&file, failed);
        self.tell_health();
        let office = self.children.as_ref().and_then(|children| children.office.as_ref());
        if let Some(office) = office {
            office.do_send(Happened(vec![News::Import { filename: file.name().into(), done }]));
        }
    }
}

impl Handler<Stranger> for OmmActor {
    type Result = ();

    /// Where there are no external users nobody can say more.
    fn handle(&mut self, stranger: Stranger, _: &mut Context<Self>) {
        let Some(children) = &self.children else { return };
        match &children.epr {
            Some(epr) => epr.do_send(stranger),
            None => children.endpoint.do_send(Met { ask: stranger.ask, is_answered: true }),
        }
    }
}

impl Handler<Met> for OmmActor {
    type Result = ();

    /// Passes by here, so that the endpoint hears of a new user first.
    fn handle(&mut self, met: Met, _: &mut Context<Self>) {
        if let Some(children) = &self.children {
            children.endpoint.do_send(met);
        }
    }
}

impl Handler<Fallen<EprFell>> for OmmActor {
    type Result = ();

    fn handle(&mut self, _: Fallen<EprFell>, ctx: &mut Context<Self>) {
        if self.may_rehire("the reader of external users", ctx).is_some() {
            self.hire_epr(ctx);
        }
    }
}
