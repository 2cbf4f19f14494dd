//! When to send the next REGISTER: the arithmetic of refreshes, back-offs and retries, without any state.

use std::time::Duration;

use machine::chance::Chance;

use crate::timing::Timing;

/// Below this lifetime a refresh comes at half of it (SM-3 refresh plan).
pub(super) const SHORT: Duration = Duration::from_secs(60);

/// Successes after which users that registered together are spread (ours): the first three refreshes are drawn from wide
/// windows, so that all seconds of a cycle are in use after it, and the usual window keeps them apart.
pub(super) const WIDE: u8 = 3;

/// From when on a registration may be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// When most of its life is over (SM-3 refresh plan).
    Usual,
    /// After a third of it (ours): many may have registered together, and the wider they are spread, the flatter is the
    /// rate of the next hours.
    Wide,
    /// After half of it: it was taken over after a restart, and a restart must bring no storm (facts: restart storms).
    Adopted,
}

/// How long after the answer to refresh a registration that lives for `granted`: no sooner and no later than this (SM-3
/// refresh plan, G-8).
///
/// Half-way below a minute; else `granted` - lead - [0, lead / 2], where lead = granted / 10 within its bounds; other
/// windows begin earlier. Never sooner than the floor, even when the registration does not live that long.
pub(super) fn refresh(granted: Duration, window: Window, timing: &Timing) -> (Duration, Duration) {
    let half = granted / 2;
    let (from, to) = if granted < SHORT {
        (half, half)
    } else {
        let lead = (granted / 10).clamp(timing.lead_min, timing.lead_max.max(timing.lead_min));
        let to = granted.saturating_sub(lead).max(half);
        let from = match window {
            Window::Usual => granted.saturating_sub(lead + lead / 2).max(half),
            Window::Wide => granted / 3,
            Window::Adopted => half,
        };
        (from, to)
    };
    (from.max(timing.refresh_floor), to.max(timing.refresh_floor))
}

/// How long to wait after `failures` attempts in a row that reached nobody (S-28, RFC 5626 4.5): uniform in
/// [W/2, W] with W = min(max, base * 2^failures), where the base is longer while another tier serves the user.
/// `retry_after` may lengthen it.
pub(super) fn back_off(
    failures: u32,
    sheltered: bool,
    retry_after: Option<Duration>,
    timing: &Timing,
    chance: &mut Chance,
) -> Duration {
    let base = if sheltered { timing.backoff_sheltered } else { timing.backoff_base };
    let widest = doubled(base, failures, timing.backoff_max);
    let wait = chance.between(widest / 2, widest);
    wait.max(retry_after.unwrap_or_default().min(timing.retry_after_max))
}

/// How long to wait after the `refusals`-th authoritative refusal in a row, counted from one (section 8: 120 s,
/// doubled, at most 30 min; facts: never dead for ever, never more than 2 a minute).
///
/// `retry_after` may lengthen it (S-23).
pub(super) fn rejected(refusals: u32, retry_after: Option<Duration>, timing: &Timing) -> Duration {
    let wait = doubled(timing.rejected_first, refusals.saturating_sub(1), timing.rejected_max);
    wait.max(retry_after.unwrap_or_default().min(timing.retry_after_max))
}

/// How long to wait before the removal is tried for the `tries`-th time again, counted from one: 30, 60, 120 ... s.
pub(super) fn cleanup(tries: u32, timing: &Timing) -> Duration {
    doubled(timing.cleanup_first, tries.saturating_sub(1), Duration::MAX)
}

/// The lifetime that a 2xx grants: that of our own contact, else that of the Expires header, else what was asked for.
///
/// Garbage (`-1`, a word, nothing) and absurd figures (4293498731 is a negative number that somebody printed unsigned)
/// count as what was asked for; zero stays zero and means "not stored" (G-8).
pub(super) fn granted(
    contact: Option<&str>,
    header: Option<&str>,
    asked: Duration,
    timing: &Timing,
) -> Duration {
    let read =
        |text: &str| text.trim().parse().ok().map(Duration::from_secs).filter(|g| *g <= timing.expires_max);
    match contact {
        Some(text) => read(text).unwrap_or(asked),
        None => header.and_then(read).unwrap_or(asked),
    }
}

fn doubled(base: Duration, times: u32, most: Duration) -> Duration {
    2_u32.checked_pow(times).and_then(|factor| base.checked_mul(factor)).map_or(most, |wait| wait.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn a_refresh_comes_within_its_window() {
        for (granted, third, half, low, high) in [
            (0, 20, 20, 20, 20),
            (1, 20, 20, 20, 20),
            (30, 20, 20, 20, 20),
            (50, 25, 25, 25, 25),
            (60, 20, 30, 37, 45),
            (120, 40, 60, 97, 105),
            (600, 200, 300, 510, 540),
            (3600, 1200, 1800, 3150, 3300),
            (86_400, 28_800, 43_200, 85_950, 86_100),
        ] {
            for (window, soonest) in [(Window::Usual, low), (Window::Wide, third), (Window::Adopted, half)] {
                let (from, to) = refresh(seconds(granted), window, &Timing::default());
                assert_eq!((from.as_secs(), to.as_secs()), (soonest, high), "{granted} {window:?}");
            }
        }
    }

    #[test]
    fn the_back_off_doubles_within_its_half_and_stops_growing() {
        let timing = Timing::default();
        let mut chance = Chance::of(7, "back-off");
        let alone = [60, 120, 240, 480, 960, 1800, 1800];
        let sheltered = [180, 360, 720, 1440, 1800, 1800, 1800];
        for (is_sheltered, all) in [(false, alone), (true, sheltered)] {
            for (failures, widest) in (1..).zip(all).chain([(40, 1800)]) {
                for _ in 0..200 {
                    let wait = back_off(failures, is_sheltered, None, &timing, &mut chance);
                    assert!(wait >= seconds(widest) / 2 && wait <= seconds(widest), "{failures}: {wait:?}");
                }
            }
        }
        assert!(back_off(1, false, Some(seconds(100)), &timing, &mut chance) == seconds(100));
        assert!(back_off(1, false, Some(Duration::MAX), &timing, &mut chance) == seconds(1800));
    }

    #[test]
    fn refusals_and_cleanups_double() {
        let timing = Timing::default();
        let waits: Vec<u64> = (1..=6).map(|n| rejected(n, None, &timing).as_secs()).collect();
        assert_eq!(waits, [120, 240, 480, 960, 1800, 1800]);
        assert_eq!(rejected(u32::MAX, None, &timing), seconds(1800));
        let waits: Vec<u64> = (1..=5).map(|n| cleanup(n, &timing).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480]);
    }

    #[test]
    fn garbage_counts_as_what_was_asked_for() {
        let asked = seconds(3600);
        let timing = Timing::default();
        for (contact, header, expected) in [
            (Some("120"), Some("60"), 120),
            (None, Some("60"), 60),
            (None, None, 3600),
            (Some("4293498731"), None, 3600),
            (Some("-1"), None, 3600),
            (Some(""), Some("60"), 3600),
            (Some("0"), Some("60"), 0),
            (None, Some("99999999999999999999999"), 3600),
        ] {
            assert_eq!(granted(contact, header, asked, &timing), seconds(expected), "{contact:?} {header:?}");
        }
    }
}
