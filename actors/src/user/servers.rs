//! What a user hears of the servers of its site, on the way to its line.

use actix::prelude::*;
use sip::line;

use super::UserActor;
use crate::binding::Moved;
use crate::messages::{Audit, Canvass, Demanded, Restore, Stands};

impl Handler<Stands> for UserActor {
    type Result = ();

    fn handle(&mut self, Stands { tier, standing }: Stands, ctx: &mut Context<Self>) {
        self.tell_line(line::Input::Server { tier, standing });
        self.go_on(ctx);
    }
}

impl Handler<Demanded> for UserActor {
    type Result = ();

    fn handle(&mut self, Demanded { tier, demands }: Demanded, ctx: &mut Context<Self>) {
        self.tell_line(line::Input::Demands { tier, demands });
        self.go_on(ctx);
    }
}

impl Handler<Canvass> for UserActor {
    type Result = ();

    fn handle(&mut self, Canvass { tier }: Canvass, ctx: &mut Context<Self>) {
        self.want(line::Input::Prove { tier });
        self.go_on(ctx);
    }
}

impl Handler<Audit> for UserActor {
    type Result = ();

    fn handle(&mut self, Audit { tier }: Audit, ctx: &mut Context<Self>) {
        self.tell_line(line::Input::Audit { tier });
        self.go_on(ctx);
    }
}

impl Handler<Restore> for UserActor {
    type Result = ();

    fn handle(&mut self, Restore { tier }: Restore, ctx: &mut Context<Self>) {
        self.tell_line(line::Input::Restore { tier });
        self.go_on(ctx);
    }
}

impl Handler<Moved> for UserActor {
    type Result = ();

    fn handle(&mut self, moved: Moved, _: &mut Context<Self>) {
        self.pass_on(moved);
    }
}
