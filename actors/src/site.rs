//! What every actor of one OMM knows from birth: who it is, how it is set, and whom it can turn to.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use omm::ids::Number;
use omm::roaming::Policy;
use omm::stamp::{OmmId, Stamp};
use sip::server::{Account, Local, Server};
use sip::timing::Timing;

use crate::binding::Witness;
use crate::clock::Clock;
use crate::doors::Datagram;
use crate::keeper::Keep;
use crate::messages::{Route, Say, Verdict};
use crate::trace::Trace;

/// The settings of one OMM, shared by its actors.
pub struct Site {
    /// The name that traces print.
    pub node: Arc<str>,
    /// Its identity in the system.
    pub omm: OmmId,
    /// The seed of its chance: the operating system's in the service, the scenario's in a replay.
    pub seed: u64,
    /// Its clocks.
    pub clock: Rc<Clock>,
    /// Whoever watches.
    pub trace: Trace,
    /// Its side of every SIP request.
    pub local: Arc<Local>,
    /// `host:port` in the contacts that it registers.
    pub contact_host: String,
    /// The SIP domain of its users.
    pub domain: String,
    /// Its SIP servers, by tier: at most three.
    pub servers: Vec<Arc<Server>>,
    /// What its REGISTERs ask for.
    pub expires: Duration,
    /// Its place in the central's roster, 0..=10, for the reg-id; `None` registers without outbound (spec 3.7).
    pub index: Option<u8>,
    /// The durations of the SIP side.
    pub sip_timing: Arc<Timing>,
    /// The rules of roaming, before what is particular to a user.
    pub policy: Policy,
}

impl Site {
    /// The contact that this OMM registers for `user` in the roam `epoch` (spec 3.7): the parameters carry the roam to
    /// the other OMMs through the registrar.
    pub fn contact(&self, user: &Number, epoch: Stamp) -> Arc<str> {
        format!("sip:{user}@{};hm-site={};hm-ep={epoch}", self.contact_host, self.omm).into()
    }

    /// The account of a user at the server of `tier`. `instance` is the device's (spec 3.7).
    pub fn account(&self, user: &omm::directory::User, instance: &str, tier: u8) -> Account {
        Account {
            aor: format!("sip:{}@{}", user.number, self.domain),
            registrar: format!("sip:{}", self.domain),
            username: user.auth.clone(),
            password: user.password.clone(),
            expires: user.expires.unwrap_or(self.expires),
            instance: self.index.map(|_| instance.to_owned()),
            reg_id: self.index.map(|index| {
                1 + 6 * u32::from(index) + 3 * u32::from(self.omm.member - 1) + u32::from(tier)
            }),
        }
    }
}

/// The relatives that every actor of one OMM may turn to.
pub struct Kin {
    /// The SIP door.
    pub sip: Recipient<Datagram>,
    /// Who brings SIP answers.
    pub routes: Recipient<Route>,
    /// Who answers phones.
    pub verdicts: Recipient<Verdict>,
    /// The store.
    pub keeper: Recipient<Keep>,
    /// The health of the server of each tier.
    pub health: Vec<Recipient<Witness>>,
    /// The star.
    pub star: Recipient<Say>,
}
