//! Profiles of handset settings, loaded over the air (CoA; axi 4.4 `ppProfile`).

use std::sync::Arc;

use crate::stamp::Stamp;

/// How many profiles there are: ids 1 to 20 (axi 4.4).
pub const PROFILES_MAX: u8 = 20;

/// One profile, as every OMM of the system shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// 1 to [`PROFILES_MAX`]; the natural key.
    pub id: u8,
    /// What the administrator wrote.
    pub text: Arc<Text>,
    /// When (axi 4.4 `timeStamp`).
    pub edited: Stamp,
}

/// The Admin group of a profile (spec 6.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Text {
    /// What it is called.
    pub name: Arc<str>,
    /// Lines such as `UD_..=..` (axi 4.1 `ppData`); at most 4 kB, which the axi crate checks.
    pub data: Arc<str>,
}
