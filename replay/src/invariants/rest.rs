//! What must be so in a world that has come to rest: I5 and I6, as far as roaming and registration go.

use super::directories::Directories;
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

/// I6: users whose phone is on and whom not exactly one OMM serves, or about whose owner the OMMs disagree; and users
/// who are with no handset, or not there, and whom one serves all the same.
/// Where nobody has asked the OMMs whom they believe, as over a trace of a former run, what they said stands for it; they
/// need not say what they read from a registrar or their own disk.
pub(super) fn disagreements(ledger: &Ledger, directories: &Directories) -> Vec<String> {
    let name = |at: usize| ledger.plan.sites.get(at).map_or("?", |site| &*site.name);
    let mut told = Vec::new();
    for (index, (user, person)) in ledger.plan.users.iter().zip(ledger.people()).enumerate() {
        let said = || (0..).zip(&person.views).filter_map(|(site, view)| Some((site, view.as_ref()?.1)));
        let believed = directories.owners(&user.number).map(|all| {
            let all = all.into_iter().map(|(site, owner)| Some((site, ledger.omm(&owner.to_string())?)));
            all.flatten().collect()
        });
        let views: Vec<(usize, usize)> = believed.unwrap_or_else(|| said().collect());
        let views: Vec<_> = views.into_iter().filter(|(site, _)| ledger.runs(*site)).collect();
        let attached = (0..ledger.plan.sites.len()).filter(|site| ledger.runs(*site)).any(|site| {
            let row = ledger.rows().row(site, &user.number);
            row.and_then(|row| row.field("device")).is_some_and(|device| device != "none")
        });
        if !attached {
            // What was once claimed of somebody who is deleted or logged out is nobody's business.
            if !person.held.is_empty() {
                let where_to = registrations(ledger, index);
                told.push(format!("{} is with no handset and is registered {where_to}", user.name));
            }
            continue;
        }
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
