//! The users and their handsets: `[[user]]` in the site's file, or in a file that all sites share.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::secret::Secret;
use omm::directory::device::Class;
use omm::ids::park::Park;
use omm::ids::{Ipei, Number};
use omm::platform::Platform;

use super::reader::{Reader, Section};
use super::site::{PARK_TEXT, phones_source};

/// Longest name of a user in characters; ours, generous.
const NAME_MAX: usize = 80;

/// A SIP account, and the handset that its user carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number, unique in the whole system (M-2.2.5-b).
    pub number: Number,
    /// The name for people.
    pub name: String,
    /// The name used for digest authentication; the number when the file says nothing.
    pub auth: String,
    /// The SIP password, at the phone and at the SIP server.
    pub password: Secret,
    /// The handset that the user is bound to.
    pub device: Option<Ipei>,
    /// The PARK of the only OMM at which this user's handset may appear (M-2.2.11-e).
    pub pari_only: Option<Park>,
    /// Whether the handset reports its location by itself (M-2.1.4.3-a, AMB-20).
    pub class: Class,
    /// Moved before the others when a SIP server fails.
    pub vip: bool,
    /// How long this user's registrations last; the site's value when the file says nothing.
    pub expires: Option<Duration>,
}

const CLASSES: &[(&str, Class)] = &[("periodic", Class::Periodic), ("gap", Class::Gap)];

/// Shortest and longest registration that homing asks for; ours, around the sample value of an hour (spec 8).
pub(super) const EXPIRES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(86_400));

/// Reads the users of `section`, a whole file's or the site's; `central` is the site's PARK when it is the central.
pub(super) fn read(
    section: &Section<'_, '_>,
    platform: Option<Platform>,
    central: Option<Park>,
) -> Vec<User> {
    let mut users = Vec::new();
    let mut numbers: BTreeMap<Number, usize> = BTreeMap::new();
    let mut devices: BTreeMap<Ipei, usize> = BTreeMap::new();
    for entry in section.tables("user") {
        let reader = entry.reader;
        if let Some(platform) = platform
            && users.len() == platform.phones_max()
        {
            let what = format!("too many users: a system of platform {platform} has at most {}", users.len());
            let hint = Some(format!("the limit is {}", phones_source(platform)));
            reader.fault(entry.span, what, format!("user {}", users.len() + 1), "no more users", hint);
            break;
        }
        if let Some(user) = one(entry, central, &mut numbers, &mut devices) {
            users.push(user);
        }
    }
    users
}

fn one(
    entry: Section<'_, '_>,
    central: Option<Park>,
    numbers: &mut BTreeMap<Number, usize>,
    devices: &mut BTreeMap<Ipei, usize>,
) -> Option<User> {
    let reader = entry.reader;
    let number = entry.need_parsed("number", "the number of a user, such as \"101\"", Number::new);
    let name = entry.parsed("name", "at most 80 characters", |text| match text.chars().count() {
        0..=NAME_MAX => Ok(text.to_string()),
        more => Err(format!("it has {more} characters")),
    });
    let auth = entry.text("auth", "the authentication name");
    let password = entry.need_text("password", "the SIP password");
    let device = entry.parsed("device", "an IPEI, such as \"03074 0220259 3\"", str::parse::<Ipei>);
    let pari_only = entry.parsed("pari_only", PARK_TEXT, str::parse::<Park>);
    let class = entry.word("class", CLASSES);
    let vip = entry.flag("vip");
    let expires = entry.duration("expires", EXPIRES.0, EXPIRES.1);
    if let Some(number) = &number {
        unique(reader, numbers, &number.value, &number.span, "number", "M-2.2.5-b");
    }
    if let Some(device) = &device {
        unique(reader, devices, &device.value, &device.span, "IPEI", "spec 6.3 I1, I2");
    }
    if let Some(site) = &pari_only
        && device.is_none()
        && !entry.has("device")
    {
        let hint = Some("add device = \"IPEI\", or remove pari_only".into());
        let what = "a user bound to one site needs a fixed handset (M-2.3.4.1-b)";
        reader.fault(site.span.clone(), what, site.value.to_string(), "a `device` as well", hint);
    }
    if let Some(site) = &pari_only
        && central == Some(site.value)
    {
        let what = "a user cannot be bound to the central alone: its PARI is everybody's SARI (M-2.3.4.1-a)";
        let expected = "the PARK of a remote, or no pari_only";
        reader.fault(site.span.clone(), what, site.value.to_string(), expected, None);
    }
    entry.finish();
    let number = number?.value;
    Some(User {
        name: name.map_or_else(|| number.to_string(), |name| name.value),
        auth: auth.map_or_else(|| number.to_string(), |auth| auth.value),
        password: Secret::new(password?.value),
        device: device.map(|device| device.value),
        pari_only: pari_only.map(|site| site.value),
        class: class.map_or(Class::Periodic, |class| class.value),
        vip: vip.is_some_and(|vip| vip.value),
        expires: expires.map(|expires| expires.value),
        number,
    })
}

fn unique<K: Ord + Clone + std::fmt::Display>(
    reader: &Reader<'_>,
    seen: &mut BTreeMap<K, usize>,
    key: &K,
    span: &std::ops::Range<usize>,
    kind: &str,
    source: &str,
) {
    if let Some(line) = seen.get(key) {
        let what = format!("{kind} {key} is used twice, first in line {line} ({source})");
        reader.fault(span.clone(), what, format!("{key}"), format!("another {kind}"), None);
    } else {
        seen.insert(key.clone(), reader.line(span));
    }
}
