//! What an OMM adds to `Open` and `OpenResp` to be known as one of ours (SM-1R).
//!
//! The vendor's own words are used where they are public: `UserDeviceSyncClient`, `protocolVersion`, `ommPlatform`,
//! `sari` (axi 3). What they do not carry goes into attributes that begin with `hm`; on the root of these messages
//! clients ignore what they do not know (axi 7.1).
//!
//! | attribute | holds |
//! |---|---|
//! | `hmOmm` | PARI and member: `102A7C82`, `102A7C82-2` |
//! | `hmPlatform` | `pc`, `rfp`, `rfp4g` (`ommPlatform` knows only `linux-pc` and `rfp`) |
//! | `hmPli` | the length of the PARK in bits |
//! | `hmClock` | the speaker's calendar time in milliseconds |
//! | `hmTrial` | `1` in an `Open` that only asks whether it would be let in |

use machine::time::Wall;
use omm::ids::park::{Pli, Sari};
use omm::link::frame::Facts;
use omm::platform::Platform;

use crate::element::Element;
use crate::error::Complaint;
use crate::fields::Fields;

/// How the vendor writes the platform.
pub(crate) fn vendor_platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Pc => "linux-pc",
        Platform::Rfp | Platform::Rfp4g => "rfp",
    }
}

/// Appends the facts, except `protocolVersion`, which has its own place.
pub(crate) fn write(facts: &Facts, element: &mut Element<'_>) {
    if let Some(sari) = facts.sari {
        element.set("sari", sari.to_string());
    }
    element.set("hmOmm", facts.omm.to_string());
    element.set("hmPlatform", facts.platform.to_string());
    element.set("hmPli", facts.pli.bits().to_string());
    element.set("hmClock", facts.wall.as_millis().to_string());
}

/// Reads the facts; `None` when the speaker is no OMM of ours.
pub(crate) fn read(fields: Fields<'_>) -> Result<Option<Facts>, Complaint> {
    let Some(omm) = fields.maybe("hmOmm")? else { return Ok(None) };
    let sari = fields.text("sari").map(Sari::read).transpose().map_err(|bad| fields.wrong("sari", bad))?;
    Ok(Some(Facts {
        omm,
        protocol: fields.value("protocolVersion")?,
        platform: fields.value("hmPlatform")?,
        pli: Pli::unusual(fields.value("hmPli")?).map_err(|bad| fields.wrong("hmPli", bad))?,
        sari: sari.flatten(),
        wall: Wall::from_millis(fields.value("hmClock")?),
    }))
}
