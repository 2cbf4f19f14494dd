//! What somebody wants changed in the directory, as data.
//!
//! An edit either does all it says or is refused and changes nothing ([`super::Directory::edit`]). One that says what
//! is so already changes nothing either, and costs no stamp (SM-7; M-2.3.3-b: a provisioning file that is read again).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use machine::secret::Secret;
use machine::time::Wall;

use crate::directory::device::{Class, Device, Subscribed};
use crate::directory::key::{Ppn, Uid};
use crate::directory::profile::Profile;
use crate::directory::restore::Restore;
use crate::directory::user::{Kind, Monitoring, User};
use crate::ids::park::Sari;
use crate::ids::{Ipei, Number};
use crate::stamp::OmmId;

/// What an administrator, an application, a provisioning file or a phone wants changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A new user.
    CreateUser(Box<NewUser>),
    /// Some fields of a user.
    SetUser {
        /// Which one.
        uid: Uid,
        /// What.
        change: Box<UserChange>,
    },
    /// The user is gone; its handset is free then.
    DeleteUser(Uid),
    /// A new handset.
    CreateDevice(Box<NewDevice>),
    /// Some fields of a handset.
    SetDevice {
        /// Which one.
        ppn: Ppn,
        /// What.
        change: Box<DeviceChange>,
    },
    /// The handset is gone; who was with it is logged out.
    DeleteDevice(Ppn),
    /// A user and a handset, bound for good, in one step (axi 4.4 `CreateFixedPP`). Their own `relation` is not used.
    CreateFixed {
        /// The user.
        user: Box<NewUser>,
        /// Its handset.
        device: Box<NewDevice>,
    },
    /// The administrator binds a user to a handset that is free.
    Attach {
        /// Which user.
        uid: Uid,
        /// Which handset.
        ppn: Ppn,
        /// How firmly.
        kind: Kind,
    },
    /// The administrator ends whatever relation the user has.
    Detach {
        /// Which user.
        uid: Uid,
    },
    /// The relation stays, but is firmer or looser (axi 4.4 `SetPPUserDevRelation`).
    SetKind {
        /// Which user.
        uid: Uid,
        /// How firm.
        kind: Kind,
    },
    /// The user logs in on a handset. It leaves the handset it was with, and who was logged in there is logged out. A
    /// fixed relation on either side refuses.
    Login {
        /// Who.
        user: Number,
        /// On which handset.
        device: Ipei,
    },
    /// The user logs out; a fixed one cannot.
    Logout {
        /// Who.
        user: Number,
    },
    /// A profile: new, or other than it was.
    SetProfile {
        /// 1 to [`crate::directory::profile::PROFILES_MAX`].
        id: u8,
        /// What it is called; `None` leaves that.
        name: Option<String>,
        /// Its lines; `None` leaves them.
        data: Option<String>,
    },
    /// The profile is gone.
    DeleteProfile(u8),
    /// The SARI, once (M-2.1.2.1-e).
    SetSari(Sari),
    /// A backup is put back.
    Restore(Box<Restore>),
}

impl Edit {
    /// What kind of edit it is, for the trace.
    pub fn name(&self) -> &'static str {
        match self {
            Edit::CreateUser(_) => "create-user",
            Edit::SetUser { .. } => "set-user",
            Edit::DeleteUser(_) => "delete-user",
            Edit::CreateDevice(_) => "create-device",
            Edit::SetDevice { .. } => "set-device",
            Edit::DeleteDevice(_) => "delete-device",
            Edit::CreateFixed { .. } => "create-fixed",
            Edit::Attach { .. } => "attach",
            Edit::Detach { .. } => "detach",
            Edit::SetKind { .. } => "set-kind",
            Edit::Login { .. } => "login",
            Edit::Logout { .. } => "logout",
            Edit::SetProfile { .. } => "set-profile",
            Edit::DeleteProfile(_) => "delete-profile",
            Edit::SetSari(_) => "set-sari",
            Edit::Restore(_) => "restore",
        }
    }
}

/// A user that is to be.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NewUser {
    /// The row asked for; `None` for the smallest free one.
    pub uid: Option<Uid>,
    /// The handset that it is with from the start.
    pub relation: Option<(Kind, Ppn)>,
    /// Its fields. Without a number it is called `uid` and its row.
    pub fields: UserChange,
}

/// A handset that is to be.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NewDevice {
    /// The row asked for; `None` for the smallest free one.
    pub ppn: Option<Ppn>,
    /// Its fields; the IPEI is needed.
    pub fields: DeviceChange,
}

/// Fields of a user; `None` leaves one as it is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UserChange {
    /// When its author wrote it, in whole seconds, if he says so: what is newer here stays (axi 4.1 `timeStamp`).
    pub written: Option<Wall>,
    /// See [`crate::directory::user::Admin`], also for the others.
    pub number: Option<Number>,
    /// What displays show.
    pub name: Option<String>,
    /// Empty: the number.
    pub sip_auth_id: Option<String>,
    /// The SIP password.
    pub password: Option<Secret>,
    /// Empty: none.
    pub pin: Option<Secret>,
    /// Empty: none.
    pub add_id: Option<String>,
    /// Registered before the others.
    pub vip: Option<bool>,
    /// From the external user data server.
    pub external: Option<bool>,
    /// To be the visibility check user.
    pub check_user: Option<bool>,
    /// May be located.
    pub locatable: Option<bool>,
    /// Whether it is watched.
    pub monitoring: Option<Monitoring>,
    /// `Some(None)`: what the site asks for.
    pub expires: Option<Option<Duration>>,
    /// An empty value is the default.
    pub extras: BTreeMap<Arc<str>, Arc<str>>,
    /// An empty value is none.
    pub secrets: BTreeMap<Arc<str>, Secret>,
}

/// Fields of a handset; `None` leaves one as it is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeviceChange {
    /// When its author wrote it, in whole seconds, if he says so: what is newer here stays (axi 4.2 `timeStamp`).
    pub written: Option<Wall>,
    /// See [`crate::directory::device::Admin`], also for the others.
    pub ipei: Option<Ipei>,
    /// Empty: that of the OMM.
    pub ac: Option<Secret>,
    /// Whether the radio link is encrypted.
    pub encrypt: Option<bool>,
    /// Empty: nobody knows.
    pub hw_type: Option<Arc<str>>,
    /// Whether its silence means anything.
    pub class: Option<Class>,
    /// `Some(None)`: it may roam.
    pub pari_only: Option<Option<OmmId>>,
    /// Made by the OMM.
    pub auto_create: Option<bool>,
    /// An empty value is the default.
    pub extras: BTreeMap<Arc<str>, Arc<str>>,
    /// An empty value is none.
    pub secrets: BTreeMap<Arc<str>, Secret>,
    /// The Subscription group.
    pub subscription: SubscriptionChange,
}

/// Fields of a subscription; `None` leaves one as it is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SubscriptionChange {
    /// How far it has come.
    pub state: Option<Subscribed>,
    /// Empty: none.
    pub uak: Option<Secret>,
    /// Empty: none.
    pub identity: Option<Arc<str>>,
    /// An empty value is the default.
    pub extras: BTreeMap<Arc<str>, Arc<str>>,
}

/// What an edit did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Done {
    /// The user that was made, changed or deleted.
    pub uid: Option<Uid>,
    /// The handset that was made, changed or deleted.
    pub ppn: Option<Ppn>,
    /// All that is shown differently now, those displaced included. Nothing when the edit said what was so already.
    pub changed: Changed,
}

/// What is shown differently after an edit or a merge: each row with how it was before, `None` when it was not. How it
/// is now, the directory tells; who is not in there any more is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Changed {
    /// Users by row.
    pub users: BTreeMap<Uid, Option<Arc<User>>>,
    /// Handsets by row.
    pub devices: BTreeMap<Ppn, Option<Arc<Device>>>,
    /// Profiles by id.
    pub profiles: BTreeMap<u8, Option<Profile>>,
    /// The SARI is known now.
    pub sari: bool,
}

impl Changed {
    /// Whether everything is as it was.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.devices.is_empty() && self.profiles.is_empty() && !self.sari
    }

    /// Takes in what happened next: of a row that changed twice, how it was at first stays.
    pub fn then(&mut self, next: Changed) {
        for (uid, before) in next.users {
            self.users.entry(uid).or_insert(before);
        }
        for (ppn, before) in next.devices {
            self.devices.entry(ppn).or_insert(before);
        }
        for (id, before) in next.profiles {
            self.profiles.entry(id).or_insert(before);
        }
        self.sari |= next.sari;
    }
}

impl UserChange {
    /// These fields, and those of `base` that are not among them.
    pub fn over(mut self, base: &UserChange) -> UserChange {
        for (name, value) in &base.extras {
            self.extras.entry(name.clone()).or_insert_with(|| value.clone());
        }
        for (name, value) in &base.secrets {
            self.secrets.entry(name.clone()).or_insert_with(|| value.clone());
        }
        UserChange {
            written: self.written.or(base.written),
            number: self.number.or_else(|| base.number.clone()),
            name: self.name.or_else(|| base.name.clone()),
            sip_auth_id: self.sip_auth_id.or_else(|| base.sip_auth_id.clone()),
            password: self.password.or_else(|| base.password.clone()),
            pin: self.pin.or_else(|| base.pin.clone()),
            add_id: self.add_id.or_else(|| base.add_id.clone()),
            vip: self.vip.or(base.vip),
            external: self.external.or(base.external),
            check_user: self.check_user.or(base.check_user),
            locatable: self.locatable.or(base.locatable),
            monitoring: self.monitoring.or(base.monitoring),
            expires: self.expires.or(base.expires),
            extras: self.extras,
            secrets: self.secrets,
        }
    }
}

impl NewUser {
    /// A user with this number and password, and every other field as it is by default.
    pub fn new(number: Number, password: Secret) -> NewUser {
        let fields = UserChange { number: Some(number), password: Some(password), ..UserChange::default() };
        NewUser { fields, ..NewUser::default() }
    }
}

impl NewDevice {
    /// A handset of the vendor that may roam.
    pub fn new(ipei: Ipei) -> NewDevice {
        NewDevice { ppn: None, fields: DeviceChange { ipei: Some(ipei), ..DeviceChange::default() } }
    }
}
