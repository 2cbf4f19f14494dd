//! How the store spells the settings of an office: key `axi/settings`, JSON with named fields.

use axi::office::Settings;
use machine::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreFault, Write};

/// The key.
const KEY: &[u8] = b"axi/settings";

#[derive(Serialize, Deserialize, Default)]
struct Form {
    #[serde(default)]
    auto_create: bool,
    #[serde(default)]
    auth_code: String,
    #[serde(default)]
    rfp_capture: bool,
}

/// The write that makes settings durable.
pub fn write(settings: &Settings) -> Write {
    let form = Form {
        auto_create: settings.auto_create,
        auth_code: settings.auth_code.reveal().to_owned(),
        rfp_capture: settings.rfp_capture,
    };
    // A plain struct of strings and bools: serde_json has no way to fail on it.
    Write::Put(KEY.to_vec(), serde_json::to_vec(&form).unwrap_or_default())
}

/// What the store knows; what it never heard of is as an OMM begins.
///
/// # Errors
/// The store cannot be read, or what it holds is none.
pub fn read(store: &dyn Store) -> Result<Settings, StoreFault> {
    let form = match store.load(KEY)?.into_iter().find(|(key, _)| key == KEY) {
        None => Form::default(),
        Some((_, value)) => serde_json::from_slice(&value)
            .map_err(|fault| StoreFault(format!("the record `axi/settings` cannot be read: {fault}")))?,
    };
    Ok(Settings {
        auto_create: form.auto_create,
        auth_code: Secret::new(form.auth_code),
        rfp_capture: form.rfp_capture,
    })
}
