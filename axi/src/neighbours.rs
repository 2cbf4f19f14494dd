//! What a central tells its remotes of each other, for the time when it is gone (B-4). Ours.
//!
//! ```text
//! <EventNeighbours><omm hmOmm="102AF12C" hmAxi="192.0.2.7:12622" hmFingerprint="AB:CD:.."/></EventNeighbours>
//! ```

use omm::link::neighbour::Neighbour;
use omm::link::roster::REMOTES_MAX;

use crate::element::Element;
use crate::error::Complaint;
use crate::fields::Fields;
use crate::sibling;

/// The message.
pub const NAME: &str = "EventNeighbours";
const ONE: &str = "omm";

/// The wire form.
pub(crate) fn element(all: &[Neighbour]) -> Element<'static> {
    let mut element = Element::new(NAME);
    for Neighbour { omm, door } in all {
        let mut one = Element::new(ONE).with("hmOmm", omm.to_string());
        sibling::write_door(door, &mut one);
        element.push(one);
    }
    element
}

/// Reads it.
///
/// # Errors
/// There are more of them than a system has remotes, or one of them is not to be understood.
pub(crate) fn read(element: &Element<'_>) -> Result<Vec<Neighbour>, Complaint> {
    let all = element.children();
    if all.len() > REMOTES_MAX {
        return Err(Fields::of(element).wrong(ONE, format_args!("expected at most {REMOTES_MAX} of them")));
    }
    let read = |one: &Element<'_>| {
        let fields = Fields::of(one);
        let omm = fields.value("hmOmm")?;
        let door = sibling::read_door(fields)?.ok_or_else(|| fields.missing("hmAxi"))?;
        Ok(Neighbour { omm, door })
    };
    all.iter().map(read).collect()
}
