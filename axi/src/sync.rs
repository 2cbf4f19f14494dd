//! How the words about the directory travel ([`omm::directory::sync::word`]), between OMMs of ours only.
//!
//! The vendor's order of messages for a download is not public (axi 6.6), an attribute of our own in a `<user>` or `<pp>`
//! would hang a real client (axi 7.1), and a record of ours is more than one time stamp. So these are messages of their
//! own, sent only to OMMs whose `Open` said `hmOmm`:
//! ```text
//! <hmHave vector="1790000000000.0.102A7C82" origins="9f2c.."/>
//! <hmPage n="7" percent="40" upto="..">
//!   <user id="1790000000000.0.102A7C82" row="5" at="=" num="101" name="Anna" sipPw="geheim" rel="D" ppId=".." relAt=".."/>
//!   <pp id=".." row="5" at="=" ipei="03074 0220259 3" s="Yes" sAt=".." uak=".."/>
//!   <ppProfile id="3" at=".." name="night" data=".."/> <sari at=".." sari=".."/>
//!   <end vector=".." origins=".." before="1790000000000" known=".." full="1"/>
//! </hmPage>
//! <hmAck n="7"/>   <hmAck n="8" part="1"/>
//! <hmHorizon before=".." known=".."/>
//! <hmForgotten><user id=".." at=".."/></hmForgotten>
//! ```
//! A stamp `=` is that of the record's creation; whatever has its default value is left out. A record of a usual user
//! takes some 250 bytes.
//!
//! Passwords and keys go in clear inside the link, as the vendor's `plainText="1"` does: the sites need them to register,
//! the vendor's encryption with the server's key is of no use to the other side (axi 6.5), and the link itself is TLS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use machine::secret::Secret;
use omm::directory::content::Digest;
use omm::directory::key::Id;
use omm::directory::piece::{Piece, Subject};
use omm::directory::profile::Text;
use omm::directory::record::{Group, Record};
use omm::directory::sync::word::{End, Have, Page, Word};
use omm::directory::tombstone::Horizon;
use omm::directory::vector::Vector;
use omm::ids::park::Sari;
use omm::stamp::{OmmId, Stamp};

use crate::element::Element;
use crate::error::Complaint;
use crate::fields::Fields;

mod record;
#[cfg(test)]
mod tests;

/// A stamp that is the one of the record's creation.
const SAME: &str = "=";

/// The message of a word.
pub fn element(word: &Word) -> Element<'_> {
    match word {
        Word::Have(have) => Element::new("hmHave")
            .with("vector", vector(&have.vector))
            .with("origins", digests(&have.origins)),
        Word::Page(page) => write_page(page),
        Word::Ack { number, whole } => {
            let ack = Element::new("hmAck").with("n", number.to_string());
            if *whole { ack } else { ack.with("part", "1") }
        }
        Word::Horizon(horizon) => write_horizon(Element::new("hmHorizon"), horizon),
        Word::Forgotten(subjects) => {
            let mut element = Element::new("hmForgotten");
            for (subject, latest) in subjects {
                let (name, id) = match subject {
                    Subject::User(id) => ("user", id.to_string()),
                    Subject::Device(id) => ("pp", id.to_string()),
                    // These are never forgotten.
                    Subject::Sari | Subject::Profile(_) => continue,
                };
                element.push(Element::new(name).with("id", id).with("at", latest.to_string()));
            }
            element
        }
    }
}

/// Reads a word; `None` when the message is none.
///
/// # Errors
/// What is wrong with it, by attribute.
pub fn read(element: &Element<'_>) -> Result<Option<Word>, Complaint> {
    let fields = Fields::of(element);
    let word = match element.name() {
        "hmHave" => Word::Have(Have {
            vector: read_vector(fields, "vector")?,
            origins: read_digests(fields, "origins")?,
        }),
        "hmPage" => Word::Page(Box::new(read_page(element)?)),
        "hmAck" => Word::Ack { number: fields.value("n")?, whole: !fields.flag("part")? },
        "hmHorizon" => Word::Horizon(read_horizon(fields)?),
        "hmForgotten" => {
            let mut subjects = Vec::new();
            for child in element.children() {
                let fields = Fields::of(child);
                let id = fields.value("id")?;
                let subject = if child.name() == "pp" { Subject::Device(id) } else { Subject::User(id) };
                subjects.push((subject, fields.value("at")?));
            }
            Word::Forgotten(subjects)
        }
        _ => return Ok(None),
    };
    Ok(Some(word))
}

fn write_page(page: &Page) -> Element<'_> {
    let mut element = Element::new("hmPage").with("n", page.number.to_string());
    if let Some(percent) = page.percent {
        element.set("percent", percent.to_string());
    }
    if !page.upto.is_empty() {
        element.set("upto", vector(&page.upto));
    }
    for piece in &page.pieces {
        element.push(write_piece(piece));
    }
    if let Some(end) = &page.end {
        let mut last =
            Element::new("end").with("vector", vector(&end.vector)).with("origins", digests(&end.origins));
        if let Some(horizon) = &end.horizon {
            last = write_horizon(last, horizon);
        }
        if end.full {
            last.set("full", "1");
        }
        element.push(last);
    }
    element
}

fn read_page(element: &Element<'_>) -> Result<Page, Complaint> {
    let fields = Fields::of(element);
    let mut page = Page {
        number: fields.value("n")?,
        percent: fields.maybe("percent")?,
        upto: read_vector(fields, "upto")?,
        ..Page::default()
    };
    for child in element.children() {
        if child.name() == "end" {
            let fields = Fields::of(child);
            page.end = Some(End {
                vector: read_vector(fields, "vector")?,
                origins: read_digests(fields, "origins")?,
                horizon: fields.text("before").map(|_| read_horizon(fields)).transpose()?,
                full: fields.flag("full")?,
            });
        } else if let Some(piece) = read_piece(child)? {
            page.pieces.push(piece);
        }
    }
    Ok(page)
}

/// One record or part of one, as it travels and as it is stored.
pub fn write_piece(piece: &Piece) -> Element<'_> {
    match piece {
        Piece::User(user) => record::write_user(user),
        Piece::Device(device) => record::write_device(device),
        Piece::Profile(id, group) => {
            let element =
                Element::new("ppProfile").with("id", id.to_string()).with("at", group.stamp.to_string());
            match &group.value {
                Some(text) => element.with("name", &*text.name).with("data", &*text.data),
                None => element.with("deleted", "1"),
            }
        }
        Piece::Sari(group) => {
            Element::new("sari").with("at", group.stamp.to_string()).with("sari", group.value.to_string())
        }
    }
}

/// Reads such a piece; `None` when the element is none, which a later version may send.
///
/// # Errors
/// What is wrong with it, by attribute.
pub fn read_piece(element: &Element<'_>) -> Result<Option<Piece>, Complaint> {
    let fields = Fields::of(element);
    Ok(Some(match element.name() {
        "user" => Piece::User(record::read_user(fields)?),
        "pp" => Piece::Device(record::read_device(fields)?),
        "ppProfile" => {
            let text = |name| -> Arc<str> { fields.text(name).unwrap_or_default().into() };
            let value =
                (!fields.flag("deleted")?).then(|| Arc::new(Text { name: text("name"), data: text("data") }));
            Piece::Profile(fields.value("id")?, Group { stamp: fields.value("at")?, value })
        }
        "sari" => {
            let unset = || fields.wrong("sari", "expected ten hexadecimal digits");
            let value = Sari::read(fields.need("sari")?).map_err(|bad| fields.wrong("sari", bad))?;
            Piece::Sari(Group { stamp: fields.value("at")?, value: value.ok_or_else(unset)? })
        }
        _ => return Ok(None),
    }))
}

fn write_horizon<'a>(element: Element<'a>, horizon: &Horizon) -> Element<'a> {
    element.with("before", horizon.before.to_string()).with("known", vector(&horizon.known))
}

fn read_horizon(fields: Fields<'_>) -> Result<Horizon, Complaint> {
    Ok(Horizon { known: read_vector(fields, "known")?, before: fields.value("before")? })
}

/// Stamps between blanks; with the writer before it where the stamp is another's.
pub fn vector(vector: &Vector) -> String {
    let spell = |(omm, stamp): (OmmId, Stamp)| {
        if stamp.omm == omm { stamp.to_string() } else { format!("{omm}:{stamp}") }
    };
    vector.iter().map(spell).collect::<Vec<_>>().join(" ")
}

/// Reads what [`vector`] writes; `Err` says which part is wrong.
///
/// # Errors
/// The part that is no stamp.
pub fn parse_vector(text: &str) -> Result<Vector, String> {
    let parse = |part: &str| -> Result<(OmmId, Stamp), String> {
        let (omm, stamp) = part.split_once(':').map_or((None, part), |(omm, stamp)| (Some(omm), stamp));
        let stamp: Stamp = stamp.parse().map_err(|bad| format!("{bad}"))?;
        let omm = omm.map_or(Ok(stamp.omm), |omm| omm.parse().map_err(|bad| format!("{bad}")))?;
        Ok((omm, stamp))
    };
    text.split_ascii_whitespace().map(parse).collect()
}

fn read_vector(fields: Fields<'_>, name: &str) -> Result<Vector, Complaint> {
    parse_vector(fields.text(name).unwrap_or_default()).map_err(|why| fields.wrong(name, why))
}

/// Hexadecimal digits between blanks.
pub fn digests(digests: &BTreeSet<Digest>) -> String {
    let spell = |digest: &Digest| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    digests.iter().map(spell).collect::<Vec<_>>().join(" ")
}

/// Reads what [`digests`] writes.
///
/// # Errors
/// What was expected.
pub fn parse_digests(text: &str) -> Result<BTreeSet<Digest>, String> {
    let parse = |part: &str| {
        let bad = || "expected 64 hexadecimal digits".to_owned();
        if part.len() != 64 || !part.is_ascii() {
            return Err(bad());
        }
        let mut digest = Digest::default();
        for (at, byte) in digest.iter_mut().enumerate() {
            let digits = part.get(2 * at..2 * at + 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(digest)
    };
    text.split_ascii_whitespace().map(parse).collect()
}

fn read_digests(fields: Fields<'_>, name: &str) -> Result<BTreeSet<Digest>, Complaint> {
    parse_digests(fields.text(name).unwrap_or_default()).map_err(|why| fields.wrong(name, why))
}
