//! A user: a SIP account that may be with a handset (spec 6.2).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;

use crate::directory::key::{Id, Ppn, Uid};
use crate::directory::status::Status;
use crate::ids::{Ipei, Number};
use crate::stamp::Stamp;

/// One user, as every OMM of the system shows it: what the administrator wrote, and what follows from all records
/// together. Never stored; the directory computes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identity of its record.
    pub id: Id,
    /// Its row.
    pub uid: Uid,
    /// The natural key (I1). Another than the administrator's when two sites gave one number to two users.
    pub number: Number,
    /// What the administrator may set. Its `number` and `check_user` are what was asked for.
    pub admin: Arc<Admin>,
    /// The handset that the user is with.
    pub relation: Relation,
    /// The row of that handset.
    pub ppn: Option<Ppn>,
    /// Whether this is the one visibility check user of the system (I3; axi 4.1 `sipRegisterCheck`).
    pub check_user: bool,
    /// Whether it may be served.
    pub status: Status,
    /// When the administrator's part was last written (axi 6 `timeStampAdmin`).
    pub edited: Stamp,
    /// When the relation was last written (axi 6 `timeStampRelation`).
    pub related: Option<Stamp>,
}

/// The Admin group of a user (spec 6.2): what administrators, applications and provisioning files may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The number that was asked for.
    pub number: Number,
    /// Whether the number was ever another one. Two users that were created with one number are one user (SM-7); one
    /// that was renumbered to it is not.
    pub renumbered: bool,
    /// What displays show.
    pub name: String,
    /// The name for digest authentication, when it is not the number.
    pub sip_auth_id: Option<String>,
    /// The SIP password; also what the phone proves itself with.
    pub password: Secret,
    /// What is keyed in at a login on a handset.
    pub pin: Option<Secret>,
    /// What a login on a handset names instead of the number (axi 4.1 `addId`).
    pub add_id: Option<String>,
    /// Registered before the others after a restart.
    pub vip: bool,
    /// Comes from the external user data server (M-2.2.7.1-b).
    pub external: bool,
    /// Asked to be the visibility check user; of several the last one asked for is it (M-2.1.2.2-d).
    pub check_user: bool,
    /// Whether it may be located (M-2.1.2.2-d).
    pub locatable: bool,
    /// Whether its reachability is watched (M-2.2.6.1-a).
    pub monitoring: Monitoring,
    /// What its REGISTERs ask for; `None` for what the site asks for.
    pub expires: Option<Duration>,
    /// Everything else of axi 4.1 that differs from its default, by the attribute's name. The axi crate knows names,
    /// defaults and checks; here they are only kept.
    pub extras: BTreeMap<Arc<str>, Arc<str>>,
    /// The same for attributes that are secret.
    pub secrets: BTreeMap<Arc<str>, Secret>,
}

/// Whether the reachability of a user is watched (axi 4.1 `monitoringMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Monitoring {
    /// Not at all.
    #[default]
    Off,
    /// Only what is seen anyway counts.
    Passive,
    /// The handset is asked.
    Active,
}

/// How a user and a handset belong together; one-to-one (I2), kept at the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Logged out.
    Unbound,
    /// Logged in on this handset until logged out or logged in elsewhere.
    Dynamic(Ipei),
    /// Bound to this handset by the administrator; cannot log out.
    Fixed(Ipei),
}

/// How firmly a user and a handset belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Until the user logs out or logs in elsewhere.
    Dynamic,
    /// Until the administrator says otherwise.
    Fixed,
}

/// The content of the Relation group: which handset's record, and how firmly. `None` in its place is "logged out".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bond {
    /// How firmly.
    pub kind: Kind,
    /// The handset's record.
    pub device: Id,
}

impl Admin {
    /// An account without a display name, with the number as authentication name.
    pub fn new(number: Number, password: Secret) -> Admin {
        Admin {
            number,
            renumbered: false,
            name: String::new(),
            sip_auth_id: None,
            password,
            pin: None,
            add_id: None,
            vip: false,
            external: false,
            check_user: false,
            locatable: false,
            monitoring: Monitoring::Off,
            expires: None,
            extras: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

impl User {
    /// The handset that the user is with.
    pub fn device(&self) -> Option<Ipei> {
        self.relation.device()
    }

    /// The name for digest authentication.
    pub fn auth_id(&self) -> &str {
        self.admin.sip_auth_id.as_deref().unwrap_or(self.number.as_str())
    }

    /// The later of the two times at which the record was written (axi 4.1 `timeStamp`).
    pub fn changed(&self) -> Stamp {
        self.related.map_or(self.edited, |related| related.max(self.edited))
    }

    /// The administrator's part as it is shown: with the number and the check mark that the user really has.
    pub fn shown(&self) -> Admin {
        let renumbered = self.admin.renumbered || self.admin.number != self.number;
        Admin {
            number: self.number.clone(),
            renumbered,
            check_user: self.check_user,
            ..(*self.admin).clone()
        }
    }
}

impl Relation {
    /// The handset, unless logged out.
    pub fn device(self) -> Option<Ipei> {
        match self {
            Relation::Unbound => None,
            Relation::Dynamic(ipei) | Relation::Fixed(ipei) => Some(ipei),
        }
    }

    /// How firm it is, unless logged out.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Relation::Unbound => None,
            Relation::Dynamic(_) => Some(Kind::Dynamic),
            Relation::Fixed(_) => Some(Kind::Fixed),
        }
    }
}

impl Kind {
    /// The relation with this handset.
    pub fn with(self, ipei: Ipei) -> Relation {
        match self {
            Kind::Dynamic => Relation::Dynamic(ipei),
            Kind::Fixed => Relation::Fixed(ipei),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Dynamic => "dynamic",
            Kind::Fixed => "fixed",
        })
    }
}
