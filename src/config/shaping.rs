//! `[sip.shaping]`: how fast REGISTERs go to one SIP server (SM-3, "Shaper").

use std::time::Duration;

use sip::shaper::{FIXED_SLOTS, FIXED_SPACING, Mode, SLOTS_FIRST, SLOTS_MAX, Shape};

use super::reader::Section;

/// Most exchanges in flight at one server. Ours: twice what the usual receive buffer of a UDP socket holds.
const SLOTS_LIMIT: u64 = 512;
/// Longest time between two starts; ours.
const SPACING_LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Adaptive,
    Fixed,
}

const KINDS: &[(&str, Kind)] = &[("adaptive", Kind::Adaptive), ("fixed", Kind::Fixed)];

/// Reads the table in `[sip]`, if it is there. How long a slot is held is the fail-over timer's matter.
pub(super) fn read(sip: &Section<'_, '_>) -> Shape {
    let usual = Shape::default();
    let Some(section) = sip.table("shaping") else { return usual };
    let kind = section.word("mode", KINDS).map_or(Kind::Adaptive, |found| found.value);
    let slots = section.number("slots", 1, SLOTS_LIMIT).and_then(|found| u32::try_from(found.value).ok());
    let spacing = section.duration("spacing", Duration::ZERO, SPACING_LIMIT);
    if let (Kind::Adaptive, Some(spacing)) = (kind, &spacing) {
        let hint = Some("write mode = \"fixed\", or leave `spacing` out".into());
        let what = "the adaptive mode is clocked by answers, not by times";
        section.reader.fault(spacing.span.clone(), what, "spacing", "no `spacing`", hint);
    }
    let per_second = section.number("per_second", 2, 1_000_000);
    section.finish();
    let mode = match kind {
        Kind::Adaptive => {
            let most = slots.unwrap_or(SLOTS_MAX);
            Mode::Adaptive { first: SLOTS_FIRST.min(most), most }
        }
        Kind::Fixed => Mode::Fixed {
            slots: slots.unwrap_or(FIXED_SLOTS),
            spacing: spacing.map_or(FIXED_SPACING, |found| found.value),
        },
    };
    let per_second = per_second.and_then(|found| u32::try_from(found.value).ok());
    Shape { mode, per_second: per_second.unwrap_or(usual.per_second), ..usual }
}
