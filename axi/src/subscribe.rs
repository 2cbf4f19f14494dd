//! `Subscribe`: which events a session wants to hear (axi 5).
//!
//! ```text
//! C: <Subscribe seq="2"><e cmd="On" eventType="PPDevCnf" ppn="-1"/><e cmd="On" eventType="DECTSubscriptionMode"/></Subscribe>
//! S: <SubscribeResp seq="2"/>
//! S: <SubscribeResp seq="2" errCode="EInval" info=".." eventType="PPDevCfn"/>
//! ```
//!
//! A request holds 1 to 20 wishes and is granted as a whole or not at all. Every event type of the vendor may be wished
//! for, because clients wish for many at a time; those that are never told here stay silent. A subscription ends with
//! its session, or with the permission that it was granted for.

use std::collections::BTreeSet;

use crate::element::Element;
use crate::error::{Complaint, ErrCode, Refused};
use crate::fields::Fields;
use crate::open::Permission;
use crate::transaction::Transaction;
use silent::SILENT;

mod silent;

/// Wishes in one request (axi 5).
pub const WISHES_MAX: usize = 20;
/// Single users and handsets that one session may have wished for. Ours: the records of a full system.
pub const SINGLES_MAX: usize = 10_000;

/// The events that are told here, and what they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Users, by uid.
    Users,
    /// Handsets, by ppn.
    Devices,
    /// The state of handsets, by ppn.
    States,
    /// Of that, where their users are registered, or one facet of it; by ppn.
    Sip(Option<Facet>),
    /// What handsets do, or one of the things they do; by ppn.
    Transactions(Option<Transaction>),
    /// How many users.
    UserSummary,
    /// How many handsets.
    DeviceSummary,
    /// Whether handsets may subscribe.
    Mode,
    /// Files of external users that were read.
    Imports,
    /// Accounts.
    Accounts,
    /// How many accounts.
    AccountSummary,
    /// What is set for the whole system.
    System,
    /// How the parts of the system do.
    Health,
    /// One of the vendor's that is never told here; its place in the vendor's list.
    Silent(usize),
}

/// What `PPSipState..` can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    /// A registration came.
    Began,
    /// A registration went.
    Ended,
    /// Whether there is one.
    Registered,
    /// At which tier.
    ServerType,
    /// At which server.
    ServerAddr,
    /// At which of its ports.
    ServerPort,
}

impl Facet {
    /// What an attribute of `EventPPState` is about; `None` when it is not about a registration.
    pub fn of(name: &str, value: &str) -> Option<Facet> {
        match (name, value) {
            ("sipEvent", "sipRegistrationEvent") => Some(Facet::Began),
            ("sipEvent", "sipRegistrationEndEvent") => Some(Facet::Ended),
            ("registered", _) => Some(Facet::Registered),
            ("regServerType", _) => Some(Facet::ServerType),
            ("regServerAddr", _) => Some(Facet::ServerAddr),
            ("regServerPort", _) => Some(Facet::ServerPort),
            (_, _) => None,
        }
    }
}

/// About whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// About everybody.
    All,
    /// About one.
    One(u32),
    /// About nobody: an id was needed and was not given.
    Nobody,
}

/// One `<e>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// To hear it, or not to hear it any more.
    pub on: bool,
    /// What about.
    pub topic: Topic,
    /// How the client spelt it.
    pub name: String,
    /// About whom.
    pub whom: Whom,
}

impl Topic {
    /// What an event type is about; `None` when the vendor has none of this name.
    pub fn of(name: &str) -> Option<Topic> {
        Some(match name {
            "PPUserCnf" => Topic::Users,
            "PPDevCnf" => Topic::Devices,
            "PPState" => Topic::States,
            "PPSipState" => Topic::Sip(None),
            "PPSipStateRegEvent" => Topic::Sip(Some(Facet::Began)),
            "PPSipStateEndEvent" => Topic::Sip(Some(Facet::Ended)),
            "PPSipStateRegistered" => Topic::Sip(Some(Facet::Registered)),
            "PPSipStateServerType" => Topic::Sip(Some(Facet::ServerType)),
            "PPSipStateServerAddr" => Topic::Sip(Some(Facet::ServerAddr)),
            "PPSipStateServerPort" => Topic::Sip(Some(Facet::ServerPort)),
            "PPTransaction" => Topic::Transactions(None),
            "PPTransactionLocReg" => Topic::Transactions(Some(Transaction::LocReg)),
            "PPTransactionDetach" => Topic::Transactions(Some(Transaction::Detach)),
            "PPUserSummary" => Topic::UserSummary,
            "PPDevSummary" => Topic::DeviceSummary,
            "DECTSubscriptionMode" => Topic::Mode,
            "UserDataImport" => Topic::Imports,
            "AccountCnf" => Topic::Accounts,
            "AccountSummary" => Topic::AccountSummary,
            "SystemCnf" => Topic::System,
            "SystemState" => Topic::Health,
            _ => Topic::Silent(SILENT.iter().position(|silent| *silent == name)?),
        })
    }

    /// What an account has to be allowed to hear it (axi 5).
    pub fn permission(self) -> Permission {
        match self {
            Topic::States | Topic::Sip(_) | Topic::Transactions(_) => Permission::Monitoring,
            Topic::Users
            | Topic::Devices
            | Topic::UserSummary
            | Topic::DeviceSummary
            | Topic::Mode
            | Topic::Imports
            | Topic::Accounts
            | Topic::AccountSummary
            | Topic::System
            | Topic::Health
            | Topic::Silent(_) => Permission::AllCnfRead,
        }
    }

    /// The attribute that says about whom; `None` for an event about the whole.
    fn key(self) -> Option<&'static str> {
        match self {
            Topic::Users => Some("uid"),
            Topic::Devices | Topic::States | Topic::Sip(_) | Topic::Transactions(_) => Some("ppn"),
            Topic::UserSummary
            | Topic::DeviceSummary
            | Topic::Mode
            | Topic::Imports
            | Topic::Accounts
            | Topic::AccountSummary
            | Topic::System
            | Topic::Health
            | Topic::Silent(_) => None,
        }
    }
}

/// Reads the wishes.
///
/// # Errors
/// `EMissing` without any, `EInval` with more than 20, with a word that is none, or with an id that is none.
pub fn read(element: &Element<'_>) -> Result<Vec<Wish>, Complaint> {
    let fields = Fields::of(element);
    let mut wishes = Vec::new();
    for child in element.children().iter().filter(|child| child.name() == "e") {
        if wishes.len() == WISHES_MAX {
            return Err(fields.wrong("e", format!("expected at most {WISHES_MAX}")));
        }
        wishes.push(wish(fields, child)?);
    }
    if wishes.is_empty() { Err(fields.missing("e")) } else { Ok(wishes) }
}

fn wish(fields: Fields<'_>, child: &Element<'_>) -> Result<Wish, Complaint> {
    let name = child.get("eventType").ok_or_else(|| fields.missing("eventType"))?.to_owned();
    let on = match child.get("cmd") {
        Some("On") => true,
        Some("Off") => false,
        Some(_) => return Err(fields.wrong("cmd", "expected On or Off")),
        None => return Err(fields.missing("cmd")),
    };
    let topic = Topic::of(&name).ok_or_else(|| {
        let mut complaint = fields.wrong("eventType", "there is no such event");
        complaint.why.event_type = Some(Box::new(name.clone()));
        complaint
    })?;
    let whom = match topic.key() {
        None => Whom::All,
        Some(key) => match child.get(key) {
            None => Whom::Nobody,
            Some("-1") => Whom::All,
            Some(id) => Whom::One(id.parse().map_err(|_| fields.wrong(key, "expected a number or -1"))?),
        },
    };
    Ok(Wish { on, topic, name, whom })
}

/// What one session hears.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    heard: BTreeSet<(Topic, Whom)>,
    /// Whether something was taken away, and nothing was wished for since.
    withdrawn: bool,
}

impl Subscriptions {
    /// Grants all wishes or none. `may` is what the account may do.
    ///
    /// # Errors
    /// `EPerm` that names the first event type that the account may not hear; `ENoMem` when there are too many.
    pub fn grant(&mut self, wishes: &[Wish], may: &BTreeSet<Permission>) -> Result<(), Refused> {
        if let Some(wish) = wishes.iter().find(|wish| wish.on && !may.contains(&wish.topic.permission())) {
            return Err(Refused {
                event_type: Some(Box::new(wish.name.clone())),
                ..Refused::new(ErrCode::Perm)
            });
        }
        if self.heard.len() + wishes.len() > SINGLES_MAX {
            return Err(Refused::new(ErrCode::NoMem));
        }
        self.withdrawn = false;
        for wish in wishes {
            match (wish.on, wish.whom) {
                (_, Whom::Nobody) => {}
                (true, whom) => _ = self.heard.insert((wish.topic, whom)),
                // "Off" for all takes the single ones along.
                (false, Whom::All) => self.heard.retain(|(topic, _)| *topic != wish.topic),
                (false, Whom::One(id)) => _ = self.heard.remove(&(wish.topic, Whom::One(id))),
            }
        }
        Ok(())
    }

    /// Takes away what an account that may do `may` may not hear (axi 5). What is left is told on; what was taken away
    /// does not come back with its permission, because the client that wishes for it has to know what it missed.
    pub fn withdraw(&mut self, may: &BTreeSet<Permission>) {
        let before = self.heard.len();
        self.heard.retain(|(topic, _)| may.contains(&topic.permission()));
        self.withdrawn |= self.heard.len() < before;
    }

    /// Whether the session hears of anything at all, or did until it was taken away.
    pub fn is_any(&self) -> bool {
        !self.heard.is_empty() || self.withdrawn
    }

    /// Whether the session hears this about `id`; `None` is an event about the whole.
    pub fn hears(&self, topic: Topic, id: Option<u32>) -> bool {
        self.heard.contains(&(topic, Whom::All))
            || id.is_some_and(|id| self.heard.contains(&(topic, Whom::One(id))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(children: &str) -> Result<Vec<Wish>, Complaint> {
        let xml = format!("<Subscribe seq=\"2\">{children}</Subscribe>");
        read(&Element::read(xml.as_bytes()).unwrap())
    }

    fn reader() -> BTreeSet<Permission> {
        BTreeSet::from([Permission::AllCnfRead])
    }

    #[test]
    fn minus_one_is_everybody_and_a_missing_id_is_nobody() {
        let mut heard = Subscriptions::default();
        let wished = wishes(
            r#"<e cmd="On" eventType="PPDevCnf" ppn="-1"/><e cmd="On" eventType="PPUserCnf" uid="7"/>"#,
        );
        heard.grant(&wished.unwrap(), &reader()).unwrap();
        assert!(heard.hears(Topic::Devices, Some(99)) && heard.hears(Topic::Users, Some(7)));
        assert!(!heard.hears(Topic::Users, Some(8)) && !heard.hears(Topic::Mode, None));
        let off =
            wishes(r#"<e cmd="Off" eventType="PPUserCnf" uid="-1"/><e cmd="On" eventType="PPUserCnf"/>"#);
        heard.grant(&off.unwrap(), &reader()).unwrap();
        assert!(!heard.hears(Topic::Users, Some(7)));
    }

    #[test]
    fn one_wish_that_is_not_allowed_refuses_all_and_is_named() {
        let mut heard = Subscriptions::default();
        let wished =
            wishes(r#"<e cmd="On" eventType="PPUserSummary"/><e cmd="On" eventType="PPState" ppn="-1"/>"#)
                .unwrap();
        let refused = heard.grant(&wished, &reader()).unwrap_err();
        assert_eq!(
            (refused.code.to_string().as_str(), refused.event_type.as_deref().map(String::as_str)),
            ("EPerm", Some("PPState"))
        );
        assert!(!heard.hears(Topic::UserSummary, None), "nothing was granted");
    }

    #[test]
    fn what_is_taken_away_was_wished_for_until_the_client_wishes_anew() {
        let mut heard = Subscriptions::default();
        heard.grant(&wishes(r#"<e cmd="On" eventType="PPUserCnf" uid="-1"/>"#).unwrap(), &reader()).unwrap();
        heard.withdraw(&reader());
        assert!(heard.hears(Topic::Users, Some(7)), "nothing was lost");
        heard.withdraw(&BTreeSet::new());
        assert!(!heard.hears(Topic::Users, Some(7)) && heard.is_any());
        heard.withdraw(&reader());
        assert!(!heard.hears(Topic::Users, Some(7)), "it does not come back by itself");
        heard.grant(&wishes(r#"<e cmd="Off" eventType="PPUserCnf" uid="-1"/>"#).unwrap(), &reader()).unwrap();
        assert!(!heard.is_any(), "it wants to hear no more");
    }

    #[test]
    fn an_event_that_nobody_knows_is_named_in_the_answer() {
        let complaint =
            wishes(r#"<e cmd="On" eventType="RFPState"/><e cmd="On" eventType="Weather"/>"#).unwrap_err();
        assert_eq!(
            complaint.answer().to_string(),
            "<SubscribeResp seq=\"2\" errCode=\"EInval\" info=\"there is no such event\" bad=\"eventType\" \
             eventType=\"Weather\"/>"
        );
    }

    #[test]
    fn one_to_twenty_wishes_make_a_request() {
        let one = r#"<e cmd="On" eventType="RFPCnf" rfpId="-1"/>"#;
        assert_eq!(wishes("").unwrap_err().why.code.to_string(), "EMissing");
        assert_eq!(wishes(&one.repeat(20)).unwrap().len(), 20);
        assert_eq!(wishes(&one.repeat(21)).unwrap_err().why.code.to_string(), "EInval");
        assert_eq!(
            wishes(r#"<e cmd="on" eventType="RFPCnf"/>"#).unwrap_err().why.bad.as_deref(),
            Some("cmd")
        );
    }
}
