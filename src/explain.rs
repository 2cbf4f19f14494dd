//! `homing explain timers`: the worst cases that follow from a site's configuration, with the sums they are made of.
//!
//! Pure arithmetic. Where the answer depends on others it says which assumption it makes: a server that answers within
//! [`ANSWER`], and a digest challenge on every REGISTER, so that an exchange takes two answers.

use std::time::Duration;

use serde_json::{Value, json};
use sip::line::Mode;
use sip::shaper::{self, EARNED_AFTER, Shape};
use sip::timing::Timing;

use crate::config::site::Site;

/// How fast a SIP server answers, for the sums (SM-3: two round trips of 20 ms).
pub const ANSWER: Duration = Duration::from_millis(20);

/// One worst case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What takes so long.
    pub what: String,
    /// How long, at most.
    pub time: Duration,
    /// What it is the sum of.
    pub because: String,
}

/// How long `users` exchanges take at one server, which answers within [`ANSWER`].
pub fn served(users: usize, shape: &Shape) -> Duration {
    let (users, exchange) = (users as f64, ANSWER.as_secs_f64() * 2.0);
    let capped = users * 2.0 / f64::from(shape.per_second.max(2));
    let paced = match shape.mode {
        shaper::Mode::Fixed { slots, spacing } => {
            users * spacing.as_secs_f64().max(exchange / f64::from(slots.max(1)))
        }
        shaper::Mode::Adaptive { first, most } => {
            let (mut left, mut slots, mut seconds) = (users, first.min(most).max(1), 0.0);
            while left > 0.0 {
                // One slot in eight is kept for roams.
                let usable = f64::from((slots - (slots / 8).max(1)).max(1));
                let round = if slots < most { left.min(f64::from(EARNED_AFTER)) } else { left };
                seconds += round * exchange / usable;
                left -= round;
                slots = (slots + 1).min(most.max(1));
            }
            seconds + exchange
        }
    };
    Duration::from_millis((paced.max(capped) * 1000.0).ceil() as u64)
}

/// Every worst case of the site.
pub fn rows(site: &Site) -> Vec<Row> {
    let mut rows = servers(site);
    let timers = &site.timers;
    let mut row = |what: &str, time: Duration, because: String| {
        rows.push(Row { what: what.into(), time, because });
    };
    row(
        "a roam, link up: registered twice",
        timers.announce + timers.dereg,
        format!(
            "the former site told within announce {}; its removal answered, or given up after dereg {}",
            text(timers.announce),
            text(timers.dereg)
        ),
    );
    row(
        "a roam, link up: certain of calls again",
        timers.confirm_again,
        format!(
            "renewal on each confirmation, else after confirm {} and confirm_again",
            text(timers.confirm)
        ),
    );
    row(
        "a roam, link down: registered twice",
        timers.watchdog,
        "until the link is back, at most until the former site's watchdog ends".into(),
    );
    row(
        "a silent handset is believed gone",
        timers.watchdog,
        format!("watchdog; it reports every {}", text(timers.location_period)),
    );
    row(
        "a dead link to the central is noticed",
        timers.link_dead,
        format!("link_dead of silence; pinged every {}", text(timers.link_ping)),
    );
    row("a link refused by the central is tried again", timers.held, "held".into());
    rows
}

fn servers(site: &Site) -> Vec<Row> {
    let (timers, usual, users) = (&site.timers, Timing::default(), site.users.len());
    let has_spare = site.tiers.len() > 1;
    let shape = Shape { hold: timers.failover, ..site.sip.shape };
    let (reply, exchange) = (usual.probe_reply.min(timers.failover), ANSWER * 2);
    let idle = if has_spare { timers.probe_idle } else { usual.probe_lone };
    let noticed = idle + reply * 2;
    let all = served(users, &shape);
    let mut rows = Vec::new();
    let mut row = |what: String, time: Duration, because: String| rows.push(Row { what, time, because });
    // The second goes to all targets of the server at once, so their number adds nothing.
    let probes =
        format!("{} without a word + 2 probes of {}, the second to all targets", text(idle), text(reply));
    row("a silent server is noticed, users idle".into(), noticed, probes);
    row(
        "the same while somebody registers".into(),
        (timers.failover + reply).min(noticed),
        format!("failover {} + a probe of {}", text(timers.failover), text(reply)),
    );
    let pace = match shape.mode {
        shaper::Mode::Fixed { slots, spacing } => format!("{slots} slots, {} apart", text(spacing)),
        shaper::Mode::Adaptive { first, most } => {
            format!("{first} to {most} slots, answers of {}", text(ANSWER))
        }
    };
    match (has_spare, site.mode) {
        (true, Mode::Parallel) => {
            row(
                "users are at another server".into(),
                Duration::ZERO,
                "registered at all tiers at once".into(),
            );
        }
        (true, Mode::TopDown | Mode::Serial) => {
            row("first user moved".into(), noticed + exchange, "noticed + one exchange".into());
            row(format!("last of {users} users moved"), noticed + all, format!("noticed + {pace}"));
        }
        (false, _) => {}
    }
    if has_spare && site.mode == Mode::TopDown {
        let hold = timers.probe_max + reply + timers.failback_hold;
        row(
            "failback begins after the server is back".into(),
            hold,
            format!("probe_max {} + failback_hold {}", text(timers.probe_max), text(timers.failback_hold)),
        );
        row(format!("last of {users} users is back"), hold + all, format!("begun + {pace}"));
        row(format!("the same by `homing failback`, {users} users"), all, pace.clone());
    }
    row(format!("cold start of {users} users"), all, pace.clone());
    let lead = (site.expires / 10).clamp(usual.lead_min, usual.lead_max);
    let (forgotten, because) = if timers.audit.is_zero() {
        let refresh = site.expires.saturating_sub(lead);
        (refresh, format!("expires {} - a lead of {}; audit is off", text(site.expires), text(lead)))
    } else {
        // Two users look, register again and look once more.
        (
            timers.audit + exchange * 6 + all,
            format!("audit {} + two users who look + {pace}", text(timers.audit)),
        )
    };
    row(format!("a server restarts unnoticed: {users} users it forgot are back"), forgotten, because);
    row(
        "a user whom a server refused is tried again".into(),
        timers.rejected_max,
        format!("rejected {}, doubled up to rejected_max", text(timers.rejected)),
    );
    row(
        "no server answers: a user is tried again".into(),
        usual.backoff_max,
        format!("{}, doubled up to the limit (RFC 5626 4.5)", text(usual.backoff_base)),
    );
    rows
}

fn text(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

/// The table for people.
pub fn table(site: &Site) -> String {
    let rows = rows(site);
    let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
    let line = |row: &Row| format!("{:<width$}  {:>14}  {}", row.what, text(shown(row.time)), row.because);
    let head = format!("site {}: worst cases\n", site.name);
    head + &rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Beyond ten seconds nobody counts milliseconds.
fn shown(time: Duration) -> Duration {
    if time < Duration::from_secs(10) { time } else { Duration::from_secs(time.as_secs_f64().ceil() as u64) }
}

/// The table for programs.
pub fn to_json(site: &Site) -> Value {
    let rows = rows(site);
    let row =
        |row: &Row| json!({"what": row.what, "ms": row.time.as_millis() as u64, "because": row.because});
    json!({"site": site.name, "worst": rows.iter().map(row).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(mode: shaper::Mode) -> Shape {
        Shape { mode, ..Shape::default() }
    }

    fn site() -> Site {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/site.toml");
        crate::config::load(&path).expect("the example")
    }

    fn time(rows: &[Row], what: &str) -> Duration {
        rows.iter().find(|row| row.what.starts_with(what)).map(|row| row.time).expect("a row")
    }

    #[test]
    fn mitel_s_values_serve_ten_thousand_in_four_hundred_seconds() {
        assert_eq!(served(10_000, &shape(Shape::FIXED)), Duration::from_secs(400));
    }

    #[test]
    fn the_adaptive_mode_is_bounded_by_answers_and_by_the_cap() {
        let free = served(10_000, &shape(Shape::ADAPTIVE));
        assert!(free > Duration::from_secs(3) && free < Duration::from_secs(10), "{free:?}");
        let capped = Shape { per_second: 100, ..Shape::default() };
        assert_eq!(served(10_000, &capped), Duration::from_secs(200));
        assert!(served(1, &Shape::default()) < Duration::from_millis(100));
    }

    #[test]
    fn the_example_notices_within_ten_seconds_and_says_why() {
        let site = site();
        let rows = rows(&site);
        assert_eq!(time(&rows, "a silent server is noticed"), Duration::from_secs(9));
        assert_eq!(time(&rows, "the same while somebody"), Duration::from_millis(6500));
        assert_eq!(time(&rows, "failback begins"), Duration::from_millis(902_500));
        assert_eq!(time(&rows, "a server restarts unnoticed").as_secs(), 30);
        assert_eq!(time(&rows, "a dead link"), Duration::from_secs(90));
        assert_eq!(time(&rows, "a roam, link down"), Duration::from_secs(9000));
        let table = table(&site);
        let sum = "4s without a word + 2 probes of 2s 500ms, the second to all targets";
        assert!(table.contains(sum), "{table}");
        assert_eq!(to_json(&site)["worst"][0]["ms"], 9000);
    }

    #[test]
    fn without_audits_whoever_was_forgotten_is_back_at_the_refresh() {
        let mut site = site();
        site.timers.audit = Duration::ZERO;
        assert_eq!(time(&rows(&site), "a server restarts unnoticed"), Duration::from_secs(3300));
    }

    #[test]
    fn a_site_with_one_server_moves_nobody_and_one_in_parallel_need_not() {
        let mut site = site();
        site.mode = Mode::Parallel;
        assert_eq!(time(&rows(&site), "users are at another"), Duration::ZERO);
        site.tiers.truncate(1);
        let rows = rows(&site);
        assert!(!rows.iter().any(|row| row.what.contains("moved")));
        assert_eq!(time(&rows, "a silent server is noticed"), Duration::from_secs(305));
    }
}
