//! What a running OMM tells of itself, and how `homing status` and `homing users` print it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use ::actors::omm::Status;
use omm::claim::{Claim, Phase};
use omm::link::dial::{Health, Held};
use omm::stamp::OmmId;
use serde_json::{Value, json};
use sip::server::Standing;

use crate::config::site::Site;
use crate::service::birth::identity;
use crate::sockets::Counts;

/// The answer to `status`.
pub fn to_json(site: &Site, status: &Status, door: Counts, up: Duration) -> Value {
    let places: Vec<Place> = status.claims.iter().map(|claim| place(site, claim)).collect();
    let count = |wanted: Place| places.iter().filter(|place| **place == wanted).count();
    json!({
        "site": site.name,
        "role": site.role.word(),
        "omm": status.omm.to_string(),
        "park": site.park.to_string(),
        "platform": site.platform.to_string(),
        "up_s": up.as_secs(),
        "link": status.link.map(link_word),
        "joined": status.joined.iter().map(|omm| name_of(site, *omm)).collect::<Vec<_>>(),
        "servers": status.servers.iter().map(|(name, standing)| server(name, *standing)).collect::<Vec<_>>(),
        "users": {
            "total": status.users,
            "here": count(Place::Here),
            "elsewhere": count(Place::Elsewhere),
            "gone": count(Place::Gone),
        },
        "door": {
            "received": door.received,
            "refused": door.refused,
            "sent": door.sent,
            "undelivered": door.undelivered,
        },
        "restarts": status.restarts,
        "axi": {
            "misread": status.disorder.misread,
            "broken": status.disorder.broken,
            "astray": status.disorder.astray,
            "refused": status.disorder.refused,
            "unwanted": status.disorder.unwanted,
        },
    })
}

/// The answer to `users`.
pub fn users_to_json(site: &Site, status: &Status) -> Value {
    let claims: BTreeMap<&str, &Claim> =
        status.claims.iter().map(|claim| (claim.user.as_str(), claim)).collect();
    let users: Vec<Value> = site
        .users
        .iter()
        .map(|user| {
            let claim = claims.get(user.number.as_str());
            json!({
                "number": user.number.as_str(),
                "name": user.name,
                "device": user.device.map(|ipei| ipei.to_string()),
                "place": claim.map_or("unseen", |claim| place(site, claim).word()),
                "owner": claim.map(|claim| name_of(site, claim.owner)),
                "epoch": claim.map(|claim| claim.epoch.to_string()),
            })
        })
        .collect();
    json!({"site": site.name, "users": users})
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Here,
    Elsewhere,
    Gone,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Place::Here => "here",
            Place::Elsewhere => "elsewhere",
            Place::Gone => "gone",
        }
    }
}

fn place(site: &Site, claim: &Claim) -> Place {
    match claim.phase {
        Phase::Gone => Place::Gone,
        Phase::Here if claim.owner == identity(site) => Place::Here,
        Phase::Here => Place::Elsewhere,
    }
}

/// The name of an OMM where it is known, its number otherwise.
fn name_of(site: &Site, omm: OmmId) -> String {
    let known = site.remotes.iter().find(|remote| OmmId::new(remote.park.ari.bits()) == omm);
    match known {
        _ if omm == identity(site) => site.name.clone(),
        Some(remote) => remote.name.clone(),
        None => omm.to_string(),
    }
}

fn link_word(health: Health) -> String {
    match health {
        Health::Off => "off".into(),
        Health::Connecting => "connecting".into(),
        Health::Held(Held::Here(mismatch)) => format!("held: {mismatch}"),
        Health::Held(Held::There(error)) => format!("held by the central: {error}"),
        Health::Synchronising => "synchronising".into(),
        Health::InSync => "in sync".into(),
        Health::Lost => "lost".into(),
    }
}

fn server(name: &str, standing: Standing) -> Value {
    let (word, wait) = match standing {
        Standing::Usable => ("usable", None),
        Standing::Recovering => ("recovering", None),
        Standing::Down => ("down", None),
        Standing::Draining(wait) => ("draining", Some(wait.as_secs())),
    };
    json!({"name": name, "standing": word, "wait_s": wait})
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("-")
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// `homing status` for people.
pub fn overview(answer: &Value) -> String {
    let up = humantime::format_duration(Duration::from_secs(number(answer, "up_s")));
    let mut out = format!(
        "{} ({}), OMM {}, PARK {}, platform {}, up {up}\n",
        text(answer, "site"),
        text(answer, "role"),
        text(answer, "omm"),
        text(answer, "park"),
        text(answer, "platform"),
    );
    let joined: Vec<&str> = list(answer, "joined").filter_map(Value::as_str).collect();
    let link = answer.get("link").and_then(Value::as_str);
    let _ = match link {
        Some(link) => writeln!(out, "link      {link}"),
        None if joined.is_empty() => writeln!(out, "links     no remote is connected"),
        None => writeln!(out, "links     {} connected: {}", joined.len(), joined.join(", ")),
    };
    for server in list(answer, "servers") {
        let wait = server
            .get("wait_s")
            .and_then(Value::as_u64)
            .map(|wait| format!(" for {wait} s"))
            .unwrap_or_default();
        let _ = writeln!(out, "server    {:<16} {}{wait}", text(server, "name"), text(server, "standing"));
    }
    let (users, door) =
        (answer.get("users").unwrap_or(&Value::Null), answer.get("door").unwrap_or(&Value::Null));
    let _ = writeln!(
        out,
        "users     {}: {} here, {} elsewhere, {} gone",
        number(users, "total"),
        number(users, "here"),
        number(users, "elsewhere"),
        number(users, "gone"),
    );
    let _ = write!(
        out,
        "datagrams {} received, {} sent, {} refused, {} undelivered; {} restarts",
        number(door, "received"),
        number(door, "sent"),
        number(door, "refused"),
        number(door, "undelivered"),
        number(answer, "restarts"),
    );
    out
}

/// `homing users` for people.
pub fn users(answer: &Value) -> String {
    let mut out = format!("{:<12} {:<24} {:<18} {:<10} OWNER", "NUMBER", "NAME", "HANDSET", "PLACE");
    for user in list(answer, "users") {
        let _ = write!(
            out,
            "\n{:<12} {:<24} {:<18} {:<10} {}",
            text(user, "number"),
            text(user, "name"),
            text(user, "device"),
            text(user, "place"),
            text(user, "owner"),
        );
    }
    out
}
