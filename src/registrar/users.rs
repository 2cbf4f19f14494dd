//! Who is known to `homing registrar`.

use std::fmt;

use machine::secret::Secret;
use machine::step::Machine;
use machine::time::Moment;
use sip::registrar::subscriber::Subscriber;
use sip::uas::{Input, Uas};

use crate::config::users::User;

/// Who is known.
#[derive(Debug)]
pub(super) enum Known {
    /// These, in this domain.
    Listed(Vec<User>, String),
    /// Everybody who knows this password.
    Everybody(Secret),
    /// Everybody, and nobody is asked for a password.
    Open,
}

impl Known {
    /// Whether nobody is asked.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Known::Open)
    }

    /// The password of everybody.
    pub(super) fn common(&self) -> Option<Secret> {
        match self {
            Known::Everybody(password) => Some(password.clone()),
            Known::Listed(..) | Known::Open => None,
        }
    }

    /// Tells the registrar of the listed ones.
    pub(super) fn enrol(&self, uas: &mut Uas) {
        let Known::Listed(users, domain) = self else { return };
        let mut effects = Vec::new();
        for user in users {
            let subscriber = Subscriber {
                aor: format!("sip:{}@{domain}", user.number),
                username: user.auth.clone(),
                password: user.password.clone(),
            };
            uas.on(Moment::START, Input::Account(subscriber), &mut effects);
        }
        debug_assert!(effects.is_empty(), "an account is no event");
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Known::Listed(users, _) => write!(f, "{} users", users.len()),
            Known::Everybody(_) => f.write_str("any user with the password"),
            Known::Open => f.write_str("any user, no password"),
        }
    }
}
