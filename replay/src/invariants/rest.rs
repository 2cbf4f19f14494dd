//! What must be so in a world that has come to rest: I5 and I6, as far as roaming and registration go.

use crate::claims::registrations;
use crate::ledger::Ledger;

/// I5: contacts of an OMM whose own newest claim says that another one owns the user.
pub fn strays(ledger: &Ledger) -> Vec<String> {
    let mut told = Vec::new();
    for (user, person) in ledger.plan.users.iter().zip(ledger.people()) {
        for held in &person.held {
            let Some(site) = held.site else { continue };
            let believes = person.views.get(site).and_then(Option::as_ref).map(|(_, owner)| *owner);
            if let Some(owner) = believes.filter(|owner| *owner != site) {
                let name = |at: usize| ledger.plan.sites.get(at).map_or("?", |site| &*site.name);
                let server = ledger.plan.servers.get(held.server).map_or("?", |server| &*server.name);
                told.push(format!(
                    "{} is registered by {} via {server}, and {} believes that {} owns it",
                    user.name,
                    name(site),
                    name(site),
                    name(owner)
                ));
            }
        }
    }
    told
}

/// I6: users whose phone is on and whom not exactly one OMM serves, or about whose owner the OMMs disagree.
pub fn disagreements(ledger: &Ledger) -> Vec<String> {
    let name = |at: usize| ledger.plan.sites.get(at).map_or("?", |site| &*site.name);
    let mut told = Vec::new();
    for (index, (user, person)) in ledger.plan.users.iter().zip(ledger.people()).enumerate() {
        let views: Vec<(usize, usize)> = (0..)
            .zip(&person.views)
            .filter(|(site, _)| ledger.runs(*site))
            .filter_map(|(site, view)| view.as_ref().map(|(_, owner)| (site, *owner)))
            .collect();
        let Some((first, owner)) = views.first().copied() else { continue };
        if let Some((other, believed)) = views.iter().find(|(_, believed)| *believed != owner) {
            let (a, b) = (name(first), name(*other));
            told.push(format!(
                "{}: {a} says that {} is the owner, {b} says {}",
                user.name,
                name(owner),
                name(*believed)
            ));
            continue;
        }
        let served = person.surplus() == 0 && person.registered(Some(owner), None);
        if person.present && !served {
            let where_to = registrations(ledger, index);
            told.push(format!("{} belongs to {} and is registered {where_to}", user.name, name(owner)));
        }
    }
    told
}
