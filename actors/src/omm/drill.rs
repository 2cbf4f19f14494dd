//! Drills: an operator moves the site to another tier, to see that it works, and back.

use actix::prelude::*;
use machine::note::Note;

use super::OmmActor;
use crate::server::Drill;

/// Moves everybody to this tier (0 primary .. 2 tertiary), or ends that with `None`. The answer is the name of the
/// server to which they move; `None` when the site has no such tier.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Option<String>")]
pub struct Rehearse(pub Option<u8>);

impl Handler<Rehearse> for OmmActor {
    type Result = MessageResult<Rehearse>;

    /// Every server but the one meant is drained. It is no promise: when that one fails, the drained ones are used.
    fn handle(&mut self, Rehearse(to): Rehearse, _: &mut Context<Self>) -> Self::Result {
        let wanted = usize::from(to.unwrap_or(0));
        let name = self.site().servers.get(wanted).map(|server| server.name.to_string());
        if let Some(name) = &name {
            let note = Note::new("drill").text("server", name).number("tier", wanted as u64);
            self.note(&if to.is_some() { note } else { Note::new("drill-ends") });
            for (tier, server) in
                self.children.iter().flat_map(|children| children.servers.iter().enumerate())
            {
                server.do_send(Drill(to.is_some() && tier != wanted));
            }
        }
        MessageResult(name)
    }
}
