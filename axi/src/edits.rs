//! What clients want changed, as edits of the directory; and its refusals, as errors of the wire.
//!
//! A relation between a user and a handset is changed by `SetPP` and `SetPPUserDevRelation` alone: `ppn`, `uid` and
//! `relType` in the other requests are what a client was told and sends back. `timeStamp` is heard from sync clients alone: what
//! is newer here than that stays as it is, and the answer shows it (M-2.1.5-c). For all others it is what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::secret::Secret;
use machine::time::Wall;
use omm::directory::Directory;
use omm::directory::device::{Class, Device, Subscribed};
use omm::directory::edit::{DeviceChange, Edit, NewDevice, NewUser, SubscriptionChange, UserChange};
use omm::directory::key::{Ppn, Uid};
use omm::directory::refusal::{Code, Refusal};
use omm::directory::user::{Kind, Monitoring};
use omm::ids::{Ipei, Number};
use omm::stamp::OmmId;
use omm::star::Role;

use crate::attribute::{Access, Kind as Holds};
use crate::error::{ErrCode, Refused};
use crate::record::Record;
use crate::request::{Change, Relation, UserKey};

/// Where changes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// This OMM: a handset that cannot roam is subscribed to it.
    pub omm: OmmId,
    /// Its place in the star: at the central no handset is kept from roaming (M-2.3.4.1-a).
    pub role: Role,
}

/// Attributes of a handset that it tells of itself when it subscribes.
const TOLD_BY_HANDSET: &[&str] = &[
    "capMessaging",
    "capMessagingForInternalUse",
    "capEnhLocating",
    "capBluetooth",
    "ethAddr",
    "ppProfileCapability",
    "ppDefaultProfileLoaded",
    "modicType",
    "locationData",
    "dectIeFixedId",
    "subscriptionId",
];

/// What a change is to the directory: edits to be made in this order, none when one before it was refused.
///
/// # Errors
/// `ENoEnt`, `EInval`, `EMissing` and `EForbidden`, before anything is changed.
pub fn edits(change: &Change, directory: &Directory, here: Here) -> Result<Vec<Edit>, Refused> {
    let own = here.omm;
    Ok(vec![match change {
        Change::CreateUser { user, replace } => {
            let new = new_user(user)?;
            match known_user(&new, directory).filter(|_| *replace) {
                Some(uid) => Edit::SetUser { uid, change: Box::new(new.fields) },
                None => Edit::CreateUser(Box::new(new)),
            }
        }
        Change::SetUser { uid, user } => {
            let uid = row(Uid::new(*uid), "uid")?;
            Edit::SetUser { uid, change: Box::new(user_change(user, Some(uid))?) }
        }
        Change::DeleteUser(UserKey::Uid(uid)) => Edit::DeleteUser(row(Uid::new(*uid), "uid")?),
        Change::DeleteUser(UserKey::Number(number)) => {
            let number = Number::new(number).map_err(|bad| invalid("num", &bad.to_string()))?;
            Edit::DeleteUser(row(directory.uid_of(&number), "num")?)
        }
        Change::CreateDevice { device, replace } => {
            let mut new = new_device(device, own)?;
            let known = known_device(&new, directory).filter(|_| *replace);
            confine(&mut new.fields, known.and_then(|ppn| directory.device_at(ppn)), None, directory, here)?;
            match known {
                Some(ppn) => Edit::SetDevice { ppn, change: Box::new(new.fields) },
                None => Edit::CreateDevice(Box::new(new)),
            }
        }
        Change::SetDevice { ppn, device } => {
            let ppn = row(Ppn::new(*ppn), "ppn")?;
            let mut change = device_change(device, own)?;
            confine(&mut change, directory.device_at(ppn), None, directory, here)?;
            Edit::SetDevice { ppn, change: Box::new(change) }
        }
        Change::DeleteDevice(ppn) => Edit::DeleteDevice(row(Ppn::new(*ppn), "ppn")?),
        Change::CreateFixed { user, device, replace } => {
            let (new, mut device) = (new_user(user)?, new_device(device, own)?);
            if *replace {
                return fixed(user.get("relType").unwrap_or("Fixed"), new, device, directory, here);
            }
            confine(&mut device.fields, None, Some(Kind::Fixed), directory, here)?;
            Edit::CreateFixed { user: Box::new(new), device: Box::new(device) }
        }
        Change::SetProfile { id, create: true, .. } if directory.profile(*id).is_some() => {
            return Err(Refused { bad: Some("id".to_owned()), ..Refused::new(ErrCode::Exist) });
        }
        Change::SetProfile { id, name, data, create: _ } => {
            Edit::SetProfile { id: *id, name: name.clone(), data: data.clone() }
        }
        Change::DeleteProfile(id) => Edit::DeleteProfile(*id),
        Change::SetRelation { uid, relation } => {
            let uid = row(Uid::new(*uid), "uid")?;
            Edit::SetKind {
                uid,
                kind: kind(*relation).ok_or_else(|| invalid("relType", "expected Fixed or Dynamic"))?,
            }
        }
        Change::SetPair { user, device } => return pair(user, device, directory, here),
    }])
}

/// The user that `replaceData="1"` means: the one in the row, else the one with the number. That the number counts too
/// is ours: the row of a user is not known to who writes a file by hand.
fn known_user(new: &NewUser, directory: &Directory) -> Option<Uid> {
    let row = new.uid.filter(|uid| directory.user_at(*uid).is_some());
    row.or_else(|| directory.uid_of(new.fields.number.as_ref()?).filter(|_| new.uid.is_none()))
}

/// The same for a handset and its IPEI.
fn known_device(new: &NewDevice, directory: &Directory) -> Option<Ppn> {
    let row = new.ppn.filter(|ppn| directory.device_at(*ppn).is_some());
    row.or_else(|| Some(directory.device(new.fields.ipei?)?.ppn).filter(|_| new.ppn.is_none()))
}

/// `CreateFixedPP` with `replaceData="1"`: whoever is not there yet is created, and both are bound in the end, or, when
/// the user's `relType` says so, not. That it may be another word than `Fixed` is ours.
fn fixed(
    relation: &str,
    mut user: NewUser,
    mut device: NewDevice,
    directory: &Directory,
    here: Here,
) -> Result<Vec<Edit>, Refused> {
    let kind = match relation.parse() {
        Ok(relation) => kind(relation),
        Err(_) => return Err(invalid("relType", "expected Unbound, Dynamic or Fixed")),
    };
    user.relation = None;
    let mut edits = Vec::new();
    let known = known_device(&device, directory);
    let held = known.and_then(|ppn| directory.device_at(ppn));
    confine(&mut device.fields, held, kind, directory, here)?;
    // Kept from roaming when its user is fixed, not before.
    let confined = device.fields.pari_only.take_if(|home| home.is_some());
    let ppn = match known {
        Some(ppn) => {
            edits.push(Edit::SetDevice { ppn, change: Box::new(device.fields) });
            ppn
        }
        None => {
            // The row has to be known before the handset is, for who is with it.
            let ppn = row(device.ppn.or_else(|| free_row(directory)), "ppn")?;
            device.ppn = Some(ppn);
            edits.push(Edit::CreateDevice(Box::new(device)));
            ppn
        }
    };
    match (known_user(&user, directory), kind) {
        (None, kind) => {
            user.relation = kind.map(|kind| (kind, ppn));
            edits.push(Edit::CreateUser(Box::new(user)));
        }
        (Some(uid), kind) => {
            edits.push(Edit::SetUser { uid, change: Box::new(user.fields) });
            edits.push(match kind {
                Some(kind) => Edit::Attach { uid, ppn, kind },
                None => Edit::Detach { uid },
            });
        }
    }
    if confined.is_some() {
        let change = DeviceChange { pari_only: confined, ..DeviceChange::default() };
        edits.push(Edit::SetDevice { ppn, change: Box::new(change) });
    }
    Ok(edits)
}

/// Whether a handset may be kept from roaming (`subscribeToPARIOnly`): with a fixed user only, and not at the central, whose
/// PARI is everybody's SARI (M-2.2.11-e, M-2.3.4.1). `kind` is how it will be with its user, `None` is as it is now. One that
/// is kept already stays where it is: clients send back whole records that they were given, at any site.
fn confine(
    change: &mut DeviceChange,
    now: Option<&Arc<Device>>,
    kind: Option<Kind>,
    directory: &Directory,
    here: Here,
) -> Result<(), Refused> {
    if !matches!(change.pari_only, Some(Some(_))) {
        return Ok(());
    }
    if now.is_some_and(|device| device.admin.pari_only.is_some()) {
        change.pari_only = None;
        return Ok(());
    }
    let holder = now.and_then(|device| directory.user_at(device.uid?));
    let kind = kind.or_else(|| holder?.relation.kind());
    let why = match (here.role, kind) {
        (Role::Central, _) => {
            "at the central there is no PARI-only: its PARI is everybody's SARI (M-2.3.4.1-a)"
        }
        (Role::Remote, Some(Kind::Fixed)) => return Ok(()),
        (Role::Remote, Some(Kind::Dynamic) | None) => {
            "PARI-only needs a user who is fixed to the device beforehand (M-2.3.4.1-b)"
        }
    };
    let bad = Some("subscribeToPARIOnly".to_owned());
    Err(Refused { bad, info: Some(why.to_owned()), ..Refused::new(ErrCode::Forbidden) })
}

/// The smallest row in which there is no handset.
fn free_row(directory: &Directory) -> Option<Ppn> {
    let mut rows = 1..=u32::MAX;
    let first = Ppn::new(1)?;
    let mut taken = directory.devices_from(first).map(|device| device.ppn.get());
    rows.find(|row| taken.next() != Some(*row)).and_then(Ppn::new)
}

/// Both sides of `SetPP` have to say the same.
fn pair(user: &Record, device: &Record, directory: &Directory, here: Here) -> Result<Vec<Edit>, Refused> {
    let uid = row(uid_in(user), "uid")?;
    let wanted = match user.get("relType").unwrap_or("Unbound").parse() {
        Ok(relation) => kind(relation),
        Err(_) => return Err(invalid("relType", "expected Unbound, Dynamic or Fixed")),
    };
    let mut edits = Vec::new();
    match (wanted, user.number("ppn").unwrap_or_default()) {
        (None, _) | (_, 0) => {
            parted(uid, ppn_in(device), directory)?;
            edits.push(Edit::Detach { uid });
        }
        (Some(kind), ppn) => {
            if device.number("ppn") != Some(ppn) {
                return Err(invalid("ppn", "expected the same ppn in <user> and <pp>"));
            }
            if device.number("uid").is_some_and(|other| other != u64::from(uid.get())) {
                return Err(invalid("uid", "expected the same uid in <user> and <pp>"));
            }
            edits.push(Edit::Attach { uid, ppn: row(ppn_in(device), "ppn")?, kind });
        }
    }
    let change = user_change(user, Some(uid))?;
    if change != UserChange::default() {
        edits.push(Edit::SetUser { uid, change: Box::new(change) });
    }
    let mut change = device_change(device, here.omm)?;
    let held = ppn_in(device).and_then(|ppn| directory.device_at(ppn));
    confine(&mut change, held, wanted, directory, here)?;
    if let Some(ppn) = ppn_in(device).filter(|_| change != DeviceChange::default()) {
        edits.push(Edit::SetDevice { ppn, change: Box::new(change) });
    }
    Ok(edits)
}

/// Whether a user and a handset can be told as parted: both have to be there, because a client family crashes on an answer
/// without one of them (axi 7.1). A client that names no handset means the user's own.
fn parted(uid: Uid, ppn: Option<Ppn>, directory: &Directory) -> Result<(), Refused> {
    let Some(ppn) = ppn else {
        return match directory.user_at(uid) {
            Some(user) if user.ppn.is_none() => {
                Err(Refused { bad: Some("ppn".to_owned()), ..Refused::new(ErrCode::Missing) })
            }
            Some(_) | None => Ok(()),
        };
    };
    match row(directory.device_at(ppn), "ppn")?.uid {
        Some(other) if other != uid => Err(invalid("ppn", "another user is with this handset")),
        Some(_) | None => Ok(()),
    }
}

fn new_user(user: &Record) -> Result<NewUser, Refused> {
    let uid = uid_in(user);
    let bound = match (ppn_in(user), user.get("relType")) {
        (None, _) | (_, Some("Unbound")) => None,
        (Some(ppn), Some("Fixed")) => Some((Kind::Fixed, ppn)),
        (Some(ppn), _) => Some((Kind::Dynamic, ppn)),
    };
    Ok(NewUser { uid, relation: bound, fields: user_change(user, uid)? })
}

fn new_device(device: &Record, own: OmmId) -> Result<NewDevice, Refused> {
    let fields = device_change(device, own)?;
    if fields.ipei.is_none() {
        return Err(Refused { bad: Some("ipei".into()), ..Refused::new(ErrCode::Missing) });
    }
    Ok(NewDevice { ppn: ppn_in(device), fields })
}

/// The fields that a client wrote. A user without a number is called by its row (axi 8).
pub(crate) fn user_change(user: &Record, uid: Option<Uid>) -> Result<UserChange, Refused> {
    let mut change = UserChange::default();
    let text = |value: &str| Some(value.to_owned());
    for (attribute, value) in user.entries() {
        match attribute.name {
            "uid" | "ppn" | "relType" => {}
            "timeStamp" => change.written = written(value),
            "num" => {
                let number = match (value, uid) {
                    ("", None) => continue,
                    ("", Some(uid)) => Number::new(&format!("uid{uid}")),
                    (number, _) => Number::new(number),
                };
                change.number = Some(number.map_err(|bad| invalid("num", &bad.to_string()))?);
            }
            "name" => change.name = text(value),
            "addId" => change.add_id = text(value),
            "sipAuthId" => change.sip_auth_id = text(value),
            "sipPw" => change.password = Some(Secret::new(value)),
            "pin" => change.pin = Some(Secret::new(value)),
            "vip" => change.vip = Some(value == "1"),
            "sipRegisterCheck" => change.check_user = Some(value == "1"),
            "locatable" => change.locatable = Some(value == "1"),
            "monitoringMode" => {
                change.monitoring = Some(match value {
                    "Active" => Monitoring::Active,
                    "Passive" => Monitoring::Passive,
                    _ => Monitoring::Off,
                });
            }
            name => match attribute.kind {
                Holds::Secret(_) => _ = change.secrets.insert(name.into(), Secret::new(value)),
                Holds::Number(..) | Holds::Bool | Holds::Text(_) | Holds::Hex(_) | Holds::Word(_) => {
                    extra(&mut change.extras, name, value, attribute.default);
                }
            },
        }
    }
    Ok(change)
}

fn device_change(device: &Record, own: OmmId) -> Result<DeviceChange, Refused> {
    let mut change = DeviceChange::default();
    let mut subscription = SubscriptionChange::default();
    for (attribute, value) in device.entries() {
        match attribute.name {
            "uid" | "ppn" | "relType" => {}
            "timeStamp" => change.written = written(value),
            "ipei" if value.is_empty() => {}
            "ipei" => {
                let ipei: Result<Ipei, _> = value.parse();
                change.ipei = Some(ipei.map_err(|bad| invalid("ipei", &bad.to_string()))?);
            }
            "ac" => change.ac = Some(Secret::new(value)),
            "encrypt" => change.encrypt = Some(value == "1"),
            "hwType" => {
                change.hw_type = Some(if value == attribute.default { "".into() } else { value.into() });
                // A handset of another make need not report its location (AMB-20).
                change.class = Some(if value == "GAP" { Class::Gap } else { Class::Periodic });
            }
            "subscribeToPARIOnly" => change.pari_only = Some((value == "1").then_some(own)),
            "autoCreate" => change.auto_create = Some(value == "1"),
            "s" => {
                subscription.state = Some(match value {
                    "Yes" => Subscribed::Yes,
                    "Unconfirmed" => Subscribed::Unconfirmed,
                    _ => Subscribed::No,
                });
            }
            "uak" => subscription.uak = Some(Secret::new(value)),
            name if TOLD_BY_HANDSET.contains(&name) => {
                extra(&mut subscription.extras, name, value, attribute.default);
            }
            name if attribute.access != Access::Read => {
                extra(&mut change.extras, name, value, attribute.default);
            }
            _ => {}
        }
    }
    change.subscription = subscription;
    Ok(change)
}

/// Seconds since 1970; 0 is "not said".
fn written(value: &str) -> Option<Wall> {
    let seconds: u64 = value.parse().ok().filter(|seconds| *seconds > 0)?;
    Some(Wall::from_millis(seconds.saturating_mul(1000)))
}

/// Kept only when it is not the default; an empty value is the default to the directory.
fn extra(extras: &mut BTreeMap<Arc<str>, Arc<str>>, name: &str, value: &str, default: &str) {
    extras.insert(name.into(), if value == default { "".into() } else { value.into() });
}

fn uid_in(record: &Record) -> Option<Uid> {
    Uid::new(u32::try_from(record.number("uid")?).ok()?)
}

fn ppn_in(record: &Record) -> Option<Ppn> {
    Ppn::new(u32::try_from(record.number("ppn")?).ok()?)
}

fn kind(relation: Relation) -> Option<Kind> {
    match relation {
        Relation::Unbound => None,
        Relation::Dynamic => Some(Kind::Dynamic),
        Relation::Fixed => Some(Kind::Fixed),
    }
}

/// There is no row 0.
fn row<T>(row: Option<T>, name: &str) -> Result<T, Refused> {
    row.ok_or_else(|| Refused { bad: Some(name.to_owned()), ..Refused::new(ErrCode::NoEnt) })
}

fn invalid(name: &str, why: &str) -> Refused {
    Refused { bad: Some(name.to_owned()), info: Some(why.to_owned()), ..Refused::new(ErrCode::Inval) }
}

impl From<&Refusal> for Refused {
    /// How a refusal of the directory is spelt.
    fn from(refusal: &Refusal) -> Refused {
        let code = match refusal.code() {
            Code::Exists => ErrCode::Exist,
            Code::NoEntry => ErrCode::NoEnt,
            Code::Full => ErrCode::NoMem,
            Code::Forbidden => ErrCode::Forbidden,
            Code::Invalid => ErrCode::Inval,
        };
        let bad = refusal.field().map(str::to_owned);
        Refused { info: Some(refusal.to_string()), bad, ..Refused::new(code) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::Element;
    use crate::record::Writer;

    #[test]
    fn only_a_sync_client_says_when_it_wrote() {
        let written = |sync, time: &str| {
            let xml = format!("<user name=\"Ada\" timeStamp=\"{time}\"/>");
            let element = Element::read(xml.as_bytes()).expect("an element");
            let user = Record::read(crate::user::TABLE, &element, Writer { sync, plain: false });
            user_change(&user.expect("a record"), None).expect("a change").written
        };
        assert_eq!(written(true, "1520386972"), Some(Wall::from_millis(1_520_386_972_000)));
        assert_eq!((written(true, "0"), written(false, "1520386972")), (None, None));
    }
}
