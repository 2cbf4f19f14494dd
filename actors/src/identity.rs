//! How the store spells what an OMM is: the SARI, the remotes on its roster, whether it is attached.
//!
//! | key | value |
//! |---|---|
//! | `sari` | the shared identity of the system, once and for all (M-2.1.2.1-e), and since when |
//! | `remote/PARI` | since when a remote is on the central's roster (SM-1C) |
//! | `attachment` | a remote that was detached by hand, or attached although it had data of its own |

use machine::time::Wall;
use omm::ids::park::Sari;
use omm::stamp::OmmId;
use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreFault, Write};

const SARI: &[u8] = b"sari";
const REMOTE: &[u8] = b"remote/";
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
pub fn keep_remote(remote: OmmId, since: Wall) -> Write {
    Write::Put(remote_key(remote), json(&RemoteForm { since: since.as_millis() }))
}

/// The write that takes it off.
pub fn forget_remote(remote: OmmId) -> Write {
    Write::Delete(remote_key(remote))
}

/// The roster.
///
/// # Errors
/// The store or a record cannot be read: a central that forgot a remote would give away its place.
pub fn remotes(store: &dyn Store) -> Result<Vec<(OmmId, Wall)>, StoreFault> {
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        let name = key.get(REMOTE.len()..).unwrap_or_default();
        let omm = String::from_utf8_lossy(name).parse().map_err(|fault| bad(&key, &fault))?;
        let form: RemoteForm = serde_json::from_slice(&value).map_err(|fault| bad(&key, &fault))?;
        Ok((omm, Wall::from_millis(form.since)))
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
