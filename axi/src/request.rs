//! What clients ask for, read and typed (axi 4.4, 7.2).
//!
//! A request is one of four things: about the session itself, a [`Look`] at what is known, a [`Change`] of users and
//! handsets, a [`Setting`] of this OMM. Whatever is asked by another name is refused with `EInval` and its cookie, so
//! that no client waits for ever.

use machine::secret::Secret;
use omm::ids::Number;

use crate::element::Element;
use crate::error::{Complaint, Refused};
use crate::fields::Fields;
use crate::open::Open;
use crate::portal;
use crate::record::Record;
use crate::reply::Reply;
use crate::request::accounts::AccountChange;
use crate::request::orders::{Expectation, Order};
use crate::seq::Seq;
use crate::subscribe::{self, Wish};
use crate::words::vocabulary;

/// Records in one response (axi 3, `records`).
pub const PAGE_MAX: usize = 20;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it is called; its response is called `...Resp`.
    pub name: String,
    /// Its cookie.
    pub seq: Option<Seq>,
    /// `plainText="1"`: its secrets are in clear.
    pub plain: bool,
    /// What it asks for.
    pub body: Body,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A login.
    Open(Box<Open>),
    /// What time it is.
    Ping,
    /// Which messages are spoken.
    Versions,
    /// How much of everything there may be.
    Limits,
    /// The key for secrets.
    PublicKey,
    /// Which events to tell.
    Subscribe(Vec<Wish>),
    /// What is known.
    Look(Look),
    /// Other users and handsets.
    Change(Box<Change>),
    /// Another setting of this OMM.
    Set(Setting),
    /// Other accounts.
    Account(Box<AccountChange>),
    /// Another identity of the system, or another use of the sync link.
    Order(Order),
    /// That something is so which stands in the site's file.
    Expect(Expectation),
    /// The file of this external user, by its number, is to be read now; everybody's without one (axi 4.5).
    Import(Option<Number>),
}

/// A page of a list: records whose key is `from` or higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The lowest key.
    pub from: u32,
    /// How many at most, 1..=[`PAGE_MAX`].
    pub max: usize,
}

/// What can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Accounts.
    Accounts(Page),
    /// How many accounts.
    AccountSummary,
    /// The common identity of all sites.
    Sari,
    /// The identity of this OMM.
    Park,
    /// The first SIP server, and what is asked of all.
    BasicSip,
    /// The other SIP servers.
    BackupSip,
    /// How REGISTERs are shaped.
    TrafficShaping,
    /// The link to the central.
    SyncLink,
    /// Whether a restore keeps who is with which handset, if nothing else is said.
    PreserveRelation,
    /// Whether subscriptions are kept short.
    RestrictedSubscription,
    /// The name of this OMM.
    SystemName,
    /// The standby pair.
    Standby,
    /// How the parts of the system do.
    Health,
    /// Where external users come from.
    UserDataServer,
    /// Users by uid.
    Users(Page),
    /// The user with this number.
    UserByNumber(String),
    /// Handsets by ppn.
    Devices(Page),
    /// The handset with this IPEI.
    DeviceByIpei(String),
    /// A user and a handset; 0 for none.
    Pair {
        /// The user.
        uid: u32,
        /// The handset.
        ppn: u32,
    },
    /// Profiles of handset settings by their id.
    Profiles(Page),
    /// What is known of a handset's state (axi 4.4: the SIP registration view).
    State(u32),
    /// What handsets did last.
    LastAction(Page),
    /// Handsets that do something now.
    Active,
    /// How many users.
    UserSummary,
    /// How many handsets.
    DeviceSummary,
    /// Whether handsets may subscribe.
    Mode,
    /// Whether unknown handsets get a record when they subscribe.
    AutoCreate,
    /// The DECT authentication code.
    AuthCode,
    /// How users log in.
    LoginVariant,
    /// Base stations: none are told.
    RfpSummary,
    /// Base stations: none are told.
    Rfps,
    /// Which counters base stations have.
    RfpStatisticConfig,
    /// The counters: none are told.
    RfpStatistic,
    /// Whether new base stations are captured.
    RfpCapture,
}

/// What can be done to users and handsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new user; with `replace`, or the new content of one with that uid.
    CreateUser {
        /// What it is to be.
        user: Record,
        /// `replaceData="1"`.
        replace: bool,
    },
    /// Another content.
    SetUser {
        /// Which.
        uid: u32,
        /// What is to be different.
        user: Record,
    },
    /// No such user any more.
    DeleteUser(UserKey),
    /// A new handset.
    CreateDevice {
        /// What it is to be.
        device: Record,
        /// `replaceData="1"`.
        replace: bool,
    },
    /// Another content.
    SetDevice {
        /// Which.
        ppn: u32,
        /// What is to be different.
        device: Record,
    },
    /// No such handset any more.
    DeleteDevice(u32),
    /// A user and a handset for good.
    CreateFixed {
        /// The user.
        user: Record,
        /// The handset.
        device: Record,
        /// `replaceData="1"`: whichever of them is there already becomes like that.
        replace: bool,
    },
    /// Both sides of a relation, or of its end.
    SetPair {
        /// The user's side.
        user: Record,
        /// The handset's side.
        device: Record,
    },
    /// A profile of handset settings: new, or another than it was.
    SetProfile {
        /// 1 to 20.
        id: u8,
        /// What it is called, if that is to be different.
        name: Option<String>,
        /// Its lines, if they are.
        data: Option<String>,
        /// Only if there is none yet.
        create: bool,
    },
    /// No such profile any more.
    DeleteProfile(u8),
    /// A relation that is there becomes fixed or dynamic.
    SetRelation {
        /// The user.
        uid: u32,
        /// What it becomes.
        relation: Relation,
    },
}

/// By what a user can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// Its uid.
    Uid(u32),
    /// Its number.
    Number(String),
}

vocabulary! {
    /// How a user and a handset belong together.
    Relation {
        /// Not at all.
        Unbound = "Unbound",
        /// Until somebody logs out.
        Dynamic = "Dynamic",
        /// Until the administrator ends it.
        Fixed = "Fixed",
    }
}

vocabulary! {
    /// Whether handsets may subscribe (axi 4.4).
    Mode {
        /// None.
        Off = "Off",
        /// Those whose IPEI is known.
        Configured = "Configured",
        /// Any.
        Wildcard = "Wildcard",
    }
}

/// What can be set at this OMM alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Whether handsets may subscribe.
    Mode {
        /// Which.
        mode: Mode,
        /// For how many minutes any handset may, 1..=60.
        minutes: u32,
    },
    /// Whether unknown handsets get a record when they subscribe.
    AutoCreate(bool),
    /// The DECT authentication code.
    AuthCode(Secret),
    /// Whether new base stations are captured.
    RfpCapture(bool),
}

impl Request {
    /// Reads a request; `None` for an event or a response, which get no answer, so that two ends cannot complain at
    /// each other for ever. `sync` is whether the session has `UserDeviceSyncClient`.
    ///
    /// # Errors
    /// The answer to give: something is missing or wrong, or this is not spoken here.
    pub fn read(element: &Element<'_>, sync: bool) -> Result<Option<Request>, Complaint> {
        let name = element.name();
        if name.starts_with("Event") || name.ends_with("Resp") {
            return Ok(None);
        }
        let fields = Fields::of(element);
        let seq = fields.seq()?;
        let body = match name {
            "Open" => Body::Open(Box::new(Open::read(element)?)),
            "Ping" => Body::Ping,
            "GetVersions" => Body::Versions,
            "Limits" => Body::Limits,
            "GetPublicKey" => Body::PublicKey,
            "Subscribe" => Body::Subscribe(subscribe::read(element)?),
            "CreateAccount" | "SetAccount" | "DeleteAccount" => match accounts::read(element, name)? {
                Some(change) => Body::Account(Box::new(change)),
                None => return Ok(None),
            },
            "SetSARI" | "SetUserDeviceSyncOMM" => match orders::order(element, name)? {
                Some(order) => Body::Order(order),
                None => return Ok(None),
            },
            "ManualUserDataImport" => Body::Import(reading::external(fields)?),
            _ => match reading::look(fields, name)? {
                Some(look) => Body::Look(look),
                None => match reading::change(element, name, sync)? {
                    Some(change) => Body::Change(Box::new(change)),
                    None => match orders::expectation(element, name) {
                        Some(expectation) => Body::Expect(expectation),
                        None => Body::Set(reading::setting(fields, name)?),
                    },
                },
            },
        };
        Ok(Some(Request { name: name.to_owned(), seq, plain: fields.flag("plainText")?, body }))
    }

    /// The response, nothing in it but its cookie.
    pub fn respond(&self) -> Element<'static> {
        let mut response = Element::new(format!("{}Resp", self.name));
        if let Some(seq) = &self.seq {
            response.set("seq", seq.to_string());
        }
        response
    }

    /// Why what was found is not what was expected; `None` when it is, or when nothing was.
    pub fn disappointed(&self, found: &Reply) -> Option<Refused> {
        let Body::Expect(expectation) = &self.body else { return None };
        portal::agree(found, &expectation.wanted, expectation.owner).err()
    }

    /// The response that refuses.
    pub fn refuse(&self, why: Refused) -> Element<'static> {
        Complaint { message: self.name.as_str().into(), seq: self.seq.clone(), why }.answer()
    }
}

impl Change {
    /// The change that a request of a provisioning file asks for; `None` when it asks for something else. It may write
    /// all that a sync client may.
    ///
    /// # Errors
    /// What is missing or wrong in it.
    pub(crate) fn provided(element: &Element<'_>) -> Result<Option<Change>, Complaint> {
        reading::change(element, element.name(), true)
    }

    /// The secrets in it, in a fixed order: as they came, or encrypted.
    pub fn secrets(&self) -> Vec<(&'static str, &str)> {
        self.records().into_iter().flat_map(Record::secrets).collect()
    }

    /// Puts the same secrets in clear, in the order of [`Change::secrets`].
    ///
    /// # Errors
    /// One is longer than it may be; which.
    pub fn unseal(&mut self, clear: &[Secret]) -> Result<(), Refused> {
        let mut clear = clear.iter();
        for record in self.records_mut() {
            let names: Vec<&'static str> = record.secrets().map(|(name, _)| name).collect();
            for name in names {
                let text = clear.next().map(Secret::reveal).unwrap_or_default();
                record.write(name, text)?;
            }
        }
        Ok(())
    }

    fn records(&self) -> Vec<&Record> {
        match self {
            Change::CreateUser { user, .. } | Change::SetUser { user, .. } => vec![user],
            Change::CreateDevice { device, .. } | Change::SetDevice { device, .. } => vec![device],
            Change::CreateFixed { user, device, .. } | Change::SetPair { user, device } => vec![user, device],
            Change::DeleteUser(_)
            | Change::DeleteDevice(_)
            | Change::SetProfile { .. }
            | Change::DeleteProfile(_)
            | Change::SetRelation { .. } => Vec::new(),
        }
    }

    fn records_mut(&mut self) -> Vec<&mut Record> {
        match self {
            Change::CreateUser { user, .. } | Change::SetUser { user, .. } => vec![user],
            Change::CreateDevice { device, .. } | Change::SetDevice { device, .. } => vec![device],
            Change::CreateFixed { user, device, .. } | Change::SetPair { user, device } => vec![user, device],
            Change::DeleteUser(_)
            | Change::DeleteDevice(_)
            | Change::SetProfile { .. }
            | Change::DeleteProfile(_)
            | Change::SetRelation { .. } => Vec::new(),
        }
    }
}

pub mod accounts;
pub mod orders;
mod reading;
#[cfg(test)]
mod tests;
