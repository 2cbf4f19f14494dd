//! One record of a user or a handset.

use std::time::Duration;

use omm::directory::device::{self, Class, Subscribed, Subscription};
use omm::directory::record::{DeviceRecord, UserRecord};
use omm::directory::user::{self, Bond, Kind, Monitoring};

use super::*;

/// Before the names of attributes that are only kept.
const EXTRA: &str = "x-";
/// Before those that are secret.
const SECRET: &str = "hmSecret-";
/// Before those of the subscription.
const TOLD: &str = "s-";

/// A flag and its letter.
const FLAGS: [char; 5] = ['r', 'v', 'e', 'c', 'l'];

pub(super) fn write_user(record: &UserRecord) -> Element<'_> {
    let mut element = head("user", record);
    if let Some(Group { stamp, value }) = &record.admin {
        element.set("at", spell(*stamp, record.id));
        element.set("num", value.number.as_str());
        some(&mut element, "name", &value.name);
        some(&mut element, "sipAuthId", value.sip_auth_id.as_deref().unwrap_or_default());
        some(&mut element, "sipPw", value.password.reveal());
        some(&mut element, "pin", value.pin.as_ref().map_or("", Secret::reveal));
        some(&mut element, "addId", value.add_id.as_deref().unwrap_or_default());
        let flags = [value.renumbered, value.vip, value.external, value.check_user, value.locatable];
        write_flags(&mut element, &flags);
        match value.monitoring {
            Monitoring::Off => {}
            Monitoring::Passive => element.set("monitoringMode", "Passive"),
            Monitoring::Active => element.set("monitoringMode", "Active"),
        }
        if let Some(expires) = value.expires {
            element.set("expires", expires.as_secs().to_string());
        }
        write_extras(&mut element, &value.extras, &value.secrets);
    }
    if let Some(Group { stamp, value }) = &record.second {
        element.set("relAt", spell(*stamp, record.id));
        if let Some(bond) = value {
            element.set("rel", if bond.kind == Kind::Fixed { "F" } else { "D" });
            element.set("ppId", bond.device.to_string());
        }
    }
    element
}

pub(super) fn read_user(fields: Fields<'_>) -> Result<UserRecord, Complaint> {
    let mut record: UserRecord = read_head(fields)?;
    if let Some(stamp) = read_stamp(fields, "at", record.id)? {
        let text = |name| fields.text(name).map(str::to_owned);
        let [renumbered, vip, external, check_user, locatable] = read_flags(fields);
        let value = user::Admin {
            renumbered,
            name: text("name").unwrap_or_default(),
            sip_auth_id: text("sipAuthId"),
            pin: text("pin").map(Secret::new),
            add_id: text("addId"),
            vip,
            external,
            check_user,
            locatable,
            monitoring: match fields.text("monitoringMode") {
                None | Some("Off") => Monitoring::Off,
                Some("Passive") => Monitoring::Passive,
                Some("Active") => Monitoring::Active,
                Some(_) => return Err(fields.wrong("monitoringMode", "expected Off, Passive or Active")),
            },
            expires: fields.maybe("expires")?.map(Duration::from_secs),
            extras: read_extras(fields, EXTRA),
            secrets: read_secrets(fields),
            ..user::Admin::new(fields.value("num")?, Secret::new(text("sipPw").unwrap_or_default()))
        };
        record.admin = Some(Group { stamp, value: Arc::new(value) });
    }
    if let Some(stamp) = read_stamp(fields, "relAt", record.id)? {
        let kind = match fields.text("rel") {
            None => None,
            Some("F") => Some(Kind::Fixed),
            Some("D") => Some(Kind::Dynamic),
            Some(_) => return Err(fields.wrong("rel", "expected D or F")),
        };
        let value = kind.map(|kind| Ok(Bond { kind, device: fields.value("ppId")? })).transpose()?;
        record.second = Some(Group { stamp, value });
    }
    Ok(record)
}

pub(super) fn write_device(record: &DeviceRecord) -> Element<'_> {
    let mut element = head("pp", record);
    if let Some(Group { stamp, value }) = &record.admin {
        element.set("at", spell(*stamp, record.id));
        element.set("ipei", value.ipei.to_string());
        some(&mut element, "ac", value.ac.as_ref().map_or("", Secret::reveal));
        some(&mut element, "hwType", value.hw_type.as_deref().unwrap_or_default());
        if value.class == Class::Gap {
            element.set("class", "gap");
        }
        if let Some(home) = value.pari_only {
            element.set("pariOnly", home.to_string());
        }
        write_flags(&mut element, &[value.renumbered, value.encrypt, value.auto_create, false, false]);
        write_extras(&mut element, &value.extras, &value.secrets);
    }
    if let Some(Group { stamp, value }) = &record.second {
        element.set("sAt", spell(*stamp, record.id));
        match value.state {
            Subscribed::No => {}
            Subscribed::Unconfirmed => element.set("s", "Unconfirmed"),
            Subscribed::Yes => element.set("s", "Yes"),
        }
        some(&mut element, "uak", value.uak.as_ref().map_or("", Secret::reveal));
        some(&mut element, "identity", value.identity.as_deref().unwrap_or_default());
        for (name, value) in &value.extras {
            element.set(format!("{TOLD}{name}"), &**value);
        }
    }
    element
}

pub(super) fn read_device(fields: Fields<'_>) -> Result<DeviceRecord, Complaint> {
    let mut record: DeviceRecord = read_head(fields)?;
    let secret = |name| fields.text(name).map(Secret::new);
    if let Some(stamp) = read_stamp(fields, "at", record.id)? {
        let [renumbered, encrypt, auto_create, ..] = read_flags(fields);
        let value = device::Admin {
            renumbered,
            ac: secret("ac"),
            encrypt,
            hw_type: fields.text("hwType").map(Arc::from),
            class: match fields.text("class") {
                None | Some("periodic") => Class::Periodic,
                Some("gap") => Class::Gap,
                Some(_) => return Err(fields.wrong("class", "expected periodic or gap")),
            },
            pari_only: fields.maybe("pariOnly")?,
            auto_create,
            extras: read_extras(fields, EXTRA),
            secrets: read_secrets(fields),
            ..device::Admin::new(fields.value("ipei")?)
        };
        record.admin = Some(Group { stamp, value: Arc::new(value) });
    }
    if let Some(stamp) = read_stamp(fields, "sAt", record.id)? {
        let value = Subscription {
            state: match fields.text("s") {
                None | Some("No") => Subscribed::No,
                Some("Unconfirmed") => Subscribed::Unconfirmed,
                Some("Yes") => Subscribed::Yes,
                Some(_) => return Err(fields.wrong("s", "expected No, Unconfirmed or Yes")),
            },
            uak: secret("uak"),
            identity: fields.text("identity").map(Arc::from),
            extras: read_extras(fields, TOLD),
        };
        record.second = Some(Group { stamp, value: Arc::new(value) });
    }
    Ok(record)
}

fn head<'a, A, S>(name: &'static str, record: &Record<A, S>) -> Element<'a> {
    let mut element = Element::new(name).with("id", record.id.to_string());
    if let Some(row) = &record.row {
        element.set("row", row.value.to_string());
        if row.stamp != record.id.0 {
            element.set("rowAt", row.stamp.to_string());
        }
    }
    if let Some(deleted) = record.deleted {
        element.set("deleted", deleted.to_string());
    }
    if let Some(merged) = &record.merged {
        element.set("into", merged.value.to_string());
        element.set("intoAt", merged.stamp.to_string());
    }
    element
}

fn read_head<A, S>(fields: Fields<'_>) -> Result<Record<A, S>, Complaint>
where
    A: omm::directory::content::Content,
    S: omm::directory::content::Content,
{
    let id: Id = fields.value("id")?;
    let mut record = Record::new(id);
    if let Some(value) = fields.maybe("row")? {
        record.row = Some(Group { stamp: fields.maybe("rowAt")?.unwrap_or(id.0), value });
    }
    record.deleted = fields.maybe("deleted")?;
    if let Some(value) = fields.maybe("into")? {
        record.merged = Some(Group { stamp: fields.value("intoAt")?, value });
    }
    Ok(record)
}

fn spell(stamp: Stamp, id: Id) -> String {
    if stamp == id.0 { SAME.to_owned() } else { stamp.to_string() }
}

fn read_stamp(fields: Fields<'_>, name: &str, id: Id) -> Result<Option<Stamp>, Complaint> {
    match fields.text(name) {
        Some(SAME) => Ok(Some(id.0)),
        Some(_) | None => fields.maybe(name),
    }
}

fn some<'a>(element: &mut Element<'a>, name: &'static str, value: &'a str) {
    if !value.is_empty() {
        element.set(name, value);
    }
}

fn write_flags(element: &mut Element<'_>, flags: &[bool; 5]) {
    let letters: String = FLAGS.iter().zip(flags).filter(|(_, on)| **on).map(|(letter, _)| *letter).collect();
    if !letters.is_empty() {
        element.set("flags", letters);
    }
}

fn read_flags(fields: Fields<'_>) -> [bool; 5] {
    let letters = fields.text("flags").unwrap_or_default();
    FLAGS.map(|letter| letters.contains(letter))
}

fn write_extras<'a>(
    element: &mut Element<'a>,
    extras: &'a BTreeMap<Arc<str>, Arc<str>>,
    secrets: &'a BTreeMap<Arc<str>, Secret>,
) {
    for (name, value) in extras {
        element.set(format!("{EXTRA}{name}"), &**value);
    }
    for (name, value) in secrets {
        element.set(format!("{SECRET}{name}"), value.reveal());
    }
}

fn read_extras(fields: Fields<'_>, prefix: &str) -> BTreeMap<Arc<str>, Arc<str>> {
    let extra = |(name, value): (&str, &str)| Some((name.strip_prefix(prefix)?.into(), value.into()));
    fields.attributes().filter_map(extra).collect()
}

fn read_secrets(fields: Fields<'_>) -> BTreeMap<Arc<str>, Secret> {
    let secret = |(name, value): (&str, &str)| Some((name.strip_prefix(SECRET)?.into(), Secret::new(value)));
    fields.attributes().filter_map(secret).collect()
}
