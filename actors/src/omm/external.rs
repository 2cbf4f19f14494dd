//! What an OMM does for external users: hires who reads their files, and tells AXI clients what became of it.

use actix::prelude::*;
use axi::health::Files;
use axi::news::News;

use super::OmmActor;
use crate::epr::{EprActor, EprFell, EprWays, Import, Imported};
use crate::messages::{Fallen, Met, Stranger};
use crate::office::Happened;

impl OmmActor {
    /// How the files were to be had (axi 4.4 `uds`).
    pub(super) fn files_read(&self) -> Files {
        self.files.files(&self.birth.directory.borrow(), self.site().login)
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
        self.files.note(&file, failed, &self.birth.directory.borrow(), self.birth.site.login);
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
