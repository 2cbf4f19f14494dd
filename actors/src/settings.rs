//! How the store spells what an office keeps: key `axi/settings`, and `axi/account/` with the account's key for each that was
//! made over AXI; JSON with named fields.

use axi::account::{Account, Proof, implied};
use axi::office::Settings;
use axi::open::Permission;
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

/// The keys of accounts.
const ACCOUNTS: &[u8] = b"axi/account/";

/// What an office remembers.
#[derive(Default)]
pub struct Remembered {
    /// What was set.
    pub settings: Settings,
    /// Accounts that were made over AXI.
    pub accounts: Vec<Account>,
}

#[derive(Serialize, Deserialize)]
struct AccountForm {
    id: u32,
    username: String,
    hash: String,
    permissions: Vec<String>,
    active: bool,
}

/// The write that makes an account durable.
pub fn write_account(account: &Account) -> Write {
    let form = AccountForm {
        id: account.id,
        username: account.username.clone(),
        hash: match &account.password {
            Proof::Hashed(hash) => hash.reveal().to_owned(),
            // The configuration's accounts are not kept; an empty hash fits nothing.
            Proof::Clear(_) => String::new(),
        },
        permissions: account.permissions.iter().map(|permission| permission.as_str().to_owned()).collect(),
        active: account.active,
    };
    Write::Put(account_key(account.id), serde_json::to_vec(&form).unwrap_or_default())
}

/// The write that makes an account's end durable.
pub fn forget_account(id: u32) -> Write {
    Write::Delete(account_key(id))
}

fn account_key(id: u32) -> Vec<u8> {
    [ACCOUNTS, id.to_string().as_bytes()].concat()
}

fn accounts(store: &dyn Store) -> Result<Vec<Account>, StoreFault> {
    let account = |(key, value): (Vec<u8>, Vec<u8>)| {
        let form: AccountForm = serde_json::from_slice(&value).map_err(|fault| {
            StoreFault(format!("the record `{}` cannot be read: {fault}", String::from_utf8_lossy(&key)))
        })?;
        // A permission that an older version does not know is not granted by it.
        let permissions = form.permissions.iter().filter_map(|word| word.parse::<Permission>().ok());
        Ok(Account {
            id: form.id,
            username: form.username,
            password: Proof::Hashed(Secret::new(form.hash)),
            permissions: implied(permissions),
            active: form.active,
        })
    };
    store.load(ACCOUNTS)?.into_iter().map(account).collect()
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
pub fn read(store: &dyn Store) -> Result<Remembered, StoreFault> {
    let form = match store.load(KEY)?.into_iter().find(|(key, _)| key == KEY) {
        None => Form::default(),
        Some((_, value)) => serde_json::from_slice(&value)
            .map_err(|fault| StoreFault(format!("the record `axi/settings` cannot be read: {fault}")))?,
    };
    let settings = Settings {
        auto_create: form.auto_create,
        auth_code: Secret::new(form.auth_code),
        rfp_capture: form.rfp_capture,
    };
    Ok(Remembered { settings, accounts: accounts(store)? })
}
