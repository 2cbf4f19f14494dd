//! A handset, as the directory knows it (spec 6.2). Where it is, is not kept here: roaming knows that.

use crate::ids::Ipei;
use crate::stamp::OmmId;

/// One handset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The natural key (I1).
    pub ipei: Ipei,
    /// Whether its silence means anything.
    pub class: Class,
    /// Subscribed to the PARI of this OMM instead of the SARI: it cannot roam (M-2.2.11-e).
    pub pari_only: Option<OmmId>,
}

/// What kind of handset it is, for the location watchdog (SM-4, AMB-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The vendor's own: registers its location every two hours, so that silence means absence (M-2.1.4.3).
    Periodic,
    /// Any other GAP handset: the period is not known.
    Gap,
}

impl Device {
    /// A handset of the vendor that may roam.
    pub fn new(ipei: Ipei) -> Device {
        Device { ipei, class: Class::Periodic, pari_only: None }
    }

    /// Whether the handset may register its location at `omm` (spec 6.4: a PARI-only one only where it subscribed).
    pub fn may_roam_to(&self, omm: OmmId) -> bool {
        // Both members of a standby pair have the same PARI, and a PARI-only phone is at home with either.
        self.pari_only.is_none_or(|home| home.pari == omm.pari)
    }
}
