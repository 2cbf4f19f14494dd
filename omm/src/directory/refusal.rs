//! Why an edit changed nothing.

use std::fmt;

use crate::directory::key::{Ppn, Uid};
use crate::ids::park::Sari;
use crate::ids::{Ipei, Number};

/// Why an edit changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another living user has this number (I1).
    NumberExists(Number),
    /// Another living handset has this IPEI (I1).
    DeviceExists(Ipei),
    /// Another living user has this row.
    UidExists(Uid),
    /// Another living handset has this row.
    PpnExists(Ppn),
    /// No user has this number.
    NoUser(Number),
    /// No handset has this IPEI.
    NoDevice(Ipei),
    /// No user has this row.
    NoUid(Uid),
    /// No handset has this row.
    NoPpn(Ppn),
    /// No profile has this id.
    NoProfile(u8),
    /// The platform holds no more users (M-2.2.1); so many are the limit.
    UsersFull(usize),
    /// The platform holds no more handsets (M-2.2.1); so many are the limit.
    DevicesFull(usize),
    /// Another user is with this handset (I2).
    Occupied {
        /// The handset.
        device: Ipei,
        /// Who is with it.
        by: Number,
    },
    /// The administrator bound the user to this handset.
    Fixed(Ipei),
    /// The user is with no handset, so there is no relation to change.
    Unbound(Uid),
    /// The handset is PARI-only and such a handset has a fixed user (M-2.3.4.1-b).
    PariOnly(Ipei),
    /// The SARI is set once and for all (M-2.1.2.1-e, I4).
    SariSet(Sari),
    /// A value cannot be; the field's AXI name, and what was expected.
    Invalid {
        /// The field, as AXI calls it.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

/// What kind of refusal it is; each is one AXI error code (axi 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// `EExist`.
    Exists,
    /// `ENoEnt`.
    NoEntry,
    /// `ENoMem`.
    Full,
    /// `EForbidden`.
    Forbidden,
    /// `EInval`.
    Invalid,
}

impl Refusal {
    /// What kind of refusal it is.
    pub fn code(&self) -> Code {
        match self {
            Refusal::NumberExists(_)
            | Refusal::DeviceExists(_)
            | Refusal::UidExists(_)
            | Refusal::PpnExists(_)
            | Refusal::Occupied { .. } => Code::Exists,
            Refusal::NoUser(_)
            | Refusal::NoDevice(_)
            | Refusal::NoUid(_)
            | Refusal::NoPpn(_)
            | Refusal::NoProfile(_) => Code::NoEntry,
            Refusal::UsersFull(_) | Refusal::DevicesFull(_) => Code::Full,
            Refusal::Fixed(_) | Refusal::PariOnly(_) | Refusal::SariSet(_) => Code::Forbidden,
            Refusal::Unbound(_) | Refusal::Invalid { .. } => Code::Invalid,
        }
    }

    /// The field that is to blame, as AXI calls it (`bad` of a response).
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Refusal::NumberExists(_) | Refusal::NoUser(_) => Some("num"),
            Refusal::DeviceExists(_) | Refusal::NoDevice(_) => Some("ipei"),
            Refusal::UidExists(_) | Refusal::NoUid(_) => Some("uid"),
            Refusal::PpnExists(_) | Refusal::NoPpn(_) | Refusal::Occupied { .. } => Some("ppn"),
            Refusal::NoProfile(_) => Some("id"),
            Refusal::Fixed(_) | Refusal::Unbound(_) | Refusal::PariOnly(_) => Some("relType"),
            Refusal::SariSet(_) => Some("sari"),
            Refusal::Invalid { field, .. } => Some(field),
            Refusal::UsersFull(_) | Refusal::DevicesFull(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NumberExists(number) => write!(f, "user {number} exists already"),
            Refusal::DeviceExists(ipei) => write!(f, "device {ipei} exists already"),
            Refusal::UidExists(uid) => write!(f, "user row {uid} is taken"),
            Refusal::PpnExists(ppn) => write!(f, "device row {ppn} is taken"),
            Refusal::NoUser(number) => write!(f, "there is no user {number}"),
            Refusal::NoDevice(ipei) => write!(f, "there is no device {ipei}"),
            Refusal::NoUid(uid) => write!(f, "there is no user with uid {uid}"),
            Refusal::NoPpn(ppn) => write!(f, "there is no device with ppn {ppn}"),
            Refusal::NoProfile(id) => write!(f, "there is no profile {id}"),
            Refusal::UsersFull(max) => write!(f, "this platform holds {max} users"),
            Refusal::DevicesFull(max) => write!(f, "this platform holds {max} devices"),
            Refusal::Occupied { device, by } => write!(f, "user {by} is with device {device}"),
            Refusal::Fixed(ipei) => write!(f, "the user is fixed to device {ipei}"),
            Refusal::Unbound(uid) => write!(f, "user {uid} is with no device"),
            Refusal::PariOnly(ipei) => write!(f, "device {ipei} is PARI-only and takes a fixed user only"),
            Refusal::SariSet(sari) => write!(f, "the SARI is {sari} for good"),
            Refusal::Invalid { field, expected } => write!(f, "{field}: expected {expected}"),
        }
    }
}

impl std::error::Error for Refusal {}
