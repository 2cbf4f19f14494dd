//! What an OMM adds to `Open` and `OpenResp` to be known as one of ours (SM-1R).
//!
//! The vendor's own words are used where they are public: `UserDeviceSyncClient`, `protocolVersion`, `ommPlatform`,
//! `sari` (axi 3). What they do not carry goes into attributes that begin with `hm`; on the root of these messages
//! clients ignore what they do not know (axi 7.1).
//!
//! | attribute | holds |
//! |---|---|
//! | `hmOmm` | PARI and member: `102A7C82`, `102A7C82-2` |
//! | `hmTerm` | how often the active member of a pair has changed; left out when it is 0 |
//! | `hmPlatform` | `pc`, `rfp`, `rfp4g` (`ommPlatform` knows only `linux-pc` and `rfp`) |
//! | `hmPli` | the length of the PARK in bits |
//! | `hmClock` | the speaker's calendar time in milliseconds |
//! | `hmTrial` | `1` in an `Open` that only asks whether it would be let in |
//! | `hmDirect` | `1` in an `Open` that begins a direct claim channel between two remotes (B-4) |
//! | `hmAxi` | in the `Open` of a link: where other remotes can call this one, `host:port` |
//! | `hmFingerprint` | the SHA-256 of the certificate that it shows there; left out where it does not speak TLS |

use machine::time::Wall;
use omm::ids::park::{Pli, Sari};
use omm::link::frame::{Facts, Purpose};
use omm::link::neighbour::Door;
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
    if facts.term > 0 {
        element.set("hmTerm", facts.term.to_string());
    }
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
        term: fields.maybe("hmTerm")?.unwrap_or_default(),
        protocol: fields.value("protocolVersion")?,
        platform: fields.value("hmPlatform")?,
        pli: Pli::unusual(fields.value("hmPli")?).map_err(|bad| fields.wrong("hmPli", bad))?,
        sari: sari.flatten(),
        wall: Wall::from_millis(fields.value("hmClock")?),
    }))
}

/// The longest `host:port`, in characters: a DNS name has 253 of them (RFC 1035 2.3.4), a port 5.
const ADDRESS_MAX: u32 = 260;

/// Appends where the speaker, or a neighbour, can be called.
pub(crate) fn write_door(door: &Door, element: &mut Element<'_>) {
    element.set("hmAxi", door.address.to_string());
    if let Some(fingerprint) = door.fingerprint {
        element.set("hmFingerprint", fingerprint.to_string());
    }
}

/// Reads it; `None` where there is no door.
pub(crate) fn read_door(fields: Fields<'_>) -> Result<Option<Door>, Complaint> {
    if fields.text("hmAxi").is_none() {
        return Ok(None);
    }
    let address = fields.short("hmAxi", ADDRESS_MAX)?.into();
    Ok(Some(Door { address, fingerprint: fields.maybe("hmFingerprint")? }))
}

/// Appends what the speaker wants, if that is no link.
pub(crate) fn write_purpose(purpose: Purpose, element: &mut Element<'_>) {
    match purpose {
        Purpose::Link => {}
        Purpose::Trial => element.set("hmTrial", "1"),
        Purpose::Direct => element.set("hmDirect", "1"),
    }
}

/// Reads it. Whoever only asks does so whatever else it says.
pub(crate) fn read_purpose(fields: Fields<'_>) -> Result<Purpose, Complaint> {
    Ok(match (fields.flag("hmTrial")?, fields.flag("hmDirect")?) {
        (true, _) => Purpose::Trial,
        (false, true) => Purpose::Direct,
        (false, false) => Purpose::Link,
    })
}
