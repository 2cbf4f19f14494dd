//! Requests that concern the OMM as a whole: those that start it over, and those about what stands in the site's file.

use omm::ids::park::Sari;

use super::Look;
use crate::element::Element;
use crate::error::Complaint;
use crate::fields::Fields;

/// What an administrator wants of the OMM; it starts over for it (M-2.3.1.2-c).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The common identity of all sites is to be this one (M-2.3.1.1-a).
    Sari(Sari),
    /// The sync link is to be used or not (M-2.3.1.2-b).
    Sync {
        /// Whether it is.
        enable: bool,
        /// What else is said of it, which stands in the site's file.
        stated: Vec<(String, String)>,
    },
}

/// That something is as somebody wants it. It cannot be made so: it stands in the site's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Where to look.
    pub look: Look,
    /// What is wanted, by the names of the answer.
    pub wanted: Vec<(String, String)>,
    /// Who decides it, for people.
    pub owner: &'static str,
}

/// Who decides what stands in the file.
const FILE: &str = "this stands in the site's file; change it there and start the OMM again";

/// Requests that set what can only be looked at here, what they look at, and who decides it.
const EXPECTED: &[(&str, Look, &str)] = &[
    ("SetPARK", Look::Park, FILE),
    ("SetSystemName", Look::SystemName, FILE),
    ("SetBasicSIP", Look::BasicSip, FILE),
    ("SetBackupSIP", Look::BackupSip, FILE),
    ("SetRegistrationTrafficShaping", Look::TrafficShaping, FILE),
    ("SetPPLoginVariant", Look::LoginVariant, FILE),
    ("SetUserDataServer", Look::UserDataServer, FILE),
    (
        "SetPreserveUserDeviceRelation",
        Look::PreserveRelation,
        "each restore says itself whether it keeps relations: homing restore --preserve-relations no",
    ),
    (
        "SetRestrictedSubscriptionDuration",
        Look::RestrictedSubscription,
        "subscriptions are not restricted here beyond the minutes of SetDECTSubscriptionMode",
    ),
];

/// An expectation; `None` when the request is none.
pub(super) fn expectation(element: &Element<'_>, name: &str) -> Option<Expectation> {
    let (_, look, owner) = EXPECTED.iter().find(|(known, _, _)| *known == name)?;
    let mut wanted = stated(Fields::of(element), &[]);
    // In files of the vendor the place of the user data server is a child (axi 8).
    wanted.extend(element.child("url").into_iter().flat_map(|url| stated(Fields::of(url), &[])));
    Some(Expectation { look: look.clone(), wanted, owner })
}

/// An order; `None` when the request is none.
pub(super) fn order(element: &Element<'_>, name: &str) -> Result<Option<Order>, Complaint> {
    let fields = Fields::of(element);
    Ok(Some(match name {
        "SetSARI" => match Sari::read(fields.need("sari")?) {
            Ok(Some(sari)) => Order::Sari(sari),
            Ok(None) => return Err(fields.wrong("sari", "a SARI that is set stays (M-2.1.2.1-e)")),
            Err(bad) => return Err(fields.wrong("sari", bad)),
        },
        "SetUserDeviceSyncOMM" => {
            fields.need("enable")?;
            let enable = fields.flag("enable")?;
            Order::Sync { enable, stated: stated(fields, &["enable"]) }
        }
        _ => return Ok(None),
    }))
}

/// What is said beside the cookie, how secrets are spelt, and these.
fn stated(fields: Fields<'_>, but: &[&str]) -> Vec<(String, String)> {
    let told =
        fields.attributes().filter(|(name, _)| !["seq", "plainText"].contains(name) && !but.contains(name));
    told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
