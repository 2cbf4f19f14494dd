//! What an administrator changes at a running OMM: its SARI, its roster, whether it is attached.
//!
//! The OMM makes it durable; what it then is another for starts it over, softly: registrations stay as they are, and the
//! new one takes them over (AMB-16, X-1).

use ::actors::identity::Attachment;
use ::actors::omm::OmmActor;
use ::actors::omm::identity::{Expel, SetAttachment, SetSari, Unchanged};
use actix::Addr;
use omm::ids::park::{Park, Sari};
use omm::stamp::OmmId;
use serde_json::{Value, json};

use crate::config::site::Site;

/// What is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `homing sari generate`.
    GenerateSari,
    /// `homing remotes remove`: a name or a PARK.
    RemoveRemote(String),
    /// `homing attach` and `homing detach`.
    Attach(Attachment),
}

impl Order {
    /// The order that a request of the control socket is; `None` when it is none.
    pub fn read(request: &Value) -> Option<Order> {
        let flag = |name: &str| request.get(name).and_then(Value::as_bool).unwrap_or_default();
        match request.get("ask").and_then(Value::as_str)? {
            "sari-generate" => Some(Order::GenerateSari),
            "remove-remote" => Some(Order::RemoveRemote(request.get("remote")?.as_str()?.to_owned())),
            "attach" => Some(Order::Attach(Attachment { attached: true, adopt: flag("adopt") })),
            "detach" => Some(Order::Attach(Attachment { attached: false, adopt: false })),
            _ => None,
        }
    }

    /// The request of the control socket that [`Order::read`] reads.
    pub fn request(&self) -> Value {
        match self {
            Order::GenerateSari => json!({"ask": "sari-generate"}),
            Order::RemoveRemote(remote) => json!({"ask": "remove-remote", "remote": remote}),
            Order::Attach(Attachment { attached: true, adopt }) => json!({"ask": "attach", "adopt": adopt}),
            Order::Attach(Attachment { attached: false, .. }) => json!({"ask": "detach"}),
        }
    }

    /// Whether the OMM starts over for it.
    pub fn restarts(&self) -> bool {
        match self {
            Order::GenerateSari | Order::Attach(_) => true,
            Order::RemoveRemote(_) => false,
        }
    }

    /// Has the OMM do it. `Ok` and `Err` are sentences for people.
    ///
    /// # Errors
    /// Nothing was changed, and why.
    pub async fn carry_out(&self, site: &Site, omm: &Addr<OmmActor>) -> Result<String, String> {
        let (sent, done) = match self {
            Order::GenerateSari => {
                let sari = Sari::derive(site.park);
                (omm.send(SetSari(sari)).await, format!("the SARI is {sari} from now on, for good"))
            }
            Order::RemoveRemote(name) => {
                let remote = whom(site, name).ok_or_else(|| {
                    format!(
                        "{name:?} is neither the name of a [[remote]] nor a PARK nor the number of an OMM"
                    )
                })?;
                (omm.send(Expel(remote)).await, format!("{name} is off the roster and has to be let in anew"))
            }
            Order::Attach(wish) => {
                let done = match (wish.attached, wish.adopt) {
                    (true, false) => "attached: this OMM goes to its central",
                    (true, true) => {
                        "attached: this OMM goes to its central and brings its own users and devices along"
                    }
                    (false, _) => {
                        "detached: users, devices and SARI stay; what is changed meanwhile is synchronised later"
                    }
                };
                (omm.send(SetAttachment(*wish)).await, done.to_owned())
            }
        };
        sent.unwrap_or(Err(Unchanged::Ended)).map(|()| done).map_err(sentence)
    }
}

/// The remote of that name, PARK or number.
fn whom(site: &Site, name: &str) -> Option<OmmId> {
    let named = site.remotes.iter().find(|remote| remote.name == name).map(|remote| remote.park);
    let park = named.or_else(|| name.parse::<Park>().ok());
    park.map(|park| OmmId::new(park.ari.bits())).or_else(|| name.parse().ok())
}

fn sentence(why: Unchanged) -> String {
    match why {
        Unchanged::NoCentral => "this is a remote: ask its central (M-2.3.1.1-a)".into(),
        Unchanged::NoRemote => "this OMM has no [link] to a central".into(),
        Unchanged::SariSet(sari) => {
            format!("the SARI is {sari} already, for good: nothing was changed (M-2.1.2.1-e)")
        }
        Unchanged::NoSuchRemote => "no such remote is on the roster; `homing remotes` lists it".into(),
        Unchanged::NotEmpty(census) => format!(
            "this OMM has {census} of its own, and a remote is empty when it is attached for the first time \
             (M-2.3.1.2-a); delete them, or bring them along with --adopt"
        ),
        Unchanged::Ended => "the OMM ended meanwhile; look with `homing status` whether it was done".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_survives_the_control_socket() {
        for order in [
            Order::GenerateSari,
            Order::RemoveRemote("berlin".into()),
            Order::Attach(Attachment { attached: true, adopt: true }),
            Order::Attach(Attachment { attached: true, adopt: false }),
            Order::Attach(Attachment { attached: false, adopt: false }),
        ] {
            assert_eq!(Order::read(&order.request()), Some(order));
        }
        assert_eq!(Order::read(&json!({"ask": "remove-remote"})), None);
        assert_eq!(Order::read(&json!({"ask": "status"})), None);
    }
}
