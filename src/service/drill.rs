//! Drills that an operator asks for on the control socket, and how they are told.

use serde_json::{Value, json};

/// The tiers as operators call them, in their order (spec 0).
pub const TIERS: [&str; 3] = ["primary", "secondary", "tertiary"];

/// A drill at a site: to this tier, or back with `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// The site that is meant; the service refuses when it is another.
    pub site: String,
    /// 0 primary .. 2 tertiary.
    pub to: Option<u8>,
}

impl Drill {
    /// The request for the control socket.
    pub fn request(&self) -> Value {
        match self.to.and_then(|tier| TIERS.get(usize::from(tier))) {
            Some(word) => json!({"ask": "failover", "site": self.site, "to": word}),
            None => json!({"ask": "failback", "site": self.site}),
        }
    }

    /// Reads a request whose `ask` is `failover` or `failback`.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn read(request: &Value) -> Result<Drill, String> {
        let text = |key| request.get(key).and_then(Value::as_str);
        let site = text("site").ok_or("`site` is missing")?.to_owned();
        if text("ask") == Some("failback") {
            return Ok(Drill { site, to: None });
        }
        let tier = TIERS.iter().position(|word| Some(*word) == text("to"));
        let to = tier.and_then(|tier| u8::try_from(tier).ok());
        Ok(Drill { site, to: Some(to.ok_or(format!("`to` is one of {}", TIERS.join(", ")))?) })
    }

    /// What the service answers when the OMM has named the server to which everybody moves.
    pub fn answer(&self, server: Option<String>) -> Value {
        match (server, self.to) {
            (Some(server), to) => json!({"site": self.site, "drill": to.is_some(), "server": server}),
            (None, _) => json!({"error": "the site has no such SIP server"}),
        }
    }
}

/// The answer for people.
pub fn told(answer: &Value) -> String {
    let text = |key| answer.get(key).and_then(Value::as_str).unwrap_or("-");
    let (site, server) = (text("site"), text("server"));
    match answer.get("drill").and_then(Value::as_bool) {
        Some(true) => format!("{site} moves to {server}; `homing failback {site}` ends the drill"),
        Some(false) | None => {
            format!("the drill at {site} is over; its users go back to {server} if it is well")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_survives_the_control_socket() {
        for to in [Some(0), Some(1), Some(2), None] {
            let drill = Drill { site: "berlin".into(), to };
            assert_eq!(Drill::read(&drill.request()), Ok(drill));
        }
        let wrong = json!({"ask": "failover", "site": "berlin", "to": "fourth"});
        assert_eq!(Drill::read(&wrong).unwrap_err(), "`to` is one of primary, secondary, tertiary");
        assert_eq!(Drill::read(&json!({"ask": "failback"})).unwrap_err(), "`site` is missing");
    }
}
