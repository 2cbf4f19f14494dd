//! The users that a running OMM knows of: `homing users` and `homing show`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use ::actors::omm::inspect::Status;
use ::actors::omm::roll::Entry;
use axi::look::Registered;
use omm::claim::Claim;
use omm::stamp::{ORIGIN, OmmId, Stamp};
use serde_json::{Value, json};

use crate::config::site::Site;
use crate::service::birth::identity;
use crate::status::{grants_of, list, name_of, place, text};

/// The answer to `users`.
pub fn users_to_json(site: &Site, status: &Status, roll: &[Entry]) -> Value {
    let users = roll.iter().map(|entry| user(site, status, entry));
    json!({"site": site.name, "users": users.collect::<Vec<_>>()})
}

/// One line of `homing users`.
fn user(site: &Site, status: &Status, entry: &Entry) -> Value {
    let (user, claim) = (&entry.user, entry.claim.as_ref());
    json!({
        "number": user.number.as_str(),
        "name": user.admin.name,
        "uid": user.uid.get(),
        "status": user.status.to_string(),
        "device": user.device().map(|ipei| ipei.to_string()),
        "place": claim.map_or("unseen", |claim| place(site, claim).word()),
        "owner": claim.map(|claim| name_of(site, claim.owner)),
        "epoch": claim.map(|claim| claim.epoch.to_string()),
        "registered": registrations(site, entry),
        "granted": grants_of(site, status, &user.number),
    })
}

/// The answer to `show`.
pub fn user_to_json(site: &Site, status: &Status, entry: &Entry, having: &BTreeMap<OmmId, bool>) -> Value {
    let (shown, admin) = (&entry.user, &entry.user.admin);
    let written = |stamp: Stamp| json!({"at": time(stamp), "by": writer(site, stamp.omm)});
    let acked = |wanted: bool| -> Vec<String> {
        let which = having.iter().filter(|(_, has)| **has == wanted);
        which.map(|(omm, _)| name_of(site, *omm)).collect()
    };
    let mut answer = user(site, status, entry);
    let more = json!({
        "site": site.name,
        "auth_id": shown.auth_id(),
        "vip": admin.vip,
        "external": admin.external,
        "check_user": shown.check_user,
        "locatable": admin.locatable,
        "expires_s": admin.expires.map(|expires| expires.as_secs()),
        "relation": shown.relation.kind().map_or("unbound".to_owned(), |kind| kind.to_string()),
        "ppn": shown.ppn.map(|ppn| ppn.get()),
        "record": shown.id.0.to_string(),
        "edited": written(shown.edited),
        "related": shown.related.map(written),
        "acked_by": acked(true),
        "not_yet_by": acked(false),
        "owned": entry.claim.as_ref().map(|claim| owned(site, claim)),
    });
    if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), more) {
        answer.extend(more);
    }
    answer
}

/// Who owns a user, and where its phone was seen last (B-10).
fn owned(site: &Site, claim: &Claim) -> Value {
    json!({
        "since": time(claim.epoch),
        "unconfirmed_by": claim.former.map(|former| name_of(site, former)),
        "seen_at": name_of(site, claim.owner),
        "seen_on": claim.device.to_string(),
        "seen_s_ago": claim.age.as_secs(),
    })
}

fn registrations(site: &Site, entry: &Entry) -> Value {
    let one = |(omm, registered): (&OmmId, &Registered)| {
        // Another site may call its servers by other names.
        let own = (*omm == identity(site)).then(|| site.tiers.get(usize::from(registered.tier))).flatten();
        json!({
            "by": name_of(site, *omm),
            "server": own.map(|tier| &tier.name),
            "tier": rank(registered.tier),
            "address": format!("{}:{}", registered.host, registered.port),
        })
    };
    entry.registered.iter().map(one).collect()
}

/// What a tier is called (M-2.1.1-c).
fn rank(tier: u8) -> &'static str {
    match tier {
        0 => "primary",
        1 => "secondary",
        _ => "tertiary",
    }
}

fn writer(site: &Site, omm: OmmId) -> String {
    if omm == ORIGIN { "file".to_owned() } else { name_of(site, omm) }
}

/// A stamp's calendar time. That of a file is none.
fn time(stamp: Stamp) -> Option<String> {
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(stamp.ms))?;
    (stamp.omm != ORIGIN).then(|| humantime::format_rfc3339_millis(at).to_string())
}

/// `homing users` for people.
pub fn users(answer: &Value) -> String {
    let row = |[number, name, device, status, place, owner]: [&str; 6]| {
        format!("{number:<12} {name:<24} {device:<18} {status:<10} {place:<10} {owner}")
    };
    let mut out = row(["NUMBER", "NAME", "HANDSET", "STATUS", "PLACE", "OWNER"]);
    for user in list(answer, "users") {
        let columns = ["number", "name", "device", "status", "place", "owner"];
        let _ = write!(out, "\n{}", row(columns.map(|column| text(user, column))));
    }
    out
}

/// `homing show` for people.
pub fn show(user: &Value) -> String {
    let none = Value::Null;
    let part = |key: &str| user.get(key).unwrap_or(&none);
    let words = |key: &str| -> String {
        let all: Vec<&str> = list(user, key).filter_map(Value::as_str).collect();
        if all.is_empty() { "-".to_owned() } else { all.join(", ") }
    };
    let uid = part("uid").as_u64().unwrap_or_default();
    let mut out =
        format!("{} {} (uid {uid}), {}\n", text(user, "number"), text(user, "name"), text(user, "status"));
    let _ = writeln!(out, "account   {}", text(user, "auth_id"));
    let _ = writeln!(out, "handset   {} ({})", text(user, "device"), text(user, "relation"));
    for (name, key) in [("edited", "edited"), ("related", "related")] {
        let written = part(key);
        if !written.is_null() {
            let _ = writeln!(out, "{name:<9} {} by {}", text(written, "at"), text(written, "by"));
        }
    }
    let _ = writeln!(out, "acked by  {}; not yet by {}", words("acked_by"), words("not_yet_by"));
    let owned = part("owned");
    if owned.is_null() {
        let _ = writeln!(out, "place     {}", text(user, "place"));
    } else {
        let (place, owner, since) = (text(user, "place"), text(user, "owner"), text(owned, "since"));
        let _ = writeln!(out, "place     {place}, owned by {owner} since {since}");
        if let Some(former) = owned.get("unconfirmed_by").and_then(Value::as_str) {
            let _ = writeln!(out, "          {former} has not confirmed yet");
        }
        let ago = Duration::from_secs(owned.get("seen_s_ago").and_then(Value::as_u64).unwrap_or_default());
        let (at, on, ago) = (text(owned, "seen_at"), text(owned, "seen_on"), humantime::format_duration(ago));
        let _ = writeln!(out, "last seen at {at} on {on}, {ago} ago");
    }
    let registered = list(user, "registered").map(|one| {
        format!("registered by {} at {} ({})", text(one, "by"), text(one, "address"), text(one, "tier"))
    });
    let registered: Vec<String> = registered.collect();
    let _ = match registered.is_empty() {
        true => write!(out, "registered nowhere that is known here"),
        false => write!(out, "{}", registered.join("\n")),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_shown_with_what_is_known_of_it_and_no_more() {
        let mut user = json!({
            "number": "101", "name": "Ada", "uid": 4, "status": "active", "auth_id": "ada", "device": "03074 0220259 3",
            "relation": "dynamic", "edited": {"at": "2026-11-22T08:00:00.000Z", "by": "berlin"}, "related": null,
            "acked_by": ["rome"], "not_yet_by": [], "place": "unseen", "owned": null, "registered": [],
        });
        let expected = "101 Ada (uid 4), active\naccount   ada\nhandset   03074 0220259 3 (dynamic)\n\
                        edited    2026-11-22T08:00:00.000Z by berlin\nacked by  rome; not yet by -\nplace     unseen\n\
                        registered nowhere that is known here";
        assert_eq!(show(&user), expected);
        user["place"] = json!("elsewhere");
        user["owner"] = json!("rome");
        user["owned"] = json!({"since": "2026-11-22T09:00:00.000Z", "unconfirmed_by": "berlin", "seen_at": "rome",
            "seen_on": "03074 0220259 3", "seen_s_ago": 61});
        user["registered"] =
            json!([{"by": "rome", "server": null, "tier": "primary", "address": "192.0.2.1:5060"}]);
        let expected = "place     elsewhere, owned by rome since 2026-11-22T09:00:00.000Z\n          berlin has not confirmed yet\n\
                        last seen at rome on 03074 0220259 3, 1m 1s ago\nregistered by rome at 192.0.2.1:5060 (primary)";
        assert!(show(&user).ends_with(expected), "{}", show(&user));
    }
}
