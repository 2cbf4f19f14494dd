//! How requests are spelt, but for those about the session itself.

use machine::secret::Secret;
use omm::directory::profile::PROFILES_MAX;
use omm::ids::Number;

use super::{Change, Look, PAGE_MAX, Page, Setting, UserKey};
use crate::device;
use crate::element::Element;
use crate::error::{Complaint, ErrCode, Refused};
use crate::fields::Fields;
use crate::record::{Record, Table, Writer};
use crate::user;

/// The longest DECT authentication code, in digits. Ours.
const CODE_MAX: u32 = 8;

/// A look; `None` when the request is none.
pub(super) fn look(fields: Fields<'_>, name: &str) -> Result<Option<Look>, Complaint> {
    Ok(Some(match name {
        "GetAccount" => Look::Accounts(page(fields, "id")?),
        "GetAccountSummary" => Look::AccountSummary,
        "GetSARI" => Look::Sari,
        "GetPARK" => Look::Park,
        "GetBasicSIP" => Look::BasicSip,
        "GetBackupSIP" => Look::BackupSip,
        "GetRegistrationTrafficShaping" => Look::TrafficShaping,
        "GetUserDeviceSyncOMM" => Look::SyncLink,
        "GetPreserveUserDeviceRelation" => Look::PreserveRelation,
        "GetRestrictedSubscriptionDuration" => Look::RestrictedSubscription,
        "GetSystemName" => Look::SystemName,
        "GetStbState" => Look::Standby,
        "GetHealthState" => Look::Health,
        "GetUserDataServer" => Look::UserDataServer,
        "GetPPUser" => Look::Users(page(fields, "uid")?),
        "GetPPUserByNumber" => Look::UserByNumber(fields.short("num", user::NUMBER_MAX)?.to_owned()),
        "GetPPDev" => Look::Devices(page(fields, "ppn")?),
        "GetPPDevByIPEI" => Look::DeviceByIpei(fields.short("ipei", 32)?.to_owned()),
        "GetPP" => Look::Pair {
            uid: fields.maybe("uid")?.unwrap_or_default(),
            ppn: fields.maybe("ppn")?.unwrap_or_default(),
        },
        "GetPpProfile" => Look::Profiles(profiles(fields)?),
        "GetPPState" => Look::State(fields.value("ppn")?),
        "GetLastPPDevAction" => {
            Look::LastAction(page(fields, if fields.text("ppn").is_some() { "ppn" } else { "id" })?)
        }
        "GetActivePPDev" => Look::Active,
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

/// A change; `None` when the request is none.
pub(super) fn change(element: &Element<'_>, name: &str, sync: bool) -> Result<Option<Change>, Complaint> {
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
        "CreateFixedPP" => Change::CreateFixed { user: user()?, device: device()?, replace },
        "SetPP" => Change::SetPair { user: user()?, device: device()? },
        "SetPpProfile" => profile(element, fields, false)?,
        "CreatePpProfile" => profile(element, fields, true)?,
        "DeletePpProfile" => {
            Change::DeleteProfile(profile_id(fields, fields.text("id").or(fields.text("Id")))?)
        }
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

/// The vendor writes `Id` here, and `id` in the record (axi 4.4).
fn profiles(fields: Fields<'_>) -> Result<Page, Complaint> {
    let max = fields.maybe::<usize>("maxRecords")?.unwrap_or(1);
    let from = if fields.text("Id").is_some() { fields.value("Id")? } else { fields.value("id")? };
    Ok(Page { from, max: max.clamp(1, PAGE_MAX) })
}

/// A profile in the child `<ppProfile>`.
fn profile(element: &Element<'_>, fields: Fields<'_>, create: bool) -> Result<Change, Complaint> {
    let child = element.child("ppProfile").ok_or_else(|| fields.missing("ppProfile"))?;
    let id = profile_id(fields, child.get("id"))?;
    let text = |name: &str, max: u32| match child.get(name) {
        Some(text) if text.chars().nth(max as usize).is_some() => {
            let (bad, max_len) = (Some(name.to_owned()), Some(max));
            Err(fields.complain(Refused { bad, max_len, ..Refused::new(ErrCode::TooLong) }))
        }
        text => Ok(text.map(str::to_owned)),
    };
    let (name, data) = (text("name", user::NAME_MAX)?, text("ppData", user::DATA_MAX)?);
    Ok(Change::SetProfile { id, name, data, create })
}

fn profile_id(fields: Fields<'_>, text: Option<&str>) -> Result<u8, Complaint> {
    let id = text.ok_or_else(|| fields.missing("id"))?.parse().ok();
    let known = id.filter(|id| (1..=PROFILES_MAX).contains(id));
    known.ok_or_else(|| fields.wrong("id", format!("expected 1 to {PROFILES_MAX}")))
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

/// Whose file is wanted; everybody's without `userId`.
pub(super) fn external(fields: Fields<'_>) -> Result<Option<Number>, Complaint> {
    let number = |text: &str| Number::new(text).map_err(|bad| fields.wrong("userId", bad.to_string()));
    fields.text("userId").filter(|text| !text.is_empty()).map(number).transpose()
}

/// A setting, or the refusal of a request that is not spoken here.
pub(super) fn setting(fields: Fields<'_>, name: &str) -> Result<Setting, Complaint> {
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
