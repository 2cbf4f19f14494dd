//! What a script's `set KEY VALUE` means for the machines: the timers and limits of spec section 8.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use omm::roaming::policy::{Evidence, Policy};
use omm::watchdog::Class;
use sip::digest::Algorithm;
use sip::registrar::{Model, Policy as Grants};
use sip::timing::Timing;
use sip::uas::profile::{Auth as AskPassword, Profile};

use crate::plan::{Plan, Server};
use crate::script::setting::Setting;
use crate::script::world::{Auth, Binding};

/// M-2.1.4.3-a: handsets report at least every two hours.
const LOCATION_PERIOD: Duration = Duration::from_secs(2 * 3600);

/// Every setting of a world, with the defaults of spec section 8.
pub struct Tuning {
    /// The SIP side of OMMs and phones.
    pub sip: Timing,
    /// Roaming.
    pub policy: Policy,
    /// When a silent handset is believed gone.
    pub watch: Class,
    /// How often a phone makes itself known.
    pub location_period: Duration,
    /// What an OMM's REGISTERs ask for.
    pub expires: Duration,
    /// The longest and the shortest interval that registrars grant.
    pub grants: (Duration, Duration),
    /// How long a commit takes to reach the disk.
    pub disk_latency: Duration,
    link: LinkTuning,
}
