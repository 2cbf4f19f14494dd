//! What the two ends of a sync link say to each other ([`omm::link::frame`]), as AXI messages.
//!
//! ```text
//! C: <Open seq="0" protocolVersion="1" username="omm" password="omm" UserDeviceSyncClient="true" sari=".." hmOmm="102AF12C" hmPlatform="pc" hmPli="31" hmClock="1790000000000"/>
//! S: <OpenResp seq="0" protocolVersion="1" ommPlatform="linux-pc" sari=".." hmOmm="102A7C82" hmPlatform="pc" hmPli="31" hmClock="1790000000012"/>
//! S: <OpenResp seq="0" errCode="EForbidden" info="remote limit 10"/>
//! C: <Ping seq="7"/>
//! S: <PingResp seq="7" timeStamp="1790000000" hmClock="1790000000012"/>
//! ```
//!
//! Words about roams and the end-of-download marker: see [`crate::roam`]; the other remotes: see [`crate::neighbours`];
//! errands: see [`crate::errand`].

use std::time::Duration;

use bytes::Bytes;
use omm::link::frame::{Facts, Frame, Mismatch, Open, OpenError};

use crate::element::Element;
use crate::errand;
use crate::error::{ErrCode, Fault, Refused};
use crate::fields::Fields;
use crate::neighbours;
use crate::open::{self, OpenResp};
use crate::ping::{Clock, Ping, PingResp};
use crate::roam;
use crate::seq::Seq;
use crate::sibling;
use crate::sync;
use crate::words::Kept;

/// What to reserve for a message that is no list: a claim takes some 250 bytes.
const USUAL_LEN: usize = 320;

/// One message with its NUL, to be handed to the connection in one piece (axi 4.3: never two in one TLS record).
pub fn encode(frame: &Frame) -> Bytes {
    let mut out = String::with_capacity(USUAL_LEN);
    match frame {
        Frame::Word(word) => roam::write(word, &mut out),
        Frame::EndOfDownload => Element::new(roam::END).write(&mut out),
        Frame::Ping { seq } => Ping { seq: Some(Seq::of(u64::from(*seq))) }.element().write(&mut out),
        Frame::Pong { seq, wall } => {
            let seq = Some(Seq::of(u64::from(*seq)));
            PingResp { seq, clock: Ok(Clock::Exact(*wall)) }.element().write(&mut out);
        }
        Frame::Errand(errand) => errand::element(errand).write(&mut out),
        Frame::Neighbours(all) => neighbours::element(all).write(&mut out),
        Frame::Directory(word) => sync::element(word).write(&mut out),
        Frame::Open(open) => write_open(open, &mut out),
        Frame::OpenResult(result) => write_result(result, &mut out),
    }
    out.push('\0');
    Bytes::from(out)
}

/// Reads one message without its NUL.
///
/// [`Fault::Refused`] is a refusal of a kind that no central of ours gives; [`Fault::Unsupported`] names a message
/// that has no place on a link.
pub fn decode(message: &[u8]) -> Result<Frame, Fault> {
    let element = Element::read(message)?;
    match element.name() {
        "Ping" => Ok(Frame::Ping { seq: Fields::of(&element).value("seq")? }),
        "PingResp" => match PingResp::read(&element)?.clock {
            Ok(clock) => Ok(Frame::Pong { seq: Fields::of(&element).value("seq")?, wall: clock.wall() }),
            Err(refused) => Err(Fault::Refused(refused)),
        },
        "Open" => read_open(&element),
        "OpenResp" => read_result(&element),
        roam::END => Ok(Frame::EndOfDownload),
        neighbours::NAME => Ok(Frame::Neighbours(neighbours::read(&element)?)),
        errand::ASK | errand::TOLD => Ok(Frame::Errand(Box::new(errand::read(&element)?))),
        name => match (roam::read(&element)?, sync::read(&element)?) {
            (Some(word), _) => Ok(Frame::Word(word)),
            (None, Some(word)) => Ok(Frame::Directory(Box::new(word))),
            (None, None) => Err(Fault::Unsupported(name.to_owned())),
        },
    }
}

fn write_open(open: &Open, out: &mut String) {
    open::Open {
        seq: Some(Seq::of(0)),
        protocol_version: Some(open.facts.protocol),
        username: open.user.to_string(),
        password: open.password.clone(),
        sync_client: true,
        omp_client: false,
        sibling: Some(open.facts),
        door: open.door.clone(),
        purpose: open.purpose,
    }
    .element()
    .write(out);
}

fn read_open(element: &Element<'_>) -> Result<Frame, Fault> {
    let login = open::Open::read(element)?;
    // Only an OMM of ours can be a remote; any other client is for the AXI server, not for a link.
    let facts = login.sibling.ok_or_else(|| Fault::Unsupported("Open without hmOmm".to_owned()))?;
    let open::Open { username, password, door, purpose, .. } = login;
    Ok(Frame::Open(Box::new(Open { user: username.into(), password, facts, door, purpose })))
}

fn write_result(result: &Result<Facts, OpenError>, out: &mut String) {
    let mut response = OpenResp { seq: Some(Seq::of(0)), ..OpenResp::default() };
    let mut delay = None;
    match result {
        Ok(facts) => {
            response.protocol_version = Some(facts.protocol);
            response.platform = Some(sibling::vendor_platform(facts.platform).to_owned());
            response.sibling = Some(*facts);
        }
        Err(error) => {
            response.refused = Some(refusal(*error));
            if let OpenError::Delayed(wait) = error {
                delay = Some(wait.as_millis().to_string());
            }
        }
    }
    let mut element = response.element();
    if let Some(delay) = delay {
        element.set("hmDelay", delay);
    }
    element.write(out);
}

fn read_result(element: &Element<'_>) -> Result<Frame, Fault> {
    let response = OpenResp::read(element)?;
    match (response.refused, response.sibling) {
        (Some(refused), _) => {
            let delay: Option<u64> = Fields::of(element).maybe("hmDelay")?;
            match (reason(&refused), delay) {
                (Some(OpenError::Auth), Some(ms)) => {
                    Ok(Frame::OpenResult(Err(OpenError::Delayed(Duration::from_millis(ms)))))
                }
                (Some(error), _) => Ok(Frame::OpenResult(Err(error))),
                (None, _) => Err(Fault::Refused(refused)),
            }
        }
        (None, Some(facts)) => Ok(Frame::OpenResult(Ok(facts))),
        (None, None) => Err(Fault::Unsupported("OpenResp without hmOmm".to_owned())),
    }
}

/// How each refusal is spelt: code, the attribute to blame, and a sentence (the vendor's where it has one, axi 6.4).
fn refusal(error: OpenError) -> Refused {
    let (code, bad, info) = match error {
        OpenError::Auth => (ErrCode::Auth, None, None),
        OpenError::Delayed(wait) => (ErrCode::Auth, None, Some(format!("try again in {} s", wait.as_secs()))),
        OpenError::Full => (ErrCode::Forbidden, None, Some("remote limit 10".to_owned())),
        OpenError::Inactive => (
            ErrCode::Forbidden,
            Some("ommStbState"),
            Some("this is the inactive member of a pair".to_owned()),
        ),
        OpenError::Outranked => (
            ErrCode::Forbidden,
            Some("hmTerm"),
            Some("the other member of this pair is connected".to_owned()),
        ),
        OpenError::Stranger => {
            (ErrCode::Forbidden, Some("hmOmm"), Some("this OMM is not a remote of this system".to_owned()))
        }
        OpenError::NoSari => (ErrCode::Missing, Some("sari"), Some("generate SARI first".to_owned())),
        OpenError::Mismatch(mismatch) => {
            let (bad, info) = blame(mismatch);
            (ErrCode::Inval, Some(bad), Some(info.to_owned()))
        }
    };
    Refused { info, bad: bad.map(str::to_owned), ..Refused::new(code) }
}

const MISMATCHES: [Mismatch; 6] = [
    Mismatch::Protocol,
    Mismatch::Platform,
    Mismatch::Pli,
    Mismatch::DuplicatePark,
    Mismatch::Sari,
    Mismatch::Clock,
];

/// The attribute that tells one mismatch from the others, and the sentence.
fn blame(mismatch: Mismatch) -> (&'static str, &'static str) {
    match mismatch {
        Mismatch::Protocol => ("protocolVersion", "Different AXI or OMM version"),
        Mismatch::Platform => ("hmPlatform", "Connection between RFP and PC OMM"),
        Mismatch::Pli => ("hmPli", "Different PARK types"),
        Mismatch::DuplicatePark => ("hmOmm", "Both OMMs have the same PARK"),
        Mismatch::Sari => ("sari", "Different SARI"),
        Mismatch::Clock => ("hmClock", "Different system times"),
    }
}

/// The refusal of a central of ours that this is; `None` when it is none of them.
fn reason(refused: &Refused) -> Option<OpenError> {
    let Kept::Known(code) = refused.code else { return None };
    match (code, refused.bad.as_deref()) {
        (ErrCode::Auth, _) => Some(OpenError::Auth),
        (ErrCode::Forbidden, Some("ommStbState")) => Some(OpenError::Inactive),
        (ErrCode::Forbidden, Some("hmTerm")) => Some(OpenError::Outranked),
        (ErrCode::Forbidden, Some("hmOmm")) => Some(OpenError::Stranger),
        (ErrCode::Forbidden, _) => Some(OpenError::Full),
        (ErrCode::Missing, Some("sari")) => Some(OpenError::NoSari),
        (ErrCode::Inval, Some(bad)) => {
            MISMATCHES.into_iter().find(|mismatch| blame(*mismatch).0 == bad).map(OpenError::Mismatch)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
