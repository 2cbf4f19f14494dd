//! Users and handsets of the directory as records of the wire (axi 4.1, 4.2, 6).
//!
//! Secrets are not in there: no response tells them.

use std::collections::BTreeSet;
use std::sync::Arc;

use omm::claim::{Claim, Phase};
use omm::directory::Directory;
use omm::directory::device::{Device, Subscribed};
use omm::directory::edit::Changed;
use omm::directory::key::{Ppn, Uid};
use omm::directory::profile::Profile;
use omm::directory::user::{Monitoring, Relation, User};
use omm::ids::Number;
use omm::stamp::Stamp;

use crate::element::Element;
use crate::news::{Fate, News};
use crate::record::Record;
use crate::{device, user};

/// A user.
pub fn user(user: &User) -> Record {
    let mut record = Record::new(user::TABLE);
    record.put("uid", user.uid.to_string());
    record.put("relType", relation(user.relation));
    record.put("ppn", user.ppn.map_or(0, |ppn| ppn.get()).to_string());
    record.put("timeStamp", seconds(user.changed()));
    record.put("name", user.admin.name.clone());
    record.put("num", user.number.as_str());
    for (name, value) in [("addId", &user.admin.add_id), ("sipAuthId", &user.admin.sip_auth_id)] {
        if let Some(value) = value {
            record.put(name, value.clone());
        }
    }
    for (name, set) in [
        ("vip", user.admin.vip),
        ("sipRegisterCheck", user.check_user),
        ("external", user.admin.external),
        ("locatable", user.admin.locatable),
    ] {
        record.put(name, flag(set));
    }
    record.put(
        "monitoringMode",
        match user.admin.monitoring {
            Monitoring::Off => "Off",
            Monitoring::Passive => "Passive",
            Monitoring::Active => "Active",
        },
    );
    for (name, value) in &user.admin.extras {
        record.offer(name, value);
    }
    record.put("timeStampAdmin", seconds(user.edited));
    if let Some(related) = user.related {
        record.put("timeStampRelation", seconds(related));
    }
    record
}

/// A handset. `holder` is the user that is with it, `roam` the newest claim about that user.
pub fn device(device: &Device, holder: Option<&User>, roam: Option<&Claim>) -> Record {
    let mut record = Record::new(device::TABLE);
    record.put("ppn", device.ppn.to_string());
    record.put("relType", relation(holder.map_or(Relation::Unbound, |holder| holder.relation)));
    record.put("uid", device.uid.map_or(0, |uid| uid.get()).to_string());
    record.put("timeStamp", seconds(device.changed()));
    record.put("ipei", device.ipei.to_string());
    record.put(
        "s",
        match device.subscription.state {
            Subscribed::No => "No",
            Subscribed::Unconfirmed => "Unconfirmed",
            Subscribed::Yes => "Yes",
        },
    );
    if let Some(uak) = &device.subscription.uak {
        record.offer("uak", uak.reveal());
    }
    for (name, set) in [
        ("encrypt", device.admin.encrypt),
        ("subscribeToPARIOnly", device.admin.pari_only.is_some()),
        ("autoCreate", device.admin.auto_create),
    ] {
        record.put(name, flag(set));
    }
    if let Some(model) = &device.admin.hw_type {
        record.offer("hwType", model);
    }
    for (name, value) in device.admin.extras.iter().chain(&device.subscription.extras) {
        record.offer(name, value);
    }
    record.put("timeStampAdmin", seconds(device.edited));
    if let Some(related) = holder.and_then(|holder| holder.related) {
        record.put("timeStampRelation", seconds(related));
    }
    if let Some(subscribed) = device.subscribed {
        record.put("timeStampSubscription", seconds(subscribed));
    }
    if let Some(claim) = roam.filter(|claim| claim.device == device.ipei) {
        place(claim, &mut record);
    }
    record
}

/// Where the handset is (axi 6.2): settled when no former owner is to confirm.
fn place(claim: &Claim, record: &mut Record) {
    if claim.phase == Phase::Here {
        record.put("ommId", format!("{:08X}", claim.owner.pari));
    }
    record.put("ommIdAck", format!("{:08X}", claim.former.unwrap_or(claim.owner).pari));
    record.put("timeStampRoaming", seconds(claim.epoch));
    if claim.former.is_none() {
        record.put("roaming", "RoamingComplete");
    }
}

/// A profile of handset settings (axi 4.4).
pub fn profile(profile: &Profile) -> Element<'static> {
    Element::new("ppProfile")
        .with("id", profile.id.to_string())
        .with("name", profile.text.name.to_string())
        .with("ppData", profile.text.data.to_string())
        .with("timeStamp", seconds(profile.edited))
}

/// What sessions may hear of what has changed. `roam` tells the newest claim about a user.
pub fn news(changed: &Changed, directory: &Directory, roam: &dyn Fn(&Number) -> Option<Claim>) -> Vec<News> {
    let mut news = Vec::new();
    for (uid, before) in &changed.users {
        let now = directory.user_at(*uid).map(|now| user(now));
        let before = before.as_ref().map(|before| user(before));
        news.extend(fate(now, before).map(|change| News::User { uid: uid.get(), change }));
    }
    // Whoever holds a handset shows in its record, so a handset changes with its user.
    let held = changed.users.iter().flat_map(|(uid, before)| {
        let now = directory.user_at(*uid).and_then(|now| now.ppn);
        [now, before.as_ref().and_then(|before| before.ppn)].into_iter().flatten()
    });
    let ppns: BTreeSet<Ppn> = held.chain(changed.devices.keys().copied()).collect();
    for ppn in ppns {
        let now = directory.device_at(ppn);
        let before = match changed.devices.get(&ppn) {
            Some(before) => before.as_ref(),
            None => now,
        };
        let was = |uid: Uid| match changed.users.get(&uid) {
            Some(before) => before.as_ref(),
            None => directory.user_at(uid),
        };
        let claim = |holder: Option<&Arc<User>>| holder.and_then(|holder| roam(&holder.number));
        let now = now.map(|now| {
            let holder = now.uid.and_then(|uid| directory.user_at(uid));
            device(now, holder.map(AsRef::as_ref), claim(holder).as_ref())
        });
        let before = before.map(|before| {
            let holder = before.uid.and_then(was);
            device(before, holder.map(AsRef::as_ref), claim(holder).as_ref())
        });
        news.extend(fate(now, before).map(|change| News::Device { ppn: ppn.get(), change }));
    }
    news.extend(
        changed
            .profiles
            .keys()
            .map(|id| News::Profile { id: *id, change: directory.profile(*id).map(profile) }),
    );
    news
}

/// What became of a record, when anything did that is shown.
fn fate(now: Option<Record>, before: Option<Record>) -> Option<Fate> {
    match (now, before) {
        (None, None) => None,
        (None, Some(_)) => Some(Fate::Deleted),
        (Some(now), None) => Some(Fate::Changed(now)),
        (Some(now), Some(before)) => {
            let changed = now.since(&before);
            (!changed.is_empty()).then_some(Fate::Changed(changed))
        }
    }
}

/// How a relation is called.
pub fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Unbound => "Unbound",
        Relation::Dynamic(_) => "Dynamic",
        Relation::Fixed(_) => "Fixed",
    }
}

fn flag(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

fn seconds(stamp: Stamp) -> String {
    (stamp.ms / 1000).to_string()
}
