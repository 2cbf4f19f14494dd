//! What a user hears of the servers of its site, on the way to its line.

use actix::prelude::*;
use sip::line;

use super::UserActor;
use crate::line::Want;
use crate::messages::{Canvass, Demanded, Stands};

impl Handler<Stands> for UserActor {
    type Result = ();

    fn handle(&mut self, Stands { tier, standing }: Stands, _: &mut Context<Self>) {
        if let Some(slot) = self.standings.get_mut(usize::from(tier)) {
            *slot = standing;
        }
        if let Some(line) = &self.line {
            line.do_send(Want(line::Input::Server { tier, standing }));
        }
    }
}

impl Handler<Demanded> for UserActor {
    type Result = ();

    fn handle(&mut self, Demanded { tier, demands }: Demanded, _: &mut Context<Self>) {
        if let Some(slot) = self.demands.get_mut(usize::from(tier)) {
            *slot = demands;
        }
        if let Some(line) = &self.line {
            line.do_send(Want(line::Input::Demands { tier, demands }));
        }
    }
}

impl Handler<Canvass> for UserActor {
    type Result = ();

    fn handle(&mut self, Canvass { tier }: Canvass, ctx: &mut Context<Self>) {
        self.want(line::Input::Prove { tier }, ctx);
    }
}
