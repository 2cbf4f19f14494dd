//! What an OMM tells of itself: versions, limits, what it has and has not (axi 3, 4.4, 7.2).
//!
//! Radio is not part of homing: there are no base stations, and their lists are empty in the way that clients expect.

use omm::directory::login::Variant;
use omm::directory::profile::PROFILES_MAX;
use omm::ids::park::Sari;
use omm::platform::Platform;

use crate::account::{ACCOUNTS_MAX, Accounts};
use crate::element::Element;
use crate::error::{ErrCode, Refused};
use crate::office::{CLIENTS_MAX, Office};
use crate::open::{OpenResp, Standby, Versions};
use crate::portal::SiteFile;
use crate::reply::Reply;
use crate::request::{Look, PAGE_MAX, Page};
use crate::sibling::vendor_platform;
use crate::words::Kept;

/// The protocol version that clients are told: that of the vendor's 7.1, whose names are spoken here (axi 3).
pub const PROTOCOL: u32 = 45;
/// `axiVersion`, of the same (axi 3).
pub const AXI: &str = "171101";
/// `ommAxiSpecVersion`, of the same (axi 3).
pub const SPEC: &str = "7.1.1";
/// What is spoken here, and in which version of the vendor's (axi 6.3: 2.0.0 for the pair messages of 7.1).
const MESSAGES: &[&str] = &[
    "CreateAccount",
    "CreateFixedPP",
    "CreatePPDev",
    "CreatePpProfile",
    "CreatePPUser",
    "DeleteAccount",
    "DeletePPDev",
    "DeletePpProfile",
    "DeletePPUser",
    "EventAccountCnf",
    "EventAccountSummary",
    "EventDECTAuthCodeCnf",
    "EventDECTSubscriptionMode",
    "EventHealthState",
    "EventPPCnf",
    "EventPPDevCnf",
    "EventPPDevSummary",
    "EventPPState",
    "EventPPTransaction",
    "EventPPUserCnf",
    "EventPpProfileCnf",
    "EventPPUserSummary",
    "EventPermissionChange",
    "EventSARICnf",
    "EventUserDataImport",
    "GetAccount",
    "GetAccountSummary",
    "GetActivePPDev",
    "GetBackupSIP",
    "GetBasicSIP",
    "GetDECTAuthCode",
    "GetDECTSubscriptionMode",
    "GetDevAutoCreate",
    "GetHealthState",
    "GetLastPPDevAction",
    "GetPARK",
    "GetPP",
    "GetPPDev",
    "GetPPDevByIPEI",
    "GetPPDevSummary",
    "GetPPLoginVariant",
    "GetPPState",
    "GetPPUser",
    "GetPPUserByNumber",
    "GetPPUserSummary",
    "GetPpProfile",
    "GetPreserveUserDeviceRelation",
    "GetPublicKey",
    "GetRFP",
    "GetRFPCapture",
    "GetRFPStatistic",
    "GetRFPStatisticConfig",
    "GetRFPSummary",
    "GetRegistrationTrafficShaping",
    "GetRestrictedSubscriptionDuration",
    "GetSARI",
    "GetStbState",
    "GetSystemName",
    "GetUserDataServer",
    "GetUserDeviceSyncOMM",
    "GetVersions",
    "Limits",
    "ManualUserDataImport",
    "Open",
    "Ping",
    "SetAccount",
    "SetBackupSIP",
    "SetBasicSIP",
    "SetDECTAuthCode",
    "SetDECTSubscriptionMode",
    "SetDevAutoCreate",
    "SetPARK",
    "SetPP",
    "SetPPDev",
    "SetPPLoginVariant",
    "SetUserDataServer",
    "SetPPUser",
    "SetPPUserDevRelation",
    "SetPpProfile",
    "SetPreserveUserDeviceRelation",
    "SetPPUserTracking",
    "SetRFPCapture",
    "SetRegistrationTrafficShaping",
    "SetRestrictedSubscriptionDuration",
    "SetSARI",
    "SetSystemName",
    "SetUserDeviceSyncOMM",
    "Subscribe",
];
/// Messages whose version is not 1.0.0.
const PAIRS: &[&str] = &["EventPPCnf", "GetPP", "SetPP"];
/// What `GetRFPSummary` tells, all of it zero.
const RFP_SUMMARY: &[&str] = &[
    "nRFPs",
    "idFirst",
    "nConnected",
    "wrongBrandedRFPs",
    "wrongStandbyRFPs",
    "wrongVersionedRFPs",
    "newAvailSWRFPs",
    "DecryptedDECTRFPs",
    "DECTactivatedRFPs",
    "DECTactiveRFPs",
    "usedDECTclusters",
    "usbOverloads",
    "advancedFeaturesErrorRFPs",
    "WLANactivatedRFPs",
    "WLANrunningRFPs",
    "usedWLANprofiles",
    "usedPagingAreas",
];

/// What is known of this OMM beside its users and handsets.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// Its name.
    pub name: &'k str,
    /// The SIP domain of its users.
    pub domain: &'k str,
    /// Under which names users log in at phones.
    pub login: Variant,
    /// Where external users come from.
    pub external: Option<&'k UserDataServer>,
    /// What stands in the site's file.
    pub file: &'k SiteFile,
    /// What all sessions share.
    pub office: &'k Office,
}

/// Where external users come from (axi 4.5 `UserDataServer`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UserDataServer {
    /// Whether there are any.
    pub enabled: bool,
    /// `HTTP`, `HTTPS`, or `None` for a folder.
    pub protocol: &'static str,
    /// The server, and its port if it is not the usual one; empty for a folder.
    pub host: String,
    /// The folder.
    pub path: String,
    /// The account there; its password is not told.
    pub username: String,
    /// Whether there is a common file.
    pub common: bool,
}

impl UserDataServer {
    /// `GetUserDataServerResp`.
    pub fn reply(&self) -> Reply {
        let flag = |flag: bool| if flag { "1" } else { "0" }.to_owned();
        let all = [
            ("enable", flag(self.enabled)),
            ("protocol", self.protocol.to_owned()),
            ("host", self.host.clone()),
            ("path", self.path.clone()),
            ("username", self.username.clone()),
            ("useCommonFileNameOnServer", flag(self.common)),
        ];
        Reply::of(all.into_iter().filter(|(_, value)| !value.is_empty()))
    }
}

/// `OpenResp` but for the cookie, the key and the permissions. `omm` is the product and its version, for people; `uptime`
/// in seconds.
pub fn about(omm: &str, platform: Platform, sari: Option<&str>, uptime: u64) -> OpenResp {
    let have = ["SIP", "SARI", "UserDeviceSync", "UnboundDevices", "ExternalUserData"];
    OpenResp {
        protocol_version: Some(PROTOCOL),
        versions: Versions { omm: omm.to_owned(), axi: AXI.to_owned(), spec: SPEC.to_owned() },
        standby: Some(Kept::Known(Standby::None)),
        platform: Some(vendor_platform(platform).to_owned()),
        uptime: Some(uptime),
        sari: sari.map(str::to_owned),
        capabilities: have.map(str::to_owned).to_vec(),
        ..OpenResp::default()
    }
}

/// `GetVersionsResp` (axi 3, 6.3).
pub fn versions() -> Reply {
    let version = |name: &&'static str| {
        let version = match *name {
            name if PAIRS.contains(&name) => "2.0.0",
            name if name.ends_with("UserDeviceSyncOMM") => "1.0.1",
            _ => "1.0.0",
        };
        (*name, version.to_owned())
    };
    Reply::of(MESSAGES.iter().map(version))
}

/// `LimitsResp` (axi 3): only what there is here. Handsets are bounded by the platform (M-2.2.1-b to d); `userId` is
/// about accounts, not about users.
pub fn limits(platform: Platform) -> Reply {
    let limits = [
        ("axiClients", CLIENTS_MAX),
        ("omm", 0),
        ("rfpNum", 0),
        ("site", 0),
        ("ppProfileNum", usize::from(PROFILES_MAX)),
        ("ppnNum", platform.phones_max()),
        ("records", PAGE_MAX),
        ("userId", ACCOUNTS_MAX),
    ];
    Reply::of(limits.map(|(name, limit)| (name, limit.to_string())))
}

/// Looks at what the office knows; `None` when it is for the OMM to say.
///
/// # Errors
/// Inside: `ENoEnt` when there is nothing.
pub fn look(look: &Look, known: Known<'_>) -> Option<Result<Reply, Refused>> {
    let settings = known.office.settings();
    Some(Ok(match look {
        Look::AccountSummary => account_summary(known.office.accounts()),
        Look::Accounts(page) => return Some(accounts(known.office.accounts(), *page)),
        // The domain is ours: `homing check` compares it (B-13).
        Look::SystemName => {
            Reply::of([("name", known.name.to_owned()), ("sipDomain", known.domain.to_owned())])
        }
        Look::UserDataServer => {
            let none = || Reply::of([("enable", "0".to_owned())]);
            known.external.map_or_else(none, UserDataServer::reply)
        }
        Look::Standby => Reply::of([("ommStbState", Standby::None.to_string())]),
        Look::Mode => Reply::of([("mode", known.office.mode().to_string())]),
        // One client family takes anything but this very word for "no" (axi 2.2).
        Look::AutoCreate => Reply::of([("enable", settings.auto_create.to_string())]),
        Look::AuthCode => Reply::of([("ac", settings.auth_code.reveal().to_owned())]),
        Look::LoginVariant => Reply::of([("login", known.login.word().to_owned())]),
        Look::Park => known.file.park(),
        Look::BackupSip => known.file.backup(),
        Look::TrafficShaping => known.file.shaping(),
        // A restore keeps relations unless it is told otherwise (M-2.3.5-e).
        Look::PreserveRelation => Reply::of([("enable", "1".to_owned())]),
        // "Configured" lasts a day here, "Wildcard" as long as was asked for.
        Look::RestrictedSubscription => Reply::of([("restrictedSubscrDur", "0".to_owned())]),
        Look::RfpSummary => Reply::of(RFP_SUMMARY.iter().map(|name| (*name, "0".to_owned()))),
        // One client family needs one counter at least (axi 7, ommstats).
        Look::RfpStatisticConfig => Reply {
            attributes: Vec::new(),
            children: vec![
                Element::new("rfpStatHead")
                    .with("numElemPerRec", "1")
                    .with("recordSets", "1")
                    .with("resolution", "3600"),
                Element::new("rfpStatName").with("elemId", "0").with("group", "DECT").with("name", "none"),
            ],
        },
        Look::RfpStatistic => Reply::default(),
        Look::RfpCapture => Reply::of([("enable", settings.rfp_capture.to_string())]),
        // Radio is not part of homing: no handset has a link that it could use now.
        Look::Rfps | Look::Active => return Some(Err(Refused::new(ErrCode::NoEnt))),
        Look::Users(_)
        | Look::UserByNumber(_)
        | Look::Devices(_)
        | Look::DeviceByIpei(_)
        | Look::Pair { .. }
        | Look::Profiles(_)
        | Look::State(_)
        | Look::LastAction(_)
        | Look::Sari
        | Look::BasicSip
        | Look::SyncLink
        | Look::Health
        | Look::UserSummary
        | Look::DeviceSummary => return None,
    }))
}

/// `GetSARIResp`; ten zeros while there is none (axi 9.1).
pub fn sari(sari: Option<Sari>) -> Reply {
    Reply::of([("sari", sari.map_or_else(|| "0000000000".to_owned(), |sari| sari.to_string()))])
}

/// `GetAccountSummaryResp` and its event.
pub fn account_summary(accounts: &Accounts) -> Reply {
    let first = accounts.from(0).next().map_or(0, |account| account.id);
    Reply::of([("nRecords", accounts.count().to_string()), ("idFirst", first.to_string())])
}

fn accounts(accounts: &Accounts, page: Page) -> Result<Reply, Refused> {
    Reply::page(accounts.from(page.from).map(|account| account.element()), page.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_platform_is_true_of_it() {
        for (platform, word, phones) in [
            (Platform::Pc, "linux-pc", "10000"),
            (Platform::Rfp, "rfp", "512"),
            (Platform::Rfp4g, "rfp", "1024"),
        ] {
            assert_eq!(about("homing", platform, None, 0).platform.as_deref(), Some(word), "{platform}");
            let limits = limits(platform).attributes;
            let limit =
                |name| limits.iter().find(|(found, _)| *found == name).map(|(_, limit)| limit.as_str());
            assert_eq!((limit("ppnNum"), limit("userId")), (Some(phones), Some("100")), "{platform}");
        }
    }
}
