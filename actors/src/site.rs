//! What every actor of one OMM knows from birth: who it is, how it is set, and whom it can turn to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use machine::chance::Chance;
use machine::secret::Secret;
use machine::time::Moment;
use omm::directory::device::{Class, Device};
use omm::directory::login::Variant;
use omm::directory::sync::Shared;
use omm::directory::user::User;
use omm::ids::{Ipei, Number};
use omm::link::timing::Timing as LinkTiming;
use omm::roaming::policy::Policy;
use omm::stamp::{OmmId, Stamp};
use omm::watchdog::Class as Watch;
use sip::grant::Grant;
use sip::line::Mode;
use sip::server::{Account, Demands, Local, Options, Server, Standing};
use sip::shaper::{Shape, Ticket};
use sip::timing::Timing;
use uuid::Uuid;

use crate::binding::Witness;
use crate::clock::Clock;
use crate::directory::Change;
use crate::doors::{Seek, Ways};
use crate::keeper::Keep;
use crate::locator::Check;
use crate::messages::{Acted, Fallen, Placed, Rests, Route, Say, Upkeep, Verdict};
use crate::shaper::Wishes;
use crate::trace::Trace;

/// The settings of one OMM, shared by its actors.
pub struct Site {
    /// The name that traces print.
    pub node: Arc<str>,
    /// Its identity in the system.
    pub omm: OmmId,
    /// The seed of its chance: the operating system's in the service, the scenario's in a replay.
    pub seed: u64,
    /// How many actors were given a chance so far.
    pub hired: Cell<u64>,
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
    /// What it wants of its registrars beside that.
    pub options: Options,
    /// Under which names phones log in.
    pub login: Variant,
    /// The durations of the SIP side.
    pub sip_timing: Arc<Timing>,
    /// How the tiers are used.
    pub mode: Mode,
    /// How REGISTERs to each server are shaped.
    pub shape: Shape,
    /// The durations of the sync link.
    pub link_timing: LinkTiming,
    /// The rules of roaming for handsets that may go anywhere and report regularly.
    pub policy: Arc<Policy>,
    /// When a handset that reports regularly is believed gone (M-2.1.4.3); GAP handsets need not report (AMB-20).
    pub watch: Watch,
}

impl Site {
    /// The chance of one of its actors. Whoever is hired again under the same name draws afresh: the branches and
    /// Call-IDs of a former life must not come back, a server would take them for repetitions.
    pub fn chance(&self, who: &str) -> Chance {
        let hired = self.hired.get();
        self.hired.set(hired + 1);
        let moment = self.clock.moment().as_millis();
        Chance::of(self.seed, &format!("{}/{who}/{moment}/{hired}", self.node))
    }

    /// A number that no other of its actors has, if it takes its [`Site::chance`] next.
    pub fn ticket(&self) -> Ticket {
        self.hired.get()
    }

    /// The contact that this OMM registers for `user` in the roam `epoch` (spec 3.7): the parameters carry the roam to
    /// the other OMMs through the registrar.
    pub fn contact(&self, user: &Number, epoch: Stamp) -> Arc<str> {
        format!("sip:{user}@{};hm-site={};hm-ep={epoch}", self.contact_host, self.omm).into()
    }

    /// The rules of roaming for a handset.
    pub fn policy_of(&self, device: Option<&Device>) -> Arc<Policy> {
        let Some(device) = device else { return self.policy.clone() };
        let watchdog = match device.admin.class {
            Class::Periodic => Some(self.watch),
            Class::Gap => None,
        };
        if device.admin.pari_only == self.policy.pari_only && watchdog == self.policy.watchdog {
            return self.policy.clone();
        }
        Arc::new(Policy { pari_only: device.admin.pari_only, watchdog, ..(*self.policy).clone() })
    }

    /// The account of a user at this server (spec 3.7), which is asked in one of `domains`: as `sips:` when its address
    /// says so (RFC 5630 5.1.1.1).
    pub fn account(&self, user: &Number, login: &Login, server: &Server, domains: &Domains) -> Account {
        let instance = self.index.zip(login.device).map(|(_, ipei)| instance(ipei, user));
        let (scheme, domain) = match server.way.secure {
            true => ("sips", &domains.secure),
            false => ("sip", &domains.plain),
        };
        let registrar = server.way.registrar.as_ref().unwrap_or(domain);
        Account {
            aor: format!("{scheme}:{user}@{}", self.domain).into(),
            registrar: registrar.clone(),
            username: login.auth_id.clone().unwrap_or_else(|| user.as_str().into()),
            password: login.password.clone(),
            expires: login.expires.unwrap_or(self.expires),
            instance,
            reg_id: self.index.map(|index| {
                1 + 6 * u32::from(index) + 3 * u32::from(self.omm.member - 1) + u32::from(server.tier)
            }),
            options: self.options.clone(),
        }
    }
}

/// What a user's registrations need of the directory. The rest of a user is nobody's business here, ten thousand times.
pub struct Login {
    /// The name for digest authentication, when it is not the number.
    pub auth_id: Option<Arc<str>>,
    /// The SIP password.
    pub password: Secret,
    /// What its REGISTERs ask for; `None` for what the site asks for.
    pub expires: Option<Duration>,
    /// The handset that the user is with.
    pub device: Option<Ipei>,
    /// Every move of the user is as urgent as a roam.
    pub vip: bool,
}

impl Login {
    /// That of this user.
    pub fn of(user: &User) -> Login {
        Login {
            auth_id: user.admin.sip_auth_id.as_deref().map(Into::into),
            password: user.admin.password.clone(),
            expires: user.admin.expires,
            device: user.device(),
            vip: user.admin.vip,
        }
    }
}

/// The instance of a user on a handset: the same at every OMM, so that a registrar knows the flows of one device
/// (spec 3.7, RFC 5626 4.1). A UUID of version 5 in a name space of this project's own.
fn instance(ipei: Ipei, user: &Number) -> Arc<str> {
    const SPACE: Uuid = Uuid::from_u128(0x8d0f_3b6e_2c41_4f0a_9a57_6f6d_696e_6721);
    Uuid::new_v5(&SPACE, format!("{ipei}|{user}").as_bytes()).urn().to_string().into()
}

/// The domain of the users as a Request-URI: one text for all accounts.
pub struct Domains {
    /// `sip:example.com`
    pub plain: Arc<str>,
    /// `sips:example.com`
    pub secure: Arc<str>,
}

impl Domains {
    /// Those of this domain.
    pub fn of(domain: &str) -> Domains {
        Domains { plain: format!("sip:{domain}").into(), secure: format!("sips:{domain}").into() }
    }
}

/// The relatives that every actor of one OMM may turn to.
pub struct Kin {
    /// Who they are and how they are set.
    pub site: Rc<Site>,
    /// The SIP doors.
    pub sip: Ways,
    /// The flows, to be told who is found where.
    pub upkeep: Recipient<Upkeep>,
    /// The DNS; without one only numbers are followed.
    pub places: Option<Recipient<Seek>>,
    /// Who knows where the server of a tier is now, if it has a name.
    pub locators: BTreeMap<u8, Recipient<Check>>,
    /// The servers by tier, where they are found now.
    pub servers: RefCell<Vec<Arc<Server>>>,
    /// The Request-URI of every REGISTER.
    pub domains: Domains,
    /// Who brings SIP answers.
    pub routes: Recipient<Route>,
    /// Who answers phones.
    pub verdicts: Recipient<Verdict>,
    /// Users and handsets, to be read; never across an await.
    pub directory: Shared,
    /// Who changes them.
    pub changes: Recipient<Change>,
    /// The store.
    pub keeper: Recipient<Keep>,
    /// The health of the server of each tier; a health that fell over is replaced.
    pub health: RefCell<Vec<Recipient<Witness>>>,
    /// The shaper of each tier's server.
    pub shapers: Vec<Recipient<Wishes>>,
    /// What registrars grant beside the lifetime, by user and tier: to be shown.
    pub grants: RefCell<BTreeMap<(Number, u8), Arc<Grant>>>,
    /// At which tier users are registered from here: to be shown.
    pub bound: RefCell<BTreeMap<Number, u8>>,
    /// Who tells others of changes of that.
    pub placed: Recipient<Placed>,
    /// Who tells AXI clients what phones do; nobody where there are none.
    pub acted: Option<Recipient<Acted>>,
    /// How the servers stand, by tier.
    pub standings: RefCell<Vec<Standing>>,
    /// What the servers demand of all users, by tier.
    pub demands: RefCell<Vec<Demands>>,
    /// Targets of the servers that are passed over, and until when.
    pub resting: RefCell<Vec<(Moment, Rests)>>,
    /// The star.
    pub star: Recipient<Say>,
    /// Who hires a user anew that fell over.
    pub fallen: Recipient<Fallen<Number>>,
}
