//! What came of a run that nobody watched: counts of the network, and what registrars and OMMs hold at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use actors::omm::inspect::Inspect;
use actors::registrar::Bound;
use omm::claim::Phase;
use omm::ids::Number;
use omm::stamp::OmmId;

use crate::network::{Carried, Count};
use crate::world::{DOMAIN, World};

/// A run in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What the network brought to somebody, who read it.
    pub carried: Carried,
    /// Where each user of the plan ended up, in its order.
    pub users: Vec<Whereabouts>,
}

/// Where a user ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The contacts in the tables of all registrars together.
    pub contacts: Vec<Arc<str>>,
    /// The OMM to which all running OMMs think that the user belongs; `None` when they differ, or nobody has the user.
    pub owner: Option<OmmId>,
}

impl World {
    /// Counts and looks up.
    pub(crate) async fn tally(&self) -> Tally {
        let carried = self.network.send(Count).await.unwrap_or_default();
        let aors: Vec<String> =
            self.plan.users.iter().map(|user| format!("sip:{}@{DOMAIN}", user.number)).collect();
        let mut contacts: Vec<Vec<Arc<str>>> = vec![Vec::new(); aors.len()];
        for (_, registrar) in &self.servers {
            let bound = registrar.send(Bound(aors.clone())).await.unwrap_or_default();
            for (own, more) in contacts.iter_mut().zip(bound) {
                own.extend(more);
            }
        }
        let owners = self.owners().await;
        let users = self.plan.users.iter().zip(contacts).map(|(user, contacts)| {
            let number = Number::new(&user.number).ok();
            let owner = number.and_then(|number| owners.get(&number).copied().flatten());
            Whereabouts { contacts, owner }
        });
        Tally { carried, users: users.collect() }
    }

    /// The owner of every user whom all running OMMs know; `None` when they do not agree.
    async fn owners(&self) -> BTreeMap<Number, Option<OmmId>> {
        let (mut owners, mut asked) = (BTreeMap::<Number, (Option<OmmId>, usize)>::new(), 0);
        for process in self.sites.iter().filter_map(|site| site.process.as_ref()) {
            asked += 1;
            let Ok(status) = process.omm.send(Inspect).await else { continue };
            for claim in status.claims {
                let owner = Some(claim.owner).filter(|_| claim.phase == Phase::Here);
                let (agreed, known) = owners.entry(claim.user).or_insert((owner, 0));
                *agreed = agreed.filter(|agreed| Some(*agreed) == owner);
                *known += 1;
            }
        }
        owners.into_iter().map(|(user, (owner, known))| (user, owner.filter(|_| known == asked))).collect()
    }
}
