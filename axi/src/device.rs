//! `<pp>`: the attributes of a handset (axi 4.2).
//!
//! Which OMM it is at (`ommId`), which OMM has acknowledged that (`ommIdAck`) and the time stamps are what roaming and
//! the directory know; nobody writes them from outside, because a roam is a promise between sites and not an entry in
//! a table. The identity (`ipei`, `uak`, `s` ...) is for sync clients, which bring subscribed handsets along.

use crate::attribute::{Attribute, Kind, NUMBER, Show};
use crate::record::Table;
use crate::user::RELATIONS;

/// Whether a handset is subscribed.
pub const SUBSCRIPTIONS: &[&str] = &["No", "Unconfirmed", "Yes"];
/// What kinds of handset there are.
const HARDWARE: Kind =
    Kind::Word(&["Unknown", "142d", "610d", "620d", "630d", "612d", "622d", "632d", "650c", "740cv", "GAP"]);
/// The only value of `roaming` that is public (axi 6).
const ROAMING: Kind = Kind::Word(&["", "RoamingComplete"]);

const fn flag(name: &'static str) -> Attribute {
    Attribute::open(name, Kind::Bool, "0")
}

const fn told(name: &'static str) -> Attribute {
    Attribute::told(name, NUMBER, "0")
}

/// The attributes of a handset.
pub static TABLE: &Table = &[
    Attribute::key("ppn"),
    told("ppnSec"),
    Attribute::open("relType", Kind::Word(RELATIONS), "Unbound").always(),
    Attribute::open("uid", NUMBER, "0").always(),
    Attribute::synced("timeStamp", NUMBER, "0").always(),
    Attribute::open("ipei", Kind::Text(15), "").always(),
    Attribute { show: Show::Never, ..Attribute::open("ac", Kind::Text(8), "") },
    Attribute::synced("s", Kind::Word(SUBSCRIPTIONS), "No").always(),
    Attribute { show: Show::Synced, ..Attribute::synced("uak", Kind::Hex(32), "") },
    flag("encrypt"),
    Attribute::synced("capMessaging", Kind::Bool, "0"),
    Attribute::synced("capMessagingForInternalUse", Kind::Bool, "0"),
    Attribute::synced("capEnhLocating", Kind::Bool, "0"),
    Attribute::synced("capBluetooth", Kind::Bool, "0"),
    Attribute::synced("ethAddr", Kind::Text(17), ""),
    Attribute::synced("hwType", HARDWARE, "Unknown"),
    Attribute::synced("ppProfileCapability", Kind::Bool, "0"),
    Attribute::synced("ppDefaultProfileLoaded", Kind::Bool, "0"),
    flag("subscribeToPARIOnly"),
    // Synchronisation (axi 6).
    Attribute::told("ommId", Kind::Hex(8), ""),
    Attribute::told("ommIdAck", Kind::Hex(8), ""),
    told("timeStampAdmin"),
    told("timeStampRelation"),
    told("timeStampRoaming"),
    told("timeStampSubscription"),
    flag("autoCreate"),
    Attribute::told("roaming", ROAMING, ""),
    Attribute::synced("modicType", Kind::Hex(2), ""),
    Attribute::synced("locationData", Kind::Hex(12), ""),
    Attribute::synced("dectIeFixedId", Kind::Hex(16), ""),
    Attribute::synced("subscriptionId", Kind::Hex(16), ""),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What the PyPI client knows; it hangs on anything else (axi 7.1). Taken from its release 0.0.1.
    const KNOWN: &str = "ppn timeStamp relType uid ipei ac s uak encrypt capMessaging capMessagingForInternalUse \
        capEnhLocating capBluetooth ethAddr hwType ppProfileCapability ppDefaultProfileLoaded subscribeToPARIOnly ommId \
        ommIdAck timeStampAdmin timeStampRelation timeStampRoaming timeStampSubscription autoCreate roaming modicType \
        locationData dectIeFixedId subscriptionId ppnSec";

    #[test]
    fn the_names_are_exactly_those_that_clients_know() {
        let known: BTreeSet<&str> = KNOWN.split_whitespace().collect();
        let names: BTreeSet<&str> = TABLE.iter().map(|attribute| attribute.name).collect();
        assert_eq!((&names, names.len()), (&known, TABLE.len()));
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
}
