//! An edit of the directory that comes from the administrator of this OMM, and is none that an AXI client could ask for.

use actix::prelude::*;
use omm::directory::edit::{Done, Edit};
use omm::directory::refusal::Refusal;

use super::OmmActor;
use crate::directory::Change;

/// Has the directory make an edit. Answered when that is durable; `None` when the OMM is going away.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Option<Result<Done, Refusal>>")]
pub struct Revise(pub Edit);

impl Handler<Revise> for OmmActor {
    type Result = ResponseFuture<Option<Result<Done, Refusal>>>;

    fn handle(&mut self, Revise(edit): Revise, _: &mut Context<Self>) -> Self::Result {
        let directory = self.children.as_ref().map(|children| children.directory.clone());
        Box::pin(async move { directory?.send(Change(edit)).await.ok().flatten() })
    }
}
