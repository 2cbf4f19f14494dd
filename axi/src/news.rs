//! What happened, as sessions are told of it (axi 5).
//!
//! ```text
//! <EventPPUserCnf><user uid="25" name="Ada"/></EventPPUserCnf>                what changed
//! <EventPPUserCnf deleted="1"><user uid="25"/></EventPPUserCnf>
//! <EventPPCnf><user uid="25" name="Ada"/></EventPPCnf>                        the same in sync mode
//! <EventPPCnf deletedUser="1"><user uid="25" uidSec="0"/></EventPPCnf>
//! ```

use machine::secret::Secret;

use crate::account::Account;
use crate::element::Element;
use crate::record::Record;
use crate::reply::Reply;
use crate::request::Mode;
use crate::subscribe::{Facet, Subscriptions, Topic};
use crate::transaction::Transaction;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A user.
    User {
        /// Which.
        uid: u32,
        /// What became of it.
        change: Fate,
    },
    /// A handset.
    Device {
        /// Which.
        ppn: u32,
        /// What became of it.
        change: Fate,
    },
    /// How many users there are.
    UserSummary(Reply),
    /// How many handsets there are.
    DeviceSummary(Reply),
    /// Whether handsets may subscribe.
    Mode(Mode),
    /// The file of an external user was read (axi 4.5).
    Import {
        /// Which.
        filename: Box<str>,
        /// Whether the user is now as it says.
        done: bool,
    },
    /// A profile of handset settings.
    Profile {
        /// Which.
        id: u8,
        /// How it is now; `None` when it is no more.
        change: Option<Element<'static>>,
    },
    /// An account.
    Account {
        /// Which.
        id: u32,
        /// How it is now; `None` when it is no more.
        change: Option<Account>,
    },
    /// How many accounts there are.
    AccountSummary(Reply),
    /// The DECT authentication code.
    AuthCode(Secret),
    /// The common identity of all sites.
    Sari(Reply),
    /// How the parts of the system do.
    Health(Reply),
    /// How a handset stands.
    State {
        /// Which.
        ppn: u32,
        /// What of it changed.
        changed: Reply,
    },
    /// A handset did something.
    Transaction {
        /// Which.
        ppn: u32,
        /// What.
        what: Transaction,
    },
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// These values are new; all of them when the record is.
    Changed(Record),
    /// It is gone.
    Deleted,
}

impl News {
    /// What became of this account: how it is now, `None` inside when it is no more; nothing when it is about something else.
    pub fn of_account(&self, wanted: u32) -> Option<Option<&Account>> {
        match self {
            News::Account { id, change } if *id == wanted => Some(change.as_ref()),
            News::Account { .. }
            | News::AccountSummary(_)
            | News::AuthCode(_)
            | News::Device { .. }
            | News::DeviceSummary(_)
            | News::Health(_)
            | News::Import { .. }
            | News::Mode(_)
            | News::Profile { .. }
            | News::Sari(_)
            | News::State { .. }
            | News::Transaction { .. }
            | News::User { .. }
            | News::UserSummary(_) => None,
        }
    }

    /// The event for a session that has subscribed to these, `None` when it has not subscribed to this one: a client
    /// hangs on an event that it does not expect (axi 7.1).
    pub fn event(&self, heard: &Subscriptions, sync: bool) -> Option<Element<'static>> {
        match self {
            News::User { uid, change } => {
                heard.hears(Topic::Users, Some(*uid)).then(|| record(USER, *uid, change, sync))
            }
            News::Device { ppn, change } => {
                heard.hears(Topic::Devices, Some(*ppn)).then(|| record(DEVICE, *ppn, change, sync))
            }
            News::UserSummary(reply) => whole(heard, Topic::UserSummary, "EventPPUserSummary", reply),
            News::DeviceSummary(reply) => whole(heard, Topic::DeviceSummary, "EventPPDevSummary", reply),
            News::Mode(mode) => heard
                .hears(Topic::Mode, None)
                .then(|| Element::new("EventDECTSubscriptionMode").with("mode", mode.as_str())),
            News::Import { filename, done } => heard.hears(Topic::Imports, None).then(|| {
                let result = if *done { "Imported" } else { "Failed" };
                Element::new("EventUserDataImport")
                    .with("result", result)
                    .with("filename", filename.to_string())
            }),
            // The vendor has an event, and no event type of its own for it (axi 5): ours is that of the system's settings.
            News::Profile { id, change } => heard.hears(Topic::System, None).then(|| {
                let event = Element::new("EventPpProfileCnf");
                let (mut event, child) = match change {
                    Some(profile) => (event, profile.clone()),
                    None => (event.with("delete", "1"), Element::new("ppProfile").with("id", id.to_string())),
                };
                event.push(child);
                event
            }),
            News::Account { change: Some(account), .. } => heard.hears(Topic::Accounts, None).then(|| {
                let mut event = Element::new("EventAccountCnf");
                for (name, value) in account.element().attributes() {
                    event.set(name.to_owned(), value.to_owned());
                }
                event
            }),
            // The vendor has no word for it; the summary tells that there is one fewer.
            News::Account { change: None, .. } => None,
            News::AccountSummary(reply) => whole(heard, Topic::AccountSummary, "EventAccountSummary", reply),
            News::AuthCode(code) => heard
                .hears(Topic::System, None)
                .then(|| Element::new("EventDECTAuthCodeCnf").with("ac", code.reveal().to_owned())),
            News::Sari(reply) => whole(heard, Topic::System, "EventSARICnf", reply),
            News::Health(reply) => whole(heard, Topic::Health, "EventHealthState", reply),
            News::State { ppn, changed } => {
                let hears = |topic| heard.hears(topic, Some(*ppn));
                let all = hears(Topic::States) || hears(Topic::Sip(None));
                let facet = |name, value: &str| Facet::of(name, value).map(|facet| Topic::Sip(Some(facet)));
                let told = changed.attributes.iter();
                let mut told =
                    told.filter(|(name, value)| all || facet(name, value).is_some_and(hears)).peekable();
                told.peek()?;
                let mut event = Element::new("EventPPState").with("ppn", ppn.to_string());
                told.for_each(|(name, value)| event.set(*name, value.clone()));
                Some(event)
            }
            News::Transaction { ppn, what } => {
                let hears = |which| heard.hears(Topic::Transactions(which), Some(*ppn));
                (hears(None) || hears(Some(*what))).then(|| {
                    Element::new("EventPPTransaction")
                        .with("trType", what.as_str())
                        .with("ppn", ppn.to_string())
                })
            }
        }
    }
}

/// How a kind of record is called in events.
struct Kind {
    event: &'static str,
    deleted: &'static str,
    child: &'static str,
    key: &'static str,
    second: &'static str,
}

const USER: Kind =
    Kind { event: "EventPPUserCnf", deleted: "deletedUser", child: "user", key: "uid", second: "uidSec" };
const DEVICE: Kind =
    Kind { event: "EventPPDevCnf", deleted: "deletedDev", child: "pp", key: "ppn", second: "ppnSec" };

fn record(kind: Kind, id: u32, fate: &Fate, sync: bool) -> Element<'static> {
    let mut event = Element::new(if sync { "EventPPCnf" } else { kind.event });
    let mut child = Element::new(kind.child).with(kind.key, id.to_string());
    match fate {
        Fate::Deleted if sync => {
            event.set(kind.deleted, "1");
            child.set(kind.second, "0");
        }
        Fate::Deleted => event.set("deleted", "1"),
        Fate::Changed(record) => {
            for (name, value) in record.news(kind.child, sync).attributes() {
                child.set(name.to_owned(), value.to_owned());
            }
        }
    }
    event.push(child);
    event
}

fn whole(heard: &Subscriptions, topic: Topic, name: &'static str, reply: &Reply) -> Option<Element<'static>> {
    heard.hears(topic, None).then(|| {
        let mut event = Element::new(name);
        reply.write(&mut event);
        event
    })
}

#[cfg(test)]
mod tests {
    use omm::ids::park::Sari;
    use omm::link::dial::{Health, Held};
    use omm::link::frame::Mismatch;

    use super::*;
    use crate::health::{Condition, Files, Wellbeing};
    use crate::look::{Registered, placed};
    use crate::open::Permission;
    use crate::subscribe;
    use crate::system;

    #[test]
    fn a_phone_that_registers_and_leaves_is_told_to_whoever_watches_it() {
        let mut heard = Subscriptions::default();
        let wish = "<Subscribe><e cmd=\"On\" eventType=\"PPState\" ppn=\"7\"/></Subscribe>";
        let wishes = subscribe::read(&Element::read(wish.as_bytes()).unwrap()).unwrap();
        heard.grant(&wishes, &[Permission::Monitoring].into()).unwrap();
        let told = |ppn, registered| {
            let news = News::State { ppn, changed: placed(registered) };
            news.event(&heard, false).map(|event| event.to_string())
        };
        let server = Registered { tier: 0, host: "192.0.2.9".into(), port: 5060 };
        assert_eq!(
            told(7, Some(server.clone())).as_deref(),
            Some(
                "<EventPPState ppn=\"7\" sipEvent=\"sipRegistrationEvent\" registered=\"1\" \
                 regServerType=\"Primary\" regServerAddr=\"192.0.2.9\" regServerPort=\"5060\"/>"
            )
        );
        let gone = "<EventPPState ppn=\"7\" sipEvent=\"sipRegistrationEndEvent\" registered=\"0\" \
                    regServerType=\"None\"/>";
        assert_eq!(told(7, None).as_deref(), Some(gone));
        assert_eq!(told(8, Some(server)), None);
    }

    #[test]
    fn whoever_watches_one_facet_hears_of_that_alone_and_transactions_by_their_kind() {
        let told = |topics: &[&str], news: &News| {
            let wishes: String = topics
                .iter()
                .map(|topic| format!("<e cmd=\"On\" eventType=\"{topic}\" ppn=\"-1\"/>"))
                .collect();
            let wish = format!("<Subscribe>{wishes}</Subscribe>");
            let wishes = subscribe::read(&Element::read(wish.as_bytes()).unwrap()).unwrap();
            let mut heard = Subscriptions::default();
            heard.grant(&wishes, &[Permission::Monitoring, Permission::AllCnfRead].into()).unwrap();
            news.event(&heard, false).map(|event| event.to_string()).unwrap_or_default()
        };
        let server = Registered { tier: 1, host: "192.0.2.9".into(), port: 5060 };
        let came = News::State { ppn: 7, changed: placed(Some(server)) };
        let went = News::State { ppn: 7, changed: placed(None) };
        assert_eq!(told(&["PPSipState"], &came), told(&["PPState"], &came));
        assert_eq!(
            told(&["PPSipStateRegEvent"], &came),
            "<EventPPState ppn=\"7\" sipEvent=\"sipRegistrationEvent\"/>"
        );
        assert_eq!(told(&["PPSipStateRegEvent"], &went), "");
        assert_eq!(
            told(&["PPSipStateServerPort", "PPSipStateServerType"], &came),
            "<EventPPState ppn=\"7\" regServerType=\"Secondary\" regServerPort=\"5060\"/>"
        );
        assert_eq!(told(&["PPSipStateServerAddr", "PPSipStateNotifyEvent"], &went), "");
        let moved = News::Transaction { ppn: 7, what: Transaction::LocReg };
        assert_eq!(told(&["PPTransaction"], &moved), "<EventPPTransaction trType=\"LocReg\" ppn=\"7\"/>");
        assert_eq!(told(&["PPTransactionLocReg"], &moved), told(&["PPTransaction"], &moved));
        assert_eq!(told(&["PPTransactionDetach", "PPTransactionEstablish"], &moved), "");
    }

    #[test]
    fn the_code_the_sari_and_the_health_are_told_to_whoever_has_asked_for_the_system_or_its_state() {
        let told = |topic: &str, news: &News| {
            let mut heard = Subscriptions::default();
            let wish = format!("<Subscribe><e cmd=\"On\" eventType=\"{topic}\"/></Subscribe>");
            let wishes = subscribe::read(&Element::read(wish.as_bytes()).unwrap()).unwrap();
            heard.grant(&wishes, &[Permission::AllCnfRead].into()).unwrap();
            news.event(&heard, false).map(|event| event.to_string())
        };
        let code = News::AuthCode(Secret::new("4711"));
        let sari = News::Sari(system::sari(Sari::read("1F10187326").unwrap()));
        let link = Condition::of_link(Health::Held(Held::Here(Mismatch::Clock)), true);
        let before = Wellbeing { link: Condition::of_link(Health::InSync, false), files: Files::default() };
        let health = News::Health(Wellbeing { link, ..before }.since(Some(before)).unwrap());
        for (news, topic, event) in [
            (&code, "SystemCnf", "<EventDECTAuthCodeCnf ac=\"4711\"/>"),
            (&sari, "SystemCnf", "<EventSARICnf sari=\"1F10187326\"/>"),
            (
                &health,
                "SystemState",
                "<EventHealthState><health component=\"userDeviceSync\" severity=\"Error\" \
                 reason=\"Different system times\" reasonCode=\"0\"/></EventHealthState>",
            ),
        ] {
            assert_eq!(told(topic, news).as_deref(), Some(event));
            let other = if topic == "SystemCnf" { "SystemState" } else { "SystemCnf" };
            assert_eq!(told(other, news), None, "a client hangs on an event that it does not expect");
            assert_eq!(told("PPUserCnf", news), None);
        }
        assert!(!format!("{code:?}").contains("4711"), "a secret shows");
    }
}
