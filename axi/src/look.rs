//! Looks at users and handsets (axi 4.4).

use omm::claim::Claim;
use omm::directory::Directory;
use omm::directory::device::Subscribed;
use omm::directory::key::{Ppn, Uid};
use omm::directory::user::Monitoring;
use omm::ids::{Ipei, Number};

use crate::element::Element;
use crate::error::{ErrCode, Refused};
use crate::reply::Reply;
use crate::request::{Look, Page};
use crate::showing;
use crate::transaction::Last;

/// What is known of users and handsets at one OMM.
pub struct View<'v> {
    /// All of them.
    pub directory: &'v Directory,
    /// The newest claim about a user.
    pub roam: &'v dyn Fn(&Number) -> Option<Claim>,
    /// Where the user is registered, by the OMM that owns it: the tier, and the server's host and port. The vendor knows
    /// that only there (M-2.2.6.2-c); here OMMs tell each other (B-10), so what another OMM registered is as it was told
    /// last. Ours: requests are not forwarded (B-11), because an answer must not depend on a link.
    pub registered: &'v dyn Fn(&Number) -> Option<Registered>,
    /// What a handset did last at this OMM since its start; whatever it did elsewhere is known there.
    pub acted: &'v dyn Fn(Ipei) -> Option<Last>,
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Looks at what is in the directory; `None` when it is elsewhere ([`crate::system::look`]).
///
/// # Errors
/// Inside: `ENoEnt` when there is nothing.
pub fn look(look: &Look, sync: bool, view: &View<'_>) -> Option<Result<Reply, Refused>> {
    let directory = view.directory;
    Some(match look {
        Look::Users(page) => users(view, *page, sync),
        Look::Devices(page) => devices(view, *page, sync),
        Look::UserByNumber(number) => {
            let found = Number::new(number).ok().and_then(|number| directory.user(&number));
            one(found.map(|user| showing::user(user).element("user", sync)))
        }
        Look::DeviceByIpei(ipei) => {
            let found = ipei.parse().ok().and_then(|ipei| directory.device(ipei));
            one(found.map(|device| view.device(device, sync)))
        }
        Look::Pair { uid, ppn } => pair(view, *uid, *ppn, sync),
        Look::Profiles(page) => profiles(view, *page),
        Look::State(ppn) => state(view, *ppn),
        Look::LastAction(page) => last_actions(view, *page),
        Look::UserSummary => Ok(user_summary(view)),
        Look::DeviceSummary => Ok(device_summary(directory)),
        Look::Accounts(_)
        | Look::AccountSummary
        | Look::Sari
        | Look::Park
        | Look::BasicSip
        | Look::BackupSip
        | Look::TrafficShaping
        | Look::SyncLink
        | Look::PreserveRelation
        | Look::RestrictedSubscription
        | Look::Active
        | Look::SystemName
        | Look::Standby
        | Look::Health
        | Look::UserDataServer
        | Look::Mode
        | Look::AutoCreate
        | Look::AuthCode
        | Look::LoginVariant
        | Look::RfpSummary
        | Look::Rfps
        | Look::RfpStatisticConfig
        | Look::RfpStatistic
        | Look::RfpCapture => return None,
    })
}

impl View<'_> {
    /// A handset's record.
    fn device(&self, device: &omm::directory::device::Device, sync: bool) -> Element<'static> {
        let holder = device.uid.and_then(|uid| self.directory.user_at(uid));
        let roam = holder.and_then(|holder| (self.roam)(&holder.number));
        showing::device(device, holder.map(AsRef::as_ref), roam.as_ref()).element("pp", sync)
    }
}

fn users(view: &View<'_>, page: Page, sync: bool) -> Result<Reply, Refused> {
    let from = Uid::new(page.from.max(1)).ok_or_else(|| Refused::new(ErrCode::NoEnt))?;
    let users = view.directory.users_from(from);
    Reply::page(users.map(|user| showing::user(user).element("user", sync)), page.max)
}

fn devices(view: &View<'_>, page: Page, sync: bool) -> Result<Reply, Refused> {
    let from = Ppn::new(page.from.max(1)).ok_or_else(|| Refused::new(ErrCode::NoEnt))?;
    let devices = view.directory.devices_from(from);
    Reply::page(devices.map(|device| view.device(device, sync)), page.max)
}

fn last_actions(view: &View<'_>, page: Page) -> Result<Reply, Refused> {
    let from = Ppn::new(page.from.max(1)).ok_or_else(|| Refused::new(ErrCode::NoEnt))?;
    let devices = view.directory.devices_from(from);
    let acted = devices.filter_map(|device| Some((view.acted)(device.ipei)?.element(device.ppn.get())));
    Reply::page(acted, page.max)
}

fn profiles(view: &View<'_>, page: Page) -> Result<Reply, Refused> {
    let profiles = view.directory.profiles().filter(|profile| u32::from(profile.id) >= page.from);
    Reply::page(profiles.map(showing::profile), page.max)
}

fn one(record: Option<Element<'static>>) -> Result<Reply, Refused> {
    Reply::page(record, 1)
}

/// The user, then the handset; the one of them that is asked for with 0 is that which the other is with.
fn pair(view: &View<'_>, uid: u32, ppn: u32, sync: bool) -> Result<Reply, Refused> {
    let directory = view.directory;
    let user = Uid::new(uid).and_then(|uid| directory.user_at(uid));
    let device = Ppn::new(ppn).and_then(|ppn| directory.device_at(ppn));
    if user.is_none() && uid != 0 || device.is_none() && ppn != 0 {
        return Err(Refused::new(ErrCode::NoEnt));
    }
    let user = user.or_else(|| directory.user_at(device?.uid?));
    let device = device.or_else(|| directory.device_at(user?.ppn?));
    let mut children = Vec::new();
    children.extend(user.map(|user| showing::user(user).element("user", sync)));
    children.extend(device.map(|device| view.device(device, sync)));
    if children.is_empty() {
        return Err(Refused::new(ErrCode::NoEnt));
    }
    Ok(Reply { attributes: Vec::new(), children })
}

fn state(view: &View<'_>, ppn: u32) -> Result<Reply, Refused> {
    let device = Ppn::new(ppn).and_then(|ppn| view.directory.device_at(ppn));
    let device = device.ok_or_else(|| Refused::new(ErrCode::NoEnt))?;
    // What a base station or the handset itself would have to say - hook, charger, battery, software, Bluetooth - nobody knows
    // here, and calls pass by without this OMM.
    let mut attributes = vec![("ppn", ppn.to_string()), ("callState", "none".to_owned())];
    if let Some(user) = device.uid.and_then(|uid| view.directory.user_at(uid)) {
        attributes.extend(registration((view.registered)(&user.number)));
    }
    Ok(Reply { attributes, children: Vec::new() })
}

/// What `EventPPState` tells when a phone's registration changes (axi 5).
pub fn placed(registered: Option<Registered>) -> Reply {
    let event = if registered.is_some() { "sipRegistrationEvent" } else { "sipRegistrationEndEvent" };
    let mut attributes = vec![("sipEvent", event.to_owned())];
    attributes.extend(registration(registered));
    Reply { attributes, children: Vec::new() }
}

/// The `reg..` attributes of a user (axi 4.4).
fn registration(registered: Option<Registered>) -> Vec<(&'static str, String)> {
    let Some(registered) = registered else {
        return vec![("registered", "0".to_owned()), ("regServerType", "None".to_owned())];
    };
    let rank = match registered.tier {
        0 => "Primary",
        1 => "Secondary",
        _ => "Tertiary",
    };
    vec![
        ("registered", "1".to_owned()),
        ("regServerType", rank.to_owned()),
        ("regServerAddr", registered.host),
        ("regServerPort", registered.port.to_string()),
    ]
}

/// How many users there are, and of which kinds.
pub fn user_summary(view: &View<'_>) -> Reply {
    let directory = view.directory;
    let watched = |mode| directory.users().filter(|user| user.admin.monitoring == mode).count();
    let registered = directory.users().filter(|user| (view.registered)(&user.number).is_some()).count();
    Reply::of(
        [
            ("nRecords", directory.users().len()),
            (
                "uidFirst",
                Uid::new(1)
                    .and_then(|uid| first(directory.users_from(uid).map(|user| user.uid.get())))
                    .unwrap_or_default(),
            ),
            ("nSipRegistration", registered),
            ("nLocatable", directory.users().filter(|user| user.admin.locatable).count()),
            ("nMsgSend", 0),
            ("usersActiveMonitored", watched(Monitoring::Active)),
            ("usersPassiveMonitored", watched(Monitoring::Passive)),
            // Users are not monitored here (UMON, axi 9.4): nobody is ever warned of one.
            ("usersWarned", 0),
            ("usersUnavailable", 0),
            ("usersEscalated", 0),
        ]
        .map(|(name, count)| (name, count.to_string())),
    )
}

/// How many handsets there are. A real OMM says `subscribedDevs` where its schema has `subscribed` (axi 4.4): both are told.
pub fn device_summary(directory: &Directory) -> Reply {
    let subscribed =
        directory.devices().filter(|device| device.subscription.state == Subscribed::Yes).count();
    let ppns = Ppn::new(1).and_then(|ppn| first(directory.devices_from(ppn).map(|device| device.ppn.get())));
    Reply::of(
        [
            ("nRecords", directory.devices().len()),
            ("ppnFirst", ppns.unwrap_or_default()),
            ("subscribedDevs", subscribed),
            ("subscribed", subscribed),
        ]
        .map(|(name, count)| (name, count.to_string())),
    )
}

fn first(mut keys: impl Iterator<Item = u32>) -> Option<usize> {
    keys.next().and_then(|key| usize::try_from(key).ok())
}

#[cfg(test)]
mod tests;
