//! How the store spells what it keeps. The model is not the store's format: everything is converted by hand, so that
//! either may change without the other.
//!
//! | key | value |
//! |---|---|
//! | `roam/NUMBER` | the newest claim of a user and what this OMM still owes on its account, and its own contact |
//! | `record/user/ID`, `record/device/ID`, `record/profile/N`, `record/sari` | a record of the directory |
//! | `sync` | what this OMM has of the directory, and what the others have |
//!
//! Values are JSON with named fields: an operator can read them, and a field may be added without a migration. Records
//! are the XML elements of the link ([`axi::sync`]), passwords included: the store is as secret as the configuration.

use std::collections::BTreeMap;

use axi::element::Element;
use axi::sync;
use machine::time::Wall;
use omm::claim::Phase;
use omm::directory::piece::{Piece, Subject};
use omm::directory::sync::{Save, State};
use omm::directory::tombstone::Horizon;
use omm::ids::Number;
use omm::roaming::record::{Awaited, Contact, Record};
use omm::stamp::{BadStamp, OmmId, Stamp};
use serde::{Deserialize, Serialize};

use crate::store::{Pair, Store, StoreFault, Write};

/// The prefix of all roaming records.
pub const ROAM: &[u8] = b"roam/";

/// A user's roaming record, and the epoch of the contact that this OMM last registered and has not seen removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roam {
    /// What the roaming machine keeps.
    pub record: Record,
    /// The epoch in our own contact at the registrar, as far as we know.
    pub bound: Option<Stamp>,
}

#[derive(Serialize, Deserialize)]
struct RoamForm {
    user: String,
    device: String,
    epoch: String,
    owner: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acked: Option<String>,
    here: bool,
    seen: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    awaited: Vec<(String, String)>,
    contact: ContactForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ContactForm {
    Nothing,
    Standing,
    Leaving,
    Doubtful,
}

/// The key of a user's roaming record.
pub fn roam_key(user: &Number) -> Vec<u8> {
    [ROAM, user.as_str().as_bytes()].concat()
}

/// The write that makes a roaming record durable.
pub fn roam(roam: &Roam) -> Write {
    let Roam { record, bound } = roam;
    let form = RoamForm {
        user: record.user.to_string(),
        device: record.device.to_string(),
        epoch: record.epoch.to_string(),
        owner: record.owner.to_string(),
        former: record.former.map(|omm| omm.to_string()),
        acked: record.acked.map(|omm| omm.to_string()),
        here: match record.phase {
            Phase::Here => true,
            Phase::Gone => false,
        },
        seen: record.last_locreg.as_millis(),
        awaited: record.awaited.iter().map(|a| (a.from.to_string(), a.epoch.to_string())).collect(),
        contact: match record.contact {
            Contact::Nothing => ContactForm::Nothing,
            Contact::Standing => ContactForm::Standing,
            Contact::Leaving => ContactForm::Leaving,
            Contact::Doubtful => ContactForm::Doubtful,
        },
        bound: bound.map(|stamp| stamp.to_string()),
    };
    Write::Put(roam_key(&record.user), json(&form))
}

/// Every roaming record whose key begins with `prefix`.
///
/// # Errors
/// The store cannot be read, or one of the records cannot.
pub fn roams(store: &dyn Store, prefix: &[u8]) -> Result<Vec<Roam>, StoreFault> {
    let read = |(key, value): Pair| {
        read_roam(&value).map_err(|fault| {
            StoreFault(format!("the record `{}` cannot be read: {fault}", String::from_utf8_lossy(&key)))
        })
    };
    store.load(prefix)?.into_iter().map(read).collect()
}

/// Reads a roaming record back; `Err` says what is wrong with it.
pub fn read_roam(value: &[u8]) -> Result<Roam, String> {
    let form: RoamForm = serde_json::from_slice(value).map_err(|fault| fault.to_string())?;
    fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
        text.parse().map_err(|fault: T::Err| fault.to_string())
    }
    let record = Record {
        user: Number::new(&form.user).map_err(|fault| fault.to_string())?,
        device: parse(&form.device)?,
        epoch: parse(&form.epoch)?,
        owner: parse(&form.owner)?,
        former: form.former.as_deref().map(parse).transpose()?,
        acked: form.acked.as_deref().map(parse).transpose()?,
        phase: if form.here { Phase::Here } else { Phase::Gone },
        last_locreg: Wall::from_millis(form.seen),
        awaited: form
            .awaited
            .iter()
            .map(|(from, epoch)| Ok(Awaited { from: parse(from)?, epoch: parse(epoch)? }))
            .collect::<Result<_, String>>()?,
        contact: match form.contact {
            ContactForm::Nothing => Contact::Nothing,
            ContactForm::Standing => Contact::Standing,
            ContactForm::Leaving => Contact::Leaving,
            ContactForm::Doubtful => Contact::Doubtful,
        },
    };
    Ok(Roam { record, bound: form.bound.as_deref().map(parse).transpose()? })
}

/// The prefix of all records of the directory.
pub const RECORD: &[u8] = b"record/";

/// Where it is kept what is had of the directory.
pub const SYNC: &[u8] = b"sync";

#[derive(Serialize, Deserialize, Default)]
struct SyncForm {
    vector: String,
    #[serde(default)]
    joined: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    origins: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    forgotten: String,
    #[serde(default)]
    forgotten_before: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    acked: BTreeMap<String, String>,
}

fn record_key(subject: Subject) -> Vec<u8> {
    let rest = match subject {
        Subject::User(id) => format!("user/{id}"),
        Subject::Device(id) => format!("device/{id}"),
        Subject::Profile(id) => format!("profile/{id}"),
        Subject::Sari => "sari".to_owned(),
    };
    [RECORD, rest.as_bytes()].concat()
}

/// The writes that make a change of the directory durable.
pub fn directory(save: &Save) -> Vec<Write> {
    let State { vector, joined, origins, horizon, acked } = &save.state;
    let form = SyncForm {
        vector: sync::vector(vector),
        joined: *joined,
        origins: sync::digests(origins),
        forgotten: sync::vector(&horizon.known),
        forgotten_before: horizon.before,
        acked: acked.iter().map(|(omm, vector)| (omm.to_string(), sync::vector(vector))).collect(),
    };
    let put = |piece: &Piece| {
        let mut text = String::new();
        sync::write_piece(piece).write(&mut text);
        Write::Put(record_key(piece.subject()), text.into_bytes())
    };
    let mut writes: Vec<Write> = save.pieces.iter().map(put).collect();
    writes.extend(save.gone.iter().map(|subject| Write::Delete(record_key(*subject))));
    writes.push(Write::Put(SYNC.to_vec(), json(&form)));
    writes
}

/// All that the store keeps of the directory.
///
/// # Errors
/// The store cannot be read, or one of the records cannot.
pub fn stored(store: &dyn Store) -> Result<(Vec<Piece>, State), StoreFault> {
    let unreadable = |key: &[u8], why: String| {
        StoreFault(format!("the record `{}` cannot be read: {why}", String::from_utf8_lossy(key)))
    };
    let mut pieces = Vec::new();
    for (key, value) in store.load(RECORD)? {
        let element = Element::read(&value).map_err(|fault| unreadable(&key, fault.to_string()))?;
        let piece = sync::read_piece(&element).map_err(|fault| unreadable(&key, fault.to_string()))?;
        pieces.push(piece.ok_or_else(|| unreadable(&key, "it is of no kind that is known".to_owned()))?);
    }
    let state = match store.load(SYNC)?.into_iter().find(|(key, _)| key == SYNC) {
        Some((key, value)) => read_sync(&value).map_err(|why| unreadable(&key, why))?,
        None => State::default(),
    };
    Ok((pieces, state))
}

fn read_sync(value: &[u8]) -> Result<State, String> {
    let form: SyncForm = serde_json::from_slice(value).map_err(|fault| fault.to_string())?;
    let acked = |(omm, vector): (&String, &String)| {
        let omm: OmmId = omm.parse().map_err(|fault: BadStamp| fault.to_string())?;
        Ok((omm, sync::parse_vector(vector)?))
    };
    Ok(State {
        vector: sync::parse_vector(&form.vector)?,
        joined: form.joined,
        origins: sync::parse_digests(&form.origins)?,
        horizon: Horizon { known: sync::parse_vector(&form.forgotten)?, before: form.forgotten_before },
        acked: form.acked.iter().map(acked).collect::<Result<_, String>>()?,
    })
}

fn json(form: &impl Serialize) -> Vec<u8> {
    // Plain structs of strings and numbers: serde_json has no way to fail on them.
    serde_json::to_vec(form).unwrap_or_default()
}
