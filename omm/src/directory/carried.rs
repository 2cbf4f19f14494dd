//! What a record may hold so that every site can hold it: what XML carries unchanged, and no more than goes into a page.
//!
//! Checked where something is written, once; what comes from other OMMs was checked there.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::secret::Secret;

use crate::directory::device::{self, Subscription};
use crate::directory::profile::Text;
use crate::directory::refusal::Refusal;
use crate::directory::user;

/// How many bytes the texts of one record may have together. Ours: twenty of them stay below the longest message of a
/// link (1 MiB), even when every character has to be escaped; the largest field of AXI has 4 kB (axi 4.1 `ppData`).
pub(super) const TEXTS_MAX: usize = 8 * 1024;

/// How long the name of a field that is only kept may be. Ours; the longest of axi 4.1 has 26 characters.
const NAME_MAX: usize = 48;

/// The texts of one record, looked at one by one.
#[derive(Default)]
struct Texts {
    bytes: usize,
}

impl Texts {
    fn text(&mut self, field: &'static str, text: &str) -> Result<(), Refusal> {
        let odd =
            |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
        if text.contains(odd) {
            return Err(Refusal::Invalid { field, expected: "no control characters" });
        }
        self.bytes += text.len();
        if self.bytes > TEXTS_MAX {
            return Err(Refusal::Invalid { field, expected: "at most 8192 bytes in all fields together" });
        }
        Ok(())
    }

    fn secret(&mut self, field: &'static str, secret: Option<&Secret>) -> Result<(), Refusal> {
        self.text(field, secret.map_or("", Secret::reveal))
    }

    fn name(&mut self, name: &str) -> Result<(), Refusal> {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= NAME_MAX
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name {
            self.text("name", name)
        } else {
            Err(Refusal::Invalid { field: "name", expected: "the name of a field" })
        }
    }

    fn extras(
        &mut self,
        extras: &BTreeMap<Arc<str>, Arc<str>>,
        secrets: &BTreeMap<Arc<str>, Secret>,
    ) -> Result<(), Refusal> {
        for (name, value) in extras {
            self.name(name)?;
            self.text("extra", value)?;
        }
        for (name, value) in secrets {
            self.name(name)?;
            self.secret("extra", Some(value))?;
        }
        Ok(())
    }
}

pub(super) fn user(admin: &user::Admin) -> Result<(), Refusal> {
    let mut texts = Texts::default();
    texts.text("name", &admin.name)?;
    texts.text("sipAuthId", admin.sip_auth_id.as_deref().unwrap_or_default())?;
    texts.text("addId", admin.add_id.as_deref().unwrap_or_default())?;
    texts.secret("sipPw", Some(&admin.password))?;
    texts.secret("pin", admin.pin.as_ref())?;
    texts.extras(&admin.extras, &admin.secrets)
}

pub(super) fn device(admin: &device::Admin, subscription: &Subscription) -> Result<(), Refusal> {
    let mut texts = Texts::default();
    texts.secret("ac", admin.ac.as_ref())?;
    texts.text("hwType", admin.hw_type.as_deref().unwrap_or_default())?;
    texts.secret("uak", subscription.uak.as_ref())?;
    texts.text("identity", subscription.identity.as_deref().unwrap_or_default())?;
    texts.extras(&admin.extras, &admin.secrets)?;
    texts.extras(&subscription.extras, &BTreeMap::new())
}

pub(super) fn profile(text: &Text) -> Result<(), Refusal> {
    let mut texts = Texts::default();
    texts.text("name", &text.name)?;
    texts.text("ppData", &text.data)
}
