//! `<user>`: the attributes of a user, as a real OMM of version 7.1 writes them, and those of 8.x and 9.x (axi 4.1).
//!
//! Order, names and defaults are the vendor's. Where the vendor's length is not public it is ours: what fits a record
//! of 800 bytes (axi 4.3).

use crate::attribute::{Attribute, Kind, NUMBER, Show};
use crate::record::Table;

/// `On`, `Off`, or as the whole system is set.
const GLOBAL: Kind = Kind::Word(&["On", "Off", "Global"]);
/// How a relation between a user and a handset is called.
pub const RELATIONS: &[&str] = &["Unbound", "Dynamic", "Fixed"];
const LANGUAGES: Kind = Kind::Word(&[
    "English",
    "German",
    "French",
    "Spanish",
    "Italian",
    "Dutch",
    "Swedish",
    "Portuguese",
    "Danish",
    "Finnish",
    "Norwegian",
    "Czech",
    "Slovakian",
    "Hungarian",
    "Russian",
    "Turkish",
    "Polish",
    "Estonian",
]);
const FORWARDS: Kind = Kind::Word(&["Off", "Busy", "NoAnswer", "BusyNoAnswer", "All"]);
const LEVELS: Kind = Kind::Word(&["low", "medium", "high"]);
const CONFERENCES: Kind = Kind::Word(&["None", "Integrated", "External", "ExternalBlindTransfer", "Global"]);
const MODES: Kind = Kind::Word(&["Off", "Passive", "Active"]);
const STATES: Kind = Kind::Word(&["Unknown", "Available", "Warning", "Unavailable", "Escalated"]);
const PORT: Kind = Kind::Number(0, 65_535);

/// The longest number of a user, in characters. Ours.
pub const NUMBER_MAX: u32 = 32;
/// The longest lines for a handset, in characters: 4 kB (axi 4.1).
pub const DATA_MAX: u32 = 4096;
/// The longest display name, in characters; clients cut it to 20 (axi 4.1). Ours.
pub const NAME_MAX: u32 = 40;
/// The longest SIP password, in characters: what RSA with 1024 bits can carry (axi 3), and no more than fits a digest.
pub const PASSWORD_MAX: u32 = 64;

const fn flag(name: &'static str, default: &'static str) -> Attribute {
    Attribute::open(name, Kind::Bool, default)
}

const fn text(name: &'static str, max: u32) -> Attribute {
    Attribute::open(name, Kind::Text(max), "")
}

const fn state(name: &'static str) -> Attribute {
    Attribute::told(name, STATES, "Unknown")
}

/// The attributes of a user.
pub static TABLE: &Table = &[
    Attribute::key("uid"),
    Attribute::told("uidSec", NUMBER, "0"),
    Attribute::told("permanent", Kind::Bool, "0"),
    // How it is with a handset is said by SetPP and SetPPUserDevRelation alone.
    Attribute::open("relType", Kind::Word(RELATIONS), "Unbound").always(),
    Attribute::open("ppn", NUMBER, "0").always(),
    Attribute::synced("timeStamp", NUMBER, "0").always(),
    text("name", NAME_MAX).always(),
    text("num", NUMBER_MAX).always(),
    text("hierarchy1", 16),
    text("hierarchy2", 16),
    text("addId", 32),
    text("sipAuthId", 64),
    Attribute::secret("sipPw", PASSWORD_MAX),
    text("sosNum", 32),
    text("manDownNum", 32),
    text("voiceboxNum", 32),
    Attribute::secret("pin", 8),
    Attribute::told("lang", LANGUAGES, "English"),
    // What one client family calls `lang`; read, never told.
    Attribute { show: Show::Never, ..Attribute::told("langPP", LANGUAGES, "English") },
    Attribute::open("forwardState", FORWARDS, "Off"),
    text("forwardDest", 32),
    Attribute::open("forwardTime", Kind::Number(0, 120), "0"),
    Attribute::open("holdRingBackTime", Kind::Number(0, 5), "3"),
    flag("callWaitingDisabled", "0"),
    Attribute::open("autoAnswer", GLOBAL, "Global"),
    Attribute::open("microphoneMute", GLOBAL, "Global"),
    Attribute::open("warningTone", GLOBAL, "Global"),
    Attribute::open("allowBargeIn", GLOBAL, "Global"),
    flag("trackingActive", "0"),
    flag("autoLogoutOnCharge", "0"),
    flag("locRight", "0"),
    flag("locatable", "0"),
    flag("msgRight", "1"),
    flag("sendVcardRight", "1"),
    flag("recvVcardRight", "0"),
    flag("keepLocalPB", "0"),
    flag("vip", "0"),
    flag("sipRegisterCheck", "0"),
    Attribute::told("external", Kind::Bool, "0"),
    flag("BTlocatable", "0"),
    Attribute::open("BTsensitivity", LEVELS, "low"),
    Attribute::open("conferenceServerType", CONFERENCES, "Global"),
    text("conferenceServerURI", 64),
    Attribute::open("monitoringMode", MODES, "Off"),
    state("HAS"),
    state("HSS"),
    state("HRS"),
    state("HCS"),
    state("SRS"),
    state("SCS"),
    state("CDS"),
    state("HBS"),
    state("BTS"),
    state("SWS"),
    state("CUS"),
    flag("allowVideoStream", "0"),
    Attribute::secret("credentialPw", PASSWORD_MAX),
    Attribute::open("fixedSipPort", PORT, "0"),
    Attribute::told("calculatedSipPort", PORT, "5060"),
    // 7.x.
    flag("hotDeskingSupport", "0"),
    Attribute::open("useSIPUserName", GLOBAL, "Global"),
    Attribute::open("useSIPUserAuthentication", GLOBAL, "Global"),
    text("serviceUserName", 32),
    text("serviceAuthName", 32),
    Attribute::secret("serviceAuthPassword", PASSWORD_MAX),
    Attribute::told("configurationDataLoaded", Kind::Bool, "0"),
    Attribute::open("ppProfileId", Kind::Number(0, 20), "0"),
    text("ppData", DATA_MAX),
    Attribute::told("ppnOld", NUMBER, "0"),
    Attribute::told("timeStampAdmin", NUMBER, "0"),
    Attribute::told("timeStampRelation", NUMBER, "0"),
    // 8.x and 9.x; clients of 7.x hang on them, so they are told only when somebody has set them.
    flag("authenticateLogout", "0"),
    Attribute::open("keyLockEnable", GLOBAL, "Global"),
    Attribute::secret("keyLockPin", 8),
    Attribute::open("keyLockTime", Kind::Number(0, 3600), "0"),
    text("altDisplayNum", 32),
    Attribute::open("sipProfileId", NUMBER, "0"),
    Attribute::open("pickupGroupNum", NUMBER, "0"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::attribute::Access;
    use crate::record::Record;

    /// What the PyPI client knows; it hangs on anything else (axi 7.1). Taken from its release 0.0.1.
    const KNOWN: &str = "uid timeStamp relType ppn name num hierarchy1 hierarchy2 addId pin sipAuthId sipPw sosNum \
        voiceboxNum manDownNum forwardState forwardTime forwardDest langPP holdRingBackTime autoAnswer microphoneMute \
        warningTone allowBargeIn callWaitingDisabled external trackingActive locatable BTlocatable BTsensitivity \
        locRight msgRight sendVcardRight recvVcardRight keepLocalPB vip sipRegisterCheck allowVideoStream \
        conferenceServerType conferenceServerURI monitoringMode CUS HAS HSS HRS HCS SRS SCS CDS HBS BTS SWS \
        credentialPw configurationDataLoaded ppData ppProfileId fixedSipPort calculatedSipPort uidSec permanent lang \
        autoLogoutOnCharge hotDeskingSupport authenticateLogout useSIPUserName useSIPUserAuthentication \
        serviceUserName serviceAuthName serviceAuthPassword keyLockEnable keyLockPin keyLockTime ppnOld \
        timeStampAdmin timeStampRelation";

    #[test]
    fn every_name_is_one_that_clients_know_and_stands_once() {
        let known: BTreeSet<&str> = KNOWN.split_whitespace().collect();
        let newer = BTreeSet::from(["altDisplayNum", "sipProfileId", "pickupGroupNum"]);
        let names: BTreeSet<&str> = TABLE.iter().map(|attribute| attribute.name).collect();
        assert_eq!(names.len(), TABLE.len());
        let strange: Vec<_> =
            names.iter().filter(|name| !known.contains(*name) && !newer.contains(*name)).collect();
        assert!(strange.is_empty(), "{strange:?}");
        let missing: Vec<_> = known.iter().filter(|name| !names.contains(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let always = TABLE.iter().filter(|attribute| attribute.show == Show::Always);
        let always: BTreeSet<&str> = always.map(|attribute| attribute.name).collect();
        assert!(newer.is_disjoint(&always), "an old client hangs on them");
    }

    #[test]
    fn every_default_is_a_value_that_the_attribute_can_hold() {
        for attribute in TABLE {
            assert_eq!(
                attribute.check(attribute.default, true).as_deref(),
                Ok(attribute.default),
                "{attribute:?}"
            );
        }
    }

    #[test]
    fn a_user_with_every_common_field_fits_the_page() {
        let mut record = Record::new(TABLE);
        for attribute in TABLE.iter().filter(|attribute| attribute.access != Access::Read) {
            match attribute.kind {
                Kind::Text(max) if max <= 40 => record.put(attribute.name, "x".repeat(max.min(20) as usize)),
                Kind::Bool if attribute.default == "0" => record.put(attribute.name, "1"),
                Kind::Number(..) => record.put(attribute.name, "1"),
                Kind::Bool | Kind::Text(_) | Kind::Hex(_) | Kind::Word(_) | Kind::Secret(_) => {}
            }
        }
        let length = record.element("user", false).to_string().len();
        assert!(length <= 1000, "{length}");
    }
}
