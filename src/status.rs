//! What a running OMM tells of itself, and how `homing status` prints it.

use std::fmt::Write;
use std::time::Duration;

use ::actors::omm::inspect::Status;
use ::actors::omm::roll::Survey;
use machine::time::Wall;
use omm::claim::{Claim, Phase};
use omm::ids::Number;
use omm::link::dial::{Health, Held};
use omm::stamp::OmmId;
use serde_json::{Value, json};
use sip::grant::Grant;
use sip::server::Standing;

use crate::config::site::{REMOTES_MAX, Site};
use crate::service::birth::identity;
use crate::sockets::Counts;

/// The answer to `status`.
pub fn to_json(
    site: &Site,
    (status, survey): (&Status, &Survey),
    door: Counts,
    dropped: u64,
    up: Duration,
) -> Value {
    let places: Vec<Place> = status.claims.iter().map(|claim| place(site, claim)).collect();
    let count = |wanted: Place| places.iter().filter(|place| **place == wanted).count();
    json!({
        "site": site.name,
        "role": site.role.word(),
        "omm": status.omm.to_string(),
        "park": site.park.to_string(),
        "platform": site.platform.to_string(),
        "up_s": up.as_secs(),
        "sari": status.sari.map(|sari| sari.to_string()),
        "link": status.link.map(link),
        "remotes": status.remotes.iter().map(|entry| remote(site, entry)).collect::<Vec<_>>(),
        "direct": status.beside.iter().map(|omm| name_of(site, *omm)).collect::<Vec<_>>(),
        "joined": status.joined.iter().map(|omm| name_of(site, *omm)).collect::<Vec<_>>(),
        "servers": status.servers.iter().map(|(name, standing, since)| server(name, *standing, *since)).collect::<Vec<_>>(),
        "granted": granted(site, status),
        "users": {
            "total": status.users,
            "here": count(Place::Here),
            "elsewhere": count(Place::Elsewhere),
            "gone": count(Place::Gone),
        },
        "directory": {
            "digest": survey.digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "users": survey.users,
            "devices": survey.devices,
            "tombstones": survey.tombstones,
            "conflicts": survey.conflicts,
            "over_limit": survey.over_limit,
            "quarantined": survey.quarantined,
        },
        "sip": {
            "received": door.received,
            "refused": door.refused,
            "sent": door.sent,
            "undelivered": door.undelivered,
            "dropped": dropped,
        },
        "restarts": status.restarts,
        "axi": {
            "misread": status.disorder.misread,
            "broken": status.disorder.broken,
            "astray": status.disorder.astray,
            "refused": status.disorder.refused,
            "turned_away": status.disorder.turned_away,
            "unwanted": status.disorder.unwanted,
        },
    })
}

/// What the registrars grant beside the lifetime, each variety once with the users who have it: a core gives nearly
/// all of them the same.
fn granted(site: &Site, status: &Status) -> Value {
    let mut varieties: Vec<(u8, &Grant, usize)> = Vec::new();
    for ((_, tier), grant) in &status.grants {
        let has_room = varieties.len() < VARIETIES_MAX;
        let known = varieties.iter_mut().find(|(known, one, _)| known == tier && is_alike(one, grant));
        match known {
            Some((_, _, users)) => *users += 1,
            None if has_room => varieties.push((*tier, grant, 1)),
            None => {}
        }
    }
    varieties.sort_by_key(|(tier, _, users)| (*tier, std::cmp::Reverse(*users)));
    let shown = varieties.into_iter().map(|(tier, grant, users)| {
        json!({
            "server": server_of(site, tier),
            "users": users,
            "service_route": grant.service_route,
            "path": grant.path,
            "flow_timer_s": grant.flow_timer.map(|timer| timer.as_secs()),
            "outbound": grant.outbound,
            "gruu": grant.public.is_some(),
        })
    });
    shown.collect()
}

/// Varieties of grants that are shown. Ours: more means that each user has his own.
const VARIETIES_MAX: usize = 32;

/// The same but for the addresses, which are each user's own.
fn is_alike(one: &Grant, other: &Grant) -> bool {
    one.service_route == other.service_route
        && one.path == other.path
        && one.flow_timer == other.flow_timer
        && one.outbound == other.outbound
        && one.public.is_some() == other.public.is_some()
}

/// What one user is granted, by server.
pub(crate) fn grants_of(site: &Site, status: &Status, number: &Number) -> Value {
    let own = status.grants.range((number.clone(), 0)..=(number.clone(), u8::MAX));
    let shown = own.map(|((_, tier), grant)| {
        json!({
            "server": server_of(site, *tier),
            "service_route": grant.service_route,
            "path": grant.path,
            "public": grant.public,
            "temporary": grant.temporary,
            "flow_timer_s": grant.flow_timer.map(|timer| timer.as_secs()),
            "outbound": grant.outbound,
        })
    });
    shown.collect()
}

fn server_of(site: &Site, tier: u8) -> &str {
    site.tiers.get(usize::from(tier)).map_or("", |tier| &tier.name)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Here,
    Elsewhere,
    Gone,
}

impl Place {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Place::Here => "here",
            Place::Elsewhere => "elsewhere",
            Place::Gone => "gone",
        }
    }
}

pub(crate) fn place(site: &Site, claim: &Claim) -> Place {
    match claim.phase {
        Phase::Gone => Place::Gone,
        Phase::Here if claim.owner == identity(site) => Place::Here,
        Phase::Here => Place::Elsewhere,
    }
}

/// The name of an OMM where it is known, its number otherwise.
pub(crate) fn name_of(site: &Site, omm: OmmId) -> String {
    let known = site.remotes.iter().find(|remote| OmmId::new(remote.park.ari.bits()) == omm);
    match known {
        _ if omm == identity(site) => site.name.clone(),
        Some(remote) => remote.name.clone(),
        None => omm.to_string(),
    }
}

/// The name of the OMM that a trace calls `omm`, where it is known.
pub fn name_of_text(site: &Site, omm: &str) -> String {
    omm.parse().map_or_else(|_| omm.to_owned(), |known| name_of(site, known))
}

fn link((health, span, since): (Health, Duration, Wall)) -> Value {
    let (state, reason) = match health {
        Health::Off => ("off", None),
        Health::Refused(census) => ("refused", Some(format!("it has {census} of its own (M-2.3.1.2-a)"))),
        Health::Connecting => ("connecting", None),
        Health::Held(Held::Here(mismatch)) => ("held", Some(mismatch.to_string())),
        Health::Held(Held::Distrusted) => ("held", Some(Held::Distrusted.to_string())),
        Health::Held(Held::There(error)) => ("held", Some(format!("by the central: {error}"))),
        Health::Synchronising(percent) => ("synchronising", Some(format!("{percent} %"))),
        Health::InSync => ("up", None),
        Health::Lost => ("down", None),
    };
    json!({"state": state, "reason": reason, "since_s": span.as_secs(), "since": date(since)})
}

/// A remote on the roster.
fn remote(site: &Site, (omm, since, connected): &(OmmId, Wall, bool)) -> Value {
    json!({
        "name": name_of(site, *omm),
        "omm": omm.to_string(),
        "connected": connected,
        "since": date(*since),
    })
}

/// A time of the calendar, in UTC.
fn date(at: Wall) -> String {
    let at = std::time::UNIX_EPOCH + Duration::from_millis(at.as_millis());
    humantime::format_rfc3339_seconds(at).to_string()
}

fn server(name: &str, standing: Standing, since: Wall) -> Value {
    let (word, wait) = match standing {
        Standing::Usable => ("usable", None),
        Standing::Recovering => ("recovering", None),
        Standing::Down => ("down", None),
        Standing::Drilled => ("drained by drill", None),
        Standing::Draining(wait) => ("draining", Some(wait.as_secs())),
    };
    json!({"name": name, "standing": word, "wait_s": wait, "since": date(since)})
}

/// A text of an answer; a dash where there is none.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("-")
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// A list of an answer; empty where there is none.
pub(crate) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Digits of the digest that people are shown, who compare two of them by eye. Ours.
const DIGEST_SHOWN: usize = 12;

/// When what is shown last changed its state; nothing in the answer of an older OMM.
fn since(value: &Value) -> String {
    value.get("since").and_then(Value::as_str).map(|since| format!(" since {since}")).unwrap_or_default()
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
    let _ = match answer.get("link").filter(|link| !link.is_null()) {
        Some(link) => match link.get("reason").and_then(Value::as_str) {
            Some(reason) => writeln!(out, "link      {}{}: {reason}", text(link, "state"), since(link)),
            None => writeln!(out, "link      {}{}", text(link, "state"), since(link)),
        },
        None if joined.is_empty() => writeln!(out, "links     no remote is connected"),
        None => writeln!(out, "links     {} connected: {}", joined.len(), joined.join(", ")),
    };
    let direct: Vec<&str> = list(answer, "direct").filter_map(Value::as_str).collect();
    if !direct.is_empty() {
        let _ = writeln!(out, "direct    {}", direct.join(", "));
    }
    let roster = list(answer, "remotes").count();
    if roster > 0 {
        let _ = writeln!(out, "roster    {roster} of {REMOTES_MAX} remotes");
    }
    for server in list(answer, "servers") {
        let wait = server
            .get("wait_s")
            .and_then(Value::as_u64)
            .map(|wait| format!(" for {wait} s"))
            .unwrap_or_default();
        let (name, standing) = (text(server, "name"), text(server, "standing"));
        let _ = writeln!(out, "server    {name:<16} {standing}{wait}{}", since(server));
    }
    let none = Value::Null;
    let (users, sip) = (answer.get("users").unwrap_or(&none), answer.get("sip").unwrap_or(&none));
    let _ = writeln!(
        out,
        "users     {}: {} here, {} elsewhere, {} gone",
        number(users, "total"),
        number(users, "here"),
        number(users, "elsewhere"),
        number(users, "gone"),
    );
    if let Some(directory) = answer.get("directory") {
        let digest: String = text(directory, "digest").chars().take(DIGEST_SHOWN).collect();
        let _ = writeln!(
            out,
            "directory {digest}.. with {} users, {} handsets, {} deletions",
            number(directory, "users"),
            number(directory, "devices"),
            number(directory, "tombstones"),
        );
        let idle = ["conflicts", "over_limit", "quarantined"].map(|what| number(directory, what));
        if let [conflicts, over, quarantined] = idle
            && idle != [0; 3]
        {
            let _ = writeln!(
                out,
                "attention {conflicts} in conflict, {over} over the limit, {quarantined} from the future",
            );
        }
    }
    let axi = |kind: &str| answer.get("axi").map_or(0, |axi| number(axi, kind));
    if ["misread", "broken", "astray", "refused", "unwanted"].into_iter().any(|kind| axi(kind) > 0) {
        let _ = writeln!(
            out,
            "strangers {} logins refused ({} unlooked at), {} connections broken, {} astray, {} too many; \
             {} messages not understood",
            axi("refused"),
            axi("turned_away"),
            axi("broken"),
            axi("astray"),
            axi("unwanted"),
            axi("misread"),
        );
    }
    let _ = write!(
        out,
        "datagrams {} received ({} refused, {} dropped), {} sent ({} undelivered); {} restarts",
        number(sip, "received"),
        number(sip, "refused"),
        number(sip, "dropped"),
        number(sip, "sent"),
        number(sip, "undelivered"),
        number(answer, "restarts"),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overview_fits_remotes_and_centrals() {
        let at = |second: u64| Wall::from_millis(1_790_000_000_000 + second * 1_000);
        let mut answer = json!({
            "site": "berlin", "role": "remote", "omm": "102F0E86", "park": "1F102F0E86", "platform": "pc",
            "up_s": 3_725, "link": link((Health::InSync, Duration::from_secs(7), at(1))), "joined": ["central"],
            "servers": [
                server("pbx", Standing::Usable, at(2)),
                server("gw", Standing::Draining(Duration::from_secs(9)), at(3)),
            ],
            "users": {"total": 3, "here": 1, "elsewhere": 1, "gone": 0},
            "sip": {"received": 5, "refused": 1, "dropped": 2, "sent": 4, "undelivered": 0}, "restarts": 0,
        });
        let expected = "berlin (remote), OMM 102F0E86, PARK 1F102F0E86, platform pc, up 1h 2m 5s\n\
                        link      up since 2026-09-21T14:13:21Z\n\
                        server    pbx              usable since 2026-09-21T14:13:22Z\n\
                        server    gw               draining for 9 s since 2026-09-21T14:13:23Z\n\
                        users     3: 1 here, 1 elsewhere, 0 gone\n\
                        datagrams 5 received (1 refused, 2 dropped), 4 sent (0 undelivered); 0 restarts";
        assert_eq!(overview(&answer), expected);
        let digest = "0123456789abcdef".repeat(4);
        answer["directory"] = json!({"digest": digest, "users": 3, "devices": 2, "tombstones": 1});
        let directory = "\ndirectory 0123456789ab.. with 3 users, 2 handsets, 1 deletions\n";
        assert!(overview(&answer).contains(directory), "{}", overview(&answer));
        answer["directory"]["conflicts"] = json!(2);
        let attention = "\nattention 2 in conflict, 0 over the limit, 0 from the future\n";
        assert!(overview(&answer).contains(attention), "{}", overview(&answer));
        answer["axi"] =
            json!({"misread": 1, "broken": 2, "astray": 3, "refused": 4, "turned_away": 3, "unwanted": 5});
        let strangers = "strangers 4 logins refused (3 unlooked at), 2 connections broken, 3 astray, 5 too many; \
                         1 messages not understood\ndatagrams";
        assert!(overview(&answer).contains(strangers), "{}", overview(&answer));
        answer["direct"] = json!(["madrid"]);
        assert!(overview(&answer).contains("Z\ndirect    madrid\n"));
        answer["link"] = Value::Null;
        assert!(overview(&answer).contains("links     1 connected: central\n"));
        answer["joined"] = json!([]);
        assert!(overview(&answer).contains("links     no remote is connected\n"));
    }
}
