//! What clients ask for, read and typed (axi 4.4, 7.2).
//!
//! A request is one of four things: about the session itself, a [`Look`] at what is known, a [`Change`] of users and
//! handsets, a [`Setting`] of this OMM. Whatever is asked by another name is refused with `EInval` and its cookie, so
//! that no client waits for ever.

use machine::secret::Secret;

use crate::device;
use crate::element::Element;
use crate::error::{Complaint, ErrCode, Refused};
use crate::fields::Fields;
use crate::open::Open;
use crate::record::{Record, Table, Writer};
use crate::seq::Seq;
use crate::subscribe::{self, Wish};
use crate::user;
use crate::words::vocabulary;

/// Records in one response (axi 3, `records`).
pub const PAGE_MAX: usize = 20;
/// The longest DECT authentication code, in digits. Ours.
const CODE_MAX: u32 = 8;

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
    /// The common identity of all sites.
    Sari,
    /// The name of this OMM.
    SystemName,
    /// The standby pair.
    Standby,
    /// How the parts of the system do.
    Health,
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
    /// What is known of a handset's state (axi 4.4: the SIP registration view).
    State(u32),
    /// The handset that did something last.
    LastAction(u32),
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
    },
    /// Both sides of a relation, or of its end.
    SetPair {
        /// The user's side.
        user: Record,
        /// The handset's side.
        device: Record,
    },
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
            _ => match look(fields, name)? {
                Some(look) => Body::Look(look),
                None => match change(element, name, sync)? {
                    Some(change) => Body::Change(Box::new(change)),
                    None => Body::Set(setting(fields, name)?),
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

    /// The response that refuses.
    pub fn refuse(&self, why: Refused) -> Element<'static> {
        Complaint { message: self.name.as_str().into(), seq: self.seq.clone(), why }.answer()
    }
}

fn look(fields: Fields<'_>, name: &str) -> Result<Option<Look>, Complaint> {
    Ok(Some(match name {
        "GetAccount" => Look::Accounts(page(fields, "id")?),
        "GetSARI" => Look::Sari,
        "GetSystemName" => Look::SystemName,
        "GetStbState" => Look::Standby,
        "GetHealthState" => Look::Health,
        "GetPPUser" => Look::Users(page(fields, "uid")?),
        "GetPPUserByNumber" => Look::UserByNumber(fields.short("num", user::NUMBER_MAX)?.to_owned()),
        "GetPPDev" => Look::Devices(page(fields, "ppn")?),
        "GetPPDevByIPEI" => Look::DeviceByIpei(fields.short("ipei", 32)?.to_owned()),
        "GetPP" => Look::Pair {
            uid: fields.maybe("uid")?.unwrap_or_default(),
            ppn: fields.maybe("ppn")?.unwrap_or_default(),
        },
        "GetPPState" => Look::State(fields.value("ppn")?),
        "GetLastPPDevAction" => Look::LastAction(match fields.maybe("ppn")? {
            Some(ppn) => ppn,
            None => fields.value("id")?,
        }),
        "GetPPUserSummary" => Look::UserSummary,
        "GetPPDevSummary" => Look::DeviceSummary,
        "GetDECTSubscriptionMode" => Look::Mode,
        "GetDevAutoCreate" => Look::AutoCreate,
        "GetDECTAuthCode" => Look::AuthCode,
        "GetPPLoginVariant" => Look::LoginVariant,
        "GetRFPSummary" => Look::RfpSummary,
        "GetRFP" => Look::Rfps,
        "GetRFPStatisticConfig" => Look::RfpStatisticConfig,
        "GetRFPStatistic" => Look::RfpStatistic,
        "GetRFPCapture" => Look::RfpCapture,
        _ => return Ok(None),
    }))
}

/// `maxRecords` 0 is 1: one client family reads single records that way (axi 4.4).
fn page(fields: Fields<'_>, key: &str) -> Result<Page, Complaint> {
    let max = fields.maybe::<usize>("maxRecords")?.unwrap_or(1);
    Ok(Page { from: fields.value(key)?, max: max.clamp(1, PAGE_MAX) })
}

fn change(element: &Element<'_>, name: &str, sync: bool) -> Result<Option<Change>, Complaint> {
    let fields = Fields::of(element);
    let writer = Writer { sync, plain: fields.flag("plainText")? };
    let replace = fields.flag("replaceData")?;
    let user = || record(element, "user", user::TABLE, writer);
    let device = || record(element, "pp", device::TABLE, writer);
    Ok(Some(match name {
        "CreatePPUser" => Change::CreateUser { user: user()?, replace },
        "SetPPUser" => {
            let user = user()?;
            Change::SetUser { uid: key(fields, &user, "uid")?, user }
        }
        "DeletePPUser" => Change::DeleteUser(match (fields.maybe("uid")?, fields.text("num")) {
            (Some(uid), _) => UserKey::Uid(uid),
            (None, Some(number)) => UserKey::Number(number.to_owned()),
            (None, None) => UserKey::Uid(fields.value("uid")?),
        }),
        "CreatePPDev" => Change::CreateDevice { device: device()?, replace },
        "SetPPDev" => {
            let device = device()?;
            Change::SetDevice { ppn: key(fields, &device, "ppn")?, device }
        }
        "DeletePPDev" => Change::DeleteDevice(fields.value("ppn")?),
        "CreateFixedPP" => Change::CreateFixed { user: user()?, device: device()? },
        "SetPP" => Change::SetPair { user: user()?, device: device()? },
        "SetPPUserDevRelation" => {
            let relation = fields.need("relType")?;
            let relation =
                relation.parse().map_err(|_| fields.wrong("relType", "expected Fixed or Dynamic"))?;
            Change::SetRelation { uid: fields.value("uid")?, relation }
        }
        "SetPPUserTracking" => {
            let mut user = Record::new(user::TABLE);
            user.put("trackingActive", if fields.flag("trackingActive")? { "1" } else { "0" });
            Change::SetUser { uid: fields.value("uid")?, user }
        }
        _ => return Ok(None),
    }))
}

/// The record in the child of this name.
fn record(
    element: &Element<'_>,
    child: &str,
    table: &'static Table,
    writer: Writer,
) -> Result<Record, Complaint> {
    let fields = Fields::of(element);
    let found = element.child(child).ok_or_else(|| fields.missing(child))?;
    Record::read(table, found, writer).map_err(|why| fields.complain(why))
}

/// The key in a record that must name one.
fn key(fields: Fields<'_>, record: &Record, name: &str) -> Result<u32, Complaint> {
    let found = record.number(name).ok_or_else(|| fields.missing(name))?;
    u32::try_from(found).map_err(|_| fields.wrong(name, "there are not so many"))
}

fn setting(fields: Fields<'_>, name: &str) -> Result<Setting, Complaint> {
    match name {
        "SetDECTSubscriptionMode" => {
            let mode = fields.need("mode")?;
            let mode =
                mode.parse().map_err(|_| fields.wrong("mode", "expected Off, Configured or Wildcard"))?;
            Ok(Setting::Mode { mode, minutes: minutes(fields)? })
        }
        "SetDevAutoCreate" => {
            fields.need("enable")?;
            Ok(Setting::AutoCreate(fields.flag("enable")?))
        }
        "SetDECTAuthCode" => {
            let code = fields.short("ac", CODE_MAX)?;
            match code.bytes().all(|byte| byte.is_ascii_digit()) {
                true => Ok(Setting::AuthCode(Secret::new(code))),
                false => Err(fields
                    .complain(Refused { bad: Some("ac".to_owned()), ..Refused::new(ErrCode::InvalidChars) })),
            }
        }
        "SetRFPCapture" => {
            fields.need("enable")?;
            Ok(Setting::RfpCapture(fields.flag("enable")?))
        }
        _ => {
            let info = Some("this message is not supported".to_owned());
            Err(fields.complain(Refused { info, ..Refused::new(ErrCode::Inval) }))
        }
    }
}

/// How long any handset may subscribe; one client family writes `None` (axi 2.2).
fn minutes(fields: Fields<'_>) -> Result<u32, Complaint> {
    const USUAL: u32 = 3;
    if fields.text("timeout") == Some("None") {
        return Ok(USUAL);
    }
    match fields.maybe("timeout")?.unwrap_or(USUAL) {
        minutes @ 1..=60 => Ok(minutes),
        _ => Err(fields.wrong("timeout", "expected 1 to 60 minutes")),
    }
}

impl Change {
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
            Change::CreateFixed { user, device } | Change::SetPair { user, device } => vec![user, device],
            Change::DeleteUser(_) | Change::DeleteDevice(_) | Change::SetRelation { .. } => Vec::new(),
        }
    }

    fn records_mut(&mut self) -> Vec<&mut Record> {
        match self {
            Change::CreateUser { user, .. } | Change::SetUser { user, .. } => vec![user],
            Change::CreateDevice { device, .. } | Change::SetDevice { device, .. } => vec![device],
            Change::CreateFixed { user, device } | Change::SetPair { user, device } => vec![user, device],
            Change::DeleteUser(_) | Change::DeleteDevice(_) | Change::SetRelation { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
