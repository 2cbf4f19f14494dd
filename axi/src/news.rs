//! What happened, as sessions are told of it (axi 5).
//!
//! ```text
//! <EventPPUserCnf><user uid="25" name="Ada"/></EventPPUserCnf>                what changed
//! <EventPPUserCnf deleted="1"><user uid="25"/></EventPPUserCnf>
//! <EventPPCnf><user uid="25" name="Ada"/></EventPPCnf>                        the same in sync mode
//! <EventPPCnf deletedUser="1"><user uid="25" uidSec="0"/></EventPPCnf>
//! ```

use crate::element::Element;
use crate::record::Record;
use crate::reply::Reply;
use crate::request::Mode;
use crate::subscribe::{Subscriptions, Topic};

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
    /// How a handset stands.
    State {
        /// Which.
        ppn: u32,
        /// What of it changed.
        changed: Reply,
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
            News::State { ppn, changed } => heard.hears(Topic::States, Some(*ppn)).then(|| {
                let mut event = Element::new("EventPPState").with("ppn", ppn.to_string());
                changed.write(&mut event);
                event
            }),
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
