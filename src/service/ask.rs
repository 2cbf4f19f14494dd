//! What the control socket can ask for, and the answers that the boss need not know.

use ::actors::omm::OmmActor;
use ::actors::omm::drill::Rehearse;
use ::actors::omm::inspect::Status;
use ::actors::omm::roll::{Roll, Show};
use actix::{Addr, Message};
use omm::ids::Number;
use serde_json::{Value, json};

use super::drill::Drill;
use super::office::Order;
use super::supply::Supply;
use crate::config::site::Site;
use crate::roll;

/// What the control socket can ask for.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Value")]
pub enum Ask {
    /// How the OMM stands.
    Status,
    /// The users and where they are.
    Users,
    /// All that is known of the user with this number.
    Show(Number),
    /// What happened to the user with this number lately.
    Why(String),
    /// `homing failover` and `homing failback`.
    Drill(Drill),
    /// What an administrator changes.
    Order(Order),
    /// Users and handsets in files.
    Supply(Supply),
}

impl Ask {
    /// Reads a request, `{"ask": WORD}`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn read(request: &Value) -> Result<Ask, String> {
        let text = |key: &str| request.get(key).and_then(Value::as_str);
        let word = text("ask").ok_or("a request is {\"ask\": WORD}")?;
        let number = || text("number").ok_or_else(|| format!("`{word}` needs the `number` of a user"));
        if let Some(supply) = Supply::read(request) {
            return supply.map(Ask::Supply);
        }
        match word {
            "status" => Ok(Ask::Status),
            "users" => Ok(Ask::Users),
            "show" => Number::new(number()?)
                .map(Ask::Show)
                .map_err(|bad| format!("that is no number of a user: {bad}")),
            "why" => Ok(Ask::Why(number()?.to_owned())),
            "failover" | "failback" => Drill::read(request).map(Ask::Drill),
            other => Order::read(request).map(Ask::Order).ok_or_else(|| {
                let expected = "expected status, users, show, why, failover, failback, sari-generate, remove-remote, attach, detach, import, export, backup or restore";
                format!("cannot be asked for {other:?}; {expected}")
            }),
        }
    }
}

/// What is asked about users; `None` when it is about something else.
pub(super) async fn roll_call(
    ask: &Ask,
    site: &Site,
    omm: &Addr<OmmActor>,
    standing: &Status,
) -> Option<Value> {
    Some(match ask {
        Ask::Users => roll::users_to_json(site, standing, &omm.send(Roll).await.unwrap_or_default()),
        Ask::Show(number) => match omm.send(Show(number.clone())).await.ok().flatten() {
            Some((entry, having)) => roll::user_to_json(site, standing, &entry, &having),
            None => {
                json!({"error": format!("no user has the number {number} here; `homing users` lists them")})
            }
        },
        Ask::Status | Ask::Drill(_) | Ask::Order(_) | Ask::Supply(_) | Ask::Why(_) => return None,
    })
}

/// Has the OMM move to another server, if it is the one that is meant.
pub(super) async fn rehearse(site: &Site, omm: &Addr<OmmActor>, drill: &Drill) -> Value {
    if drill.site != site.name {
        return json!({"error": format!("this is {}, not {}", site.name, drill.site)});
    }
    drill.answer(omm.send(Rehearse(drill.to)).await.ok().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_or_told_what_is_wrong_with_it() {
        assert!(matches!(Ask::read(&json!({"ask": "users"})), Ok(Ask::Users)));
        let show = Ask::read(&json!({"ask": "show", "number": "101"}));
        assert!(matches!(show, Ok(Ask::Show(number)) if number.as_str() == "101"));
        for (request, why) in [
            (json!({}), "a request is"),
            (json!({"ask": "show"}), "`show` needs the `number`"),
            (json!({"ask": "why", "number": 7}), "`why` needs the `number`"),
            (json!({"ask": "show", "number": "a b"}), "that is no number of a user"),
            (json!({"ask": "dance"}), "expected status, users, show"),
        ] {
            let told = Ask::read(&request).err().unwrap_or_default();
            assert!(told.contains(why), "{request}: {told}");
        }
    }
}
