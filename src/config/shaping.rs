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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The shape of a site with this in its `[sip.shaping]`, and what is said about it.
    fn read_with(shaping: &str) -> (Option<Shape>, String) {
        let text = format!(
            "name = \"a\"\nrole = \"central\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"d\"\n\
             [axi]\nlisten = \"127.0.0.1:1\"\nuser = \"u\"\npassword = \"p\"\ntls = false\n\
             [sip]\nlisten = \"127.0.0.1:5060\"\ndomain = \"x\"\n[sip.shaping]\n{shaping}\n\
             [[tier]]\nname = \"pbx\"\nuri = \"sip:127.0.0.2\"\n"
        );
        let (site, _, faults) = crate::config::read_site("site.toml", &text, Path::new(""));
        let said = faults.iter().map(|fault| fault.to_string()).collect::<Vec<_>>().join("\n");
        (site.map(|site| site.sip.shape), said)
    }

    #[test]
    fn modes_have_the_values_that_are_usual_for_them() {
        let shape = |text| {
            let (shape, said) = read_with(text);
            assert_eq!(said, "");
            shape.expect("a site")
        };
        assert_eq!(shape(""), Shape::default());
        assert_eq!(shape("mode = \"fixed\"").mode, Shape::FIXED);
        let spacing = Duration::from_millis(10);
        let fixed = shape("mode = \"fixed\"\nslots = 8\nspacing = \"10ms\"\nper_second = 100");
        assert_eq!((fixed.mode, fixed.per_second), (Mode::Fixed { slots: 8, spacing }, 100));
        assert_eq!(shape("slots = 10").mode, Mode::Adaptive { first: 10, most: 10 });
    }

    #[test]
    fn a_spacing_without_the_fixed_mode_is_a_mistake() {
        let (_, said) = read_with("spacing = \"40ms\"");
        assert!(said.contains("clocked by answers") && said.contains("mode = \"fixed\""), "{said}");
        assert!(read_with("slots = 0").1.contains("slots"));
    }
}
