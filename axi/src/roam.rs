//! How the words about a roam travel (spec SM-2, axi 6).
//!
//! The vendor keeps a roam in the fields of a device record (`ommId`, `ommIdAck`, `timeStampRoaming`, `roaming`), and
//! an attribute of our own in a `<user>` or `<pp>` would hang a real client (axi 7.1). So the words are messages of
//! their own, sent only to OMMs of ours, whose `Open` said `hmOmm`. They use the vendor's names where these are
//! public. What those cannot carry stands in attributes that begin with `hm`.
//!
//! A claim, unsettled, then settled (no former owner is to confirm), then one of a phone that is gone:
//! ```text
//! <EventRoaming num="101" ipei="03074 0220259 3" ommId="102AF12C" ommIdAck="102A7C82" timeStampRoaming="1790000000" hmEpoch="1790000000123.0.102AF12C" hmAge="250"/>
//! <EventRoaming num="101" ipei="03074 0220259 3" ommId="102AF12C" ommIdAck="102AF12C" timeStampRoaming="1790000000" roaming="RoamingComplete" hmEpoch="1790000000123.0.102AF12C"/>
//! <EventRoaming num="101" ipei="03074 0220259 3" ommId="102AF12C" ommIdAck="102AF12C" timeStampRoaming="1790000000" roaming="RoamingComplete" hmEpoch="1790000000123.0.102AF12C" hmPhase="gone"/>
//! ```
//! A confirm, which acknowledges `ommIdAck` as the owner:
//! ```text
//! <EventPPSIPDeregistered num="101" ommIdAck="102AF12C" timeStampRoaming="1790000000" hmEpoch="1790000000123.0.102AF12C" hmFrom="102A7C82" hmOutcome="removed"/>
//! ```
//! A stale, which is the claim that the speaker stands by and the OMM that is to hear it:
//! ```text
//! <EventRoamingStale hmTo="102A7C82" num="101" ipei="03074 0220259 3" ommId="102AF12C" .../>
//! ```
//! Where an OMM has a user registered, and that it has it registered nowhere (axi 4.4 `GetPPState` has the same names):
//! ```text
//! <EventPPRegistered num="101" hmFrom="102AF12C" regServerType="Secondary" regServerAddr="192.0.2.9" regServerPort="5060"/>
//! <EventPPRegistered num="101" hmFrom="102AF12C" regServerType="None"/>
//! ```
//! The end of the download, or of the upload:
//! ```text
//! <EventSyncComplete/>
//! ```
//!
//! | extension | holds | without it |
//! |---|---|---|
//! | `hmEpoch` | the full stamp | the whole seconds of `timeStampRoaming`, written by `ommId` (spec 6.1) |
//! | `hmOmm`, `hmFormer` | owner and former owner, when member 2 or of the same PARI | member 1 of `ommId`, `ommIdAck` |
//! | `hmAge` | milliseconds since the phone's last proof of presence | zero: the stamp decides alone, as with the vendor |
//! | `hmPhase` | `gone` | the phone is there |
//!
//! An extension counts only when it agrees with the vendor's attribute beside it: whoever changed that one without
//! knowing ours has written later. All of these names and rules are ours.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use omm::claim::{Bound, Claim, Confirm, Outcome, Phase, Place, Stale, Word};
use omm::ids::Number;
use omm::stamp::{OmmId, Stamp};

use crate::element::{Element, escape};
use crate::error::Complaint;
use crate::fields::Fields;

/// The message of a [`Claim`].
pub const CLAIM: &str = "EventRoaming";
/// The message of a [`Confirm`].
pub const CONFIRM: &str = "EventPPSIPDeregistered";
/// The message of a [`Stale`].
pub const STALE: &str = "EventRoamingStale";
/// The message of a [`Bound`].
pub const BOUND: &str = "EventPPRegistered";
/// What the vendor calls the tiers (axi 4.4).
const RANKS: [&str; 3] = ["Primary", "Secondary", "Tertiary"];
/// The message that ends a download or an upload.
pub const END: &str = "EventSyncComplete";
/// The only value of `roaming` that is public: settled (axi 6).
const SETTLED: &str = "RoamingComplete";

/// Appends the wire form. Written straight, not through an [`Element`]: a site may send 10,000 of them in a row.
pub fn write(word: &Word, out: &mut String) {
    match word {
        Word::Claim(claim) => {
            out.push('<');
            out.push_str(CLAIM);
            write_claim(claim, out);
        }
        Word::Stale(stale) => {
            put(out, format_args!("<{STALE} hmTo=\"{}\"", stale.to));
            write_claim(&stale.claim, out);
        }
        Word::Confirm(confirm) => write_confirm(confirm, out),
        Word::Bound(bound) => write_bound(bound, out),
    }
    out.push_str("/>");
}

fn write_claim(claim: &Claim, out: &mut String) {
    write_number(&claim.user, out);
    let (owner, former) = (claim.owner, claim.former.unwrap_or(claim.owner));
    put(
        out,
        format_args!(
            " ipei=\"{}\" ommId=\"{:08X}\" ommIdAck=\"{:08X}\"",
            claim.device, owner.pari, former.pari
        ),
    );
    put(out, format_args!(" timeStampRoaming=\"{}\"", claim.epoch.ms / 1000));
    if claim.former.is_none() {
        put(out, format_args!(" roaming=\"{SETTLED}\""));
    }
    put(out, format_args!(" hmEpoch=\"{}\"", claim.epoch));
    if owner.member != 1 {
        put(out, format_args!(" hmOmm=\"{owner}\""));
    }
    if let Some(former) = claim.former
        && (former.member != 1 || former.pari == owner.pari)
    {
        put(out, format_args!(" hmFormer=\"{former}\""));
    }
    if claim.phase == Phase::Gone {
        out.push_str(" hmPhase=\"gone\"");
    }
    if !claim.age.is_zero() {
        put(out, format_args!(" hmAge=\"{}\"", claim.age.as_millis()));
    }
}

fn write_confirm(confirm: &Confirm, out: &mut String) {
    out.push('<');
    out.push_str(CONFIRM);
    write_number(&confirm.user, out);
    let (epoch, outcome) = (confirm.epoch, outcome_word(confirm.outcome));
    put(out, format_args!(" ommIdAck=\"{:08X}\" timeStampRoaming=\"{}\"", epoch.omm.pari, epoch.ms / 1000));
    put(out, format_args!(" hmEpoch=\"{epoch}\" hmFrom=\"{}\" hmOutcome=\"{outcome}\"", confirm.from));
}

fn write_bound(bound: &Bound, out: &mut String) {
    out.push('<');
    out.push_str(BOUND);
    write_number(&bound.user, out);
    let rank = bound.at.map_or("None", |at| rank(at.tier));
    put(out, format_args!(" hmFrom=\"{}\" regServerType=\"{rank}\"", bound.by));
    if let Some(Place { server, .. }) = bound.at {
        put(out, format_args!(" regServerAddr=\"{}\" regServerPort=\"{}\"", server.ip(), server.port()));
    }
}

/// What the vendor calls this tier; there are three (M-2.1.1-c).
fn rank(tier: u8) -> &'static str {
    RANKS.get(usize::from(tier)).copied().unwrap_or(RANKS[2])
}

fn write_number(number: &Number, out: &mut String) {
    out.push_str(" num=\"");
    escape(number.as_str(), out);
    out.push('"');
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Removed => "removed",
        Outcome::None => "none",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
    }
}

/// Reads a word; `None` when the message is none.
pub fn read(element: &Element<'_>) -> Result<Option<Word>, Complaint> {
    let fields = Fields::of(element);
    match element.name() {
        CLAIM => Ok(Some(Word::Claim(read_claim(fields)?))),
        CONFIRM => Ok(Some(Word::Confirm(read_confirm(fields)?))),
        STALE => Ok(Some(Word::Stale(Stale { to: fields.value("hmTo")?, claim: read_claim(fields)? }))),
        BOUND => Ok(Some(Word::Bound(read_bound(fields)?))),
        _ => Ok(None),
    }
}

fn read_bound(fields: Fields<'_>) -> Result<Bound, Complaint> {
    let tier = match fields.need("regServerType")? {
        "None" => None,
        "Primary" => Some(0),
        "Secondary" => Some(1),
        "Tertiary" => Some(2),
        _ => return Err(fields.wrong("regServerType", "expected Primary, Secondary, Tertiary or None")),
    };
    let at = match tier {
        None => None,
        Some(tier) => {
            let (host, port) = (fields.value::<IpAddr>("regServerAddr")?, fields.value("regServerPort")?);
            Some(Place { tier, server: SocketAddr::new(host, port) })
        }
    };
    Ok(Bound { user: fields.value("num")?, by: fields.value("hmFrom")?, at })
}

fn read_claim(fields: Fields<'_>) -> Result<Claim, Complaint> {
    let owner = omm(fields, "ommId", "hmOmm")?;
    let former = match (fields.text("roaming"), fields.text("ommIdAck")) {
        (Some(SETTLED), _) | (_, None) => None,
        (_, Some(_)) => Some(omm(fields, "ommIdAck", "hmFormer")?),
    };
    Ok(Claim {
        user: fields.value("num")?,
        device: fields.value("ipei")?,
        epoch: epoch(fields, owner)?,
        owner,
        former,
        phase: match fields.text("hmPhase") {
            None | Some("here") => Phase::Here,
            Some("gone") => Phase::Gone,
            Some(_) => return Err(fields.wrong("hmPhase", "expected here or gone")),
        },
        age: Duration::from_millis(fields.maybe("hmAge")?.unwrap_or(0)),
    })
}

fn read_confirm(fields: Fields<'_>) -> Result<Confirm, Complaint> {
    let claimer = fields.value("ommIdAck")?;
    Ok(Confirm {
        user: fields.value("num")?,
        epoch: epoch(fields, claimer)?,
        from: fields.value("hmFrom")?,
        outcome: match fields.need("hmOutcome")? {
            "removed" => Outcome::Removed,
            "none" => Outcome::None,
            "failed" => Outcome::Failed,
            "unknown" => Outcome::Unknown,
            _ => return Err(fields.wrong("hmOutcome", "expected removed, none, failed or unknown")),
        },
    })
}

/// The OMM that the vendor's attribute names, with the member that the extension adds.
fn omm(fields: Fields<'_>, vendor: &str, extension: &str) -> Result<OmmId, Complaint> {
    let coarse: OmmId = fields.value(vendor)?;
    let exact: Option<OmmId> = fields.maybe(extension)?;
    Ok(exact.filter(|exact| exact.pari == coarse.pari).unwrap_or(coarse))
}

/// The stamp: in full when the extension agrees with the seconds, else the seconds.
fn epoch(fields: Fields<'_>, writer: OmmId) -> Result<Stamp, Complaint> {
    let seconds: u64 = fields.value("timeStampRoaming")?;
    let exact: Option<Stamp> = fields.maybe("hmEpoch")?;
    let coarse = Stamp { ms: seconds.saturating_mul(1000), ctr: 0, omm: writer };
    Ok(exact.filter(|exact| exact.ms / 1000 == seconds).unwrap_or(coarse))
}

#[cfg(test)]
pub(crate) mod tests;
