//! How the store spells what an OMM is: the SARI, the remotes on its roster, whether it is attached.
//!
//! | key | value |
//! |---|---|
//! | `sari` | the shared identity of the system, once and for all (M-2.1.2.1-e), and since when |
//! | `remote/PARI` | since when a remote is on the central's roster (SM-1C), and where others can call it |
//! | `neighbours` | what a central told a remote of the others (B-4) |
//! | `attachment` | a remote that was detached by hand, or attached although it had data of its own |

use machine::time::Wall;
use omm::ids::park::Sari;
use omm::link::neighbour::{Door, Neighbour};
use omm::link::roster::Inscription;
use omm::stamp::OmmId;
use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreFault, Write};

const SARI: &[u8] = b"sari";
const REMOTE: &[u8] = b"remote/";
const NEIGHBOURS: &[u8] = b"neighbours";
const ATTACHMENT: &[u8] = b"attachment";

/// Whether a remote goes to its central.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Not after `homing detach` (SM-1R: Deactivate).
    pub attached: bool,
    /// Also with data of its own (AMB-15).
    pub adopt: bool,
}

impl Default for Attachment {
    /// A remote whose link is configured goes to its central, and brings nothing along.
    fn default() -> Attachment {
        Attachment { attached: true, adopt: false }
    }
}

#[derive(Serialize, Deserialize)]
struct SariForm {
    sari: String,
    since: u64,
}

#[derive(Serialize, Deserialize)]
struct RemoteForm {
    since: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    door: Option<DoorForm>,
}

#[derive(Serialize, Deserialize)]
struct DoorForm {
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct NeighbourForm {
    omm: String,
    door: DoorForm,
}

impl DoorForm {
    fn of(door: &Door) -> DoorForm {
        let fingerprint = door.fingerprint.map(|fingerprint| fingerprint.to_string());
        DoorForm { address: door.address.to_string(), fingerprint }
    }

    fn door(self) -> Result<Door, String> {
        let fingerprint = self.fingerprint.map(|text| text.parse()).transpose()?;
        Ok(Door { address: self.address.into(), fingerprint })
    }
}

#[derive(Serialize, Deserialize)]
struct AttachmentForm {
    attached: bool,
    #[serde(default)]
    adopt: bool,
}

/// The write that makes the SARI durable.
pub fn keep_sari(sari: Sari, since: Wall) -> Write {
    let form = SariForm { sari: sari.to_string(), since: since.as_millis() };
    Write::Put(SARI.to_vec(), json(&form))
}

/// The SARI, if there is one.
///
/// # Errors
/// The store or the record cannot be read.
pub fn sari(store: &dyn Store) -> Result<Option<Sari>, StoreFault> {
    let Some(value) = one(store, SARI)? else { return Ok(None) };
    let form: SariForm = serde_json::from_slice(&value).map_err(|fault| bad(SARI, &fault))?;
    match Sari::read(&form.sari) {
        Ok(Some(sari)) => Ok(Some(sari)),
        Ok(None) => Err(bad(SARI, &"it is unset")),
        Err(fault) => Err(bad(SARI, &fault)),
    }
}

fn remote_key(remote: OmmId) -> Vec<u8> {
    // The two members of a pair are one remote (SM-1C): it is known by its PARI.
    [REMOTE, OmmId::new(remote.pari).to_string().as_bytes()].concat()
}

/// The write that puts a remote on the roster.
pub fn keep_remote(remote: OmmId, Inscription { since, door }: &Inscription) -> Write {
    let form = RemoteForm { since: since.as_millis(), door: door.as_ref().map(DoorForm::of) };
    Write::Put(remote_key(remote), json(&form))
}

/// The write that keeps what the central told of the other remotes.
pub fn keep_neighbours(all: &[Neighbour]) -> Write {
    let form = |one: &Neighbour| NeighbourForm { omm: one.omm.to_string(), door: DoorForm::of(&one.door) };
    Write::Put(NEIGHBOURS.to_vec(), json(&all.iter().map(form).collect::<Vec<_>>()))
}

/// What the central told last.
///
/// # Errors
/// The store or the record cannot be read.
pub fn neighbours(store: &dyn Store) -> Result<Vec<Neighbour>, StoreFault> {
    let Some(value) = one(store, NEIGHBOURS)? else { return Ok(Vec::new()) };
    let forms: Vec<NeighbourForm> =
        serde_json::from_slice(&value).map_err(|fault| bad(NEIGHBOURS, &fault))?;
    let read = |form: NeighbourForm| {
        let omm = form.omm.parse().map_err(|fault| bad(NEIGHBOURS, &fault))?;
        Ok(Neighbour { omm, door: form.door.door().map_err(|fault| bad(NEIGHBOURS, &fault))? })
    };
    forms.into_iter().map(read).collect()
}

/// The write that takes it off.
pub fn forget_remote(remote: OmmId) -> Write {
    Write::Delete(remote_key(remote))
}

/// The roster.
///
/// # Errors
/// The store or a record cannot be read: a central that forgot a remote would give away its place.
pub fn remotes(store: &dyn Store) -> Result<Vec<(OmmId, Inscription)>, StoreFault> {
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        let name = key.get(REMOTE.len()..).unwrap_or_default();
        let omm = String::from_utf8_lossy(name).parse().map_err(|fault| bad(&key, &fault))?;
        let form: RemoteForm = serde_json::from_slice(&value).map_err(|fault| bad(&key, &fault))?;
        let door = form.door.map(DoorForm::door).transpose().map_err(|fault| bad(&key, &fault))?;
        Ok((omm, Inscription { since: Wall::from_millis(form.since), door }))
    };
    store.load(REMOTE)?.into_iter().map(read).collect()
}

/// The write that makes it durable whether a remote goes to its central.
pub fn keep_attachment(attachment: Attachment) -> Write {
    let Attachment { attached, adopt } = attachment;
    Write::Put(ATTACHMENT.to_vec(), json(&AttachmentForm { attached, adopt }))
}

/// Whether a remote goes to its central.
///
/// # Errors
/// The store or the record cannot be read.
pub fn attachment(store: &dyn Store) -> Result<Attachment, StoreFault> {
    let Some(value) = one(store, ATTACHMENT)? else { return Ok(Attachment::default()) };
    let form: AttachmentForm = serde_json::from_slice(&value).map_err(|fault| bad(ATTACHMENT, &fault))?;
    Ok(Attachment { attached: form.attached, adopt: form.adopt })
}

fn one(store: &dyn Store, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
    Ok(store.load(key)?.into_iter().find(|(found, _)| found == key).map(|(_, value)| value))
}

fn bad(key: &[u8], fault: &dyn std::fmt::Display) -> StoreFault {
    StoreFault(format!("the record `{}` cannot be read: {fault}", String::from_utf8_lossy(key)))
}

fn json(form: &impl Serialize) -> Vec<u8> {
    // Plain structs of strings and numbers: serde_json has no way to fail on them.
    serde_json::to_vec(form).unwrap_or_default()
}
