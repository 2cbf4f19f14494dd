//! Remotes that knock at a central: let in by the roster, at once where it knows the password.
//!
//! ```text
//! knock -- the roster has a hash --> [queue] --> Verify --> decided, and the next one is looked at
//!   +----- it has the password, or need not look ---------> decided
//! ```
//!
//! A hash takes long on purpose, so it is computed elsewhere, one at a time: whoever knocks with guesses takes one
//! processor, and has to wait before the sixth is looked at.

use std::collections::VecDeque;

use actix::prelude::*;
use machine::secret::Secret;
use omm::link::frame::{Open, OpenError, Purpose};

use super::OmmActor;
use crate::doors::Verify;
use crate::link::ToLink;

/// Those whose password is compared, or waits for that; the first one's is. There are no more than links.
pub(super) type Knocks = VecDeque<(u64, Box<Open>)>;

impl OmmActor {
    /// A remote introduced itself.
    pub(super) fn knock(&mut self, link: u64, open: Box<Open>, ctx: &mut Context<Self>) {
        if self.knocks.is_empty() {
            match self.question(link, &open) {
                Some(hash) => self.compare(&open, hash, ctx),
                None => return self.decide(link, &open, false, ctx),
            }
        }
        self.knocks.push_back((link, open));
    }

    fn question(&mut self, link: u64, open: &Open) -> Option<Secret> {
        let knocking = self.children.as_ref().and_then(|children| children.links.get(&link))?;
        self.birth.roster.as_mut()?.question(self.birth.site.clock.moment(), &knocking.from, open)
    }

    fn compare(&self, open: &Open, hash: Secret, ctx: &mut Context<Self>) {
        let Some(reception) = &self.birth.reception else { return };
        let compared = reception.verify.send(Verify { password: open.password.clone(), hash });
        ctx.spawn(compared.into_actor(self).map(|fits, omm, ctx| {
            let Some((link, open)) = omm.knocks.pop_front() else { return };
            omm.decide(link, &open, fits.unwrap_or_default(), ctx);
            // Each of the others is looked at anew: it may have to wait by now.
            for (link, open) in std::mem::take(&mut omm.knocks) {
                omm.knock(link, open, ctx);
            }
        }));
    }

    /// The roster decides; `compared` is whether the password fits what it asked.
    fn decide(&mut self, link: u64, open: &Open, compared: bool, ctx: &mut Context<Self>) {
        let knocking = self.children.as_ref().and_then(|children| children.links.get(&link));
        let (Some(roster), Some(knocking)) = (&mut self.birth.roster, knocking) else { return };
        let clock = &self.birth.site.clock;
        let peer = open.facts.omm;
        match roster.admit(clock.moment(), clock.wall(), &knocking.from, open, compared) {
            Ok(admission) if open.purpose == Purpose::Trial => {
                knocking.tell(ToLink::Answered(Ok(admission.facts)))
            }
            Ok(admission) => {
                if let Some(link) = self.children.as_mut().and_then(|children| children.links.get_mut(&link))
                {
                    link.admitted = Some(peer);
                }
                match admission.inscribed {
                    Some(inscribed) => self.inscribe(peer, &inscribed, link, admission.facts, ctx),
                    None => self.welcome(link, admission.facts),
                }
            }
            Err(error) => {
                self.disorder.refused += 1;
                self.disorder.turned_away += u64::from(matches!(error, OpenError::Delayed(_)));
                knocking.tell(ToLink::Answered(Err(error)));
            }
        }
    }
}
