//! A handset, as the directory knows it (spec 6.2). Where it is, is not kept here: roaming knows that.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::secret::Secret;

use crate::directory::key::{Id, Ppn, Uid};
use crate::directory::status::Status;
use crate::ids::Ipei;
use crate::stamp::{OmmId, Stamp};

/// One handset, as every OMM of the system shows it. Never stored; the directory computes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The identity of its record.
    pub id: Id,
    /// Its row.
    pub ppn: Ppn,
    /// The natural key (I1).
    pub ipei: Ipei,
    /// What the administrator may set.
    pub admin: Arc<Admin>,
    /// How it belongs to the radio system.
    pub subscription: Arc<Subscription>,
    /// Who is with it.
    pub uid: Option<Uid>,
    /// Whether it may be used.
    pub status: Status,
    /// When the administrator's part was last written (axi 6 `timeStampAdmin`).
    pub edited: Stamp,
    /// When the subscription was last written (axi 6 `timeStampSubscription`).
    pub subscribed: Option<Stamp>,
}

/// The Admin group of a handset (spec 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The identity of the handset.
    pub ipei: Ipei,
    /// Whether the IPEI was ever another one. Two handsets that were created with one IPEI are one (SM-7).
    pub renumbered: bool,
    /// The authentication code with which it is to subscribe; `None` for that of the OMM (axi 4.2 `ac`).
    pub ac: Option<Secret>,
    /// Whether the radio link is encrypted (axi 4.2 `encrypt`).
    pub encrypt: bool,
    /// The model (axi 4.2 `hwType`); `None` while nobody knows.
    pub hw_type: Option<Arc<str>>,
    /// Whether its silence means anything.
    pub class: Class,
    /// Subscribed to the PARI of this OMM instead of the SARI: it cannot roam (M-2.2.11-e).
    pub pari_only: Option<OmmId>,
    /// Made by the OMM when the handset subscribed (axi 6 `autoCreate`).
    pub auto_create: bool,
    /// Everything else of axi 4.2 that differs from its default, by the attribute's name.
    pub extras: BTreeMap<Arc<str>, Arc<str>>,
    /// The same for attributes that are secret.
    pub secrets: BTreeMap<Arc<str>, Secret>,
}

/// The Subscription group of a handset (spec 6.2): written by the OMM at which it subscribes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Subscription {
    /// How far it has come.
    pub state: Subscribed,
    /// The user authentication key.
    pub uak: Option<Secret>,
    /// The identity it is subscribed to, as the administrator writes a PARK (M-2.2.11-b).
    pub identity: Option<Arc<str>>,
    /// What the handset told of itself (capabilities, `modicType`, `locationData`...), by the attribute's name.
    pub extras: BTreeMap<Arc<str>, Arc<str>>,
}

/// How far a subscription has come (axi 4.2 `s`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Subscribed {
    /// Not subscribed.
    #[default]
    No,
    /// The handset has not confirmed the key.
    Unconfirmed,
    /// Subscribed.
    Yes,
}

/// What kind of handset it is, for the location watchdog (SM-4, AMB-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Class {
    /// The vendor's own: registers its location every two hours, so that silence means absence (M-2.1.4.3).
    #[default]
    Periodic,
    /// Any other GAP handset: the period is not known.
    Gap,
}

impl Admin {
    /// A handset of the vendor that may roam.
    pub fn new(ipei: Ipei) -> Admin {
        Admin {
            ipei,
            renumbered: false,
            ac: None,
            encrypt: false,
            hw_type: None,
            class: Class::Periodic,
            pari_only: None,
            auto_create: false,
            extras: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

impl Device {
    /// Whether the handset may register its location at `omm` (spec 6.4: a PARI-only one only where it subscribed).
    pub fn may_roam_to(&self, omm: OmmId) -> bool {
        // Both members of a standby pair have the same PARI, and a PARI-only phone is at home with either.
        self.admin.pari_only.is_none_or(|home| home.pari == omm.pari)
    }

    /// The later of the two times at which the record was written (axi 4.2 `timeStamp`).
    pub fn changed(&self) -> Stamp {
        self.subscribed.map_or(self.edited, |subscribed| subscribed.max(self.edited))
    }
}
