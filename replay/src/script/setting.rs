//! `set KEY VALUE`: the timers and limits of spec section 8.

use std::time::Duration;

use super::cursor::{Cursor, Read};

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A time.
    Time(Duration),
    /// A count.
    Count(u32),
    /// On or off.
    Switch(bool),
    /// One of a few words.
    Word(&'static str),
}

/// What kind of value a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A duration.
    Time,
    /// A whole number.
    Count,
    /// `on` or `off`.
    Switch,
    /// One of these words.
    Word(&'static [(&'static str, &'static str)]),
}

/// Every key, what it takes and what it is (spec section 8 unless said otherwise).
pub const KEYS: &[(&str, Takes, &str)] = &[
    ("announce", Takes::Time, "how long a claim waits for the answer to its REGISTER"),
    ("audit", Takes::Time, "how often a user looks whether its server still lists it; `0s`: never"),
    ("detach_hold", Takes::Time, "how long to wait after a phone's goodbye"),
    ("direct", Takes::Switch, "whether remotes tell each other of roams when the central is gone (B-4)"),
    ("disk_latency", Takes::Time, "how long a commit takes to reach the disk"),
    ("epr", Takes::Switch, "whether sites have external users; the central decides about them (M-2.2.7.1)"),
    ("epr_interval", Takes::Time, "how often the files of all external users are read"),
    ("evict", Takes::Switch, "whether evidence of an older sibling contact removes it (SM-2, B-2)"),
    ("evidence", Takes::Switch, "whether what a registrar lists says who is where (SM-2, B-2)"),
    ("expires", Takes::Time, "the registration time asked for"),
    ("expires_max", Takes::Time, "the longest registration time that the registrars grant"),
    ("expires_min", Takes::Time, "the shortest one; less is answered 423"),
    ("failback_hold", Takes::Time, "how long a server must be good before users come back"),
    ("failover_timer", Takes::Time, "how long to wait for an answer before the next server is asked"),
    ("link_backoff_max", Takes::Time, "the longest wait before a link is dialled again"),
    ("link_dead", Takes::Time, "silence after which a link is lost"),
    ("link_ping", Takes::Time, "how often a quiet link is pinged"),
    ("location_period", Takes::Time, "how often a phone repeats its location registration"),
    ("location_stop", Takes::Time, "when a silent phone is believed gone (M-2.1.4.3)"),
    ("location_tolerance", Takes::Time, "how late a phone may be before it is overdue"),
    (
        "login",
        Takes::Word(LOGINS),
        "under which names phones log in: the number, or the id of whoever has one (M-2.2.3-b)",
    ),
    ("mode", Takes::Word(MODES), "how the tiers of a site are used"),
    ("probe_idle", Takes::Time, "how long nobody may have heard of a server before it is asked"),
    ("probe_interval", Takes::Time, "how often a dead server is probed"),
    ("probe_interval_max", Takes::Time, "the same after some doublings"),
    ("realm", Takes::Switch, "whether OMMs answer challenges of the SIP domain's realm only"),
    ("renew_coalescing", Takes::Time, "at most one renewal in this time"),
    ("retry_after_max", Takes::Time, "the longest Retry-After that is obeyed"),
    ("shaper", Takes::Word(SHAPERS), "how REGISTERs to a server are shaped (SM-3)"),
    ("shaper_per_second", Takes::Count, "how many REGISTERs may start within a second, at one server"),
    ("shaper_slots", Takes::Count, "how many exchanges are in flight at a time, at one server"),
    ("shaper_spacing", Takes::Time, "`fixed`: the time between two starts"),
    ("skew_stop", Takes::Time, "clock difference at which a link is held"),
    ("skew_warn", Takes::Time, "clock difference at which a warning is given"),
    ("t_confirm", Takes::Time, "how long a new owner waits before it renews unconfirmed"),
    ("t_confirm2", Takes::Time, "when it renews once more"),
    ("t_connect", Takes::Time, "how long a link may take to connect"),
    ("t_dereg", Takes::Time, "how long a former owner waits for its removal before it confirms"),
    ("t_failed", Takes::Time, "the first wait after a refusal"),
    ("t_held", Takes::Time, "how long a held link waits"),
    ("t_open", Takes::Time, "how long a link may take to open"),
    ("t_timeout_max", Takes::Time, "the longest wait after all servers were silent"),
];

const LOGINS: &[(&str, &str)] = &[("id", "id"), ("number", "number")];
const MODES: &[(&str, &str)] = &[("parallel", "parallel"), ("serial", "serial"), ("top-down", "top-down")];
const SHAPERS: &[(&str, &str)] = &[("adaptive", "adaptive"), ("fixed", "fixed")];

/// Reads `KEY VALUE`. A hyphen may stand for each underscore.
pub(super) fn read(line: &mut Cursor<'_>) -> Read<(&'static str, Setting)> {
    let key = line.peek_word().replace('-', "_");
    let Some((key, takes, _)) = KEYS.iter().find(|(known, _, _)| *known == key) else {
        let complaint =
            line.complain("there is no setting of this name", "a key such as `t_confirm` or `detach_hold`");
        return Err(complaint.nearest_of(KEYS.iter().map(|(known, _, _)| *known)));
    };
    line.skip();
    let setting = match takes {
        Takes::Time => Setting::Time(line.duration()?),
        Takes::Count => Setting::Count(line.count("a whole number")?),
        Takes::Word(words) => Setting::Word(line.choose("a word", words)?),
        Takes::Switch => Setting::Switch(line.choose("a switch", &[("on", true), ("off", false)])?),
    };
    Ok((key, setting))
}
